//! Tasks that wait for their turn.

use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use urlsession::testing::{Answer, Event, OnRedirect, Recorder, Server};
use urlsession::{
    CancelToken, Clock, Configuration, Data, ErrorKind, Finished, Request, Session, Task,
};

use crate::support::recording::recorded;
use crate::support::running::{HANG, Running, Way, nothing_is_left, session, wait_for};

/// A session with one place, which a task has whose server stalls before its head.
struct Narrow {
    session: Session,
    server: Server,
    first: Receiver<Finished<Data>>,
}

impl Narrow {
    fn new(change: impl FnOnce(&mut Configuration)) -> Self {
        let server = Server::start();
        server.handle(|request| match request.path() {
            "/first" => Answer::ok("first").stall_before_head(),
            path => Answer::ok(path),
        });
        let session = session(|configuration| {
            configuration.maximum_connections_per_host = Some(1);
            change(configuration);
        });
        let (sender, first) = channel();
        session.data_task_to(server.url("/first"), &sender).resume();
        server.wait_until(|stats| stats.stalled == 1);
        Self { session, server, first }
    }

    /// Lets the first task come to its end.
    fn release(&self) {
        self.server.release();
        assert_eq!(self.first.recv_timeout(HANG).unwrap().outcome.unwrap().body, b"first");
    }

    fn end(self) {
        assert!(self.session.wait_until_idle(HANG));
        nothing_is_left(self.session, &[&self.server]);
    }
}

/// Returns the paths that were asked for behind the first.
fn asked(server: &Server) -> Vec<String> {
    assert_eq!(server.take_request().path(), "/first");
    std::iter::from_fn(|| server.try_take_request())
        .map(|request| request.path().to_owned())
        .collect()
}

#[test]
fn who_waits_is_served_by_priority_and_then_by_age() {
    let narrow = Narrow::new(|_| {});
    let (sender, outcomes) = channel();
    let priorities = [
        ("/low", Task::PRIORITY_LOW),
        ("/default", Task::PRIORITY_DEFAULT),
        ("/high", Task::PRIORITY_HIGH),
        ("/low-2", Task::PRIORITY_LOW),
        ("/high-2", Task::PRIORITY_HIGH),
        ("/raised", Task::PRIORITY_LOW),
    ];
    let mut tasks = Vec::new();
    for (path, priority) in priorities {
        let task = narrow.session.data_task_to(narrow.server.url(path), &sender);
        task.set_priority(priority);
        task.resume();
        tasks.push(task);
    }
    // While it waits.
    tasks[5].set_priority(1.0);
    narrow.release();
    for _ in 0..6 {
        outcomes.recv_timeout(HANG).unwrap().outcome.unwrap();
    }
    let order = ["/raised", "/high", "/high-2", "/default", "/low", "/low-2"];
    assert_eq!(asked(&narrow.server), order);
    drop(tasks);
    narrow.end();
}

#[test]
fn a_blocking_call_waits_in_the_same_line() {
    let narrow = Narrow::new(|_| {});
    let (sender, outcomes) = channel();
    narrow.session.data_task_to(narrow.server.url("/second"), &sender).resume();
    let waiting = narrow.session.all_tasks().len();
    let call = Way::Data.start(&narrow.session, Request::get(narrow.server.url("/third")));
    wait_for("it stands in line", || narrow.session.all_tasks().len() == waiting + 1);
    assert!(call.is_running_after(Duration::from_millis(10)));
    assert_eq!(narrow.server.request_count(), 1);
    narrow.release();
    assert_eq!(call.outcome().unwrap(), b"/third");
    outcomes.recv_timeout(HANG).unwrap().outcome.unwrap();
    assert_eq!(asked(&narrow.server), ["/second", "/third"]);
    narrow.end();
}

#[test]
fn a_call_of_bytes_keeps_its_place_until_it_was_read() {
    let narrow = Narrow::new(|_| {});
    narrow.release();
    let mut bytes = narrow.session.bytes(narrow.server.url("/bytes")).unwrap();
    let call = Way::Data.start(&narrow.session, Request::get(narrow.server.url("/next")));
    wait_for("it stands in line", || narrow.session.all_tasks().len() == 2);
    assert!(call.is_running_after(Duration::from_millis(10)));
    std::io::Read::read_to_end(&mut bytes, &mut Vec::new()).unwrap();
    assert_eq!(call.outcome().unwrap(), b"/next");
    drop(bytes);
    narrow.end();
}

