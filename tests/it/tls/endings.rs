//! How the end of a connection is told from an attacker who cuts it off (RFC 8446 §6.1).

use urlsession::testing::{Answer, Authority, Counters, Server};
use urlsession::{ErrorKind, Stage};

use super::{session, trusting};
use crate::support::gone::all_gone;

const BODY: &str = "0123456789";

/// What a server sends, and what a load makes of it: the body, or an error and its stage.
type Case = (&'static str, Answer, Result<&'static str, (ErrorKind, Stage)>);

fn cases() -> Vec<Case> {
    use ErrorKind::{NetworkConnectionLost as Lost, ZeroByteResource as ZeroByte};
    use Stage::{Receiving, WaitingForResponse as Waiting};

    let head = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n";
    let until_close = || Answer::ok(BODY).until_close();
    let length = || Answer::ok(BODY).length();
    let chunks = || Answer::ok(BODY).chunked(4);
    vec![
        ("until close", until_close(), Ok(BODY)),
        ("until close, cut off", until_close().without_close_notify(), Err((Lost, Receiving))),
        ("until close, reset", until_close().reset_after_answer(), Err((Lost, Receiving))),
        ("until close, empty", Answer::ok("").until_close(), Ok("")),
        (
            "until close, empty, cut off",
            Answer::ok("").until_close().without_close_notify(),
            Err((Lost, Receiving)),
        ),
        ("length", length().close_after_answer(), Ok(BODY)),
        ("length, cut off", length().close_after_answer().without_close_notify(), Ok(BODY)),
        ("length, short", length().truncate_after(4), Err((Lost, Receiving))),
        (
            "length, short, cut off",
            length().truncate_after(4).without_close_notify(),
            Err((Lost, Receiving)),
        ),
        ("length, nothing", length().truncate_after(0), Err((ZeroByte, Receiving))),
        (
            "length, nothing, cut off",
            length().truncate_after(0).without_close_notify(),
            Err((Lost, Receiving)),
        ),
        ("chunks", chunks().close_after_answer(), Ok(BODY)),
        ("chunks, cut off", chunks().close_after_answer().without_close_notify(), Ok(BODY)),
        ("chunks, short", chunks().truncate_after(4), Err((Lost, Receiving))),
        ("chunks, no last one", chunks().truncate_after(10), Err((Lost, Receiving))),
        (
            "chunks, no last one, cut off",
            chunks().truncate_after(10).without_close_notify(),
            Err((Lost, Receiving)),
        ),
        ("no content", Answer::status(204).close_after_answer().without_close_notify(), Ok("")),
        ("half a head", Answer::raw(head), Err((Lost, Waiting))),
        ("half a head, cut off", Answer::raw(head).without_close_notify(), Err((Lost, Waiting))),
        ("no answer", Answer::ok(BODY).close_before_answer(), Err((Lost, Waiting))),
        (
            "no answer, cut off",
            Answer::ok(BODY).close_before_answer().without_close_notify(),
            Err((Lost, Waiting)),
        ),
        ("no answer, reset", Answer::ok(BODY).reset_before_answer(), Err((Lost, Waiting))),
    ]
}

#[test]
fn an_end_that_an_attacker_could_have_made_is_an_error() {
    let authority = Authority::new();
    let server = Server::start_tls(&authority.identity(&["127.0.0.1"]));
    for (name, answer, expected) in cases() {
        let session = session(trusting(&authority));
        let counters = Counters::of(&session);
        server.enqueue(answer);
        match (session.data(server.url("/end")), expected) {
            (Ok(data), Ok(body)) => assert_eq!(data.text(), body, "{name}"),
            (Err(error), Err((kind, stage))) => {
                assert_eq!(error.kind(), kind, "{name}: {error:?}");
                assert_eq!(error.stage(), Some(stage), "{name}: {error:?}");
                assert_eq!(error.failing_url(), Some(&*server.url("/end")), "{name}");
                assert_eq!(counters.sockets(), 0, "{name}");
            }
            (loaded, _) => panic!("{name}: {loaded:?}"),
        }
        drop(server.take_request());
        drop(session);
        all_gone(&counters, name);
    }
}

#[test]
fn a_session_says_goodbye_to_a_connection_that_it_does_not_need_any_more() {
    let authority = Authority::new();
    let server = Server::start_tls(&authority.identity(&["127.0.0.1"]));
    server.handle(|_| Answer::ok(BODY));
    let session = session(trusting(&authority));
    session.data(server.url("/")).unwrap();
    server.wait_until(|stats| stats.idle_connections == 1);
    drop(session);
    server.wait_until(|stats| stats.open_connections == 0);
}

#[test]
fn a_pooled_connection_that_the_server_ended_is_replaced() {
    let authority = Authority::new();
    let server = Server::start_tls(&authority.identity(&["127.0.0.1"]));
    server.handle(|_| Answer::ok(BODY));
    let session = session(trusting(&authority));
    let ends: [fn(&Server); 2] = [Server::close_idle_connections, Server::reset_idle_connections];
    for (number, end) in (1..).zip(ends) {
        session.data(server.url("/")).unwrap();
        server.wait_until(|stats| stats.idle_connections == 1);
        end(&server);
        session.data(server.url("/")).unwrap();
        assert_eq!(server.connection_count(), number + 1);
    }
}
