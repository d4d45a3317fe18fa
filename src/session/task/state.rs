//! Which states a task has, and how it moves between them.

/// What a task is doing.
///
/// | From | to |
/// |---|---|
/// | `Suspended` | `Running` by `resume`, `Canceling` by `cancel` |
/// | `Running` | `Suspended` by `suspend`, `Canceling` by `cancel`, `Completed` |
/// | `Canceling` | `Completed` |
/// | `Completed` | nothing |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[doc(alias = "URLSessionTask.State")]
#[doc(alias = "NSURLSessionTaskState")]
#[non_exhaustive]
pub enum TaskState {
    /// It transfers, waits for its turn, or waits for an answer.
    Running,
    /// It transfers nothing, and no timer runs. Tasks are created so.
    Suspended,
    /// It was cancelled and will be completed in a moment.
    Canceling,
    /// It has ended, which its completion has told or is about to tell.
    Completed,
}

impl TaskState {
    /// Returns whether a task may move from `self` to `next`.
    pub(super) fn may_become(self, next: Self) -> bool {
        matches!(
            (self, next),
            (Self::Suspended, Self::Running | Self::Canceling)
                | (Self::Running, Self::Suspended | Self::Canceling | Self::Completed)
                | (Self::Canceling, Self::Completed)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::TaskState::{Canceling, Completed, Running, Suspended};

    #[test]
    fn a_task_moves_along_the_table_and_never_back_from_its_end() {
        // Whether a task may go on to: Running, Suspended, Canceling, Completed.
        for (from, allowed) in [
            (Running, [false, true, true, true]),
            (Suspended, [true, false, true, false]),
            (Canceling, [false, false, false, true]),
            (Completed, [false, false, false, false]),
        ] {
            let found = [Running, Suspended, Canceling, Completed].map(|to| from.may_become(to));
            assert_eq!(found, allowed, "from {from:?}");
        }
    }
}
