//! How a task gets a place to run in, gives it up, and gets it back.

use std::borrow::Cow;
use std::mem;
use std::sync::Arc;
use std::time::{Duration, Instant};

use url::Position;

use super::Local;
use super::complaint::LONG;
use super::pool::Effects;
use super::retry::may_start_over;
use super::transfer::Transfer;
use crate::cancel::CancelToken;
use crate::error::{Error, ErrorKind};
use crate::session::task::{Core, Dispatch, Place, Record, Ticket};

/// What a worker does after an attempt was ended to begin again.
#[derive(Debug)]
pub(super) enum Detached {
    /// It runs the task again.
    RunAgain,
    /// It leaves the task, which will have another one.
    Left,
    /// It completes the task, which was cancelled meanwhile.
    Cancelled,
}

impl Local {
    /// Returns what stands for the host of a task in the line: scheme, host and port of where its
    /// request goes. With the task locked, nobody else is asked.
    pub(super) fn host<'a>(&self, core: &'a Core, state: &'a Record) -> Cow<'a, str> {
        let url = core.current(state).url();
        match url.and_then(|url| self.loader.secured(url)) {
            Some(url) => Cow::Owned(url[..Position::BeforePath].to_owned()),
            None => Cow::Borrowed(core.host(state)),
        }
    }

    /// Gives the task that `ticket` stood for to the worker that calls this, unless it does
    /// not wait for it any more.
    pub(super) fn attach(&self, core: &Core, ticket: Ticket, place: Place) -> Result<(), Place> {
        let mut state = core.state.lock();
        state.dispatch.attach(ticket, place)?;
        self.timer.forget(core, &mut state);
        Ok(())
    }

    /// Gives a place to a task whose thread waits for it; returns it if it does not.
    pub(super) fn grant(&self, core: &Core, ticket: Ticket, place: Place) -> Option<Place> {
        let granted = core.state.lock().dispatch.grant(ticket, place);
        match granted {
            Ok(was_parked) => {
                if was_parked {
                    self.pool.unpark();
                }
                core.changed.notify_all();
                None
            }
            Err(place) => Some(place),
        }
    }

    /// Has a task that runs again wait for what it needs for that.
    pub(super) fn stand_in_line(&self, core: &Arc<Core>, state: &mut Record) -> Effects {
        match &mut state.dispatch {
            Dispatch::Idle => {
                // Whoever had a place before goes ahead.
                let priority = if state.attempts.had_place() { None } else { Some(state.priority) };
                let queued = self.pool.push(core, &self.host(core, state), priority);
                self.queue(core, state, queued, self.now())
            }
            Dispatch::OnThread(slot) if slot.wants_place() => {
                let (ticket, effects) = self.pool.push_parked(core, &self.host(core, state));
                if let Some(slot) = state.dispatch.slot() {
                    slot.wait_with(ticket);
                }
                effects
            }
            Dispatch::Queued(_) | Dispatch::OnThread(_) | Dispatch::Retired => Effects::default(),
        }
    }

    /// Has a task without a thread wait with its ticket.
    pub(super) fn queue(
        &self,
        core: &Arc<Core>,
        state: &mut Record,
        (ticket, mut effects): (Ticket, Effects),
        now: Instant,
    ) -> Effects {
        state.dispatch = Dispatch::Queued(ticket);
        if effects.waits {
            effects.watches =
                self.timer.watch_in_line(core, state, state.life.due(now), now + LONG);
        }
        effects
    }

    /// Gives up what a task that is suspended has or waits for. Beyond the number of tasks
    /// that may keep a thread, the attempt ends, and what ends it is returned.
    pub(super) fn leave(
        &self,
        core: &Core,
        state: &mut Record,
    ) -> (Option<Place>, Option<CancelToken>) {
        let Some(slot) = state.dispatch.slot() else {
            if let Dispatch::Queued(ticket) = state.dispatch {
                self.pool.remove(ticket);
                state.dispatch = Dispatch::Idle;
            }
            self.timer.forget(core, state);
            return (None, None);
        };
        if let Some(ticket) = slot.take_ticket() {
            self.pool.remove(ticket);
        }
        let Some(place) = slot.give_up() else { return (None, None) };
        let may_stay = self.pool.park() || slot.is_callers();
        slot.park();
        state.attempts.gave_up_place();
        let starts_over = !may_stay && may_start_over(core, state);
        let ended = if starts_over { state.attempts.start_over() } else { None };
        if !may_stay && !starts_over {
            // Its connection stays, without the thread.
            state.attempts.leave_thread();
        }
        (Some(place), ended)
    }

