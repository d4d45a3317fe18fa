//! Whom a task reports to.

use std::fmt;
use std::sync::Arc;

use super::product::{Brought, Product};
use super::progress::Progress;
use crate::delivery::Loan;
use crate::download::StartOver;
use crate::error::Error;
use crate::files::DownloadedFile;
use crate::foreign::Foreign;
use crate::response::Response;
use crate::retry::Retry;

/// Whom a task reports to.
pub(crate) enum Reports {
    /// Its delegate and the session's.
    Delegates,
    /// Called on the session's queue.
    Closure(End),
    /// Sends into a channel of the program, on any thread.
    Channel(End),
    Updates(SendUpdate),
    /// Whoever runs it; its own delegate is told, too.
    Caller,
}

/// Sends into the channel of [`Updates`](crate::Updates); `false` if nobody receives any more. A
/// program without updates has no channel for them.
pub(crate) type SendUpdate = Arc<dyn Fn(Item) -> bool + Send + Sync>;

/// Takes what the task has brought.
pub(crate) type End = Foreign<Box<dyn FnOnce(Brought) + Send>>;

impl Reports {
    /// Has a closure called with what a task brings, `taken` from it.
    pub(crate) fn closure<T: 'static>(
        taken: fn(Product) -> Result<T, Error>,
        completion: impl FnOnce(Result<T, Error>) + Send + 'static,
    ) -> Self {
        Self::Closure(Foreign::new(Box::new(move |outcome: Brought| {
            completion(outcome.and_then(taken))
        })))
    }

    /// Whether somebody wants the whole body at the end.
    pub(crate) fn wants_data(&self) -> bool {
        matches!(self, Self::Closure(_) | Self::Channel(_) | Self::Caller)
    }
}

/// Something that happened to a task; see [`Updates`](crate::Updates).
///
/// `Debug` shows how much data there is, not what is in it.
#[non_exhaustive]
pub enum Update {
    /// The head of the response. A second one means that the transfer had to start over.
    Response(Response),
    /// A piece of the body, decoded, in order; never empty.
    Data(Vec<u8>),
    /// The attempt has failed, and another one is made: what came up to now does not count.
    WillRetry(Retry),
    /// How far the task has come.
    Progress(Progress),
    /// A download goes on behind what is there of it; see
    /// [`did_resume_at_offset`](crate::Delegate::did_resume_at_offset).
    Resumed {
        /// How many bytes are there.
        offset: u64,
        /// How many there will be, if that is known.
        expected: Option<u64>,
    },
    /// What was there of a download is gone; see
    /// [`did_start_over`](crate::Delegate::did_start_over).
    StartedOver(StartOver),
    /// The body of a download is whole, in a file, which is deleted when this is dropped.
    Downloaded(DownloadedFile),
    /// The task has ended. The last update.
    Finished(Result<(), Error>),
}

impl fmt::Debug for Update {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Response(response) => f.debug_tuple("Response").field(response).finish(),
            Self::Data(data) => write!(f, "Data({} bytes)", data.len()),
            Self::WillRetry(retry) => f.debug_tuple("WillRetry").field(retry).finish(),
            Self::Progress(progress) => f.debug_tuple("Progress").field(progress).finish(),
            Self::Resumed { offset, expected } => f
                .debug_struct("Resumed")
                .field("offset", offset)
                .field("expected", expected)
                .finish(),
            Self::StartedOver(reason) => f.debug_tuple("StartedOver").field(reason).finish(),
            Self::Downloaded(file) => f.debug_tuple("Downloaded").field(file).finish(),
            Self::Finished(outcome) => f.debug_tuple("Finished").field(outcome).finish(),
        }
    }
}

/// What is sent to whoever takes updates.
pub(crate) struct Item {
    pub(crate) update: Update,
    /// Given back when it is taken, or dropped with it.
    pub(crate) _loan: Option<Loan>,
}
