//! Cancelling and suspending.

use std::io;
use std::time::Duration;

use urlsession::testing::{Answer, Event, OnRedirect, OnResponse, Recorder, Server};
use urlsession::{Body, Clock, DataTask, ErrorKind, Request, TaskState};

use crate::support::recording::{
    Queue, on_every_queue, recorded, recorded_on, redirect, response, with_threads_on_every_queue,
};
use crate::support::running::{HANG, nothing_is_left, wait_for};
use crate::support::scenes::Block;

#[test]
fn a_cancel_completes_a_task_at_every_stage() {
    for block in Block::ALL {
        let scene = block.scene();
        let recorder = Recorder::new();
        let session = recorded(&recorder, |change| *change = scene.configuration.clone());
        let task = session.data_task(scene.request.clone());
        task.resume();
        scene.wait_until_blocked(&session);
        if let Block::Body(_) = block {
            // The server stalls before the head was read.
            recorder.wait_for(|events| events.contains(&response(1, 200)));
        }
        task.cancel();
        task.cancel();
        assert!(matches!(task.state(), TaskState::Canceling | TaskState::Completed));
        recorder.wait_for_completions(1);
        assert!(session.wait_until_idle(HANG), "{block:?}");
        let ended = recorder.events().into_iter().filter(Event::is_completion);
        let ended: Vec<_> = ended.collect();
        assert_eq!(ended, [Event::failed(1, ErrorKind::Cancelled)], "{block:?}");
        assert_eq!(task.error().unwrap().stage(), Some(block.stage()), "{block:?}");
        drop(task);
        scene.end(session);
    }
}

#[test]
fn a_cancel_ends_a_task_that_waits_for_a_decision() {
    on_every_queue(|queue, session, recorder| {
        let server = Server::start();
        server.handle(|_| Answer::redirect(302, "/new"));
        recorder.on_redirect(OnRedirect::Hold);
        let task = session.data_task(server.url("/"));
        task.resume();
        let held = recorder.take_redirect();
        task.cancel();
        recorder.wait_for_completions(1);
        // Too late, and harmless.
        held.follow();
        assert!(session.wait_until_idle(HANG));
        let all =
            [Event::Created(1), redirect(1, 302, "/new"), Event::failed(1, ErrorKind::Cancelled)];
        assert_eq!(recorder.events(), all, "{queue:?}");
        assert_eq!(server.request_count(), 1);
        drop(task);
        nothing_is_left(session, &[&server]);
    });
}

#[test]
fn a_task_that_is_suspended_can_be_cancelled() {
    on_every_queue(|queue, session, recorder| {
        let server = Server::start();
        server.enqueue(Answer::ok("0123456789").stall_in_body_after(5));
        let never_resumed = session.data_task(server.url("/"));
        never_resumed.cancel();
        recorder.wait_for_completions(1);
        let all = [Event::Created(1), Event::failed(1, ErrorKind::Cancelled)];
        assert_eq!(recorder.events(), all, "{queue:?}");
        let suspended = session.data_task(server.url("/"));
        suspended.resume();
        server.wait_until(|stats| stats.stalled == 1);
        suspended.suspend();
        suspended.suspend();
        suspended.cancel();
        recorder.wait_for_completions(2);
        let last = recorder.events().pop();
        assert_eq!(last, Some(Event::failed(2, ErrorKind::Cancelled)), "{queue:?}");
        assert_eq!(server.request_count(), 1);
        drop((never_resumed, suspended));
        nothing_is_left(session, &[&server]);
    });
}

#[test]
fn a_task_that_was_cancelled_or_has_completed_cannot_be_resumed() {
    on_every_queue(|queue, session, recorder| {
        let server = Server::start();
        server.enqueue(Answer::ok("x"));
        let cancelled = session.data_task(server.url("/"));
        cancelled.cancel();
        let completed = session.data_task(server.url("/"));
        completed.resume();
        recorder.wait_for_completions(2);
        assert!(session.wait_until_idle(HANG));
        let before = recorder.events();
        for task in [&cancelled, &completed] {
            task.resume();
            task.suspend();
            task.resume();
            task.cancel();
            assert_eq!(task.state(), TaskState::Completed, "{queue:?}");
        }
        assert!(session.wait_until_idle(HANG));
        assert_eq!(recorder.events(), before, "{queue:?}");
        assert!(completed.error().is_none());
        assert_eq!(server.request_count(), 1);
        drop((cancelled, completed));
        nothing_is_left(session, &[&server]);
    });
}

/// What is done to a task, and the state that it has then.
type Steps = &'static [(fn(&DataTask), TaskState)];

const RESUME: fn(&DataTask) = |task| {
    task.resume();
};
const SUSPEND: fn(&DataTask) = |task| task.suspend();
const CANCEL: fn(&DataTask) = |task| task.cancel();

