//! How long it is until the next attempt, and what ends the wait.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use urlsession::testing::{Answer, Counters, Event, Recorder, Server};
use urlsession::{
    CancelToken, Clock, Configuration, Data, DataTask, Error, ErrorKind, Request, Session,
};

use super::{exact, of_answer, retries};
use crate::support::recording::recorded;
use crate::support::running::{HANG, Running, nothing_is_left, wait_for};

/// How long it is looked on while nothing happens.
const MOMENT: Duration = Duration::from_millis(50);

const SECOND: Duration = Duration::from_secs(1);

/// A session with a clock that is turned by hand, and who is told.
struct Scene {
    server: Server,
    clock: Clock,
    recorder: Recorder,
    session: Session,
}

impl Scene {
    fn of(change: impl FnOnce(&mut Configuration)) -> Self {
        let (clock, recorder) = (Clock::by_hand(), Recorder::new());
        let session = recorded(&recorder, |configuration| {
            configuration.clock = clock.clone();
            configuration.retry_policy = exact(4);
            change(configuration);
        });
        Self { server: Server::start(), clock, recorder, session }
    }

    /// Begins a load whose first answer is this one, by a worker or by its caller.
    fn begin(&self, by_its_caller: bool, answer: Answer) -> (DataTask, Outcome) {
        self.server.enqueue(answer);
        let request = Request::get(self.server.url("/"));
        if by_its_caller {
            let task = self.session.data_task(request);
            let running = task.clone();
            return (task, Outcome::OfCaller(Running::start(move || running.run())));
        }
        let (sender, outcome) = channel();
        let told = move |outcome| sender.send(outcome).unwrap();
        (self.session.data_task_with(request, told).resume(), Outcome::OfTask(outcome))
    }

    /// Waits until so many retries were told of; returns them.
    fn retries(&self, count: usize) -> Vec<Event> {
        self.recorder.wait_for(|events| retries(events).len() == count);
        retries(&self.recorder.events())
    }

    fn ends(self) {
        nothing_is_left(self.session, &[&self.server]);
    }
}

/// What becomes of a load.
enum Outcome {
    OfTask(Receiver<Result<Data, Error>>),
    OfCaller(Running<Result<Data, Error>>),
}

impl Outcome {
    fn get(self) -> Result<Data, Error> {
        match self {
            Self::OfTask(outcome) => outcome.recv_timeout(HANG).unwrap(),
            Self::OfCaller(running) => running.outcome(),
        }
    }
}

#[test]
fn every_delay_is_twice_as_long_as_the_one_before() {
    for by_its_caller in [true, false] {
        let scene = Scene::of(|_| {});
        let (task, outcome) = scene.begin(by_its_caller, Answer::status(503));
        for (retry, seconds) in [(1, 1), (2, 2), (3, 4)] {
            let told = scene.retries(retry);
            assert_eq!(told.last(), Some(&of_answer(1, retry as u32 + 1, seconds, 503)));
            scene.clock.advance(Duration::from_secs(seconds) - Duration::from_nanos(1));
            thread::sleep(MOMENT);
            assert_eq!(scene.server.request_count(), retry as u64);
            scene.server.enqueue(Answer::status(503));
            scene.clock.advance(Duration::from_nanos(1));
        }
        assert_eq!(outcome.get().unwrap().status(), 503);
        assert_eq!(scene.server.request_count(), 4);
        drop(task);
        scene.ends();
    }
}

#[test]
fn a_delay_is_longer_or_shorter_at_random() {
    let scene = Scene::of(|configuration| configuration.retry_policy.jitter = 0.5);
    let mut delays = Vec::new();
    for count in 1..=8 {
        let (task, outcome) = scene.begin(false, Answer::status(503));
        if let Some(Event::Retry { delay, .. }) = scene.retries(count).last() {
            assert!((SECOND / 2..=SECOND * 3 / 2).contains(delay), "{delay:?}");
            delays.push(*delay);
        }
        task.cancel();
        assert!(outcome.get().unwrap_err().is_cancelled());
    }
    delays.dedup();
    assert_eq!(delays.len(), 8, "{delays:?}");
    scene.ends();
}

#[test]
fn a_server_says_when_to_come_again() {
    const SENT: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    for (asked, sent, seconds) in [
        ("120", None, 120),
        ("0", None, 1),
        ("21600", None, 21_600),
        ("21601", None, 21_600),
        ("99999999999999999999999", None, 21_600),
        ("Sun, 06 Nov 1994 08:51:37 GMT", Some(SENT), 120),
        ("Sun, 06 Nov 1994 08:49:38 GMT", Some(SENT), 1),
        ("Sun Nov  6 09:49:37 1994", Some(SENT), 3_600),
        ("Tue, 08 Nov 1994 08:49:37 GMT", Some(SENT), 21_600),
        // In the past, by the server's date or by the clock's.
        ("Sun, 06 Nov 1994 08:49:30 GMT", Some(SENT), 1),
        ("Sun, 06 Nov 1994 08:49:30 GMT", None, 1),
        ("Thu, 01 Jan 2500 00:00:00 GMT", None, 21_600),
        ("soon", None, 1),
        ("-5", None, 1),
        ("1.5", None, 1),
    ] {
        let scene = Scene::of(|_| {});
        let mut answer = Answer::status(429).header("Retry-After", asked);
        if let Some(sent) = sent {
            answer = answer.header("Date", sent);
        }
        let (task, outcome) = scene.begin(false, answer);
        assert_eq!(scene.retries(1), [of_answer(1, 2, seconds, 429)], "{asked} {sent:?}");
        task.cancel();
        assert!(outcome.get().unwrap_err().is_cancelled());
        drop(task);
        scene.ends();
    }
}

