//! Tasks whose delegate takes nothing let others of their host go on: whatever code of the
//! program waits for another load, it does not wait for itself.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

use urlsession::testing::{Answer, Server};
use urlsession::{
    Configuration, Data, DataTask, Delegate, DeliveryQueue, Error, ErrorKind, Finished, Reply,
    Response, ResponseDisposition, Session, Task, TaskState,
};

use crate::support::recording::{Loop, Queue};
use crate::support::running::{HANG, Running, nothing_is_left, wait_for};

/// As many as run on one host at once.
const HOUSE: usize = 6;
/// More than may wait for a delegate.
const LARGE: usize = 3 << 20;

/// `/large` is large and stalls behind its head, everything else is small.
fn server() -> Server {
    let server = Server::builder().recording(false).start();
    server.handle(|request| match request.path() {
        "/large" => Answer::status(200).body_of_size(LARGE as u64).stall_after_head(),
        _ => Answer::ok("small"),
    });
    server
}

/// Counts what it is told.
#[derive(Default)]
struct Counting {
    responses: AtomicUsize,
    received: AtomicUsize,
    ended: Mutex<Vec<Option<ErrorKind>>>,
}

impl Delegate for Counting {
    fn did_receive_response(
        &self,
        _task: &Task,
        _response: &Response,
        reply: Reply<ResponseDisposition>,
    ) {
        self.responses.fetch_add(1, Ordering::SeqCst);
        reply.answer(ResponseDisposition::Allow);
    }

    fn did_receive_data(&self, _task: &Task, data: Vec<u8>) {
        self.received.fetch_add(data.len(), Ordering::SeqCst);
    }

    fn did_complete(&self, _task: &Task, error: Option<&Error>) {
        self.ended.lock().unwrap().push(error.map(Error::kind));
    }
}

impl Counting {
    /// Sees that so many bodies came whole.
    fn has_all(&self, tasks: usize, case: &str) {
        assert_eq!(*self.ended.lock().unwrap(), vec![None; tasks], "{case}");
        assert_eq!(self.received.load(Ordering::SeqCst), tasks * LARGE, "{case}");
    }
}

fn counted(
    queue: &DeliveryQueue,
    change: impl FnOnce(&mut Configuration),
) -> (Session, Arc<Counting>) {
    let counting = Arc::new(Counting::default());
    let mut configuration = Configuration::ephemeral();
    change(&mut configuration);
    let session = Session::with_delegate(configuration, counting.clone(), queue.clone()).unwrap();
    (session, counting)
}

/// Has so many tasks come to their bodies, which do not come yet, each with its place.
fn answered(
    session: &Session,
    server: &Server,
    (queue, counting): (&DeliveryQueue, &Counting),
    count: usize,
) -> Vec<DataTask> {
    let tasks: Vec<_> = (0..count).map(|_| session.data_task(server.url("/large"))).collect();
    for task in &tasks {
        task.resume();
    }
    wait_for("the responses", || {
        queue.run_pending();
        counting.responses.load(Ordering::SeqCst) == count
    });
    server.wait_until(|stats| stats.stalled == count as u64);
    tasks
}

/// Holds up the queue of `session` with a call that ends by what it is given.
fn hold_up(session: &Session, call: impl FnOnce() + Send + 'static) {
    let (begins, begun) = channel();
    session.flush_with(move || {
        begins.send(()).unwrap();
        call();
    });
    begun.recv_timeout(HANG).unwrap();
}

/// Has the bodies come until nothing more of them is taken.
fn stream(server: &Server, tasks: &[DataTask]) {
    server.release();
    tasks.iter().for_each(|task| is_stuck(task));
}

/// Waits until nothing more comes, as what came before is not taken.
fn is_stuck(task: &Task) {
    wait_for("a body that is not taken", || task.progress().bytes_received >= 1 << 20);
}

/// Makes the calls of a manual queue until the session is idle.
fn run_until_idle(queue: &DeliveryQueue, session: &Session) {
    wait_for("the end of all", || {
        queue.run_pending();
        session.wait_until_idle(Duration::ZERO)
    });
}

