use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use super::{Bare, get, post, text};
use crate::testing::{Answer, HandshakeFault, RequestFault, Server};

const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n";
const BODY: &str = "0123456789";

fn started(answer: Answer) -> (Server, Bare) {
    let server = Server::start();
    server.enqueue(answer);
    let mut client = Bare::connect(&server);
    client.send(get("/"));
    (server, client)
}

#[test]
fn stalls_hold_an_answer_until_they_are_released() {
    let cases = [
        (Answer::ok(BODY).stall_before_head(), ""),
        (Answer::ok(BODY).stall_after_head(), HEAD),
        (Answer::ok(BODY).stall_in_body_after(3), &format!("{HEAD}012")),
        (Answer::ok(BODY).stall_in_body_after(10), &format!("{HEAD}{BODY}")),
    ];
    for (answer, before) in cases {
        let (server, mut client) = started(answer);
        client.expect(before);
        server.wait_until(|stats| stats.stalled == 1);
        client.expect_nothing_yet();
        assert_eq!((server.stats().answers, server.stats().idle_connections), (0, 0));
        server.release();
        client.expect(&format!("{HEAD}{BODY}")[before.len()..]);
        server.wait_until(|stats| stats.answers == 1 && stats.stalled == 0);
    }
}

#[test]
fn a_stall_notices_that_the_client_leaves() {
    let (server, mut client) = started(Answer::ok(BODY).stall_after_head());
    client.expect(HEAD).send("bytes of another request");
    server.wait_until(|stats| stats.stalled == 1);
    drop(client);
    server.wait_until(|stats| stats.open_connections == 0 && stats.stalled == 0);
}

#[test]
fn bodies_end_early_as_told() {
    let cut = |answer: Answer| started(answer).1.rest();
    assert_eq!(cut(Answer::ok(BODY).truncate_after(0)), HEAD);
    assert_eq!(cut(Answer::ok(BODY).truncate_after(4)), format!("{HEAD}0123"));
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunked = || Answer::ok(BODY).chunked(6);
    assert_eq!(cut(chunked().truncate_after(4)), format!("{head}6\r\n0123"));
    assert_eq!(cut(chunked().truncate_after(6)), format!("{head}6\r\n012345\r\n"));
    assert_eq!(cut(chunked().truncate_after(10)), format!("{head}6\r\n012345\r\n4\r\n6789\r\n"));
    assert_eq!(cut(Answer::raw("HTTP/1.1 200 OK").truncate_after(8)), "HTTP/1.1");
    assert_eq!(cut(Answer::ok(BODY).close_before_answer()), "");
}

#[test]
fn connections_are_reset_as_told() {
    let (server, mut client) = started(Answer::ok(BODY).stall_in_body_after(4).reset_after(4));
    client.expect(HEAD).expect("0123");
    server.wait_until(|stats| stats.stalled == 1);
    server.release();
    client.expect_reset();

    started(Answer::ok(BODY).reset_before_answer()).1.expect_reset();
    started(Answer::ok(BODY).reset_after(0)).1.expect_reset();
    started(Answer::ok(BODY).reset_after_answer()).1.expect_reset();
}

#[test]
fn a_request_may_be_cut_while_its_body_comes() {
    for (answer, resets) in [
        (Answer::ok("").close_after_reading(3), false),
        (Answer::ok("").reset_after_reading(3), true),
    ] {
        let server = Server::start();
        server.enqueue(answer);
        let mut client = Bare::connect(&server);
        client.send(post(10)).send("0123456");
        match resets {
            true => client.expect_reset(),
            false => assert_eq!(client.rest(), ""),
        }
        drop(client);
        let request = server.take_request();
        assert_eq!((request.body_text(), request.is_complete()), ("012", false));
    }
}

#[test]
fn a_body_may_be_left_unread() {
    let server = Server::start();
    server.enqueue(Answer::status(413).never_read_body());
    let mut client = Bare::connect(&server);
    client.send(post(100_000_000));
    client.expect("HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n");
    server.wait_until(|stats| stats.stalled == 1);
    client.0.set_nonblocking(true).unwrap();
    let mut sent = 0;
    while let Ok(count) = client.0.write(&[0; 65536]) {
        sent += count;
    }
    assert!(sent < 100_000_000, "the socket took everything");
    assert_eq!(server.stats().body_bytes, 0);
    client.0.set_nonblocking(false).unwrap();
    server.release();
    client.expect_reset();
}

