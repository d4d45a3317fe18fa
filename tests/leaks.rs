//! What sessions take from the process they give back: threads, descriptors, memory. A program of
//! its own with one test, because it counts what belongs to the whole process.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "leaks/states.rs"]
mod states;

use std::fs;
use std::io::{self, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use urlsession::testing::{Answer, Counters, Refusal, Server};
use urlsession::{Body, CancelToken, Configuration, ErrorKind, Request, Resolver, Session};

/// No step waits longer for anything.
const HANG: Duration = Duration::from_secs(30);

/// What the process has: its threads by name, and what its descriptors are.
#[derive(Debug, PartialEq, Eq)]
struct Possessions {
    threads: Vec<String>,
    descriptors: Vec<String>,
}

impl Possessions {
    fn now() -> Self {
        let named = |entry: &Path| fs::read_to_string(entry.join("comm"));
        let mut threads = listed("/proc/self/task", |entry| named(entry).ok());
        let target = |entry: &Path| fs::read_link(entry).ok();
        let mut descriptors =
            listed("/proc/self/fd", |entry| Some(target(entry)?.to_string_lossy().into_owned()));
        threads.sort();
        descriptors.sort();
        Self { threads, descriptors }
    }
}

/// Lists a directory; what is gone before it is looked at is left out.
fn listed(directory: &str, describe: impl Fn(&Path) -> Option<String>) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    entries.filter_map(|entry| describe(&entry.ok()?.path())).collect()
}

/// Waits until the process has what it had: a thread that was joined may still be listed for a
/// moment.
fn settle(before: &Possessions, step: &str) {
    let deadline = Instant::now() + HANG;
    loop {
        let now = Possessions::now();
        if now == *before {
            return;
        }
        assert!(Instant::now() < deadline, "{step}: {before:?} became {now:?}");
        thread::park_timeout(Duration::from_millis(1));
    }
}

/// The most memory that the process has had in use since [`forget_peak`], in bytes.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let kilobytes: u64 = line.trim().strip_suffix(" kB").unwrap().parse().unwrap();
    kilobytes * 1024
}

fn forget_peak() {
    fs::write("/proc/self/clear_refs", "5").unwrap();
}

fn session(change: impl FnOnce(&mut Configuration)) -> Session {
    let mut configuration = Configuration::ephemeral();
    // Loads that stall must not keep others from their turn.
    configuration.maximum_connections_per_host = Some(1000);
    configuration.maximum_concurrent_tasks = 1000;
    change(&mut configuration);
    Session::new(configuration).unwrap()
}

/// A server that has the same short answer for all, and a session that trusts it.
fn plain() -> (Server, Session) {
    let server = Server::builder().recording(false).start();
    server.handle(|_| Answer::ok("here"));
    (server, session(|_| {}))
}

#[cfg(feature = "tls")]
fn secured() -> (Server, Session) {
    let authority = urlsession::testing::Authority::new();
    let identity = authority.identity(&["127.0.0.1"]);
    let server = Server::builder().recording(false).tls(&identity).start();
    server.handle(|_| Answer::ok("here"));
    let session = session(|configuration| {
        configuration.trusts_system_roots = false;
        let root = urlsession::Certificate::from_der(authority.certificate_der());
        configuration.additional_roots = vec![root];
    });
    (server, session)
}

fn one_after_another((server, session): (Server, Session), count: u64) {
    let counters = Counters::of(&session);
    let url = server.url("/");
    for _ in 0..count {
        assert_eq!(session.data(&url).unwrap().body, b"here");
    }
    assert_eq!((server.request_count(), server.connection_count()), (count, 1));
    assert_eq!((counters.threads(), counters.sockets()), (1, 1));
}

fn each_on_its_own_connection((server, session): (Server, Session), count: u64) {
    let request = Request::get(server.url("/")).header("Connection", "close");
    for _ in 0..count {
        assert_eq!(session.data(&request).unwrap().body, b"here");
    }
    assert_eq!(server.connection_count(), count);
    assert_eq!(Counters::of(&session).sockets(), 0);
}

