//! Addresses at which nothing can be had.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
#[cfg(target_os = "linux")]
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};

/// An address that swallows connection attempts: they neither succeed nor fail, since the queue
/// of the listener is full and nobody ever takes from it.
///
/// ```
/// use std::io::ErrorKind::{TimedOut, WouldBlock};
/// use std::net::TcpStream;
/// use std::time::Duration;
/// use urlsession::testing::BlackHole;
///
/// let hole = BlackHole::start();
/// let error = TcpStream::connect_timeout(&hole.address(), Duration::from_millis(20)).unwrap_err();
/// assert!(matches!(error.kind(), TimedOut | WouldBlock));
/// ```
#[cfg(target_os = "linux")]
#[derive(Debug)]
pub struct BlackHole {
    address: SocketAddr,
    _listener: Socket,
    /// Connections that fill the queue; closing them would not empty it, but why ask for it.
    _waiting: Vec<Socket>,
}

#[cfg(target_os = "linux")]
impl BlackHole {
    /// Opens one on 127.0.0.1.
    ///
    /// # Panics
    ///
    /// If the system does not let it.
    #[must_use]
    pub fn start() -> Self {
        Self::try_start().unwrap_or_else(|error| panic!("no black hole: {error}"))
    }

    fn try_start() -> io::Result<Self> {
        /// How many attempts may succeed before the queue counts as endless.
        const ATTEMPTS: usize = 16;
        let (listener, address) = bound()?;
        listener.listen(0)?;
        let mut waiting = Vec::new();
        while waiting.len() < ATTEMPTS {
            let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
            socket.set_nonblocking(true)?;
            // "In progress" is the answer; whether it was made shows in the peer's address.
            let _ = socket.connect(&address.into());
            let is_full = !connects(&socket);
            waiting.push(socket);
            if is_full {
                return Ok(Self { address, _listener: listener, _waiting: waiting });
            }
        }
        Err(io::Error::other("the queue of the listener does not fill"))
    }

    /// The address to connect to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The port to connect to.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// An `http` URL with this address.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

/// Whether a connection that was begun gets made. On loopback that happens while it is begun;
/// the short patience is for a busy machine.
#[cfg(target_os = "linux")]
fn connects(socket: &Socket) -> bool {
    const PATIENCE: Duration = Duration::from_millis(5);
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if socket.peer_addr().is_ok() {
            return true;
        }
        std::thread::yield_now();
    }
    false
}

/// An address at which connections are refused, for as long as this lives: its port is taken,
/// but nobody listens.
///
/// ```
/// use std::net::TcpStream;
/// use urlsession::testing::Refusal;
///
/// let refusal = Refusal::start();
/// let error = TcpStream::connect(refusal.address()).unwrap_err();
/// assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
/// ```
#[derive(Debug)]
pub struct Refusal {
    address: SocketAddr,
    _socket: Socket,
}

impl Refusal {
    /// Takes a port of 127.0.0.1.
    ///
    /// # Panics
    ///
    /// If the system has none.
    #[must_use]
    pub fn start() -> Self {
        let (socket, address) = bound().unwrap_or_else(|error| panic!("no free port: {error}"));
        Self { address, _socket: socket }
    }

    /// The address to connect to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The port to connect to.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// An `http` URL with this address.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

fn bound() -> io::Result<(Socket, SocketAddr)> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
    let address = socket.local_addr()?.as_socket();
    let address = address.ok_or_else(|| io::Error::other("an address without a port"))?;
    Ok((socket, address))
}
