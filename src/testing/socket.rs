//! The sockets a server listens and talks on: TCP, or a Unix socket where there are any.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
#[cfg(unix)]
use std::os::unix::net::{UnixListener, UnixStream};
#[cfg(unix)]
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags};
use socket2::{Domain, SockRef, Type};

use super::patience::Patience;

/// How many connections may wait to be accepted.
const BACKLOG: i32 = 1024;

/// Where connections come from.
#[derive(Debug)]
pub(super) enum Listener {
    Tcp(TcpListener, SocketAddr),
    #[cfg(unix)]
    Unix(UnixListener, PathBuf),
}

impl Listener {
    /// Listens on a free port of `host`, which may be a bracketed IPv6 address.
    pub(super) fn tcp(host: &str) -> io::Result<Self> {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let address = (bare, 0)
            .to_socket_addrs()?
            .next()
            .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "no such address"))?;
        // Without SO_REUSEADDR, which on Windows lets others take the port: there nobody binds the
        // same address if the first has not set it, SO_EXCLUSIVEADDRUSE or not (MSDN, "Using
        // SO_REUSEADDR and SO_EXCLUSIVEADDRUSE"). A port that is new needs it nowhere.
        let socket = socket2::Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        let listener = TcpListener::from(socket);
        let address = listener.local_addr()?;
        Ok(Self::Tcp(listener, address))
    }

    /// Listens on a new Unix socket at `path`.
    #[cfg(unix)]
    pub(super) fn unix(path: &Path) -> io::Result<Self> {
        Ok(Self::Unix(UnixListener::bind(path)?, path.to_owned()))
    }

    pub(super) fn accept(&self) -> io::Result<(Socket, Option<SocketAddr>)> {
        match self {
            Self::Tcp(listener, _) => {
                let (stream, peer) = listener.accept()?;
                // The peer may be gone already, which the first read tells better.
                let _ = stream.set_nodelay(true);
                Ok((Socket::new(Stream::Tcp(stream))?, Some(peer)))
            }
            #[cfg(unix)]
            Self::Unix(listener, _) => Ok((Socket::new(Stream::Unix(listener.accept()?.0))?, None)),
        }
    }

    /// Makes a blocked [`accept`](Self::accept) return.
    ///
    /// Shutting a listener down does it on Linux; elsewhere a connection does.
    pub(super) fn wake(&self) {
        const ENOUGH: Duration = Duration::from_secs(1);
        match self {
            Self::Tcp(listener, address) => {
                let _ = SockRef::from(listener).shutdown(Shutdown::Both);
                let _ = TcpStream::connect_timeout(address, ENOUGH);
            }
            #[cfg(unix)]
            Self::Unix(listener, path) => {
                let _ = SockRef::from(listener).shutdown(Shutdown::Both);
                let _ = UnixStream::connect(path);
            }
        }
    }
}

#[cfg(unix)]
impl Drop for Listener {
    fn drop(&mut self) {
        if let Self::Unix(_, path) = self {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// One accepted connection.
///
/// Reads and writes go through a shared reference, so that another thread can end them.
pub(super) struct Socket {
    stream: Stream,
    patience: Patience,
}

enum Stream {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
}

impl Socket {
    fn new(stream: Stream) -> io::Result<Self> {
        let socket = Self { stream, patience: Patience::new()? };
        if !cfg!(unix) {
            // It waits by itself.
            socket.set_nonblocking(false)?;
        }
        Ok(socket)
    }

    pub(super) fn shutdown(&self, how: Shutdown) {
        let Some(how) = self.patience.end(how) else { return };
        // Fails only if the peer was faster, and then there is nothing left to shut.
        let _ = match &self.stream {
            Stream::Tcp(stream) => stream.shutdown(how),
            #[cfg(unix)]
            Stream::Unix(stream) => stream.shutdown(how),
        };
    }

    /// Makes the coming close a reset: RST instead of FIN. Unix sockets know no reset.
    pub(super) fn reset_when_closed(&self) {
        if let Stream::Tcp(stream) = &self.stream {
            let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
        }
    }

    /// Returns what to wait for.
    pub(super) fn poll_fd(&self, flags: PollFlags) -> PollFd<'_> {
        match &self.stream {
            Stream::Tcp(stream) => PollFd::new(stream, flags),
            #[cfg(unix)]
            Stream::Unix(stream) => PollFd::new(stream, flags),
        }
    }

    /// Waits for what both are asked for, or until another thread [ends](Self::shutdown) that.
    pub(super) fn poll_beside(&self, flags: PollFlags, other: PollFd<'_>) -> io::Result<()> {
        self.patience.poll([self.poll_fd(flags), other])
    }

    pub(super) fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        let nonblocking = self.patience.set_nonblocking(nonblocking);
        match &self.stream {
            Stream::Tcp(stream) => stream.set_nonblocking(nonblocking),
            #[cfg(unix)]
            Stream::Unix(stream) => stream.set_nonblocking(nonblocking),
        }
    }
}

impl Read for &Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.patience.read(self, || match &self.stream {
            Stream::Tcp(stream) => (&*stream).read(buffer),
            #[cfg(unix)]
            Stream::Unix(stream) => (&*stream).read(buffer),
        })
    }
}

impl Write for &Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.patience.write(self, || match &self.stream {
            Stream::Tcp(stream) => (&*stream).write(bytes),
            #[cfg(unix)]
            Stream::Unix(stream) => (&*stream).write(bytes),
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.stream {
            Stream::Tcp(stream) => stream.fmt(f),
            #[cfg(unix)]
            Stream::Unix(stream) => stream.fmt(f),
        }
    }
}
