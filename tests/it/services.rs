//! Many threads with one session: who waits for whom, which connections are kept, and what is
//! told of a line that does not move.

use std::io::Read;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use urlsession::testing::{Answer, Server};
use urlsession::{Clock, Error, Request, Session};

use crate::support::logged::{count_of, listen};
use crate::support::running::{HANG, Running, Way, nothing_is_left, session, wait_for};

const CALLS: usize = 20;

fn stalling() -> Server {
    let server = Server::start();
    server.handle(|request| match request.path() {
        "/unread" => Answer::ok("0123456789").stall_in_body_after(5),
        _ => Answer::ok("tea").stall_before_head(),
    });
    server
}

fn calls(session: &Session, server: &Server) -> Vec<Running<Result<Vec<u8>, Error>>> {
    (0..CALLS).map(|_| Way::Data.start(session, Request::get(server.url("/")))).collect()
}

#[test]
fn blocking_calls_wait_for_nobody_and_take_no_place_of_tasks() {
    for in_all in [64, 1] {
        let server = stalling();
        let session = session(|all| all.maximum_concurrent_tasks = in_all);
        let calls = calls(&session, &server);
        server.wait_until(|stats| stats.stalled == CALLS as u64);
        let (sender, finished) = channel();
        for _ in 0..10 {
            session.data_task_to(server.url("/"), &sender).resume();
        }
        let places = in_all.min(6) as u64;
        server.wait_until(|stats| stats.stalled == CALLS as u64 + places);
        // Nor does one more call that comes behind them.
        let late = Way::Data.start(&session, Request::get(server.url("/")));
        server.wait_until(|stats| stats.stalled == CALLS as u64 + places + 1);
        server.handle(|_| Answer::ok("tea"));
        server.release();
        for call in calls.into_iter().chain([late]) {
            assert_eq!(call.outcome().unwrap(), b"tea");
        }
        for _ in 0..10 {
            wait_for("all tasks", || {
                server.release();
                finished.try_recv().is_ok()
            });
        }
        nothing_is_left(session, &[&server]);
    }
}

#[test]
fn what_is_set_binds_blocking_calls_too() {
    for (per_host, in_all, expected) in [(3, 64, 3), (6, 2, 2), (0, 64, 1)] {
        let server = stalling();
        let session = session(|all| {
            all.maximum_connections_per_host = Some(per_host);
            all.maximum_concurrent_tasks = in_all;
        });
        let calls = calls(&session, &server);
        server.wait_until(|stats| stats.stalled == expected);
        wait_for("all calls", || session.all_tasks().len() == CALLS);
        assert_eq!(server.stats().stalled, expected);
        server.handle(|_| Answer::ok("tea"));
        server.release();
        for call in calls {
            assert_eq!(call.outcome().unwrap(), b"tea");
        }
        assert!(server.connection_count() <= expected);
        nothing_is_left(session, &[&server]);
    }
}

#[test]
fn a_body_that_nobody_reads_keeps_no_other_call_waiting() {
    let server = stalling();
    let session = session(|_| {});
    let unread: Vec<_> =
        (0..CALLS).map(|_| session.bytes(server.url("/unread")).unwrap()).collect();
    // The response comes before the server has stalled behind it.
    server.wait_until(|stats| stats.stalled == CALLS as u64);
    server.release();
    for mut one in unread {
        let mut body = String::new();
        one.read_to_string(&mut body).unwrap();
        assert_eq!(body, "0123456789");
    }
    nothing_is_left(session, &[&server]);
}

#[test]
fn as_many_connections_are_kept_as_were_in_use_at_once() {
    let server = stalling();
    let session = session(|_| {});
    for _ in 0..3 {
        let calls = calls(&session, &server);
        server.wait_until(|stats| stats.stalled == CALLS as u64);
        server.release();
        for call in calls {
            call.outcome().unwrap();
        }
        assert_eq!(server.connection_count(), CALLS as u64);
    }
    nothing_is_left(session, &[&server]);
}

/// Turns the clock until `text` was logged once more than `before` times, and returns for how
/// many seconds.
fn seconds_until(clock: &Clock, text: &str, before: usize) -> u64 {
    for seconds in 0..200 {
        // The others run meanwhile.
        for _ in 0..20 {
            if count_of(text) > before {
                return seconds;
            }
            thread::sleep(Duration::from_millis(1));
        }
        clock.advance(Duration::from_secs(1));
    }
    panic!("{text:?} was not logged");
}

#[test]
fn a_line_that_does_not_move_is_told_once_a_minute_with_who_holds_its_places() {
    listen();
    for is_call in [true, false] {
        let clock = Clock::by_hand();
        let server = stalling();
        let session = session(|all| {
            all.clock = clock.clone();
            all.maximum_connections_per_host = Some(1);
            all.timeout_for_request = Duration::from_secs(1000);
        });
        let mut unread =
            session.bytes(format!("{}?s3cret-of-a-line", server.url("/unread"))).unwrap();
        let (sender, finished) = channel();
        let call = is_call.then(|| Way::Data.start(&session, Request::get(server.url("/unread"))));
        if !is_call {
            session.data_task_to(server.url("/unread"), &sender).resume();
        }
        wait_for("it waits", || session.all_tasks().len() == 2);
        let url = server.url("/unread");
        let text = format!(
            "loads wait in line for {} for more than 10 s: its places are held by task 1 (GET {url})",
            server.url("").trim_end_matches('/')
        );
        let first = seconds_until(&clock, &text, 0);
        assert!((10..=21).contains(&first), "after {first} s");
        if !is_call {
            let again = seconds_until(&clock, &text, 1);
            assert!((59..=71).contains(&again), "again after {again} s");
        }
        assert_eq!(count_of("s3cret-of-a-line"), 0);
        server.handle(|_| Answer::ok("0123456789"));
        wait_for("the end", || {
            server.release();
            unread.read(&mut [0; 100]).unwrap() == 0
        });
        drop(unread);
        match call {
            Some(call) => assert_eq!(call.outcome().unwrap(), b"0123456789"),
            None => drop(finished.recv_timeout(HANG).unwrap().outcome.unwrap()),
        }
        nothing_is_left(session, &[&server]);
    }
}
