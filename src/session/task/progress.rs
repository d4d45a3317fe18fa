//! How far a task has come.

use std::sync::atomic::{AtomicU64, Ordering};

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
    /// without a body. Until then what the program
    /// [expects](crate::Task::set_bytes_client_expects_to_send).
    #[doc(alias = "countOfBytesExpectedToSend")]
    pub bytes_expected_to_send: Option<u64>,
    /// How many bytes of the response's body were received, as they are delivered; of a download
    /// that [goes on](crate::ResumeData), with those that were there. Begins anew if the
    /// transfer has to start over, see [`Task::suspend`](crate::Task::suspend).
    #[doc(alias = "countOfBytesReceived")]
    pub bytes_received: u64,
    /// How long the response's body is, if that is known: `None` before the response, and
    /// for one that is decoded or sent without a length; then what the program
    /// [expects](crate::Task::set_bytes_client_expects_to_receive), until the task has ended.
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

    /// Takes these for the lengths that are not known, unless there was more already.
    pub(super) fn or(mut self, sends: Option<u64>, receives: Option<u64>) -> Self {
        let (sent, received) = (self.bytes_sent, self.bytes_received);
        let sends = sends.filter(|all| *all >= sent);
        let receives = receives.filter(|all| *all >= received);
        self.bytes_expected_to_send = self.bytes_expected_to_send.or(sends);
        self.bytes_expected_to_receive = self.bytes_expected_to_receive.or(receives);
        self
    }
}

fn fraction(done: u64, expected: Option<u64>) -> Option<f64> {
    let expected = expected?;
    Some(if expected == 0 { 1.0 } else { (done as f64 / expected as f64).min(1.0) })
}

/// No body is as long.
const UNKNOWN: u64 = u64::MAX;

/// What a task has transferred up to now, counted by the thread that runs it.
#[derive(Debug)]
pub(crate) struct Counters {
    sent: AtomicU64,
    received: AtomicU64,
    /// How long the body to send turned out to be when it was opened.
    to_send: AtomicU64,
    /// How long the whole is of which a rest is received.
    to_receive: AtomicU64,
    /// The most that was received when somebody looked whether there was progress.
    seen: AtomicU64,
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            sent: AtomicU64::new(0),
            received: AtomicU64::new(0),
            to_send: AtomicU64::new(UNKNOWN),
            to_receive: AtomicU64::new(UNKNOWN),
            seen: AtomicU64::new(0),
        }
    }
}

impl Counters {
    pub(crate) fn sent(&self, bytes: u64) {
        self.sent.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Whether anything was sent of a body.
    pub(crate) fn has_sent(&self) -> bool {
        self.sent.load(Ordering::Relaxed) > 0
    }

    pub(crate) fn received(&self, bytes: u64) {
        self.received.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Whether more was received than when this was asked last.
    pub(crate) fn has_progressed(&self) -> bool {
        let received = self.received.load(Ordering::Relaxed);
        self.seen.fetch_max(received, Ordering::Relaxed) < received
    }

    /// Nothing of what was received counts any more.
    pub(crate) fn receive_anew(&self) {
        self.received.store(0, Ordering::Relaxed);
        self.to_receive.store(UNKNOWN, Ordering::Relaxed);
    }

    /// So much is there, of a whole of that length if it is known.
    pub(crate) fn go_on_from(&self, offset: u64, total: Option<u64>) {
        self.received.store(offset, Ordering::Relaxed);
        self.to_receive.store(total.unwrap_or(UNKNOWN), Ordering::Relaxed);
    }

    /// So much was transferred by somebody else.
    #[cfg(feature = "background")]
    pub(crate) fn show(&self, progress: Progress) {
        let Progress { bytes_sent, bytes_received, .. } = progress;
        self.sent.store(bytes_sent, Ordering::Relaxed);
        self.received.store(bytes_received, Ordering::Relaxed);
        let (to_send, to_receive) =
            (progress.bytes_expected_to_send, progress.bytes_expected_to_receive);
        self.to_send.store(to_send.unwrap_or(UNKNOWN), Ordering::Relaxed);
        self.to_receive.store(to_receive.unwrap_or(UNKNOWN), Ordering::Relaxed);
    }

    /// The body to send was opened, and is so long, if that is known.
    pub(crate) fn sends(&self, length: Option<u64>) {
        self.to_send.store(length.unwrap_or(UNKNOWN), Ordering::Relaxed);
    }

    /// Returns how far that is, with the length that the body to send is said to have
    /// before it is opened, and the length of the one that is received.
    pub(super) fn progress(&self, announced: Option<u64>, expected: Option<u64>) -> Progress {
        let to_send = match self.to_send.load(Ordering::Relaxed) {
            UNKNOWN => announced,
            opened => Some(opened),
        };
        let to_receive = match self.to_receive.load(Ordering::Relaxed) {
            UNKNOWN => expected,
            whole => Some(whole),
        };
        Progress {
            bytes_sent: self.sent.load(Ordering::Relaxed),
            bytes_expected_to_send: to_send,
            bytes_received: self.received.load(Ordering::Relaxed),
            bytes_expected_to_receive: to_receive,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_program_expects_stands_for_what_is_not_known() {
        let come = Progress { bytes_received: 5, bytes_sent: 5, ..Progress::default() };
        let known = Progress {
            bytes_expected_to_send: Some(6),
            bytes_expected_to_receive: Some(7),
            ..come
        };
        for (before, said, sends, receives) in [
            (come, (None, None), None, None),
            (come, (Some(9), Some(8)), Some(9), Some(8)),
            (come, (Some(5), Some(4)), Some(5), None),
            (known, (Some(9), Some(8)), Some(6), Some(7)),
        ] {
            let progress = before.or(said.0, said.1);
            let all = (progress.bytes_expected_to_send, progress.bytes_expected_to_receive);
            assert_eq!(all, (sends, receives), "{before:?} {said:?}");
        }
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
