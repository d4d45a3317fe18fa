//! Responses with a status that a task does not accept: they end it with an error that has
//! them, and leave nothing.

use std::fs;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use urlsession::testing::{Answer, Event, OnChallenge, OnResponse, Recorder, Server};
use urlsession::{
    Clock, Configuration, Credential, DeliveryQueue, Disposition, Error, ErrorKind, Request,
    Session, TaskState, Update,
};

use crate::support::download_forms::Form;
use crate::support::folder::Folder;
use crate::support::running::{HANG, Running, nothing_is_left, session};
use crate::support::transfer_log::{Log, Told};

const KEPT: usize = 64 * 1024;

/// What the error has: the status and the body of the response.
fn refused(error: &Error) -> (u16, &[u8]) {
    assert_eq!(error.kind(), ErrorKind::UnacceptableStatus, "{error}");
    let status = error.response().unwrap().status().as_u16();
    assert!(error.to_string().contains(&status.to_string()), "{error}");
    (status, error.response_body().unwrap())
}

#[test]
fn an_error_page_is_never_saved_at_a_place_and_the_next_try_is_free() {
    for form in Form::ALL {
        let (folder, server) = (Folder::new(), Server::start());
        let place = folder.path().join("report.csv");
        for status in [300, 304, 400, 403, 404, 410, 416, 429, 500, 503, 599] {
            let (log, session) = Log::default().session(|_| {});
            let body = if status == 304 { "" } else { "sorry" };
            server.enqueue(Answer::status(status).body(body));
            let request = Request::get(server.url("/"));
            let outcome = form.download(&session, &log, request, Some(&place));
            assert_eq!(refused(&outcome.unwrap_err()), (status, body.as_bytes()), "{form:?}");
            assert!(folder.names().is_empty(), "{form:?}, {status}: {:?}", folder.names());
            drop(log);
            nothing_is_left(session, &[&server]);
        }
        let (log, session) = Log::default().session(|_| {});
        server.enqueue(Answer::ok("a;b"));
        let outcome = form.download(&session, &log, Request::get(server.url("/")), Some(&place));
        assert_eq!(outcome.unwrap(), (200, b"a;b".to_vec()), "{form:?}");
        drop(log);
        nothing_is_left(session, &[&server]);
    }
}

#[test]
fn what_is_saved_is_every_success_but_a_part_that_nobody_asked_for() {
    let (folder, server) = (Folder::new(), Server::start());
    let session = session(|_| {});
    let plain = || Request::get(server.url("/"));
    let ranged = || plain().header("Range", "bytes=0-4");
    for (status, request, is_saved) in [
        (200, plain(), true),
        (203, plain(), true),
        (204, plain(), true),
        (205, plain(), true),
        (206, plain(), false),
        (206, ranged(), true),
        (200, ranged(), true),
        (416, ranged(), false),
        // The caller's own condition.
        (304, plain().header("If-None-Match", "\"v1\""), false),
        (404, plain().accepts_status(..), true),
        (404, plain().accepts_status(200..300).accepts_status(404..=404), true),
        (206, plain().accepts_status(206..=206), true),
        (200, plain().accepts_status(201..=201), false),
    ] {
        let place = folder.path().join("file");
        let body = if [204, 205, 304].contains(&status) { "" } else { "hello" };
        server.enqueue(Answer::status(status).body(body));
        let case = format!("{status} to {request:?}");
        match session.download_to(request, &place) {
            Ok(_) => {
                assert!(is_saved, "{case}");
                assert_eq!(fs::read_to_string(&place).unwrap(), body, "{case}");
                fs::remove_file(&place).unwrap();
            }
            Err(error) => {
                assert!(!is_saved, "{case}: {error}");
                assert_eq!(refused(&error), (status, body.as_bytes()), "{case}");
                assert!(folder.names().is_empty(), "{case}");
            }
        }
    }
    nothing_is_left(session, &[&server]);
}

