//! The program `urlsessiond`, which every program can be that hosts the daemon itself.

use std::env;
use std::ffi::OsString;
use std::fmt::Display;
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use super::command_line::{self, HELP, Verb};
use super::sessions::Sessions;
use super::{Daemon, End, IDLE, apart, run, signals};
use crate::background::launch::{self, Beginning, Role};
use crate::background::place::Place;
use crate::background::protocol::{Hosted, VERSIONS};
use crate::background::remote;
use crate::error::{Error, ErrorKind};
use crate::program;

const NAME: &str = "urlsessiond";

/// What the process ends with.
const DONE: u8 = 0;
const FAILED: u8 = 1;
const NOT_UNDERSTOOD: u8 = 2;
const HELD: u8 = 3;

/// Does what the arguments of this process say, and returns its exit code.
pub(in crate::background) fn urlsessiond() -> u8 {
    if let Some(role) = Role::of_process() {
        return run_as(role);
    }
    let done = match command_line::parse(arguments()) {
        Ok(Verb::Run { detached: false, state, idle }) => run_here(state.as_deref(), idle),
        Ok(Verb::Run { detached: true, state, idle }) => run_detached(state.as_deref(), idle),
        Ok(Verb::Status { state }) => status(state.as_deref()),
        Ok(Verb::Version) => {
            print(&format_args!("{NAME} {}, protocol {}", env!("CARGO_PKG_VERSION"), VERSIONS.1));
            Ok(DONE)
        }
        Ok(Verb::Help) => {
            print(&HELP.trim_end());
            Ok(DONE)
        }
        Err(words) => {
            complain(&format_args!("{words}; see {NAME} --help"));
            Ok(NOT_UNDERSTOOD)
        }
    };
    done.unwrap_or_else(|error: Error| {
        complain(&error);
        FAILED
    })
}

/// Does what a process was started for that is not to be seen, and returns its exit code.
pub(in crate::background) fn run_as(role: Role) -> u8 {
    let ended = match role {
        Role::Launcher => return apart::become_program(),
        Role::Starter => apart::start(),
        Role::Daemon => match run_apart() {
            Ok(End::Left) => return DONE,
            Ok(End::Held(_)) => Beginning::Held,
            Err(words) => Beginning::Failed(words),
        },
    };
    apart::tell(&ended);
    match ended {
        Beginning::Ready => DONE,
        Beginning::Held => HELD,
        Beginning::Failed(_) => FAILED,
    }
}

fn run_apart() -> Result<End, String> {
    apart::set_apart().map_err(|error| format!("it cannot set itself apart: {error}"))?;
    let Ok(Verb::Run { state, idle, .. }) = command_line::parse(arguments()) else {
        return Err("its arguments are not understood".to_owned());
    };
    let ready = || apart::tell(&Beginning::Ready);
    host(state.as_deref(), idle, ready).map_err(|error| error.to_string())
}

fn run_here(state: Option<&Path>, idle: Option<Duration>) -> Result<u8, Error> {
    match host(state, idle, || {})? {
        End::Left => Ok(DONE),
        End::Held(process) => {
            let whose = process.map_or("another process".to_owned(), |id| format!("process {id}"));
            complain(&format_args!("{whose} hosts these sessions already"));
            Ok(HELD)
        }
    }
}

fn host(state: Option<&Path>, idle: Option<Duration>, ready: impl FnOnce()) -> Result<End, Error> {
    // What is not absolute is so from where this was started.
    let place = Place::of(state)?;
    apart::settle().and_then(|()| signals::block()).map_err(|error| {
        Error::new(ErrorKind::OutOfResources, "cannot begin to run").by_system(error)
    })?;
    let sessions = |daemon: &Daemon| Ok(Sessions::new(daemon, place.state()));
    run(&place, idle.unwrap_or(IDLE), sessions, ready)
}

fn run_detached(state: Option<&Path>, idle: Option<Duration>) -> Result<u8, Error> {
    let own = program::executable();
    let idle = idle.map(|idle| ["--idle".to_owned(), idle.as_secs().to_string()]);
    let arguments: Vec<String> = idle.into_iter().flatten().collect();
    launch::connect(&Place::of(state)?, own.as_deref(), &arguments)?;
    Ok(DONE)
}

fn status(state: Option<&Path>) -> Result<u8, Error> {
    let place = Place::of(state)?;
    let Some(stream) = place.connect()? else {
        print(&format_args!("no {NAME} runs for {}", place.state().display()));
        return Ok(FAILED);
    };
    let (welcome, hosted) = remote::status(stream)?;
    print(&format_args!(
        "{NAME} {}, protocol {}, runs for {} as process {}",
        welcome.release,
        welcome.protocol,
        place.state().display(),
        welcome.process
    ));
    for Hosted { program, identifier, is_connected, tasks } in hosted {
        let whose = if is_connected { "open" } else { "its program is away" };
        let many = if tasks == 1 { "task" } else { "tasks" };
        print(&format_args!("  {program}  {identifier}  {tasks} {many}  {whose}"));
    }
    Ok(DONE)
}

fn arguments() -> impl Iterator<Item = OsString> {
    env::args_os().skip(1)
}

/// Whoever reads it may have gone.
fn print(words: &dyn Display) {
    let _ = writeln!(io::stdout(), "{words}");
}

fn complain(words: &dyn Display) {
    let _ = writeln!(io::stderr(), "{NAME}: {words}");
}