#[test]
fn suspensions_nest_and_resumptions_do_not_pile_up() {
    use TaskState::{Canceling, Running, Suspended};
    let cases: [Steps; 6] = [
        &[(RESUME, Running), (SUSPEND, Suspended), (RESUME, Running)],
        &[(RESUME, Running), (RESUME, Running), (RESUME, Running), (SUSPEND, Suspended)],
        &[(SUSPEND, Suspended), (RESUME, Suspended), (RESUME, Running)],
        &[(RESUME, Running), (SUSPEND, Suspended), (SUSPEND, Suspended), (RESUME, Suspended)],
        &[(RESUME, Running), (CANCEL, Canceling), (SUSPEND, Canceling), (RESUME, Canceling)],
        &[(RESUME, Running), (SUSPEND, Suspended), (CANCEL, Canceling), (RESUME, Canceling)],
    ];
    for (number, steps) in cases.iter().enumerate() {
        let server = Server::start();
        let recorder = Recorder::new();
        // Nobody runs the queue before the end, so nothing completes before it.
        let queue = urlsession::DeliveryQueue::manual(|| ());
        let session = recorded_on(queue.clone(), &recorder, |_| {});
        server.handle(|_| Answer::ok("0123456789").stall_before_head());
        let task = session.data_task(server.url("/"));
        assert_eq!(task.state(), Suspended);
        for (step, (act, state)) in steps.iter().enumerate() {
            act(&task);
            assert_eq!(task.state(), *state, "case {number}, step {step}");
        }
        task.cancel();
        wait_for("the completion", || {
            queue.run_pending();
            task.state() == TaskState::Completed
        });
        assert_eq!(recorder.events().pop(), Some(Event::failed(1, ErrorKind::Cancelled)));
        drop(task);
        nothing_is_left(session, &[&server]);
    }
}

#[test]
fn a_suspended_task_stops_its_server_and_goes_on_where_it_was() {
    // More than the systems on both sides and the delegate hold.
    const SIZE: u64 = 16 << 20;
    with_threads_on_every_queue(|queue, session, recorder| {
        let server = Server::start();
        server.enqueue(Answer::status(200).body_of_size(SIZE));
        recorder.counts_data();
        let task = session.data_task(server.url("/"));
        task.resume();
        recorder.wait_for(|events| events.iter().any(|e| matches!(e, Event::DataCount { .. })));
        task.suspend();
        task.suspend();
        let stopped = settled(|| task.progress().bytes_received);
        assert!(stopped < SIZE, "{queue:?}");
        assert_eq!(server.stats().answers, 0, "{queue:?}: the server has sent all");
        // Another task has its place.
        server.enqueue(Answer::ok("x"));
        assert_eq!(session.data(server.url("/")).unwrap().body, b"x");
        task.resume();
        assert_eq!(task.state(), TaskState::Suspended);
        assert_eq!(task.progress().bytes_received, stopped, "{queue:?}");
        task.resume();
        recorder.wait_for_completions(1);
        let all = [
            Event::Created(1),
            response(1, 200),
            Event::DataCount { id: 1, count: SIZE },
            Event::done(1),
        ];
        assert_eq!(recorder.events_of(1), all, "{queue:?}");
        drop(task);
        nothing_is_left(session, &[&server]);
    });
}

#[test]
fn a_suspended_upload_sends_no_more() {
    let server = Server::start();
    let recorder = Recorder::new();
    let session = recorded(&recorder, |_| {});
    let body = Body::opened_by(|| Ok(io::repeat(b'x'))).with_length(1 << 40);
    server.enqueue(Answer::ok(""));
    let task = session.data_task(Request::put(server.url("/")).body(body));
    task.resume();
    server.wait_until(|stats| stats.body_bytes > 1 << 20);
    task.suspend();
    let stopped = settled(|| server.stats().body_bytes);
    task.resume();
    server.wait_until(|stats| stats.body_bytes > stopped + (8 << 20));
    task.cancel();
    recorder.wait_for_completions(1);
    server.take_failures();
    drop(task);
    nothing_is_left(session, &[&server]);
}

/// Waits until a number has been the same for a while, which it has to be for ever then.
fn settled(number: impl Fn() -> u64) -> u64 {
    let mut last = (number(), 0);
    wait_for("nothing more", || {
        let now = number();
        last = if now == last.0 { (now, last.1 + 1) } else { (now, 0) };
        last.1 == 100
    });
    last.0
}

