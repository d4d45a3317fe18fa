//! What the program gave may panic when it is dropped, also where it has panicked already:
//! each task ends once, with what it has come to, and the process lives.

use std::io::{self, Read};
use std::panic::panic_any;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::{error, fmt, thread};

use urlsession::testing::{Answer, Server};
use urlsession::{
    AuthenticationMethod, Body, Configuration, Credential, CredentialStorage, Delegate,
    DeliveryQueue, Error, ErrorKind, ProtectionSpace, Reply, Request, Resolver, Response, Session,
    Task, TaskState,
};

use crate::support::recording::Queue;
use crate::support::running::{HANG, nothing_is_left, wait_for};

/// Counts what was dropped.
#[derive(Clone, Default)]
struct Drops(Arc<AtomicUsize>);

impl Drops {
    fn spite(&self) -> Spite {
        Spite(self.clone())
    }

    /// Waits until so many were dropped, and sees that no more were.
    fn are(&self, count: usize, case: &str) {
        wait_for(case, || self.0.load(Ordering::SeqCst) >= count);
        assert_eq!(self.0.load(Ordering::SeqCst), count, "{case}");
    }
}

/// Panics whenever it is dropped, also while another panic goes on.
struct Spite(Drops);

impl Drop for Spite {
    fn drop(&mut self) {
        self.0.0.fetch_add(1, Ordering::SeqCst);
        panic!("on purpose, by what is dropped");
    }
}

type Outcome = Result<(), ErrorKind>;

/// A delegate that tells of the end of each task, and may panic then.
struct Spiteful {
    ended: Sender<Outcome>,
    panics: bool,
    _spite: Spite,
}

impl Delegate for Spiteful {
    fn did_complete(&self, _task: &Task, error: Option<&Error>) {
        self.ended.send(error.map_or(Ok(()), |error| Err(error.kind()))).unwrap();
        assert!(!self.panics, "on purpose, by a method");
    }

    fn did_become_invalid(&self, _session: &Session, _error: Option<&Error>) {
        assert!(!self.panics, "on purpose, by the last method");
    }
}

fn spiteful(drops: &Drops, panics: bool) -> (Arc<Spiteful>, Receiver<Outcome>) {
    let (ended, ends) = channel();
    (Arc::new(Spiteful { ended, panics, _spite: drops.spite() }), ends)
}

/// A reader that ends at once, or panics.
struct Reads {
    panics: bool,
    _spite: Spite,
}

impl Read for Reads {
    fn read(&mut self, _buffer: &mut [u8]) -> io::Result<usize> {
        assert!(!self.panics, "on purpose, by a reader");
        Ok(0)
    }
}

fn server() -> Server {
    let server = Server::start();
    server.handle(|request| match request.path() {
        "/old" => Answer::redirect(307, "/new"),
        "/older" => Answer::redirect(307, "/new/late"),
        _ => Answer::ok("hello"),
    });
    server
}

/// Begins a task with a closure.
fn begin(session: &Session, request: Request) -> (Task, Receiver<Outcome>) {
    let (sender, ends) = channel();
    let task = session.data_task_with(request, move |outcome| {
        sender.send(outcome.map(|_| ()).map_err(|error| error.kind())).unwrap();
    });
    (task.resume().into(), ends)
}

/// Sees that a task has ended once, as expected.
fn ended_once(ends: &Receiver<Outcome>, expected: Outcome, case: &str) {
    assert_eq!(ends.recv_timeout(HANG), Ok(expected), "{case}");
    assert!(ends.try_recv().is_err(), "{case}: told once more");
}

/// Sees that the session goes on, and then leaves nothing.
fn goes_on_and_ends(session: Session, server: &Server, case: &str) {
    let (task, ends) = begin(&session, Request::get(server.url("/")));
    ended_once(&ends, Ok(()), case);
    drop(task);
    assert!(session.wait_until_idle(HANG), "{case}");
    nothing_is_left(session, &[server]);
}

/// Goes through a case on every kind of queue.
fn on_each_queue(case: impl Fn(&Server, &Drops, DeliveryQueue, &str)) {
    for kind in Queue::ALL {
        let (server, drops) = (server(), Drops::default());
        let (queue, _loop) = kind.start();
        case(&server, &drops, queue, &format!("{kind:?}"));
    }
}

