//! Redirects: where they lead, and which are followed.

use super::script::row;
use super::*;

#[test]
fn a_location_is_resolved_and_keeps_the_fragment() {
    for (location, target) in [
        ("e", "http://a.test/b/e#f"),
        ("./e", "http://a.test/b/e#f"),
        ("../e", "http://a.test/e#f"),
        ("/e?x=1", "http://a.test/e?x=1#f"),
        ("?x=1", "http://a.test/b/c?x=1#f"),
        ("/e#g", "http://a.test/e#g"),
        ("#g", "http://a.test/b/c?d#g"),
        (" /e ", "http://a.test/e#f"),
        ("/a b\"", "http://a.test/a%20b%22#f"),
        ("/a%20b", "http://a.test/a%20b#f"),
        ("/é", "http://a.test/%C3%A9#f"),
        ("//a.test/e", "http://a.test/e#f"),
        ("http://a.test/e", "http://a.test/e#f"),
        ("HTTP://A.test", "http://a.test/#f"),
        ("http://ann:s3cret@a.test/e", "http://a.test/e#f"),
        ("http://b.test:81/e", "http://b.test:81/e#f"),
    ] {
        let played = Scene::new().play(
            Request::get("http://a.test/b/c?d#f"),
            [
                row("GET http://a.test/b/c?d#f", format!("302|Location: {location}")),
                row(format!("GET {target}|!Authorization"), "200"),
            ],
        );
        assert_eq!(played.response().url().as_str(), target, "{location}");
    }
}

#[test]
fn the_host_follows_the_url_unless_the_program_has_set_another() {
    for (own, hosts) in [
        (None, ["a.test", "a.test", "b.test:81", "a.test"]),
        (Some("shop.test"), ["shop.test", "shop.test", "b.test:81", "a.test"]),
    ] {
        let request = Request::get("http://a.test/");
        let request = own.iter().fold(request, |request, host| request.header("Host", host));
        let [first, second, third, fourth] = hosts;
        let played = Scene::new().play(
            request,
            [
                row(format!("GET http://a.test/|Host: {first}"), "302|Location: /b"),
                row(
                    format!("GET http://a.test/b|Host: {second}"),
                    "302|Location: http://b.test:81/c",
                ),
                row(
                    format!("GET http://b.test:81/c|Host: {third}"),
                    "302|Location: http://a.test/d",
                ),
                row(format!("GET http://a.test/d|Host: {fourth}"), "200||here"),
            ],
        );
        assert_eq!(played.told(), "200 here");
    }
}

#[test]
fn what_is_no_redirect_is_delivered() {
    for answer in [
        "200|Location: /new||body",
        "201|Location: /new||body",
        "300|Location: /new||body",
        "304|Location: /new",
        "305|Location: /new||body",
        "306|Location: /new||body",
        "309|Location: /new||body",
        "400|Location: /new||body",
        "301||body",
        "302|Location: ||body",
        "303|Location:   ||body",
        "307|Content-Location: /new||body",
        "308|Refresh: 0; url=/new||body",
    ] {
        let played = Scene::new().play("http://a.test/", [row("GET http://a.test/", answer)]);
        let body = if answer.starts_with("304") { "" } else { "body" };
        assert_eq!(played.told(), format!("{} {body}", &answer[..3]), "{answer}");
        assert_eq!(played.response().url().as_str(), "http://a.test/");
    }
}

#[test]
fn a_location_that_is_unclear_or_no_url_is_an_error() {
    for locations in [
        "|Location: http://",
        "|Location: http://exa mple/",
        "|Location: http://[::1/",
        "|Location: http://a:99999/",
        "|Location: /one|Location: /two",
    ] {
        let rows = [row("GET http://a.test/old", format!("302{locations}||body"))];
        let played = Scene::new().play("http://a.test/old", rows);
        let error = played.error();
        assert_eq!(error.kind(), ErrorKind::BadServerResponse, "{locations}: {error}");
        assert_eq!(error.stage(), Some(Stage::Redirecting), "{locations}");
        assert_eq!(error.failing_url(), Some("http://a.test/old"), "{locations}");
    }
    let rows = [
        row("GET http://a.test/old", "302|Location: /new|Location: /new"),
        row("GET http://a.test/new", "200||said twice"),
    ];
    assert_eq!(Scene::new().play("http://a.test/old", rows).told(), "200 said twice");
}

#[test]
fn a_loop_is_found_by_counting_alone() {
    // A server may set a cookie and send a client back to where it was: that is no loop.
    let again = || row("GET http://a.test/same", "302|Location: /same||moved");
    let rows = [again(), again(), row("GET http://a.test/same", "200||at last")];
    let played = Scene::new().play("http://a.test/same", rows);
    assert_eq!(played.told(), "200 at last");
    // What is not delivered keeps its connection.
    assert_eq!(played.fates, [Fate::Discarded, Fate::Discarded, Fate::Read]);
    let played = Scene::new().play("http://a.test/same", (0..21).map(|_| again()));
    assert_eq!(played.error().kind(), ErrorKind::TooManyRedirects);
}

#[test]
fn a_body_that_can_be_sent_once_is_asked_for_or_the_redirect_is_delivered() {
    let first = || row("POST http://a.test/||once", "307|Location: /b||moved");
    let again = row("POST http://a.test/b||again", "200||here");
    let request = || Request::post("http://a.test/").body(Body::reader(&b"once"[..]));
    let scene = Scene::answering(|_| None);
    let bodies = &scene.person.as_ref().unwrap().bodies;
    bodies.lock().unwrap().push(Body::reader(&b"again"[..]));
    assert_eq!(scene.play(request(), [first(), again]).told(), "200 here");
    let played = scene.play(request(), [first()]);
    assert_eq!((&*played.told(), played.fates), ("307 moved", vec![Fate::Read]));
}

#[test]
fn an_error_names_the_hop_that_failed() {
    let rows = [
        row("GET http://a.test/old", "302|Location: http://b.test/gone?token=s3cret"),
        script::fails("GET http://b.test/gone?token=s3cret", ErrorKind::CannotConnectToHost),
    ];
    let played = Scene::new().play("http://a.test/old", rows);
    assert_eq!(played.error().kind(), ErrorKind::CannotConnectToHost);
    assert_eq!(played.error().failing_url(), Some("http://b.test/gone"));
}

#[test]
fn a_load_that_leaves_its_thread_wherever_it_may_sends_each_request_once_all_the_same() {
    let scene = Scene { leaves: true, ..Scene::answering(|_| using("ann", "s3cret")) };
    let known = basic("ann", "s3cret");
    let played = scene.play(
        Request::post("http://a.test/").body("sent"),
        [
            row("POST http://a.test/|!Authorization||sent", "401|WWW-Authenticate: Basic realm=r"),
            row(format!("POST http://a.test/|{known}||sent"), "307|Location: http://b.test/"),
            row("POST http://b.test/|!Authorization||sent", "303|Location: /c||moved"),
            row("GET http://b.test/c|!Authorization", "200||done"),
        ],
    );
    assert_eq!(played.told(), "200 done");
    assert_eq!(scene.questions(), ["Basic \"r\" 0"]);
    assert_eq!(played.fates[..3], [Fate::Discarded; 3]);
}
