use super::{Bare, get, post};
use crate::testing::{Answer, ExpectPolicy, Server};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

#[test]
fn requests_are_recorded_as_they_came() {
    let server = Server::start();
    server.handle(|_| Answer::ok(""));
    let mut client = Bare::connect(&server);
    let first = "GET /a/b?c=d?e HTTP/1.1\r\nhOsT: x.test\r\nA:1 \r\nB: \r\na:\t2\r\n\r\n";
    client.send(first).expect(OK);
    client.send("POST http://x.test?q HTTP/1.1\r\nHost: x.test\r\nContent-Length: 3\r\n\r\nabc");
    client.expect(OK);

    let request = server.take_request();
    assert_eq!(request.head_bytes(), first.as_bytes());
    assert_eq!((request.method(), request.version()), ("GET", "HTTP/1.1"));
    assert_eq!(request.target(), "/a/b?c=d?e");
    assert_eq!((request.path(), request.query()), ("/a/b", Some("c=d?e")));
    let headers: Vec<_> = request.headers().collect();
    assert_eq!(headers, [("hOsT", "x.test"), ("A", "1"), ("B", ""), ("a", "2")]);
    assert_eq!((request.header("a"), request.header("none")), (Some("1"), None));
    assert_eq!(request.header_all("A"), ["1", "2"]);
    assert_eq!((request.connection(), request.sequence()), (0, 0));
    assert_eq!(request.peer_address(), Some(client.0.local_addr().unwrap()));
    assert!(request.is_complete() && request.body().is_empty());

    let request = server.take_request();
    assert_eq!((request.path(), request.query()), ("", Some("q")));
    assert_eq!((request.body_text(), request.body_length()), ("abc", 3));
    assert_eq!((request.connection(), request.sequence()), (0, 1));
    assert!(server.try_take_request().is_none());
    assert_eq!(server.request_count(), 2);
}

