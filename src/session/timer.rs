//! The thread that ends tasks whose time is over while they wait in line.
//!
//! A task with a thread looks at the clock itself. For the others one thread looks: it is
//! started when the first has to wait, sleeps until the first of them would be late, and
//! ends when nobody waits.

use std::mem;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use super::shared::Shared;
use crate::census::Census;
use crate::clock::Clock;
use crate::sync::{Condvar, Mutex, Rank};

/// Looking at all that wait costs something, so it is not done more often than this.
const PATIENCE: Duration = Duration::from_millis(50);

/// Watches the tasks of one session that wait.
#[derive(Debug)]
pub(crate) struct Timer {
    clock: Clock,
    census: Census,
    state: Arc<(Mutex<State>, Condvar)>,
}

#[derive(Debug, Default)]
struct State {
    runs: bool,
    /// Somebody waits for an earlier moment than the thread sleeps for.
    is_late: bool,
    closed: bool,
}

impl Timer {
    pub(crate) fn new(clock: Clock, census: Census) -> Self {
        let state = Arc::new((Mutex::new(Rank::Timer, State::default()), Condvar::new()));
        Self { clock, census, state }
    }

    /// Sees to it that somebody watches. Called with no lock held.
    pub(crate) fn watch(&self, shared: &Weak<Shared>) {
        {
            let mut state = self.state.0.lock();
            if state.runs || state.closed {
                return;
            }
            state.runs = true;
        }
        let (clock, shared) = (self.clock.clone(), shared.clone());
        let state = Arc::clone(&self.state);
        let life = Box::new(move || watch(&state, &clock, &shared));
        let started = self.census.spawn("urlsession-timer", life);
        if let Err(error) = started {
            self.state.0.lock().runs = false;
            log::warn!("no thread to watch over tasks that wait: {error}");
        }
    }

    /// Does the same for somebody who may have to be looked at before all others.
    pub(crate) fn watch_anew(&self, shared: &Weak<Shared>) {
        self.state.0.lock().is_late = true;
        self.state.1.notify_all();
        self.watch(shared);
    }

    /// Sends the thread home.
    pub(crate) fn close(&self) {
        self.state.0.lock().closed = true;
        self.state.1.notify_all();
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.close();
    }
}

/// The life of the thread.
fn watch(state: &(Mutex<State>, Condvar), clock: &Clock, shared: &Weak<Shared>) {
    loop {
        let look = || shared.upgrade().and_then(|shared| expire(&shared, clock.now()));
        let Some(next) = look() else {
            state.0.lock().runs = false;
            // Somebody may have begun to wait before that was seen.
            if look().is_none() || mem::replace(&mut state.0.lock().runs, true) {
                return;
            }
            continue;
        };
        let mut guard = state.0.lock();
        while !guard.closed && !mem::take(&mut guard.is_late) {
            let left = next.saturating_duration_since(clock.now());
            if left == Duration::ZERO {
                break;
            }
            guard = state.1.wait_timeout(guard, clock.slice(left)).0;
        }
        if guard.closed {
            return;
        }
    }
}

/// Ends what is late; returns when to look again, if somebody waits.
fn expire(shared: &Arc<Shared>, now: Instant) -> Option<Instant> {
    let waiting = shared.pool().alive();
    let next = waiting.iter().filter_map(|core| core.expire(now)).min()?;
    Some(next.max(now + PATIENCE))
}

/// Returns how long to wait for something that has to come before `deadline`.
pub(crate) fn until(deadline: Option<Instant>, now: Instant) -> Duration {
    const FAR_AWAY: Duration = Duration::from_secs(3600);
    deadline.map_or(FAR_AWAY, |deadline| deadline.saturating_duration_since(now))
}
