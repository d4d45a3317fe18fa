//! Asking the delegates of a task, and waiting for what they decide.

mod dialogue;

use std::sync::Arc;
use std::time::Duration;

use super::calls::{Calls, panicked};
use super::telling::send;
use crate::body::Body;
use crate::cancel::Wake;
use crate::delivery::{Course, Inquiry, Reply, Settled};
use crate::error::{Error, ErrorKind};
use crate::retry::Retry;
use crate::session::delegate::{Delegate, HeldDelegate};
use crate::session::task::{Core, Reports, Task, Update, voice};
use crate::wire::Question;

/// What comes this soon is worth no change of places: an answer, the taking of data, the return of
/// a call. Others, given the place, would open a connection of their own.
pub(in crate::session) const SOON: Duration = Duration::from_millis(20);

/// How long one waits before it looks again whether the task leaves its thread.
pub(super) const LOOK: Duration = Duration::from_secs(1);

/// Whom a task asks, in this order: its own delegate, then the session's.
type Chain = [Option<HeldDelegate>; 2];

/// Asks a delegate.
type Asks<T> = Arc<dyn Fn(&dyn Delegate, &Task, Reply<T>) + Send + Sync>;

/// One who is asked, and how.
type Turn<T> = (HeldDelegate, Asks<T>);

/// A question that waits for the answer of the one whose turn it is.
struct Open<T> {
    turn: usize,
    inquiry: Inquiry<T>,
}

impl Core {
    /// Returns whom the task asks.
    pub(super) fn chain(&self) -> Chain {
        [self.state.lock().recipients.delegate(), self.shared.delegate()]
    }

    /// Asks the delegates for a body to send.
    pub(in crate::session) fn ask_for_body(
        self: &Arc<Self>,
        question: &mut Question,
    ) -> Result<Option<Body>, Error> {
        voice().map_or(Ok(None), |voice| voice.ask_for_body(self, question))
    }

    /// Tells that the task waits for a connection to become possible.
    pub(in crate::session) fn tell_of_waiting(self: &Arc<Self>) {
        if let Some(voice) = voice() {
            voice.tell_of_waiting(self);
        }
    }

    /// Tells that the task makes another attempt.
    pub(in crate::session) fn tell_of_retry(self: &Arc<Self>, retry: Retry) {
        if let Some(voice) = voice() {
            voice.tell_of_retry(self, retry);
        }
    }

    /// The same as [`tell_of_waiting`](Self::tell_of_waiting), where there is anybody at all.
    pub(super) fn tell_delegates_of_waiting(self: &Arc<Self>) {
        self.tell_chain(|delegate, task| delegate.task_is_waiting_for_connectivity(task));
    }

    /// The same as [`tell_of_retry`](Self::tell_of_retry).
    pub(super) fn tell_somebody_of_retry(self: &Arc<Self>, retry: Retry) {
        let updates = match self.state.lock().recipients.reports() {
            Reports::Updates(sender) => Some(sender.clone()),
            _ => None,
        };
        match updates {
            Some(sender) => send(self, &sender, Update::WillRetry(retry), None),
            None => self.tell_chain(move |delegate, task| delegate.will_retry(task, &retry)),
        }
    }

    /// Tells the first of those whom the task asks, who may forward it to the next.
    fn tell_chain(self: &Arc<Self>, call: impl FnOnce(&dyn Delegate, &Task) + Send + 'static) {
        let mut chain = self.chain().into_iter().flatten();
        let (Some(first), next) = (chain.next(), chain.next()) else { return };
        Calls::of(self).make(self, next, move |task| call(&**first, task));
    }

    /// Asks the task's delegates.
    pub(super) fn ask<T: Send + 'static>(
        self: &Arc<Self>,
        asks: impl Fn(&dyn Delegate, &Task, Reply<T>) + Send + Sync + 'static,
        question: &mut Question,
    ) -> Result<Option<T>, Error> {
        self.ask_each(self.chain(), Arc::new(asks), question)
    }

    /// Asks these delegates the same.
    pub(super) fn ask_each<T: Send + 'static>(
        self: &Arc<Self>,
        chain: Chain,
        asks: Asks<T>,
        question: &mut Question,
    ) -> Result<Option<T>, Error> {
        let turns = chain.into_iter().flatten().map(|delegate| (delegate, Arc::clone(&asks)));
        Ok(self.ask_in_turn(turns.collect(), question)?.map(|(_, _, answer)| answer))
    }

    /// Asks one after the other, until one answers; returns whose turn that was, and who it is.
    /// If the task leaves its thread meanwhile, it goes on from there with the same question.
    fn ask_in_turn<T: Send + 'static>(
        self: &Arc<Self>,
        turns: Vec<Turn<T>>,
        question: &mut Question,
    ) -> Result<Option<(usize, HeldDelegate, T)>, Error> {
        let mut open = question.take::<Open<T>>();
        let first = open.as_ref().map_or(0, |open| open.turn);
        for (turn, (delegate, asks)) in turns.into_iter().enumerate().skip(first) {
            let inquiry = match open.take() {
                Some(open) => open.inquiry,
                None => self.pose(&delegate, asks),
            };
            if let Err(error) = self.wait_for(inquiry.course(), &|| inquiry.waker()) {
                question.keep(Open { turn, inquiry });
                return Err(error);
            }
            match inquiry.try_take() {
                Some(Settled::Answered(value)) => return Ok(Some((turn, delegate, value))),
                Some(Settled::Unanswered) => {}
                // Never open by accident.
                Some(Settled::Panicked) => return Err(panicked("a decision")),
                Some(Settled::NeverAsked) | None => return Err(never_asked()),
            }
        }
        Ok(None)
    }

    /// Has one asked.
    fn pose<T: Send + 'static>(
        self: &Arc<Self>,
        delegate: &HeldDelegate,
        asks: Asks<T>,
    ) -> Inquiry<T> {
        let (inquiry, errand) = Inquiry::begin();
        let delegate = delegate.clone();
        Calls::of(self).make(self, None, move |task| {
            errand.run(|reply| asks(&**delegate, task, reply));
        });
        inquiry
    }

    /// Waits for an answer. The idle timer stands still meanwhile; if it takes longer, the
    /// place is given to others. The task may have to leave its thread, which the error says.
    fn wait_for(
        self: &Arc<Self>,
        course: &Course,
        waker: &dyn Fn() -> Arc<dyn Wake>,
    ) -> Result<(), Error> {
        let scheduler = self.shared.scheduler();
        if course.is_settled() {
            return scheduler.rest(self);
        }
        let attempt = self.state.lock().attempts.token();
        let _registered = attempt.as_ref().map(|token| token.on_cancel(waker()));
        if !course.wait_slice(SOON) {
            scheduler.step_aside(self);
            loop {
                let now = self.look_around(attempt.as_ref())?;
                if course.wait_slice(self.slice(now).min(LOOK)) {
                    break;
                }
            }
        }
        scheduler.rest(self)
    }
}

/// The error of a task whose question its queue has dropped.
fn never_asked() -> Error {
    let detail = "the delivery queue dropped a question of the task instead of asking it";
    Error::new(ErrorKind::DelegatePanicked, detail)
}
