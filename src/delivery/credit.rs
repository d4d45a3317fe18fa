//! What a task may have told that nobody has taken yet: a slow receiver stops its sender.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::cancel::Wake;
use crate::sync::{Condvar, Mutex, Rank};

/// How many bytes of a task may be on their way to the receiver.
pub(crate) const LIMIT: usize = 1024 * 1024;

/// The account of one task. Clones share it; one thread at a time takes from it, with no
/// lock held.
#[derive(Clone)]
pub(crate) struct Credit(Arc<Account>);

struct Account {
    state: Mutex<Balance>,
    changed: Condvar,
}

#[derive(Default)]
struct Balance {
    outstanding: usize,
    /// Somebody waits for `changed`.
    waiting: bool,
    /// A wake that no wait has returned for yet.
    woken: bool,
}

impl Balance {
    /// One chunk beyond the limit passes alone: it could never pass otherwise.
    fn has_room(&self, bytes: usize) -> bool {
        self.outstanding == 0 || bytes <= LIMIT.saturating_sub(self.outstanding)
    }

    fn take(&mut self, bytes: usize) -> bool {
        let room = self.has_room(bytes);
        if room {
            self.outstanding = self.outstanding.saturating_add(bytes);
        }
        room
    }
}

impl Credit {
    pub(crate) fn new() -> Self {
        let state = Mutex::new(Rank::Credit, Balance::default());
        Self(Arc::new(Account { state, changed: Condvar::new() }))
    }

    /// Takes `bytes`, if there is room for them now.
    pub(crate) fn try_take(&self, bytes: usize) -> bool {
        self.0.state.lock().take(bytes)
    }

    /// Takes `bytes`, waiting for room for at most `slice`; returns whether it did. Returns
    /// early if it was woken, even by a wake that came before this call: then look at what
    /// the wake was about.
    pub(crate) fn take_slice(&self, bytes: usize, slice: Duration) -> bool {
        let mut state = self.0.state.lock();
        if !state.has_room(bytes) && !state.woken {
            state.waiting = true;
            let blocked = |state: &mut Balance| !state.has_room(bytes) && !state.woken;
            state = self.0.changed.wait_timeout_while(state, slice, blocked).0;
            state.waiting = false;
        }
        let taken = state.take(bytes);
        // A wake that came with the room ends the next wait.
        state.woken &= taken;
        taken
    }

    /// Gives back what was taken, from any thread.
    pub(crate) fn give_back(&self, bytes: usize) {
        let mut state = self.0.state.lock();
        debug_assert!(bytes <= state.outstanding, "more given back than was taken");
        state.outstanding = state.outstanding.saturating_sub(bytes);
        let waiting = state.waiting;
        drop(state);
        if waiting {
            self.0.changed.notify_one();
        }
    }

    /// Gives back `bytes` that were taken when the result is dropped: by a job that has
    /// run, panicked, or was dropped unrun.
    pub(crate) fn loan(&self, bytes: usize) -> Loan {
        Loan { credit: self.clone(), bytes }
    }

    /// How many bytes are on their way.
    pub(crate) fn outstanding(&self) -> usize {
        self.0.state.lock().outstanding
    }

    /// What ends a wait early, for a cancel token and for other reasons to look up.
    pub(crate) fn waker(&self) -> Arc<dyn Wake> {
        self.0.clone()
    }
}

impl fmt::Debug for Credit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credit").field("outstanding", &self.outstanding()).finish()
    }
}

impl Wake for Account {
    fn wake(&self) {
        let mut state = self.state.lock();
        state.woken = true;
        let waiting = state.waiting;
        drop(state);
        if waiting {
            self.changed.notify_one();
        }
    }
}

/// Bytes that are on their way; dropped, they are given back.
#[derive(Debug)]
#[must_use]
pub(crate) struct Loan {
    credit: Credit,
    bytes: usize,
}

