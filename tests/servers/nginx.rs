//! Connections, framing and redirects, with nginx.

use std::io::Read;

use urlsession::{ErrorKind, Request};

use crate::{NGINX, given, session};

/// How nginx's `/seen` answers: method, target, protocol, connection, requests on it.
fn seen(text: &str) -> (String, u64, u64) {
    let words: Vec<&str> = text.split(' ').collect();
    let [method, target, protocol, connection, requests] = words[..] else {
        panic!("not five words: {text}")
    };
    let line = format!("{method} {target} {protocol}");
    (line, connection.parse().unwrap(), requests.parse().unwrap())
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn a_body_of_known_length_arrives_whole() {
    let nginx = given(NGINX);
    let data = session().data(format!("{nginx}/small.bin")).unwrap();
    assert_eq!(data.response.status(), 200);
    assert_eq!(data.response.expected_content_length(), Some(1024));
    assert_eq!(data.body.len(), 1024);
    assert_eq!(data.response.suggested_filename(), "small.bin");
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn one_connection_carries_many_loads() {
    let nginx = given(NGINX);
    let session = session();
    let mut first = None;
    for load in 1..=20 {
        let data = session.data(format!("{nginx}/seen?n={load}")).unwrap();
        let (line, connection, requests) = seen(&data.text());
        assert_eq!(line, format!("GET /seen?n={load} HTTP/1.1"));
        assert_eq!(requests, load);
        assert_eq!(connection, *first.get_or_insert(connection));
    }
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn a_connection_that_the_server_closes_is_not_used_again() {
    let nginx = given(NGINX);
    let session = session();
    let closed = session.data(format!("{nginx}/close")).unwrap();
    assert_eq!(closed.response.header("connection"), Some("close"));
    assert_eq!(closed.body.len(), 1024);
    let next = session.data(format!("{nginx}/seen")).unwrap();
    assert_eq!(seen(&next.text()).2, 1);
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn a_body_that_is_dropped_half_way_takes_its_connection_with_it() {
    let nginx = given(NGINX);
    let session = session();
    let before = seen(&session.data(format!("{nginx}/seen")).unwrap().text()).1;
    let mut large = session.bytes(format!("{nginx}/large.bin")).unwrap();
    large.read_exact(&mut vec![0; 1 << 20]).unwrap();
    drop(large);
    let (_, after, requests) = seen(&session.data(format!("{nginx}/seen")).unwrap().text());
    assert_ne!(after, before);
    assert_eq!(requests, 1);
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn a_gibibyte_arrives_whole() {
    let nginx = given(NGINX);
    let mut body = session().bytes(format!("{nginx}/large.bin")).unwrap();
    assert_eq!(body.response().expected_content_length(), Some(1 << 30));
    let (mut buffer, mut length) = (vec![1; 64 * 1024], 0);
    loop {
        let count = body.read(&mut buffer).unwrap();
        if count == 0 {
            break;
        }
        assert!(buffer[..count].iter().all(|&byte| byte == 0));
        length += count;
    }
    assert_eq!(length, 1 << 30);
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn a_chunked_body_arrives_whole() {
    let nginx = given(NGINX);
    let data = session().data(format!("{nginx}/chunked.html")).unwrap();
    assert_eq!(data.response.header("transfer-encoding"), Some("chunked"));
    assert_eq!(data.response.expected_content_length(), None);
    assert_eq!(data.text(), "before GET after\n");
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn a_range_is_answered_with_that_part() {
    let nginx = given(NGINX);
    let request = Request::get(format!("{nginx}/lines.txt"))
        .header("Accept-Encoding", "identity")
        .header("Range", "bytes=0-3");
    let data = session().data(request).unwrap();
    assert_eq!(data.response.status(), 206);
    assert_eq!(data.text(), "1\n2\n");
}

#[cfg(feature = "gzip")]
#[test]
#[ignore = "needs the servers of .ci/run"]
fn a_compressed_body_is_decoded_and_says_that_it_was_compressed() {
    let nginx = given(NGINX);
    let data = session().data(format!("{nginx}/lines.txt")).unwrap();
    assert_eq!(data.response.header("content-encoding"), Some("gzip"));
    assert_eq!(data.response.expected_content_length(), None);
    let lines: String = (1..=20_000).map(|n| format!("{n}\n")).collect();
    assert_eq!(data.text(), lines);
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn the_answer_to_head_has_a_length_and_no_body() {
    let nginx = given(NGINX);
    let session = session();
    let data = session.data(Request::head(format!("{nginx}/large.bin"))).unwrap();
    assert_eq!(data.response.header("content-length"), Some("1073741824"));
    assert_eq!(data.body, b"");
    let next = session.data(format!("{nginx}/seen")).unwrap();
    assert_eq!(seen(&next.text()).2, 2, "the connection went on");
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn an_answer_without_content_and_an_error_page_are_answers() {
    let nginx = given(NGINX);
    let session = session();
    let empty = session.data(format!("{nginx}/empty")).unwrap();
    assert_eq!((empty.response.status().as_u16(), empty.body.len()), (204, 0));
    let missing = session.data(format!("{nginx}/missing")).unwrap();
    assert_eq!(missing.response.status(), 404);
    assert!(missing.text().contains("404 Not Found"));
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn a_server_that_hangs_up_without_a_word_is_a_lost_connection() {
    let nginx = given(NGINX);
    let error = session().data(format!("{nginx}/hang-up")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NetworkConnectionLost);
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn redirects_lead_to_where_they_point() {
    let nginx = given(NGINX);
    let session = session();
    for status in [301, 302, 303] {
        let data = session.data(format!("{nginx}/redirect/{status}")).unwrap();
        assert_eq!(data.response.url().path(), "/small.bin", "{status}");
        assert_eq!(data.body.len(), 1024, "{status}");
    }
    let error = session.data(format!("{nginx}/redirect/loop")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooManyRedirects);
}
