//! Challenges: who is asked about what, and what goes out then.

use super::script::row;
use super::*;

const DIGEST: &str = "Digest realm=\"d\", nonce=\"n\", qop=\"auth\"";

/// A first request that is challenged by these fields.
fn challenged(fields: &[&str]) -> Row {
    let fields: String = fields.iter().map(|field| format!("|WWW-Authenticate: {field}")).collect();
    row("GET http://a.test/|!Authorization", format!("401{fields}||who?"))
}

fn reject(_: &Challenge) -> Option<Disposition> {
    Some(Disposition::RejectProtectionSpace)
}

#[test]
fn what_is_offered_is_asked_about_strongest_first_and_rejecting_goes_on() {
    let sha = "Digest realm=\"s\", nonce=\"n\", qop=\"auth\", algorithm=SHA-256";
    let joined = format!("Basic realm=\"b\", {DIGEST}, {sha}");
    let digests: &[&str] =
        if cfg!(feature = "digest") { &["Digest \"s\" 0", "Digest \"d\" 0"] } else { &[] };
    let all = [digests, &["Basic \"b\" 0"]].concat();
    for (fields, expected) in [
        (&[&*joined][..], all.clone()),
        (&["Basic realm=\"b\"", DIGEST, sha], all),
        (&["Basic realm=\"1\", Basic realm=\"2\""], vec!["Basic \"1\" 0", "Basic \"2\" 0"]),
        (&["Bearer realm=x", "Basic realm=\"b\""], vec!["Basic \"b\" 0"]),
        (&["Bearer realm=x, error=\"y\", Basic realm=\"b\""], vec!["Basic \"b\" 0"]),
        (&["Basic realm=\"b, Digest realm=c\""], vec!["Basic \"b, Digest realm=c\" 0"]),
        (&[], vec![]),
        (&["Bearer"], vec![]),
        (&["Basic realm=\"never closed"], vec!["Basic \"never closed\" 0"]),
        (&["=, ,;"], vec![]),
    ] {
        let scene = Scene::answering(reject);
        let played = scene.play("http://a.test/", [challenged(fields)]);
        assert_eq!(played.told(), "401 who?", "{fields:?}");
        assert_eq!(scene.questions(), expected, "{fields:?}");
    }
}

#[test]
fn what_was_rejected_is_not_asked_about_again() {
    let scene = Scene::answering(|challenge| {
        match (challenge.protection_space().realm(), challenge.previous_failure_count()) {
            (Some("2"), 0 | 1) => using("ann", "pw"),
            _ => reject(challenge),
        }
    });
    let fields = "401|WWW-Authenticate: Basic realm=1|WWW-Authenticate: Basic realm=2";
    let again = || row(format!("GET http://a.test/|{}", basic("ann", "pw")), fields);
    scene.play("http://a.test/", [row("GET http://a.test/", fields), again(), again()]);
    assert_eq!(
        scene.questions(),
        ["Basic \"1\" 0", "Basic \"2\" 0", "Basic \"2\" 1", "Basic \"2\" 2"]
    );
}

#[test]
fn what_was_accepted_goes_along_unasked_until_the_origin_changes() {
    let scene = Scene::answering(|_| using("ann", "pw"));
    let rows = [
        challenged(&["Basic realm=r"]),
        row(format!("GET http://a.test/|{}", basic("ann", "pw")), "200||in"),
    ];
    let played = scene.play("http://a.test/", rows);
    assert_eq!((&*played.told(), played.fates), ("200 in", vec![Fate::Discarded, Fate::Read]));
    let rows = [
        row(format!("GET http://a.test/|{}", basic("ann", "pw")), "302|Location: /b"),
        row(format!("GET http://a.test/b|{}", basic("ann", "pw")), "302|Location: http://b.test/"),
        row("GET http://b.test/|!Authorization", "302|Location: http://a.test/"),
        row("GET http://a.test/|!Authorization", "200||back"),
    ];
    assert_eq!(scene.play("http://a.test/", rows).told(), "200 back");
    assert_eq!(scene.questions().len(), 1);
}

#[test]
fn a_token_goes_over_a_connection_of_its_own_until_the_origin_changes() {
    let scene = Scene::answering(|challenge| {
        let token = if challenge.token().is_none() { "one" } else { "two" };
        Some(Disposition::UseCredential(Credential::from_token(token)))
    });
    let rows = [
        challenged(&["NTLM"]),
        row(
            "own GET http://a.test/|Authorization: NTLM one",
            "401|WWW-Authenticate: NTLM challenge",
        ),
        row("own GET http://a.test/|Authorization: NTLM two", "302|Location: /b"),
        row("own GET http://a.test/b|!Authorization", "302|Location: http://b.test/"),
        row("GET http://b.test/|!Authorization", "302|Location: http://a.test/"),
        row("GET http://a.test/|!Authorization", "200||in"),
    ];
    assert_eq!(scene.play("http://a.test/", rows).told(), "200 in");
    assert_eq!(scene.questions(), ["Ntlm \"\" 0", "Ntlm \"\" 0"]);
}

#[test]
fn a_server_that_offers_something_new_for_ever_is_asked_a_few_times() {
    let scene = Scene::answering(|_| using("ann", "pw"));
    let rows = (0..11)
        .map(|n| row("GET http://a.test/", format!("401|WWW-Authenticate: Basic realm={n}")));
    assert_eq!(scene.play("http://a.test/", rows).told(), "401 ");
    assert_eq!(scene.questions().len(), 10);
}