impl Drop for Loan {
    fn drop(&mut self) {
        self.credit.give_back(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{self, AssertUnwindSafe};
    use std::sync::mpsc;
    use std::thread;

    use super::*;

    const FAR_AWAY: Duration = Duration::from_secs(3600);

    /// Takes `bytes`, however long it takes.
    fn take(credit: &Credit, bytes: usize) {
        while !credit.take_slice(bytes, FAR_AWAY) {}
    }

    fn await_waiter(credit: &Credit) {
        while !credit.0.state.lock().waiting {
            thread::yield_now();
        }
    }

    #[test]
    fn what_fits_passes_and_one_larger_chunk_passes_alone() {
        let cases = [
            (0, 0, true),
            (0, LIMIT, true),
            (0, 5 * LIMIT, true),
            (0, usize::MAX, true),
            (1, LIMIT - 1, true),
            (1, LIMIT, false),
            (1, usize::MAX, false),
            (LIMIT, 0, true),
            (LIMIT, 1, false),
            (5 * LIMIT, 0, true),
            (5 * LIMIT, 1, false),
        ];
        for (outstanding, bytes, passes) in cases {
            let credit = Credit::new();
            assert!(credit.try_take(outstanding));
            assert_eq!(credit.try_take(bytes), passes, "{bytes} beside {outstanding}");
            assert!(credit.take_slice(0, Duration::ZERO), "an empty chunk always passes");
            let taken = if passes { bytes } else { 0 };
            assert_eq!(credit.outstanding(), outstanding + taken);
        }
    }

    #[test]
    fn giving_back_lets_a_blocked_sender_go_on() {
        let credit = Credit::new();
        take(&credit, LIMIT);
        thread::scope(|scope| {
            let blocked = scope.spawn(|| take(&credit, 10));
            await_waiter(&credit);
            credit.give_back(9);
            assert!(!blocked.is_finished());
            credit.give_back(1);
            blocked.join().unwrap();
        });
        assert_eq!(credit.outstanding(), LIMIT);
    }

    #[test]
    fn a_slice_ends_without_room() {
        let credit = Credit::new();
        assert!(credit.try_take(LIMIT));
        assert!(!credit.take_slice(1, Duration::from_millis(1)));
        assert_eq!(credit.outstanding(), LIMIT);
    }

    #[test]
    fn a_wake_ends_a_wait_and_takes_nothing() {
        let credit = Credit::new();
        take(&credit, LIMIT);
        thread::scope(|scope| {
            let blocked = scope.spawn(|| credit.take_slice(1, FAR_AWAY));
            await_waiter(&credit);
            credit.waker().wake();
            assert!(!blocked.join().unwrap());
        });
        assert_eq!(credit.outstanding(), LIMIT);
    }

    #[test]
    fn a_wake_before_a_wait_ends_that_wait_alone() {
        let credit = Credit::new();
        assert!(credit.try_take(LIMIT));
        credit.waker().wake();
        assert!(!credit.take_slice(1, Duration::from_secs(600)));
        assert!(!credit.0.state.lock().woken);
        assert!(!credit.take_slice(1, Duration::ZERO));
    }

    #[test]
    fn a_loan_is_given_back_by_a_job_that_ran_panicked_or_was_dropped() {
        type End = fn(Box<dyn FnOnce() + Send>);
        let cases: [(&str, bool, End); 3] = [
            ("ran", false, |job| job()),
            ("panicked", true, |job| job()),
            ("dropped", false, drop),
        ];
        for (name, panics, end) in cases {
            let credit = Credit::new();
            take(&credit, 100);
            let loan = credit.loan(100);
            let job = Box::new(move || {
                let _loan = loan;
                assert!(!panics, "on purpose");
            });
            let ended = panic::catch_unwind(AssertUnwindSafe(|| end(job)));
            assert_eq!((ended.is_err(), credit.outstanding()), (panics, 0), "{name}");
        }
    }

    #[test]
    fn a_fast_sender_never_has_more_than_the_limit_on_its_way() {
        let (credit, chunk) = (Credit::new(), LIMIT / 10 + 1);
        let (sender, loans) = mpsc::channel();
        thread::scope(|scope| {
            let sending = credit.clone();
            scope.spawn(move || {
                for _ in 0..5000 {
                    take(&sending, chunk);
                    sender.send(sending.loan(chunk)).unwrap();
                }
            });
            let mut count = 0;
            for loan in loans {
                assert!(credit.outstanding() <= LIMIT);
                drop(loan);
                count += 1;
            }
            assert_eq!(count, 5000);
        });
        assert_eq!(credit.outstanding(), 0);
    }
}
