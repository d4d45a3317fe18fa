//! The end of a task: told once, whoever ends it.

use std::mem;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::core::Core;
use super::place::Standing;
use super::product::Product;
use super::report::{Chain, Reports, call_caught};
use super::state::TaskState;
use super::telling::{Telling, send};
use super::updates::Update;
use crate::delivery::{Mailbox, caught};
use crate::error::Error;
use crate::session::line::Place;

/// What a task brings, or why it does not.
pub(super) type Brought = Result<Product, Error>;

impl Core {
    /// Ends the task and has that told. Returns the place that the caller, a worker, has
    /// to free.
    pub(super) fn complete(self: &Arc<Self>, outcome: Brought, is_refused: bool) -> Option<Place> {
        let mut state = self.state.lock();
        let place = self.take_place(&mut state);
        state.attempt = None;
        let reports = mem::replace(&mut state.reports, Reports::Caller);
        let is_posted = matches!(reports, Reports::Delegates | Reports::Closure(_));
        let mailbox = is_posted.then(|| {
            let made = || Mailbox::new(self.shared.queue.clone());
            state.mailbox.take().unwrap_or_else(made)
        });
        drop(state);
        if is_refused {
            // The pool does not know the task, but somebody may wait for all to be told.
            self.shared.pool().begin_call();
        }
        let untold = Some((reports, outcome));
        let ending = Ending { core: Arc::clone(self), is_refused, untold };
        let tell = move || ending.tell();
        match mailbox {
            None => {
                caught("the end of a task", tell);
                place
            }
            // What runs here may wait for anything, so nothing is held meanwhile.
            Some(mailbox) if mailbox.queue().may_run_here() => {
                if let Some(place) = place {
                    self.shared.act(self.shared.pool().free(place));
                }
                mailbox.send(tell);
                None
            }
            Some(mailbox) => {
                mailbox.send(tell);
                place
            }
        }
    }

    /// Ends a task that the session does not take.
    pub(super) fn refuse(self: &Arc<Self>, error: Error) {
        let mut state = self.state.lock();
        state.standing = Standing::Done;
        drop(state);
        self.complete(Err(error), true);
    }

    /// Ends a task that its caller has run, and returns what it brought.
    pub(crate) fn end(self: &Arc<Self>, outcome: Brought) -> Brought {
        if self.tells.load(Ordering::Acquire) {
            let telling = self.state.lock().telling.clone();
            telling.inspect(|telling| telling.last_progress(self));
        }
        let (outcome, chain, place) = self.conclude(outcome);
        if let Some(delegate) = chain.task {
            let error = outcome.as_ref().err();
            call_caught(self, None, |task| delegate.did_complete(task, error));
            caught("a delegate that is dropped", || drop(delegate));
        }
        self.shared.act(self.shared.pool().finish(self.id, place));
        outcome
    }

    /// Makes the task completed; decides what it has brought.
    fn conclude(self: &Arc<Self>, outcome: Brought) -> (Brought, Chain, Option<Place>) {
        let mut state = self.state.lock();
        let mut refused = None;
        let outcome = match (state.state, outcome) {
            // It may say how far the task had come.
            (TaskState::Canceling, Err(error)) if state.failure.is_none() && error.is_cancel() => {
                Err(self.on_url(&state, error))
            }
            // It came too late: the file is where it was wanted.
            (TaskState::Canceling, Ok(product))
                if state.failure.is_none() && product.is_in_place() =>
            {
                Ok(product)
            }
            (TaskState::Canceling, outcome) => {
                refused = Some(outcome);
                Err(self.why_cancelled(&state))
            }
            (_, outcome) => outcome.map_err(|error| self.on_url(&state, error)),
        };
        if state.state == TaskState::Suspended {
            // The transfer was over already.
            self.end_pause(&mut state);
            state.state = TaskState::Running;
        }
        let is_first = state.state.may_become(TaskState::Completed);
        if is_first {
            state.state = TaskState::Completed;
            state.seen.error = outcome.as_ref().err().cloned();
        }
        let replaces = state.kind.replaces();
        let place = self.take_place(&mut state);
        let task = state.seen.delegate.take();
        // What these hold is dropped without the lock.
        let link = state.link.take();
        let telling = state.telling.take();
        let attempt = state.attempt.take();
        drop(state);
        drop((link, telling, attempt));
        match refused {
            // What was there before is gone, so that the new file is all there is.
            Some(Ok(product)) if replaces => drop(product),
            Some(Ok(product)) => product.undo(),
            Some(Err(_)) | None => {}
        }
        (outcome, Chain { task, session: None }, place)
    }

