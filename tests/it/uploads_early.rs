//! What a server says while, or before, a body is sent: early answers, 1xx, and
//! `Expect: 100-continue`.

use std::io::{self, Read};
use std::time::Duration;

use urlsession::testing::{Answer, Counters, ExpectPolicy, Server};
use urlsession::{Body, Clock, ErrorKind, Request, Session};

use crate::support::running::{Way, nothing_is_left, plain_and_tls, session, wait_for};

/// More than any system holds for a server that does not read.
const HUGE: u64 = 1 << 40;

fn huge(announced: bool) -> Body {
    let body = Body::opened_by(|| Ok(io::repeat(b'x')));
    if announced { body.with_length(HUGE) } else { body }
}

/// Sees that `session` makes a new connection to `server`.
fn uses_another_connection(session: &Session, server: &Server, case: &str) {
    assert_eq!(Counters::of(session).sockets(), 0, "{case}");
    while server.try_take_request().is_some() {}
    let before = server.connection_count();
    server.enqueue(Answer::ok("next"));
    assert_eq!(session.data(server.url("/")).unwrap().body, b"next", "{case}");
    assert_eq!(server.connection_count(), before + 1, "{case}");
}

#[test]
fn an_early_answer_from_300_on_ends_the_upload_and_is_delivered() {
    type Plan = fn(Answer) -> Answer;
    let plans: &[(&str, Plan)] = &[
        ("goes on reading", |answer| answer.respond_before_body()),
        ("closes", |answer| answer.respond_before_body().close_after_answer()),
        ("says so and closes", |answer| answer.respond_before_body().header("Connection", "close")),
        ("never reads", |answer| answer.never_read_body()),
        // Elsewhere a reset may throw away what the client has not read.
        #[cfg(target_os = "linux")]
        ("resets", |answer| answer.respond_before_body().reset_after_answer()),
    ];
    for (name, plan) in plans {
        for status in [413, 401, 302, 500] {
            for announced in [true, false] {
                plain_and_tls(|over, server, session| {
                    let case = format!("{name}, {status}, announced {announced}, {over}");
                    server.enqueue(plan(Answer::status(status).body("enough")));
                    let request = Request::post(server.url("/")).body(huge(announced));
                    let data = session.data(request).unwrap_or_else(|error| {
                        panic!("{case}: {error}");
                    });
                    assert_eq!(data.response.status().as_u16(), status, "{case}");
                    assert_eq!(data.text(), "enough", "{case}");
                    uses_another_connection(&session, &server, &case);
                    nothing_is_left(session, &[&server]);
                });
            }
        }
    }
}

