use std::panic::catch_unwind;
use std::time::{Duration, Instant};

use super::{Bare, get, post};
use crate::foreign::caught;
use crate::testing::{Answer, HandshakeFault, Server};

/// What a server says when it is dropped.
fn failure_of(server: Server) -> String {
    caught("a server", || drop(server)).unwrap_err().text
}

#[test]
fn a_panic_in_a_handler_fails_the_test() {
    let server = Server::start();
    server.handle(|request| panic!("what is {}?", request.path()));
    assert_eq!(Bare::connect(&server).send(get("/this")).rest(), "");
    assert_eq!(failure_of(server), "the test server failed: a handler panicked: what is /this?");

    let server = Server::start();
    server.enqueue(Answer::status(101).take_over(|_| panic!("no")));
    Bare::connect(&server).send(get("/")).rest();
    assert!(failure_of(server).ends_with("the code behind an answer panicked: no"));
}

#[test]
fn a_panic_that_is_under_way_is_not_doubled() {
    let payload = catch_unwind(|| {
        let server = Server::start();
        server.handle(|_| panic!("in the handler"));
        Bare::connect(&server).send(get("/")).rest();
        panic!("in the test");
    });
    assert_eq!(*payload.unwrap_err().downcast::<&str>().unwrap(), "in the test");
}

#[test]
fn a_request_that_nobody_answers_fails_the_test() {
    let server = Server::builder().hang_guard(Duration::from_millis(30)).start();
    assert_eq!(Bare::connect(&server).send(get("/lost")).rest(), "");
    let failure = failure_of(server);
    assert!(failure.contains("nobody enqueued an answer within 30ms"), "{failure}");
    assert!(failure.contains("/lost"), "{failure}");
}

#[test]
fn waiting_in_vain_panics_with_the_numbers() {
    let server = Server::builder().hang_guard(Duration::from_millis(30)).start();
    let _client = Bare::connect(&server);
    server.wait_until(|stats| stats.connections == 1);
    let waits: [&dyn Fn(); 2] =
        [&|| drop(server.take_request()), &|| server.wait_until(|stats| stats.connections == 2)];
    for wait in waits {
        let message = caught("a wait", wait).unwrap_err().text;
        assert!(message.contains("within 30ms"), "{message}");
        assert!(message.contains("connections: 1"), "{message}");
    }
}

#[test]
fn answers_may_be_enqueued_after_the_request() {
    let server = Server::start();
    let mut client = Bare::connect(&server);
    client.send(get("/late"));
    assert_eq!(server.take_request().path(), "/late");
    assert_eq!(server.waiting_answers(), 0);
    server.enqueue(Answer::status(204));
    client.expect("HTTP/1.1 204 No Content\r\n\r\n");
    client.send(get("/later"));
    server.wait_until(|stats| stats.heads == 2);
    server.handle(|_| Answer::status(204));
    client.expect("HTTP/1.1 204 No Content\r\n\r\n");
}

#[test]
fn a_client_that_leaves_takes_no_answer_with_it() {
    let server = Server::start();
    for _ in 0..20 {
        let mut gone = Bare::connect(&server);
        gone.send(get("/gone"));
        assert_eq!(server.take_request().path(), "/gone");
        drop(gone);
        server.enqueue(Answer::status(204).close_after_answer());
        let answer = Bare::connect(&server).send(get("/there")).rest();
        assert_eq!(answer, "HTTP/1.1 204 No Content\r\n\r\n");
        assert_eq!(server.take_request().path(), "/there");
    }
    Bare::connect(&server).send(get("/gone"));
    server.wait_until(|stats| stats.heads == 41 && stats.open_connections == 0);
}

