//! A socket that never blocks. On Windows a shutdown by another thread does not end a read or
//! a write that has begun (rust-lang/rust#121594), and one that has timed out leaves the
//! socket in no known state (MSDN, `SO_RCVTIMEO`); so every wait is one for several sockets, of
//! which one is rung by a cancel.

use std::io;
use std::time::Duration;

use rustix::event::PollFd;
use rustix::net::{RecvFlags, SendFlags};

use crate::cancel::Wake;
use crate::engine::alarm::Alarm;

/// Whether reads and writes wait by themselves.
pub(in crate::engine) const BLOCKS: bool = false;

/// What a wait looks at the cancel token for, if the system had no alarm left.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// What is rung where a shutdown does not end a wait.
#[derive(Debug)]
pub(super) struct Bell(Option<Alarm>);

impl Bell {
    pub(super) fn new() -> Self {
        Self(Alarm::new().ok())
    }

    pub(super) fn ring(&self) {
        if let Some(alarm) = &self.0 {
            alarm.wake();
        }
    }

    /// Returns what to wait for beside the socket.
    pub(super) fn poll_fd(&self) -> Option<PollFd<'_>> {
        self.0.as_ref().map(Alarm::poll_fd)
    }

    /// Returns for how long a wait may last.
    pub(super) fn limit(&self, timeout: Option<Duration>) -> Option<Duration> {
        match self.0 {
            Some(_) => timeout,
            None => Some(timeout.map_or(LOOK_AGAIN, |timeout| timeout.min(LOOK_AGAIN))),
        }
    }
}

pub(super) fn send(socket: &socket2::Socket, bytes: &[u8]) -> io::Result<usize> {
    Ok(rustix::net::send(socket, bytes, SendFlags::empty())?)
}

/// Takes what has arrived, without waiting.
pub(super) fn receive_now(socket: &socket2::Socket, bytes: &mut [u8]) -> io::Result<usize> {
    Ok(rustix::net::recv(socket, bytes, RecvFlags::empty())?.0)
}

pub(super) fn peek(socket: &socket2::Socket, byte: &mut [u8; 1]) -> io::Result<usize> {
    Ok(rustix::net::recv(socket, &mut byte[..], RecvFlags::PEEK)?.0)
}
