//! Tasks that send a body.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use super::DataTask;
use super::core::Core;

/// A data task that sends a body of its own; made by
/// [`Session::upload_task`](crate::Session::upload_task) and its like.
///
/// It is a [`DataTask`]: [`run`](DataTask::run) it, take its
/// [`updates`](DataTask::updates), or [`resume`](crate::Task::resume) it. How much was sent
/// is told by [`did_send_body_data`](crate::Delegate::did_send_body_data) and by
/// [`progress`](crate::Task::progress).
#[derive(Clone, PartialEq, Eq, Hash)]
#[doc(alias = "URLSessionUploadTask")]
#[doc(alias = "NSURLSessionUploadTask")]
#[must_use = "a task does nothing before it is resumed or run"]
pub struct UploadTask(DataTask);

impl UploadTask {
    pub(crate) fn of(core: &Arc<Core>) -> Self {
        Self(DataTask::of(core))
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
