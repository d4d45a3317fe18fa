//! Where answers end, and what may follow them on the same connection.

use std::io::Read;
use std::time::Duration;

use urlsession::testing::{Answer, Counters, ExpectPolicy, Server};
use urlsession::{Body, Configuration, Error, ErrorKind, Request, Session, Stage};

use crate::support::gone::all_gone;
use crate::support::raw_answers::{Row, rows};

fn session() -> Session {
    let mut configuration = Configuration::ephemeral();
    // A guard: nothing here takes as long.
    configuration.timeout_for_resource = Duration::from_secs(30);
    Session::new(configuration).unwrap()
}

/// The answer of a row, in one piece or byte by byte.
fn answer(row: &Row, pieces: bool) -> Answer {
    let mut answer = Answer::raw(&row.bytes);
    if pieces {
        for at in 1..row.bytes.len() as u64 {
            answer = answer.delay_in_body_after(at, Duration::ZERO);
        }
    }
    if row.closes { answer } else { answer.keep_open() }
}

/// Loads the answer of `row`, then another one, and compares all that can be seen of it.
fn check(row: &Row, pieces: bool) {
    let name = format!("{} ({})", row.name, if pieces { "byte by byte" } else { "in one piece" });
    let server = Server::start();
    let session = session();
    let counters = Counters::of(&session);
    server.enqueue(answer(row, pieces));
    let loaded = session.data(Request::new(row.method, server.url("/a?secret=1")));
    match (&loaded, &row.outcome) {
        (Ok(data), Ok((status, body))) => {
            assert_eq!(data.response.status(), *status, "{name}");
            assert_eq!(data.text(), *body, "{name}");
        }
        (Err(error), Err(kind)) => {
            assert_eq!(error.kind(), *kind, "{name}: {error:?}");
            assert_eq!(error.failing_url(), Some(&*server.url("/a")), "{name}: {error:?}");
            let stages = [Some(Stage::WaitingForResponse), Some(Stage::Receiving)];
            assert!(stages.contains(&error.stage()), "{name}: {error:?}");
            assert_eq!(counters.sockets(), 0, "{name}");
        }
        _ => panic!("{name}: {loaded:?}"),
    }
    server.enqueue(Answer::ok("next"));
    assert_eq!(session.data(server.url("/next")).unwrap().text(), "next", "{name}");
    drop(server.take_request());
    let next = server.take_request();
    assert_eq!(next.sequence() == 1, row.reused, "{name}: the connection");
    drop(session);
    all_gone(&counters, &name);
}

#[test]
fn each_answer_has_one_outcome() {
    for row in rows() {
        check(&row, false);
    }
}

#[test]
fn the_outcome_is_the_same_if_the_answer_comes_byte_by_byte() {
    // What follows an answer is only seen if it is there in time, and no answer that long is
    // worth the time it takes.
    let chosen =
        |row: &Row| row.bytes.len() < 500 && (row.reused || row.closes || row.outcome.is_err());
    for row in rows().into_iter().filter(chosen) {
        check(&row, true);
    }
}

#[test]
fn what_came_before_an_error_is_delivered() {
    let server = Server::start();
    let session = session();
    let raw =
        |lines: &str, body: &str| Answer::raw(format!("HTTP/1.1 200 OK\r\n{lines}\r\n\r\n{body}"));
    let chunked = "Transfer-Encoding: chunked";
    for (answer, kind) in [
        (raw("Content-Length: 9", "hello"), ErrorKind::NetworkConnectionLost),
        (raw(chunked, "5\r\nhello\r\n"), ErrorKind::NetworkConnectionLost),
        (raw(chunked, "9\r\nhello"), ErrorKind::NetworkConnectionLost),
        (raw(chunked, "5\r\nhello\r\n5\nworld\r\n0\r\n\r\n"), ErrorKind::BadServerResponse),
        (raw(chunked, "5\r\nhello\r\nx"), ErrorKind::BadServerResponse),
        (raw(chunked, "5\r\nhello\n"), ErrorKind::BadServerResponse),
    ] {
        let row = format!("{answer:?}");
        server.enqueue(answer);
        let mut bytes = session.bytes(server.url("/")).unwrap();
        let (mut read, mut buffer) = (Vec::new(), [0; 64]);
        let error = loop {
            match bytes.read(&mut buffer) {
                Ok(0) => panic!("{row}: no error behind {read:?}"),
                Ok(count) => read.extend_from_slice(&buffer[..count]),
                Err(error) => break error,
            }
        };
        assert_eq!(read, b"hello", "{row}");
        let error = Error::from_io(&error).unwrap();
        assert_eq!((error.kind(), error.stage()), (kind, Some(Stage::Receiving)), "{row}");
    }
}

