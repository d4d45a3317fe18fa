//! Loading: methods, statuses, bodies, whole or as they arrive.

use std::io::{BufRead, BufReader, Read};

use http::Version;
use urlsession::testing::{Answer, Counters, Server};
use urlsession::{Configuration, ErrorKind, Request, Session};

fn session() -> Session {
    Session::new(Configuration::ephemeral()).unwrap()
}

/// What a body of [`Answer::body_of_size`] has at `offset`.
fn letter(offset: usize) -> u8 {
    b'a' + (offset % 26) as u8
}

#[test]
fn every_method_goes_out_as_it_is_and_its_answer_comes_back() {
    let server = Server::start();
    server.handle(|request| Answer::ok(format!("{} {}", request.method(), request.body_text())));
    let session = session();
    let url = server.url("/a");
    for (request, method, body) in [
        (Request::get(&url), "GET", ""),
        (Request::new("get", &url), "GET", ""),
        (Request::post(&url), "POST", ""),
        (Request::post(&url).body("hello"), "POST", "hello"),
        (Request::put(&url).body(vec![b'x'; 100_000]), "PUT", &*"x".repeat(100_000)),
        (Request::delete(&url), "DELETE", ""),
        (Request::delete(&url).body("why"), "DELETE", "why"),
        (Request::new("PATCH", &url).body("part"), "PATCH", "part"),
        (Request::new("patch", &url).body("part"), "patch", "part"),
        (Request::new("OPTIONS", &url), "OPTIONS", ""),
        (Request::new("PROPFIND", &url).body("<all/>"), "PROPFIND", "<all/>"),
        (Request::new("Brew", &url), "Brew", ""),
    ] {
        let data = session.data(request).unwrap();
        assert_eq!(data.response.status(), 200, "{method}");
        assert_eq!(data.text(), format!("{method} {body}"));
        let seen = server.take_request();
        assert_eq!((seen.method(), seen.body_text()), (method, body));
    }
    assert_eq!(server.connection_count(), 1);
}

#[test]
fn a_status_is_never_an_error_and_keeps_its_body() {
    let server = Server::start();
    let session = session();
    for status in [
        200, 201, 202, 203, 206, 226, 300, 305, 306, 400, 401, 402, 403, 404, 405, 407, 408, 409,
        410, 411, 412, 413, 415, 416, 417, 418, 421, 422, 425, 426, 428, 429, 431, 451, 500, 501,
        502, 503, 504, 505, 511, 599, 600, 999,
    ] {
        server.enqueue(Answer::status(status).body("what is wrong"));
        let data = session.data(server.url("/")).unwrap();
        assert_eq!(data.response.status(), status);
        assert_eq!(data.text(), "what is wrong", "{status}");
    }
    assert_eq!(server.connection_count(), 1);
    assert_eq!(server.request_count(), 44, "no status is asked for twice");
}

