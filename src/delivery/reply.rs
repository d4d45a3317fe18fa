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
pub struct Reply<T>(Option<Arc<Matter<T>>>);

/// What has become of a [`Reply`].
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Settled<T> {
    Answered(T),
    /// Dropped, as if the method were not implemented.
    Unanswered,
    /// Dropped by a panic.
    Panicked,
    /// The call that should have brought it to the program was never made.
    NeverAsked,
}

/// Waits for what becomes of a [`Reply`]; one thread at a time.
///
/// Dropped, nobody is asked any more who was not asked before.
pub(crate) struct Inquiry<T>(Arc<Matter<T>>);

/// Brings a [`Reply`] to the program, by one call. Dropped before that, it refuses.
pub(crate) struct Errand<T>(Option<Arc<Matter<T>>>);

/// What a reply, and those who bring it and wait for it, share.
struct Matter<T> {
    course: Course,
    /// Until it is taken.
    answer: Mutex<Option<T>>,
}

/// How far it has come, whatever is asked: so the code of it is there once.
pub(crate) struct Course {
    state: Mutex<Fate>,
    changed: Condvar,
}

/// What has become of it.
struct Fate {
    settled: Option<Settled<()>>,
    /// It was settled, which may have been taken.
    is_settled: bool,
    /// The call has not returned: it may still panic, whatever became of the reply.
    is_called: bool,
    /// The reply was dropped in the call.
    is_dropped: bool,
    /// Nobody waits for it any more.
    is_withdrawn: bool,
    /// Somebody waits for `changed`.
    waiting: bool,
    /// A wake that no wait has returned for yet.
    woken: bool,
    /// Is woken when it is settled.
    watcher: Option<Arc<dyn Wake>>,
}

impl<T> Reply<T> {
    /// Answers; the task goes on with `value`. Returns at once, on any thread.
    pub fn answer(mut self, value: T) {
        if let Some(matter) = self.0.take() {
            *matter.answer.lock() = Some(value);
            if !matter.course.settle(Settled::Answered(())) {
                // Too late; it is dropped without the lock.
                let late = matter.answer.lock().take();
                drop(late);
            }
        }
    }
}

impl<T> Drop for Reply<T> {
    fn drop(&mut self) {
        if let Some(matter) = self.0.take() {
            matter.course.leave();
        }
    }
}

impl<T> fmt::Debug for Reply<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply").finish_non_exhaustive()
    }
}

impl<T> Errand<T> {
    /// Makes the call, unless nobody waits for the reply any more.
    pub(crate) fn run(mut self, call: impl FnOnce(Reply<T>)) {
        let Some(matter) = &self.0 else { return };
        if matter.course.state.lock().is_withdrawn {
            return;
        }
        call(Reply(Some(Arc::clone(matter))));
        // Not after a panic: then it is dropped.
        if let Some(matter) = self.0.take() {
            matter.course.end_call();
        }
    }
}

impl<T> Drop for Errand<T> {
    fn drop(&mut self) {
        if let Some(matter) = self.0.take() {
            matter.course.lose();
        }
    }
}

impl<T> fmt::Debug for Errand<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Errand").finish_non_exhaustive()
    }
}

impl<T> Inquiry<T> {
    /// Begins one; the errand has to be run for it.
    pub(crate) fn begin() -> (Self, Errand<T>) {
        let matter =
            Arc::new(Matter { course: Course::new(), answer: Mutex::new(Rank::Reply, None) });
        (Self(matter.clone()), Errand(Some(matter)))
    }

    /// How far it has come: to wait for.
    pub(crate) fn course(&self) -> &Course {
        &self.0.course
    }

    /// Takes what has become of it, if that is known. It can be taken once.
    pub(crate) fn try_take(&self) -> Option<Settled<T>> {
        let settled = self.0.course.state.lock().settled.take()?;
        Some(match settled {
            Settled::Answered(()) => Settled::Answered(self.0.answer.lock().take()?),
            Settled::Unanswered => Settled::Unanswered,
            Settled::Panicked => Settled::Panicked,
            Settled::NeverAsked => Settled::NeverAsked,
        })
    }
}

