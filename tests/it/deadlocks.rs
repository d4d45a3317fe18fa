//! What must never wait for itself: code of the program that calls its own session, tasks that
//! are suspended, and decisions that come late.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Barrier, Mutex};

use urlsession::testing::{Answer, Recorded, Server};
use urlsession::{
    Configuration, DataTask, Delegate, DeliveryQueue, Error, Reply, Request, Response, Session,
    Task, TaskState, Update,
};

use crate::support::recording::Queue;
use crate::support::running::{HANG, Running, nothing_is_left, session, wait_for};

/// Redirects from `/old` and below to `/new`; all else is there at once.
fn redirecting() -> Server {
    let server = Server::start();
    server.handle(|request| match request.path().strip_prefix("/old") {
        Some(rest) => Answer::redirect(302, &format!("/new{rest}")),
        None => Answer::ok(request.path()),
    });
    server
}

fn with(delegate: impl Delegate + 'static, queue: DeliveryQueue) -> Session {
    Session::with_delegate(Configuration::ephemeral(), Arc::new(delegate), queue).unwrap()
}

/// Keeps all six places of the server's host until it is let go.
fn full_house(session: &Session, server: &Server) -> Vec<DataTask> {
    let before = server.stats().stalled;
    let answers = (0..6).map(|_| Answer::ok("late").stall_before_head());
    answers.for_each(|answer| server.enqueue(answer));
    let tasks: Vec<_> = (0..6).map(|_| session.data_task_with(server.url("/"), |_| ())).collect();
    for task in &tasks {
        task.resume();
    }
    server.wait_until(|stats| stats.stalled == before + 6);
    tasks
}

/// A closure that sends what came to `receiver`.
fn sending<T: Send + 'static>() -> (impl Fn(T) + Send + Sync + Clone, Receiver<T>) {
    let (sender, receiver) = channel();
    (move |value| drop(sender.send(value)), receiver)
}

#[test]
fn six_decisions_on_workers_may_each_make_a_blocking_call_to_their_host() {
    struct Deciding {
        all_are_here: Barrier,
        other: String,
    }
    impl Delegate for Deciding {
        fn will_perform_redirect(
            &self,
            task: &Task,
            _response: &Response,
            proposed: Request,
            reply: Reply<Option<Request>>,
        ) {
            self.all_are_here.wait();
            let other = task.session().data(&self.other).unwrap();
            reply.answer((other.body == b"/other").then_some(proposed));
        }
    }
    let server = redirecting();
    let deciding = Deciding { all_are_here: Barrier::new(6), other: server.url("/other") };
    let session = with(deciding, DeliveryQueue::inline());
    let (send, bodies) = sending();
    for at in 0..6 {
        let send = send.clone();
        let url = server.url(&format!("/old/{at}"));
        session.data_task_with(url, move |data| send(data.unwrap().body)).resume();
    }
    let mut bodies: Vec<_> = (0..6).map(|_| bodies.recv_timeout(HANG).unwrap()).collect();
    bodies.sort();
    let expected: Vec<_> = (0..6).map(|at| format!("/new/{at}").into_bytes()).collect();
    assert_eq!(bodies, expected);
    nothing_is_left(session, &[&server]);
}

#[test]
fn a_delivery_may_make_a_blocking_call_although_the_house_is_full() {
    for kind in Queue::ALL {
        let server = Server::start();
        let (queue, _runner) = kind.start();
        let session = Session::with_queue(Configuration::ephemeral(), queue).unwrap();
        let house = full_house(&session, &server);
        server.enqueue(Answer::ok("inside"));
        let (send, bodies) = sending();
        let (inner, url) = (session.clone(), server.url("/"));
        // One that never ran, so that it takes nobody's place.
        let task = session.data_task_with(url.clone(), move |_| {
            send(inner.data(&url).unwrap().body);
            drop(inner);
        });
        let cancelled = Running::start(move || task.cancel());
        assert_eq!(bodies.recv_timeout(HANG).unwrap(), b"inside", "{kind:?}");
        cancelled.outcome();
        server.release();
        assert!(session.wait_until_idle(HANG), "{kind:?}");
        assert!(house.iter().all(|task| task.state() == TaskState::Completed), "{kind:?}");
        drop(house);
        nothing_is_left(session, &[&server]);
    }
}

