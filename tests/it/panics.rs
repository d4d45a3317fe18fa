//! Code of the program that panics: its task fails, alone, and nothing is left of it. The
//! methods that `tasks.rs` has are not here again.

use std::io::{self, Read};
use std::panic::panic_any;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};

use urlsession::testing::{Answer, Server};
use urlsession::{
    Body, Configuration, Delegate, DeliveryQueue, DownloadTask, DownloadedFile, Error, ErrorKind,
    Progress, Reply, Request, Resolver, Response, ResponseDisposition, Session, Task, TaskState,
};

use crate::support::recording::Queue;
use crate::support::running::{HANG, nothing_is_left, wait_for};

/// Where a delegate panics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    SendBodyData,
    NewBodyStream,
    /// Behind a reply that was dropped before, or that another thread has.
    RedirectWithoutReply,
    ResponseWithoutReply,
    BodyStreamWithoutReply,
    Progress,
    WriteData,
    FinishDownloading,
    BecomeDownload,
}

impl At {
    const ALL: [Self; 9] = [
        Self::SendBodyData,
        Self::NewBodyStream,
        Self::RedirectWithoutReply,
        Self::ResponseWithoutReply,
        Self::BodyStreamWithoutReply,
        Self::Progress,
        Self::WriteData,
        Self::FinishDownloading,
        Self::BecomeDownload,
    ];

    /// Makes a task that comes there.
    fn task(self, session: &Session, server: &Server) -> Task {
        let url = server.url(if self == Self::RedirectWithoutReply { "/old" } else { "/" });
        match self {
            Self::SendBodyData => {
                let body = vec![b'x'; 100_000];
                (**session.upload_task(Request::put(url), body)).clone()
            }
            Self::NewBodyStream | Self::BodyStreamWithoutReply => {
                (**session.streamed_upload_task(Request::put(url))).clone()
            }
            Self::WriteData | Self::FinishDownloading => (*session.download_task(url)).clone(),
            _ => (*session.data_task(url)).clone(),
        }
    }
}

/// Panics in one place of the first task.
struct Panicking {
    at: At,
    /// Told of those that have ended.
    ended: Box<dyn Fn(u64, Option<ErrorKind>) + Send + Sync>,
}

impl Panicking {
    fn passes(&self, at: At, task: &Task) {
        assert!(self.at != at || task.id() != 1, "on purpose");
    }
}

impl Delegate for Panicking {
    fn did_become_invalid(&self, _session: &Session, _error: Option<&Error>) {
        panic!("on purpose, whatever else panics");
    }

    fn will_perform_redirect(
        &self,
        task: &Task,
        _response: &Response,
        _proposed: Request,
        reply: Reply<Option<Request>>,
    ) {
        drop(reply);
        self.passes(At::RedirectWithoutReply, task);
    }

    fn did_receive_response(
        &self,
        task: &Task,
        _response: &Response,
        reply: Reply<ResponseDisposition>,
    ) {
        let becomes = self.at == At::BecomeDownload;
        reply.answer(if becomes {
            ResponseDisposition::BecomeDownload
        } else {
            ResponseDisposition::Allow
        });
        self.passes(At::ResponseWithoutReply, task);
    }

    fn need_new_body_stream(&self, task: &Task, reply: Reply<Option<Body>>) {
        self.passes(At::NewBodyStream, task);
        reply.answer(Some(Body::from(vec![b'x'; 100_000])));
        self.passes(At::BodyStreamWithoutReply, task);
    }

    fn did_send_body_data(&self, task: &Task, _sent: u64, _total: u64, _expected: Option<u64>) {
        self.passes(At::SendBodyData, task);
    }

    fn did_make_progress(&self, task: &Task, _progress: Progress) {
        self.passes(At::Progress, task);
    }

    fn did_write_data(&self, task: &Task, _written: u64, _total: u64, _expected: Option<u64>) {
        self.passes(At::WriteData, task);
    }

    fn did_finish_downloading(&self, task: &Task, file: DownloadedFile) {
        self.passes(At::FinishDownloading, task);
        drop(file);
    }

    fn did_become_download(&self, task: &Task, _download: &DownloadTask) {
        self.passes(At::BecomeDownload, task);
    }

    fn did_complete(&self, task: &Task, error: Option<&Error>) {
        (self.ended)(task.id(), error.map(Error::kind));
    }
}