#[test]
fn a_file_that_would_have_been_replaced_stays_as_it_was() {
    let (folder, server) = (Folder::new(), Server::start());
    let session = session(|_| {});
    let place = folder.file("config", "what was there");
    server.enqueue(Answer::status(502).body("bad gateway"));
    let task = session.download_task(server.url("/"));
    task.save_over(&place).unwrap();
    assert_eq!(refused(&task.run().unwrap_err()), (502, &b"bad gateway"[..]));
    assert_eq!(task.state(), TaskState::Completed);
    assert_eq!(task.response().unwrap().status(), 502);
    assert_eq!(fs::read(&place).unwrap(), b"what was there");
    assert_eq!(folder.names(), ["config"]);
    drop(task);
    nothing_is_left(session, &[&server]);
}

#[test]
fn it_is_judged_after_challenges_redirects_and_repetitions() {
    let (folder, server) = (Folder::new(), Server::start());
    let session = session(|_| {});
    let recorder = Recorder::new();
    recorder.on_challenge(OnChallenge::Answer(Disposition::UseCredential(Credential::new(
        "ann", "pw",
    ))));
    server.enqueue(Answer::redirect(302, "/elsewhere"));
    server.enqueue(Answer::status(401).header("WWW-Authenticate", "Basic realm=\"x\""));
    server.enqueue(Answer::ok("the file"));
    let place = folder.path().join("file");
    let task = session.download_task(server.url("/"));
    task.set_delegate(recorder.delegate()).unwrap();
    task.save_to(&place).unwrap();
    task.run().unwrap();
    drop(task);
    assert_eq!(fs::read(&place).unwrap(), b"the file");

    server.enqueue(Answer::status(401).header("WWW-Authenticate", "Basic realm=\"x\"").body("no"));
    let error = session.download_to(server.url("/"), folder.path().join("other")).unwrap_err();
    assert_eq!(refused(&error), (401, &b"no"[..]));
    // Without a place to go to, this is the end of the way.
    server.enqueue(Answer::status(302).body("where to?"));
    let error = session.download_to(server.url("/"), folder.path().join("other")).unwrap_err();
    assert_eq!(refused(&error), (302, &b"where to?"[..]));
    assert_eq!(folder.names(), ["file"]);
    nothing_is_left(session, &[&server]);
}

#[test]
fn the_delegate_is_asked_first_and_told_nothing_of_the_body() {
    let (folder, server) = (Folder::new(), Server::start());
    for (answer, kind) in [
        (OnResponse::Allow, ErrorKind::UnacceptableStatus),
        (OnResponse::Cancel, ErrorKind::Cancelled),
    ] {
        server.enqueue(Answer::status(404).body("nothing here"));
        let recorder = Recorder::new();
        recorder.on_response(answer);
        let configuration = Configuration::ephemeral();
        let queue = DeliveryQueue::serial();
        let session = Session::with_delegate(configuration, recorder.delegate(), queue).unwrap();
        let task = session.download_task(server.url("/"));
        task.save_to(folder.path().join("file")).unwrap();
        task.resume();
        recorder.wait_for_completions(1);
        assert_eq!(
            recorder.events(),
            [
                Event::Created(1),
                Event::Response { id: 1, status: 404 },
                Event::Complete { id: 1, error: Some(kind) },
            ]
        );
        assert!(folder.names().is_empty());
        drop(task);
        nothing_is_left(session, &[&server]);
    }
}

