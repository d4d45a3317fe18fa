//! Challenges in shapes that the standard does not have and other clients answer.

use urlsession::testing::{Answer, Recorded, Server};
use urlsession::{AuthenticationMethod, Session};

use crate::support::asked::{Asked, basic};

/// Fields of a head, as bytes.
type Fields = &'static [&'static [u8]];

/// A 401 with these fields, as bytes.
fn asking(fields: &[&[u8]]) -> Answer {
    let answer = Answer::status(401).body("who?");
    fields.iter().fold(answer, |answer, field| answer.header("WWW-Authenticate", field))
}

/// A server that asks so, and lets in whoever it is right for.
fn server(fields: Fields, lets_in: impl Fn(&Recorded) -> bool + Send + Sync + 'static) -> Server {
    let server = Server::start();
    server.handle(move |request| match lets_in(request) {
        true => Answer::ok("in"),
        false => asking(fields),
    });
    server
}

#[test]
fn a_password_is_asked_for_however_oddly_a_server_asks_for_it() {
    let rows: &[(Fields, Option<&str>)] = &[
        (&[b"Basic realm=my realm"], Some("my realm")),
        (&[b"Basic realm=\"x\" charset=\"UTF-8\""], Some("x")),
        (&[b"Basic realm=\"x\"; charset=utf-8"], Some("x")),
        (&[b"Basic realm"], None),
        (&[b"Basic"], None),
        (&[b"Basic realm="], Some("")),
        (&[b"basic REALM = x"], Some("x")),
        (&[b"Basic realm='x y'"], Some("'x y'")),
        (&[b"Basic realm=\"x"], Some("x")),
        (&[b"Basic realm=\"a\", realm=\"b\""], Some("b")),
        (&[b"Basic realm=\"caf\xe9\""], Some("caf\u{e9}")),
        (&[b"Basic realm=\"caf\xc3\xa9\""], Some("caf\u{e9}")),
        (&[b"Odd@x, =, \"y, Basic realm=x"], Some("x")),
        (&[b"Bearer realm=my, scope=a b c, Basic realm=x y"], Some("x y")),
        (&[b"Bearer \"", b",;", b"Basic realm=x"], Some("x")),
        (&[b"Bearer realm=\"x, Basic realm=y"], Some("y")),
    ];
    for (fields, realm) in rows {
        let right = basic("ann", "pw");
        let server = server(fields, move |request| request.header("authorization") == Some(&right));
        let asked = Asked::giving("ann", "pw");
        let data = asked.session().data(server.url("/")).unwrap();
        let name = fields.concat().escape_ascii().to_string();
        assert_eq!((data.response.status().as_u16(), &*data.text()), (200, "in"), "{name}");
        let questions = asked.take_questions();
        assert_eq!(questions.len(), 1, "{name}");
        assert_eq!(questions[0].method, AuthenticationMethod::Basic, "{name}");
        // What ends behind its sign has the form of a token.
        let expected = realm.filter(|realm| !realm.is_empty());
        assert_eq!(questions[0].realm.as_deref(), expected, "{name}");
        // Without anybody to ask, what stands in the URL answers.
        let url = server.url("/").replace("http://", "http://ann:pw@");
        assert_eq!(Session::shared().data(url).unwrap().text(), "in", "{name}");
    }
}

#[cfg(feature = "digest")]
#[test]
fn what_digest_gets_in_another_encoding_goes_back_byte_for_byte() {
    let rows: &[(Fields, Fields)] = &[
        (
            &[b"Digest realm=\"gr\xfcn\", nonce=\"n\", qop=\"auth\""],
            &[b"realm=\"gr\xfcn\"", b"nonce=\"n\""],
        ),
        (
            &[b"Digest realm=\"gr\xc3\xbcn\", nonce=\"n\", qop=\"auth\""],
            &[b"realm=\"gr\xc3\xbcn\"", b"nonce=\"n\""],
        ),
        (
            &[b"Digest realm=x, nonce=\"\xff\xfe\", opaque=\"\x80\", qop=auth"],
            &[b"nonce=\"\xff\xfe\"", b"opaque=\"\x80\""],
        ),
        // Without commas, and without a realm.
        (
            &[b"Digest realm=\"x\" nonce=\"n\" qop=\"auth\" algorithm=MD5; stale=false"],
            &[b"realm=\"x\"", b"nonce=\"n\"", b"qop=auth", b"algorithm=MD5"],
        ),
        (&[b"Digest nonce=\"n\", odd@, x=, qop=\"auth\""], &[b"realm=\"\"", b"qop=auth"]),
        // Protections that nobody knows are passed over (RFC 7616 §3.3).
        (&[b"Digest realm=r, nonce=n, qop=\"auth-conf\""], &[b"realm=\"r\"", b"nonce=\"n\""]),
    ];
    for (fields, parts) in rows {
        let server = server(fields, |request| request.header("authorization").is_some());
        let asked = Asked::giving("ann", "pw");
        assert_eq!(asked.session().data(server.url("/")).unwrap().text(), "in");
        let _ = server.take_request();
        let sent = server.take_request();
        for part in *parts {
            let head = sent.head_bytes();
            let found = head.windows(part.len()).any(|one| one == *part);
            assert!(found, "{} is not in {}", part.escape_ascii(), head.escape_ascii());
        }
    }
}
