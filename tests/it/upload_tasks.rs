//! Tasks that send a body: each kind of body in each form, bodies that the delegate is asked
//! for, redirects, and what goes wrong.

use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use urlsession::testing::{Answer, Server, Stats};
use urlsession::{
    Body, CancelToken, Clock, ErrorKind, Reply, Request, Stage, Task, TaskState, Update,
};

use crate::support::folder::Folder;
use crate::support::running::{HANG, nothing_is_left, session, wait_for};
use crate::support::transfer_log::{Log, Told, without_progress};
use crate::support::upload_forms::Form;

const PIECE: usize = 64 * 1024;

/// Bytes that tell where they stand.
pub(crate) fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at % 251) as u8).collect()
}

pub(crate) fn reader(bytes: &[u8]) -> Body {
    Body::reader(io::Cursor::new(bytes.to_vec()))
}

#[test]
fn every_kind_of_body_is_uploaded_in_every_form() {
    let folder = Folder::new();
    let bytes = pattern(200_003);
    let file = folder.file("photo.jpeg", &bytes);
    let server = Server::start();
    server.handle(|_| Answer::status(201).body("taken"));
    for (kind, length) in [
        ("bytes", Some(200_003)),
        ("file", Some(200_003)),
        ("reader of known length", Some(200_003)),
        ("reader", None),
    ] {
        for form in Form::ALL {
            let (log, session) = Log::default().session(|_| {});
            let body = match kind {
                "bytes" => Body::from(bytes.clone()),
                "file" => Body::file(&file),
                "reader" => reader(&bytes),
                _ => reader(&bytes).with_length(200_003),
            };
            let request = Request::put(server.url("/photo"));
            let outcome = form.upload(&session, &log, request, body);
            let case = format!("{kind}, {form:?}");
            assert_eq!(outcome.unwrap(), (201, b"taken".to_vec()), "{case}");
            let received = server.take_request();
            assert!(received.body() == bytes && received.is_complete(), "{case}");
            let announced = received.header("Content-Length").map(|text| text.parse().unwrap());
            assert_eq!(announced, length, "{case}");
            nothing_is_left(session, &[&server]);
        }
    }
}

#[test]
fn an_upload_ignores_the_body_of_its_request() {
    let server = Server::start();
    server.handle(|_| Answer::ok("taken"));
    let own =
        || Request::post(server.url("/")).header("Content-Type", "text/plain").body("ignored");
    for form in Form::ALL {
        let (log, session) = Log::default().session(|_| {});
        form.upload(&session, &log, own(), "sent").unwrap();
        let received = server.take_request();
        assert_eq!(received.body_text(), "sent", "{form:?}");
        assert_eq!(received.header("Content-Type"), Some("text/plain"), "{form:?}");
        nothing_is_left(session, &[&server]);
    }
    let bodies = |_: &Task, reply: Reply<Option<Body>>| reply.answer(Some("streamed".into()));
    let (log, session) = Log::default().with_bodies(bodies).session(|_| {});
    session.streamed_upload_task(own()).resume();
    log.whole();
    assert_eq!(server.take_request().body_text(), "streamed");
    nothing_is_left(session, &[&server]);
}

#[test]
fn upload_tasks_are_listed_as_such() {
    let server = Server::start();
    server.enqueue(Answer::ok("").stall_before_head());
    let session = session(|_| {});
    let updates = session.upload_task(Request::put(server.url("/")), "x").updates();
    server.wait_until(|stats| stats.stalled == 1);
    let tasks = session.tasks();
    assert_eq!((tasks.data.len(), tasks.uploads.len(), tasks.downloads.len()), (0, 1, 0));
    assert_eq!(&**tasks.uploads[0], updates.task());
    drop((tasks, updates));
    nothing_is_left(session, &[&server]);
}

/// How a delegate answers when it is asked for a body.
#[derive(Clone, Copy, Debug)]
enum When {
    AtOnce,
    Later,
}

