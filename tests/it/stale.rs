//! Kept connections that turn out dead: found before they are used, or a request that is sent
//! again only where that is safe.

use std::io::{Read, Write};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

use urlsession::testing::{Answer, Counters, Server};
use urlsession::{Body, ErrorKind, Request, Session};

use crate::support::running::{HANG, nothing_is_left, session};

/// Makes a connection that is idle.
pub(crate) fn warm(session: &Session, server: &Server) {
    server.enqueue(Answer::ok("warm"));
    assert_eq!(session.data(server.url("/")).unwrap().body, b"warm");
    assert_eq!(server.take_request().method(), "GET");
    assert_eq!(Counters::of(session).sockets(), 1);
}

#[test]
fn a_connection_that_ended_while_idle_is_not_used() {
    for method in ["GET", "POST", "PATCH"] {
        for resets in [false, true] {
            let server = Server::start();
            let session = session(|_| {});
            warm(&session, &server);
            match resets {
                true => server.reset_idle_connections(),
                false => server.close_idle_connections(),
            }
            server.enqueue(Answer::ok("fresh"));
            let data = session.data(Request::new(method, server.url("/"))).unwrap();
            assert_eq!(data.body, b"fresh", "{method}, resets: {resets}");
            assert_eq!(server.take_request().connection(), 1);
            // Nothing was sent on the dead one.
            assert_eq!(server.request_count(), 2);
            nothing_is_left(session, &[&server]);
        }
    }
}

/// An answer, and on demand something behind it.
fn answer_then_garbage(garbage: &'static str) -> (Answer, Sender<()>, Receiver<()>) {
    let (orders, ordered) = channel::<()>();
    let (tells, told) = channel();
    let shared = Mutex::new((ordered, tells));
    let answer = Answer::status(103).take_over(move |connection| {
        let shared = shared.lock().unwrap();
        let whole = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nwarm";
        connection.write_all(whole).unwrap();
        if shared.0.recv().is_ok() {
            connection.write_all(garbage.as_bytes()).unwrap();
            shared.1.send(()).unwrap();
        }
        // Until the client closes, which it does without another request.
        assert_eq!(connection.read(&mut [0]).unwrap_or(0), 0);
    });
    (answer, orders, told)
}

#[test]
fn a_connection_that_spoke_while_idle_is_not_used() {
    for garbage in
        ["x", "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"]
    {
        for method in ["GET", "POST"] {
            let server = Server::start();
            let session = session(|_| {});
            let (answer, orders, told) = answer_then_garbage(garbage);
            server.enqueue(answer);
            assert_eq!(session.data(server.url("/")).unwrap().body, b"warm");
            assert_eq!(Counters::of(&session).sockets(), 1);
            orders.send(()).unwrap();
            told.recv_timeout(HANG).unwrap();
            server.enqueue(Answer::ok("fresh"));
            let data = session.data(Request::new(method, server.url("/"))).unwrap();
            assert_eq!(
                (data.response.status().as_u16(), &*data.body),
                (200, &b"fresh"[..]),
                "{garbage}, {method}"
            );
            assert_eq!(server.connection_count(), 2);
            nothing_is_left(session, &[&server]);
        }
    }
}

/// What a request sends.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Sends {
    Nothing,
    Bytes,
    ManyBytes,
    Reader,
    ReaderWithLength,
    Opened,
}

impl Sends {
    pub(crate) fn length(self) -> u64 {
        match self {
            Self::Nothing => 0,
            Self::ManyBytes => 200_000,
            _ => 4,
        }
    }

    fn body(self) -> Option<Body> {
        match self {
            Self::Nothing => None,
            Self::Bytes => Some(Body::from("body")),
            Self::ManyBytes => Some(Body::from(vec![b'x'; 200_000])),
            Self::Reader => Some(Body::reader(&b"body"[..])),
            Self::ReaderWithLength => Some(Body::reader(&b"body"[..]).with_length(4)),
            Self::Opened => Some(Body::opened_by(|| Ok(&b"body"[..]))),
        }
    }
}

pub(crate) fn request(method: &str, key: bool, sends: Sends, url: String) -> Request {
    let mut request = Request::new(method, url);
    if key {
        request = request.header("Idempotency-Key", "7");
    }
    match sends.body() {
        Some(body) => request.body(body),
        None => request,
    }
}

/// Method, `Idempotency-Key`, body, and whether it is sent again.
pub(crate) const REPEATS: &[(&str, bool, Sends, bool)] = &[
    ("GET", false, Sends::Nothing, true),
    ("HEAD", false, Sends::Nothing, true),
    ("OPTIONS", false, Sends::Nothing, true),
    ("DELETE", false, Sends::Nothing, true),
    ("DELETE", false, Sends::Bytes, true),
    ("PUT", false, Sends::Nothing, true),
    ("PUT", false, Sends::Bytes, true),
    ("PUT", false, Sends::ManyBytes, true),
    ("PUT", false, Sends::Opened, true),
    ("PUT", false, Sends::Reader, false),
    ("PUT", false, Sends::ReaderWithLength, false),
    ("POST", false, Sends::Nothing, false),
    ("POST", false, Sends::Bytes, false),
    ("POST", false, Sends::ManyBytes, false),
    ("POST", false, Sends::Opened, false),
    ("PATCH", false, Sends::Bytes, false),
    ("PATCH", true, Sends::Bytes, true),
    ("POST", true, Sends::Nothing, true),
    ("POST", true, Sends::Bytes, true),
    ("POST", true, Sends::Opened, true),
    ("POST", true, Sends::Reader, false),
    ("Brew", false, Sends::Nothing, false),
];