/// Connections in every state that a server can be in when it is dropped.
fn crowd(server: &Server) -> Vec<Bare> {
    let stalled = |answer: Answer| {
        let before = server.stats().stalled;
        server.enqueue(answer);
        let mut client = Bare::connect(server);
        client.send(get("/"));
        server.wait_until(|stats| stats.stalled > before);
        client
    };
    let mut clients = vec![
        stalled(Answer::ok("a").stall_before_head()),
        stalled(Answer::ok("a").stall_in_body_after(1)),
        stalled(Answer::ok("a").never_read_body()),
    ];
    let others = [
        (Answer::status(200).endless_body("fills the socket"), get("/")),
        (Answer::ok("abc").drip(1), get("/")),
        (Answer::ok("abc").delay_head(Duration::from_secs(60)), get("/")),
        (Answer::ok("early").respond_before_body().close_after_answer(), post(9)),
        (Answer::ok("waits for the body"), post(9)),
        (Answer::status(101).take_over(|it| drop(std::io::read_to_string(it))), get("/")),
    ];
    for (answer, request) in others {
        let heads = server.request_count();
        server.enqueue(answer);
        let mut client = Bare::connect(server);
        client.send(request);
        server.wait_until(|stats| stats.heads > heads);
        clients.push(client);
    }
    // One that waits for an answer, one that says nothing, one whose handshake stalls.
    clients.push(Bare::connect(server));
    clients.last_mut().unwrap().send(get("/"));
    clients.push(Bare::connect(server));
    server.wait_until(|stats| stats.connections == 11);
    server.fail_next_handshake(HandshakeFault::Stall);
    clients.push(Bare::connect(server));
    server.wait_until(|stats| stats.stalled == 4);
    clients
}

#[test]
fn dropping_a_server_ends_everything_at_once() {
    let server = Server::start();
    let clients = crowd(&server);
    server.wait_until(|stats| stats.open_connections == 12 && stats.heads == 10);
    let address = server.address();
    let begun = Instant::now();
    drop(server);
    let took = begun.elapsed();
    // A hang guard; what it really takes is about a millisecond.
    assert!(took < Duration::from_secs(2), "{took:?}");
    drop(clients);
    assert!(std::net::TcpStream::connect(address).is_err());
}

#[cfg(target_os = "linux")]
#[test]
fn a_dropped_server_leaves_no_thread_behind() {
    let named = || {
        let tasks = std::fs::read_dir("/proc/self/task").unwrap();
        tasks
            .filter_map(|task| std::fs::read_to_string(task.unwrap().path().join("comm")).ok())
            .filter(|name| name.starts_with("lonely-"))
            .count()
    };
    let server = Server::builder().thread_name("lonely").start();
    let clients = crowd(&server);
    server.wait_until(|stats| stats.open_connections == 12);
    assert_eq!(named(), 13);
    drop(server);
    // A joined thread stays in /proc for a moment: the kernel wakes the joiner first.
    let begun = Instant::now();
    while named() > 0 {
        assert!(begun.elapsed() < super::GUARD);
        std::thread::yield_now();
    }
    drop(clients);
}

#[cfg(unix)]
#[test]
fn a_unix_socket_serves_like_a_port() {
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;

    let name = format!("urlsession-testing-{}.socket", std::process::id());
    let path = std::env::temp_dir().join(name);
    let server = Server::builder().unix_socket(&path).start();
    server.enqueue(Answer::ok("local").close_after_answer());
    let mut client = UnixStream::connect(&path).unwrap();
    client.write_all(get("/").as_bytes()).unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with("\r\n\r\nlocal"));
    assert_eq!(server.take_request().peer_address(), None);
    assert_eq!(server.url("/x"), "http://localhost/x");
    drop(server);
    assert!(!path.exists());
}

#[test]
fn urls_name_the_server() {
    let server = Server::start();
    assert_eq!(server.url("/a?b"), format!("http://127.0.0.1:{}/a?b", server.port()));
    assert_eq!(server.url_with_host("x.test", "/"), format!("http://x.test:{}/", server.port()));
    let server = Server::builder().address("[::1]").start();
    assert_eq!(server.url("/"), format!("http://[::1]:{}/", server.port()));
    server.enqueue(Answer::ok("six"));
    Bare::connect(&server).send(get("/")).expect("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nsix");
}

#[test]
fn many_clients_are_served_at_once() {
    let server = Server::start();
    server.handle(|request| Answer::ok(request.path()).close_after_answer());
    std::thread::scope(|scope| {
        for client in 0..50 {
            let server = &server;
            scope.spawn(move || {
                let path = format!("/{client}");
                assert!(Bare::connect(server).send(get(&path)).rest().ends_with(&path));
            });
        }
    });
    assert_eq!(server.request_count(), 50);
}
