//! A connection that goes on without HTTP: behind 101, or behind CONNECT.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};

use super::link::Link;
use super::tunnel;

/// A connection that [`Answer::take_over`](super::Answer::take_over) gives away.
///
/// It reads and writes what the client sends and gets, inside TLS if there is any. When the
/// server is dropped, reads end and writes fail.
#[derive(Debug)]
pub struct Takeover<'a> {
    pub(super) link: &'a mut Link,
    pub(super) target: &'a str,
}

impl Takeover<'_> {
    /// The target of the request: `host:port` for CONNECT.
    pub fn target(&self) -> &str {
        self.target
    }

    /// Connects to `address` and carries bytes in both directions until both sides have ended,
    /// as a proxy does behind CONNECT, over TLS too.
    ///
    /// # Errors
    ///
    /// If the connection cannot be made.
    pub fn tunnel_to(&mut self, address: SocketAddr) -> io::Result<()> {
        let up = TcpStream::connect(address)?;
        up.set_nodelay(true)?;
        tunnel::carry(self.link, &up)
    }
}

impl Read for Takeover<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.link.read(buffer)
    }
}

impl Write for Takeover<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.link.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
