//! [`Reply`]: a decision that user code makes now, or later from another thread.

use std::sync::Arc;
use std::time::Duration;
use std::{fmt, thread};

use crate::cancel::Wake;
use crate::sync::{Condvar, Mutex, Rank};

/// Answers a question that a delegate method was asked.
///
/// Answer at once, or move it to another thread and answer later: the task waits, its
/// idle timer stands still and its resource timer runs. Answering never blocks, and is
/// possible once, because it consumes the reply. If the task has ended meanwhile, the
/// answer is dropped.
///
/// Dropped unanswered it means what a delegate without that method means: whoever is
/// asked next decides, then the default. Dropped while its thread unwinds from a panic it
/// fails the task with [`ErrorKind::DelegatePanicked`](crate::ErrorKind::DelegatePanicked),
/// so that no panic ever opens what an answer would have closed.
///
/// # Examples
///
/// ```
/// use std::thread;
/// use urlsession::{Reply, Request};
///
/// /// Follows a redirect if a person says so, who may take a while.
/// fn ask(proposed: Request, reply: Reply<Option<Request>>) {
///     thread::spawn(move || {
///         let yes = true; // read from a dialogue
///         reply.answer(yes.then_some(proposed));
///     });
/// }
/// ```
#[doc(alias = "completionHandler")]
#[must_use = "a reply that is dropped leaves the decision to others"]
pub struct Reply<T>(Option<Arc<Shared<T>>>);

/// How a [`Reply`] ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome<T> {
    Answered(T),
    /// Dropped, as if the method were not implemented.
    Unanswered,
    /// Dropped by a panic.
    Panicked,
    /// The call that should have brought it to the program was never made.
    NeverAsked,
}

/// The call that brings a [`Reply`] to the program.
///
/// Until it [returns](Self::returned), a dropped reply does not count as unanswered: the
/// call may still panic. Dropped instead, it refuses.
pub(crate) struct Call<T>(Option<Arc<Shared<T>>>);

/// The side that waits for a [`Reply`]; one thread at a time.
pub(crate) struct Answer<T>(Arc<Shared<T>>);

struct Shared<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

struct State<T> {
    outcome: Option<Outcome<T>>,
    /// There was an outcome, which may have been taken.
    is_settled: bool,
    /// The call has not returned.
    in_call: bool,
    /// The reply was dropped in the call.
    dropped: bool,
    /// Somebody waits for `changed`.
    waiting: bool,
    /// A wake that no wait has returned for yet.
    woken: bool,
}

/// Makes a reply, the call that brings it to the program, and the side that waits for it.
pub(crate) fn question<T>() -> (Reply<T>, Call<T>, Answer<T>) {
    let state = State {
        outcome: None,
        is_settled: false,
        in_call: true,
        dropped: false,
        waiting: false,
        woken: false,
    };
    let state = Mutex::new(Rank::Reply, state);
    let shared = Arc::new(Shared { state, changed: Condvar::new() });
    (Reply(Some(shared.clone())), Call(Some(shared.clone())), Answer(shared))
}

impl<T> Reply<T> {
    /// Answers; the task goes on with `value`. Returns at once, on any thread.
    pub fn answer(mut self, value: T) {
        if let Some(shared) = self.0.take() {
            shared.settle(Outcome::Answered(value));
        }
    }
}

impl<T> Drop for Reply<T> {
    fn drop(&mut self) {
        if let Some(shared) = self.0.take() {
            if thread::panicking() {
                shared.settle(Outcome::Panicked);
            } else {
                shared.leave();
            }
        }
    }
}

impl<T> Call<T> {
    /// The program has returned from the call.
    pub(crate) fn returned(mut self) {
        if let Some(shared) = self.0.take() {
            shared.end_call();
        }
    }
}

impl<T> Drop for Call<T> {
    fn drop(&mut self) {
        if let Some(shared) = self.0.take() {
            let panicked = thread::panicking();
            shared.settle(if panicked { Outcome::Panicked } else { Outcome::NeverAsked });
        }
    }
}

