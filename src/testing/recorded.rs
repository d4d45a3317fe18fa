//! Requests as a server received them.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use super::wire::{self, Head};

/// A request as it arrived: nothing decoded, nothing put in order.
///
/// Cloning is cheap and shares the bytes.
///
/// ```
/// use std::io::Write;
/// use urlsession::testing::{Answer, Server};
///
/// let server = Server::start();
/// server.enqueue(Answer::ok("hello"));
/// let mut client = std::net::TcpStream::connect(server.address())?;
/// client.write_all(b"GET /a?b=c HTTP/1.1\r\nhOsT: x.test\r\n\r\n")?;
///
/// let request = server.take_request();
/// assert_eq!((request.method(), request.path(), request.query()), ("GET", "/a", Some("b=c")));
/// assert_eq!(request.header("Host"), Some("x.test"));
/// assert_eq!(request.headers().next(), Some(("hOsT", "x.test")));
/// Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
pub struct Recorded(Arc<Parts>);

/// What a [`Recorded`] shares with its clones.
#[derive(Clone)]
pub(super) struct Parts {
    pub(super) head: Head,
    pub(super) head_bytes: Vec<u8>,
    pub(super) body: Body,
    pub(super) complete: bool,
    pub(super) sequence: u64,
    pub(super) received_at: Instant,
    pub(super) connection: Arc<ConnectionFacts>,
}

/// A request body as far as it arrived.
#[derive(Clone, Debug, Default)]
pub(super) struct Body {
    pub(super) kept: Vec<u8>,
    pub(super) length: u64,
    pub(super) chunk_sizes: Vec<u64>,
    pub(super) trailers: Vec<(String, String)>,
}

/// What is the same for all requests of one connection.
#[derive(Clone, Debug, Default)]
pub(super) struct ConnectionFacts {
    pub(super) number: u64,
    pub(super) peer: Option<SocketAddr>,
    pub(super) sni: Option<String>,
    pub(super) tls_version: Option<&'static str>,
    pub(super) alpn: Option<Vec<u8>>,
    pub(super) tls_resumed: bool,
    pub(super) client_certificates: Vec<Vec<u8>>,
}

impl Recorded {
    pub(super) fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// The method, as sent: `GET`.
    pub fn method(&self) -> &str {
        &self.0.head.method
    }

    /// The target as it stood on the request line: `/path?query`, `http://host/path`,
    /// `host:port` or `*`.
    pub fn target(&self) -> &str {
        &self.0.head.target
    }

    /// The target's path without its query.
    pub fn path(&self) -> &str {
        let target = self.target();
        let path = match target.split_once("://") {
            Some((_, rest)) if !target.starts_with('/') => {
                rest.find('/').map_or("", |at| &rest[at..])
            }
            _ => target,
        };
        path.split_once('?').map_or(path, |(path, _)| path)
    }

    /// What follows the first `?` of the target.
    pub fn query(&self) -> Option<&str> {
        self.target().split_once('?').map(|(_, query)| query)
    }

    /// `HTTP/1.1` or `HTTP/1.0`.
    pub fn version(&self) -> &str {
        self.0.head.version
    }

    /// The head byte for byte, with the empty line that ends it.
    pub fn head_bytes(&self) -> &[u8] {
        &self.0.head_bytes
    }

    /// The header fields in the order and spelling in which they came.
    ///
    /// A value that is not UTF-8 is read as ISO 8859-1; [`head_bytes`](Self::head_bytes) has the
    /// bytes.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.head.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The first value of a field; the case of `name` does not matter.
    pub fn header(&self, name: &str) -> Option<&str> {
        wire::first(&self.0.head.headers, name)
    }

    /// All values of a field in order; the case of `name` does not matter.
    pub fn header_all(&self, name: &str) -> Vec<&str> {
        wire::all(&self.0.head.headers, name).collect()
    }

    /// The body with the framing of chunks taken off, up to the server's
    /// [limit](super::ServerBuilder::body_limit).
    pub fn body(&self) -> &[u8] {
        &self.0.body.kept
    }

    /// The body as text.
    ///
    /// # Panics
    ///
    /// If it is not UTF-8.
    pub fn body_text(&self) -> &str {
        match std::str::from_utf8(self.body()) {
            Ok(text) => text,
            Err(error) => panic!("the body of {self:?} is not UTF-8: {error}"),
        }
    }

    /// How long the body was, also when it was too long to be kept.
    pub fn body_length(&self) -> u64 {
        self.0.body.length
    }

    /// The sizes of the chunks without the last, which is empty; none if the body did not come
    /// in chunks.
    pub fn chunk_sizes(&self) -> &[u64] {
        &self.0.body.chunk_sizes
    }

    /// The fields that came behind the last chunk.
    pub fn trailers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.body.trailers.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether the whole body arrived. A client that goes away, and an answer that leaves the
    /// body unread, end a request early.
    pub fn is_complete(&self) -> bool {
        self.0.complete
    }

    /// On which connection it came, counted from 0 in the order of accepting.
    pub fn connection(&self) -> u64 {
        self.0.connection.number
    }

    /// Which request of its connection it was, counted from 0.
    pub fn sequence(&self) -> u64 {
        self.0.sequence
    }

    /// When the end of the head arrived.
    pub fn received_at(&self) -> Instant {
        self.0.received_at
    }

    /// The client's address; none on a Unix socket.
    pub fn peer_address(&self) -> Option<SocketAddr> {
        self.0.connection.peer
    }

    /// The server name of the TLS handshake.
    pub fn sni(&self) -> Option<&str> {
        self.0.connection.sni.as_deref()
    }

    /// The version that the TLS handshake agreed on: `TLSv1.2` or `TLSv1.3`.
    pub fn tls_version(&self) -> Option<&str> {
        self.0.connection.tls_version
    }

    /// The protocol that the TLS handshake agreed on by ALPN.
    pub fn alpn(&self) -> Option<&[u8]> {
        self.0.connection.alpn.as_deref()
    }

    /// Whether the TLS handshake resumed an earlier one.
    pub fn tls_resumed(&self) -> bool {
        self.0.connection.tls_resumed
    }

    /// The certificates that the client showed, its own first, as DER.
    pub fn client_certificates(&self) -> &[Vec<u8>] {
        &self.0.connection.client_certificates
    }
}

impl fmt::Debug for Recorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorded")
            .field("method", &self.method())
            .field("target", &self.target())
            .field("headers", &self.0.head.headers)
            .field("body_length", &self.body_length())
            .field("complete", &self.is_complete())
            .field("connection", &self.connection())
            .field("sequence", &self.sequence())
            .finish_non_exhaustive()
    }
}
