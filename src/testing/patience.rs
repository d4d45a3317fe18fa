//! How long the calls on the server's side of a connection wait.

use std::io;
#[cfg(not(unix))]
use std::io::ErrorKind::{BrokenPipe, WouldBlock};
use std::net::Shutdown;
#[cfg(not(unix))]
use std::net::{Ipv4Addr, UdpSocket};
#[cfg(not(unix))]
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

#[cfg(not(unix))]
use rustix::event::PollFlags;
use rustix::event::{PollFd, poll};

use super::socket::Socket;

/// Here the system waits, and a shutdown by another thread ends that.
#[cfg(unix)]
#[derive(Debug)]
pub(super) struct Patience;

#[cfg(unix)]
impl Patience {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self)
    }

    /// Returns whether the system's calls are not to wait.
    pub(super) fn set_nonblocking(&self, nonblocking: bool) -> bool {
        nonblocking
    }

    /// Returns what the system is to end.
    pub(super) fn end(&self, how: Shutdown) -> Option<Shutdown> {
        Some(how)
    }

    pub(super) fn read(
        &self,
        _: &Socket,
        mut read: impl FnMut() -> io::Result<usize>,
    ) -> io::Result<usize> {
        read()
    }

    pub(super) fn write(
        &self,
        _: &Socket,
        mut write: impl FnMut() -> io::Result<usize>,
    ) -> io::Result<usize> {
        write()
    }

    /// Waits for one of the sockets, or for what ends the wait.
    pub(super) fn poll<const N: usize>(&self, mut fds: [PollFd<'_>; N]) -> io::Result<()> {
        poll_now(&mut fds)
    }
}

/// On Windows a shutdown by another thread ends no call that has begun (rust-lang/rust#121594).
/// There the system's calls do not wait, and who waits looks whether that is to end when the
/// bell rings, which is a socket that is connected with itself.
#[cfg(not(unix))]
#[derive(Debug)]
pub(super) struct Patience {
    bell: UdpSocket,
    is_over: AtomicBool,
    reading_ended: AtomicBool,
    writing_ended: AtomicBool,
}

#[cfg(not(unix))]
impl Patience {
    pub(super) fn new() -> io::Result<Self> {
        let bell = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        bell.connect(bell.local_addr()?)?;
        bell.set_nonblocking(true)?;
        let [is_over, reading_ended, writing_ended] = Default::default();
        Ok(Self { bell, is_over, reading_ended, writing_ended })
    }

    /// Returns whether the system's calls are not to wait.
    pub(super) fn set_nonblocking(&self, nonblocking: bool) -> bool {
        self.is_over.store(nonblocking, SeqCst);
        true
    }

    /// Returns what the system is to end. Reading is not: what came in unread or came later
    /// would reset the connection (MSDN, `shutdown`).
    pub(super) fn end(&self, how: Shutdown) -> Option<Shutdown> {
        if how == Shutdown::Write {
            return Some(how);
        }
        self.reading_ended.store(true, SeqCst);
        self.writing_ended.fetch_or(how == Shutdown::Both, SeqCst);
        // One byte always fits.
        let _ = self.bell.send(&[1]);
        (how == Shutdown::Both).then_some(Shutdown::Write)
    }

    pub(super) fn read(
        &self,
        socket: &Socket,
        mut read: impl FnMut() -> io::Result<usize>,
    ) -> io::Result<usize> {
        loop {
            match read() {
                Err(error) if error.kind() == WouldBlock => {
                    if self.reading_ended.load(SeqCst) {
                        return Ok(0);
                    }
                    if self.is_over.load(SeqCst) {
                        return Err(error);
                    }
                }
                read => return read,
            }
            self.poll([socket.poll_fd(PollFlags::IN)])?;
        }
    }

    pub(super) fn write(
        &self,
        socket: &Socket,
        mut write: impl FnMut() -> io::Result<usize>,
    ) -> io::Result<usize> {
        loop {
            match write() {
                Err(error) if error.kind() == WouldBlock => {
                    if self.writing_ended.load(SeqCst) {
                        return Err(BrokenPipe.into());
                    }
                    if self.is_over.load(SeqCst) {
                        return Err(error);
                    }
                }
                written => return written,
            }
            self.poll([socket.poll_fd(PollFlags::OUT)])?;
        }
    }

    /// Waits for one of the sockets, or for what ends the wait.
    pub(super) fn poll<const N: usize>(&self, fds: [PollFd<'_>; N]) -> io::Result<()> {
        let mut fds = Vec::from(fds);
        fds.push(PollFd::new(&self.bell, PollFlags::IN));
        poll_now(&mut fds)?;
        // It has been heard; what it rang for is looked at next.
        let _ = self.bell.recv(&mut [0]);
        Ok(())
    }
}

fn poll_now(fds: &mut [PollFd<'_>]) -> io::Result<()> {
    match poll(fds, None) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
