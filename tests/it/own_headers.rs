//! Headers of the program's own that are about the message or its connection: what goes out,
//! what does not, and what is refused before anything does.

use std::sync::Arc;

use urlsession::testing::{Answer, Recorded, Server};
use urlsession::{
    Body, Configuration, Delegate, DeliveryQueue, Error, ErrorKind, Reply, Request, Response,
    Session, Task,
};

use crate::support::folder::Folder;
use crate::support::running::{nothing_is_left, session};
use crate::support::transfer_log::Log;
use crate::support::upload_forms::Form;

/// Makes a request with these headers.
fn with(method: &str, url: &str, headers: &[(&str, &str)]) -> Request {
    headers
        .iter()
        .fold(Request::new(method, url), |request, (name, value)| request.add_header(name, value))
}

/// Loads what must fail as its check does, before anything goes out.
fn refused(server: &Server, request: Request, case: &str) -> Error {
    let error = session(|_| {}).data(&request).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{case}: {error}");
    assert_eq!(error.to_string(), request.check().unwrap_err().to_string(), "{case}");
    assert_eq!(error.failing_url(), Some(&*server.url("/")), "{case}");
    assert!(!error.to_string().contains('\n'), "{case}: {error}");
    assert_eq!(server.connection_count(), 0, "{case}");
    error
}

fn values(request: &Recorded, name: &str) -> Vec<String> {
    request.header_all(name).iter().map(ToString::to_string).collect()
}

#[test]
fn two_hosts_and_one_that_is_none_are_refused() {
    let server = Server::start();
    let url = server.url("/");
    for hosts in [
        &["a.test", "b.test"][..],
        &["a.test", "a.test"],
        &["a b"],
        &[""],
        &["ann:s3cret@a.test"],
        &["http://a.test"],
        &["a.test/x"],
        &["a.test:port"],
        &["a.test:99999"],
        &["[::1"],
        &["a.test, b.test"],
        &["bücher.test"],
    ] {
        let lines: Vec<_> = hosts.iter().map(|host| ("Host", *host)).collect();
        let error = refused(&server, with("GET", &url, &lines), &format!("{hosts:?}"));
        assert!(error.to_string().contains("Host"), "{error}");
        assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
    }
    for host in ["a.test", "a.test:81", "[::1]:81", "A_b"] {
        let server = Server::start();
        server.enqueue(Answer::ok(""));
        let session = session(|_| {});
        session.data(with("GET", &server.url("/"), &[("Host", host)])).unwrap();
        assert_eq!(values(&server.take_request(), "host"), [host]);
        nothing_is_left(session, &[&server]);
    }
}

