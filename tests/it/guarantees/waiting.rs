//! Decisions, the limits of a host, progress, and the end of a reset.

use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use urlsession::testing::{Answer, Event, OnRedirect, Recorder, Server};
use urlsession::{DeliveryQueue, Progress, Request, Session};

use crate::support::recording::{
    drained, on_every_queue, recorded_on, redirect, response, with_threads_on_every_queue,
};
use crate::support::running::{HANG, Way, nothing_is_left, session, wait_for};

/// Redirects `/old` to `/new`.
fn moved() -> Server {
    let server = Server::start();
    server.handle(|request| match request.path() {
        "/old" => Answer::redirect(302, "/new"),
        path => Answer::ok(path),
    });
    server
}

#[test]
fn a_task_waits_for_the_decision_about_a_redirect() {
    with_threads_on_every_queue(|queue, session, recorder| {
        let server = moved();
        recorder.on_redirect(OnRedirect::Hold);
        for _ in 0..3 {
            session.data_task(server.url("/old")).resume();
        }
        let mut held = [(); 3].map(|()| recorder.take_redirect());
        held.sort_by_key(|held| held.task.id());
        assert!(!session.wait_until_idle(Duration::ZERO));
        assert_eq!(server.request_count(), 3, "{queue:?}");
        let [follows, stays, drops] = held;
        // From another thread, as late as it likes.
        thread::spawn(move || {
            follows.follow();
            stays.stay();
            drop(drops);
        });
        recorder.wait_for_completions(3);
        assert!(session.wait_until_idle(HANG));
        for (id, status, body) in [(1, 200, "/new"), (2, 302, ""), (3, 200, "/new")] {
            let mut all = vec![
                Event::Created(id),
                redirect(id, 302, "/new"),
                response(id, status),
                Event::data(id, body),
                Event::done(id),
            ];
            all.retain(|event| *event != Event::data(id, ""));
            assert_eq!(recorder.events_of(id), all, "{queue:?}");
        }
        nothing_is_left(session, &[&server]);
    });
}

#[test]
fn a_task_goes_where_the_delegate_says() {
    on_every_queue(|queue, session, recorder| {
        let server = moved();
        let elsewhere = Request::get(server.url("/elsewhere"));
        recorder.on_redirect(OnRedirect::To(Box::new(elsewhere)));
        let task = session.data_task(server.url("/old"));
        task.resume();
        recorder.wait_for_completions(1);
        let data = Event::data(1, "/elsewhere");
        assert!(recorder.events().contains(&data), "{queue:?}: {:?}", recorder.events());
        assert_eq!(task.original_request().url().unwrap().path(), "/old");
        assert_eq!(task.current_request().url().unwrap().path(), "/elsewhere");
        assert_eq!(task.response().unwrap().url().path(), "/elsewhere");
        drop(task);
        nothing_is_left(session, &[&server]);
    });
}

#[test]
fn no_more_tasks_of_a_host_run_than_may() {
    for (per_host, in_all, expected) in [(2, 64, 4), (6, 3, 3), (0, 64, 2), (6, 0, 1)] {
        let servers = [Server::start(), Server::start()];
        for server in &servers {
            server.handle(|_| Answer::ok("0123456789").stall_in_body_after(5));
        }
        let session = session(|configuration| {
            configuration.maximum_connections_per_host = Some(per_host);
            configuration.maximum_concurrent_tasks = in_all;
        });
        let (sender, finished) = channel();
        for server in &servers {
            for _ in 0..10 {
                session.data_task_to(server.url("/"), &sender).resume();
            }
        }
        let calls: Vec<_> =
            (0..4).map(|_| Way::Data.start(&session, Request::get(servers[0].url("/")))).collect();
        let stalled = || servers.iter().map(|server| server.stats().stalled).sum::<u64>();
        let mut most = 0;
        let mut ended = 0;
        while ended < 20 {
            most = most.max(stalled());
            for server in &servers {
                assert!(server.stats().stalled <= per_host.max(1) as u64);
            }
            for server in &servers {
                server.release();
            }
            ended += drained(&finished).len();
            thread::yield_now();
        }
        while calls.iter().any(crate::support::running::Running::is_running) {
            assert!(stalled() <= expected, "{per_host} of a host, {in_all} in all");
            servers[0].release();
            thread::yield_now();
        }
        for call in calls {
            assert_eq!(call.outcome().unwrap(), b"0123456789");
        }
        assert!(most <= expected, "{per_host} of a host, {in_all} in all: {most}");
        for server in &servers {
            assert!(server.connection_count() <= per_host.max(1) as u64);
        }
        nothing_is_left(session, &[&servers[0], &servers[1]]);
    }
}

