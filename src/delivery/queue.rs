//! [`DeliveryQueue`]: on which thread user code is called.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};
use std::{fmt, mem};

use crate::census::Census;
use crate::clock::Clock;
use crate::delivery::serial::Serial;
use crate::foreign::{Foreign, caught};
use crate::sync::{Mutex, Rank, assert_unlocked};

/// A call of user code, ready to be made.
pub(super) type Job = Box<dyn FnOnce() + Send>;

/// Where a session calls delegate methods and closures.
///
/// Clones are handles of one queue, and several sessions may share it. On every kind of
/// queue the calls of one task never overlap and come in order; calls of different tasks
/// may overlap only on a [`custom`](Self::custom) queue that runs several at once, on an
/// [`inline`](Self::inline) one, and on a [`manual`](Self::manual) one that several
/// threads run. A call that panics is caught, and later calls are made all the same.
///
/// | Queue | Calls are made |
/// |---|---|
/// | [`serial`](Self::serial), the default | on a thread of the queue's own |
/// | [`manual`](Self::manual) | where the program calls [`run_pending`](Self::run_pending) |
/// | [`inline`](Self::inline) | on the thread that has something to tell |
/// | [`custom`](Self::custom) | where the program's executor makes them |
#[derive(Clone)]
#[doc(alias = "OperationQueue")]
#[doc(alias = "delegateQueue")]
#[doc(alias = "NSOperationQueue")]
pub struct DeliveryQueue {
    kind: Arc<Kind>,
    /// Says that somebody may still run what waits in a manual queue.
    _hold: Option<Arc<Hold>>,
}

enum Kind {
    Serial(Serial),
    Manual(Manual),
    Inline,
    Custom(Foreign<Box<dyn Fn(Job) + Send + Sync>>),
}

/// Dropped with the last handle through which a manual queue can be run: then nobody will
/// ever make the calls that wait, which may themselves keep the session and its handles of
/// the queue.
struct Hold(Arc<Kind>);

impl Drop for Hold {
    fn drop(&mut self) {
        if let Kind::Manual(manual) = &*self.0 {
            manual.abandon();
        }
    }
}

/// A queue, as long as somebody else keeps it.
pub(super) struct WeakQueue(Weak<Kind>);

impl DeliveryQueue {
    /// Makes a queue with a thread of its own, which makes one call after the other.
    ///
    /// The thread is named `urlsession-delivery`. It is started by the first call to make,
    /// leaves after five idle seconds and is started again when it is needed. When the
    /// last handle of the queue is dropped, it makes the calls that wait and ends. If the
    /// system refuses the thread, calls are made on the thread that has something to tell.
    ///
    /// ```
    /// use urlsession::DeliveryQueue;
    ///
    /// let queue = DeliveryQueue::serial();
    /// let for_another_session = queue.clone();
    /// drop((queue, for_another_session));
    /// ```
    pub fn serial() -> Self {
        Self::of(Kind::Serial(Serial::new()))
    }

    /// Makes a queue whose calls the program's own loop makes, by
    /// [`run_pending`](Self::run_pending): the choice for a GUI whose delegate decides on the
    /// loop's thread.
    ///
    /// What is called still has to be `Send`; what may own a widget is the handler of an
    /// [`Inbox`](crate::Inbox), which works with every kind of queue. Updates of a task
    /// ([`updates`](crate::DataTask::updates)) are read from a channel of their own and need no
    /// `run_pending`; `wake` is called for them, too.
    ///
    /// `wake` is called when something was put into the empty queue, once until the next
    /// `run_pending`. It runs on any thread, with no lock held, and should only tell the
    /// loop to look: post an event, send into a channel. If it panics, that is logged.
    ///
    /// Calls that nobody makes keep their tasks alive. A session and its tasks count as
    /// handles of the queue, too; when the last handle of all is dropped, the calls that
    /// wait are dropped unmade.
    ///
    /// ```
    /// use std::sync::mpsc;
    /// use std::time::Duration;
    /// use urlsession::DeliveryQueue;
    ///
    /// let (sender, events) = mpsc::channel();
    /// let queue = DeliveryQueue::manual(move || {
    ///     let _ = sender.send("look at the queue");
    /// });
    /// // The program's loop.
    /// while let Ok(_event) = events.recv_timeout(Duration::ZERO) {
    ///     queue.run_pending();
    /// }
    /// ```
    #[doc(alias = "mainQueue")]
    pub fn manual(wake: impl Fn() + Send + Sync + 'static) -> Self {
        let state = Mutex::new(Rank::Queue, Waiting::default());
        Self::of(Kind::Manual(Manual { wake: Foreign::new(Box::new(wake)), state }))
    }

