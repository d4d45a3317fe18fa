//! Settings of a server that hold from its start.

use std::io;
#[cfg(unix)]
use std::path::{Path, PathBuf};
use std::time::Duration;

#[cfg(feature = "tls")]
use super::authority::Authority;
use super::fault::HandshakeFault;
#[cfg(feature = "tls")]
use super::identity::Identity;
use super::server::Server;
use super::socket::Listener;
use super::state::{Limits, Shared};
#[cfg(feature = "tls")]
use super::tls::{ServedVersion, TlsSettings};

/// Settings of a [`Server`], from [`Server::builder`].
///
/// ```
/// use urlsession::testing::Server;
///
/// let server = Server::builder().address("localhost").body_limit(1024).start();
/// assert!(server.address().ip().is_loopback());
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct ServerBuilder {
    host: String,
    #[cfg(unix)]
    socket_path: Option<PathBuf>,
    pub(super) handshake_fault: Option<HandshakeFault>,
    pub(super) thread_name: String,
    limits: Limits,
    #[cfg(feature = "tls")]
    pub(super) tls: TlsSettings,
}

impl ServerBuilder {
    pub(super) fn new() -> Self {
        Self {
            host: "127.0.0.1".to_owned(),
            #[cfg(unix)]
            socket_path: None,
            handshake_fault: None,
            thread_name: "testing".to_owned(),
            limits: Limits::default(),
            #[cfg(feature = "tls")]
            tls: TlsSettings::default(),
        }
    }

    /// Listens on another address, without a port: `[::1]`, say. Default: `127.0.0.1`.
    pub fn address(mut self, host: &str) -> Self {
        self.host = host.to_owned();
        self
    }

    /// Listens on a Unix socket, which must not exist yet and is removed with the server.
    #[cfg(unix)]
    pub fn unix_socket(mut self, path: impl AsRef<Path>) -> Self {
        self.socket_path = Some(path.as_ref().to_owned());
        self
    }

    /// Does this to every connection in place of a handshake. For single connections there is
    /// [`Server::fail_next_handshake`].
    pub fn handshake_fault(mut self, fault: HandshakeFault) -> Self {
        self.handshake_fault = Some(fault);
        self
    }

    /// How long a request waits for an answer, and a test for an event, before the test fails.
    /// Default: 30 seconds.
    pub fn hang_guard(mut self, limit: Duration) -> Self {
        self.limits.hang_guard = limit;
        self
    }

    /// How many bytes of a request's body are kept; more is counted only. Default: 16 MiB.
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.limits.body_limit = bytes;
        self
    }

    /// How long a request's head may be. Default: 256 KiB.
    pub fn head_limit(mut self, bytes: usize) -> Self {
        self.limits.head_limit = bytes;
        self
    }

    /// Whether requests are kept for [`Server::take_request`]. Default: yes; a benchmark that
    /// sends millions says no.
    pub fn recording(mut self, recording: bool) -> Self {
        self.limits.recording = recording;
        self
    }

    /// Names the server's threads: `name-accept`, and `name-0` and so on for each connection.
    /// Default: `testing`.
    pub fn thread_name(mut self, name: &str) -> Self {
        self.thread_name = name.to_owned();
        self
    }

    /// Starts the server.
    ///
    /// # Panics
    ///
    /// If it cannot listen, or if its identity does not fit its settings.
    #[must_use]
    pub fn start(self) -> Server {
        self.try_start().unwrap_or_else(|error| panic!("the test server does not start: {error}"))
    }

    /// Starts the server, or says why that is not possible: on a machine without IPv6, say.
    ///
    /// # Errors
    ///
    /// If it cannot listen, or if its identity does not fit its settings.
    pub fn try_start(self) -> io::Result<Server> {
        let listener = self.listen()?;
        Server::open(&self, listener, Shared::new(self.limits))
    }

    fn listen(&self) -> io::Result<Listener> {
        #[cfg(unix)]
        if let Some(path) = &self.socket_path {
            return Listener::unix(path);
        }
        Listener::tcp(&self.host)
    }
}

/// TLS.
#[cfg(feature = "tls")]
impl ServerBuilder {
    /// Speaks TLS and shows this identity.
    pub fn tls(mut self, identity: &Identity) -> Self {
        self.tls.identity = Some(identity.clone());
        self
    }

    /// Speaks only these versions. Default: 1.2 and 1.3.
    pub fn tls_versions(mut self, versions: &[ServedVersion]) -> Self {
        self.tls.versions = versions.to_vec();
        self
    }

    /// Offers these protocols by ALPN. Default: `http/1.1`; none means no ALPN at all.
    pub fn alpn(mut self, protocols: &[&str]) -> Self {
        self.tls.alpn = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        self
    }

    /// Whether clients may resume earlier handshakes. Default: yes.
    pub fn tls_resumption(mut self, resumption: bool) -> Self {
        self.tls.resumption = resumption;
        self
    }

    /// Refuses clients that show no certificate of this authority.
    pub fn require_client_certificate(mut self, authority: &Authority) -> Self {
        self.tls.clients = Some((authority.certificate_der().to_vec(), true));
        self
    }

    /// Asks clients for a certificate of this authority, and serves those without one too.
    pub fn ask_for_client_certificate(mut self, authority: &Authority) -> Self {
        self.tls.clients = Some((authority.certificate_der().to_vec(), false));
        self
    }
}
