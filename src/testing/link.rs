//! One connection's bytes in both directions, in plain or through TLS.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::sync::Arc;

#[cfg(feature = "tls")]
use rustls::ServerConnection;

use super::socket::Socket;

/// Enough for a head; most connections never need more.
const SMALL: usize = 8 * 1024;
/// What a body is read with.
const LARGE: usize = 64 * 1024;
/// How much is read ahead from a client whose connection is held.
const READ_AHEAD: usize = 256 * 1024;

/// A socket, its TLS, and what has been read of it but not used.
pub(super) struct Link {
    socket: Arc<Socket>,
    #[cfg(feature = "tls")]
    tls: Option<Box<ServerConnection>>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

impl Link {
    pub(super) fn new(socket: Arc<Socket>) -> Self {
        Self {
            socket,
            #[cfg(feature = "tls")]
            tls: None,
            buffer: vec![0; SMALL],
            start: 0,
            end: 0,
        }
    }

    /// Puts TLS between the socket and what is read and written from now on.
    #[cfg(feature = "tls")]
    pub(super) fn shake_hands(&mut self, mut tls: ServerConnection) -> io::Result<()> {
        let mut socket = &*self.socket;
        while tls.is_handshaking() {
            if tls.complete_io(&mut socket)? == (0, 0) {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        self.tls = Some(Box::new(tls));
        Ok(())
    }

    #[cfg(feature = "tls")]
    pub(super) fn tls(&self) -> Option<&ServerConnection> {
        self.tls.as_deref()
    }

    pub(super) fn socket(&self) -> &Arc<Socket> {
        &self.socket
    }

    /// What has been read and not used yet.
    pub(super) fn buffered(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    pub(super) fn consume(&mut self, count: usize) {
        self.start += count;
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
    }

    /// Reads more behind what is buffered; 0 means that the client sends no more.
    pub(super) fn fill(&mut self) -> io::Result<usize> {
        if self.end == self.buffer.len() {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
            if self.end > self.buffer.len() / 2 {
                self.buffer.resize(self.buffer.len() * 2, 0);
            }
        }
        let mut room = std::mem::take(&mut self.buffer);
        let result = self.receive(&mut room[self.end..]);
        self.buffer = room;
        let count = result?;
        self.end += count;
        Ok(count)
    }

    /// Makes room for large reads.
    pub(super) fn expect_much(&mut self) {
        if self.buffer.len() < LARGE {
            self.buffer.resize(LARGE, 0);
        }
    }

    /// Reads past the buffer, which must be empty.
    fn receive(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut socket = &*self.socket;
        loop {
            #[cfg(feature = "tls")]
            let result = match &mut self.tls {
                Some(tls) => rustls::Stream::new(&mut **tls, &mut socket).read(into),
                None => socket.read(into),
            };
            #[cfg(not(feature = "tls"))]
            let result = socket.read(into);
            match result {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // A client may leave without close_notify; its request is framed by itself.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(0),
                result => return result,
            }
        }
    }

    /// Reads what there is, first from the buffer.
    pub(super) fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.buffered().len().min(into.len());
        if count == 0 {
            return self.receive(into);
        }
        into[..count].copy_from_slice(&self.buffered()[..count]);
        self.consume(count);
        Ok(count)
    }

    pub(super) fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut socket = &*self.socket;
        #[cfg(feature = "tls")]
        if let Some(tls) = &mut self.tls {
            let mut stream = rustls::Stream::new(&mut **tls, &mut socket);
            stream.write_all(bytes)?;
            return stream.flush();
        }
        socket.write_all(bytes)
    }

    /// Writes as much as there is room for.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut socket = &*self.socket;
        #[cfg(feature = "tls")]
        if let Some(tls) = &mut self.tls {
            return rustls::Stream::new(&mut **tls, &mut socket).write(bytes);
        }
        socket.write(bytes)
    }

    /// Sends what TLS still holds.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        let mut socket = &*self.socket;
        #[cfg(feature = "tls")]
        if let Some(tls) = &mut self.tls {
            return rustls::Stream::new(&mut **tls, &mut socket).flush();
        }
        socket.flush()
    }

    /// Whether TLS holds anything to be sent.
    pub(super) fn wants_write(&self) -> bool {
        #[cfg(feature = "tls")]
        return self.tls.as_ref().is_some_and(|tls| tls.wants_write());
        #[cfg(not(feature = "tls"))]
        false
    }

    /// Looks, without waiting, whether the client has closed its side. What it sends meanwhile
    /// is kept.
    pub(super) fn client_left(&mut self) -> bool {
        if self.buffered().len() >= READ_AHEAD {
            return false;
        }
        if self.socket.set_nonblocking(true).is_err() {
            return true;
        }
        let left = match self.fill() {
            Ok(count) => count == 0,
            Err(error) => error.kind() != io::ErrorKind::WouldBlock,
        };
        left || self.socket.set_nonblocking(false).is_err()
    }

    /// Ends the sending side in order: `close_notify` if `notify`, then FIN.
    pub(super) fn finish(&mut self, notify: bool) {
        #[cfg(feature = "tls")]
        if let Some(tls) = &mut self.tls
            && notify
        {
            tls.send_close_notify();
            // The client may be gone already; then nobody misses the alert.
            let _ = tls.write_tls(&mut &*self.socket);
        }
        let _ = notify;
        self.socket.shutdown(Shutdown::Write);
    }

    /// Reads and forgets until the client closes. A close with unread bytes would become a
    /// reset, which could overtake what was sent.
    pub(super) fn drain(&mut self) {
        let mut discarded = vec![0; LARGE];
        let mut socket = &*self.socket;
        while socket.read(&mut discarded).is_ok_and(|count| count > 0) {}
    }
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link")
            .field("socket", &self.socket)
            .field("buffered", &self.buffered().len())
            .finish_non_exhaustive()
    }
}