fn server() -> Server {
    let server = Server::start();
    server.handle(|request| match request.path() {
        "/old" => Answer::redirect(302, "/new"),
        _ => Answer::status(200).body_of_size(100_000),
    });
    server
}

#[test]
fn each_method_that_panics_fails_its_task_alone() {
    for at in At::ALL {
        for kind in Queue::ALL {
            let case = format!("{at:?}, {kind:?}");
            let server = server();
            let (queue, _loop) = kind.start();
            let (sender, ends) = channel();
            let ended = move |id, error| sender.send((id, error)).unwrap();
            let delegate = Arc::new(Panicking { at, ended: Box::new(ended) });
            let session =
                Session::with_delegate(Configuration::ephemeral(), delegate, queue).unwrap();
            let tasks = [at.task(&session, &server), at.task(&session, &server)];
            for task in &tasks {
                task.resume();
            }
            let mut ended = [ends.recv_timeout(HANG).unwrap(), ends.recv_timeout(HANG).unwrap()];
            ended.sort_by_key(|(id, _)| *id);
            assert_eq!(ended, [(1, Some(ErrorKind::DelegatePanicked)), (2, None)], "{case}");
            let error = tasks[0].error().unwrap();
            assert_eq!(error.kind(), ErrorKind::DelegatePanicked, "{case}: {error}");
            assert_eq!(session.data(server.url("/")).unwrap().body.len(), 100_000, "{case}");
            drop(tasks);
            nothing_is_left(session, &[&server]);
        }
    }
}

// ---- other code than methods ----

/// Panics when it is dropped, unless a panic is going on.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        assert!(std::thread::panicking(), "on purpose, by what is dropped");
    }
}

impl Delegate for Bomb {}

/// A reader that panics.
struct Panics;

impl Read for Panics {
    fn read(&mut self, _buffer: &mut [u8]) -> io::Result<usize> {
        panic!("on purpose")
    }
}

type Outcome = Result<usize, ErrorKind>;

/// Begins a task with a closure.
fn begin(session: &Session, request: Request) -> (Task, Receiver<Outcome>) {
    let (sender, outcome) = channel();
    let task = session.data_task_with(request, move |data| {
        let _ = sender.send(data.map(|data| data.body.len()).map_err(|error| error.kind()));
    });
    (task.resume().into(), outcome)
}

/// Sees that the session does what it should, still, and leaves nothing.
fn lives_on_and_ends(session: Session, server: &Server) {
    let (task, outcome) = begin(&session, Request::get(server.url("/")));
    assert_eq!(outcome.recv_timeout(HANG), Ok(Ok(100_000)));
    assert!(session.wait_until_idle(HANG));
    drop(task);
    nothing_is_left(session, &[server]);
}

#[test]
fn what_a_request_brings_fails_its_task_if_it_panics() {
    let put = |body: Body| move |server: &Server| Request::put(server.url("/")).body(body.clone());
    type Make = Box<dyn Fn(&Server) -> Request>;
    let failed = Err(ErrorKind::DelegatePanicked);
    let cases: [(&str, Make, Outcome); 3] = [
        ("a reader", Box::new(put(Body::opened_by(|| Ok(Panics)))), failed),
        (
            "an opener",
            Box::new(put(Body::opened_by(|| -> io::Result<Panics> { panic!("on purpose") }))),
            failed,
        ),
        (
            "a resolver",
            Box::new(|server| Request::get(server.url_with_host("bad.test", "/"))),
            failed,
        ),
    ];
    for (name, request, expected) in &cases {
        for kind in Queue::ALL {
            let server = server();
            let address = server.address();
            let mut configuration = Configuration::ephemeral();
            configuration.resolver = Some(Resolver::new(move |host, _| {
                assert_ne!(host, "bad.test", "on purpose");
                Ok(vec![address])
            }));
            let (queue, _loop) = kind.start();
            let session = Session::with_queue(configuration, queue).unwrap();
            let (task, outcome) = begin(&session, request(&server));
            let outcome = outcome.recv_timeout(HANG).unwrap();
            assert_eq!(outcome, *expected, "{name}, {kind:?}");
            drop(task);
            lives_on_and_ends(session, &server);
        }
    }
}

