//! Sessions whose delegate is a recorder, on every kind of queue.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use urlsession::testing::{Event, Recorder, Steps};
use urlsession::{Configuration, DeliveryQueue, Session};

type Job = Box<dyn FnOnce() + Send>;

/// The kinds of queues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Queue {
    Serial,
    /// Run by a loop on a thread named `loop`.
    Manual,
    Inline,
    /// Run by three threads named `executor`.
    Custom,
}

impl Queue {
    pub(crate) const ALL: [Self; 4] = [Self::Serial, Self::Manual, Self::Inline, Self::Custom];

    /// Makes one; the second half keeps a loop running until it is dropped.
    pub(crate) fn start(self) -> (DeliveryQueue, Loop) {
        match self {
            Self::Serial => (DeliveryQueue::serial(), Loop::default()),
            Self::Inline => (DeliveryQueue::inline(), Loop::default()),
            Self::Manual => manual(),
            Self::Custom => (custom(), Loop::default()),
        }
    }
}

/// A program's loop; dropped, it ends.
#[derive(Default)]
pub(crate) struct Loop(Option<(Sender<Wish>, JoinHandle<()>)>);

enum Wish {
    Look,
    End,
}

impl Drop for Loop {
    fn drop(&mut self) {
        if let Some((sender, thread)) = self.0.take() {
            let _ = sender.send(Wish::End);
            let _ = thread.join();
        }
    }
}

fn manual() -> (DeliveryQueue, Loop) {
    let (sender, wishes) = channel();
    let wakes = sender.clone();
    let queue = DeliveryQueue::manual(move || {
        let _ = wakes.send(Wish::Look);
    });
    let looped = queue.clone();
    let run = move || {
        while let Ok(Wish::Look) = wishes.recv() {
            looped.run_pending();
        }
    };
    let thread = thread::Builder::new().name("loop".to_owned()).spawn(run).unwrap();
    (queue, Loop(Some((sender, thread))))
}

fn custom() -> DeliveryQueue {
    let (sender, jobs) = channel::<Job>();
    let jobs = Arc::new(Mutex::new(jobs));
    for _ in 0..3 {
        let jobs = Arc::clone(&jobs);
        let next = move || jobs.lock().unwrap().recv();
        let run = move || {
            while let Ok(job) = next() {
                job();
            }
        };
        thread::Builder::new().name("executor".to_owned()).spawn(run).unwrap();
    }
    DeliveryQueue::custom(move |job| sender.send(job).unwrap())
}

/// Makes a session that reports to `recorder` on `queue`.
pub(crate) fn recorded_on(
    queue: DeliveryQueue,
    recorder: &Recorder,
    change: impl FnOnce(&mut Configuration),
) -> Session {
    let mut configuration = Configuration::ephemeral();
    change(&mut configuration);
    Session::with_delegate(configuration, recorder.delegate(), queue).unwrap()
}

/// Makes a session that reports to `recorder` on a serial queue.
pub(crate) fn recorded(recorder: &Recorder, change: impl FnOnce(&mut Configuration)) -> Session {
    recorded_on(DeliveryQueue::serial(), recorder, change)
}

/// Makes the steps of a scheduler as soon as there are any, until it is dropped.
struct Stepping(Arc<AtomicBool>, Option<JoinHandle<()>>);

impl Stepping {
    fn start(steps: Steps) -> Self {
        let ends = Arc::new(AtomicBool::new(false));
        let looked_at = ends.clone();
        let run = move || {
            while !looked_at.load(Ordering::SeqCst) {
                if steps.wait_for_step(Duration::from_millis(20)) {
                    steps.step();
                }
            }
        };
        // Tests know the threads that run tasks by this name.
        let thread = thread::Builder::new().name("urlsession-worker".to_owned());
        Self(ends, Some(thread.spawn(run).unwrap()))
    }
}

impl Drop for Stepping {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
        if let Some(thread) = self.1.take() {
            thread.join().unwrap();
        }
    }
}

/// Runs `test` on every kind of queue, with a session that reports to a fresh recorder: one
/// whose tasks have threads, and one whose tasks run one after the other, by hand.
pub(crate) fn on_every_queue(test: impl Fn(Queue, Session, &Recorder)) {
    with_threads_on_every_queue(&test);
    for kind in Queue::ALL {
        let (queue, _loop) = kind.start();
        let recorder = Recorder::new();
        let configuration = Configuration::ephemeral();
        let made = Steps::session(configuration, Some(recorder.delegate()), queue);
        let (steps, session) = made.unwrap();
        let _stepping = Stepping::start(steps);
        test(kind, session, &recorder);
    }
}

/// Runs `test` on every kind of queue, with a session that reports to a fresh recorder, for
/// what depends on tasks that run side by side.
pub(crate) fn with_threads_on_every_queue(test: impl Fn(Queue, Session, &Recorder)) {
    for kind in Queue::ALL {
        let (queue, _loop) = kind.start();
        let recorder = Recorder::new();
        let session = recorded_on(queue, &recorder, |_| {});
        test(kind, session, &recorder);
    }
}

/// The event of a response.
pub(crate) fn response(id: u64, status: u16) -> Event {
    Event::Response { id, status }
}

/// The event of a redirect.
pub(crate) fn redirect(id: u64, status: u16, to: &str) -> Event {
    Event::Redirect { id, status, to: to.to_owned() }
}

/// Everything that a channel has, and nothing that is still to come.
pub(crate) fn drained<T>(receiver: &Receiver<T>) -> Vec<T> {
    receiver.try_iter().collect()
}
