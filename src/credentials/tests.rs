use std::error::Error as _;
use std::fmt::Debug;

use http::{StatusCode, Version};
use url::Url;

use super::*;
use crate::error::Error;
use crate::headers::Headers;
use crate::response::Response;

const SECRETS: [&str; 6] =
    ["hunter-user", "hunter2", "aHVudGVy", "hunter-token", "c0ffee", "q-secret"];

fn unauthorized(field: &str) -> Response {
    let mut headers = Headers::new();
    headers.add("WWW-Authenticate", field).unwrap();
    let url = Url::parse("http://s.test/x?q-secret").unwrap();
    Response::new(url, (StatusCode::UNAUTHORIZED, Version::HTTP_11), headers, None, None)
}

fn asked(response: &Response) -> Vec<Offer> {
    offers(response.headers(), Asker::Server(response.url()))
}

const GET: Outgoing<'_> =
    Outgoing { method: "GET", target: "/x?q-secret", body_hash: None, cnonce: "c0ffee" };

/// Everything that an error says by itself and by what caused it.
fn told(error: &Error) -> String {
    let source = error.source().map(|source| format!("{source} {source:?}")).unwrap_or_default();
    format!("{error} {error:?} {source}")
}

#[test]
fn no_secret_is_printed_by_anything() {
    let pair = Credential::new("hunter-user", "hunter2");
    let token = Credential::from_token("hunter-token");
    let response = unauthorized(
        "Digest realm=r, nonce=c0ffee, opaque=c0ffee, qop=auth, Basic realm=r, \
         Negotiate hunter-token",
    );
    let mut printed = vec![format!("{pair:?} {token:?} {GET:?}")];
    let mut print = |value: &dyn Debug| printed.push(format!("{value:?} {value:#?}"));
    let storage = CredentialStorage::new();
    let mut accepted = Accepted::new();
    for offer in asked(&response) {
        let credential = if offer.needs_token() { &token } else { &pair };
        let mut answer = offer.answer(credential).unwrap();
        let signed = answer.sign(&GET).unwrap();
        storage.set(credential, offer.space());
        let challenge = Challenge::new(offer.space().clone())
            .proposing(Some(credential.clone()))
            .after_failures(1)
            .with_token(offer.token())
            .failed_with(Error::cancelled())
            .asked_by(response.clone());
        assert_eq!(challenge.proposed_credential(), Some(credential));
        assert_eq!(challenge.previous_failure_count(), 1);
        assert!(challenge.failure_response().is_some() && challenge.error().is_some());
        assert_eq!(challenge.protection_space(), offer.space());
        assert_eq!(challenge.token(), offer.needs_token().then_some("hunter-token"));
        print(&challenge);
        print(&Disposition::UseCredential(credential.clone()));
        print(&offer);
        print(&signed);
        print(&signed.proof);
        print(&answer);
        accepted.keep(answer, Asker::Server(response.url()));
    }
    print(&accepted);
    print(&storage);
    print(&storage.all_credentials());
    #[cfg(feature = "netrc")]
    print(&Netrc::parse("machine hunter2 login hunter-user password hunter2"));
    let all = printed.join("\n");
    assert!(all.contains("Negotiate") && all.contains("Digest"), "too little was printed: {all}");
    for secret in SECRETS {
        assert!(!all.contains(secret), "{secret} is in\n{all}");
    }
}

