//! The handles of a task.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

use super::inner::Core;
use crate::session::delegate::{Delegate, HeldDelegate};

/// One transfer of a session: a cheap clone, which delegates and
/// [`Session::all_tasks`](crate::Session::all_tasks) get.
///
/// The handles of the kinds are handles of this one, too: a [`DataTask`] and a
/// [`DownloadTask`] deref to it, and an [`UploadTask`] to a `DataTask`, as Apple's classes
/// inherit from each other. So a function that takes a `&Task` or a `&DataTask` takes them
/// all, and what all can do is written, and documented, once.
///
/// Clones are the same task. A task is created suspended: nothing is sent before
/// [`resume`](Self::resume). It runs even if nobody holds it. Handles keep their session.
///
/// # Examples
///
/// ```
/// use std::sync::mpsc;
/// use urlsession::testing::{Answer, Server};
/// use urlsession::{Session, TaskState};
///
/// let server = Server::start();
/// server.enqueue(Answer::ok("hello"));
/// let url = server.url("/");
///
/// let (sender, outcome) = mpsc::channel();
/// let task = Session::shared().data_task_with(&url, move |result| sender.send(result).unwrap());
/// assert_eq!(task.state(), TaskState::Suspended);
/// task.resume();
/// assert_eq!(outcome.recv().unwrap()?.text(), "hello");
/// Ok::<(), urlsession::Error>(())
/// ```
#[doc(alias = "URLSessionTask")]
#[doc(alias = "NSURLSessionTask")]
pub struct Task {
    pub(in crate::session) core: Arc<Core>,
    /// Whom a method that the task's delegate lacks goes to, while it is called.
    next: Option<HeldDelegate>,
}

impl Task {
    /// Returns the handle of a download, if it is one.
    #[cfg(feature = "background")]
    pub(crate) fn as_download(&self) -> Option<DownloadTask> {
        self.core.is_download().then(|| DownloadTask::of(&self.core))
    }

    pub(crate) fn of(core: &Arc<Core>) -> Self {
        Self::forwarding(core, None)
    }

    /// A handle whose delegate forwards to `next`.
    pub(crate) fn forwarding(core: &Arc<Core>, next: Option<HeldDelegate>) -> Self {
        core.shared.hold();
        Self { core: Arc::clone(core), next }
    }

    /// Calls the delegate that comes after the one that is called with this handle.
    pub(crate) fn forward(&self, call: impl FnOnce(&dyn Delegate, &Self)) {
        if let Some(next) = &self.next {
            call(&***next, &Self::of(&self.core));
        }
    }
}

impl Clone for Task {
    fn clone(&self) -> Self {
        Self::of(&self.core)
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.core.shared.release();
    }
}

impl PartialEq for Task {
    /// Tasks are equal if they are the same.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.core, &other.core)
    }
}

impl Eq for Task {}

impl Hash for Task {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.core.id.hash(state);
    }
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.core.fmt(f)
    }
}

/// A task that loads a body into memory; made by
/// [`Session::data_task`](crate::Session::data_task) and its like.
///
/// It is a [`Task`], created suspended. There are four ways to learn what it brings:
///
/// * [`run`](Self::run) it on this thread and take what it returns;
/// * [`updates`](Self::updates): take what happens from a channel;
/// * give a closure or a channel when it is made, and [`resume`](Task::resume) it;
/// * `resume` it and let a [`Delegate`] be told.
#[derive(Clone, PartialEq, Eq, Hash)]
#[doc(alias = "URLSessionDataTask")]
#[doc(alias = "NSURLSessionDataTask")]
pub struct DataTask(Task);

impl DataTask {
    pub(crate) fn of(core: &Arc<Core>) -> Self {
        Self(Task::of(core))
    }
}

impl DataTask {
    /// Has the task run; see [`Task::resume`]. Returns another handle of it.
    pub fn resume(&self) -> Self {
        self.core.resume();
        self.clone()
    }
}

impl From<DataTask> for Task {
    fn from(task: DataTask) -> Self {
        task.0
    }
}

impl Deref for DataTask {
    type Target = Task;

    fn deref(&self) -> &Task {
        &self.0
    }
}

impl fmt::Debug for DataTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DataTask").field(&self.0).finish()
    }
}

/// A data task that sends a body of its own; made by
/// [`Session::upload_task`](crate::Session::upload_task) and its like.
///
/// It is a [`DataTask`]: [`run`](DataTask::run) it, take its
/// [`updates`](DataTask::updates), or [`resume`](crate::Task::resume) it. How much was sent
/// is told by [`did_send_body_data`](crate::Delegate::did_send_body_data) and by
/// [`progress`](crate::Task::progress). An answer below 300 may come before all of the body
/// is out, and does not end it, see [`Session::upload`](crate::Session::upload).
#[derive(Clone, PartialEq, Eq, Hash)]
#[doc(alias = "URLSessionUploadTask")]
#[doc(alias = "NSURLSessionUploadTask")]
pub struct UploadTask(DataTask);

impl UploadTask {
    pub(crate) fn of(core: &Arc<Core>) -> Self {
        Self(DataTask::of(core))
    }
}

impl UploadTask {
    /// Has the task run; see [`Task::resume`]. Returns another handle of it.
    pub fn resume(&self) -> Self {
        self.core.resume();
        self.clone()
    }
}

impl From<UploadTask> for Task {
    fn from(task: UploadTask) -> Self {
        task.0.0
    }
}

impl Deref for UploadTask {
    type Target = DataTask;

    fn deref(&self) -> &DataTask {
        &self.0
    }
}

impl fmt::Debug for UploadTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("UploadTask").field(&*self.0).finish()
    }
}

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
/// [`Delegate`] be told. A status of 400 or more is no error: its body is
/// downloaded, too.
#[derive(Clone, PartialEq, Eq, Hash)]
#[doc(alias = "URLSessionDownloadTask")]
#[doc(alias = "NSURLSessionDownloadTask")]
pub struct DownloadTask(Task);

impl DownloadTask {
    pub(crate) fn of(core: &Arc<Core>) -> Self {
        Self(Task::of(core))
    }
}

impl DownloadTask {
    /// Has the task run; see [`Task::resume`]. Returns another handle of it.
    pub fn resume(&self) -> Self {
        self.core.resume();
        self.clone()
    }
}

impl From<DownloadTask> for Task {
    fn from(task: DownloadTask) -> Self {
        task.0
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
