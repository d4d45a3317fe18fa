//! Downloads that come in several parts at once.
//!
//! The thread of the task goes on with the answer that it has, up to where others fetch, and then
//! fetches what is missing still. Its helpers are threads of their own, each with a place that was
//! free and that nobody waited for. They are there for one attempt, and end with it or while the
//! task is suspended: then what they have not fetched is missing, and no more.

mod aide;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use self::aide::Aide;
use super::Local;
use super::pump::{MOST, Pump};
use super::rest;
use super::transfer::{self, Loader};
use crate::cancel::CancelToken;
use crate::download::{Fit, Parts, Share, Sink, Split};
use crate::error::Error;
use crate::load::{Decoder, Hop, Load, Loaded, Means};
use crate::log;
use crate::session::inside::Inside;
use crate::session::task::{Core, Listener, Place};

/// How long it is until another look for places that are free.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// How long to wait for helpers before the next look at all else.
const MOMENT: Duration = Duration::from_millis(50);

/// Those who fetch the parts of one file. Each of them holds it once.
#[derive(Debug)]
struct Team {
    core: Arc<Core>,
    split: Arc<dyn Split>,
    /// Ends the attempt, and all that is fetched for it.
    attempt: Option<CancelToken>,
    /// How many may fetch.
    most: usize,
    /// How many helpers have failed.
    failed: AtomicUsize,
}

/// The task's own thread among them.
struct Lead<'a> {
    team: &'a Arc<Team>,
    loader: &'a Loader,
    pump: &'a mut Pump,
    listener: Option<&'a dyn Listener>,
    /// When to look for places again.
    looks: Option<Instant>,
}

/// Receives what is missing of a file: by `body`, as long as that goes on, and by requests for
/// parts.
pub(super) fn receive(
    (core, loader): (&Arc<Core>, &Loader),
    (body, pump): (&mut Decoder, &mut Pump),
    Parts { split, first, most }: Parts,
    sink: &mut dyn Sink,
    listener: Option<&dyn Listener>,
) -> Result<(), Error> {
    let attempt = core.state.lock().attempts.token();
    let team = Team { core: Arc::clone(core), split, attempt, most, failed: AtomicUsize::new(0) };
    let team = Arc::new(team);
    let outcome = {
        let _disband = Disband(&team);
        Lead { team: &team, loader, pump, listener, looks: None }.receive(first, body)
    };
    let failure = team.split.failure();
    drop(team);
    let joined = sink.join();
    failure.map_or(outcome, Err).and(joined)
}

