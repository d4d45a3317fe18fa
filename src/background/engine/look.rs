//! What people, and the program's side, see of an engine.

use std::path::Path;

use super::{Engine, Waiting};
use crate::background::job::Job;
use crate::error::Error;

impl Engine {
    /// Returns all jobs, oldest first, and what each waits for, and for how long.
    pub(in crate::background) fn look(&self) -> Vec<(Job, Option<Waiting>)> {
        let now = self.now();
        let state = self.state.lock();
        let wait = |job: &Job| {
            let wait = state.waiting.get(&job.id)?;
            let left = wait.until.map(|until| until.saturating_duration_since(now));
            Some((wait.what.clone(), left))
        };
        state.ledger.jobs.values().map(|job| (job.clone(), wait(job))).collect()
    }

    /// Whether it still has its folder.
    pub(in crate::background) fn is_open(&self) -> bool {
        !self.state.lock().is_closed
    }

    /// Returns what of the journal was damaged, in words.
    pub(in crate::background) fn damage(&self) -> Vec<String> {
        self.damage.clone()
    }

    /// Takes the body of an upload into the spool; returns its length.
    pub(in crate::background) fn take_body(&self, task: u64, source: &Path) -> Result<u64, Error> {
        self.folder.spool().take(task, source)
    }

    /// Starts nothing more: all tasks are about to be cancelled.
    pub(in crate::background) fn halt(&self) {
        self.state.lock().due.clear();
    }

    /// Forgets what was learned about servers.
    pub(in crate::background) fn forget(&self) {
        self.transfers.get().inspect(|transfers| transfers.reset());
    }

    /// Has every later exchange use a new connection.
    pub(in crate::background) fn renew_connections(&self) {
        self.transfers.get().inspect(|transfers| transfers.flush());
    }
}