impl<T> fmt::Debug for Call<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Reply<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply").finish_non_exhaustive()
    }
}

impl<T> Answer<T> {
    /// Takes the outcome, if there is one. It can be taken once.
    pub(crate) fn try_take(&self) -> Option<Outcome<T>> {
        self.0.state.lock().outcome.take()
    }

    /// Waits for the outcome for at most `slice`. Returns `None` early if it was woken,
    /// even by a wake that came before this call: then look at what the wake was about.
    pub(crate) fn wait_slice(&self, slice: Duration) -> Option<Outcome<T>> {
        let mut state = self.0.state.lock();
        if state.outcome.is_none() && !state.woken {
            state.waiting = true;
            let blocked = |state: &mut State<T>| state.outcome.is_none() && !state.woken;
            state = self.0.changed.wait_timeout_while(state, slice, blocked).0;
            state.waiting = false;
        }
        let outcome = state.outcome.take();
        // A wake that came with the outcome ends the next wait.
        state.woken &= outcome.is_some();
        outcome
    }
}

impl<T: Send + 'static> Answer<T> {
    /// What ends a wait early, for a cancel token and for other reasons to look up.
    pub(crate) fn waker(&self) -> Arc<dyn Wake> {
        self.0.clone()
    }
}

impl<T> fmt::Debug for Answer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let there = self.0.state.lock().outcome.is_some();
        f.debug_struct("Answer").field("is_there", &there).finish()
    }
}

impl<T> Shared<T> {
    /// The first outcome counts.
    fn settle(&self, outcome: Outcome<T>) {
        let mut state = self.state.lock();
        if state.is_settled {
            drop(state);
            return;
        }
        (state.outcome, state.is_settled) = (Some(outcome), true);
        let waiting = state.waiting;
        drop(state);
        if waiting {
            self.changed.notify_one();
        }
    }

    /// The reply was dropped.
    fn leave(&self) {
        let mut state = self.state.lock();
        state.dropped = true;
        let counts = !state.in_call;
        drop(state);
        if counts {
            self.settle(Outcome::Unanswered);
        }
    }

    fn end_call(&self) {
        let mut state = self.state.lock();
        state.in_call = false;
        let counts = state.dropped;
        drop(state);
        if counts {
            self.settle(Outcome::Unanswered);
        }
    }
}