#[test]
fn chunks_are_taken_off_a_body_and_remembered() {
    let server = Server::start();
    server.enqueue(Answer::ok(""));
    let mut client = Bare::connect(&server);
    client.send("PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    client.send("3\r\nabc\r\n00a;name=value\r\n0123456789\r\n0\r\nSum: 1\r\nX: 2\r\n\r\n");
    client.expect(OK);
    let request = server.take_request();
    assert_eq!(request.body_text(), "abc0123456789");
    assert_eq!(request.chunk_sizes(), [3, 10]);
    assert_eq!(request.trailers().collect::<Vec<_>>(), [("Sum", "1"), ("X", "2")]);
}

#[test]
fn bytes_may_arrive_one_by_one() {
    let server = Server::start();
    server.handle(|request| Answer::ok(request.body()).close_after_answer());
    let mut client = Bare::connect(&server);
    let request = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n\
                   5\r\nhello\r\n0\r\n\r\n";
    for byte in request.as_bytes() {
        client.send([*byte]);
    }
    assert!(client.rest().ends_with("\r\n\r\nhello"));
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let server = Server::start();
    server.enqueue(Answer::ok("1"));
    server.enqueue(Answer::ok("2").close_after_answer());
    let mut client = Bare::connect(&server);
    client.send(format!("{}abc{}", post(3), get("/second")));
    assert!(client.rest().ends_with("1HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n2"));
    assert_eq!(server.take_request().body_text(), "abc");
    assert_eq!(server.take_request().path(), "/second");
}

#[test]
fn what_is_longer_than_the_limit_is_counted_only() {
    let server = Server::builder().body_limit(4).start();
    server.enqueue(Answer::ok(""));
    Bare::connect(&server).send(post(100_000)).send([b'x'; 100_000]).expect(OK);
    let request = server.take_request();
    assert_eq!((request.body_text(), request.body_length()), ("xxxx", 100_000));
    assert_eq!(server.stats().body_bytes, 100_000);
}

#[test]
fn malformed_requests_are_refused_and_told() {
    const HOST: &str = "Host: x\r\n";
    let cases = [
        ("GET /  HTTP/1.1\r\nHost: x\r\n\r\n", "one space"),
        ("GET /a b HTTP/1.1\r\nHost: x\r\n\r\n", "one space"),
        ("G(T / HTTP/1.1\r\nHost: x\r\n\r\n", "method"),
        ("GET a HTTP/1.1\r\nHost: x\r\n\r\n", "form"),
        ("GET * HTTP/1.1\r\nHost: x\r\n\r\n", "form"),
        ("GET /a#b HTTP/1.1\r\nHost: x\r\n\r\n", "bytes"),
        ("GET /\u{e4} HTTP/1.1\r\nHost: x\r\n\r\n", "bytes"),
        ("GET / HTTP/2.0\r\nHost: x\r\n\r\n", "neither"),
        ("GET / http/1.1\r\nHost: x\r\n\r\n", "neither"),
        ("\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n", "one space"),
        ("GET / HTTP/1.1\nHost: x\n\n", "without CR"),
        ("GET / HTTP/1.1\r\nHost: x\r\nA: b\rc\r\n\r\n", "CRLF"),
        ("GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n", "folded"),
        ("GET / HTTP/1.1\r\nHost: x\r\nA : b\r\n\r\n", "name"),
        ("GET / HTTP/1.1\r\nHost: x\r\n: b\r\n\r\n", "name"),
        ("GET / HTTP/1.1\r\nHost: x\r\nA\r\n\r\n", "colon"),
        ("GET / HTTP/1.1\r\nHost: x\r\nA: \0\r\n\r\n", "control"),
        ("GET / HTTP/1.1\r\n\r\n", "0 Host"),
        ("GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", "2 Host"),
        ("GET / HTTP/1.1\r\nHost: u@x\r\n\r\n", "no host"),
        ("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +3\r\n\r\n", "Content-Length"),
        ("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3, 3\r\n\r\n", "Content-Length"),
        ("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n", "Length"),
        (
            "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n",
            "Content-Length",
        ),
        (
            "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
            "Transfer-Encoding",
        ),
        ("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", "Transfer-Encoding"),
        ("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", "Transfer-Encoding"),
        ("GET / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n\r\n", "Expect"),
        ("GET / HTTP/1.1\r\nHost: x\r\nExpect: more\r\n\r\n", "Expect"),
    ];
    let chunked = [
        ("x\r\n", "announced by"),
        ("+3\r\nabc\r\n0\r\n\r\n", "announced by"),
        ("\r\n", "announced by"),
        ("fffffffffffffffff\r\n", "announced by"),
        ("3\nabc", "without CR"),
        ("3\r\nabcd\r\n", "longer than announced|within 2 bytes"),
        ("0\r\nA\r\n\r\n", "colon"),
    ];
    let head = format!("POST / HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked\r\n\r\n");
    let chunked = chunked.map(|(body, told)| (format!("{head}{body}"), told));
    let cases = cases.map(|(request, told)| (request.to_owned(), told));
    for (request, told) in cases.into_iter().chain(chunked) {
        let server = Server::start();
        let refusal = Bare::connect(&server).send(&request).rest_until_closed_by(&server);
        assert!(refusal.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{request:?}: {refusal:?}");
        let failures = server.take_failures();
        let [failure] = &failures[..] else { panic!("{request:?}: {failures:?}") };
        assert!(told.split('|').any(|told| failure.contains(told)), "{request:?}: {failure}");
    }
}

impl Bare {
    /// Reads the answer to its end; the server waits for the client to close too.
    fn rest_until_closed_by(&mut self, server: &Server) -> String {
        let rest = self.rest();
        self.0.shutdown(std::net::Shutdown::Both).unwrap();
        server.wait_until(|stats| stats.open_connections == 0);
        rest
    }
}

#[test]
fn a_head_that_is_too_long_is_refused() {
    let server = Server::builder().head_limit(1000).start();
    let mut client = Bare::connect(&server);
    client.send(format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(100_000)));
    assert!(client.rest().starts_with("HTTP/1.1 400 "));
    assert!(server.take_failures()[0].contains("longer than 1000 bytes"));
}

fn expecting(body: &str) -> String {
    post(body.len()).replace("\r\n\r\n", "\r\nExpect: 100-continue\r\n\r\n")
}

#[test]
fn a_client_that_expects_it_is_told_to_continue() {
    let server = Server::start();
    let mut client = Bare::connect(&server);
    client.send(expecting("abc")).expect("HTTP/1.1 100 Continue\r\n\r\n");
    server.enqueue(Answer::ok(""));
    client.send("abc").expect(OK);
    assert_eq!(server.take_request().body_text(), "abc");
}

#[test]
fn expectations_can_be_ignored() {
    let server = Server::start();
    server.enqueue(Answer::ok("").on_expect(ExpectPolicy::Never));
    let mut client = Bare::connect(&server);
    client.send(expecting("abc"));
    server.wait_until(|stats| stats.heads == 1);
    client.send("abc").expect(OK);
}

#[test]
fn an_expectation_can_be_answered_with_the_end() {
    let server = Server::start();
    server.enqueue(Answer::status(417).on_expect(ExpectPolicy::FinalAnswer));
    let mut client = Bare::connect(&server);
    client.send(expecting("abc"));
    client.expect("HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n");
    drop(client);
    let request = server.take_request();
    assert!(!request.is_complete());
    assert_eq!((server.stats().heads, server.stats().requests), (1, 0));
}

#[test]
fn an_answer_may_come_before_the_body() {
    let server = Server::start();
    server.enqueue(Answer::status(413).respond_before_body());
    server.enqueue(Answer::ok(""));
    let mut client = Bare::connect(&server);
    client.send(post(6)).expect("HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(server.stats().idle_connections, 0);
    client.send("abcdef").send(get("/")).expect(OK);
    assert_eq!(server.take_request().body_text(), "abcdef");
}

#[test]
fn hints_may_come_before_the_body() {
    let server = Server::start();
    server.enqueue(Answer::ok("").early_informational(103, &[("Link", "<a>")]));
    let mut client = Bare::connect(&server);
    client.send(post(1)).expect("HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n");
    client.send("a").expect(OK);
}

#[test]
fn a_head_handler_is_asked_before_the_body_and_may_pass() {
    let server = Server::start();
    server.handle(|request| Answer::ok(request.body()));
    server.handle_head(|request| {
        assert!(request.body().is_empty());
        (request.header("Content-Length") == Some("9"))
            .then(|| Answer::status(413).respond_before_body().close_after_answer())
    });
    let mut client = Bare::connect(&server);
    client.send(post(3)).send("abc");
    client.expect("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc");
    let refused = client.send(post(9)).rest();
    assert_eq!(refused, "HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n");
}
