//! What a server says in `Authentication-Info`: its next nonce, and that it knows the
//! password too.

use urlsession::testing::{Answer, Recorded, Server};
use urlsession::{Configuration, ErrorKind, Request, Session};

use crate::support::asked::{Asked, authorizations, guarded};
use crate::support::digest_server::{Digest, Fields};
use crate::support::logged::warnings;
use crate::support::running::Way;

/// A server that proves itself with what `proves` makes of the right proof and the body.
fn proving(
    digest: &Digest,
    body: &'static str,
    proves: impl Fn(String, &Fields) -> String + Send + Sync + 'static,
) -> (Server, Session) {
    let known = digest.clone();
    let server = digest.serve(move |_: &Recorded, fields| {
        let right = known.response("", body, fields);
        Answer::ok(body).header("Authentication-Info", proves(right, fields))
    });
    (server, Asked::giving("ann", "pw").session())
}

/// One that requires a proof, or does not.
fn asking(requires: bool) -> Session {
    let mut configuration = Configuration::ephemeral();
    configuration.requires_digest_proof = requires;
    Asked::giving("ann", "pw").session_with(configuration)
}

/// Makes an `Authentication-Info` of the right proof.
type Info = fn(&str, &Fields) -> Option<String>;

fn with_parts(proof: &str, fields: &Fields, changed: &str) -> Option<String> {
    let part = |name: &str| match changed.split_once('=') {
        Some((other, value)) if other == name => value.to_owned(),
        _ => fields[name].clone(),
    };
    let (qop, nc, cnonce) = (part("qop"), part("nc"), part("cnonce"));
    Some(format!("rspauth=\"{proof}\", qop={qop}, nc={nc}, cnonce=\"{cnonce}\""))
}

/// What a server says, whether that is a proof, and whether it is one that is wrong.
const INFOS: &[(&str, Info, bool, bool)] = &[
    ("right", |right, fields| with_parts(right, fields, ""), true, false),
    ("the proof alone", |right, _| Some(format!("rspauth=\"{right}\"")), true, false),
    ("no field", |_, _| None, false, false),
    ("an empty field", |_, _| Some(String::new()), false, false),
    ("unreadable", |_, _| Some("=".to_owned()), false, false),
    ("no proof", |_, _| Some("nextnonce=\"n1\"".to_owned()), false, false),
    (
        "another password's",
        |right, fields| with_parts(&right.chars().rev().collect::<String>(), fields, ""),
        false,
        true,
    ),
    ("an empty proof", |_, fields| with_parts("", fields, ""), false, true),
    // The client's own response, sent back.
    ("an echo", |_, fields| with_parts(&fields["response"], fields, ""), false, true),
    ("misnumbered", |right, fields| with_parts(right, fields, "nc=00000009"), false, true),
    ("not numbered", |right, fields| with_parts(right, fields, "nc=one"), false, true),
    ("another request's", |right, fields| with_parts(right, fields, "cnonce=other"), false, true),
    ("another protection", |right, fields| with_parts(right, fields, "qop=auth-conf"), false, true),
    ("misnumbered without a proof", |_, _| Some("nc=00000009".to_owned()), false, true),
];

/// A server that answers a POST and says this of itself.
fn saying(info: Info, algorithm: Option<&'static str>, qop: &'static str) -> Server {
    let digest = Digest::new(algorithm, Some(qop));
    let known = digest.clone();
    digest.serve(move |_, fields| {
        let info = info(&known.response("", "in", fields), fields);
        let answer = Answer::status(201).body("in");
        info.into_iter().fold(answer, |answer, info| answer.header("Authentication-Info", info))
    })
}

const KINDS: [(Option<&str>, &str); 3] =
    [(None, "auth"), (Some("SHA-256-sess"), "auth"), (Some("SHA-512-256"), "auth-int")];