#[test]
fn a_date_is_seen_from_the_sessions_clock() {
    let scene = Scene::of(|_| {});
    // To a year after 2500.
    scene.clock.advance(Duration::from_secs(520 * 365 * 24 * 60 * 60));
    let answer = Answer::status(503).header("Retry-After", "Thu, 01 Jan 2500 00:00:00 GMT");
    let (task, outcome) = scene.begin(false, answer);
    assert_eq!(scene.retries(1), [of_answer(1, 2, 1, 503)]);
    task.cancel();
    assert!(outcome.get().unwrap_err().is_cancelled());
    drop(task);
    scene.ends();
}

#[test]
fn a_blocking_call_comes_again_when_it_was_told_to() {
    let scene = Scene::of(|_| {});
    scene.server.enqueue(Answer::status(429).header("Retry-After", "30"));
    scene.server.enqueue(Answer::ok("hello"));
    let (session, url) = (scene.session.clone(), scene.server.url("/"));
    let running = Running::start(move || session.data(url));
    // The session's delegate is told, on the thread of the call.
    assert_eq!(scene.retries(1), [of_answer(1, 2, 30, 429)]);
    scene.clock.advance(Duration::from_secs(29));
    assert!(running.is_running_after(MOMENT));
    assert_eq!(scene.server.request_count(), 1);
    scene.clock.advance(SECOND);
    assert_eq!(running.outcome().unwrap().text(), "hello");
    scene.ends();
}

#[test]
fn what_would_be_late_is_not_tried_again() {
    for (asked, tries_again) in [("99", true), ("100", false), ("21600", false)] {
        for by_its_caller in [true, false] {
            let scene = Scene::of(|configuration| {
                configuration.timeout_for_resource = Duration::from_secs(100);
            });
            let answer = Answer::status(503).header("Retry-After", asked).body("busy");
            let (task, outcome) = scene.begin(by_its_caller, answer);
            if tries_again {
                scene.retries(1);
                scene.server.enqueue(Answer::ok("hello"));
                scene.clock.advance(Duration::from_secs(99));
                assert_eq!(outcome.get().unwrap().text(), "hello");
            } else {
                // What is known, and not that time is over.
                assert_eq!(outcome.get().unwrap().text(), "busy", "{asked}");
                assert_eq!(scene.recorder.events(), [Event::Created(1)]);
            }
            drop(task);
            scene.ends();
        }
    }
}

#[test]
fn the_resource_timer_runs_while_a_task_waits() {
    for by_its_caller in [true, false] {
        let scene = Scene::of(|configuration| {
            configuration.timeout_for_resource = Duration::from_secs(100);
        });
        let (task, outcome) =
            scene.begin(by_its_caller, Answer::status(503).header("Retry-After", "90"));
        scene.retries(1);
        scene.server.enqueue(Answer::status(503).header("Retry-After", "11").body("still"));
        scene.clock.advance(Duration::from_secs(90));
        // Ten seconds are left.
        assert_eq!(outcome.get().unwrap().text(), "still");
        drop(task);
        scene.ends();
    }
}

#[test]
fn a_wait_ends_by_a_cancel_of_whatever_kind() {
    type Ends = fn(&Scene, &DataTask);
    let ways: [(&str, Ends); 3] = [
        ("cancel", |_, task| task.cancel()),
        ("invalidate_and_cancel", |scene, _| scene.session.invalidate_and_cancel()),
        ("a cancel while it is suspended", |_, task| {
            task.suspend();
            task.cancel();
        }),
    ];
    for (what, ends) in ways {
        for by_its_caller in [true, false] {
            let scene = Scene::of(|_| {});
            let (task, outcome) = scene.begin(by_its_caller, Answer::status(503));
            scene.retries(1);
            ends(&scene, &task);
            let error = outcome.get().unwrap_err();
            assert!(error.is_cancelled(), "{what}: {error}");
            scene.clock.advance(10 * SECOND);
            assert_eq!(scene.server.request_count(), 1, "{what}");
            drop(task);
            scene.ends();
        }
    }
    let (scene, token) = (Scene::of(|_| {}), CancelToken::new());
    scene.server.enqueue(Answer::status(503));
    let request = Request::get(scene.server.url("/")).cancel_token(&token);
    let task = scene.session.data_task(request).resume();
    scene.retries(1);
    token.cancel();
    scene.recorder.wait_for_completions(1);
    let end = Event::failed(1, ErrorKind::Cancelled);
    assert_eq!(scene.recorder.events(), [Event::Created(1), of_answer(1, 2, 1, 503), end]);
    drop(task);
    scene.ends();
}

