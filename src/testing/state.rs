//! What the threads of one server share: one lock around one plain struct.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::answer::Answer;
use super::fault::{HandshakeFault, RequestFault};
use super::recorded::Recorded;
use super::socket::Socket;
use super::stats::Stats;
use crate::sync::{Condvar, Mutex, MutexGuard, Rank};

pub(super) type Handler = Arc<dyn Fn(&Recorded) -> Answer + Send + Sync>;
pub(super) type HeadHandler = Arc<dyn Fn(&Recorded) -> Option<Answer> + Send + Sync>;

/// Everything that changes while a server runs.
#[derive(Default)]
pub(super) struct Activity {
    pub(super) answers: VecDeque<Answer>,
    pub(super) handler: Option<Handler>,
    pub(super) head_handler: Option<HeadHandler>,
    pub(super) taken_in: VecDeque<Recorded>,
    pub(super) handshake_faults: VecDeque<HandshakeFault>,
    pub(super) request_faults: HashMap<u64, RequestFault>,
    pub(super) handshake_errors: Vec<String>,
    pub(super) failures: Vec<String>,
    pub(super) connections: HashMap<u64, Entry>,
    pub(super) threads: Vec<JoinHandle<()>>,
    pub(super) running_threads: u64,
    pub(super) stats: Stats,
    /// How often stalled connections were let go.
    pub(super) releases: u64,
    pub(super) closing: bool,
    /// Moves with every change, so that a waiter can tell whether it has missed one.
    version: u64,
    /// How many threads wait; nobody is woken at no cost.
    waiting: u64,
}

/// An open connection, as other threads see it.
#[derive(Debug)]
pub(super) struct Entry {
    /// None once the connection is being closed.
    pub(super) socket: Option<Arc<Socket>>,
    pub(super) idle: bool,
    /// What the test asked to be done with the connection.
    pub(super) order: Option<Order>,
}

/// How a test ends idle connections.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Order {
    Close,
    Reset,
}

impl Activity {
    /// The numbers, with those that are counted only when somebody asks.
    pub(super) fn snapshot(&self) -> Stats {
        let idle = self.connections.values().filter(|entry| entry.idle).count();
        Stats { idle_connections: idle as u64, ..self.stats }
    }

    pub(super) fn set_idle(&mut self, connection: u64, idle: bool) {
        if let Some(entry) = self.connections.get_mut(&connection) {
            entry.idle = idle;
        }
    }

    pub(super) fn order(&self, connection: u64) -> Option<Order> {
        self.connections.get(&connection).and_then(|entry| entry.order)
    }
}

/// The state with its lock and the condition variables that tell of changes.
pub(super) struct Shared {
    state: Mutex<Activity>,
    changed: Condvar,
    /// Tells those who hold connections that they may let go: hundreds of them need not hear of
    /// every change.
    let_go: Condvar,
    pub(super) limits: Limits,
}

/// What stays the same while a server runs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) hang_guard: Duration,
    pub(super) body_limit: usize,
    pub(super) head_limit: usize,
    pub(super) recording: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            hang_guard: Duration::from_secs(30),
            body_limit: 16 * 1024 * 1024,
            head_limit: 256 * 1024,
            recording: true,
        }
    }
}

impl Shared {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            state: Mutex::new(Rank::Server, Activity::default()),
            changed: Condvar::new(),
            let_go: Condvar::new(),
            limits,
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Activity> {
        self.state.lock()
    }

    /// Changes the state and wakes whoever waits for a change.
    pub(super) fn change<R>(&self, change: impl FnOnce(&mut Activity) -> R) -> R {
        let mut state = self.lock();
        let result = change(&mut state);
        state.version += 1;
        if state.waiting > 0 {
            self.changed.notify_all();
        }
        result
    }

    /// Changes the state, and wakes those who hold connections, too.
    pub(super) fn let_go(&self, change: impl FnOnce(&mut Activity)) {
        self.change(change);
        self.let_go.notify_all();
    }

    /// Waits until `ready` gives a value, at most for `limit`.
    pub(super) fn wait<T>(
        &self,
        limit: Duration,
        ready: impl FnMut(&mut Activity) -> Option<T>,
    ) -> Option<T> {
        self.wait_on(&self.changed, limit, ready)
    }

    /// Waits until `ready` gives a value because of a [`let_go`](Self::let_go), at most for
    /// `limit`.
    pub(super) fn hold<T>(
        &self,
        limit: Duration,
        ready: impl FnMut(&mut Activity) -> Option<T>,
    ) -> Option<T> {
        self.wait_on(&self.let_go, limit, ready)
    }

    fn wait_on<T>(
        &self,
        told: &Condvar,
        limit: Duration,
        mut ready: impl FnMut(&mut Activity) -> Option<T>,
    ) -> Option<T> {
        let mut state = self.lock();
        if let Some(value) = ready(&mut state) {
            return Some(value);
        }
        let deadline = Instant::now() + limit;
        loop {
            let left = deadline.checked_duration_since(Instant::now())?;
            state.waiting += 1;
            state = told.wait_timeout(state, left).0;
            state.waiting -= 1;
            if let Some(value) = ready(&mut state) {
                return Some(value);
            }
        }
    }

    /// Waits until `reached` holds; it is called without the lock, since it is a test's code.
    pub(super) fn wait_for_stats(
        &self,
        limit: Duration,
        mut reached: impl FnMut(&Stats) -> bool,
    ) -> bool {
        let deadline = Instant::now() + limit;
        let (mut stats, mut seen) = {
            let state = self.lock();
            (state.snapshot(), state.version)
        };
        loop {
            if reached(&stats) {
                return true;
            }
            let Some(left) = deadline.checked_duration_since(Instant::now()) else {
                return false;
            };
            let next = self.wait(left, |state| {
                (state.version != seen).then(|| (state.snapshot(), state.version))
            });
            match next {
                Some(next) => (stats, seen) = next,
                None => return false,
            }
        }
    }

    /// Notes a failure that is to fail the test when the server is dropped.
    pub(super) fn fail(&self, failure: String) {
        self.change(|state| state.failures.push(failure));
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("Shared")
            .field("stats", &state.snapshot())
            .field("answers", &state.answers.len())
            .field("failures", &state.failures)
            .finish_non_exhaustive()
    }
}
