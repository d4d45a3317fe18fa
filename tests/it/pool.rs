//! Connections that are kept: for whom, how many, how long, and which are not.

use std::io::Read;
use std::net::SocketAddr;
use std::time::Duration;

use urlsession::testing::{Answer, Counters, Recorded, Server};
use urlsession::{Body, Clock, Request, Resolver, Session};

use crate::support::running::{Running, Way, nothing_is_left, plain_and_tls, session, wait_for};

/// Loads the root of `server` and returns on which connection that was.
fn connection_of_a_load(session: &Session, server: &Server) -> u64 {
    while server.try_take_request().is_some() {}
    server.enqueue(Answer::ok("here"));
    assert_eq!(session.data(server.url("/")).unwrap().body, b"here");
    server.take_request().connection()
}

#[test]
fn loads_one_after_another_share_one_connection() {
    let server = Server::start();
    let session = session(|_| {});
    type Make = fn(String) -> Request;
    let cases: [(&str, Make, Answer, &[u8]); 9] = [
        ("length", Request::get, Answer::ok("hello"), b"hello"),
        ("empty", Request::get, Answer::ok(""), b""),
        ("chunks", Request::get, Answer::ok("hello").chunked(2), b"hello"),
        ("chunks and trailers", Request::get, Answer::ok("hi").chunked(2).trailer("A", "b"), b"hi"),
        ("HEAD", Request::head, Answer::ok("hello"), b""),
        ("204", Request::delete, Answer::status(204), b""),
        ("304", Request::get, Answer::status(304), b""),
        ("404", Request::get, Answer::status(404).body("none"), b"none"),
        (
            "a body",
            |url| Request::post(url).body(Body::reader(&b"question"[..])),
            Answer::ok("answer"),
            b"answer",
        ),
    ];
    let mut sequence = 0;
    for (name, request, answer, body) in cases {
        for way in Way::BOTH {
            server.enqueue(answer.clone());
            let loaded = way.load(&session, request(server.url("/"))).unwrap();
            assert_eq!(loaded, body, "{name}, {way:?}");
            let request = server.take_request();
            assert_eq!((request.connection(), request.sequence()), (0, sequence), "{name}");
            sequence += 1;
        }
    }
    assert_eq!(Counters::of(&session).sockets(), 1);
    nothing_is_left(session, &[&server]);
}

/// A whole answer, and bytes that nobody asked for behind it.
fn answer_and_more(length: usize) -> Answer {
    let body = "x".repeat(length);
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
    let more = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";
    Answer::raw(format!("{head}{body}{more}")).keep_open()
}

#[test]
fn a_connection_is_closed_where_one_side_says_so_or_its_end_is_unclear() {
    let http_10 = || Answer::ok("hello").version("HTTP/1.0");
    for (name, close, answer, is_reused) in [
        ("server closes", false, Answer::ok("hello").header("Connection", "close"), false),
        ("in a list", false, Answer::ok("hello").header("Connection", "foo, Close"), false),
        ("client closes", true, Answer::ok("hello"), false),
        ("HTTP/1.0", false, http_10(), false),
        ("HTTP/1.0 keep-alive", false, http_10().header("Connection", "keep-alive"), true),
        ("until close", false, Answer::ok("hello").until_close(), false),
        ("no framing", false, Answer::ok("hello").no_framing(), false),
        ("two lengths", false, Answer::ok("hello").header("Content-Length", "5, 5"), false),
        (
            "length and chunks",
            false,
            Answer::ok("hello")
                .chunked(9)
                .header("Transfer-Encoding", "chunked")
                .header("Content-Length", "5"),
            false,
        ),
        ("204 with a length", false, Answer::status(204).header("Content-Length", "5"), false),
        ("204 with nothing", false, Answer::status(204).header("Content-Length", "0"), true),
        ("closed without a word", false, Answer::ok("hello").close_after_answer(), false),
    ] {
        for way in Way::BOTH {
            let server = Server::start();
            let session = session(|_| {});
            server.enqueue(answer.clone());
            let mut request = Request::get(server.url("/"));
            if close {
                request = request.header("Connection", "close");
            }
            let body = way.load(&session, request).unwrap();
            assert_eq!(body, if name.starts_with("204") { "" } else { "hello" }.as_bytes());
            if !is_reused {
                server.wait_until(|stats| stats.open_connections == 0);
            }
            let next = connection_of_a_load(&session, &server);
            assert_eq!(next == 0, is_reused, "{name}, {way:?}");
            nothing_is_left(session, &[&server]);
        }
    }
}

/// With a body of these lengths less that of the head before it, what is behind it begins a TLS
/// record.
const RECORD: usize = 16_384;
const HEAD: usize = "HTTP/1.1 200 OK\r\nContent-Length: 12345\r\n\r\n".len();

