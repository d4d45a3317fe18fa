//! Code of the program that acts on its own task and session in the middle of being called.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use urlsession::testing::{Answer, Counters, Server};
use urlsession::{
    Configuration, Delegate, Error, ErrorKind, Progress, Reply, Request, Response,
    ResponseDisposition, Session, Task, TaskState,
};

use crate::support::recording::Queue;
use crate::support::running::{HANG, nothing_is_left, wait_for};

/// Where something is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Create,
    Redirect,
    Response,
    Data,
    Progress,
    Complete,
    Closure,
    Invalid,
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Suspend,
    Resume,
    Cancel,
    FinishTasks,
    CancelAll,
    WaitUntilIdle,
    DropLastHandle,
}

const EVERYWHERE: [At; 8] = [
    At::Create,
    At::Redirect,
    At::Response,
    At::Data,
    At::Progress,
    At::Complete,
    At::Closure,
    At::Invalid,
];

const ACTS: [Act; 7] = [
    Act::Suspend,
    Act::Resume,
    Act::Cancel,
    Act::FinishTasks,
    Act::CancelAll,
    Act::WaitUntilIdle,
    Act::DropLastHandle,
];

impl Act {
    /// Returns how a task ends in which this is done there.
    fn end(self, at: At) -> Option<ErrorKind> {
        let is_early = !matches!(at, At::Complete | At::Closure | At::Invalid);
        match (self, at) {
            (Self::FinishTasks | Self::CancelAll, At::Create) => {
                Some(ErrorKind::SessionInvalidated)
            }
            (Self::Cancel | Self::CancelAll, _) if is_early => Some(ErrorKind::Cancelled),
            _ => None,
        }
    }
}

/// Does one thing at one place, once.
struct Acting {
    at: At,
    act: Act,
    has_acted: AtomicBool,
    /// All handles of the program.
    kept: Mutex<Option<(Session, Task)>>,
    acted: Sender<()>,
    ended: Sender<Option<ErrorKind>>,
}

impl Acting {
    fn passes(&self, at: At, task: &Task) {
        if at != self.at || self.has_acted.swap(true, Ordering::SeqCst) {
            return;
        }
        match self.act {
            Act::Suspend => task.suspend(),
            Act::Resume => drop(task.resume()),
            Act::Cancel => task.cancel(),
            Act::FinishTasks => task.session().finish_tasks_and_invalidate(),
            Act::CancelAll => task.session().invalidate_and_cancel(),
            Act::WaitUntilIdle => {
                // It has not ended itself; only a task that was made can be idle.
                let is_idle = task.session().wait_until_idle(HANG);
                assert_eq!(is_idle, at == At::Create, "{at:?}");
            }
            Act::DropLastHandle => {
                let kept = self.kept.lock().unwrap().take();
                drop(kept);
            }
        }
        let _ = self.acted.send(());
    }
}

impl Delegate for Acting {
    fn did_become_invalid(&self, _session: &Session, error: Option<&Error>) {
        assert!(error.is_none());
        let task = self.kept.lock().unwrap().as_ref().map(|(_, task)| task.clone());
        if let Some(task) = task {
            self.passes(At::Invalid, &task);
        }
    }

    fn did_create_task(&self, task: &Task) {
        self.passes(At::Create, task);
    }

    fn will_perform_redirect(
        &self,
        task: &Task,
        _response: &Response,
        _proposed: Request,
        _reply: Reply<Option<Request>>,
    ) {
        self.passes(At::Redirect, task);
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

    fn did_receive_data(&self, task: &Task, _data: Vec<u8>) {
        self.passes(At::Data, task);
    }

    fn did_make_progress(&self, task: &Task, _progress: Progress) {
        self.passes(At::Progress, task);
    }

    fn did_complete(&self, task: &Task, error: Option<&Error>) {
        self.passes(At::Complete, task);
        let _ = self.ended.send(error.map(Error::kind));
    }
}

/// Makes the task, whose closure acts if that is the place for it.
fn make(session: &Session, url: String, acting: &Arc<Acting>) -> Task {
    if acting.at != At::Closure {
        return (*session.data_task(url)).clone();
    }
    let in_closure = Arc::clone(acting);
    let task = session.data_task_with(url, move |outcome| {
        let task = in_closure.kept.lock().unwrap().as_ref().map(|(_, task)| task.clone());
        in_closure.passes(At::Closure, &task.unwrap());
        let _ = in_closure.ended.send(outcome.err().map(|error| error.kind()));
    });
    (*task).clone()
}

/// Waits until the task has ended as it should, and was told so once.
fn ends(at: At, act: Act, task: &Task, ended: &Receiver<Option<ErrorKind>>, case: &str) {
    let expected = act.end(at);
    if expected == Some(ErrorKind::SessionInvalidated) {
        wait_for("the end of the task", || task.state() == TaskState::Completed);
        assert_eq!(task.error().map(|error| error.kind()), expected, "{case}");
    } else {
        assert_eq!(ended.recv_timeout(HANG), Ok(expected), "{case}");
    }
}

fn act(at: At, act: Act, kind: Queue) {
    let case = format!("{act:?} in {at:?}, {kind:?}");
    let server = Server::start();
    server.handle(|request| match request.path() {
        "/old" => Answer::redirect(302, "/new"),
        _ => Answer::status(200).body_of_size(200_000),
    });
    let (acted, acts) = channel();
    let (ended, ended_with) = channel();
    let (has_acted, kept) = (AtomicBool::new(false), Mutex::new(None));
    let acting = Arc::new(Acting { at, act, has_acted, kept, acted, ended });
    let (queue, _runner) = kind.start();
    let session =
        Session::with_delegate(Configuration::ephemeral(), acting.clone(), queue).unwrap();
    let counters = Counters::of(&session);
    let task = make(&session, server.url("/old"), &acting);
    *acting.kept.lock().unwrap() = Some((session.clone(), task.clone()));
    task.resume();
    if act == Act::DropLastHandle {
        if at == At::Invalid {
            session.finish_tasks_and_invalidate();
        }
        drop((session, task));
        assert_eq!(ended_with.recv_timeout(HANG), Ok(None), "{case}");
        assert_eq!(acts.recv_timeout(HANG), Ok(()), "{case}");
        wait_for("no threads and sockets", || counters.threads() + counters.sockets() == 0);
        return;
    }
    if at == At::Invalid {
        ends(at, act, &task, &ended_with, &case);
        session.finish_tasks_and_invalidate();
    }
    assert_eq!(acts.recv_timeout(HANG), Ok(()), "{case}");
    if act == Act::Suspend {
        task.resume();
    }
    if at != At::Invalid {
        ends(at, act, &task, &ended_with, &case);
    }
    assert!(session.wait_until_idle(HANG), "{case}");
    assert_eq!(task.state(), TaskState::Completed, "{case}");
    assert!(ended_with.recv_timeout(Duration::ZERO).is_err(), "{case}: told twice");
    drop(acting.kept.lock().unwrap().take());
    drop(task);
    nothing_is_left(session, &[&server]);
}

#[test]
fn code_may_act_on_its_task_and_session_wherever_it_is_called() {
    for kind in Queue::ALL {
        for at in EVERYWHERE {
            for what in ACTS {
                // While a task is being made somebody has a handle.
                if (at, what) != (At::Create, Act::DropLastHandle) {
                    act(at, what, kind);
                }
            }
        }
    }
}
