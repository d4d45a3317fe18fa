//! What the host asks, brought to the delegates, and their answers.

use std::collections::hash_map::Entry;
use std::sync::{Arc, Weak};

use super::{Client, Command, extent};
use crate::cancel::Wake;
use crate::credentials::{Challenge, Disposition};
use crate::delivery::{Inquiry, Reply, Settled};
use crate::error::{Error, ErrorKind};
use crate::request::Request;
use crate::session::{DelayedRequestDisposition, Delegate, NewRequestReason, Task};

/// What a task was asked.
pub(super) enum Question {
    /// For another request; and what it fails with without one.
    Request(Arc<Inquiry<Option<Request>>>, Error),
    /// How it begins.
    Begin(Arc<Inquiry<DelayedRequestDisposition>>),
}

/// Has the answer to the question of a task taken.
struct Answered {
    client: Weak<Client>,
    task: u64,
}

impl Wake for Answered {
    fn wake(&self) {
        if let Some(client) = self.client.upgrade() {
            client.take_answer(self.task);
        }
    }
}

impl Client {
    /// Asks about a challenge: of a task its delegates, of a connection the session's.
    pub(super) fn ask_about(
        &self,
        task: Option<u64>,
        challenge: &Challenge,
        reply: Reply<Disposition>,
    ) {
        let challenge = challenge.clone();
        match task {
            Some(task) => {
                let Some(core) = self.task(task) else { return };
                core.tell_then(
                    move |delegate, task| delegate.did_receive_challenge(task, &challenge, reply),
                    |_| (),
                );
            }
            None => {
                let Some(session) = self.tasks.lock().session.upgrade() else { return };
                crate::session::call_delegate(&session, move |delegate, session| {
                    delegate.session_did_receive_challenge(session, &challenge, reply);
                });
            }
        }
    }

    /// Asks for another request of a task; without one it ends with the error.
    pub(super) fn ask_for_request(&self, task: u64, reason: NewRequestReason, error: Error) {
        let own = self.task(task).map(|core| core.request.clone());
        if let Some(request) = own.filter(|request| !request.secrets().is_empty())
            && reason == NewRequestReason::SecretsLost
        {
            // They were lost with a daemon, and this run of the program has them.
            let request = request.without_body().without_cancel_token();
            return self.host.obey(Command::Renew(task, Some(request), error));
        }
        self.ask(
            task,
            |inquiry| Question::Request(inquiry, error),
            move |delegate, task, reply| delegate.did_need_new_request(task, reason, reply),
        );
    }

    /// Asks how a task begins whose date has come.
    pub(super) fn ask_how_to_begin(&self, task: u64, request: Request) {
        self.ask(task, Question::Begin, move |delegate, task, reply| {
            delegate.will_begin_delayed_request(task, request, reply);
        });
    }

    /// Asks the delegates of a task something, and has the answer taken.
    fn ask<T: Send + 'static>(
        &self,
        task: u64,
        question: impl FnOnce(Arc<Inquiry<T>>) -> Question,
        call: impl FnOnce(&dyn Delegate, &Task, Reply<T>) + Send + 'static,
    ) {
        let Some(core) = self.task(task) else { return };
        let (inquiry, errand) = Inquiry::begin();
        let inquiry = Arc::new(inquiry);
        match self.questions.lock().entry(task) {
            // It was suspended and resumed meanwhile.
            Entry::Occupied(_) => return,
            Entry::Vacant(place) => place.insert(question(Arc::clone(&inquiry))),
        };
        core.tell_then(
            move |delegate, task| errand.run(|reply| call(delegate, task, reply)),
            |_| (),
        );
        inquiry.when_settled(Arc::new(Answered { client: self.me.clone(), task }));
    }

    fn take_answer(&self, task: u64) {
        let Some(question) = self.questions.lock().remove(&task) else { return };
        match question {
            Question::Request(inquiry, error) => {
                let request = match inquiry.try_take() {
                    Some(Settled::Answered(request)) => request,
                    _ => None,
                };
                let too_long = request.as_ref().and_then(extent::refusal);
                let (request, error) = match too_long {
                    Some(why) => (None, why),
                    None => (request, error),
                };
                self.host.obey(Command::Renew(task, request, error));
            }
            Question::Begin(inquiry) => match inquiry.try_take() {
                Some(Settled::Answered(DelayedRequestDisposition::UseNewRequest(request))) => {
                    let request = request.without_body().without_cancel_token();
                    self.host.obey(match extent::refusal(&request) {
                        Some(why) => Command::Cancel(task, Some(why)),
                        None => Command::Begin(task, Some(request)),
                    });
                }
                Some(Settled::Answered(DelayedRequestDisposition::Cancel)) => {
                    self.host.obey(Command::Cancel(task, None));
                }
                Some(Settled::Panicked) => self.host.obey(Command::Cancel(task, Some(panicked()))),
                _ => self.host.obey(Command::Begin(task, None)),
            },
        }
    }
}

/// The error of a task whose program has panicked instead of answering.
fn panicked() -> Error {
    Error::new(ErrorKind::DelegatePanicked, "a delegate panicked before it answered")
}
