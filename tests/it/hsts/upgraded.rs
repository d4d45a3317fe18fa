//! What becomes of a request whose host is known.

use std::sync::Arc;
use std::time::Duration;

use urlsession::testing::{Answer, Event, Recorder};
use urlsession::{Configuration, DeliveryQueue, ErrorKind, Request, Session};

use super::{Web, answered, load};

const POLICY: &str = "Strict-Transport-Security";

/// A guard: nothing here takes as long.
const LONG: Duration = Duration::from_secs(60);

/// A web whose secure server redirects from `/to-http`, and stalls at `/stalls`.
fn web() -> Web {
    Web::with(|path| {
        let answer = match path {
            "/to-http" => Answer::redirect(307, "http://shop.test/there"),
            "/to-other" => Answer::redirect(307, "http://other.test/"),
            "/stalls" => Answer::ok("secure").stall_before_head(),
            _ => Answer::ok("secure"),
        };
        answer.header(POLICY, "max-age=60")
    })
}

#[test]
fn a_task_says_where_it_goes_and_nobody_is_told_of_a_redirect() {
    let web = web();
    let own = web.seen_by(Configuration::ephemeral());
    let recorder = Arc::new(Recorder::new());
    let queue = DeliveryQueue::inline();
    let session = Session::with_delegate(own.configuration(), recorder.clone(), queue).unwrap();
    load(&session, "https://shop.test/");
    // No redirect is one too many.
    let request = Request::post("http://shop.test/form").body("hello").maximum_redirects(0);
    let task = session.data_task(request);
    task.resume();
    assert!(session.wait_until_idle(LONG));
    assert_eq!(task.original_request().url().unwrap().as_str(), "http://shop.test/form");
    assert_eq!(task.current_request().url().unwrap().as_str(), "https://shop.test/form");
    assert_eq!(task.response().unwrap().url().as_str(), "https://shop.test/form");
    assert!(task.error().is_none());
    let is_redirect = |event: &Event| format!("{event:?}").contains("Redirect");
    assert!(!recorder.events().iter().any(is_redirect), "{:?}", recorder.events());
    drop(web.secure.take_request());
    let sent = web.secure.take_request();
    assert_eq!((sent.method(), sent.body()), ("POST", &b"hello"[..]));
}

#[test]
fn a_redirect_to_http_of_a_known_host_leads_to_https() {
    let web = web();
    let session = web.seen_by(Configuration::ephemeral());
    // What it says it is to be known for comes with the redirect.
    let request = Request::get("https://shop.test/to-http").header("Authorization", "Bearer a");
    let data = session.data(request).unwrap();
    assert_eq!(data.response.url().as_str(), "https://shop.test/there");
    drop(web.secure.take_request());
    // The origin is the same, so the secret goes along.
    assert_eq!(web.secure.take_request().header("authorization"), Some("Bearer a"));
    assert_eq!(web.secure.connection_count(), 1);
    // To a host that is not known it is refused as before.
    let error = session.data("https://shop.test/to-other").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SecureConnectionRequired);
    assert_eq!(web.plain.request_count(), 0);
}

#[test]
fn a_redirect_from_a_plain_server_leads_to_a_known_host_by_https() {
    let web = web();
    web.plain.handle(|_| Answer::redirect(302, "http://shop.test/there"));
    let session = web.seen_by(Configuration::ephemeral().maximum_redirects(1));
    load(&session, "https://shop.test/");
    let secured = answered("secure", "https://shop.test/there");
    assert_eq!(load(&session, "http://other.test/"), secured);
    assert_eq!(web.plain.request_count(), 1);
}

#[test]
fn a_known_host_is_no_http_url_to_a_session_of_https_only() {
    let web = web();
    let session = web.seen_by(Configuration::ephemeral().https_only(true));
    let refused = session.data("http://shop.test/").unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::SecureConnectionRequired);
    load(&session, "https://shop.test/");
    assert_eq!(load(&session, "http://shop.test/").0, "secure");
}

#[test]
fn its_place_in_line_is_that_of_the_https_origin() {
    let web = web();
    let session = web.seen_by(Configuration::ephemeral().maximum_connections_per_host(1));
    load(&session, "https://shop.test/");
    let first = session.data_task("https://shop.test/stalls");
    first.resume();
    web.secure.wait_until(|stats| stats.stalled == 1);
    let (second, third) =
        (session.data_task("http://shop.test/2"), session.data_task("http://other.test/"));
    second.resume();
    third.resume();
    // That one has a place of its own, and is behind.
    web.plain.wait_until(|stats| stats.answers == 1);
    assert_eq!(web.secure.connection_count(), 1);
    web.secure.release();
    assert!(session.wait_until_idle(LONG));
    for task in [&first, &second, &third] {
        assert!(task.error().is_none(), "{:?}", task.error());
    }
    assert_eq!(second.response().unwrap().url().as_str(), "https://shop.test/2");
    assert_eq!((web.secure.connection_count(), web.secure.request_count()), (1, 3));
}

#[test]
fn every_kind_of_task_goes_by_https() {
    let web = web();
    let session = web.seen_by(Configuration::ephemeral());
    load(&session, "https://shop.test/");
    let url = "http://shop.test/";
    assert_eq!(session.bytes(url).unwrap().response().url().scheme(), "https");
    assert_eq!(session.download(url).unwrap().response.url().scheme(), "https");
    let upload = session.upload(Request::put(url), "hello").unwrap();
    assert_eq!(upload.response.url().scheme(), "https");
    assert_eq!(web.plain.connection_count(), 0);
}
