//! How a task gets a place to run in, gives it up, and gets it back.

use std::mem;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::core::{Core, State};
use super::state::TaskState;
use crate::cancel::CancelToken;
use crate::error::{Error, ErrorKind};
use crate::session::line::{Place, Ticket};
use crate::session::pool::Effects;
use crate::session::timer;

/// Where a task stands.
#[derive(Debug)]
pub(super) enum Standing {
    /// No thread has it, and it does not wait for one.
    Away,
    /// It waits for a worker.
    InLine(Ticket),
    /// A thread has it.
    Attached(Attached),
    /// It has ended.
    Done,
}

/// What a task has that a thread has.
#[derive(Debug, Default)]
pub(super) struct Attached {
    /// Its right to run.
    pub(super) place: Option<Place>,
    /// It waits to get it back.
    pub(super) ticket: Option<Ticket>,
    /// Its thread waits for something else first.
    pub(super) is_aside: bool,
    /// It is counted as keeping a thread without a place.
    pub(super) is_parked: bool,
    /// The thread is the program's own.
    pub(super) is_callers: bool,
    /// It runs inside code of the program that another task waits for, and would never
    /// get a place back that it gave up.
    pub(super) keeps_place: bool,
}

/// What a worker does after an attempt was ended to begin again.
#[derive(Debug)]
pub(super) enum Then {
    /// Run it again.
    Again,
    /// Leave it.
    Leave,
    /// It was cancelled meanwhile.
    Complete,
}

impl Core {
    /// Gives the task that `ticket` stood for to the worker that calls this, unless it does
    /// not wait for it any more.
    pub(super) fn attach(&self, ticket: Ticket, place: Place) -> Result<(), Place> {
        let mut state = self.state.lock();
        match state.standing {
            Standing::InLine(waiting) if waiting == ticket => {
                let attached = Attached { place: Some(place), ..Attached::default() };
                state.standing = Standing::Attached(attached);
                Ok(())
            }
            _ => Err(place),
        }
    }

    /// Gives a place to a task whose thread waits for it; returns it if it does not.
    pub(crate) fn grant(&self, ticket: Ticket, place: Place) -> Option<Place> {
        let mut state = self.state.lock();
        match &mut state.standing {
            Standing::Attached(attached) if attached.ticket == Some(ticket) => {
                attached.ticket = None;
                attached.place = Some(place);
                if mem::take(&mut attached.is_parked) {
                    self.shared.pool().unpark();
                }
                drop(state);
                self.changed.notify_all();
                None
            }
            _ => Some(place),
        }
    }

    /// Has a task that runs again wait for what it needs for that.
    pub(super) fn stand_in_line(self: &Arc<Self>, state: &mut State) -> Effects {
        match &state.standing {
            Standing::Away => {
                let (priority, returns) = (state.priority, state.returns);
                let host = self.host(state);
                let (ticket, effects) = self.shared.pool().push(self, host, priority, returns);
                state.standing = Standing::InLine(ticket);
                effects
            }
            Standing::Attached(attached) if attached.wants_place() => {
                let (ticket, effects) = self.shared.pool().push_parked(self, self.host(state));
                if let Standing::Attached(attached) = &mut state.standing {
                    attached.ticket = Some(ticket);
                }
                effects
            }
            Standing::InLine(_) | Standing::Attached(_) | Standing::Done => Effects::default(),
        }
    }

    /// Gives up what a task that is suspended has or waits for. Beyond the number of tasks
    /// that may keep a thread, the attempt ends, and what ends it is returned.
    pub(super) fn leave(&self, state: &mut State) -> (Effects, Option<CancelToken>) {
        match &mut state.standing {
            Standing::InLine(ticket) => {
                self.shared.pool().remove(*ticket);
                state.standing = Standing::Away;
            }
            Standing::Attached(attached) => {
                if let Some(ticket) = attached.ticket.take() {
                    self.shared.pool().remove(ticket);
                }
                if let Some(place) = attached.given_up() {
                    let may_stay = self.shared.pool().park() || attached.is_callers;
                    attached.is_parked = true;
                    state.returns = true;
                    let effects = self.shared.pool().free(place);
                    let starts_over = !may_stay && self.may_start_over(state);
                    state.starts_over |= starts_over;
                    let ended = if starts_over { state.attempt.clone() } else { None };
                    return (effects, ended);
                }
            }
            Standing::Away | Standing::Done => {}
        }
        (Effects::default(), None)
    }

    /// Whether sending the request again does no harm (RFC 9110 §9.2.2).
    pub(super) fn may_start_over(&self, state: &State) -> bool {
        self.request.method().is_idempotent()
            && self.current(state).method().is_idempotent()
            && self.request.body_to_send().is_none_or(|body| body.can_rewind())
    }

    /// Takes a task that was cancelled out of the line. Returns whether somebody else
    /// completes it.
    pub(super) fn quit_line(&self, state: &mut State) -> bool {
        match &mut state.standing {
            Standing::Attached(attached) => {
                if let Some(ticket) = attached.ticket.take() {
                    self.shared.pool().remove(ticket);
                }
                return true;
            }
            // Its completion is on its way.
            Standing::Done => return true,
            Standing::InLine(ticket) => self.shared.pool().remove(*ticket),
            Standing::Away => {}
        }
        state.standing = Standing::Done;
        false
    }

    /// Gives the place up while the thread waits for something that may take long, if there
    /// may be one more such thread. [`go_on`](Self::go_on) takes it again.
    pub(super) fn step_aside(&self) {
        let mut state = self.state.lock();
        let Standing::Attached(attached) = &mut state.standing else { return };
        attached.is_aside = true;
        self.look.store(true, Ordering::SeqCst);
        if let Some(effects) = self.park(&mut state) {
            drop(state);
            self.shared.act(effects);
        }
    }

