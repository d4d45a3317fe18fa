//! Many tasks that are suspended after they began: most of them keep their connections alone.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use urlsession::testing::{Answer, Counters, Server};
use urlsession::{Body, Clock, Configuration, DownloadTask, Request, Session, UploadTask};

use crate::support::crowd::WITH_THREAD;
use crate::support::running::{HANG, nothing_is_left, session, wait_for};

/// How many tasks there are beyond those that keep a thread.
const BEYOND: usize = 10;

/// How many there are in all.
const TASKS: usize = WITH_THREAD + BEYOND;

/// A session for so many tasks at once, and its clock.
fn roomy_session(tasks: usize, change: impl FnOnce(&mut Configuration)) -> (Session, Clock) {
    let clock = Clock::by_hand();
    let session = session(|configuration| {
        configuration.maximum_concurrent_tasks = tasks;
        configuration.maximum_connections_per_host = Some(tasks);
        configuration.clock = clock.clone();
        change(configuration);
    });
    (session, clock)
}

/// Waits until so many tasks have a thread.
fn wait_until_left(session: &Session, clock: &Clock, with_thread: usize) {
    let counters = Counters::of(session);
    wait_for("the others leave", || {
        // Workers that have nothing to do go home, and nobody's time runs meanwhile.
        clock.advance(Duration::from_secs(100));
        // The timer, and nobody else beside them.
        counters.threads() <= with_thread + 1
    });
}

/// By the limit that a session has if no test sets another one.
#[cfg_attr(windows, ignore = "Wine 8: one process serves hundreds of connections, past the guard")]
#[test]
fn past_256_suspended_tasks_that_must_not_be_repeated_keep_their_connection_without_a_thread() {
    const UNLESS_SET: usize = 256;
    const COUNT: usize = UNLESS_SET + BEYOND;

    let server = Server::start();
    server.handle(|request| {
        let name = request.path().to_owned();
        Answer::ok(format!("{name} {}", "x".repeat(100))).stall_in_body_after(10)
    });
    let (session, clock) = roomy_session(COUNT, |_| {});
    let (sender, outcomes) = channel();
    let tasks: Vec<UploadTask> = (0..COUNT)
        .map(|number| {
            let request = Request::post(server.url(&format!("/{number:03}")));
            let task = session.upload_task_to(request, "body", &sender);
            task.resume();
            task
        })
        .collect();
    server.wait_until(|stats| stats.stalled == COUNT as u64);
    wait_for("the beginnings arrive", || {
        tasks.iter().all(|task| task.progress().bytes_received == 10)
    });
    for task in &tasks {
        task.suspend();
    }
    wait_until_left(&session, &clock, UNLESS_SET);
    assert_eq!(Counters::of(&session).sockets(), COUNT);
    server.release();
    for task in &tasks {
        task.resume();
    }
    let mut bodies: Vec<String> = (0..COUNT)
        .map(|_| outcomes.recv_timeout(HANG).unwrap().outcome.unwrap().text().into_owned())
        .collect();
    bodies.sort();
    for (number, body) in bodies.iter().enumerate() {
        assert_eq!(*body, format!("/{number:03} {}", "x".repeat(100)));
    }
    // None of them was sent twice.
    assert_eq!(server.request_count(), COUNT as u64);
    drop(tasks);
    nothing_is_left(session, &[&server]);
}

/// A body that comes little by little until it is told to end.
struct Trickle(Arc<AtomicBool>);

impl Read for Trickle {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.0.load(Ordering::SeqCst) {
            return Ok(0);
        }
        // The source is slow, which leaves time for the others.
        thread::sleep(Duration::from_millis(100));
        buffer[..10].fill(b'x');
        Ok(10)
    }
}

#[test]
fn past_the_limit_suspended_tasks_that_still_send_behind_an_early_answer_leave_their_threads_too() {
    let server = Server::start();
    server.handle_head(|_| Some(Answer::ok("early").respond_before_body()));
    let (session, clock) = roomy_session(TASKS, |_| {});
    Counters::of(&session).limit_waiting_threads(WITH_THREAD);
    let (sender, outcomes) = channel();
    let ends = Arc::new(AtomicBool::new(false));
    let tasks: Vec<UploadTask> = (0..TASKS)
        .map(|_| {
            let body = Body::reader(Trickle(ends.clone()));
            let task = session.upload_task_to(Request::post(server.url("/")), body, &sender);
            task.resume();
            task
        })
        .collect();
    wait_for("the answers arrive", || tasks.iter().all(|task| task.response().is_some()));
    tasks.iter().for_each(|task| task.suspend());
    wait_until_left(&session, &clock, WITH_THREAD);
    assert_eq!(Counters::of(&session).sockets(), TASKS);
    ends.store(true, Ordering::SeqCst);
    for task in &tasks {
        task.resume();
    }
    for _ in 0..TASKS {
        let data = outcomes.recv_timeout(HANG).unwrap().outcome.unwrap();
        assert_eq!(data.text(), "early");
    }
    let sent: u64 = tasks.iter().map(|task| task.progress().bytes_sent).sum();
    let arrived: u64 = (0..TASKS).map(|_| server.take_request().body_length()).sum();
    assert_eq!((server.request_count(), arrived), (TASKS as u64, sent));
    drop(tasks);
    nothing_is_left(session, &[&server]);
}

#[test]
fn tasks_that_were_left_by_their_threads_can_be_cancelled() {
    let server = Server::start();
    server.handle(|_| Answer::ok("x".repeat(100)).stall_in_body_after(10));
    let folder = crate::support::folder::Folder::new();
    let (session, clock) = roomy_session(TASKS, |configuration| {
        configuration.temporary_directory = Some(folder.path().to_owned());
    });
    Counters::of(&session).limit_waiting_threads(WITH_THREAD);
    let (sender, outcomes) = channel();
    let tasks: Vec<DownloadTask> = (0..TASKS)
        .map(|_| {
            let request = Request::post(server.url("/")).body("once");
            let task = session.download_task_to(request, &sender);
            task.resume();
            task
        })
        .collect();
    wait_for("the beginnings arrive", || {
        tasks.iter().all(|task| task.progress().bytes_received == 10)
    });
    tasks.iter().for_each(|task| task.suspend());
    let counters = Counters::of(&session);
    wait_until_left(&session, &clock, WITH_THREAD);
    tasks.iter().for_each(|task| task.cancel());
    for _ in 0..TASKS {
        assert!(outcomes.recv_timeout(HANG).unwrap().outcome.is_err());
    }
    wait_for("their connections are closed", || counters.sockets() == 0);
    assert_eq!(folder.names(), [""; 0], "a file is left");
    assert!(session.wait_until_idle(Duration::from_secs(30)));
    drop(tasks);
    nothing_is_left(session, &[&server]);
}