    /// Takes a task that was cancelled out of the line. Returns whether somebody else
    /// completes it.
    pub(super) fn quit_line(&self, core: &Core, state: &mut Record) -> bool {
        if let Some(slot) = state.dispatch.slot() {
            if let Some(ticket) = slot.take_ticket() {
                self.pool.remove(ticket);
            }
            return true;
        }
        // Its completion is on its way.
        if matches!(state.dispatch, Dispatch::Retired) {
            return true;
        }
        self.take_away(core, state, Dispatch::Retired);
        false
    }

    /// Takes what a task has of threads and places from it, for `next`; returns its place.
    pub(super) fn take_away(
        &self,
        core: &Core,
        state: &mut Record,
        next: Dispatch,
    ) -> Option<Place> {
        let left = state.dispatch.leave(next);
        if left.was_parked {
            self.pool.unpark();
        }
        if let Some(ticket) = left.ticket {
            self.pool.remove(ticket);
        }
        self.timer.forget(core, state);
        left.place
    }

    /// Takes a task that has ended out of everything; returns the place that it had.
    pub(super) fn retire(&self, core: &Core) -> Option<Place> {
        self.take_away(core, &mut core.state.lock(), Dispatch::Retired)
    }

    /// Gives the place up while the thread waits for something that may take long, if there
    /// may be one more such thread.
    pub(super) fn give_way(&self, core: &Core) {
        if let Some(place) = self.aside(core) {
            self.free(place);
        }
    }

    /// Has the task step aside, and returns its place, which is free then.
    pub(super) fn aside(&self, core: &Core) -> Option<Place> {
        let mut state = core.state.lock();
        state.dispatch.slot()?.set_aside(true);
        core.flags.look();
        self.park(&mut state)
    }

    /// Takes the place, if there may be one more thread without.
    fn park(&self, state: &mut Record) -> Option<Place> {
        let slot = state.dispatch.slot()?;
        // The thread of a caller is none of the session's.
        if slot.is_callers() {
            return slot.give_up();
        }
        let may_park = self.pool.park();
        let place = if may_park { slot.give_up() } else { None };
        if place.is_some() {
            slot.park();
            state.attempts.gave_up_place();
        } else {
            self.pool.unpark();
        }
        place
    }

    /// Stops here as long as the task is suspended or has no place; fails if it has been
    /// cancelled, or has to start over.
    pub(super) fn wait_for_place(&self, core: &Arc<Core>) -> Result<(), Error> {
        let mut state = core.state.lock();
        let mut in_line_since = None;
        let mut has_complained = false;
        loop {
            if state.life.is_canceling() || state.attempts.starts_over() {
                return Err(core.why_cancelled(&state));
            }
            let now = self.now();
            let mut deadline = None;
            let is_running = state.life.is_running();
            let Some(slot) = state.dispatch.slot() else { return Ok(()) };
            // Nothing else is waited for any more, even if it is suspended.
            slot.set_aside(false);
            if is_running {
                if slot.has_place() {
                    core.flags.has_looked();
                    return Ok(());
                }
                if !slot.has_ticket() {
                    let effects = self.stand_in_line(core, &mut state);
                    drop(state);
                    self.act(effects);
                    state = core.state.lock();
                    continue;
                }
                let is_callers = slot.is_callers();
                deadline = state.life.due(now);
                if deadline.is_some_and(|deadline| deadline <= now) {
                    return Err(core.overdue(&state));
                }
                let since = *in_line_since.get_or_insert(now);
                if !has_complained {
                    let long = since + LONG;
                    if long <= now {
                        has_complained = true;
                        let host = self.host(core, &state).into_owned();
                        drop(state);
                        self.complain_once(&host);
                        state = core.state.lock();
                        continue;
                    }
                    deadline = deadline.into_iter().chain([long]).min();
                }
                if is_callers {
                    let until = since.checked_add(patience(core));
                    if until.is_some_and(|until| until <= now) {
                        return Err(core.on_url(&state, waited_in_line(core)));
                    }
                    deadline = deadline.into_iter().chain(until).min();
                }
            } else {
                in_line_since = None;
            }
            let slice = core.shared.slice(deadline, now);
            state = core.changed.wait_timeout(state, slice).0;
        }
    }

