//! `maximum_body_in_memory`: how much of a body is held.

use std::io::{self, Read};

use urlsession::testing::{Answer, Counters, Server};
use urlsession::{Configuration, Error, ErrorKind, Session};

fn session(limit: u64) -> Session {
    let mut configuration = Configuration::ephemeral();
    configuration.maximum_body_in_memory = limit;
    Session::new(configuration).unwrap()
}

fn assert_too_large(error: &Error, url: &str, case: &str) {
    assert_eq!(error.kind(), ErrorKind::DataLengthExceedsMaximum, "{case}: {error}");
    assert!(error.to_string().contains("maximum_body_in_memory"), "{case}: {error}");
    assert!(error.to_string().contains("1000"), "{case}: {error}");
    assert_eq!(error.failing_url(), Some(url), "{case}");
}

#[test]
fn a_body_in_memory_may_be_as_large_as_the_limit_and_no_larger() {
    let server = Server::start();
    let session = session(1000);
    let counters = Counters::of(&session);
    let url = server.url("/");
    for size in [0, 999, 1000, 1001, 100_000] {
        let body = || Answer::status(200).body_of_size(size);
        for (framing, answer) in [
            ("length", body()),
            ("until close", body().until_close()),
            ("chunked", body().chunked(70)),
        ] {
            let case = format!("{size} bytes, {framing}");
            server.enqueue(answer);
            match session.data(&url) {
                Ok(data) => assert!(size <= 1000 && data.body.len() as u64 == size, "{case}"),
                Err(error) => {
                    assert!(size > 1000, "{case}: {error}");
                    assert_too_large(&error, &url, &case);
                    assert_eq!(counters.sockets(), 0, "{case}: the connection is closed");
                }
            }
        }
    }
}

#[test]
fn an_announced_body_that_is_too_large_is_not_waited_for() {
    let server = Server::start();
    let url = server.url("/");
    for announced in [1001, u64::MAX] {
        server.enqueue(Answer::ok("").announced_length(announced).stall_after_head());
        let error = session(1000).data(&url).unwrap_err();
        assert_too_large(&error, &url, &announced.to_string());
    }
}

#[test]
fn an_endless_body_ends_at_the_limit() {
    let server = Server::start();
    let url = server.url("/");
    for answer in [
        Answer::ok("").endless_body("for ever "),
        Answer::ok("").chunked(4096).endless_body("for ever "),
        Answer::ok("").announced_length(1000).endless_body("for ever "),
    ] {
        let case = format!("{answer:?}");
        server.enqueue(answer);
        match session(1000).data(&url) {
            // What comes behind the announced bytes belongs to no body.
            Ok(data) => assert!(case.contains("1000") && data.body.len() == 1000, "{case}"),
            Err(error) => assert_too_large(&error, &url, &case),
        }
        server.wait_until(|stats| stats.open_connections == 0);
    }
}

#[test]
fn a_server_that_announces_much_gets_no_memory_for_it() {
    let server = Server::start();
    // More than any machine has: reserving it would end the program.
    server.enqueue(Answer::ok("little").announced_length(u64::MAX / 4));
    let error = session(u64::MAX).data(server.url("/")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NetworkConnectionLost, "{error}");
}

#[test]
fn a_stream_is_not_bounded() {
    let server = Server::start();
    for answer in [
        Answer::status(200).body_of_size(100_000),
        Answer::status(200).body_of_size(100_000).until_close(),
    ] {
        server.enqueue(answer);
        let mut bytes = session(1000).bytes(server.url("/")).unwrap();
        assert_eq!(io::copy(&mut bytes, &mut io::sink()).unwrap(), 100_000);
        assert_eq!(bytes.read(&mut [0]).unwrap(), 0);
    }
}

#[test]
fn a_limit_of_nothing_lets_empty_bodies_through() {
    let server = Server::start();
    server.handle(|request| Answer::ok(request.query().unwrap_or_default()));
    let session = session(0);
    assert_eq!(session.data(server.url("/")).unwrap().body, b"");
    let error = session.data(server.url("/?x")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DataLengthExceedsMaximum);
    // The head of a large answer is no body.
    let head = urlsession::Request::head(server.url("/?a-lot"));
    assert_eq!(session.data(head).unwrap().response.header("content-length"), Some("5"));
}
