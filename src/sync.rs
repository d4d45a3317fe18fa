//! A mutex without poisoning.
//!
//! No foreign code runs under a lock of this crate, so a panic while one is held is a
//! defect of ours that has already been reported; the value behind it is still whole.

use std::sync::{self, MutexGuard, PoisonError};

/// A [`std::sync::Mutex`] that hands out its value even after a panic.
#[derive(Debug, Default)]
pub(crate) struct Mutex<T>(sync::Mutex<T>);

impl<T> Mutex<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(sync::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
