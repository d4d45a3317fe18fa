//! Which states a task has, and how it moves between them.

use std::time::{Duration, Instant};

use crate::error::Error;
use crate::wire::Pauses;

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
    fn may_become(self, next: Self) -> bool {
        matches!(
            (self, next),
            (Self::Suspended, Self::Running | Self::Canceling)
                | (Self::Running, Self::Suspended | Self::Canceling | Self::Completed)
                | (Self::Canceling, Self::Completed)
        )
    }
}

/// How far a task has come in its life, and the time that it has.
#[derive(Debug)]
pub(crate) struct Life {
    state: TaskState,
    /// How many calls of `resume` it takes to make it run.
    suspensions: u32,
    has_begun: bool,
    /// When all must be over, pauses not counted.
    deadline: Option<Instant>,
    pausing: Pausing,
    /// It was stopped: cancelled, made to fail, or not done in time.
    is_cut_short: bool,
    /// What it is cancelled for, if not because somebody wished it.
    failure: Option<Error>,
}

/// What a call of `resume` means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resumed {
    /// The task runs for the first time.
    First,
    /// It goes on.
    Again,
}

/// What a call of `cancel` means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cancelled {
    /// It had never begun.
    pub(crate) is_first: bool,
    /// It was suspended after it had begun.
    pub(crate) ends_pause: bool,
}

impl Default for Life {
    /// A task is created suspended.
    fn default() -> Self {
        Self {
            state: TaskState::Suspended,
            suspensions: 1,
            has_begun: false,
            deadline: None,
            pausing: Pausing::default(),
            is_cut_short: false,
            failure: None,
        }
    }
}

impl Life {
    pub(crate) fn state(&self) -> TaskState {
        self.state
    }

    pub(crate) fn has_begun(&self) -> bool {
        self.has_begun
    }

    pub(crate) fn is_running(&self) -> bool {
        self.state == TaskState::Running
    }

    /// Whether it was cancelled, or has failed, and its end was not told yet.
    pub(crate) fn is_canceling(&self) -> bool {
        self.state == TaskState::Canceling
    }

    /// Whether it was stopped: cancelled, made to fail, or not done in time. It stays so after
    /// its end.
    pub(crate) fn is_cut_short(&self) -> bool {
        self.is_cut_short
    }

    /// Whether it was cancelled or has ended.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.state, TaskState::Canceling | TaskState::Completed)
    }

    /// Returns why it is cancelled, if not because somebody wished it.
    pub(crate) fn failure(&self) -> Option<&Error> {
        self.failure.as_ref()
    }

    /// Counts one suspension less; `None` if that changes nothing.
    pub(crate) fn resume(&mut self, now: impl FnOnce() -> Instant) -> Option<Resumed> {
        if self.suspensions == 0 || !self.state.may_become(TaskState::Running) {
            return None;
        }
        self.suspensions -= 1;
        if self.suspensions > 0 {
            return None;
        }
        self.state = TaskState::Running;
        if !self.has_begun {
            return Some(Resumed::First);
        }
        self.pausing.end(now());
        Some(Resumed::Again)
    }

    /// Counts one suspension more; returns whether the task stops by that.
    pub(super) fn suspend(&mut self, now: impl FnOnce() -> Instant) -> bool {
        if self.is_over() {
            return false;
        }
        self.suspensions = self.suspensions.saturating_add(1);
        if !self.state.may_become(TaskState::Suspended) {
            return false;
        }
        self.state = TaskState::Suspended;
        self.pausing.begin(now());
        true
    }

    /// Has it end, because of `failure` if there is one; `None` if that changes nothing.
    pub(super) fn cancel(
        &mut self,
        failure: Option<Error>,
        now: impl FnOnce() -> Instant,
    ) -> Option<Cancelled> {
        if !self.state.may_become(TaskState::Canceling) {
            return None;
        }
        let ends_pause = self.has_begun && self.state == TaskState::Suspended;
        if ends_pause {
            self.pausing.end(now());
        }
        self.state = TaskState::Canceling;
        (self.is_cut_short, self.failure) = (true, failure);
        let is_first = !std::mem::replace(&mut self.has_begun, true);
        Some(Cancelled { is_first, ends_pause })
    }

    /// Begins it, with the moment when all must be over.
    pub(crate) fn begin(&mut self, deadline: Option<Instant>) {
        self.has_begun = true;
        self.deadline = deadline;
        (self.suspensions, self.state) = (0, TaskState::Running);
    }

    /// Ends it; `is_late` if it was not done in time. Returns whether it was suspended after it
    /// had begun: its transfer was over already; `None` if it had ended before.
    pub(super) fn complete(
        &mut self,
        is_late: bool,
        now: impl FnOnce() -> Instant,
    ) -> Option<bool> {
        if self.state == TaskState::Completed {
            return None;
        }
        let ends_pause = self.has_begun && self.state == TaskState::Suspended;
        if ends_pause {
            self.pausing.end(now());
        }
        self.state = TaskState::Completed;
        self.is_cut_short |= is_late;
        Some(ends_pause)
    }

    /// Returns when all must be over, pauses not counted.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Returns when all must be over, as far as that is known now.
    pub(crate) fn due(&self, now: Instant) -> Option<Instant> {
        self.deadline?.checked_add(self.pausing.at(now).total)
    }

    /// Whether there is no time left.
    pub(crate) fn is_late(&self, now: Instant) -> bool {
        self.due(now).is_some_and(|due| due <= now)
    }

    /// Returns the time that no timer counts.
    pub(crate) fn pauses(&self, now: Instant) -> Pauses {
        self.pausing.at(now)
    }
}

/// The time during which a task was suspended.
#[derive(Debug, Default)]
struct Pausing {
    since: Option<Instant>,
    before: Duration,
    ended: Option<Instant>,
}

impl Pausing {
    fn begin(&mut self, now: Instant) {
        self.since = Some(now);
    }

    fn end(&mut self, now: Instant) {
        if let Some(since) = self.since.take() {
            self.before += now.saturating_duration_since(since);
            self.ended = Some(now);
        }
    }

    fn at(&self, now: Instant) -> Pauses {
        let current = self.since.map(|since| now.saturating_duration_since(since));
        Pauses {
            total: self.before + current.unwrap_or_default(),
            ended: self.ended,
            is_on: current.is_some(),
            leaves: false,
        }
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
