//! What a load for a part of a download may tell and ask.

use std::sync::Arc;

use crate::body::Body;
use crate::credentials::Challenge;
use crate::error::Error;
use crate::request::Request;
use crate::response::Response;
use crate::session::task::Core;
use crate::wire::{DelegateDecision, DelegateId, Dialogue, Head, Pauses, Question};

/// Answers for the task where somebody has to decide, as about a server's certificate, and tells
/// nothing. Its load does not pause with the task, but ends.
pub(super) struct Aide(pub(super) Arc<Core>);

/// Whether the task is suspended.
pub(super) fn is_paused(core: &Core) -> bool {
    core.flags.has_paused() && core.state.lock().life.pauses(core.shared.now()).is_on
}

impl Dialogue for Aide {
    fn pauses(&self, may_leave: bool) -> Pauses {
        let core = &self.0;
        if !core.flags.has_paused() {
            return Pauses::default();
        }
        let pauses = core.state.lock().life.pauses(core.shared.now());
        Pauses { leaves: may_leave && pauses.is_on, ..pauses }
    }

    fn rest(self: Arc<Self>) -> Result<(), Error> {
        if is_paused(&self.0) { Err(Error::cancelled()) } else { Ok(()) }
    }

    fn has_left(&self) -> bool {
        false
    }

    fn informed(self: Arc<Self>, _: Head) {}

    fn sends(&self, _: Option<u64>) -> Result<(), Error> {
        Ok(())
    }

    fn sent(self: Arc<Self>, _: u64) -> Result<(), Error> {
        self.rest()
    }

    /// It asks where the task has come to: another redirect is not followed.
    fn redirect(
        self: Arc<Self>,
        _: Response,
        _: Request,
        _: &mut Question,
    ) -> Result<Option<Request>, Error> {
        Ok(None)
    }

    fn arrive(self: Arc<Self>) -> Result<(), Error> {
        Ok(())
    }

    fn new_body(self: Arc<Self>, _: &mut Question) -> Result<Option<Body>, Error> {
        Ok(None)
    }

    fn challenge(
        self: Arc<Self>,
        challenge: Challenge,
        question: &mut Question,
    ) -> Result<Option<DelegateDecision>, Error> {
        Arc::clone(&self.0).challenge(challenge, question)
    }

    fn has_delegate(&self) -> bool {
        self.0.has_delegate()
    }

    fn own_delegate(&self) -> Option<DelegateId> {
        self.0.own_delegate()
    }

    fn challenge_own(
        self: Arc<Self>,
        challenge: Challenge,
        question: &mut Question,
    ) -> Result<Option<DelegateDecision>, Error> {
        Arc::clone(&self.0).challenge_own(challenge, question)
    }

    fn is_asked(self: Arc<Self>, delegate: &DelegateId) -> bool {
        Arc::clone(&self.0).is_asked(delegate)
    }
}
