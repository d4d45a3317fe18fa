//! From a host name to addresses: the system's way, and a program's own.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Instant;

use urlsession::testing::{Answer, Counters, Server};
use urlsession::{CancelToken, Clock, ErrorKind, Request, Resolver, Session, Stage};

use crate::support::running::{Way, nothing_is_left, session, wait_for};

/// What a resolver was asked.
type Asked = Arc<Mutex<Vec<(String, u16)>>>;

/// A session whose resolver notes what it is asked and answers with `resolve`.
fn resolving(
    resolve: impl Fn(&str, u16) -> io::Result<Vec<SocketAddr>> + Send + Sync + 'static,
) -> (Session, Asked) {
    resolving_by(Clock::system(), resolve)
}

/// The same by a clock; by one that stands still, no look-up hangs.
fn resolving_by(
    clock: Clock,
    resolve: impl Fn(&str, u16) -> io::Result<Vec<SocketAddr>> + Send + Sync + 'static,
) -> (Session, Asked) {
    let asked = Asked::default();
    let notes = asked.clone();
    let resolver = Resolver::new(move |host, port| {
        notes.lock().unwrap().push((host.to_owned(), port));
        resolve(host, port)
    });
    let session = session(|configuration| {
        configuration.resolver = Some(resolver);
        configuration.clock = clock;
    });
    (session, asked)
}

#[test]
fn a_resolver_is_asked_for_each_connection_and_each_host_literals_too() {
    let server = Server::start();
    server.handle(|request| match request.path() {
        "/away" => Answer::redirect(302, "http://other.test:81/"),
        "/close" => Answer::ok("here").close_after_answer().header("Connection", "close"),
        _ => Answer::ok("here"),
    });
    let address = server.address();
    let (session, asked) = resolving(move |_, _| Ok(vec![address]));
    for (url, expected) in [
        ("http://shop.test/", &[("shop.test", 80)][..]),
        // This one has its connection.
        ("http://shop.test/close", &[]),
        ("http://shop.test/again", &[("shop.test", 80)]),
        ("http://shop.test:8080/", &[("shop.test", 8080)]),
        ("http://SHOP.test:81/", &[("shop.test", 81)]),
        ("http://192.0.2.7:82/", &[("192.0.2.7", 82)]),
        ("http://[2001:db8::7]/", &[("2001:db8::7", 80)]),
        ("http://away.test/away", &[("away.test", 80), ("other.test", 81)]),
        ("http://b\u{fc}cher.test/", &[("xn--bcher-kva.test", 80)]),
    ] {
        assert_eq!(session.data(url).unwrap().body, b"here", "{url}");
        let asked = std::mem::take(&mut *asked.lock().unwrap());
        let asked: Vec<_> = asked.iter().map(|(host, port)| (&**host, *port)).collect();
        assert_eq!(asked, expected, "{url}");
    }
    nothing_is_left(session, &[&server]);
}

#[test]
fn a_look_up_that_fails_says_how() {
    type Resolve = fn(&str, u16) -> io::Result<Vec<SocketAddr>>;
    let cases: [(&str, Resolve, ErrorKind); 3] = [
        ("no address", |_, _| Ok(Vec::new()), ErrorKind::CannotFindHost),
        ("an error", |_, _| Err(io::Error::other("only odd hosts")), ErrorKind::CannotFindHost),
        ("a panic", |_, _| panic!("on purpose"), ErrorKind::DelegatePanicked),
    ];
    for (name, resolve, kind) in cases {
        let server = Server::start();
        server.handle(|_| Answer::ok("here"));
        let address = server.address();
        let (session, _) = resolving(move |host, port| match host {
            "good.test" => Ok(vec![address]),
            _ => resolve(host, port),
        });
        for url in ["http://bad.test/a?secret", "http://192.0.2.7/a?secret"] {
            let error = session.data(url).unwrap_err();
            assert_eq!(error.kind(), kind, "{name}: {error}");
            assert_eq!(error.stage(), Some(Stage::LookingUp), "{name}: {error}");
            assert_eq!(error.failing_url(), url.strip_suffix("?secret"), "{name}");
            if name == "an error" {
                let source = std::error::Error::source(&error).unwrap().to_string();
                assert_eq!(source, "only odd hosts");
            }
        }
        // Whatever it was, the next look-up is not harmed.
        assert_eq!(session.data("http://good.test/").unwrap().body, b"here", "{name}");
        nothing_is_left(session, &[&server]);
    }
}

