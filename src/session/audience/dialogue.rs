//! What a load tells and asks whoever started it.

use std::sync::Arc;

use super::asking::Chain;
use crate::body::Body;
use crate::credentials::Challenge;
use crate::error::Error;
use crate::request::Request;
use crate::response::Response;
use crate::session::task::Core;
use crate::wire::{DelegateDecision, DelegateId, Dialogue, Head, Pauses};

impl Dialogue for Core {
    fn pauses(&self) -> Pauses {
        if !self.flags.has_paused() {
            return Pauses::default();
        }
        let now = self.shared.now();
        let mut state = self.state.lock();
        let leaves = state.attempts.leaves();
        Pauses { leaves, ..state.life.pauses(now) }
    }

    fn informed(self: Arc<Self>, head: Head) {
        let Some(listener) = self.listener() else { return };
        let url = {
            let state = self.state.lock();
            self.current(&state).url().cloned()
        };
        if let Some(url) = url {
            let response = Response::new(url, head.status, head.version, head.headers, None);
            listener.informed(&self, response);
        }
    }

    fn sends(&self, length: Option<u64>) {
        self.counters.sends(length);
    }

    fn sent(self: Arc<Self>, bytes: u64) -> Result<(), Error> {
        self.counters.sent(bytes);
        self.listener().inspect(|listener| listener.progress(&self));
        self.go_on()
    }

    fn redirect(
        self: Arc<Self>,
        response: Response,
        proposed: Request,
    ) -> Result<Option<Request>, Error> {
        let core = &self;
        core.go_on()?;
        core.state.lock().seen.responded(response.clone());
        let follows = proposed.clone();
        let answer = core.ask(move |delegate, task, reply| {
            delegate.will_perform_redirect(task, &response, proposed.clone(), reply);
        })?;
        let Some(request) = answer.unwrap_or(Some(follows)) else { return Ok(None) };
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
        self.ask_about(challenge)
    }

    fn has_delegate(&self) -> bool {
        self.shared.has_delegate() || self.state.lock().recipients.delegate().is_some()
    }

    fn is_asked(self: Arc<Self>, delegate: &DelegateId) -> bool {
        let Chain { task, session } = self.chain();
        [task, session].iter().flatten().any(|asked| delegate.is(asked))
    }
}

impl Core {
    /// Asks the delegates for a body to send.
    pub(in crate::session) fn ask_for_body(self: &Arc<Self>) -> Result<Option<Body>, Error> {
        let answer = self.ask(|delegate, task, reply| delegate.need_new_body_stream(task, reply));
        answer.map(Option::flatten)
    }
}
