//! The body of a request, as it goes out.

use super::codec::Sending;
use super::piece::{PIECE, Piece};
use crate::body::OpenBody;
use crate::engine::connection::{Connection, unless_cancelled};
use crate::engine::sendfile::{Sendfile, Turn, at_a_time};
use crate::engine::socket::{Interest, Ready};
use crate::error::Error;
use crate::wire::Context;

/// A body that goes out step by step; no step waits for the server.
#[derive(Debug)]
pub(super) struct Upload {
    body: OpenBody,
    /// How much of an announced length has still to be read.
    left: Option<u64>,
    piece: Piece,
    step: Step,
    /// How much of the body is with the system.
    sent: u64,
}

/// What is done next.
#[derive(Debug)]
enum Step {
    /// A piece is read.
    Read { is_first: bool },
    /// It is written.
    Write { is_first: bool, is_last: bool },
    /// The system sends a file, up to its last piece or to where it refuses to.
    Send(Sendfile),
}

impl Upload {
    /// Sends what is in `out` and then `body`.
    pub(super) fn new(out: Vec<u8>, body: OpenBody, sending: Sending) -> Self {
        let left = match sending {
            Sending::Length(length) => Some(length),
            _ => None,
        };
        let (piece, step) = (Piece::behind(out), Step::Read { is_first: true });
        Self { body, left, piece, step, sent: 0 }
    }

    /// Returns how much of the body is with the system.
    pub(super) fn sent(&self) -> u64 {
        self.sent
    }

    /// Sends as much of one piece as the system takes without waiting; returns whether the
    /// body is out. The connection must be non-blocking.
    pub(super) fn push(
        &mut self,
        connection: &mut Connection,
        context: &Context,
    ) -> Result<bool, Error> {
        if !self.read()? {
            return Ok(false);
        }
        match &self.step {
            Step::Send(_) => self.send(connection, context).map(|()| false),
            &Step::Write { is_first, is_last } => {
                if !self.write(connection, context)? {
                    return Ok(false);
                }
                self.step = match self.sendfile().filter(|_| is_first) {
                    Some(sendfile) => Step::Send(sendfile),
                    None => Step::Read { is_first: false },
                };
                Ok(is_last)
            }
            Step::Read { .. } => Ok(false),
        }
    }

    /// Reads a piece if that is what is to be done next; returns whether something is there.
    fn read(&mut self) -> Result<bool, Error> {
        if let Step::Read { is_first } = self.step {
            let Some(is_last) = self.piece.read(&mut self.body, &mut self.left)? else {
                return Ok(false);
            };
            self.step = Step::Write { is_first, is_last };
        }
        Ok(true)
    }

    /// Waits until the server says something, or something of the body can be sent.
    pub(super) fn ready(
        &mut self,
        connection: &Connection,
        context: &Context,
    ) -> Result<Ready, Error> {
        let wait = context.wait();
        while let (Step::Read { .. }, Some(pipe)) = (&self.step, self.body.waits_for()) {
            if connection.ready_beside(pipe, &wait, context)? {
                return Ok(Ready { readable: true, writable: false });
            }
            self.read()?;
        }
        connection.ready(Interest { reading: true, writing: true }, context)
    }

    /// Whether there is nothing to send yet.
    pub(super) fn is_starved(&self) -> bool {
        matches!(self.step, Step::Read { .. }) && self.body.waits_for().is_some()
    }

    /// Writes what is left of the piece; returns whether that is all.
    fn write(&mut self, connection: &mut Connection, context: &Context) -> Result<bool, Error> {
        let stream = connection.stream();
        if !self.piece.rest().is_empty() {
            let taken = stream.write_now(self.piece.rest());
            self.piece.advance(taken.map_err(|error| unless_cancelled(error, context))?);
        }
        let flushed = stream.flush_now().map_err(|error| unless_cancelled(error, context))?;
        if !(flushed && self.piece.rest().is_empty()) {
            return Ok(false);
        }
        let content = self.piece.content();
        self.piece.clear();
        self.tell(content, context)?;
        Ok(true)
    }

    /// Returns what sends the rest of a file without reading it. The last piece is read, which
    /// also finds out whether the file still is as long as was announced.
    fn sendfile(&self) -> Option<Sendfile> {
        self.body.file()?;
        Sendfile::of(self.left?)
    }

    fn send(&mut self, connection: &mut Connection, context: &Context) -> Result<(), Error> {
        let read_on = Step::Read { is_first: false };
        let Step::Send(sendfile) = &self.step else { return Ok(()) };
        let (Some(file), Some(left)) = (self.body.file(), &mut self.left) else {
            self.step = read_on;
            return Ok(());
        };
        let most = at_a_time(*left - PIECE as u64);
        let turn = connection.stream().send_file_now(sendfile, file, most);
        match turn.map_err(|error| unless_cancelled(error, context))? {
            Turn::Refused => self.step = read_on,
            Turn::Sent(0) => {}
            Turn::Sent(count) => {
                *left -= count as u64;
                if *left <= PIECE as u64 {
                    self.step = read_on;
                }
                self.tell(count, context)?;
            }
        }
        Ok(())
    }

    /// Tells how much more is with the system, and waits while the load pauses.
    fn tell(&mut self, count: usize, context: &Context) -> Result<(), Error> {
        self.sent += count as u64;
        context.sent(count)
    }
}