#[test]
fn the_token_of_its_request_cancels_a_task_that_waits() {
    let narrow = Narrow::new(|_| {});
    let token = CancelToken::new();
    let request = Request::get(narrow.server.url("/never")).cancel_token(&token);
    let (sender, outcomes) = channel();
    narrow.session.data_task_to(&request, &sender).resume();
    let calls = Way::BOTH.map(|way| way.start(&narrow.session, request.clone()));
    wait_for("they stand in line", || narrow.session.all_tasks().len() == 4);
    token.cancel();
    let outcome = outcomes.recv_timeout(HANG).unwrap().outcome;
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Cancelled);
    for call in calls {
        assert_eq!(call.outcome().unwrap_err().kind(), ErrorKind::Cancelled);
    }
    // One that is cancelled already never begins.
    narrow.session.data_task_to(&request, &sender).resume();
    let outcome = outcomes.recv_timeout(HANG).unwrap().outcome;
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Cancelled);
    narrow.release();
    assert!(narrow.session.wait_until_idle(HANG));
    assert_eq!(narrow.server.request_count(), 1);
    narrow.end();
}

#[test]
fn a_task_that_waits_is_cancelled_and_suspended_without_a_trace() {
    let narrow = Narrow::new(|_| {});
    let (sender, outcomes) = channel();
    let make = |path| narrow.session.data_task_to(narrow.server.url(path), &sender);
    let (cancelled, suspended, last) = (make("/cancelled"), make("/suspended"), make("/last"));
    for task in [&cancelled, &suspended, &last] {
        task.resume();
    }
    cancelled.cancel();
    suspended.suspend();
    let outcome = outcomes.recv_timeout(HANG).unwrap().outcome;
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Cancelled);
    narrow.release();
    assert_eq!(outcomes.recv_timeout(HANG).unwrap().outcome.unwrap().body, b"/last");
    assert!(!narrow.session.wait_until_idle(Duration::ZERO), "a suspended task is alive");
    suspended.resume();
    assert_eq!(outcomes.recv_timeout(HANG).unwrap().outcome.unwrap().body, b"/suspended");
    assert_eq!(asked(&narrow.server), ["/last", "/suspended"]);
    drop((cancelled, suspended, last));
    narrow.end();
}

#[test]
fn the_time_of_a_task_passes_while_it_waits_and_not_while_it_is_suspended() {
    let clock = Clock::by_hand();
    let (minute, hour) = (Duration::from_secs(60), Duration::from_secs(3600));
    let narrow = Narrow::new(|configuration| {
        configuration.clock = clock.clone();
        configuration.timeout_for_request = 10 * hour;
        configuration.timeout_for_resource = hour;
    });
    clock.advance(30 * minute);
    let (sender, outcomes) = channel();
    let make = || narrow.session.data_task_to(narrow.server.url("/never"), &sender);
    let (waits, suspended) = (make(), make());
    waits.resume();
    suspended.resume();
    suspended.suspend();
    let call = Way::Data.start(&narrow.session, Request::get(narrow.server.url("/never")));
    wait_for("all stand in line", || narrow.session.all_tasks().len() == 4);
    clock.advance(29 * minute);
    assert!(matches!(
        outcomes.recv_timeout(Duration::from_millis(20)),
        Err(std::sync::mpsc::RecvTimeoutError::Timeout)
    ));
    assert!(call.is_running());
    // The first is over as well now, and its place would be free.
    clock.advance(31 * minute);
    let finished = outcomes.recv_timeout(HANG).unwrap();
    assert_eq!(
        (finished.id, finished.outcome.map(|_| ()).unwrap_err().kind()),
        (waits.id(), ErrorKind::TimedOut)
    );
    let error = call.outcome().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
    let first = narrow.first.recv_timeout(HANG).unwrap();
    assert_eq!(first.outcome.unwrap_err().kind(), ErrorKind::TimedOut);
    suspended.resume();
    assert_eq!(outcomes.recv_timeout(HANG).unwrap().outcome.unwrap().body, b"/never");
    drop((waits, suspended, finished.task, first.task));
    narrow.end();
}

