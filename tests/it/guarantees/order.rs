//! When a task begins, and in which order it tells.

use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread;

use urlsession::testing::{Answer, Event, OnResponse, Recorder, Server};
use urlsession::{DataTask, DeliveryQueue, ErrorKind, Request, Session, TaskState};

use crate::support::recording::{
    Queue, drained, on_every_queue, recorded, redirect, response, with_threads_on_every_queue,
};
use crate::support::running::{HANG, nothing_is_left, session};

/// Every way to make a task that is suspended.
fn made_in_every_way(session: &Session, url: &str) -> Vec<DataTask> {
    let (sender, _) = channel();
    vec![
        session.data_task(url),
        session.data_task_with(url, |_| ()),
        session.data_task_to(url, &sender),
    ]
}

#[test]
fn tasks_are_created_suspended_and_nothing_is_sent_before_resume() {
    on_every_queue(|queue, session, recorder| {
        let server = Server::start();
        let tasks = made_in_every_way(&session, &server.url("/"));
        assert!(tasks.iter().all(|task| task.state() == TaskState::Suspended), "{queue:?}");
        assert_eq!(session.all_tasks(), [], "{queue:?}");
        assert!(session.wait_until_idle(HANG));
        assert_eq!(server.connection_count(), 0, "{queue:?}");
        server.enqueue(Answer::ok("x"));
        tasks[0].resume();
        recorder.wait_for_completions(1);
        assert!(session.wait_until_idle(HANG));
        assert_eq!(server.request_count(), 1, "{queue:?}");
        drop(tasks);
        nothing_is_left(session, &[&server]);
    });
}

#[test]
fn the_creation_is_told_on_the_creating_thread_before_it_returns() {
    on_every_queue(|queue, session, recorder| {
        let server = Server::start();
        server.enqueue(Answer::ok("x"));
        server.enqueue(Answer::ok("x"));
        let url = server.url("/");
        let (sender, _) = channel();
        let ways: [&dyn Fn() -> DataTask; 3] =
            [&|| session.data_task(&url), &|| session.data_task_with(&url, |_| ()), &|| {
                session.data_task_to(&url, &sender)
            }];
        for way in ways {
            let task = way();
            let last = recorder.calls().pop().unwrap();
            assert_eq!(last.event, Event::Created(task.id()), "{queue:?}");
            assert_eq!(last.thread, thread::current().id(), "{queue:?}");
        }
        let made = recorder.calls().len();
        session.data(&url).unwrap();
        drop(session.bytes(&url).unwrap());
        let calls = recorder.calls();
        let ids: Vec<_> = calls[made..].iter().map(|call| call.event.clone()).collect();
        assert_eq!(ids, [Event::Created(4), Event::Created(5)], "{queue:?}");
        assert!(calls.iter().all(|call| call.thread == thread::current().id()), "{queue:?}");
        nothing_is_left(session, &[&server]);
    });
}

#[test]
fn delegates_and_closures_are_called_on_the_queue() {
    on_every_queue(|queue, session, recorder| {
        let server = Server::start();
        server.handle(|request| match request.path() {
            "/old" => Answer::redirect(302, "/new"),
            _ => Answer::ok("hello"),
        });
        let (sender, names) = channel();
        session.data_task(server.url("/old")).resume();
        recorder.wait_for_completions(1);
        let told = move |_| sender.send(thread::current().name().map(str::to_owned)).unwrap();
        session.data_task_with(server.url("/new"), told).resume();
        let closures = names.recv_timeout(HANG).unwrap();
        let expected = match queue {
            Queue::Serial => "urlsession-delivery",
            Queue::Manual => "loop",
            Queue::Inline => "urlsession-worker",
            Queue::Custom => "executor",
        };
        assert_eq!(closures.as_deref(), Some(expected));
        for call in recorder.calls() {
            if !matches!(call.event, Event::Created(_)) {
                assert_eq!(call.thread_name.as_deref(), Some(expected), "{call:?}");
            }
        }
        nothing_is_left(session, &[&server]);
    });
}

