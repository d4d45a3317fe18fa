//! Uploads of which a part is left when their answer is there.

use std::io::{self, Read};
use std::time::Duration;

use urlsession::testing::{Answer, Counters, ExpectPolicy, OnResponse, Recorder, Server};
use urlsession::{Body, Clock, Configuration, DeliveryQueue, ErrorKind, Request, Session, Stage};

use crate::support::logged::warnings;
use crate::support::running::{Way, nothing_is_left, plain_and_tls, reason, session, wait_for};

/// More than any system holds for a server that does not read.
const HUGE: u64 = 1 << 40;

fn huge() -> Body {
    Body::opened_by(|| Ok(io::repeat(b'x'))).with_length(HUGE)
}

type Plan = fn(Answer) -> Answer;

/// What servers do that have answered and do not want the rest.
const PLANS: &[(&str, Plan, &str)] = &[
    ("closes", |answer| answer.close_after_answer(), "has closed the connection"),
    (
        "says that it closes",
        |answer| answer.header("Connection", "close"),
        "has said that it closes the connection",
    ),
    // Elsewhere a reset may throw away what the client has not read.
    #[cfg(target_os = "linux")]
    ("resets", |answer| answer.reset_after_answer(), "has closed the connection"),
];

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
fn an_early_answer_is_delivered_with_a_warning_if_the_server_does_not_take_the_rest() {
    for &(name, plan, why) in PLANS {
        for (status, body, framing) in [
            (200, "enough", Answer::length as Plan),
            (201, "enough", |answer| answer.chunked(2)),
            (204, "", |answer| answer),
        ] {
            for way in Way::BOTH {
                plain_and_tls(|over, server, session| {
                    let case = format!("{name}, {status}, {way:?}, {over}");
                    let answer = framing(Answer::status(status).body(body)).respond_before_body();
                    server.enqueue(plan(answer));
                    let request = Request::post(server.url("/")).body(huge());
                    let task = session.data_task(request.clone());
                    let (outcome, warnings) = warnings(|| match way {
                        Way::Data => task.run().map(|data| data.body),
                        Way::Bytes => way.load(&session, request),
                    });
                    let received = outcome.unwrap_or_else(|error| panic!("{case}: {error}"));
                    assert_eq!(received, body.as_bytes(), "{case}");
                    let [warning] = &*warnings else { panic!("{case}: {warnings:?}") };
                    assert!(warning.contains(why), "{case}: {warning}");
                    if way == Way::Data {
                        let sent = task.progress().bytes_sent;
                        assert!(sent < HUGE, "{case}");
                        assert!(
                            warning.contains(&format!("only {sent} bytes")),
                            "{case}: {warning}"
                        );
                    }
                    uses_another_connection(&session, &server, &case);
                    drop(task);
                    nothing_is_left(session, &[&server]);
                });
            }
        }
    }
}

#[test]
fn an_early_answer_is_delivered_when_nothing_of_the_rest_is_taken_for_as_long_as_for_any_byte() {
    for way in Way::BOTH {
        let (server, clock) = (Server::start(), Clock::by_hand());
        let session = session(|all| all.clock = clock.clone());
        server.enqueue(Answer::ok("enough").never_read_body());
        let request = Request::post(server.url("/"))
            .timeout_for_request(Duration::from_secs(10))
            .body(huge());
        let load = way.start(&session, request);
        server.wait_until(|stats| stats.stalled == 1);
        // The wait may begin any time, when all buffers are full.
        wait_for("the end of the load", || {
            clock.advance(Duration::from_secs(1));
            !load.is_running_after(Duration::from_millis(20))
        });
        assert_eq!(load.outcome().unwrap(), b"enough");
        uses_another_connection(&session, &server, "never reads");
        nothing_is_left(session, &[&server]);
    }
}

#[test]
fn the_time_for_the_whole_task_runs_out_while_the_rest_of_a_body_goes_out_too() {
    let (server, clock) = (Server::start(), Clock::by_hand());
    let session = session(|all| {
        all.clock = clock.clone();
        all.timeout_for_resource = Duration::from_secs(5);
    });
    server.enqueue(Answer::ok("enough").never_read_body());
    let load = Way::Data.start(&session, Request::post(server.url("/")).body(huge()));
    server.wait_until(|stats| stats.stalled == 1);
    wait_for("the end of the load", || {
        clock.advance(Duration::from_secs(1));
        !load.is_running_after(Duration::from_millis(20))
    });
    let error = load.outcome().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
    assert!(error.to_string().contains("timeout_for_resource"), "{error}");
    nothing_is_left(session, &[&server]);
}

#[test]
fn a_cancel_ends_an_upload_whose_answer_is_there() {
    for way in Way::BOTH {
        plain_and_tls(|over, server, session| {
            server.enqueue(Answer::ok("enough").never_read_body());
            let request = Request::post(server.url("/")).body(huge());
            let load = way.start(&session, request);
            server.wait_until(|stats| stats.stalled == 1);
            assert!(load.is_running_after(Duration::from_millis(50)), "{way:?}, {over}");
            session.all_tasks().iter().for_each(|task| task.cancel());
            let error = load.outcome().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Cancelled, "{way:?}, {over}: {error}");
            nothing_is_left(session, &[&server]);
        });
    }
}

