//! One socket that can be timed and cut off.
//!
//! On Unix, reads and writes block in the system with a timeout set on the socket. A cancel
//! shuts the socket down from another thread, which ends a blocked call at once; that needs no
//! second descriptor and no system call on the way of a request. On Windows it ends none: there
//! the socket never blocks, and a cancel rings a bell beside it.

#[cfg_attr(unix, path = "socket/unix.rs")]
#[cfg_attr(not(unix), path = "socket/elsewhere.rs")]
mod system;

use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};

pub(super) use system::BLOCKS;
use system::{Bell, peek, receive_now, send};

use super::sendfile::{Sendfile, Turn};
use crate::body::Pipe;
use crate::cancel::Wake;
use crate::census::Counted;
use crate::error::{Error, ErrorKind};
use crate::fork::Maker;
use crate::response::Ends;
use crate::splice::{Filled, SplicePipe};
use crate::wire::{Context, Wait};

/// A connected socket.
#[derive(Debug)]
pub(super) struct Socket {
    system: socket2::Socket,
    bell: Bell,
    maker: Maker,
    _counted: Counted,
}

impl Socket {
    /// Returns the system's socket, which a process that was forked off leaves alone: whatever
    /// it did with it, it would do to that of the process that made it.
    fn own(&self) -> io::Result<&socket2::Socket> {
        if self.maker.is_this_process() { Ok(&self.system) } else { Err(foreign()) }
    }
}

impl Socket {
    /// Waits for events, or for the bell; returns the events.
    fn poll(&self, flags: PollFlags, timeout: Option<Duration>) -> Result<PollFlags, Error> {
        let socket = PollFd::new(self.own().map_err(lost)?, flags);
        let timeout = self.bell.limit(timeout);
        match self.bell.poll_fd() {
            None => poll_one(&mut [socket], timeout),
            Some(bell) => poll_one(&mut [socket, bell], timeout),
        }
    }

    /// Waits, if the call that did nothing [has not](BLOCKS), until it may do something.
    fn pause(&self, flags: PollFlags, timeout: Option<Duration>) -> Result<(), Error> {
        if BLOCKS { Ok(()) } else { self.poll(flags, timeout).map(drop) }
    }
}

/// Waits for several sockets; returns the events of the first.
fn poll_one(fds: &mut [PollFd<'_>], timeout: Option<Duration>) -> Result<PollFlags, Error> {
    poll(fds, timeout)?;
    Ok(fds[0].revents())
}

#[cold]
fn foreign() -> io::Error {
    io::Error::other("it belongs to the process that this one was forked off")
}

impl Wake for Socket {
    fn wake(&self) {
        // Fails for a socket that the server has closed already, which is as good.
        let _ = self.own().and_then(|socket| socket.shutdown(std::net::Shutdown::Both));
        self.bell.ring();
    }
}

/// A socket with the timeouts that are set on it.
#[derive(Debug)]
pub(super) struct Link {
    socket: Arc<Socket>,
    read_timeout: Option<Duration>,
    write_timeout: Option<Duration>,
    ends: Option<Arc<Ends>>,
}

/// Asks the system between whom a socket is.
fn ends(system: &socket2::Socket) -> Option<Ends> {
    let peer = system.peer_addr().ok()?.as_socket()?;
    Some(Ends { peer, local: system.local_addr().ok()?.as_socket()? })
}

/// What somebody wants to do with a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Interest {
    pub(super) reading: bool,
    pub(super) writing: bool,
}

/// What can be done with it without waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ready {
    pub(super) readable: bool,
    pub(super) writable: bool,
}

impl Link {
    /// Takes a connected socket, which [blocks](BLOCKS) as is usual.
    pub(super) fn new(system: socket2::Socket, counted: Counted) -> Self {
        let (maker, ends) = (Maker::this_process(), ends(&system).map(Arc::new));
        let socket = Arc::new(Socket { system, bell: Bell::new(), maker, _counted: counted });
        Self { socket, read_timeout: None, write_timeout: None, ends }
    }

    /// Returns between whom it is, on a network.
    pub(super) fn ends(&self) -> Option<&Arc<Ends>> {
        self.ends.as_ref()
    }

    /// Returns what ends a blocked call when it is woken.
    pub(super) fn waker(&self) -> Arc<Socket> {
        self.socket.clone()
    }

