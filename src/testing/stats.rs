//! What a server has seen so far, as numbers that a test can wait for.

/// A snapshot of what a [`Server`](super::Server) has seen and done.
///
/// [`Server::wait_until`](super::Server::wait_until) waits for a condition on one of these, so
/// that a test needs no sleep.
///
/// ```
/// use urlsession::testing::Server;
///
/// let server = Server::start();
/// let _client = std::net::TcpStream::connect(server.address())?;
/// server.wait_until(|stats| stats.connections == 1);
/// assert_eq!(server.stats().requests, 0);
/// Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Stats {
    /// Connections accepted since the start.
    pub connections: u64,
    /// Connections that are open now. One that is closed has given its socket back.
    pub open_connections: u64,
    /// Open connections on which no request is going on: before the first, or after the last
    /// byte of an answer.
    pub idle_connections: u64,
    /// TLS handshakes completed.
    pub handshakes: u64,
    /// TLS handshakes that failed, by a fault asked for or because the client refused.
    pub failed_handshakes: u64,
    /// Request heads received.
    pub heads: u64,
    /// Requests received with everything that belongs to them.
    pub requests: u64,
    /// Body bytes received, without the framing of chunks.
    pub body_bytes: u64,
    /// Answers written to their end, as far as their plan let them.
    pub answers: u64,
    /// Connections that are held by a stall now.
    pub stalled: u64,
}
