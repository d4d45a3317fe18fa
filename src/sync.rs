//! Locks without poisoning, whose order is checked.
//!
//! Every lock has a [`Rank`]. Debug builds panic, with both names, where a lock is taken
//! while one of the same or of a later rank is held by the same thread: two threads that
//! obey cannot wait for each other in a circle. They panic as well where something is done
//! with a lock held that must not be: see [`assert_unlocked`]. Release builds check nothing
//! and pay nothing: the locks are as large as std's.
//!
//! No foreign code runs under a lock of this crate, so a panic while one is held is a
//! defect of ours that has already been reported; the value behind it is still whole.

mod rank;

use std::ops::{Deref, DerefMut};
use std::sync::{self, PoisonError};
use std::time::Duration;

pub(crate) use rank::Rank;
use rank::{Held, Ranked};

/// A [`std::sync::Mutex`] that hands out its value even after a panic.
#[derive(Debug)]
pub(crate) struct Mutex<T> {
    rank: Ranked,
    value: sync::Mutex<T>,
}

impl<T> Mutex<T> {
    pub(crate) const fn new(rank: Rank, value: T) -> Self {
        Self { rank: Ranked::new(rank), value: sync::Mutex::new(value) }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        // Before: whoever would wait for ever is told why.
        let held = self.rank.hold();
        MutexGuard { value: self.value.lock().unwrap_or_else(PoisonError::into_inner), held }
    }
}

/// A lock that is held; dropped, it is free again.
#[derive(Debug)]
#[must_use = "the lock is free again once this is dropped"]
pub(crate) struct MutexGuard<'a, T> {
    // First, as fields are dropped in this order: it is free before it is forgotten.
    value: sync::MutexGuard<'a, T>,
    held: Held,
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

/// A [`std::sync::Condvar`] for [`Mutex`]. Whoever waits holds no other lock.
#[derive(Debug, Default)]
pub(crate) struct Condvar(sync::Condvar);

impl Condvar {
    pub(crate) const fn new() -> Self {
        Self(sync::Condvar::new())
    }

    pub(crate) fn notify_one(&self) {
        self.0.notify_one();
    }

    pub(crate) fn notify_all(&self) {
        self.0.notify_all();
    }

    /// Waits for a notification, for at most `timeout`; returns whether that has passed.
    pub(crate) fn wait_timeout<'a, T>(
        &self,
        MutexGuard { value, held }: MutexGuard<'a, T>,
        timeout: Duration,
    ) -> (MutexGuard<'a, T>, bool) {
        held.assert_alone();
        let waited = self.0.wait_timeout(value, timeout).unwrap_or_else(PoisonError::into_inner);
        (MutexGuard { value: waited.0, held }, waited.1.timed_out())
    }

    /// Waits until `blocked` says no, for at most `timeout`; returns whether that has passed
    /// and it still says yes.
    pub(crate) fn wait_timeout_while<'a, T>(
        &self,
        MutexGuard { value, held }: MutexGuard<'a, T>,
        timeout: Duration,
        blocked: impl FnMut(&mut T) -> bool,
    ) -> (MutexGuard<'a, T>, bool) {
        held.assert_alone();
        let waited = self.0.wait_timeout_while(value, timeout, blocked);
        let waited = waited.unwrap_or_else(PoisonError::into_inner);
        (MutexGuard { value: waited.0, held }, waited.1.timed_out())
    }
}

/// Panics in debug builds if this thread holds a lock while it is about to do `what`: call
/// the program, or something that may take a lock of any rank or wait for one who does.
#[inline]
pub(crate) fn assert_unlocked(what: &str) {
    rank::assert_unlocked(what);
}

#[cfg(test)]
mod tests;
