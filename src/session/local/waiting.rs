//! Waiting, between two attempts of a task, until the next one is made.

use std::sync::Arc;
use std::time::Instant;

use super::Local;
use super::pool::Effects;
use crate::error::Error;
use crate::session::task::{Core, Locked, Record};

impl Local {
    /// Has a task without a thread looked at when it makes its next attempt, or is late.
    pub(super) fn put_off(&self, core: &Arc<Core>, state: &mut Record) -> Effects {
        let due = state.life.due(self.now());
        let moment = state.attempts.waits_until().into_iter().chain(due).min();
        self.timer.watch(core, state, moment);
        Effects { watches: true, ..Effects::default() }
    }

    /// Waits on the thread of the program's that runs the task.
    pub(super) fn wait_here(&self, core: &Arc<Core>) -> Result<(), Error> {
        self.give_way(core);
        let to_connect = core.state.lock().attempts.waits_to_connect();
        let looked_after = to_connect.then(|| self.timer.look_after_caller());
        self.sleep(core)?;
        drop(looked_after);
        self.wait_for_place(core)
    }

    /// Sleeps by the session's clock; a cancel and the resource timer end it.
    fn sleep(&self, core: &Core) -> Result<(), Error> {
        let attempt = core.state.lock().attempts.token();
        loop {
            let now = core.look_around(attempt.as_ref())?;
            let slice = core.slice(now);
            let mut state = core.state.lock();
            let left = state.attempts.waits_until().map(|until| until.checked_duration_since(now));
            let Some(left) = left.flatten().filter(|left| !left.is_zero()) else {
                state.attempts.go_on();
                return Ok(());
            };
            if state.life.is_over() {
                continue;
            }
            // Rung by a cancel, and when it need not wait any more.
            drop(core.changed.wait_timeout(state, slice.min(self.clock.slice(left))));
        }
    }

    /// Has a task go on that was suspended: what waits to be tried again waits on, unless it is
    /// time; whatever else waits for nothing but its turn.
    pub(super) fn resume_task(&self, core: &Arc<Core>, mut state: Locked<'_>) {
        let now = self.now();
        let to_retry = state.attempts.waits_until().filter(|_| !state.attempts.waits_to_connect());
        let effects = if to_retry.is_some_and(|until| until > now) {
            // A thread that has the task waits itself, or puts it off.
            let is_idle = state.dispatch.is_idle();
            if is_idle { self.put_off(core, &mut state) } else { Effects::default() }
        } else {
            state.attempts.go_on();
            self.stand_in_line(core, &mut state)
        };
        drop(state);
        // Its thread may need no place, or have stepped aside and have to ask for one itself.
        core.changed.notify_all();
        self.act(effects);
    }

    /// A task that waits without a thread has its moment: it is over, or it makes its next
    /// attempt.
    pub(super) fn expire_task(&self, core: &Arc<Core>, now: Instant) {
        let mut state = core.state.lock();
        // It may have been given another moment since.
        state.attempts.watched(None);
        if !state.life.is_running() || state.dispatch.slot().is_some() {
            return;
        }
        if state.life.is_late(now) {
            let overdue = core.overdue(&state);
            drop(state);
            return core.fail(overdue);
        }
        let tries = state.attempts.waits_until().is_some_and(|until| until <= now);
        let effects = if tries {
            state.attempts.go_on();
            self.stand_in_line(core, &mut state)
        } else {
            // Paused for a while, so that there is more time than there was.
            self.put_off(core, &mut state)
        };
        drop(state);
        self.act(effects);
    }
}