#[test]
fn the_system_finds_localhost_and_nothing_that_is_invalid() {
    let server = Server::start();
    server.handle(|_| Answer::ok("here"));
    let session = session(|_| {});
    assert_eq!(session.data(server.url_with_host("localhost", "/")).unwrap().body, b"here");
    let begun = Instant::now();
    // RFC 6761 §6.4: there is no such name anywhere.
    let error = session.data("http://no-such-host.invalid/").unwrap_err();
    println!("look-up of an .invalid name: {:?}", begun.elapsed());
    assert_eq!(error.kind(), ErrorKind::CannotFindHost, "{error}");
    assert_eq!(error.stage(), Some(Stage::LookingUp));
    assert_eq!(error.code(), -1003);
    assert!(std::error::Error::source(&error).is_some());
    nothing_is_left(session, &[&server]);
}

#[test]
fn an_onion_name_is_never_looked_up() {
    let server = Server::start();
    server.handle(|_| Answer::ok("here"));
    let address = server.address();
    let (session, asked) = resolving(move |_, _| Ok(vec![address]));
    for url in ["http://abc.onion/", "http://www.ABC.Onion/", "http://abc.onion./", "http://onion/"]
    {
        let error = session.data(url).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::CannotFindHost, "{url}: {error}");
        assert_eq!(error.stage(), Some(Stage::LookingUp), "{url}");
        assert!(error.to_string().contains("onion"), "{url}: {error}");
    }
    assert!(asked.lock().unwrap().is_empty());
    for url in ["http://onion.test/", "http://notonion/"] {
        assert_eq!(session.data(url).unwrap().body, b"here", "{url}");
    }
    nothing_is_left(session, &[&server]);
}

/// Holds whoever passes until it is opened, and counts them.
#[derive(Default)]
struct Gate {
    state: Mutex<(usize, bool)>,
    opened: Condvar,
}

impl Gate {
    fn pass(&self) {
        let mut state = self.state.lock().unwrap();
        state.0 += 1;
        drop(self.opened.wait_while(state, |state| !state.1).unwrap());
    }

    fn open(&self) {
        self.state.lock().unwrap().1 = true;
        self.opened.notify_all();
    }

    fn passed(&self) -> usize {
        self.state.lock().unwrap().0
    }
}

#[test]
fn look_ups_share_a_few_threads() {
    const LOADS: usize = 32;
    let server = Server::start();
    server.handle(|_| Answer::ok("here"));
    let (gate, address) = (Arc::new(Gate::default()), server.address());
    let held = gate.clone();
    let (session, asked) = resolving_by(Clock::by_hand(), move |_, _| {
        held.pass();
        Ok(vec![address])
    });
    let counters = Counters::of(&session);
    let loads: Vec<_> = (0..LOADS)
        .map(|at| Way::Data.start(&session, Request::get(format!("http://host-{at}.test/"))))
        .collect();
    wait_for("look-ups", || gate.passed() == 8);
    assert_eq!(counters.threads(), 8);
    gate.open();
    for load in loads {
        assert_eq!(load.outcome().unwrap(), b"here");
    }
    assert_eq!(asked.lock().unwrap().len(), LOADS);
    nothing_is_left(session, &[&server]);
}