/// Queues whose calls are made one after the other, with what keeps them running.
fn one_by_one() -> [(&'static str, DeliveryQueue, Loop); 3] {
    let (sender, jobs) = channel::<Box<dyn FnOnce() + Send>>();
    std::thread::spawn(move || jobs.into_iter().for_each(|job| job()));
    let custom = DeliveryQueue::custom(move |job| sender.send(job).unwrap());
    let (serial, manual) = (Queue::Serial.start(), Queue::Manual.start());
    [
        ("serial", serial.0, serial.1),
        ("manual", manual.0, manual.1),
        ("custom", custom, Loop::default()),
    ]
}

#[test]
fn the_thread_of_a_manual_queue_may_make_a_blocking_call_while_all_tasks_stream_to_it() {
    let server = server();
    let queue = DeliveryQueue::manual(|| ());
    let (session, counting) = counted(&queue, |_| {});
    let tasks = answered(&session, &server, (&queue, &counting), HOUSE);
    stream(&server, &tasks);
    let (caller, url) = (session.clone(), server.url("/small"));
    let call = Running::start(move || caller.data(url).unwrap().body);
    assert_eq!(call.outcome(), b"small");
    run_until_idle(&queue, &session);
    counting.has_all(HOUSE, "manual");
    drop((tasks, queue));
    nothing_is_left(session, &[&server]);
}

#[test]
fn two_sessions_on_one_queue_do_not_wait_for_each_other() {
    for (case, queue, _loop) in one_by_one() {
        let server = server();
        let (streams, counting) = counted(&queue, |_| {});
        let other = Session::with_queue(Configuration::ephemeral(), queue.clone()).unwrap();
        let tasks = answered(&streams, &server, (&queue, &counting), HOUSE);
        let (goes, go) = channel::<()>();
        let (sends, sent) = channel();
        let (inner, url) = (streams.clone(), server.url("/small"));
        hold_up(&other, move || {
            go.recv().unwrap();
            sends.send(inner.data(url).unwrap().body).unwrap();
        });
        stream(&server, &tasks);
        goes.send(()).unwrap();
        assert_eq!(sent.recv_timeout(HANG).unwrap(), b"small", "{case}");
        assert!(streams.wait_until_idle(HANG) && other.wait_until_idle(HANG), "{case}");
        counting.has_all(HOUSE, case);
        drop((tasks, queue));
        nothing_is_left(other, &[]);
        nothing_is_left(streams, &[&server]);
    }
}

#[test]
fn a_closure_may_wait_for_the_call_of_another_thread() {
    for (case, queue, _loop) in one_by_one() {
        let server = server();
        let (session, counting) = counted(&queue, |_| {});
        let tasks = answered(&session, &server, (&queue, &counting), HOUSE);
        let (goes, go) = channel::<()>();
        let (sends, sent) = channel();
        let (caller, url) = (session.clone(), server.url("/small"));
        hold_up(&session, move || {
            go.recv().unwrap();
            let call = Running::start(move || caller.data(url).unwrap().body);
            sends.send(call.outcome()).unwrap();
        });
        stream(&server, &tasks);
        goes.send(()).unwrap();
        assert_eq!(sent.recv_timeout(HANG).unwrap(), b"small", "{case}");
        assert!(session.wait_until_idle(HANG), "{case}");
        counting.has_all(HOUSE, case);
        drop((tasks, queue));
        nothing_is_left(session, &[&server]);
    }
}

#[test]
fn a_closure_may_wait_for_the_outcome_of_another_task_although_one_alone_may_run() {
    for (case, queue, _loop) in one_by_one() {
        let server = server();
        let (session, counting) = counted(&queue, |configuration| {
            configuration.maximum_connections_per_host = Some(1);
            configuration.maximum_concurrent_tasks = 1;
        });
        let tasks = answered(&session, &server, (&queue, &counting), 1);
        let (outcomes, outcome) = channel::<Finished<Data>>();
        let (sends, sent) = channel();
        hold_up(&session, move || {
            let finished = outcome.recv_timeout(HANG);
            let _ = sends.send(finished.map(|finished| finished.outcome.unwrap().body));
        });
        stream(&server, &tasks);
        session.data_task_to(server.url("/small"), &outcomes).resume();
        let body = sent.recv_timeout(2 * HANG).unwrap();
        assert_eq!(body.unwrap(), b"small", "{case}");
        assert!(session.wait_until_idle(HANG), "{case}");
        counting.has_all(1, case);
        drop((tasks, queue));
        nothing_is_left(session, &[&server]);
    }
}

#[test]
fn one_that_waits_for_its_delegate_can_be_suspended_and_resumed_and_cancelled() {
    let server = server();
    let queue = DeliveryQueue::manual(|| ());
    let (session, counting) = counted(&queue, |_| {});
    let tasks = answered(&session, &server, (&queue, &counting), HOUSE);
    stream(&server, &tasks);
    tasks.iter().for_each(|task| task.suspend());
    // Whatever was taken meanwhile, they stay where they are.
    queue.run_pending();
    assert!(tasks.iter().all(|task| task.state() == TaskState::Suspended));
    assert_eq!(session.data(server.url("/small")).unwrap().body, b"small");
    tasks[1..].iter().for_each(|task| {
        task.resume();
    });
    tasks[0].cancel();
    run_until_idle(&queue, &session);
    let mut ended = counting.ended.lock().unwrap().clone();
    ended.sort_by_key(Option::is_some);
    assert_eq!(ended.pop(), Some(Some(ErrorKind::Cancelled)));
    assert_eq!(ended, [None; HOUSE - 1]);
    assert!(counting.received.load(Ordering::SeqCst) >= (HOUSE - 1) * LARGE);
    drop((tasks, queue));
    nothing_is_left(session, &[&server]);
}

#[test]
fn the_order_and_the_bytes_of_each_body_are_those_that_were_sent() {
    /// Adds up the bodies of tasks, each on its own.
    #[derive(Default)]
    struct Keeping(Mutex<BTreeMap<u64, Vec<u8>>>);
    impl Delegate for Keeping {
        fn did_receive_data(&self, task: &Task, data: Vec<u8>) {
            self.0.lock().unwrap().entry(task.id()).or_default().extend(data);
        }
    }
    let server = Server::builder().recording(false).start();
    server.handle(|request| Answer::ok(pattern(request.path(), LARGE)));
    let keeping = Arc::new(Keeping::default());
    let queue = DeliveryQueue::manual(|| ());
    let session =
        Session::with_delegate(Configuration::ephemeral(), keeping.clone(), queue.clone()).unwrap();
    for id in 1..=3 * HOUSE {
        session.data_task(server.url(&format!("/{id}"))).resume();
    }
    run_until_idle(&queue, &session);
    let bodies = std::mem::take(&mut *keeping.0.lock().unwrap());
    assert_eq!(bodies.len(), 3 * HOUSE);
    for (id, body) in bodies {
        assert!(body == pattern(&format!("/{id}"), LARGE), "{id}");
    }
    drop(queue);
    nothing_is_left(session, &[&server]);
}

/// A body that no other path has.
fn pattern(path: &str, length: usize) -> Vec<u8> {
    let mut body = format!("{path} 0123456789").repeat(length / path.len()).into_bytes();
    body.truncate(length);
    body
}

/// Takes nothing before it is let.
struct Holding(RwLock<()>);

impl Delegate for Holding {
    fn did_receive_data(&self, _task: &Task, _data: Vec<u8>) {
        drop(self.0.read().unwrap());
    }
}

#[test]
fn a_delegate_that_holds_pieces_holds_up_nobody_but_their_tasks() {
    const MANY: usize = 30;
    // A thread for each, as each is held.
    let queue = DeliveryQueue::custom(|job| drop(std::thread::spawn(job)));
    let server = server();
    let holding = Arc::new(Holding(RwLock::default()));
    let session =
        Session::with_delegate(Configuration::ephemeral(), holding.clone(), queue).unwrap();
    let held = holding.0.write().unwrap();
    let tasks: Vec<_> = (0..MANY).map(|_| session.data_task(server.url("/large"))).collect();
    tasks.iter().for_each(|task| {
        task.resume();
    });
    for task in &tasks {
        wait_for("a body that is not taken", || {
            server.release();
            task.progress().bytes_received >= 1 << 20
        });
    }
    let (outcomes, outcome) = channel();
    for _ in 0..MANY {
        session.data_task_to(server.url("/small"), &outcomes).resume();
    }
    for _ in 0..MANY {
        assert_eq!(outcome.recv_timeout(HANG).unwrap().outcome.unwrap().body, b"small");
    }
    drop(held);
    assert!(session.wait_until_idle(HANG));
    assert!(tasks.iter().all(|task| task.progress().bytes_received == LARGE as u64));
    drop((tasks, outcome, holding));
    nothing_is_left(session, &[&server]);
}