#[test]
fn a_wrong_proof_is_a_warning_and_the_response_is_delivered() {
    for &(name, info, _, is_wrong) in INFOS {
        for (algorithm, qop) in KINDS {
            let case = format!("{name}, {algorithm:?}, {qop}");
            let (server, session) = (saying(info, algorithm, qop), asking(false));
            for _ in 0..2 {
                let request = Request::post(server.url("/x")).body("sent");
                let (data, logged) = warnings(|| session.data(request).unwrap());
                assert_eq!((data.response.status().as_u16(), &*data.text()), (201, "in"), "{case}");
                assert_eq!(logged.len(), usize::from(is_wrong), "{case}: {logged:?}");
                assert!(logged.iter().all(|line| !line.contains("pw")), "{logged:?}");
            }
            // It was let in with what it has: nobody is asked again.
            assert_eq!(authorizations(&server).len(), 3, "{case}");
        }
    }
}

#[test]
fn a_missing_or_wrong_proof_fails_the_load_if_the_program_requires_one() {
    for &(name, info, proves, is_wrong) in INFOS {
        for (algorithm, qop) in KINDS {
            for way in Way::BOTH {
                let case = format!("{name}, {algorithm:?}, {qop}, {way:?}");
                let server = saying(info, algorithm, qop);
                let request = Request::post(server.url("/x")).body("sent");
                match way.load(&asking(true), request) {
                    Ok(body) => assert!(proves && body == b"in", "{case}"),
                    Err(error) => {
                        assert!(!proves, "{case}: {error}");
                        assert_eq!(error.kind(), ErrorKind::BadServerResponse, "{case}: {error}");
                        assert_eq!(error.failing_url(), Some(&*server.url("/x")), "{case}");
                        let text = error.to_string();
                        assert!(is_wrong || text.contains("requires_digest_proof"), "{text}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_proof_that_covers_the_body_finds_a_changed_one() {
    for requires in [false, true] {
        for body in ["changed", ""] {
            let digest = Digest::new(Some("SHA-256"), Some("auth-int"));
            let known = digest.clone();
            let server = digest.serve(move |_, fields| {
                let right = known.response("", "sent", fields);
                Answer::ok(body).header("Authentication-Info", format!("rspauth=\"{right}\""))
            });
            let session = asking(requires);
            let (outcome, logged) = warnings(|| session.data(server.url("/")));
            if requires {
                let error = outcome.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::BadServerResponse, "{error}");
            } else {
                assert_eq!(outcome.unwrap().text(), body);
                assert_eq!(logged.len(), 1, "{logged:?}");
            }
        }
    }
}

#[test]
fn an_answer_that_needs_no_proof_is_not_asked_for_one() {
    // Basic has none, and a 401 is none of a server that was convinced.
    let basic = guarded("r", "pw");
    assert_eq!(asking(true).data(basic.url("/")).unwrap().text(), "in");
    let mut digest = Digest::new(None, Some("auth"));
    digest.password = "other";
    let server = digest.serve(|_, _| Answer::ok("in"));
    let data = asking(true).data(server.url("/")).unwrap();
    assert_eq!(data.response.status(), 401);
    let open = Server::start();
    open.enqueue(Answer::ok("open"));
    assert_eq!(asking(true).data(open.url("/")).unwrap().text(), "open");
}

#[test]
fn a_redirect_has_to_be_proven_too() {
    for requires in [false, true] {
        let digest = Digest::new(None, Some("auth"));
        let server = digest.serve(|request, _| match request.path() {
            "/" => Answer::redirect(302, "/there"),
            _ => Answer::ok("there"),
        });
        let outcome = asking(requires).data(server.url("/"));
        assert_eq!(outcome.is_err(), requires, "{outcome:?}");
        let reached = authorizations(&server).len();
        assert_eq!(reached, if requires { 2 } else { 3 });
    }
}

#[test]
fn a_next_nonce_that_the_server_does_not_take_is_replaced_without_a_question() {
    for (is_right, says_stale) in [(true, true), (true, false), (false, true)] {
        let digest = Digest::new(Some("SHA-256"), Some("auth"));
        let known = digest.clone();
        let server = digest.serve(move |request, _| {
            known.take_nonce(&format!("own{}", request.sequence()), says_stale);
            // One beside the proof of another request is not taken.
            let wrong = if is_right { "" } else { "nc=00000009, " };
            Answer::ok("in").header("Authentication-Info", format!("{wrong}nextnonce=\"odd\""))
        });
        let asked = Asked::giving("ann", "pw");
        let session = asked.session();
        for _ in 0..3 {
            assert_eq!(session.data(server.url("/")).unwrap().text(), "in");
        }
        assert_eq!(asked.take_questions().len(), 1, "{is_right}, {says_stale}");
    }
}

#[cfg(feature = "gzip")]
#[test]
fn a_proof_covers_the_body_as_it_is_transferred() {
    use std::io::Write;

    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(b"hello").unwrap();
    let encoded = encoder.finish().unwrap();
    let digest = Digest::new(Some("MD5"), Some("auth-int"));
    let known = digest.clone();
    let hash = format!("{:x}", md5::compute(&encoded));
    let server = digest.serve(move |_, fields| {
        // RFC 7616 §3.5: the method is left out.
        let request = known.hash(&format!(":{}:{hash}", fields["uri"]));
        let key = known.hash("ann:r:pw");
        let right = known.hash(&format!(
            "{key}:{}:{}:{}:auth-int:{request}",
            fields["nonce"], fields["nc"], fields["cnonce"]
        ));
        Answer::ok(&encoded)
            .header("Content-Encoding", "gzip")
            .header("Authentication-Info", format!("rspauth=\"{right}\", qop=auth-int"))
    });
    let session = Asked::giving("ann", "pw").session();
    assert_eq!(session.data(server.url("/")).unwrap().text(), "hello");
}

#[test]
fn the_next_nonce_is_used_next_and_counted_anew() {
    let digest = Digest::new(Some("SHA-256"), Some("auth"));
    let known = digest.clone();
    let server = digest.serve(move |request, _| {
        let nonce = format!("next{}", request.sequence());
        known.take_nonce(&nonce, false);
        Answer::ok("in").header("Authentication-Info", format!("nextnonce=\"{nonce}\""))
    });
    let asked = Asked::giving("ann", "pw");
    let session = asked.session();
    for _ in 0..3 {
        assert_eq!(session.data(server.url("/")).unwrap().text(), "in");
    }
    assert_eq!(authorizations(&server).len(), 4);
    assert_eq!(digest.take_counts(), ["00000001"; 3]);
}

#[test]
fn a_next_nonce_that_is_the_same_is_counted_on() {
    let digest = Digest::new(Some("SHA-256"), Some("auth"));
    let server = digest.serve(|_, fields| {
        let info = format!("nextnonce=\"{}\"", fields["nonce"]);
        Answer::ok("in").header("Authentication-Info", info)
    });
    let session = Asked::giving("ann", "pw").session();
    for _ in 0..3 {
        assert_eq!(session.data(server.url("/")).unwrap().text(), "in");
    }
    assert_eq!(authorizations(&server).len(), 4);
    assert_eq!(digest.take_counts(), ["00000001", "00000002", "00000003"]);
}

#[test]
fn a_field_that_proves_nothing_changes_nothing() {
    for info in ["", "=", "nextnonce=", "qop=auth", "rspauth"] {
        let digest = Digest::new(None, Some("auth"));
        let (server, session) = proving(&digest, "in", move |_, _| info.to_owned());
        for _ in 0..2 {
            assert_eq!(session.data(server.url("/")).unwrap().text(), "in", "{info}");
        }
        assert_eq!(authorizations(&server).len(), 3, "{info}");
    }
}
