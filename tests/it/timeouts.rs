//! Two timers: one for each byte, one for the whole. Long waits go by a clock that is turned by
//! hand, short ones by the system's.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use urlsession::testing::{Answer, Server};
use urlsession::{Body, Clock, Error, ErrorKind, Request, Resolver, Stage};

use crate::support::running::{
    HANG, Running, Way, nothing_is_left, reason, session, turn_until_ended, wait_for,
};
use crate::support::scenes::Block;

const SHORT: Duration = Duration::from_millis(300);

/// Twenty times as long.
const GUARD: Duration = Duration::from_secs(6);

fn assert_timed_out(error: &Error, timer: &str, stage: Option<Stage>, case: &str) {
    assert_eq!(error.kind(), ErrorKind::TimedOut, "{case}: {error}");
    assert!(error.to_string().contains(timer), "{case}: {error}");
    if let Some(stage) = stage {
        assert_eq!(error.stage(), Some(stage), "{case}: {error}");
        assert!(error.to_string().contains(&stage.to_string()), "{case}: {error}");
    }
}

/// Where a load can block for longer than a timer allows; waiting for 100 (Continue) ends by
/// itself.
fn blocks() -> impl Iterator<Item = Block> {
    Block::ALL.iter().copied().filter(|block| *block != Block::Leave)
}

#[test]
fn a_wait_for_a_byte_ends_after_the_requests_timeout_at_every_stage() {
    for block in blocks() {
        for way in Way::BOTH {
            let scene = block.scene();
            let session = scene.session();
            let begun = Instant::now();
            let error =
                way.load(&session, scene.request.clone().timeout_for_request(SHORT)).unwrap_err();
            let took = begun.elapsed();
            println!("timeout of {SHORT:?} at {block:?}, {way:?}: {took:?}");
            assert!((SHORT..GUARD).contains(&took), "{block:?}: {took:?}");
            let case = format!("{block:?}, {way:?}");
            assert_timed_out(&error, "no byte either way for 300ms", Some(block.stage()), &case);
            assert_eq!(error.code(), -1001);
            scene.end(session);
        }
    }
}

#[test]
fn the_whole_load_ends_after_its_timeout_at_every_stage() {
    for block in blocks() {
        let mut scene = block.scene();
        scene.configuration.timeout_for_resource = SHORT;
        let session = scene.session();
        let begun = Instant::now();
        let error = session.data(&scene.request).unwrap_err();
        let took = begun.elapsed();
        println!("timeout_for_resource of {SHORT:?} at {block:?}: {took:?}");
        assert!((SHORT..GUARD).contains(&took), "{block:?}: {took:?}");
        let stage = Some(block.stage());
        assert_timed_out(&error, "timeout_for_resource", stage, &format!("{block:?}"));
        scene.end(session);
    }
}

#[test]
fn a_minute_passes_by_the_sessions_clock_alone() {
    for block in blocks() {
        // More than the system holds: when all of it is sent, the client has read some.
        let block = if block == Block::Body(5) { Block::Body(16 << 20) } else { block };
        let mut scene = block.scene();
        let clock = Clock::by_hand();
        scene.configuration.clock = clock.clone();
        let session = scene.session();
        let load = Way::Data.start(&session, scene.request.clone());
        scene.wait_until_blocked(&session);
        clock.advance(Duration::from_millis(59_999));
        assert!(load.is_running(), "{block:?}");
        turn_until_ended(&clock, &load);
        let error = load.outcome().unwrap_err();
        let stage = Some(block.stage());
        assert_timed_out(&error, "no byte either way for 60s", stage, &format!("{block:?}"));
        scene.end(session);
    }
}

#[test]
fn a_request_overrides_the_sessions_timeout_both_ways() {
    let server = Server::start();
    for (of_session, of_request, passes) in [
        (Duration::from_secs(60), Some(SHORT), false),
        (SHORT, Some(Duration::from_secs(60)), true),
        (SHORT, None, false),
        (Duration::MAX, None, true),
        (SHORT, Some(Duration::MAX), true),
        (Duration::from_secs(60), Some(Duration::ZERO), false),
    ] {
        let session = session(|configuration| {
            configuration.timeout_for_request = of_session;
            configuration.timeout_for_resource = Duration::MAX;
        });
        server.handle(move |_| match passes {
            true => Answer::ok("late").delay_head(2 * SHORT),
            false => Answer::ok("never").stall_before_head(),
        });
        let mut request = Request::get(server.url("/"));
        if let Some(timeout) = of_request {
            request = request.timeout_for_request(timeout);
        }
        let outcome = session.data(request);
        let case = format!("{of_session:?}, {of_request:?}");
        match outcome {
            Ok(data) => assert!(passes && data.body == b"late", "{case}"),
            Err(error) => {
                assert!(!passes, "{case}: {error}");
                assert_timed_out(&error, "no byte either way", None, &case);
            }
        }
        nothing_is_left(session, &[&server]);
    }
}