#[test]
fn a_look_up_that_nobody_waits_for_any_more_is_not_made() {
    let gate = Arc::new(Gate::default());
    let held = gate.clone();
    let (session, asked) = resolving_by(Clock::by_hand(), move |_, _| {
        held.pass();
        Ok(Vec::new())
    });
    let token = CancelToken::new();
    let loads: Vec<_> = (0..32)
        .map(|at| {
            let request = Request::get(format!("http://host-{at}.test/"));
            Way::Data.start(&session, request.cancel_token(&token))
        })
        .collect();
    wait_for("look-ups", || gate.passed() == 8);
    token.cancel();
    for load in loads {
        let error = load.outcome().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Cancelled, "{error}");
    }
    gate.open();
    // The helpers have seen all questions when they have ended.
    nothing_is_left(session, &[]);
    assert_eq!(asked.lock().unwrap().len(), 8);
}

#[test]
fn a_session_ends_although_a_look_up_does_not() {
    let gate = Arc::new(Gate::default());
    let held = gate.clone();
    let (session, _) = resolving(move |_, _| {
        held.pass();
        Ok(Vec::new())
    });
    let token = CancelToken::new();
    let request = Request::get("http://shop.test/").cancel_token(&token);
    let load = Way::Data.start(&session, request);
    wait_for("a look-up", || gate.passed() == 1);
    token.cancel();
    load.outcome().unwrap_err();
    let counters = Counters::of(&session);
    drop(session);
    assert_eq!(counters.threads(), 1);
    gate.open();
    wait_for("no thread", || counters.threads() == 0);
}

/// A session whose look-ups of hosts that begin with `dead` are held by the gate.
fn some_hang(clock: &Clock, server: &Server) -> (Session, Asked, Arc<Gate>) {
    let (gate, address) = (Arc::new(Gate::default()), server.address());
    let held = gate.clone();
    let (session, asked) = resolving_by(clock.clone(), move |host, _| {
        if host.starts_with("dead") {
            held.pass();
        }
        Ok(vec![address])
    });
    (session, asked, gate)
}

fn answering() -> Server {
    let server = Server::start();
    server.handle(|_| Answer::ok("here"));
    server
}

#[test]
fn all_who_ask_for_a_host_at_once_share_one_look_up() {
    let (server, clock) = (answering(), Clock::by_hand());
    let (session, asked, gate) = some_hang(&clock, &server);
    let counters = Counters::of(&session);
    let load = |url: &str| Way::Data.start(&session, Request::get(url));
    let loads: Vec<_> = (0..16).map(|at| load(&format!("http://dead.test/{at}"))).collect();
    wait_for("a look-up", || gate.passed() == 1);
    // Another port may be at other addresses, for all that a resolver knows.
    let other = load("http://dead.test:81/");
    wait_for("another look-up", || gate.passed() == 2);
    assert_eq!(counters.threads(), 2);
    gate.open();
    for load in loads.into_iter().chain([other]) {
        assert_eq!(load.outcome().unwrap(), b"here");
    }
    let mut asked = asked.lock().unwrap().clone();
    asked.sort();
    // One that came when the answer was there has asked again.
    asked.dedup();
    assert_eq!(asked, [("dead.test".to_owned(), 80), ("dead.test".to_owned(), 81)]);
    nothing_is_left(session, &[&server]);
}

#[test]
fn a_failure_is_for_those_who_wait_and_the_next_one_asks_again() {
    let (server, gate) = (answering(), Arc::new(Gate::default()));
    let (held, address) = (gate.clone(), server.address());
    let (session, asked) = resolving_by(Clock::by_hand(), move |_, _| {
        held.pass();
        match held.passed() {
            1 => Err(io::Error::other("not yet")),
            _ => Ok(vec![address]),
        }
    });
    let first = Way::Data.start(&session, Request::get("http://shop.test/"));
    wait_for("a look-up", || gate.passed() == 1);
    gate.open();
    let error = first.outcome().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CannotFindHost, "{error}");
    assert_eq!(session.data("http://shop.test/").unwrap().body, b"here");
    assert_eq!(asked.lock().unwrap().len(), 2);
    nothing_is_left(session, &[&server]);
}

