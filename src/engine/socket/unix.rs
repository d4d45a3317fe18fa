//! A socket that blocks until it can be read or written, its timeout has passed, or another
//! thread shuts it down.

use std::io;
use std::time::Duration;

use rustix::event::PollFd;
use rustix::net::{RecvFlags, SendFlags};

/// Whether reads and writes wait by themselves.
pub(in crate::engine) const BLOCKS: bool = true;

/// What is rung where a shutdown does not end a wait: here it does.
#[derive(Debug)]
pub(super) struct Bell;

impl Bell {
    pub(super) fn new() -> Self {
        Self
    }

    pub(super) fn ring(&self) {}

    /// Returns what to wait for beside the socket.
    pub(super) fn poll_fd(&self) -> Option<PollFd<'_>> {
        None
    }

    /// Returns for how long a wait may last.
    pub(super) fn limit(&self, timeout: Option<Duration>) -> Option<Duration> {
        timeout
    }
}

pub(super) fn send(socket: &socket2::Socket, bytes: &[u8]) -> io::Result<usize> {
    // A program in another language may not ignore SIGPIPE. Apple's systems have no such
    // flag; socket2 sets the option there.
    #[cfg(not(target_vendor = "apple"))]
    let flags = SendFlags::NOSIGNAL;
    #[cfg(target_vendor = "apple")]
    let flags = SendFlags::empty();
    Ok(rustix::net::send(socket, bytes, flags)?)
}

/// Takes what has arrived, without waiting.
pub(super) fn receive_now(socket: &socket2::Socket, bytes: &mut [u8]) -> io::Result<usize> {
    Ok(rustix::net::recv(socket, bytes, RecvFlags::DONTWAIT)?.0)
}

pub(super) fn peek(socket: &socket2::Socket, byte: &mut [u8; 1]) -> io::Result<usize> {
    let (read, _) =
        rustix::net::recv(socket, &mut byte[..], RecvFlags::PEEK | RecvFlags::DONTWAIT)?;
    Ok(read)
}
