//! Which failures of connections are tried again.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use urlsession::testing::{Answer, Event, Recorder, Refusal, Server};
use urlsession::{Body, Clock, ErrorKind, Request, Resolver};

use super::{at_once, of_answer, of_failure, retries};
use crate::support::recording::{recorded, response};
use crate::support::running::{HANG, nothing_is_left, session};

#[test]
fn a_connection_that_broke_is_tried_again_if_the_request_may_be_sent_twice() {
    type Fault = (&'static str, fn() -> Answer);
    let faults: [Fault; 6] = [
        ("reset before the head", || Answer::ok("hello").reset_before_answer()),
        ("closed before the head", || Answer::ok("hello").close_before_answer()),
        ("reset in the body", || Answer::ok("hello").reset_after(2)),
        ("cut in the body", || Answer::ok("hello").truncate_after(2)),
        ("cut in a chunked body", || Answer::ok("hello").chunked(2).truncate_after(3)),
        ("cut before the body", || Answer::ok("hello").truncate_after(0)),
    ];
    for (what, fault) in faults {
        for (method, requests) in [("GET", 2), ("POST", 1)] {
            let server = Server::start();
            server.enqueue(fault());
            server.enqueue(Answer::ok("hello"));
            let session = session(|configuration| configuration.retry_policy = at_once(2));
            let outcome = session.data(Request::new(method, server.url("/")));
            if requests == 2 {
                assert_eq!(outcome.unwrap().text(), "hello", "{method} {what}");
            } else {
                assert!(outcome.unwrap_err().is_transient(), "{method} {what}");
            }
            assert_eq!(server.request_count(), requests, "{method} {what}");
            nothing_is_left(session, &[&server]);
        }
    }
}

#[test]
fn the_last_failure_is_the_tasks() {
    let server = Server::start();
    for _ in 0..3 {
        server.enqueue(Answer::ok("hello").truncate_after(2));
    }
    let session = session(|configuration| configuration.retry_policy = at_once(3));
    let error = session.data(server.url("/")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NetworkConnectionLost);
    assert_eq!(server.request_count(), 3);
    // A policy for answers alone.
    server.enqueue(Answer::ok("hello").truncate_after(2));
    let policy = at_once(3).broken_connections(false);
    let error = session.data(Request::get(server.url("/")).retry_policy(policy)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NetworkConnectionLost);
    assert_eq!(server.request_count(), 4);
    nothing_is_left(session, &[&server]);
}

#[test]
fn what_was_told_of_a_body_that_broke_is_told_anew() {
    let server = Server::start();
    server.enqueue(Answer::ok("hello").truncate_after(2));
    server.enqueue(Answer::ok("hello"));
    let recorder = Recorder::new();
    let session = recorded(&recorder, |configuration| configuration.retry_policy = at_once(2));
    let task = session.data_task(server.url("/")).resume();
    assert!(session.wait_until_idle(HANG));
    let expected = [
        Event::Created(1),
        response(1, 200),
        Event::data(1, "he"),
        of_failure(1, 2, ErrorKind::NetworkConnectionLost),
        response(1, 200),
        Event::data(1, "hello"),
        Event::done(1),
    ];
    assert_eq!(recorder.events(), expected);
    assert_eq!(task.progress().bytes_received, 5);
    drop(task);
    nothing_is_left(session, &[&server]);
}

/// A resolver that fails so often before it finds the server.
fn failing(failures: usize, server: &Server) -> Resolver {
    let (left, address) = (AtomicUsize::new(failures), server.address());
    Resolver::new(move |_, _| {
        let order = Ordering::SeqCst;
        match left.fetch_update(order, order, |left| left.checked_sub(1)) {
            Ok(_) => Err(io::Error::other("no such host")),
            Err(_) => Ok(vec![address]),
        }
    })
}

#[test]
fn what_was_never_sent_is_tried_again_whatever_it_is() {
    for by_its_caller in [true, false] {
        let server = Server::start();
        server.enqueue(Answer::ok("thanks"));
        let recorder = Recorder::new();
        let session = recorded(&recorder, |configuration| {
            configuration.retry_policy = at_once(3);
            configuration.resolver = Some(failing(2, &server));
        });
        let request = Request::post("http://shop.test/").body(Body::reader(&b"once"[..]));
        let task = session.data_task(request);
        if by_its_caller {
            assert_eq!(task.run().unwrap().text(), "thanks");
        } else {
            task.resume();
            assert!(session.wait_until_idle(HANG));
        }
        assert_eq!(server.take_request().body(), b"once");
        let kind = ErrorKind::CannotFindHost;
        assert_eq!(retries(&recorder.events()), [2, 3].map(|at| of_failure(1, at, kind)));
        drop(task);
        nothing_is_left(session, &[&server]);
    }
}

#[test]
fn a_connection_that_is_waited_for_counts_as_no_attempt() {
    let server = Server::start();
    server.enqueue(Answer::status(503));
    server.enqueue(Answer::ok("hello"));
    let recorder = Recorder::new();
    let clock = Clock::by_hand();
    let session = recorded(&recorder, |configuration| {
        configuration.retry_policy = at_once(2);
        configuration.resolver = Some(failing(3, &server));
        configuration.waits_for_connectivity = true;
        configuration.clock = clock.clone();
    });
    let request = Request::get("http://shop.test/").header("Connection", "close");
    let task = session.data_task(request).resume();
    while !session.wait_until_idle(Duration::from_millis(5)) {
        clock.advance(Duration::from_millis(100));
    }
    let events = recorder.events();
    assert_eq!(events.last(), Some(&Event::done(1)), "{events:?}");
    assert_eq!(retries(&events), [of_answer(1, 2, 0, 503)]);
    drop(task);
    nothing_is_left(session, &[&server]);
}

#[test]
fn a_redirect_to_where_nobody_listens_is_tried_again_from_its_beginning() {
    for (method, requests) in [("GET", 3), ("POST", 1)] {
        let (server, nobody) = (Server::start(), Refusal::start());
        let there = nobody.url("/");
        server.handle(move |_| Answer::redirect(303, &there));
        let session = session(|configuration| configuration.retry_policy = at_once(3));
        let error = session.data(Request::new(method, server.url("/"))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::CannotConnectToHost);
        assert_eq!(server.request_count(), requests, "{method}");
        nothing_is_left(session, &[&server]);
    }
}

#[test]
fn what_is_no_http_and_what_takes_too_long_is_not_tried_again() {
    let answers: [(fn() -> Answer, ErrorKind); 3] = [
        (|| Answer::raw("what?\r\n\r\n"), ErrorKind::CannotParseResponse),
        (|| Answer::ok("x").header("Content-Encoding", "gzip"), ErrorKind::CannotDecodeRawData),
        (|| Answer::ok("x").stall_before_head(), ErrorKind::TimedOut),
    ];
    for (answer, kind) in answers {
        if cfg!(not(feature = "gzip")) && kind == ErrorKind::CannotDecodeRawData {
            continue;
        }
        let server = Server::start();
        server.enqueue(answer());
        let recorder = Recorder::new();
        let session = recorded(&recorder, |configuration| {
            configuration.retry_policy = at_once(3);
            configuration.timeout_for_request = Duration::from_millis(100);
        });
        let task = session.data_task(server.url("/")).resume();
        assert!(session.wait_until_idle(HANG));
        let events = recorder.events();
        assert_eq!(events.last(), Some(&Event::failed(1, kind)), "{events:?}");
        assert_eq!(retries(&events), []);
        drop(task);
        nothing_is_left(session, &[&server]);
    }
}

#[cfg(feature = "tls")]
#[test]
fn a_certificate_that_is_not_trusted_is_not_tried_again() {
    use urlsession::testing::Authority;

    let server = Server::start_tls(&Authority::new().identity(&["127.0.0.1"]));
    let session = session(|configuration| {
        configuration.trusts_system_roots = false;
        configuration.retry_policy = at_once(3);
    });
    let error = session.data(server.url("/")).unwrap_err();
    assert!(error.is_certificate(), "{error}");
    assert_eq!(server.connection_count(), 1);
    nothing_is_left(session, &[&server]);
}
