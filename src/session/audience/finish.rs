//! The end of a task: told once, whoever ends it.

use std::sync::Arc;

use super::calls::{call_here, call_now, try_call};
use super::telling::send;
use crate::delivery::Mailbox;
use crate::error::Error;
use crate::foreign::caught;
use crate::log;
use crate::session::delegate::HeldDelegate;
use crate::session::task::{
    Brought, Core, Listener, Locked, Product, Record, Reports, Update, voice,
};

/// The completion of a task, decided but not told.
///
/// Whoever runs tasks makes one when a task has ended and is in nobody's line any more, and
/// has it told. Dropped untold, the task ends all the same.
#[must_use = "a completion is told"]
pub(crate) struct Completion {
    ending: Ending,
    via: Via,
}

/// Where a completion is told.
enum Via {
    /// By whoever has it told.
    Here,
    /// On the session's queue.
    Queue,
    /// There, after what was told before.
    Mailbox(Mailbox),
}

impl Completion {
    /// Takes what the task, which is locked, has reported to. `is_refused` if its session never
    /// took it.
    pub(crate) fn of(
        core: &Arc<Core>,
        mut state: Locked<'_>,
        outcome: Brought,
        is_refused: bool,
    ) -> Self {
        drop(state.attempts.end());
        let reports = state.recipients.report_to(Reports::Caller);
        let via = match reports {
            Reports::Delegates | Reports::Closure(_) => {
                // Most tasks have told nothing before.
                state.recipients.take_mailbox().map_or(Via::Queue, Via::Mailbox)
            }
            Reports::Channel(_) | Reports::Updates(_) | Reports::Caller => Via::Here,
        };
        drop(state);
        if is_refused {
            // Nobody knows the task, but somebody may wait for all to be told.
            core.shared.scheduler().begin_call();
        }
        let untold = Some((reports, outcome));
        let core = Arc::clone(core);
        Self { ending: Ending { core, is_refused, untold, is_told: false }, via }
    }

    /// Whether the program may be called by [`tell`](Self::tell), where it may wait for
    /// anything: so nothing may be held meanwhile.
    pub(in crate::session) fn calls_here(&self) -> bool {
        !matches!(self.via, Via::Here) && self.ending.core.shared.queue.may_run_here()
    }

    /// Has it told.
    pub(crate) fn tell(self) {
        let Self { ending, via } = self;
        match via {
            Via::Here => {
                // It was logged.
                let _ = caught("the end of a task", || ending.tell());
            }
            Via::Queue => {
                let core = Arc::clone(&ending.core);
                core.shared.queue.post(Box::new(move || ending.tell()));
            }
            Via::Mailbox(mailbox) => mailbox.send(move || ending.tell()),
        }
    }
}

impl Core {
    /// Ends a task that its caller has run, and returns what it brought.
    pub(in crate::session) fn end(self: &Arc<Self>, outcome: Brought) -> Brought {
        self.listener().inspect(|listener| listener.last_progress(self));
        let (outcome, delegate) = self.conclude(outcome);
        let Some(delegate) = delegate else { return outcome };
        let error = outcome.as_ref().err();
        match call_here(self, |task| delegate.did_complete(task, error)) {
            Ok(()) => outcome,
            Err(error) => self.spoilt(outcome, error),
        }
    }

    /// Has a task that its caller has run fail at last, as its end could not be told.
    #[cold]
    fn spoilt(&self, outcome: Brought, error: Error) -> Brought {
        let mut state = self.state.lock();
        let error = self.on_url(&state, error);
        let replaces = state.kind.replaces();
        state.seen.failed(Some(&error));
        drop(state);
        if let Ok(product) = outcome {
            take_back(product, replaces);
        }
        Err(error)
    }

    /// Tells the delegates what a task has brought that reports to them; returns whether they
    /// have taken it, without a panic.
    pub(super) fn end_with_delegates(
        self: &Arc<Self>,
        mut outcome: Brought,
        is_refused: bool,
    ) -> bool {
        let core = self;
        let session = if is_refused { None } else { core.shared.delegate() };
        let own = core.state.lock().recipients.delegate();
        let (first, next) = match own {
            Some(own) => (Some(own), session),
            None => (session, None),
        };
        let Some(delegate) = first else {
            let _ = core.conclude(outcome);
            return true;
        };
        let mut is_told = true;
        let hands_over = outcome.as_ref().is_ok_and(|product| core.hands_over(product));
        outcome = match outcome {
            Ok(Product::Download(download)) if hands_over => {
                let told = try_call(core, next.clone(), |task| {
                    delegate.did_finish_downloading(task, download.file);
                });
                is_told = told.is_ok();
                Ok(Product::HandedOver)
            }
            outcome => outcome,
        };
        let (outcome, own) = core.conclude(outcome);
        let error = outcome.as_ref().err();
        is_told &= try_call(core, next, |task| delegate.did_complete(task, error)).is_ok();
        drop((delegate, own));
        is_told
    }

