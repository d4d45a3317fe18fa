//! Asking the delegates of a task, and waiting for what they decide.

mod dialogue;

use std::sync::Arc;
use std::time::Duration;

use super::calls::{Calls, panicked};
use crate::body::Body;
use crate::delivery::{Inquiry, Reply, Settled};
use crate::error::{Error, ErrorKind};
use crate::session::delegate::{Delegate, HeldDelegate};
use crate::session::task::{Core, Task};

/// An answer that comes this soon, data that is taken and a call that returns this soon, is not worth giving the
/// place to others, who would open a connection of their own.
pub(in crate::session) const SOON: Duration = Duration::from_millis(20);

/// Whom a task asks, in this order: its own delegate, then the session's.
type Chain = [Option<HeldDelegate>; 2];

impl Core {
    /// Returns whom the task asks.
    fn chain(&self) -> Chain {
        [self.state.lock().recipients.delegate(), self.shared.delegate()]
    }

    /// Asks the delegates for a body to send.
    pub(in crate::session) fn ask_for_body(self: &Arc<Self>) -> Result<Option<Body>, Error> {
        let answer = self.ask(|delegate, task, reply| delegate.need_new_body_stream(task, reply));
        answer.map(Option::flatten)
    }

    /// Tells that the task waits for a connection to become possible.
    pub(in crate::session) fn tell_of_waiting(self: &Arc<Self>) {
        let mut chain = self.chain().into_iter().flatten();
        let (Some(first), next) = (chain.next(), chain.next()) else { return };
        Calls::of(self).make(self, next, move |task| first.task_is_waiting_for_connectivity(task));
    }

    /// Asks the task's delegates.
    fn ask<T: Send + 'static>(
        self: &Arc<Self>,
        asks: impl Fn(&dyn Delegate, &Task, Reply<T>) + Send + Sync + 'static,
    ) -> Result<Option<T>, Error> {
        self.ask_in_turn(self.chain(), asks)
    }

    /// Asks these delegates one after the other, until one answers.
    pub(super) fn ask_in_turn<T: Send + 'static>(
        self: &Arc<Self>,
        chain: [Option<HeldDelegate>; 2],
        asks: impl Fn(&dyn Delegate, &Task, Reply<T>) + Send + Sync + 'static,
    ) -> Result<Option<T>, Error> {
        let asks = Arc::new(asks);
        for delegate in chain.into_iter().flatten() {
            let (inquiry, errand) = Inquiry::begin();
            let asks = Arc::clone(&asks);
            Calls::of(self).make(self, None, move |task| {
                errand.run(|reply| asks(&**delegate, task, reply));
            });
            match self.wait_for(&inquiry)? {
                Settled::Answered(value) => return Ok(Some(value)),
                Settled::Unanswered => {}
                // Never open by accident.
                Settled::Panicked => return Err(panicked("a decision")),
                Settled::NeverAsked => return Err(never_asked()),
            }
        }
        Ok(None)
    }

    /// Waits for an answer. The idle timer stands still meanwhile; if it takes longer, the
    /// place is given to others.
    fn wait_for<T: Send + 'static>(
        self: &Arc<Self>,
        inquiry: &Inquiry<T>,
    ) -> Result<Settled<T>, Error> {
        let scheduler = self.shared.scheduler();
        let go_on = || scheduler.go_on(self);
        if let Some(settled) = inquiry.try_take() {
            return go_on().map(|()| settled);
        }
        let attempt = self.state.lock().attempts.token();
        let _registered = attempt.as_ref().map(|token| token.on_cancel(inquiry.waker()));
        if let Some(settled) = inquiry.wait_slice(SOON) {
            return go_on().map(|()| settled);
        }
        scheduler.step_aside(self);
        let settled = loop {
            let now = self.look_around(attempt.as_ref())?;
            let slice = self.slice(now);
            if let Some(settled) = inquiry.wait_slice(slice) {
                break settled;
            }
        };
        go_on().map(|()| settled)
    }
}

/// The error of a task whose question its queue has dropped.
fn never_asked() -> Error {
    let detail = "the delivery queue dropped a question of the task instead of asking it";
    Error::new(ErrorKind::DelegatePanicked, detail)
}