#[test]
fn reading_a_body_may_stall_and_go_on() {
    let server = Server::start();
    server.enqueue(Answer::ok(BODY).stall_reading_after(3));
    let mut client = Bare::connect(&server);
    client.send("PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    client.send("2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n");
    server.wait_until(|stats| stats.stalled == 1);
    assert_eq!(server.stats().body_bytes, 3);
    server.release();
    client.expect(HEAD).expect(BODY);
    assert_eq!(server.take_request().body_text(), "abcde");
}

#[test]
fn the_nth_request_of_each_connection_may_fail() {
    let server = Server::start();
    server.handle(|_| Answer::ok(BODY));
    for (fault, resets) in
        [(RequestFault::close_after(5), false), (RequestFault::reset_after(1), true)]
    {
        server.fault_on_request(1, fault);
        let mut client = Bare::connect(&server);
        client.send(get("/")).expect(HEAD).expect(BODY).send(get("/"));
        match resets {
            true => client.expect_reset(),
            false => assert_eq!(client.rest(), ""),
        }
    }
    assert_eq!(server.request_count(), 2);
}

#[test]
fn idle_connections_can_be_ended_behind_the_clients_back() {
    let server = Server::start();
    server.handle(|_| Answer::ok(BODY));
    let mut busy = Bare::connect(&server);
    busy.send(post(1));
    server.wait_until(|stats| stats.heads == 1);
    for _ in 0..100 {
        let mut client = Bare::connect(&server);
        client.send(get("/")).expect(HEAD).expect(BODY);
        server.close_idle_connections();
        assert_eq!(server.open_connections(), 1);
        assert_eq!(client.rest(), "");

        let mut client = Bare::connect(&server);
        client.send(get("/")).expect(HEAD).expect(BODY);
        server.reset_idle_connections();
        client.expect_reset();
    }
    busy.send("a").expect(HEAD).expect(BODY);
}

#[test]
fn delays_and_drips_take_their_time() {
    let begun = Instant::now();
    let (_server, mut client) = started(Answer::ok(BODY).delay_head(Duration::from_millis(50)));
    client.expect(HEAD).expect(BODY);
    assert!(begun.elapsed() >= Duration::from_millis(50));

    let begun = Instant::now();
    let (_server, mut client) = started(Answer::ok(BODY).drip(100));
    client.expect(HEAD).expect(BODY);
    // Ten bytes in pieces of two; the last piece is not waited for.
    assert!(begun.elapsed() >= Duration::from_millis(80));

    let begun = Instant::now();
    let pause = Duration::from_millis(50);
    let (_server, mut client) = started(Answer::ok(BODY).delay_in_body_after(4, pause));
    client.expect(HEAD).expect(BODY);
    assert!(begun.elapsed() >= pause);

    let begun = Instant::now();
    let server = Server::start();
    server.enqueue(Answer::ok(BODY).read_slowly(100));
    Bare::connect(&server).send(post(5)).send("01234").expect(HEAD).expect(BODY);
    assert!(begun.elapsed() >= pause);
    assert_eq!(server.take_request().body_text(), "01234");
}

#[test]
fn handshake_faults_meet_a_connection_before_its_first_request() {
    let server = Server::start();
    server.handle(|_| Answer::ok(BODY));
    server.fail_next_handshake(HandshakeFault::Close);
    server.fail_next_handshake(HandshakeFault::Bytes(b"garbage".to_vec()));
    server.fail_next_handshake(HandshakeFault::Alert(40));
    server.fail_next_handshake(HandshakeFault::Reset);
    server.fail_next_handshake(HandshakeFault::Stall);
    assert_eq!(Bare::connect(&server).rest(), "");
    assert_eq!(Bare::connect(&server).send("hello?").rest(), "garbage");
    assert_eq!(Bare::connect(&server).send("hello?").rest(), "\u{15}\u{3}\u{3}\0\u{2}\u{2}(");
    Bare::connect(&server).send("hello?").expect_reset();
    let mut stalled = Bare::connect(&server);
    stalled.send(get("/"));
    server.wait_until(|stats| stats.stalled == 1);
    Bare::connect(&server).send(get("/")).expect(HEAD).expect(BODY);
    server.release();
    assert_eq!(stalled.rest(), "");
}

#[test]
fn a_connection_can_be_taken_over() {
    let server = Server::start();
    let upgrade = Answer::status(101).header("Upgrade", "shout");
    server.enqueue(upgrade.take_over(|connection| {
        let mut word = [0; 5];
        connection.read_exact(&mut word).unwrap();
        connection.write_all(text(&word).to_uppercase().as_bytes()).unwrap();
    }));
    let mut client = Bare::connect(&server);
    client.send(format!("{}hello", get("/")));
    client.expect("HTTP/1.1 101 Switching Protocols\r\nUpgrade: shout\r\n\r\nHELLO");
    assert_eq!(client.rest(), "");
}

#[test]
fn a_tunnel_carries_bytes_both_ways() {
    let origin = Server::start();
    origin.handle(|_| Answer::ok(BODY));
    let proxy = Server::start();
    proxy.handle(|_| {
        Answer::status(200).take_over(|connection| {
            let target = connection.target().parse().unwrap();
            connection.tunnel_to(target).unwrap();
        })
    });
    let mut client = Bare::connect(&proxy);
    let target = origin.address();
    client.send(format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n{}", get("/1")));
    client.expect("HTTP/1.1 200 OK\r\n\r\n").expect(HEAD).expect(BODY);
    client.send(get("/2")).expect(HEAD).expect(BODY);
    origin.close_idle_connections();
    assert_eq!(client.rest(), "");
    assert_eq!(origin.take_request().path(), "/1");
    drop(client);
    proxy.wait_until(|stats| stats.open_connections == 0);

    let mut client = Bare::connect(&proxy);
    client.send(format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n"));
    client.expect("HTTP/1.1 200 OK\r\n\r\n");
    drop(proxy);
    assert_eq!(client.rest(), "");
}

#[cfg(target_os = "linux")]
#[test]
fn a_black_hole_neither_takes_nor_refuses() {
    use std::net::TcpStream;

    use crate::testing::BlackHole;

    let holes: Vec<BlackHole> = (0..10).map(|_| BlackHole::start()).collect();
    for hole in &holes {
        for _ in 0..2 {
            let patience = Duration::from_millis(20);
            let error = TcpStream::connect_timeout(&hole.address(), patience).unwrap_err();
            assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
        }
    }
}

#[test]
fn a_refusal_keeps_its_port() {
    let refusal = crate::testing::Refusal::start();
    let error = std::net::TcpStream::connect(refusal.address()).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
    assert!(TcpListener::bind(refusal.address()).is_err());
}
