//! Tasks as a program uses them: their states, and every way to be told.

use std::sync::mpsc::{RecvTimeoutError, TryRecvError, channel};
use std::thread;
use std::time::Duration;

use urlsession::testing::{Answer, Event, OnRedirect, OnResponse, Recorder, Server};
use urlsession::{
    Clock, Configuration, DataTask, DeliveryQueue, ErrorKind, Request, Session, Task, TaskState,
    Update,
};

use crate::support::recording::{on_every_queue, recorded, recorded_on, response};
use crate::support::running::{HANG, Running, nothing_is_left, session, wait_for};

#[test]
fn a_task_shows_what_it_was_given_and_what_came_of_it() {
    let server = Server::start();
    server.enqueue(Answer::redirect(302, "/new"));
    server.enqueue(Answer::ok("hello"));
    let session = session(|_| {});
    let task = session.data_task(server.url("/old"));
    let same: Task = (*task).clone();
    assert_eq!((task.id(), same.id()), (1, 1));
    assert!(*task == same && task.session() == session);
    assert_eq!(task.priority(), Task::PRIORITY_DEFAULT);
    for (given, kept) in [(0.75, 0.75), (7.0, 1.0), (-1.0, 0.0), (f32::NAN, 0.5)] {
        task.set_priority(given);
        assert_eq!(same.priority(), kept);
    }
    assert_eq!(task.description(), None);
    task.set_description("greeting");
    assert_eq!(same.description().as_deref(), Some("greeting"));
    assert!(task.response().is_none() && task.error().is_none());
    assert_eq!(task.run().unwrap().body, b"hello");
    assert_eq!(same.state(), TaskState::Completed);
    assert_eq!(same.original_request().url().unwrap().path(), "/old");
    assert_eq!(same.current_request().url().unwrap().path(), "/new");
    assert_eq!(same.response().unwrap().status(), 200);
    drop((task, same));
    nothing_is_left(session, &[&server]);
}

#[test]
fn a_task_runs_once_and_for_one_listener() {
    let server = Server::start();
    server.handle(|_| Answer::ok("x"));
    let session = session(|_| {});
    let (sender, _outcomes) = channel();
    type Prepare = fn(&DataTask);
    let nothing: Prepare = |_| ();
    let cases: [(&str, DataTask, Prepare, ErrorKind); 5] = [
        (
            "run",
            session.data_task(server.url("/")),
            |task| {
                task.run().unwrap();
            },
            ErrorKind::InvalidRequest,
        ),
        (
            "resumed",
            session.data_task(server.url("/")),
            |task| {
                task.resume();
            },
            ErrorKind::InvalidRequest,
        ),
        (
            "closure",
            session.data_task_with(server.url("/"), |_| ()),
            nothing,
            ErrorKind::InvalidRequest,
        ),
        (
            "channel",
            session.data_task_to(server.url("/"), &sender),
            nothing,
            ErrorKind::InvalidRequest,
        ),
        (
            "cancelled",
            session.data_task(server.url("/")),
            |task| task.cancel(),
            ErrorKind::Cancelled,
        ),
    ];
    for (name, task, prepare, kind) in cases {
        prepare(&task);
        assert_eq!(task.run().unwrap_err().kind(), kind, "{name}");
        let updates: Vec<_> = task.updates().collect();
        match &updates[..] {
            [Update::Finished(Err(error))] => assert_eq!(error.kind(), kind, "{name}"),
            other => panic!("{name}: {other:?}"),
        }
        // It was left alone.
        let error = task.error().map(|error| error.kind());
        assert!(error.is_none() || kind == ErrorKind::Cancelled, "{name}: {error:?}");
    }
    assert!(session.wait_until_idle(HANG));
    nothing_is_left(session, &[&server]);
}

#[test]
fn a_task_that_runs_is_cancelled_by_a_clone() {
    let server = Server::start();
    server.enqueue(Answer::ok("0123456789").stall_in_body_after(5));
    let session = session(|_| {});
    let task = session.data_task(server.url("/"));
    let runs = task.clone();
    let running = Running::start(move || runs.run().map(|_| ()));
    server.wait_until(|stats| stats.stalled == 1);
    assert_eq!(session.all_tasks(), [(*task).clone()]);
    task.cancel();
    assert_eq!(running.outcome().unwrap_err().kind(), ErrorKind::Cancelled);
    assert_eq!(task.state(), TaskState::Completed);
    drop(task);
    nothing_is_left(session, &[&server]);
}