#[test]
fn an_answer_that_has_no_body_has_none_whatever_it_announces() {
    let server = Server::start();
    let session = session();
    let url = server.url("/");
    for (method, head) in [
        ("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"),
        ("HEAD", "HTTP/1.1 200 OK\r\nContent-Encoding: a, b, c, d, e, f\r\n\r\n"),
        ("HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
        ("HEAD", "HTTP/1.1 200 OK\r\n\r\n"),
        ("HEAD", "HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\n"),
        ("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Encoding: gzip\r\n\r\n"),
        ("GET", "HTTP/1.1 204 No Content\r\n\r\n"),
        ("GET", "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"),
        ("GET", "HTTP/1.1 304 Not Modified\r\n\r\n"),
        ("GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"),
        ("GET", "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n"),
        ("DELETE", "HTTP/1.1 204 No Content\r\n\r\n"),
        ("GET", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
    ] {
        server.enqueue(Answer::raw(head).keep_open());
        let data = session.data(Request::new(method, &url)).unwrap();
        assert_eq!(data.body, b"", "{method} {head:?}");
    }
    // The connection is where it should be: nothing was taken for a body, or left.
    server.enqueue(Answer::ok("fine"));
    assert_eq!(session.data(&url).unwrap().text(), "fine");
    assert_eq!(server.connection_count(), 1);
    // One that must not announce a body and does may send it: this connection is not kept.
    server.enqueue(Answer::raw("HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\nhello").keep_open());
    assert_eq!(session.data(&url).unwrap().body, b"");
    server.enqueue(Answer::ok("fine"));
    assert_eq!(session.data(&url).unwrap().text(), "fine");
    assert_eq!(server.connection_count(), 2);
}

#[test]
fn a_body_is_whole_however_its_end_is_told() {
    let server = Server::start();
    let session = session();
    let url = server.url("/");
    for size in [0, 1, 1000, 1023, 1024, 1025, 16 * 1024, 65_537, 1024 * 1024] {
        let body = || Answer::status(200).body_of_size(size as u64);
        for (framing, answer) in [
            ("length", body()),
            ("until close", body().until_close()),
            ("HTTP/1.0", body().version("HTTP/1.0").no_framing()),
            ("chunks of 1000", body().chunked(1000)),
            ("one chunk", body().chunked(u64::MAX)),
        ] {
            server.enqueue(answer);
            let body = session.data(&url).unwrap().body;
            assert_eq!(body.len(), size, "{framing}");
            let wrong = body.iter().enumerate().find(|(at, byte)| **byte != letter(*at));
            assert_eq!(wrong, None, "{size} bytes, {framing}");
        }
    }
}

#[test]
fn the_version_is_the_servers() {
    let server = Server::start();
    for (version, expected) in [("HTTP/1.0", Version::HTTP_10), ("HTTP/1.1", Version::HTTP_11)] {
        server.enqueue(Answer::ok("x").version(version));
        assert_eq!(session().data(server.url("/")).unwrap().response.version(), expected);
    }
}

#[test]
fn bytes_are_there_as_they_arrive() {
    let server = Server::start();
    let answer = Answer::ok("first, second").stall_after_head().stall_in_body_after(5);
    server.enqueue(answer);
    let session = session();
    // The head comes while the body stalls, and the first part while the second does.
    let mut bytes = session.bytes(server.url("/")).unwrap();
    assert_eq!(bytes.response().status(), 200);
    server.wait_until(|stats| stats.stalled == 1);
    server.release();
    let mut part = [0; 100];
    let mut first = Vec::new();
    while first.len() < 5 {
        let count = bytes.read(&mut part).unwrap();
        assert_ne!(count, 0);
        first.extend_from_slice(&part[..count]);
    }
    assert_eq!(first, b"first");
    server.wait_until(|stats| stats.stalled == 1);
    server.release();
    let mut rest = String::new();
    bytes.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, ", second");
    assert_eq!(bytes.read(&mut part).unwrap(), 0, "an end stays an end");
}

#[test]
fn lines_come_without_their_ends() {
    let server = Server::start();
    let session = session();
    for (body, expected) in [
        ("", &[][..]),
        ("one", &["one"]),
        ("one\n", &["one"]),
        ("one\r\ntwo\n\nfour", &["one", "two", "", "four"]),
        ("é\n\u{2028}\n", &["é", "\u{2028}"]),
    ] {
        server.enqueue(Answer::ok(body));
        let lines = session.bytes(server.url("/")).unwrap().lines();
        let lines: Vec<_> = lines.map(Result::unwrap).collect();
        assert_eq!(lines, expected, "{body:?}");
    }
    // A line that is not UTF-8 is an error, not a wrong line.
    server.enqueue(Answer::ok(b"caf\xe9\n"));
    let mut lines = session.bytes(server.url("/")).unwrap().lines();
    assert!(lines.next().unwrap().is_err());
}

#[test]
fn a_line_is_there_before_the_next_one_is_sent() {
    let server = Server::start();
    server.enqueue(Answer::ok("one\ntwo\n").until_close().stall_in_body_after(4));
    let mut lines = session().bytes(server.url("/")).unwrap().lines();
    assert_eq!(lines.next().unwrap().unwrap(), "one");
    server.wait_until(|stats| stats.stalled == 1);
    server.release();
    assert_eq!(lines.next().unwrap().unwrap(), "two");
    assert!(lines.next().is_none());
}

#[test]
fn a_body_can_be_read_in_steps_of_any_size() {
    const SIZE: usize = 100_000;
    let server = Server::start();
    let session = session();
    for step in [1, 2, 1000, 4095, 4096, 16 * 1024, 200_000] {
        server.enqueue(Answer::status(200).body_of_size(SIZE as u64));
        let mut bytes = session.bytes(server.url("/")).unwrap();
        let (mut buffer, mut at) = (vec![0; step], 0);
        assert_eq!(bytes.read(&mut []).unwrap(), 0, "nothing asked for, nothing read");
        loop {
            let count = bytes.read(&mut buffer).unwrap();
            if count == 0 {
                break;
            }
            for byte in &buffer[..count] {
                assert_eq!(*byte, letter(at), "byte {at} in steps of {step}");
                at += 1;
            }
        }
        assert_eq!(at, SIZE, "steps of {step}");
    }
    assert_eq!(server.connection_count(), 1);
}

#[test]
fn a_large_body_streams_through() {
    const SIZE: u64 = 64 * 1024 * 1024;
    let server = Server::start();
    server.enqueue(Answer::status(200).body_of_size(SIZE));
    let bytes = session().bytes(server.url("/")).unwrap();
    assert_eq!(bytes.response().expected_content_length(), Some(SIZE));
    let mut reader = BufReader::with_capacity(64 * 1024, bytes);
    let mut at = 0;
    loop {
        let part = reader.fill_buf().unwrap();
        if part.is_empty() {
            break;
        }
        let ends = (part[0], part[part.len() - 1]);
        assert_eq!(ends, (letter(at), letter(at + part.len() - 1)));
        at += part.len();
        let length = part.len();
        reader.consume(length);
    }
    assert_eq!(at as u64, SIZE);
}

#[test]
fn bytes_dropped_early_close_the_connection_and_read_whole_keep_it() {
    let server = Server::start();
    let session = session();
    let counters = Counters::of(&session);
    server.enqueue(Answer::ok("hello").stall_in_body_after(2));
    let bytes = session.bytes(server.url("/")).unwrap();
    assert_eq!(counters.sockets(), 1);
    drop(bytes);
    assert_eq!(counters.sockets(), 0);
    server.wait_until(|stats| stats.open_connections == 0);
    for _ in 0..2 {
        server.enqueue(Answer::ok("hello"));
        let mut body = Vec::new();
        session.bytes(server.url("/")).unwrap().read_to_end(&mut body).unwrap();
        assert_eq!((&*body, counters.sockets()), (&b"hello"[..], 1));
    }
    assert_eq!(server.connection_count(), 2);
    drop(session);
    assert_eq!((counters.sockets(), counters.threads()), (0, 0));
}

#[test]
fn bytes_outlive_their_session() {
    let server = Server::start();
    server.enqueue(Answer::status(200).body_of_size(1_000_000));
    let session = session();
    let counters = Counters::of(&session);
    let mut bytes = session.bytes(server.url("/")).unwrap();
    drop(session);
    assert_eq!(std::io::copy(&mut bytes, &mut std::io::sink()).unwrap(), 1_000_000);
    assert_eq!((counters.sockets(), counters.threads()), (0, 0));
}

#[test]
fn a_configuration_is_copied() {
    let server = Server::start();
    server.handle(|request| {
        let values = ["X-One", "X-Two"].map(|name| request.header(name).unwrap_or("none"));
        Answer::ok(values.join(" "))
    });
    let url = server.url("/");
    let mut configuration = Configuration::ephemeral();
    configuration.additional_headers.set("X-One", "1").unwrap();
    let session = Session::new(configuration.clone()).unwrap();
    configuration.additional_headers.set("X-One", "changed").unwrap();
    configuration.additional_headers.set("X-Two", "2").unwrap();
    configuration.maximum_body_in_memory = 0;
    assert_eq!(session.data(&url).unwrap().text(), "1 none");
    let mut copy = session.configuration();
    assert_eq!(copy.additional_headers.get("X-One"), Some("1"));
    copy.additional_headers.set("X-Two", "2").unwrap();
    copy.maximum_body_in_memory = 0;
    assert_eq!(session.data(&url).unwrap().text(), "1 none");
    assert_eq!(session.configuration().maximum_body_in_memory, 256 * 1024 * 1024);
}

#[test]
fn the_shared_session_is_one_and_has_the_default_configuration() {
    let server = Server::start();
    server.handle(|_| Answer::ok("hello"));
    let both = std::thread::scope(|scope| {
        [0, 1].map(|_| scope.spawn(Session::shared)).map(|thread| thread.join().unwrap())
    });
    assert!(std::ptr::eq(both[0], both[1]));
    let (shared, default) = (Session::shared().configuration(), Configuration::default());
    assert_eq!(format!("{shared:?}"), format!("{default:?}"));
    assert_eq!(Session::shared().data(server.url("/")).unwrap().text(), "hello");
}

#[test]
fn a_background_configuration_without_a_delegate_is_refused_and_the_error_says_so() {
    let configuration = Configuration::background("org.example.sync");
    assert_eq!(configuration.identifier.as_deref(), Some("org.example.sync"));
    let error = Session::new(configuration).unwrap_err();
    let kind = if cfg!(feature = "background") {
        ErrorKind::InvalidRequest
    } else {
        ErrorKind::NotSupported
    };
    assert_eq!(error.kind(), kind);
    assert!(error.to_string().contains("background"), "{error}");
}
