//! What a cancel rings while a thread waits for several sockets at once.

#[cfg(unix)]
use std::io::Write;
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::time::Duration;

use rustix::event::PollFd;
#[cfg(unix)]
use rustix::event::PollFlags;

use crate::cancel::Wake;
use crate::error::Error;
#[cfg(unix)]
use crate::error::ErrorKind;

/// A descriptor that becomes readable when it is rung.
#[cfg(unix)]
#[derive(Debug)]
pub(super) struct Alarm {
    rung: UnixStream,
    bell: UnixStream,
}

#[cfg(unix)]
impl Alarm {
    /// How often a wait must look at the cancel token by itself: never.
    pub(super) const LOOK_AGAIN: Option<Duration> = None;

    pub(super) fn new() -> Result<Self, Error> {
        let (rung, bell) = UnixStream::pair().map_err(|error| {
            let detail = "the system has no descriptor left for a connection";
            Error::new(ErrorKind::OutOfResources, detail).by_system(error)
        })?;
        Ok(Self { rung, bell })
    }

    /// Returns what to wait for beside the sockets.
    pub(super) fn poll_fd(&self) -> Option<PollFd<'_>> {
        Some(PollFd::new(&self.rung, PollFlags::IN))
    }
}

#[cfg(unix)]
impl Wake for Alarm {
    fn wake(&self) {
        // One byte always fits; if it did not, the alarm would be ringing already.
        let _ = (&self.bell).write(&[1]);
    }
}

/// Elsewhere a socket cannot be made into an alarm so simply; waits look at the token.
#[cfg(not(unix))]
#[derive(Debug)]
pub(super) struct Alarm;

#[cfg(not(unix))]
impl Alarm {
    pub(super) const LOOK_AGAIN: Option<Duration> = Some(Duration::from_millis(20));

    pub(super) fn new() -> Result<Self, Error> {
        Ok(Self)
    }

    pub(super) fn poll_fd(&self) -> Option<PollFd<'_>> {
        None
    }
}

#[cfg(not(unix))]
impl Wake for Alarm {
    fn wake(&self) {}
}
