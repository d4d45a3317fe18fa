//! One connection: a socket, TLS around it or not, and what has arrived on it.

use std::fs::File;
use std::sync::Arc;
use std::time::Instant;

use super::Terms;
use super::buffer::{Buffer, SIZE};
use super::sendfile::Turn;
use super::socket::{Link, Socket};
use super::spare::Spare;
#[cfg(feature = "tls")]
use super::tls::TlsSession;
#[cfg(feature = "tls")]
use crate::credentials::{Credential, ProtectionSpace};
use crate::error::Error;
use crate::wire::Context;

/// A connection to one origin.
#[derive(Debug)]
pub(super) struct Connection {
    link: Link,
    #[cfg(feature = "tls")]
    tls: Option<Box<TlsSession>>,
    inbox: Buffer,
    /// What is put together before it is written; kept for its memory.
    outbox: Vec<u8>,
    /// Scheme, host and port, as they stand in a URL.
    origin: Arc<str>,
    /// The pool's when it was made.
    pub(super) epoch: u64,
    /// It has carried an exchange before.
    pub(super) reused: bool,
    /// Something has arrived in the current exchange.
    pub(super) heard: bool,
    /// When it became idle.
    pub(super) idle_since: Option<Instant>,
    /// What was said on it about who the client is holds for the connection: it belongs to
    /// one load.
    pub(super) bound: bool,
}

/// Bytes on their way out, sealed if need be.
#[derive(Debug)]
pub(super) struct Parcel {
    bytes: Vec<u8>,
    sent: usize,
    /// What was sealed; kept for its memory.
    plain: Option<Vec<u8>>,
}

impl Parcel {
    pub(super) fn is_sent(&self) -> bool {
        self.sent == self.bytes.len()
    }
}

/// Memory that an idle connection has given back is at most this large.
const IDLE_OUTBOX: usize = 1024;

impl Connection {
    pub(super) fn plain(link: Link, origin: Arc<str>) -> Self {
        Self {
            link,
            #[cfg(feature = "tls")]
            tls: None,
            inbox: Buffer::default(),
            outbox: Vec::new(),
            origin,
            epoch: 0,
            reused: false,
            heard: false,
            idle_since: None,
            bound: false,
        }
    }

    #[cfg(feature = "tls")]
    pub(super) fn secured(link: Link, tls: TlsSession, origin: Arc<str>) -> Self {
        let mut connection = Self::plain(link, origin);
        connection.tls = Some(Box::new(tls));
        connection
    }

    /// Whether what is written goes over the wire as it is.
    pub(super) fn is_plain(&self) -> bool {
        #[cfg(feature = "tls")]
        return self.tls.is_none();
        #[cfg(not(feature = "tls"))]
        true
    }

    pub(super) fn origin(&self) -> &Arc<str> {
        &self.origin
    }

    /// Returns who may use it, if not everybody.
    #[cfg(feature = "tls")]
    pub(super) fn terms(&self) -> Option<&Arc<Terms>> {
        self.tls.as_ref()?.terms()
    }

    /// Returns nothing: only what TLS has decided sets terms.
    #[cfg(not(feature = "tls"))]
    pub(super) fn terms(&self) -> Option<&Arc<Terms>> {
        None
    }

    /// Takes the identity that was shown and that the server has taken, by its answer: one of
    /// 400 or more may be about the certificate, as nginx tells of a bad one.
    #[cfg(feature = "tls")]
    pub(super) fn take_proven(
        &mut self,
        status: http::StatusCode,
    ) -> Option<(Credential, ProtectionSpace)> {
        self.tls.as_mut().filter(|_| status.as_u16() < 400)?.take_proven()
    }

    pub(super) fn waker(&self) -> Arc<Socket> {
        self.link.waker()
    }

    /// Returns what has arrived and not been used.
    pub(super) fn inbox(&mut self) -> &mut Buffer {
        &mut self.inbox
    }

    /// Reads more into the inbox; zero bytes mean that the peer has closed.
    pub(super) fn fill(&mut self, context: &Context) -> Result<usize, Error> {
        let least = if self.inbox.is_empty() { SIZE } else { 1024 };
        let room = self.inbox.room(least);
        #[cfg(feature = "tls")]
        let read = match &mut self.tls {
            Some(tls) => tls.read(&mut self.link, room, context)?,
            None => self.link.read(room, context)?,
        };
        #[cfg(not(feature = "tls"))]
        let read = self.link.read(room, context)?;
        self.inbox.fill(read);
        self.heard |= read > 0;
        Ok(read)
    }

    /// Reads what has arrived, else from the socket straight into `target`.
    pub(super) fn read(&mut self, target: &mut [u8], context: &Context) -> Result<usize, Error> {
        if !self.inbox.is_empty() {
            return Ok(self.inbox.copy_to(target));
        }
        // Little wishes are served from a full inbox, so that a reader that asks byte by
        // byte does not call the system for each.
        if target.len() < SIZE / 4 {
            self.fill(context)?;
            return Ok(self.inbox.copy_to(target));
        }
        #[cfg(feature = "tls")]
        if let Some(tls) = &mut self.tls {
            return tls.read(&mut self.link, target, context);
        }
        self.link.read(target, context)
    }

    /// Lends the memory in which a message is put together, empty.
    pub(super) fn take_outbox(&mut self) -> Vec<u8> {
        let mut outbox = std::mem::take(&mut self.outbox);
        outbox.clear();
        outbox
    }

    /// Gives it back.
    pub(super) fn return_outbox(&mut self, outbox: Vec<u8>) {
        self.outbox = outbox;
    }

