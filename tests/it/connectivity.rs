//! Waiting for connectivity, informational answers, and bodies that are delivered at once.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{TryRecvError, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use std::{io, mem};

use urlsession::testing::{Answer, Refusal, Server};
use urlsession::{
    Body, Clock, Configuration, Delegate, DeliveryQueue, Error, ErrorKind, Reply, Request,
    Resolver, Response, Session, Task, TaskState, Update,
};

use crate::support::running::{HANG, Running, nothing_is_left, wait_for};

struct Waits(Arc<AtomicUsize>);

impl Delegate for Waits {
    fn task_is_waiting_for_connectivity(&self, _task: &Task) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A session whose host cannot be found as often as `failures` says.
fn failing(failures: usize, clock: &Clock, server: &Server, told: &Waits) -> Session {
    let (left, address) = (AtomicUsize::new(failures), server.address());
    let mut configuration = Configuration::ephemeral();
    configuration.waits_for_connectivity = true;
    configuration.clock = clock.clone();
    configuration.resolver = Some(Resolver::new(move |_, _| {
        let order = Ordering::SeqCst;
        match left.fetch_update(order, order, |left| left.checked_sub(1)) {
            Ok(_) => Err(io::Error::other("no network")),
            Err(_) => Ok(vec![address]),
        }
    }));
    let delegate = Arc::new(Waits(told.0.clone()));
    Session::with_delegate(configuration, delegate, DeliveryQueue::serial()).unwrap()
}

#[test]
fn a_task_waits_until_its_host_can_be_reached_and_tells_so_once() {
    let (server, clock) = (Server::start(), Clock::by_hand());
    let told = Waits(Arc::default());
    server.enqueue(Answer::ok("hello"));
    let session = failing(3, &clock, &server, &told);
    let (sender, outcome) = channel();
    let task = session.data_task_with("http://shop.test/", move |outcome| {
        sender.send(outcome).unwrap();
    });
    task.resume();
    // One second, two, four.
    let mut received = outcome.try_recv();
    let guard = Instant::now() + HANG;
    while received.is_err() && Instant::now() < guard {
        clock.advance(Duration::from_millis(100));
        received = outcome.recv_timeout(Duration::from_millis(5)).map_err(|_| TryRecvError::Empty);
    }
    assert_eq!(received.unwrap().unwrap().text(), "hello");
    wait_for("the delegate is told", || told.0.load(Ordering::SeqCst) == 1);
    drop(task);
    nothing_is_left(session, &[&server]);
}

/// A session that waits for a host that refuses, with a place for one task a host.
fn refused(clock: &Clock, told: &Waits) -> Session {
    let mut configuration = Configuration::ephemeral();
    configuration.waits_for_connectivity = true;
    configuration.maximum_connections_per_host = Some(1);
    configuration.maximum_concurrent_tasks = 1;
    configuration.clock = clock.clone();
    configuration.timeout_for_resource = Duration::from_secs(100);
    let delegate = Arc::new(Waits(told.0.clone()));
    Session::with_delegate(configuration, delegate, DeliveryQueue::serial()).unwrap()
}

#[test]
fn a_wait_for_connectivity_ends_by_cancel_and_by_the_resource_timer() {
    for (by_cancel, by_its_caller) in [(true, true), (true, false), (false, true), (false, false)] {
        let (refusal, clock, told) = (Refusal::start(), Clock::by_hand(), Waits(Arc::default()));
        let session = refused(&clock, &told);
        let (sender, outcome) = channel();
        let (task, running) = if by_its_caller {
            let task = session.data_task(refusal.url("/"));
            let running = task.clone();
            (task, Running::start(move || running.run()))
        } else {
            let task = session.data_task_with(refusal.url("/"), move |outcome| {
                sender.send(outcome).unwrap();
            });
            task.resume();
            (task, Running::start(move || outcome.recv_timeout(HANG).unwrap()))
        };
        wait_for("it waits", || told.0.load(Ordering::SeqCst) == 1);
        // It keeps no place meanwhile.
        let server = Server::start();
        server.enqueue(Answer::ok("here"));
        assert_eq!(session.data(server.url("/")).unwrap().text(), "here");
        assert!(running.is_running());
        let expected = if by_cancel {
            task.cancel();
            ErrorKind::Cancelled
        } else {
            clock.advance(Duration::from_secs(101));
            ErrorKind::TimedOut
        };
        let error = running.outcome().unwrap_err();
        assert_eq!(error.kind(), expected, "by its caller: {by_its_caller}");
        assert_eq!(told.0.load(Ordering::SeqCst), 1);
        drop(task);
        nothing_is_left(session, &[&server]);
    }
}

#[test]
fn a_task_that_waits_for_connectivity_can_be_suspended() {
    let (refusal, clock, told) = (Refusal::start(), Clock::by_hand(), Waits(Arc::default()));
    let session = refused(&clock, &told);
    let (sender, outcome) = channel();
    let task = session.data_task_with(refusal.url("/"), move |outcome| {
        sender.send(outcome).unwrap();
    });
    task.resume();
    wait_for("it waits", || told.0.load(Ordering::SeqCst) == 1);
    task.suspend();
    // No timer runs.
    clock.advance(Duration::from_secs(1000));
    assert!(outcome.recv_timeout(Duration::from_millis(50)).is_err());
    task.resume();
    clock.advance(Duration::from_secs(101));
    let error = outcome.recv_timeout(HANG).unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    drop(task);
    nothing_is_left(session, &[]);
}

#[test]
fn without_it_a_task_fails_at_once() {
    let refusal = Refusal::start();
    let session = Session::new(Configuration::ephemeral()).unwrap();
    let error = session.data(refusal.url("/")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CannotConnectToHost);
    nothing_is_left(session, &[]);
}

#[test]
fn a_body_is_delivered_at_once_if_that_is_preferred() {
    for (prefers, length) in [(false, 300_000), (false, 0), (true, 300_000)] {
        let server = Server::start();
        server.enqueue(Answer::status(200).body_of_size(length));
        let pieces = Arc::new(Mutex::new(Vec::new()));
        let session = Session::with_delegate(
            Configuration::ephemeral(),
            Arc::new(Pieces(pieces.clone())),
            DeliveryQueue::serial(),
        )
        .unwrap();
        let task = session.data_task(server.url("/"));
        task.set_prefers_incremental_delivery(prefers);
        assert_eq!(task.prefers_incremental_delivery(), prefers);
        task.resume();
        assert!(session.wait_until_idle(HANG));
        let pieces = mem::take(&mut *pieces.lock().unwrap());
        assert_eq!(pieces.iter().sum::<usize>() as u64, length);
        match (prefers, length) {
            (false, 0) => assert_eq!(pieces.len(), 0),
            (false, _) => assert_eq!(pieces.len(), 1),
            (true, _) => assert!(pieces.len() > 1, "{pieces:?}"),
        }
        drop(task);
        nothing_is_left(session, &[&server]);
    }
}

struct Pieces(Arc<Mutex<Vec<usize>>>);

impl Delegate for Pieces {
    fn did_receive_data(&self, _task: &Task, data: Vec<u8>) {
        self.0.lock().unwrap().push(data.len());
    }
}

#[derive(Default)]
struct Hints(Mutex<Vec<String>>);

impl Delegate for Hints {
    fn did_receive_informational_response(&self, task: &Task, response: &Response) {
        assert_eq!(task.state(), TaskState::Running);
        let link = response.header("link").unwrap_or("none");
        self.0.lock().unwrap().push(format!("{} {link}", response.status().as_u16()));
    }