impl<T: Send + 'static> Inquiry<T> {
    /// Has `watcher` woken when it is known what has become of it, for whoever waits without a
    /// thread.
    #[cfg(feature = "background")]
    pub(crate) fn when_settled(&self, watcher: Arc<dyn Wake>) {
        let mut state = self.0.course.state.lock();
        if state.is_settled {
            drop(state);
            watcher.wake();
        } else {
            state.watcher = Some(watcher);
        }
    }

    /// What ends a wait early, for a cancel token and for other reasons to look up.
    pub(crate) fn waker(&self) -> Arc<dyn Wake> {
        self.0.clone()
    }
}

impl<T> Drop for Inquiry<T> {
    fn drop(&mut self) {
        self.0.course.state.lock().is_withdrawn = true;
    }
}

impl<T> fmt::Debug for Inquiry<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_settled = self.0.course.state.lock().is_settled;
        f.debug_struct("Inquiry").field("is_settled", &is_settled).finish()
    }
}

impl Course {
    fn new() -> Self {
        let state = Fate {
            settled: None,
            is_settled: false,
            is_called: true,
            is_dropped: false,
            is_withdrawn: false,
            waiting: false,
            woken: false,
            watcher: None,
        };
        Self { state: Mutex::new(Rank::Reply, state), changed: Condvar::new() }
    }

    /// Whether it is known what has become of it.
    pub(crate) fn is_settled(&self) -> bool {
        self.state.lock().is_settled
    }

    /// Waits until that is known for at most `slice`, and returns whether it is. Returns early
    /// if it was woken, even by a wake that came before this call: then look at what the wake was
    /// about.
    pub(crate) fn wait_slice(&self, slice: Duration) -> bool {
        let mut state = self.state.lock();
        if !state.is_settled && !state.woken {
            state.waiting = true;
            let blocked = |state: &mut Fate| !state.is_settled && !state.woken;
            state = self.changed.wait_timeout_while(state, slice, blocked).0;
            state.waiting = false;
        }
        // A wake that came with it ends the next wait.
        state.woken &= state.is_settled;
        state.is_settled
    }

    /// What came of it first counts; returns whether it is this.
    fn settle(&self, settled: Settled<()>) -> bool {
        let mut state = self.state.lock();
        if state.is_settled {
            return false;
        }
        (state.settled, state.is_settled) = (Some(settled), true);
        let (waiting, watcher) = (state.waiting, state.watcher.take());
        drop(state);
        if waiting {
            self.changed.notify_one();
        }
        if let Some(watcher) = watcher {
            watcher.wake();
        }
        true
    }

    /// The reply was dropped.
    fn leave(&self) {
        if thread::panicking() {
            self.settle(Settled::Panicked);
            return;
        }
        let mut state = self.state.lock();
        state.is_dropped = true;
        let counts = !state.is_called;
        drop(state);
        if counts {
            self.settle(Settled::Unanswered);
        }
    }

    /// The program has returned from the call.
    fn end_call(&self) {
        let mut state = self.state.lock();
        state.is_called = false;
        let counts = state.is_dropped;
        drop(state);
        if counts {
            self.settle(Settled::Unanswered);
        }
    }

    /// The call was not made, or has panicked.
    fn lose(&self) {
        let panicked = thread::panicking();
        self.settle(if panicked { Settled::Panicked } else { Settled::NeverAsked });
    }
}

impl<T: Send> Wake for Matter<T> {
    fn wake(&self) {
        let waiting = {
            let mut state = self.course.state.lock();
            state.woken = true;
            state.waiting
        };
        if waiting {
            self.course.changed.notify_one();
        }
    }
}

#[cfg(test)]
mod tests;
