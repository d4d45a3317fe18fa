//! Which answers are tried again, for which requests, and what is delivered.

use std::fs;
use std::io::Read;
use std::sync::Arc;
use std::sync::mpsc::channel;

use urlsession::testing::{Answer, Event, Recorder, Server};
use urlsession::{
    Body, Data, Delegate, Error, ErrorKind, Reply, Request, RetryPolicy, Task, Update,
};

use super::{at_once, of_answer};
use crate::support::folder::Folder;
use crate::support::recording::{recorded, response};
use crate::support::running::{HANG, nothing_is_left, reason, session};

/// Answers with these statuses, one after the other, whose bodies are their numbers.
fn answering(statuses: &[u16]) -> Server {
    let server = Server::start();
    for (at, status) in statuses.iter().enumerate() {
        server.enqueue(Answer::status(*status).body(format!("{}", at + 1)));
    }
    server
}

#[test]
fn an_answer_for_now_is_tried_again_and_the_last_one_is_delivered() {
    for status in [408, 425, 429, 500, 502, 503, 504] {
        let server = answering(&[status; 3]);
        let session = session(|configuration| configuration.retry_policy = at_once(3));
        let data = session.data(server.url("/")).unwrap();
        assert_eq!((data.status().as_u16(), &*data.text()), (status, "3"));
        assert_eq!(server.request_count(), 3, "{status}");
        // What nobody wants of a body is read, if that keeps the connection.
        assert_eq!(server.connection_count(), 1, "{status}");
        nothing_is_left(session, &[&server]);
    }
}

#[test]
fn no_other_answer_is_tried_again() {
    for status in [200, 204, 301, 400, 401, 403, 404, 410, 421, 501, 505] {
        let server = answering(&[status]);
        let session = session(|configuration| configuration.retry_policy = at_once(3));
        assert_eq!(session.data(server.url("/")).unwrap().status(), status);
        assert_eq!(server.request_count(), 1, "{status}");
        nothing_is_left(session, &[&server]);
    }
}

#[test]
fn without_a_policy_nothing_is_tried_again() {
    for policy in [RetryPolicy::off(), at_once(0), at_once(1), RetryPolicy::default()] {
        let server = answering(&[503]);
        let session = session(|configuration| configuration.retry_policy = policy.clone());
        assert_eq!(session.data(server.url("/")).unwrap().status(), 503);
        nothing_is_left(session, &[&server]);
    }
}

#[test]
fn a_request_has_a_policy_of_its_own() {
    for (of_session, own, requests) in [(1, 3, 3), (3, 1, 1), (2, 4, 4)] {
        let server = answering(&[503; 4]);
        let session = session(|configuration| configuration.retry_policy = at_once(of_session));
        let request = Request::get(server.url("/")).retry_policy(at_once(own));
        assert_eq!(session.data(request).unwrap().status(), 503);
        assert_eq!(server.request_count(), requests, "{own} in place of {of_session}");
        nothing_is_left(session, &[&server]);
    }
    let only = RetryPolicy::attempts(2).statuses([404]);
    let plain = Request::get("http://shop.test/");
    let other = plain.clone().retry_policy(only);
    assert!(other == other.clone() && other != plain);
}

#[test]
fn only_what_may_be_sent_twice_is() {
    type Make = fn(String) -> Request;
    let rows: [(&str, Make, u64); 9] = [
        ("a HEAD", |url| Request::head(url), 2),
        ("a DELETE", |url| Request::delete(url), 2),
        ("a PUT", |url| Request::put(url).body("tea"), 2),
        ("a PUT of a reader", |url| Request::put(url).body(Body::reader(&b"tea"[..])), 1),
        ("a POST", |url| Request::post(url).body("tea"), 1),
        ("an empty POST", |url| Request::post(url), 1),
        ("a PATCH", |url| Request::patch(url).body("tea"), 1),
        (
            "a POST with a key",
            |url| Request::post(url).body("tea").header("Idempotency-Key", "1"),
            2,
        ),
        (
            "a POST of a reader with a key",
            |url| Request::post(url).body(Body::reader(&b"tea"[..])).header("Idempotency-Key", "1"),
            1,
        ),
    ];
    for (what, make, requests) in rows {
        let server = answering(&[503, 503]);
        let session = session(|configuration| configuration.retry_policy = at_once(2));
        let request = make(server.url("/"));
        let has_body = request.body_to_send().is_some();
        assert_eq!(session.data(request).unwrap().status(), 503, "{what}");
        assert_eq!(server.request_count(), requests, "{what}");
        for _ in 0..requests {
            let expected = if has_body { &b"tea"[..] } else { b"" };
            assert_eq!(server.take_request().body(), expected, "{what}");
        }
        nothing_is_left(session, &[&server]);
    }
}

#[test]
fn a_body_of_the_delegate_is_not_asked_for_twice() {
    let server = answering(&[503]);
    let recorder = Recorder::new();
    let session = recorded(&recorder, |configuration| configuration.retry_policy = at_once(2));
    let task = session.streamed_upload_task(Request::put(server.url("/")));
    task.set_delegate(Arc::new(Gives)).unwrap();
    assert_eq!(task.run().unwrap().status(), 503);
    assert_eq!(server.take_request().body(), b"tea");
    drop(task);
    nothing_is_left(session, &[&server]);
}

/// Has a body for every question.
struct Gives;

impl Delegate for Gives {
    fn need_new_body_stream(&self, _task: &Task, reply: Reply<Option<Body>>) {
        reply.answer(Some(Body::from("tea")));
    }
}

