//! `Keep-Alive: timeout=5`: how long a server keeps an idle connection, and what is sent on it
//! meanwhile.

use std::time::Duration;

use urlsession::testing::{Answer, Counters, OnChallenge, OnRedirect, Recorder, Server};
use urlsession::{Clock, Configuration, Credential, DeliveryQueue, Disposition, Request, Session};

use crate::support::running::{nothing_is_left, plain_and_tls, session, wait_for};

/// A session whose clock is turned by hand.
fn by_hand(change: impl FnOnce(&mut Configuration)) -> (Session, Clock) {
    let clock = Clock::by_hand();
    let made = session(|configuration| {
        configuration.clock = clock.clone();
        change(configuration);
    });
    (made, clock)
}

fn kept(hint: &str) -> Answer {
    Answer::ok("here").header("Connection", "keep-alive").header("Keep-Alive", hint)
}

/// Loads `request` and returns on which connection that was.
fn connection_of(session: &Session, server: &Server, request: Request, answer: Answer) -> u64 {
    while server.try_take_request().is_some() {}
    server.enqueue(answer);
    session.data(request).unwrap();
    server.take_request().connection()
}

#[test]
fn what_may_not_be_repeated_keeps_away_from_the_end_of_a_connection() {
    // Hint, method, `Idempotency-Key`, milliseconds, and whether the connection is used.
    for (hint, method, key, idle, is_used) in [
        ("timeout=1", "POST", false, 1_100, false),
        ("timeout=1", "POST", false, 500, false),
        ("timeout=1", "POST", false, 499, true),
        ("timeout=5", "POST", false, 3_999, true),
        ("timeout=5", "POST", false, 4_000, false),
        ("max=100, timeout=\"5\"", "PATCH", false, 4_000, false),
        ("Timeout = 5", "Brew", false, 4_000, false),
        ("timeout=5, max=100", "POST", true, 4_999, true),
        ("timeout=5", "GET", false, 4_999, true),
        ("timeout=5", "PUT", false, 4_999, true),
        ("timeout=5", "GET", false, 5_000, false),
        ("timeout=0", "GET", false, 0, false),
        ("max=0", "GET", false, 0, false),
        ("max=1", "POST", false, 0, true),
        // What is no hint is none.
        ("timeout=abc", "POST", false, 89_999, true),
        ("timeout=-1", "POST", false, 89_999, true),
        ("", "POST", false, 89_999, true),
        // A server that waits for longer than the session changes nothing.
        ("timeout=120", "POST", false, 89_999, true),
        ("timeout=120", "GET", false, 90_000, false),
        ("timeout=99999999999999999999", "POST", false, 89_999, true),
    ] {
        let case = format!("{hint:?}, {method}, key {key}, {idle} ms");
        let server = Server::start();
        let (session, clock) = by_hand(|_| {});
        let url = server.url("/");
        assert_eq!(connection_of(&session, &server, Request::get(&*url), kept(hint)), 0);
        // As if the reaper had not come to it yet.
        clock.advance(Duration::from_millis(idle));
        let mut request = Request::new(method, &*url);
        if key {
            request = request.header("Idempotency-Key", "7");
        }
        let used = connection_of(&session, &server, request, Answer::ok("")) == 0;
        assert_eq!(used, is_used, "{case}");
        nothing_is_left(session, &[&server]);
    }
}

#[test]
fn several_fields_are_read_together_and_in_any_case() {
    for (fields, idle) in [
        (&[("Keep-Alive", "timeout=9"), ("keep-alive", "timeout=3")][..], 2_000),
        (&[("KEEP-ALIVE", "max=5"), ("Keep-Alive", "timeout=3")], 2_000),
        // HTTP/1.1 persists without a word.
        (&[("Connection", "Keep-Alive, x"), ("Keep-Alive", "timeout=3")], 2_000),
    ] {
        for (idle, is_used) in [(idle - 1, true), (idle, false)] {
            let server = Server::start();
            let (session, clock) = by_hand(|_| {});
            let url = server.url("/");
            let mut answer = Answer::ok("");
            for (name, value) in fields {
                answer = answer.header(name, value);
            }
            connection_of(&session, &server, Request::get(&*url), answer);
            clock.advance(Duration::from_millis(idle));
            let used = connection_of(&session, &server, Request::post(&*url), Answer::ok("")) == 0;
            assert_eq!(used, is_used, "{fields:?}, {idle}");
            nothing_is_left(session, &[&server]);
        }
    }
}

#[test]
fn what_a_server_has_said_last_holds() {
    let server = Server::start();
    let (session, clock) = by_hand(|_| {});
    let url = server.url("/");
    let post = |answer| connection_of(&session, &server, Request::post(&*url), answer);
    assert_eq!(post(kept("timeout=10")), 0);
    // Nothing is said anew.
    clock.advance(Duration::from_secs(8));
    assert_eq!(post(Answer::ok("")), 0);
    clock.advance(Duration::from_secs(8));
    assert_eq!(post(kept("timeout=4")), 0);
    clock.advance(Duration::from_secs(3));
    assert_eq!(post(kept("timeout=20")), 1);
    clock.advance(Duration::from_secs(18));
    assert_eq!(post(Answer::ok("")), 1);
    nothing_is_left(session, &[&server]);
}

