//! A connection that goes on without HTTP: behind 101, or behind CONNECT.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread;

use super::link::Link;

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
    /// as a proxy does behind CONNECT.
    ///
    /// # Errors
    ///
    /// If the connection cannot be made, or if this one has TLS, which goes one way at a time.
    pub fn tunnel_to(&mut self, address: SocketAddr) -> io::Result<()> {
        if !self.link.is_plain() {
            return Err(io::ErrorKind::Unsupported.into());
        }
        let mut up = TcpStream::connect(address)?;
        up.set_nodelay(true)?;
        up.write_all(self.link.buffered())?;
        self.link.consume(self.link.buffered().len());
        let client = self.link.socket();
        thread::scope(|scope| {
            scope.spawn(|| {
                // Either side may end first and in any way; the other is then told the same.
                let _ = io::copy(&mut &up, &mut &**client);
                client.shutdown(Shutdown::Write);
            });
            let sent = io::copy(&mut &**client, &mut &up);
            // A client that is gone, or a server that ends, takes the other side with it.
            let _ = up.shutdown(if sent.is_ok() { Shutdown::Write } else { Shutdown::Both });
        });
        Ok(())
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
