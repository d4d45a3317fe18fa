//! What time it is: the system's clock, or one that a test turns by hand.
//!
//! Every deadline and every wait of the crate asks a [`Clock`], and so does whatever has a
//! date: certificates. Waits that end early are
//! repeated until the clock says that the deadline has passed, so a clock turned by hand
//! needs no hook into the system: its waits look at it every few milliseconds.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

/// How long a wait sleeps before it looks again at a clock that is turned by hand.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// A source of time, copied into every session that is made with it.
///
/// It shows two times: one for timeouts, which only ever goes forward, and the date, by
/// which certificates are valid or have expired. Cloning is cheap; clones of a clock turned
/// by hand show the same time.
#[derive(Clone, Default)]
pub struct Clock(Option<Arc<ByHand>>);

struct ByHand {
    start: Instant,
    /// The date at `start`.
    date: SystemTime,
    /// Nanoseconds since `start`; only grows.
    ahead: AtomicU64,
}

impl Clock {
    /// Returns the system's clock, which is the default.
    pub fn system() -> Self {
        Self(None)
    }

    /// Returns a clock that shows the present, and stands still until
    /// [`advance`](Self::advance) turns it.
    #[cfg(feature = "test-util")]
    #[cfg_attr(docsrs, doc(cfg(feature = "test-util")))]
    pub fn by_hand() -> Self {
        let (start, date) = (Instant::now(), SystemTime::now());
        Self(Some(Arc::new(ByHand { start, date, ahead: AtomicU64::new(0) })))
    }

    /// Turns a clock made by [`by_hand`](Self::by_hand) forward, its date as well; the
    /// system's clock is left alone.
    #[cfg(feature = "test-util")]
    #[cfg_attr(docsrs, doc(cfg(feature = "test-util")))]
    pub fn advance(&self, by: Duration) {
        if let Some(by_hand) = &self.0 {
            let nanos = u64::try_from(by.as_nanos()).unwrap_or(u64::MAX);
            by_hand.ahead.fetch_add(nanos, Ordering::SeqCst);
        }
    }

    /// Returns the time that this clock shows.
    pub(crate) fn now(&self) -> Instant {
        match &self.0 {
            None => Instant::now(),
            Some(by_hand) => by_hand.start + by_hand.ahead(),
        }
    }

    /// Returns the date that this clock shows, which the system may set back.
    pub(crate) fn date(&self) -> SystemTime {
        match &self.0 {
            None => SystemTime::now(),
            Some(by_hand) => by_hand.date + by_hand.ahead(),
        }
    }

    /// Returns how long a wait for `left` by this clock may block before it must look at
    /// the clock again.
    pub(crate) fn slice(&self, left: Duration) -> Duration {
        if self.0.is_some() { left.min(LOOK_AGAIN) } else { left }
    }
}

impl ByHand {
    fn ahead(&self) -> Duration {
        Duration::from_nanos(self.ahead.load(Ordering::SeqCst))
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Clock(by hand)" } else { "Clock(system)" })
    }
}

#[cfg(all(test, feature = "test-util"))]
mod tests {
    use super::*;

    #[test]
    fn a_clock_turned_by_hand_moves_only_when_turned() {
        let clock = Clock::by_hand();
        let (same, before, date) = (clock.clone(), clock.now(), clock.date());
        assert_eq!((same.now(), same.date()), (before, date));
        same.advance(Duration::from_secs(3600));
        assert_eq!(clock.now() - before, Duration::from_secs(3600));
        assert_eq!(clock.date().duration_since(date).unwrap(), Duration::from_secs(3600));
    }

    #[test]
    fn only_a_clock_turned_by_hand_cuts_waits_into_slices() {
        let hour = Duration::from_secs(3600);
        assert_eq!(Clock::system().slice(hour), hour);
        assert_eq!(Clock::by_hand().slice(hour), LOOK_AGAIN);
        assert_eq!(Clock::by_hand().slice(Duration::ZERO), Duration::ZERO);
    }
}