#[test]
fn a_redirect_to_another_host_takes_a_place_there() {
    let (from, to) = (Server::start(), Server::start());
    let target = to.url("/target");
    from.handle(move |request| match request.path() {
        "/moved" => Answer::redirect(302, &target),
        path => Answer::ok(path),
    });
    to.handle(|request| match request.path() {
        "/first" => Answer::ok("first").stall_before_head(),
        path => Answer::ok(path),
    });
    let session = session(|configuration| configuration.maximum_connections_per_host = Some(1));
    let (sender, outcomes) = channel();
    session.data_task_to(to.url("/first"), &sender).resume();
    to.wait_until(|stats| stats.stalled == 1);
    let moved = session.data_task_to(from.url("/moved"), &sender);
    moved.resume();
    let call = Way::Data.start(&session, Request::get(from.url("/moved")));
    from.wait_until(|stats| stats.answers == 2);
    // Both have come from there, and their place with them.
    assert_eq!(session.data(from.url("/other")).unwrap().body, b"/other");
    assert_eq!(to.request_count(), 1);
    assert!(call.is_running());
    to.release();
    assert_eq!(call.outcome().unwrap(), b"/target");
    for _ in 0..2 {
        outcomes.recv_timeout(HANG).unwrap().outcome.unwrap();
    }
    assert_eq!(to.connection_count(), 1);
    drop(moved);
    assert!(session.wait_until_idle(HANG));
    nothing_is_left(session, &[&from, &to]);
}

#[test]
fn tasks_whose_decision_is_held_give_their_places_to_others() {
    let server = Server::start();
    server.handle(|request| match request.path() {
        "/old" => Answer::redirect(302, "/new"),
        path => Answer::ok(path),
    });
    let recorder = Recorder::new();
    let session = recorded(&recorder, |configuration| {
        configuration.maximum_connections_per_host = Some(2);
        configuration.maximum_concurrent_tasks = 2;
    });
    recorder.on_redirect(OnRedirect::Hold);
    for _ in 0..10 {
        session.data_task(server.url("/old")).resume();
    }
    let held: Vec<_> = (0..10).map(|_| recorder.take_redirect()).collect();
    assert_eq!(session.data(server.url("/other")).unwrap().body, b"/other");
    for held in held {
        held.follow();
    }
    recorder.wait_for_completions(10);
    for id in 1..=10 {
        assert_eq!(recorder.events_of(id).pop(), Some(Event::done(id)));
    }
    nothing_is_left(session, &[&server]);
}

#[test]
fn a_blocking_call_waits_in_line_no_longer_than_for_anything_else() {
    for patience in [7, 20] {
        let clock = Clock::by_hand();
        let narrow = Narrow::new(|configuration| {
            configuration.clock = clock.clone();
            configuration.timeout_for_request = Duration::from_secs(1000);
            configuration.timeout_for_resource = Duration::from_secs(1000);
        });
        let (session, url) = (narrow.session.clone(), narrow.server.url("/second"));
        let running = Running::start(move || {
            session.data(Request::get(url).timeout_for_request(Duration::from_secs(patience)))
        });
        wait_for("it is there", || narrow.session.all_tasks().len() == 2);
        let mut seconds = 0;
        while running.is_running_after(Duration::from_millis(20)) {
            clock.advance(Duration::from_secs(1));
            seconds += 1;
            assert!(seconds < 500, "it waits on");
        }
        assert!(seconds >= patience, "{seconds} s");
        let error = running.outcome().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut, "{patience} s");
        assert!(error.to_string().contains("waited in line"), "{error}");
        narrow.server.release();
        let _ = narrow.first.recv_timeout(HANG).unwrap();
        assert!(narrow.session.wait_until_idle(HANG));
        nothing_is_left(narrow.session, &[&narrow.server]);
    }
}

#[test]
fn a_task_waits_in_line_as_long_as_its_resource_may_take() {
    let clock = Clock::by_hand();
    let narrow = Narrow::new(|configuration| {
        configuration.clock = clock.clone();
        configuration.timeout_for_request = Duration::from_secs(1000);
        configuration.timeout_for_resource = Duration::from_secs(500);
    });
    let (sender, outcomes) = channel();
    narrow.session.data_task_to(narrow.server.url("/second"), &sender).resume();
    clock.advance(Duration::from_secs(499));
    assert!(outcomes.recv_timeout(Duration::from_millis(50)).is_err());
    clock.advance(Duration::from_secs(2));
    let error = outcomes.recv_timeout(HANG).unwrap().outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    narrow.server.release();
    let _ = narrow.first.recv_timeout(HANG).unwrap();
    nothing_is_left(narrow.session, &[&narrow.server]);
}
