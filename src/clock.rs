//! What time it is: the system's clock, or one that a test turns by hand.
//!
//! Every deadline and every wait of the crate asks a [`Clock`], and so does whatever has a
//! date: certificates. Waits that end early are
//! repeated until the clock says that the deadline has passed, so a clock turned by hand
//! needs no hook into the system: its waits look at it every few milliseconds.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
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
    /// Nanoseconds by which the date was set forward, or back.
    set: AtomicI64,
}

impl Clock {
    /// Returns the system's clock, which is the default.
    pub fn system() -> Self {
        Self(None)
    }

    /// Whether it is the system's.
    pub(crate) fn is_system(&self) -> bool {
        self.0.is_none()
    }

    /// Returns a clock that shows the present, and stands still until
    /// [`advance`](Self::advance) turns it.
    #[cfg(feature = "test-util")]
    #[cfg_attr(docsrs, doc(cfg(feature = "test-util")))]
    pub fn by_hand() -> Self {
        let (start, date) = (Instant::now(), SystemTime::now());
        let (ahead, set) = (AtomicU64::new(0), AtomicI64::new(0));
        Self(Some(Arc::new(ByHand { start, date, ahead, set })))
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

    /// Sets the date of a clock made by [`by_hand`](Self::by_hand), forward or back, as a user or
    /// a time server does: by 292 years at most. The time by which timeouts go stays as it is, and
    /// the system's clock is left alone.
    #[cfg(feature = "test-util")]
    #[cfg_attr(docsrs, doc(cfg(feature = "test-util")))]
    pub fn set_date(&self, date: SystemTime) {
        if let Some(by_hand) = &self.0 {
            let nanos = |by: Duration| i64::try_from(by.as_nanos()).unwrap_or(i64::MAX);
            let set = match date.duration_since(by_hand.date + by_hand.ahead()) {
                Ok(forward) => nanos(forward),
                Err(back) => -nanos(back.duration()),
            };
            by_hand.set.store(set, Ordering::SeqCst);
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
            Some(by_hand) => by_hand.date(),
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

    fn date(&self) -> SystemTime {
        let (date, set) = (self.date + self.ahead(), self.set.load(Ordering::SeqCst));
        let by = Duration::from_nanos(set.unsigned_abs());
        if set < 0 { date - by } else { date + by }
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
    fn a_date_that_is_set_leaves_the_time_of_timeouts_alone() {
        let clock = Clock::by_hand();
        let (now, date, year) = (clock.now(), clock.date(), Duration::from_secs(365 * 86_400));
        clock.set_date(date - year);
        assert_eq!((clock.now(), clock.date()), (now, date - year));
        clock.advance(year);
        assert_eq!((clock.now(), clock.date()), (now + year, date));
        clock.set_date(date + year);
        assert_eq!((clock.now(), clock.date()), (now + year, date + year));
    }

    #[test]
    fn only_a_clock_turned_by_hand_cuts_waits_into_slices() {
        let hour = Duration::from_secs(3600);
        assert_eq!(Clock::system().slice(hour), hour);
        assert_eq!(Clock::by_hand().slice(hour), LOOK_AGAIN);
        assert_eq!(Clock::by_hand().slice(Duration::ZERO), Duration::ZERO);
    }
}
