//! Waiting until a connection to the host can be made.

use std::mem;
use std::sync::Arc;
use std::time::Duration;

use super::Local;
use crate::error::{Error, ErrorKind, Stage};
use crate::session::task::Core;

/// Whether `error` says that there was no connection, so that nothing was sent.
fn is_unconnected(error: &Error) -> bool {
    use ErrorKind::{CannotConnectToHost, CannotFindHost, NotConnectedToInternet};

    matches!(error.kind(), CannotFindHost | CannotConnectToHost | NotConnectedToInternet)
        && matches!(error.stage(), Some(Stage::LookingUp | Stage::Connecting))
}

impl Local {
    /// Waits before another try, if the configuration says so and the task has not moved
    /// on from its first request; else returns `error`.
    ///
    /// Only the program's own threads wait here. A worker leaves the task, which nothing is
    /// connected to, until the timer lets it stand in line again.
    pub(super) fn wait_for_connectivity(
        &self,
        core: &Arc<Core>,
        error: Error,
    ) -> Result<(), Error> {
        let waits = core.shared.configuration.waits_for_connectivity;
        if !waits || !is_unconnected(&error) || core.state.lock().seen.current.is_some() {
            return Err(error);
        }
        log::debug!("waiting for connectivity: {error}");
        let knows = mem::replace(&mut core.state.lock().recipients.know_of_waiting, true);
        if !knows {
            core.tell_of_waiting();
        }
        let wait = {
            let mut state = core.state.lock();
            let wait = state.attempts.patience();
            if !state.dispatch.is_callers() && !state.life.is_over() {
                state.attempts.wait_until(self.now().checked_add(wait));
                state.attempts.start_over();
                return Err(error);
            }
            wait
        };
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
    pub(super) fn expire(&self, core: &Arc<Core>, now: std::time::Instant) {
        let mut state = core.state.lock();
        // It may have been given another moment since.
        state.attempts.watched(None);
        if !state.life.is_running() || state.dispatch.slot().is_some() {
            return;
        }
        if state.life.is_late(now) {
            drop(state);
            return core.fail(crate::session::task::overdue());
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