fn with_queue(queue: DeliveryQueue) -> Session {
    Session::with_queue(Configuration::ephemeral(), queue).unwrap()
}

// ---- delegates ----

#[test]
fn the_delegate_of_a_session_may_panic_in_its_methods_and_when_it_is_dropped() {
    for panics in [false, true] {
        on_each_queue(|server, drops, queue, case| {
            let (delegate, ends) = spiteful(drops, panics);
            let configuration = Configuration::ephemeral();
            let session = Session::with_delegate(configuration, delegate, queue).unwrap();
            let task = (*session.data_task(server.url("/"))).clone();
            task.resume();
            ended_once(&ends, Ok(()), case);
            wait_for("the end", || task.state() == TaskState::Completed);
            drop(task);
            goes_on_and_ends(session, server, case);
            drops.are(1, case);
        });
    }
}

#[test]
fn the_delegate_of_a_task_may_panic_in_its_methods_and_when_it_is_dropped() {
    for panics in [false, true] {
        on_each_queue(|server, drops, queue, case| {
            let session = with_queue(queue);
            type Begin = fn(&Session, &str, Arc<Spiteful>) -> Outcome;
            let ways: [Begin; 4] = [
                |session, url, delegate| {
                    let task = session.data_task(url);
                    task.set_delegate(delegate).unwrap();
                    task.resume();
                    Ok(())
                },
                |session, url, delegate| {
                    let task = session.data_task(url);
                    task.set_delegate(delegate).unwrap();
                    match task.run() {
                        // It was told of its end before.
                        Err(error) if error.kind() != ErrorKind::DelegatePanicked => {
                            Err(error.kind())
                        }
                        _ => Ok(()),
                    }
                },
                |session, url, delegate| {
                    let task = session.data_task(url);
                    task.set_delegate(delegate).unwrap();
                    task.cancel();
                    Err(ErrorKind::Cancelled)
                },
                |session, url, delegate| {
                    let task = session.download_task(url);
                    task.set_delegate(delegate).unwrap();
                    task.resume();
                    Ok(())
                },
            ];
            for (way, begin) in ways.into_iter().enumerate() {
                let (delegate, ends) = spiteful(drops, panics);
                let expected = begin(&session, &server.url("/"), delegate);
                ended_once(&ends, expected, case);
                drops.are(way + 1, case);
            }
            goes_on_and_ends(session, server, case);
        });
    }
}

#[test]
fn a_delegate_that_is_replaced_or_refused_or_never_used_may_panic_when_it_is_dropped() {
    on_each_queue(|server, drops, queue, case| {
        let session = with_queue(queue);
        let task = session.data_task(server.url("/"));
        task.set_delegate(spiteful(drops, false).0).unwrap();
        task.set_delegate(spiteful(drops, false).0).unwrap();
        drops.are(1, case);
        // Never resumed.
        drop(task);
        drops.are(2, case);
        let (task, ends) = begin(&session, Request::get(server.url("/")));
        assert!(task.set_delegate(spiteful(drops, false).0).is_err(), "{case}");
        ended_once(&ends, Ok(()), case);
        drops.are(3, case);
        drop(task);
        goes_on_and_ends(session, server, case);
    });
}

// ---- closures ----

#[test]
fn a_completion_may_panic_when_what_it_owns_is_dropped() {
    on_each_queue(|server, drops, queue, case| {
        let session = with_queue(queue);
        let (sender, ends) = channel();
        let spite = drops.spite();
        let task = session.data_task_with(server.url("/"), move |outcome| {
            let _spite = spite;
            sender.send(outcome.map(|_| ()).map_err(|error| error.kind())).unwrap();
        });
        task.resume();
        ended_once(&ends, Ok(()), case);
        drops.are(1, case);
        drop(task);
        goes_on_and_ends(session, server, case);
    });
}