#[test]
fn a_credential_that_does_not_fit_is_refused_without_being_named() {
    let token = Credential::from_token("hunter-token");
    for (field, credential) in [
        ("Basic realm=r", Credential::new("hunter-user:", "hunter2")),
        ("Basic realm=r", Credential::new("hunter-user", "hunter2\n")),
        ("Basic realm=r", token.clone()),
        ("Digest realm=r, nonce=n", Credential::new("hunter-user\r\n", "hunter2")),
        ("Digest realm=r, nonce=n", token),
        ("Negotiate", Credential::new("hunter-user", "hunter2")),
        ("NTLM", Credential::from_token("hunter-token\r\nX: y")),
        ("NTLM", Credential::from_token("")),
    ] {
        let error = asked(&unauthorized(field))[0].answer(&credential).unwrap_err();
        assert_eq!(error.kind(), crate::error::ErrorKind::InvalidRequest, "{field}");
        for secret in SECRETS {
            assert!(!told(&error).contains(secret), "{secret} is in {error:?}");
        }
    }
    let refused =
        Credential::new("hunter-user", "hunter2").with_persistence(Persistence::Permanent);
    for secret in SECRETS {
        assert!(!told(refused.as_ref().unwrap_err()).contains(secret));
    }
}

#[test]
fn a_wrong_proof_is_refused_without_showing_the_right_one() {
    let offer = asked(&unauthorized("Digest realm=r, nonce=n, qop=auth")).remove(0);
    let mut answer = offer.answer(&Credential::new("hunter-user", "hunter2")).unwrap();
    let proof = answer.sign(&GET).unwrap().proof.unwrap();
    let error = proof.verify(b"rspauth=\"c0ffee\"", None).unwrap_err();
    for secret in SECRETS {
        assert!(!told(&error).contains(secret), "{secret} is in {error:?}");
    }
}

#[test]
fn each_scheme_is_answered_in_its_own_words() {
    for (field, credential, expected) in [
        ("Basic realm=r", Credential::new("a", "b"), "Basic YTpi"),
        ("negotiate", Credential::from_token("YII="), "Negotiate YII="),
        ("ntlm TlRM", Credential::from_token("TlRMTVNT"), "NTLM TlRMTVNT"),
        ("Digest realm=r, nonce=n", Credential::new("a", "b"), "Digest username=\"a\""),
    ] {
        let mut answer = asked(&unauthorized(field))[0].answer(&credential).unwrap();
        let signed = answer.sign(&GET).unwrap();
        assert!(signed.value.starts_with(expected.as_bytes()), "{field}");
        assert_eq!(signed.proof.is_some(), field.starts_with("Digest"), "{field}");
        assert_eq!(answer.credential(), &credential);
    }
}

#[test]
fn only_a_stale_nonce_of_the_same_space_is_renewed() {
    let first = asked(&unauthorized("Digest realm=r, nonce=n, qop=auth")).remove(0);
    let answer = first.answer(&Credential::new("a", "b")).unwrap();
    for (field, stale, renewed) in [
        ("Digest realm=r, nonce=m, qop=auth, stale=true", true, true),
        ("Digest realm=r, nonce=m, qop=auth, stale=false", false, true),
        ("Digest realm=s, nonce=m, qop=auth, stale=true", true, false),
        ("Basic realm=r", false, false),
    ] {
        let offer = asked(&unauthorized(field)).remove(0);
        assert_eq!(offer.is_stale(), stale, "{field}");
        assert_eq!(answer.renewed(&offer).is_some(), renewed, "{field}");
    }
}

#[test]
fn an_answer_says_what_it_needs_and_whether_a_refusal_may_be_its_age() {
    for (field, hashed, old) in [
        ("Basic realm=r", None, false),
        ("Digest realm=r, nonce=n, qop=auth", None, true),
        ("Digest realm=r, nonce=n, qop=auth-int, algorithm=SHA-256", Some("SHA-256"), true),
    ] {
        let offer = asked(&unauthorized(field)).remove(0);
        let mut answer = offer.answer(&Credential::new("a", "b")).unwrap();
        assert_eq!(answer.body_hash().map(Algorithm::name), hashed, "{field}");
        let hash = answer.body_hash().map(|algorithm| algorithm.hash(b""));
        let request = Outgoing { body_hash: hash.as_deref(), ..GET };
        for expected in [false, old] {
            answer.sign(&request).unwrap();
            assert_eq!(answer.may_have_expired(), expected, "{field}");
        }
    }
}
