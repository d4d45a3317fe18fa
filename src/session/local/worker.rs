//! The life of a worker, and of a thread of the program's that runs a task itself.

use std::io;
use std::mem;
use std::sync::Arc;

use super::Local;
use super::place::Detached;
use super::pool::Ready;
use super::retry::Verdict;
use super::transfer::Transfer;
use crate::error::{Error, ErrorKind};
use crate::load::Loaded;
use crate::log;
use crate::session::audience;
use crate::session::inside::{Inside, Running};
use crate::session::task::{Brought, Core, Place, Ticket};

impl Local {
    pub(super) fn start_worker(&self) {
        let Some(local) = self.me.upgrade() else { return };
        let life = Box::new(move || local.work());
        if let Err(error) = self.census.spawn("urlsession-worker", life) {
            self.refused(error);
        }
    }

    /// The system refused a thread. It is asked again by the timer, and by whatever happens
    /// in the pool; those for whom there is none in time have failed.
    fn refused(&self, error: io::Error) {
        log::debug!("the system refused a thread for a task: {error}");
        let Some(again) = self.pool.refused() else { return };
        let is_watched = self.timer.ask_for_workers(again);
        let abandoned = self.pool.abandoned(self.patience, !is_watched);
        if abandoned.is_empty() {
            return;
        }
        let detail = "the system refused a thread for a task; fewer of them at once, by \
             maximum_concurrent_tasks, need fewer threads";
        let error = Error::new(ErrorKind::OutOfResources, detail).by_system(error);
        for ready in abandoned {
            self.give_up(ready, error.clone());
        }
    }

    fn work(&self) {
        let (mut freed, mut arrives) = (None, true);
        loop {
            let (next, effects) = self.pool.turn(freed.take(), mem::take(&mut arrives));
            self.act(effects);
            match next.or_else(|| self.pool.rest()) {
                Some(ready) => freed = self.run_on_worker(ready),
                None => break,
            }
        }
    }

    /// Runs a task on the worker that calls this. Returns the place to free.
    fn run_on_worker(&self, ready: Ready) -> Option<Place> {
        let Ready { core, ticket, place } = ready;
        let inside = Inside::enter(&core.shared);
        let freed = {
            let _running = Running::enter(&core);
            self.run_attached(&core, ticket, place)
        };
        drop(core);
        drop(inside);
        freed
    }

    fn run_attached(&self, core: &Arc<Core>, ticket: Ticket, place: Place) -> Option<Place> {
        if let Err(place) = self.attach(core, ticket, place) {
            return Some(place);
        }
        let mut transfer = self.take_left(core);
        loop {
            let outcome = audience::guarded(|| self.loader.attempt(core, &mut transfer));
            match self.verdict(core, outcome.as_ref().err()) {
                Verdict::Leaves => {
                    self.let_go(core, transfer);
                    return None;
                }
                Verdict::Ends => {
                    let outcome = outcome.map_err(|error| transfer.interrupted(core, error));
                    return self.complete_holding(core, outcome, false);
                }
                // It is put off, if it is, when it is let go of.
                Verdict::StartsOver | Verdict::WaitsToConnect(_) | Verdict::Retries(_) => {}
            }
            transfer.start_over();
            match self.detach(core, &mut transfer) {
                Detached::RunAgain => {}
                Detached::Left => return None,
                Detached::Cancelled => {
                    let error = transfer.interrupted(core, Error::cancelled());
                    return self.complete_holding(core, Err(error), false);
                }
            }
        }
    }

    /// Ends a task for which there is no thread.
    fn give_up(&self, ready: Ready, error: Error) {
        let Ready { core, ticket, place } = ready;
        match self.attach(&core, ticket, place) {
            Ok(()) => self.complete(&core, Err(error), false),
            Err(place) => self.free(place),
        }
    }

    /// Runs the task on the thread that calls this, from its beginning to its end.
    pub(super) fn run_here(&self, core: &Arc<Core>) -> Brought {
        self.attach_caller(core)?;
        let outcome = self.until_done(core, |transfer| self.loader.attempt(core, transfer));
        self.end_here(core, outcome)
    }

    /// Runs the task until its head has arrived, on the thread that calls this.
    pub(super) fn open_here(&self, core: &Arc<Core>) -> Result<Loaded, Error> {
        self.attach_caller(core)?;
        let opened = self.until_done(core, |_| self.loader.head(core));
        opened
            .map_err(|error| self.end_here(core, Err(error)).err().unwrap_or_else(Error::cancelled))
    }

    /// Makes attempts until one need not be repeated.
    fn until_done<T>(
        &self,
        core: &Arc<Core>,
        attempt: impl Fn(&mut Transfer) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let _inside = Inside::enter(&core.shared);
        let mut transfer = Transfer::default();
        loop {
            let outcome = audience::guarded(|| attempt(&mut transfer));
            let waited = match self.verdict(core, outcome.as_ref().err()) {
                Verdict::Ends | Verdict::Leaves => {
                    return outcome.map_err(|error| transfer.interrupted(core, error));
                }
                Verdict::StartsOver => Ok(()),
                Verdict::WaitsToConnect(_) | Verdict::Retries(_) => self.wait_here(core),
            };
            if let Err(error) = waited {
                return Err(transfer.interrupted(core, error));
            }
            transfer.start_over();
            if !matches!(self.detach(core, &mut transfer), Detached::RunAgain) {
                return outcome.map_err(|error| transfer.interrupted(core, error));
            }
        }
    }

    /// Ends a task that its caller has run, and returns what it brought.
    pub(super) fn end_here(&self, core: &Arc<Core>, outcome: Brought) -> Brought {
        let outcome = core.end(outcome);
        let place = self.retire(core);
        self.forget_task(core, place);
        outcome
    }
}
