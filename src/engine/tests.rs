//! Connections that one load has for its own.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::time::Duration;

use http::Method;
use url::Url;

use super::{Engine, IdleLimits, Settings};
use crate::census::Census;
use crate::clock::Clock;
use crate::headers::Headers;
use crate::testing::{Answer, Server};
use crate::wire::{Context, Route, Wire, WireRequest, WireResponse};

/// What an engine is made with that trusts nobody.
pub(super) fn settings() -> Settings {
    let timeout = Duration::from_secs(90);
    Settings {
        idle: IdleLimits { per_origin: 6, in_all: 64, timeout },
        #[cfg(feature = "tls")]
        trust: super::Trust {
            versions: (crate::trust::TlsVersion::Tls12, crate::trust::TlsVersion::Tls13),
            roots: Vec::new(),
            system_roots: false,
            pins: Vec::new(),
        },
        #[cfg(feature = "tls")]
        credentials: None,
        resolver: None,
        #[cfg(unix)]
        unix_socket: None,
        clock: Clock::system(),
        census: Census::default(),
    }
}

fn engine() -> Engine {
    Engine::new(settings()).unwrap()
}

/// What a load has for all of its exchanges.
pub(super) fn load() -> Context {
    let (clock, idle) = (Clock::system(), Duration::from_secs(30));
    Context { cancel: None, clock, idle, deadline: None, connect: None, dialogue: None }
}

fn exchange(wire: &dyn Wire, context: &Context, url: &str) -> WireResponse {
    let (method, url, mut headers) = (Method::GET, Url::parse(url).unwrap(), Headers::new());
    headers.push("Host", url.authority());
    let added = &Headers::new();
    let request = WireRequest {
        method: &method,
        url: &url,
        route: Route::direct(&url, None),
        headers: &headers,
        added,
        body: None,
    };
    wire.exchange(&request, context, &mut None).unwrap()
}

fn read(mut answer: WireResponse) {
    let mut buffer = [0; 1024];
    while answer.body.read(&mut buffer).unwrap() > 0 {}
}

#[test]
fn three_legs_go_over_one_connection_that_nobody_else_gets() {
    for body in ["", "refused"] {
        let (server, engine) = (Server::start(), engine());
        server.handle(move |_| Answer::ok(body));
        let (url, context, own) = (server.url("/"), load(), engine.reserved());
        for _ in 0..2 {
            exchange(&*own, &context, &url).body.discard();
            // Another load of the session comes between the legs.
            read(exchange(&engine, &load(), &url));
        }
        read(exchange(&*own, &context, &url));
        let connections: Vec<_> = (0..5).map(|_| server.take_request().connection()).collect();
        let [first, other, second, same, third] = connections[..] else { panic!() };
        assert_eq!((first, other), (second, same), "{body:?}");
        assert_eq!(first, third, "{body:?}");
        assert_ne!(first, other, "{body:?}");
        // The last answer was delivered, so the connection has served its load.
        server.wait_until(|stats| stats.open_connections == 1);
        read(exchange(&engine, &load(), &url));
        assert_eq!(server.take_request().connection(), other, "{body:?}");
    }
}

/// What becomes of a load after its first leg; the last is a URL of another server.
type End = fn(&Engine, &dyn Wire, WireResponse, &str);

#[test]
fn a_connection_of_its_own_goes_with_the_load_however_that_ends() {
    let (server, elsewhere, engine) = (Server::start(), Server::start(), engine());
    server.handle(|_| Answer::ok("refused"));
    elsewhere.handle(|_| Answer::ok(""));
    let url = server.url("/");
    let ends: [(&str, End); 5] = [
        ("given up between two legs", |_, _, response, _| response.body.discard()),
        ("dropped with its body", |_, _, response, _| drop(response)),
        ("delivered and read", |_, _, response, _| read(response)),
        ("gone elsewhere", |_, own, response, other| {
            response.body.discard();
            read(exchange(own, &load(), other));
        }),
        ("after the session was reset", |engine, _, response, _| {
            response.body.discard();
            engine.renew();
        }),
    ];
    for (name, end) in ends {
        let own = engine.reserved();
        let response = exchange(&*own, &load(), &url);
        server.wait_until(|stats| stats.open_connections == 1);
        end(&engine, &*own, response, &elsewhere.url("/"));
        drop(own);
        assert!(
            server.wait_until_for(Duration::from_secs(30), |stats| stats.open_connections == 0),
            "{name}"
        );
    }
}

#[test]
fn a_connection_of_the_pool_that_a_load_has_taken_for_its_own_does_not_come_back() {
    let (server, engine) = (Server::start(), engine());
    server.handle(|_| Answer::ok("x"));
    let url = server.url("/");
    read(exchange(&engine, &load(), &url));
    read(exchange(&*engine.reserved(), &load(), &url));
    server.wait_until(|stats| stats.open_connections == 0);
    read(exchange(&engine, &load(), &url));
    assert_eq!(server.connection_count(), 2);
}

#[test]
fn after_a_reset_the_next_leg_takes_a_new_connection() {
    let (server, engine) = (Server::start(), engine());
    server.handle(|_| Answer::ok("x"));
    let own = engine.reserved();
    exchange(&*own, &load(), &server.url("/")).body.discard();
    engine.renew();
    read(exchange(&*own, &load(), &server.url("/")));
    assert_eq!(server.connection_count(), 2);
}