    /// Makes a queue without a thread: calls are made at once by whichever thread has
    /// something to tell.
    ///
    /// That is the thread that runs the transfer, or the one that resumes or cancels the
    /// task. While a call is being made the transfer of its task stands still; if it takes
    /// longer than 20 ms and others wait in line, they have the task's place meanwhile, so that
    /// a call may wait for them. What happens
    /// to a task during a call of it is told after that call, by the same thread.
    ///
    /// ```
    /// use urlsession::DeliveryQueue;
    ///
    /// assert_eq!(format!("{:?}", DeliveryQueue::inline()), "DeliveryQueue(inline)");
    /// ```
    pub fn inline() -> Self {
        Self::of(Kind::Inline)
    }

    /// Makes a queue from the program's own executor.
    ///
    /// `post` is given closures and has to see to it that each runs, on whatever thread
    /// and in whatever order; it is called on any thread, with no lock held, and may run
    /// the closure before it returns. The closures do not panic. If `post` panics, or a
    /// closure is dropped instead of run, what it would have told is lost, which is logged.
    ///
    /// ```
    /// use std::sync::mpsc;
    /// use std::thread;
    /// use urlsession::DeliveryQueue;
    ///
    /// let (sender, jobs) = mpsc::channel::<Box<dyn FnOnce() + Send>>();
    /// let executor = thread::spawn(move || jobs.into_iter().for_each(|job| job()));
    /// let queue = DeliveryQueue::custom(move |job| {
    ///     let _ = sender.send(job);
    /// });
    /// drop(queue);
    /// executor.join().unwrap();
    /// ```
    pub fn custom(post: impl Fn(Box<dyn FnOnce() + Send>) + Send + Sync + 'static) -> Self {
        Self::of(Kind::Custom(Foreign::new(Box::new(post))))
    }

    /// Makes the calls that wait in a [`manual`](Self::manual) queue, on this thread, and
    /// returns how many entries of the queue it took.
    ///
    /// An entry is up to 16 calls of one task. What is put into the queue meanwhile stays
    /// for the next time, and `wake` is called for it, so that a loop is not held up by a
    /// busy session. May be called during a call. Returns 0 for every other kind of queue.
    ///
    /// ```
    /// use urlsession::DeliveryQueue;
    ///
    /// let queue = DeliveryQueue::manual(|| ());
    /// assert_eq!(queue.run_pending(), 0);
    /// ```
    pub fn run_pending(&self) -> usize {
        match &*self.kind {
            Kind::Manual(manual) => manual.run_pending(),
            Kind::Serial(_) | Kind::Inline | Kind::Custom(_) => 0,
        }
    }

    /// Returns a handle for a session, which does not count among those through which a
    /// manual queue can be run.
    pub(crate) fn for_session(&self) -> Self {
        Self { kind: Arc::clone(&self.kind), _hold: None }
    }

    /// Puts `job` into the queue, which runs it once; for order, go through a
    /// [`Mailbox`](super::Mailbox). Call it with no lock held.
    pub(crate) fn post(&self, job: Box<dyn FnOnce() + Send>) {
        assert_unlocked("a delivery queue is posted to");
        match &*self.kind {
            Kind::Serial(serial) => serial.post(job),
            Kind::Manual(manual) => manual.post(job),
            Kind::Inline => run_caught(job),
            Kind::Custom(post) => {
                let job = Box::new(move || run_caught(job));
                // It was logged.
                let _ = caught("the executor of a custom delivery queue", || post(job));
            }
        }
    }

