//! Tasks that run on the thread of their caller, and the place of a download.

use std::path::{self, Path};
use std::sync::Arc;

use super::handles::{DataTask, DownloadTask};
use super::inner::Core;
use super::product::{Brought, Product};
use super::reports::Reports;
use crate::error::{Error, ErrorKind};
use crate::files::Existing;
use crate::session::data::{Data, Download};

impl DataTask {
    /// Runs the task on this thread and returns what it brings. A clone can
    /// [`cancel`](crate::Task::cancel) it from another thread.
    ///
    /// The task waits for its turn like every other, unless this is called by code that
    /// the session itself called. Its delegate is told everything, on this thread.
    ///
    /// # Errors
    ///
    /// Every [`ErrorKind`] that a load can end with;
    /// [`DataLengthExceedsMaximum`](crate::ErrorKind::DataLengthExceedsMaximum) if the body is larger than
    /// [`maximum_body_in_memory`](crate::Configuration::maximum_body_in_memory);
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) if the task reports to a closure or a channel, or has
    /// begun already; [`SessionInvalidated`](crate::ErrorKind::SessionInvalidated).
    ///
    /// # Examples
    ///
    /// ```
    /// use urlsession::testing::{Answer, Server};
    ///
    /// let server = Server::start();
    /// server.enqueue(Answer::ok("hello"));
    /// let url = server.url("/");
    ///
    /// let task = urlsession::Session::shared().data_task(&url);
    /// task.set_description("greeting");
    /// assert_eq!(task.run()?.text(), "hello");
    /// Ok::<(), urlsession::Error>(())
    /// ```
    #[doc(alias = "data(for:)")]
    pub fn run(&self) -> Result<Data, Error> {
        self.core.run_here().and_then(Product::into_data)
    }
}

impl DownloadTask {
    /// Has the file come to `path`, where nothing may be. If something is, the task fails,
    /// if possible before anything is transferred.
    ///
    /// The file is written beside it under another name, and renamed when it is whole and
    /// on the disk; nothing is left if that fails. Its mode follows from the umask. A
    /// symbolic link at `path` counts as something that is there.
    ///
    /// Unless the request [says otherwise](crate::Request::accepts_status), only a status from
    /// 200 to 299 is saved, and 206 only if the request has a `Range`. Another one ends the task
    /// with [`ErrorKind::UnacceptableStatus`], which has the response.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidRequest`] if the task has begun already, or `path` is empty.
    pub fn save_to(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        self.save(path.as_ref(), Existing::Refuse)
    }

    /// Has the file come to `path`, in place of a file or a symbolic link that may be there
    /// until then. A status that [is not accepted](Self::save_to) leaves that as it was.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidRequest`] if the task has begun already.
    pub fn save_over(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        self.save(path.as_ref(), Existing::Replace)
    }

    fn save(&self, path: &Path, existing: Existing) -> Result<(), Error> {
        // The process may be in another folder when the file is written.
        let path = path::absolute(path).map_err(|error| {
            let detail = format!("\"{}\" is no path to save to", path.display());
            Error::new(ErrorKind::InvalidRequest, detail).because(error)
        })?;
        self.prepare("be given another place", |saving| saving.place = Some((path, existing)))
    }

    /// Runs the task on this thread and returns what it brings. A clone can
    /// [`cancel`](crate::Task::cancel) it from another thread.
    ///
    /// # Errors
    ///
    /// Every [`ErrorKind`] that a load can end with, and those of writing a file, such as
    /// [`ErrorKind::StorageFull`] and [`ErrorKind::FileAlreadyExists`];
    /// [`ErrorKind::InvalidRequest`] if the task reports to a closure or a channel, or has
    /// begun already; [`ErrorKind::SessionInvalidated`].
    ///
    /// # Examples
    ///
    /// ```
    /// use urlsession::testing::{Answer, Server};
    ///
    /// let server = Server::start();
    /// server.enqueue(Answer::ok("hello"));
    /// let url = server.url("/");
    ///
    /// let task = urlsession::Session::shared().download_task(&url);
    /// let download = task.run()?;
    /// assert_eq!(download.file.len(), 5);
    /// Ok::<(), urlsession::Error>(())
    /// ```
    #[doc(alias = "download(for:)")]
    pub fn run(&self) -> Result<Download, Error> {
        self.core.run_here().and_then(Product::into_download)
    }
}

impl Core {
    /// Runs a task that has not begun on this thread.
    fn run_here(self: &Arc<Self>) -> Brought {
        self.take_over(Reports::Caller)?;
        self.run()
    }

    /// Runs a task that reports to its caller on this thread, from its beginning to its
    /// end.
    pub(crate) fn run(self: &Arc<Self>) -> Brought {
        self.shared.scheduler().run(self)
    }

    /// Has a task that has not begun report to somebody else than its delegates.
    pub(crate) fn take_over(self: &Arc<Self>, reports: Reports) -> Result<(), Error> {
        let mut state = self.state.lock();
        if let Some(error) = self.why_over(&state) {
            return Err(error);
        }
        let is_free = state.recipients.are_delegates();
        if state.life.has_begun() || !is_free {
            let detail = "the task has begun already, or reports to a closure or a channel";
            return Err(Error::new(ErrorKind::InvalidRequest, detail));
        }
        let before = state.recipients.report_to(reports);
        drop(state);
        drop(before);
        Ok(())
    }
}
