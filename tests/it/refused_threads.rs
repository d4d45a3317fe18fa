//! A system that has no thread to give, and has one again later.

use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use urlsession::testing::{Answer, Counters, Server};
use urlsession::{Clock, Configuration, Data, Error, ErrorKind, Finished, Request, Session};

use crate::support::running::{HANG, nothing_is_left, session};

/// How long nothing happens that is not to happen.
const A_WHILE: Duration = Duration::from_millis(300);

type Outcome = Receiver<Finished<Data>>;

/// Begins a task, without need for another thread than its worker.
fn begun(session: &Session, request: impl Into<Request>) -> Outcome {
    let (sender, outcome) = channel();
    session.data_task_to(request, &sender).resume();
    outcome
}

fn ended(outcome: &Outcome) -> Result<Data, Error> {
    outcome.recv_timeout(HANG).expect("it neither runs nor fails").outcome
}

/// A session with so many workers, each with a task whose server stalls.
fn busy(workers: usize, change: impl FnOnce(&mut Configuration)) -> Scene {
    let server = Server::start();
    server.handle(|request| match request.path() {
        "/stalls" => Answer::ok("late").stall_before_head(),
        path => Answer::ok(path),
    });
    let session = session(change);
    let stalls = Request::get(server.url("/stalls")).timeout_for_request(Duration::from_secs(1000));
    let stalled = (0..workers).map(|_| begun(&session, stalls.clone())).collect();
    server.wait_until(|stats| stats.stalled == workers as u64);
    Scene { counters: Counters::of(&session), server, session, stalled }
}

struct Scene {
    server: Server,
    session: Session,
    counters: Counters,
    stalled: Vec<Outcome>,
}

impl Scene {
    /// Begins tasks although the system has no thread for them.
    fn refused(&self, tasks: usize) -> Vec<Outcome> {
        self.counters.refuse_threads(true);
        let url = |number| self.server.url(&format!("/{number}"));
        (0..tasks).map(|number| begun(&self.session, url(number))).collect()
    }

    fn end(self) {
        self.server.release();
        for outcome in self.stalled {
            assert_eq!(ended(&outcome).unwrap().body, b"late");
        }
        nothing_is_left(self.session, &[&self.server]);
    }
}

#[test]
fn tasks_that_were_refused_threads_run_as_soon_as_there_are_some() {
    for (workers, tasks) in [(2, 1), (3, 3), (4, 2)] {
        let scene = busy(workers, |_| {});
        let outcomes = scene.refused(tasks);
        for outcome in &outcomes {
            assert!(outcome.recv_timeout(A_WHILE).is_err(), "it fails, or runs");
        }
        // Nothing else happens in the session.
        scene.counters.refuse_threads(false);
        for outcome in outcomes {
            let ended = ended(&outcome);
            assert!(ended.is_ok(), "{workers} workers: {ended:?}");
        }
        scene.end();
    }
}

#[test]
fn a_worker_that_becomes_free_takes_what_was_refused_a_thread() {
    let scene = busy(2, |_| {});
    let outcomes = scene.refused(3);
    scene.server.release();
    for outcome in outcomes {
        assert!(ended(&outcome).is_ok());
    }
    scene.counters.refuse_threads(false);
    scene.end();
}

#[test]
fn a_task_fails_at_once_if_nobody_can_ask_again_for_its_thread() {
    for workers in [0, 1] {
        let scene = busy(workers, |_| {});
        for outcome in scene.refused(2) {
            let error = ended(&outcome).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::OutOfResources, "{workers} workers: {error}");
            assert!(error.to_string().contains("maximum_concurrent_tasks"), "{error}");
        }
        scene.counters.refuse_threads(false);
        let after = begun(&scene.session, scene.server.url("/after"));
        assert_eq!(ended(&after).unwrap().body, b"/after");
        scene.end();
    }
}

#[test]
fn a_task_that_is_refused_a_thread_for_as_long_as_it_waits_fails_and_gives_its_place_back() {
    let clock = Clock::by_hand();
    let scene = busy(3, |configuration| {
        configuration.clock = clock.clone();
        configuration.timeout_for_request = Duration::from_secs(60);
        configuration.maximum_concurrent_tasks = 4;
    });
    let outcomes = scene.refused(1);
    clock.advance(Duration::from_secs(59));
    assert!(outcomes[0].recv_timeout(A_WHILE).is_err(), "it fails early");
    let mut failed = None;
    while failed.is_none() {
        clock.advance(Duration::from_millis(200));
        failed = outcomes[0].recv_timeout(Duration::from_millis(20)).ok();
    }
    let error = failed.unwrap().outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OutOfResources, "{error}");
    scene.counters.refuse_threads(false);
    let after = begun(&scene.session, scene.server.url("/after"));
    assert_eq!(ended(&after).unwrap().body, b"/after");
    scene.end();
}

#[test]
fn blocking_calls_run_although_no_thread_is_to_be_had() {
    let server = Server::start();
    server.enqueue(Answer::ok("hello"));
    let session = session(|_| {});
    Counters::of(&session).refuse_threads(true);
    assert_eq!(session.data(server.url("/")).unwrap().body, b"hello");
    nothing_is_left(session, &[&server]);
}