/// Answers each time with the next of these, at once or on another thread.
fn bodies(
    when: When,
    texts: &'static [&'static str],
) -> impl Fn(&Task, Reply<Option<Body>>) + Send + Sync {
    let asked = AtomicU64::new(0);
    move |_, reply| {
        let text = texts[asked.fetch_add(1, Ordering::SeqCst) as usize];
        let body = Body::reader(text.as_bytes());
        match when {
            When::AtOnce => reply.answer(Some(body)),
            When::Later => {
                thread::spawn(move || reply.answer(Some(body)));
            }
        }
    }
}

#[test]
fn a_streamed_upload_asks_its_delegate_for_the_body() {
    for when in [When::AtOnce, When::Later] {
        for form in [Form::Run, Form::Updates, Form::Delegate] {
            for is_own in [false, true] {
                let case = format!("{when:?}, {form:?}, own delegate: {is_own}");
                let server = Server::start();
                server.enqueue(Answer::ok("taken"));
                let asked = Log::default().with_bodies(bodies(when, &["streamed"]));
                let (log, session) = match is_own {
                    false => asked.session(|_| {}),
                    true => Log::default().session(|_| {}),
                };
                let task = session.streamed_upload_task(Request::put(server.url("/")));
                if is_own {
                    let asked = Log::default().with_bodies(bodies(when, &["streamed"]));
                    task.set_delegate(Arc::new(asked)).unwrap();
                }
                match form {
                    Form::Run => assert_eq!(task.run().unwrap().text(), "taken", "{case}"),
                    Form::Updates => {
                        let last = task.updates().last();
                        assert!(matches!(last, Some(Update::Finished(Ok(())))), "{case}: {last:?}");
                    }
                    _ => {
                        task.resume();
                        assert_eq!(log_of(&log, is_own, &task), None, "{case}");
                    }
                }
                let received = server.take_request();
                assert_eq!(received.body_text(), "streamed", "{case}");
                assert_eq!(received.header("Transfer-Encoding"), Some("chunked"), "{case}");
                drop(task);
                nothing_is_left(session, &[&server]);
            }
        }
    }
}

/// Waits for the end of a task that has one of two delegates.
fn log_of(log: &Log, is_own: bool, task: &Task) -> Option<ErrorKind> {
    if is_own {
        wait_for("the end", || task.state() == TaskState::Completed);
    } else {
        log.whole();
    }
    task.error().map(|error| error.kind())
}

#[test]
fn a_streamed_upload_without_a_body_sends_nothing_and_fails() {
    type Answers = fn(&Task, Reply<Option<Body>>);
    let cases: [(&str, Option<Answers>, ErrorKind); 5] = [
        ("no delegate", None, ErrorKind::RequestBodyStreamExhausted),
        ("none", Some(|_, reply| reply.answer(None)), ErrorKind::RequestBodyStreamExhausted),
        ("dropped", Some(|_, reply| drop(reply)), ErrorKind::RequestBodyStreamExhausted),
        (
            "dropped elsewhere",
            Some(|_, reply| drop(thread::spawn(move || drop(reply)))),
            ErrorKind::RequestBodyStreamExhausted,
        ),
        ("panic", Some(|_, _| panic!("on purpose")), ErrorKind::DelegatePanicked),
    ];
    for (case, answers, kind) in cases {
        for is_blocking in [false, true] {
            let server = Server::start();
            let (log, session) = match answers {
                None => (None, session(|_| {})),
                Some(answers) => {
                    let (log, session) = Log::default().with_bodies(answers).session(|_| {});
                    (Some(log), session)
                }
            };
            let task = session.streamed_upload_task(Request::put(server.url("/")));
            let error = match is_blocking {
                true => task.run().unwrap_err(),
                false => {
                    task.resume();
                    assert!(session.wait_until_idle(HANG), "{case}");
                    task.error().unwrap()
                }
            };
            assert_eq!(error.kind(), kind, "{case}: {error}");
            if let (Some(log), false) = (log, is_blocking) {
                assert_eq!(log.take(), [Told::Completed(Some(kind))], "{case}");
            }
            assert_eq!(server.connection_count(), 0, "{case}");
            drop(task);
            nothing_is_left(session, &[&server]);
        }
    }
}

