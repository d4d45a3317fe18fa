//! Waiting until a connection to the host can be made.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Local;
use crate::error::Error;
use crate::session::task::Core;

impl Local {
    /// Puts the next attempt of a task off, during which no thread waits with it.
    pub(super) fn put_off(&self, core: &Arc<Core>, wait: Duration) {
        tell_of_waiting(core);
        let until = self.now().checked_add(wait);
        core.state.lock().attempts.wait_until(until);
    }

    /// Puts it off on the thread of the program's that runs the task, which waits.
    pub(super) fn wait_to_connect(&self, core: &Arc<Core>, wait: Duration) -> Result<(), Error> {
        tell_of_waiting(core);
        self.give_way(core);
        self.sleep(core, wait)?;
        self.wait_for_place(core)
    }

    /// Sleeps by the session's clock; a cancel and the resource timer end it.
    fn sleep(&self, core: &Core, duration: Duration) -> Result<(), Error> {
        let attempt = core.state.lock().attempts.token();
        let until = self.now().checked_add(duration);
        loop {
            let now = core.look_around(attempt.as_ref())?;
            let left = until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now));
            if left.is_zero() {
                return Ok(());
            }
            let slice = core.slice(now).min(self.clock.slice(left));
            let state = core.state.lock();
            if state.life.is_over() {
                continue;
            }
            // Rung by a cancel.
            drop(core.changed.wait_timeout(state, slice));
        }
    }

    /// A task that waits without a thread has its moment: it is over, or it tries again to
    /// connect.
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
        if tries {
            state.attempts.wait_until(None);
            let effects = self.stand_in_line(core, &mut state);
            drop(state);
            return self.act(effects);
        }
        // Paused for a while, so that there is more time than there was.
        let due = state.life.due(now);
        let moment = state.attempts.waits_until().into_iter().chain(due).min();
        self.timer.watch(core, &mut state, moment);
    }
}

/// Tells, once a task, that it waits.
fn tell_of_waiting(core: &Arc<Core>) {
    let is_news = core.state.lock().recipients.learn_of_waiting();
    if is_news {
        core.tell_of_waiting();
    }
}