#[test]
fn every_byte_of_a_body_starts_the_timer_anew() {
    const STEPS: u64 = 10;
    let (server, clock) = (Server::start(), Clock::by_hand());
    let answer = Answer::status(200).body_of_size(STEPS + 10);
    server.enqueue((1..=STEPS).fold(answer, Answer::stall_in_body_after));
    let session = session(|configuration| configuration.clock = clock.clone());
    let mut bytes = session.bytes(server.url("/")).unwrap();
    let (tells, told) = channel();
    let reading = Running::start(move || {
        let mut byte = [0];
        loop {
            match bytes.read(&mut byte) {
                Ok(1) => tells.send(()).unwrap(),
                other => return other.map_err(|error| reason(&error)),
            }
        }
    });
    for step in 1..STEPS {
        // Both: the server stalls behind the byte that the client has got.
        told.recv_timeout(HANG).unwrap();
        server.wait_until(|stats| stats.stalled == 1);
        clock.advance(Duration::from_secs(50));
        assert!(reading.is_running(), "after {step} bytes");
        server.release();
    }
    told.recv_timeout(HANG).unwrap();
    server.wait_until(|stats| stats.stalled == 1);
    wait_for("the end of the body", || {
        clock.advance(Duration::from_secs(30));
        !reading.is_running_after(Duration::from_millis(20))
    });
    let error = reading.outcome().unwrap_err();
    assert_timed_out(&error, "no byte either way for 60s", Some(Stage::Receiving), "stall");
    nothing_is_left(session, &[&server]);
}

#[test]
fn a_server_that_drips_is_heard_to_the_end() {
    // Twenty bytes a second, and a timer that is twenty times the pause between them.
    const PAUSE: Duration = Duration::from_millis(50);
    let server = Server::start();
    let head_in_drips = Answer::status(103).take_over(|connection| {
        let head = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nX: y\r\n\r\n!";
        for byte in head {
            thread::sleep(PAUSE);
            connection.write_all(&[*byte]).unwrap();
        }
    });
    for (name, answer, body) in [
        ("body", Answer::ok("0123456789".repeat(4)).drip(20), "0123456789".repeat(4)),
        ("head", head_in_drips, "!".to_owned()),
    ] {
        server.enqueue(answer);
        let session = session(|configuration| configuration.timeout_for_request = 20 * PAUSE);
        let begun = Instant::now();
        let data = session.data(server.url("/")).unwrap();
        println!("{name} in drips: {:?}", begun.elapsed());
        assert!(begun.elapsed() > 30 * PAUSE, "{name}: that was no drip");
        assert_eq!(data.text(), body, "{name}");
        nothing_is_left(session, &[&server]);
    }
}

/// Counts what is read of it.
struct Counted(Arc<AtomicU64>);

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        buffer.fill(b'x');
        self.0.fetch_add(buffer.len() as u64, Ordering::SeqCst);
        Ok(buffer.len())
    }
}

