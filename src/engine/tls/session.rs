//! What rustls does for one TLS session, without any input or output.
//!
//! rustls' unbuffered interface leaves the buffers to us: large reads come from the socket
//! in few system calls, plain bytes go straight to the reader, and an idle connection
//! holds none. All calls of that interface are here.

use std::fmt;
use std::sync::Arc;

use rustls::client::{ClientConnectionData, UnbufferedClientConnection};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::unbuffered::{
    AppDataRecord, ConnectionState, EncodeError, EncodeTlsData, ReadTraffic, UnbufferedStatus,
};
use rustls::{ClientConfig, HandshakeKind};

use super::failure;
use crate::engine::buffer::Buffer;
use crate::engine::spare::Shelf;
use crate::error::{Error, ErrorKind};
use crate::log;

/// How much is read at a time: two full records.
const READ: usize = 2 * (16 * 1024 + 256 + 5);

/// What a record adds to its content, in any version: header, explicit nonce, content
/// type, tag, rounded up.
const OVERHEAD: usize = 64;

/// How much memory an idle session keeps for what it will send.
const IDLE: usize = 1024;

/// The largest content of a record (RFC 8446 §5.1).
pub(super) const RECORD: usize = 16 * 1024;

/// One TLS session: what rustls knows, and the bytes on their way through it.
pub(super) struct TlsSession {
    rustls: UnbufferedClientConnection,
    /// What came from the peer and is still sealed.
    incoming: Buffer,
    /// What was opened and did not fit the reader's buffer.
    opened: Buffer,
    /// What is sealed and has to be sent before anything else.
    pub(super) outgoing: Outgoing,
    /// The peer has said that nothing more comes.
    closed: bool,
    /// What came may hold more than was handed out.
    holds_input: bool,
}

/// Sealed bytes, of which some may have gone.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    bytes: Vec<u8>,
    gone: usize,
}

/// Why [`TlsSession::turn`] stopped.
pub(super) enum Turn {
    /// Some bytes were put in the reader's buffer.
    Opened(usize),
    /// More has to come from the peer.
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
        let (incoming, opened, outgoing) = Default::default();
        Ok(Self { rustls, incoming, opened, outgoing, closed: false, holds_input: false })
    }

    pub(super) fn is_handshaking(&self) -> bool {
        self.rustls.is_handshaking()
    }

    /// Whether a handshake of an earlier connection was gone on with.
    pub(super) fn was_resumed(&self) -> bool {
        self.rustls.handshake_kind() == Some(HandshakeKind::Resumed)
    }

    /// Returns what the peer has shown, its own certificate first.
    pub(super) fn peer_certificates(&self) -> Option<&[CertificateDer<'static>]> {
        self.rustls.peer_certificates()
    }

    pub(super) fn log_what_was_agreed(&self) {
        log::debug!(
            "TLS: {:?}, {:?}{}",
            self.rustls.protocol_version(),
            self.rustls.negotiated_cipher_suite().map(|suite| suite.suite()),
            if self.was_resumed() { ", resumed" } else { "" }
        );
    }

    /// Whether all that has come was opened, and all that was opened was read.
    pub(super) fn is_empty(&self) -> bool {
        self.opened.is_empty() && self.incoming.is_empty()
    }

    /// Whether nothing was opened that nobody has read.
    pub(super) fn has_opened_nothing(&self) -> bool {
        self.opened.is_empty()
    }

    /// Whether there may be bytes for the reader without any more from the peer.
    pub(super) fn holds_input(&self) -> bool {
        self.holds_input || self.closed || !self.opened.is_empty()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Returns room for what comes from the peer.
    pub(super) fn room(&mut self) -> &mut [u8] {
        self.incoming.room(READ)
    }

    /// Notes that `count` bytes of the room were filled.
    pub(super) fn fill(&mut self, count: usize) {
        self.incoming.fill(count);
    }

    /// Opens what has come, for the reader.
    pub(super) fn open_into(&mut self, target: &mut [u8]) -> Result<Turn, Error> {
        if !self.opened.is_empty() {
            return Ok(Turn::Opened(self.opened.copy_to(target)));
        }
        if self.closed {
            return Ok(Turn::Closed);
        }
        self.turn(target)
    }

    /// Puts `bytes` sealed behind whatever else waits to be sent.
    pub(super) fn seal(&mut self, bytes: &[u8]) -> Result<(), Error> {
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
                    let outgoing = &mut self.outgoing.bytes;
                    let used = outgoing.len();
                    outgoing.resize(used + bytes.len() + records * OVERHEAD, 0);
                    let written = traffic
                        .encrypt(bytes, &mut outgoing[used..])
                        .map_err(failure::cannot_encrypt)?;
                    outgoing.truncate(used + written);
                    true
                }
                Ok(state) => {
                    let outgoing = &mut self.outgoing.bytes;
                    step(state, &mut self.opened, outgoing, &mut self.closed)?;
                    false
                }
            };
            self.incoming.consume(discard);
            if sealed {
                return Ok(());
            }
        }
    }

    /// Queues the alert that rustls has for the peer after a failure, if it has one. To be
    /// called once: from then on the session is dead.
    pub(super) fn queue_alert(&mut self) {
        let status = self.rustls.process_tls_records(self.incoming.filled_mut());
        if let Ok(ConnectionState::EncodeTlsData(data)) = status.state {
            // If it cannot be written, the end of the connection says enough.
            let _ = encode(data, &mut self.outgoing.bytes);
        }
    }

    /// Queues the word that nothing more will be said.
    pub(super) fn queue_close_notify(&mut self) {
        let status = self.rustls.process_tls_records(self.incoming.filled_mut());
        if let Ok(ConnectionState::WriteTraffic(mut traffic)) = status.state {
            let mut alert = [0; 2 * OVERHEAD];
            if let Ok(length) = traffic.queue_close_notify(&mut alert) {
                self.outgoing.bytes.extend_from_slice(&alert[..length]);
            }
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
                Ok(state) => {
                    let outgoing = &mut self.outgoing.bytes;
                    step(state, &mut self.opened, outgoing, &mut self.closed)?
                }
            };
            self.incoming.consume(discard);
            let Some(turn) = turn else { continue };
            self.holds_input = !matches!(turn, Turn::NeedsInput);
            return Ok(if filled > 0 { Turn::Opened(filled) } else { turn });
        }
    }

    /// Takes memory for an exchange.
    pub(super) fn borrow_memory(&mut self, spare: &mut Shelf) {
        spare.lend(&mut self.incoming);
    }

    /// Gives memory back that an idle session does not need.
    pub(super) fn return_memory(&mut self, spare: &mut Shelf) {
        spare.keep(&mut self.incoming);
        drop(self.opened.take_memory());
        self.outgoing.shrink();
    }
}

impl Outgoing {
    /// What has not gone yet.
    pub(super) fn rest(&self) -> &[u8] {
        &self.bytes[self.gone..]
    }

    /// Notes that `count` bytes more have gone.
    pub(super) fn advance(&mut self, count: usize) {
        self.gone += count;
        if self.gone == self.bytes.len() {
            self.clear();
        }
    }

    /// Forgets what has not gone; keeps the memory.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.gone = 0;
    }

    fn shrink(&mut self) {
        if self.bytes.is_empty() && self.bytes.capacity() > IDLE {
            self.bytes = Vec::new();
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
