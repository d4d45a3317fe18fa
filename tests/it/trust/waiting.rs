//! Questions about a server whose answers take a while.

use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use urlsession::testing::{Answer, Authority, Server};
use urlsession::{
    CancelToken, Clock, Configuration, Disposition, ErrorKind, Reply, Request, Session, Stage,
};

use crate::support::deciding::{Deciding, HERE, asking, trusting};
use crate::support::running::{HANG, Running, nothing_is_left};

/// A session whose delegate hands its questions to the test.
fn handing(configuration: Configuration) -> (Session, Arc<Deciding>, Receiver<Reply<Disposition>>) {
    let (asks, asked) = channel();
    let asks = Mutex::new(asks);
    let delegate = Deciding::with_reply(move |_, reply| asks.lock().unwrap().send(reply).unwrap());
    (asking(configuration, &delegate), delegate, asked)
}

fn server(authority: &Authority) -> Server {
    let server = Server::start_tls(&authority.identity(HERE));
    server.handle(|_| Answer::ok("secret"));
    server
}

type Loading = Running<Result<urlsession::Data, urlsession::Error>>;

fn load(session: &Session, server: &Server) -> Loading {
    let (session, url) = (session.clone(), server.url_with_host("localhost", "/"));
    Running::start(move || session.data(url))
}

#[test]
fn nothing_is_sent_before_the_answer() {
    let authority = Authority::new();
    let server = server(&authority);
    let (session, delegate, asked) = handing(trusting(&authority));
    let loading = load(&session, &server);
    let reply = asked.recv_timeout(HANG).unwrap();
    server.wait_until(|stats| stats.handshakes == 1);
    assert!(loading.is_running());
    assert_eq!(server.stats().heads, 0);
    reply.answer(Disposition::PerformDefaultHandling);
    assert_eq!(loading.outcome().unwrap().text(), "secret");
    assert_eq!(server.connection_count(), 1);
    assert_eq!(delegate.take_asked().len(), 1);
}

#[test]
fn an_answer_that_comes_after_the_server_has_closed_is_used_for_another_connection() {
    let authority = Authority::new();
    for reset in [false, true] {
        let server = server(&authority);
        let (session, delegate, asked) = handing(trusting(&authority));
        let loading = load(&session, &server);
        let reply = asked.recv_timeout(HANG).unwrap();
        server.wait_until(|stats| stats.handshakes == 1 && stats.idle_connections == 1);
        if reset {
            server.reset_idle_connections();
        } else {
            server.close_idle_connections();
        }
        server.wait_until(|stats| stats.open_connections == 0);
        reply.answer(Disposition::PerformDefaultHandling);
        assert_eq!(loading.outcome().unwrap().text(), "secret");
        assert_eq!(server.connection_count(), 2, "reset: {reset}");
        assert_eq!(delegate.take_asked().len(), 1, "reset: {reset}");
        nothing_is_left(session, &[&server]);
    }
}

#[test]
fn the_idle_timer_stands_still_while_somebody_is_asked() {
    let authority = Authority::new();
    let server = server(&authority);
    let mut configuration = trusting(&authority);
    configuration.clock = Clock::by_hand();
    configuration.timeout_for_request = Duration::from_secs(10);
    configuration.timeout_for_resource = Duration::from_secs(1000);
    let clock = configuration.clock.clone();
    let (session, _, asked) = handing(configuration);
    let loading = load(&session, &server);
    let reply = asked.recv_timeout(HANG).unwrap();
    clock.advance(Duration::from_secs(500));
    reply.answer(Disposition::PerformDefaultHandling);
    assert_eq!(loading.outcome().unwrap().text(), "secret");
}

#[test]
fn the_resource_timer_runs_while_somebody_is_asked() {
    let authority = Authority::new();
    let server = server(&authority);
    let mut configuration = trusting(&authority);
    configuration.clock = Clock::by_hand();
    configuration.timeout_for_resource = Duration::from_secs(1000);
    let clock = configuration.clock.clone();
    let (session, _, asked) = handing(configuration);
    let loading = load(&session, &server);
    let reply = asked.recv_timeout(HANG).unwrap();
    clock.advance(Duration::from_secs(1000));
    assert_eq!(loading.outcome().unwrap_err().kind(), ErrorKind::TimedOut);
    assert_eq!(server.request_count(), 0);
    reply.answer(Disposition::PerformDefaultHandling);
    nothing_is_left(session, &[&server]);
}

#[test]
fn cancelling_ends_the_question_about_a_good_and_a_bad_certificate() {
    let (mine, stranger) = (Authority::new(), Authority::new());
    for authority in [&mine, &stranger] {
        let server = server(authority);
        let (session, delegate, asked) = handing(trusting(&mine));
        let token = CancelToken::new();
        let url = server.url_with_host("localhost", "/");
        let request = Request::get(url).cancel_token(&token);
        let loading = Running::start({
            let session = session.clone();
            move || session.data(request)
        });
        let reply = asked.recv_timeout(HANG).unwrap();
        token.cancel();
        let error = loading.outcome().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Cancelled);
        assert_eq!(error.stage(), Some(Stage::Securing));
        assert_eq!(server.request_count(), 0);
        assert_eq!(delegate.take_asked().len(), 1);
        reply.answer(Disposition::PerformDefaultHandling);
        nothing_is_left(session, &[&server]);
    }
}

#[test]
fn a_task_that_reports_to_its_delegate_waits_like_a_blocking_call() {
    let authority = Authority::new();
    let server = server(&authority);
    let (session, _, asked) = handing(trusting(&authority));
    let (sends, outcome) = channel();
    session
        .data_task_with(server.url_with_host("localhost", "/"), move |data| {
            sends.send(data.map(|data| data.text().into_owned())).unwrap();
        })
        .resume();
    let reply = asked.recv_timeout(HANG).unwrap();
    assert_eq!(server.stats().heads, 0);
    reply.answer(Disposition::PerformDefaultHandling);
    assert_eq!(outcome.recv_timeout(HANG).unwrap().unwrap(), "secret");
}
