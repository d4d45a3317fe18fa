//! Forms and JSON: what arrives at the server, byte by byte, and when it arrives again.

use std::fs;
use std::io::{self, Read};

use urlsession::testing::{Answer, Recorded, Server};
use urlsession::{Body, ErrorKind, Multipart, Part, Request, Stage};

use crate::support::folder::Folder;
use crate::support::running::{nothing_is_left, plain_and_tls, session};

/// A form with every kind of part whose length is known, and how it has to arrive.
fn photo_form(folder: &Folder) -> (Multipart, String) {
    let photo = folder.file("photo.jpg", "\u{1f980} in a file");
    let form = Multipart::new()
        .text("tag_name", "Brendon & Söhne")
        .part("userfile", Part::file(photo).file_name("photo \"1\".jpg"))
        .file("again", folder.path().join("photo.jpg"))
        .part("thumbnail", Part::new(b"in memory").file_name("small.png"))
        .part("log", Part::new(Body::opened_by(|| Ok(&b"opened"[..])).with_length(6)));
    let b = form.boundary();
    let expected = format!(
        "--{b}\r\nContent-Disposition: form-data; name=\"tag_name\"\r\n\r\n\
         Brendon & Söhne\r\n\
         --{b}\r\nContent-Disposition: form-data; name=\"userfile\"; \
         filename=\"photo %221%22.jpg\"\r\nContent-Type: image/jpeg\r\n\r\n\
         \u{1f980} in a file\r\n\
         --{b}\r\nContent-Disposition: form-data; name=\"again\"; filename=\"photo.jpg\"\r\n\
         Content-Type: image/jpeg\r\n\r\n\
         \u{1f980} in a file\r\n\
         --{b}\r\nContent-Disposition: form-data; name=\"thumbnail\"; filename=\"small.png\"\r\n\
         Content-Type: image/png\r\n\r\n\
         in memory\r\n\
         --{b}\r\nContent-Disposition: form-data; name=\"log\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n\
         opened\r\n\
         --{b}--\r\n"
    );
    (form, expected)
}

fn assert_is_form(request: &Recorded, form: &Multipart, expected: &str, case: &str) {
    assert_eq!(request.body_text(), expected, "{case}");
    let content_type = request.header_all("Content-Type");
    assert_eq!(content_type, [form.content_type()], "{case}");
    let length = request.header("Content-Length").map(str::to_owned);
    assert_eq!(length, Some(expected.len().to_string()), "{case}");
    assert_eq!(request.header("Transfer-Encoding"), None, "{case}");
    assert!(request.is_complete(), "{case}");
}

#[test]
fn the_arguments_of_a_post_arrive_escaped() {
    plain_and_tls(|over, server, session| {
        server.enqueue(Answer::ok("welcome"));
        let fields =
            [("name", "Brendon & Co"), ("password", "a+b=c:/?#[]@!$'()*,;"), ("name", "é")];
        session.data(Request::post(server.url("/sign-up")).form(fields)).unwrap();
        let request = server.take_request();
        assert_eq!(
            request.body_text(),
            "name=Brendon+%26+Co&password=a%2Bb%3Dc%3A%2F%3F%23%5B%5D%40%21%24%27%28%29*%2C%3B\
             &name=%C3%A9",
            "{over}"
        );
        assert_eq!(request.header("Content-Length"), Some("93"), "{over}");
        let content_type = request.header_all("Content-Type");
        assert_eq!(content_type, ["application/x-www-form-urlencoded"], "{over}");
        nothing_is_left(session, &[&server]);
    });
}

#[test]
fn a_form_of_parts_arrives_whole_and_with_its_length() {
    let folder = Folder::new();
    plain_and_tls(|over, server, session| {
        let (form, expected) = photo_form(&folder);
        for _ in 0..2 {
            server.enqueue(Answer::ok("taken"));
            session.data(Request::post(server.url("/")).multipart(form.clone())).unwrap();
            assert_is_form(&server.take_request(), &form, &expected, over);
        }
        nothing_is_left(session, &[&server]);
    });
}

#[test]
fn a_redirect_brings_the_whole_form_again() {
    let folder = Folder::new();
    for status in [307, 308] {
        let server = Server::start();
        server.enqueue(Answer::redirect(status, "/there"));
        server.enqueue(Answer::ok("taken"));
        let session = session(|_| {});
        let (form, expected) = photo_form(&folder);
        let request = Request::post(server.url("/here")).multipart(form.clone());
        assert_eq!(session.data(request).unwrap().text(), "taken");
        for path in ["/here", "/there"] {
            let request = server.take_request();
            assert_eq!((request.method(), request.path()), ("POST", path));
            assert_is_form(&request, &form, &expected, path);
        }
        nothing_is_left(session, &[&server]);
    }
}

