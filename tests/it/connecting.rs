//! From addresses to a connection: the first that answers, or an error that says where it
//! failed.

use std::net::{Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};
use urlsession::testing::{Answer, Counters, Refusal, Server};
use urlsession::{Clock, Configuration, ErrorKind, Request, Resolver, Session, Stage};

use crate::support::running::{Way, nothing_is_left, session, wait_for};

/// How long one address has the field to itself (RFC 8305 §8).
const HEAD_START: Duration = Duration::from_millis(250);

/// Twenty times as long.
const GUARD: Duration = Duration::from_secs(5);

fn answering(host: &str) -> Option<Server> {
    let server = Server::builder().address(host).try_start().ok()?;
    server.handle(|_| Answer::ok("here"));
    Some(server)
}

/// A session for which every host has these addresses.
fn found_at(addresses: &[SocketAddr], change: impl FnOnce(&mut Configuration)) -> Session {
    let addresses = addresses.to_vec();
    session(|configuration| {
        configuration.resolver = Some(Resolver::new(move |_, _| Ok(addresses.clone())));
        change(configuration);
    })
}

#[test]
fn a_refused_connection_names_its_stage_and_url() {
    let refusal = Refusal::start();
    for way in Way::BOTH {
        let session = session(|_| {});
        let request = Request::get(refusal.url("/path?secret"));
        let error = way.load(&session, request).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::CannotConnectToHost, "{error}");
        assert_eq!(error.stage(), Some(Stage::Connecting));
        assert_eq!(error.failing_url(), Some(&*refusal.url("/path")));
        assert_eq!(error.code(), -1004);
        let source = std::error::Error::source(&error).unwrap();
        let source = source.downcast_ref::<std::io::Error>().unwrap();
        assert_eq!(source.kind(), std::io::ErrorKind::ConnectionRefused);
        nothing_is_left(session, &[]);
    }
}

#[test]
fn every_address_is_tried_before_it_is_an_error() {
    let refusals: Vec<_> = (0..3).map(|_| Refusal::start()).collect();
    let addresses: Vec<_> = refusals.iter().map(Refusal::address).collect();
    // Not even a moment passes by this clock: a failed attempt lets the next one start.
    let by_hand = |configuration: &mut Configuration| configuration.clock = Clock::by_hand();
    let failing = found_at(&addresses, by_hand);
    let error = failing.data("http://shop.test/").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CannotConnectToHost, "{error}");
    assert!(error.to_string().contains("3 addresses"), "{error}");
    nothing_is_left(failing, &[]);

    let server = answering("127.0.0.1").unwrap();
    for place in 0..=3 {
        let mut addresses = addresses.clone();
        addresses.insert(place, server.address());
        let session = found_at(&addresses, by_hand);
        assert_eq!(session.data("http://shop.test/").unwrap().body, b"here", "{place}");
        assert_eq!(Counters::of(&session).sockets(), 1);
        nothing_is_left(session, &[&server]);
    }
    let session = found_at(&[addresses[0], server.address()], |_| {});
    let begun = Instant::now();
    session.data("http://shop.test/").unwrap();
    println!("one address that refuses: {:?}", begun.elapsed());
    nothing_is_left(session, &[&server]);
}