#[test]
fn a_cancelled_task_is_among_all_until_its_end_was_told() {
    let server = Server::start();
    server.enqueue(Answer::ok("0123456789").stall_in_body_after(5));
    let (sender, wakes) = channel();
    let queue = DeliveryQueue::manual(move || sender.send(()).unwrap_or_default());
    let session = Session::with_queue(Configuration::ephemeral(), queue.clone()).unwrap();
    let (told, outcomes) = channel();
    let task = session.data_task_with(server.url("/"), move |outcome| told.send(outcome).unwrap());
    task.resume();
    server.wait_until(|stats| stats.stalled == 1);
    task.cancel();
    assert_eq!(task.state(), TaskState::Canceling);
    assert_eq!(session.all_tasks(), [(*task).clone()]);
    while task.state() != TaskState::Completed {
        wakes.recv_timeout(HANG).unwrap();
        queue.run_pending();
    }
    assert_eq!(outcomes.recv().unwrap().unwrap_err().kind(), ErrorKind::Cancelled);
    assert!(session.wait_until_idle(HANG));
    assert_eq!(session.all_tasks(), []);
}

#[test]
fn a_task_that_runs_is_suspended_and_resumed_by_a_clone() {
    let server = Server::start();
    server.enqueue(Answer::ok("0123456789").stall_in_body_after(5));
    let session = session(|_| {});
    let task = session.data_task(server.url("/"));
    let runs = task.clone();
    let running = Running::start(move || runs.run().map(|data| data.body));
    server.wait_until(|stats| stats.stalled == 1);
    task.suspend();
    server.release();
    server.wait_until(|stats| stats.answers == 1);
    assert!(running.is_running_after(Duration::from_millis(20)));
    task.resume();
    assert_eq!(running.outcome().unwrap(), b"0123456789");
    drop(task);
    nothing_is_left(session, &[&server]);
}

#[test]
fn updates_tell_response_data_progress_and_the_end() {
    let server = Server::start();
    server.enqueue(Answer::status(200).body_of_size(300_000));
    let session = session(|change| change.progress_interval = Duration::ZERO);
    let task = session.data_task(server.url("/"));
    let (mut body, mut heads, mut last, mut ends) = (0, 0, 0, 0);
    for update in task.updates() {
        assert_eq!(ends, 0);
        match update {
            Update::Response(response) => {
                assert_eq!((response.status().as_u16(), body), (200, 0));
                heads += 1;
            }
            Update::Data(data) => body += data.len() as u64,
            Update::Progress(progress) => {
                assert!(progress.bytes_received > last && progress.bytes_received <= body);
                last = progress.bytes_received;
            }
            Update::Finished(outcome) => {
                outcome.unwrap();
                ends += 1;
            }
            _ => {}
        }
    }
    assert_eq!((heads, body, last, ends), (1, 300_000, 300_000, 1));
    drop(task);
    nothing_is_left(session, &[&server]);
}

#[test]
fn updates_are_looked_for_without_waiting_or_for_a_while() {
    let server = Server::start();
    server.enqueue(Answer::ok("hello").stall_before_head());
    let session = session(|_| {});
    let updates = session.data_task(server.url("/")).updates();
    server.wait_until(|stats| stats.stalled == 1);
    assert!(matches!(updates.try_recv(), Err(TryRecvError::Empty)));
    let patience = Duration::from_millis(1);
    assert!(matches!(updates.recv_timeout(patience), Err(RecvTimeoutError::Timeout)));
    server.release();
    assert!(matches!(updates.recv_timeout(HANG), Ok(Update::Response(_))));
    assert!(matches!(updates.recv(), Some(Update::Data(data)) if data == b"hello"));
    let mut rest: Vec<_> = std::iter::from_fn(|| updates.recv()).collect();
    assert!(matches!(rest.pop(), Some(Update::Finished(Ok(())))));
    assert!(matches!(updates.try_recv(), Err(TryRecvError::Disconnected)));
    assert_eq!(updates.task().state(), TaskState::Completed);
    drop(updates);
    nothing_is_left(session, &[&server]);
}

#[test]
fn updates_that_are_dropped_cancel_their_task() {
    let server = Server::start();
    server.enqueue(Answer::ok("0123456789").stall_in_body_after(5));
    let session = session(|_| {});
    let task = session.data_task(server.url("/"));
    let updates = task.updates();
    assert!(matches!(updates.recv(), Some(Update::Response(_))));
    drop(updates);
    assert!(session.wait_until_idle(HANG));
    assert_eq!(task.error().unwrap().kind(), ErrorKind::Cancelled);
    drop(task);
    nothing_is_left(session, &[&server]);
}

#[test]
fn updates_that_nobody_takes_stop_the_server() {
    let server = Server::start();
    server.enqueue(Answer::status(200).body_of_size(64 << 20));
    let session = session(|_| {});
    let updates = session.data_task(server.url("/")).updates();
    let task = updates.task().clone();
    let mut last = (0, 0);
    wait_for("the transfer stands still", || {
        let now = task.progress().bytes_received;
        last = if now == last.0 && now > 0 { (now, last.1 + 1) } else { (now, 0) };
        last.1 == 50
    });
    assert!(last.0 <= (1 << 20) + (128 << 10), "{} bytes were read", last.0);
    assert_eq!(server.stats().answers, 0);
    let data = updates.map(|update| match update {
        Update::Data(data) => data.len(),
        _ => 0,
    });
    assert_eq!(data.sum::<usize>(), 64 << 20);
    drop(task);
    nothing_is_left(session, &[&server]);
}

