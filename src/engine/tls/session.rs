//! TLS on one connection.
//!
//! rustls' unbuffered interface leaves the buffers to us: large reads come from the socket
//! in few system calls, plain bytes go straight to the reader, and an idle connection
//! holds none.

use std::fmt;
use std::sync::Arc;

use rustls::client::{ClientConnectionData, UnbufferedClientConnection};
use rustls::pki_types::ServerName;
use rustls::unbuffered::{
    AppDataRecord, ConnectionState, EncodeError, EncodeTlsData, ReadTraffic, UnbufferedStatus,
};
use rustls::{ClientConfig, HandshakeKind};

use super::failure;
use super::terms::Terms;
use crate::credentials::{Credential, ProtectionSpace};
use crate::engine::buffer::Buffer;
use crate::engine::socket::Link;
use crate::error::{Error, ErrorKind};
use crate::wire::Context;

/// How much is read at a time: two full records.
pub(super) const READ: usize = 2 * (16 * 1024 + 256 + 5);

/// What a record adds to its content, in any version: header, explicit nonce, content
/// type, tag, rounded up.
pub(super) const OVERHEAD: usize = 64;

/// The largest content of a record (RFC 8446 §5.1).
const RECORD: usize = 16 * 1024;

/// One TLS session over a [`Link`].
pub(in crate::engine) struct TlsSession {
    pub(super) rustls: UnbufferedClientConnection,
    /// What came from the socket and is still sealed.
    pub(super) incoming: Buffer,
    /// What was opened and did not fit the reader's buffer.
    pub(super) opened: Buffer,
    /// What is sealed and has to be sent before anything else.
    pub(super) outgoing: Vec<u8>,
    /// The peer has said that nothing more comes.
    pub(super) closed: bool,
    /// Who may use it, if not everybody.
    pub(super) terms: Option<Arc<Terms>>,
    /// An identity that was shown, to be stored once the server has taken it.
    pub(super) unproven: Option<Box<(Credential, ProtectionSpace)>>,
}

/// Why [`TlsSession::turn`] stopped.
pub(super) enum Turn {
    /// Some bytes were put in the reader's buffer.
    Opened(usize),
    /// More has to be read from the socket.
    NeedsInput,
    /// What is in `outgoing` has to be sent.
    NeedsOutput,
    /// The peer has ended its side properly.
    Closed,
}

impl TlsSession {
    /// Makes the client's side of a session with `name`.
    pub(super) fn new(config: Arc<ClientConfig>, name: ServerName<'static>) -> Result<Self, Error> {
        let rustls = UnbufferedClientConnection::new(config, name).map_err(failure::of)?;
        let (incoming, opened) = (Buffer::default(), Buffer::default());
        let (outgoing, closed, terms, unproven) = (Vec::new(), false, None, None);
        Ok(Self { rustls, incoming, opened, outgoing, closed, terms, unproven })
    }

    /// Who may use it, if not everybody.
    pub(in crate::engine) fn terms(&self) -> Option<&Arc<Terms>> {
        self.terms.as_ref()
    }

    /// Takes the identity that the server has taken, for it has answered.
    pub(in crate::engine) fn take_proven(&mut self) -> Option<(Credential, ProtectionSpace)> {
        self.unproven.take().map(|proven| *proven)
    }

    /// Performs the handshake.
    pub(super) fn handshake(&mut self, link: &mut Link, context: &Context) -> Result<(), Error> {
        while self.rustls.is_handshaking() {
            let turn = self.turn(&mut []);
            if turn.is_err() {
                self.queue_alert();
            }
            // What is queued goes out even after a failure: it tells the peer why.
            let sent = self.flush(link, context);
            let turn = turn?;
            sent?;
            match turn {
                Turn::NeedsInput
                    if self.rustls.is_handshaking() && self.receive(link, context)? == 0 =>
                {
                    return Err(failure::closed_in_handshake());
                }
                Turn::Closed => return Err(failure::closed_in_handshake()),
                _ => {}
            }
        }
        self.flush(link, context)?;
        let resumed = self.rustls.handshake_kind() == Some(HandshakeKind::Resumed);
        log::debug!(
            "TLS: {:?}, {:?}{}",
            self.rustls.protocol_version(),
            self.rustls.negotiated_cipher_suite().map(|suite| suite.suite()),
            if resumed { ", resumed" } else { "" }
        );
        Ok(())
    }