    /// Frees the place, if there may be one more thread without.
    fn park(&self, state: &mut State) -> Option<Effects> {
        let Standing::Attached(attached) = &mut state.standing else { return None };
        if attached.is_callers {
            // Its thread is none of the session's.
            let place = attached.given_up()?;
            return Some(self.shared.pool().free(place));
        }
        if !self.shared.pool().park() {
            self.shared.pool().unpark();
            return None;
        }
        match attached.given_up() {
            Some(place) => {
                attached.is_parked = true;
                state.returns = true;
                Some(self.shared.pool().free(place))
            }
            None => {
                self.shared.pool().unpark();
                None
            }
        }
    }

    /// Stops here as long as the task is suspended or has no place; fails if it has been
    /// cancelled, or has to start over.
    pub(crate) fn go_on(self: &Arc<Self>) -> Result<(), Error> {
        if self.look.load(Ordering::Acquire) { self.wait_for_place() } else { Ok(()) }
    }

    pub(super) fn wait_for_place(self: &Arc<Self>) -> Result<(), Error> {
        let mut state = self.state.lock();
        loop {
            if state.state == TaskState::Canceling || state.starts_over {
                return Err(self.why_cancelled(&state));
            }
            let now = self.shared.now();
            let mut deadline = None;
            let is_running = state.state == TaskState::Running;
            let Standing::Attached(attached) = &mut state.standing else { return Ok(()) };
            // Nothing else is waited for any more, even if it is suspended.
            attached.is_aside = false;
            if is_running {
                if attached.place.is_some() {
                    self.look.store(false, Ordering::SeqCst);
                    return Ok(());
                }
                if attached.ticket.is_none() {
                    let effects = self.stand_in_line(&mut state);
                    drop(state);
                    self.shared.act(effects);
                    state = self.state.lock();
                    continue;
                }
                deadline = state.due(now);
                if deadline.is_some_and(|deadline| deadline <= now) {
                    return Err(self.on_url(&state, overdue()));
                }
            }
            let slice = self.shared.configuration.clock.slice(timer::until(deadline, now));
            state = self.changed.wait_timeout(state, slice).0;
        }
    }

    /// Goes over to the place of another host, after a redirect.
    pub(super) fn change_host(self: &Arc<Self>, before: &str) -> Result<(), Error> {
        let mut state = self.state.lock();
        if self.host(&state) == before {
            return Ok(());
        }
        let Some(effects) = self.park(&mut state) else { return Ok(()) };
        self.look.store(true, Ordering::SeqCst);
        drop(state);
        self.shared.act(effects);
        self.go_on()
    }

    /// Lets go of a task whose attempt was ended to begin again.
    pub(super) fn detach(self: &Arc<Self>) -> Then {
        // Dropped after the lock: the program may have put a body into it.
        let current;
        let mut state = self.state.lock();
        state.starts_over = false;
        state.attempt = None;
        self.received.store(0, Ordering::Relaxed);
        // It begins where it began first.
        current = state.seen.current.take();
        state.seen.response = None;
        if state.state == TaskState::Canceling {
            return Then::Complete;
        }
        let (has_moved, waits) = (current.is_some(), state.waits_until.is_some());
        let Standing::Attached(attached) = &mut state.standing else { return Then::Leave };
        if attached.is_callers || (attached.place.is_some() && !has_moved && !waits) {
            let effects = if has_moved { self.park(&mut state) } else { None };
            self.look.store(true, Ordering::SeqCst);
            drop(state);
            if let Some(effects) = effects {
                self.shared.act(effects);
            }
            return Then::Again;
        }
        let freed = attached.place.take();
        let ticket = attached.ticket.take();
        if mem::take(&mut attached.is_parked) {
            self.shared.pool().unpark();
        }
        state.standing = Standing::Away;
        if let Some(ticket) = ticket {
            self.shared.pool().remove(ticket);
        }
        let effects = if state.state == TaskState::Running && !waits {
            self.stand_in_line(&mut state)
        } else {
            Effects::default()
        };
        drop(state);
        self.shared.act(effects);
        if let Some(place) = freed {
            self.shared.act(self.shared.pool().free(place));
        }
        if waits {
            self.shared.wake_later();
        }
        Then::Leave
    }

    /// Whether its thread is the program's own.
    pub(super) fn is_callers(&self) -> bool {
        matches!(&self.state.lock().standing, Standing::Attached(attached) if attached.is_callers)
    }

    /// Takes what a task that has ended still has.
    pub(super) fn take_place(&self, state: &mut State) -> Option<Place> {
        let Standing::Attached(attached) = mem::replace(&mut state.standing, Standing::Done) else {
            return None;
        };
        if attached.is_parked {
            self.shared.pool().unpark();
        }
        if let Some(ticket) = attached.ticket {
            self.shared.pool().remove(ticket);
        }
        attached.place
    }
}

impl Attached {
    fn wants_place(&self) -> bool {
        self.place.is_none() && self.ticket.is_none() && !self.is_aside
    }

    /// Takes the place, if there is one to be given up.
    fn given_up(&mut self) -> Option<Place> {
        if self.keeps_place { None } else { self.place.take() }
    }
}

/// The error of a task that was not done in time.
pub(super) fn overdue() -> Error {
    let detail = "the request timed out: timeout_for_resource passed while it waited";
    Error::new(ErrorKind::TimedOut, detail)
}