#[test]
fn one_channel_serves_many_tasks() {
    let server = Server::start();
    server.handle(|request| match request.path() {
        "/13" => Answer::ok("0123456789").truncate_after(5),
        path => Answer::ok(path),
    });
    let session = session(|_| {});
    let (sender, outcomes) = channel();
    for number in 1..=50 {
        session.data_task_to(server.url(&format!("/{number}")), &sender).resume();
    }
    drop(sender);
    // The iteration ends: no task keeps a sender when it has ended.
    let mut finished: Vec<_> = outcomes.iter().collect();
    finished.sort_by_key(|finished| finished.id);
    assert_eq!(finished.len(), 50);
    for (number, finished) in (1..).zip(finished) {
        assert_eq!(finished.id, number);
        match finished.outcome {
            Ok(data) => assert_eq!(data.text(), format!("/{number}")),
            Err(error) => {
                assert_eq!((number, error.kind()), (13, ErrorKind::NetworkConnectionLost));
            }
        }
    }
    nothing_is_left(session, &[&server]);
}

#[test]
fn a_channel_whose_receiver_is_gone_harms_nobody() {
    let server = Server::start();
    server.handle(|_| Answer::ok("x"));
    let session = session(|_| {});
    let (sender, outcomes) = channel();
    drop(outcomes);
    let task = session.data_task_to(server.url("/"), &sender);
    task.resume();
    assert!(session.wait_until_idle(HANG));
    assert!(task.error().is_none());
    drop(task);
    nothing_is_left(session, &[&server]);
}

