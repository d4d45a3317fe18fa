//! How a task ended, for one channel of many tasks.

use crate::error::Error;

/// The end of one of the tasks that report to a channel; made by
/// [`Session::data_task_to`](crate::Session::data_task_to).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Finished<T> {
    /// The [`id`](crate::Task::id) of the task, unique within its session.
    pub id: u64,
    /// What it brought.
    pub outcome: Result<T, Error>,
}