#[test]
fn delegates_of_a_blocking_call_are_called_on_its_thread() {
    on_every_queue(|queue, session, recorder| {
        let server = Server::start();
        server.enqueue(Answer::redirect(302, "/new"));
        server.enqueue(Answer::ok("hello"));
        let task = session.data_task(server.url("/old"));
        let own = recorder.named("task");
        task.set_delegate(own.delegate()).unwrap();
        assert_eq!(task.run().unwrap().body, b"hello");
        let told = [
            Event::Created(1),
            redirect(1, 302, "/new"),
            redirect(1, 302, "/new"),
            response(1, 200),
            Event::data(1, "hello"),
            Event::done(1),
        ];
        assert_eq!(recorder.events(), told, "{queue:?}");
        let calls = recorder.calls();
        assert!(calls.iter().all(|call| call.thread == thread::current().id()), "{queue:?}");
        let names: Vec<_> = calls.iter().map(|call| call.recorder.as_str()).collect();
        assert_eq!(names, ["", "task", "", "task", "task", "task"], "{queue:?}");
        drop(task);
        nothing_is_left(session, &[&server]);
    });
}

#[test]
fn a_completion_is_called_once_however_the_task_ends() {
    type End = fn(&Server, &Session, &DataTask);
    let cases: [(&str, End, Option<ErrorKind>); 6] = [
        ("success", |server, _, task| finish(server, task), None),
        ("failure", |server, _, task| fail(server, task), Some(ErrorKind::NetworkConnectionLost)),
        (
            "cancelled while it runs",
            |server, _, task| {
                stall(server, task);
                task.cancel();
                task.cancel();
            },
            Some(ErrorKind::Cancelled),
        ),
        ("cancelled before", |_, _, task| task.cancel(), Some(ErrorKind::Cancelled)),
        (
            "cancelled with its session",
            |server, session, task| {
                stall(server, task);
                session.invalidate_and_cancel();
            },
            Some(ErrorKind::Cancelled),
        ),
        (
            "resumed too late",
            |_, session, task| {
                session.finish_tasks_and_invalidate();
                task.resume();
            },
            Some(ErrorKind::SessionInvalidated),
        ),
    ];
    for (name, end, expected) in cases {
        on_every_queue(|queue, session, recorder| {
            let server = Server::start();
            let (sender, outcomes) = channel();
            let completion = move |outcome: Result<_, urlsession::Error>| {
                sender.send(outcome.map(|_: urlsession::Data| ())).unwrap();
            };
            let task = session.data_task_with(Request::post(server.url("/")), completion);
            end(&server, &session, &task);
            let outcome = outcomes.recv_timeout(HANG).unwrap();
            assert_eq!(outcome.err().map(|error| error.kind()), expected, "{name}, {queue:?}");
            task.cancel();
            task.resume();
            assert!(session.wait_until_idle(HANG), "{name}, {queue:?}");
            assert!(drained(&outcomes).is_empty(), "{name}, {queue:?}");
            assert_eq!(recorder.events_of(1), [Event::Created(1)], "{name}, {queue:?}");
            drop(task);
            nothing_is_left(session, &[&server]);
        });
    }
}

fn finish(server: &Server, task: &DataTask) {
    server.enqueue(Answer::ok("x"));
    task.resume();
}

fn fail(server: &Server, task: &DataTask) {
    server.enqueue(Answer::ok("0123456789").truncate_after(5));
    task.resume();
}

fn stall(server: &Server, task: &DataTask) {
    server.enqueue(Answer::ok("0123456789").stall_in_body_after(5));
    task.resume();
    server.wait_until(|stats| stats.stalled == 1);
}

#[test]
fn tasks_with_a_closure_or_a_channel_ask_delegates_but_tell_them_nothing_of_what_comes() {
    on_every_queue(|queue, session, recorder| {
        let server = Server::start();
        server.handle(|request| match request.path() {
            "/old" => Answer::redirect(302, "/new"),
            _ => Answer::ok("hello"),
        });
        recorder.records_progress();
        let (sender, outcomes) = channel();
        let url = server.url("/old");
        let closure = move |outcome: Result<urlsession::Data, _>| {
            sender.send(outcome.unwrap().body).unwrap();
        };
        session.data_task_with(&url, closure).resume();
        assert_eq!(outcomes.recv_timeout(HANG).unwrap(), b"hello");
        let (sender, finished) = channel();
        session.data_task_to(&url, &sender).resume();
        assert_eq!(finished.recv_timeout(HANG).unwrap().outcome.unwrap().body, b"hello");
        let updates = session.data_task(&url).updates();
        assert!(updates.count() >= 3);
        assert!(session.wait_until_idle(HANG));
        for id in 1..=3 {
            let told = [Event::Created(id), redirect(id, 302, "/new")];
            assert_eq!(recorder.events_of(id), told, "{queue:?}");
        }
        nothing_is_left(session, &[&server]);
    });
}