#[test]
fn a_body_that_can_be_read_once_is_asked_for_again_after_a_redirect() {
    for when in [When::AtOnce, When::Later] {
        for status in [307, 308] {
            for streamed in [true, false] {
                let case = format!("{when:?}, {status}, streamed: {streamed}");
                let server = Server::start();
                server.enqueue(Answer::redirect(status, "/there"));
                server.enqueue(Answer::ok("taken"));
                // A data task has the first one itself.
                let texts: &[&str] = if streamed { &["first", "second"] } else { &["second"] };
                let (log, session) =
                    Log::default().with_bodies(bodies(when, texts)).session(|_| {});
                let request = Request::post(server.url("/"));
                match streamed {
                    true => drop(session.streamed_upload_task(request).resume()),
                    false => {
                        let request = request.body(Body::reader(&b"first"[..]));
                        session.data_task(request).resume();
                    }
                }
                let told = without_progress(&log.whole());
                let expected =
                    [Told::Response(200), Told::Data(b"taken".to_vec()), Told::Completed(None)];
                assert_eq!(told, expected, "{case}");
                for (path, body) in [("/", "first"), ("/there", "second")] {
                    let received = server.take_request();
                    let found = (received.method(), received.path(), received.body_text());
                    assert_eq!(found, ("POST", path, body), "{case}");
                }
                nothing_is_left(session, &[&server]);
            }
        }
    }
}

#[test]
fn a_redirect_is_delivered_if_nobody_has_the_body_for_it() {
    for streamed in [true, false] {
        let server = Server::start();
        server.enqueue(Answer::redirect(307, "/there").body("moved"));
        let asked = AtomicU64::new(0);
        let first_only = move |_: &Task, reply: Reply<Option<Body>>| {
            if streamed && asked.fetch_add(1, Ordering::SeqCst) == 0 {
                reply.answer(Some(Body::reader(&b"first"[..])));
            }
        };
        let (log, session) = Log::default().with_bodies(first_only).session(|_| {});
        let request = Request::post(server.url("/"));
        match streamed {
            true => drop(session.streamed_upload_task(request).resume()),
            false => drop(session.upload_task(request, reader(b"first")).resume()),
        }
        let expected = [Told::Response(307), Told::Data(b"moved".to_vec()), Told::Completed(None)];
        assert_eq!(without_progress(&log.whole()), expected, "streamed: {streamed}");
        assert_eq!(server.take_request().body_text(), "first");
        nothing_is_left(session, &[&server]);
    }
}

#[test]
fn redirects_treat_the_body_of_an_upload_as_browsers_do() {
    let folder = Folder::new();
    let file = folder.file("body", "body");
    let opened = || Body::opened_by(|| Ok(&b"body"[..]));
    // Status, method, the next method, whether the body goes along.
    let rows = [
        (301, "POST", "GET", false),
        (302, "POST", "GET", false),
        (303, "POST", "GET", false),
        (307, "POST", "POST", true),
        (308, "POST", "POST", true),
        (301, "PUT", "PUT", true),
        (302, "PUT", "PUT", true),
        (303, "PUT", "GET", false),
        (307, "PUT", "PUT", true),
        (308, "PUT", "PUT", true),
    ];
    for (status, method, next, keeps) in rows {
        for kind in ["bytes", "file", "opened", "reader", "streamed"] {
            let case = format!("{status}, {method}, {kind}");
            let server = Server::start();
            server.enqueue(Answer::redirect(status, "/there"));
            server.enqueue(Answer::ok("taken"));
            let bodies = bodies(When::AtOnce, &["body", "body"]);
            let (log, session) = Log::default().with_bodies(bodies).session(|_| {});
            let request = Request::new(method, server.url("/"));
            match kind {
                "bytes" => drop(session.upload_task(request, "body").resume()),
                "file" => drop(session.upload_task(request, Body::file(&file)).resume()),
                "opened" => drop(session.upload_task(request, opened()).resume()),
                "reader" => drop(session.upload_task(request, reader(b"body")).resume()),
                _ => drop(session.streamed_upload_task(request).resume()),
            }
            assert_eq!(log.whole().last(), Some(&Told::Completed(None)), "{case}");
            assert_eq!(server.take_request().body_text(), "body", "{case}");
            let second = server.take_request();
            assert_eq!(second.method(), next, "{case}");
            assert_eq!(second.body_text(), if keeps { "body" } else { "" }, "{case}");
            nothing_is_left(session, &[&server]);
        }
    }
}

