//! The moments that the timer waits for.

use std::collections::BTreeSet;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use crate::engine::NetworkWatch;

/// How long it is until a change of the network is told of: there are always several.
const QUIET: Duration = Duration::from_millis(50);

/// How long it is between two of them at least.
const APART: Duration = Duration::from_millis(500);

/// What is waited for: moments, as nanoseconds since the timer was made.
#[derive(Debug, Default)]
pub(super) struct Moments {
    /// By moment, then by the number of the task; the last one first, turned round: the place of
    /// one that comes is then found by looking at one entry of each node.
    pub(super) tasks: BTreeSet<(u64, u64)>,
    /// When the system is asked again for threads.
    pub(super) workers: Option<NonZeroU64>,
    /// When calls on threads that run tasks are looked at.
    pub(super) calls: Option<NonZeroU64>,
    /// When the line is looked at, if tasks wait.
    pub(super) line: Option<NonZeroU64>,
    /// The thread is there.
    pub(super) runs: bool,
    /// The thread looks for itself, or knows that it has to.
    pub(super) is_awake: bool,
    pub(super) closed: bool,
    pub(super) network: Network,
}

/// What is known of changes of the network, while somebody waits to connect.
#[derive(Debug, Default)]
pub(super) struct Network {
    /// Tells of them; the thread waits with it.
    pub(super) watch: Option<Arc<NetworkWatch>>,
    /// How many threads of the program wait to connect.
    pub(super) callers: usize,
    /// When those who wait learn of a change.
    due: Option<NonZeroU64>,
    /// When they did so last.
    told: Option<NonZeroU64>,
}

impl Network {
    /// It has changed at this moment.
    pub(super) fn changed(&mut self, now: NonZeroU64) {
        let after = |moment: NonZeroU64, pause: Duration| {
            moment.saturating_add(u64::try_from(pause.as_nanos()).unwrap_or(u64::MAX))
        };
        let soonest = self.told.map(|told| after(told, APART));
        let due = after(now, QUIET);
        self.due.get_or_insert(soonest.map_or(due, |soonest| soonest.max(due)));
    }
}

/// What it is time for.
pub(super) enum Due {
    /// For the task of this number.
    Task(u64),
    /// To ask for workers.
    Workers,
    /// To look at calls on threads that run tasks.
    Calls,
    /// To look at the line.
    Line,
    /// To have those try who wait to connect.
    Network,
    /// To leave, if there is nobody to look after.
    Leaving,
}

impl Moments {
    /// Has the task of this number looked at; returns whether it is the first.
    pub(super) fn insert(&mut self, moment: NonZeroU64, id: u64) -> bool {
        let entry = (!moment.get(), !id);
        self.tasks.insert(entry);
        self.tasks.last() == Some(&entry)
    }

    pub(super) fn remove(&mut self, moment: NonZeroU64, id: u64) {
        let entry = (!moment.get(), !id);
        // Who waits for longest is the next to run in most cases, which takes no search.
        if self.tasks.last() == Some(&entry) {
            self.tasks.pop_last();
        } else {
            self.tasks.remove(&entry);
        }
    }

    /// Returns the first moment.
    pub(super) fn first(&self) -> Option<NonZeroU64> {
        let task = self.tasks.last().and_then(|&(moment, _)| NonZeroU64::new(!moment));
        let line = task.and(self.line);
        let others = self.workers.into_iter().chain(self.calls).chain(self.network.due);
        task.into_iter().chain(line).chain(others).min()
    }

    /// Whether anybody has to be looked after.
    pub(super) fn has_any(&self) -> bool {
        self.first().is_some() || self.network.callers > 0
    }

    /// Takes out what it is for.
    pub(super) fn take_first(&mut self) -> Due {
        let first = self.first();
        if self.workers.is_some() && self.workers == first {
            self.workers = None;
            return Due::Workers;
        }
        if self.calls.is_some() && self.calls == first {
            self.calls = None;
            return Due::Calls;
        }
        if self.network.due.is_some() && self.network.due == first {
            self.network.told = self.network.due.take();
            return Due::Network;
        }
        if self.line.is_some() && self.line == first {
            self.line = None;
            return Due::Line;
        }
        self.tasks.pop_last().map_or(Due::Leaving, |(_, id)| Due::Task(!id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_that_come_together_are_told_of_once_and_soon() {
        let at = |millis: u64| NonZeroU64::new(millis * 1_000_000).unwrap();
        let mut moments = Moments::default();
        // Changes, and when they are told of.
        for (changes, told) in [
            (&[1000][..], 1050),
            // Not before half a second has passed.
            (&[1051, 1060, 1549], 1550),
            (&[1551], 2050),
            (&[3000, 3001, 3049], 3050),
        ] {
            for change in changes {
                moments.network.changed(at(*change));
            }
            assert_eq!(moments.first(), Some(at(told)), "{changes:?}");
            assert!(matches!(moments.take_first(), Due::Network));
            assert!(!moments.has_any());
        }
    }
}
