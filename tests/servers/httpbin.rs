//! Methods, headers, encodings and timeouts, with httpbin.

use std::time::Duration;

use urlsession::{Body, ErrorKind, Multipart, Part, Request};

use crate::{HTTPBIN, given, session};

#[test]
#[ignore = "needs the servers of .ci/run"]
fn every_method_arrives_with_its_body() {
    let httpbin = given(HTTPBIN);
    let session = session();
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        let url = format!("{httpbin}/{}", method.to_lowercase());
        // A POST without a type would be a form's.
        let request = Request::new(method, url).header("Content-Type", "text/plain");
        let data = session.data(request.body("three words here")).unwrap();
        assert_eq!(data.response.status(), 200, "{method}");
        assert!(data.text().contains(r#""data":"three words here""#), "{method}: {}", data.text());
    }
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn query_and_headers_arrive_as_they_were_given() {
    let httpbin = given(HTTPBIN);
    let request = Request::get(format!("{httpbin}/get"))
        .query("q", "a b&c=d/é")
        .header("X-Shape", "round")
        .header("User-Agent", "tester/1");
    let text = session().data(request).unwrap().text().into_owned();
    for part in [r#""q":"a b&c=d/\u00e9""#, r#""X-Shape":"round""#, r#""User-Agent":"tester/1""#] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn any_status_is_an_answer() {
    let httpbin = given(HTTPBIN);
    let session = session();
    for status in [200, 201, 204, 304, 400, 401, 404, 418, 500, 503] {
        let data = session.data(format!("{httpbin}/status/{status}")).unwrap();
        assert_eq!(data.response.status(), status);
    }
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn redirects_are_followed_up_to_the_limit() {
    let httpbin = given(HTTPBIN);
    let session = session();
    for path in ["redirect/5", "relative-redirect/5", "absolute-redirect/5", "redirect/20"] {
        let data = session.data(format!("{httpbin}/{path}")).unwrap();
        assert_eq!(data.response.url().path(), "/get", "{path}");
    }
    let error = session.data(format!("{httpbin}/redirect/21")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooManyRedirects);
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn a_streamed_answer_can_be_read_line_by_line() {
    let httpbin = given(HTTPBIN);
    let bytes = session().bytes(format!("{httpbin}/stream/25")).unwrap();
    let lines: Vec<String> = bytes.lines().map(Result::unwrap).collect();
    assert_eq!(lines.len(), 25);
    assert!(lines[24].contains(r#""id": 24"#), "{}", lines[24]);
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn a_body_without_length_arrives_whole() {
    let httpbin = given(HTTPBIN);
    let session = session();
    let url = format!("{httpbin}/stream-bytes/100000?seed=7&chunk_size=1234");
    let once = session.data(url.as_str()).unwrap();
    assert_eq!(once.response.expected_content_length(), None);
    assert_eq!(once.body.len(), 100_000);
    assert_eq!(session.data(url.as_str()).unwrap().body, once.body);
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn encodings_that_were_asked_for_are_decoded() {
    let httpbin = given(HTTPBIN);
    let session = session();
    let codings: [(&str, &str, bool); 3] = [
        ("gzip", r#""gzipped":true"#, cfg!(feature = "gzip")),
        ("deflate", r#""deflated":true"#, cfg!(feature = "gzip")),
        ("brotli", r#""brotli":true"#, cfg!(feature = "brotli")),
    ];
    for (coding, part, can_decode) in codings {
        let data = session.data(format!("{httpbin}/{coding}")).unwrap();
        assert_eq!(data.text().contains(part), can_decode, "{coding}: {}", data.text());
    }
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn a_user_in_the_url_is_sent_as_basic_credentials() {
    let httpbin = given(HTTPBIN);
    let session = session();
    let refused = session.data(format!("{httpbin}/basic-auth/user/word")).unwrap();
    assert_eq!(refused.response.status(), 401);
    assert_eq!(refused.response.header("www-authenticate"), Some(r#"Basic realm="Fake Realm""#));
    let with_user = httpbin.replace("http://", "http://user:pass%20word@");
    let data = session.data(format!("{with_user}/basic-auth/user/pass%20word")).unwrap();
    assert_eq!(data.response.status(), 200);
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn a_server_that_keeps_silent_runs_into_the_timeout() {
    let httpbin = given(HTTPBIN);
    let session = session();
    let slow =
        Request::get(format!("{httpbin}/delay/5")).timeout_for_request(Duration::from_millis(200));
    assert_eq!(session.data(slow).unwrap_err().kind(), ErrorKind::TimedOut);
    assert_eq!(session.data(format!("{httpbin}/get")).unwrap().response.status(), 200);
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn text_says_its_type_and_encoding() {
    let httpbin = given(HTTPBIN);
    let data = session().data(format!("{httpbin}/encoding/utf8")).unwrap();
    assert_eq!(data.response.mime_type().as_deref(), Some("text/html"));
    assert_eq!(data.response.text_encoding_name().as_deref(), Some("utf-8"));
    assert!(data.text().contains("STARGΛ̊TE"));
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn content_says_its_type_and_arrives_whole() {
    let httpbin = given(HTTPBIN);
    let session = session();
    let cases: [(&str, &str, &[u8], usize); 10] = [
        ("image/png", "image/png", b"\x89PNG\r\n\x1a\n", 8_090),
        ("image/jpeg", "image/jpeg", b"\xff\xd8\xff", 35_588),
        ("image/webp", "image/webp", b"RIFF", 10_568),
        ("image/svg", "image/svg+xml", b"<svg", 8_984),
        ("json", "application/json", b"{", 275),
        ("xml", "application/xml", b"<?xml", 522),
        ("html", "text/html", b"<!DOCTYPE html>", 3_741),
        ("robots.txt", "text/plain", b"User-agent: *", 30),
        ("base64/aGVsbG8=", "text/html", b"hello", 5),
        ("range/5000", "application/octet-stream", b"abcdef", 5_000),
    ];
    for (path, media, start, length) in cases {
        let data = session.data(format!("{httpbin}/{path}")).unwrap();
        assert_eq!(data.response.mime_type().as_deref(), Some(media), "{path}");
        assert!(data.body.starts_with(start), "{path}");
        assert_eq!(data.body.len(), length, "{path}");
        assert_eq!(data.response.expected_content_length(), Some(length as u64), "{path}");
    }
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn headers_of_an_answer_are_listed_as_they_came() {
    let httpbin = given(HTTPBIN);
    let url = format!("{httpbin}/response-headers?X-Shape=round&X-Shape=green&X-Empty=");
    let data = session().data(url).unwrap();
    let shapes: Vec<&str> = data.response.headers().get_all("x-shape").collect();
    assert_eq!(shapes, ["round", "green"]);
    assert_eq!(data.response.header("X-EMPTY"), Some(""));
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn a_redirect_can_lead_to_another_method_another_host_and_another_status() {
    let httpbin = given(HTTPBIN);
    let session = session();
    let to = |status: u16, target: &str| {
        let request = Request::new("PATCH", format!("{httpbin}/redirect-to"));
        request.query("url", target).query("status_code", status.to_string()).body("kept")
    };
    let kept = session.data(to(307, "/anything/here?x=1")).unwrap();
    assert!(kept.text().contains(r#""method":"PATCH""#), "{}", kept.text());
    assert!(kept.text().contains(r#""data":"kept""#), "{}", kept.text());
    let dropped = session.data(to(303, "/anything/here?x=1")).unwrap();
    assert!(dropped.text().contains(r#""method":"GET""#), "{}", dropped.text());
    assert!(dropped.text().contains(r#""data":"""#), "{}", dropped.text());
    let elsewhere = httpbin.replace("127.0.0.1", "localhost");
    let there = session.data(to(307, &format!("{elsewhere}/status/418"))).unwrap();
    assert_eq!(there.response.status(), 418);
    assert_eq!(there.response.url().host_str(), Some("localhost"));
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn credentials_of_the_url_stay_with_their_host() {
    let httpbin = given(HTTPBIN);
    let session = session();
    let with_user = httpbin.replace("http://", "http://user:word@");
    for (host, is_sent) in [("127.0.0.1", true), ("localhost", false)] {
        let target = format!("{}/headers", httpbin.replace("127.0.0.1", host));
        let request = Request::get(format!("{with_user}/redirect-to")).query("url", &target);
        let text = session.data(request).unwrap().text().into_owned();
        assert_eq!(text.contains(r#""Authorization":"Basic dXNlcjp3b3Jk""#), is_sent, "{text}");
    }
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn a_body_that_drips_is_whole_and_keeps_the_idle_timer_quiet() {
    let httpbin = given(HTTPBIN);
    let url = format!("{httpbin}/drip?numbytes=8&duration=2&delay=0&code=206");
    // Longer than between two bytes, shorter than the whole.
    let request = Request::get(url).timeout_for_request(Duration::from_millis(1500));
    let data = session().data(request).unwrap();
    assert_eq!(data.response.status(), 206);
    assert_eq!(data.body, b"********");
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn an_answer_that_is_late_but_in_time_is_an_answer() {
    let httpbin = given(HTTPBIN);
    let request =
        Request::get(format!("{httpbin}/delay/1")).timeout_for_request(Duration::from_secs(30));
    let data = session().data(request).unwrap();
    assert!(data.text().contains(r#""url":"#), "{}", data.text());
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn a_part_can_be_asked_for() {
    let httpbin = given(HTTPBIN);
    let request = Request::get(format!("{httpbin}/range/1000")).header("Range", "bytes=26-51");
    let data = session().data(request).unwrap();
    assert_eq!(data.response.status(), 206);
    assert_eq!(data.response.header("content-range"), Some("bytes 26-51/1000"));
    assert_eq!(data.text(), "abcdefghijklmnopqrstuvwxyz");
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn connections_are_kept_between_answers_of_every_kind() {
    let httpbin = given(HTTPBIN);
    let session = session();
    let counters = urlsession::testing::Counters::of(&session);
    for path in ["get", "status/204", "status/404", "stream/3", "gzip", "redirect/2", "range/9"] {
        session.data(format!("{httpbin}/{path}")).unwrap();
        assert_eq!(counters.sockets(), 1, "{path}");
    }
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn the_arguments_of_a_post_are_understood() {
    let httpbin = given(HTTPBIN);
    // Every reserved character, as in the example that Foundation's escapes are shown by.
    let reserved = ":/?#[]@!$&'()*+,;=";
    let fields = [("name", "Brendon & Söhne"), ("password", reserved), ("%41", " "), ("%41", "")];
    let request = Request::post(format!("{httpbin}/post")).form(fields);
    let text = session().data(request).unwrap().text().into_owned();
    for part in [
        r#""name":"Brendon & S\u00f6hne""#,
        &format!(r#""password":"{reserved}""#),
        r#""%41":[" ",""]"#,
        r#""Content-Type":"application/x-www-form-urlencoded""#,
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn a_photo_with_a_tag_is_understood() {
    let httpbin = given(HTTPBIN);
    let session = session();
    let photo = std::env::temp_dir().join(format!("urlsession-{}.jpg", std::process::id()));
    std::fs::write(&photo, b"\xff\xd8\xff not much of a photo \r\n--").unwrap();
    let form =
        || Multipart::new().text("tag_name", "Brendon \"&\"\r\nSöhne").file("userfile", &photo);
    let chunked = Part::new(Body::opened_by(|| Ok(&b"in chunks"[..]))).file_name("log.txt");
    for (form, path, parts) in [
        (form(), "post", &[r#""Content-Length":"#][..]),
        (form().part("log", chunked), "post", &[r#""log":"in chunks""#]),
        (form(), "redirect-to?url=/post&status_code=307", &[r#"/post""#]),
    ] {
        let request = Request::post(format!("{httpbin}/{path}")).multipart(form);
        let text = session.data(request).unwrap().text().into_owned();
        let usual = [
            r#""tag_name":"Brendon \"&\"\r\nS\u00f6hne""#,
            r#""userfile":"data:image/jpeg;base64,/9j/IG5vdCBtdWNoIG9mIGEgcGhvdG8gDQotLQ==""#,
        ];
        for part in usual.iter().chain(parts) {
            assert!(text.contains(part), "{part} is not in {text}");
        }
    }
    std::fs::remove_file(&photo).unwrap();
}

#[cfg(feature = "json")]
#[test]
#[ignore = "needs the servers of .ci/run"]
fn json_is_understood_both_ways() {
    let httpbin = given(HTTPBIN);
    let value = serde_json::json!({ "tea": [1, 2.5, null], "é": { "\"": true } });
    let request = Request::post(format!("{httpbin}/post")).json(&value);
    let answer: serde_json::Value = session().data(request).unwrap().json().unwrap();
    assert_eq!(answer["json"], value);
    assert_eq!(answer["headers"]["Content-Type"], "application/json");
}
