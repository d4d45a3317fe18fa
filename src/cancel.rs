//! Ending a load from another thread.
//!
//! A [`CancelToken`] is set once and seen by every waiter. Whoever blocks registers what
//! wakes it (a socket to shut down, a wait to notify) and looks at the token before and
//! after; so no moment exists in which a cancel is lost.

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
    /// One of those to wake: almost always there is no other.
    one: Option<(u64, Arc<dyn Wake>)>,
    /// Few, as each blocks a thread.
    others: Vec<(u64, Arc<dyn Wake>)>,
}

impl Waiters {
    fn add(&mut self, waiter: Arc<dyn Wake>) -> u64 {
        let id = self.next;
        self.next += 1;
        if self.one.is_none() {
            self.one = Some((id, waiter));
        } else {
            self.others.push((id, waiter));
        }
        id
    }

    fn remove(&mut self, id: u64) -> Option<Arc<dyn Wake>> {
        let one = self.one.take_if(|one| one.0 == id).or_else(|| self.remove_other(id))?;
        Some(one.1)
    }

    #[cold]
    fn remove_other(&mut self, id: u64) -> Option<(u64, Arc<dyn Wake>)> {
        let at = self.others.binary_search_by_key(&id, |other| other.0).ok()?;
        Some(self.others.remove(at))
    }

    fn take(&mut self) -> impl Iterator<Item = Arc<dyn Wake>> + use<> {
        let others = std::mem::take(&mut self.others);
        self.one.take().into_iter().chain(others).map(|(_, waiter)| waiter)
    }
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
        let waiters = self.0.state.lock().take();
        for waiter in waiters {
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
        let id = self.0.state.lock().add(waiter);
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
        let forgotten = self.token.0.state.lock().remove(self.id);
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
        // Which of four waiters go before the cancel.
        for gone in 0..16_u8 {
            let token = CancelToken::new();
            let same = token.clone();
            let waiters: [Arc<Count>; 4] = Default::default();
            let mut guards = waiters.each_ref().map(|waiter| Some(token.on_cancel(waiter.clone())));
            let is_gone = |at: usize| gone & 1 << at != 0;
            (0..4).filter(|&at| is_gone(at)).for_each(|at| guards[at] = None);
            let late = Arc::new(Count::default());
            let _late = token.on_cancel(late.clone());
            token.cancel();
            same.cancel();
            assert!(token.is_cancelled());
            for (at, waiter) in waiters.iter().enumerate() {
                let woken = waiter.0.load(Ordering::SeqCst);
                assert_eq!(woken, usize::from(!is_gone(at)), "{at} of {gone:04b}");
            }
            assert_eq!(late.0.load(Ordering::SeqCst), 1);
        }
    }
}