    /// Makes the task completed; decides what it has brought. Returns its delegate, of which
    /// it lets go.
    fn conclude(self: &Arc<Self>, outcome: Brought) -> (Brought, Option<HeldDelegate>) {
        let mut state = self.state.lock();
        let (outcome, refused) = self.judged(&state, outcome);
        self.complete(&mut state, outcome.as_ref().err());
        let replaces = state.kind.replaces();
        // What these hold is dropped without the lock.
        let delegate = state.recipients.take_delegate();
        let link = state.link.take();
        let listener = state.recipients.take_listener();
        let attempt = (state.attempts.end(), state.attempts.take_body());
        let taken = state.recipients.take_resume_data();
        drop(state);
        drop((link, listener, attempt));
        if let Some(taken) = taken {
            let data = outcome.as_ref().err().and_then(|error| error.resume_data().cloned());
            self.hand_over_resume_data(*taken, data);
        }
        if let Some(Ok(product)) = refused {
            take_back(product, replaces);
        }
        (outcome, delegate)
    }

    /// Decides what the task has brought, and what of it comes too late.
    fn judged(&self, state: &Record, outcome: Brought) -> (Brought, Option<Brought>) {
        if !state.life.is_canceling() {
            return (outcome.map_err(|error| self.on_url(state, error)), None);
        }
        match outcome {
            // It may say how far the task had come.
            Err(error) if state.life.failure().is_none() && error.is_cancelled() => {
                (Err(self.on_url(state, error)), None)
            }
            // The cancel came too late: the file is where it was wanted.
            Ok(product) if state.life.failure().is_none() && product.is_in_place() => {
                (Ok(product), None)
            }
            outcome => (Err(self.why_cancelled(state)), Some(outcome)),
        }
    }

    /// Whether its file is handed over: unless it was asked to end before, and the file is
    /// not at its place yet; and never if it has failed.
    fn hands_over(&self, product: &Product) -> bool {
        let state = self.state.lock();
        let has_failed = state.life.failure().is_some();
        !state.life.is_canceling() || (!has_failed && product.is_in_place())
    }
}

/// Leaves nothing of what a task has brought that has failed.
fn take_back(product: Product, replaces: bool) {
    if replaces {
        // What was there before is gone, so that the new file is all there is.
        drop(product);
    } else {
        product.undo();
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
    /// They have taken it.
    is_told: bool,
}

impl Ending {
    fn tell(mut self) {
        let Some((reports, outcome)) = self.untold.take() else { return };
        let core = &self.core;
        let listener = core.listener();
        if let Some(listener) = &listener
            && !matches!(reports, Reports::Channel(_))
        {
            listener.last_progress(core);
        }
        if matches!(reports, Reports::Delegates) {
            self.is_told = match voice() {
                Some(voice) => voice.end(core, outcome, self.is_refused),
                // Nobody is told.
                None => {
                    drop(core.conclude(outcome));
                    true
                }
            };
            return;
        }
        let (outcome, delegate) = core.conclude(outcome);
        match reports {
            Reports::Closure(end) => {
                let end = end.into_inner();
                call_now(core, None, |_| end(outcome));
            }
            Reports::Channel(end) => {
                end.into_inner()(outcome);
                core.shared.queue.wake();
                if let Some(listener) = listener {
                    self.tell_last(listener);
                }
            }
            Reports::Updates(sender) => {
                let outcome = outcome.map(|product| {
                    if let Product::Download(download) = product {
                        send(core, &sender, Update::Downloaded(download.file), None);
                    }
                });
                send(core, &sender, Update::Finished(outcome), None);
            }
            // Nobody has run it.
            Reports::Caller => {
                if let Some(delegate) = delegate {
                    let error = outcome.as_ref().err();
                    call_now(core, None, |task| delegate.did_complete(task, error));
                }
            }
            Reports::Delegates => {}
        }
    }

    /// Ends a task with a channel behind what its delegate is told of sending, which may
    /// still be on its way.
    fn tell_last(self, listener: Arc<dyn Listener>) {
        let mailbox = self.core.state.lock().recipients.take_mailbox();
        if let Some(mailbox) = mailbox {
            mailbox.send(move || {
                if !self.core.is_cut_short() {
                    listener.last_progress(&self.core);
                }
            });
        }
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        let core = &self.core;
        if let Some((reports, outcome)) = self.untold.take() {
            let _ = caught("a logger", || log::warn!("a delivery queue dropped the end of a task"));
            // Nobody takes what it has brought, but a file may be where it was wanted.
            let outcome = match outcome {
                Ok(product) if product.is_in_place() => Ok(product),
                outcome => {
                    drop(outcome);
                    Err(Error::cancelled())
                }
            };
            let (outcome, delegate) = core.conclude(outcome);
            drop((reports, outcome, delegate));
        }
        core.shared.scheduler().finished(core, self.is_told);
        if self.is_refused {
            core.shared.scheduler().end_call();
        }
    }
}