#[test]
fn no_timer_runs_while_a_task_is_suspended() {
    let hour = Duration::from_secs(3600);
    on_every_queue(|queue, session, recorder| {
        drop(session);
        let clock = Clock::by_hand();
        let server = Server::start();
        server.enqueue(Answer::ok("0123456789").stall_in_body_after(5));
        let (delivery, _loop) = queue.start();
        let session = recorded_on(delivery, recorder, |change| {
            change.clock = clock.clone();
            change.timeout_for_request = Duration::from_secs(10);
            change.timeout_for_resource = hour;
        });
        recorder.wait_for(|events| events.contains(&Event::Invalid));
        recorder.take_events();
        let task = session.data_task(server.url("/"));
        task.resume();
        server.wait_until(|stats| stats.stalled == 1);
        recorder.wait_for(|events| events.contains(&Event::data(1, "01234")));
        task.suspend();
        clock.advance(10 * hour);
        // Long enough for whoever looks at the clock every few milliseconds.
        assert_eq!(settled(|| recorder.events().len() as u64), 3);
        task.resume();
        clock.advance(Duration::from_secs(9));
        assert_eq!(settled(|| recorder.events().len() as u64), 3);
        assert_eq!(task.state(), TaskState::Running, "{queue:?}");
        server.release();
        recorder.wait_for_completions(1);
        let all =
            [Event::Created(1), response(1, 200), Event::data(1, "0123456789"), Event::done(1)];
        assert_eq!(recorder.events(), all, "{queue:?}");
        drop(task);
        nothing_is_left(session, &[&server]);
    });
}

#[test]
fn the_timers_go_on_where_they_were_after_a_suspension() {
    // Which timer ends the task after it was resumed: seconds until then.
    for (idle, whole, passes) in [(10, 1000, 10), (1000, 100, 80)] {
        let second = Duration::from_secs(1);
        let clock = Clock::by_hand();
        let server = Server::start();
        server.enqueue(Answer::ok("0123456789").stall_in_body_after(5));
        let recorder = Recorder::new();
        let session = recorded(&recorder, |change| {
            change.clock = clock.clone();
            change.timeout_for_request = idle * second;
            change.timeout_for_resource = whole * second;
        });
        let task = session.data_task(server.url("/"));
        task.resume();
        recorder.wait_for(|events| events.contains(&Event::data(1, "01234")));
        if whole == 100 {
            clock.advance(20 * second);
        }
        task.suspend();
        clock.advance(5000 * second);
        task.resume();
        clock.advance((passes - 1) * second);
        assert_eq!(settled(|| recorder.events().len() as u64), 3);
        // The wait itself may have begun later than the test thinks.
        wait_for("the end", || {
            clock.advance(second);
            task.state() == TaskState::Completed
        });
        recorder.wait_for_completions(1);
        assert_eq!(recorder.events().pop(), Some(Event::failed(1, ErrorKind::TimedOut)));
        drop(task);
        nothing_is_left(session, &[&server]);
    }
}

#[test]
fn a_task_that_was_suspended_while_it_waited_for_a_decision_goes_on() {
    for kind in Queue::ALL {
        let (server, recorder) = (Server::start(), Recorder::new());
        server.enqueue(Answer::ok("hello"));
        server.enqueue(Answer::ok("another"));
        let (delivery, _loop) = kind.start();
        let session = recorded_on(delivery, &recorder, |change| {
            change.maximum_connections_per_host = Some(1)
        });
        recorder.on_response(OnResponse::Hold);
        let task = session.data_task(server.url("/"));
        task.resume();
        let held = recorder.take_response();
        // It gives its place to another.
        assert_eq!(session.data(server.url("/")).unwrap().body, b"another");
        recorder.take_events();
        task.suspend();
        held.allow();
        // It stops behind the decision now, not before it.
        assert_eq!(settled(|| recorder.events().len() as u64), 0, "{kind:?}");
        task.resume();
        recorder.wait_for_completions(1);
        let rest = [Event::data(1, "hello"), Event::done(1)];
        assert_eq!(recorder.events(), rest, "{kind:?}");
        drop(task);
        nothing_is_left(session, &[&server]);
    }
}

#[test]
fn a_task_that_runs_inside_a_callback_can_be_suspended_and_goes_on() {
    on_every_queue(|queue, session, recorder| {
        let server = Server::start();
        server.handle(|request| match request.path() {
            "/outer" => Answer::ok("outer"),
            _ => Answer::ok("0123456789").stall_in_body_after(5),
        });
        let inner = session.data_task(server.url("/inner"));
        let runs = inner.clone();
        recorder.on_call(move |event, _| {
            if matches!(event, Event::Response { id: 2, .. }) {
                assert_eq!(runs.run().unwrap().body, b"0123456789");
            }
        });
        session.data_task(server.url("/outer")).resume();
        server.wait_until(|stats| stats.stalled == 1);
        inner.suspend();
        server.release();
        server.wait_until(|stats| stats.answers == 2);
        assert_eq!(inner.state(), TaskState::Suspended, "{queue:?}");
        inner.resume();
        recorder.wait_for_completions(1);
        recorder.on_call(|_, _| ());
        assert_eq!(recorder.events().pop(), Some(Event::done(2)), "{queue:?}");
        drop(inner);
        nothing_is_left(session, &[&server]);
    });
}
