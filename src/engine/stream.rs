//! A stream of bytes to a peer: a socket, or TLS over another stream.
//!
//! TLS over TLS is the way to a server behind a proxy that is reached by https. Whatever is
//! done to a stream is done to the layer on top; waiting, waking and closing is done to the
//! socket at the bottom.

use std::fs::File;
use std::sync::Arc;

use super::sendfile::{Sendfile, Turn};
use super::socket::{Interest, Link, Ready, Socket};
use super::spare::Shelf;
use super::tls::{Terms, TlsStream};
use crate::error::Error;
use crate::wire::Context;

/// A way for bytes, both ways.
#[derive(Debug)]
pub(super) enum Stream {
    Plain(Link),
    #[cfg_attr(not(feature = "tls"), allow(dead_code, reason = "nothing makes one"))]
    Tls(Box<TlsStream>),
}

impl Stream {
    /// Reads some bytes; none means that the peer has closed its side.
    pub(super) fn read(&mut self, target: &mut [u8], context: &Context) -> Result<usize, Error> {
        match self {
            Self::Plain(link) => link.read(target, context),
            Self::Tls(tls) => tls.read(target, context),
        }
    }

    /// Writes what has not `gone` of `bytes`, and keeps that up to date: if the load leaves its
    /// thread meanwhile, the same call goes on with it.
    pub(super) fn write_all(
        &mut self,
        bytes: &[u8],
        gone: &mut usize,
        context: &Context,
    ) -> Result<(), Error> {
        match self {
            Self::Plain(link) => link.write_all(bytes, gone, context),
            Self::Tls(tls) => tls.write_all(bytes, gone, context),
        }
    }

    /// Has the calls that send at once wait for nothing, or ends that.
    pub(super) fn set_nonblocking(&self, nonblocking: bool) -> Result<(), Error> {
        self.link().set_nonblocking(nonblocking)
    }

    /// Reads what is there without waiting; `None` if nothing is.
    pub(super) fn read_now(&mut self, target: &mut [u8]) -> Result<Option<usize>, Error> {
        match self {
            Self::Plain(link) => link.read_now(target),
            Self::Tls(tls) => tls.read_now(target),
        }
    }

    /// Takes as many of `bytes` as it can without waiting, and returns how many. What TLS has
    /// taken may still have to be [flushed](Self::flush_now). The stream must be
    /// [non-blocking](Self::set_nonblocking).
    pub(super) fn write_now(&mut self, bytes: &[u8]) -> Result<usize, Error> {
        match self {
            Self::Plain(link) => link.write_now(bytes),
            Self::Tls(tls) => tls.write_now(bytes),
        }
    }

    /// Sends on what was taken; returns whether all of it is with the system. The stream must
    /// be [non-blocking](Self::set_nonblocking).
    pub(super) fn flush_now(&mut self) -> Result<bool, Error> {
        match self {
            Self::Plain(_) => Ok(true),
            Self::Tls(tls) => tls.flush_now(),
        }
    }

    /// Sends as much of `file`, from where it stands, as the system takes without waiting, but
    /// at most `most` bytes. The stream must be [non-blocking](Self::set_nonblocking).
    pub(super) fn send_file_now(
        &mut self,
        sendfile: &Sendfile,
        file: &File,
        most: usize,
    ) -> Result<Turn, Error> {
        match self {
            Self::Plain(link) => link.send_file_now(sendfile, file, most),
            // What is sealed has to be read first.
            Self::Tls(_) => Ok(Turn::Refused),
        }
    }

    /// Waits until something of interest can be done.
    pub(super) fn ready(&self, interest: Interest, context: &Context) -> Result<Ready, Error> {
        // What a layer has taken from the socket already, the system does not tell of.
        if interest.reading && self.holds_input() {
            return Ok(Ready { readable: true, writable: false });
        }
        self.link().ready(interest, context)
    }

    /// Whether a layer may have bytes for the reader without another look at the socket.
    pub(super) fn holds_input(&self) -> bool {
        match self {
            Self::Plain(_) => false,
            Self::Tls(tls) => tls.holds_input(),
        }
    }

    /// The socket at the bottom.
    pub(super) fn link(&self) -> &Link {
        match self {
            Self::Plain(link) => link,
            Self::Tls(tls) => tls.below().link(),
        }
    }

    /// Returns what ends a blocked call when it is woken.
    pub(super) fn waker(&self) -> Arc<Socket> {
        self.link().waker()
    }

    /// Has the coming close tell the peer at once that nobody reads any more.
    pub(super) fn reset_when_closed(&self) {
        self.link().reset_when_closed();
    }

    /// Returns whether all that has arrived was read, and the peer may say more.
    pub(super) fn is_silent(&mut self) -> bool {
        match self {
            Self::Plain(_) => true,
            Self::Tls(tls) => tls.is_silent(),
        }
    }

    /// Looks, without waiting, whether an idle stream can be used again: the peer must be
    /// silent and there.
    pub(super) fn is_usable(&mut self) -> bool {
        match (self.link().peek(), self) {
            (Ok(None), _) => true,
            // TLS has things to say between messages, such as a ticket for resuming.
            (Ok(Some(1..)), Self::Tls(tls)) => tls.is_still_open(),
            _ => false,
        }
    }

    /// Tells an idle peer that the stream ends, if that is possible without waiting.
    pub(super) fn say_goodbye(&mut self) {
        if let Self::Tls(tls) = self {
            tls.say_goodbye();
        }
    }

    /// Returns who may use it, if not everybody: only what TLS has decided sets terms.
    pub(super) fn terms(&self) -> Option<&Arc<Terms>> {
        match self {
            Self::Plain(_) => None,
            Self::Tls(tls) => tls.terms(),
        }
    }

    /// Takes memory for an exchange.
    pub(super) fn borrow_memory(&mut self, spare: &mut Shelf) {
        if let Self::Tls(tls) = self {
            tls.borrow_memory(spare);
        }
    }

    /// Gives memory back that an idle stream does not need.
    pub(super) fn return_memory(&mut self, spare: &mut Shelf) {
        if let Self::Tls(tls) = self {
            tls.return_memory(spare);
        }
    }
}