#[test]
fn bytes_behind_a_body_are_never_taken_for_the_next_answer() {
    // What is read into the reader's own buffer, and what is read ahead, differ by size.
    let lengths = [0, 5, 4_000, 16_384, 20_000, 30_000, 100_000];
    for length in lengths.into_iter().chain([RECORD - HEAD, 2 * RECORD - HEAD]) {
        for way in Way::BOTH {
            plain_and_tls(|over, server, session| {
                server.enqueue(answer_and_more(length));
                let body = way.load(&session, Request::get(server.url("/"))).unwrap();
                assert_eq!(body.len(), length, "{way:?}, {over}");
                // What is still on its way nobody can know of.
                server.wait_until(|stats| stats.answers == 1);
                let next = connection_of_a_load(&session, &server);
                assert_eq!(next, 1, "{length}, {way:?}, {over}");
                nothing_is_left(session, &[&server]);
            });
        }
    }
}

#[test]
fn a_body_that_is_not_read_to_its_end_takes_its_connection_along() {
    let whole = "0123456789";
    for (name, answer, read, is_reused) in [
        ("nothing", Answer::ok(whole), 0, false),
        ("some", Answer::ok(whole), 4, false),
        ("all", Answer::ok(whole), 10, true),
        ("an empty body", Answer::ok(""), 0, true),
        (
            "chunks without the last",
            Answer::ok(whole).chunked(5).stall_in_body_after(10),
            10,
            false,
        ),
    ] {
        let server = Server::start();
        let session = session(|_| {});
        server.enqueue(answer);
        let mut bytes = session.bytes(server.url("/")).unwrap();
        bytes.read_exact(&mut vec![0; read]).unwrap();
        drop(bytes);
        assert_eq!(Counters::of(&session).sockets(), usize::from(is_reused), "{name}");
        assert_eq!(connection_of_a_load(&session, &server) == 0, is_reused, "{name}");
        nothing_is_left(session, &[&server]);
    }
}

/// Starts `count` loads at once, each on a connection of its own, and ends them one by one;
/// returns their connections in the order in which they ended.
fn end_in_order(session: &Session, server: &Server, count: u64) -> Vec<u64> {
    let before = server.stats();
    let loads: Vec<_> = (0..count)
        .map(|at| {
            server.enqueue(Answer::ok("held").stall_before_head());
            let load = Way::Data.start(session, Request::get(server.url(&format!("/{at}"))));
            server.wait_until(|stats| stats.heads == before.heads + at + 1);
            load
        })
        .collect();
    server.wait_until(|stats| stats.stalled == count);
    let order = (0..count).map(|_| server.take_request().connection()).collect();
    server.release();
    for load in loads {
        load.outcome().unwrap();
    }
    order
}

#[test]
fn the_connection_used_last_is_used_first() {
    let server = Server::start();
    let session = session(|_| {});
    // Two loads at once: the one that ends last is next.
    for _ in 0..3 {
        server.enqueue(Answer::ok("01").stall_in_body_after(1));
        let mut first = session.bytes(server.url("/")).unwrap();
        let of_first = server.take_request().connection();
        let of_second = connection_of_a_load(&session, &server);
        assert_ne!(of_first, of_second);
        server.wait_until(|stats| stats.stalled == 1);
        server.release();
        first.read_to_end(&mut Vec::new()).unwrap();
        assert_eq!(connection_of_a_load(&session, &server), of_first);
    }
    assert_eq!(server.connection_count(), 2);
    nothing_is_left(session, &[&server]);
}

#[test]
fn no_more_idle_connections_are_kept_than_allowed() {
    for (per_host, in_all, kept) in [
        (6, 64, [4, 4]),
        (2, 64, [2, 2]),
        (6, 5, [1, 4]),
        (6, 4, [0, 4]),
        (6, 1, [0, 1]),
        (0, 64, [0, 0]),
        (6, 0, [0, 0]),
    ] {
        let servers = [Server::start(), Server::start()];
        let session = session(|configuration| {
            configuration.maximum_idle_connections_per_host = Some(per_host);
            configuration.maximum_idle_connections = Some(in_all);
        });
        for server in &servers {
            end_in_order(&session, server, 4);
        }
        for (server, kept) in servers.iter().zip(kept) {
            server.wait_until(|stats| stats.open_connections == kept);
        }
        let sockets = Counters::of(&session).sockets() as u64;
        assert_eq!(sockets, kept.iter().sum::<u64>(), "{per_host}, {in_all}");
        nothing_is_left(session, &servers.iter().collect::<Vec<_>>());
    }
}

