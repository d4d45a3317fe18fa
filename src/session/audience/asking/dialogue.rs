//! What a load tells and asks whoever started it.

use std::sync::Arc;

use super::Turn;
use crate::body::Body;
use crate::credentials::{AuthenticationMethod, Challenge, Disposition};
use crate::delivery::Reply;
use crate::error::Error;
use crate::request::Request;
use crate::response::Response;
use crate::session::delegate::{Delegate, HeldDelegate};
use crate::session::task::{Core, Task, voice};
use crate::wire::{DelegateDecision, DelegateId, Dialogue, Head, Pauses, Question};

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

    fn has_left(&self) -> bool {
        self.state.lock().attempts.has_left()
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

    fn sends(&self, length: Option<u64>) -> Result<(), Error> {
        self.counters.sends(length);
        self.request.may_be_sent()
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
        question: &mut Question,
    ) -> Result<Option<Request>, Error> {
        let core = &self;
        core.rest()?;
        core.state.lock().seen.responded(response.clone());
        let answer = match voice() {
            Some(voice) => voice.ask_about_redirect(core, response, proposed.clone(), question)?,
            None => None,
        };
        let Some(request) = answer.unwrap_or(Some(proposed)) else { return Ok(None) };
        let replaced = core.state.lock().seen.moved_to(request.clone());
        // The program may have put a body into it.
        drop(replaced);
        Ok(Some(request))
    }

    fn arrive(self: Arc<Self>) -> Result<(), Error> {
        self.shared.scheduler().arrive(&self)
    }

    fn new_body(self: Arc<Self>, question: &mut Question) -> Result<Option<Body>, Error> {
        self.ask_for_body(question)
    }

    fn challenge(
        self: Arc<Self>,
        challenge: Challenge,
        question: &mut Question,
    ) -> Result<Option<DelegateDecision>, Error> {
        voice().map_or(Ok(None), |voice| voice.ask_about(&self, challenge, question))
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
        question: &mut Question,
    ) -> Result<Option<DelegateDecision>, Error> {
        voice().map_or(Ok(None), |voice| voice.ask_own_about(&self, challenge, question))
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
        question: &mut Question,
    ) -> Result<Option<DelegateDecision>, Error> {
        let [task, session] = self.chain();
        let challenge = Arc::new(challenge);
        let of_session =
            session.clone().filter(|_| is_of_connection(challenge.protection_space().method()));
        let first = of_session.as_ref().map(|delegate| session_wise(delegate, &challenge));
        let others = [task, session].into_iter().flatten();
        let others = others.map(|delegate| task_wise(&delegate, &challenge));
        let answer = self.ask_in_turn(first.into_iter().chain(others).collect(), question)?;
        Ok(answer.map(|(at, by, disposition)| DelegateDecision {
            disposition,
            by: DelegateId::of(&by),
            is_for_all: of_session.is_some() && at == 0,
        }))
    }

    /// Asks one delegate alone what is to be done about a challenge of the task.
    pub(in crate::session::audience) fn ask_own_about(
        self: &Arc<Self>,
        delegate: HeldDelegate,
        challenge: Challenge,
        question: &mut Question,
    ) -> Result<Option<DelegateDecision>, Error> {
        let turns = vec![task_wise(&delegate, &Arc::new(challenge))];
        let answer = self.ask_in_turn(turns, question)?;
        Ok(answer.map(|(_, by, disposition)| DelegateDecision {
            disposition,
            by: DelegateId::of(&by),
            is_for_all: false,
        }))
    }

    /// Returns the task's own delegate, if it is not the session's too and its type is not
    /// known to leave all challenges to others.
    pub(in crate::session::audience) fn own_voice(&self) -> Option<HeldDelegate> {
        let [own, session] = self.chain();
        let own = own?;
        let is_of_session = session.is_some_and(|session| Arc::ptr_eq(&own, &session));
        (!is_of_session && !own.kind().is_silent()).then_some(own)
    }
}

/// Has a delegate asked about a challenge of the session.
fn session_wise(delegate: &HeldDelegate, challenge: &Arc<Challenge>) -> Turn<Disposition> {
    let challenge = challenge.clone();
    let asks = move |delegate: &dyn Delegate, task: &Task, reply: Reply<Disposition>| {
        delegate.session_did_receive_challenge(&task.session(), &challenge, reply);
    };
    (delegate.clone(), Arc::new(asks))
}

/// Has a delegate asked about a challenge of the task.
fn task_wise(delegate: &HeldDelegate, challenge: &Arc<Challenge>) -> Turn<Disposition> {
    let (challenge, kind) = (challenge.clone(), delegate.kind());
    let asks = move |delegate: &dyn Delegate, task: &Task, reply: Reply<Disposition>| {
        kind.learning(|| delegate.did_receive_challenge(task, &challenge, reply));
    };
    (delegate.clone(), Arc::new(asks))
}

/// Whether the method is about a connection rather than about a request on it.
fn is_of_connection(method: AuthenticationMethod) -> bool {
    use AuthenticationMethod::{ClientCertificate, Negotiate, Ntlm, ServerTrust};

    matches!(method, ClientCertificate | Negotiate | Ntlm | ServerTrust)
}
