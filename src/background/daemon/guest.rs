//! One connection, with the limits that keep it from holding up others.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Daemon;
use super::framing::Framing;
use crate::background::local_socket;
use crate::clock::Clock;
use crate::error::{Error, ErrorKind};

/// How long a handshake may take, and how long a frame may stand still.
const PATIENCE: Duration = Duration::from_secs(5);

/// A connection of this user's. What is read from it comes in time or is an error: the handshake
/// within 5 s, a frame without a pause of 5 s, a long one within 5 s in all. Between frames it may be silent for as long as it
/// likes.
#[derive(Debug)]
pub(in crate::background) struct Guest {
    stream: Arc<UnixStream>,
    number: u64,
    daemon: Daemon,
    framing: Framing,
    clock: Clock,
    is_greeted: bool,
    /// Until when the handshake has to be finished, if it is not, or a long frame.
    deadline: Option<Instant>,
    timeout: Option<Duration>,
}

/// The way to a guest.
#[derive(Clone, Debug)]
pub(in crate::background) struct GuestWriter(Arc<UnixStream>);

impl Guest {
    pub(super) fn let_in(stream: UnixStream, daemon: &Daemon) -> Result<Self, Error> {
        local_socket::check_peer(&stream)?;
        stream.set_write_timeout(Some(PATIENCE)).map_err(|error| {
            Error::new(ErrorKind::OutOfResources, "a connection cannot be timed").by_system(error)
        })?;
        let stream = Arc::new(stream);
        let number = daemon.0.guests.add(&stream).ok_or_else(|| {
            Error::new(ErrorKind::OutOfResources, "as many programs are connected as may be")
        })?;
        let clock = Clock::system();
        let deadline = Some(clock.now() + PATIENCE);
        let (daemon, framing) = (daemon.clone(), Framing::default());
        let (is_greeted, timeout) = (false, None);
        Ok(Self { stream, number, daemon, framing, clock, is_greeted, deadline, timeout })
    }

    /// Notes that its handshake is finished.
    pub(in crate::background) fn greet(&mut self) {
        self.deadline = None;
        self.is_greeted = true;
        self.daemon.0.guests.greet(self.number);
    }

    /// Has all of a frame come within 5 s, or each piece of it.
    pub(in crate::background) fn hurry(&mut self, hurries: bool) {
        self.deadline = hurries.then(|| self.clock.now() + PATIENCE);
    }

    /// Returns the way to it. Whoever writes waits for as long as it does not read.
    pub(in crate::background) fn writer(&self) -> GuestWriter {
        GuestWriter::of(&self.stream)
    }

    /// Has the next read wait no longer than is right at this moment.
    fn set_timeout(&mut self) -> io::Result<()> {
        let timeout = match self.deadline {
            Some(deadline) => {
                let left = deadline.saturating_duration_since(self.clock.now());
                if left.is_zero() {
                    return Err(too_slow(self.is_greeted));
                }
                Some(left)
            }
            None => self.framing.is_within().then_some(PATIENCE),
        };
        if timeout != self.timeout {
            self.stream.set_read_timeout(timeout)?;
            self.timeout = timeout;
        }
        Ok(())
    }
}

impl Read for Guest {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.set_timeout()?;
        match (&*self.stream).read(buffer) {
            Ok(read) => {
                self.framing.advance(&buffer[..read]);
                Ok(read)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                Err(too_slow(self.is_greeted))
            }
            Err(error) => Err(error),
        }
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        // Whoever else has the way to it finds it closed.
        let _ = self.stream.shutdown(Shutdown::Both);
        if self.daemon.0.guests.remove(self.number) {
            self.daemon.0.bell.ring();
        }
    }
}

impl GuestWriter {
    pub(super) fn of(stream: &Arc<UnixStream>) -> Self {
        Self(Arc::clone(stream))
    }

    /// Ends the connection, whoever reads from it or writes.
    pub(super) fn end(&self) {
        // It may have ended already.
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

impl Write for &GuestWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (&*self.0).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn too_slow(is_greeted: bool) -> io::Error {
    let what = if is_greeted {
        "a frame stood still for 5 s, or is long and was not whole then"
    } else {
        "a handshake was not finished within 5 s"
    };
    io::Error::new(io::ErrorKind::TimedOut, what)
}
