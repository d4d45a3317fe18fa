//! The thread that looks at tasks without a thread when their moment comes.
//!
//! A task with a thread looks at the clock itself. One that waits in line has a moment at
//! which it would be late, one that waits to connect has the moment of its next try: these
//! stand in an order, so that the thread sleeps until the first of them, however many there
//! are. It also asks the system again for workers that it refused, and is there before that is
//! needed; and it looks at calls of the program for which others wait, at a line that does
//! not move, and at the network, while somebody waits to connect. It is started when the first has
//! to wait, or with the second worker, and leaves when there is nobody to look after.

mod moments;

use std::fmt;
use std::num::NonZeroU64;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use self::moments::{Due, Moments};
use crate::census::Census;
use crate::clock::Clock;
use crate::engine::NetworkWatch;
use crate::log;
use crate::session::task::{Core, Record};
use crate::sync::{Condvar, Mutex, MutexGuard, Rank};

/// How long the thread stays when nobody waits.
const IDLE: Duration = Duration::from_secs(5);

/// How long it sleeps where no moment is to come, but a change of the network.
const LONG: Duration = Duration::from_secs(3600);

/// What it is woken for.
pub(super) trait Watched: Send + Sync {
    /// The moment of the task of this number has come.
    fn expire(&self, id: u64, now: Instant);

    /// Asks the system again for threads that it refused.
    fn staff(&self);

    /// Looks at calls of the program on threads that run tasks.
    fn relieve(&self);

    /// Looks at the line.
    fn look_at_line(&self);

    /// The network has changed; returns whether anybody waits for that.
    fn network_has_changed(&self) -> bool;

    /// Whether a worker may be refused that is asked for by the timer alone.
    fn has_workers(&self) -> bool;
}

/// Watches the tasks of one session that wait.
pub(super) struct Timer {
    clock: Clock,
    census: Census,
    watched: Weak<dyn Watched>,
    watch: Arc<Watch>,
}

#[derive(Debug)]
struct Watch {
    state: Mutex<Moments>,
    /// The first moment has changed, or it is time to leave.
    changed: Condvar,
    /// When the timer was made: moments are nanoseconds from here on, as 100,000 of them may
    /// be kept.
    origin: Instant,
}

impl fmt::Debug for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timer").field("watch", &self.watch).finish_non_exhaustive()
    }
}

impl Timer {
    pub(super) fn new(clock: Clock, census: Census, watched: Weak<dyn Watched>) -> Self {
        let watch = Watch {
            state: Mutex::new(Rank::Timer, Moments::default()),
            changed: Condvar::new(),
            origin: clock.now(),
        };
        Self { clock, census, watched, watch: Arc::new(watch) }
    }

    /// Has the task, which is locked, looked at when `moment` comes. A moment that never
    /// comes is none.
    pub(super) fn watch(&self, core: &Arc<Core>, state: &mut Record, moment: Option<Instant>) {
        self.forget(core, state);
        self.note(&mut self.watch.state.lock(), core, state, moment);
    }

    /// Does the same for one that stands in line, and has the line looked at when `look` comes,
    /// unless it will be before, as long as a task without a thread is watched. Returns whether
    /// the thread has to be [attended](Self::attend) to.
    pub(super) fn watch_in_line(
        &self,
        core: &Arc<Core>,
        state: &mut Record,
        moment: Option<Instant>,
        look: Instant,
    ) -> bool {
        self.forget(core, state);
        let mut moments = self.watch.state.lock();
        self.note(&mut moments, core, state, moment);
        self.note_line(&mut moments, look);
        !moments.runs
    }

    fn note(
        &self,
        moments: &mut Moments,
        core: &Core,
        state: &mut Record,
        moment: Option<Instant>,
    ) {
        let Some(moment) = moment.map(|moment| self.watch.nanos(moment)) else { return };
        state.attempts.watched(Some(moment));
        if moments.insert(moment, core.id) {
            self.wake(moments);
        }
    }

