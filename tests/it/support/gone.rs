//! What must be gone when a session is.

use std::thread;
use std::time::{Duration, Instant};

use urlsession::testing::Counters;

/// Waits until a session that was dropped owns nothing any more. Threads that look hosts up
/// end by themselves, a moment later.
pub(crate) fn all_gone(counters: &Counters, row: &str) {
    let guard = Instant::now() + Duration::from_secs(20);
    let left = || (counters.sockets(), counters.threads(), counters.files());
    while left() != (0, 0, 0) {
        assert!(Instant::now() < guard, "{row}: sockets, threads and files left: {:?}", left());
        thread::yield_now();
    }
}