#[test]
fn a_task_that_is_suspended_waits_for_both() {
    for by_its_caller in [true, false] {
        for resumed_early in [true, false] {
            let scene = Scene::of(|_| {});
            let (task, outcome) = scene.begin(by_its_caller, Answer::status(503));
            scene.retries(1);
            task.suspend();
            let mut left = SECOND;
            if resumed_early {
                scene.clock.advance(SECOND / 2);
                left -= SECOND / 2;
                task.resume();
                thread::sleep(MOMENT);
                assert_eq!(scene.server.request_count(), 1, "by its caller: {by_its_caller}");
            }
            scene.server.enqueue(Answer::ok("hello"));
            scene.clock.advance(left);
            if !resumed_early {
                thread::sleep(MOMENT);
                assert_eq!(scene.server.request_count(), 1, "by its caller: {by_its_caller}");
                task.resume();
            }
            assert_eq!(outcome.get().unwrap().text(), "hello");
            drop(task);
            scene.ends();
        }
    }
}

#[test]
fn who_waits_has_neither_thread_nor_place() {
    let scene = Scene::of(|configuration| {
        configuration.maximum_concurrent_tasks = 1;
        configuration.maximum_connections_per_host = Some(1);
    });
    let counters = Counters::of(&scene.session);
    let waiting: Vec<_> = (0..20)
        .map(|_| scene.begin(false, Answer::status(503).header("Retry-After", "10000")))
        .collect();
    scene.retries(20);
    // Others have the place.
    scene.server.enqueue(Answer::ok("here"));
    assert_eq!(scene.session.data(scene.server.url("/")).unwrap().text(), "here");
    wait_for("no thread but the one that looks at the clock", || {
        scene.clock.advance(SECOND / 10);
        counters.threads() == 1
    });
    assert_eq!(scene.server.request_count(), 21);
    scene.server.handle(|_| Answer::ok("hello"));
    scene.clock.advance(10_000 * SECOND);
    for (_, outcome) in waiting {
        assert_eq!(outcome.get().unwrap().text(), "hello");
    }
    scene.ends();
}

#[test]
fn a_session_that_takes_no_more_tasks_tries_those_that_it_has_again() {
    let scene = Scene::of(|_| {});
    let (task, outcome) = scene.begin(false, Answer::status(503));
    scene.retries(1);
    scene.session.finish_tasks_and_invalidate();
    scene.server.enqueue(Answer::ok("hello"));
    scene.clock.advance(SECOND);
    assert_eq!(outcome.get().unwrap().text(), "hello");
    drop(task);
    scene.ends();
}

#[test]
fn a_task_that_waits_has_no_response() {
    let scene = Scene::of(|_| {});
    let (task, outcome) = scene.begin(false, Answer::status(503).body("busy"));
    scene.retries(1);
    assert!(task.response().is_none());
    assert_eq!(task.progress().bytes_received, 0);
    assert!(scene.session.all_tasks().iter().any(|one| one.id() == task.id()));
    scene.server.enqueue(Answer::ok("hello"));
    scene.clock.advance(SECOND);
    assert_eq!(outcome.get().unwrap().text(), "hello");
    assert_eq!(task.response().map(|response| response.status().as_u16()), Some(200));
    drop(task);
    scene.ends();
}

#[test]
fn many_tasks_are_tried_again_each_by_itself() {
    let scene = Scene::of(|configuration| {
        configuration.retry_policy.maximum_attempts = 3;
        // The clock is turned faster than some systems serve so many.
        configuration.timeout_for_request = Duration::MAX;
    });
    let count = 50;
    // Each is turned away twice, whichever is faster.
    let seen = Mutex::new(HashMap::<String, usize>::new());
    scene.server.handle(move |request| {
        let mut seen = seen.lock().unwrap();
        let times = seen.entry(request.path().to_owned()).or_default();
        *times += 1;
        if *times > 2 { Answer::ok("hello") } else { Answer::status(503) }
    });
    let (sender, outcomes) = channel();
    for number in 0..count {
        let url = scene.server.url(&format!("/{number}"));
        drop(scene.session.data_task_to(url, &sender).resume());
    }
    while !scene.session.wait_until_idle(Duration::from_millis(5)) {
        scene.clock.advance(SECOND);
    }
    let brought: Vec<_> = outcomes.try_iter().map(|one| one.outcome.unwrap().status()).collect();
    assert_eq!(brought.len(), count);
    assert_eq!(retries(&scene.recorder.events()).len(), 2 * count);
    assert_eq!(scene.server.request_count(), 3 * count as u64);
    scene.ends();
}
