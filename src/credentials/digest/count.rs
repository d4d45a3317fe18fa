//! How often a nonce was used (RFC 7616 §3.4, `nc`), by all who use it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// How many requests were signed with one nonce. A clone is the same count.
#[derive(Clone, Debug, Default)]
pub(in crate::credentials) struct NonceCount(Arc<AtomicU32>);

impl NonceCount {
    /// Counts a request, and returns its number.
    pub(super) fn next(&self) -> u32 {
        // A server gives a new nonce long before the eight digits are used up.
        self.0.fetch_add(1, Ordering::Relaxed).wrapping_add(1)
    }

    /// Whether nobody else uses the nonce.
    pub(in crate::credentials) fn is_alone(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }
}
