//! Starts a daemon by a process in between, and waits until it says how it began.

use std::io::{self, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::beginning::Beginning;
use super::environment::{ROLE, Role, minimal};
use crate::background::place::Place;
use crate::clock::Clock;
use crate::error::{Error, ErrorKind};

/// A daemon says a line.
const LONGEST: u64 = 4096;

/// Starts the daemon at `place`, and waits for its beginning, for at most `patience`.
///
/// # Errors
///
/// [`ErrorKind::ResourceUnavailable`] if the executable does not run; [`ErrorKind::TimedOut`].
pub(super) fn start(
    executable: &Path,
    place: &Place,
    arguments: &[String],
    patience: Duration,
) -> Result<Beginning, Error> {
    let mut command = command(executable, Role::Starter);
    command.arg("run").arg("--state").arg(place.state()).args(arguments);
    let mut starter = command.spawn().map_err(|error| {
        let detail = format!("cannot run {}", executable.display());
        Error::new(ErrorKind::ResourceUnavailable, detail).by_system(error)
    })?;
    let said = starter.stdout.take().map(|stdout| read(stdout, patience));
    end(&mut starter);
    match said {
        Some(Ok(Some(said))) => Ok(Beginning::read(&said)),
        Some(Err(error)) => {
            let detail = "cannot read what the daemon says of its beginning";
            Err(Error::new(ErrorKind::ResourceUnavailable, detail).by_system(error))
        }
        Some(Ok(None)) | None => {
            let detail = format!("{} did not start a daemon within 5 s", executable.display());
            Err(Error::new(ErrorKind::TimedOut, detail))
        }
    }
}

/// Prepares to run `executable` as what `role` says, with what it writes as a pipe.
pub(in crate::background) fn command(executable: &Path, role: Role) -> Command {
    let mut command = Command::new(executable);
    command.env_clear().envs(minimal()).env(ROLE, role.name());
    command.current_dir("/");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

/// Reads what comes until the end; none if that is not within `patience`.
fn read(mut stdout: ChildStdout, patience: Duration) -> io::Result<Option<Vec<u8>>> {
    let clock = Clock::system();
    let deadline = clock.now() + patience;
    let (mut said, mut piece) = (Vec::new(), [0; 512]);
    loop {
        let left = deadline.saturating_duration_since(clock.now());
        let timeout = Timespec::try_from(left).map_err(io::Error::other)?;
        match poll(&mut [PollFd::new(&stdout, PollFlags::IN)], Some(&timeout)) {
            Ok(0) => return Ok(None),
            Ok(_) => {}
            Err(Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
        }
        match stdout.read(&mut piece)? {
            0 => return Ok(Some(said)),
            read => said.extend_from_slice(&piece[..read]),
        }
        if said.len() as u64 > LONGEST {
            return Ok(Some(said));
        }
    }
}

/// Ends the starter, which has said all that it had to say, or says nothing, and waits for it.
fn end(starter: &mut Child) {
    // It may have ended already.
    let _ = starter.kill();
    // A program that ignores SIGCHLD has nothing to wait for (wait(2)).
    let _ = starter.wait();
}