impl Lead<'_> {
    fn receive(&mut self, first: Option<Box<dyn Share>>, body: &mut Decoder) -> Result<(), Error> {
        let team = self.team;
        if let Some(mut share) = first {
            self.take(body, &mut *share)?;
            drop(share);
            body.end();
        }
        let mut is_done = false;
        loop {
            team.core.rest()?;
            team.core.look_around(team.attempt.as_ref())?;
            self.call_helpers();
            // Before it is looked what is missing: what they leave is there then.
            let helpers = team.helpers();
            let next = if is_done { None } else { Arc::clone(&team.split).claim(1) };
            match next {
                Some(share) => is_done = !self.fetch(share)?,
                None if helpers == 0 => return Ok(()),
                None => self.wait(),
            }
        }
    }

    /// Fetches a share; returns whether it makes sense to fetch another one. What is wrong with a
    /// server shows when it is asked for what is missing in the end, by one request alone.
    fn fetch(&mut self, mut share: Box<dyn Share>) -> Result<bool, Error> {
        let (team, loader) = (self.team, self.loader);
        let fetched = team.fetch(loader, &mut *share, &mut |body, share| self.take(body, share));
        drop(share);
        match fetched {
            Ok(true) => Ok(true),
            Ok(false) => {
                team.split.refuse();
                Ok(false)
            }
            Err(error) if team.split.failure().is_some() => Err(error),
            Err(error) => {
                log::debug!("a part of a download has failed: {error}");
                Ok(team.is_stopped())
            }
        }
    }

    fn take(&mut self, body: &mut Decoder, share: &mut dyn Share) -> Result<u64, Error> {
        let team = self.team;
        let mut pump = std::mem::take(self.pump);
        let taken = team.take(body, share, &mut pump, &mut |pump| {
            self.listener.inspect(|listener| listener.progress(&team.core));
            if team.core.flags.must_look() {
                pump.pause();
            }
            team.core.rest()?;
            self.call_helpers();
            Ok(())
        });
        *self.pump = pump;
        taken
    }

    /// Waits for helpers to end, or for a moment.
    fn wait(&self) {
        let core = &self.team.core;
        let state = core.state.lock();
        drop(core.changed.wait_timeout(state, MOMENT));
        self.listener.inspect(|listener| listener.progress(core));
    }

    /// Has others help if there are places for them.
    fn call_helpers(&mut self) {
        let (team, now) = (self.team, self.team.core.shared.now());
        if self.looks.is_some_and(|at| now < at) {
            return;
        }
        self.looks = now.checked_add(LOOK_AGAIN);
        let wanted = (team.most - 1).saturating_sub(team.helpers()).min(team.split.room());
        if let Some(local) = self.loader.home().filter(|_| wanted > 0) {
            call_helpers(&local, team, wanted);
        }
    }
}

/// Has so many help at most.
fn call_helpers(local: &Arc<Local>, team: &Arc<Team>, most: usize) {
    let host = local.host(&team.core, &team.core.state.lock()).into_owned();
    let places = local.pool.spare(&host, most);
    let count = places.len();
    for (at, place) in places.into_iter().enumerate() {
        let held = Held(Arc::clone(local), Some(place));
        let Some(share) = Arc::clone(&team.split).claim(count - at) else { continue };
        let team = Arc::clone(team);
        let started =
            local.census.spawn("urlsession-part", Box::new(move || help(team, held, share)));
        if let Err(error) = started {
            log::debug!("the system refused a thread for a part of a download: {error}");
        }
    }
}

/// The life of a helper.
fn help(team: Arc<Team>, held: Held, share: Box<dyn Share>) {
    let core = Arc::clone(&team.core);
    let _inside = Inside::enter(&core.shared);
    team.help(&held.0, share);
    drop(held);
    drop(team);
    // Whoever has seen it there under the lock waits by now.
    drop(core.state.lock());
    core.changed.notify_all();
}

/// A place that was free, and is again in the end.
struct Held(Arc<Local>, Option<Place>);

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(place) = self.1.take() {
            self.0.free(place);
        }
    }
}

/// Waits until nobody helps any more.
struct Disband<'a>(&'a Arc<Team>);

impl Drop for Disband<'_> {
    fn drop(&mut self) {
        let core = &self.0.core;
        // The answer goes on with another thread if the task has left this one.
        let ends = self.0.helpers() > 0 && !core.state.lock().attempts.has_left();
        if ends {
            self.0.attempt.iter().for_each(CancelToken::cancel);
        }
        loop {
            let mut state = core.state.lock();
            if self.0.helpers() > 0 {
                drop(core.changed.wait_timeout(state, MOMENT));
                continue;
            }
            if ends {
                // The task itself is not cancelled: it may wait to be tried again.
                state.attempts.renew();
            }
            return;
        }
    }
}

impl Team {
    /// Returns how many help.
    fn helpers(self: &Arc<Self>) -> usize {
        Arc::strong_count(self) - 1
    }

    /// Whether nothing is fetched now, as the task was cancelled or is suspended.
    fn is_stopped(&self) -> bool {
        let is_over = self.attempt.as_ref().is_some_and(CancelToken::is_cancelled);
        is_over || aide::is_paused(&self.core)
    }

