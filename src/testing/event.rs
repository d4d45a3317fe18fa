//! What a [`Recorder`](super::Recorder) writes down: calls as values.

use std::thread::ThreadId;
use std::time::Duration;

use crate::credentials::AuthenticationMethod;
use crate::download::StartOver;
use crate::error::ErrorKind;
use crate::session::{NewRequestReason, Progress};

/// One call of a delegate method, as a value that can be compared.
///
/// `id` is the [`id`](crate::Task::id) of the task.
///
/// ```
/// use urlsession::testing::Event;
///
/// let told = Event::data(1, "hello");
/// assert_eq!(told, Event::Data { id: 1, bytes: b"hello".to_vec() });
/// assert_eq!(told.id(), Some(1));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// [`did_create_task`](crate::Delegate::did_create_task).
    Created(u64),
    /// [`will_perform_redirect`](crate::Delegate::will_perform_redirect).
    Redirect {
        /// The task.
        id: u64,
        /// The status of the redirect.
        status: u16,
        /// The path of the proposed request, with its query.
        to: String,
    },
    /// [`did_follow_redirect`](crate::Delegate::did_follow_redirect).
    FollowedRedirect {
        /// The task.
        id: u64,
        /// The status of the redirect.
        status: u16,
        /// The path that it has led to, with its query.
        to: String,
    },
    /// [`session_did_receive_challenge`](crate::Delegate::session_did_receive_challenge).
    SessionChallenge {
        /// What is asked for.
        method: AuthenticationMethod,
        /// How many answers have been turned down before.
        failures: u32,
    },
    /// [`did_receive_challenge`](crate::Delegate::did_receive_challenge).
    Challenge {
        /// The task.
        id: u64,
        /// What is asked for.
        method: AuthenticationMethod,
        /// How many answers have been turned down before.
        failures: u32,
    },
    /// [`did_receive_response`](crate::Delegate::did_receive_response).
    Response {
        /// The task.
        id: u64,
        /// The status of the response.
        status: u16,
    },
    /// [`did_receive_data`](crate::Delegate::did_receive_data). Neighbouring pieces of one
    /// task are joined.
    Data {
        /// The task.
        id: u64,
        /// What was received.
        bytes: Vec<u8>,
    },
    /// The same of a recorder that [counts](super::Recorder::counts_data) instead.
    DataCount {
        /// The task.
        id: u64,
        /// How many bytes were received.
        count: u64,
    },
    /// [`will_retry`](crate::Delegate::will_retry).
    Retry {
        /// The task.
        id: u64,
        /// Which attempt is next.
        attempt: u32,
        /// How long it is until then.
        delay: Duration,
        /// What the last one has failed with.
        error: ErrorKind,
        /// The status of an answer that is tried again.
        status: Option<u16>,
    },
    /// [`did_make_progress`](crate::Delegate::did_make_progress), if that is
    /// [asked for](super::Recorder::records_progress).
    Progress {
        /// The task.
        id: u64,
        /// What was told.
        progress: Progress,
    },
    /// [`did_resume_at_offset`](crate::Delegate::did_resume_at_offset).
    Resumed {
        /// The task.
        id: u64,
        /// How many bytes were there.
        offset: u64,
        /// How many there will be, if that is known.
        expected: Option<u64>,
    },
    /// [`did_start_over`](crate::Delegate::did_start_over).
    StartedOver {
        /// The task.
        id: u64,
        /// Why.
        reason: StartOver,
    },
    /// [`did_complete`](crate::Delegate::did_complete).
    Complete {
        /// The task.
        id: u64,
        /// What kind of error it ended with; `None` if it succeeded.
        error: Option<ErrorKind>,
    },
    /// [`did_finish_downloading`](crate::Delegate::did_finish_downloading), if the recorder
    /// [keeps](super::Recorder::keeps_files) files.
    File {
        /// The task.
        id: u64,
        /// How long the file is.
        length: u64,
    },
    /// [`did_need_new_request`](crate::Delegate::did_need_new_request).
    NewRequest {
        /// The task.
        id: u64,
        /// Why.
        reason: NewRequestReason,
    },
    /// [`will_begin_delayed_request`](crate::Delegate::will_begin_delayed_request).
    DelayedRequest(
        /// The task.
        u64,
    ),
    /// [`did_finish_events`](crate::Delegate::did_finish_events).
    EventsFinished,
    /// [`did_become_invalid`](crate::Delegate::did_become_invalid).
    Invalid,
}

/// An [`Event`], and who was told of it where.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Call {
    /// The [name](super::Recorder::named) of the recorder that was called.
    pub recorder: String,
    /// What it was told.
    pub event: Event,
    /// The thread that it was called on.
    pub thread: ThreadId,
    /// The name of that thread.
    pub thread_name: Option<String>,
}

impl Event {
    /// Data that a task has received.
    pub fn data(id: u64, bytes: impl AsRef<[u8]>) -> Self {
        Self::Data { id, bytes: bytes.as_ref().to_vec() }
    }

    /// The completion of a task that succeeded.
    pub fn done(id: u64) -> Self {
        Self::Complete { id, error: None }
    }

    /// The completion of a task that failed.
    pub fn failed(id: u64, error: ErrorKind) -> Self {
        Self::Complete { id, error: Some(error) }
    }

    /// Returns the task that it is about; `None` for what is about a session.
    pub fn id(&self) -> Option<u64> {
        match self {
            Self::Created(id)
            | Self::DelayedRequest(id)
            | Self::Redirect { id, .. }
            | Self::FollowedRedirect { id, .. }
            | Self::Challenge { id, .. }
            | Self::Response { id, .. }
            | Self::Data { id, .. }
            | Self::DataCount { id, .. }
            | Self::Retry { id, .. }
            | Self::Progress { id, .. }
            | Self::Resumed { id, .. }
            | Self::StartedOver { id, .. }
            | Self::File { id, .. }
            | Self::NewRequest { id, .. }
            | Self::Complete { id, .. } => Some(*id),
            Self::Invalid | Self::EventsFinished | Self::SessionChallenge { .. } => None,
        }
    }

    /// Whether a task has ended.
    pub fn is_completion(&self) -> bool {
        matches!(self, Self::Complete { .. })
    }

    /// Adds `next` to `self` if both are data of the same task; gives it back if not.
    pub(super) fn join(&mut self, next: Self) -> Option<Self> {
        match (self, next) {
            (Self::Data { id, bytes }, Self::Data { id: same, bytes: more }) if *id == same => {
                bytes.extend(more);
                None
            }
            (Self::DataCount { id, count }, Self::DataCount { id: same, count: more })
                if *id == same =>
            {
                *count += more;
                None
            }
            (_, next) => Some(next),
        }
    }
}
