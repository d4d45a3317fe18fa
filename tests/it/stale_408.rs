//! A 408 on a kept connection: the server had closed that as idle while the request was on its way
//! (RFC 9110 §15.5.9).

use std::io::{Read, Write};
use std::sync::Mutex;
use std::sync::mpsc::channel;

use urlsession::testing::{Answer, Counters, Event, Recorder, Server};
use urlsession::{Body, DeliveryQueue, Request, Session};

use crate::stale::{REPEATS, request, warm};
use crate::support::running::{HANG, Way, nothing_is_left, plain_and_tls, session};

/// A 408 of 5 bytes after which the server closes.
fn closing() -> Answer {
    Answer::status(408).header("Connection", "close").body("tired").close_after_answer()
}

/// Loads `request` and returns the status and the body.
fn loaded(session: &Session, request: Request) -> (u16, Vec<u8>) {
    let data = session.data(request).unwrap();
    (data.response.status().as_u16(), data.body)
}

#[test]
fn a_408_that_closes_a_kept_connection_has_the_request_repeated_where_a_dead_one_would() {
    for &(method, key, sends, repeats) in REPEATS {
        let case = format!("{method}, key {key}, {sends:?}");
        let server = Server::start();
        let session = session(|_| {});
        warm(&session, &server);
        server.enqueue(closing());
        server.enqueue(Answer::ok("again"));
        let (status, body) = loaded(&session, request(method, key, sends, server.url("/")));
        assert_eq!(server.take_request().connection(), 0, "{case}");
        if repeats {
            let again = server.take_request();
            assert_eq!((again.method(), again.connection()), (method, 1), "{case}");
            assert_eq!((status, again.body_length()), (200, sends.length()), "{case}");
        } else {
            assert_eq!((status, &*body), (408, &b"tired"[..]), "{case}");
        }
        assert_eq!(server.request_count(), 2 + u64::from(repeats), "{case}");
        nothing_is_left(session, &[&server]);
    }
}

/// What some servers write, whatever they were asked.
const HAPROXY: &str = "HTTP/1.0 408 Request Time-out\r\nCache-Control: no-cache\r\n\
     Connection: close\r\nContent-Type: text/html\r\n\r\n<html>timed out</html>\n";

#[test]
fn a_408_says_in_any_way_that_it_ends_its_connection() {
    for (name, answer, repeats) in [
        ("close", closing(), true),
        ("in a list", Answer::status(408).header("Connection", "x, Close"), true),
        ("haproxy", Answer::raw(HAPROXY), true),
        ("HTTP/1.0 alone", Answer::raw("HTTP/1.0 408 X\r\nContent-Length: 0\r\n\r\n"), true),
        ("up to its end", Answer::status(408).body("tired").until_close(), true),
        ("behind a 103", closing().informational(103, &[("Link", "</a>")]), true),
        ("chunks, more to come", closing().body("tired").chunked(2).stall_in_body_after(1), true),
        // Whoever goes on with the connection has read the request to its end.
        ("kept", Answer::status(408).body("tired"), false),
        (
            "HTTP/1.0 kept",
            { Answer::status(408).version("HTTP/1.0").header("Connection", "keep-alive") },
            false,
        ),
        // Others say nothing of an idle connection.
        ("503", Answer::status(503).header("Connection", "close"), false),
        ("400", Answer::status(400).header("Connection", "close"), false),
    ] {
        for way in Way::BOTH {
            plain_and_tls(|over, server, session| {
                let case = format!("{name}, {way:?}, {over}");
                warm(&session, &server);
                server.enqueue(answer.clone());
                server.enqueue(Answer::ok("again"));
                let body = way.load(&session, Request::get(server.url("/"))).unwrap();
                assert_eq!(body == b"again", repeats, "{case}");
                assert_eq!(server.request_count(), 2 + u64::from(repeats), "{case}");
                server.release();
                nothing_is_left(session, &[&server]);
            });
        }
    }
}

#[test]
fn a_408_on_a_new_connection_is_delivered() {
    for method in ["GET", "PUT", "POST"] {
        let server = Server::start();
        let session = session(|_| {});
        server.enqueue(closing());
        let answer = loaded(&session, Request::new(method, server.url("/")));
        assert_eq!(answer, (408, b"tired".to_vec()), "{method}");
        assert_eq!(server.request_count(), 1, "{method}");
        nothing_is_left(session, &[&server]);
    }
}

