//! What is told of a body while it is sent.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use urlsession::testing::{Answer, Server};
use urlsession::{Body, Clock, DeliveryQueue, Reply, Request, Task};

use crate::support::folder::Folder;
use crate::support::running::{HANG, Running, nothing_is_left, session, wait_for};
use crate::support::transfer_log::{Log, Told, adds_up, sent};
use crate::support::upload_forms::Form;
use crate::upload_tasks::{pattern, reader};

const PIECE: u64 = 64 * 1024;
/// Not a whole number of pieces.
const LENGTH: u64 = 16 * PIECE - 7;

fn bytes() -> Vec<u8> {
    vec![b'x'; LENGTH as usize]
}

/// Sees that everything sent was told before what ends the upload, and returns its total.
fn total(told: &[Told], case: &str) -> u64 {
    let total = adds_up(sent(told), case);
    let last = told.iter().rposition(|told| matches!(told, Told::Sent(..))).unwrap();
    let is_end = |told: &Told| matches!(told, Told::Response(_) | Told::Outcome);
    let end = told.iter().position(is_end);
    assert!(end.is_none_or(|end| last < end), "{case}: {told:?}");
    total
}

#[test]
fn what_was_sent_adds_up_to_all_of_it_before_the_response_in_each_form() {
    let folder = Folder::new();
    let file = folder.file("body", bytes());
    for interval in [Duration::ZERO, Duration::from_millis(100)] {
        for form in Form::ALL {
            for (kind, expected) in [
                ("small", Some(5)),
                ("bytes", Some(LENGTH)),
                ("file", Some(LENGTH)),
                ("reader of known length", Some(LENGTH)),
                ("reader", None),
            ] {
                let case = format!("{interval:?}, {form:?}, {kind}");
                let server = Server::start();
                server.enqueue(Answer::ok("taken"));
                let (log, session) = Log::default().session(|all| all.progress_interval = interval);
                let reader = Body::reader(io::Cursor::new(bytes()));
                let body = match kind {
                    "small" => Body::from("small"),
                    "bytes" => Body::from(bytes()),
                    "file" => Body::file(&file),
                    "reader" => reader,
                    _ => reader.with_length(LENGTH),
                };
                form.upload(&session, &log, Request::put(server.url("/")), body).unwrap();
                assert!(session.wait_until_idle(HANG), "{case}");
                let told = log.take();
                let whole = if kind == "small" { 5 } else { LENGTH };
                assert_eq!(total(&told, &case), whole, "{case}");
                assert!(
                    told.iter().all(|told| match told {
                        Told::Sent(_, _, told) => *told == expected,
                        _ => true,
                    }),
                    "{case}: {told:?}"
                );
                nothing_is_left(session, &[&server]);
            }
        }
    }
}

/// Turns a clock with every piece that is read.
struct Turning<R>(R, Clock, Duration);

impl<R: Read> Read for Turning<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.0.read(buffer)?;
        if count > 0 {
            self.1.advance(self.2);
        }
        Ok(count)
    }
}

#[test]
fn what_was_sent_is_told_at_the_pace_of_the_configuration() {
    // Milliseconds between pieces, milliseconds of the interval, how often it is told: at
    // once, at the pace, and what is missing before the response.
    let rows = [(0, 100, 2), (50, 100, 9), (100, 100, 16), (1000, 100, 16), (0, 0, 16)];
    for (turned, interval, times) in rows {
        for form in Form::ALL {
            let case = format!("{turned} ms, {interval} ms, {form:?}");
            let server = Server::start();
            server.enqueue(Answer::ok("taken"));
            let clock = Clock::by_hand();
            let (log, session) = Log::default().session(|all| {
                all.clock = clock.clone();
                all.progress_interval = Duration::from_millis(interval);
            });
            let content = io::Cursor::new(bytes());
            let turning = Turning(content, clock, Duration::from_millis(turned));
            let body = Body::reader(turning).with_length(LENGTH);
            form.upload(&session, &log, Request::put(server.url("/")), body).unwrap();
            assert!(session.wait_until_idle(HANG), "{case}");
            let told = log.take();
            assert_eq!(total(&told, &case), LENGTH, "{case}");
            assert_eq!(sent(&told).len(), times, "{case}: {:?}", sent(&told));
            nothing_is_left(session, &[&server]);
        }
    }
}

