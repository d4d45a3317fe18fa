//! Several challenges at once, and those that cannot be answered.

use urlsession::testing::{Answer, Server};
use urlsession::{
    AuthenticationMethod, Challenge, Configuration, Credential, Disposition, Session,
};

use crate::support::asked::{Asked, authorizations, basic, storing, unauthorized};

const DIGEST: &str = "Digest realm=\"d\", nonce=\"n\", qop=\"auth\"";

/// A server that asks so, whatever it is sent.
fn asking(fields: &'static [&'static str]) -> Server {
    let server = Server::start();
    server.handle(move |_| unauthorized(fields));
    server
}

/// The realms of the questions, in their order.
fn realms(asked: &Asked) -> Vec<String> {
    asked.take_questions().into_iter().map(|question| question.realm.unwrap_or_default()).collect()
}

fn rejecting() -> std::sync::Arc<Asked> {
    Asked::new(|_| Some(Disposition::RejectProtectionSpace))
}

#[test]
fn what_is_offered_is_asked_about_strongest_first_and_rejecting_goes_on() {
    let sha = "Digest realm=\"s\", nonce=\"n\", qop=\"auth\", algorithm=SHA-256";
    let joined: &'static str = format!("Basic realm=\"b\", {DIGEST}, {sha}").leak();
    let many: &'static [&'static str] = vec!["Basic realm=\"b\"", DIGEST, sha].leak();
    let digests: &[&str] = if cfg!(feature = "digest") { &["s", "d"] } else { &[] };
    let all = [digests, &["b"]].concat();
    for (fields, expected) in [
        (&*vec![joined].leak(), all.clone()),
        (many, all),
        (&["Basic realm=\"1\", Basic realm=\"2\""], vec!["1", "2"]),
        (&["Bearer realm=x", "Basic realm=\"b\""], vec!["b"]),
        (&["Bearer realm=x, error=\"y\", Basic realm=\"b\""], vec!["b"]),
        (&["Basic realm=\"b, Digest realm=c\""], vec!["b, Digest realm=c"]),
        (&[], vec![]),
        (&["Bearer"], vec![]),
        (&["Basic realm=\"never closed"], vec!["never closed"]),
        (&["=, ,;"], vec![]),
    ] {
        let (server, asked) = (asking(fields), rejecting());
        let data = asked.session().data(server.url("/")).unwrap();
        assert_eq!((data.response.status().as_u16(), &*data.text()), (401, "who?"), "{fields:?}");
        assert_eq!(realms(&asked), expected, "{fields:?}");
        assert_eq!(authorizations(&server), [None], "{fields:?}");
    }
}

#[test]
fn what_was_rejected_is_not_asked_about_again() {
    let server = asking(&["Basic realm=\"1\"", "Basic realm=\"2\""]);
    let asked = Asked::new(|challenge: &Challenge| {
        Some(match (challenge.protection_space().realm(), challenge.previous_failure_count()) {
            (Some("2"), 0 | 1) => Disposition::UseCredential(Credential::new("ann", "pw")),
            _ => Disposition::RejectProtectionSpace,
        })
    });
    asked.session().data(server.url("/")).unwrap();
    assert_eq!(realms(&asked), ["1", "2", "2", "2"]);
    assert_eq!(server.request_count(), 3);
}

#[test]
fn a_stored_credential_of_a_weaker_scheme_is_used_by_default() {
    let server = Server::start();
    server.handle(|request| match request.header("authorization") {
        Some(sent) if sent == basic("ann", "pw") => Answer::ok("in"),
        _ => unauthorized(&[DIGEST, "Basic realm=\"b\""]),
    });
    let (configuration, _) = storing(&server, "b", "ann", "pw");
    assert_eq!(Session::new(configuration).unwrap().data(server.url("/")).unwrap().text(), "in");
    assert_eq!(server.request_count(), 2);
}

#[test]
fn tokens_are_asked_about_first_and_passed_over_if_nobody_has_one() {
    use AuthenticationMethod::{Basic, Negotiate, Ntlm};
    let server = Server::start();
    server.handle(|request| match request.header("authorization") {
        Some(sent) if sent.starts_with("Basic") => Answer::ok("in"),
        _ => unauthorized(&["NTLM", "Negotiate", "Basic realm=\"b\""]),
    });
    for by_default in [None, Some(Disposition::PerformDefaultHandling)] {
        let asked = Asked::new(move |challenge| match challenge.protection_space().method() {
            Basic => Some(Disposition::UseCredential(Credential::new("ann", "pw"))),
            _ => by_default.clone(),
        });
        assert_eq!(asked.session().data(server.url("/")).unwrap().text(), "in");
        let methods: Vec<_> = asked.take_questions().iter().map(|asked| asked.method).collect();
        assert_eq!(methods, [Negotiate, Ntlm, Basic]);
    }
    // A password is no token, wherever it comes from.
    let url = server.url("/").replace("http://", "http://ann:pw@");
    let session = Session::new(Configuration::ephemeral()).unwrap();
    assert_eq!(session.data(url).unwrap().text(), "in");
}