    /// Has reads that begin now end after `timeout`.
    #[inline]
    fn limit_reads(&mut self, timeout: Option<Duration>, context: &Context) -> Result<(), Error> {
        if BLOCKS && timeout != self.read_timeout {
            let set = self.socket.own().and_then(|socket| socket.set_read_timeout(timeout));
            // Apple's systems refuse it on a socket that a cancel has shut down.
            set.map_err(|error| failed(error, context))?;
            self.read_timeout = timeout;
        }
        Ok(())
    }

    /// Reads some bytes; none means that the peer has closed its side.
    pub(super) fn read(&mut self, buffer: &mut [u8], context: &Context) -> Result<usize, Error> {
        let wait = context.wait();
        loop {
            let timeout = wait.slice()?.map(rounded);
            self.limit_reads(timeout, context)?;
            let mut socket = self.socket.own().map_err(lost)?;
            match socket.read(buffer) {
                // A socket that a cancel has shut down reads as closed.
                Ok(0) => return context.check().map(|()| 0),
                Ok(read) => return Ok(read),
                Err(error) if is_again(&error) => self.socket.pause(PollFlags::IN, timeout)?,
                Err(error) => return Err(failed(error, context)),
            }
        }
    }

    /// Moves some bytes into `pipe`, which is empty, but at most `most`: waits and fails as
    /// [`read`](Self::read) does. `None` if they have to be read.
    pub(super) fn splice(
        &mut self,
        pipe: &mut SplicePipe,
        most: usize,
        context: &Context,
    ) -> Result<Option<usize>, Error> {
        let wait = context.wait();
        loop {
            let timeout = wait.slice()?.map(rounded);
            self.limit_reads(timeout, context)?;
            let socket = self.socket.own().map_err(lost)?;
            match pipe.fill(socket, most) {
                Ok(Filled::With(count)) => return Ok(Some(count)),
                Ok(Filled::Refused) => return Ok(None),
                // That it waits for the socket, splice(2) says only that it may.
                Ok(Filled::Waits) => self.socket.poll(PollFlags::IN, wait.slice()?).map(drop)?,
                Err(error) => return Err(failed(error, context)),
            }
        }
    }

    /// Writes what has not `gone` of `bytes`, and keeps that up to date.
    pub(super) fn write_all(
        &mut self,
        bytes: &[u8],
        gone: &mut usize,
        context: &Context,
    ) -> Result<(), Error> {
        while *gone < bytes.len() {
            let wait = context.wait();
            *gone += self.write_some(&bytes[*gone..], &wait, context)?;
        }
        Ok(())
    }

    fn write_some(
        &mut self,
        bytes: &[u8],
        wait: &Wait<'_>,
        context: &Context,
    ) -> Result<usize, Error> {
        let socket = self.socket.own().map_err(lost)?;
        loop {
            let timeout = wait.slice()?.map(rounded);
            if BLOCKS && timeout != self.write_timeout {
                let set = socket.set_write_timeout(timeout);
                set.map_err(|error| failed(error, context))?;
                self.write_timeout = timeout;
            }
            match send(socket, bytes) {
                Ok(0) => return Err(lost(io::ErrorKind::WriteZero.into())),
                Ok(sent) => return Ok(sent),
                Err(error) if is_again(&error) => self.socket.pause(PollFlags::OUT, timeout)?,
                Err(error) => return Err(failed(error, context)),
            }
        }
    }

    /// Writes as much as the system takes without waiting; none if it takes nothing. The
    /// socket must be [non-blocking](Self::set_nonblocking).
    pub(super) fn write_now(&self, bytes: &[u8]) -> Result<usize, Error> {
        match self.socket.own().and_then(|socket| send(socket, bytes)) {
            Ok(sent) => Ok(sent),
            Err(error) if is_again(&error) => Ok(0),
            Err(error) => Err(lost(error)),
        }
    }

    /// Sends as much of `file`, from where it stands, as the system takes without waiting,
    /// but at most `most` bytes. The socket must be [non-blocking](Self::set_nonblocking).
    pub(super) fn send_file_now(
        &self,
        sendfile: &Sendfile,
        file: &File,
        most: usize,
    ) -> Result<Turn, Error> {
        self.socket.own().and_then(|socket| sendfile.send(socket, file, most)).map_err(lost)
    }

    /// Reads what is there without waiting; `None` if nothing is.
    pub(super) fn read_now(&self, buffer: &mut [u8]) -> Result<Option<usize>, Error> {
        match self.socket.own().and_then(|socket| receive_now(socket, buffer)) {
            Ok(read) => Ok(Some(read)),
            Err(error) if is_again(&error) => Ok(None),
            Err(error) => Err(lost(error)),
        }
    }