#[test]
fn a_form_with_a_reader_goes_out_once_and_its_redirect_is_delivered() {
    let server = Server::start();
    server.enqueue(Answer::redirect(307, "/there").body("moved"));
    let session = session(|_| {});
    let reader = Body::reader(&b"once"[..]).with_length(4);
    let form = Multipart::new().text("a", "b").part("r", Part::new(reader));
    let request = Request::post(server.url("/here")).multipart(form);
    let data = session.data(&request).unwrap();
    assert_eq!((data.response.status().as_u16(), &*data.text()), (307, "moved"));
    assert!(server.take_request().body_text().contains("\r\n\r\nonce\r\n--"));
    let error = session.data(&request).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RequestBodyStreamExhausted, "{error}");
    assert_eq!(server.request_count(), 1);
    nothing_is_left(session, &[&server]);
}

/// Gives its bytes one at a time.
struct Single(&'static [u8]);

impl Read for Single {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = buffer.len().min(1);
        self.0.read(&mut buffer[..most])
    }
}

#[test]
fn a_part_of_unknown_length_makes_the_form_chunked() {
    plain_and_tls(|over, server, session| {
        for (body, chunks) in [
            (Body::reader(&b"abc"[..]), 2),
            (Body::reader(Single(b"abc")), 4),
            (Body::opened_by(|| Ok(&b"abc"[..])), 2),
        ] {
            server.enqueue(Answer::ok("taken"));
            let form = Multipart::new().part("r", Part::new(body)).text("t", "u");
            let b = form.boundary().to_owned();
            session.data(Request::post(server.url("/")).multipart(form)).unwrap();
            let request = server.take_request();
            let expected = format!(
                "--{b}\r\nContent-Disposition: form-data; name=\"r\"\r\n\
                 Content-Type: application/octet-stream\r\n\r\nabc\r\n\
                 --{b}\r\nContent-Disposition: form-data; name=\"t\"\r\n\r\nu\r\n--{b}--\r\n"
            );
            assert_eq!(request.body_text(), expected, "{over}");
            assert_eq!(request.header("Transfer-Encoding"), Some("chunked"), "{over}");
            assert_eq!(request.header("Content-Length"), None, "{over}");
            // What stands around the reader's pieces shares chunks with them.
            assert_eq!(request.chunk_sizes().len(), chunks, "{over}");
        }
        nothing_is_left(session, &[&server]);
    });
}

#[test]
fn large_files_arrive_in_order() {
    let folder = Folder::new();
    let content = |seed: usize| -> Vec<u8> { (0..1_000_003).map(|at| (at * seed) as u8).collect() };
    let files = [1, 3].map(|seed| folder.file(&seed.to_string(), content(seed)));
    plain_and_tls(|over, server, session| {
        server.enqueue(Answer::ok("taken"));
        let form = Multipart::new().file("a", &files[0]).file("b", &files[1]);
        let b = form.boundary().to_owned();
        session.data(Request::post(server.url("/")).multipart(form)).unwrap();
        let mut expected = Vec::new();
        for (name, seed) in [("a", 1), ("b", 3)] {
            let head = format!(
                "--{b}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{seed}\"\r\n\
                 Content-Type: application/octet-stream\r\n\r\n"
            );
            expected.extend_from_slice(head.as_bytes());
            expected.extend(content(seed));
            expected.extend_from_slice(b"\r\n");
        }
        expected.extend_from_slice(format!("--{b}--\r\n").as_bytes());
        let request = server.take_request();
        assert!(request.body() == expected, "{over}: {} bytes came", request.body_length());
        nothing_is_left(session, &[&server]);
    });
}

#[test]
fn names_inject_no_headers() {
    let server = Server::start();
    server.enqueue(Answer::ok(""));
    let session = session(|_| {});
    let evil = "x\"\r\nContent-Type: text/evil\r\n\r\n<script>";
    let form = Multipart::new().part(evil, Part::text("fine").file_name(evil));
    session.data(Request::post(server.url("/")).multipart(form)).unwrap();
    let request = server.take_request();
    let head = request.body_text().split("\r\n\r\n").next().unwrap();
    let lines: Vec<&str> = head.split("\r\n").collect();
    let escaped = "x%22%0D%0AContent-Type: text/evil%0D%0A%0D%0A<script>";
    let disposition =
        format!("Content-Disposition: form-data; name=\"{escaped}\"; filename=\"{escaped}\"");
    assert_eq!(lines[1..], [&*disposition, "Content-Type: application/octet-stream"]);
    nothing_is_left(session, &[&server]);
}