#[test]
fn an_idle_connection_is_closed_when_its_time_is_over() {
    let (server, clock) = (Server::start(), Clock::by_hand());
    let session = session(|configuration| configuration.clock = clock.clone());
    let counters = Counters::of(&session);
    assert_eq!(connection_of_a_load(&session, &server), 0);
    clock.advance(Duration::from_millis(89_999));
    assert_eq!(connection_of_a_load(&session, &server), 0);
    clock.advance(Duration::from_millis(89_999));
    assert_eq!(connection_of_a_load(&session, &server), 0);
    // No request is needed for it.
    clock.advance(Duration::from_secs(90));
    server.wait_until(|stats| stats.open_connections == 0);
    wait_for("no socket", || counters.sockets() == 0);
    // And a thread is needed only while something is idle.
    wait_for("no thread", || {
        clock.advance(Duration::from_secs(90));
        counters.threads() == 0
    });
    assert_eq!(connection_of_a_load(&session, &server), 1);
    assert_eq!(counters.threads(), 1);
    nothing_is_left(session, &[&server]);
}

#[test]
fn an_idle_connection_may_be_kept_for_ever_or_not_at_all() {
    for (timeout, kept) in [(Duration::MAX, true), (Duration::ZERO, false)] {
        let (server, clock) = (Server::start(), Clock::by_hand());
        let session = session(|configuration| {
            configuration.clock = clock.clone();
            configuration.idle_connection_timeout = timeout;
        });
        assert_eq!(connection_of_a_load(&session, &server), 0);
        clock.advance(Duration::from_secs(1 << 30));
        for _ in 0..3 {
            let used = connection_of_a_load(&session, &server);
            assert_eq!(used == 0, kept, "{timeout:?}");
        }
        if kept {
            // Somebody watches it, in vain.
            assert_eq!(Counters::of(&session).threads(), 1);
        }
        nothing_is_left(session, &[&server]);
    }
}

#[test]
fn connections_belong_to_a_host_and_port() {
    let servers = [Server::start(), Server::start()];
    for server in &servers {
        server.handle(|_| Answer::ok("here"));
    }
    let session = session(|configuration| {
        configuration.resolver =
            Some(Resolver::new(|_, port| Ok(vec![SocketAddr::from(([127, 0, 0, 1], port))])));
    });
    let load = |server: &Server, host: &str| -> Recorded {
        session.data(server.url_with_host(host, "/")).unwrap();
        server.take_request()
    };
    for (at, host, connection) in [
        (0, "shop.test", 0),
        (0, "127.0.0.1", 1),
        (0, "other.test", 2),
        (1, "shop.test", 0),
        // The same names, written in other ways.
        (0, "SHOP.test", 0),
        (0, "ann:secret@shop.test", 0),
        (0, "2130706433", 1),
        (0, "other.test", 2),
        (1, "shop.test", 0),
        // A name with a dot at its end is another name to a virtual host.
        (0, "shop.test.", 3),
    ] {
        assert_eq!(load(&servers[at], host).connection(), connection, "{host}, server {at}");
    }
    nothing_is_left(session, &[&servers[0], &servers[1]]);
}

#[test]
fn sessions_do_not_share_connections() {
    let server = Server::start();
    let (one, other) = (session(|_| {}), session(|_| {}));
    assert_eq!(connection_of_a_load(&one, &server), 0);
    assert_eq!(connection_of_a_load(&other, &server), 1);
    // Clones are the same session.
    let same = one.clone();
    assert_eq!(connection_of_a_load(&same, &server), 0);
    drop(same);
    nothing_is_left(one, &[]);
    nothing_is_left(other, &[&server]);
}

#[test]
fn a_body_outlives_its_session() {
    let server = Server::start();
    let session = session(|_| {});
    let counters = Counters::of(&session);
    connection_of_a_load(&session, &server);
    server.enqueue(Answer::ok("0123456789").stall_in_body_after(5));
    let mut bytes = session.bytes(server.url("/")).unwrap();
    drop(session);
    assert_eq!(counters.sockets(), 1);
    server.wait_until(|stats| stats.stalled == 1);
    server.release();
    let mut body = Vec::new();
    bytes.read_to_end(&mut body).unwrap();
    assert_eq!(body, b"0123456789");
    // With it the session has ended, and everything of it.
    assert_eq!((counters.sockets(), counters.threads()), (0, 0));
    server.wait_until(|stats| stats.open_connections == 0);
}

#[test]
fn many_threads_share_a_session() {
    const THREADS: u64 = 20;
    const LOADS: u64 = 50;
    let server = Server::builder().recording(false).start();
    server.handle(|request| Answer::ok(request.path()));
    let session = session(|_| {});
    let threads: Vec<_> = (0..THREADS)
        .map(|thread| {
            let (session, server) = (session.clone(), server.url(""));
            Running::start(move || {
                for load in 0..LOADS {
                    let path = format!("/{thread}/{load}");
                    let data = session.data(format!("{server}{path}")).unwrap();
                    assert_eq!(data.text(), path);
                }
            })
        })
        .collect();
    for thread in threads {
        thread.outcome();
    }
    println!("{} loads over {} connections", THREADS * LOADS, server.connection_count());
    assert_eq!(server.request_count(), THREADS * LOADS);
    assert!(server.connection_count() <= THREADS);
    assert!(Counters::of(&session).sockets() <= THREADS as usize);
    nothing_is_left(session, &[&server]);
}
