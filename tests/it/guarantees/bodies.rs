//! Timers, statuses, bodies, errors, and who is told.

use std::sync::{Arc, Mutex, Weak};
use std::thread;
use std::time::Duration;

use urlsession::testing::{Answer, Event, OnRedirect, OnResponse, Recorder, Refusal, Server};
use urlsession::{
    Clock, Delegate, Error, ErrorKind, Progress, Request, Response, ResponseDisposition, Task,
    TaskState,
};

use crate::support::recording::{on_every_queue, recorded, redirect, response};
use crate::support::running::{HANG, nothing_is_left, wait_for};

#[test]
fn every_byte_starts_the_idle_timer_anew_and_none_the_other() {
    let second = Duration::from_secs(1);
    // Both timers in seconds, how many pieces come 9 seconds apart, how it ends.
    for (idle, whole, pieces, error) in [
        (10, 1000, 8, None),
        (8, 1000, 2, Some(ErrorKind::TimedOut)),
        (10, 40, 8, Some(ErrorKind::TimedOut)),
    ] {
        let clock = Clock::by_hand();
        let server = Server::start();
        let mut answer = Answer::status(200).body_of_size(8);
        for at in 1..pieces {
            answer = answer.stall_in_body_after(at);
        }
        server.enqueue(answer);
        let recorder = Recorder::new();
        let session = recorded(&recorder, |change| {
            change.clock = clock.clone();
            change.timeout_for_request = idle * second;
            change.timeout_for_resource = whole * second;
        });
        session.data_task(server.url("/")).resume();
        for at in 1..pieces {
            let come = |count: u64| {
                move |events: &[Event]| {
                    let bytes = events.iter().map(|event| match event {
                        Event::Data { bytes, .. } => bytes.len() as u64,
                        _ => 0,
                    });
                    events.iter().any(Event::is_completion) || bytes.sum::<u64>() >= count
                }
            };
            recorder.wait_for(come(at));
            if recorder.events().iter().any(Event::is_completion) {
                break;
            }
            clock.advance(9 * second);
            if 9 >= idle || 9 * at >= u64::from(whole) {
                // The wait may have begun later than the test thinks.
                wait_for("the end", || {
                    clock.advance(second);
                    recorder.events().iter().any(Event::is_completion)
                });
                break;
            }
            server.wait_until(|stats| stats.stalled == 1);
            server.release();
        }
        recorder.wait_for_completions(1);
        let last = recorder.events().pop();
        assert_eq!(last, Some(Event::Complete { id: 1, error }), "{idle} s, {whole} s");
        nothing_is_left(session, &[&server]);
    }
}

#[test]
fn a_status_of_400_or_more_is_no_error() {
    on_every_queue(|queue, session, recorder| {
        let server = Server::start();
        for (id, status) in (1..).zip([400, 404, 410, 500, 503, 599]) {
            server.enqueue(Answer::status(status).body("why"));
            session.data_task(server.url("/")).resume();
            recorder.wait_for_completions(1);
            let all =
                [Event::Created(id), response(id, status), Event::data(id, "why"), Event::done(id)];
            assert_eq!(recorder.take_events(), all, "{queue:?}");
        }
        nothing_is_left(session, &[&server]);
    });
}

#[test]
fn no_data_is_told_where_there_is_no_body() {
    on_every_queue(|queue, session, recorder| {
        let server = Server::start();
        type Make = fn(String) -> Request;
        let cases: [(Make, Answer, u16); 4] = [
            (Request::head, Answer::ok("hello"), 200),
            (Request::get, Answer::status(204).no_framing(), 204),
            (Request::get, Answer::status(304).no_framing(), 304),
            (Request::get, Answer::ok(""), 200),
        ];
        for (id, (make, answer, status)) in (1..).zip(cases) {
            server.enqueue(answer);
            session.data_task(make(server.url("/"))).resume();
            recorder.wait_for_completions(1);
            let all = [Event::Created(id), response(id, status), Event::done(id)];
            assert_eq!(recorder.take_events(), all, "{queue:?}");
        }
        nothing_is_left(session, &[&server]);
    });
}

#[test]
fn an_error_before_the_response_comes_without_one() {
    on_every_queue(|queue, session, recorder| {
        let refusal = Refusal::start();
        let server = Server::start();
        server.enqueue(Answer::ok("0123456789").truncate_after(5));
        let early = session.data_task(refusal.url("/"));
        early.resume();
        recorder.wait_for_completions(1);
        let told = [Event::Created(1), Event::failed(1, ErrorKind::CannotConnectToHost)];
        assert_eq!(recorder.take_events(), told, "{queue:?}");
        assert!(early.response().is_none());
        let late = session.data_task(server.url("/"));
        late.resume();
        recorder.wait_for_completions(1);
        let told = [
            Event::Created(2),
            response(2, 200),
            Event::data(2, "01234"),
            Event::failed(2, ErrorKind::NetworkConnectionLost),
        ];
        assert_eq!(recorder.events(), told, "{queue:?}");
        assert_eq!(late.response().unwrap().status(), 200);
        drop((early, late));
        nothing_is_left(session, &[&server]);
    });
}