    /// Whether it was cancelled, or has failed.
    pub(super) fn is_cancelled(&self) -> bool {
        self.state.lock().state == TaskState::Canceling
    }

    /// Whether its file is handed over: unless it was asked to end before, and the file is
    /// not at its place yet; and never if it has failed.
    fn hands_over(&self, product: &Product) -> bool {
        let state = self.state.lock();
        let is_cancelled = state.state == TaskState::Canceling;
        !is_cancelled || (state.failure.is_none() && product.is_in_place())
    }
}

/// A completion on its way; dropped untold by a queue that is gone, the task ends all the
/// same.
struct Ending {
    core: Arc<Core>,
    /// The session did not take the task.
    is_refused: bool,
    /// Whom to tell, and what, until that was done.
    untold: Option<(Reports, Brought)>,
}

impl Ending {
    fn tell(mut self) {
        let Some((reports, outcome)) = self.untold.take() else { return };
        let core = &self.core;
        let telling = core.state.lock().telling.clone();
        if let Some(telling) = &telling
            && !matches!(reports, Reports::Channel(_))
        {
            telling.last_progress(core);
        }
        match reports {
            Reports::Delegates => self.tell_delegates(outcome),
            Reports::Closure(end) => {
                let (outcome, ..) = core.conclude(outcome);
                call_caught(core, None, |_| end(core, outcome));
            }
            Reports::Channel(end) => {
                let (outcome, ..) = core.conclude(outcome);
                end(core, outcome);
                core.shared.queue.wake();
                if let Some(telling) = telling {
                    self.tell_last(telling);
                }
            }
            Reports::Updates(sender) => {
                let outcome = core.conclude(outcome).0.map(|product| {
                    if let Product::Download(download) = product {
                        send(core, &sender, Update::Downloaded(download.file), None);
                    }
                });
                send(core, &sender, Update::Finished(outcome), None);
            }
            // Nobody has run it.
            Reports::Caller => {
                let (outcome, chain, _) = core.conclude(outcome);
                if let Some(delegate) = chain.task {
                    let error = outcome.as_ref().err();
                    call_caught(core, None, |task| delegate.did_complete(task, error));
                }
            }
        }
    }

    /// Ends a task with a channel behind what its delegate is told of sending, which may
    /// still be on its way.
    fn tell_last(self, telling: Arc<Telling>) {
        let mailbox = self.core.state.lock().mailbox.take();
        if let Some(mailbox) = mailbox {
            mailbox.send(move || telling.last_progress(&self.core));
        }
    }

    fn tell_delegates(&self, mut outcome: Brought) {
        let core = &self.core;
        let session = if self.is_refused { None } else { core.shared.delegate() };
        let own = core.state.lock().seen.delegate.clone();
        let (first, next) = match own {
            Some(own) => (Some(own), session),
            None => (session, None),
        };
        let Some(delegate) = first else {
            let _ = core.conclude(outcome);
            return;
        };
        let hands_over = outcome.as_ref().is_ok_and(|product| core.hands_over(product));
        outcome = match outcome {
            Ok(Product::Download(download)) if hands_over => {
                call_caught(core, next.clone(), |task| {
                    delegate.did_finish_downloading(task, download.file);
                });
                Ok(Product::HandedOver)
            }
            outcome => outcome,
        };
        let (outcome, chain, _) = core.conclude(outcome);
        let error = outcome.as_ref().err();
        call_caught(core, next, |task| delegate.did_complete(task, error));
        caught("a delegate that is dropped", || drop((delegate, chain)));
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        let core = &self.core;
        if let Some((reports, outcome)) = self.untold.take() {
            // Nobody takes what it has brought, but a file may be where it was wanted.
            let outcome = match outcome {
                Ok(product) if product.is_in_place() => Ok(product),
                outcome => {
                    drop(outcome);
                    Err(Error::cancelled())
                }
            };
            let (outcome, chain, _) = core.conclude(outcome);
            caught("what a task reports to", || drop((reports, outcome, chain)));
        }
        core.shared.act(core.shared.pool().finish(core.id, None));
        if self.is_refused {
            core.shared.pool().end_call();
        }
    }
}