#[test]
fn a_completion_that_is_never_called_may_panic_when_it_is_dropped() {
    let (server, drops) = (server(), Drops::default());
    let owning = |spite: Spite| move |_: Result<_, Error>| drop(spite);
    // A task that was never resumed.
    let session = with_queue(DeliveryQueue::serial());
    drop(session.data_task_with(server.url("/"), owning(drops.spite())));
    drops.are(1, "never resumed");
    let task = session.data_task_with(server.url("/"), owning(drops.spite()));
    assert!(task.run().is_err());
    drop(task);
    drops.are(2, "not run either");
    session.flush_with({
        let spite = drops.spite();
        move || drop(spite)
    });
    drops.are(3, "the end of a flush");
    goes_on_and_ends(session, &server, "serial");
    // A queue that nobody runs, and one that loses what it is given.
    for (at, queue) in
        [DeliveryQueue::manual(|| ()), DeliveryQueue::custom(drop)].into_iter().enumerate()
    {
        let session = with_queue(queue.clone());
        let task = session.data_task_with(server.url("/"), owning(drops.spite()));
        task.resume();
        server.wait_until(|stats| stats.heads == 2 + at as u64);
        drop(queue);
        let is_over = || task.state() == TaskState::Completed;
        if at == 1 {
            wait_for("the end", is_over);
        }
        drop(task);
        nothing_is_left(session, &[&server]);
        drops.are(4 + at, "lost");
    }
}

#[test]
fn what_is_thrown_may_panic_when_it_is_dropped() {
    on_each_queue(|server, drops, queue, case| {
        struct Throws(Drops);
        impl Delegate for Throws {
            fn did_complete(&self, _task: &Task, _error: Option<&Error>) {
                panic_any(self.0.spite());
            }
        }
        impl Read for Throws {
            fn read(&mut self, _buffer: &mut [u8]) -> io::Result<usize> {
                panic_any(self.0.spite());
            }
        }
        let session = with_queue(queue);
        let spite = drops.spite();
        session.data_task_with(server.url("/"), |_| panic_any(spite)).resume();
        drops.are(1, case);
        let task = session.data_task(server.url("/"));
        task.set_delegate(Arc::new(Throws(drops.clone()))).unwrap();
        assert_eq!(task.run().unwrap_err().kind(), ErrorKind::DelegatePanicked, "{case}");
        drops.are(2, case);
        let put = Request::put(server.url("/")).body(Body::reader(Throws(drops.clone())));
        let (put, ends) = begin(&session, put);
        ended_once(&ends, Err(ErrorKind::DelegatePanicked), case);
        drops.are(3, case);
        drop((task, put));
        goes_on_and_ends(session, server, case);
    });
}

#[test]
fn an_observer_of_credentials_may_panic_when_it_is_called_and_when_it_is_dropped() {
    let (storage, drops) = (CredentialStorage::new(), Drops::default());
    let spite = drops.spite();
    let observer = storage.on_change(move || panic!("on purpose, {}", size_of_val(&spite)));
    let space = ProtectionSpace::new("a", 80, "http", AuthenticationMethod::Basic);
    storage.set(&Credential::new("ann", "1"), &space);
    drop(observer);
    drops.are(1, "the observer");
    assert!(storage.default_credential(&space).is_some());
}

// ---- bodies ----

#[test]
fn the_reader_of_a_body_may_panic_when_it_is_dropped() {
    on_each_queue(|server, drops, queue, case| {
        let session = with_queue(queue);
        for (at, panics) in [false, true].into_iter().enumerate() {
            let reader = Reads { panics, _spite: drops.spite() };
            let put = Request::put(server.url("/")).body(Body::reader(reader));
            let (task, ends) = begin(&session, put);
            // What was sent and answered counts.
            let expected = if panics { Err(ErrorKind::DelegatePanicked) } else { Ok(()) };
            ended_once(&ends, expected, case);
            drop(task);
            drops.are(at + 1, case);
        }
        goes_on_and_ends(session, server, case);
    });
}

#[test]
fn what_opens_a_body_may_panic_when_it_is_called_and_when_it_is_dropped() {
    on_each_queue(|server, drops, queue, case| {
        let session = with_queue(queue);
        let (spite, readers) = (drops.spite(), drops.clone());
        let body = Body::opened_by(move || {
            assert_eq!(size_of_val(&spite), 0, "on purpose, by what opens");
            Ok(Reads { panics: false, _spite: readers.spite() })
        });
        let (task, ends) = begin(&session, Request::put(server.url("/")).body(body));
        ended_once(&ends, Err(ErrorKind::DelegatePanicked), case);
        drop(task);
        drops.are(1, case);
        // Three readers for one body: at a redirect it is opened once more.
        let readers = drops.clone();
        let body = Body::opened_by(move || Ok(Reads { panics: false, _spite: readers.spite() }));
        let (task, ends) = begin(&session, Request::put(server.url("/old")).body(body));
        ended_once(&ends, Ok(()), case);
        drop(task);
        drops.are(3, case);
        goes_on_and_ends(session, server, case);
    });
}