#[test]
fn a_blocking_call_in_a_delivery_may_be_suspended_and_goes_on_when_it_is_resumed() {
    for kind in Queue::ALL {
        let server = Server::start();
        let (queue, _runner) = kind.start();
        let session = Session::with_queue(Configuration::ephemeral(), queue).unwrap();
        server.enqueue(Answer::ok("outer"));
        server.enqueue(Answer::status(200).body_of_size(20_000).stall_in_body_after(10_000));
        let (send_task, tasks) = sending();
        let (send, lengths) = sending();
        let inner = session.data_task(server.url("/"));
        let outer = session.data_task_with(server.url("/"), move |_| {
            send_task(inner.clone());
            send(inner.run().unwrap().body.len());
        });
        outer.resume();
        let task = tasks.recv_timeout(HANG).unwrap();
        server.wait_until(|stats| stats.stalled == 1);
        wait_for("half of the body", || task.progress().bytes_received == 10_000);
        task.suspend();
        server.release();
        // The read that was under way is the last one.
        wait_for("more of the body", || task.progress().bytes_received > 10_000);
        assert_eq!(lengths.try_recv().ok(), None, "{kind:?}");
        task.resume();
        assert_eq!(lengths.recv_timeout(HANG), Ok(20_000), "{kind:?}");
        drop((task, outer));
        nothing_is_left(session, &[&server]);
    }
}

#[test]
fn a_blocking_call_in_did_create_task_goes_ahead_of_all() {
    struct Asking(String);
    impl Delegate for Asking {
        fn did_create_task(&self, task: &Task) {
            // Its own task is created, too.
            if task.original_request().url().unwrap().path() == "/asks" {
                let data = task.session().data(&self.0).unwrap();
                task.set_description(data.text());
            }
        }
    }
    let server = Server::start();
    let session = with(Asking(server.url("/told")), DeliveryQueue::serial());
    let house = full_house(&session, &server);
    server.enqueue(Answer::ok("what it was told"));
    let (maker, url) = (session.clone(), server.url("/asks"));
    let task = Running::start(move || maker.data_task(url)).outcome();
    assert_eq!(task.description().unwrap(), "what it was told");
    server.release();
    assert!(session.wait_until_idle(HANG));
    drop((house, task));
    nothing_is_left(session, &[&server]);
}

/// Keeps the decisions that it is asked for, and tells of completions.
struct Keeping {
    replies: Sender<(Request, Reply<Option<Request>>)>,
    ended: Box<dyn Fn(Option<Error>) + Send + Sync>,
}

impl Delegate for Keeping {
    fn will_perform_redirect(
        &self,
        _task: &Task,
        _response: &Response,
        proposed: Request,
        reply: Reply<Option<Request>>,
    ) {
        self.replies.send((proposed, reply)).unwrap();
    }

    fn did_complete(&self, _task: &Task, error: Option<&Error>) {
        (self.ended)(error.cloned());
    }
}

#[test]
fn a_decision_may_wait_for_the_end_of_another_task_although_one_alone_may_run() {
    for kind in Queue::ALL {
        let server = redirecting();
        let (replies, kept) = channel();
        let (ended, ends) = sending();
        let mut configuration = Configuration::ephemeral();
        configuration.maximum_connections_per_host = Some(1);
        configuration.maximum_concurrent_tasks = 1;
        let keeping = Arc::new(Keeping { replies, ended: Box::new(ended) });
        let (queue, _runner) = kind.start();
        let session = Session::with_delegate(configuration, keeping, queue).unwrap();
        session.data_task(server.url("/old")).resume();
        let (proposed, reply) = kept.recv_timeout(HANG).unwrap();
        let (other, ended) = channel();
        session.data_task_to(server.url("/other"), &other).resume();
        assert_eq!(ended.recv_timeout(HANG).unwrap().outcome.unwrap().body, b"/other", "{kind:?}");
        reply.answer(Some(proposed));
        assert_eq!(ends.recv_timeout(HANG).unwrap().map(|error| error.to_string()), None);
        assert_eq!(server.request_count(), 3, "{kind:?}");
        nothing_is_left(session, &[&server]);
    }
}