#[test]
fn a_file_that_is_missing_sends_nothing() {
    let folder = Folder::new();
    let server = Server::start();
    server.handle(|_| Answer::ok("taken"));
    let session = session(|_| {});
    let there = folder.file("there", "x");
    let missing = folder.path().join("missing.jpg");
    let form = Multipart::new().file("a", there).file("b", &missing);
    let error = session.data(Request::post(server.url("/")).multipart(form)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::FileDoesNotExist);
    assert!(error.to_string().contains("missing.jpg"), "{error}");
    assert_eq!(server.request_count(), 0);
    nothing_is_left(session, &[&server]);
}

#[test]
fn a_file_that_changes_after_its_length_was_announced_fails_the_load() {
    let folder = Folder::new();
    for (now, how) in [("longer than before", "longer"), ("less", "shorter")] {
        let file = folder.file("changing.txt", "before");
        let server = Server::start();
        server.handle(|_| Answer::ok("taken"));
        let session = session(|_| {});
        let written = file.clone();
        // Opened between the announcement and the file's turn.
        let first = Body::opened_by(move || fs::write(&written, now).map(|()| &b"x"[..]));
        let form =
            Multipart::new().part("first", Part::new(first.with_length(1))).file("second", &file);
        let error = session.data(Request::post(server.url("/")).multipart(form)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error}");
        assert_eq!(error.stage(), Some(Stage::Sending), "{error}");
        let text = error.to_string();
        assert!(text.contains("changing.txt") && text.contains(how), "{text}");
        server.wait_until(|stats| stats.open_connections == 0);
        assert_eq!(server.stats().requests, 0);
        nothing_is_left(session, &[&server]);
    }
}

#[test]
fn what_is_wrong_with_a_form_sends_nothing() {
    let server = Server::start();
    server.handle(|_| Answer::ok("taken"));
    let session = session(|_| {});
    let form = || Multipart::new().part("a", Part::text("b").header("X-Shape", "a\r\nX-Evil: b"));
    for request in [
        Request::post(server.url("/")).multipart(form()),
        Request::post(server.url("/")).body(form()),
    ] {
        let error = session.data(request).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error}");
    }
    assert_eq!(server.request_count(), 0);
    nothing_is_left(session, &[&server]);
}

#[test]
fn credentials_go_to_their_origin_only() {
    let (here, there) = (Server::start(), Server::start());
    let session = session(|_| {});
    for (authorize, expected) in [
        ((|request| request.bearer_auth("t0ken")) as fn(Request) -> Request, "Bearer t0ken"),
        (|request| request.basic_auth("ann", "pässword"), "Basic YW5uOnDDpHNzd29yZA=="),
    ] {
        here.enqueue(Answer::redirect(307, &there.url("/")));
        there.enqueue(Answer::ok(""));
        session.data(authorize(Request::get(here.url("/")))).unwrap();
        assert_eq!(here.take_request().header_all("Authorization"), [expected]);
        assert_eq!(there.take_request().header("Authorization"), None);
    }
    nothing_is_left(session, &[&here, &there]);
}

#[cfg(feature = "json")]
#[test]
fn json_goes_both_ways() {
    use std::collections::BTreeMap;

    let server = Server::start();
    server.handle(|request| Answer::ok(request.body()));
    let session = session(|_| {});
    let order = BTreeMap::from([("tea".to_owned(), vec![1, 2]), ("é\"".to_owned(), vec![])]);
    let data = session.data(Request::post(server.url("/")).json(&order)).unwrap();
    assert_eq!(data.json::<BTreeMap<String, Vec<u32>>>().unwrap(), order);
    let request = server.take_request();
    assert_eq!(request.body_text(), "{\"tea\":[1,2],\"é\\\"\":[]}");
    assert_eq!(request.header_all("Content-Type"), ["application/json"]);
    nothing_is_left(session, &[&server]);
}

#[cfg(feature = "json")]
#[test]
fn a_body_that_is_not_the_json_that_was_expected_is_an_error_without_its_content() {
    let server = Server::start();
    let session = session(|_| {});
    for (body, what) in [
        (
            "[1,\n \"s3cret\"]",
            "the body is JSON, but not what was expected: invalid type: string, expected u32 at \
             line 2 column 9",
        ),
        ("[1, s3cret]", "the body is not JSON: expected value at line 1 column 5"),
        ("[1, 2] s3cret", "the body is not JSON: trailing characters at line 1 column 8"),
        ("[1, 2", "the body is JSON that ends early: EOF while parsing a list at line 1 column 5"),
        ("", "the body is JSON that ends early: EOF while parsing a value at line 1 column 0"),
    ] {
        server.enqueue(Answer::ok(body));
        let data = session.data(server.url("/orders?token=s3cret")).unwrap();
        let error = data.json::<Vec<u32>>().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::CannotParseJson, "{body}");
        assert!(std::error::Error::source(&error).is_some(), "{body}");
        assert_eq!(error.to_string(), format!("{what}: {}", server.url("/orders")), "{body}");
        assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
    }
    nothing_is_left(session, &[&server]);
}