    /// Reads some bytes; none means that the peer has closed properly.
    pub(in crate::engine) fn read(
        &mut self,
        link: &mut Link,
        target: &mut [u8],
        context: &Context,
    ) -> Result<usize, Error> {
        loop {
            match self.open_into(target)? {
                Turn::Opened(count) => return Ok(count),
                Turn::Closed => return Ok(0),
                Turn::NeedsOutput => self.flush(link, context)?,
                Turn::NeedsInput => {
                    if self.receive(link, context)? == 0 {
                        return Err(failure::truncated());
                    }
                }
            }
        }
    }

    /// Reads what is there without waiting; `None` if that is nothing for the reader.
    pub(in crate::engine) fn read_now(
        &mut self,
        link: &Link,
        target: &mut [u8],
        context: &Context,
    ) -> Result<Option<usize>, Error> {
        loop {
            match self.open_into(target)? {
                Turn::Opened(count) => return Ok(Some(count)),
                Turn::Closed => return Ok(Some(0)),
                // It is sent with whatever is written next.
                Turn::NeedsOutput => {}
                Turn::NeedsInput => match link.read_now(self.incoming.room(READ), context)? {
                    None => return Ok(None),
                    Some(0) => return Err(failure::truncated()),
                    Some(count) => self.incoming.fill(count),
                },
            }
        }
    }

    fn open_into(&mut self, target: &mut [u8]) -> Result<Turn, Error> {
        if !self.opened.is_empty() {
            return Ok(Turn::Opened(self.opened.copy_to(target)));
        }
        if self.closed {
            return Ok(Turn::Closed);
        }
        self.turn(target)
    }

    /// Writes all of `bytes`.
    pub(in crate::engine) fn write_all(
        &mut self,
        link: &mut Link,
        bytes: &[u8],
        context: &Context,
    ) -> Result<(), Error> {
        for part in bytes.chunks(4 * RECORD) {
            let sealed = self.seal(part)?;
            let sent = link.write_all(&sealed, context);
            self.return_sealed(sealed);
            sent?;
        }
        Ok(())
    }

    /// Returns `bytes` sealed, behind whatever else waits to be sent.
    pub(in crate::engine) fn seal(&mut self, bytes: &[u8]) -> Result<Vec<u8>, Error> {
        loop {
            let UnbufferedStatus { discard, state, .. } =
                self.rustls.process_tls_records(self.incoming.filled_mut());
            let sealed = match state {
                Err(error) => {
                    self.incoming.consume(discard);
                    return Err(failure::of(error));
                }
                Ok(ConnectionState::WriteTraffic(mut traffic)) => {
                    let records = bytes.len().div_ceil(RECORD).max(1);
                    let used = self.outgoing.len();
                    self.outgoing.resize(used + bytes.len() + records * OVERHEAD, 0);
                    let written = traffic
                        .encrypt(bytes, &mut self.outgoing[used..])
                        .map_err(failure::cannot_encrypt)?;
                    self.outgoing.truncate(used + written);
                    true
                }
                Ok(state) => {
                    step(state, &mut self.opened, &mut self.outgoing, &mut self.closed)?;
                    false
                }
            };
            self.incoming.consume(discard);
            if sealed {
                return Ok(std::mem::take(&mut self.outgoing));
            }
        }
    }

    /// Takes the memory of sealed bytes back for the next ones.
    pub(in crate::engine) fn return_sealed(&mut self, mut sealed: Vec<u8>) {
        if self.outgoing.is_empty() {
            sealed.clear();
            self.outgoing = sealed;
        }
    }

    fn receive(&mut self, link: &mut Link, context: &Context) -> Result<usize, Error> {
        let count = link.read(self.incoming.room(READ), context)?;
        self.incoming.fill(count);
        Ok(count)
    }

    fn flush(&mut self, link: &mut Link, context: &Context) -> Result<(), Error> {
        if self.outgoing.is_empty() {
            return Ok(());
        }
        let sent = link.write_all(&self.outgoing, context);
        self.outgoing.clear();
        sent
    }