#[test]
fn the_error_of_a_reader_may_panic_when_it_is_dropped() {
    struct Fails(#[expect(dead_code, reason = "it is dropped")] Spite);
    impl fmt::Debug for Fails {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("Fails")
        }
    }
    impl fmt::Display for Fails {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("fails")
        }
    }
    impl error::Error for Fails {}
    struct Failing(Drops);
    impl Read for Failing {
        fn read(&mut self, _buffer: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other(Fails(self.0.spite())))
        }
    }
    on_each_queue(|server, drops, queue, case| {
        let session = with_queue(queue);
        let body = Body::reader(Failing(drops.clone()));
        let (task, ends) = begin(&session, Request::put(server.url("/")).body(body));
        ended_once(&ends, Err(ErrorKind::ResourceUnavailable), case);
        let error = task.error().unwrap();
        assert!(error::Error::source(&error).unwrap().is::<io::Error>(), "{case}: {error:?}");
        drop((task, error));
        drops.are(1, case);
        goes_on_and_ends(session, server, case);
    });
}

#[test]
fn a_body_that_is_not_sent_any_more_may_panic_when_it_is_dropped() {
    /// Puts a body of its own into what follows a redirect, from another thread.
    struct Replaces(Drops, Sender<Reply<Option<Request>>>);
    impl Delegate for Replaces {
        fn will_perform_redirect(
            &self,
            _task: &Task,
            _response: &Response,
            proposed: Request,
            reply: Reply<Option<Request>>,
        ) {
            let reader = Reads { panics: false, _spite: self.0.spite() };
            let replaced = proposed.body(Body::reader(reader));
            if replaced.url().unwrap().path() == "/new/late" {
                self.1.send(reply).unwrap();
            } else {
                reply.answer(Some(replaced));
            }
        }
    }
    on_each_queue(|server, drops, queue, case| {
        let (sender, replies) = channel();
        let delegate = Arc::new(Replaces(drops.clone(), sender));
        let session = Session::with_delegate(Configuration::ephemeral(), delegate, queue).unwrap();
        let (task, ends) = begin(&session, Request::put(server.url("/old")).body("old"));
        ended_once(&ends, Ok(()), case);
        drop(task);
        drops.are(1, case);
        // An answer that comes too late is dropped, with all that is in it.
        let (task, ends) = begin(&session, Request::get(server.url("/older")));
        let reply = replies.recv_timeout(HANG).unwrap();
        task.cancel();
        ended_once(&ends, Err(ErrorKind::Cancelled), case);
        let reader = Reads { panics: false, _spite: drops.spite() };
        let answer = Request::put(server.url("/new")).body(Body::reader(reader));
        thread::spawn(move || reply.answer(Some(answer))).join().unwrap();
        drop(task);
        drops.are(3, case);
        goes_on_and_ends(session, server, case);
    });
}

// ---- queues, look-ups and threads ----

#[test]
fn an_executor_may_panic_when_it_is_called_and_when_it_is_dropped() {
    for panics in [false, true] {
        let (server, drops, calls) = (server(), Drops::default(), Arc::new(AtomicUsize::new(0)));
        let (spite, counted) = (drops.spite(), Arc::clone(&calls));
        let queue = DeliveryQueue::custom(move |job| {
            let _spite = &spite;
            job();
            counted.fetch_add(1, Ordering::SeqCst);
            assert!(!panics, "on purpose, by an executor");
        });
        let (delegate, ends) = spiteful(&drops, panics);
        let session = Session::with_delegate(Configuration::ephemeral(), delegate, queue).unwrap();
        session.data_task(server.url("/")).resume();
        ended_once(&ends, Ok(()), "an executor");
        goes_on_and_ends(session, &server, "an executor");
        assert!(calls.load(Ordering::SeqCst) >= 2);
        drops.are(2, "an executor");
    }
}

