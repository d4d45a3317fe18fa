//! The [`Voice`] of those who are told and asked while a task goes on.

use std::sync::Arc;

use super::calls;
use crate::body::Body;
use crate::credentials::Challenge;
use crate::error::{Error, ErrorKind};
use crate::foreign::Foreign;
use crate::request::Request;
use crate::response::Response;
use crate::retry::Retry;
use crate::session::delegate::Delegate;
use crate::session::handle::Shared;
use crate::session::task::{self, Brought, Core, Listener, Task, Voice};
use crate::wire::{DelegateDecision, Question};

/// Has tasks tell and ask from now on. Called wherever a program hands over somebody to be told
/// or asked.
pub(in crate::session) fn give_voice() {
    task::give_voice(&OfAudience);
}

struct OfAudience;

impl Voice for OfAudience {
    fn listener(&self, task: &Core) -> Option<Arc<dyn Listener>> {
        task.listener_to_tell()
    }

    fn ask_for_body(
        &self,
        task: &Arc<Core>,
        question: &mut Question,
    ) -> Result<Option<Body>, Error> {
        let answer =
            task.ask(|delegate, task, reply| delegate.need_new_body_stream(task, reply), question);
        answer.map(Option::flatten)
    }

    fn ask_about_redirect(
        &self,
        task: &Arc<Core>,
        response: Response,
        proposed: Request,
        question: &mut Question,
    ) -> Result<Option<Option<Request>>, Error> {
        let asks = move |delegate: &dyn Delegate, task: &Task, reply| {
            delegate.will_perform_redirect(task, &response, proposed.clone(), reply);
        };
        task.ask(asks, question)
    }

    fn ask_about(
        &self,
        task: &Arc<Core>,
        challenge: Challenge,
        question: &mut Question,
    ) -> Result<Option<DelegateDecision>, Error> {
        task.ask_about(challenge, question)
    }

    fn ask_own_about(
        &self,
        task: &Arc<Core>,
        challenge: Challenge,
        question: &mut Question,
    ) -> Result<Option<DelegateDecision>, Error> {
        let Some(delegate) = task.own_voice() else { return Ok(None) };
        task.ask_own_about(delegate, challenge, question)
    }

    fn tell_of_waiting(&self, task: &Arc<Core>) {
        task.tell_delegates_of_waiting();
    }

    fn tell_of_retry(&self, task: &Arc<Core>, retry: Retry) {
        task.tell_somebody_of_retry(retry);
    }

    fn tell_invalid(&self, session: &Arc<Shared>) {
        calls::tell_delegate_invalid(session);
    }

    fn end(&self, task: &Arc<Core>, outcome: Brought, is_refused: bool) -> bool {
        task.end_with_delegates(outcome, is_refused)
    }
}

impl Task {
    /// Gives the task a delegate of its own, which comes before the session's.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidRequest`] if the task has begun already.
    pub fn set_delegate(&self, delegate: Arc<dyn Delegate>) -> Result<(), Error> {
        give_voice();
        let delegate = Foreign::new(delegate);
        let mut state = self.core.state.lock();
        if state.life.has_begun() {
            let detail = "a task that has begun cannot be given another delegate";
            return Err(Error::new(ErrorKind::InvalidRequest, detail));
        }
        let before = state.recipients.set_delegate(delegate);
        drop(state);
        drop(before);
        Ok(())
    }
}
