//! What a program prints that prints an error: one line with the cause that decides, without
//! secrets.

use std::io::{self, Read};

use urlsession::testing::{Answer, Refusal, Server};
use urlsession::{Body, Error, ErrorKind, Request, Resolver};

use crate::support::folder::Folder;
use crate::support::running::{nothing_is_left, session};

/// Checks that the line holds these words, and nothing that is secret.
fn says(error: &Error, kind: ErrorKind, words: &str) {
    let line = error.to_string();
    assert_eq!(error.kind(), kind, "{line}");
    assert!(line.contains(words), "{line:?} lacks {words:?}");
    assert!(!line.contains('\n') && !line.contains("s3cret"), "{line:?}");
}

struct Failing(io::ErrorKind);

impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::new(self.0, "s3cret"))
    }
}

#[test]
fn a_connection_that_cannot_be_made_names_why() {
    let refusal = Refusal::start();
    let alone = session(|_| {});
    let error = alone.data(refusal.url("/a?s3cret")).unwrap_err();
    let words = "cannot connect to the host: connection refused, while connecting: http://";
    says(&error, ErrorKind::CannotConnectToHost, words);
    nothing_is_left(alone, &[]);
    for (failure, words) in [
        (io::Error::new(io::ErrorKind::NotFound, "s3cret"), "resolver found no host: no such"),
        (io::Error::new(io::ErrorKind::TimedOut, "s3cret"), "resolver found no host: timed out, "),
        (io::Error::other("s3cret"), "resolver found no host, while looking up the host: "),
    ] {
        let failure = std::sync::Mutex::new(Some(failure));
        let resolver = Resolver::new(move |_, _| Err(failure.lock().unwrap().take().unwrap()));
        let session = session(|all| all.resolver = Some(resolver));
        let error = session.data("http://shop.test/").unwrap_err();
        says(&error, ErrorKind::CannotFindHost, words);
        nothing_is_left(session, &[]);
    }
}

#[test]
fn a_url_says_what_it_lacks() {
    let session = session(|_| {});
    for (url, kind, words) in [
        ("example.com", ErrorKind::BadUrl, "the URL lacks its scheme: begin it with https://"),
        ("127.0.0.1:80/s3cret", ErrorKind::BadUrl, "the URL lacks its scheme"),
        ("localhost:8080/x", ErrorKind::UnsupportedUrl, "lacks its scheme (\"localhost:\" is"),
        ("ann:s3cret@shop.test", ErrorKind::UnsupportedUrl, "lacks its scheme: begin"),
        ("http:///", ErrorKind::BadUrl, "lacks its host"),
        ("gopher://old.test/", ErrorKind::UnsupportedUrl, "no loader for gopher URLs"),
    ] {
        let error = session.data(url).unwrap_err();
        says(&error, kind, words);
        assert!(error.is_request(), "{error}");
    }
    nothing_is_left(session, &[]);
}

#[test]
fn a_file_that_is_in_the_way_names_what_replaces_it() {
    let server = Server::start();
    server.handle(|_| Answer::ok("new"));
    let (folder, session) = (Folder::new(), session(|_| {}));
    let place = folder.path().join("a");
    std::fs::write(&place, "old").unwrap();
    let error = session.download_to(server.url("/"), &place).unwrap_err();
    says(&error, ErrorKind::FileAlreadyExists, "a exists already: remove it, choose another name");
    says(&error, ErrorKind::FileAlreadyExists, "or replace it by save_over");
    nothing_is_left(session, &[&server]);
}

#[test]
fn a_body_that_cannot_be_read_names_what_the_system_said_alone() {
    let server = Server::start();
    let session = session(|_| {});
    let missing = Folder::new().path().join("a");
    for (body, kind, words) in [
        (Body::file(missing), ErrorKind::FileDoesNotExist, "a: no such file or folder"),
        (
            Body::reader(Failing(io::ErrorKind::UnexpectedEof)),
            ErrorKind::ResourceUnavailable,
            "the body to send cannot be read: unexpected end of file",
        ),
        (
            Body::reader(Failing(io::ErrorKind::Other)),
            ErrorKind::ResourceUnavailable,
            "the body to send cannot be read, while sending",
        ),
    ] {
        let error = session.data(Request::post(server.url("/")).body(body)).unwrap_err();
        says(&error, kind, words);
    }
    nothing_is_left(session, &[&server]);
}

#[test]
fn a_head_that_is_refused_names_its_line_or_its_header() {
    let server = Server::start();
    let session = session(|_| {});
    for (answer, kind, words) in [
        (
            "HTTP/9 200 OK\r\nX: s3cret\r\n\r\n",
            ErrorKind::CannotParseResponse,
            "status line of HTTP/1.1 or HTTP/1.0: \"HTTP/9 200 OK\"",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent Length: 5\r\nX: s3cret\r\n\r\n",
            ErrorKind::CannotParseResponse,
            "a broken line that may say where it ends: \"Content Length: 5\"",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: -5\r\nX: s3cret\r\n\r\n",
            ErrorKind::BadServerResponse,
            "content-length \"-5\" is not a length",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\nX: s3cret\r\n\r\n",
            ErrorKind::BadServerResponse,
            "transfer-encoding \"gzip\" is not supported",
        ),
    ] {
        server.enqueue(Answer::raw(answer));
        says(&session.data(server.url("/")).unwrap_err(), kind, words);
    }
    nothing_is_left(session, &[&server]);
}

#[test]
fn a_status_that_servers_answer_with_for_now_may_be_helped_by_a_retry() {
    let server = Server::start();
    let session = session(|_| {});
    for (status, is_transient) in [
        (400, false),
        (404, false),
        (408, true),
        (425, true),
        (429, true),
        (500, true),
        (501, false),
        (502, true),
        (503, true),
        (504, true),
        (505, false),
    ] {
        server.enqueue(Answer::status(status));
        let request = Request::get(server.url("/")).accepts_status(200..=299);
        let error = session.data(request).unwrap_err();
        says(&error, ErrorKind::UnacceptableStatus, &format!("the server answered {status}"));
        assert_eq!(error.is_transient(), is_transient, "{status}");
    }
    nothing_is_left(session, &[&server]);
}
