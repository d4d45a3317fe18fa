//! The life of one task as an iterator.

use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError, channel};
use std::time::Duration;

use super::voice::give_voice;
use crate::error::Error;
use crate::session::task::{Core, DataTask, DownloadTask, Item, Reports, Task, Update};

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
/// use urlsession::testing::{Answer, Server};
/// use urlsession::{Session, Update};
///
/// let server = Server::start();
/// server.enqueue(Answer::ok("hello"));
/// let url = server.url("/");
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
/// Ok::<(), urlsession::Error>(())
/// ```
pub struct Updates {
    receiver: Receiver<Item>,
    task: Task,
    /// The task has nothing to do with these updates.
    is_refused: bool,
}

impl Updates {
    /// Begins a task that has not begun, and returns what happens to it.
    fn of(core: &Arc<Core>) -> Self {
        give_voice();
        let (sender, receiver) = channel();
        let task = Task::of(core);
        match core.take_over(Reports::Updates(Arc::new(move |item| sender.send(item).is_ok()))) {
            Ok(()) => {
                task.resume();
                Self::new(receiver, task)
            }
            Err(error) => Self::refused(error, task),
        }
    }

    fn new(receiver: Receiver<Item>, task: Task) -> Self {
        Self { receiver, task, is_refused: false }
    }

    /// The updates of a task that reports to somebody else: one, which says so.
    fn refused(error: Error, task: Task) -> Self {
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

impl DataTask {
    /// Begins the task and returns what happens to it, as an iterator. It need not be
    /// resumed.
    ///
    /// The delegates are asked whatever they are asked of other tasks, such as about challenges
    /// and redirects, but told nothing that the updates say. If the task has begun already, or
    /// reports to a closure or a channel, the only update says so.
    pub fn updates(&self) -> Updates {
        Updates::of(&self.core)
    }
}

impl DownloadTask {
    /// Begins the task and returns what happens to it, as an iterator: the file is in
    /// [`Update::Downloaded`]. It need not be resumed.
    ///
    /// If the task has begun already, or reports to a closure or a channel, the only update
    /// says so.
    pub fn updates(&self) -> Updates {
        Updates::of(&self.core)
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
