//! Tasks whose body is handed over as it comes, or at the end, in memory.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use super::Task;
use super::core::Core;
use super::product::Product;
use super::updates::Updates;
use crate::error::Error;
use crate::session::Data;

/// A task that loads a body into memory; made by
/// [`Session::data_task`](crate::Session::data_task) and its like.
///
/// It is a [`Task`], created suspended. There are four ways to learn what it brings:
///
/// * [`run`](Self::run) it on this thread and take what it returns;
/// * [`updates`](Self::updates): take what happens from a channel;
/// * give a closure or a channel when it is made, and [`resume`](Task::resume) it;
/// * `resume` it and let a [`Delegate`](crate::Delegate) be told.
#[derive(Clone, PartialEq, Eq, Hash)]
#[doc(alias = "URLSessionDataTask")]
#[doc(alias = "NSURLSessionDataTask")]
#[must_use = "a task does nothing before it is resumed or run"]
pub struct DataTask(Task);

impl DataTask {
    pub(crate) fn of(core: &Arc<Core>) -> Self {
        Self(Task::of(core))
    }

    /// Runs the task on this thread and returns what it brings. A clone can
    /// [`cancel`](Task::cancel) it from another thread.
    ///
    /// The task waits for its turn like every other, unless this is called by code that
    /// the session itself called. Its delegate is told everything, on this thread.
    ///
    /// # Errors
    ///
    /// Every [`ErrorKind`](crate::ErrorKind) that a load can end with;
    /// [`DataLengthExceedsMaximum`](crate::ErrorKind::DataLengthExceedsMaximum) if the body is larger than
    /// [`maximum_body_in_memory`](crate::Configuration::maximum_body_in_memory);
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) if the task reports to a closure or a channel, or has
    /// begun already; [`SessionInvalidated`](crate::ErrorKind::SessionInvalidated).
    ///
    /// # Examples
    ///
    /// ```
    /// # use urlsession::testing::{Answer, Server};
    /// # let server = Server::start();
    /// # server.enqueue(Answer::ok("hello"));
    /// # let url = server.url("/");
    /// let task = urlsession::Session::shared().data_task(&url);
    /// task.set_description("greeting");
    /// assert_eq!(task.run()?.text(), "hello");
    /// # Ok::<(), urlsession::Error>(())
    /// ```
    #[doc(alias = "data(for:)")]
    pub fn run(&self) -> Result<Data, Error> {
        self.0.run().and_then(Product::into_data)
    }

    /// Begins the task and returns what happens to it, as an iterator. It need not be
    /// resumed.
    ///
    /// The delegates are asked about redirects, but told nothing. If the task has begun
    /// already, or reports to a closure or a channel, the only update says so.
    pub fn updates(&self) -> Updates {
        self.0.begin_updates()
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
