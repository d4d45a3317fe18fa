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
    course: Mutex<Course<T>>,
    changed: Condvar,
}

/// How far it has come.
struct Course<T> {
    settled: Option<Settled<T>>,
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
}

impl<T> Reply<T> {
    /// Answers; the task goes on with `value`. Returns at once, on any thread.
    pub fn answer(mut self, value: T) {
        if let Some(matter) = self.0.take() {
            matter.settle(Settled::Answered(value));
        }
    }
}

impl<T> Drop for Reply<T> {
    fn drop(&mut self) {
        if let Some(matter) = self.0.take() {
            if thread::panicking() {
                matter.settle(Settled::Panicked);
            } else {
                matter.leave();
            }
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
        if matter.course.lock().is_withdrawn {
            return;
        }
        call(Reply(Some(Arc::clone(matter))));
        // Not after a panic: then it is dropped.
        if let Some(matter) = self.0.take() {
            matter.end_call();
        }
    }
}

impl<T> Drop for Errand<T> {
    fn drop(&mut self) {
        if let Some(matter) = self.0.take() {
            let panicked = thread::panicking();
            matter.settle(if panicked { Settled::Panicked } else { Settled::NeverAsked });
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
        let course = Course {
            settled: None,
            is_settled: false,
            is_called: true,
            is_dropped: false,
            is_withdrawn: false,
            waiting: false,
            woken: false,
        };
        let course = Mutex::new(Rank::Reply, course);
        let matter = Arc::new(Matter { course, changed: Condvar::new() });
        (Self(matter.clone()), Errand(Some(matter)))
    }

    /// Takes what has become of it, if that is known. It can be taken once.
    pub(crate) fn try_take(&self) -> Option<Settled<T>> {
        self.0.course.lock().settled.take()
    }

    /// Waits for that for at most `slice`. Returns `None` early if it was woken, even by a
    /// wake that came before this call: then look at what the wake was about.
    pub(crate) fn wait_slice(&self, slice: Duration) -> Option<Settled<T>> {
        let mut course = self.0.course.lock();
        if course.settled.is_none() && !course.woken {
            course.waiting = true;
            let blocked = |course: &mut Course<T>| course.settled.is_none() && !course.woken;
            course = self.0.changed.wait_timeout_while(course, slice, blocked).0;
            course.waiting = false;
        }
        let settled = course.settled.take();
        // A wake that came with it ends the next wait.
        course.woken &= settled.is_some();
        settled
    }
}

impl<T: Send + 'static> Inquiry<T> {
    /// What ends a wait early, for a cancel token and for other reasons to look up.
    pub(crate) fn waker(&self) -> Arc<dyn Wake> {
        self.0.clone()
    }
}

impl<T> Drop for Inquiry<T> {
    fn drop(&mut self) {
        self.0.course.lock().is_withdrawn = true;
    }
}

impl<T> fmt::Debug for Inquiry<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_settled = self.0.course.lock().is_settled;
        f.debug_struct("Inquiry").field("is_settled", &is_settled).finish()
    }
}

impl<T> Matter<T> {
    /// What came of it first counts.
    fn settle(&self, settled: Settled<T>) {
        let mut course = self.course.lock();
        if course.is_settled {
            drop(course);
            return;
        }
        (course.settled, course.is_settled) = (Some(settled), true);
        let waiting = course.waiting;
        drop(course);
        if waiting {
            self.changed.notify_one();
        }
    }

    /// The reply was dropped.
    fn leave(&self) {
        let mut course = self.course.lock();
        course.is_dropped = true;
        let counts = !course.is_called;
        drop(course);
        if counts {
            self.settle(Settled::Unanswered);
        }
    }

    /// The program has returned from the call.
    fn end_call(&self) {
        let mut course = self.course.lock();
        course.is_called = false;
        let counts = course.is_dropped;
        drop(course);
        if counts {
            self.settle(Settled::Unanswered);
        }
    }
}

impl<T: Send> Wake for Matter<T> {
    fn wake(&self) {
        let waiting = {
            let mut course = self.course.lock();
            course.woken = true;
            course.waiting
        };
        if waiting {
            self.changed.notify_one();
        }
    }
}

#[cfg(test)]
mod tests;
