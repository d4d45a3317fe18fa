//! Mistakes that another implementation is known for, each by the number that the list of
//! them gives it: a test that would catch it.

use std::sync::{Arc, Weak};
use std::time::Duration;

use urlsession::testing::{Answer, Counters, Event, OnResponse, Recorder, Server};
use urlsession::{Clock, Delegate, ErrorKind, Request, Session, TaskState};

use crate::recording::{on_every_queue, recorded, redirect, response};
use crate::running::{HANG, nothing_is_left, wait_for};

#[test]
fn defect_d1_the_shared_session_is_not_invalidated() {
    let server = Server::start();
    server.handle(|_| Answer::ok("x"));
    let made_before = Session::shared().data_task(server.url("/"));
    Session::shared().finish_tasks_and_invalidate();
    Session::shared().invalidate_and_cancel();
    assert_eq!(made_before.run().unwrap().body, b"x");
    assert_eq!(Session::shared().data_task(server.url("/")).run().unwrap().body, b"x");
}

#[test]
fn defect_d2_a_task_that_was_never_resumed_does_not_keep_its_session_valid() {
    for cancels in [false, true] {
        on_every_queue(|queue, session, recorder| {
            let never_resumed = session.data_task("http://127.0.0.1:9/");
            match cancels {
                false => session.finish_tasks_and_invalidate(),
                true => session.invalidate_and_cancel(),
            }
            recorder.wait_for(|events| events.contains(&Event::Invalid));
            assert_eq!(recorder.events(), [Event::Created(1), Event::Invalid], "{queue:?}");
            assert!(session.delegate().is_none());
            drop(never_resumed);
            nothing_is_left(session, &[]);
        });
    }
}

#[test]
fn defect_d3_cancelled_tasks_are_completed_before_their_session_is_invalid() {
    on_every_queue(|queue, session, recorder| {
        let server = Server::start();
        server.handle(|_| Answer::ok("0123456789").stall_in_body_after(5));
        let suspended = session.data_task(server.url("/"));
        suspended.resume();
        server.wait_until(|stats| stats.stalled == 1);
        suspended.suspend();
        for _ in 0..30 {
            session.data_task(server.url("/")).resume();
        }
        recorder.on_response(OnResponse::Hold);
        session.data_task("http://127.0.0.1:9/").resume();
        session.invalidate_and_cancel();
        recorder.wait_for(|events| events.contains(&Event::Invalid));
        let events = recorder.events();
        assert_eq!(events.last(), Some(&Event::Invalid), "{queue:?}");
        let completions = events.iter().filter(|event| event.is_completion()).count();
        assert_eq!(completions, 32, "{queue:?}");
        // What is held was asked before; the answers come too late.
        let counters = Counters::of(&session);
        drop((suspended, session));
        wait_for("nothing is left", || counters.threads() + counters.sockets() == 0);
    });
}

#[test]
fn defect_d4_the_decision_about_a_response_is_obeyed_and_waited_for() {
    on_every_queue(|queue, session, recorder| {
        let server = Server::start();
        server.handle(|_| Answer::status(200).body_of_size(64 << 20));
        recorder.counts_data();
        recorder.on_response(OnResponse::Cancel);
        session.data_task(server.url("/")).resume();
        recorder.wait_for_completions(1);
        let told = [Event::Created(1), response(1, 200), Event::failed(1, ErrorKind::Cancelled)];
        assert_eq!(recorder.take_events(), told, "{queue:?}");
        recorder.on_response(OnResponse::Hold);
        let task = session.data_task(server.url("/"));
        task.resume();
        let held = recorder.take_response();
        assert_eq!(task.progress().bytes_received, 0, "{queue:?}");
        assert_eq!(server.stats().answers, 0, "{queue:?}: the transfer stands still");
        held.allow();
        recorder.wait_for_completions(1);
        let told = [
            Event::Created(2),
            response(2, 200),
            Event::DataCount { id: 2, count: 64 << 20 },
            Event::done(2),
        ];
        assert_eq!(recorder.events(), told, "{queue:?}");
        drop(task);
        nothing_is_left(session, &[&server]);
    });
}

#[test]
fn defect_d6_timeouts_are_exact_and_there_are_two() {
    let (half, hour) = (Duration::from_millis(500), Duration::from_secs(3600));
    for (idle, whole) in [(half, hour), (hour, half)] {
        let clock = Clock::by_hand();
        let server = Server::start();
        server.enqueue(Answer::ok("x").stall_before_head());
        let recorder = Recorder::new();
        let session = recorded(&recorder, |change| {
            change.clock = clock.clone();
            change.timeout_for_request = idle;
            change.timeout_for_resource = whole;
        });
        let task = session.data_task(server.url("/"));
        task.resume();
        server.wait_until(|stats| stats.stalled == 1);
        clock.advance(half - Duration::from_millis(1));
        // It would have been seen within 5 milliseconds.
        let mut looks = 0;
        wait_for("fifty looks", || {
            looks += 1;
            looks == 50
        });
        assert_eq!(task.state(), TaskState::Running);
        wait_for("the end", || {
            clock.advance(Duration::from_millis(1));
            task.state() == TaskState::Completed
        });
        assert_eq!(task.error().unwrap().kind(), ErrorKind::TimedOut);
        drop(task);
        nothing_is_left(session, &[&server]);
    }
}