#[cfg(target_os = "linux")]
#[test]
fn an_address_that_swallows_costs_a_head_start_and_no_more() {
    use urlsession::testing::BlackHole;

    let holes = [BlackHole::start(), BlackHole::start()];
    let server = answering("127.0.0.1").unwrap();
    for count in 1..=2 {
        let mut addresses: Vec<_> = holes[..count].iter().map(BlackHole::address).collect();
        addresses.push(server.address());
        let session = found_at(&addresses, |_| {});
        let begun = Instant::now();
        assert_eq!(session.data("http://shop.test/").unwrap().body, b"here");
        let took = begun.elapsed();
        println!("{count} addresses that swallow: {took:?}");
        assert!((HEAD_START * count as u32..GUARD).contains(&took), "{took:?}");
        // Those that lost the race are closed.
        assert_eq!(Counters::of(&session).sockets(), 1);
        nothing_is_left(session, &[&server]);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_head_start_goes_by_the_sessions_clock() {
    use urlsession::testing::BlackHole;

    let (hole, clock) = (BlackHole::start(), Clock::by_hand());
    let server = answering("127.0.0.1").unwrap();
    let session = found_at(&[hole.address(), server.address()], |configuration| {
        configuration.clock = clock.clone();
    });
    let load = Way::Data.start(&session, Request::get("http://shop.test/"));
    let counters = Counters::of(&session);
    wait_for("an attempt", || counters.sockets() == 1);
    clock.advance(HEAD_START - Duration::from_millis(1));
    assert!(load.is_running());
    assert_eq!(counters.sockets(), 1);
    clock.advance(Duration::from_millis(1));
    assert_eq!(load.outcome().unwrap(), b"here");
    nothing_is_left(session, &[&server]);
}

#[test]
fn both_families_are_tried_beginning_with_the_first() {
    let Some(six) = answering("[::1]") else {
        println!("skipped: this machine has no IPv6");
        return;
    };
    let four = answering("127.0.0.1").unwrap();
    let refusal = Refusal::start();
    let (v6, v4, no) = (six.address(), four.address(), refusal.address());
    // A port that is taken, and nobody listens.
    let silent = Socket::new(Domain::IPV6, Type::STREAM, None).unwrap();
    silent.bind(&SocketAddr::from((Ipv6Addr::LOCALHOST, 0)).into()).unwrap();
    let no_v6 = silent.local_addr().unwrap().as_socket().unwrap();
    for (addresses, is_v6) in [
        (&[v6, v4][..], true),
        (&[v4, v6], false),
        (&[no_v6, v4], false),
        (&[no, v6], true),
        (&[no_v6, no, v6], true),
        (&[no, no_v6, v4], false),
        // Families take turns: the second one's only address comes before the first one's next.
        (&[no_v6, v6, v4], false),
        (&[no, v4, v6], true),
    ] {
        let (before_six, before_four) = (six.request_count(), four.request_count());
        let session = found_at(addresses, |_| {});
        assert_eq!(session.data("http://shop.test/").unwrap().body, b"here", "{addresses:?}");
        let asked = (six.request_count() - before_six, four.request_count() - before_four);
        assert_eq!(asked, if is_v6 { (1, 0) } else { (0, 1) }, "{addresses:?}");
        nothing_is_left(session, &[&six, &four]);
    }
    let session = session(|_| {});
    assert_eq!(session.data(six.url("/")).unwrap().body, b"here");
    nothing_is_left(session, &[&six]);
}

#[cfg(unix)]
mod unix_sockets {
    use std::path::PathBuf;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::{env, fs, process};

    use super::*;

    fn free_path() -> PathBuf {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::SeqCst);
        env::temp_dir().join(format!("urlsession-it-{}-{number}.sock", process::id()))
    }

    #[test]
    fn all_connections_are_made_to_the_unix_socket() {
        let path = free_path();
        let server = Server::builder().unix_socket(&path).start();
        server.handle(|_| Answer::ok("here"));
        let session = session(|configuration| {
            configuration.unix_socket = Some(path.clone());
            configuration.resolver = Some(Resolver::new(|_, _| panic!("nobody is looked up")));
        });
        for (url, host, connection) in [
            ("http://shop.test/a", "shop.test", 0),
            ("http://shop.test/b", "shop.test", 0),
            ("http://127.0.0.1:1/", "127.0.0.1:1", 1),
            ("http://other.test:8080/", "other.test:8080", 2),
            ("http://shop.test/c", "shop.test", 0),
        ] {
            assert_eq!(session.data(url).unwrap().body, b"here", "{url}");
            let request = server.take_request();
            assert_eq!(request.header("Host"), Some(host), "{url}");
            assert_eq!(request.connection(), connection, "{url}");
        }
        // What a server does to an idle connection shows there too.
        server.close_idle_connections();
        assert_eq!(session.data(Request::post("http://shop.test/d")).unwrap().body, b"here");
        assert_eq!(server.take_request().connection(), 3);
        nothing_is_left(session, &[&server]);
    }

    #[cfg(feature = "tls")]
    #[test]
    fn tls_over_a_unix_socket_verifies_the_host_of_the_url() {
        let path = free_path();
        let authority = urlsession::testing::Authority::new();
        let identity = authority.identity(&["shop.test"]);
        let server = Server::builder().unix_socket(&path).tls(&identity).start();
        server.handle(|_| Answer::ok("here"));
        let session = session(|configuration| {
            configuration.unix_socket = Some(path.clone());
            configuration.trusts_system_roots = false;
            let root = urlsession::Certificate::from_der(authority.certificate_der());
            configuration.additional_roots = vec![root];
        });
        assert_eq!(session.data("https://shop.test/").unwrap().body, b"here");
        assert_eq!(server.take_request().sni(), Some("shop.test"));
        let error = session.data("https://other.test/").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ServerCertificateUntrusted, "{error}");
        assert_eq!(error.stage(), Some(Stage::Securing));
        nothing_is_left(session, &[&server]);
    }

    #[test]
    fn a_unix_socket_that_cannot_be_had_says_why() {
        let (missing, file) = (free_path(), free_path());
        fs::write(&file, "no socket").unwrap();
        let long = env::temp_dir().join("x".repeat(200));
        for path in [&missing, &file, &long] {
            let session = session(|configuration| configuration.unix_socket = Some(path.clone()));
            let error = session.data("http://shop.test/").unwrap_err();
            assert_eq!(error.kind(), ErrorKind::CannotConnectToHost, "{path:?}: {error}");
            assert_eq!(error.stage(), Some(Stage::Connecting), "{path:?}: {error}");
            assert!(std::error::Error::source(&error).is_some(), "{path:?}: {error:?}");
            nothing_is_left(session, &[]);
        }
        fs::remove_file(file).unwrap();
    }
}