#[test]
fn twenty_tasks_of_one_host_may_wait_for_decisions_at_once() {
    for kind in Queue::ALL {
        let server = redirecting();
        let (replies, kept) = channel();
        let (ended, ends) = sending();
        let (queue, _runner) = kind.start();
        let session = with(Keeping { replies, ended: Box::new(ended) }, queue);
        for _ in 0..20 {
            session.data_task(server.url("/old")).resume();
        }
        let kept: Vec<_> = (0..20).map(|_| kept.recv_timeout(HANG).unwrap()).collect();
        assert_eq!(ends.try_recv().ok().flatten().map(|error| error.to_string()), None);
        // Others are not held up, whoever runs them.
        assert_eq!(session.data(server.url("/other")).unwrap().body, b"/other", "{kind:?}");
        // The last one first.
        for (proposed, reply) in kept.into_iter().rev() {
            reply.answer(Some(proposed));
        }
        for _ in 0..20 {
            let error = ends.recv_timeout(HANG).unwrap();
            assert_eq!(error.map(|error| error.to_string()), None, "{kind:?}");
        }
        nothing_is_left(session, &[&server]);
    }
}

// ---- many that are suspended in their bodies ----

const SUSPENDED: usize = 300;
/// Past so many, one that is suspended gives its connection up and starts over.
const KEPT: usize = 256;
const HALF: usize = 5_000;

/// A body that no other task has.
fn body_of(path: &str) -> Vec<u8> {
    path.bytes().cycle().take(2 * HALF).collect()
}

/// The first answer to each path stalls in the middle of its body.
fn stalling_once() -> impl Fn(&Recorded) -> Answer + Send + Sync {
    let seen = Mutex::new(std::collections::BTreeSet::new());
    move |request| {
        let body = Answer::ok(body_of(request.path()));
        let is_first = seen.lock().unwrap().insert(request.path().to_owned());
        let stalls = is_first && request.path().starts_with("/held");
        if stalls { body.stall_in_body_after(HALF as u64) } else { body }
    }
}

/// Begins a task and returns what waits for its body.
fn begin(session: &Session, url: String, by_updates: bool) -> (Task, Running<Vec<u8>>) {
    if by_updates {
        let updates = session.data_task(url).updates();
        let task = updates.task().clone();
        let collect = move || {
            let mut body = Vec::new();
            for update in updates {
                match update {
                    // Perhaps another one: what came before is worth nothing then.
                    Update::Response(_) => body.clear(),
                    Update::Data(data) => body.extend(data),
                    Update::Finished(outcome) => outcome.unwrap(),
                    _ => {}
                }
            }
            body
        };
        return (task, Running::start(collect));
    }
    let (send, body) = sending();
    let task = session.data_task_with(url, move |data| send(data.unwrap().body));
    let task = task.resume();
    (task.into(), Running::start(move || body.recv_timeout(4 * HANG).unwrap()))
}

#[test]
fn three_hundred_tasks_suspended_in_their_bodies_hold_nobody_up() {
    let server = Server::builder().recording(false).start();
    server.handle(stalling_once());
    let session = session(|_| {});
    let mut held = Vec::new();
    for at in 0..SUSPENDED {
        let path = format!("/held/{at}");
        let (task, body) = begin(&session, server.url(&path), at % 2 == 0);
        wait_for("a part of the body", || task.progress().bytes_received > 0);
        task.suspend();
        held.push((path, task, body));
    }
    assert_eq!(server.request_count(), SUSPENDED as u64);
    // Those beyond leave.
    server.wait_until(|stats| stats.open_connections == KEPT as u64);
    // All six places are free for others, with and without a worker.
    let (others, ended) = channel();
    for at in 0..20 {
        session.data_task_to(server.url(&format!("/other/{at}")), &others).resume();
    }
    for _ in 0..20 {
        ended.recv_timeout(HANG).unwrap().outcome.unwrap();
    }
    let (caller, url) = (session.clone(), server.url("/blocking"));
    let blocking = Running::start(move || caller.data(url).unwrap().body);
    assert_eq!(blocking.outcome(), body_of("/blocking"));
    // What arrives for one that is suspended waits.
    server.wait_until(|stats| stats.stalled == KEPT as u64);
    server.release();
    for (path, task, body) in &held {
        assert!(body.is_running(), "{path}");
        assert_eq!(task.state(), TaskState::Suspended, "{path}");
        task.resume();
    }
    for (path, task, body) in held {
        assert!(body.outcome() == body_of(&path), "{path}");
        assert!(task.error().is_none(), "{path}");
    }
    // Those that gave their connections up have asked again; nobody else has.
    let requests = SUSPENDED + (SUSPENDED - KEPT) + 21;
    assert_eq!(server.request_count(), requests as u64);
    assert!(session.wait_until_idle(HANG));
    nothing_is_left(session, &[&server]);
}