#[test]
fn what_the_program_gave_may_panic_when_it_is_dropped() {
    type Begin = fn(&Session, &str) -> Task;
    let cases: [(&str, Begin); 5] = [
        ("captures of a closure", |session, url| {
            let bomb = Bomb;
            let task = session.data_task_with(url, move |_| drop(bomb));
            task.resume().into()
        }),
        ("captures of a closure of a task that never began", |session, url| {
            let bomb = Bomb;
            let task = session.data_task_with(url, move |_| {
                let _bomb = bomb;
            });
            task.cancel();
            (*task).clone()
        }),
        ("what a closure panics with", |session, url| {
            let task = session.data_task_with(url, |_| panic_any(Bomb));
            task.resume().into()
        }),
        ("a task's delegate", |session, url| {
            let task = session.data_task(url);
            task.set_delegate(Arc::new(Bomb)).unwrap();
            task.resume().into()
        }),
        ("a task's delegate, run by a caller", |session, url| {
            let task = session.data_task(url);
            task.set_delegate(Arc::new(Bomb)).unwrap();
            task.run().unwrap();
            (*task).clone()
        }),
    ];
    for (name, begin) in cases {
        for kind in Queue::ALL {
            let server = server();
            let (queue, _loop) = kind.start();
            // Its own delegate panics, too, when it is let go of.
            let delegate = Arc::new(Bomb);
            let session =
                Session::with_delegate(Configuration::ephemeral(), delegate, queue).unwrap();
            let task = begin(&session, &server.url("/"));
            wait_for("the end of the task", || task.state() == TaskState::Completed);
            assert!(session.wait_until_idle(HANG), "{name}, {kind:?}");
            drop(task);
            lives_on_and_ends(session, &server);
        }
    }
}

#[test]
fn a_wake_function_that_panics_keeps_no_call_back() {
    let server = server();
    let queue = DeliveryQueue::manual(|| panic!("on purpose"));
    let session = Session::with_queue(Configuration::ephemeral(), queue.clone()).unwrap();
    let tasks: Vec<_> = (0..3).map(|_| begin(&session, Request::get(server.url("/")))).collect();
    wait_for("all to be told", || {
        queue.run_pending();
        tasks.iter().all(|(task, _)| task.state() == TaskState::Completed)
    });
    for (_, outcome) in &tasks {
        assert_eq!(outcome.recv_timeout(HANG), Ok(Ok(100_000)));
    }
    assert!(session.wait_until_idle(HANG));
    drop((tasks, queue));
    nothing_is_left(session, &[&server]);
}

#[test]
fn an_executor_that_panics_loses_what_it_was_given_and_no_more() {
    // What is told by a call that is lost ends all the same.
    for panics_at in 0..6 {
        for runs_before in [false, true] {
            let server = server();
            let posts = AtomicUsize::new(0);
            let (sender, jobs) = channel::<Box<dyn FnOnce() + Send>>();
            let queue = DeliveryQueue::custom(move |job| {
                let is_it = posts.fetch_add(1, Ordering::SeqCst) == panics_at;
                if is_it && runs_before {
                    job();
                    panic!("on purpose");
                }
                assert!(!is_it, "on purpose");
                sender.send(job).unwrap();
            });
            let executor = std::thread::spawn(move || jobs.into_iter().for_each(|job| job()));
            let delegate = Arc::new(Redirected);
            let session =
                Session::with_delegate(Configuration::ephemeral(), delegate, queue).unwrap();
            let task = (*session.data_task(server.url("/old"))).clone();
            task.resume();
            assert!(session.wait_until_idle(HANG), "{panics_at}, {runs_before}");
            assert_eq!(task.state(), TaskState::Completed);
            let kind = task.error().map(|error| error.kind());
            assert!(runs_before <= kind.is_none(), "{panics_at}: {kind:?}");
            // Those before may have needed fewer calls.
            for _ in 0..6 {
                begin(&session, Request::get(server.url("/")));
            }
            assert!(session.wait_until_idle(HANG), "{panics_at}, {runs_before}");
            drop(task);
            lives_on_and_ends(session, &server);
            executor.join().unwrap();
        }
    }
}

/// Takes part in everything.
struct Redirected;

impl Delegate for Redirected {
    fn will_perform_redirect(
        &self,
        _task: &Task,
        _response: &Response,
        proposed: Request,
        reply: Reply<Option<Request>>,
    ) {
        reply.answer(Some(proposed));
    }
}
