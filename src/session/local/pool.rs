//! The threads of a session, the places they run in, and the tasks that are alive.
//!
//! Everything is decided under one lock and carried out after it: what has to happen comes
//! back as [`Effects`], which [`Local::act`](super::Local::act) carries out.

mod workers;

use std::cmp::Reverse;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::line::{Limits, Line};
use crate::census::Census;
use crate::clock::Clock;
use crate::error::{Error, ErrorKind};
use crate::session::task::{Core, Place, Ticket};
use crate::sync::{Condvar, Mutex, MutexGuard, Rank};

/// How long a worker waits for something to do before it leaves.
const WORKER_IDLE: Duration = Duration::from_secs(5);

/// What a session has at work.
#[derive(Debug)]
pub(crate) struct Pool {
    clock: Clock,
    census: Census,
    state: Mutex<Roster>,
    /// Something is ready, or it is time to leave: for workers.
    work: Condvar,
    /// Nothing is alive any more: for those who wait for that.
    quiet: Condvar,
    parked: AtomicUsize,
}

#[derive(Debug)]
struct Roster {
    line: Line<Job>,
    /// Tasks with a place that wait for a worker to come.
    ready: VecDeque<Ready>,
    workers: usize,
    /// Workers that were started and have not asked for work yet.
    coming: usize,
    /// Since when the system has refused threads.
    refused_since: Option<Instant>,
    /// Workers that wait for work.
    idle: usize,
    /// How many of these were woken and have not looked since.
    woken: usize,
    /// Tasks that have begun and have not been told to be completed, the newest first: so
    /// one that begins finds its place by looking at one entry of each node.
    alive: BTreeMap<Reverse<u64>, Arc<Core>>,
    /// Who waits and came before the job of this number has waited when the line is looked at.
    mark: Option<u64>,
    /// Calls of the program that belong to no task and have not been made yet.
    calls: usize,
    /// How many wait until the session is quiet. A notification costs a system call, so
    /// none is given without need.
    awaiting_quiet: usize,
    phase: Phase,
    /// Nobody is given a place any more: all are about to be cancelled.
    stopped: bool,
}

/// Whether new tasks may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Open,
    /// The tasks that have begun may end.
    Closing,
    Closed,
}

/// One who waits in the line.
#[derive(Debug)]
struct Job {
    core: Arc<Core>,
    /// A thread waits with it.
    has_thread: bool,
}

/// A task whose turn it is.
#[derive(Debug)]
pub(crate) struct Ready {
    pub(crate) core: Arc<Core>,
    pub(crate) ticket: Ticket,
    pub(crate) place: Place,
}

/// What has to be done once the lock is gone.
#[derive(Debug, Default)]
#[must_use = "somebody waits for these to happen"]
pub(crate) struct Effects {
    /// Tasks whose threads wait for a place, which they have now.
    pub(crate) granted: Vec<Ready>,
    pub(crate) starts_workers: usize,
    /// Somebody waits for a moment to come.
    pub(crate) watches: bool,
    /// One that came has to wait in line.
    pub(crate) waits: bool,
}

impl Pool {
    pub(crate) fn new(limits: Limits, clock: Clock, census: Census) -> Self {
        Self {
            clock,
            census,
            state: Mutex::new(
                Rank::Pool,
                Roster {
                    line: Line::new(limits),
                    ready: VecDeque::new(),
                    workers: 0,
                    coming: 0,
                    refused_since: None,
                    idle: 0,
                    woken: 0,
                    alive: BTreeMap::new(),
                    mark: None,
                    calls: 0,
                    awaiting_quiet: 0,
                    phase: Phase::Open,
                    stopped: false,
                },
            ),
            work: Condvar::new(),
            quiet: Condvar::new(),
            parked: AtomicUsize::new(0),
        }
    }

    /// Counts a task that begins among those that are alive; fails if the session takes no
    /// more.
    pub(crate) fn admit(&self, core: &Arc<Core>) -> Result<(), Error> {
        let mut state = self.state.lock();
        state.check_open()?;
        state.alive.insert(Reverse(core.id), Arc::clone(core));
        Ok(())
    }

