//! This process as a scheduler: tasks run on its threads.
//!
//! `line` decides who is next, `pool` which threads there are, `place` moves a task between
//! the two, `in_place` has it step aside while its thread calls the program, `begin` starts it,
//! `transfer` runs it, `retry` decides whether it runs once more, `waiting` has it wait for that,
//! `connectivity` ends the wait for a connection, and `timer` what waits for too long.
//!
//! A task's lock may be held while the pool's or the timer's is taken, never the other way
//! round. What the pool decides comes back as [`Effects`], which [`Local::act`] carries out
//! with no lock held.

mod begin;
#[cfg(feature = "test-util")]
mod by_hand;
mod collect;
mod complaint;
mod connectivity;
mod in_place;
mod line;
mod parts;
mod place;
mod pool;
mod pump;
mod receive;
mod rest;
mod retry;
mod scheduler;
mod stores;
mod timer;
mod transfer;
mod waiting;
mod worker;
mod writing;

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use self::line::Limits;
use self::pool::{Effects, Pool, Ready};
use self::timer::{Timer, Watched};
pub(super) use self::transfer::Loader;
use self::transfer::Transfer;
use super::audience::{self, Completion};
use super::handle::Shared;
use super::task::{Brought, Core, Dispatch, Place};
use crate::census::Census;
use crate::clock::Clock;
use crate::configuration::Configuration;
use crate::error::Error;
use crate::sync::{Mutex, Rank, assert_unlocked};

/// How many tasks run at once for one host, if the program does not say.
const TASKS_PER_HOST: usize = 6;

/// Runs the tasks of one session.
#[derive(Debug)]
pub(super) struct Local {
    /// Blocking calls need a place, too.
    binds_callers: bool,
    /// How many places a host has.
    per_host: usize,
    loader: Loader,
    pool: Pool,
    timer: Timer,
    clock: Clock,
    census: Census,
    /// What tasks go on with that have left a thread.
    left: Mutex<HashMap<u64, Box<Transfer>>>,
    /// The calls of the program that are under way on threads that run tasks: few, as each has a
    /// thread, and one of a task at most.
    in_place: Mutex<Vec<(Instant, Arc<Core>)>>,
    /// How long the system may refuse threads before the tasks that want them fail.
    patience: Duration,
    me: Weak<Self>,
}

impl Local {
    /// Makes what runs the tasks of a session; nothing is opened or started yet.
    pub(super) fn new(configuration: &Configuration, census: &Census) -> Result<Arc<Self>, Error> {
        let loader = Loader::new(configuration, census)?;
        let limits = Limits {
            in_all: configuration.maximum_concurrent_tasks,
            per_host: configuration.maximum_connections_per_host.unwrap_or(TASKS_PER_HOST).max(1),
        };
        let clock = configuration.clock.clone();
        Ok(Arc::new_cyclic(|me| Self {
            loader: loader.at_home(me.clone()),
            pool: Pool::new(limits, clock.clone(), census.clone()),
            timer: Timer::new(clock.clone(), census.clone(), me.clone() as Weak<dyn Watched>),
            clock,
            binds_callers: configuration.maximum_connections_per_host.is_some(),
            per_host: limits.per_host,
            census: census.clone(),
            left: Mutex::new(Rank::Left, HashMap::new()),
            in_place: Mutex::new(Rank::InPlace, Vec::new()),
            patience: configuration.timeout_for_request,
            me: me.clone(),
        }))
    }

    fn now(&self) -> Instant {
        self.clock.now()
    }

    /// Carries out what the pool has decided. Called with no lock held.
    fn act(&self, effects: Effects) {
        assert_unlocked("what the pool has decided is carried out");
        for Ready { core, ticket, place } in effects.granted {
            if let Some(place) = self.grant(&core, ticket, place) {
                // Nobody wants it any more: the next one's turn.
                self.free(place);
            }
        }
        if effects.watches {
            self.timer.attend();
        }
        if effects.waits {
            self.wait_behind_calls();
        }
        for _ in 0..effects.starts_workers {
            self.start_worker();
        }
    }

    /// Frees a place. Called with no lock held.
    fn free(&self, place: Place) {
        self.act(self.pool.free(place));
    }

    /// Ends a task that no thread has, and has that told.
    fn complete(&self, core: &Arc<Core>, outcome: Brought, is_refused: bool) {
        if let Some(place) = self.complete_holding(core, outcome, is_refused) {
            self.free(place);
        }
    }

    /// Ends a task and has that told. Returns the place that the caller, a worker, has to
    /// free.
    fn complete_holding(
        &self,
        core: &Arc<Core>,
        outcome: Brought,
        is_refused: bool,
    ) -> Option<Place> {
        let left = self.take_left(core);
        let outcome = outcome.map_err(|error| left.interrupted(core, error));
        let mut state = core.state.lock();
        let mut place = self.take_away(core, &mut state, Dispatch::Retired);
        let completion = Completion::of(core, state, outcome, is_refused);
        if completion.calls_here()
            && let Some(place) = place.take()
        {
            self.free(place);
        }
        completion.tell();
        place
    }

    /// Forgets a task whose completion was told, and frees the place that it still has.
    fn forget_task(&self, core: &Core, place: Option<Place>) {
        let (effects, closes) = self.pool.finish(core.id, place);
        self.act(effects);
        if closes {
            self.become_invalid(&core.shared);
        }
    }

    /// Everything has ended: closes what is open and says so.
    fn become_invalid(&self, session: &Arc<Shared>) {
        self.timer.close();
        self.loader.close();
        audience::tell_invalid(session);
        // Counted by the pool when it closed.
        self.pool.end_call();
    }
}

impl Watched for Local {
    fn expire(&self, id: u64, now: Instant) {
        if let Some(core) = self.pool.task(id) {
            self.expire_task(&core, now);
        }
    }

    fn staff(&self) {
        self.act(self.pool.staff());
    }

    fn relieve(&self) {
        self.relieve_calls();
    }

    fn look_at_line(&self) {
        self.look_at_waiting();
    }

    fn network_has_changed(&self) -> bool {
        self.try_to_connect()
    }

    fn has_workers(&self) -> bool {
        self.pool.has_workers()
    }
}