    /// Fetches one share after the other, as long as nobody waits for the place.
    fn help(&self, local: &Local, mut share: Box<dyn Share>) {
        let mut pump = Pump::default();
        loop {
            let fetched = self.fetch(&local.loader, &mut *share, &mut |body, share| {
                self.take(body, share, &mut pump, &mut |_| self.look())
            });
            drop(share);
            match fetched {
                Ok(true) => {}
                Ok(false) => return self.split.refuse(),
                Err(error) => return self.helper_failed(&error),
            }
            let next = if local.pool.has_line() { None } else { Arc::clone(&self.split).claim(1) };
            match next {
                Some(next) => share = next,
                None => return,
            }
        }
    }

    fn look(&self) -> Result<(), Error> {
        let stops = self.core.flags.must_look() && aide::is_paused(&self.core);
        if stops { Err(Error::cancelled()) } else { Ok(()) }
    }

    fn helper_failed(&self, error: &Error) {
        if self.split.failure().is_some() {
            // Of the disk: the task fails by it.
            self.attempt.iter().for_each(CancelToken::cancel);
        } else if !self.is_stopped() {
            log::debug!("a part of a download has failed: {error}");
            if self.failed.fetch_add(1, Ordering::SeqCst) + 1 >= self.most {
                self.split.refuse();
            }
        }
    }

    /// Asks for a share, and takes it if the answer fits; returns whether anything came of it.
    fn fetch(
        &self,
        loader: &Loader,
        share: &mut dyn Share,
        take: &mut dyn FnMut(&mut Decoder, &mut dyn Share) -> Result<u64, Error>,
    ) -> Result<bool, Error> {
        let aide = Arc::new(Aide(Arc::clone(&self.core)));
        let loaded = loader.part(&self.core, self.attempt.clone(), aide, share.asks())?;
        let mut body = loaded.body;
        match share.answered(&loaded.response, body.is_decoding()) {
            Fit::Brings => {}
            Fit::TooLate => return Ok(true),
            Fit::Not => {
                log::debug!("a part of a download does not fit: {}", loaded.response.status());
                return Ok(false);
            }
        }
        let count = take(&mut body, share)?;
        body.discard();
        Ok(count > 0)
    }

    /// Takes what comes, as far as the share goes; returns how much that was.
    fn take(
        &self,
        body: &mut Decoder,
        share: &mut dyn Share,
        pump: &mut Pump,
        each: &mut dyn FnMut(&mut Pump) -> Result<(), Error>,
    ) -> Result<u64, Error> {
        let (core, mut taken) = (&self.core, 0);
        loop {
            each(pump)?;
            let most = share.hold(MOST);
            let census = &core.shared.census;
            let count = if most > 0 { pump.turn(body, &mut *share, most, census)? } else { 0 };
            if count == 0 {
                return Ok(taken);
            }
            taken += count as u64;
            core.counters.received(count as u64);
            self.split.keep_up(core.shared.now())?;
        }
    }
}

impl Loader {
    /// Loads as far as the head of an answer that is to bring a part of a file: from where the task
    /// has come to, with what `aide` answers.
    fn part(
        &self,
        core: &Arc<Core>,
        token: Option<CancelToken>,
        aide: Arc<Aide>,
        asks: (String, String),
    ) -> Result<Loaded, Error> {
        let context = transfer::context(core, token, aide);
        let moved = core.state.lock().seen.current().cloned();
        let has_moved = moved.is_some();
        let request = rest::asked_for(moved.as_ref().unwrap_or(&core.request), asks);
        let hop = if has_moved {
            Hop::where_led(&request, &self.rules)?
        } else {
            Hop::first(&request, &self.rules)?
        };
        let means = Means { wire: &self.engine, rules: &self.rules, context: &context };
        let mut load = Load::new(hop);
        let response = load.go_on(&means)?;
        load.deliver(response, &context)
    }
}
