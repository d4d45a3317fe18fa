//! Calls of the program on the threads that run its tasks: whatever they wait for, others of
//! their host go on.

use std::io::Read;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Barrier, Mutex, OnceLock};

use urlsession::testing::{Answer, Server};
use urlsession::{
    Configuration, Data, Delegate, DeliveryQueue, Error, ErrorKind, Finished, Reply, Request,
    Response, ResponseDisposition, Session, Task, TaskState,
};

use crate::support::running::{HANG, Running, nothing_is_left, wait_for};

/// As many as run on one host at once.
const HOUSE: usize = 6;
/// More than is told in one piece.
const LARGE: usize = 300_000;

fn server() -> Server {
    let server = Server::builder().recording(false).start();
    server.handle(|request| match request.path() {
        "/large" => Answer::status(200).body_of_size(LARGE as u64),
        "/old" => Answer::redirect(302, "/large"),
        _ => Answer::ok("small"),
    });
    server
}

/// In which call of its task a delegate waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Redirect,
    Response,
    Data,
    End,
}

type Wait = Box<dyn Fn(&Session) + Send + Sync>;

/// Waits once for each task, when as many as fill the house are there.
struct Waiting {
    at: At,
    all_are_here: Barrier,
    wait: Wait,
    tasks: Mutex<Vec<u64>>,
    received: AtomicUsize,
    ended: Mutex<Sender<Option<ErrorKind>>>,
}

impl Waiting {
    fn passes(&self, at: At, task: &Task) {
        if at != self.at {
            return;
        }
        {
            let mut tasks = self.tasks.lock().unwrap();
            if tasks.contains(&task.id()) {
                return;
            }
            tasks.push(task.id());
        }
        self.all_are_here.wait();
        (self.wait)(&task.session());
    }
}

impl Delegate for Waiting {
    fn will_perform_redirect(
        &self,
        task: &Task,
        _response: &Response,
        proposed: Request,
        reply: Reply<Option<Request>>,
    ) {
        self.passes(At::Redirect, task);
        reply.answer(Some(proposed));
    }

    fn did_receive_response(
        &self,
        task: &Task,
        _response: &Response,
        reply: Reply<ResponseDisposition>,
    ) {
        self.passes(At::Response, task);
        reply.answer(ResponseDisposition::Allow);
    }

    fn did_receive_data(&self, task: &Task, data: Vec<u8>) {
        self.passes(At::Data, task);
        self.received.fetch_add(data.len(), Ordering::SeqCst);
    }

    fn did_complete(&self, task: &Task, error: Option<&Error>) {
        self.passes(At::End, task);
        self.ended.lock().unwrap().send(error.map(Error::kind)).unwrap();
    }
}

/// A delegate of `HOUSE` tasks, and what tells of their ends.
fn waiting(
    at: At,
    count: usize,
    wait: impl Fn(&Session) + Send + Sync + 'static,
) -> (Arc<Waiting>, Receiver<Option<ErrorKind>>) {
    let (ended, ends) = channel();
    let waiting = Waiting {
        at,
        all_are_here: Barrier::new(count),
        wait: Box::new(wait),
        tasks: Mutex::default(),
        received: AtomicUsize::new(0),
        ended: Mutex::new(ended),
    };
    (Arc::new(waiting), ends)
}

