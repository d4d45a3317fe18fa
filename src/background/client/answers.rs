//! What the host asks, brought to the delegates, and their answers.

use std::sync::{Arc, Weak};

use super::{Client, Command};
use crate::cancel::Wake;
use crate::credentials::{Challenge, Disposition};
use crate::delivery::{Inquiry, Reply, Settled};
use crate::error::Error;
use crate::session::NewRequestReason;

/// Has the answer to the question of a task taken.
struct Answered {
    client: Weak<Client>,
    task: u64,
}

impl Wake for Answered {
    fn wake(&self) {
        if let Some(client) = self.client.upgrade() {
            client.take_request(self.task);
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
        let Some(core) = self.task(task) else { return };
        let (inquiry, errand) = Inquiry::begin();
        let inquiry = Arc::new(inquiry);
        self.questions.lock().insert(task, (inquiry.clone(), error));
        core.tell_then(
            move |delegate, task| {
                errand.run(|reply| delegate.did_need_new_request(task, reason, reply));
            },
            |_| (),
        );
        inquiry.when_settled(Arc::new(Answered { client: self.me.clone(), task }));
    }

    fn take_request(&self, task: u64) {
        let Some((inquiry, error)) = self.questions.lock().remove(&task) else { return };
        let request = match inquiry.try_take() {
            Some(Settled::Answered(request)) => request,
            Some(Settled::Unanswered | Settled::Panicked | Settled::NeverAsked) | None => None,
        };
        self.host.obey(Command::Renew(task, request, error));
    }
}