#[test]
fn a_body_that_is_sent_again_counts_again() {
    for streamed in [false, true] {
        let server = Server::start();
        server.enqueue(Answer::redirect(307, "/there"));
        server.enqueue(Answer::ok("taken"));
        let bodies = |_: &Task, reply: Reply<Option<Body>>| {
            reply.answer(Some(Body::reader(io::Cursor::new(bytes())).with_length(LENGTH)));
        };
        let (log, session) = Log::default()
            .with_bodies(bodies)
            .session(|all| all.progress_interval = Duration::ZERO);
        let request = Request::put(server.url("/"));
        match streamed {
            true => drop(session.streamed_upload_task(request).resume()),
            false => drop(session.upload_task(request, bytes()).resume()),
        }
        let told = log.whole();
        assert_eq!(total(&told, "again"), 2 * LENGTH);
        // A streamed body, too, says how long it is.
        assert!(told.contains(&Told::Sent(PIECE, PIECE, Some(LENGTH))), "{told:?}");
        nothing_is_left(session, &[&server]);
    }
}

#[test]
fn what_was_sent_is_told_of_uploads_that_fail() {
    for form in Form::TASKS {
        let server = Server::start();
        server.enqueue(Answer::ok("").reset_after_reading(2 * PIECE + 1));
        let (log, session) = Log::default().session(|_| {});
        let (starts, start) = channel::<()>();
        let body = Body::reader(io::repeat(b'x').take(3 * PIECE).chain(WaitsFor(start)));
        let uploading = form.start(&session, &log, Request::post(server.url("/")), body);
        let task = uploading.task.clone().unwrap();
        server.wait_until(|stats| stats.connections == 1 && stats.open_connections == 0);
        drop(starts);
        uploading.outcome().unwrap_err();
        assert!(session.wait_until_idle(HANG), "{form:?}");
        let told = log.take();
        let total = adds_up(sent(&told), &format!("{form:?}"));
        assert_eq!(total, task.progress().bytes_sent, "{form:?}");
        assert!(total >= 3 * PIECE, "{form:?}: {total}");
        drop(task);
        nothing_is_left(session, &[&server]);
    }
}

/// Waits for the other end to go, and then has more than any system holds.
struct WaitsFor(Receiver<()>);

impl Read for WaitsFor {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let _ = self.0.recv_timeout(HANG);
        buffer.fill(b'x');
        Ok(buffer.len())
    }
}

#[test]
fn each_total_is_that_of_its_own_moment_however_late_it_is_told() {
    let server = Server::start();
    server.enqueue(Answer::ok("taken"));
    // Nothing is told before everything has happened.
    let queue = DeliveryQueue::manual(|| {});
    let (log, session) =
        Log::default().session_on(queue.clone(), |all| all.progress_interval = Duration::ZERO);
    let (sender, receiver) = channel();
    let task = session.upload_task_to(Request::put(server.url("/")), bytes(), &sender);
    task.resume();
    receiver.recv_timeout(HANG).unwrap().outcome.unwrap();
    assert_eq!(task.progress().bytes_sent, LENGTH);
    wait_for("all told", || {
        queue.run_pending();
        session.wait_until_idle(Duration::ZERO)
    });
    let told = log.take();
    assert_eq!(sent(&told).len(), 16, "{told:?}");
    assert_eq!(adds_up(sent(&told), "late"), LENGTH);
    drop(task);
    nothing_is_left(session, &[&server]);
}

#[test]
fn what_was_received_and_sent_is_counted_in_each_form() {
    const ANSWER: u64 = 300_000;
    for form in Form::TASKS {
        let server = Server::start();
        server.enqueue(Answer::status(200).body_of_size(ANSWER));
        let (log, session) = Log::default().session(|_| {});
        let uploading = form.start(&session, &log, Request::put(server.url("/")), bytes());
        let task = uploading.task.clone().unwrap();
        uploading.outcome().unwrap();
        let progress = task.progress();
        assert_eq!((progress.bytes_sent, progress.bytes_received), (LENGTH, ANSWER), "{form:?}");
        assert_eq!(progress.bytes_expected_to_receive, Some(ANSWER), "{form:?}");
        drop(task);
        nothing_is_left(session, &[&server]);
    }
}

