//! What is sent to a channel when one of its tasks ends.

use std::any::Any;

use super::task::Task;
use crate::error::Error;

/// The end of one of the tasks that report to a channel; made by
/// [`Session::data_task_to`](crate::Session::data_task_to).
///
/// It keeps the session, as every handle of a task does.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Finished<T> {
    /// The [`id`](crate::Task::id) of the task, unique within its session.
    pub id: u64,
    /// The task.
    pub task: Task,
    /// What it brought.
    pub outcome: Result<T, Error>,
}

impl<T> Finished<T> {
    /// Returns what the program has [tagged](crate::Request::tag) the request with, if it has
    /// this type.
    pub fn tag<G: Any>(&self) -> Option<&G> {
        self.task.tag()
    }
}
