//! TLS over a stream.

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::{CertificateDer, ServerName};

use super::failure;
use super::session::{RECORD, TlsSession, Turn};
use super::terms::{Consulted, Terms};
use crate::credentials::{Credential, ProtectionSpace};
use crate::engine::spare::Shelf;
use crate::engine::stream::Stream;
use crate::error::Error;
use crate::wire::Context;

/// How much is sealed at a time: a piece of a body with what frames it, or with the head
/// before it.
const SEALED: usize = 8 * RECORD;

/// A TLS session over another stream.
#[derive(Debug)]
pub(in crate::engine) struct TlsStream {
    below: Stream,
    session: TlsSession,
    /// Who may use it, if not everybody.
    pub(super) terms: Option<Arc<Terms>>,
    /// Who was asked about the server.
    pub(super) consulted: Consulted,
    /// An identity that was shown, to be stored once the server has taken it.
    pub(super) unproven: Option<Box<(Credential, ProtectionSpace)>>,
}

/// What has become of a session that nobody has used for a while.
#[derive(Debug)]
pub(super) enum Pause {
    Open,
    Over,
    /// The peer has said why it is over.
    Failed(Error),
}

impl TlsStream {
    /// Makes the client's side of a session with `name`; nothing is said yet.
    pub(super) fn new(
        config: Arc<ClientConfig>,
        name: ServerName<'static>,
        below: Stream,
    ) -> Result<Self, Error> {
        let session = TlsSession::new(config, name)?;
        Ok(Self { below, session, terms: None, consulted: Consulted::default(), unproven: None })
    }

    /// What it goes over.
    pub(in crate::engine) fn below(&self) -> &Stream {
        &self.below
    }

    /// Who may use it, if not everybody.
    pub(in crate::engine) fn terms(&self) -> Option<&Arc<Terms>> {
        self.terms.as_ref()
    }

    /// Returns what the peer has shown, its own certificate first.
    pub(super) fn peer_certificates(&self) -> Option<&[CertificateDer<'static>]> {
        self.session.peer_certificates()
    }

    /// Whether the handshake went on with an earlier one.
    pub(super) fn was_resumed(&self) -> bool {
        self.session.was_resumed()
    }

    /// Performs the handshake.
    pub(super) fn handshake(&mut self, context: &Context) -> Result<(), Error> {
        while self.session.is_handshaking() {
            let turn = self.session.turn(&mut []);
            if turn.is_err() {
                self.session.queue_alert();
            }
            // What is queued goes out even after a failure: it tells the peer why.
            let sent = self.flush(context);
            let turn = turn?;
            sent?;
            match turn {
                Turn::NeedsInput
                    if self.session.is_handshaking() && self.receive(context)? == 0 =>
                {
                    return Err(failure::closed_in_handshake());
                }
                Turn::Closed => return Err(failure::closed_in_handshake()),
                _ => {}
            }
        }
        self.flush(context)?;
        self.session.log_what_was_agreed();
        Ok(())
    }

    /// Reads some bytes; none means that the peer has closed properly.
    pub(in crate::engine) fn read(
        &mut self,
        target: &mut [u8],
        context: &Context,
    ) -> Result<usize, Error> {
        loop {
            match self.session.open_into(target)? {
                Turn::Opened(count) => return Ok(count),
                Turn::Closed => return Ok(0),
                Turn::NeedsOutput => self.flush(context)?,
                Turn::NeedsInput => {
                    if self.receive(context)? == 0 {
                        return Err(failure::truncated());
                    }
                }
            }
        }
    }

    /// Reads what is there without waiting; `None` if that is nothing for the reader.
    pub(in crate::engine) fn read_now(
        &mut self,
        target: &mut [u8],
    ) -> Result<Option<usize>, Error> {
        loop {
            match self.session.open_into(target)? {
                Turn::Opened(count) => return Ok(Some(count)),
                Turn::Closed => return Ok(Some(0)),
                // It is sent with whatever is written next.
                Turn::NeedsOutput => {}
                Turn::NeedsInput => match self.below.read_now(self.session.room())? {
                    None => return Ok(None),
                    Some(0) => return Err(failure::truncated()),
                    Some(count) => self.session.fill(count),
                },
            }
        }
    }

    /// Whether there may be bytes for the reader without another look at the socket.
    pub(in crate::engine) fn holds_input(&self) -> bool {
        self.session.holds_input() || self.below.holds_input()
    }

