//! Several challenges at once, and those that cannot be answered.

use urlsession::testing::{Answer, Server};
use urlsession::{AuthenticationMethod, Configuration, Credential, Disposition, Session};

use crate::support::asked::{Asked, basic, storing, unauthorized};

const DIGEST: &str = "Digest realm=\"d\", nonce=\"n\", qop=\"auth\"";

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