#[test]
fn progress_grows_and_its_last_total_is_what_was_transferred() {
    on_every_queue(|queue, session, recorder| {
        let server = Server::start();
        let interval = Duration::ZERO;
        drop(session);
        let (delivery, _loop) = queue.start();
        let session = recorded_on(delivery, recorder, |change| change.progress_interval = interval);
        server.handle(|_| Answer::status(200).body_of_size(1_000_000));
        recorder.take_events();
        recorder.records_progress().counts_data();
        session.data_task(Request::put(server.url("/")).body(vec![b'x'; 700_000])).resume();
        recorder.wait_for_completions(1);
        let told: Vec<Progress> = recorder
            .events_of(1)
            .into_iter()
            .filter_map(|event| match event {
                Event::Progress { progress, .. } => Some(progress),
                _ => None,
            })
            .collect();
        let counts = told.iter().map(|progress| (progress.bytes_sent, progress.bytes_received));
        let counts: Vec<_> = counts.collect();
        assert!(counts.windows(2).all(|pair| pair[0] < pair[1]), "{queue:?}: {counts:?}");
        assert!(told.len() > 4, "{queue:?}: {counts:?}");
        let last = told.last().unwrap();
        assert_eq!(counts.last(), Some(&(700_000, 1_000_000)), "{queue:?}");
        assert_eq!(last.bytes_expected_to_send, Some(700_000));
        assert_eq!(last.bytes_expected_to_receive, Some(1_000_000));
        nothing_is_left(session, &[&server]);
    });
}

#[test]
fn handlers_of_reset_and_flush_run_on_the_queue_after_the_work() {
    type Renew = fn(&Session, Box<dyn FnOnce() + Send>);
    let cases: [(&str, Renew); 2] = [
        ("reset", |session, done| session.reset_with(done)),
        ("flush", |session, done| session.flush_with(done)),
    ];
    for (name, renew) in cases {
        on_every_queue(|queue, session, recorder| {
            let server = Server::start();
            server.handle(|_| Answer::ok("x"));
            session.data(server.url("/")).unwrap();
            session.data(server.url("/")).unwrap();
            assert_eq!(server.connection_count(), 1);
            let (sender, called) = channel();
            renew(&session, Box::new(move || sender.send(thread::current().id()).unwrap()));
            let thread = called.recv_timeout(HANG).unwrap();
            session.data(server.url("/")).unwrap();
            assert_eq!(server.connection_count(), 2, "{name}, {queue:?}");
            // The same thread as of every other call, if the queue has one.
            session.data_task(server.url("/")).resume();
            recorder.wait_for_completions(1);
            use crate::support::recording::Queue;
            if matches!(queue, Queue::Serial | Queue::Manual) {
                assert_eq!(recorder.calls().last().unwrap().thread, thread, "{name}");
            }
            nothing_is_left(session, &[&server]);
        });
    }
}

#[test]
fn a_reset_does_not_disturb_what_runs() {
    let server = Server::start();
    server.enqueue(Answer::ok("0123456789").stall_in_body_after(5));
    let recorder = Recorder::new();
    let session = recorded_on(DeliveryQueue::serial(), &recorder, |_| {});
    session.data_task(server.url("/")).resume();
    server.wait_until(|stats| stats.stalled == 1);
    let done = Arc::new(Mutex::new(false));
    let sets = Arc::clone(&done);
    session.reset_with(move || *sets.lock().unwrap() = true);
    server.release();
    recorder.wait_for_completions(1);
    assert!(session.wait_until_idle(HANG));
    assert!(*done.lock().unwrap(), "the handler belongs to what `wait_until_idle` waits for");
    let all = [Event::Created(1), response(1, 200), Event::data(1, "0123456789"), Event::done(1)];
    assert_eq!(recorder.events(), all);
    nothing_is_left(session, &[&server]);
}

#[test]
fn bytes_are_counted_whoever_is_told() {
    let server = Server::start();
    server.handle(|_| Answer::status(200).body_of_size(100_000));
    let session = Session::new(urlsession::Configuration::ephemeral()).unwrap();
    let request = Request::put(server.url("/")).body(vec![b'x'; 50_000]);
    let (sender, outcomes) = channel();
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
fn a_total_that_is_told_is_that_of_its_moment() {
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
    let queue = DeliveryQueue::manual(|| ());
    let session = recorded_on(queue.clone(), &recorder, |change| {
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
