//! Starts the programs that sessions of a daemon need, by the commands that they have registered.
//!
//! A thread looks at all sessions when something may need a program, or one has gone, and leaves when
//! nothing is to be started. Each program that it starts has a thread that waits for its end, so that
//! nothing is left of it in the system's table.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::mem;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use super::launches::{Came, Launches};
use crate::background::launch::{self, Role};
use crate::background::relaunch::{LAUNCHED_FOR, Registration};
use crate::census::Census;
use crate::clock::Clock;
use crate::error::Error;
use crate::sync::{Condvar, Mutex, Rank};
use crate::{log, program};

/// What the sessions of one program are about.
#[derive(Debug, Default)]
pub(super) struct Standing {
    /// The program has one of them open.
    pub(super) is_there: bool,
    /// Those that need it, in order.
    pub(super) needy: Vec<String>,
}

/// Returns what is about the sessions of each program.
type Look = Box<dyn Fn() -> BTreeMap<String, Standing> + Send + Sync>;

/// How long the thread stays when there is nothing to do.
const IDLE: Duration = Duration::from_secs(5);

/// Starts programs.
pub(super) struct Launcher {
    /// The state folder, in which they have registered their commands.
    state: PathBuf,
    look: Look,
    clock: Clock,
    census: Census,
    launches: Mutex<State>,
    changed: Condvar,
    me: Weak<Self>,
}

#[derive(Default)]
struct State {
    has_thread: bool,
    /// Something may be otherwise than at the last look.
    has_news: bool,
    /// One of them is to be started later.
    waits: bool,
    of_programs: BTreeMap<String, Launches>,
}

impl Launcher {
    pub(super) fn new(state: &Path, census: &Census, look: Look) -> Arc<Self> {
        Arc::new_cyclic(|me| Self {
            state: state.to_owned(),
            look,
            clock: Clock::system(),
            census: census.clone(),
            launches: Mutex::new(Rank::Launches, State::default()),
            changed: Condvar::new(),
            me: me.clone(),
        })
    }

    /// Something may need its program.
    pub(super) fn look_again(&self) {
        self.change(|_| ());
    }

    /// A program has gone that had a session open.
    pub(super) fn left(&self, program: &str) {
        self.change(|state| state.of_programs.entry(program.to_owned()).or_default().was_there());
    }

    /// A program says that it is done with what a session has needed it for.
    pub(super) fn complete(&self, program: &str, identifier: &str) {
        self.of(program, |launches| launches.complete(identifier));
    }

    /// Whether one of them runs that was started, or is to be started later.
    pub(super) fn is_busy(&self) -> bool {
        let state = self.launches.lock();
        state.has_news || state.waits || state.of_programs.values().any(Launches::is_running)
    }

    /// Whether a program has registered a command, right or wrong.
    pub(super) fn knows(&self, program: &str) -> bool {
        !matches!(self.command_of(program), Ok(None))
    }

    fn command_of(&self, program: &str) -> Result<Option<Vec<OsString>>, Error> {
        Registration::at(&self.state, program).read()
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.launches.lock();
        change(&mut state);
        state.has_news = true;
        let starts = !mem::replace(&mut state.has_thread, true);
        drop(state);
        if !starts {
            return self.changed.notify_all();
        }
        let Some(own) = self.me.upgrade() else { return };
        if let Err(error) = self.census.spawn("urlsession-launches", Box::new(move || own.work())) {
            log::warn!("the system refuses a thread to start programs: {error}");
            let mut state = self.launches.lock();
            (state.has_thread, state.has_news) = (false, false);
        }
    }

    fn of(&self, program: &str, change: impl FnOnce(&mut Launches)) {
        self.change(|state| {
            if let Some(launches) = state.of_programs.get_mut(program) {
                change(launches);
            }
        });
    }

    /// Starts programs as long as there may be something to start.
    fn work(&self) {
        let mut wait = None;
        loop {
            let state = self.launches.lock();
            let is_quiet = |state: &mut State| !state.has_news;
            let waited = self.changed.wait_timeout_while(state, wait.unwrap_or(IDLE), is_quiet);
            let mut state = waited.0;
            if wait.is_none() && !state.has_news {
                state.has_thread = false;
                return;
            }
            // From here on: what happens while the sessions are looked at may not be seen.
            state.has_news = false;
            drop(state);
            wait = self.start_due((self.look)());
        }
    }

