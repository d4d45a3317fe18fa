//! What a server says in `Authentication-Info`: its next nonce, and that it knows the
//! password too.

use urlsession::testing::{Answer, Recorded, Server};
use urlsession::{ErrorKind, Session};

use crate::support::asked::{Asked, authorizations};
use crate::support::digest_server::{Digest, Fields};
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

#[test]
fn a_proof_is_verified_and_a_wrong_one_is_an_error() {
    for (qop, algorithm) in
        [("auth", None), ("auth", Some("SHA-256-sess")), ("auth-int", Some("SHA-512-256"))]
    {
        let digest = Digest::new(algorithm, Some(qop));
        let info = |proof: &str, fields: &Fields| {
            let (qop, nc, cnonce) = (&fields["qop"], &fields["nc"], &fields["cnonce"]);
            format!("rspauth=\"{proof}\", qop={qop}, nc={nc}, cnonce=\"{cnonce}\"")
        };
        let (server, session) = proving(&digest, "in", move |right, fields| info(&right, fields));
        for way in Way::BOTH {
            for _ in 0..2 {
                let body = way.load(&session, server.url("/").into()).unwrap();
                assert_eq!(body, b"in", "{qop} {algorithm:?}");
            }
        }
        for way in Way::BOTH {
            let digest = Digest::new(algorithm, Some(qop));
            let (server, session) = proving(&digest, "in", move |right, fields| {
                info(&right.chars().rev().collect::<String>(), fields)
            });
            let error = way.load(&session, server.url("/x").into()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::BadServerResponse, "{qop} {algorithm:?} {error}");
            assert_eq!(error.failing_url(), Some(&*server.url("/x")));
        }
    }
}

#[test]
fn a_proof_that_covers_the_body_finds_a_changed_one() {
    let digest = Digest::new(Some("SHA-256"), Some("auth-int"));
    let known = digest.clone();
    let server = digest.serve(move |_, fields| {
        let right = known.response("", "sent", fields);
        Answer::ok("changed").header("Authentication-Info", format!("rspauth=\"{right}\""))
    });
    let session = Asked::giving("ann", "pw").session();
    let error = session.data(server.url("/")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadServerResponse, "{error}");
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