    /// Queues the alert that rustls has for the peer after a failure, if it has one. To be
    /// called once: from then on the session is dead.
    fn queue_alert(&mut self) {
        let status = self.rustls.process_tls_records(self.incoming.filled_mut());
        if let Ok(ConnectionState::EncodeTlsData(data)) = status.state {
            // If it cannot be written, the end of the connection says enough.
            let _ = encode(data, &mut self.outgoing);
        }
    }

    /// Lets rustls go on until something has to be done outside.
    pub(super) fn turn(&mut self, target: &mut [u8]) -> Result<Turn, Error> {
        let mut filled = 0;
        loop {
            let UnbufferedStatus { discard, state, .. } =
                self.rustls.process_tls_records(self.incoming.filled_mut());
            let turn = match state {
                Err(error) => {
                    // It refuses to go on from anywhere else.
                    self.incoming.consume(discard);
                    return Err(failure::of(error));
                }
                Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                    let full;
                    (filled, full) = open(&mut traffic, target, filled, &mut self.opened)?;
                    full.then_some(Turn::Opened(filled))
                }
                Ok(ConnectionState::WriteTraffic(_) | ConnectionState::BlockedHandshake) => {
                    Some(Turn::NeedsInput)
                }
                Ok(state) => step(state, &mut self.opened, &mut self.outgoing, &mut self.closed)?,
            };
            self.incoming.consume(discard);
            match turn {
                None => {}
                Some(_) if filled > 0 => return Ok(Turn::Opened(filled)),
                Some(turn) => return Ok(turn),
            }
        }
    }
}

impl fmt::Debug for TlsSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsSession").field("closed", &self.closed).finish_non_exhaustive()
    }
}

/// Does what is the same whether one reads or writes.
fn step(
    state: ConnectionState<'_, '_, ClientConnectionData>,
    opened: &mut Buffer,
    outgoing: &mut Vec<u8>,
    closed: &mut bool,
) -> Result<Option<Turn>, Error> {
    match state {
        ConnectionState::ReadTraffic(mut traffic) => {
            // Nobody reads now; kept for whoever reads next.
            open(&mut traffic, &mut [], 0, opened)?;
            Ok(None)
        }
        ConnectionState::EncodeTlsData(data) => encode(data, outgoing).map(|()| None),
        ConnectionState::TransmitTlsData(data) => {
            // Whoever turns the session sends `outgoing` before it waits or writes more.
            data.done();
            Ok(Some(Turn::NeedsOutput))
        }
        ConnectionState::PeerClosed | ConnectionState::Closed => {
            *closed = true;
            Ok(Some(Turn::Closed))
        }
        _ => {
            let detail = "TLS asks for something that a client does not do";
            Err(Error::new(ErrorKind::SecureConnectionFailed, detail))
        }
    }
}

/// Puts a record of the handshake, or an alert, behind what waits to be sent.
fn encode(
    mut data: EncodeTlsData<'_, ClientConnectionData>,
    outgoing: &mut Vec<u8>,
) -> Result<(), Error> {
    let used = outgoing.len();
    match data.encode(&mut outgoing[used..]) {
        Err(EncodeError::InsufficientSize(size)) => {
            outgoing.resize(used + size.required_size, 0);
            data.encode(&mut outgoing[used..]).map_err(failure::cannot_encode)?;
        }
        Err(error) => return Err(failure::cannot_encode(error)),
        Ok(_) => {}
    }
    Ok(())
}

/// Moves opened records to the reader's buffer; the last one may spill over. Returns how
/// much of the buffer is filled, and whether to stop.
fn open(
    traffic: &mut ReadTraffic<'_, '_, ClientConnectionData>,
    target: &mut [u8],
    mut filled: usize,
    opened: &mut Buffer,
) -> Result<(usize, bool), Error> {
    while let Some(next) = traffic.peek_len() {
        let space = target.len() - filled;
        if filled > 0 && next.get() > space {
            return Ok((filled, true));
        }
        let Some(record) = traffic.next_record() else { break };
        let AppDataRecord { payload, .. } = record.map_err(failure::of)?;
        let (fits, spills) = payload.split_at(payload.len().min(space));
        target[filled..filled + fits.len()].copy_from_slice(fits);
        filled += fits.len();
        if !spills.is_empty() {
            opened.room(spills.len())[..spills.len()].copy_from_slice(spills);
            opened.fill(spills.len());
        }
    }
    Ok((filled, filled > 0 && filled == target.len()))
}
