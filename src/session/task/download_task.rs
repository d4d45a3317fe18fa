//! Tasks whose body goes to a file.

use std::fmt;
use std::ops::Deref;
use std::path::{self, Path};
use std::sync::Arc;

use super::Task;
use super::core::Core;
use super::product::{Kind, Product, Saving};
use super::updates::Updates;
use crate::error::{Error, ErrorKind};
use crate::files::Existing;
use crate::session::Download;

/// A task that writes a body to a file; made by
/// [`Session::download_task`](crate::Session::download_task) and its like.
///
/// Without a place of its own the file is a temporary one in
/// [`temporary_directory`](crate::Configuration::temporary_directory), which only this user
/// can read; it is handed over as a [`DownloadedFile`](crate::DownloadedFile).
/// [`save_to`](Self::save_to) names a place.
///
/// It is a [`Task`]: [`run`](Self::run) it, take its [`updates`](Self::updates), give it a
/// closure or a channel when it is made, or [`resume`](Task::resume) it and let a
/// [`Delegate`](crate::Delegate) be told. A status of 400 or more is no error: its body is
/// downloaded, too.
#[derive(Clone, PartialEq, Eq, Hash)]
#[doc(alias = "URLSessionDownloadTask")]
#[doc(alias = "NSURLSessionDownloadTask")]
#[must_use = "a task does nothing before it is resumed or run"]
pub struct DownloadTask(Task);

impl DownloadTask {
    pub(crate) fn of(core: &Arc<Core>) -> Self {
        Self(Task::of(core))
    }

    /// Has the file come to `path`, where nothing may be. If something is, the task fails,
    /// if possible before anything is transferred.
    ///
    /// The file is written beside it under another name, and renamed when it is whole and
    /// on the disk; nothing is left if that fails. Its mode follows from the umask. A
    /// symbolic link at `path` counts as something that is there.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidRequest`] if the task has begun already, or `path` is empty.
    pub fn save_to(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        self.save(path.as_ref(), Existing::Refuse)
    }

    /// Has the file come to `path`, in place of a file or a symbolic link that may be there
    /// until then.
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
        let mut state = self.0.core.state.lock();
        if state.has_begun {
            let detail = "a task that has begun cannot be given another place";
            return Err(Error::new(ErrorKind::InvalidRequest, detail));
        }
        state.kind = Kind::Download(Some(Saving { path, existing }));
        Ok(())
    }

    /// Runs the task on this thread and returns what it brings. A clone can
    /// [`cancel`](Task::cancel) it from another thread.
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
    /// # use urlsession::testing::{Answer, Server};
    /// # let server = Server::start();
    /// # server.enqueue(Answer::ok("hello"));
    /// # let url = server.url("/");
    /// let task = urlsession::Session::shared().download_task(&url);
    /// let download = task.run()?;
    /// assert_eq!(download.file.len(), 5);
    /// # Ok::<(), urlsession::Error>(())
    /// ```
    #[doc(alias = "download(for:)")]
    pub fn run(&self) -> Result<Download, Error> {
        self.0.run().and_then(Product::into_download)
    }

    /// Begins the task and returns what happens to it, as an iterator: the file is in
    /// [`Update::Downloaded`](crate::Update::Downloaded). It need not be resumed.
    ///
    /// If the task has begun already, or reports to a closure or a channel, the only update
    /// says so.
    pub fn updates(&self) -> Updates {
        self.0.begin_updates()
    }
}

impl Deref for DownloadTask {
    type Target = Task;

    fn deref(&self) -> &Task {
        &self.0
    }
}

impl fmt::Debug for DownloadTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DownloadTask").field(&self.0).finish()
    }
}
