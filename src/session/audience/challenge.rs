//! Whom a task asks about a challenge, and in which order.

use std::sync::Arc;

use super::asking::Chain;
use crate::credentials::{AuthenticationMethod, Challenge, Disposition};
use crate::delivery::Reply;
use crate::error::Error;
use crate::session::delegate::Delegate;
use crate::session::task::{Core, Task};
use crate::wire::{DelegateDecision, DelegateId};

impl Core {
    /// Asks the delegates what to do about a challenge, until one answers. What concerns a
    /// connection is a matter of the session first.
    pub(super) fn ask_about(
        self: &Arc<Self>,
        challenge: Challenge,
    ) -> Result<Option<DelegateDecision>, Error> {
        let Chain { task, session } = self.chain();
        let challenge = Arc::new(challenge);
        if let Some(delegate) = &session
            && is_of_connection(challenge.protection_space().method())
        {
            let challenge = challenge.clone();
            let answer = self.ask_one(delegate, move |delegate, task, reply| {
                delegate.session_did_receive_challenge(&task.session(), &challenge, reply);
            })?;
            if answer.is_some() {
                return Ok(answer);
            }
        }
        for delegate in [task, session].iter().flatten() {
            let challenge = challenge.clone();
            let answer = self.ask_one(delegate, move |delegate, task, reply| {
                delegate.did_receive_challenge(task, &challenge, reply);
            })?;
            if answer.is_some() {
                return Ok(answer);
            }
        }
        Ok(None)
    }

    fn ask_one(
        self: &Arc<Self>,
        delegate: &Arc<dyn Delegate>,
        asks: impl Fn(&dyn Delegate, &Task, Reply<Disposition>) + Send + Sync + 'static,
    ) -> Result<Option<DelegateDecision>, Error> {
        let answer = self.ask_in_turn([Some(delegate.clone()), None], &self.calls(), asks)?;
        Ok(answer.map(|disposition| DelegateDecision { disposition, by: DelegateId::of(delegate) }))
    }
}

/// Whether the method is about a connection rather than about a request on it.
fn is_of_connection(method: AuthenticationMethod) -> bool {
    use AuthenticationMethod::{ClientCertificate, Negotiate, Ntlm, ServerTrust};

    matches!(method, ClientCertificate | Negotiate | Ntlm | ServerTrust)
}