    /// Starts what is due; returns how long to wait until something is, if it is known.
    fn start_due(&self, mut standings: BTreeMap<String, Standing>) -> Option<Duration> {
        let now = self.clock.now();
        let mut state = self.launches.lock();
        // What was started may have closed its session.
        for program in state.of_programs.keys() {
            standings.entry(program.clone()).or_default();
        }
        drop(state);
        let away = standings.iter().filter(|(_, standing)| !standing.is_there);
        let waits =
            away.filter_map(|(program, standing)| self.visit(program, &standing.needy, now));
        let wait = waits.min();
        state = self.launches.lock();
        state.waits = wait.is_some();
        state.of_programs.retain(|program, launches| {
            let standing = standings.get(program);
            !launches.is_over() || standing.is_none_or(|standing| !standing.needy.is_empty())
        });
        wait
    }

    /// Starts a program that is not there, if it is due; returns how long to wait until it is.
    fn visit(&self, program: &str, needy: &[String], now: Instant) -> Option<Duration> {
        let mut state = self.launches.lock();
        let launches = state.of_programs.entry(program.to_owned()).or_default();
        let came = launches.is_away(needy, now);
        let delay = launches.delay(now).filter(|_| !needy.is_empty());
        drop(state);
        match came {
            Some(Came::Done) => {
                log::info!("the program {program} has done what it was started for")
            }
            Some(Came::InVain(times, next)) => complain(program, times, next),
            None => {}
        }
        let delay = delay?;
        let command = self.command_of(program).transpose()?;
        if !delay.is_zero() {
            return Some(delay);
        }
        let mut identifier = None;
        self.of(program, |launches| {
            identifier = launches.start(needy, now).map(str::to_owned);
        });
        self.start(program, &identifier?, command);
        None
    }

    /// Starts a program by its command, and waits for its end on a thread of its own.
    fn start(&self, program: &str, identifier: &str, command: Result<Vec<OsString>, Error>) {
        log::info!("starts the program {program} for its session \"{identifier}\"");
        let (own, name, identifier) = (self.me.clone(), program.to_owned(), identifier.to_owned());
        let life = Box::new(move || {
            let run = command.map(|command| run(&command, &identifier));
            let has_failed = match run {
                Ok(Ok(Some(status))) => {
                    log::info!("the program {name} has ended: {status}");
                    !status.success()
                }
                Ok(Ok(None)) => {
                    log::info!("the program {name} has ended");
                    false
                }
                Ok(Err(error)) => {
                    log::warn!("the program {name} cannot be started: {error}");
                    true
                }
                Err(error) => {
                    log::warn!("the program {name} is not started: {error}");
                    true
                }
            };
            if let Some(own) = own.upgrade() {
                own.of(&name, |launches| launches.end(has_failed));
            }
        });
        if let Err(error) = self.census.spawn("urlsession-launched", life) {
            log::warn!("the program {program} is not started: there is no thread for it: {error}");
            self.of(program, |launches| launches.end(true));
        }
    }
}

/// Runs a program for a session until it ends; returns how, if the system tells.
///
/// It is the executable of this daemon that is run first: as a process of its own it closes what it
/// has inherited, leaves the daemon's session and [becomes](super::apart::become_program) the program.
fn run(command: &[OsString], identifier: &str) -> io::Result<Option<ExitStatus>> {
    let own = program::executable().ok_or(io::ErrorKind::NotFound)?;
    let mut program = launch::command(&own, Role::Launcher);
    program.args(command).env(LAUNCHED_FOR, identifier).stdout(Stdio::null());
    let mut started = program.spawn()?;
    // A process that ignores SIGCHLD, as this one may have inherited it, is not told (wait(2)).
    Ok(started.wait().ok())
}

fn complain(program: &str, times: u32, next: Option<Duration>) {
    match next {
        Some(next) => log::warn!(
            "the program {program} was started in vain, {times} times in a row; the next time is in \
             {} s",
            next.as_secs()
        ),
        None => log::warn!(
            "the program {program} was started in vain, {times} times in a row, and is not started \
             again unless it comes by itself"
        ),
    }
}
