//! What a load tells and asks whoever started it.

use std::sync::Arc;

use crate::body::Body;
use crate::credentials::{AuthenticationMethod, Challenge, Disposition};
use crate::delivery::Reply;
use crate::error::Error;
use crate::request::Request;
use crate::response::Response;
use crate::session::delegate::{Delegate, HeldDelegate};
use crate::session::task::{Core, Task, voice};
use crate::wire::{DelegateDecision, DelegateId, Dialogue, Head, Pauses};

impl Dialogue for Core {
    fn pauses(&self, may_leave: bool) -> Pauses {
        if !self.flags.has_paused() {
            return Pauses::default();
        }
        let now = self.shared.now();
        let mut state = self.state.lock();
        let leaves = may_leave && state.attempts.leaves();
        Pauses { leaves, ..state.life.pauses(now) }
    }

    fn rest(self: Arc<Self>) -> Result<(), Error> {
        Self::rest(&self)
    }

    fn informed(self: Arc<Self>, head: Head) {
        let Some(listener) = self.listener() else { return };
        let url = {
            let state = self.state.lock();
            self.current(&state).url().cloned()
        };
        if let Some(url) = url {
            let response =
                Response::new(url, (head.status, head.version), head.headers, None, None);
            listener.informed(&self, response);
        }
    }

    fn sends(&self, length: Option<u64>) {
        self.counters.sends(length);
    }

    fn sent(self: Arc<Self>, bytes: u64) -> Result<(), Error> {
        self.counters.sent(bytes);
        self.listener().inspect(|listener| listener.progress(&self));
        // Behind an early answer, what is left to send is left with it.
        Self::rest(&self)
    }

    fn redirect(
        self: Arc<Self>,
        response: Response,
        proposed: Request,
    ) -> Result<Option<Request>, Error> {
        let core = &self;
        // Nobody has been asked yet, so the answer can be kept until it goes on.
        core.rest()?;
        core.state.lock().seen.responded(response.clone());
        let answer = match voice() {
            Some(voice) => voice.ask_about_redirect(core, response, proposed.clone())?,
            None => None,
        };
        let Some(request) = answer.unwrap_or(Some(proposed)) else { return Ok(None) };
        let before = {
            let mut state = core.state.lock();
            let before = core.host(&state).to_owned();
            let replaced = state.seen.moved_to(request.clone());
            drop(state);
            // The program may have put a body into it.
            drop(replaced);
            before
        };
        core.shared.scheduler().change_host(core, &before)?;
        Ok(Some(request))
    }

    fn new_body(self: Arc<Self>) -> Result<Option<Body>, Error> {
        self.ask_for_body()
    }

    fn challenge(self: Arc<Self>, challenge: Challenge) -> Result<Option<DelegateDecision>, Error> {
        voice().map_or(Ok(None), |voice| voice.ask_about(&self, challenge))
    }

    fn has_delegate(&self) -> bool {
        self.shared.has_delegate() || self.state.lock().recipients.has_delegate()
    }

    fn own_delegate(&self) -> Option<DelegateId> {
        self.own_voice().map(|delegate| DelegateId::of(&delegate))
    }

    fn challenge_own(
        self: Arc<Self>,
        challenge: Challenge,
    ) -> Result<Option<DelegateDecision>, Error> {
        voice().map_or(Ok(None), |voice| voice.ask_own_about(&self, challenge))
    }

    fn is_asked(self: Arc<Self>, delegate: &DelegateId) -> bool {
        self.chain().iter().flatten().any(|asked| delegate.is(asked))
    }
}

impl Core {
    /// Asks the delegates what to do about a challenge, until one answers. What concerns a
    /// connection is a matter of the session first.
    pub(in crate::session::audience) fn ask_about(
        self: &Arc<Self>,
        challenge: Challenge,
    ) -> Result<Option<DelegateDecision>, Error> {
        let [task, session] = self.chain();
        let challenge = Arc::new(challenge);
        if let Some(delegate) = &session
            && is_of_connection(challenge.protection_space().method())
        {
            let challenge = challenge.clone();
            let answer = self.ask_one(delegate, move |delegate, task, reply| {
                delegate.session_did_receive_challenge(&task.session(), &challenge, reply);
            })?;
            if let Some(answer) = answer {
                return Ok(Some(DelegateDecision { is_for_all: true, ..answer }));
            }
        }
        for delegate in [task, session].iter().flatten() {
            let answer = self.ask_task_wise(delegate, &challenge)?;
            if answer.is_some() {
                return Ok(answer);
            }
        }
        Ok(None)
    }

    /// Asks one delegate what is to be done about a challenge of the task.
    pub(in crate::session::audience) fn ask_task_wise(
        self: &Arc<Self>,
        delegate: &HeldDelegate,
        challenge: &Arc<Challenge>,
    ) -> Result<Option<DelegateDecision>, Error> {
        let (challenge, kind) = (challenge.clone(), delegate.kind());
        self.ask_one(delegate, move |delegate, task, reply| {
            kind.learning(|| delegate.did_receive_challenge(task, &challenge, reply));
        })
    }

    /// Returns the task's own delegate, if it is not the session's too and its type is not
    /// known to leave all challenges to others.
    pub(in crate::session::audience) fn own_voice(&self) -> Option<HeldDelegate> {
        let [own, session] = self.chain();
        let own = own?;
        let is_of_session = session.is_some_and(|session| Arc::ptr_eq(&own, &session));
        (!is_of_session && !own.kind().is_silent()).then_some(own)
    }

    fn ask_one(
        self: &Arc<Self>,
        delegate: &HeldDelegate,
        asks: impl Fn(&dyn Delegate, &Task, Reply<Disposition>) + Send + Sync + 'static,
    ) -> Result<Option<DelegateDecision>, Error> {
        let answer = self.ask_in_turn([Some(delegate.clone()), None], Arc::new(asks))?;
        let by = || DelegateId::of(delegate);
        Ok(answer.map(|disposition| DelegateDecision { disposition, by: by(), is_for_all: false }))
    }
}

/// Whether the method is about a connection rather than about a request on it.
fn is_of_connection(method: AuthenticationMethod) -> bool {
    use AuthenticationMethod::{ClientCertificate, Negotiate, Ntlm, ServerTrust};

    matches!(method, ClientCertificate | Negotiate | Ntlm | ServerTrust)
}
