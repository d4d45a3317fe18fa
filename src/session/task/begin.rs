//! How a task begins: in line for a worker, or on the thread of its caller.

use std::sync::Arc;

use super::core::{Core, State};
use super::place::{Attached, Standing};
use super::state::TaskState;
use crate::cancel::CancelToken;
use crate::error::{Error, ErrorKind};
use crate::session::inside;
use crate::sync::MutexGuard;

impl Core {
    /// Begins a task that was resumed for the first time.
    pub(super) fn begin(self: &Arc<Self>, mut state: MutexGuard<'_, State>) {
        self.prepare(&mut state);
        if let Err(error) = self.shared.pool().admit(self) {
            drop(state);
            return self.refuse(error);
        }
        let effects = self.stand_in_line(&mut state);
        drop(state);
        self.shared.act(effects);
        self.obey_token();
    }

    /// Notes what is known when a task begins.
    fn prepare(self: &Arc<Self>, state: &mut State) {
        state.has_begun = true;
        // A deadline that the clock cannot hold is none.
        let timeout = self.shared.configuration.timeout_for_resource;
        state.deadline = self.shared.now().checked_add(timeout);
        state.link = self.linked();
    }

    /// Looks at the request's token after the task is linked to it: it may have been
    /// cancelled before.
    fn obey_token(self: &Arc<Self>) {
        if self.request.cancel().is_some_and(CancelToken::is_cancelled) {
            self.cancel();
        }
    }

    /// Begins a task on the thread of its caller, and waits for its turn.
    pub(crate) fn attach_caller(self: &Arc<Self>) -> Result<(), Error> {
        let mut state = self.state.lock();
        if state.has_begun {
            let detail = "the task has begun already; `run` begins a task itself";
            return Err(self
                .why_over(&state)
                .unwrap_or_else(|| Error::new(ErrorKind::InvalidRequest, detail)));
        }
        self.prepare(&mut state);
        (state.suspensions, state.state) = (0, TaskState::Running);
        let over_limits = inside::is_inside(&self.shared);
        let admitted =
            self.shared.pool().admit_caller(self, self.host(&state), state.priority, over_limits);
        let place = match admitted {
            Ok(place) => place,
            Err(error) => {
                drop(state);
                self.refuse(error.clone());
                return Err(error);
            }
        };
        let mut attached =
            Attached { is_callers: true, keeps_place: over_limits, ..Attached::default() };
        let waits = match place {
            Ok(place) => attached.place.replace(place).is_some(),
            Err(ticket) => {
                attached.ticket = Some(ticket);
                true
            }
        };
        state.standing = Standing::Attached(attached);
        drop(state);
        self.obey_token();
        if !waits {
            return Ok(());
        }
        // Nobody else ends what this thread has begun.
        self.wait_for_place()
            .map_err(|error| self.end(Err(error)).err().unwrap_or_else(Error::cancelled))
    }
}
