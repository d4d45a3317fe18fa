//! Bytes carried between a client and another server, both ways at once.
//!
//! One thread does both: the TLS of a client cannot be shared by two.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};

use rustix::event::{PollFd, PollFlags};

use super::link::Link;

/// How much of one direction is held.
const HELD: usize = 64 * 1024;

/// One direction.
#[derive(Debug)]
struct Flow {
    /// What was read and not written.
    held: Vec<u8>,
    /// Nothing more comes.
    ended: bool,
    /// The other side knows that.
    told: bool,
}

/// Carries bytes until both sides have ended, and tells each how the other has.
pub(super) fn carry(link: &mut Link, up: &TcpStream) -> io::Result<()> {
    let held = link.buffered().to_vec();
    link.consume(held.len());
    let mut to_server = Flow { held, ended: false, told: false };
    let mut to_client = Flow { held: Vec::new(), ended: false, told: false };
    up.set_nonblocking(true)?;
    link.socket().set_nonblocking(true)?;
    let carried = loop {
        let moved = one_round(link, up, &mut to_server, &mut to_client);
        match moved {
            Ok(_) if to_server.told && to_client.told => break Ok(()),
            Ok(true) => {}
            Ok(false) => wait(link, up, &to_server, &to_client)?,
            Err(error) => break Err(error),
        }
    };
    if carried.is_err() {
        // A client that is gone, or a server that ends, takes the other side with it.
        let _ = up.shutdown(Shutdown::Both);
        link.socket().shutdown(Shutdown::Both);
    }
    link.socket().set_nonblocking(false)
}

/// Moves what can be moved without waiting; returns whether that was anything.
fn one_round(
    link: &mut Link,
    mut up: &TcpStream,
    to_server: &mut Flow,
    to_client: &mut Flow,
) -> io::Result<bool> {
    let mut moved = to_server.take(|room| link.read(room))?;
    moved |= to_server.give(|bytes| up.write(bytes))?;
    moved |= to_server.end(|| drop(up.shutdown(Shutdown::Write)));
    moved |= to_client.take(|room| up.read(room))?;
    moved |= to_client.give(|bytes| link.write(bytes))?;
    let flushed = now(link.flush())?.is_some();
    Ok(moved | (flushed && to_client.end(|| link.finish(true))))
}

impl Flow {
    fn take(&mut self, read: impl FnOnce(&mut [u8]) -> io::Result<usize>) -> io::Result<bool> {
        if self.ended || !self.held.is_empty() {
            return Ok(false);
        }
        self.held.resize(HELD, 0);
        let read = now(read(&mut self.held));
        self.held.truncate(read.as_ref().map_or(0, |read| read.unwrap_or(0)));
        let read = read?;
        self.ended = read == Some(0);
        Ok(read.is_some())
    }

    fn give(&mut self, write: impl FnOnce(&[u8]) -> io::Result<usize>) -> io::Result<bool> {
        if self.held.is_empty() {
            return Ok(false);
        }
        let written = now(write(&self.held))?;
        self.held.drain(..written.unwrap_or(0));
        Ok(written.is_some())
    }

    fn end(&mut self, tell: impl FnOnce()) -> bool {
        let tells = self.ended && self.held.is_empty() && !self.told;
        if tells {
            tell();
            self.told = true;
        }
        tells
    }
}

/// Turns "not now" into `None`.
fn now<T>(outcome: io::Result<T>) -> io::Result<Option<T>> {
    match outcome {
        Ok(done) => Ok(Some(done)),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(None),
        Err(error) => Err(error),
    }
}

/// Waits until something can be moved.
fn wait(link: &Link, up: &TcpStream, to_server: &Flow, to_client: &Flow) -> io::Result<()> {
    let interest = |flow: &Flow, back: &Flow| {
        let mut flags = PollFlags::empty();
        flags.set(PollFlags::IN, !flow.ended && flow.held.is_empty());
        flags.set(PollFlags::OUT, !back.held.is_empty());
        flags
    };
    let mut client = interest(to_server, to_client);
    client.set(PollFlags::OUT, !to_client.held.is_empty() || link.wants_write());
    let server = interest(to_client, to_server);
    link.socket().poll_beside(client, PollFd::new(up, server))
}
