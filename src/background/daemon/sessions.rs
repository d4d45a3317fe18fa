//! The sessions that a daemon hosts.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::guest::Guest;
use super::launcher::{Launcher, Standing};
use super::seat::Seat;
use super::turnstile::Turnstile;
use super::writer::Writer;
use super::{Daemon, Service, conversation};
use crate::background::engine::{Engine, Hands};
use crate::background::host::Host;
use crate::background::protocol::Hosted;
use crate::background::{form, kept};
use crate::census::Census;
use crate::error::{Error, ErrorKind};
use crate::log;
use crate::sync::{Condvar, Mutex, Rank};

/// The name of a program and the identifier of its session.
pub(super) type Name = (String, String);

/// How long programs may take to come back after a daemon has died, before others are adopted.
const GRACE: Duration = Duration::from_secs(1);

/// All sessions of one user that this daemon hosts.
pub(super) struct Sessions {
    daemon: Daemon,
    /// Where what lasts lies.
    state: PathBuf,
    census: Census,
    pub(super) launcher: Arc<Launcher>,
    seats: Mutex<HashMap<Name, Arc<Seat>>>,
    /// Those that somebody opens or closes.
    turns: Mutex<HashSet<Name>>,
    changed: Condvar,
    /// How often somebody has asked to look for sessions to go on with, until that is done.
    asked: AtomicUsize,
    /// Through which all long frames come.
    pub(super) turnstile: Turnstile,
}

/// The right to open or close a session, which one thread has at a time.
struct Turn<'a> {
    sessions: &'a Sessions,
    name: Name,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.sessions.turns.lock().remove(&self.name);
        self.sessions.changed.notify_all();
    }
}

impl Sessions {
    /// Goes on with those whose programs are gone, once those that are there have come back.
    pub(super) fn new(daemon: &Daemon, state: &Path) -> Arc<Self> {
        let census = Census::default();
        let sessions = Arc::new_cyclic(|me: &Weak<Self>| {
            let me = me.clone();
            let look = move || me.upgrade().map(|own| own.standings()).unwrap_or_default();
            Self {
                daemon: daemon.clone(),
                state: state.to_owned(),
                launcher: Launcher::new(state, &census, Box::new(look)),
                census,
                seats: Mutex::new(Rank::Hosted, HashMap::new()),
                turns: Mutex::new(Rank::Hosted, HashSet::new()),
                changed: Condvar::new(),
                asked: AtomicUsize::new(0),
                turnstile: Turnstile::default(),
            }
        });
        let own = Arc::clone(&sessions);
        let life = Box::new(move || {
            thread::sleep(GRACE);
            own.adopt();
        });
        if let Err(error) = sessions.census.spawn("urlsession-adopts", life) {
            log::warn!("the system refuses a thread to look for sessions: {error}");
        }
        sessions
    }

    /// Opens a session for the program that `writer` speaks to.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BackgroundSessionInUse`] if another one has it open, here or elsewhere;
    /// [`ErrorKind::InvalidRequest`] for a configuration that is none; those of opening it.
    pub(super) fn open(
        &self,
        name: Name,
        configuration: &Value,
        hands: &Hands,
        writer: &Arc<Writer>,
    ) -> Result<Arc<Seat>, Error> {
        let turn = self.wait_for_turn(name);
        let known = self.seats.lock().get(&turn.name).cloned();
        if let Some(seat) = known {
            if !seat.take(writer) {
                return Err(in_use(&turn.name.1));
            }
            if seat.configuration == *configuration {
                seat.engine.meet(hands);
                return Ok(seat);
            }
            // What the program wants now counts.
            self.end(&seat);
        }
        let seat = self.host(&turn.name, configuration, Some(hands))?;
        // Nobody else has it: its folder is this engine's.
        seat.take(writer);
        Ok(seat)
    }

    /// Begins to host a session.
    fn host(&self, name: &Name, form: &Value, hands: Option<&Hands>) -> Result<Arc<Seat>, Error> {
        let (program, identifier) = name;
        let read = form::read_configuration(form, &form::SharedStorages::new());
        let (mut configuration, _) = read.ok_or_else(|| {
            let detail = "the configuration of a background session is not understood";
            Error::new(ErrorKind::InvalidRequest, detail)
        })?;
        configuration.state_directory = Some(self.state.clone());
        configuration.program = Some(program.clone());
        configuration.identifier = Some(identifier.clone());
        let engine = Engine::open(&configuration, identifier, &self.census, hands)?;
        let seat = Seat::new(engine, program, identifier, form, &self.launcher);
        seat.served();
        self.seats.lock().insert(name.clone(), Arc::clone(&seat));
        Ok(seat)
    }

