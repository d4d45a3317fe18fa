//! Basic, and what every challenge has: the question, its count of failures, its end.

use std::sync::Arc;

use urlsession::testing::{Answer, Server};
use urlsession::{
    AuthenticationMethod, Configuration, Credential, Disposition, ErrorKind, Resolver, Session,
};

use crate::support::asked::{Asked, Question, authorizations, basic, guard, guarded, unauthorized};
use crate::support::running::HANG;

/// A question about Basic in the realm `r`, without a proposal.
fn question(failures: u32) -> Question {
    Question {
        method: AuthenticationMethod::Basic,
        realm: Some("r".to_owned()),
        failures,
        proposed: None,
        error: None,
    }
}

#[test]
fn a_401_that_is_answered_is_hidden() {
    let (server, asked) = (guarded("r", "pw"), Asked::giving("ann", "pw"));
    let session = asked.session();
    session.data_task(server.url("/x")).resume();
    assert!(session.wait_until_idle(HANG));
    assert_eq!(asked.take_questions(), [question(0)]);
    assert_eq!(asked.take_told(), ["response 200", "data in", "done None"]);
    assert_eq!(authorizations(&server), [None, Some(basic("ann", "pw"))]);
    assert_eq!(server.connection_count(), 1);
}

#[test]
fn a_401_that_nobody_answers_is_delivered_as_it_is() {
    let server = guarded("r", "pw");
    for asked in [Asked::new(|_| None), Asked::default_handling()] {
        let session = asked.session();
        session.data_task(server.url("/x")).resume();
        assert!(session.wait_until_idle(HANG));
        assert_eq!(asked.take_questions(), [question(0)]);
        assert_eq!(asked.take_told(), ["response 401", "data who?", "done None"]);
        assert_eq!(authorizations(&server), [None]);
    }
    let data = Session::new(Configuration::ephemeral()).unwrap().data(server.url("/")).unwrap();
    assert_eq!((data.response.status().as_u16(), &*data.text()), (401, "who?"));
    assert_eq!(data.response.header("www-authenticate"), Some("Basic realm=\"r\""));
}

#[test]
fn a_challenge_shows_who_asks_and_by_which_response() {
    let (server, asked) = (guarded("a realm", "pw"), Asked::giving("ann", "pw"));
    asked.session().data(server.url("/x?y")).unwrap();
    let challenge = asked.take_challenges().remove(0);
    let space = challenge.protection_space();
    assert_eq!((space.host(), space.port()), ("127.0.0.1", server.port()));
    assert_eq!((space.protocol(), space.realm()), ("http", Some("a realm")));
    assert_eq!(space.method(), AuthenticationMethod::Basic);
    assert!(!space.is_proxy() && !space.receives_credential_securely());
    assert!(space.server_trust().is_none() && space.distinguished_names().is_empty());
    let response = challenge.failure_response().unwrap();
    assert_eq!((response.status().as_u16(), response.url().as_str()), (401, &*server.url("/x?y")));
    assert_eq!(response.header("www-authenticate"), Some("Basic realm=\"a realm\""));
    assert!(challenge.error().is_none() && challenge.token().is_none());
}

#[test]
fn every_answer_that_is_turned_down_is_counted() {
    let (server, asked) = (guarded("r", "third"), Asked::trying("ann", &["one", "two", "third"]));
    assert_eq!(asked.session().data(server.url("/")).unwrap().text(), "in");
    let failed = |failures, proposed: &str| Question {
        proposed: Some(format!("ann:{proposed}")),
        ..question(failures)
    };
    let expected = [question(0), failed(1, "one"), failed(2, "two")];
    assert_eq!(asked.take_questions(), expected);
    let sent = ["one", "two", "third"].map(|password| Some(basic("ann", password)));
    assert_eq!(authorizations(&server), [&[None], &sent[..]].concat());
    assert_eq!(server.connection_count(), 1);
    // When the program gives up, the last response is delivered.
    let asked = Asked::trying("ann", &["one", "two"]);
    assert_eq!(asked.session().data(server.url("/")).unwrap().text(), "who?");
    assert_eq!(asked.take_questions(), expected);
}