#[test]
fn a_body_of_another_length_than_announced_is_an_error_in_each_form() {
    let folder = Folder::new();
    let bytes = pattern(3 * PIECE);
    let file = folder.file("body", &bytes);
    for form in Form::ALL {
        for kind in ["bytes", "file", "reader"] {
            for (by, how) in [(1, "shorter"), (-1, "longer")] {
                let case = format!("{form:?}, {kind}, {how}");
                let server = Server::start();
                // What never becomes whole is not answered.
                server.handle(|_| Answer::ok("taken"));
                let (log, session) = Log::default().session(|_| {});
                let body = match kind {
                    "bytes" => Body::from(bytes.clone()),
                    "file" => Body::file(&file),
                    _ => reader(&bytes),
                };
                let body = body.with_length((bytes.len() as u64).wrapping_add_signed(by));
                let request = Request::put(server.url("/"));
                let error = form.upload(&session, &log, request, body).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{case}: {error}");
                assert_eq!(error.stage(), Some(Stage::Sending), "{case}: {error}");
                assert!(error.to_string().contains(how), "{case}: {error}");
                nothing_is_left(session, &[&server]);
                assert_eq!(server.stats().requests, 0, "{case}");
            }
        }
    }
}

#[test]
fn a_file_that_vanishes_before_it_is_sent_is_an_error_in_each_form() {
    for form in Form::ALL {
        let folder = Folder::new();
        let path = folder.file("photo.jpeg", "photo");
        let body = Body::file(&path);
        std::fs::remove_file(&path).unwrap();
        let server = Server::start();
        let (log, session) = Log::default().session(|_| {});
        let request = Request::put(server.url("/"));
        let error = form.upload(&session, &log, request, body).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::FileDoesNotExist, "{form:?}: {error}");
        assert!(error.to_string().contains("photo.jpeg"), "{form:?}: {error}");
        assert_eq!(server.request_count(), 0, "{form:?}");
        nothing_is_left(session, &[&server]);
    }
}

#[test]
fn a_refusal_in_the_middle_of_a_large_upload_is_delivered_in_each_form() {
    for form in Form::ALL {
        for announced in [true, false] {
            let server = Server::start();
            server.enqueue(Answer::status(413).body("enough").respond_before_body());
            let (log, session) = Log::default().session(|_| {});
            let mut body = Body::opened_by(|| Ok(io::repeat(b'x')));
            if announced {
                body = body.with_length(1 << 40);
            }
            let request = Request::post(server.url("/"));
            let outcome = form.upload(&session, &log, request, body);
            let case = format!("{form:?}, announced: {announced}");
            let (status, text) = outcome.unwrap_or_else(|error| panic!("{case}: {error}"));
            assert_eq!((status, &text[..]), (413, &b"enough"[..]), "{case}");
            nothing_is_left(session, &[&server]);
        }
    }
}

