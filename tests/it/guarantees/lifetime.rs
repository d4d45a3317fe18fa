//! Who keeps whom, and for how long.

use std::sync::mpsc::channel;
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use urlsession::testing::{Answer, Counters, Event, OnResponse, Recorder, Server};
use urlsession::{Configuration, Delegate, ErrorKind, Request, Session, TaskState};

use crate::support::recording::{on_every_queue, recorded, response, with_threads_on_every_queue};
use crate::support::running::{HANG, nothing_is_left, wait_for};

#[test]
fn a_session_keeps_its_delegate_until_it_is_invalid() {
    type End = fn(Session);
    let ends: [(&str, End); 3] = [
        ("finish_tasks_and_invalidate", |session| session.finish_tasks_and_invalidate()),
        ("invalidate_and_cancel", |session| session.invalidate_and_cancel()),
        ("dropped", drop),
    ];
    for (name, end) in ends {
        let server = Server::start();
        server.enqueue(Answer::ok("0123456789").stall_in_body_after(5));
        let recorder = Recorder::new();
        let delegate: Arc<dyn Delegate> = Arc::new(recorder.clone());
        let kept: Weak<dyn Delegate> = Arc::downgrade(&delegate);
        let queue = urlsession::DeliveryQueue::serial();
        let session = Session::with_delegate(Configuration::ephemeral(), delegate, queue).unwrap();
        let task = session.data_task(server.url("/"));
        task.resume();
        server.wait_until(|stats| stats.stalled == 1);
        assert!(session.delegate().is_some(), "{name}");
        end(session);
        if name == "finish_tasks_and_invalidate" {
            assert!(task.session().delegate().is_some(), "{name}: a task runs");
        }
        server.release();
        recorder.wait_for_completions(1);
        let of = task.session();
        drop(task);
        if name == "dropped" {
            assert!(of.delegate().is_some());
            drop(of);
        } else {
            wait_for("no delegate", || of.delegate().is_none());
        }
        recorder.wait_for(|events| events.contains(&Event::Invalid));
        wait_for("the delegate is let go", || kept.upgrade().is_none());
    }
}

#[test]
fn a_task_runs_although_nobody_holds_it() {
    on_every_queue(|queue, session, recorder| {
        let server = Server::start();
        server.enqueue(Answer::ok("0123456789").stall_in_body_after(5));
        let task = session.data_task(server.url("/"));
        task.resume();
        drop(task);
        server.wait_until(|stats| stats.stalled == 1);
        let ids: Vec<_> = session.all_tasks().iter().map(|task| task.id()).collect();
        assert_eq!(ids, [1], "{queue:?}");
        assert_eq!(session.tasks().data.len(), 1);
        server.release();
        recorder.wait_for_completions(1);
        assert!(session.wait_until_idle(HANG));
        assert_eq!(session.all_tasks(), [], "{queue:?}");
        let all =
            [Event::Created(1), response(1, 200), Event::data(1, "0123456789"), Event::done(1)];
        assert_eq!(recorder.events(), all, "{queue:?}");
        nothing_is_left(session, &[&server]);
    });
}

#[test]
fn dropping_the_last_handle_stops_no_task_that_runs() {
    with_threads_on_every_queue(|queue, session, recorder| {
        let server = Server::start();
        server.handle(|_| Answer::ok("0123456789").stall_in_body_after(5));
        for _ in 0..8 {
            session.data_task(server.url("/")).resume();
        }
        server.wait_until(|stats| stats.stalled >= 6);
        let counters = Counters::of(&session);
        drop(session);
        wait_for("the end of what runs", || {
            server.release();
            counters.threads() + counters.sockets() == 0
        });
        recorder.wait_for(|events| events.contains(&Event::Invalid));
        for id in 1..=8 {
            let last = recorder.events_of(id).pop();
            assert_eq!(last, Some(Event::done(id)), "{queue:?}");
        }
        assert_eq!(recorder.events().last(), Some(&Event::Invalid), "{queue:?}");
    });
}

#[test]
fn tasks_that_are_suspended_are_cancelled_when_nobody_can_resume_them() {
    on_every_queue(|queue, session, recorder| {
        let server = Server::start();
        server.handle(|_| Answer::ok("0123456789").stall_in_body_after(5));
        let suspended = session.data_task(server.url("/"));
        suspended.resume();
        server.wait_until(|stats| stats.stalled == 1);
        suspended.suspend();
        let never_resumed = session.data_task(server.url("/"));
        drop((suspended, never_resumed));
        nothing_is_left(session, &[&server]);
        recorder.wait_for(|events| events.contains(&Event::Invalid));
        let last = recorder.events_of(1).pop();
        assert_eq!(last, Some(Event::failed(1, ErrorKind::Cancelled)), "{queue:?}");
        assert_eq!(recorder.events_of(2), [Event::Created(2)], "{queue:?}");
    });
}

#[test]
fn handles_of_tasks_keep_their_session() {
    let server = Server::start();
    server.handle(|_| Answer::ok("x"));
    let recorder = Recorder::new();
    let session = recorded(&recorder, |_| {});
    let task = session.data_task(server.url("/"));
    drop(session);
    task.resume();
    recorder.wait_for_completions(1);
    let same = task.session();
    drop(task);
    assert_eq!(same.data(server.url("/")).unwrap().body, b"x");
    assert!(!recorder.events().contains(&Event::Invalid));
    nothing_is_left(same, &[&server]);
    recorder.wait_for(|events| events.contains(&Event::Invalid));
}

