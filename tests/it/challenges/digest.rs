//! Digest (RFC 7616), against a server that computes by itself what it has to get.

use urlsession::testing::Answer;
use urlsession::{Body, Configuration, Credential, Disposition, Request, Session};

use crate::support::asked::{Asked, authorizations, basic, unauthorized};
use crate::support::digest_server::{Digest, read};

const ALGORITHMS: [Option<&str>; 7] = [
    None,
    Some("MD5"),
    Some("MD5-sess"),
    Some("SHA-256"),
    Some("SHA-256-sess"),
    Some("SHA-512-256"),
    Some("SHA-512-256-sess"),
];

/// Every algorithm with every protection that it can have.
fn kinds() -> Vec<Digest> {
    let all = ALGORITHMS.iter().flat_map(|algorithm| {
        let is_session = algorithm.is_some_and(|name| name.ends_with("-sess"));
        let qops = [None, Some("auth"), Some("auth-int")];
        qops.into_iter()
            .filter(move |qop| qop.is_some() || !is_session)
            .map(|qop| Digest::new(*algorithm, qop))
    });
    all.collect()
}

#[test]
fn every_algorithm_and_protection_is_answered_and_counted() {
    for digest in kinds() {
        let server = digest.serve(|_, _| Answer::ok("in"));
        let asked = Asked::giving("ann", "pw");
        let session = asked.session();
        let case = format!("{:?} {:?}", digest.algorithm, digest.qop);
        assert_eq!(session.data(server.url("/a?b=c&d")).unwrap().text(), "in", "{case}");
        let post = Request::post(server.url("/form")).body("body");
        assert_eq!(session.data(&post).unwrap().text(), "in", "{case}");
        let opened = Body::opened_by(|| Ok(&b"opened"[..]));
        let put = Request::put(server.url("/")).body(opened);
        assert_eq!(session.data(&put).unwrap().text(), "in", "{case}");
        assert_eq!(asked.take_questions().len(), 1, "{case}");
        assert_eq!((server.request_count(), server.connection_count()), (4, 1), "{case}");
        let counts: &[&str] = match digest.qop {
            Some(_) => &["00000001", "00000002", "00000003"],
            None => &["none", "none", "none"],
        };
        assert_eq!(digest.take_counts(), counts, "{case}");
    }
}

#[test]
fn every_request_has_a_client_nonce_of_its_own() {
    let digest = Digest::new(Some("SHA-256"), Some("auth"));
    let server = digest.serve(|_, _| Answer::ok("in"));
    let session = Asked::giving("ann", "pw").session();
    for _ in 0..3 {
        session.data(server.url("/")).unwrap();
    }
    let sent = authorizations(&server).into_iter().flatten();
    let mut cnonces: Vec<_> = sent.map(|field| read(&field[7..])["cnonce"].clone()).collect();
    assert!(cnonces.iter().all(|cnonce| cnonce.len() >= 16), "{cnonces:?}");
    cnonces.sort();
    cnonces.dedup();
    assert_eq!(cnonces.len(), 3);
}

#[test]
fn a_user_name_is_hashed_or_extended_where_the_server_asks_for_it() {
    for (more, user, name, value) in [
        (", userhash=true, charset=UTF-8", "J\u{e4}s\u{f8}n", "username", None),
        (", charset=UTF-8", "J\u{e4}s\u{f8}n", "username*", Some("UTF-8''J%C3%A4s%C3%B8n")),
        (", charset=UTF-8", "ann", "username", Some("ann")),
        ("", "a\"n\\n", "username", Some("a\"n\\n")),
    ] {
        let mut digest = Digest::new(Some("SHA-512-256"), Some("auth"));
        (digest.more, digest.user) = (more, user);
        let hashed = digest.hash(&format!("{user}:r"));
        let expected = value.map_or(hashed, str::to_owned);
        let server = digest.serve(move |_, fields| {
            assert_eq!(fields[name], expected);
            assert_eq!(fields.contains_key("userhash"), value.is_none());
            Answer::ok("in")
        });
        let data = Asked::giving(user, "pw").session().data(server.url("/")).unwrap();
        assert_eq!(data.text(), "in", "{more} {user}");
    }
}

#[test]
fn a_nonce_that_grew_old_is_followed_without_asking() {
    for says_stale in [true, false] {
        let digest = Digest::new(None, Some("auth"));
        let server = digest.serve(|_, _| Answer::ok("in"));
        let asked = Asked::giving("ann", "pw");
        let session = asked.session();
        session.data(server.url("/")).unwrap();
        digest.take_nonce("n2", says_stale);
        for _ in 0..2 {
            assert_eq!(session.data(server.url("/")).unwrap().text(), "in");
        }
        assert_eq!(asked.take_questions().len(), 1);
        // One refusal at the beginning, and one for the old nonce.
        assert_eq!(server.request_count(), 5);
        assert_eq!(digest.take_counts(), ["00000001", "00000001", "00000002"]);
    }
}

#[test]
fn a_stale_nonce_is_followed_once_a_request() {
    let server = urlsession::testing::Server::start();
    server.handle(|request| {
        let nonce = request.sequence();
        unauthorized(&[&format!("Digest realm=r, nonce=n{nonce}, qop=auth, stale=true")])
    });
    let asked = Asked::trying("ann", &["pw"]);
    assert_eq!(asked.session().data(server.url("/")).unwrap().text(), "who?");
    let failures: Vec<_> = asked.take_questions().iter().map(|one| one.failures).collect();
    assert_eq!((failures, server.request_count()), (vec![0, 1], 3));
}

