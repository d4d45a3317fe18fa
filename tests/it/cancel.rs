//! Ending a load from another thread: at every stage, at once, exactly once.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use urlsession::testing::{Answer, Counters, Server};
use urlsession::{
    Body, CancelToken, Configuration, DeliveryQueue, Error, ErrorKind, Request, Session, Stage,
    Update,
};

use crate::support::running::{Running, Way, nothing_is_left, plain_and_tls, reason, session};
use crate::support::scenes::Block;

/// Twenty times the 100 ms in which a cancel ends a load.
const GUARD: Duration = Duration::from_secs(2);

/// Loads on a thread of its own. What was read is not kept: giving much memory back takes the
/// system longer than all else here.
fn start(session: &Session, request: Request, way: Way) -> Running<Result<(), Error>> {
    let session = session.clone();
    Running::start(move || match way {
        Way::Data => session.data(request).map(drop),
        Way::Bytes => {
            let read = io::copy(&mut session.bytes(request)?, &mut io::sink());
            read.map(drop).map_err(|error| reason(&error))
        }
    })
}

fn assert_cancelled(error: &Error, stage: Option<Stage>, scene: &str) {
    assert_eq!(error.kind(), ErrorKind::Cancelled, "{scene}: {error}");
    assert_eq!(error.stage(), stage, "{scene}: {error}");
}

#[test]
fn a_cancel_wakes_a_load_at_every_stage() {
    for block in Block::ALL {
        for way in Way::BOTH {
            // The body is more than the system holds: when all of it is sent, the client has
            // read some for certain.
            let block = if *block == Block::Body(5) { Block::Body(64 << 20) } else { *block };
            let scene = block.scene();
            let session = scene.session();
            let token = CancelToken::new();
            let load = start(&session, scene.request.clone().cancel_token(&token), way);
            scene.wait_until_blocked(&session);
            assert!(load.is_running(), "{block:?}, {way:?}");
            let begun = Instant::now();
            token.cancel();
            let (outcome, ended) = load.outcome_and_time();
            let took = ended - begun;
            println!("cancel at {block:?}, {way:?}: {took:?}");
            assert!(took < GUARD, "{block:?}, {way:?}: {took:?}");
            let error = outcome.unwrap_err();
            assert_cancelled(&error, Some(block.stage()), &format!("{block:?}, {way:?}"));
            assert!(error.failing_url().is_some(), "{block:?}: {error:?}");
            scene.end(session);
        }
    }
}

#[test]
fn the_token_of_bytes_ends_their_reading() {
    let answer = Answer::ok("0123456789");
    for stall in [answer.clone().stall_after_head(), answer.stall_in_body_after(5)] {
        plain_and_tls(|over, server, session| {
            server.enqueue(stall.clone());
            let mut bytes = session.bytes(server.url("/")).unwrap();
            let token = bytes.cancel_token();
            let reading = Running::start(move || {
                let error = bytes.read_to_end(&mut Vec::new()).unwrap_err();
                // What has failed stays failed: it must not look like the end of the body.
                let again = bytes.read(&mut [0; 8]).unwrap_err();
                (reason(&error), reason(&again))
            });
            server.wait_until(|stats| stats.stalled == 1);
            let begun = Instant::now();
            token.cancel();
            let ((first, second), ended) = reading.outcome_and_time();
            println!("cancel by the token of bytes, {over}: {:?}", ended - begun);
            assert!(ended - begun < GUARD);
            assert_cancelled(&first, Some(Stage::Receiving), "first");
            assert_cancelled(&second, Some(Stage::Receiving), "second");
            server.wait_until(|stats| stats.open_connections == 0);
            nothing_is_left(session, &[&server]);
        });
    }
}

#[test]
fn a_cancel_reaches_an_upload_inside_tls() {
    plain_and_tls(|over, server, session| {
        server.enqueue(Answer::ok("").stall_reading_after(0));
        let token = CancelToken::new();
        let body = Body::opened_by(|| Ok(io::repeat(b'x'))).with_length(1 << 40);
        let request = Request::put(server.url("/")).body(body).cancel_token(&token);
        let load = start(&session, request, Way::Data);
        server.wait_until(|stats| stats.stalled == 1);
        let begun = Instant::now();
        token.cancel();
        let (outcome, ended) = load.outcome_and_time();
        println!("cancel of an upload, {over}: {:?}", ended - begun);
        assert!(ended - begun < GUARD);
        assert_cancelled(&outcome.unwrap_err(), Some(Stage::Sending), over);
        nothing_is_left(session, &[&server]);
    });
}