#[test]
fn an_invalid_session_takes_no_task_and_resumes_none() {
    for cancels in [false, true] {
        on_every_queue(|queue, session, recorder| {
            let server = Server::start();
            let kind = Some(ErrorKind::SessionInvalidated);
            let (sender, outcomes) = channel();
            let old = session.data_task_to(server.url("/"), &sender);
            let told_to_its_own = session.data_task(server.url("/"));
            let own = recorder.named("task");
            told_to_its_own.set_delegate(own.delegate()).unwrap();
            match cancels {
                true => session.invalidate_and_cancel(),
                false => session.finish_tasks_and_invalidate(),
            }
            recorder.wait_for(|events| events.contains(&Event::Invalid));
            old.resume();
            told_to_its_own.resume();
            session.data_task_to(server.url("/"), &sender).resume();
            for _ in 0..2 {
                let finished = outcomes.recv_timeout(HANG).unwrap();
                assert_eq!(finished.outcome.err().map(|error| error.kind()), kind, "{queue:?}");
            }
            recorder.wait_for_completions(1);
            let request = Request::get(server.url("/"));
            assert_eq!(session.data(&request).err().map(|e| e.kind()), kind);
            assert_eq!(session.bytes(&request).err().map(|e| e.kind()), kind);
            assert_eq!(session.data_task(&request).run().err().map(|e| e.kind()), kind);
            let last = session.data_task(&request).updates().last();
            let is_refused = matches!(
                &last,
                Some(urlsession::Update::Finished(Err(error))) if Some(error.kind()) == kind
            );
            assert!(is_refused, "{queue:?}: {last:?}");
            assert_eq!(old.state(), TaskState::Completed);
            assert_eq!(old.error().map(|error| error.kind()), kind);
            assert_eq!(server.connection_count(), 0, "{queue:?}");
            drop((old, told_to_its_own));
            nothing_is_left(session, &[&server]);
        });
    }
}

#[test]
fn what_an_invalid_session_refuses_is_told_before_it_is_idle() {
    on_every_queue(|queue, session, recorder| {
        let (sender, outcomes) = channel();
        session.finish_tasks_and_invalidate();
        recorder.wait_for(|events| events.contains(&Event::Invalid));
        for _ in 0..20 {
            let sender = sender.clone();
            let task = session.data_task_with("http://127.0.0.1:9/", move |outcome| {
                sender.send(outcome.is_err()).unwrap();
            });
            task.resume();
            assert!(session.wait_until_idle(HANG), "{queue:?}");
            assert_eq!(outcomes.try_recv(), Ok(true), "{queue:?}");
        }
    });
}

#[test]
fn the_shared_session_cannot_be_invalidated() {
    let server = Server::start();
    server.handle(|_| Answer::ok("x"));
    let made_before = Session::shared().data_task(server.url("/"));
    Session::shared().finish_tasks_and_invalidate();
    assert_eq!(Session::shared().data(server.url("/")).unwrap().body, b"x");
    Session::shared().invalidate_and_cancel();
    assert_eq!(made_before.run().unwrap().body, b"x");
    assert_eq!(Session::shared().data(server.url("/")).unwrap().body, b"x");
    drop(Session::shared().clone());
    assert_eq!(Session::shared().data(server.url("/")).unwrap().body, b"x");
}

#[test]
fn configurations_and_requests_are_copied() {
    let server = Server::start();
    server.handle(|request| Answer::ok(request.header_all("x-a").len().to_string()));
    let mut configuration = Configuration::ephemeral();
    configuration.timeout_for_request = Duration::from_secs(7);
    let session = Session::new(configuration.clone()).unwrap();
    configuration.timeout_for_request = Duration::from_secs(1);
    configuration.additional_headers.add("x-a", "1").unwrap();
    let mut copy = session.configuration();
    assert_eq!(copy.timeout_for_request, Duration::from_secs(7));
    copy.timeout_for_request = Duration::from_secs(2);
    assert_eq!(session.configuration().timeout_for_request, Duration::from_secs(7));
    let request = Request::get(server.url("/"));
    let task = session.data_task(&request);
    drop(request.header("x-a", "1"));
    assert_eq!(task.run().unwrap().body, b"0");
    drop(task);
    nothing_is_left(session, &[&server]);
}

#[test]
fn sessions_and_tasks_are_used_from_many_threads() {
    let server = Server::start();
    server.handle(|_| Answer::ok("x"));
    let recorder = Recorder::new();
    let session = recorded(&recorder, |_| {});
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..10 {
                    session.data_task(server.url("/")).resume();
                }
            });
        }
    });
    recorder.wait_for_completions(80);
    assert_eq!(recorder.overlaps(), 0);
    let mut ids: Vec<_> = recorder.events().iter().filter_map(Event::id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids, (1..=80).collect::<Vec<_>>());
    nothing_is_left(session, &[&server]);
}

#[test]
fn a_task_that_was_never_resumed_does_not_keep_its_session_valid() {
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
fn cancelled_tasks_are_completed_before_their_session_is_invalid() {
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