#[test]
fn a_delegate_is_given_before_a_task_begins_and_not_after() {
    on_every_queue(|queue, session, recorder| {
        let server = Server::start();
        server.enqueue(Answer::ok("x").stall_before_head());
        let (first, second) = (recorder.named("first"), recorder.named("second"));
        let task = session.data_task(server.url("/"));
        second.on_response(OnResponse::Allow);
        task.set_delegate(first.delegate()).unwrap();
        task.set_delegate(second.delegate()).unwrap();
        task.resume();
        let error = task.set_delegate(first.delegate()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{queue:?}");
        server.wait_until(|stats| stats.stalled == 1);
        server.release();
        recorder.wait_for_completions(1);
        assert!(session.wait_until_idle(HANG));
        assert!(task.set_delegate(first.delegate()).is_err());
        let calls = recorder.calls();
        assert!(calls[1..].iter().all(|call| call.recorder == "second"), "{queue:?}: {calls:?}");
        drop(task);
        nothing_is_left(session, &[&server]);
    });
}

#[test]
fn a_gui_loop_is_woken_and_makes_all_calls_itself() {
    enum Message {
        Look,
        Quit,
    }
    let server = Server::start();
    server.handle(|request| Answer::ok(request.path()));
    let (post, messages) = channel();
    let wakes = post.clone();
    let queue = DeliveryQueue::manual(move || wakes.send(Message::Look).unwrap());
    let recorder = Recorder::new();
    let session = recorded_on(queue.clone(), &recorder, |_| {});
    // State that no other thread may touch, as widgets are.
    let shown = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    let (sender, outcomes) = channel();
    session.data_task(server.url("/delegate")).resume();
    session.data_task_to(server.url("/channel"), &sender).resume();
    let updates = session.data_task(server.url("/updates")).updates();
    let quit = post;
    session
        .data_task_with(server.url("/closure"), move |_| quit.send(Message::Quit).unwrap())
        .resume();
    let (mut quits, mut ended) = (false, false);
    while !(quits
        && ended
        && shown.borrow().len() == 1
        && recorder.events().contains(&Event::done(1)))
    {
        match messages.recv_timeout(HANG).expect("nobody wakes the loop") {
            Message::Quit => quits = true,
            Message::Look => {
                queue.run_pending();
                let texts = outcomes.try_iter().map(|finished| finished.outcome.unwrap());
                shown.borrow_mut().extend(texts.map(|data| data.text().into_owned()));
                while let Ok(update) = updates.try_recv() {
                    ended |= matches!(update, Update::Finished(Ok(())));
                }
            }
        }
    }
    assert_eq!(*shown.borrow(), ["/channel"]);
    let calls = recorder.calls();
    assert!(calls.iter().all(|call| call.thread == thread::current().id()));
    drop((updates, session));
    // The last message of the session comes the same way.
    while !recorder.events().contains(&Event::Invalid) {
        messages.recv_timeout(HANG).expect("nobody wakes the loop");
        queue.run_pending();
    }
}

#[test]
fn progress_is_told_once_in_each_interval_and_at_the_end() {
    let server = Server::start();
    let mut answer = Answer::status(200).body_of_size(9);
    for at in 1..9 {
        answer = answer.stall_in_body_after(at);
    }
    server.enqueue(answer);
    let clock = Clock::by_hand();
    let recorder = Recorder::new();
    recorder.records_progress();
    let session = recorded(&recorder, |change| {
        change.clock = clock.clone();
        change.progress_interval = Duration::from_secs(10);
    });
    let task = session.data_task(server.url("/"));
    task.resume();
    for at in 1..9_u64 {
        // The data is told before the progress, so the next byte waits for both.
        wait_for("a byte", || task.progress().bytes_received == at);
        server.wait_until(|stats| stats.stalled == 1);
        if at % 4 == 0 {
            clock.advance(Duration::from_secs(10));
        }
        server.release();
    }
    recorder.wait_for_completions(1);
    let told: Vec<_> = recorder
        .events()
        .into_iter()
        .filter_map(|event| match event {
            Event::Progress { progress, .. } => Some(progress.bytes_received),
            _ => None,
        })
        .collect();
    // The clock is turned behind the fourth and the eighth byte, at some time around when
    // these are told.
    assert!(told == [1, 5, 9] || told.first() == Some(&1) && told.last() == Some(&9), "{told:?}");
    assert!(told.len() <= 4, "{told:?}");
    drop(task);
    nothing_is_left(session, &[&server]);
}

#[test]
fn a_panic_in_a_method_fails_its_task_alone() {
    type Panics = fn(&Recorder);
    type Expected = (&'static str, Panics, Option<ErrorKind>);
    let failed = Some(ErrorKind::DelegatePanicked);
    let cases: [Expected; 8] = [
        ("created", |r| _ = r.panic_in(|e| *e == Event::Created(1)), failed),
        ("redirect", |r| _ = r.panic_in(|e| matches!(e, Event::Redirect { id: 1, .. })), failed),
        ("response", |r| _ = r.panic_in(|e| *e == response(1, 200)), failed),
        ("data", |r| _ = r.panic_in(|e| matches!(e, Event::Data { id: 1, .. })), failed),
        ("completion", |r| _ = r.panic_in(|e| *e == Event::done(1)), None),
        ("redirect, reply kept", |r| _ = r.on_redirect(OnRedirect::HoldAndPanic), failed),
        ("response, reply kept", |r| _ = r.on_response(OnResponse::HoldAndPanic), failed),
        ("redirect, reply in hand", |r| _ = r.on_redirect(OnRedirect::Panic), failed),
    ];
    for (name, panics, expected) in cases {
        on_every_queue(|queue, session, recorder| {
            let server = Server::start();
            server.handle(|request| match request.path() {
                "/old" => Answer::redirect(302, "/new"),
                _ => Answer::ok("hello"),
            });
            // The script is that of the first task's own delegate, which is also told of its
            // creation.
            let own = recorder.named("task");
            panics(&own);
            if name == "created" {
                panics(recorder);
            }
            let task = session.data_task(server.url("/old"));
            let _ = task.set_delegate(own.delegate());
            let other = session.data_task(server.url("/old"));
            task.resume();
            other.resume();
            recorder.wait_for_completions(2);
            assert!(session.wait_until_idle(HANG), "{name}, {queue:?}");
            assert_eq!(task.error().map(|e| e.kind()), expected, "{name}, {queue:?}");
            assert!(other.error().is_none(), "{name}, {queue:?}");
            if name.starts_with("redirect") {
                assert_eq!(server.request_count(), 3, "{name}, {queue:?}: it was followed");
            }
            match name {
                "redirect, reply kept" => drop(recorder.take_redirect()),
                "response, reply kept" => drop(recorder.take_response()),
                _ => {}
            }
            drop((task, other));
            nothing_is_left(session, &[&server]);
        });
    }
}

#[test]
fn a_closure_that_panics_harms_no_other() {
    for queue in crate::support::recording::Queue::ALL {
        let (queue, _loop) = queue.start();
        let server = Server::start();
        server.handle(|_| Answer::ok("x"));
        let session = Session::with_queue(Configuration::ephemeral(), queue).unwrap();
        let (sender, called) = channel();
        let panicking = session.data_task_with(server.url("/"), |_| panic!("on purpose"));
        panicking.resume();
        let fine = session
            .data_task_with(Request::get(server.url("/")), move |_| sender.send(()).unwrap());
        fine.resume();
        called.recv_timeout(HANG).unwrap();
        assert!(session.wait_until_idle(HANG));
        drop((panicking, fine));
        nothing_is_left(session, &[&server]);
    }
}
