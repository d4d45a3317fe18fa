//! Heads as the web sends them: long, folded, with lines that are none.

use std::sync::{Arc, Mutex};

use urlsession::testing::{Answer, Server};
use urlsession::{Delegate, ErrorKind, Response, Session, Stage, Task};

use crate::support::logged::warnings;
use crate::support::running::{nothing_is_left, session};

/// A server that gives a 200 with these header lines to everybody, and a session.
fn answering(lines: &[u8]) -> (Server, Session) {
    let head = [b"HTTP/1.1 200 OK\r\n", lines, b"\r\nContent-Length: 5\r\n\r\nhello"].concat();
    let server = Server::start();
    server.handle(move |_| Answer::raw(&head).keep_open());
    (server, session(|_| {}))
}

#[test]
fn a_folded_line_is_one_value() {
    let policy =
        b"Content-Security-Policy: default-src 'self';\r\n    img-src *\r\nX: a\n\tb\n \n c";
    let (server, session) = answering(policy);
    let data = session.data(server.url("/")).unwrap();
    let value = |name| data.response.header(name);
    assert_eq!(value("content-security-policy"), Some("default-src 'self'; img-src *"));
    assert_eq!(value("x"), Some("a b c"));
    assert_eq!(data.text(), "hello");
    nothing_is_left(session, &[&server]);
}

#[test]
fn a_head_has_as_many_lines_as_fit_into_256_kib() {
    let lines: Vec<_> = (0..12_000).map(|at| format!("X-Line-{at}: {at}")).collect();
    let (server, session) = answering(lines.join("\r\n").as_bytes());
    let data = session.data(server.url("/")).unwrap();
    assert_eq!(data.response.headers().iter().count(), 12_001);
    assert_eq!(data.response.header("x-line-11999"), Some("11999"));
    nothing_is_left(session, &[&server]);
}

#[test]
fn what_is_left_out_is_neither_a_header_nor_a_part_of_one() {
    let (server, session) =
        answering(b"A: b\r\nBad Name: y\r\n and more\r\nX-Odd\x01: y\r\nno colon\r\nC: d\r\nA : b");
    let data = session.data(server.url("/")).unwrap();
    let lines: Vec<_> = data.response.headers().iter().collect();
    assert_eq!(lines, [("A", "b"), ("C", "d"), ("Content-Length", "5")]);
    // They are no reason not to use the connection again.
    session.data(server.url("/")).unwrap();
    assert_eq!(server.take_request().connection(), 0);
    assert_eq!(server.take_request().connection(), 0);
    nothing_is_left(session, &[&server]);
}

#[test]
fn a_head_that_is_refused_shows_its_line() {
    let long = [b"Content-Length\x1b: ", &[b'5'; 1000][..]].concat();
    for (line, shown) in [
        (&b"Transfer-Encoding : chunked"[..], r#"where it ends: "Transfer-Encoding : chunked""#),
        (b"A: b\rContent-Length: 9", r#"where it ends: "A: b\rContent-Length: 9""#),
        (&long, r#"where it ends: "Content-Length\x1b: 5555"#),
    ] {
        let (server, session) = answering(line);
        let error = session.data(server.url("/?secret")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::CannotParseResponse, "{error}");
        assert_eq!(error.stage(), Some(Stage::WaitingForResponse));
        let text = error.to_string();
        assert!(text.contains(shown) && text.len() < 300, "{text}");
        assert!(!text.contains("secret"), "{text}");
        nothing_is_left(session, &[&server]);
    }
    let server = Server::start();
    server.enqueue(Answer::raw(b"SSH-2.0-OpenSSH_9.2\r\n\x01\x02").keep_open());
    let error = session(|_| {}).data(server.url("/")).unwrap_err().to_string();
    assert!(error.contains(r#"does not begin as HTTP does: "SSH-2.0-OpenSSH_9.2""#), "{error}");
}

/// What a task was told before its answer: status and `Link`.
#[derive(Default)]
struct Early(Mutex<Vec<(u16, Option<String>)>>);

impl Delegate for Early {
    fn did_receive_informational_response(&self, _: &Task, response: &Response) {
        let told = (response.status().as_u16(), response.header("link").map(str::to_owned));
        self.0.lock().unwrap().push(told);
    }
}

#[test]
fn each_of_many_informational_answers_is_told() {
    let server = Server::start();
    let processing = "HTTP/1.1 102 Processing\r\n\r\n".repeat(40);
    let hints =
        "HTTP/1.1 103 Early Hints\r\nLink: </a.css>;\r\n rel=preload\r\nBad Line: x\r\n\r\n";
    let last = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
    server.enqueue(Answer::raw(format!("{processing}{hints}{last}")));
    let early = Arc::new(Early::default());
    let session = session(|_| {});
    let task = session.data_task(server.url("/"));
    task.set_delegate(early.clone()).unwrap();
    assert_eq!(task.run().unwrap().text(), "hello");
    let mut expected = vec![(102, None); 40];
    expected.push((103, Some("</a.css>; rel=preload".to_owned())));
    assert_eq!(*early.0.lock().unwrap(), expected);
    drop(task);
    nothing_is_left(session, &[&server]);
}

#[test]
fn a_line_that_is_left_out_is_named_in_the_log() {
    let many = "Another Bad One: x\r\n".repeat(100);
    let lines = format!("X-Odd\x01: s3cret\r\nBad Name: s3cret\r\nno colon\r\n{many}A: b");
    let (server, session) = answering(lines.as_bytes());
    let (_, logged) = warnings(|| session.data(server.url("/")).unwrap());
    for (at, shown) in [(0, r#""X-Odd\x01""#), (1, r#""Bad Name""#), (2, r#""no""#)] {
        assert!(logged[at].contains(shown), "{logged:?}");
    }
    assert!(logged[8].contains("95 more lines"), "{logged:?}");
    assert_eq!(logged.len(), 9, "{logged:?}");
    assert!(!logged.concat().contains("s3cret"), "{logged:?}");
}