#[test]
fn identifiers_are_unique_in_a_session_and_grow() {
    let recorder = Recorder::new();
    let session = recorded(&recorder, |_| {});
    let all = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let ids: Vec<_> =
                    (0..100).map(|_| session.data_task("http://127.0.0.1:9/").id()).collect();
                assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
                all.lock().unwrap().extend(ids);
            });
        }
    });
    let mut ids = all.into_inner().unwrap();
    ids.sort_unstable();
    assert_eq!(ids, (1..=800).collect::<Vec<_>>());
    nothing_is_left(session, &[]);
}

/// Knows nothing but data.
struct DataOnly(Recorder);

impl Delegate for DataOnly {
    fn did_receive_data(&self, task: &Task, data: Vec<u8>) {
        self.0.did_receive_data(task, data);
    }
}

/// Knows all but data.
struct AllButData(Recorder);

impl Delegate for AllButData {
    fn will_perform_redirect(
        &self,
        task: &Task,
        response: &Response,
        proposed: Request,
        reply: urlsession::Reply<Option<Request>>,
    ) {
        self.0.will_perform_redirect(task, response, proposed, reply);
    }

    fn did_receive_response(
        &self,
        task: &Task,
        response: &Response,
        reply: urlsession::Reply<ResponseDisposition>,
    ) {
        self.0.did_receive_response(task, response, reply);
    }

    fn did_make_progress(&self, task: &Task, progress: Progress) {
        self.0.did_make_progress(task, progress);
    }

    fn did_complete(&self, task: &Task, error: Option<&Error>) {
        self.0.did_complete(task, error);
    }
}

#[test]
fn a_task_s_delegate_comes_first_and_what_it_lacks_goes_to_the_session_s() {
    on_every_queue(|queue, session, recorder| {
        let server = Server::start();
        server.handle(|request| match request.path() {
            "/old" => Answer::redirect(302, "/new"),
            _ => Answer::ok("hello"),
        });
        let own = recorder.named("task");
        own.on_redirect(OnRedirect::Follow).on_response(OnResponse::Allow);
        let delegates: [(Arc<dyn Delegate>, [&str; 5]); 3] = [
            (own.delegate(), ["", "task", "task", "task", "task"]),
            (Arc::new(DataOnly(own.clone())), ["", "", "", "task", ""]),
            (Arc::new(AllButData(own.clone())), ["", "task", "task", "", "task"]),
        ];
        for (id, (delegate, names)) in (1..).zip(delegates) {
            let task = session.data_task(server.url("/old"));
            let kept: Weak<dyn Delegate> = Arc::downgrade(&delegate);
            task.set_delegate(delegate).unwrap();
            task.resume();
            recorder.wait_for_completions(1);
            assert!(session.wait_until_idle(HANG));
            let calls = recorder.calls();
            let told: Vec<_> = calls.iter().map(|call| call.recorder.as_str()).collect();
            assert_eq!(told, names, "{queue:?}");
            let all = [
                Event::Created(id),
                redirect(id, 302, "/new"),
                response(id, 200),
                Event::data(id, "hello"),
                Event::done(id),
            ];
            assert_eq!(recorder.take_events(), all, "{queue:?}");
            assert!(task.delegate().is_none(), "{queue:?}");
            assert!(kept.upgrade().is_none(), "{queue:?}: kept after the completion");
        }
        nothing_is_left(session, &[&server]);
    });
}

#[test]
fn a_delegate_that_drops_its_reply_leaves_the_decision_to_the_next() {
    on_every_queue(|queue, session, recorder| {
        let server = Server::start();
        server.handle(|_| Answer::redirect(302, "/new").body("moved"));
        recorder.on_redirect(OnRedirect::Stay).on_response(OnResponse::Cancel);
        let own = recorder.named("task");
        let task = session.data_task(server.url("/old"));
        task.set_delegate(own.delegate()).unwrap();
        task.resume();
        recorder.wait_for_completions(1);
        let told = [
            Event::Created(1),
            redirect(1, 302, "/new"),
            redirect(1, 302, "/new"),
            response(1, 302),
            response(1, 302),
            Event::failed(1, ErrorKind::Cancelled),
        ];
        assert_eq!(recorder.events(), told, "{queue:?}");
        let calls = recorder.calls();
        let names: Vec<_> = calls.iter().map(|call| call.recorder.as_str()).collect();
        assert_eq!(names, ["", "task", "", "task", "", "task"], "{queue:?}");
        drop(task);
        nothing_is_left(session, &[&server]);
    });
}

#[test]
fn timeouts_are_exact_and_there_are_two() {
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
fn the_delegate_of_a_task_is_told_everything_and_let_go() {
    on_every_queue(|queue, session, recorder| {
        let server = Server::start();
        server.enqueue(Answer::redirect(302, "/new"));
        server.enqueue(Answer::ok("hello"));
        let own = recorder.named("task");
        own.on_response(OnResponse::Allow).on_redirect(OnRedirect::Follow);
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
