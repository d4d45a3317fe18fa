//! Ending a load from another thread.
//!
//! A [`CancelToken`] is set once and seen by every waiter. Whoever blocks registers what
//! wakes it (a socket to shut down, a wait to notify) and looks at the token before and
//! after; so no moment exists in which a cancel is lost.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::sync::{Mutex, Rank, assert_unlocked};

/// Ends the loads that were given it, from any thread.
///
/// Clones share one state. Cancelling is final and idempotent: loads that run end within
/// 100 ms with [`ErrorKind::Cancelled`](crate::ErrorKind::Cancelled), at whatever stage
/// they are (unless code of the program that they call blocks: the reader of a body), and
/// loads given the token later end before they begin. One token may serve
/// any number of loads.
///
/// # Examples
///
/// ```
/// use urlsession::{CancelToken, ErrorKind, Request, Session};
///
/// let token = CancelToken::new();
/// token.cancel();
/// let request = Request::get("http://127.0.0.1:9/never").cancel_token(&token);
/// let error = Session::shared().data(request).unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Cancelled);
/// ```
#[derive(Clone, Default)]
pub struct CancelToken(Arc<Shared>);

struct Shared {
    cancelled: AtomicBool,
    state: Mutex<Waiters>,
}

impl Default for Shared {
    fn default() -> Self {
        let state = Mutex::new(Rank::Waiters, Waiters::default());
        Self { cancelled: AtomicBool::new(false), state }
    }
}

#[derive(Default)]
struct Waiters {
    next: u64,
    /// What to wake; almost always none or one.
    waiters: BTreeMap<u64, Arc<dyn Wake>>,
}

/// Something that blocks and can be woken from another thread.
pub(crate) trait Wake: Send + Sync {
    /// Ends the wait. Called once, on the cancelling thread, with no lock held.
    fn wake(&self);
}

impl CancelToken {
    /// Makes a token that is not cancelled.
    pub fn new() -> Self {
        Self::default()
    }

    /// Cancels every load that has this token. Returns at once.
    pub fn cancel(&self) {
        assert_unlocked("a token is cancelled");
        // The flag is set before the waiters are taken: one that registers later sees it.
        self.0.cancelled.store(true, Ordering::SeqCst);
        let waiters = std::mem::take(&mut self.0.state.lock().waiters);
        for waiter in waiters.into_values() {
            waiter.wake();
        }
    }

    /// Returns whether [`cancel`](Self::cancel) was called.
    pub fn is_cancelled(&self) -> bool {
        self.0.cancelled.load(Ordering::SeqCst)
    }

    /// Has `waiter` woken by a cancel, until the returned guard is dropped. The caller
    /// looks at [`is_cancelled`](Self::is_cancelled) after this call and before it blocks.
    pub(crate) fn on_cancel(&self, waiter: Arc<dyn Wake>) -> Registered {
        let mut state = self.0.state.lock();
        let id = state.next;
        state.next += 1;
        state.waiters.insert(id, waiter);
        drop(state);
        Registered { token: self.clone(), id }
    }
}

impl fmt::Debug for CancelToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancelToken").field("is_cancelled", &self.is_cancelled()).finish()
    }
}

/// A waiter that a cancel wakes; dropped, it is forgotten.
pub(crate) struct Registered {
    token: CancelToken,
    id: u64,
}

impl fmt::Debug for Registered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registered").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        // What it held is dropped without the lock.
        let forgotten = self.token.0.state.lock().waiters.remove(&self.id);
        drop(forgotten);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(&self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn a_cancel_wakes_each_waiter_once() {
        let token = CancelToken::new();
        let same = token.clone();
        let (first, second) = (Arc::new(Count::default()), Arc::new(Count::default()));
        let _first = token.on_cancel(first.clone());
        let second_guard = token.on_cancel(second.clone());
        drop(second_guard);
        token.cancel();
        same.cancel();
        assert!(token.is_cancelled());
        assert_eq!(first.0.load(Ordering::SeqCst), 1);
        assert_eq!(second.0.load(Ordering::SeqCst), 0);
    }
}
