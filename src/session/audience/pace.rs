//! Which progress is told.

use std::mem;
use std::time::{Duration, Instant};

use crate::session::task::Progress;

/// Decides which progress is told.
#[derive(Debug)]
pub(super) struct Pace {
    interval: Duration,
    next: Option<Instant>,
    told: Progress,
}

impl Pace {
    pub(super) fn new(interval: Duration) -> Self {
        Self { interval, next: None, told: Progress::default() }
    }

    /// Decides whether `progress` is told `now`: if it is new, and the last was told long
    /// enough ago. Returns what was told before.
    pub(super) fn tells(&mut self, progress: Progress, now: Instant) -> Option<Progress> {
        if self.next.is_some_and(|next| now < next) {
            return None;
        }
        let before = self.tells_last(progress)?;
        self.next = now.checked_add(self.interval);
        Some(before)
    }

    /// Decides whether `progress` is told as the last one: if it is new.
    pub(super) fn tells_last(&mut self, progress: Progress) -> Option<Progress> {
        let before = mem::replace(&mut self.told, progress);
        (before != progress).then_some(before)
    }

    /// Decides the same at the end of sending: if more was sent than was told.
    pub(super) fn tells_sent(&mut self, progress: Progress) -> Option<Progress> {
        if self.told.bytes_sent == progress.bytes_sent { None } else { self.tells_last(progress) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(bytes: u64) -> Progress {
        Progress { bytes_received: bytes, ..Progress::default() }
    }

    #[test]
    fn progress_is_told_at_the_pace_and_only_if_it_is_new() {
        let (began, tenth) = (Instant::now(), Duration::from_millis(100));
        // Milliseconds, bytes, whether it is told.
        let mut pace = Pace::new(tenth);
        for (millis, bytes, told) in [
            (0, 0, false),
            (1, 5, true),
            (2, 6, false),
            (100, 7, false),
            (101, 8, true),
            (300, 8, false),
        ] {
            let now = began + Duration::from_millis(millis);
            let tells = pace.tells(received(bytes), now).is_some();
            assert_eq!(tells, told, "{millis} ms, {bytes} bytes");
        }
        assert_eq!(pace.tells_last(received(8)), None);
        assert_eq!(pace.tells_last(received(9)), Some(received(8)));
        assert_eq!(pace.tells_last(received(9)), None);
    }

    #[test]
    fn without_an_interval_every_new_progress_is_told() {
        let (mut pace, now) = (Pace::new(Duration::ZERO), Instant::now());
        assert!((1..100).all(|bytes| pace.tells(received(bytes), now).is_some()));
    }

    #[test]
    fn the_end_of_sending_is_told_if_more_was_sent_than_was_told() {
        let sent = |bytes| Progress { bytes_sent: bytes, ..received(bytes) };
        let mut pace = Pace::new(Duration::from_secs(1));
        assert_eq!(pace.tells_sent(received(5)), None);
        assert_eq!(pace.tells_sent(sent(5)), Some(Progress::default()));
        assert_eq!(pace.tells_sent(sent(5)), None);
    }
}