/// Queues that make calls where they are due.
fn in_place() -> [(&'static str, DeliveryQueue); 2] {
    [("inline", DeliveryQueue::inline()), ("custom", DeliveryQueue::custom(|job| job()))]
}

/// What a call may wait for.
fn waits(url: String) -> [(&'static str, Wait); 3] {
    let urls = [url.clone(), url.clone(), url];
    let [own, of_thread, of_task] = urls;
    [
        (
            "its own call",
            Box::new(move |session| assert_eq!(session.data(&own).unwrap().body, b"small")),
        ),
        (
            "the call of another thread",
            Box::new(move |session| {
                let (caller, url) = (session.clone(), of_thread.clone());
                let call = Running::start(move || caller.data(url).unwrap().body);
                assert_eq!(call.outcome(), b"small");
            }),
        ),
        (
            "another task of its host",
            Box::new(move |session| {
                let (outcomes, outcome) = channel::<Finished<Data>>();
                session.data_task_to(&of_task, &outcomes).resume();
                let finished = outcome.recv_timeout(HANG).unwrap();
                assert_eq!(finished.outcome.unwrap().body, b"small");
            }),
        ),
    ]
}

/// Sees that all have ended well, and nothing is left.
fn all_end_well(
    (session, server): (Session, &Server),
    (delegate, ends): &(Arc<Waiting>, Receiver<Option<ErrorKind>>),
    count: usize,
    case: &str,
) {
    for _ in 0..count {
        assert_eq!(ends.recv_timeout(HANG), Ok(None), "{case}");
    }
    assert!(session.wait_until_idle(HANG), "{case}");
    assert_eq!(delegate.received.load(Ordering::SeqCst), count * LARGE, "{case}");
    nothing_is_left(session, &[server]);
}

#[test]
fn calls_on_workers_may_wait_for_other_loads_of_their_host() {
    for at in [At::Redirect, At::Response, At::Data, At::End] {
        for (which, queue) in in_place() {
            for wait in 0..3 {
                let server = server();
                let (what, wait) = waits(server.url("/small")).into_iter().nth(wait).unwrap();
                let case = format!("{which}, in {at:?}, for {what}");
                let told = waiting(at, HOUSE, wait);
                let configuration = Configuration::ephemeral();
                let session =
                    Session::with_delegate(configuration, told.0.clone(), queue.clone()).unwrap();
                for _ in 0..HOUSE {
                    session.data_task(server.url("/old")).resume();
                }
                all_end_well((session, &server), &told, HOUSE, &case);
            }
        }
    }
}

#[test]
fn a_call_on_a_worker_may_wait_for_another_load_although_one_alone_may_run() {
    let server = server();
    for (what, wait) in waits(server.url("/small")) {
        let told = waiting(At::Data, 1, wait);
        let mut configuration = Configuration::ephemeral();
        configuration.maximum_connections_per_host = Some(1);
        configuration.maximum_concurrent_tasks = 1;
        let queue = DeliveryQueue::inline();
        let session = Session::with_delegate(configuration, told.0.clone(), queue).unwrap();
        for _ in 0..3 {
            session.data_task(server.url("/large")).resume();
        }
        all_end_well((session, &server), &told, 3, what);
    }
}

#[test]
fn calls_for_blocking_calls_may_wait_for_other_loads_of_their_host() {
    for at in [At::Response, At::Data, At::End] {
        for wait in 0..3 {
            let server = server();
            let (what, wait) = waits(server.url("/small")).into_iter().nth(wait).unwrap();
            let case = format!("in {at:?}, for {what}");
            let told = waiting(at, HOUSE, wait);
            let session = Session::new(Configuration::ephemeral()).unwrap();
            let calls: Vec<_> = (0..HOUSE)
                .map(|_| {
                    let task = session.data_task(server.url("/large"));
                    task.set_delegate(told.0.clone()).unwrap();
                    Running::start(move || task.run().map(|data| data.response.status()))
                })
                .collect();
            for call in calls {
                assert_eq!(call.outcome().unwrap(), 200, "{case}");
            }
            all_end_well((session, &server), &told, HOUSE, &case);
        }
    }
}

#[test]
fn calls_of_two_sessions_may_wait_for_loads_of_each_other() {
    let server = server();
    let sessions = Arc::new(OnceLock::<[Session; 2]>::new());
    let told = [0, 1].map(|of| {
        let (sessions, url) = (Arc::clone(&sessions), server.url("/small"));
        waiting(At::Data, HOUSE, move |_| {
            let other = &sessions.get().unwrap()[1 - of];
            assert_eq!(other.data(&url).unwrap().body, b"small");
        })
    });
    let queue = DeliveryQueue::inline();
    let made = [0, 1].map(|of: usize| {
        let (delegate, configuration) = (told[of].0.clone(), Configuration::ephemeral());
        Session::with_delegate(configuration, delegate, queue.clone()).unwrap()
    });
    sessions.set(made.clone()).unwrap();
    for session in &made {
        for _ in 0..HOUSE {
            session.data_task(server.url("/large")).resume();
        }
    }
    for (_, ends) in &told {
        for _ in 0..HOUSE {
            assert_eq!(ends.recv_timeout(HANG), Ok(None));
        }
    }
    for session in made {
        assert!(session.wait_until_idle(HANG));
    }
    // The delegates have the sessions.
    drop((told, sessions));
}

#[test]
fn a_task_whose_call_takes_long_can_be_suspended_and_resumed_and_cancelled() {
    let server = server();
    let (sender, go) = channel::<()>();
    let go = Mutex::new(go);
    let told = waiting(At::Data, HOUSE, move |_| go.lock().unwrap().recv_timeout(HANG).unwrap());
    let queue = DeliveryQueue::inline();
    let session =
        Session::with_delegate(Configuration::ephemeral(), told.0.clone(), queue).unwrap();
    let tasks: Vec<_> = (0..HOUSE).map(|_| session.data_task(server.url("/large"))).collect();
    tasks.iter().for_each(|task| {
        task.resume();
    });
    wait_for("all to be called", || told.0.tasks.lock().unwrap().len() == HOUSE);
    // A blocking call has a place of one of them.
    assert_eq!(session.data(server.url("/small")).unwrap().body, b"small");
    tasks[0].cancel();
    tasks[1].suspend();
    assert_eq!(session.data(server.url("/small")).unwrap().body, b"small");
    (0..HOUSE).for_each(|_| sender.send(()).unwrap());
    let mut ended: Vec<_> =
        (1..HOUSE).map(|_| told.1.recv_timeout(HANG).unwrap().is_none()).collect();
    ended.sort_unstable();
    assert_eq!(ended, [false, true, true, true, true]);
    assert_eq!(tasks[1].state(), TaskState::Suspended);
    tasks[1].resume();
    assert_eq!(told.1.recv_timeout(HANG), Ok(None));
    assert!(session.wait_until_idle(HANG));
    drop(tasks);
    nothing_is_left(session, &[&server]);
}

#[test]
fn a_call_that_is_over_soon_keeps_its_place() {
    let server = server();
    let told = waiting(At::End, 1, |_| ());
    let mut configuration = Configuration::ephemeral();
    configuration.maximum_connections_per_host = Some(1);
    let queue = DeliveryQueue::inline();
    let session = Session::with_delegate(configuration, told.0.clone(), queue).unwrap();
    for _ in 0..50 {
        session.data_task(server.url("/large")).resume();
    }
    let mut read = String::new();
    session.bytes(server.url("/small")).unwrap().read_to_string(&mut read).unwrap();
    assert_eq!(read, "small");
    all_end_well((session, &server), &told, 50, "many");
    assert!(server.connection_count() < 10, "{}", server.connection_count());
}
