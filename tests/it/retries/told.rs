//! Who is told of another attempt, and when.

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use urlsession::testing::{Answer, Event, Recorder, Server};
use urlsession::{Delegate, ErrorKind, Request, Retry, Task};

use super::{at_once, exact, of_answer, retries};
use crate::support::recording::{recorded, response, with_threads_on_every_queue};
use crate::support::running::{HANG, nothing_is_left};

#[test]
fn another_attempt_is_told_in_order_on_every_queue() {
    with_threads_on_every_queue(|queue, session, recorder| {
        let server = Server::start();
        server.enqueue(Answer::ok("hello").truncate_after(3));
        server.enqueue(Answer::status(503));
        server.enqueue(Answer::ok("hello"));
        let request = Request::get(server.url("/")).retry_policy(at_once(3));
        let task = session.data_task(request).resume();
        recorder.wait_for_completions(1);
        let lost = ErrorKind::NetworkConnectionLost;
        let expected = [
            Event::Created(1),
            response(1, 200),
            Event::data(1, "hel"),
            super::of_failure(1, 2, lost),
            of_answer(1, 3, 0, 503),
            response(1, 200),
            Event::data(1, "hello"),
            Event::done(1),
        ];
        assert_eq!(recorder.events(), expected, "{queue:?}");
        assert_eq!(recorder.overlaps(), 0, "{queue:?}");
        drop(task);
        nothing_is_left(session, &[&server]);
    });
}

/// A delegate that leaves it to the next one.
struct Silent;

impl Delegate for Silent {}

#[test]
fn the_tasks_delegate_is_told_and_else_the_sessions() {
    for (own, by_closure) in [(true, false), (true, true), (false, false), (false, true)] {
        let server = Server::start();
        server.enqueue(Answer::status(503));
        server.enqueue(Answer::ok("hello"));
        let of_session = Recorder::new().named("session");
        let of_task = of_session.named("task");
        let session =
            recorded(&of_session, |configuration| configuration.retry_policy = at_once(2));
        let (sender, ended) = channel();
        let task = if by_closure {
            session.data_task_with(server.url("/"), move |data| sender.send(data).unwrap())
        } else {
            session.data_task_to(server.url("/"), &channel().0)
        };
        let delegate = if own { of_task.delegate() } else { Arc::new(Silent) };
        task.set_delegate(delegate).unwrap();
        task.resume();
        assert!(session.wait_until_idle(HANG));
        if by_closure {
            assert_eq!(ended.recv_timeout(HANG).unwrap().unwrap().text(), "hello");
        }
        let told: Vec<_> = of_session
            .calls()
            .into_iter()
            .filter(|call| matches!(call.event, Event::Retry { .. }))
            .map(|call| call.recorder)
            .collect();
        assert_eq!(told, [if own { "task" } else { "session" }], "by a closure: {by_closure}");
        drop(task);
        nothing_is_left(session, &[&server]);
    }
}

#[test]
fn the_cause_has_the_head_of_the_answer_and_no_secrets() {
    struct Looks(std::sync::Mutex<Vec<String>>);

    impl Delegate for Looks {
        fn will_retry(&self, task: &Task, retry: &Retry) {
            assert!(task.response().is_none());
            let response = retry.cause.response().unwrap();
            let asked = response.header("retry-after").unwrap_or_default().to_owned();
            let said = format!("{} {asked} {:?} {}", retry.attempt, retry.delay, retry.cause);
            self.0.lock().unwrap().push(said);
        }
    }

    let server = Server::start();
    server.enqueue(Answer::status(503).header("Retry-After", "0").body("busy"));
    server.enqueue(Answer::ok("hello"));
    let looks = Arc::new(Looks(Default::default()));
    let session =
        recorded(&Recorder::new(), |configuration| configuration.retry_policy = at_once(2));
    let task = session.data_task(server.url("/a?token=1"));
    task.set_delegate(looks.clone()).unwrap();
    assert_eq!(task.run().unwrap().text(), "hello");
    let url = server.url("/a");
    let said = format!(
        "2 0 0ns the server answered 503 Service Unavailable, which is not accepted: {url}"
    );
    assert_eq!(*looks.0.lock().unwrap(), [said]);
    drop(task);
    nothing_is_left(session, &[&server]);
}

#[test]
fn who_panics_when_told_fails_the_task() {
    for by_its_caller in [true, false] {
        let server = Server::start();
        server.enqueue(Answer::status(503));
        server.handle(|_| Answer::ok("hello"));
        let recorder = Recorder::new();
        recorder.panic_in(|event| matches!(event, Event::Retry { .. }));
        let session = recorded(&recorder, |configuration| configuration.retry_policy = exact(2));
        let task = session.data_task(server.url("/"));
        task.set_delegate(recorder.delegate()).unwrap();
        if by_its_caller {
            assert_eq!(task.run().unwrap_err().kind(), ErrorKind::DelegatePanicked);
        } else {
            task.resume();
        }
        recorder.wait_for_completions(1);
        let end = Event::failed(1, ErrorKind::DelegatePanicked);
        assert_eq!(recorder.events().last(), Some(&end));
        assert_eq!(server.request_count(), 1);
        drop(task);
        nothing_is_left(session, &[&server]);
    }
}

#[test]
fn who_cancels_when_told_is_told_of_the_end_alone() {
    for by_its_caller in [true, false] {
        let server = Server::start();
        server.enqueue(Answer::status(503));
        let recorder = Recorder::new();
        recorder.on_call(|event, task| {
            if let (Event::Retry { .. }, Some(task)) = (event, task) {
                task.cancel();
            }
        });
        let session = recorded(&recorder, |configuration| configuration.retry_policy = exact(2));
        let task = session.data_task(server.url("/"));
        task.set_delegate(recorder.delegate()).unwrap();
        if by_its_caller {
            assert!(task.run().unwrap_err().is_cancelled());
        } else {
            task.resume();
        }
        recorder.wait_for_completions(1);
        let end = Event::failed(1, ErrorKind::Cancelled);
        assert_eq!(recorder.events(), [Event::Created(1), of_answer(1, 2, 1, 503), end]);
        drop(task);
        nothing_is_left(session, &[&server]);
    }
}

#[test]
fn tasks_by_hand_make_one_attempt() {
    use urlsession::testing::Steps;
    use urlsession::{Configuration, DeliveryQueue};

    let (server, recorder) = (Server::start(), Recorder::new());
    server.enqueue(Answer::status(503));
    let mut configuration = Configuration::ephemeral();
    configuration.retry_policy = at_once(3);
    let made = Steps::session(configuration, Some(recorder.delegate()), DeliveryQueue::inline());
    let (steps, session) = made.unwrap();
    let task = session.data_task(server.url("/")).resume();
    assert!(steps.step() && !steps.step());
    assert!(session.wait_until_idle(Duration::from_secs(1)));
    assert_eq!(retries(&recorder.events()), []);
    assert_eq!(server.request_count(), 1);
    drop(task);
    nothing_is_left(session, &[&server]);
}
