//! What can go wrong on a connection besides an answer: in its handshake, or while a
//! request is read.

use std::time::Duration;

/// What a server does instead of a TLS handshake, or instead of listening to the first request
/// when it has no TLS.
///
/// ```
/// use urlsession::testing::{HandshakeFault, Server};
///
/// let server = Server::builder().handshake_fault(HandshakeFault::Close).start();
/// let mut client = std::net::TcpStream::connect(server.address())?;
/// let mut nothing = Vec::new();
/// std::io::Read::read_to_end(&mut client, &mut nothing)?;
/// assert!(nothing.is_empty());
/// Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum HandshakeFault {
    /// Accepts and never speaks, until the client closes, [`Server::release`] is called (the
    /// connection is closed then) or the server is dropped.
    ///
    /// [`Server::release`]: super::Server::release
    Stall,
    /// Accepts and closes at once.
    Close,
    /// Accepts, waits for the first bytes of the client, and closes with a reset.
    Reset,
    /// Waits for the first bytes of the client, then sends these bytes and closes.
    Bytes(Vec<u8>),
    /// Waits for the first bytes of the client, then sends a fatal TLS alert with this
    /// description (40 is `handshake_failure`, 70 `protocol_version`; RFC 8446 §6.2).
    Alert(u8),
}

impl HandshakeFault {
    /// Bytes that are no TLS and no HTTP either.
    #[must_use]
    pub fn garbage() -> Self {
        Self::Bytes(b"\x00\xffneither TLS nor HTTP\r\n\r\n".to_vec())
    }
}

/// How a connection breaks while one of its requests is read.
///
/// [`Server::fault_on_request`](super::Server::fault_on_request) says for which request.
///
/// ```
/// use urlsession::testing::{Answer, RequestFault, Server};
///
/// let server = Server::start();
/// server.handle(|_| Answer::ok("fresh connections work"));
/// // Whoever sends a second request on a connection finds it closed: a stale connection.
/// server.fault_on_request(1, RequestFault::close_after(1));
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RequestFault {
    pub(super) bytes: u64,
    pub(super) reset: bool,
}

impl RequestFault {
    /// Waits for the request, reads `bytes` of it (head included) and closes with FIN.
    #[must_use]
    pub fn close_after(bytes: u64) -> Self {
        Self { bytes, reset: false }
    }

    /// Waits for the request, reads `bytes` of it (head included) and closes with RST.
    #[must_use]
    pub fn reset_after(bytes: u64) -> Self {
        Self { bytes, reset: true }
    }
}

/// What happens when so many bytes of an answer's body have been written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Cut {
    Delay(Duration),
    Stall,
    Truncate,
    Reset,
}
