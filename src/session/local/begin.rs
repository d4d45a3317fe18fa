//! How a task begins: in line for a worker, or on the thread of its caller.

use std::sync::Arc;

use super::Local;
use crate::error::{Error, ErrorKind};
use crate::session::inside;
use crate::session::task::{Core, Dispatch, Locked, Slot};

impl Local {
    /// Begins a task that was resumed for the first time.
    pub(super) fn begin_task(&self, core: &Arc<Core>, mut state: Locked<'_>) {
        let now = core.begin(&mut state);
        let admitted = self.pool.admit_in_line(core, &self.host(core, &state), state.priority);
        let effects = match admitted {
            Ok(queued) => self.queue(core, &mut state, queued, now),
            Err(error) => {
                drop(state);
                return self.complete(core, Err(error), true);
            }
        };
        drop(state);
        self.act(effects);
        core.obey_token();
    }

    /// Begins a task on the thread of its caller, and waits for its turn.
    pub(super) fn attach_caller(&self, core: &Arc<Core>) -> Result<(), Error> {
        let mut state = core.state.lock();
        if state.life.has_begun() {
            let detail = "the task has begun already; `run` begins a task itself";
            return Err(core
                .why_over(&state)
                .unwrap_or_else(|| Error::new(ErrorKind::InvalidRequest, detail)));
        }
        core.begin(&mut state);
        let admitted = if self.binds_callers {
            let over_limits = inside::is_inside(&core.shared);
            let place =
                self.pool.admit_caller(core, &self.host(core, &state), state.priority, over_limits);
            place.map(|place| Slot::callers(place, over_limits))
        } else {
            self.pool.admit(core).map(|()| Slot::unbound())
        };
        let slot = match admitted {
            Ok(slot) => slot,
            Err(error) => {
                drop(state);
                self.complete(core, Err(error.clone()), true);
                return Err(error);
            }
        };
        let waits = slot.has_ticket();
        state.dispatch = Dispatch::OnThread(slot);
        drop(state);
        core.obey_token();
        if !waits {
            return Ok(());
        }
        self.wait_behind_calls();
        // Nobody else ends what this thread has begun.
        self.wait_for_place(core)
            .map_err(|error| self.end_here(core, Err(error)).err().unwrap_or_else(Error::cancelled))
    }
}