    /// Goes over to a place of the host that a redirect has led to. Where no more threads may
    /// wait for that, the task leaves this one and stands in line without.
    pub(super) fn move_to_host(&self, core: &Arc<Core>) -> Result<(), Error> {
        let mut state = core.state.lock();
        if state.dispatch.is_elsewhere(&self.host(core, &state)) {
            let parked = self.park(&mut state);
            core.flags.look();
            let keeps_place = state.dispatch.slot().is_some_and(|slot| slot.keeps_place());
            if parked.is_none() && !keeps_place {
                core.flags.pauses();
                state.attempts.gave_up_place();
                state.attempts.leave_thread();
            }
            drop(state);
            if let Some(place) = parked {
                self.free(place);
            }
        } else {
            drop(state);
        }
        core.rest()
    }

    /// Lets go of a task whose transfer has left the thread, with what it goes on with.
    pub(super) fn let_go(&self, core: &Arc<Core>, transfer: Transfer) {
        let mut state = core.state.lock();
        state.attempts.thread_has_gone();
        self.keep_left(core, transfer);
        let freed = self.take_away(core, &mut state, Dispatch::Idle);
        let effects = if state.life.is_running() {
            self.stand_in_line(core, &mut state)
        } else {
            Effects::default()
        };
        drop(state);
        self.act(effects);
        if let Some(place) = freed {
            self.free(place);
        }
    }

    /// Keeps what a task goes on with that has no thread; called with the task locked.
    fn keep_left(&self, core: &Core, transfer: Transfer) {
        if !transfer.is_empty() {
            core.flags.pauses();
            let left = self.left.lock().insert(core.id, Box::new(transfer));
            debug_assert!(left.is_none(), "a task has one transfer");
        }
    }

    /// Takes what a task goes on with, if it has left a thread.
    pub(super) fn take_left(&self, core: &Core) -> Transfer {
        let left = core.flags.has_paused().then(|| self.left.lock().remove(&core.id)).flatten();
        left.map_or_else(Transfer::default, |transfer| *transfer)
    }

    /// Lets go of a task whose attempt was ended to begin again, with what has come.
    pub(super) fn detach(&self, core: &Arc<Core>, transfer: &mut Transfer) -> Detached {
        // Dropped after the lock: the program may have put a body into it.
        let current;
        let mut state = core.state.lock();
        drop(state.attempts.end());
        core.counters.receive_anew();
        // It begins where it began first.
        current = state.seen.start_over();
        if state.life.is_canceling() {
            return Detached::Cancelled;
        }
        let has_moved = current.is_some();
        let waits_until = state.attempts.waits_until();
        let Some(slot) = state.dispatch.slot() else { return Detached::Left };
        if slot.is_callers() || (slot.has_place() && !has_moved && waits_until.is_none()) {
            let freed = if has_moved { self.park(&mut state) } else { None };
            core.flags.look();
            drop(state);
            if let Some(place) = freed {
                self.free(place);
            }
            return Detached::RunAgain;
        }
        self.keep_left(core, mem::take(transfer));
        let freed = self.take_away(core, &mut state, Dispatch::Idle);
        let effects = if waits_until.is_some() {
            self.put_off(core, &mut state)
        } else if state.life.is_running() {
            self.stand_in_line(core, &mut state)
        } else {
            Effects::default()
        };
        drop(state);
        self.act(effects);
        if let Some(place) = freed {
            self.free(place);
        }
        Detached::Left
    }
}

/// How long a blocking call waits in line: as long as for every other thing to happen.
fn patience(core: &Core) -> Duration {
    core.request.timeout_for_request_or(core.shared.configuration.timeout_for_request)
}

/// The error of a blocking call that has waited in line for so long.
fn waited_in_line(core: &Core) -> Error {
    let detail = format!(
        "the request timed out: it waited in line for {:?}, its timeout_for_request, while \
         as many loads ran as maximum_connections_per_host or maximum_concurrent_tasks allows",
        patience(core)
    );
    Error::new(ErrorKind::TimedOut, detail)
}