#[test]
fn a_task_tells_redirects_progress_response_data_and_completion_in_this_order() {
    on_every_queue(|queue, session, recorder| {
        let server = Server::start();
        server.handle(|request| match request.path() {
            "/1" => Answer::redirect(307, "/2"),
            "/2" => Answer::redirect(308, "/3"),
            _ => Answer::status(200).body_of_size(300_000),
        });
        recorder.records_progress();
        let tasks: Vec<_> = (0..20)
            .map(|_| session.data_task(Request::post(server.url("/1")).body("a body")))
            .collect();
        for task in &tasks {
            task.resume();
        }
        recorder.wait_for_completions(20);
        assert!(session.wait_until_idle(HANG));
        let body: Vec<u8> = (b'a'..=b'z').cycle().take(300_000).collect();
        for id in 1..=20 {
            let events = recorder.events_of(id);
            let ranks: Vec<_> = events.iter().map(rank).collect();
            assert!(ranks.is_sorted(), "{queue:?}, {ranks:?}");
            let told = events.iter().filter(|event| !matches!(event, Event::Progress { .. }));
            let mut received = Vec::new();
            let told: Vec<_> = told
                .filter(|event| match event {
                    Event::Data { bytes, .. } => {
                        received.extend_from_slice(bytes);
                        false
                    }
                    _ => true,
                })
                .cloned()
                .collect();
            assert!(received == body, "{queue:?}: {} bytes", received.len());
            let expected = [
                Event::Created(id),
                redirect(id, 307, "/2"),
                redirect(id, 308, "/3"),
                response(id, 200),
                Event::done(id),
            ];
            assert_eq!(told, expected, "{queue:?}");
        }
        assert_eq!(recorder.overlaps(), 0, "{queue:?}");
        drop(tasks);
        nothing_is_left(session, &[&server]);
    });
}

/// Where in the life of a task something is told; progress of the request's body may come
/// before the response, that of the response's body comes among the data.
fn rank(event: &Event) -> u8 {
    match event {
        Event::Created(_) => 0,
        Event::Redirect { .. } => 1,
        Event::Progress { progress, .. } if progress.bytes_received == 0 => 1,
        Event::Response { .. } => 2,
        Event::Data { .. } | Event::Progress { .. } => 3,
        _ => 4,
    }
}

#[test]
fn nothing_comes_after_a_response_before_its_decision() {
    with_threads_on_every_queue(|queue, session, recorder| {
        let server = Server::start();
        server.handle(|_| Answer::ok("hello"));
        recorder.on_response(OnResponse::Hold);
        session.data_task(server.url("/")).resume();
        let held = recorder.take_response();
        server.wait_until(|stats| stats.answers == 1);
        // Another task comes and goes meanwhile: what the first had to tell would be told.
        session.data_task(server.url("/")).resume();
        recorder.take_response().cancel();
        recorder.wait_for_completions(1);
        assert_eq!(recorder.events_of(1), [Event::Created(1), response(1, 200)], "{queue:?}");
        held.allow();
        recorder.wait_for_completions(2);
        let all = [Event::Created(1), response(1, 200), Event::data(1, "hello"), Event::done(1)];
        assert_eq!(recorder.events_of(1), all, "{queue:?}");
        nothing_is_left(session, &[&server]);
    });
}

#[test]
fn the_completion_is_the_last_message_and_the_task_is_completed_by_then() {
    on_every_queue(|queue, session, recorder| {
        let server = Server::start();
        let states = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&states);
        recorder.on_call(move |event, task| {
            if event.is_completion() {
                let task = task.unwrap();
                let kind = task.error().map(|error| error.kind());
                seen.lock().unwrap().push((task.id(), task.state(), kind));
            }
        });
        let succeeds = session.data_task(server.url("/"));
        finish(&server, &succeeds);
        recorder.wait_for_completions(1);
        let fails = session.data_task(server.url("/"));
        fail(&server, &fails);
        recorder.wait_for_completions(2);
        let cancelled = session.data_task(server.url("/"));
        stall(&server, &cancelled);
        cancelled.cancel();
        recorder.wait_for_completions(3);
        assert!(session.wait_until_idle(HANG));
        let kinds = [None, Some(ErrorKind::NetworkConnectionLost), Some(ErrorKind::Cancelled)];
        let expected: Vec<_> =
            (1..).zip(kinds).map(|(id, kind)| (id, TaskState::Completed, kind)).collect();
        let mut states = std::mem::take(&mut *states.lock().unwrap());
        states.sort_by_key(|(id, ..)| *id);
        assert_eq!(states, expected, "{queue:?}");
        for id in 1..=3 {
            let events = recorder.events_of(id);
            assert!(events.last().unwrap().is_completion(), "{queue:?}");
            let completions = events.iter().filter(|event| event.is_completion()).count();
            assert_eq!(completions, 1, "{queue:?}");
        }
        drop((succeeds, fails, cancelled));
        nothing_is_left(session, &[&server]);
    });
}