#[test]
fn a_408_has_a_request_repeated_once() {
    let server = Server::start();
    let session = session(|_| {});
    warm(&session, &server);
    for _ in 0..3 {
        server.enqueue(closing());
    }
    assert_eq!(loaded(&session, Request::get(server.url("/"))), (408, b"tired".to_vec()));
    let connections: Vec<_> = (0..2).map(|_| server.take_request().connection()).collect();
    assert_eq!((connections, server.request_count()), (vec![0, 1], 3));
    nothing_is_left(session, &[&server]);
}

#[test]
fn a_408_after_a_redirect_has_that_hop_repeated() {
    let server = Server::start();
    let session = session(|_| {});
    warm(&session, &server);
    for answer in [Answer::redirect(302, "/next"), closing(), Answer::ok("there")] {
        server.enqueue(answer);
    }
    assert_eq!(loaded(&session, Request::get(server.url("/first"))), (200, b"there".to_vec()));
    let requests = (0..3).map(|_| server.take_request());
    let requests: Vec<_> = requests.map(|one| (one.connection(), one.path().to_owned())).collect();
    let expected = [(0, "/first"), (0, "/next"), (1, "/next")];
    assert!(requests.iter().map(|(at, path)| (*at, &**path)).eq(expected), "{requests:?}");
    nothing_is_left(session, &[&server]);
}

// Elsewhere a reset may throw away what the client has not read.
#[cfg(target_os = "linux")]
#[test]
fn a_408_while_a_body_goes_out_has_all_of_it_sent_again() {
    const LENGTH: usize = 8_000_000;
    for (method, repeats) in [("PUT", true), ("POST", false)] {
        plain_and_tls(|over, server, session| {
            warm(&session, &server);
            server.enqueue(closing().never_read_body());
            server.enqueue(Answer::ok("again"));
            let request =
                Request::new(method, server.url("/")).body(Body::from(vec![b'x'; LENGTH]));
            let (status, _) = loaded(&session, request);
            assert_eq!(status, if repeats { 200 } else { 408 }, "{method}, {over}");
            assert_eq!(server.take_request().connection(), 0);
            if repeats {
                let again = server.take_request();
                assert_eq!((again.connection(), again.body_length()), (1, LENGTH as u64), "{over}");
            }
            nothing_is_left(session, &[&server]);
        });
    }
}

#[test]
fn nobody_is_told_of_a_408_after_which_the_request_is_repeated() {
    let server = Server::start();
    let recorder = Recorder::new();
    let configuration = urlsession::Configuration::ephemeral();
    let queue = DeliveryQueue::serial();
    let session = Session::with_delegate(configuration, recorder.delegate(), queue).unwrap();
    warm(&session, &server);
    recorder.take_events();
    server.enqueue(closing());
    server.enqueue(Answer::ok("again"));
    let task = session.data_task(server.url("/"));
    task.resume();
    recorder.wait_for_completions(1);
    let events = recorder.events_of(task.id());
    let statuses = events.iter().filter_map(|event| match event {
        Event::Response { status, .. } => Some(*status),
        _ => None,
    });
    assert_eq!(statuses.collect::<Vec<_>>(), [200], "{events:?}");
    drop(task);
    nothing_is_left(session, &[&server]);
}

#[test]
fn a_408_that_came_before_the_request_was_sent_has_any_request_use_another_connection() {
    for method in ["GET", "POST"] {
        plain_and_tls(|over, server, session| {
            let (orders, ordered) = channel::<()>();
            let (tells, told) = channel();
            let shared = Mutex::new((ordered, tells));
            server.enqueue(Answer::status(103).take_over(move |connection| {
                let shared = shared.lock().unwrap();
                connection.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nwarm").unwrap();
                if shared.0.recv().is_ok() {
                    connection.write_all(HAPROXY.as_bytes()).unwrap();
                    connection.flush().unwrap();
                    shared.1.send(()).unwrap();
                }
                // Until the client closes, which it does without another request.
                assert_eq!(connection.read(&mut [0]).unwrap_or(0), 0);
            }));
            assert_eq!(session.data(server.url("/")).unwrap().body, b"warm");
            assert_eq!(Counters::of(&session).sockets(), 1);
            orders.send(()).unwrap();
            told.recv_timeout(HANG).unwrap();
            server.enqueue(Answer::ok("fresh"));
            let answer = loaded(&session, Request::new(method, server.url("/")));
            assert_eq!(answer, (200, b"fresh".to_vec()), "{method}, {over}");
            assert_eq!(server.connection_count(), 2, "{method}, {over}");
            nothing_is_left(session, &[&server]);
        });
    }
}
