//! Bodies of requests that are asked who they are: sent again, or asked for anew.

use urlsession::testing::{Answer, Server};
use urlsession::{Body, Multipart, Request};

use crate::support::asked::{Asked, authorizations, basic, guard, guarded, unauthorized};
use crate::support::folder::Folder;
use crate::support::running::HANG;

#[test]
fn a_body_that_can_be_read_again_is_sent_again_on_the_same_connection() {
    let folder = Folder::new();
    let path = folder.file("body", "hello");
    for (kind, body) in [
        ("bytes", Body::from("hello")),
        ("file", Body::file(&path)),
        ("opened", Body::opened_by(|| Ok(&b"hello"[..]))),
        ("form", Multipart::new().text("a", "hello").into()),
        ("large", Body::from(vec![b'x'; 300_000])),
    ] {
        let (server, asked) = (guarded("r", "pw"), Asked::giving("ann", "pw"));
        let session = asked.session();
        let data = session.data(Request::post(server.url("/")).body(body)).unwrap();
        assert_eq!(data.text(), "in", "{kind}");
        let (first, second) = (server.take_request(), server.take_request());
        assert_eq!(first.body(), second.body(), "{kind}");
        assert!(second.body_length() >= 5, "{kind}");
        assert_eq!((first.method(), second.method()), ("POST", "POST"));
        assert_eq!(server.connection_count(), 1, "{kind}");
        assert!(asked.take_told().is_empty(), "{kind}");
    }
}

#[test]
fn a_body_that_can_be_read_once_is_asked_for_again() {
    for (has_another, text) in [(true, "in"), (false, "who?")] {
        let (server, asked) = (guarded("r", "pw"), Asked::giving("ann", "pw"));
        if has_another {
            *asked.body.lock().unwrap() = Some(Body::reader(&b"again"[..]));
        }
        let session = asked.session();
        let request = Request::post(server.url("/")).body(Body::reader(&b"once"[..]));
        assert_eq!(session.data(request).unwrap().text(), text);
        assert_eq!(asked.take_told(), ["asked for a body"]);
        let bodies: Vec<_> = std::iter::from_fn(|| server.try_take_request())
            .map(|request| request.body_text().to_owned())
            .collect();
        assert_eq!(bodies, if has_another { &["once", "again"][..] } else { &["once"] });
        assert_eq!(server.connection_count(), 1);
    }
}

#[test]
fn a_streamed_upload_is_asked_for_its_body_once_more() {
    let (server, asked) = (guarded("r", "pw"), Asked::giving("ann", "pw"));
    *asked.body.lock().unwrap() = Some(Body::opened_by(|| Ok(&b"streamed"[..])));
    let session = asked.session();
    session.streamed_upload_task(Request::put(server.url("/"))).resume();
    assert!(session.wait_until_idle(HANG));
    assert_eq!(asked.take_told(), ["asked for a body", "response 200", "data in", "done None"]);
    let bodies = [server.take_request(), server.take_request()];
    assert!(bodies.iter().all(|request| request.body_text() == "streamed"));
}

#[test]
fn an_accepted_credential_goes_along_with_a_body_that_can_be_read_once() {
    let server = guarded("r", "pw");
    let session = Asked::giving("ann", "pw").session();
    session.data(server.url("/")).unwrap();
    let request = Request::post(server.url("/")).body(Body::reader(&b"once"[..]));
    assert_eq!(session.data(request).unwrap().text(), "in");
    assert_eq!(authorizations(&server).len(), 3);
}

#[test]
fn a_challenge_after_a_redirect_is_answered_where_it_leads() {
    let (from, to) = (Server::start(), guarded("r", "pw"));
    let there = to.url("/in");
    from.handle(move |_| Answer::redirect(307, &there));
    let asked = Asked::giving("ann", "pw");
    let request = Request::post(from.url("/")).body("body");
    assert_eq!(asked.session().data(request).unwrap().text(), "in");
    assert_eq!(authorizations(&from), [None]);
    assert_eq!(authorizations(&to), [None, Some(basic("ann", "pw"))]);
    let challenge = asked.take_challenges().remove(0);
    assert_eq!(challenge.protection_space().port(), to.port());
    assert_eq!(challenge.failure_response().unwrap().url().as_str(), to.url("/in"));
}

#[test]
fn a_redirect_after_a_challenge_finds_what_was_accepted_by_itself() {
    let server = Server::start();
    let guard = guard("r", "pw");
    server.handle(move |request| match (request.header("authorization"), request.path()) {
        (Some(_), "/a") => Answer::redirect(302, "/b"),
        _ => guard(request),
    });
    let asked = Asked::giving("ann", "pw");
    let session = asked.session();
    let task = session.data_task(server.url("/a"));
    assert_eq!(task.run().unwrap().text(), "in");
    let sent = Some(basic("ann", "pw"));
    assert_eq!(authorizations(&server), [None, sent.clone(), sent]);
    // It is nothing that the request says.
    assert_eq!(task.current_request().headers().get("authorization"), None);
    assert_eq!(asked.take_questions().len(), 1);
}

#[test]
fn a_401_with_a_long_body_is_answered_too() {
    let server = Server::start();
    server.handle(|request| match request.header("authorization") {
        Some(_) => Answer::ok("in"),
        None => unauthorized(&["Basic realm=r"]).body_of_size(10_000_000),
    });
    let data = Asked::giving("ann", "pw").session().data(server.url("/")).unwrap();
    assert_eq!(data.text(), "in");
}
