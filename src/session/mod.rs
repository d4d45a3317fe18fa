//! Sessions: what a program holds to load things.
//!
//! A [`Session`] is a cheap clone of what its loads share: the wire with its connections,
//! and the rules that the configuration gave it. Blocking calls run on the caller's
//! thread. No lock is held while one waits.

mod bytes;
mod data;

use std::fmt;
use std::sync::{Arc, OnceLock};

use crate::cancel::CancelToken;
use crate::census::Census;
use crate::configuration::Configuration;
#[cfg(feature = "tls")]
use crate::engine::Trust;
use crate::engine::{Engine, IdleLimits, Settings};
use crate::error::{Error, ErrorKind};
use crate::load::{self, Loaded, Rules};
use crate::request::{self, Request};
use crate::wire::Context;

pub use bytes::Bytes;
pub use data::Data;

/// Loads things over shared connections.
///
/// Cloning is cheap, and clones are the same session. It may be used from any number of
/// threads; each blocking call runs on its caller's. When the last clone is dropped, idle
/// connections are closed and helper threads end; bodies that are still being read go on.
///
/// # Examples
///
/// ```
/// # use urlsession::testing::{Answer, Server};
/// # let server = Server::start();
/// # server.enqueue(Answer::ok("hello"));
/// # let url = server.url("/");
/// use urlsession::{Configuration, Session};
///
/// let session = Session::new(Configuration::ephemeral())?;
/// let data = session.data(&url)?;
/// assert_eq!(data.response.status(), 200);
/// assert_eq!(data.text(), "hello");
/// # Ok::<(), urlsession::Error>(())
/// ```
#[doc(alias = "URLSession")]
#[doc(alias = "NSURLSession")]
#[derive(Clone)]
pub struct Session {
    shared: Arc<Shared>,
}

struct Shared {
    configuration: Configuration,
    rules: Rules,
    engine: Engine,
    #[cfg_attr(not(feature = "test-util"), expect(dead_code, reason = "read by test tools"))]
    census: Census,
}

impl Session {
    /// Makes a session from a copy of `configuration`. Nothing is opened or started yet.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotSupported`] for a background configuration, which this version
    /// cannot serve yet, and for TLS versions that exclude each other;
    /// [`ErrorKind::InvalidRequest`] for `Content-Length` or `Transfer-Encoding` among the
    /// [`additional_headers`](Configuration::additional_headers), which follow from each
    /// body;
    /// [`ErrorKind::ServerCertificateUntrusted`] if one of
    /// [`additional_roots`](Configuration::additional_roots) is no certificate.
    #[doc(alias = "sessionWithConfiguration")]
    pub fn new(configuration: Configuration) -> Result<Self, Error> {
        if configuration.identifier.is_some() {
            let detail = "background sessions are not built yet";
            return Err(Error::new(ErrorKind::NotSupported, detail));
        }
        for (name, _) in configuration.additional_headers.iter() {
            request::framing_is_ours(name)?;
        }
        let census = Census::default();
        let engine = Engine::new(settings(&configuration, &census))?;
        let rules = rules(&configuration);
        Ok(Self { shared: Arc::new(Shared { configuration, rules, engine, census }) })
    }

    /// Returns the session that the whole program shares, made with the default
    /// configuration.
    ///
    /// # Panics
    ///
    /// Never: the default configuration can always be served.
    #[doc(alias = "sharedSession")]
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Session> = OnceLock::new();
        SHARED.get_or_init(|| {
            Self::new(Configuration::default()).expect("the default configuration can be served")
        })
    }

    /// Returns a copy of the configuration that the session was made with.
    pub fn configuration(&self) -> Configuration {
        self.shared.configuration.clone()
    }

    /// Loads `request` and returns the response with its body in memory.
    ///
    /// Blocks until the body is whole. Redirects are followed; a status of 400 or more is
    /// not an error. A [`CancelToken`] given to the request ends it from another thread.
    ///
    /// # Errors
    ///
    /// Every [`ErrorKind`] that a load can end with;
    /// [`ErrorKind::DataLengthExceedsMaximum`] if the body is larger than
    /// [`maximum_body_in_memory`](Configuration::maximum_body_in_memory).
    #[doc(alias = "data(for:)")]
    #[doc(alias = "dataTaskWithURL")]
    pub fn data(&self, request: impl Into<Request>) -> Result<Data, Error> {
        let request = request.into();
        let cancel = request.cancel().cloned();
        let loaded = self.load(request, cancel)?.0;
        let Loaded { response, mut body } = loaded;
        let limit = self.shared.configuration.maximum_body_in_memory;
        let read = data::read_all(&mut body, limit);
        let bytes = read.map_err(|error| error.on(response.url()))?;
        Ok(Data { response, body: bytes })
    }

    /// Loads `request` and returns the response as soon as its head is there; the body is
    /// then read from what is returned.
    ///
    /// # Errors
    ///
    /// Every [`ErrorKind`] that a load can end with before its body.
    #[doc(alias = "bytes(for:)")]
    #[doc(alias = "AsyncBytes")]
    pub fn bytes(&self, request: impl Into<Request>) -> Result<Bytes, Error> {
        let request = request.into();
        let cancel = request.cancel().cloned().unwrap_or_default();
        let (loaded, context) = self.load(request, Some(cancel))?;
        Ok(Bytes::new(loaded, context.cancel.unwrap_or_default()))
    }

    fn load(
        &self,
        request: Request,
        cancel: Option<CancelToken>,
    ) -> Result<(Loaded, Context), Error> {
        let Shared { configuration, rules, engine, .. } = &*self.shared;
        let clock = configuration.clock.clone();
        let context = Context {
            cancel,
            idle: request.timeout_or(configuration.timeout_for_request),
            // A deadline that the clock cannot hold is none.
            deadline: clock.now().checked_add(configuration.timeout_for_resource),
            clock,
        };
        let loaded = load::run(engine, rules, request, &context)?;
        Ok((loaded, context))
    }

    /// Returns what the session owns at this moment, for [`testing`](crate::testing).
    #[cfg(feature = "test-util")]
    pub(crate) fn census(&self) -> &Census {
        &self.shared.census
    }
}

fn settings(configuration: &Configuration, census: &Census) -> Settings {
    Settings {
        idle: IdleLimits {
            per_origin: configuration.maximum_idle_connections_per_host,
            in_all: configuration.maximum_idle_connections,
            timeout: configuration.idle_connection_timeout,
        },
        #[cfg(feature = "tls")]
        trust: Trust {
            versions: (configuration.tls_minimum_version, configuration.tls_maximum_version),
            roots: configuration.additional_roots.clone(),
            system_roots: configuration.trusts_system_roots,
        },
        resolver: configuration.resolver.clone(),
        #[cfg(unix)]
        unix_socket: configuration.unix_socket.clone(),
        clock: configuration.clock.clone(),
        census: census.clone(),
    }
}

fn rules(configuration: &Configuration) -> Rules {
    let mut rules = Rules::new(&configuration.additional_headers, configuration.decodes_bodies);
    rules.https_only = configuration.https_only;
    rules.allows_insecure_redirects = configuration.allows_insecure_redirects;
    rules
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("configuration", &self.shared.configuration)
            .finish_non_exhaustive()
    }
}
