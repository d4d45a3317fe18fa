//! Whether a task whose attempt has failed makes another one.

use std::sync::Arc;
use std::time::Duration;

use super::Local;
use crate::error::Error;
use crate::log;
use crate::session::task::{Core, Record};
use crate::wire::{Loss, may_send_again};

/// What becomes of a task after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It has brought what it brings, or has failed for good.
    Ends,
    /// It begins anew.
    StartsOver,
    /// It goes on with another thread, when it is resumed.
    Leaves,
    /// It begins anew after a while.
    Waits(Duration),
}

/// Whether sending the task's request again does no harm, although a server may have acted
/// on it: on the first one, and on the one that redirects have led to.
pub(super) fn may_start_over(core: &Core, state: &Record) -> bool {
    let (first, current) = (&core.request, core.current(state));
    let body = first.body_to_send();
    [first, current]
        .into_iter()
        .all(|request| may_send_again(Loss::Broken, request.method(), request.headers(), body))
}

impl Local {
    /// Decides what becomes of a task whose attempt ended so.
    ///
    /// It begins anew if it was ended for that, or was suspended for so long that its
    /// connection broke. It waits where the configuration says so, if there was no
    /// connection and it has not moved on from its first request.
    pub(super) fn verdict(&self, core: &Arc<Core>, error: Option<&Error>) -> Verdict {
        let Some(error) = error else { return Verdict::Ends };
        let mut state = core.state.lock();
        if state.attempts.starts_over() {
            return Verdict::StartsOver;
        }
        if state.life.is_over() {
            return Verdict::Ends;
        }
        if state.attempts.has_left() && error.is_cancelled() {
            return Verdict::Leaves;
        }
        match Loss::of(error) {
            Some(Loss::Broken)
                if state.attempts.may_have_broken() && may_start_over(core, &state) =>
            {
                Verdict::StartsOver
            }
            Some(Loss::Unconnected)
                if core.shared.configuration.waits_for_connectivity
                    && state.seen.current().is_none() =>
            {
                let patience = state.attempts.patience();
                drop(state);
                log::debug!("waiting for connectivity: {error}");
                Verdict::Waits(patience)
            }
            _ => Verdict::Ends,
        }
    }
}