#[test]
fn a_wake_function_may_panic_when_it_is_called_and_when_it_is_dropped() {
    for panics in [false, true] {
        let (server, drops) = (server(), Drops::default());
        let (spite, (sender, woken)) = (drops.spite(), channel());
        let queue = DeliveryQueue::manual(move || {
            let _spite = &spite;
            sender.send(()).unwrap();
            assert!(!panics, "on purpose, by a wake function");
        });
        let (delegate, ends) = spiteful(&drops, panics);
        let configuration = Configuration::ephemeral();
        let session = Session::with_delegate(configuration, delegate, queue.clone()).unwrap();
        session.data_task(server.url("/")).resume();
        while ends.try_recv().map(|outcome| assert_eq!(outcome, Ok(()))).is_err() {
            woken.recv_timeout(HANG).unwrap();
            queue.run_pending();
        }
        session.finish_tasks_and_invalidate();
        wait_for("the last call", || {
            queue.run_pending();
            session.delegate().is_none()
        });
        assert!(session.wait_until_idle(HANG));
        drop(queue);
        nothing_is_left(session, &[&server]);
        drops.are(2, "a wake function");
    }
}

#[test]
fn a_resolver_may_panic_when_it_is_called_and_when_it_is_dropped() {
    on_each_queue(|server, drops, queue, case| {
        let (spite, address) = (drops.spite(), server.address());
        let mut configuration = Configuration::ephemeral();
        configuration.resolver = Some(Resolver::new(move |host, _| {
            let _spite = &spite;
            assert_ne!(host, "bad.test", "on purpose, by a resolver");
            Ok(vec![address])
        }));
        let session = Session::with_queue(configuration, queue).unwrap();
        for host in ["bad.test", "good.test", "bad.test"] {
            let request = Request::get(server.url_with_host(host, "/"));
            let (task, ends) = begin(&session, request);
            let is_good = host == "good.test";
            let expected = if is_good { Ok(()) } else { Err(ErrorKind::DelegatePanicked) };
            ended_once(&ends, expected, case);
            drop(task);
        }
        goes_on_and_ends(session, server, case);
        drops.are(1, case);
    });
}

#[test]
fn a_thread_that_has_a_reply_may_panic_with_what_it_owns() {
    struct Moves(Drops);
    impl Delegate for Moves {
        fn will_perform_redirect(
            &self,
            _task: &Task,
            _response: &Response,
            proposed: Request,
            reply: Reply<Option<Request>>,
        ) {
            let reader = Reads { panics: false, _spite: self.0.spite() };
            let request = proposed.body(Body::reader(reader));
            thread::spawn(move || {
                let _owned = (request, reply);
                panic!("on purpose, by a thread with a reply");
            });
        }
    }
    on_each_queue(|server, drops, queue, case| {
        let delegate = Arc::new(Moves(drops.clone()));
        let session = Session::with_delegate(Configuration::ephemeral(), delegate, queue).unwrap();
        let (task, ends) = begin(&session, Request::get(server.url("/old")));
        // Never open by accident.
        ended_once(&ends, Err(ErrorKind::DelegatePanicked), case);
        drop(task);
        drops.are(1, case);
        goes_on_and_ends(session, server, case);
    });
}

#[test]
fn a_session_that_goes_with_a_call_may_take_what_panics_along() {
    on_each_queue(|server, drops, queue, case| {
        let (delegate, _ends) = spiteful(drops, true);
        let configuration = Configuration::ephemeral();
        let session = Session::with_delegate(configuration, delegate, queue).unwrap();
        let (sender, ends) = channel();
        let (held, spite) = (session.clone(), drops.spite());
        let task = session.data_task_with(server.url("/"), move |outcome| {
            let _spite = spite;
            sender.send(outcome.map(|_| ()).map_err(|error| error.kind())).unwrap();
            drop(held);
        });
        task.resume();
        drop((session, task));
        ended_once(&ends, Ok(()), case);
        drops.are(2, case);
        server.wait_until(|stats| stats.open_connections == 0);
    });
}

#[test]
fn several_tasks_may_share_what_panics_and_it_is_dropped_once() {
    on_each_queue(|server, drops, queue, case| {
        let session = with_queue(queue);
        let (delegate, ends) = spiteful(drops, true);
        for _ in 0..20 {
            let task = session.data_task(server.url("/"));
            task.set_delegate(delegate.clone()).unwrap();
            task.resume();
        }
        // The last handle is one of the session's, whoever has it.
        drop(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(delegate))));
        for _ in 0..20 {
            assert_eq!(ends.recv_timeout(HANG), Ok(Ok(())), "{case}");
        }
        goes_on_and_ends(session, server, case);
        drops.are(1, case);
    });
}