fn at_once((server, session): (Server, Session), count: u64) {
    // All of them are answered when all are there.
    server.handle(|_| Answer::ok("here").stall_before_head());
    let url = server.url("/");
    thread::scope(|scope| {
        for _ in 0..count {
            scope.spawn(|| assert_eq!(session.data(&url).unwrap().body, b"here"));
        }
        server.wait_until(|stats| stats.stalled == count);
        assert_eq!(Counters::of(&session).sockets() as u64, count);
        server.release();
    });
    assert_eq!(server.connection_count(), count);
    // As many are kept as were in use at once, up to what is kept in all.
    assert_eq!(Counters::of(&session).sockets() as u64, count.min(256));
}

/// Loads that end in all the ways in which one can.
fn mixed((server, session): (Server, Session), rounds: usize) {
    server.handle(|request| match request.path() {
        "/closed" => Answer::ok("here").close_before_answer(),
        "/reset" => Answer::ok("here").reset_before_answer(),
        "/cut" => Answer::ok("0123456789").truncate_after(5),
        "/garbage" => Answer::raw("neither head nor body"),
        "/never" => Answer::ok("here").stall_before_head(),
        "/large" => Answer::status(200).body_of_size(1 << 20),
        "/redirect" => Answer::redirect(302, "/"),
        _ => Answer::ok("here"),
    });
    server.handle_head(|request| {
        (request.path() == "/early").then(|| Answer::status(413).respond_before_body())
    });
    let refusal = Refusal::start();
    for round in 0..rounds {
        for path in ["/closed", "/reset", "/cut", "/garbage"] {
            session.data(server.url(path)).unwrap_err();
        }
        session.data(refusal.url("/")).unwrap_err();
        session.data(server.url("/redirect")).unwrap();
        // Read to the end, in part, not at all.
        let mut bytes = session.bytes(server.url("/large")).unwrap();
        bytes.by_ref().take(round as u64 * 100_000).read_to_end(&mut Vec::new()).unwrap();
        drop(bytes);
        let hurried =
            Request::get(server.url("/never")).timeout_for_request(Duration::from_millis(1));
        session.data(hurried).unwrap_err();
        cancelled(&session, server.url("/never"), round);
        let body = Body::opened_by(|| Ok(io::repeat(b'x'))).with_length(1 << 40);
        let refused = session.data(Request::put(server.url("/early")).body(body)).unwrap();
        assert_eq!(refused.response.status(), 413);
    }
    assert!(Counters::of(&session).sockets() <= 6);
}

/// A load that is cancelled at some moment.
fn cancelled(session: &Session, url: String, round: usize) {
    let token = CancelToken::new();
    let request = Request::get(url).cancel_token(&token);
    thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..round * 100 {
                std::hint::spin_loop();
            }
            token.cancel();
        });
        assert_eq!(session.data(request).unwrap_err().kind(), ErrorKind::Cancelled);
    });
}

fn looked_up(count: usize) {
    let (server, _) = plain();
    let address = server.address();
    let session = session(|configuration| {
        configuration.resolver = Some(Resolver::new(move |host, _| match host {
            "bad.test" => Err(io::Error::other("as told")),
            "slow.test" => {
                thread::park_timeout(Duration::from_millis(5));
                Ok(Vec::<SocketAddr>::new())
            }
            _ => Ok(vec![address]),
        }));
    });
    thread::scope(|scope| {
        for at in 0..count {
            let session = &session;
            scope.spawn(move || {
                let hosts = ["good.test", "bad.test", "slow.test"];
                let outcome = session.data(format!("http://{}/", hosts[at % 3]));
                assert_eq!(outcome.is_ok(), at % 3 == 0);
            });
        }
    });
    assert!(Counters::of(&session).threads() <= 9);
}

fn many_sessions(count: usize) {
    let (server, _) = plain();
    let address = server.address();
    for _ in 0..count {
        let session = session(|configuration| {
            configuration.resolver = Some(Resolver::new(move |_, _| Ok(vec![address])));
        });
        assert_eq!(session.data("http://shop.test/").unwrap().body, b"here");
    }
}

const MUCH: u64 = 200 << 20;