#[test]
fn a_cancel_in_the_middle_of_an_upload_ends_it_in_each_form() {
    for form in Form::ALL {
        let server = Server::start();
        server.enqueue(Answer::ok("").stall_reading_after(100_000));
        let (log, session) = Log::default().session(|_| {});
        let token = CancelToken::new();
        let request = Request::put(server.url("/")).cancel_token(&token);
        let body = Body::opened_by(|| Ok(io::repeat(b'x'))).with_length(1 << 40);
        let uploading = form.start(&session, &log, request, body);
        server.wait_until(|stats| stats.stalled == 1);
        match &uploading.task {
            Some(task) => task.cancel(),
            None => token.cancel(),
        }
        let error = uploading.outcome().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Cancelled, "{form:?}: {error}");
        if form == Form::Delegate {
            let told = without_progress(&log.whole());
            assert_eq!(told, [Told::Completed(Some(ErrorKind::Cancelled))]);
        }
        nothing_is_left(session, &[&server]);
    }
}

/// Gives pieces, and suspends a task after so many of them.
struct Suspending {
    pieces: Arc<AtomicU64>,
    after: u64,
    task: Arc<Mutex<Option<Task>>>,
}

impl Read for Suspending {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let pieces = self.pieces.fetch_add(1, Ordering::SeqCst) + 1;
        if pieces == self.after
            && let Some(task) = &*self.task.lock().unwrap()
        {
            task.suspend();
        }
        if pieces > 2 * self.after {
            return Ok(0);
        }
        let count = buffer.len().min(PIECE);
        buffer[..count].fill(b'x');
        Ok(count)
    }
}

#[test]
fn an_upload_that_is_suspended_stops_sending_and_goes_on_when_it_is_resumed() {
    const AFTER: u64 = 10;
    for form in [Form::Run, Form::Closure, Form::Channel, Form::Updates, Form::Delegate] {
        let server = Server::start();
        server.enqueue(Answer::ok("taken"));
        let clock = Clock::by_hand();
        let (log, session) = Log::default().session(|all| all.clock = clock.clone());
        let (pieces, task) = (Arc::new(AtomicU64::new(0)), Arc::new(Mutex::new(None)));
        let body =
            Body::reader(Suspending { pieces: pieces.clone(), after: AFTER, task: task.clone() });
        // The reader waits until the task is known.
        let known = task.lock().unwrap();
        let request = Request::put(server.url("/"));
        let uploading = form.start(&session, &log, request, body);
        let handle = uploading.task.clone().unwrap();
        let mut known = known;
        *known = Some(handle.clone());
        drop(known);
        server.wait_until(|stats| stats.body_bytes == AFTER * PIECE as u64);
        assert_eq!(handle.state(), TaskState::Suspended, "{form:?}");
        // No timer runs.
        clock.advance(Duration::from_secs(3600));
        let goes_on = |stats: &Stats| stats.body_bytes > AFTER * PIECE as u64;
        assert!(!server.wait_until_for(Duration::from_millis(50), goes_on), "{form:?}");
        assert_eq!(pieces.load(Ordering::SeqCst), AFTER, "{form:?}");
        assert_eq!(handle.progress().bytes_sent, AFTER * PIECE as u64, "{form:?}");
        handle.resume();
        assert_eq!(uploading.outcome().unwrap(), (200, b"taken".to_vec()), "{form:?}");
        assert_eq!(server.take_request().body_length(), 2 * AFTER * PIECE as u64, "{form:?}");
        *task.lock().unwrap() = None;
        drop(handle);
        nothing_is_left(session, &[&server]);
    }
}

