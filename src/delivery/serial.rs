//! The thread of a serial queue: started when needed, gone when idle.

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use std::{io, mem, thread};

use crate::census::{self, Census, Kind};
use crate::clock::Clock;
use crate::delivery::queue::{Job, run_caught};
use crate::log;
use crate::sync::{Condvar, Mutex, Rank};

/// How long the thread waits for something to do before it leaves.
const IDLE: Duration = Duration::from_secs(5);

/// How many jobs there is memory for while none waits.
const KEPT: usize = 1024;

/// The handle of a serial queue; dropped, it sends the thread home.
pub(super) struct Serial(Arc<Shared>);

struct Shared {
    idle: Duration,
    /// What it is counted in and goes by; it may be used without any session.
    session: OnceLock<(Census, Clock)>,
    state: Mutex<Backlog>,
    /// Something to do, or a reason to leave: for the thread.
    work: Condvar,
}

#[derive(Default)]
struct Backlog {
    jobs: VecDeque<Job>,
    /// Somebody runs the jobs, or is about to; whoever changes it to true sees to that.
    running: bool,
    /// The thread waits for work, and nobody has woken it.
    waiting: bool,
    /// The thread ends as soon as there is nothing to do.
    leaving: bool,
}

impl Serial {
    pub(super) fn new() -> Self {
        Self::with_idle(IDLE)
    }

    fn with_idle(idle: Duration) -> Self {
        Self(Arc::new(Shared {
            idle,
            session: OnceLock::new(),
            state: Mutex::new(Rank::Queue, Backlog::default()),
            work: Condvar::new(),
        }))
    }

    pub(super) fn serve(&self, census: &Census, clock: &Clock) {
        let _ = self.0.session.set((census.clone(), clock.clone()));
    }

    pub(super) fn post(&self, job: Job) {
        self.post_by(job, thread::Builder::new());
    }

    fn post_by(&self, job: Job, builder: thread::Builder) {
        let mut state = self.0.state.lock();
        state.jobs.push_back(job);
        if state.running {
            // A call to the system, so it is not woken twice.
            let wakes = mem::take(&mut state.waiting);
            drop(state);
            if wakes {
                self.0.work.notify_one();
            }
            return;
        }
        state.running = true;
        drop(state);
        if let Err(error) = self.0.start(builder) {
            self.0.state.lock().leaving = true;
            log::warn!("no thread for a delivery queue, so calls are made in place: {error}");
            self.0.run();
        }
    }
}

impl Drop for Serial {
    /// What waits is still run; then the thread ends.
    fn drop(&mut self) {
        self.0.state.lock().leaving = true;
        self.0.work.notify_one();
    }
}

impl Shared {
    fn start(self: &Arc<Self>, builder: thread::Builder) -> io::Result<()> {
        let shared = self.clone();
        let counted = self.session.get().map(|(census, _)| census.count(Kind::Thread));
        let life = Box::new(move || {
            let _counted = counted;
            shared.run();
        });
        census::start(builder.name("urlsession-delivery".to_owned()), life).map(drop)
    }

    /// Runs jobs until it is time to leave.
    fn run(&self) {
        while let Some(job) = self.next() {
            run_caught(job);
        }
    }

    fn next(&self) -> Option<Job> {
        let mut state = self.state.lock();
        let (mut has_yielded, mut until) = (false, None);
        loop {
            if let Some(job) = state.jobs.pop_front() {
                return Some(job);
            }
            if state.leaving {
                break;
            }
            if state.jobs.capacity() > KEPT {
                state.jobs = VecDeque::new();
            }
            // Those who are about to post on this core do so now, and need not wake anybody.
            if !mem::replace(&mut has_yielded, true) {
                drop(state);
                thread::yield_now();
                state = self.state.lock();
                continue;
            }
            let clock = self.session.get().map_or_else(Clock::system, |(_, clock)| clock.clone());
            let now = clock.now();
            let left = until.get_or_insert(now + self.idle).saturating_duration_since(now);
            if left.is_zero() {
                break;
            }
            state.waiting = true;
            state = self.work.wait_timeout(state, clock.slice(left)).0;
            state.waiting = false;
        }
        (state.running, state.leaving) = (false, false);
        None
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Mutex, mpsc};

    use super::*;

    /// Leaves whenever there is nothing to do.
    fn impatient() -> Serial {
        Serial::with_idle(Duration::ZERO)
    }

