//! 417: somebody on the way does not know `Expect: 100-continue`.

use super::script::row;
use super::*;

const URL: &str = "http://a.test/";

/// A request that asks for leave to send its body.
fn asking(method: &str, body: impl Into<Body>) -> Request {
    Request::new(method, URL).header("Expect", "100-continue").body(body)
}

#[test]
fn a_417_is_answered_by_the_same_request_without_expect() {
    for (method, expect) in
        [("POST", "100-continue"), ("PUT", "100-Continue"), ("PATCH", "100-CONTINUE")]
    {
        let request = Request::new(method, URL).header("Expect", expect).header("X-Own", "7");
        let rows = [
            row(format!("{method} {URL}|Expect: {expect}|X-Own: 7||sent"), "417||no"),
            row(format!("{method} {URL}|!Expect|X-Own: 7||sent"), "200||here"),
        ];
        let played = Scene::new().play(request.body("sent"), rows);
        assert_eq!(played.told(), "200 here", "{method}");
        assert_eq!(played.fates, [Fate::Discarded, Fate::Read], "{method}");
    }
}

#[test]
fn a_417_to_what_was_not_asked_is_delivered() {
    let plain = || Request::post(URL).body("sent");
    let delivered = || row(format!("POST {URL}||sent"), "417||no");
    assert_eq!(Scene::new().play(plain(), [delivered()]).told(), "417 no");
    // One that had an expectation is repeated once.
    let rows = [
        row(format!("POST {URL}|Expect: 100-continue||sent"), "417||no"),
        row(format!("POST {URL}|!Expect||sent"), "417||still no"),
    ];
    assert_eq!(Scene::new().play(asking("POST", "sent"), rows).told(), "417 still no");
    for status in ["400", "413", "500", "501"] {
        let rows = [row(format!("POST {URL}||sent"), format!("{status}||no"))];
        let played = Scene::new().play(asking("POST", "sent"), rows);
        assert_eq!(played.told(), format!("{status} no"));
    }
}

#[test]
fn a_417_to_a_body_that_has_gone_is_delivered_unless_there_is_another() {
    let first = || row(format!("POST {URL}||once"), "417||no");
    let once = || asking("POST", Body::reader(&b"once"[..]));
    assert_eq!(Scene::new().play(once(), [first()]).told(), "417 no");

    let scene = Scene::answering(|_| None);
    let bodies = &scene.person.as_ref().unwrap().bodies;
    bodies.lock().unwrap().push(Body::reader(&b"again"[..]));
    let again = row(format!("POST {URL}|!Expect||again"), "200||here");
    assert_eq!(scene.play(once(), [first(), again]).told(), "200 here");
}

#[test]
fn an_expectation_of_the_session_is_taken_back_as_well() {
    let mut scene = Scene::new();
    let mut added = Headers::new();
    added.add("Expect", "100-continue").unwrap();
    scene.rules = Rules::new(&added, true);
    let rows = [
        row(format!("PUT {URL}|Expect: 100-continue||sent"), "417"),
        row(format!("PUT {URL}|!Expect||sent"), "201||made"),
    ];
    assert_eq!(scene.play(Request::put(URL).body("sent"), rows).told(), "201 made");
}

#[test]
fn who_sends_it_is_said_again() {
    let (ann, asks) = (basic("ann", "pw"), "401|WWW-Authenticate: Basic realm=r");
    let scene = Scene::answering(|_| using("ann", "pw"));
    let rows = [
        row(format!("POST {URL}|Expect: 100-continue|!Authorization||sent"), asks),
        row(format!("POST {URL}|Expect: 100-continue|{ann}||sent"), "417"),
        row(format!("POST {URL}|!Expect|{ann}||sent"), "200||in"),
    ];
    assert_eq!(scene.play(asking("POST", "sent"), rows).told(), "200 in");
    assert_eq!(scene.questions(), ["Basic \"r\" 0"]);
    // What was accepted is sent unasked, before and after.
    let rows = [
        row(format!("POST {URL}|Expect: 100-continue|{ann}||sent"), "417"),
        row(format!("POST {URL}|!Expect|{ann}||sent"), "200||in"),
    ];
    assert_eq!(scene.play(asking("POST", "sent"), rows).told(), "200 in");
    // A 401 may come first or last.
    let scene = Scene::answering(|_| using("ann", "pw"));
    let rows = [
        row(format!("POST {URL}|Expect: 100-continue|!Authorization||sent"), "417"),
        row(format!("POST {URL}|!Expect|!Authorization||sent"), asks),
        row(format!("POST {URL}|!Expect|{ann}||sent"), "200||in"),
    ];
    assert_eq!(scene.play(asking("POST", "sent"), rows).told(), "200 in");
    // What a 417 was given for proves nothing: nobody has looked at it.
    let scene = Scene::answering(|challenge| {
        using("ann", if challenge.previous_failure_count() == 0 { "wrong" } else { "pw" })
    });
    let rows = [
        row(format!("POST {URL}|!Authorization||sent"), asks),
        row(format!("POST {URL}|{}||sent", basic("ann", "wrong")), "417"),
        row(format!("POST {URL}|{}||sent", basic("ann", "wrong")), asks),
        row(format!("POST {URL}|!Expect|{ann}||sent"), "200||in"),
    ];
    assert_eq!(scene.play(asking("POST", "sent"), rows).told(), "200 in");
    assert_eq!(scene.questions(), ["Basic \"r\" 0", "Basic \"r\" 1"]);
}

#[test]
fn what_one_origin_does_not_know_another_is_asked_for() {
    let rows = [
        row(format!("PUT {URL}|Expect: 100-continue||sent"), "417"),
        row(format!("PUT {URL}|!Expect||sent"), "307|Location: /b"),
        row("PUT http://a.test/b|!Expect||sent", "308|Location: http://b.test/c"),
        row("PUT http://b.test/c|Expect: 100-continue||sent", "417"),
        row("PUT http://b.test/c|!Expect||sent", "303|Location: http://c.test/"),
        // There is nothing more to ask for.
        row("GET http://c.test/|!Expect", "200||here"),
    ];
    let scene = Scene::new();
    assert_eq!(scene.play(asking("PUT", "sent"), rows).told(), "200 here");
    // Nothing of it is remembered.
    let rows = [row(format!("PUT {URL}|Expect: 100-continue||sent"), "200||here")];
    assert_eq!(scene.play(asking("PUT", "sent"), rows).told(), "200 here");
}