    /// Waits until nobody else opens or closes this session.
    fn wait_for_turn(&self, name: Name) -> Turn<'_> {
        let turns = self.turns.lock();
        let is_taken = |turns: &mut HashSet<Name>| turns.contains(&name);
        let mut turns = self.changed.wait_timeout_while(turns, Duration::MAX, is_taken).0;
        turns.insert(name.clone());
        drop(turns);
        Turn { sessions: self, name }
    }

    /// Ends a session.
    pub(super) fn close(&self, seat: &Seat) {
        let _turn = self.wait_for_turn((seat.program.clone(), seat.identifier.clone()));
        self.end(seat);
        // It wants nothing more of it.
        self.launcher.complete(&seat.program, &seat.identifier);
    }

    fn end(&self, seat: &Seat) {
        seat.engine.close();
        let name = (seat.program.clone(), seat.identifier.clone());
        let gone = self.seats.lock().remove(&name);
        drop(gone);
    }

    /// Goes on with the sessions whose programs have died while they hosted them. One looks for
    /// all: whoever comes meanwhile has it look once more.
    pub(super) fn adopt(&self) {
        let mut asked = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        if asked > 1 {
            return;
        }
        loop {
            self.adopt_all();
            let done = self.asked.compare_exchange(asked, 0, Ordering::SeqCst, Ordering::SeqCst);
            match done {
                Ok(_) => return,
                Err(now) => asked = now,
            }
        }
    }

    fn adopt_all(&self) {
        let folders = folders_in(&self.state)
            .flat_map(|program| folders_in(&program.join("background")).collect::<Vec<_>>());
        for folder in folders {
            let Some(configuration) = kept::read(&folder) else { continue };
            self.adopt_one(&folder, &configuration);
        }
    }

    fn adopt_one(&self, folder: &Path, configuration: &Value) {
        let text = |name: &str| configuration.get(name)?.as_str().map(str::to_owned);
        let Some(name) = text("program").zip(text("identifier")) else { return };
        let turn = self.wait_for_turn(name);
        let name = &turn.name;
        if self.seats.lock().contains_key(name) || !kept::is_running(folder) {
            return;
        }
        match self.host(name, configuration, None) {
            Ok(seat) if seat.engine.has_work() => {
                log::info!("goes on with the session \"{}\" of {}", name.1, name.0);
                seat.engine.go_on(&[]);
            }
            Ok(seat) if seat.needs_program() && self.launcher.knows(&name.0) => {
                self.launcher.look_again();
            }
            Ok(seat) => self.end(&seat),
            Err(error) if error.kind() == ErrorKind::BackgroundSessionInUse => {}
            Err(error) => log::warn!("a session of {} cannot be gone on with: {error}", name.0),
        }
    }

    /// Returns which programs are there, and which of their sessions need them.
    fn standings(&self) -> BTreeMap<String, Standing> {
        let all: Vec<Arc<Seat>> = self.seats.lock().values().cloned().collect();
        let mut standings = BTreeMap::<String, Standing>::new();
        for seat in all {
            let standing = standings.entry(seat.program.clone()).or_default();
            standing.is_there |= seat.is_taken();
            if seat.needs_program() {
                standing.needy.push(seat.identifier.clone());
            }
        }
        standings.values_mut().for_each(|standing| standing.needy.sort_unstable());
        standings
    }

    /// Describes them for people.
    pub(super) fn describe(&self) -> Vec<Hosted> {
        let all: Vec<Arc<Seat>> = self.seats.lock().values().cloned().collect();
        let mut all: Vec<Hosted> = all.iter().map(|seat| seat.describe()).collect();
        all.sort_by(|one, other| {
            (&one.program, &one.identifier).cmp(&(&other.program, &other.identifier))
        });
        all
    }
}

impl Service for Arc<Sessions> {
    fn serve(&self, guest: Guest) {
        if conversation::hold(self, guest) {
            self.daemon.leave();
        }
        // Others may have died meanwhile that hosted theirs.
        self.adopt();
    }

    fn is_busy(&self) -> bool {
        let all: Vec<Arc<Seat>> = self.seats.lock().values().cloned().collect();
        self.launcher.is_busy() || all.iter().any(|seat| seat.engine.has_work())
    }

    fn leave(&self) {
        let all: Vec<Arc<Seat>> = self.seats.lock().drain().map(|(_, seat)| seat).collect();
        all.iter().for_each(|seat| seat.engine.close());
    }
}

fn in_use(identifier: &str) -> Error {
    let detail = format!(
        "the background session \"{identifier}\" is open in another process of this program: \
         invalidate it there, or use another identifier"
    );
    Error::new(ErrorKind::BackgroundSessionInUse, detail)
}

/// Returns the folders that lie in this one.
fn folders_in(path: &Path) -> impl Iterator<Item = PathBuf> {
    let found = fs::read_dir(path).into_iter().flatten().flatten();
    // A link would lead out of what is this user's.
    found
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
}