#[test]
fn an_upload_whose_server_left_while_it_was_suspended_starts_over_if_that_does_no_harm() {
    // Whether it does no harm: PUT, and a body that can be sent again.
    for (method, rewinds, starts_over) in
        [("PUT", true, true), ("PUT", false, false), ("POST", true, false)]
    {
        let case = format!("{method}, rewinds: {rewinds}");
        let server = Server::start();
        let (reaches, reached) = channel();
        // The server reads nothing and leaves, when the reader of the body waits.
        let reached = Mutex::new(reached);
        let is_first = AtomicBool::new(true);
        server.handle_head(move |_| {
            is_first.swap(false, Ordering::SeqCst).then(|| {
                reached.lock().unwrap().recv_timeout(HANG).unwrap();
                Answer::ok("").reset_after_reading(1)
            })
        });
        server.handle(|_| Answer::ok("taken"));
        let (log, session) = Log::default().session(|_| {});
        let (asks, asked) = channel::<()>();
        let asked = Arc::new(Mutex::new(asked));
        let open = move || {
            let waits = Waits { asked: asked.clone(), reaches: reaches.clone() };
            // Behind the first piece it waits until it is suspended; not the second time.
            let waits = io::repeat(b'x').take(PIECE as u64).chain(waits);
            Ok(waits.chain(io::repeat(b'x').take(1 << 20)))
        };
        let body = match rewinds {
            true => Body::opened_by(open),
            false => Body::reader(open().unwrap()),
        };
        let request = Request::new(method, server.url("/"));
        let uploading = Form::Delegate.start(&session, &log, request, body);
        let task = uploading.task.clone().unwrap();
        server.wait_until(|stats| stats.connections == 1 && stats.open_connections == 0);
        task.suspend();
        drop(asks);
        task.resume();
        match uploading.outcome() {
            Ok((status, _)) => assert!(starts_over && status == 200, "{case}"),
            Err(error) => {
                assert!(!starts_over, "{case}: {error}");
                assert_eq!(error.kind(), ErrorKind::NetworkConnectionLost, "{case}: {error}");
            }
        }
        drop(task);
        nothing_is_left(session, &[&server]);
        let whole = PIECE as u64 + (1 << 20);
        let lengths: Vec<u64> =
            std::iter::from_fn(|| server.try_take_request()).map(|one| one.body_length()).collect();
        assert_eq!(lengths.contains(&whole), starts_over, "{case}: {lengths:?}");
    }
}

/// Ends when the other end of a channel is gone.
struct Waits {
    asked: Arc<Mutex<Receiver<()>>>,
    /// Is told when this is reached.
    reaches: Sender<()>,
}

impl Read for Waits {
    fn read(&mut self, _buffer: &mut [u8]) -> io::Result<usize> {
        // The server is there for the first one only.
        let _ = self.reaches.send(());
        let _ = self.asked.lock().unwrap().recv_timeout(HANG);
        Ok(0)
    }
}

#[test]
fn a_delegate_that_panics_about_what_was_sent_fails_its_task_alone() {
    for form in Form::TASKS {
        if form == Form::Updates {
            // It tells no delegate.
            continue;
        }
        let server = Server::start();
        server.handle(|_| Answer::ok("taken"));
        let (log, session) = Log::default()
            .with_hook(|_, told| assert!(!matches!(told, Told::Sent(..)), "on purpose"))
            .session(|_| {});
        let request = Request::put(server.url("/"));
        let body = Body::opened_by(|| Ok(io::repeat(b'x'))).with_length(1 << 40);
        let error = form.upload(&session, &log, request, body).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::DelegatePanicked, "{form:?}: {error}");
        let next = session.data(server.url("/"));
        assert_eq!(next.unwrap().text(), "taken", "{form:?}");
        nothing_is_left(session, &[&server]);
    }
}

#[test]
fn a_dropped_iterator_of_updates_ends_its_upload() {
    let server = Server::start();
    server.enqueue(Answer::ok("").stall_reading_after(100_000));
    let session = session(|_| {});
    let body = Body::opened_by(|| Ok(io::repeat(b'x'))).with_length(1 << 40);
    let task = session.upload_task(Request::put(server.url("/")), body);
    let updates = task.updates();
    server.wait_until(|stats| stats.stalled == 1);
    drop(updates);
    assert!(session.wait_until_idle(HANG));
    assert_eq!(task.error().unwrap().kind(), ErrorKind::Cancelled);
    drop(task);
    nothing_is_left(session, &[&server]);
}