#[test]
fn an_expectation_without_a_body_is_not_sent() {
    let folder = Folder::new();
    let empty = folder.file("empty", b"");
    type Make<'a> = &'a dyn Fn(Request) -> Request;
    let requests: [(&str, &str, Make<'_>); 5] = [
        ("GET", "none", &|request| request),
        ("POST", "none", &|request| request),
        ("DELETE", "none", &|request| request),
        ("PUT", "empty", &|request| request.body("")),
        ("PUT", "empty file", &|request| request.body(Body::file(&empty))),
    ];
    for (method, case, make) in requests {
        for of_session in [false, true] {
            let server = Server::start();
            server.enqueue(Answer::ok("here"));
            let session = session(|configuration| {
                if of_session {
                    configuration.additional_headers.set("Expect", "100-continue").unwrap();
                }
            });
            let own = if of_session { &[][..] } else { &[("Expect", "100-continue")] };
            let request = make(with(method, &server.url("/"), own));
            assert_eq!(session.data(request).unwrap().text(), "here", "{method}, {case}");
            assert_eq!(server.take_request().header("expect"), None, "{method}, {case}");
            nothing_is_left(session, &[&server]);
        }
    }
    let server = Server::start();
    let other = with("POST", &server.url("/"), &[("Expect", "the-unexpected")]).body("x");
    assert!(refused(&server, other, "another").to_string().contains("the-unexpected"));
}

#[test]
fn a_right_length_goes_out_once_and_a_wrong_one_is_refused_with_both_numbers() {
    let folder = Folder::new();
    let file = folder.file("hello", b"hello");
    for kind in ["bytes", "file", "reader", "reader with a length", "opened"] {
        let body = || match kind {
            "bytes" => Body::from("hello"),
            "file" => Body::file(&file),
            "reader" => Body::reader(&b"hello"[..]),
            "reader with a length" => Body::reader(&b"hello"[..]).with_length(5),
            _ => Body::opened_by(|| Ok(&b"hello"[..])),
        };
        for form in Form::ALL {
            let server = Server::start();
            server.enqueue(Answer::ok("taken"));
            let (log, session) = Log::default().session(|_| {});
            let request = with("PUT", &server.url("/"), &[("Content-Length", "5")]);
            form.upload(&session, &log, request, body()).unwrap();
            let received = server.take_request();
            assert_eq!(values(&received, "content-length"), ["5"], "{kind}, {form:?}");
            assert_eq!(received.header("transfer-encoding"), None, "{kind}, {form:?}");
            assert_eq!(received.body_text(), "hello", "{kind}, {form:?}");
            nothing_is_left(session, &[&server]);
        }
        if kind != "reader" && kind != "opened" {
            let server = Server::start();
            for wrong in ["4", "6"] {
                let request = with("PUT", &server.url("/"), &[("Content-Length", wrong)]);
                let error = refused(&server, request.body(body()), kind).to_string();
                let numbers = format!("announces {wrong} bytes, and the body has 5");
                assert!(error.contains(&numbers), "{kind}: {error}");
            }
        }
    }
    // What only its end tells is found then.
    let server = Server::start();
    let request = with("PUT", &server.url("/"), &[("Content-Length", "6")]);
    let error = session(|_| {}).data(request.body(Body::reader(&b"hello"[..]))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error}");
    for (request, numbers) in [
        (with("POST", &server.url("/"), &[("Content-Length", "5")]), "announces 5 bytes"),
        (with("GET", &server.url("/"), &[("Content-Length", "5")]), "there are 0"),
    ] {
        let error = session(|_| {}).data(request).unwrap_err().to_string();
        assert!(error.contains(numbers), "{error}");
    }
}

#[test]
fn a_transfer_coding_is_what_the_body_is_sent_with() {
    for (reader, framing) in [(true, "transfer-encoding"), (false, "content-length")] {
        let server = Server::start();
        server.enqueue(Answer::ok(""));
        let session = session(|_| {});
        let body = if reader { Body::reader(&b"hello"[..]) } else { "hello".into() };
        let request = with("POST", &server.url("/"), &[("Transfer-Encoding", "chunked")]);
        session.data(request.body(body)).unwrap();
        let received = server.take_request();
        assert_eq!(received.body_text(), "hello");
        assert_eq!(values(&received, framing).len(), 1, "reader: {reader}");
        nothing_is_left(session, &[&server]);
    }
    let server = Server::start();
    for headers in [
        &[("Transfer-Encoding", "gzip, chunked")][..],
        &[("Transfer-Encoding", "gzip")],
        &[("Transfer-Encoding", "chunked"), ("Content-Length", "5")],
        &[("Transfer-Encoding", "chunked"), ("Transfer-Encoding", "chunked")],
    ] {
        let request = with("POST", &server.url("/"), headers).body("hello");
        refused(&server, request, &format!("{headers:?}"));
    }
    let request = with("GET", &server.url("/"), &[("Transfer-Encoding", "chunked")]);
    refused(&server, request, "without a body");
}

#[test]
fn what_belongs_to_the_connection_is_named_there_or_refused() {
    let server = Server::start();
    for (headers, connection) in [
        (&[("TE", "trailers")][..], "TE"),
        (&[("TE", "trailers"), ("Connection", "close")], "close, TE"),
        (&[("Upgrade", "websocket")], "Upgrade"),
        (&[("Connection", "Upgrade"), ("Upgrade", "h2c")], "Upgrade"),
        (&[("Connection", "keep-alive"), ("Keep-Alive", "timeout=5")], "keep-alive"),
        (&[("TE", "chunked"), ("Trailer", "Digest")], ""),
    ] {
        server.enqueue(Answer::ok(""));
        let session = session(|_| {});
        session.data(with("GET", &server.url("/"), headers)).unwrap();
        let received = server.take_request();
        assert_eq!(values(&received, "connection").join(", "), connection, "{headers:?}");
        assert_eq!(received.header("trailer"), None);
        nothing_is_left(session, &[&server]);
    }
    let server = Server::start();
    for (name, value) in [
        ("TE", "gzip"),
        ("Connection", "Content-Length"),
        ("Connection", "close, Host"),
        ("Connection", "a b"),
        ("Upgrade", "web socket"),
    ] {
        let request = with("GET", &server.url("/"), &[(name, value)]);
        let error = refused(&server, request, value).to_string();
        assert!(error.contains(name) && error.contains(value), "{error}");
    }
}

#[test]
fn a_server_that_takes_up_an_upgrade_fails_the_load() {
    let server = Server::start();
    let switched = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\n\r\n";
    server.enqueue(Answer::raw(switched));
    server.enqueue(Answer::ok("as before"));
    let session = session(|_| {});
    let asking = || with("GET", &server.url("/"), &[("Upgrade", "echo")]);
    let error = session.data(asking()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadServerResponse, "{error}");
    assert!(error.to_string().contains("send no Upgrade header"), "{error}");
    assert_eq!(session.data(asking()).unwrap().text(), "as before");
    nothing_is_left(session, &[&server]);
}

#[test]
fn headers_of_a_session_are_looked_at_when_it_is_made() {
    for (name, value) in [
        ("Host", "a b"),
        ("Host", "ann:s3cret@a.test"),
        ("Expect", "x"),
        ("TE", "gzip"),
        ("Connection", "Host"),
        ("Content-Length", "5"),
        ("Transfer-Encoding", "chunked"),
    ] {
        let mut configuration = Configuration::ephemeral();
        configuration.additional_headers.set(name, value).unwrap();
        let error = Session::new(configuration).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{name}: {value}");
        assert!(error.to_string().contains(name), "{error}");
        assert!(!error.to_string().contains("s3cret"), "{error}");
    }
}

#[test]
fn a_request_that_a_delegate_makes_of_a_redirect_is_looked_at_too() {
    struct Adding;
    impl Delegate for Adding {
        fn will_perform_redirect(
            &self,
            _: &Task,
            _: &Response,
            proposed: Request,
            reply: Reply<Option<Request>>,
        ) {
            reply.answer(Some(proposed.header("Host", "a b")));
        }
    }
    let server = Server::start();
    server.enqueue(Answer::redirect(302, "/there"));
    let (configuration, queue) = (Configuration::ephemeral(), DeliveryQueue::serial());
    let session = Session::with_delegate(configuration, Arc::new(Adding), queue).unwrap();
    let error = session.data_task(server.url("/")).run().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error}");
    assert_eq!(server.request_count(), 1);
    nothing_is_left(session, &[&server]);
}