    fn did_complete(&self, _task: &Task, error: Option<&Error>) {
        self.0.lock().unwrap().push(format!("{error:?}"));
    }
}

#[test]
fn informational_answers_are_told_before_the_end() {
    let server = Server::start();
    let hints = Arc::new(Hints::default());
    let session =
        Session::with_delegate(Configuration::ephemeral(), hints.clone(), DeliveryQueue::serial())
            .unwrap();
    server.enqueue(
        Answer::ok("hello").informational(102, &[]).informational(103, &[("Link", "</style.css>")]),
    );
    session.data_task(server.url("/")).resume();
    assert!(session.wait_until_idle(HANG));
    assert_eq!(*hints.0.lock().unwrap(), ["102 none", "103 </style.css>", "None"]);
    nothing_is_left(session, &[&server]);
}

/// Gives a reader of its own once.
struct GivesOnce(Mutex<Option<Body>>, Arc<AtomicUsize>);

impl Delegate for GivesOnce {
    fn need_new_body_stream(&self, _task: &Task, reply: Reply<Option<Body>>) {
        self.1.fetch_add(1, Ordering::SeqCst);
        reply.answer(self.0.lock().unwrap().take());
    }
}

#[test]
fn a_body_that_was_given_once_is_kept_until_a_byte_of_it_has_gone() {
    for (failures, by_its_caller) in [(0, false), (1, false), (3, false), (1, true), (3, true)] {
        let (server, clock) = (Server::start(), Clock::by_hand());
        server.enqueue(Answer::status(201));
        let (left, address) = (AtomicUsize::new(failures), server.address());
        let mut configuration = Configuration::ephemeral();
        configuration.waits_for_connectivity = true;
        configuration.clock = clock.clone();
        configuration.resolver = Some(Resolver::new(move |_, _| {
            let order = Ordering::SeqCst;
            match left.fetch_update(order, order, |left| left.checked_sub(1)) {
                Ok(_) => Err(io::Error::other("no network")),
                Err(_) => Ok(vec![address]),
            }
        }));
        let asked = Arc::new(AtomicUsize::new(0));
        let body = Body::reader(&b"once"[..]);
        let delegate = Arc::new(GivesOnce(Mutex::new(Some(body)), asked.clone()));
        let session =
            Session::with_delegate(configuration, delegate, DeliveryQueue::serial()).unwrap();
        let task = session.streamed_upload_task(Request::post("http://shop.test/"));
        let clone = task.clone();
        let running = if by_its_caller {
            Running::start(move || clone.run().map(|_| ()))
        } else {
            Running::start(move || clone.updates().find_map(finished).unwrap())
        };
        let guard = Instant::now() + HANG;
        while running.is_running_after(Duration::from_millis(5)) && Instant::now() < guard {
            clock.advance(Duration::from_millis(100));
        }
        running.outcome().unwrap();
        let request = server.take_request();
        assert_eq!(request.body(), b"once", "{failures} failures");
        assert_eq!(asked.load(Ordering::SeqCst), 1, "{failures} failures");
        drop(task);
        nothing_is_left(session, &[&server]);
    }
}

fn finished(update: Update) -> Option<Result<(), Error>> {
    match update {
        Update::Finished(outcome) => Some(outcome),
        _ => None,
    }
}
