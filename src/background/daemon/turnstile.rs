//! Has long frames come in one after the other.

use std::time::Duration;

use crate::sync::{Condvar, Mutex, Rank};

/// How long somebody waits before it looks again; it is notified.
const PATIENCE: Duration = Duration::from_secs(60);

/// Lets one pass at a time, in the order in which they came.
#[derive(Debug)]
pub(super) struct Turnstile {
    line: Mutex<Line>,
    moved: Condvar,
}

#[derive(Debug, Default)]
struct Line {
    /// How many have come, and how many have passed.
    came: u64,
    passed: u64,
}

/// That somebody passes, until this is dropped.
#[derive(Debug)]
pub(super) struct Pass<'a>(&'a Turnstile);

impl Default for Turnstile {
    fn default() -> Self {
        Self { line: Mutex::new(Rank::Hosted, Line::default()), moved: Condvar::new() }
    }
}

impl Turnstile {
    /// Waits until all have passed who came before.
    pub(super) fn enter(&self) -> Pass<'_> {
        let mut line = self.line.lock();
        let own = line.came;
        line.came += 1;
        while line.passed < own {
            line = self.moved.wait_timeout(line, PATIENCE).0;
        }
        Pass(self)
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        self.0.line.lock().passed += 1;
        self.0.moved.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::*;

    #[test]
    fn one_passes_at_a_time_and_all_do() {
        let (turnstile, inside, passed) =
            (Turnstile::default(), AtomicUsize::new(0), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..100 {
                        let pass = turnstile.enter();
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                        inside.fetch_sub(1, Ordering::SeqCst);
                        passed.fetch_add(1, Ordering::SeqCst);
                        drop(pass);
                    }
                });
            }
        });
        assert_eq!(passed.into_inner(), 800);
    }
}