#[test]
fn a_wrong_password_is_no_old_nonce() {
    let digest = Digest::new(None, Some("auth"));
    let server = digest.serve(|_, _| Answer::ok("in"));
    let asked = Asked::trying("ann", &["no", "pw"]);
    assert_eq!(asked.session().data(server.url("/")).unwrap().text(), "in");
    let questions = asked.take_questions();
    let shown: Vec<_> =
        questions.iter().map(|one| (one.failures, one.proposed.as_deref())).collect();
    assert_eq!(shown, [(0, None), (1, Some("ann:no"))]);
    assert_eq!((server.request_count(), server.connection_count()), (3, 1));
}

#[test]
fn what_is_accepted_is_sent_unasked_inside_its_domain_only() {
    for (domain, unasked) in [("", true), (", domain=\"/in /else\"", false)] {
        let mut digest = Digest::new(None, Some("auth"));
        digest.more = domain;
        let server = digest.serve(|_, _| Answer::ok("in"));
        let session = Asked::giving("ann", "pw").session();
        session.data(server.url("/in/x")).unwrap();
        authorizations(&server);
        for (path, expected) in [("/in/y", true), ("/else", true), ("/out", unasked)] {
            session.data(server.url(path)).unwrap();
            assert_eq!(authorizations(&server)[0].is_some(), expected, "{domain} {path}");
        }
    }
}

#[test]
fn digest_is_answered_where_basic_is_offered_too() {
    let digest = Digest::new(Some("SHA-256"), Some("auth"));
    let server = digest.serve(|_, _| Answer::ok("in"));
    server.enqueue(unauthorized(&[
        "Basic realm=r",
        "Digest realm=r, nonce=old, qop=auth",
        "Digest realm=r, nonce=n1, qop=auth, algorithm=SHA-256, opaque=\"op\\\"aque\"",
    ]));
    assert_eq!(Asked::giving("ann", "pw").session().data(server.url("/")).unwrap().text(), "in");
    assert_eq!(server.request_count(), 2);
}

#[test]
fn a_user_name_in_the_url_answers_digest_without_asking() {
    let digest = Digest::new(Some("SHA-256"), Some("auth"));
    let server = digest.serve(|_, _| Answer::ok("in"));
    let session = Session::new(Configuration::ephemeral()).unwrap();
    let url = server.url("/").replace("http://", "http://ann:pw@");
    for expected in [2, 1] {
        assert_eq!(session.data(&url).unwrap().text(), "in");
        let sent = authorizations(&server);
        assert_eq!(sent.len(), expected, "{sent:?}");
        // Once Digest was accepted the password is not shown again.
        let shows = sent.contains(&Some(basic("ann", "pw")));
        assert_eq!(shows, expected == 2);
    }
}

#[test]
fn a_body_that_cannot_be_read_ahead_is_not_signed() {
    let digest = Digest::new(None, Some("auth-int"));
    let server = digest.serve(|_, _| Answer::ok("in"));
    let asked = Asked::giving("ann", "pw");
    let session = asked.session();
    let once = || Request::post(server.url("/")).body(Body::reader(&b"once"[..]));
    assert_eq!(session.data(once()).unwrap().text(), "who?");
    assert!(asked.take_questions().is_empty());
    // Nor is it sent along later, where it could be consumed in vain.
    assert_eq!(session.data(server.url("/")).unwrap().text(), "in");
    authorizations(&server);
    assert_eq!(session.data(once()).unwrap().text(), "who?");
    assert_eq!(authorizations(&server), [None]);
}

#[test]
fn a_body_that_cannot_be_opened_fails_the_load() {
    let digest = Digest::new(None, Some("auth-int"));
    let server = digest.serve(|_, _| Answer::ok("in"));
    let session = Asked::giving("ann", "pw").session();
    session.data(server.url("/")).unwrap();
    let nowhere = Body::file(std::env::temp_dir().join("urlsession-there-is-no-such-file"));
    let error = session.data(Request::post(server.url("/")).body(nowhere)).unwrap_err();
    assert_eq!(error.kind(), urlsession::ErrorKind::FileDoesNotExist, "{error}");
    assert_eq!(error.failing_url(), Some(&*server.url("/")));
}

#[test]
fn many_tasks_at_once_never_repeat_a_count() {
    let digest = Digest::new(Some("SHA-256"), Some("auth"));
    let server = digest.serve(|_, _| Answer::ok("in"));
    let credential = Credential::new("ann", "pw");
    let asked = Asked::new(move |_| Some(Disposition::UseCredential(credential.clone())));
    let mut configuration = Configuration::ephemeral();
    configuration.maximum_concurrent_tasks = 4;
    let session = asked.session_with(configuration);
    session.data(server.url("/")).unwrap();
    let (sender, outcomes) = std::sync::mpsc::channel();
    for _ in 0..40 {
        session.data_task_to(server.url("/"), &sender).resume();
    }
    drop(sender);
    assert!(outcomes.into_iter().all(|finished| finished.outcome.unwrap().text() == "in"));
    // The server refuses a count that it has seen.
    assert_eq!((digest.take_counts().len(), server.request_count()), (41, 42));
    assert_eq!(asked.take_questions().len(), 1);
}