#[test]
fn cancelling_a_challenge_cancels_the_task() {
    let (server, asked) = (guarded("r", "pw"), Asked::new(|_| Some(Disposition::Cancel)));
    let session = asked.session();
    let error = session.data(server.url("/x")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert_eq!(error.failing_url(), Some(&*server.url("/x")));
    session.data_task(server.url("/x")).resume();
    assert!(session.wait_until_idle(HANG));
    assert_eq!(asked.take_told(), ["done Some(Cancelled)"]);
    assert_eq!(authorizations(&server), [None, None]);
}

#[test]
fn a_credential_that_cannot_be_sent_is_asked_for_once_more_with_the_reason() {
    let server = guarded("r", "pw");
    let asked = Asked::new(|challenge| {
        let told = challenge.error().is_some_and(|error| error.to_string().contains("colon"));
        let user = if told { "ann" } else { "an:n" };
        Some(Disposition::UseCredential(Credential::new(user, "pw")))
    });
    assert_eq!(asked.session().data(server.url("/")).unwrap().text(), "in");
    let again = Question {
        proposed: Some("an:n:pw".to_owned()),
        error: Some(ErrorKind::InvalidRequest),
        ..question(1)
    };
    assert_eq!(asked.take_questions(), [question(0), again]);
    assert_eq!(server.request_count(), 2);
}

#[test]
fn nobody_is_asked_for_ever() {
    let (server, asked) = (guarded("r", "pw"), Asked::giving("an:n", "pw"));
    assert_eq!(asked.session().data(server.url("/")).unwrap().text(), "who?");
    assert_eq!(asked.take_questions().len(), 2);
    assert_eq!(server.request_count(), 1);
    // Nor is a server that names another realm each time.
    let turns = Server::start();
    turns.handle(|request| unauthorized(&[&format!("Basic realm=r{}", request.sequence())]));
    let asked = Asked::giving("ann", "pw");
    assert_eq!(asked.session().data(turns.url("/")).unwrap().text(), "who?");
    assert_eq!((asked.take_questions().len(), turns.request_count()), (10, 11));
    let url = turns.url("/").replace("http://", "http://ann:pw@");
    Session::new(Configuration::ephemeral()).unwrap().data(&url).unwrap();
    assert_eq!(turns.request_count(), 12);
}

#[test]
fn what_was_accepted_is_sent_unasked_inside_its_space_only() {
    let (one, two) = (guarded("r", "pw"), guarded("r", "pw"));
    let asked = Asked::giving("ann", "pw");
    let mut configuration = Configuration::ephemeral();
    configuration.resolver = Some(Resolver::new(|_, port| Ok(vec![([127, 0, 0, 1], port).into()])));
    let session = asked.session_with(configuration);
    session.data(one.url("/docs/a")).unwrap();
    authorizations(&one);
    assert_eq!(asked.take_questions().len(), 1);
    for (url, unasked) in [
        (one.url("/docs/b"), true),
        (one.url("/docs/"), true),
        (one.url("/docs/deep/er?x"), true),
        (one.url("/"), false),
        (one.url_with_host("localhost", "/docs/a"), false),
        (two.url("/docs/a"), false),
    ] {
        session.data(&url).unwrap();
        let seen = [authorizations(&one), authorizations(&two)].concat();
        assert_eq!(seen.len(), if unasked { 1 } else { 2 }, "{url}");
        assert_eq!(seen[0].is_some(), unasked, "{url}");
    }
}

#[test]
fn nothing_is_shared_between_sessions() {
    let server = guarded("r", "pw");
    for _ in 0..2 {
        let asked = Asked::giving("ann", "pw");
        asked.session().data(server.url("/")).unwrap();
        assert_eq!(authorizations(&server), [None, Some(basic("ann", "pw"))]);
        assert_eq!(asked.take_questions(), [question(0)]);
    }
}

#[test]
fn a_password_that_was_changed_is_a_failure_and_asked_for() {
    let server = guarded("r", "old");
    let asked = Asked::new(|challenge| {
        let password = if challenge.previous_failure_count() == 0 { "old" } else { "new" };
        Some(Disposition::UseCredential(Credential::new("ann", password)))
    });
    let session = asked.session();
    session.data(server.url("/")).unwrap();
    asked.take_questions();
    server.handle(guard("r", "new"));
    assert_eq!(session.data(server.url("/")).unwrap().text(), "in");
    let old = Question { proposed: Some("ann:old".to_owned()), ..question(1) };
    assert_eq!(asked.take_questions(), [old]);
    authorizations(&server);
    assert_eq!(session.data(server.url("/")).unwrap().text(), "in");
    assert_eq!(authorizations(&server), [Some(basic("ann", "new"))]);
}

#[test]
fn what_a_404_accepts_is_accepted() {
    let server = Server::start();
    server.handle(|request| match request.header("authorization") {
        Some(_) => Answer::status(404),
        None => unauthorized(&["Basic realm=r"]),
    });
    let session = Asked::giving("ann", "pw").session();
    session.data(server.url("/a")).unwrap();
    session.data(server.url("/b")).unwrap();
    assert_eq!(authorizations(&server).iter().filter(|sent| sent.is_none()).count(), 1);
}

#[test]
fn an_origin_that_behaves_like_a_proxy_is_not_answered() {
    let server = Server::start();
    server
        .handle(|_| Answer::status(407).header("Proxy-Authenticate", "Basic realm=p").body("pay"));
    let asked = Asked::giving("ann", "pw");
    let data = asked.session().data(server.url("/")).unwrap();
    assert_eq!((data.response.status().as_u16(), &*data.text()), (407, "pay"));
    assert!(asked.take_questions().is_empty());
}

#[test]
fn the_tasks_delegate_is_asked_before_the_sessions() {
    let server = guarded("r", "pw");
    for (first, tasks, sessions) in
        [(Asked::giving("ann", "pw"), 1, 0), (Asked::new(|_| None), 1, 1)]
    {
        let second = Asked::giving("ann", "pw");
        let task = second.session().data_task(server.url("/"));
        task.set_delegate(Arc::clone(&first) as Arc<_>).unwrap();
        assert_eq!(task.run().unwrap().text(), "in");
        let counts = (first.take_questions().len(), second.take_questions().len());
        assert_eq!(counts, (tasks, sessions));
    }
}
