//! Answers that do not fit what is offered: each turns its offer down, and the next is asked
//! about.

use urlsession::testing::{Answer, Server};
use urlsession::{AuthenticationMethod, Credential, Disposition};

use crate::support::asked::{Asked, authorizations, basic, guarded, unauthorized};
use crate::support::logged::warnings;
use crate::support::running::nothing_is_left;

/// A server with these challenges that takes `ann` and `pw` by Basic.
fn offering(fields: &'static [&'static str]) -> Server {
    let server = Server::start();
    server.handle(move |request| match request.header("authorization") {
        Some(sent) if sent == basic("ann", "pw") => Answer::ok("in"),
        _ => unauthorized(fields),
    });
    server
}

/// Method and count of failures of each question.
fn questions(asked: &Asked) -> Vec<(AuthenticationMethod, u32)> {
    asked.take_questions().iter().map(|asked| (asked.method, asked.failures)).collect()
}

#[test]
fn a_password_for_negotiate_and_ntlm_has_basic_asked_about() {
    use AuthenticationMethod::{Basic, Negotiate, Ntlm};
    for fields in [
        &["Negotiate", "NTLM", "Basic realm=\"x\""][..],
        &["Basic realm=\"x\"", "NTLM", "Negotiate"],
        &["Negotiate, NTLM, Basic realm=\"x\""],
        &["NTLM, Basic realm=\"x\", Negotiate"],
    ] {
        let (server, asked) = (offering(fields), Asked::giving("ann", "pw"));
        let session = asked.session();
        let (data, logged) = warnings(|| session.data(server.url("/")).unwrap());
        assert_eq!(data.text(), "in", "{fields:?}");
        assert_eq!(questions(&asked), [(Negotiate, 0), (Ntlm, 0), (Basic, 0)], "{fields:?}");
        assert_eq!(authorizations(&server), [None, Some(basic("ann", "pw"))]);
        assert_eq!(logged.len(), 2, "{logged:?}");
        for (line, scheme) in logged.iter().zip(["Negotiate", "NTLM"]) {
            let reason = "is answered by a token, not by a user name and a password";
            assert!(line.contains(&format!("{scheme} {reason}")), "{line}");
            assert!(!line.contains("pw") && !line.contains("ann"), "{line}");
        }
        nothing_is_left(session, &[&server]);
    }
}

#[test]
fn a_password_for_negotiate_alone_is_asked_for_once() {
    let (server, asked) = (offering(&["Negotiate"]), Asked::giving("ann", "pw"));
    let session = asked.session();
    assert_eq!(session.data(server.url("/")).unwrap().text(), "who?");
    assert_eq!(questions(&asked), [(AuthenticationMethod::Negotiate, 0)]);
    assert_eq!(authorizations(&server), [None]);
    nothing_is_left(session, &[&server]);
}

#[test]
fn a_token_for_one_realm_has_the_other_asked_about() {
    let server = offering(&["Basic realm=\"a\"", "Basic realm=\"b\""]);
    let asked = Asked::new(|challenge| {
        let credential = match challenge.protection_space().realm() {
            Some("a") => Credential::from_token("YII="),
            _ => Credential::new("ann", "pw"),
        };
        Some(Disposition::UseCredential(credential))
    });
    let session = asked.session();
    assert_eq!(session.data(server.url("/")).unwrap().text(), "in");
    let basic = AuthenticationMethod::Basic;
    assert_eq!(questions(&asked), [(basic, 0), (basic, 0)]);
    nothing_is_left(session, &[&server]);
}

#[test]
fn failures_are_counted_for_each_offer() {
    use AuthenticationMethod::{Basic, Negotiate};
    let server = offering(&["Negotiate", "Basic realm=\"x\""]);
    let asked = Asked::trying("ann", &["one", "two", "pw"]);
    let session = asked.session();
    assert_eq!(session.data(server.url("/")).unwrap().text(), "in");
    assert_eq!(questions(&asked), [(Negotiate, 0), (Basic, 0), (Basic, 1), (Basic, 2)]);
    nothing_is_left(session, &[&server]);
}

#[test]
fn what_a_scheme_cannot_carry_has_the_next_one_asked_about() {
    let server = offering(&["Basic realm=\"a\"", "Basic realm=\"b\""]);
    for odd in ["an:n", "ann\u{7}", "a\nnn"] {
        let asked = Asked::new(move |challenge| {
            let user = if challenge.protection_space().realm() == Some("a") { odd } else { "ann" };
            Some(Disposition::UseCredential(Credential::new(user, "pw")))
        });
        let session = asked.session();
        assert_eq!(session.data(server.url("/")).unwrap().text(), "in", "{odd:?}");
        let realms: Vec<_> = asked.take_questions().into_iter().map(|asked| asked.realm).collect();
        assert_eq!(realms, [Some("a".to_owned()), Some("b".to_owned())], "{odd:?}");
        nothing_is_left(session, &[]);
    }
}

#[cfg(feature = "tls")]
#[test]
fn a_certificate_or_trust_in_a_server_is_no_password() {
    use std::sync::{Arc, Mutex};
    use urlsession::testing::{Authority, Server as TlsServer};

    use crate::support::deciding::{HERE, client, trusting};

    let authority = Authority::new();
    let server = TlsServer::start_tls(&authority.identity(HERE));
    server.handle(|request| match request.header("authorization") {
        Some(sent) if sent == basic("ann", "pw") => Answer::ok("in"),
        _ => unauthorized(&["Digest realm=\"d\", nonce=\"n\", qop=\"auth\"", "Basic realm=\"x\""]),
    });
    let identity = client(&authority, "ann");
    let url = server.url_with_host("localhost", "/");
    for kind in ["a certificate", "trust in a server"] {
        let (seen, identity) = (Arc::new(Mutex::new(None)), identity.clone());
        let asked = Asked::new(move |challenge| {
            let space = challenge.protection_space();
            let credential = match space.method() {
                AuthenticationMethod::ServerTrust => {
                    *seen.lock().unwrap() = space.server_trust().cloned();
                    return None;
                }
                AuthenticationMethod::Basic => Credential::new("ann", "pw"),
                _ if kind == "a certificate" => Credential::from_identity(&identity),
                _ => Credential::for_trust(seen.lock().unwrap().as_ref().unwrap()),
            };
            Some(Disposition::UseCredential(credential))
        });
        let session = asked.session_with(trusting(&authority));
        let (data, logged) = warnings(|| session.data(&url).unwrap());
        assert_eq!(data.text(), "in", "{kind}");
        #[cfg(feature = "digest")]
        assert!(logged[0].contains(&format!("not by {kind}")), "{logged:?}");
        let _ = logged;
        nothing_is_left(session, &[]);
    }
}

#[test]
fn what_was_kept_and_does_not_fit_is_not_used() {
    let server = guarded("r", "pw");
    let url = server.url("/").replace("://", "://an%3An:pw@");
    let asked = Asked::giving("ann", "pw");
    let session = asked.session();
    assert_eq!(session.data(url).unwrap().text(), "in");
    assert_eq!(questions(&asked).len(), 1);
    nothing_is_left(session, &[&server]);
}
