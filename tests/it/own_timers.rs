//! The timers of a request and of its configuration: which one counts, and what is said of it.

use std::net::TcpListener;
use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::time::Duration;

use urlsession::testing::{Answer, Server};
use urlsession::{Configuration, Error, ErrorKind, Request, Resolver, Stage};

use crate::support::running::{nothing_is_left, session};

const SHORT: Duration = Duration::from_millis(150);
const LONG: Duration = Duration::from_secs(1000);

fn says(error: &Error, stage: Option<Stage>, words: &str) {
    assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
    assert!(error.is_timeout() && error.is_transient(), "{error}");
    assert!(stage.is_none() || error.stage() == stage, "{error}");
    assert!(error.to_string().contains(words), "{error} lacks {words}");
}

#[test]
fn the_timer_that_passes_is_named_with_its_length_and_a_requests_own_counts_first() {
    type Change = fn(&mut Configuration);
    type Own = fn(Request) -> Request;
    let table: [(Change, Own, &str); 6] = [
        (|all| all.timeout_for_resource = SHORT, |request| request, "timeout_for_resource, 150ms"),
        (
            |all| all.timeout_for_request = SHORT,
            |request| request,
            "150ms, its timeout_for_request",
        ),
        (|_| {}, |request| request.timeout_for_resource(SHORT), "timeout_for_resource, 150ms"),
        (|_| {}, |request| request.timeout_for_request(SHORT), "150ms, its timeout_for_request"),
        (
            |all| all.timeout_for_resource = SHORT,
            |request| request.timeout_for_resource(LONG).timeout_for_request(SHORT),
            "150ms, its timeout_for_request",
        ),
        (
            |all| all.timeout_for_request = SHORT,
            |request| request.timeout_for_request(LONG).timeout_for_resource(SHORT),
            "timeout_for_resource, 150ms",
        ),
    ];
    for (change, own, words) in table {
        let server = Server::start();
        server.handle(|_| Answer::ok("tea").stall_in_body_after(1));
        let session = session(change);
        let request = own(Request::get(server.url("/")));
        says(&session.data(request).unwrap_err(), None, words);
        nothing_is_left(session, &[]);
    }
}

#[test]
fn a_connection_that_is_not_made_in_time_names_its_own_timer() {
    let hangs = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = hangs.local_addr().unwrap().port();
    for (own, secure) in [(false, false), (true, false), (false, true), (true, true)] {
        if secure && cfg!(not(feature = "tls")) {
            continue;
        }
        // A look-up that hangs, or a server that is silent in the handshake.
        let (release, held) = channel::<()>();
        let held = Mutex::new(held);
        let session = session(|all| {
            all.connect_timeout = Some(if own { LONG } else { SHORT });
            if !secure {
                all.resolver = Some(Resolver::new(move |_, _| {
                    let _ = held.lock().unwrap().recv();
                    Ok(Vec::new())
                }));
            }
        });
        let scheme = if secure { "https" } else { "http" };
        let mut request = Request::get(format!("{scheme}://127.0.0.1:{port}/"));
        if own {
            request = request.connect_timeout(SHORT);
        }
        let error = session.data(request).unwrap_err();
        let stage = if secure { Stage::Securing } else { Stage::LookingUp };
        says(&error, Some(stage), "it took longer than connect_timeout, 150ms");
        assert!(error.is_connect(), "{error}");
        drop(release);
        nothing_is_left(session, &[]);
    }
}

#[test]
fn a_connection_that_is_there_costs_nothing_of_the_time_to_connect() {
    let server = Server::start();
    server.handle(|_| Answer::ok("tea"));
    let session = session(|_| {});
    session.data(server.url("/")).unwrap();
    let hurried = || Request::get(server.url("/")).connect_timeout(Duration::ZERO);
    session.data(hurried()).unwrap();
    server.close_idle_connections();
    says(&session.data(hurried()).unwrap_err(), None, "longer than connect_timeout, 0ns");
    nothing_is_left(session, &[&server]);
}

#[test]
fn the_time_to_connect_does_not_bound_the_answer() {
    let server = Server::start();
    server.handle(|_| Answer::ok("tea").delay_head(Duration::from_millis(400)));
    let session = session(|all| all.connect_timeout = Some(Duration::from_millis(300)));
    assert_eq!(session.data(server.url("/")).unwrap().text(), "tea");
    nothing_is_left(session, &[&server]);
}
