//! The order of one task's calls, on whatever queue they are made.

use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;

use crate::delivery::queue::{DeliveryQueue, Job, WeakQueue, run_caught};
use crate::log;
use crate::sync::{Mutex, Rank, assert_unlocked};

/// How many jobs of one mailbox run before others of the same queue have their turn.
const RUN: usize = 16;

/// Runs the jobs that it is sent in order and one at a time, on its queue.
///
/// Clones are handles of one mailbox. What was sent is run even if the last handle is
/// dropped before; it is dropped unrun only by a queue that is gone or drops its jobs.
#[derive(Clone)]
pub(crate) struct Mailbox {
    queue: DeliveryQueue,
    slot: Arc<Slot>,
}

struct Slot(Mutex<Contents>);

#[derive(Default)]
struct Contents {
    jobs: VecDeque<Job>,
    /// A visit is posted or under way; whoever changes it to true sees to that.
    visited: bool,
    /// A visit that had its turn is posting the next one.
    posting: bool,
    /// The next one has come while it was being posted, and left the work to the poster.
    deferred: bool,
}

impl Mailbox {
    pub(crate) fn new(queue: DeliveryQueue) -> Self {
        let state = Mutex::new(Rank::Mailbox, Contents::default());
        Self { queue, slot: Arc::new(Slot(state)) }
    }

    /// Has `job` run after everything that was sent before. Call it with no lock held.
    ///
    /// On an inline queue the job has run when this returns, unless a job of this mailbox
    /// is being run: then that one's thread runs it next.
    pub(crate) fn send(&self, job: impl FnOnce() + Send + 'static) {
        assert_unlocked("a mailbox is sent to");
        let mut state = self.slot.0.lock();
        state.jobs.push_back(Box::new(job));
        if mem::replace(&mut state.visited, true) {
            return;
        }
        drop(state);
        if self.queue.is_inline() {
            while let Some(job) = self.slot.next() {
                run_caught(job);
            }
        } else {
            Visit::post(self.slot.clone(), &self.queue);
        }
    }
}

impl std::fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let waiting = self.slot.0.lock().jobs.len();
        f.debug_struct("Mailbox").field("queue", &self.queue).field("waiting", &waiting).finish()
    }
}

impl Slot {
    /// Takes the next job; if there is none, the visit is over.
    fn next(&self) -> Option<Job> {
        let mut state = self.0.lock();
        let job = state.jobs.pop_front();
        state.visited = job.is_some();
        job
    }

    /// Drops the jobs; what they hold may panic while it is dropped.
    fn discard(&self) {
        let mut state = self.0.lock();
        let jobs = mem::take(&mut state.jobs);
        state.visited = false;
        drop(state);
        for job in jobs {
            run_caught(|| drop(job));
        }
    }
}

/// What a mailbox posts to its queue: runs some of its jobs.
struct Visit {
    slot: Arc<Slot>,
    /// A queue must not be kept alive by what waits in it.
    queue: WeakQueue,
    came: bool,
}

impl Visit {
    fn post(slot: Arc<Slot>, queue: &DeliveryQueue) {
        let visit = Self { slot, queue: queue.downgrade(), came: false };
        queue.post(Box::new(move || visit.run()));
    }

    fn run(mut self) {
        self.came = true;
        if self.is_deferred() {
            return;
        }
        loop {
            for _ in 0..RUN {
                let Some(job) = self.slot.next() else { return };
                run_caught(job);
            }
            if !self.goes_on() {
                return;
            }
        }
    }

    /// Whether the visit that posted this one does the work: an executor that runs what it
    /// is given at once would be nested deeper and deeper otherwise.
    fn is_deferred(&self) -> bool {
        let mut state = self.slot.0.lock();
        state.deferred = state.posting;
        state.deferred
    }

    /// Hands over to a new visit, if there is more to do; returns whether this one has to
    /// do it after all.
    fn goes_on(&self) -> bool {
        let mut state = self.slot.0.lock();
        if state.jobs.is_empty() {
            state.visited = false;
            return false;
        }
        let Some(queue) = self.queue.upgrade() else { return true };
        state.posting = true;
        drop(state);
        Self::post(self.slot.clone(), &queue);
        // Dropping the last handle of a queue drops what waits in it.
        drop(queue);
        let mut state = self.slot.0.lock();
        state.posting = false;
        mem::take(&mut state.deferred)
    }
}

impl Drop for Visit {
    /// Dropped by its queue instead of run: nobody is left to wait for what was sent.
    fn drop(&mut self) {
        if !self.came {
            run_caught(|| log::warn!("a delivery queue dropped the calls of a task"));
            self.slot.discard();
        }
    }
}

#[cfg(test)]
mod tests;
