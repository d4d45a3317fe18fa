//! The engine: carries the jobs of one background session from their creation to the moment at
//! which the program has taken all that they brought.
//!
//! It runs each by an ordinary [`Session`] of this crate, whose delegate is the `courier`: that
//! retries, resumes and checks. What the engine adds is that everything is written down before it
//! counts. It does not know who hosts it: it tells and asks a [`Program`].
//!
//! Calls of a program change the ledger and the journal, and return; the engine's own thread has
//! the journal synced for all of them together, and only then starts transfers and tells ends. So
//! nothing is sent for a task, and no end is told, that a crash would make forgotten.

mod attempt;
mod courier;
mod delay;
mod ends;
mod host;
mod place;
mod sending;
mod tasks;
mod thread;
pub(super) mod verdict;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock, Weak};
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;

use self::attempt::Attempt;
use super::folder::Folder;
use super::host::{EventSink, Program};
use super::journal::Journal;
use super::ledger::Ledger;
use super::report::WaitsFor;
use crate::census::Census;
use crate::configuration::Configuration;
use crate::error::Error;
use crate::log;
use crate::session::Session;
use crate::sync::{Condvar, Mutex, Rank};

/// Carries the jobs of one session.
pub(super) struct Engine {
    configuration: Configuration,
    census: Census,
    /// Nobody else's as long as this is open.
    folder: Folder,
    journal: Journal,
    /// What of it was damaged, in words.
    damage: Vec<String>,
    /// Runs the transfers; made with the first.
    transfers: OnceLock<Session>,
    state: Mutex<State>,
    /// There is something to do for the thread.
    changed: Condvar,
    program: Mutex<Option<Weak<dyn Program>>>,
    me: Weak<Self>,
}

/// What changes.
#[derive(Default)]
struct State {
    ledger: Ledger,
    running: HashMap<u64, Attempt>,
    waiting: BTreeMap<u64, Wait>,
    /// Jobs to be started, in order.
    due: VecDeque<u64>,
    /// Those of whose files the program takes what has come, when it hears of their ends.
    interrupted: BTreeSet<u64>,
    /// Ends to be told once the journal is synced.
    untold: Vec<u64>,
    /// Records that the disk had no room for, in order.
    unwritten: VecDeque<Value>,
    /// When they are tried again.
    writes_again: Option<Instant>,
    /// Why they could not be written, to be told of without the lock.
    complaints: Vec<Error>,
    /// The last record that was written, and up to which of them is needed on the disk.
    written: u64,
    wanted: u64,
    has_thread: bool,
    is_closed: bool,
}

/// A job that waits.
#[derive(Clone, Debug)]
struct Wait {
    what: WaitsFor,
    until: Option<Instant>,
}

/// What a program has in its hands that opens a session, as it had it open before.
#[derive(Debug, Default)]
pub(in crate::background) struct Hands {
    /// Tasks that are still to be created, and whose bodies lie in the spool.
    pub(in crate::background) coming: Vec<u64>,
    /// Tasks whose files it was given, and may be taking.
    pub(in crate::background) held: Vec<u64>,
}

/// How long the thread stays when there is nothing to do.
const IDLE: Duration = Duration::from_secs(5);

/// How long a file waits until it is tried once more to bring it to its place.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often it looks whether there is room on the disk again.
const LOOK: Duration = Duration::from_secs(1);