    fn post(serial: &Serial, job: impl FnOnce() + Send + 'static) {
        serial.post(Box::new(job));
    }

    /// Posts a job that says on which thread it runs.
    fn ask_thread(serial: &Serial) -> thread::Thread {
        let (sender, thread) = mpsc::channel();
        post(serial, move || sender.send(thread::current()).unwrap());
        thread.recv().unwrap()
    }

    /// Waits until the thread has left, which nothing tells.
    fn has_left(shared: &Shared) {
        while shared.state.lock().running {
            thread::yield_now();
        }
    }

    #[test]
    fn jobs_run_in_order_on_a_thread_named_for_it() {
        let (serial, seen) = (Serial::new(), Arc::new(Mutex::new(Vec::new())));
        assert!(!serial.0.state.lock().running, "no thread before the first job");
        for i in 0..100 {
            let seen = seen.clone();
            post(&serial, move || seen.lock().unwrap().push(i));
        }
        assert_eq!(ask_thread(&serial).name(), Some("urlsession-delivery"));
        assert_eq!(*seen.lock().unwrap(), (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn an_idle_thread_leaves_and_the_next_job_starts_another() {
        let serial = impatient();
        let first = ask_thread(&serial);
        has_left(&serial.0);
        assert_ne!(ask_thread(&serial).id(), first.id());
        has_left(&serial.0);
    }

    #[test]
    fn jobs_run_in_place_when_the_system_refuses_a_thread() {
        let (serial, ran) = (Arc::new(Serial::new()), Arc::new(Mutex::new(Vec::new())));
        let (inner, inner_ran) = (serial.clone(), ran.clone());
        let job = Box::new(move || {
            inner_ran.lock().unwrap().push(thread::current().id());
            let later = inner_ran.clone();
            post(&inner, move || later.lock().unwrap().push(thread::current().id()));
        });
        // With 32 bits half of all addresses may be free.
        serial.post_by(job, thread::Builder::new().stack_size(usize::MAX / 4 * 3 + 1));
        assert_eq!(*ran.lock().unwrap(), [thread::current().id(); 2]);
        assert_ne!(ask_thread(&serial).id(), thread::current().id());
    }

    #[test]
    fn dropping_the_last_handle_runs_what_waits_and_ends_the_thread() {
        let (serial, count) = (Serial::new(), Arc::new(AtomicUsize::new(0)));
        let (gate, opened) = mpsc::channel::<()>();
        post(&serial, move || opened.recv().unwrap());
        for _ in 0..10 {
            let count = count.clone();
            post(&serial, move || {
                count.fetch_add(1, Ordering::SeqCst);
            });
        }
        let shared = serial.0.clone();
        drop(serial);
        assert_eq!(count.load(Ordering::SeqCst), 0);
        gate.send(()).unwrap();
        has_left(&shared);
        assert_eq!(count.load(Ordering::SeqCst), 10);
    }

    #[test]
    fn the_last_handle_may_be_dropped_by_a_job() {
        let serial = Arc::new(Serial::new());
        let (gate, opened) = mpsc::channel::<()>();
        let inner = serial.clone();
        post(&serial, move || {
            opened.recv().unwrap();
            drop(inner);
        });
        let shared = serial.0.clone();
        drop(serial);
        gate.send(()).unwrap();
        has_left(&shared);
    }

    #[cfg(feature = "test-util")]
    #[test]
    fn the_thread_is_counted_while_it_lives() {
        let (serial, census) = (impatient(), Census::default());
        serial.serve(&census, &Clock::system());
        assert_eq!(census.alive(Kind::Thread), 0);
        let (gate, opened) = mpsc::channel::<()>();
        post(&serial, move || opened.recv().unwrap());
        assert_eq!(census.alive(Kind::Thread), 1);
        gate.send(()).unwrap();
        while census.alive(Kind::Thread) > 0 {
            thread::yield_now();
        }
    }

    #[test]
    fn no_job_is_lost_between_leaving_and_starting() {
        let (serial, count) = (Arc::new(impatient()), Arc::new(AtomicUsize::new(0)));
        thread::scope(|scope| {
            for _ in 0..6 {
                let (serial, count) = (&serial, &count);
                scope.spawn(move || {
                    for _ in 0..300 {
                        let count = count.clone();
                        post(serial, move || {
                            count.fetch_add(1, Ordering::SeqCst);
                        });
                    }
                });
            }
        });
        has_left(&serial.0);
        assert_eq!(count.load(Ordering::SeqCst), 1800);
    }
}