#[test]
fn a_body_that_trickles_in_is_whole_in_the_end() {
    let server = Server::start();
    let session = session();
    let text = "0123456789".repeat(5);
    let answers = [
        Answer::ok(&text).length(),
        Answer::ok(&text).chunked(1),
        Answer::ok(&text).chunked(7),
        Answer::ok(&text).until_close(),
    ];
    for answer in answers {
        let row = format!("{answer:?}");
        let answer =
            (1..50).fold(answer, |answer, at| answer.delay_in_body_after(at, Duration::ZERO));
        server.enqueue(answer);
        assert_eq!(session.data(server.url("/")).unwrap().text(), text, "{row}");
    }
}

/// What a server does about `Expect: 100-continue`; what comes back, whether the body was
/// sent, and whether the connection is used again.
type Expectation = (&'static str, Answer, u16, bool, bool);

#[test]
fn no_answer_to_an_expectation_is_taken_for_another() {
    let body = "b".repeat(100_000);
    let fine = || Answer::ok("fine");
    let early = |bytes: &str| {
        Answer::raw(format!("{bytes}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine"))
    };
    let cases: [Expectation; 6] = [
        ("100", fine(), 200, true, true),
        ("103, then 100", fine().early_informational(103, &[("Link", "</a>")]), 200, true, true),
        ("nothing", fine().on_expect(ExpectPolicy::Never), 200, true, true),
        (
            "413 in place of 100",
            Answer::status(413).on_expect(ExpectPolicy::FinalAnswer).close_after_answer(),
            413,
            false,
            false,
        ),
        (
            "200 in place of 100",
            fine().on_expect(ExpectPolicy::FinalAnswer).close_after_answer(),
            200,
            false,
            false,
        ),
        (
            "100 behind the body",
            early("HTTP/1.1 100 Continue\r\n\r\n").on_expect(ExpectPolicy::Never).keep_open(),
            200,
            true,
            true,
        ),
    ];
    for (name, answer, status, sent, reused) in cases {
        let server = Server::start();
        let session = session();
        let counters = Counters::of(&session);
        server.enqueue(answer);
        let request = Request::put(server.url("/")).header("Expect", "100-continue");
        let data = session.data(request.body(Body::from(body.clone()))).unwrap();
        assert_eq!(data.response.status(), status, "{name}");
        let request = server.take_request();
        // A final answer in place of leave, and then no body: the next request cannot follow.
        server.enqueue(Answer::ok("next"));
        assert_eq!(session.data(server.url("/next")).unwrap().text(), "next", "{name}");
        assert_eq!(request.is_complete(), sent, "{name}");
        assert_eq!(request.body_length() > 0, sent, "{name}");
        assert_eq!(server.take_request().sequence() == 1, reused, "{name}");
        drop(session);
        all_gone(&counters, name);
    }
}

#[test]
fn a_server_that_sends_a_byte_at_a_time_does_not_hold_a_load_beyond_its_deadline() {
    let server = Server::start();
    let endless = || Answer::status(200).endless_body("x").drip(10);
    let head = (1..40)
        .fold(Answer::raw("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n"), |answer, at| {
            answer.delay_in_body_after(at, Duration::from_millis(100))
        });
    let cases = [
        ("head", head, Stage::WaitingForResponse),
        ("until close", endless(), Stage::Receiving),
        ("chunks", endless().chunked(1), Stage::Receiving),
        ("length", endless().announced_length(1 << 40), Stage::Receiving),
    ];
    for (name, answer, stage) in cases {
        let mut configuration = Configuration::ephemeral();
        configuration.timeout_for_resource = Duration::from_millis(500);
        let session = Session::new(configuration).unwrap();
        let counters = Counters::of(&session);
        server.enqueue(answer);
        let began = std::time::Instant::now();
        let error = match session.bytes(server.url("/")) {
            Ok(mut bytes) => bytes.read_to_end(&mut Vec::new()).unwrap_err(),
            Err(error) => error.into(),
        };
        println!("{name}: {:?} of 500 ms", began.elapsed());
        let error = Error::from_io(&error).unwrap();
        assert_eq!(error.kind(), ErrorKind::TimedOut, "{name}: {error:?}");
        assert_eq!(error.stage(), Some(stage), "{name}: {error:?}");
        assert!(began.elapsed() < Duration::from_secs(10), "{name}");
        drop(session);
        all_gone(&counters, name);
    }
}