    /// Does the same for one that runs on its caller's thread, and gives it a place, or a
    /// ticket if it has to wait. With `over_limits` it never has to.
    pub(crate) fn admit_caller(
        &self,
        core: &Arc<Core>,
        host: &str,
        priority: f32,
        over_limits: bool,
    ) -> Result<Result<Place, Ticket>, Error> {
        let mut state = self.state.lock();
        state.check_open()?;
        state.alive.insert(Reverse(core.id), Arc::clone(core));
        if over_limits {
            return Ok(Ok(state.line.take_over_limits(host)));
        }
        // As long as everybody who may run was taken out of the line before, nobody is
        // overtaken.
        Ok(match state.line.try_take(host) {
            Some(place) => Ok(place),
            None => {
                let job = Job { core: Arc::clone(core), has_thread: true };
                Err(state.line.push(host, priority, job))
            }
        })
    }

    /// Does the same for one that runs on a worker, and lets it wait in line for that.
    pub(crate) fn admit_in_line(
        &self,
        core: &Arc<Core>,
        host: &str,
        priority: f32,
    ) -> Result<(Ticket, Effects), Error> {
        let mut state = self.state.lock();
        state.check_open()?;
        state.alive.insert(Reverse(core.id), Arc::clone(core));
        Ok(self.line_up(state, core, host, Some(priority)))
    }

    /// Lets a task wait in line for a worker: by its priority, or ahead of all that have
    /// one if it is `None`.
    pub(crate) fn push(
        &self,
        core: &Arc<Core>,
        host: &str,
        priority: Option<f32>,
    ) -> (Ticket, Effects) {
        self.line_up(self.state.lock(), core, host, priority)
    }

    fn line_up(
        &self,
        mut state: MutexGuard<'_, Roster>,
        core: &Arc<Core>,
        host: &str,
        priority: Option<f32>,
    ) -> (Ticket, Effects) {
        let job = Job { core: Arc::clone(core), has_thread: false };
        let ticket = match priority {
            Some(priority) => state.line.push(host, priority, job),
            None => state.line.push_returning(host, job),
        };
        let mut granted = Vec::new();
        state.dispatch(&mut granted);
        let waits = state.line.has(ticket);
        if waits && state.mark.is_none() {
            state.mark = Some(state.line.next_number());
        }
        (ticket, Effects { waits, ..self.staffed(state, granted) })
    }

    /// Looks at the line: returns the hosts for which somebody waits since before the last look,
    /// if it is time to tell of them, and whether anybody waits.
    pub(crate) fn look_at_line(&self) -> (Vec<Arc<str>>, bool) {
        let now = self.clock.now();
        let mut state = self.state.lock();
        let stuck = state.mark.map(|mark| state.line.stuck(mark, now)).unwrap_or_default();
        let waits = state.line.waiting() > 0;
        state.mark = waits.then(|| state.line.next_number());
        (stuck, waits)
    }

    /// Whether it may be told that somebody waits for this host, which is noted.
    pub(crate) fn may_tell(&self, host: &str) -> bool {
        let now = self.clock.now();
        self.state.lock().line.may_tell(host, now)
    }

    /// Lets a task whose thread waits with it wait ahead of the line.
    pub(crate) fn push_parked(&self, core: &Arc<Core>, host: &str) -> (Ticket, Effects) {
        let job = Job { core: Arc::clone(core), has_thread: true };
        let mut state = self.state.lock();
        let ticket = state.line.push_returning(host, job);
        let mut granted = Vec::new();
        state.dispatch(&mut granted);
        let waits = state.line.has(ticket);
        (ticket, Effects { waits, ..self.staffed(state, granted) })
    }

    /// Whether anybody waits in line.
    pub(crate) fn has_line(&self) -> bool {
        self.state.lock().line.waiting() > 0
    }

    /// Takes a task out of the line.
    pub(crate) fn remove(&self, ticket: Ticket) {
        let removed = self.state.lock().line.remove(ticket);
        // It may be the last to hold the task, which is dropped without the lock.
        drop(removed);
    }

    /// Gives a waiting task another priority.
    pub(crate) fn set_priority(&self, ticket: Ticket, priority: f32) {
        self.state.lock().line.set_priority(ticket, priority);
    }

