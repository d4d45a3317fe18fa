//! The engine's own thread: it has the journal synced, then starts what was to be started and
//! tells what was to be told.

use std::collections::HashSet;
use std::mem;
use std::sync::Arc;
use std::time::Instant;

use super::{Engine, IDLE, LOOK, State, Wait};
use crate::background::host::EventSink;
use crate::background::report::WaitsFor;
use crate::files;
use crate::log;

/// What there is to do.
struct Work {
    /// The record up to which the journal has to be on the disk before.
    until: u64,
    starts: Vec<u64>,
    tells: Vec<u64>,
}

impl Engine {
    /// The life of the thread.
    pub(super) fn work(self: Arc<Self>) {
        while let Some(work) = self.next_work() {
            self.carry_out(work);
        }
        // What nobody waits for.
        self.sync();
    }

    /// Waits for something to do; none when there was nothing for a while.
    fn next_work(&self) -> Option<Work> {
        let mut state = self.state.lock();
        let mut idle_since = None;
        loop {
            if state.is_closed {
                state.has_thread = false;
                return None;
            }
            let (now, date) = (self.now(), self.date());
            state.start_whose_date_has_come(date);
            self.write_unwritten(&mut state, now);
            self.look_for_room(&mut state);
            let complaints = mem::take(&mut state.complaints);
            let dropped = state.take_waiting_for_places(now);
            if !(complaints.is_empty() && dropped.is_empty()) {
                drop(state);
                for error in complaints {
                    log::warn!("the journal cannot be written, which is tried again: {error}");
                }
                drop(dropped);
                state = self.state.lock();
                continue;
            }
            if state.unwritten.is_empty() && !(state.due.is_empty() && state.untold.is_empty()) {
                return Some(Work {
                    until: state.wanted,
                    starts: state.due.drain(..).collect(),
                    tells: mem::take(&mut state.untold),
                });
            }
            let is_waiting = !state.unwritten.is_empty() || state.waits();
            let since: Instant = *idle_since.get_or_insert(now);
            let until_date = state.until_next_date(date);
            if !is_waiting && until_date.is_none() && now.saturating_duration_since(since) >= IDLE {
                state.has_thread = false;
                return None;
            }
            let left = if is_waiting { LOOK } else { IDLE };
            let left =
                until_date.map_or(left, |until| if is_waiting { left.min(until) } else { until });
            let slice = self.configuration.clock.slice(left);
            state = self.changed.wait_timeout(state, slice).0;
        }
    }

    fn carry_out(&self, work: Work) {
        let Work { until, starts, tells } = work;
        // One that was suspended and resumed meanwhile stands there twice.
        let mut seen = HashSet::new();
        let starts = starts.into_iter().filter(|task| seen.insert(*task));
        let starts: Vec<_> = starts.filter_map(|task| self.look_at(task)).collect();
        if let Err(error) = self.journal.commit(until) {
            log::warn!("the journal cannot be brought to the disk, which is tried again: {error}");
            // Only one that is written anew counts on nothing that the system has lost.
            self.compact();
            let mut state = self.state.lock();
            state.due.extend(starts.iter().map(|(task, _)| *task));
            state.untold.extend(tells);
            drop(self.changed.wait_timeout(state, LOOK));
            return;
        }
        if let Some(program) = self.program() {
            tells.iter().for_each(|task| self.tell_end(*task, &*program));
        }
        for (task, decision) in starts {
            self.start(task, decision);
        }
        self.compact();
    }

    pub(super) fn tell_end(&self, task: u64, program: &dyn EventSink) {
        let ended = self.state.lock().ledger.jobs.get(&task).cloned();
        if let Some(job) = ended.and_then(|job| self.place(*job)) {
            program.ended(job);
        }
    }

    /// Writes what the disk had no room for, if it is time to.
    fn write_unwritten(&self, state: &mut State, now: Instant) {
        if state.writes_again.is_some_and(|at| at > now) {
            return;
        }
        state.writes_again = None;
        while let Some(record) = state.unwritten.front() {
            match self.journal.append(record) {
                Ok(sequence) => {
                    state.unwritten.pop_front();
                    (state.written, state.wanted) = (sequence, sequence);
                }
                Err(error) => {
                    state.complaints.push(error);
                    state.writes_again = now.checked_add(LOOK);
                    return;
                }
            }
        }
    }

    /// Has those go on that the disk had no room for, if it has.
    fn look_for_room(&self, state: &mut State) {
        if !state.waits_for_room() || !files::has_room(self.folder.finished()) {
            return;
        }
        let is = |wait: &Wait| matches!(wait.what, WaitsFor::Room);
        let go_on = state.waiting.iter().filter(|(_, wait)| is(wait)).map(|(task, _)| *task);
        let go_on: Vec<u64> = go_on.collect();
        state.waiting.retain(|_, wait| !is(wait));
        state.due.extend(go_on);
    }

    /// Writes the journal anew if most of it says nothing any more.
    pub(super) fn compact(&self) {
        let state = self.state.lock();
        // The journal may be somebody else's by now.
        if state.is_closed || !self.journal.wants_compaction() {
            return;
        }
        let records = state.ledger.records(self.persists_secrets());
        let compacted = self.journal.compact(records);
        drop(state);
        if let Err(error) = compacted {
            log::warn!("the journal cannot be made shorter: {error}");
        }
    }
}

impl State {
    /// Whether something runs that does not wait for its program.
    #[cfg(all(feature = "daemon", unix))]
    pub(super) fn has_work(&self) -> bool {
        let asks = |wait: &Wait| matches!(wait.what, WaitsFor::Request(_));
        let is_asked_for = |task: u64| self.waiting.get(&task).is_some_and(asks);
        self.ledger.jobs.values().any(|job| job.is_running() && !is_asked_for(job.id))
    }

    /// Whether something waits for what has to be looked for.
    fn waits(&self) -> bool {
        let is = |wait: &Wait| matches!(wait.what, WaitsFor::Room | WaitsFor::Place(_));
        self.waiting.values().any(is)
    }

    /// Has the ends told of those who have waited long enough for their places; returns what they
    /// waited for, which is dropped without the lock.
    fn take_waiting_for_places(&mut self, now: Instant) -> Vec<Wait> {
        let is_due = |wait: &Wait| {
            matches!(wait.what, WaitsFor::Place(_)) && wait.until.is_none_or(|until| until <= now)
        };
        let due = self.waiting.iter().filter(|(_, wait)| is_due(wait)).map(|(task, _)| *task);
        let due: Vec<u64> = due.collect();
        self.untold.extend(&due);
        due.iter().filter_map(|task| self.waiting.remove(task)).collect()
    }

    fn waits_for_room(&self) -> bool {
        self.waiting.values().any(|wait| matches!(wait.what, WaitsFor::Room))
    }
}