#[test]
fn no_post_is_lost_to_a_server_that_closes_when_it_said_so() {
    plain_and_tls(|over, server, trusting| {
        let clock = Clock::by_hand();
        let mut configuration = trusting.configuration();
        configuration.clock = clock.clone();
        let session = Session::new(configuration).unwrap();
        // It closes while the second request is on its way.
        server.handle(|request| match request.sequence() {
            0 => kept("timeout=1"),
            _ => Answer::ok("").close_before_answer(),
        });
        for at in 0..5 {
            let data = session.data(Request::post(server.url("/"))).unwrap();
            assert_eq!(data.body, b"here", "{at}, {over}");
            clock.advance(Duration::from_millis(1_100));
        }
        assert_eq!((server.request_count(), server.connection_count()), (5, 5), "{over}");
        drop(trusting);
        nothing_is_left(session, &[&server]);
    });
}

#[test]
fn an_idle_connection_is_closed_when_its_server_would_close_it() {
    for limit in [Duration::from_secs(90), Duration::MAX] {
        let servers = [Server::start(), Server::start(), Server::start()];
        let (session, clock) =
            by_hand(|configuration| configuration.idle_connection_timeout = limit);
        let counters = Counters::of(&session);
        // The reaper sleeps for longer than the second and the third have.
        for (server, hint) in servers.iter().zip(["", "timeout=9", "timeout=5"]) {
            connection_of(&session, server, Request::get(server.url("/")), kept(hint));
        }
        for (seconds, open) in [(4, [1, 1, 1]), (1, [1, 1, 0]), (4, [1, 0, 0])] {
            clock.advance(Duration::from_secs(seconds));
            for (server, open) in servers.iter().zip(open) {
                server.wait_until(|stats| stats.open_connections == open);
            }
        }
        wait_for("no socket of theirs", || counters.sockets() == 1);
        nothing_is_left(session, &servers.iter().collect::<Vec<_>>());
    }
}

#[test]
fn connections_of_one_host_are_closed_each_in_its_time() {
    let server = Server::start();
    let (session, clock) = by_hand(|_| {});
    let loads: Vec<_> = ["timeout=9", "timeout=5", "timeout=7"]
        .map(|hint| {
            server.enqueue(kept(hint).stall_in_body_after(1));
            let bytes = session.bytes(server.url("/")).unwrap();
            let _ = server.take_request();
            bytes
        })
        .into();
    server.wait_until(|stats| stats.stalled == 3);
    server.release();
    for mut bytes in loads {
        std::io::copy(&mut bytes, &mut std::io::sink()).unwrap();
    }
    for (seconds, open) in [(4, 3), (1, 2), (2, 1), (2, 0)] {
        clock.advance(Duration::from_secs(seconds));
        server.wait_until(|stats| stats.open_connections == open);
    }
    nothing_is_left(session, &[&server]);
}

#[test]
fn the_time_for_which_a_delegate_thinks_counts() {
    for (asked_by, answer) in [
        ("challenge", Answer::status(401).header("WWW-Authenticate", "Basic realm=\"x\"")),
        ("redirect", Answer::redirect(307, "/next")),
    ] {
        for (seconds, connections) in [(3, 1), (4, 2), (6, 2)] {
            let server = Server::start();
            let (clock, recorder) = (Clock::by_hand(), Recorder::new());
            recorder.on_challenge(OnChallenge::Hold).on_redirect(OnRedirect::Hold);
            let mut configuration = Configuration::ephemeral();
            configuration.clock = clock.clone();
            let queue = DeliveryQueue::serial();
            let session =
                Session::with_delegate(configuration, recorder.delegate(), queue).unwrap();
            server.enqueue(answer.clone().header("Keep-Alive", "timeout=5").body("unread"));
            server.enqueue(Answer::ok("there"));
            let task = session.data_task(Request::post(server.url("/")));
            task.resume();
            let think = || clock.advance(Duration::from_secs(seconds));
            if asked_by == "redirect" {
                let held = recorder.take_redirect();
                think();
                held.follow();
            } else {
                let held = recorder.take_challenge();
                think();
                let credential = Credential::new("ann", "secret");
                held.reply.answer(Disposition::UseCredential(credential));
            }
            recorder.wait_for_completions(1);
            assert_eq!(server.connection_count(), connections, "{asked_by}, {seconds} s");
            assert_eq!(server.request_count(), 2, "{asked_by}, {seconds} s");
            assert_eq!(task.response().unwrap().status(), 200, "{asked_by}, {seconds} s");
            drop(task);
            nothing_is_left(session, &[&server]);
        }
    }
}
