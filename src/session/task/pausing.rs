//! The time that no timer of a task counts.

use std::time::{Duration, Instant};

use crate::wire::Pauses;

/// The time during which a task was suspended.
#[derive(Debug, Default)]
pub(super) struct Pausing {
    since: Option<Instant>,
    before: Duration,
    ended: Option<Instant>,
}

impl Pausing {
    pub(super) fn begin(&mut self, now: Instant) {
        self.since = Some(now);
    }

    pub(super) fn end(&mut self, now: Instant) {
        if let Some(since) = self.since.take() {
            self.before += now.saturating_duration_since(since);
            self.ended = Some(now);
        }
    }

    pub(super) fn at(&self, now: Instant) -> Pauses {
        let current = self.since.map(|since| now.saturating_duration_since(since));
        Pauses {
            total: self.before + current.unwrap_or_default(),
            ended: self.ended,
            is_on: current.is_some(),
        }
    }
}