#[test]
fn one_who_leaves_does_not_end_the_look_up_of_the_others() {
    let (server, clock) = (answering(), Clock::by_hand());
    let (session, asked, gate) = some_hang(&clock, &server);
    let token = CancelToken::new();
    let request = || Request::get("http://dead.test/");
    let leaver = Way::Data.start(&session, request().cancel_token(&token));
    wait_for("a look-up", || gate.passed() == 1);
    let stayer = Way::Data.start(&session, request());
    token.cancel();
    assert_eq!(leaver.outcome().unwrap_err().kind(), ErrorKind::Cancelled);
    assert!(stayer.is_running());
    gate.open();
    assert_eq!(stayer.outcome().unwrap(), b"here");
    assert!(asked.lock().unwrap().len() <= 2);
    nothing_is_left(session, &[&server]);
}

#[test]
fn look_ups_that_hang_keep_no_other_host_waiting() {
    let (server, clock) = (answering(), Clock::by_hand());
    let (session, _, gate) = some_hang(&clock, &server);
    let dead: Vec<_> = (0..8)
        .map(|at| Way::Data.start(&session, Request::get(format!("http://dead{at}.test/"))))
        .collect();
    wait_for("eight look-ups", || gate.passed() == 8);
    let good = Way::Data.start(&session, Request::get("http://good.test/"));
    clock.advance(std::time::Duration::from_millis(250));
    assert_eq!(good.outcome().unwrap(), b"here");
    assert!(dead.iter().all(|load| load.is_running()));
    // One more is there for all who come now.
    assert_eq!(session.data("http://other.test/").unwrap().body, b"here");
    assert_eq!(Counters::of(&session).threads(), 9 + 1, "with the pool's");
    gate.open();
    for load in dead {
        assert_eq!(load.outcome().unwrap(), b"here");
    }
    nothing_is_left(session, &[&server]);
}

#[test]
fn one_host_that_hangs_keeps_two_helpers_at_most() {
    let (server, clock) = (answering(), Clock::by_hand());
    let (session, asked, gate) = some_hang(&clock, &server);
    let dead: Vec<_> = (1..=8)
        .map(|port| Way::Data.start(&session, Request::get(format!("http://dead.test:{port}/"))))
        .collect();
    wait_for("two look-ups", || gate.passed() == 2);
    for at in 0..6 {
        assert_eq!(session.data(format!("http://good{at}.test/")).unwrap().body, b"here");
    }
    clock.advance(std::time::Duration::from_secs(30));
    assert_eq!(session.data("http://better.test/").unwrap().body, b"here");
    assert_eq!(gate.passed(), 2);
    gate.open();
    for load in dead {
        assert_eq!(load.outcome().unwrap(), b"here");
    }
    assert_eq!(asked.lock().unwrap().len(), 8 + 7);
    nothing_is_left(session, &[&server]);
}

#[test]
fn a_look_up_that_has_hung_for_long_is_begun_anew_for_those_who_come_later() {
    let (server, clock) = (answering(), Clock::by_hand());
    let (gate, address) = (Arc::new(Gate::default()), server.address());
    let held = gate.clone();
    let (session, asked) = resolving_by(clock.clone(), move |_, _| {
        // The network is back: only the first one hangs.
        if held.passed() == 0 {
            held.pass();
        }
        Ok(vec![address])
    });
    let first = Way::Data.start(&session, Request::get("http://shop.test/"));
    wait_for("a look-up", || gate.passed() == 1);
    clock.advance(std::time::Duration::from_secs(5));
    assert_eq!(session.data("http://shop.test/").unwrap().body, b"here");
    assert!(first.is_running());
    assert_eq!(asked.lock().unwrap().len(), 2);
    gate.open();
    assert_eq!(first.outcome().unwrap(), b"here");
    nothing_is_left(session, &[&server]);
}