    /// Whether jobs run on the thread that posts them.
    pub(crate) fn is_inline(&self) -> bool {
        matches!(&*self.kind, Kind::Inline)
    }

    /// Whether jobs may run on the thread that posts them.
    pub(crate) fn may_run_here(&self) -> bool {
        matches!(&*self.kind, Kind::Inline | Kind::Custom(_))
    }

    /// Has the program's loop look, for what it is told by a channel; does nothing unless
    /// the queue is manual. Call it with no lock held.
    pub(crate) fn wake(&self) {
        if let Kind::Manual(manual) = &*self.kind {
            manual.wake();
        }
    }

    /// Has the thread of a serial queue counted in `census` and go by `clock`, if it serves no
    /// other session.
    pub(crate) fn serve(&self, census: &Census, clock: &Clock) {
        if let Kind::Serial(serial) = &*self.kind {
            serial.serve(census, clock);
        }
    }

    pub(super) fn downgrade(&self) -> WeakQueue {
        WeakQueue(Arc::downgrade(&self.kind))
    }

    fn of(kind: Kind) -> Self {
        let kind = Arc::new(kind);
        let is_manual = matches!(*kind, Kind::Manual(_));
        let hold = is_manual.then(|| Arc::new(Hold(Arc::clone(&kind))));
        Self { kind, _hold: hold }
    }
}

impl WeakQueue {
    pub(super) fn upgrade(&self) -> Option<DeliveryQueue> {
        self.0.upgrade().map(|kind| DeliveryQueue { kind, _hold: None })
    }
}

impl Default for DeliveryQueue {
    /// A [`serial`](Self::serial) queue.
    fn default() -> Self {
        Self::serial()
    }
}

impl fmt::Debug for DeliveryQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &*self.kind {
            Kind::Serial(_) => "DeliveryQueue(serial)",
            Kind::Manual(_) => "DeliveryQueue(manual)",
            Kind::Inline => "DeliveryQueue(inline)",
            Kind::Custom(_) => "DeliveryQueue(custom)",
        })
    }
}

/// Jobs that wait for the program's loop.
struct Manual {
    wake: Foreign<Box<dyn Fn() + Send + Sync>>,
    state: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    jobs: VecDeque<Job>,
    /// The loop was woken and has not looked since.
    woken: bool,
    /// Nobody can run the jobs any more.
    abandoned: bool,
}

impl Manual {
    fn post(&self, job: Job) {
        let mut state = self.state.lock();
        if state.abandoned {
            drop(state);
            return run_caught(|| drop(job));
        }
        state.jobs.push_back(job);
        let woken = mem::replace(&mut state.woken, true);
        drop(state);
        if !woken {
            self.wake();
        }
    }

    /// Drops what waits, and all that will come.
    fn abandon(&self) {
        let jobs = {
            let mut state = self.state.lock();
            state.abandoned = true;
            mem::take(&mut state.jobs)
        };
        for job in jobs {
            run_caught(|| drop(job));
        }
    }

    fn wake(&self) {
        // It was logged.
        let _ = caught("the wake function of a manual delivery queue", || (self.wake)());
    }

    fn run_pending(&self) -> usize {
        let mut state = self.state.lock();
        state.woken = false;
        let there = state.jobs.len();
        drop(state);
        // One by one, so that a loop inside a job finds the rest in the queue.
        for ran in 0..there {
            let Some(job) = self.next() else { return ran };
            run_caught(job);
        }
        there
    }

    fn next(&self) -> Option<Job> {
        self.state.lock().jobs.pop_front()
    }
}

/// Runs `job`; a panic of it ends here.
pub(super) fn run_caught(job: impl FnOnce()) {
    // It was logged.
    let _ = caught("code called by a delivery queue", job);
}

#[cfg(test)]
mod tests;