#[test]
fn a_request_can_say_what_it_accepts_in_every_form_of_a_task() {
    let server = Server::start();
    server.handle(|_| Answer::status(409).body("taken"));
    let session = session(|_| {});
    let request = || Request::post(server.url("/")).accepts_status(..400);
    let taken = (409, &b"taken"[..]);

    assert_eq!(refused(&session.data(request()).unwrap_err()), taken);
    assert_eq!(refused(&session.upload(request(), "x").unwrap_err()), taken);
    assert_eq!(refused(&session.download(request()).unwrap_err()), taken);
    assert_eq!(refused(&session.bytes(request()).unwrap_err()), taken);

    let (sender, outcome) = channel();
    let task = session.data_task_with(request(), move |outcome| sender.send(outcome).unwrap());
    task.resume();
    assert_eq!(refused(&outcome.recv_timeout(HANG).unwrap().unwrap_err()), taken);

    let told: Vec<_> = session.data_task(request()).updates().collect();
    match &told[..] {
        [Update::Response(response), Update::Progress(progress), Update::Finished(Err(error))] => {
            assert_eq!(progress.bytes_received, 0);
            assert_eq!(response.status(), 409);
            assert_eq!(refused(error), taken);
        }
        other => panic!("{other:?}"),
    }
    // Without a word about it, every status is an answer.
    assert_eq!(session.data(Request::post(server.url("/"))).unwrap().body, b"taken");
    assert_eq!(session.download(server.url("/")).unwrap().response.status(), 409);
    drop(task);
    nothing_is_left(session, &[&server]);
}

#[test]
fn a_task_that_became_a_download_accepts_everything() {
    let server = Server::start();
    server.enqueue(Answer::status(404).body("nothing here"));
    let log = Log::default().with_disposition(urlsession::ResponseDisposition::BecomeDownload);
    let (log, session) = log.session(|_| {});
    session.data_task(server.url("/")).resume();
    let told = log.whole();
    assert!(told.contains(&Told::Downloaded(b"nothing here".to_vec())), "{told:?}");
    drop(log);
    nothing_is_left(session, &[&server]);
}

#[test]
fn no_more_than_64_kib_of_a_body_are_read_and_the_rest_is_not_waited_for() {
    let server = Server::start();
    let session = session(|_| {});
    let request = || Request::get(server.url("/")).accepts_status(200..300);
    for (answer, length, connections) in [
        (Answer::status(500).body_of_size(KEPT as u64 - 1), KEPT - 1, 1),
        (Answer::status(500).body_of_size(KEPT as u64), KEPT, 1),
        (Answer::status(500).endless_body("sorry "), KEPT, 2),
        (Answer::status(500).body_of_size(10 << 20).stall_in_body_after(KEPT as u64), KEPT, 3),
    ] {
        server.enqueue(answer);
        let error = session.data(request()).unwrap_err();
        assert_eq!(refused(&error).1.len(), length);
        assert!(server.connection_count() <= connections);
        assert!(!format!("{error:?} {error}").contains("sorry"));
    }
    server.release();
    nothing_is_left(session, &[&server]);
}

#[test]
fn a_body_that_breaks_off_is_kept_as_far_as_it_came() {
    let server = Server::start();
    let session = session(|_| {});
    server.enqueue(Answer::status(500).announced_length(100).body("half a").until_close());
    let error = session.data(Request::get(server.url("/")).accepts_status(..500)).unwrap_err();
    assert_eq!(refused(&error), (500, &b"half a"[..]));
    nothing_is_left(session, &[&server]);
}

#[test]
fn timers_and_cancels_hold_while_such_a_body_is_read() {
    for cancels in [false, true] {
        let (clock, server) = (Clock::by_hand(), Server::start());
        let by_hand = clock.clone();
        let session = session(|configuration| {
            configuration.clock = by_hand;
            configuration.timeout_for_request = Duration::from_secs(60);
        });
        server.enqueue(Answer::status(500).body_of_size(1000).stall_in_body_after(10));
        let request = Request::get(server.url("/")).accepts_status(..500);
        let task = Arc::new(session.data_task(request));
        let running = task.clone();
        let running = Running::start(move || running.run().map(drop));
        server.wait_until(|stats| stats.stalled == 1);
        if cancels {
            task.cancel();
            assert_eq!(running.outcome().unwrap_err().kind(), ErrorKind::Cancelled);
        } else {
            while running.is_running() {
                clock.advance(Duration::from_secs(61));
            }
            assert_eq!(running.outcome().unwrap_err().kind(), ErrorKind::TimedOut);
        }
        server.release();
        drop(task);
        nothing_is_left(session, &[&server]);
    }
}
