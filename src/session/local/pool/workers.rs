//! Workers: who comes, who is woken, who leaves; and those who help them.

use std::time::{Duration, Instant};

use super::{Effects, Phase, Pool, Ready, Roster, WORKER_IDLE};
use crate::session::task::Place;
use crate::sync::MutexGuard;

/// How long to wait before the system is asked again for a thread that it refused.
const ASK_AGAIN: Duration = Duration::from_millis(100);

impl Pool {
    /// Frees the place of what a worker has run, and returns what it runs next. `arrives` if
    /// this is the first that it asks for.
    pub(crate) fn turn(&self, freed: Option<Place>, arrives: bool) -> (Option<Ready>, Effects) {
        let mut state = self.state.lock();
        // Not before: what it is to run must not have another worker come.
        if arrives {
            state.coming -= 1;
            state.refused_since = None;
        }
        if let Some(place) = freed {
            state.line.free(place);
        }
        let mut granted = Vec::new();
        state.dispatch(&mut granted);
        let next = state.ready.pop_front();
        (next, self.staffed(state, granted))
    }

    /// Has a worker wait for something to run; `None` sends it home.
    pub(crate) fn rest(&self) -> Option<Ready> {
        let mut state = self.state.lock();
        state.idle += 1;
        let until = self.clock.now() + WORKER_IDLE;
        let next = loop {
            if let Some(next) = state.ready.pop_front() {
                break Some(next);
            }
            if state.phase == Phase::Closed {
                break None;
            }
            let left = until.saturating_duration_since(self.clock.now());
            if left.is_zero() {
                break None;
            }
            state = self.work.wait_timeout(state, self.clock.slice(left)).0;
            // Whoever looks takes what there is, even if another was meant: so no wake is
            // waited for that has come already.
            state.woken = state.woken.saturating_sub(1);
        };
        state.idle -= 1;
        state.workers -= usize::from(next.is_none());
        next
    }

    /// The system refused a thread. Returns when to ask it again, if there is anybody to run.
    ///
    /// Until then a worker that becomes free takes what is ready, and everything else that
    /// happens in the pool asks the system, too.
    pub(crate) fn refused(&self) -> Option<Instant> {
        let mut state = self.state.lock();
        state.workers -= 1;
        state.coming -= 1;
        let now = self.clock.now();
        state.refused_since.get_or_insert(now);
        (!state.ready.is_empty()).then(|| now + ASK_AGAIN)
    }

    /// Whether there are several workers, one of which may be refused.
    pub(crate) fn has_workers(&self) -> bool {
        self.state.lock().workers > 1
    }

    /// Asks the system once more for the workers that are missing.
    pub(crate) fn staff(&self) -> Effects {
        self.staffed(self.state.lock(), Vec::new())
    }

    /// Takes out the tasks for which there is nobody, if the system has refused threads for
    /// longer than they wait for anything, or `nobody_asks_again`.
    pub(crate) fn abandoned(&self, patience: Duration, nobody_asks_again: bool) -> Vec<Ready> {
        let mut state = self.state.lock();
        let waited = state.refused_since.map(|since| self.clock.now() - since);
        let is_late = waited.is_some_and(|waited| waited >= patience);
        let mut abandoned = Vec::new();
        if is_late || nobody_asks_again {
            while let Some(ready) = state.ready.pop_front() {
                abandoned.push(ready);
            }
        }
        abandoned
    }

    /// Takes places of a host for more of what a task does, as many as are free, if nobody waits.
    pub(crate) fn spare(&self, host: &str, most: usize) -> Vec<Place> {
        let mut state = self.state.lock();
        if state.stopped || state.line.waiting() > 0 {
            return Vec::new();
        }
        (0..most).map_while(|_| state.line.try_take(host)).collect()
    }

    /// Gives out the places that are free, and sees to it that workers come.
    pub(super) fn dispatched(&self, mut state: MutexGuard<'_, Roster>) -> Effects {
        let mut granted = Vec::new();
        state.dispatch(&mut granted);
        self.staffed(state, granted)
    }

    /// Wakes as many workers as there is work for, and counts those to start.
    pub(super) fn staffed(
        &self,
        mut state: MutexGuard<'_, Roster>,
        granted: Vec<Ready>,
    ) -> Effects {
        if state.ready.is_empty() {
            return Effects { granted, ..Effects::default() };
        }
        // A call to the system each, so nobody is woken twice.
        let wanted = state.ready.len().saturating_sub(state.coming + state.woken);
        let wakes = wanted.min(state.idle.saturating_sub(state.woken));
        let starts_workers = wanted - wakes;
        // From the second on somebody has to be there who asks for those that are refused.
        let watches = starts_workers > 0 && state.workers > 0;
        state.woken += wakes;
        state.coming += starts_workers;
        state.workers += starts_workers;
        drop(state);
        for _ in 0..wakes {
            self.work.notify_one();
        }
        Effects { granted, starts_workers, watches, waits: false }
    }
}