#[test]
fn every_byte_that_a_server_takes_starts_the_timer_anew() {
    // More than a third of what the system holds for the client: only then it says that there
    // is room again.
    const STEP: usize = 8 << 20;
    let (server, clock) = (Server::start(), Clock::by_hand());
    let (orders, ordered) = channel::<()>();
    let ordered = std::sync::Mutex::new(ordered);
    server.enqueue(Answer::status(103).respond_before_body().take_over(move |connection| {
        let mut taken = vec![0; 64 << 10];
        for () in ordered.lock().unwrap().iter() {
            for _ in 0..STEP / taken.len() {
                connection.read_exact(&mut taken).unwrap();
            }
        }
    }));
    let session = session(|configuration| configuration.clock = clock.clone());
    let pulled = Arc::new(AtomicU64::new(0));
    let body = Body::reader(Counted(pulled.clone())).with_length(1 << 40);
    let load = Way::Data.start(&session, Request::put(server.url("/")).body(body));
    for step in 0..6 {
        let before = pulled.load(Ordering::SeqCst);
        orders.send(()).unwrap();
        wait_for("room for more", || pulled.load(Ordering::SeqCst) > before + (1 << 20));
        clock.advance(Duration::from_secs(40));
        assert!(load.is_running(), "step {step}");
    }
    turn_until_ended(&clock, &load);
    let error = load.outcome().unwrap_err();
    assert_timed_out(&error, "no byte either way for 60s", Some(Stage::Sending), "stall");
    drop(orders);
    nothing_is_left(session, &[&server]);
}

#[test]
fn each_wait_has_the_timer_to_itself() {
    let (server, clock) = (Server::start(), Clock::by_hand());
    let most = Duration::from_secs(50);
    let turned = clock.clone();
    server.handle(move |request| {
        turned.advance(most);
        if request.path() == "/" { Answer::redirect(302, "/next") } else { Answer::ok("there") }
    });
    let (turned, address) = (clock.clone(), server.address());
    let session = session(|configuration| {
        configuration.clock = clock.clone();
        configuration.resolver = Some(Resolver::new(move |_, _| {
            turned.advance(most);
            Ok(vec![address])
        }));
    });
    // 150 seconds in all, in waits of 50.
    let data = session.data(server.url_with_host("shop.test", "/")).unwrap();
    assert_eq!(data.text(), "there");
    nothing_is_left(session, &[&server]);
}

#[test]
fn the_timeout_of_a_whole_load_counts_look_ups_and_redirects() {
    for resolver_takes in [0, 90] {
        let (server, clock) = (Server::start(), Clock::by_hand());
        let turned = clock.clone();
        server.handle(move |_| {
            turned.advance(Duration::from_secs(30));
            Answer::redirect(302, "/again")
        });
        let (turned, address) = (clock.clone(), server.address());
        let session = session(|configuration| {
            configuration.clock = clock.clone();
            configuration.timeout_for_request = Duration::from_secs(1000);
            configuration.timeout_for_resource = Duration::from_secs(100);
            configuration.resolver = Some(Resolver::new(move |_, _| {
                turned.advance(Duration::from_secs(resolver_takes));
                Ok(vec![address])
            }));
        });
        let error = session.data(server.url_with_host("shop.test", "/")).unwrap_err();
        assert_timed_out(&error, "timeout_for_resource", None, &format!("{resolver_takes}"));
        // The one that passes the deadline may be answered before the client looks.
        let most = (100 - resolver_takes).div_ceil(30) + 1;
        assert!(server.request_count() <= most, "{} requests", server.request_count());
        nothing_is_left(session, &[&server]);
    }
}

#[test]
fn the_timeout_of_a_whole_load_ends_a_body_that_never_does() {
    let server = Server::start();
    let drips = || Answer::status(200).endless_body("x").drip(50);
    for way in Way::BOTH {
        server.enqueue(drips());
        let session = session(|configuration| configuration.timeout_for_resource = SHORT);
        let begun = Instant::now();
        let error = way.load(&session, Request::get(server.url("/"))).unwrap_err();
        println!("endless drip, timeout_for_resource of {SHORT:?}, {way:?}: {:?}", begun.elapsed());
        assert!((SHORT..GUARD).contains(&begun.elapsed()));
        assert_timed_out(&error, "timeout_for_resource", None, "drip");
        nothing_is_left(session, &[&server]);
    }
}

#[test]
fn a_resolver_that_is_too_slow_is_abandoned() {
    let (lets, wait) = channel::<()>();
    let wait = std::sync::Mutex::new(wait);
    let session = session(|configuration| {
        configuration.timeout_for_resource = SHORT;
        configuration.resolver = Some(Resolver::new(move |_, port| {
            let _ = wait.lock().unwrap().recv();
            Ok(vec![SocketAddr::from(([127, 0, 0, 1], port))])
        }));
    });
    let error = session.data("http://shop.test:1/").unwrap_err();
    assert_timed_out(&error, "timeout_for_resource", Some(Stage::LookingUp), "resolver");
    drop(lets);
    nothing_is_left(session, &[]);
}