// Elsewhere a reset may throw away what the client has not read.
#[cfg(target_os = "linux")]
#[test]
fn a_refusal_without_a_length_ends_where_the_connection_is_reset() {
    for status in [401, 413, 500] {
        // What the system has taken before the answer came is reset too.
        for length in [5, 100_000, 8_000_000, HUGE] {
            let server = Server::start();
            let session = session(|_| {});
            let answer = Answer::status(status).body("enough").until_close();
            server.enqueue(answer.respond_before_body().reset_after_answer());
            let body = Body::opened_by(move || Ok(io::repeat(b'x').take(length)));
            let request = Request::post(server.url("/")).body(body.with_length(length));
            let data = session.data(request).unwrap_or_else(|error| {
                panic!("{status}, {length}: {error}");
            });
            assert_eq!(data.response.status().as_u16(), status, "{length}");
            assert_eq!(data.text(), "enough", "{status}, {length}");
            uses_another_connection(&session, &server, &format!("{status}, {length}"));
            nothing_is_left(session, &[&server]);
        }
    }
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8 shuts down what it closes: a reset comes behind an end")]
fn a_reset_ends_no_other_answer_without_a_length() {
    // What was sent is not refused, and is not there, and an end within TLS may be forged.
    plain_and_tls(|over, server, session| {
        for (status, sends) in [(200, true), (413, false), (413, true)] {
            if over == "plain" && status == 413 && sends {
                continue;
            }
            let answer = Answer::status(status).body("enough").until_close();
            server.enqueue(answer.respond_before_body().reset_after_answer());
            let request = Request::post(server.url("/"));
            let request = if sends { request.body(huge(true)) } else { request };
            let error = session.data(request).unwrap_err();
            let case = format!("{status}, sends {sends}, {over}");
            assert_eq!(error.kind(), ErrorKind::NetworkConnectionLost, "{case}: {error}");
        }
        nothing_is_left(session, &[&server]);
    });
}

#[test]
fn an_early_answer_right_behind_a_1xx_is_not_overlooked() {
    for informational in ["103 Early Hints\r\nLink: </a>", "100 Continue", "102 Processing"] {
        for expects in [false, true] {
            plain_and_tls(|over, server, session| {
                let case = format!("{informational}, expects {expects}, {over}");
                // Both come in one piece, and then nothing any more.
                let answer = format!(
                    "HTTP/1.1 {informational}\r\n\r\n\
                     HTTP/1.1 413 Content Too Large\r\nContent-Length: 6\r\n\r\nenough"
                );
                server
                    .enqueue(Answer::raw(answer).never_read_body().on_expect(ExpectPolicy::Never));
                let mut request = Request::post(server.url("/"))
                    .timeout_for_request(Duration::from_secs(20))
                    .body(huge(true));
                if expects {
                    request = request.header("Expect", "100-continue");
                }
                let data = session.data(request).unwrap_or_else(|error| panic!("{case}: {error}"));
                assert_eq!(data.response.status(), 413, "{case}");
                assert_eq!(data.text(), "enough", "{case}");
                uses_another_connection(&session, &server, &case);
                nothing_is_left(session, &[&server]);
            });
        }
    }
}

#[test]
fn an_upload_goes_on_after_informational_answers() {
    const LENGTH: usize = 3_000_000;
    for (name, answer) in [
        ("one 103", Answer::ok("taken").early_informational(103, &[("Link", "</a.css>")])),
        ("a 100 that nobody asked for", Answer::ok("taken").early_informational(100, &[])),
        (
            "many",
            (0..8).fold(Answer::ok("taken"), |answer, _| answer.early_informational(102, &[])),
        ),
        ("behind the body", Answer::ok("taken").informational(103, &[("Link", "</a.css>")])),
    ] {
        for announced in [true, false] {
            plain_and_tls(|over, server, session| {
                let case = format!("{name}, announced {announced}, {over}");
                server.enqueue(answer.clone());
                let reader = io::Cursor::new(vec![b'x'; LENGTH]);
                let mut body = Body::reader(reader);
                if announced {
                    body = body.with_length(LENGTH as u64);
                }
                let data = session.data(Request::put(server.url("/")).body(body)).unwrap();
                assert_eq!(data.text(), "taken", "{case}");
                let request = server.take_request();
                assert!(request.is_complete() && request.body_length() == LENGTH as u64, "{case}");
                // A whole upload leaves its connection as good as new.
                assert_eq!(Counters::of(&session).sockets(), 1, "{case}");
                nothing_is_left(session, &[&server]);
            });
        }
    }
}

/// The bodies that are held back until the server agrees.
fn held_back(url: String) -> [Request; 3] {
    [
        Body::from("small"),
        Body::from(vec![b'x'; 300_000]),
        Body::reader(io::Cursor::new(vec![b'x'; 300_000])),
    ]
    .map(|body| Request::put(&url).header("Expect", "100-Continue").body(body))
}

#[test]
fn a_body_follows_when_the_server_says_100() {
    for (name, answer) in [
        ("100", Answer::ok("taken")),
        ("103 before it", Answer::ok("taken").early_informational(103, &[("Link", "</a>")])),
        (
            "with headers",
            Answer::ok("taken")
                .early_informational(100, &[("Server", "odd"), ("X", "y")])
                .on_expect(ExpectPolicy::Never),
        ),
        ("another one behind the body", Answer::ok("taken").informational(100, &[])),
    ] {
        plain_and_tls(|over, server, session| {
            for request in held_back(server.url("/")) {
                server.enqueue(answer.clone());
                let data = session.data(request).unwrap();
                assert_eq!(data.text(), "taken", "{name}, {over}");
                let request = server.take_request();
                assert!(request.is_complete() && request.body_length() > 0, "{name}, {over}");
                assert_eq!(request.connection(), 0, "{name}, {over}");
            }
            nothing_is_left(session, &[&server]);
        });
    }
}

#[test]
fn a_body_stays_here_when_it_is_refused_at_once() {
    for status in [403, 401, 413, 304] {
        plain_and_tls(|over, server, session| {
            for request in held_back(server.url("/")) {
                let case = format!("{status}, {over}");
                let body = if status == 304 { "" } else { "no need" };
                let answer = Answer::status(status).body(body);
                server.enqueue(answer.on_expect(ExpectPolicy::FinalAnswer));
                let data = session.data(request).unwrap();
                assert_eq!(data.response.status().as_u16(), status, "{case}");
                assert_eq!(data.text(), body, "{case}");
                // The server may still wait for the body: the next request would be taken
                // for it.
                server.wait_until(|stats| stats.open_connections == 0);
                let request = server.take_request();
                assert_eq!((request.body_length(), request.is_complete()), (0, false), "{case}");
                uses_another_connection(&session, &server, &case);
                let _ = server.take_request();
                server.close_idle_connections();
            }
            nothing_is_left(session, &[&server]);
        });
    }
}

#[test]
fn a_body_follows_when_an_answer_below_300_comes_in_place_of_the_leave() {
    for status in [200, 201, 204] {
        plain_and_tls(|over, server, session| {
            for request in held_back(server.url("/")) {
                let case = format!("{status}, {over}");
                let body = if status == 204 { "" } else { "taken" };
                let answer = Answer::status(status).body(body);
                server.enqueue(answer.on_expect(ExpectPolicy::FinalAnswer));
                let data = session.data(request).unwrap();
                assert_eq!(data.response.status().as_u16(), status, "{case}");
                assert_eq!(data.text(), body, "{case}");
                let request = server.take_request();
                assert!(request.is_complete() && request.body_length() > 0, "{case}");
                assert_eq!(request.connection(), 0, "{case}");
            }
            nothing_is_left(session, &[&server]);
        });
    }
}

#[test]
fn a_body_goes_out_after_a_second_without_any_word() {
    for late_100 in [false, true] {
        for at in 0..3 {
            let server = Server::start();
            let clock = Clock::by_hand();
            let session = session(|configuration| configuration.clock = clock.clone());
            let mut answer = Answer::ok("taken").on_expect(ExpectPolicy::Never);
            if late_100 {
                answer = answer.informational(100, &[]);
            }
            server.enqueue(answer);
            let [first, second, third] = held_back(server.url("/"));
            let request = [first, second, third].into_iter().nth(at).unwrap();
            let load = Way::Data.start(&session, request);
            server.wait_until(|stats| stats.heads == 1);
            clock.advance(Duration::from_millis(999));
            assert!(load.is_running());
            assert_eq!(server.stats().body_bytes, 0);
            // The wait may have begun only just now.
            wait_for("the end of the load", || {
                clock.advance(Duration::from_millis(500));
                !load.is_running_after(Duration::from_millis(20))
            });
            assert_eq!(load.outcome().unwrap(), b"taken");
            assert!(server.take_request().is_complete());
            assert_eq!(Counters::of(&session).sockets(), 1);
            nothing_is_left(session, &[&server]);
        }
    }
}

#[test]
fn leave_that_never_comes_is_no_timeout_of_the_request() {
    // The server's word is waited for as long as for any byte, if that is less than a second.
    let server = Server::start();
    let session = session(|_| {});
    server.enqueue(Answer::ok("taken").on_expect(ExpectPolicy::Never));
    let request = Request::put(server.url("/"))
        .header("Expect", "100-continue")
        .timeout_for_request(Duration::from_millis(400))
        .body("body");
    assert_eq!(session.data(request).unwrap().body, b"taken");
    nothing_is_left(session, &[&server]);
}

// Elsewhere a reset may throw away what the client has not read.
#[cfg(target_os = "linux")]
#[test]
fn an_answer_is_heard_although_the_request_cannot_be_sent() {
    use std::io::Write;

    // As a server does that is overloaded, or has lost patience.
    let farewell = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy";
    for expects in [false, true] {
        for length in [4, 200_000] {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            let url = format!("http://{}/", listener.local_addr().unwrap());
            // The body is opened when the connection is made, before anything is sent.
            let body = Body::opened_by(move || {
                let (mut client, _) = listener.accept()?;
                client.write_all(farewell.as_bytes())?;
                socket2::SockRef::from(&client).set_linger(Some(Duration::ZERO))?;
                Ok(io::repeat(b'x').take(length))
            });
            let mut request = Request::put(url).body(body.with_length(length));
            if expects {
                request = request.header("Expect", "100-continue");
            }
            let session = session(|_| {});
            let outcome = session.data(request);
            let data = outcome.unwrap_or_else(|error| panic!("{expects}, {length}: {error:?}"));
            assert_eq!(data.response.status(), 503, "{expects}, {length}");
            assert_eq!(data.text(), "busy", "{expects}, {length}");
            assert_eq!(Counters::of(&session).sockets(), 0);
            nothing_is_left(session, &[]);
        }
    }
}