    fn note_line(&self, moments: &mut Moments, look: Instant) {
        if moments.line.is_none() {
            moments.line = Some(self.watch.nanos(look));
            if moments.runs {
                self.wake(moments);
            }
        }
    }

    /// Has the task, which is locked, not looked at any more.
    pub(super) fn forget(&self, core: &Core, state: &mut Record) {
        let Some(moment) = state.attempts.watched(None) else { return };
        let mut moments = self.watch.state.lock();
        moments.remove(moment, core.id);
        if moments.tasks.is_empty() && moments.runs {
            self.wake(&mut moments);
        }
    }

    /// Has the thread look at what has changed; a system call, so it is not woken twice.
    fn wake(&self, moments: &mut Moments) {
        if !std::mem::replace(&mut moments.is_awake, true) {
            match &moments.network.watch {
                Some(network) => network.wake(),
                None => self.watch.changed.notify_one(),
            }
        }
    }

    /// Watches the network, for somebody who waits to connect. Called with no lock held.
    pub(super) fn watch_network(&self) {
        if self.watch.state.lock().network.watch.is_some() {
            return;
        }
        let opened = NetworkWatch::open(&self.census);
        let Ok(network) =
            opened.inspect_err(|error| log::debug!("no watch on the network: {error}"))
        else {
            return;
        };
        let mut moments = self.watch.state.lock();
        if moments.network.watch.is_none() && !moments.closed {
            // If it waits, it does so without.
            self.wake(&mut moments);
            moments.network.watch = Some(Arc::new(network));
        }
    }

    /// Looks after a thread of the program's that waits to connect, until what is returned is
    /// dropped. Called with no lock held.
    pub(super) fn look_after_caller(&self) -> Caller<'_> {
        self.watch_network();
        self.watch.state.lock().network.callers += 1;
        self.attend();
        Caller(self)
    }

    /// Has the system asked for threads again at a moment; returns whether it will be.
    /// Called with no lock held.
    pub(super) fn ask_for_workers(&self, moment: Instant) -> bool {
        let moment = self.watch.nanos(moment);
        let mut moments = self.watch.state.lock();
        let earlier = moments.workers.map_or(moment, |known| known.min(moment));
        moments.workers = Some(earlier);
        if moments.runs {
            self.wake(&mut moments);
        }
        drop(moments);
        self.attend()
    }

    /// Has calls on threads that run tasks looked at when `moment` comes. Called with no lock
    /// held.
    pub(super) fn look_at_calls(&self, moment: Instant) {
        let moment = self.watch.nanos(moment);
        {
            let mut moments = self.watch.state.lock();
            if moments.calls.is_some_and(|known| known <= moment) {
                return;
            }
            moments.calls = Some(moment);
            if moments.runs {
                self.wake(&mut moments);
            }
        }
        self.attend();
    }

    /// Has the line looked at when `moment` comes, unless it will be before, as long as a task
    /// without a thread is watched.
    pub(super) fn look_at_line(&self, moment: Instant) {
        self.note_line(&mut self.watch.state.lock(), moment);
    }

    /// Sees to it that the thread is there if somebody waits; returns whether it is. Called
    /// with no lock held.
    pub(super) fn attend(&self) -> bool {
        {
            let mut moments = self.watch.state.lock();
            if moments.runs || moments.closed {
                return moments.runs;
            }
            (moments.runs, moments.is_awake) = (true, true);
        }
        let (watch, clock, watched) =
            (Arc::clone(&self.watch), self.clock.clone(), Weak::clone(&self.watched));
        let life = Box::new(move || watch.run(&clock, &watched));
        if let Err(error) = self.census.spawn("urlsession-timer", life) {
            // Tried again with the next task that waits.
            self.watch.state.lock().runs = false;
            log::warn!("no thread to watch over tasks that wait: {error}");
            return false;
        }
        true
    }

    /// Sends the thread home.
    pub(super) fn close(&self) {
        let mut moments = self.watch.state.lock();
        moments.closed = true;
        moments.tasks.clear();
        let network = moments.network.watch.take();
        drop(moments);
        self.watch.changed.notify_all();
        network.inspect(|network| network.wake());
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.close();
    }
}