#[test]
fn what_is_accepted_is_judged_at_last() {
    let accepting = |server: &Server| Request::get(server.url("/")).accepts_status(200..300);
    let server = answering(&[503, 200]);
    let session = session(|configuration| configuration.retry_policy = at_once(2));
    assert_eq!(session.data(accepting(&server)).unwrap().text(), "2");
    let refusing = answering(&[503, 502]);
    let error = session.data(accepting(&refusing)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnacceptableStatus);
    assert_eq!(error.response().unwrap().status(), 502);
    assert_eq!(error.response_body(), Some(&b"2"[..]));
    // One that is accepted is tried again as well.
    let both = answering(&[503, 200]);
    let request = Request::get(both.url("/")).accepts_status(..);
    assert_eq!(session.data(request).unwrap().status(), 200);
    nothing_is_left(session, &[&server, &refusing, &both]);
}

#[test]
fn nobody_is_told_of_an_answer_that_is_tried_again() {
    let server = answering(&[503, 429, 200]);
    let recorder = Recorder::new();
    let session = recorded(&recorder, |configuration| configuration.retry_policy = at_once(3));
    let task = session.data_task(server.url("/")).resume();
    assert!(session.wait_until_idle(HANG));
    let expected = [
        Event::Created(1),
        of_answer(1, 2, 0, 503),
        of_answer(1, 3, 0, 429),
        response(1, 200),
        Event::data(1, "3"),
        Event::done(1),
    ];
    assert_eq!(recorder.events(), expected);
    drop(task);
    nothing_is_left(session, &[&server]);
}

#[test]
fn every_kind_of_task_is_tried_again() {
    let session = session(|configuration| configuration.retry_policy = at_once(2));
    let statuses = [503, 200];

    let closure = answering(&statuses);
    let (sender, ended) = channel();
    let told = move |outcome: Result<Data, Error>| {
        sender.send(outcome.unwrap().text().into_owned()).unwrap();
    };
    let task = session.data_task_with(closure.url("/"), told).resume();
    assert_eq!(ended.recv_timeout(HANG).unwrap(), "2");
    drop(task);

    let channels = answering(&statuses);
    let (sender, ended) = channel();
    let task = session.data_task_to(channels.url("/"), &sender).resume();
    assert_eq!(ended.recv_timeout(HANG).unwrap().outcome.unwrap().text(), "2");
    drop(task);

    let updates = answering(&statuses);
    let mut seen = Vec::new();
    for update in session.data_task(updates.url("/")).updates() {
        match update {
            Update::WillRetry(retry) => {
                let status = retry.cause.response().unwrap().status().as_u16();
                seen.push(format!("attempt {} after {status}", retry.attempt));
            }
            Update::Response(response) => seen.push(response.status().as_u16().to_string()),
            Update::Data(data) => seen.push(String::from_utf8(data).unwrap()),
            Update::Finished(outcome) => seen.push(format!("{outcome:?}")),
            _ => {}
        }
    }
    assert_eq!(seen, ["attempt 2 after 503", "200", "2", "Ok(())"]);

    let uploads = answering(&statuses);
    let request = Request::put(uploads.url("/"));
    assert_eq!(session.upload(request, Body::from("tea")).unwrap().text(), "2");

    let streams = answering(&statuses);
    let mut text = String::new();
    session.bytes(streams.url("/")).unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, "2");

    let servers = [&closure, &channels, &updates, &uploads, &streams];
    assert!(servers.iter().all(|server| server.request_count() == 2));
    nothing_is_left(session, &servers);
}

#[test]
fn a_download_to_a_place_is_tried_again_before_it_fails() {
    let folder = Folder::new();
    let session = session(|configuration| configuration.retry_policy = at_once(2));
    let server = answering(&[503, 200]);
    session.download_to(server.url("/"), folder.path().join("page")).unwrap();
    assert_eq!(fs::read(folder.path().join("page")).unwrap(), b"2");
    let failing = answering(&[503, 500]);
    let error = session.download_to(failing.url("/"), folder.path().join("other")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnacceptableStatus);
    assert_eq!(error.response_body(), Some(&b"2"[..]));
    assert_eq!(folder.names(), ["page"]);
    nothing_is_left(session, &[&server, &failing]);
}

#[test]
fn what_was_redirected_begins_where_it_began_first() {
    let server = Server::start();
    server.handle(|request| match request.path() {
        "/here" => Answer::redirect(302, "/there"),
        _ => Answer::status(503).body("busy"),
    });
    let session = session(|configuration| configuration.retry_policy = at_once(2));
    let data = session.data(server.url("/here")).unwrap();
    assert_eq!((data.status().as_u16(), &*data.text()), (503, "busy"));
    let paths: Vec<_> = (0..4).map(|_| server.take_request().path().to_owned()).collect();
    assert_eq!(paths, ["/here", "/there", "/here", "/there"]);
    nothing_is_left(session, &[&server]);
}

#[test]
fn a_body_that_is_read_as_it_comes_is_not_tried_again() {
    let server = Server::start();
    server.enqueue(Answer::ok("hello").truncate_after(2));
    let session = session(|configuration| configuration.retry_policy = at_once(3));
    let mut bytes = session.bytes(server.url("/")).unwrap();
    let error = reason(&bytes.read_to_end(&mut Vec::new()).unwrap_err());
    assert_eq!(error.kind(), ErrorKind::NetworkConnectionLost);
    assert_eq!(server.request_count(), 1);
    drop(bytes);
    nothing_is_left(session, &[&server]);
}
