//! What a program does with its tasks.

use std::mem;
use std::time::Duration;

use super::{Engine, State};
use crate::background::host::Settings;
use crate::background::job::{Job, Outcome, Phase};
use crate::background::ledger;
use crate::download;
use crate::error::Error;
use crate::log;
use crate::request::Request;
use crate::sync::MutexGuard;

/// How long transfers may take to let go of their files after they were cancelled.
const LEAVING: Duration = Duration::from_secs(5);

impl Engine {
    /// Takes on a job. If there is one with the same key, other than `besides`, that is returned
    /// instead.
    pub(super) fn take_on(&self, job: &Job, besides: Option<u64>) -> Option<u64> {
        let mut state = self.state.lock();
        // It was taken on by the daemon before, which did not come to saying so.
        if state.ledger.jobs.contains_key(&job.id) {
            return None;
        }
        let known = job.request.own_task_key().and_then(|key| state.ledger.with_key(key));
        let known = known.filter(|known| Some(*known) != besides);
        if known.is_none() {
            state.ledger.put(job.clone());
            self.note(&mut state, job.id, false);
        }
        known
    }

    /// Forgets a job that was never resumed, with what it has in the spool.
    pub(super) fn withdraw(&self, task: u64) {
        let mut state = self.state.lock();
        let gone = state.ledger.forget(task);
        let is_known = gone.0.is_some();
        if is_known {
            self.write(&mut state, ledger::gone(task), false);
        }
        drop(state);
        drop(gone);
        if is_known {
            self.clear(task);
            download::forget_all(&self.finished(task));
        }
    }

    /// Has it known as the program has changed it.
    pub(super) fn update(&self, task: u64, settings: Settings) {
        let mut state = self.state.lock();
        if let Some(job) = state.ledger.jobs.get_mut(&task)
            && settings.apply(job)
        {
            self.note(&mut state, task, false);
        }
    }

    /// Has it run from now on.
    pub(super) fn resume(&self, task: u64, settings: Option<Settings>) {
        let now = self.now();
        let mut state = self.state.lock();
        let Some(job) = state.ledger.jobs.get_mut(&task) else { return };
        if let Some(settings) = settings {
            settings.apply(job);
        }
        if matches!(job.phase, Phase::Suspended) {
            job.phase = Phase::Running;
        }
        self.note(&mut state, task, true);
        let transfer = match state.running.get_mut(&task) {
            Some(attempt) => Some(attempt.resume(now)),
            None => {
                state.due.push_back(task);
                None
            }
        };
        self.wake(state);
        transfer.inspect(|transfer| drop(transfer.resume()));
    }

    /// Has it stop until it is resumed.
    pub(super) fn suspend(&self, task: u64) {
        self.waits_no_more(task);
        let now = self.now();
        let mut state = self.state.lock();
        let transfer = state.running.get_mut(&task).map(|attempt| attempt.suspend(now));
        let Some(job) = state.ledger.jobs.get_mut(&task) else { return };
        if job.is_running() {
            job.phase = Phase::Suspended;
        }
        if let Some((_, spent)) = &transfer {
            job.spent += *spent;
        }
        self.note(&mut state, task, false);
        drop(state);
        transfer.inspect(|(transfer, _)| transfer.suspend());
    }

    /// Ends it.
    pub(super) fn cancel(&self, task: u64, why: Option<Error>) {
        let mut state = self.state.lock();
        let Some(attempt) = state.running.get_mut(&task) else {
            let error = why.unwrap_or_else(Error::cancelled);
            return self.end_locked(state, task, Outcome::Failed(error));
        };
        let transfer = attempt.cancel(why);
        drop(state);
        transfer.cancel();
    }

    /// Ends it, and leaves what has come of its file for the program.
    pub(super) fn interrupt(&self, task: u64) {
        let mut state = self.state.lock();
        if state.ledger.jobs.get(&task).is_none_or(|job| job.ending().is_some()) {
            return;
        }
        state.interrupted.insert(task);
        let transfer = state.running.get(&task).map(|attempt| attempt.transfer());
        drop(state);
        match transfer.and_then(|transfer| transfer.as_download()) {
            // What has come is on the disk, and written down, before it has ended.
            Some(transfer) => transfer.cancel_by_producing_resume_data(drop),
            None => self.cancel(task, None),
        }
    }

    /// Has it go ahead of others, or behind them.
    pub(super) fn prioritize(&self, task: u64, priority: f32) {
        let mut state = self.state.lock();
        let Some(job) = state.ledger.jobs.get_mut(&task) else { return };
        job.priority = priority;
        self.note(&mut state, task, false);
        let transfer = state.running.get(&task).map(|attempt| attempt.transfer());
        drop(state);
        transfer.inspect(|transfer| transfer.set_priority(priority));
    }

    /// Goes on with another request, or ends with the error that it had without one.
    pub(super) fn renew(&self, task: u64, request: Option<Request>, why: Error) {
        let Some(request) = request else { return self.end(task, Outcome::Failed(why)) };
        self.go_on_with(task, Some(request), |_| ());
    }

    /// Has it go on as it is after a change, with another request if there is one.
    pub(super) fn go_on_with(
        &self,
        task: u64,
        request: Option<Request>,
        change: impl FnOnce(&mut Job),
    ) {
        self.waits_no_more(task);
        let mut state = self.state.lock();
        let Some(job) = state.ledger.jobs.get_mut(&task) else { return };
        change(job);
        let before = request.map(|request| {
            job.omitted.clear();
            mem::replace(&mut job.request, request)
        });
        if job.is_running() {
            self.note(&mut state, task, true);
            state.due.push_back(task);
        }
        self.wake(state);
        drop(before);
    }

    /// Brings all that was written to the disk.
    pub(super) fn sync(&self) {
        let written = self.state.lock().written;
        if let Err(error) = self.journal.commit(written) {
            log::warn!("the journal cannot be brought to the disk: {error}");
        }
    }

    /// Has the thread look at what there is to do.
    pub(super) fn wake(&self, mut state: MutexGuard<'_, State>) {
        let starts = !state.is_closed && !mem::replace(&mut state.has_thread, true);
        drop(state);
        if !starts {
            self.changed.notify_all();
            return;
        }
        let Some(engine) = self.me.upgrade() else { return };
        let life = Box::new(move || engine.work());
        if let Err(error) = self.census.spawn("urlsession-background", life) {
            log::warn!("the system refuses a thread for background transfers: {error}");
            self.state.lock().has_thread = false;
        }
    }

    /// Ends everything of the engine; what runs goes on at the next opening.
    pub(super) fn leave(&self) {
        let mut state = self.state.lock();
        state.is_closed = true;
        let attempts: Vec<_> =
            state.running.drain().map(|(_, attempt)| attempt.transfer()).collect();
        drop(state);
        self.changed.notify_all();
        for transfer in attempts {
            transfer.cancel();
        }
        if let Some(transfers) = self.transfers.get() {
            transfers.invalidate_and_cancel();
            // Whoever opens the session next finds no file that is still written.
            transfers.wait_until_idle(LEAVING);
        }
        self.sync();
        self.folder.unlock();
    }
}