#[test]
fn bytes_end_by_their_own_token_and_by_that_of_their_request() {
    for by_the_request in [false, true] {
        let server = Server::start();
        server.enqueue(Answer::ok("0123456789").stall_in_body_after(5));
        let session = session(|_| {});
        let token = CancelToken::new();
        let mut bytes = session.bytes(Request::get(server.url("/")).cancel_token(&token)).unwrap();
        if by_the_request {
            token.cancel()
        } else {
            bytes.cancel_token().cancel()
        }
        assert_eq!(token.is_cancelled(), by_the_request);
        let error = bytes.read_to_end(&mut Vec::new()).unwrap_err();
        assert_eq!(reason(&error).kind(), ErrorKind::Cancelled);
        drop(bytes);
        nothing_is_left(session, &[&server]);
    }
}

#[test]
fn bytes_that_are_dropped_close_their_connection_and_nothing_else() {
    let server = Server::start();
    let session = session(|_| {});
    let token = CancelToken::new();
    let request = Request::get(server.url("/")).cancel_token(&token);
    for dropped_elsewhere in [false, true] {
        server.enqueue(Answer::ok("0123456789").stall_in_body_after(5));
        let mut bytes = session.bytes(&request).unwrap();
        bytes.read_exact(&mut [0; 5]).unwrap();
        server.wait_until(|stats| stats.stalled == 1);
        match dropped_elsewhere {
            true => thread::spawn(move || drop(bytes)).join().unwrap(),
            false => drop(bytes),
        }
        assert_eq!(Counters::of(&session).sockets(), 0);
        server.wait_until(|stats| stats.open_connections == 0);
    }
    assert!(!token.is_cancelled());
    server.enqueue(Answer::ok("fresh"));
    assert_eq!(session.data(&request).unwrap().body, b"fresh");
    assert_eq!(server.connection_count(), 3);
    nothing_is_left(session, &[&server]);
}

#[test]
fn a_load_with_a_cancelled_token_does_not_begin() {
    let server = Server::start();
    let session = session(|_| {});
    let token = CancelToken::new();
    token.cancel();
    for way in Way::BOTH {
        let request = Request::get(server.url("/")).cancel_token(&token);
        let error = way.load(&session, request).unwrap_err();
        assert_cancelled(&error, None, "before the load");
    }
    assert_eq!(Counters::of(&session).sockets(), 0);
    nothing_is_left(session, &[&server]);
    assert_eq!(server.connection_count(), 0);
}

#[test]
fn one_token_ends_all_loads_that_have_it() {
    const LOADS: usize = 12;
    let server = Server::start();
    server.handle(|request| match request.path() {
        "/head" => Answer::ok("never").stall_before_head(),
        _ => Answer::ok("0123456789").stall_in_body_after(5),
    });
    let session =
        session(|configuration| configuration.maximum_connections_per_host = Some(LOADS + 1));
    let (token, other) = (CancelToken::new(), CancelToken::new());
    let start = |path: &str, token: &CancelToken| {
        Way::Data.start(&session, Request::get(server.url(path)).cancel_token(token))
    };
    let loads: Vec<_> = (0..LOADS)
        .map(|at| {
            let path = if at % 2 == 0 { "/head" } else { "/body" };
            start(path, &token)
        })
        .collect();
    let spared = start("/body", &other);
    server.wait_until(|stats| stats.stalled == LOADS as u64 + 1);
    let begun = Instant::now();
    token.cancel();
    token.cancel();
    let mut slowest = Duration::ZERO;
    for load in loads {
        let (outcome, ended) = load.outcome_and_time();
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Cancelled);
        slowest = slowest.max(ended - begun);
    }
    println!("cancel of {LOADS} loads by one token: {slowest:?}");
    assert!(slowest < GUARD);
    assert!(spared.is_running());
    server.release();
    assert_eq!(spared.outcome().unwrap(), b"0123456789");
    nothing_is_left(session, &[&server]);
}

#[test]
fn a_cancel_after_the_end_changes_nothing() {
    let server = Server::start();
    let session = session(|_| {});
    for way in Way::BOTH {
        let token = CancelToken::new();
        server.enqueue(Answer::ok("whole"));
        let request = Request::get(server.url("/")).cancel_token(&token);
        assert_eq!(way.load(&session, request).unwrap(), b"whole");
        token.cancel();
    }
    // Bytes that were read to their end and are still there have no connection any more:
    // another load has it, and is not disturbed.
    server.enqueue(Answer::ok("whole"));
    let mut read = session.bytes(server.url("/")).unwrap();
    read.read_to_end(&mut Vec::new()).unwrap();
    server.enqueue(Answer::ok("0123456789").stall_in_body_after(5));
    let other = Way::Data.start(&session, Request::get(server.url("/")));
    server.wait_until(|stats| stats.stalled == 1);
    read.cancel_token().cancel();
    assert_eq!(read.read(&mut [0; 8]).unwrap(), 0);
    drop(read);
    server.release();
    assert_eq!(other.outcome().unwrap(), b"0123456789");
    assert_eq!(server.connection_count(), 1);
    nothing_is_left(session, &[&server]);
}

