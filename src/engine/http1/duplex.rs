//! A connection on which a request may still be going out while its answer comes in.
//!
//! Whoever waits for the answer drives both ways, on its own thread: what the server takes of
//! the request is sent while it says nothing, and what it says is handed out while it takes
//! nothing. So neither side ever waits for the other to go on, whatever each of them holds
//! back. Where nobody reads, nothing is sent.

use super::upload::Upload;
use crate::engine::buffer::Buffer;
use crate::engine::connection::Connection;
use crate::error::{Error, ErrorKind, Stage};
use crate::log;
use crate::wire::{Context, Patience};

/// Both ways of one exchange.
#[derive(Debug)]
pub(in crate::engine) struct Duplex {
    connection: Box<Connection>,
    way_out: WayOut,
    /// The answer's head has come.
    pub(super) is_answered: bool,
    /// Nothing came behind the answer.
    is_clean: bool,
    /// How much of the body was sent when that came to its end.
    sent: u64,
}

/// What has become of the request.
#[derive(Debug)]
enum WayOut {
    /// It is out.
    Done,
    /// Some of its body is still here. The connection is non-blocking.
    Going(Box<Upload>),
    /// Some of it stays here.
    Stopped,
    /// The connection does not take any more.
    Broken(Error),
}

impl Duplex {
    /// Begins an exchange.
    pub(in crate::engine) fn new(connection: Box<Connection>) -> Self {
        Self { connection, way_out: WayOut::Done, is_answered: false, is_clean: true, sent: 0 }
    }

    pub(in crate::engine) fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// Returns the connection.
    pub(in crate::engine) fn into_connection(self) -> Box<Connection> {
        self.connection
    }

    /// Whether some of the request is still to be sent.
    pub(super) fn is_sending(&self) -> bool {
        matches!(self.way_out, WayOut::Going(_))
    }

    /// Whether nothing more becomes of the request.
    pub(super) fn is_settled(&self) -> bool {
        matches!(self.way_out, WayOut::Done | WayOut::Stopped)
    }

    /// Whether what comes next may be [moved](Connection::splice) without being read. What is
    /// left of the request is sent by whoever reads.
    pub(super) fn may_be_spliced(&mut self) -> bool {
        self.is_settled() && self.connection.is_plain() && self.connection.inbox().is_empty()
    }

    /// Whether all of the request is out, and nothing came that nobody asked for.
    pub(super) fn is_in_step(&self) -> bool {
        matches!(self.way_out, WayOut::Done) && self.is_clean
    }

    /// Returns why the request could not be sent, if the connection broke.
    pub(super) fn why_broken(&self) -> Option<&Error> {
        match &self.way_out {
            WayOut::Broken(error) => Some(error),
            _ => None,
        }
    }

    /// Returns the reset that is behind an end of the connection that was read. The system
    /// tells of it once, and it has told the sending side.
    pub(super) fn hidden_reset(&self) -> Option<&Error> {
        self.why_broken().filter(|_| self.connection.is_plain())
    }

    /// Returns how much of the request's body is with the system, if there is more.
    pub(super) fn sent_so_far(&self) -> Option<u64> {
        match &self.way_out {
            WayOut::Going(upload) => Some(upload.sent()),
            _ => None,
        }
    }

    /// Writes what has not `gone` of `bytes`, the head of the request or all of a small one. A
    /// connection that breaks meanwhile is no error yet: an answer that the server sent before it
    /// closed is worth more than the news that it has closed.
    pub(super) fn write(
        &mut self,
        bytes: &[u8],
        gone: &mut usize,
        context: &Context,
    ) -> Result<(), Error> {
        match self.connection.write_all(bytes, gone, context) {
            Err(error) if error.kind() == ErrorKind::NetworkConnectionLost => {
                self.way_out = WayOut::Broken(error);
                Ok(())
            }
            written => written,
        }
    }

    /// Begins to send a body, whenever the answer is waited for.
    pub(super) fn send(&mut self, upload: Upload) -> Result<(), Error> {
        self.connection.set_nonblocking(true)?;
        self.way_out = WayOut::Going(Box::new(upload));
        Ok(())
    }

    /// The body waits for leave: until it is [sent](Self::send), it stays here.
    pub(super) fn hold_back(&mut self) {
        self.way_out = WayOut::Stopped;
    }

    /// Leaves unsent what is not out yet.
    pub(super) fn stop_sending(&mut self) -> Result<(), Error> {
        match self.way_out {
            WayOut::Going(_) => return self.end(WayOut::Stopped),
            WayOut::Broken(_) => self.way_out = WayOut::Stopped,
            WayOut::Done | WayOut::Stopped => {}
        }
        Ok(())
    }