fn much_out(body: impl FnOnce() -> Body) {
    let server = Server::builder().recording(false).body_limit(0).start();
    server.enqueue(Answer::ok("taken"));
    let session = session(|_| {});
    let body = body();
    forget_peak();
    let before = peak();
    session.data(Request::put(server.url("/")).body(body)).unwrap();
    let grown = peak().saturating_sub(before);
    assert_eq!(server.stats().body_bytes, MUCH);
    println!("upload of {MUCH} bytes: memory grew by {grown} bytes");
    assert!(grown < 16 << 20, "{grown}");
}

fn much_in() {
    let server = Server::start();
    server.enqueue(Answer::status(200).body_of_size(MUCH));
    let session = session(|_| {});
    forget_peak();
    let before = peak();
    let mut bytes = session.bytes(server.url("/")).unwrap();
    assert_eq!(io::copy(&mut bytes, &mut io::sink()).unwrap(), MUCH);
    let grown = peak().saturating_sub(before);
    println!("download of {MUCH} bytes: memory grew by {grown} bytes");
    assert!(grown < 16 << 20, "{grown}");
}

/// The ends of pipes that the process has.
fn ends_of_pipes() -> usize {
    Possessions::now().descriptors.iter().filter(|name| name.starts_with("pipe:")).count()
}

/// Large bodies that stop on their way into files: each has a pipe, as long as there are any.
fn downloads_at_once(count: usize) {
    const LENGTH: u64 = 3 << 20;
    let server = Server::builder().recording(false).start();
    server.handle(|_| Answer::status(200).body_of_size(LENGTH).stall_in_body_after(LENGTH / 2));
    let session = session(|_| {});
    let before = ends_of_pipes();
    let tasks: Vec<_> = (0..count).map(|_| session.download_task(server.url("/"))).collect();
    tasks.iter().for_each(|task| drop(task.resume()));
    let deadline = Instant::now() + HANG;
    while tasks.iter().any(|task| task.progress().bytes_received < LENGTH / 2) {
        assert!(Instant::now() < deadline, "not all have begun");
        thread::park_timeout(Duration::from_millis(1));
    }
    assert_eq!(ends_of_pipes() - before, 2 * count.min(16));
    server.wait_until(|stats| stats.stalled == count as u64);
    server.release();
    assert!(session.wait_until_idle(HANG));
    for task in tasks {
        assert_eq!(task.progress().bytes_received, LENGTH);
    }
    assert_eq!((ends_of_pipes(), Counters::of(&session).files()), (before, 0));
}

#[test]
fn what_sessions_take_they_give_back() {
    let steps: &[(&str, fn())] = &[
        // First, while no memory lies about that was given back and could be taken again.
        ("a large upload", || {
            much_out(|| Body::opened_by(|| Ok(io::repeat(b'x').take(MUCH))).with_length(MUCH));
        }),
        ("a large upload in chunks", || much_out(|| Body::reader(io::repeat(b'x').take(MUCH)))),
        ("a large download", much_in),
        ("10,000 loads, one after another", || one_after_another(plain(), 10_000)),
        ("1,000 connections", || each_on_its_own_connection(plain(), 1_000)),
        ("200 loads at once", || at_once(plain(), 200)),
        ("20 downloads at once", || downloads_at_once(20)),
        ("loads that end in every way", || mixed(plain(), 50)),
        ("look-ups", || looked_up(100)),
        ("300 sessions", || many_sessions(300)),
        ("100 sessions that finish their tasks", || states::sessions(100, states::Way::Finish)),
        ("100 sessions that cancel their tasks", || states::sessions(100, states::Way::Cancel)),
        ("100 sessions that are dropped", || states::sessions(100, states::Way::Drop)),
        #[cfg(feature = "tls")]
        ("10,000 loads over TLS", || one_after_another(secured(), 10_000)),
        #[cfg(feature = "tls")]
        ("200 connections with TLS", || each_on_its_own_connection(secured(), 200)),
        #[cfg(feature = "tls")]
        ("200 loads at once over TLS", || at_once(secured(), 200)),
        #[cfg(feature = "tls")]
        ("TLS loads that end in every way", || mixed(secured(), 20)),
    ];
    let before = Possessions::now();
    for (name, step) in steps {
        let begun = Instant::now();
        step();
        settle(&before, name);
        println!(
            "{name}: {} threads and {} descriptors as before, after {:?}",
            before.threads.len(),
            before.descriptors.len(),
            begun.elapsed()
        );
    }
}