#[test]
fn a_task_without_a_body_tells_nothing_of_sending() {
    let server = Server::start();
    server.handle(|_| Answer::ok("taken"));
    let (log, session) = Log::default().session(|all| all.progress_interval = Duration::ZERO);
    for request in
        [Request::get(server.url("/")), Request::post(server.url("/")).body(Body::from(""))]
    {
        let task = session.data_task(request);
        task.resume();
        let told = log.wait_until(|told| matches!(told.last(), Some(Told::Completed(_))));
        assert_eq!(sent(&told), []);
        assert_eq!(task.progress().bytes_expected_to_send, Some(0));
        log.take();
    }
    nothing_is_left(session, &[&server]);
}

#[test]
fn only_the_first_delegate_is_told_what_was_sent_unless_it_forwards() {
    #[derive(Default)]
    struct Counts(Mutex<Vec<u64>>);
    impl urlsession::Delegate for Counts {
        fn did_send_body_data(&self, _: &Task, _: u64, total: u64, _: Option<u64>) {
            self.0.lock().unwrap().push(total);
        }
    }
    for form in [Form::Run, Form::Delegate] {
        let server = Server::start();
        server.enqueue(Answer::ok("taken"));
        let (log, session) = Log::default().session(|_| {});
        let counts = Arc::new(Counts::default());
        let task = session.upload_task(Request::put(server.url("/")), "small");
        task.set_delegate(counts.clone()).unwrap();
        match form {
            Form::Run => drop(task.run().unwrap()),
            _ => {
                task.resume();
                // What the task's own delegate does not implement goes on to the session's.
                log.whole();
            }
        }
        assert_eq!(*counts.0.lock().unwrap(), [5], "{form:?}");
        assert_eq!(sent(&log.take()), [], "{form:?}");
        drop(task);
        nothing_is_left(session, &[&server]);
    }
}

#[test]
fn how_much_of_an_upload_was_sent_can_be_asked_at_any_moment() {
    let folder = Folder::new();
    let bytes = pattern(8 << 20);
    let file = folder.file("body", &bytes);
    let whole = bytes.len() as u64;
    // What is known to be sent before, and while it is sent.
    for (kind, before, during) in [
        ("bytes", Some(whole), Some(whole)),
        ("file", None, Some(whole)),
        ("reader of known length", Some(whole), Some(whole)),
        ("reader", None, None),
    ] {
        let server = Server::start();
        server.enqueue(Answer::ok("taken").stall_reading_after(100_000));
        let session = session(|_| {});
        let body = match kind {
            "bytes" => Body::from(bytes.clone()),
            "file" => Body::file(&file),
            "reader" => reader(&bytes),
            _ => reader(&bytes).with_length(whole),
        };
        let task = session.upload_task(Request::put(server.url("/")), body);
        let progress = |task: &Task| -> (u64, Option<u64>) {
            let progress = task.progress();
            (progress.bytes_sent, progress.bytes_expected_to_send)
        };
        assert_eq!(progress(&task), (0, before), "{kind}");
        let running = task.clone();
        let running = Running::start(move || running.run().map(drop));
        server.wait_until(|stats| stats.stalled == 1);
        wait_for("some progress", || task.progress().bytes_sent >= PIECE);
        let (sent, expected) = progress(&task);
        assert!(sent < whole, "{kind}: {sent}");
        assert_eq!(expected, during, "{kind}");
        server.release();
        running.outcome().unwrap();
        assert_eq!(progress(&task), (whole, during), "{kind}");
        let fraction = task.progress().fraction_sent();
        assert_eq!(fraction, during.map(|_| 1.0), "{kind}");
        drop(task);
        nothing_is_left(session, &[&server]);
    }
}
