use super::{Bare, get};
use crate::testing::{Answer, Server};

/// Everything that comes back for a GET, up to the end of the connection.
fn answered(answer: Answer) -> String {
    let server = Server::start();
    server.enqueue(answer.close_after_answer());
    Bare::connect(&server).send(get("/")).rest()
}

#[test]
fn an_answer_is_what_its_plan_says_and_nothing_else() {
    let cases = [
        (Answer::ok("hello"), "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"),
        (Answer::status(404), "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),
        (Answer::status(299), "HTTP/1.1 299 \r\nContent-Length: 0\r\n\r\n"),
        (
            Answer::status(200).version("HTTP/1.0").reason("Fine"),
            "HTTP/1.0 200 Fine\r\nContent-Length: 0\r\n\r\n",
        ),
        (
            Answer::redirect(302, "/there"),
            "HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n",
        ),
        (
            Answer::ok("a").header("X", "1").header("x", b"\xff"),
            "HTTP/1.1 200 OK\r\nX: 1\r\nx: \u{fffd}\r\nContent-Length: 1\r\n\r\na",
        ),
        (
            Answer::ok("hello world").chunked(4).trailer("Sum", "9"),
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
             4\r\nhell\r\n4\r\no wo\r\n3\r\nrld\r\n0\r\nSum: 9\r\n\r\n",
        ),
        (
            Answer::ok("").chunked(4),
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        ),
        (Answer::ok("hello").until_close(), "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello"),
        (Answer::ok("hello").no_framing(), "HTTP/1.1 200 OK\r\n\r\nhello"),
        (
            Answer::ok("hello").announced_length(9),
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello",
        ),
        (
            Answer::ok("hello").announced_length(2),
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhello",
        ),
        (
            Answer::ok("hello").header("content-length", "+5"),
            "HTTP/1.1 200 OK\r\ncontent-length: +5\r\n\r\nhello",
        ),
        (Answer::status(204), "HTTP/1.1 204 No Content\r\n\r\n"),
        (Answer::status(304), "HTTP/1.1 304 Not Modified\r\n\r\n"),
        (
            Answer::status(304).body("unsent"),
            "HTTP/1.1 304 Not Modified\r\nContent-Length: 6\r\n\r\n",
        ),
        (Answer::raw("no HTTP"), "no HTTP"),
        (
            Answer::ok("").informational(103, &[("Link", "</a>")]).informational(102, &[]),
            "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 \r\n\r\n\
             HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        ),
    ];
    for (answer, expected) in cases {
        let shown = format!("{answer:?}");
        assert_eq!(answered(answer), expected, "{shown}");
    }
}

#[test]
fn head_and_connect_get_no_body() {
    let server = Server::start();
    server.enqueue(Answer::ok("hello"));
    server.enqueue(Answer::ok("hello").chunked(2));
    server.enqueue(Answer::ok("hello"));
    let mut client = Bare::connect(&server);
    let head = "HEAD / HTTP/1.1\r\nHost: x.test\r\n\r\n";
    client.send(head).expect("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
    client.send(head).expect("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    client.send("CONNECT x.test:1 HTTP/1.1\r\nHost: x.test:1\r\n\r\n");
    client.expect("HTTP/1.1 200 OK\r\n\r\n").expect_nothing_yet();
    assert_eq!(server.connection_count(), 1);
}

#[test]
fn connections_are_kept_unless_something_ends_them() {
    let keeping = [
        Answer::ok("a"),
        Answer::ok("abc").chunked(2),
        Answer::status(204),
        Answer::ok("longer than announced").announced_length(3),
        Answer::raw("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").keep_open(),
    ];
    let server = Server::start();
    let mut client = Bare::connect(&server);
    for (count, answer) in keeping.into_iter().enumerate() {
        server.enqueue(answer);
        client.send(get("/"));
        server.wait_until(|stats| stats.answers == count as u64 + 1 && stats.idle_connections == 1);
    }
    drop(client);

    let ending = [
        Answer::ok("a").header("Connection", "close"),
        Answer::ok("a").until_close(),
        Answer::ok("a").no_framing(),
        Answer::ok("a").announced_length(2),
        Answer::raw("a"),
        Answer::ok("a").close_when_idle(),
    ];
    for answer in ending {
        server.enqueue(answer);
        assert!(Bare::connect(&server).send(get("/")).rest().ends_with('a'));
    }
}

#[test]
fn a_client_that_wants_to_close_is_told_so() {
    let server = Server::start();
    server.handle(|_| Answer::ok("a"));
    let expected = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\na";
    for request in
        ["GET / HTTP/1.1\r\nHost: x\r\nConnection: TE, Close\r\n\r\n", "GET / HTTP/1.0\r\n\r\n"]
    {
        assert_eq!(Bare::connect(&server).send(request).rest(), expected);
    }
}

#[test]
fn bodies_can_be_made_while_they_are_sent() {
    const LENGTH: usize = 1_000_003;
    let letter = |at: usize| b'a' + (at % 26) as u8;
    for answer in [
        Answer::status(200).body_of_size(LENGTH as u64),
        Answer::status(200).body_of_size(LENGTH as u64).no_framing(),
    ] {
        let all = answered(answer);
        let body = all.split_once("\r\n\r\n").unwrap().1.as_bytes();
        assert_eq!(body.len(), LENGTH);
        assert!(body.iter().enumerate().all(|(at, byte)| *byte == letter(at)));
    }

    let all = answered(Answer::status(200).body_of_size(200_000).chunked(70_000));
    let chunks = all.split_once("\r\n\r\n").unwrap().1;
    assert!(chunks.starts_with("11170\r\nabc"));
    assert!(chunks.ends_with("\r\n0\r\n\r\n"));
    let framing = ["11170\r\n\r\n"; 2].concat() + "ea60\r\n\r\n" + "0\r\n\r\n";
    assert_eq!(chunks.len(), 200_000 + framing.len());
}

#[test]
fn an_endless_body_ends_with_the_client() {
    let server = Server::start();
    server.enqueue(Answer::status(200).endless_body("12345"));
    let mut client = Bare::connect(&server);
    client.send(get("/"));
    client.expect("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
    client.expect("12345".repeat(100_000));
    drop(client);
    server.wait_until(|stats| stats.open_connections == 0);
    assert_eq!(server.stats().answers, 0);
}
