//! A task's side of the dialogue with its load: what is told goes to its delegates, and what
//! is asked too.

use std::mem;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::core::{Core, UNKNOWN};
use super::report::Chain;
use crate::body::Body;
use crate::credentials::Challenge;
use crate::error::Error;
use crate::request::Request;
use crate::response::Response;
use crate::wire::{DelegateDecision, DelegateId, Dialogue, Head, Pauses};

impl Dialogue for Core {
    fn pauses(&self) -> Pauses {
        if !self.has_paused.load(Ordering::Relaxed) {
            return Pauses::default();
        }
        let now = self.shared.now();
        self.state.lock().pauses.at(now)
    }

    fn informed(self: Arc<Self>, head: Head) {
        if !self.tells.load(Ordering::Acquire) {
            return;
        }
        let (telling, url) = {
            let state = self.state.lock();
            (state.telling.clone(), self.current(&state).url().cloned())
        };
        if let Some((telling, url)) = telling.zip(url) {
            let response = Response::new(url, head.status, head.version, head.headers, None);
            telling.informed(&self, response);
        }
    }

    fn sends(&self, length: Option<u64>) {
        self.to_send.store(length.unwrap_or(UNKNOWN), Ordering::Relaxed);
    }

    fn sent(self: Arc<Self>, bytes: u64) -> Result<(), Error> {
        self.sent.fetch_add(bytes, Ordering::Relaxed);
        self.tell_progress();
        self.go_on()
    }

    fn redirect(
        self: Arc<Self>,
        response: Response,
        proposed: Request,
    ) -> Result<Option<Request>, Error> {
        self.go_on()?;
        self.state.lock().seen.response = Some(response.clone());
        let follows = proposed.clone();
        let answer = self.ask(move |delegate, task, reply| {
            delegate.will_perform_redirect(task, &response, proposed.clone(), reply);
        })?;
        let Some(request) = answer.unwrap_or(Some(follows)) else { return Ok(None) };
        let before = {
            let current = Some(Box::new(request.clone()));
            let mut state = self.state.lock();
            let before = self.host(&state).to_owned();
            let replaced = mem::replace(&mut state.seen.current, current);
            drop(state);
            // The program may have put a body into it.
            drop(replaced);
            before
        };
        self.change_host(&before)?;
        Ok(Some(request))
    }

    fn new_body(self: Arc<Self>) -> Result<Option<Body>, Error> {
        self.ask_for_body()
    }

    fn challenge(self: Arc<Self>, challenge: Challenge) -> Result<Option<DelegateDecision>, Error> {
        self.ask_about(challenge)
    }

    fn has_delegate(&self) -> bool {
        self.shared.has_delegate() || self.state.lock().seen.delegate.is_some()
    }

    fn is_asked(self: Arc<Self>, delegate: &DelegateId) -> bool {
        let Chain { task, session } = self.chain();
        [task, session].iter().flatten().any(|asked| delegate.is(asked))
    }
}

impl Core {
    /// Asks the delegates for a body to send.
    pub(super) fn ask_for_body(self: &Arc<Self>) -> Result<Option<Body>, Error> {
        let answer = self.ask(|delegate, task, reply| delegate.need_new_body_stream(task, reply));
        answer.map(Option::flatten)
    }
}
