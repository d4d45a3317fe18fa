//! Waiting until a connection to the host can be made.

use std::sync::Arc;
use std::time::Duration;

use super::core::Core;
use super::report::call_caught;
use crate::error::{Error, ErrorKind, Stage};
use crate::session::delegate::Delegate;

/// How long to wait before the next try: at first, and at most.
const PATIENCE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// How often a task has tried to connect.
#[derive(Debug, Default)]
pub(super) struct Tries(u32);

impl Tries {
    /// Returns how long to wait before the next one.
    fn next(&mut self) -> Duration {
        let wait = PATIENCE.0.saturating_mul(1 << self.0.min(16));
        self.0 += 1;
        wait.min(PATIENCE.1)
    }
}

/// Whether `error` says that there was no connection, so that nothing was sent.
fn is_unconnected(error: &Error) -> bool {
    use ErrorKind::{CannotConnectToHost, CannotFindHost, NotConnectedToInternet};

    matches!(error.kind(), CannotFindHost | CannotConnectToHost | NotConnectedToInternet)
        && matches!(error.stage(), Some(Stage::LookingUp | Stage::Connecting))
}

impl Core {
    /// Waits before another try, if the configuration says so and the task has not moved
    /// on from its first request; else returns `error`.
    ///
    /// Only the program's own threads wait here. A worker leaves the task, which nothing is
    /// connected to, until the timer lets it stand in line again.
    pub(super) fn wait_for_connectivity(self: &Arc<Self>, error: Error) -> Result<(), Error> {
        let waits = self.shared.configuration.waits_for_connectivity;
        if !waits || !is_unconnected(&error) || self.state.lock().seen.current.is_some() {
            return Err(error);
        }
        log::debug!("waiting for connectivity: {error}");
        if !std::mem::replace(&mut self.state.lock().told_of_waiting, true) {
            self.tell_of_waiting();
        }
        let is_callers = self.is_callers();
        let wait = {
            let mut state = self.state.lock();
            let wait = state.tries.next();
            if !is_callers && !state.is_over() {
                state.waits_until = self.shared.now().checked_add(wait);
                state.starts_over = true;
                return Err(error);
            }
            wait
        };
        self.step_aside();
        self.sleep(wait)?;
        self.go_on()
    }

    fn tell_of_waiting(self: &Arc<Self>) {
        let chain = self.chain();
        let (first, next): (Option<Arc<dyn Delegate>>, _) = match chain.task {
            Some(own) => (Some(own), chain.session),
            None => (chain.session, None),
        };
        let Some(first) = first else { return };
        let core = self.clone();
        self.calls().run(move || {
            call_caught(&core, next, |task| first.task_is_waiting_for_connectivity(task));
        });
    }

    /// Sleeps by the session's clock; a cancel and the resource timer end it.
    fn sleep(self: &Arc<Self>, duration: Duration) -> Result<(), Error> {
        let attempt = self.state.lock().attempt.clone();
        let until = self.shared.now().checked_add(duration);
        loop {
            let now = self.look_around(attempt.as_ref())?;
            let left = until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now));
            if left.is_zero() {
                return Ok(());
            }
            let slice = self.slice(now).min(self.shared.configuration.clock.slice(left));
            let state = self.state.lock();
            if state.is_over() {
                continue;
            }
            // Rung by a cancel.
            drop(self.changed.wait_timeout(state, slice));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_from_a_second_to_a_minute() {
        let mut tries = Tries::default();
        let waits: Vec<_> = (0..9).map(|_| tries.next().as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        let mut late = Tries(u32::MAX - 1);
        assert_eq!(late.next(), PATIENCE.1);
    }
}
