//! How a program comes to its daemon: it connects, and starts one if nobody answers.
//!
//! ```text
//! program ── starter ── daemon
//! ```
//!
//! The starter is a process that the program waits for: it starts the daemon, passes on what that
//! says of its beginning, and ends, so that the daemon is nobody's child. What it says is a line:
//! [`Beginning`]. Both run the same executable, which is told by its environment what
//! it is, so that a program that hosts the daemon itself need not look at its arguments. So does what
//! becomes a program that the daemon starts.
//!
//! The environment of a daemon holds what says where things lie, and no more: it outlives the
//! program, and what it is told of proxies and trust comes with each session.

mod beginning;
mod environment;
mod executable;
mod starting;

use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread;
use std::time::Duration;

pub(in crate::background) use beginning::Beginning;
pub(in crate::background) use environment::{ROLE, Role};
pub(in crate::background) use executable::own_executable_serves;
pub(in crate::background) use starting::command;

use super::place::Place;
use crate::clock::Clock;
use crate::error::{Error, ErrorKind};

/// How long it may take until a daemon answers.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long to wait before another look, at first; then twice as long each time.
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(200);

/// Connects to the daemon at `place`; starts it, if it does not run, by the executable that is
/// `configured`, or else by the one that is found, with these `arguments`.
///
/// A daemon that is about to leave may close the connection without a word: then this is to be
/// called once more.
///
/// # Errors
///
/// [`ErrorKind::NotSupported`] if there is no executable of a daemon;
/// [`ErrorKind::ResourceUnavailable`] if it does not start, with its reason; [`ErrorKind::TimedOut`]
/// if it does not answer within 5 s; [`ErrorKind::CannotOpenFile`] if somebody else has put
/// something in its place.
pub(in crate::background) fn connect(
    place: &Place,
    configured: Option<&Path>,
    arguments: &[String],
) -> Result<UnixStream, Error> {
    let clock = Clock::system();
    let (deadline, mut pause) = (clock.now() + PATIENCE, FIRST_PAUSE);
    loop {
        let beginning = match place.connect() {
            Ok(Some(stream)) => return Ok(stream),
            // Too many wait to be accepted, and will have been.
            Err(error) if error.kind() == ErrorKind::OutOfResources => Beginning::Held,
            Err(error) => return Err(error),
            Ok(None) => {
                let executable = executable::find(configured)?;
                let left = deadline.saturating_duration_since(clock.now());
                starting::start(&executable, place, arguments, left)?
            }
        };
        if let Beginning::Failed(words) = beginning {
            return Err(did_not_start(&words));
        }
        if clock.now() >= deadline {
            return Err(Error::new(ErrorKind::TimedOut, "no daemon answered within 5 s"));
        }
        // One has the lock and does not listen: it has just begun, or is about to leave.
        if beginning == Beginning::Held {
            thread::sleep(pause);
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

fn did_not_start(words: &str) -> Error {
    let detail = format!("the daemon for background sessions did not start: {words}");
    Error::new(ErrorKind::ResourceUnavailable, detail)
}
