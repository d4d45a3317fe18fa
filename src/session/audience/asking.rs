//! Asking the delegates of a task, and calling the program.
//!
//! Code of the program is called from here, from [`finish`](super::finish) and from
//! [`calls`](super::calls), always caught and with no lock held.

use std::sync::Arc;
use std::time::Duration;

use crate::delivery::{Answer, Mailbox, Outcome, Reply, caught, question};
use crate::error::{Error, ErrorKind};
use crate::session::delegate::Delegate;
use crate::session::inside::Inside;
use crate::session::task::{Core, Task};

/// An answer that comes this soon, or data that is taken this soon, is not worth giving the
/// place to others, who would open a connection of their own.
pub(super) const SOON: Duration = Duration::from_millis(20);

/// Whom a task asks, and in which order: its own delegate, then the session's.
#[derive(Clone, Default)]
pub(super) struct Chain {
    pub(super) task: Option<Arc<dyn Delegate>>,
    pub(super) session: Option<Arc<dyn Delegate>>,
}

/// Where the calls of a task are made.
#[derive(Clone, Debug)]
pub(super) enum Calls {
    /// On the session's queue.
    Posted(Mailbox),
    /// On the thread that runs the task.
    Here,
}

impl Core {
    /// Tells the session's delegate that the task was made, on the thread that makes it.
    pub(crate) fn created(self: &Arc<Self>, delegate: &dyn Delegate) {
        call_caught(self, None, |task| delegate.did_create_task(task));
    }

    /// Returns whom the task asks.
    pub(super) fn chain(&self) -> Chain {
        Chain { task: self.state.lock().recipients.delegate(), session: self.shared.delegate() }
    }

    /// Returns where its calls are made.
    pub(super) fn calls(&self) -> Calls {
        let recipients = &mut self.state.lock().recipients;
        if recipients.is_caller() {
            return Calls::Here;
        }
        let mailbox = recipients.mailbox(&self.shared.queue);
        Calls::Posted(mailbox.clone())
    }

    /// Asks the task's delegates.
    pub(super) fn ask<T: Send + 'static>(
        self: &Arc<Self>,
        asks: impl Fn(&dyn Delegate, &Task, Reply<T>) + Send + Sync + 'static,
    ) -> Result<Option<T>, Error> {
        let Chain { task, session } = self.chain();
        if task.is_none() && session.is_none() {
            return Ok(None);
        }
        self.ask_in_turn([task, session], &self.calls(), asks)
    }

    /// Asks these delegates one after the other, until one answers.
    pub(super) fn ask_in_turn<T: Send + 'static>(
        self: &Arc<Self>,
        delegates: [Option<Arc<dyn Delegate>>; 2],
        calls: &Calls,
        asks: impl Fn(&dyn Delegate, &Task, Reply<T>) + Send + Sync + 'static,
    ) -> Result<Option<T>, Error> {
        let asks = Arc::new(asks);
        for delegate in delegates.into_iter().flatten() {
            let (reply, call, answer) = question();
            let asks = asks.clone();
            calls.make(self, move |task| {
                asks(&*delegate, task, reply);
                call.returned();
            });
            match self.wait_for(&answer)? {
                Outcome::Answered(value) => return Ok(Some(value)),
                Outcome::Unanswered => {}
                // Never open by accident.
                Outcome::Panicked => return Err(panicked("a decision")),
                Outcome::NeverAsked => return Err(never_asked()),
            }
        }
        Ok(None)
    }

    /// Waits for an answer. The idle timer stands still meanwhile; if it takes longer, the
    /// place is given to others.
    fn wait_for<T: Send + 'static>(
        self: &Arc<Self>,
        answer: &Answer<T>,
    ) -> Result<Outcome<T>, Error> {
        let scheduler = self.shared.scheduler();
        let go_on = || scheduler.go_on(self);
        if let Some(outcome) = answer.try_take() {
            return go_on().map(|()| outcome);
        }
        let attempt = self.state.lock().attempts.token();
        let _registered = attempt.as_ref().map(|token| token.on_cancel(answer.waker()));
        if let Some(outcome) = answer.wait_slice(SOON) {
            return go_on().map(|()| outcome);
        }
        scheduler.step_aside(self);
        let outcome = loop {
            let now = self.look_around(attempt.as_ref())?;
            let slice = self.slice(now);
            if let Some(outcome) = answer.wait_slice(slice) {
                break outcome;
            }
        };
        go_on().map(|()| outcome)
    }
}

impl Core {
    /// Tells that the task waits for a connection to become possible.
    pub(in crate::session) fn tell_of_waiting(self: &Arc<Self>) {
        let chain = self.chain();
        let (first, next) = match chain.task {
            Some(own) => (Some(own), chain.session),
            None => (chain.session, None),
        };
        let Some(first) = first else { return };
        let core = self.clone();
        self.calls().run(move || {
            call_caught(&core, next, |task| first.task_is_waiting_for_connectivity(task));
        });
    }
}

impl Calls {
    /// Calls the program: `call` with a handle of the task. If it panics, the task fails.
    pub(super) fn make(&self, core: &Arc<Core>, call: impl FnOnce(&Task) + Send + 'static) {
        let core = core.clone();
        let call = move || call_caught(&core, None, call);
        match self {
            Self::Posted(mailbox) => mailbox.send(call),
            Self::Here => call(),
        }
    }

    /// Has `job` run where the program is called, after what was sent before.
    pub(super) fn run(&self, job: impl FnOnce() + Send + 'static) {
        match self {
            Self::Posted(mailbox) => mailbox.send(job),
            Self::Here => job(),
        }
    }
}

/// Calls the program now; `next` is whom its delegate forwards to.
pub(super) fn call_caught(
    core: &Arc<Core>,
    next: Option<Arc<dyn Delegate>>,
    call: impl FnOnce(&Task),
) {
    let _inside = Inside::enter(&core.shared);
    let task = Task::forwarding(core, next);
    if caught("a delegate method", || call(&task)).is_none() {
        core.fail(panicked("a delegate method"));
    }
}

/// Runs what may call the program in ways that nobody else guards: readers of bodies that
/// are dropped, its logger.
pub(in crate::session) fn guarded<T>(
    transfer: impl FnOnce() -> Result<T, Error>,
) -> Result<T, Error> {
    caught("code called by a transfer", transfer)
        .unwrap_or_else(|| Err(panicked("code called by the transfer")))
}

/// The error of a task whose program has panicked.
fn panicked(what: &str) -> Error {
    Error::new(ErrorKind::DelegatePanicked, format!("{what} panicked"))
}

/// The error of a task whose question its queue has dropped.
fn never_asked() -> Error {
    let detail = "the delivery queue dropped a question of the task instead of asking it";
    Error::new(ErrorKind::DelegatePanicked, detail)
}