    /// Writes all of `bytes`.
    pub(super) fn write_all(&mut self, bytes: &[u8], context: &Context) -> Result<(), Error> {
        #[cfg(feature = "tls")]
        if let Some(tls) = &mut self.tls {
            return tls.write_all(&mut self.link, bytes, context);
        }
        self.link.write_all(bytes, context)
    }

    /// Closes the connection in the middle of a body.
    pub(super) fn abandon(self) {
        self.link.reset_when_closed();
    }

    /// Begins to write in turns with looking whether the server answers early.
    pub(super) fn set_nonblocking(&self, nonblocking: bool) -> Result<(), Error> {
        self.link.set_nonblocking(nonblocking)
    }

    /// Makes what is in `plain`, from `start` on, ready to be [pushed](Self::push).
    pub(super) fn wrap(&mut self, plain: Vec<u8>, start: usize) -> Result<Parcel, Error> {
        #[cfg(feature = "tls")]
        if let Some(tls) = &mut self.tls {
            let bytes = tls.seal(&plain[start..])?;
            return Ok(Parcel { bytes, sent: 0, plain: Some(plain) });
        }
        Ok(Parcel { bytes: plain, sent: start, plain: None })
    }

    /// Gives the memory of a parcel back.
    pub(super) fn unwrap(&mut self, parcel: Parcel) -> Vec<u8> {
        let Parcel { bytes, plain, .. } = parcel;
        #[cfg(feature = "tls")]
        if let (Some(tls), Some(plain)) = (&mut self.tls, plain) {
            tls.return_sealed(bytes);
            return plain;
        }
        #[cfg(not(feature = "tls"))]
        drop(plain);
        bytes
    }

    /// Sends what is left of a parcel, until it is sent or the server says something:
    /// then what was said is in the inbox. The connection must be
    /// [non-blocking](Self::set_nonblocking).
    pub(super) fn push(&mut self, parcel: &mut Parcel, context: &Context) -> Result<(), Error> {
        while !parcel.is_sent() {
            let ready = self.link.ready(context)?;
            if ready.readable && self.take_what_is_there(context)? {
                return Ok(());
            }
            if ready.writable {
                parcel.sent += self.link.write_now(&parcel.bytes[parcel.sent..], context)?;
            }
        }
        Ok(())
    }

    /// Sends at most `most` bytes of `file` from where it stands, or none if the server says
    /// something first: then what was said is in the inbox. The connection must be
    /// [non-blocking](Self::set_nonblocking), and [without TLS](Self::is_plain).
    pub(super) fn push_file(
        &mut self,
        file: &File,
        most: usize,
        context: &Context,
    ) -> Result<Turn, Error> {
        loop {
            let ready = self.link.ready(context)?;
            if ready.readable && self.take_what_is_there(context)? {
                return Ok(Turn::Sent(0));
            }
            if ready.writable {
                match self.link.send_file_now(file, most, context)? {
                    Turn::Sent(0) => {}
                    turn => return Ok(turn),
                }
            }
        }
    }

    /// Takes what can be read without waiting; returns whether that is part of an answer,
    /// or the end of the connection.
    fn take_what_is_there(&mut self, context: &Context) -> Result<bool, Error> {
        let room = self.inbox.room(SIZE);
        #[cfg(feature = "tls")]
        let read = match &mut self.tls {
            Some(tls) => tls.read_now(&self.link, room, context)?,
            None => self.link.read_now(room, context)?,
        };
        #[cfg(not(feature = "tls"))]
        let read = self.link.read_now(room, context)?;
        self.inbox.fill(read.unwrap_or(0));
        self.heard |= read.is_some_and(|count| count > 0);
        Ok(read.is_some())
    }

    /// Returns whether everything that has arrived was used: nothing stands behind the
    /// body, in plain or still sealed.
    pub(super) fn is_silent(&mut self) -> bool {
        #[cfg(feature = "tls")]
        if self.tls.as_mut().is_some_and(|tls| !tls.is_silent()) {
            return false;
        }
        self.inbox.is_empty()
    }

    /// Looks whether an idle connection can be used again: it must be silent and open.
    pub(super) fn is_usable(&mut self) -> bool {
        match self.link.peek() {
            Ok(None) => true,
            // TLS has things to say between messages, such as a ticket for resuming.
            #[cfg(feature = "tls")]
            Ok(Some(1..)) => self.tls.as_mut().is_some_and(|tls| tls.is_still_open(&self.link)),
            _ => false,
        }
    }

    /// Begins another exchange on a connection that was idle.
    pub(super) fn wake_up(&mut self) {
        self.idle_since = None;
        self.reused = true;
        self.heard = false;
    }

    /// Takes memory for an exchange.
    pub(super) fn borrow_memory(&mut self, spare: &mut Spare) {
        spare.inboxes.lend(&mut self.inbox);
        #[cfg(feature = "tls")]
        if let Some(tls) = &mut self.tls {
            tls.borrow_memory(&mut spare.sealed);
        }
    }

    /// Gives memory back that an idle connection does not need.
    pub(super) fn return_memory(&mut self, spare: &mut Spare) {
        if self.outbox.capacity() > IDLE_OUTBOX {
            self.outbox = Vec::new();
        }
        spare.inboxes.keep(&mut self.inbox);
        #[cfg(feature = "tls")]
        if let Some(tls) = &mut self.tls {
            tls.return_memory(&mut spare.sealed);
        }
    }
}

#[cfg(feature = "tls")]
impl Drop for Connection {
    fn drop(&mut self) {
        // RFC 8446 §6.1: say so before closing. An idle connection only; one that is torn
        // down in the middle of a message has nothing to say.
        if let (Some(tls), Some(_)) = (&mut self.tls, self.idle_since) {
            tls.say_goodbye(&self.link);
        }
    }
}