impl Engine {
    /// Opens what is there of the session, and goes on with it once it has its program.
    pub(super) fn open(
        configuration: &Configuration,
        identifier: &str,
        census: &Census,
        hands: Option<&Hands>,
    ) -> Result<Arc<Self>, Error> {
        let home = configuration.state_directory.as_deref();
        let folder = Folder::open(home, configuration.program.as_deref(), identifier, census)?;
        #[cfg(all(feature = "daemon", unix))]
        super::kept::keep(&folder, configuration);
        let (journal, replay) = Journal::open(&folder.journal(), census)?;
        let mut ledger = Ledger::default();
        let damage = replay.damage.iter().map(ToString::to_string).collect();
        for record in replay.records {
            if !ledger.apply(&record) {
                log::warn!("a record in the journal of {identifier} is not understood");
            }
        }
        let state = State { ledger, ..State::default() };
        let engine = Arc::new_cyclic(|me| Self {
            configuration: configuration.clone(),
            census: census.clone(),
            folder,
            journal,
            damage,
            transfers: OnceLock::new(),
            state: Mutex::new(Rank::Engine, state),
            changed: Condvar::new(),
            program: Mutex::new(Rank::Engine, None),
            me: me.clone(),
        });
        engine.reconcile(hands);
        Ok(engine)
    }

    /// Tells once more what the program has not heard of.
    pub(super) fn tell_again(&self, untold: &[u64], program: &dyn EventSink) {
        let ends = self.state.lock().ledger.untold_ends();
        for number in untold {
            let event = self.state.lock().ledger.event(*number).cloned();
            match (event, ends.get(number)) {
                (Some((task, event)), _) => program.happened(*number, task, event),
                (None, Some(task)) => self.tell_end(*task, program),
                (None, None) => {}
            }
        }
    }

    /// Starts what was running.
    pub(super) fn start_running(&self) {
        let mut state = self.state.lock();
        let running = state.ledger.jobs.values().filter(|job| job.is_running());
        let running: Vec<u64> = running.map(|job| job.id).collect();
        state.due.extend(running);
        self.wake(state);
    }

    /// Whether nothing runs, but for what waits for its program, and there is an end that the program
    /// has not heard of.
    #[cfg(all(feature = "daemon", unix))]
    pub(super) fn rests_with_news(&self) -> bool {
        let state = self.state.lock();
        !state.has_work()
            && state
                .ledger
                .jobs
                .values()
                .any(|job| job.ending().is_some_and(|ending| !ending.is_told))
    }

    /// Whether it has something to do without its program.
    #[cfg(all(feature = "daemon", unix))]
    pub(super) fn has_work(&self) -> bool {
        self.state.lock().has_work()
    }

    /// Returns how many jobs it has.
    #[cfg(all(feature = "daemon", unix))]
    pub(super) fn count(&self) -> usize {
        self.state.lock().ledger.jobs.len()
    }

    pub(super) fn program(&self) -> Option<Arc<dyn Program>> {
        self.program.lock().as_ref()?.upgrade()
    }

    /// Returns the file that a download comes to.
    fn finished(&self, task: u64) -> PathBuf {
        self.folder.file_of(task)
    }

    /// Writes down what is known of a job now; `must_last` if it has to be on the disk before
    /// anything follows from it.
    fn note(&self, state: &mut State, task: u64, must_last: bool) {
        let Some(job) = state.ledger.jobs.get(&task) else { return };
        let record = super::ledger::task(job, self.persists_secrets());
        self.write(state, record, must_last);
    }

    /// Writes a record. One that the disk has no room for is written as soon as it has.
    fn write(&self, state: &mut State, record: Value, must_last: bool) {
        // The journal may be somebody else's by now.
        if state.is_closed {
            return;
        }
        if !state.unwritten.is_empty() {
            state.unwritten.push_back(record);
            return;
        }
        match self.journal.append(&record) {
            Ok(sequence) => {
                state.written = sequence;
                if must_last {
                    state.wanted = sequence;
                }
            }
            Err(error) => {
                state.complaints.push(error);
                state.unwritten.push_back(record);
                state.writes_again = self.now().checked_add(LOOK);
                self.changed.notify_all();
            }
        }
    }

    fn persists_secrets(&self) -> bool {
        self.configuration.persists_secrets
    }

    fn now(&self) -> Instant {
        self.configuration.clock.now()
    }

    fn date(&self) -> SystemTime {
        self.configuration.clock.date()
    }
}