#[test]
fn defect_d8_the_delegate_of_a_task_is_told_everything_and_let_go() {
    on_every_queue(|queue, session, recorder| {
        let server = Server::start();
        server.enqueue(Answer::redirect(302, "/new"));
        server.enqueue(Answer::ok("hello"));
        let own = recorder.named("task");
        own.on_response(OnResponse::Allow).on_redirect(urlsession::testing::OnRedirect::Follow);
        own.records_progress();
        recorder.records_progress();
        let delegate = own.delegate();
        let kept: Weak<dyn Delegate> = Arc::downgrade(&delegate);
        let task = session.data_task(server.url("/"));
        task.set_delegate(delegate).unwrap();
        task.resume();
        recorder.wait_for_completions(1);
        assert!(session.wait_until_idle(HANG));
        assert!(kept.upgrade().is_none() && task.delegate().is_none(), "{queue:?}");
        let calls = recorder.calls();
        assert!(calls[1..].iter().all(|call| call.recorder == "task"), "{queue:?}: {calls:?}");
        let events = recorder.events().into_iter();
        let events: Vec<_> =
            events.filter(|event| !matches!(event, Event::Progress { .. })).collect();
        let all = [
            Event::Created(1),
            redirect(1, 302, "/new"),
            response(1, 200),
            Event::data(1, "hello"),
            Event::done(1),
        ];
        assert_eq!(events, all, "{queue:?}");
        drop(task);
        nothing_is_left(session, &[&server]);
    });
}

#[test]
fn defect_d9_bytes_are_counted_whoever_is_told() {
    let server = Server::start();
    server.handle(|_| Answer::status(200).body_of_size(100_000));
    let session = Session::new(urlsession::Configuration::ephemeral()).unwrap();
    let request = Request::put(server.url("/")).body(vec![b'x'; 50_000]);
    let (sender, outcomes) = std::sync::mpsc::channel();
    let tasks = [
        session.data_task(&request),
        session.data_task_with(&request, |_| ()),
        session.data_task_to(&request, &sender),
    ];
    for task in &tasks {
        task.resume();
    }
    assert!(session.wait_until_idle(HANG));
    drop(outcomes);
    let run = session.data_task(&request);
    assert_eq!(run.run().unwrap().body.len(), 100_000);
    for task in tasks.iter().chain([&run]) {
        let progress = task.progress();
        assert_eq!((progress.bytes_sent, progress.bytes_received), (50_000, 100_000));
        assert_eq!(progress.bytes_expected_to_send, Some(50_000));
        assert_eq!(progress.bytes_expected_to_receive, Some(100_000));
    }
    drop((tasks, run));
    nothing_is_left(session, &[&server]);
}

#[test]
fn defect_d9_a_total_that_is_told_is_that_of_its_moment() {
    // Nobody makes the calls before the end: totals that were read only then would all be
    // the last one.
    let server = Server::start();
    let mut answer = Answer::status(200).body_of_size(5);
    for at in 1..5 {
        answer = answer.stall_in_body_after(at);
    }
    server.enqueue(answer);
    let recorder = Recorder::new();
    recorder.records_progress();
    let queue = urlsession::DeliveryQueue::manual(|| ());
    let session = crate::recording::recorded_on(queue.clone(), &recorder, |change| {
        change.progress_interval = Duration::ZERO;
    });
    let task = session.data_task(server.url("/"));
    task.resume();
    wait_for("the response", || {
        queue.run_pending();
        recorder.events().contains(&response(1, 200))
    });
    for at in 1..5 {
        wait_for("a byte", || {
            if task.progress().bytes_received < 1 {
                queue.run_pending();
            }
            task.progress().bytes_received == at
        });
        server.wait_until(|stats| stats.stalled == 1);
        server.release();
    }
    wait_for("the end", || {
        queue.run_pending();
        recorder.events().iter().any(Event::is_completion)
    });
    let told: Vec<_> = recorder
        .events()
        .into_iter()
        .filter_map(|event| match event {
            Event::Progress { progress, .. } => Some(progress.bytes_received),
            _ => None,
        })
        .collect();
    assert_eq!(told, [1, 2, 3, 4, 5]);
    drop((task, queue));
    nothing_is_left(session, &[&server]);
}
