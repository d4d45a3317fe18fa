//! Sessions that are invalidated while they have tasks in every state.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use urlsession::testing::{Answer, BlackHole, Counters, Server};
use urlsession::{
    CancelToken, Configuration, DataTask, Delegate, DeliveryQueue, Reply, Request, Response,
    Session, Task, TaskState,
};

use super::HANG;

/// How a session ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Finish,
    Cancel,
    Drop,
}

/// Keeps decisions, and blocks with what it gets of an endless body.
struct Blocking {
    replies: Sender<Reply<Option<Request>>>,
    begun: Sender<()>,
    gate: Mutex<Receiver<()>>,
}

impl Delegate for Blocking {
    fn will_perform_redirect(
        &self,
        _task: &Task,
        _response: &Response,
        _proposed: Request,
        reply: Reply<Option<Request>>,
    ) {
        let _ = self.replies.send(reply);
    }

    fn did_receive_data(&self, task: &Task, _data: Vec<u8>) {
        if task.original_request().url().unwrap().path() == "/endless" {
            let _ = self.begun.send(());
            // Ends when the gate is dropped.
            let _ = self.gate.lock().unwrap().recv();
        }
    }
}

fn server() -> Server {
    let server = Server::builder().recording(false).start();
    server.handle(|request| match request.path() {
        "/decided" => Answer::redirect(302, "/new"),
        "/suspended" | "/body" => Answer::status(200).body_of_size(2000).stall_in_body_after(1000),
        "/endless" => Answer::ok("").endless_body("for ever "),
        _ => Answer::ok("here"),
    });
    server
}

fn wait_for(what: &str, mut reached: impl FnMut() -> bool) {
    let deadline = Instant::now() + HANG;
    while !reached() {
        assert!(Instant::now() < deadline, "not reached: {what}");
        thread::park_timeout(Duration::from_millis(1));
    }
}

/// A session with a task in each state, and what it takes to end them.
struct Scene {
    session: Session,
    never_resumed: DataTask,
    suspended: Task,
    reply: Reply<Option<Request>>,
    gate: Sender<()>,
    /// Cancels those that never end by themselves.
    token: CancelToken,
}

impl Scene {
    fn set(server: &Server, hole: &BlackHole) -> Self {
        let ((replies, kept), (begins, begun), (gate, gated)) = (channel(), channel(), channel());
        let gated = Mutex::new(gated);
        let delegate = Arc::new(Blocking { replies, begun: begins, gate: gated });
        let mut configuration = Configuration::ephemeral();
        configuration.maximum_connections_per_host = Some(2);
        let queue = DeliveryQueue::serial();
        let session = Session::with_delegate(configuration, delegate, queue).unwrap();
        let counters = Counters::of(&session);
        let token = CancelToken::new();
        let begin = |url: String| {
            let task = session.data_task(Request::get(url).cancel_token(&token));
            task.resume()
        };
        let begin_free = |path: &str| session.data_task(server.url(path)).resume();
        begin_free("/decided");
        let reply = kept.recv_timeout(HANG).unwrap();
        let suspended = begin_free("/suspended");
        wait_for("a part of the body", || suspended.progress().bytes_received > 0);
        suspended.suspend();
        // Those that wait to be told of their response, behind one that blocks, would give
        // their places to others.
        let in_body = begin_free("/body");
        wait_for("a part of the body", || in_body.progress().bytes_received > 0);
        begin(server.url("/endless"));
        begun.recv_timeout(HANG).unwrap();
        let waiting = begin_free("/waits");
        let sockets = counters.sockets();
        begin(hole.url("/connecting"));
        wait_for("one more socket", || counters.sockets() == sockets + 1);
        assert_eq!(waiting.progress().bytes_received, 0);
        let never_resumed = session.data_task(server.url("/never"));
        assert_eq!(session.all_tasks().len(), 6);
        Self { session, never_resumed, suspended: suspended.into(), reply, gate, token }
    }

    fn end(self, way: Way, server: &Server) {
        let counters = Counters::of(&self.session);
        let Self { session, never_resumed, suspended, reply, gate, token } = self;
        match way {
            Way::Finish => {
                session.finish_tasks_and_invalidate();
                suspended.resume();
            }
            Way::Cancel => session.invalidate_and_cancel(),
            // Nobody is left to resume what is suspended.
            Way::Drop => {}
        }
        drop((never_resumed, suspended));
        let session = (way != Way::Drop).then_some(session);
        drop((gate, reply));
        if way != Way::Cancel {
            token.cancel();
        }
        if let Some(session) = session {
            wait_for("the end of all tasks", || {
                server.release();
                session.wait_until_idle(Duration::from_millis(1))
            });
            assert!(session.all_tasks().is_empty() && session.delegate().is_none());
            let late = session.data_task(server.url("/late"));
            late.resume();
            wait_for("a refusal", || late.state() == TaskState::Completed);
        }
        wait_for("no threads and sockets", || {
            server.release();
            counters.threads() + counters.sockets() == 0
        });
        // One that is sending without end learns at once that nobody reads any more.
        server.wait_until(|stats| stats.open_connections == 0);
    }
}

/// Makes `count` sessions and ends each in that way.
pub(crate) fn sessions(count: usize, way: Way) {
    let (server, hole) = (server(), BlackHole::start());
    for _ in 0..count {
        Scene::set(&server, &hole).end(way, &server);
    }
}