/// Reads so many bytes, and then fails.
struct Failing(u64);

impl Read for Failing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.0 == 0 {
            return Err(io::Error::other("the disk is gone"));
        }
        let count = self.0.min(buffer.len() as u64);
        self.0 -= count;
        buffer[..count as usize].fill(b'x');
        Ok(count as usize)
    }
}

#[test]
fn an_error_of_the_body_comes_from_the_read_that_would_have_been_the_end() {
    for (name, body, kind) in [
        ("fails", Body::reader(Failing(300_000)), ErrorKind::ResourceUnavailable),
        (
            "is shorter than announced",
            Body::reader(io::repeat(b'x').take(300_000)).with_length(400_000),
            ErrorKind::InvalidRequest,
        ),
    ] {
        let server = Server::start();
        let session = session(|_| {});
        server.enqueue(Answer::ok("enough").on_expect(ExpectPolicy::FinalAnswer));
        let request = Request::post(server.url("/")).header("Expect", "100-continue");
        let mut bytes = session.bytes(request.body(body)).unwrap();
        let mut buffer = [0; 100];
        assert_eq!(bytes.read(&mut buffer).unwrap(), 6, "{name}");
        assert_eq!(&buffer[..6], b"enough", "{name}");
        for _ in 0..2 {
            let error = reason(&bytes.read(&mut buffer).unwrap_err());
            assert_eq!(error.kind(), kind, "{name}: {error}");
            assert_eq!(error.stage(), Some(Stage::Sending), "{name}: {error}");
        }
        drop(bytes);
        nothing_is_left(session, &[&server]);
    }
}

#[test]
fn a_body_that_fails_fails_the_load_although_the_answer_is_there() {
    let server = Server::start();
    let session = session(|_| {});
    server.enqueue(Answer::ok("enough").on_expect(ExpectPolicy::FinalAnswer));
    let request = Request::post(server.url("/")).header("Expect", "100-continue");
    let error = session.data(request.body(Body::reader(Failing(300_000)))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ResourceUnavailable, "{error}");
    nothing_is_left(session, &[&server]);
}

#[test]
fn bytes_that_are_dropped_before_their_end_end_the_upload_and_say_so() {
    plain_and_tls(|over, server, session| {
        server.enqueue(Answer::ok("enough").respond_before_body());
        let mut bytes = session.bytes(Request::post(server.url("/")).body(huge())).unwrap();
        assert_eq!(bytes.read(&mut [0; 3]).unwrap(), 3, "{over}");
        let ((), warnings) = warnings(|| drop(bytes));
        let [warning] = &*warnings else { panic!("{over}: {warnings:?}") };
        assert!(warning.contains("nobody reads the answer any more"), "{over}: {warning}");
        server.wait_until(|stats| stats.open_connections == 0);
        assert!(!server.take_request().is_complete(), "{over}");
        nothing_is_left(session, &[&server]);
    });
}

#[test]
fn nothing_is_sent_while_nobody_reads() {
    let server = Server::start();
    let session = session(|_| {});
    server.enqueue(Answer::ok("enough").respond_before_body());
    let mut bytes = session.bytes(Request::post(server.url("/")).body(huge())).unwrap();
    let task = bytes.task();
    for _ in 0..3 {
        let before = task.progress().bytes_sent;
        // Long enough to send a lot.
        std::thread::park_timeout(Duration::from_millis(30));
        assert_eq!(task.progress().bytes_sent, before);
        if bytes.read(&mut [0; 2]).unwrap() == 0 {
            break;
        }
    }
    drop(bytes);
    nothing_is_left(session, &[&server]);
}

#[test]
fn while_a_reply_is_waited_for_nothing_is_sent() {
    let server = Server::start();
    let recorder = Recorder::new();
    recorder.on_response(OnResponse::Hold);
    let queue = DeliveryQueue::serial();
    let session =
        Session::with_delegate(Configuration::ephemeral(), recorder.delegate(), queue).unwrap();
    server.enqueue(Answer::ok("enough").respond_before_body());
    let task = session.upload_task(Request::post(server.url("/")), huge());
    task.resume();
    let held = recorder.take_response();
    let before = task.progress().bytes_sent;
    std::thread::park_timeout(Duration::from_millis(50));
    assert_eq!(task.progress().bytes_sent, before);
    held.allow();
    wait_for("more of the body", || task.progress().bytes_sent > before);
    task.suspend();
    let mut before = 0;
    wait_for("the suspension", || {
        let last = std::mem::replace(&mut before, task.progress().bytes_sent);
        std::thread::park_timeout(Duration::from_millis(20));
        last == before
    });
    task.resume();
    wait_for("even more of the body", || task.progress().bytes_sent > before);
    task.cancel();
    recorder.wait_for_completions(1);
    drop(task);
    nothing_is_left(session, &[&server]);
}