    fn end(&mut self, way_out: WayOut) -> Result<(), Error> {
        self.sent = self.sent_so_far().unwrap_or(self.sent);
        self.way_out = way_out;
        self.connection.set_nonblocking(false)
    }

    /// Returns what has arrived and not been used.
    pub(super) fn inbox(&mut self) -> &mut Buffer {
        self.connection.inbox()
    }

    /// Receives more into the inbox, and sends meanwhile; zero bytes mean that the peer has
    /// closed.
    pub(super) fn fill(&mut self, context: &Context) -> Result<usize, Error> {
        while self.is_sending() {
            if let Some(count) = self.turn(context)? {
                return Ok(count);
            }
        }
        self.connection.fill(context)
    }

    /// Receives some bytes, and sends meanwhile; none mean that the peer has closed.
    pub(super) fn read(&mut self, target: &mut [u8], context: &Context) -> Result<usize, Error> {
        if self.is_sending() && self.inbox().is_empty() {
            self.fill(context)?;
            return Ok(self.inbox().copy_to(target));
        }
        self.connection.read(target, context)
    }

    /// Receives into the inbox what has come, as [`receive`](Self::receive) does.
    pub(super) fn fill_by(
        &mut self,
        patience: Patience,
        context: &Context,
    ) -> Result<Option<usize>, Error> {
        match patience {
            Patience::Waits => self.fill(context).map(Some),
            Patience::None => self.connection.fill_now(context),
        }
    }

    /// Receives some bytes; `None` if whoever has no patience would have to wait for them.
    pub(super) fn receive(
        &mut self,
        target: &mut [u8],
        patience: Patience,
        context: &Context,
    ) -> Result<Option<usize>, Error> {
        match patience {
            Patience::Waits => self.read(target, context).map(Some),
            Patience::None => self.connection.read_now(target, context),
        }
    }

    /// Waits until something can be done either way, and does it; returns how much was
    /// received into the inbox, if that was waited for.
    fn turn(&mut self, context: &Context) -> Result<Option<usize>, Error> {
        let WayOut::Going(upload) = &mut self.way_out else { return Ok(None) };
        let ready = upload.ready(&self.connection, context)?;
        let received = if ready.readable { self.connection.fill_now(context)? } else { None };
        // Until its head has come, the answer may be one that ends the sending; after that, a
        // server that says much must not keep what it waits for from being sent.
        if ready.writable && (received.is_none() || self.is_answered) {
            self.push(context)?;
        }
        Ok(received)
    }

    fn push(&mut self, context: &Context) -> Result<(), Error> {
        let WayOut::Going(upload) = &mut self.way_out else { return Ok(()) };
        match upload.push(&mut self.connection, context) {
            Ok(false) => Ok(()),
            Ok(true) => self.end(WayOut::Done),
            Err(error) if error.kind() == ErrorKind::NetworkConnectionLost => {
                self.end(WayOut::Broken(error))
            }
            Err(error) => Err(error.at(Stage::Sending)),
        }
    }

    /// Sends what is left of the request when all of the answer has come. The answer is
    /// delivered if the server does not take the rest; an error is one of the body to send, or
    /// ends the load.
    pub(super) fn finish_sending(&mut self, closes: bool, context: &Context) -> Result<(), Error> {
        if closes && self.is_sending() {
            return self.give_up("has said that it closes the connection");
        }
        while self.is_sending() {
            match self.turn(context) {
                Ok(None) => {}
                Ok(Some(0)) => return self.give_up("has closed the connection"),
                Ok(Some(_)) => {
                    // Nobody has asked for it.
                    let inbox = self.inbox();
                    inbox.consume(inbox.filled().len());
                    self.is_clean = false;
                }
                Err(error) => return self.give_up_after(error, context),
            }
        }
        match self.way_out {
            WayOut::Broken(_) => self.give_up("has closed the connection"),
            _ => Ok(()),
        }
    }

    fn give_up_after(&mut self, error: Error, context: &Context) -> Result<(), Error> {
        match error.kind() {
            ErrorKind::NetworkConnectionLost | ErrorKind::SecureConnectionFailed => {
                self.give_up("has closed the connection")
            }
            // A wait that begins now ends only by what ends the load.
            ErrorKind::TimedOut if !self.is_starved() && context.wait_here().slice().is_ok() => {
                self.give_up("has taken none of it for as long as timeout_for_request")
            }
            _ => Err(error),
        }
    }

    /// Whether it is the body that is waited for, not the server.
    fn is_starved(&self) -> bool {
        matches!(&self.way_out, WayOut::Going(upload) if upload.is_starved())
    }

    fn give_up(&mut self, why: &str) -> Result<(), Error> {
        self.stop_sending()?;
        log::warn!(
            "the server has answered early and {why}: the answer is delivered, but the request's \
             body was not sent whole, only {} bytes of it",
            self.sent
        );
        Ok(())
    }
}