#[test]
fn a_request_that_a_kept_connection_lost_is_sent_again_only_if_that_is_safe() {
    for &(method, key, sends, repeats) in REPEATS {
        let faults = [
            ("closes", Answer::ok("").close_before_answer()),
            ("resets", Answer::ok("").reset_before_answer()),
        ];
        for (how, fault) in faults {
            let case = format!("{method}, key {key}, {sends:?}, server {how}");
            let server = Server::start();
            let session = session(|_| {});
            warm(&session, &server);
            server.enqueue(fault);
            server.enqueue(Answer::ok("again"));
            let outcome = session.data(request(method, key, sends, server.url("/")));
            // The server has read the whole request: it may have acted on it.
            assert_eq!(server.take_request().connection(), 0, "{case}");
            match repeats {
                true => {
                    let data = outcome.unwrap_or_else(|error| panic!("{case}: {error}"));
                    assert_eq!(data.response.status(), 200, "{case}");
                    let again = server.take_request();
                    assert_eq!((again.method(), again.connection()), (method, 1), "{case}");
                    assert_eq!(again.body_length(), sends.length(), "{case}");
                }
                false => {
                    let error = outcome.unwrap_err();
                    assert_eq!(error.kind(), ErrorKind::NetworkConnectionLost, "{case}: {error}");
                }
            }
            assert_eq!(server.request_count(), 2 + u64::from(repeats), "{case}");
            nothing_is_left(session, &[&server]);
        }
    }
}

#[test]
fn nothing_is_sent_again_after_a_byte_of_an_answer() {
    for (fault, kind) in [
        (Answer::raw("H"), ErrorKind::NetworkConnectionLost),
        (Answer::raw("HTTP/1.1 200 OK\r\nContent-"), ErrorKind::NetworkConnectionLost),
        (Answer::raw("HTTP/1.1 103 Early Hints\r\n\r\n"), ErrorKind::NetworkConnectionLost),
        (Answer::ok("0123456789").truncate_after(0), ErrorKind::ZeroByteResource),
        (Answer::ok("0123456789").truncate_after(4), ErrorKind::NetworkConnectionLost),
        (Answer::raw("garbage\r\n\r\n"), ErrorKind::CannotParseResponse),
    ] {
        for method in ["GET", "PUT", "POST"] {
            let server = Server::start();
            let session = session(|_| {});
            warm(&session, &server);
            server.enqueue(fault.clone());
            let error = session.data(Request::new(method, server.url("/"))).unwrap_err();
            assert_eq!(error.kind(), kind, "{fault:?}, {method}: {error}");
            assert_eq!(server.request_count(), 2, "{fault:?}, {method}");
            assert_eq!(Counters::of(&session).sockets(), 0);
            nothing_is_left(session, &[&server]);
        }
    }
}

#[test]
fn nothing_is_sent_again_on_a_fresh_connection() {
    for method in ["GET", "PUT", "POST"] {
        for fault in [Answer::ok("").close_before_answer(), Answer::ok("").reset_before_answer()] {
            let server = Server::start();
            let session = session(|_| {});
            server.enqueue(fault);
            let error = session.data(Request::new(method, server.url("/"))).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NetworkConnectionLost, "{method}: {error}");
            assert_eq!(server.request_count(), 1);
            nothing_is_left(session, &[&server]);
        }
    }
}

#[test]
fn a_request_is_sent_again_once_and_on_a_fresh_connection() {
    let server = Server::start();
    let session = session(|_| {});
    // Two idle connections, so that a second stale one could be taken.
    server.enqueue(Answer::ok("01").stall_in_body_after(1));
    let mut held = session.bytes(server.url("/")).unwrap();
    warm_beside(&session, &server);
    server.release();
    held.read_to_end(&mut Vec::new()).unwrap();
    assert_eq!(Counters::of(&session).sockets(), 2);
    for _ in 0..2 {
        server.enqueue(Answer::ok("").close_before_answer());
    }
    let error = session.data(server.url("/")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NetworkConnectionLost, "{error}");
    assert_eq!(server.request_count(), 4);
    let connections: Vec<_> = (0..4).map(|_| server.take_request().connection()).collect();
    assert_eq!(connections, [0, 1, 0, 2]);
    nothing_is_left(session, &[&server]);
}

fn warm_beside(session: &Session, server: &Server) {
    server.wait_until(|stats| stats.stalled == 1);
    server.enqueue(Answer::ok("warm"));
    session.data(server.url("/")).unwrap();
}

#[test]
fn a_request_cut_in_its_head_on_a_kept_connection_is_sent_again() {
    use urlsession::testing::RequestFault;

    for fault in [RequestFault::close_after(5), RequestFault::reset_after(5)] {
        let server = Server::start();
        let session = session(|_| {});
        server.handle(|_| Answer::ok("here"));
        server.fault_on_request(1, fault);
        for load in 0..4 {
            assert_eq!(session.data(server.url("/")).unwrap().body, b"here", "load {load}");
        }
        // Each connection has served one request, and lost the second.
        assert_eq!((server.request_count(), server.connection_count()), (4, 4), "{fault:?}");
        let error = session.data(Request::post(server.url("/"))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NetworkConnectionLost, "{fault:?}: {error}");
        nothing_is_left(session, &[&server]);
    }
}
