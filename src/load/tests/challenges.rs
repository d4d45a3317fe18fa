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

/// Gives a password, of these characters, to all, a token to who wants a password, and so on.
fn giving(what: &'static str) -> impl Fn(&Challenge) -> Option<Disposition> {
    move |challenge| match (what, challenge.error()) {
        ("token", _) => Some(Disposition::UseCredential(Credential::from_token("YII="))),
        ("colon", _) | ("colon, then mended", None) => using("an:n", "pw"),
        ("control", _) => using("ann\u{7}", "pw"),
        _ => using("ann", "pw"),
    }
}

#[test]
fn an_answer_that_does_not_fit_turns_one_offer_down() {
    const ALL: &[&str] = &["Negotiate", "NTLM", "Basic realm=\"b\""];
    let (ann, token) = (basic("ann", "pw"), "Authorization: Negotiate YII=");
    let asked_first = ["Negotiate \"\" 0", "Ntlm \"\" 0"];
    let with = |last: &[&'static str]| [&asked_first[..], last].concat();
    for (given, fields, questions, answer) in [
        ("password", ALL, with(&["Basic \"b\" 0"]), Some(&*ann)),
        (
            "password",
            &["NTLM, Negotiate, Basic realm=\"b\""],
            with(&["Basic \"b\" 0"]),
            Some(&*ann),
        ),
        ("password", &["Negotiate", "NTLM"], with(&[]), None),
        ("password", &["Negotiate"], vec!["Negotiate \"\" 0"], None),
        ("token", ALL, vec!["Negotiate \"\" 0"], Some(token)),
        (
            "token",
            &["Basic realm=1", "Basic realm=2"],
            vec!["Basic \"1\" 0", "Basic \"2\" 0"],
            None,
        ),
        // The same space twice is one.
        ("token", &["Basic realm=1", "Basic realm=1"], vec!["Basic \"1\" 0"], None),
        ("colon, then mended", ALL, with(&["Basic \"b\" 0", "Basic \"b\" 1"]), Some(&*ann)),
        ("colon", ALL, with(&["Basic \"b\" 0", "Basic \"b\" 1"]), None),
        (
            "control",
            &["Basic realm=1", "Basic realm=2"],
            vec!["Basic \"1\" 0", "Basic \"2\" 0", "Basic \"1\" 1", "Basic \"2\" 1"],
            None,
        ),
    ] {
        let scene = Scene::answering(giving(given));
        let own = if answer == Some(token) { "own " } else { "" };
        let second =
            answer.map(|answer| row(format!("{own}GET http://a.test/|{answer}"), "200||in"));
        let rows = [challenged(fields)].into_iter().chain(second);
        let told = scene.play("http://a.test/", rows).told();
        assert_eq!(
            told,
            if answer.is_some() { "200 in" } else { "401 who?" },
            "{given}, {fields:?}"
        );
        assert_eq!(scene.questions(), questions, "{given}, {fields:?}");
    }
}

#[test]
fn an_offer_that_was_turned_down_is_not_asked_about_again() {
    let scene = Scene::answering(|challenge| {
        using("ann", if challenge.previous_failure_count() == 0 { "wrong" } else { "pw" })
    });
    let fields = "401|WWW-Authenticate: Negotiate, NTLM|WWW-Authenticate: Basic realm=\"b\"";
    let rows = [
        row("GET http://a.test/|!Authorization", fields),
        row(format!("GET http://a.test/|{}", basic("ann", "wrong")), fields),
        row(format!("GET http://a.test/|{}", basic("ann", "pw")), "200||in"),
    ];
    assert_eq!(scene.play("http://a.test/", rows).told(), "200 in");
    let questions = ["Negotiate \"\" 0", "Ntlm \"\" 0", "Basic \"b\" 0", "Basic \"b\" 1"];
    assert_eq!(scene.questions(), questions);
    // Another load asks again.
    scene.play("http://b.test/", [row("GET http://b.test/", "401|WWW-Authenticate: Negotiate")]);
    assert_eq!(scene.questions(), ["Negotiate \"\" 0"]);
}

#[cfg(feature = "digest")]
#[test]
fn a_weaker_scheme_is_asked_about_after_digest_was_turned_down() {
    let sha = "Digest realm=\"d\", nonce=\"n\", qop=\"auth\", algorithm=SHA-256";
    let scene = Scene::answering(|challenge| match challenge.protection_space().realm() {
        Some("d") => Some(Disposition::UseCredential(Credential::from_token("YII="))),
        _ => using("ann", "pw"),
    });
    let rows = [
        challenged(&[DIGEST, sha, "Basic realm=\"b\""]),
        row(format!("GET http://a.test/|{}", basic("ann", "pw")), "200||in"),
    ];
    assert_eq!(scene.play("http://a.test/", rows).told(), "200 in");
    assert_eq!(scene.questions(), ["Digest \"d\" 0", "Basic \"b\" 0"]);
}