    pub(super) fn set_nonblocking(&self, nonblocking: bool) -> Result<(), Error> {
        if !BLOCKS {
            return Ok(());
        }
        self.socket.own().and_then(|socket| socket.set_nonblocking(nonblocking)).map_err(lost)
    }

    /// Waits until something of interest can be done.
    pub(super) fn ready(&self, interest: Interest, context: &Context) -> Result<Ready, Error> {
        let wait = context.wait();
        let mut flags = PollFlags::empty();
        flags.set(PollFlags::IN, interest.reading);
        flags.set(PollFlags::OUT, interest.writing);
        loop {
            let events = self.socket.poll(flags, wait.slice()?)?;
            if !events.is_empty() {
                context.check()?;
                // An error or a hang-up is found by whichever call comes next.
                let broken = PollFlags::ERR | PollFlags::HUP;
                return Ok(Ready {
                    readable: events.intersects(PollFlags::IN | broken),
                    writable: events.intersects(PollFlags::OUT | broken),
                });
            }
        }
    }

    /// Waits until the socket can be read, or `pipe` may be; returns whether the socket can.
    pub(super) fn ready_beside(&self, pipe: &Pipe, wait: &Wait<'_>) -> Result<bool, Error> {
        let socket = self.socket.own().map_err(lost)?;
        loop {
            let slice = [wait.slice()?, Pipe::LOOK_AGAIN].into_iter().flatten().min();
            let mut fds = vec![PollFd::new(socket, PollFlags::IN)];
            #[cfg(unix)]
            if Pipe::LOOK_AGAIN.is_none() {
                fds.push(PollFd::new(pipe.file(), PollFlags::IN));
            }
            #[cfg(not(unix))]
            let _ = pipe;
            poll(&mut fds, slice)?;
            let mut ready = fds.iter().map(|fd| !fd.revents().is_empty());
            if ready.next() == Some(true) {
                return Ok(true);
            }
            if ready.next() == Some(true) || Pipe::LOOK_AGAIN.is_some() {
                return Ok(false);
            }
        }
    }

    /// Has the coming close tell the server at once that nobody reads any more. Without
    /// that, one that waits until it may send more learns it from Linux only a minute
    /// later, if all that had arrived was read after a cancel.
    pub(super) fn reset_when_closed(&self) {
        let _ = self.socket.own().and_then(|socket| socket.set_linger(Some(Duration::ZERO)));
    }

    /// Looks at what an idle connection has to say, without taking it: `None` if it is
    /// silent, as it should be; zero if it is closed.
    pub(super) fn peek(&self) -> io::Result<Option<usize>> {
        let mut byte = [0];
        match self.socket.own().and_then(|socket| peek(socket, &mut byte)) {
            Ok(read) => Ok(Some(read)),
            Err(error) if is_again(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Rounds a timeout down to a power of two in milliseconds. The time left shrinks with
/// every call; rounded, it changes so rarely that setting it costs nothing. Waking early
/// does no harm: the wait is asked again.
fn rounded(left: Duration) -> Duration {
    let millis = u64::try_from(left.as_millis()).unwrap_or(u64::MAX).clamp(1, 1 << 30);
    Duration::from_millis(1 << millis.ilog2())
}

/// Waits for events for at most `timeout`; an interrupted wait counts as over.
pub(super) fn poll(fds: &mut [PollFd<'_>], timeout: Option<Duration>) -> Result<(), Error> {
    // A timeout that no `timespec` holds is as good as none.
    let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
    match rustix::event::poll(fds, timeout.as_ref()) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(lost(error.into())),
    }
}

pub(super) fn is_again(error: &io::Error) -> bool {
    use io::ErrorKind::{Interrupted, TimedOut, WouldBlock};

    matches!(error.kind(), WouldBlock | TimedOut | Interrupted)
}

/// A call on a socket failed: because of a cancel, or because the connection broke.
fn failed(error: io::Error, context: &Context) -> Error {
    context.check().err().unwrap_or_else(|| lost(error))
}

pub(super) fn lost(error: io::Error) -> Error {
    Error::new(ErrorKind::NetworkConnectionLost, "the connection broke").by_system(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rounded_timeout_is_never_longer_and_at_least_half() {
        for (millis, expected) in [(0, 1), (1, 1), (999, 512), (60_000, 32_768), (65_536, 65_536)] {
            assert_eq!(rounded(Duration::from_millis(millis)), Duration::from_millis(expected));
        }
        assert_eq!(rounded(Duration::MAX), Duration::from_millis(1 << 30));
    }
}
