//! The life of one task as an iterator.

use std::fmt;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError, channel};
use std::time::Duration;

use super::{Progress, Task};
use crate::delivery::Loan;
use crate::error::Error;
use crate::files::DownloadedFile;
use crate::response::Response;

/// Something that happened to a task; see [`Updates`].
///
/// `Debug` shows how much data there is, not what is in it.
#[non_exhaustive]
pub enum Update {
    /// The head of the response. A second one means that the transfer had to start over.
    Response(Response),
    /// A piece of the body, decoded, in order; never empty.
    Data(Vec<u8>),
    /// How far the task has come.
    Progress(Progress),
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
            Self::Progress(progress) => f.debug_tuple("Progress").field(progress).finish(),
            Self::Downloaded(file) => f.debug_tuple("Downloaded").field(file).finish(),
            Self::Finished(outcome) => f.debug_tuple("Finished").field(outcome).finish(),
        }
    }
}

/// What is sent to whoever takes updates.
pub(crate) struct Item {
    pub(super) update: Update,
    /// Given back when it is taken, or dropped with it.
    pub(super) _loan: Option<Loan>,
}

/// The updates of one task, in order, over a std channel; made by
/// [`DataTask::updates`](crate::DataTask::updates).
///
/// At most 1 MiB of the body waits here; then the transfer stops until some of it is
/// taken. Dropped before the end, it cancels the task. With a manual delivery queue its
/// `wake` is called for every update, so that a loop can look here, too.
///
/// # Examples
///
/// ```
/// # use urlsession::testing::{Answer, Server};
/// # let server = Server::start();
/// # server.enqueue(Answer::ok("hello"));
/// # let url = server.url("/");
/// use urlsession::{Session, Update};
///
/// let mut body = Vec::new();
/// for update in Session::shared().data_task(&url).updates() {
///     match update {
///         // Should the transfer have to start over, it comes again.
///         Update::Response(_) => body.clear(),
///         Update::Data(data) => body.extend(data),
///         Update::Progress(progress) => println!("{:?}", progress.fraction_received()),
///         Update::Finished(outcome) => outcome?,
///         _ => {}
///     }
/// }
/// assert_eq!(body, b"hello");
/// # Ok::<(), urlsession::Error>(())
/// ```
pub struct Updates {
    receiver: Receiver<Item>,
    task: Task,
    /// The task has nothing to do with these updates.
    is_refused: bool,
}

impl Updates {
    pub(super) fn new(receiver: Receiver<Item>, task: Task) -> Self {
        Self { receiver, task, is_refused: false }
    }

    /// The updates of a task that reports to somebody else: one, which says so.
    pub(super) fn refused(error: Error, task: Task) -> Self {
        let (sender, receiver) = channel();
        // The receiver is here.
        let _ = sender.send(Item { update: Update::Finished(Err(error)), _loan: None });
        Self { receiver, task, is_refused: true }
    }

    /// Returns the task.
    pub fn task(&self) -> &Task {
        &self.task
    }

    /// Waits for the next update; `None` after the last.
    pub fn recv(&self) -> Option<Update> {
        self.receiver.recv().ok().map(|item| item.update)
    }

    /// Returns the next update if there is one.
    ///
    /// # Errors
    ///
    /// [`TryRecvError::Empty`] if there is none yet, [`TryRecvError::Disconnected`] after
    /// the last.
    pub fn try_recv(&self) -> Result<Update, TryRecvError> {
        self.receiver.try_recv().map(|item| item.update)
    }

    /// Waits for the next update for at most `timeout`.
    ///
    /// # Errors
    ///
    /// [`RecvTimeoutError::Timeout`] if there was none, [`RecvTimeoutError::Disconnected`]
    /// after the last.
    pub fn recv_timeout(&self, timeout: Duration) -> Result<Update, RecvTimeoutError> {
        self.receiver.recv_timeout(timeout).map(|item| item.update)
    }
}

impl Iterator for Updates {
    type Item = Update;

    fn next(&mut self) -> Option<Update> {
        self.recv()
    }
}

impl Drop for Updates {
    fn drop(&mut self) {
        if !self.is_refused {
            // Does nothing to a task that has ended.
            self.task.cancel();
        }
    }
}

impl fmt::Debug for Updates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Updates").field("task", &self.task).finish_non_exhaustive()
    }
}