#[test]
fn nobody_is_told_of_a_cancel_that_was_not() {
    let faults: [(&str, Answer); 6] = [
        ("closed before the answer", Answer::ok("x").close_before_answer()),
        ("reset before the answer", Answer::ok("x").reset_before_answer()),
        ("closed in the head", Answer::raw("HTTP/1.1 200 OK\r\nContent-")),
        ("closed in the body", Answer::ok("0123456789").truncate_after(4)),
        ("reset in the body", Answer::ok("0123456789").reset_after(4)),
        ("stalled", Answer::ok("0123456789").stall_in_body_after(4)),
    ];
    for (name, fault) in faults {
        for way in Way::BOTH {
            let server = Server::start();
            server.enqueue(fault.clone());
            let session = session(|_| {});
            let token = CancelToken::new();
            let request = Request::get(server.url("/"))
                .timeout_for_request(Duration::from_millis(200))
                .cancel_token(&token);
            let error = way.load(&session, request).unwrap_err();
            assert_ne!(error.kind(), ErrorKind::Cancelled, "{name}, {way:?}: {error}");
            assert!(!token.is_cancelled());
            nothing_is_left(session, &[&server]);
        }
    }
}

/// Cancels what it is sent, each after so long a spin.
fn canceller(orders: Receiver<(CancelToken, Duration)>) {
    for (token, delay) in orders {
        let begun = Instant::now();
        while begun.elapsed() < delay {
            std::hint::spin_loop();
        }
        token.cancel();
    }
}

/// What is loaded, how long it is, and how long that takes at least.
fn measured(session: &Session, server: &Server) -> [(&'static str, usize, Duration); 2] {
    [("/small", 5), ("/large", 60_000)].map(|(path, length)| {
        let time = || {
            let begun = Instant::now();
            session.data(server.url(path)).unwrap();
            begun.elapsed()
        };
        (path, length, (0..50).map(|_| time()).min().unwrap())
    })
}

#[test]
fn a_session_survives_cancels_at_any_moment() {
    plain_and_tls(|over, server, session| {
        // A handshake for each that was cancelled takes its time.
        let count = if over == "plain" { 2_000 } else { 500 };
        server.handle(|request| match request.path() {
            "/small" => Answer::ok("small"),
            _ => Answer::status(200).body_of_size(60_000),
        });
        let loads = measured(&session, &server);
        let (orders, received) = channel();
        let cancelling = thread::spawn(move || canceller(received));
        let (mut cancelled, mut finished, mut seed) = (0, 0, 1u64);
        for at in 0..count {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let (path, length, least) = loads[at % 2];
            let token = CancelToken::new();
            let request = Request::get(server.url(path)).cancel_token(&token);
            // From right at the start to behind the end, as the cancelling thread is late too.
            let delay = least.mul_f64((seed >> 40) as f64 / (1 << 24) as f64);
            orders.send((token, delay)).unwrap();
            match session.data(request) {
                Ok(data) => {
                    assert_eq!(data.body.len(), length);
                    finished += 1;
                }
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::Cancelled, "load {at}, {over}: {error:?}");
                    cancelled += 1;
                }
            }
            // Nobody cancels this one, on whichever connection it is.
            let data = session.data(server.url(path));
            let data = data.unwrap_or_else(|error| panic!("{at}, {over}: {error:?}"));
            assert_eq!(data.body.len(), length);
            while server.try_take_request().is_some() {}
        }
        drop(orders);
        cancelling.join().unwrap();
        println!("{cancelled} loads cancelled, {finished} finished, {over}: {loads:?}");
        assert!(cancelled > 0 && finished > 0);
        assert!(Counters::of(&session).sockets() <= 6);
        nothing_is_left(session, &[&server]);
    });
}

#[test]
fn a_task_that_was_cancelled_before_it_is_run_says_so_even_if_its_end_was_not_told_yet() {
    let (server, queue) = (Server::start(), DeliveryQueue::manual(|| ()));
    let session = Session::with_queue(Configuration::ephemeral(), queue.clone()).unwrap();
    for is_told in [false, true] {
        let (run, updated) =
            (session.data_task(server.url("/")), session.data_task(server.url("/")));
        run.cancel();
        updated.cancel();
        if is_told {
            queue.run_pending();
        }
        assert_cancelled(&run.run().unwrap_err(), None, "run");
        let updates: Vec<Update> = updated.updates().collect();
        let [Update::Finished(Err(error))] = &updates[..] else { panic!("{updates:?}") };
        assert_cancelled(error, None, "updates");
    }
    queue.run_pending();
    assert_eq!(server.request_count(), 0);
    nothing_is_left(session, &[&server]);
}