    /// Writes what has not `gone` of `bytes`: what is sealed counts as gone, and a call that was
    /// left in the middle is gone on with to have it sent.
    pub(in crate::engine) fn write_all(
        &mut self,
        bytes: &[u8],
        gone: &mut usize,
        context: &Context,
    ) -> Result<(), Error> {
        self.flush(context)?;
        for part in bytes[*gone..].chunks(SEALED) {
            self.session.seal(part)?;
            *gone += part.len();
            self.flush(context)?;
        }
        Ok(())
    }

    /// Seals some of `bytes` once all that was sealed before has gone; returns how many.
    pub(in crate::engine) fn write_now(&mut self, bytes: &[u8]) -> Result<usize, Error> {
        if !self.flush_now()? {
            return Ok(0);
        }
        let part = &bytes[..bytes.len().min(SEALED)];
        self.session.seal(part)?;
        self.flush_now()?;
        Ok(part.len())
    }

    /// Sends on what is sealed; returns whether all of it has gone.
    pub(in crate::engine) fn flush_now(&mut self) -> Result<bool, Error> {
        let outgoing = &mut self.session.outgoing;
        while !outgoing.rest().is_empty() {
            match self.below.write_now(outgoing.rest()) {
                Ok(0) => return Ok(false),
                Ok(count) => outgoing.advance(count),
                Err(error) => {
                    // A later read must not fail for it.
                    outgoing.clear();
                    return Err(error);
                }
            }
        }
        self.below.flush_now()
    }

    fn receive(&mut self, context: &Context) -> Result<usize, Error> {
        let count = self.below.read(self.session.room(), context)?;
        self.session.fill(count);
        Ok(count)
    }

    fn flush(&mut self, context: &Context) -> Result<(), Error> {
        let outgoing = &mut self.session.outgoing;
        // Where there is nothing, the layer below may have something.
        let mut gone = 0;
        let sent = self.below.write_all(outgoing.rest(), &mut gone, context);
        outgoing.advance(gone);
        if sent.as_ref().is_err_and(|error| !context.leaves(error)) {
            outgoing.clear();
        }
        sent
    }

    /// Returns whether all that has arrived was read, and the peer may say more.
    /// What a record holds behind a body would be taken for the beginning of the next answer.
    pub(in crate::engine) fn is_silent(&mut self) -> bool {
        let waits =
            !self.session.is_closed() && matches!(self.session.turn(&mut []), Ok(Turn::NeedsInput));
        waits && self.session.is_empty() && self.below.is_silent()
    }

    /// Looks, without waiting, whether what an idle peer has said leaves the session
    /// usable.
    pub(in crate::engine) fn is_still_open(&mut self) -> bool {
        matches!(self.listen(), Pause::Open)
    }

    /// Looks, without waiting, what has become of the session while somebody was asked.
    pub(super) fn after_pause(&mut self) -> Pause {
        match self.below.link().peek() {
            Ok(None) => Pause::Open,
            Ok(Some(1..)) => match self.listen() {
                Pause::Failed(error) if !failure::is_alert(&error) => Pause::Over,
                pause => pause,
            },
            _ => Pause::Over,
        }
    }

    fn listen(&mut self) -> Pause {
        loop {
            match self.session.turn(&mut []) {
                Ok(Turn::NeedsInput) => {}
                Err(error) => return Pause::Failed(error),
                // Bytes without a request, an end, or something to answer.
                _ => return Pause::Over,
            }
            match self.below.read_now(self.session.room()) {
                Ok(None) => break,
                Ok(Some(count @ 1..)) => self.session.fill(count),
                _ => return Pause::Over,
            }
        }
        if self.session.has_opened_nothing() { Pause::Open } else { Pause::Over }
    }

    /// Tells the peer that the connection ends, if that is possible without waiting, and then
    /// the peer below.
    pub(in crate::engine) fn say_goodbye(&mut self) {
        self.session.queue_close_notify();
        if self.below.set_nonblocking(true).is_ok() {
            let _ = self.flush_now();
        }
        self.below.say_goodbye();
    }

    /// Takes memory for an exchange.
    pub(in crate::engine) fn borrow_memory(&mut self, spare: &mut Shelf) {
        self.session.borrow_memory(spare);
        self.below.borrow_memory(spare);
    }

    /// Gives memory back that an idle session does not need.
    pub(in crate::engine) fn return_memory(&mut self, spare: &mut Shelf) {
        self.session.return_memory(spare);
        self.below.return_memory(spare);
    }
}