#[test]
fn the_end_of_a_session_is_told_after_every_completion() {
    for cancels in [false, true] {
        with_threads_on_every_queue(|queue, session, recorder| {
            let server = Server::start();
            server.handle(|_| Answer::ok("0123456789").stall_in_body_after(5));
            let tasks: Vec<_> = (0..10).map(|_| session.data_task(server.url("/"))).collect();
            // Six run, the others wait in line, one was never resumed.
            for task in &tasks[1..] {
                task.resume();
            }
            server.wait_until(|stats| stats.stalled >= 6);
            if cancels {
                session.invalidate_and_cancel();
            } else {
                session.finish_tasks_and_invalidate();
                server.handle(|_| Answer::ok("0123456789"));
                assert!(!recorder.events().contains(&Event::Invalid), "{queue:?}");
                server.release();
            }
            recorder.wait_for(|events| events.contains(&Event::Invalid));
            let events = recorder.events();
            assert_eq!(events.last(), Some(&Event::Invalid), "{queue:?}");
            let error = cancels.then_some(ErrorKind::Cancelled);
            let mut ended: Vec<_> = events.into_iter().filter(Event::is_completion).collect();
            ended.sort_by_key(Event::id);
            let all: Vec<_> = (2..=10).map(|id| Event::Complete { id, error }).collect();
            assert_eq!(ended, all, "{queue:?}");
            drop(tasks);
            nothing_is_left(session, &[&server]);
        });
    }
}

#[test]
fn a_task_of_a_session_that_nobody_holds_still_tells_everything() {
    let server = Server::start();
    server.enqueue(Answer::ok("hello"));
    let recorder = Recorder::new();
    recorded(&recorder, |_| {}).data_task(server.url("/")).resume();
    recorder.wait_for(|events| events.contains(&Event::Invalid));
    let all = [
        Event::Created(1),
        response(1, 200),
        Event::data(1, "hello"),
        Event::done(1),
        Event::Invalid,
    ];
    assert_eq!(recorder.events(), all);
}

#[test]
fn closures_are_called_without_a_delegate_too() {
    for queue in Queue::ALL {
        let (queue, _loop) = queue.start();
        let server = Server::start();
        server.enqueue(Answer::ok("hello"));
        let configuration = session(|_| {}).configuration();
        let session = Session::with_queue(configuration, queue).unwrap();
        let (sender, outcomes) = channel();
        let task = session.data_task_with(server.url("/"), move |outcome| {
            sender.send(outcome.unwrap().body).unwrap();
        });
        task.resume();
        assert_eq!(outcomes.recv_timeout(HANG).unwrap(), b"hello");
        drop(task);
        nothing_is_left(session, &[&server]);
    }
}

#[test]
fn a_queue_serves_several_sessions() {
    let (server, recorder, queue) = (Server::start(), Recorder::new(), DeliveryQueue::serial());
    server.handle(|_| Answer::ok("hello"));
    let sessions = [(); 2].map(|()| {
        let configuration = session(|_| {}).configuration();
        Session::with_delegate(configuration, recorder.delegate(), queue.clone()).unwrap()
    });
    drop(queue);
    for session in &sessions {
        session.data_task(server.url("/")).resume();
    }
    recorder.wait_for_completions(2);
    let calls = recorder.calls();
    let told: Vec<_> =
        calls.iter().filter(|call| !matches!(call.event, Event::Created(_))).collect();
    assert!(told.iter().all(|call| call.thread == told[0].thread));
    for session in &sessions {
        assert!(session.wait_until_idle(HANG));
    }
    drop(sessions);
    recorder
        .wait_for(|events| events.iter().filter(|event| **event == Event::Invalid).count() == 2);
}

#[test]
fn the_decision_about_a_response_is_obeyed_and_waited_for() {
    on_every_queue(|queue, session, recorder| {
        let server = Server::start();
        server.handle(|_| Answer::status(200).body_of_size(16 << 20));
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
            Event::DataCount { id: 2, count: 16 << 20 },
            Event::done(2),
        ];
        assert_eq!(recorder.events(), told, "{queue:?}");
        drop(task);
        nothing_is_left(session, &[&server]);
    });
}
