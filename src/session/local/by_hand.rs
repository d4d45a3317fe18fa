//! Transfers of tasks that are run by hand.

use std::sync::Arc;

use super::transfer::{Loader, Transfer};
use crate::session::task::{Brought, Core};

impl Loader {
    /// Transfers the task once, and does not go on with what comes of it.
    pub(in crate::session) fn only_attempt(&self, core: &Arc<Core>) -> Brought {
        let mut transfer = Transfer::default();
        let outcome = self.attempt(core, &mut transfer);
        outcome.map_err(|error| transfer.interrupted(core, error))
    }

    /// Transfers the task until what follows on an attempt is not another one at once.
    pub(in crate::session) fn attempts(&self, core: &Arc<Core>) -> Brought {
        let mut transfer = Transfer::default();
        loop {
            let outcome = self.attempt(core, &mut transfer);
            let mut state = core.state.lock();
            if outcome.is_ok() || !state.attempts.starts_over() {
                drop(state);
                return outcome.map_err(|error| transfer.interrupted(core, error));
            }
            drop(state.attempts.end());
            drop(state);
            transfer.start_over();
        }
    }
}
