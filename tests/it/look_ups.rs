//! From a host name to addresses: the system's way, and a program's own.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Instant;

use urlsession::testing::{Answer, Counters, Server};
use urlsession::{CancelToken, ErrorKind, Request, Resolver, Session, Stage};

use crate::running::{Way, nothing_is_left, session, wait_for};

/// What a resolver was asked.
type Asked = Arc<Mutex<Vec<(String, u16)>>>;

/// A session whose resolver notes what it is asked and answers with `resolve`.
fn resolving(
    resolve: impl Fn(&str, u16) -> io::Result<Vec<SocketAddr>> + Send + Sync + 'static,
) -> (Session, Asked) {
    let asked = Asked::default();
    let notes = asked.clone();
    let resolver = Resolver::new(move |host, port| {
        notes.lock().unwrap().push((host.to_owned(), port));
        resolve(host, port)
    });
    (session(|configuration| configuration.resolver = Some(resolver)), asked)
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
    let (session, asked) = resolving(move |_, _| {
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
    let (session, asked) = resolving(move |_, _| {
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
