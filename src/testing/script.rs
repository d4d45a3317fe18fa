//! What a [`Recorder`](super::Recorder) does when it is asked.

use crate::credentials::{Challenge, Credential, Disposition};
use crate::delivery::Reply;
use crate::request::Request;
use crate::session::{ResponseDisposition, Task};

/// What a recorder answers when it is asked about a redirect.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum OnRedirect {
    /// It drops the reply, as if it did not implement the method. The default.
    #[default]
    Drop,
    /// It follows.
    Follow,
    /// It stays.
    Stay,
    /// It goes elsewhere.
    To(Box<Request>),
    /// It keeps the reply until the test [takes it](super::Recorder::take_redirect).
    Hold,
    /// It panics with the reply in hand.
    Panic,
    /// It keeps the reply for the test and panics.
    HoldAndPanic,
}

/// What a recorder answers when it is asked about a response.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnResponse {
    /// It drops the reply, as if it did not implement the method. The default.
    #[default]
    Drop,
    /// It lets the body come.
    Allow,
    /// It cancels the task.
    Cancel,
    /// It keeps the reply until the test [takes it](super::Recorder::take_response).
    Hold,
    /// It panics with the reply in hand.
    Panic,
    /// It keeps the reply for the test and panics.
    HoldAndPanic,
}

/// What a recorder answers when it is asked about a challenge.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum OnChallenge {
    /// It drops the reply, as if it did not implement the method. The default.
    #[default]
    Drop,
    /// It answers with this.
    Answer(Disposition),
    /// It accepts what a server shows, whatever that is; other challenges are handled by
    /// default.
    Trust,
    /// It keeps the reply until the test [takes it](super::Recorder::take_challenge).
    Hold,
    /// It panics with the reply in hand.
    Panic,
    /// It keeps the reply for the test and panics.
    HoldAndPanic,
}

impl OnChallenge {
    /// Answers with this user and password.
    pub fn password(user: &str, password: &str) -> Self {
        Self::Answer(Disposition::UseCredential(Credential::new(user, password)))
    }
}

/// A question about a redirect that waits for its answer.
#[derive(Debug)]
#[non_exhaustive]
pub struct HeldRedirect {
    /// The task.
    pub task: Task,
    /// Where the redirect leads.
    pub proposed: Request,
    /// The answer to be given.
    pub reply: Reply<Option<Request>>,
}

/// A question about a response that waits for its answer.
#[derive(Debug)]
#[non_exhaustive]
pub struct HeldResponse {
    /// The task.
    pub task: Task,
    /// The answer to be given.
    pub reply: Reply<ResponseDisposition>,
}

/// A question about a challenge that waits for its answer.
#[derive(Debug)]
#[non_exhaustive]
pub struct HeldChallenge {
    /// The task; `None` if the session is asked.
    pub task: Option<Task>,
    /// What is asked.
    pub challenge: Challenge,
    /// The answer to be given.
    pub reply: Reply<Disposition>,
}

impl HeldRedirect {
    /// Follows the redirect.
    pub fn follow(self) {
        self.reply.answer(Some(self.proposed));
    }

    /// Stays where the task is.
    pub fn stay(self) {
        self.reply.answer(None);
    }
}

impl HeldResponse {
    /// Lets the body come.
    pub fn allow(self) {
        self.reply.answer(ResponseDisposition::Allow);
    }

    /// Cancels the task.
    pub fn cancel(self) {
        self.reply.answer(ResponseDisposition::Cancel);
    }
}
