//! Servers that do not know `Expect: 100-continue`, and bodies that wait for leave.

use std::io;

use urlsession::testing::{Answer, ExpectPolicy, Server};
use urlsession::{Body, Clock, Multipart, Part, Reply, Request, Task};

use crate::support::asked::Asked;
use crate::support::folder::Folder;
use crate::support::running::{nothing_is_left, session};
use crate::support::transfer_log::{Log, Told, without_progress};
use crate::support::upload_forms::Form;

const LENGTH: usize = 100_003;

fn bytes() -> Vec<u8> {
    vec![b'x'; LENGTH]
}

fn reader() -> Body {
    Body::reader(io::Cursor::new(bytes()))
}

/// Refuses every request that asks for leave in this way, and takes the others.
fn refuse(server: &Server, refusal: Answer) {
    let refusal = refusal.on_expect(ExpectPolicy::FinalAnswer).respond_before_body();
    server.handle_head(move |request| {
        request.header("expect").is_some().then(|| refusal.clone().close_after_answer())
    });
    server.handle(|_| Answer::ok("taken"));
}

/// Returns what of a request's body came, for each request.
fn bodies_of(server: &Server, count: usize) -> Vec<usize> {
    let mut all: Vec<_> = (0..count).map(|_| server.take_request()).collect();
    // One that was refused may be noted last: when its connection is closed.
    all.sort_by_key(|request| request.connection());
    all.iter().map(|request| request.body().len()).collect()
}

#[test]
fn a_417_is_answered_by_the_same_request_without_expect_and_nobody_is_told() {
    let folder = Folder::new();
    let file = folder.file("body", bytes());
    type Make<'a> = &'a dyn Fn() -> Body;
    let kinds: [(&str, Make<'_>); 5] = [
        ("bytes", &|| Body::from(bytes())),
        ("file", &|| Body::file(&file)),
        // Nothing of them has gone.
        ("reader", &reader),
        ("reader of known length", &|| reader().with_length(LENGTH as u64)),
        ("opened", &|| Body::opened_by(|| Ok(io::Cursor::new(bytes())))),
    ];
    for (kind, body) in kinds {
        for form in Form::ALL {
            let case = format!("{kind}, {form:?}");
            let server = Server::start();
            refuse(&server, Answer::status(417).body("no"));
            let (log, session) = Log::default().session(|_| {});
            let request = Request::post(server.url("/")).header("Expect", "100-continue");
            let outcome = form.upload(&session, &log, request, body());
            assert_eq!(outcome.unwrap(), (200, b"taken".to_vec()), "{case}");
            assert_eq!(bodies_of(&server, 2), [0, LENGTH], "{case}");
            if form == Form::Delegate {
                let told = [Told::Response(200), Told::Data(b"taken".to_vec())];
                let told = [&told[..], &[Told::Completed(None)]].concat();
                assert_eq!(without_progress(&log.whole()), told, "{case}");
            }
            nothing_is_left(session, &[&server]);
        }
    }
}

#[test]
fn a_form_of_readers_that_waits_for_leave_is_sent_after_a_417() {
    let server = Server::start();
    refuse(&server, Answer::status(417));
    let form = Multipart::new().text("a", "b").part("c", Part::new(reader()));
    let request = Request::post(server.url("/")).header("Expect", "100-continue");
    let session = session(|_| {});
    assert_eq!(session.data(request.multipart(form)).unwrap().text(), "taken");
    let sent = bodies_of(&server, 2);
    assert!(sent[0] == 0 && sent[1] > LENGTH, "{sent:?}");
    nothing_is_left(session, &[&server]);
}

#[test]
fn a_body_that_waits_for_leave_is_kept_for_whatever_is_answered() {
    let server = Server::start();
    server.handle_head(|request| {
        let refusal = match request.path() {
            "/challenged" if request.header("authorization").is_none() => {
                Answer::status(401).header("WWW-Authenticate", "Basic realm=r")
            }
            "/moved" => Answer::redirect(307, "/there"),
            _ => return None,
        };
        Some(refusal.on_expect(ExpectPolicy::FinalAnswer).respond_before_body())
    });
    server.handle(|_| Answer::ok("taken"));
    for path in ["/moved", "/challenged"] {
        let session = Asked::giving("ann", "pw").session();
        let request = Request::post(server.url(path)).header("Expect", "100-continue");
        assert_eq!(session.data(request.body(reader())).unwrap().text(), "taken", "{path}");
        assert_eq!(bodies_of(&server, 2), [0, LENGTH], "{path}");
        nothing_is_left(session, &[&server]);
    }
}

#[test]
fn a_417_behind_a_body_that_can_be_sent_once_is_delivered_unless_a_delegate_has_another() {
    for has_another in [false, true] {
        let server = Server::start();
        server.handle(|request| match request.header("expect") {
            Some(_) => Answer::status(417).body("no"),
            None => Answer::ok("taken"),
        });
        let bodies = move |_: &Task, reply: Reply<Option<Body>>| {
            reply.answer(has_another.then(reader));
        };
        let (log, session) = Log::default().with_bodies(bodies).session(|_| {});
        let request = Request::put(server.url("/")).header("Expect", "100-continue");
        session.upload_task(request, reader()).resume();
        let (status, text) = if has_another { (200, "taken") } else { (417, "no") };
        let told = [Told::Response(status), Told::Data(text.into()), Told::Completed(None)];
        assert_eq!(without_progress(&log.whole()), told);
        let sent = if has_another { [LENGTH; 2].to_vec() } else { [LENGTH].to_vec() };
        assert_eq!(bodies_of(&server, sent.len()), sent);
        nothing_is_left(session, &[&server]);
    }
}

#[test]
fn a_417_that_nobody_has_asked_for_or_that_comes_again_is_delivered() {
    let server = Server::start();
    server.handle(|_| Answer::status(417).body("no"));
    let session = session(|configuration| configuration.clock = Clock::by_hand());
    for (expects, sendings) in [(false, 1), (true, 2)] {
        let mut request = Request::post(server.url("/")).body("body");
        if expects {
            request = request.header("Expect", "100-continue");
        }
        let data = session.data(request).unwrap();
        assert_eq!((data.response.status().as_u16(), &*data.text()), (417, "no"));
        assert_eq!(bodies_of(&server, sendings), vec![4; sendings]);
    }
    assert_eq!(session.data(server.url("/")).unwrap().response.status(), 417);
    nothing_is_left(session, &[&server]);
}