    /// Frees a place.
    pub(crate) fn free(&self, place: Place) -> Effects {
        let mut state = self.state.lock();
        state.line.free(place);
        self.dispatched(state)
    }

    /// Counts one more task that keeps its thread without having a place; returns whether
    /// there may be one more.
    pub(crate) fn park(&self) -> bool {
        self.parked.fetch_add(1, Ordering::SeqCst) < self.census.most_parked()
    }

    /// Counts one less.
    pub(crate) fn unpark(&self) {
        self.parked.fetch_sub(1, Ordering::SeqCst);
    }

    /// Forgets a task whose completion was told, and frees the place that it still has.
    /// Says whether the session has become invalid by that.
    pub(crate) fn finish(&self, id: u64, place: Option<Place>) -> (Effects, bool) {
        let mut state = self.state.lock();
        let finished = state.alive.remove(&Reverse(id));
        let frees = place.is_some();
        if let Some(place) = place {
            state.line.free(place);
        }
        let closes = self.becomes_quiet(&mut state);
        let mut granted = Vec::new();
        if frees {
            state.dispatch(&mut granted);
        }
        let effects = self.staffed(state, granted);
        drop(finished);
        (effects, closes)
    }

    /// Returns the task of this number, if it is alive.
    pub(crate) fn task(&self, id: u64) -> Option<Arc<Core>> {
        self.state.lock().alive.get(&Reverse(id)).cloned()
    }

    /// Returns the tasks that are alive, oldest first.
    pub(crate) fn alive(&self) -> Vec<Arc<Core>> {
        self.state.lock().alive.values().rev().cloned().collect()
    }

    /// Counts a call of the program that belongs to no task.
    pub(crate) fn begin_call(&self) {
        self.state.lock().calls += 1;
    }

    /// It was made.
    pub(crate) fn end_call(&self) {
        let mut state = self.state.lock();
        state.calls -= 1;
        self.tell_if_quiet(&state);
    }

    /// Takes no more tasks from now on; says whether the session has become invalid by
    /// that.
    pub(crate) fn close(&self) -> bool {
        let mut state = self.state.lock();
        if state.phase != Phase::Open {
            return false;
        }
        state.phase = Phase::Closing;
        self.becomes_quiet(&mut state)
    }

    /// Gives nobody a place any more.
    pub(crate) fn stop(&self) {
        self.state.lock().stopped = true;
    }

    /// Waits until nothing is alive, for at most `timeout`; returns whether that is so.
    pub(crate) fn wait_until_quiet(&self, timeout: Duration) -> bool {
        let mut state = self.state.lock();
        state.awaiting_quiet += 1;
        state = self.quiet.wait_timeout_while(state, timeout, |state| !state.is_quiet()).0;
        state.awaiting_quiet -= 1;
        state.is_quiet()
    }

    /// Notes that the last thing may have ended; returns whether the session has become
    /// invalid by that.
    fn becomes_quiet(&self, state: &mut Roster) -> bool {
        if !state.alive.is_empty() {
            return false;
        }
        let closes = state.phase == Phase::Closing;
        if closes {
            state.phase = Phase::Closed;
            // For the last message of the session, which is yet to come.
            state.calls += 1;
            self.work.notify_all();
        }
        self.tell_if_quiet(state);
        closes
    }

    fn tell_if_quiet(&self, state: &Roster) {
        if state.awaiting_quiet > 0 && state.is_quiet() {
            self.quiet.notify_all();
        }
    }
}

impl Roster {
    fn check_open(&self) -> Result<(), Error> {
        if self.phase == Phase::Open {
            return Ok(());
        }
        let detail = "the session was invalidated and takes no more tasks";
        Err(Error::new(ErrorKind::SessionInvalidated, detail))
    }

    fn is_quiet(&self) -> bool {
        self.alive.is_empty() && self.calls == 0 && self.phase != Phase::Closing
    }

    fn dispatch(&mut self, granted: &mut Vec<Ready>) {
        while !self.stopped
            && let Some((ticket, job, place)) = self.line.next()
        {
            let ready = Ready { core: job.core, ticket, place };
            if job.has_thread {
                granted.push(ready);
            } else {
                self.ready.push_back(ready);
            }
        }
    }
}