impl<T: Send> Wake for Shared<T> {
    fn wake(&self) {
        let waiting = {
            let mut state = self.state.lock();
            state.woken = true;
            state.waiting
        };
        if waiting {
            self.changed.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{self, AssertUnwindSafe};

    use super::*;

    const FAR_AWAY: Duration = Duration::from_secs(3600);

    /// A question whose call has returned.
    fn pair<T>() -> (Reply<T>, Answer<T>) {
        let (reply, call, answer) = question();
        call.returned();
        (reply, answer)
    }

    fn await_waiter<T>(shared: &Shared<T>) {
        while !shared.state.lock().waiting {
            thread::yield_now();
        }
    }

    #[test]
    fn each_end_of_a_reply_has_its_outcome() {
        type End = fn(Reply<u8>);
        let cases: [(&str, End, Outcome<u8>); 4] = [
            ("answered", |reply| reply.answer(7), Outcome::Answered(7)),
            ("dropped", drop, Outcome::Unanswered),
            ("panic with it in hand", |_reply| panic!("on purpose"), Outcome::Panicked),
            (
                "panic on another thread",
                |reply| {
                    let panicking = move || {
                        let _reply = reply;
                        panic!("on purpose")
                    };
                    thread::spawn(panicking).join().unwrap_err();
                },
                Outcome::Panicked,
            ),
        ];
        for (name, end, outcome) in cases {
            let (reply, answer) = pair();
            assert_eq!(answer.try_take(), None, "{name}");
            let _ = panic::catch_unwind(AssertUnwindSafe(|| end(reply)));
            assert_eq!(answer.wait_slice(FAR_AWAY), Some(outcome), "{name}");
            assert_eq!(answer.try_take(), None, "{name}");
        }
    }

    #[test]
    fn a_reply_that_is_dropped_in_its_call_counts_when_the_call_has_returned() {
        let (reply, call, answer) = question::<u8>();
        drop(reply);
        assert_eq!(answer.try_take(), None);
        call.returned();
        assert_eq!(answer.try_take(), Some(Outcome::Unanswered));
    }

    #[test]
    fn a_call_that_panics_after_dropping_its_reply_refuses() {
        let (reply, call, answer) = question::<u8>();
        let _ = panic::catch_unwind(AssertUnwindSafe(move || {
            let _call = call;
            drop(reply);
            panic!("on purpose")
        }));
        assert_eq!(answer.try_take(), Some(Outcome::Panicked));
    }

    #[test]
    fn a_call_that_is_never_made_refuses() {
        let (reply, call, answer) = question::<u8>();
        drop((reply, call));
        assert_eq!(answer.try_take(), Some(Outcome::NeverAsked));
    }

    #[test]
    fn the_first_outcome_counts() {
        let (reply, call, answer) = question::<u8>();
        reply.answer(7);
        drop(call);
        assert_eq!(answer.try_take(), Some(Outcome::Answered(7)));
        assert_eq!(answer.try_take(), None);
    }

    #[test]
    fn an_answer_from_another_thread_ends_a_wait() {
        let (reply, answer) = pair();
        thread::scope(|scope| {
            let shared = answer.0.clone();
            scope.spawn(move || {
                await_waiter(&shared);
                reply.answer("yes");
            });
            assert_eq!(answer.wait_slice(FAR_AWAY), Some(Outcome::Answered("yes")));
        });
    }

    #[test]
    fn a_wake_ends_a_wait() {
        let (_reply, answer) = pair::<()>();
        thread::scope(|scope| {
            let waiting = scope.spawn(|| answer.wait_slice(FAR_AWAY));
            await_waiter(&answer.0);
            answer.waker().wake();
            assert_eq!(waiting.join().unwrap(), None);
        });
    }

    #[test]
    fn a_wake_before_a_wait_ends_that_wait_alone() {
        let (_reply, answer) = pair::<()>();
        answer.waker().wake();
        assert_eq!(answer.wait_slice(Duration::from_secs(600)), None);
        assert!(!answer.0.state.lock().woken);
        assert_eq!(answer.wait_slice(Duration::ZERO), None);
    }

    #[test]
    fn an_answer_that_nobody_waits_for_is_dropped() {
        let (reply, answer) = pair();
        drop(answer);
        let value = Arc::new(());
        reply.answer(value.clone());
        assert_eq!(Arc::strong_count(&value), 1);
    }

    #[test]
    fn a_reply_can_be_sent_to_another_thread_and_shown() {
        fn is_send<T: Send>(_: &T) {}
        let (reply, answer) = pair::<std::cell::Cell<u8>>();
        is_send(&reply);
        assert_eq!(format!("{reply:?} {answer:?}"), "Reply { .. } Answer { is_there: false }");
    }

    #[test]
    fn answers_race_with_wakes_and_no_value_is_lost() {
        let value = Arc::new(());
        for round in 0..500 {
            let (reply, answer) = pair();
            thread::scope(|scope| {
                let (value, waker) = (value.clone(), answer.waker());
                scope.spawn(move || {
                    if round % 2 == 0 {
                        waker.wake();
                    }
                    if round % 3 == 0 { drop(reply) } else { reply.answer(value) }
                });
                let outcome = loop {
                    if let Some(outcome) = answer.wait_slice(FAR_AWAY) {
                        break outcome;
                    }
                };
                let expected = if round % 3 == 0 {
                    matches!(outcome, Outcome::Unanswered)
                } else {
                    matches!(outcome, Outcome::Answered(_))
                };
                assert!(expected, "{outcome:?}");
            });
            drop(answer);
            assert_eq!(Arc::strong_count(&value), 1);
        }
    }
}
