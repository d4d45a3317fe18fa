//! How far a task has come.

use std::mem;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::core::{Core, UNKNOWN};

/// How much of a task was transferred at one moment. Bodies only; heads do not count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[doc(alias = "NSProgress")]
#[non_exhaustive]
pub struct Progress {
    /// How many bytes of the request's body were sent. A body that is sent again counts
    /// again.
    #[doc(alias = "countOfBytesSent")]
    pub bytes_sent: u64,
    /// How long the request's body is, if that is known, for a file once it was opened; 0
    /// without a body.
    #[doc(alias = "countOfBytesExpectedToSend")]
    pub bytes_expected_to_send: Option<u64>,
    /// How many bytes of the response's body were received, decoded. Begins anew if the
    /// transfer has to start over, see [`Task::suspend`](crate::Task::suspend).
    #[doc(alias = "countOfBytesReceived")]
    pub bytes_received: u64,
    /// How long the response's body is, if that is known: `None` before the response, and
    /// for one that is compressed or sent without a length.
    #[doc(alias = "countOfBytesExpectedToReceive")]
    pub bytes_expected_to_receive: Option<u64>,
}

impl Progress {
    /// Returns how much of what is received is there, from 0 to 1; `None` if it is not
    /// known how much that will be.
    ///
    /// ```
    /// let progress = urlsession::Progress::default();
    /// assert_eq!(progress.fraction_received(), None);
    /// ```
    #[doc(alias = "fractionCompleted")]
    pub fn fraction_received(&self) -> Option<f64> {
        fraction(self.bytes_received, self.bytes_expected_to_receive)
    }

    /// Returns how much of the request's body was sent, from 0 to 1; `None` if it is not
    /// known how long it is.
    ///
    /// ```
    /// let progress = urlsession::Progress::default();
    /// assert_eq!(progress.fraction_sent(), None);
    /// ```
    #[doc(alias = "fractionCompleted")]
    pub fn fraction_sent(&self) -> Option<f64> {
        fraction(self.bytes_sent, self.bytes_expected_to_send)
    }
}

fn fraction(done: u64, expected: Option<u64>) -> Option<f64> {
    let expected = expected?;
    Some(if expected == 0 { 1.0 } else { (done as f64 / expected as f64).min(1.0) })
}

impl Core {
    /// Returns how far it has come.
    pub(crate) fn progress(&self) -> Progress {
        let body = self.request.body_to_send();
        let response = self.state.lock().seen.response.clone();
        let without_body = if self.streams { None } else { Some(0) };
        let to_send = match self.to_send.load(Ordering::Relaxed) {
            UNKNOWN => body.map_or(without_body, |body| body.length()),
            opened => Some(opened),
        };
        Progress {
            bytes_sent: self.sent.load(Ordering::Relaxed),
            bytes_expected_to_send: to_send,
            bytes_received: self.received.load(Ordering::Relaxed),
            bytes_expected_to_receive: response.and_then(|head| head.expected_content_length()),
        }
    }
}

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

    #[test]
    fn a_fraction_is_known_if_the_whole_is() {
        for (done, expected, fraction) in [
            (5, None, None),
            (0, Some(10), Some(0.0)),
            (5, Some(10), Some(0.5)),
            (10, Some(10), Some(1.0)),
            (20, Some(10), Some(1.0)),
            (0, Some(0), Some(1.0)),
        ] {
            let progress = Progress {
                bytes_received: done,
                bytes_expected_to_receive: expected,
                bytes_sent: done,
                bytes_expected_to_send: expected,
            };
            assert_eq!(progress.fraction_received(), fraction, "{progress:?}");
            assert_eq!(progress.fraction_sent(), fraction, "{progress:?}");
        }
    }
}