/// A thread of the program's that waits to connect.
#[must_use = "it is looked after until this is dropped"]
pub(super) struct Caller<'a>(&'a Timer);

impl Drop for Caller<'_> {
    fn drop(&mut self) {
        let mut moments = self.0.watch.state.lock();
        moments.network.callers -= 1;
        if moments.runs {
            self.0.wake(&mut moments);
        }
    }
}

impl Watch {
    /// Returns a moment as nanoseconds; centuries away is never.
    fn nanos(&self, moment: Instant) -> NonZeroU64 {
        let nanos = moment.saturating_duration_since(self.origin).as_nanos();
        let nanos = u64::try_from(nanos).unwrap_or(u64::MAX).saturating_add(1);
        NonZeroU64::new(nanos).unwrap_or(NonZeroU64::MIN)
    }

    /// The life of the thread.
    fn run(&self, clock: &Clock, watched: &Weak<dyn Watched>) {
        loop {
            let due = self.next(clock);
            let watched = watched.upgrade();
            match (due, &watched) {
                (Due::Task(id), Some(watched)) => watched.expire(id, clock.now()),
                (Due::Workers, Some(watched)) => watched.staff(),
                (Due::Calls, Some(watched)) => watched.relieve(),
                (Due::Line, Some(watched)) => watched.look_at_line(),
                (Due::Network, Some(watched)) => {
                    if !watched.network_has_changed() {
                        self.close_network();
                    }
                }
                (Due::Leaving, Some(watched)) if watched.has_workers() && !self.is_closed() => {
                    self.close_network();
                }
                _ => {
                    let mut moments = self.state.lock();
                    // Somebody may have come since.
                    if moments.closed || !moments.has_any() {
                        moments.runs = false;
                        let network = moments.network.watch.take();
                        drop(moments);
                        drop(network);
                        return;
                    }
                }
            }
        }
    }

    /// Looks at the network no more, until somebody waits to connect again.
    fn close_network(&self) {
        let network = self.state.lock().network.watch.take();
        drop(network);
    }

    /// Nobody is looked after any more, whoever is still on the way out.
    fn is_closed(&self) -> bool {
        self.state.lock().closed
    }

    /// Waits for the next moment, and returns what it is for.
    fn next(&self, clock: &Clock) -> Due {
        let mut moments = self.state.lock();
        let mut idle_since = None;
        loop {
            let now = clock.now();
            let nanos = self.nanos(now);
            let left = match moments.first() {
                _ if moments.closed => Duration::ZERO,
                Some(moment) if moment <= nanos => return moments.take_first(),
                Some(moment) => Duration::from_nanos(moment.get() - nanos.get()),
                None if moments.network.callers > 0 => LONG,
                None => {
                    let since = *idle_since.get_or_insert(now);
                    IDLE.saturating_sub(now.saturating_duration_since(since))
                }
            };
            if left.is_zero() {
                return Due::Leaving;
            }
            moments.is_awake = false;
            moments = self.sleep(moments, clock, left);
            moments.is_awake = true;
            if moments.has_any() {
                idle_since = None;
            }
        }
    }

    /// Sleeps until it is woken, or the network has changed.
    fn sleep<'a>(
        &'a self,
        moments: MutexGuard<'a, Moments>,
        clock: &Clock,
        left: Duration,
    ) -> MutexGuard<'a, Moments> {
        let left = clock.slice(left);
        let Some(network) = moments.network.watch.clone() else {
            return self.changed.wait_timeout(moments, left).0;
        };
        drop(moments);
        let changed = network.wait(left);
        let mut moments = self.state.lock();
        match changed {
            Ok(true) => moments.network.changed(self.nanos(clock.now())),
            Ok(false) => {}
            // It is looked at by those who wait alone, now and then.
            Err(_) => moments.network.watch = None,
        }
        moments
    }
}
