//! A method for each field, to be chained.

use std::path::PathBuf;
use std::time::Duration;

use super::Configuration;
use crate::clock::Clock;
use crate::cookies::{CookieAcceptPolicy, CookieStorage};
use crate::credentials::CredentialStorage;
use crate::headers::Headers;
use crate::hsts::Hsts;
use crate::pair::Pair;
use crate::resolver::Resolver;
use crate::retry::RetryPolicy;
use crate::setters::setters;
use crate::trust::{Certificate, PublicKeyPins, TlsVersion};

setters! {
    Configuration {
        persists_secrets: bool,
        timeout_for_request: Duration,
        timeout_for_resource: Duration,
        waits_for_connectivity: bool,
        https_only: bool,
        allows_insecure_redirects: bool,
        follows_redirects: bool,
        maximum_redirects: usize,
        decodes_bodies: bool,
        retry_policy: RetryPolicy,
        maximum_body_in_memory: u64,
        maximum_concurrent_tasks: usize,
        progress_interval: Duration,
        idle_connection_timeout: Duration,
        tls_minimum_version: TlsVersion,
        tls_maximum_version: TlsVersion,
        trusts_system_roots: bool,
        cookie_accept_policy: CookieAcceptPolicy,
        sends_cookies: bool,
        uses_netrc: bool,
        requires_digest_proof: bool,
        hsts: Hsts,
        clock: Clock,
    }
}

impl Configuration {
    /// Sets [`state_directory`](Self#structfield.state_directory).
    #[must_use]
    pub fn state_directory(mut self, folder: impl Into<PathBuf>) -> Self {
        self.state_directory = Some(folder.into());
        self
    }

    /// Sets [`daemon`](Self#structfield.daemon).
    #[cfg(all(feature = "daemon", unix))]
    #[must_use]
    pub fn daemon(mut self, daemon: super::BackgroundDaemon) -> Self {
        self.daemon = daemon;
        self
    }

    /// Sets [`connect_timeout`](Self#structfield.connect_timeout): a value, or none.
    #[must_use]
    pub fn connect_timeout(mut self, value: impl Into<Option<Duration>>) -> Self {
        self.connect_timeout = value.into();
        self
    }

    /// Sets [`maximum_connections_per_host`](Self#structfield.maximum_connections_per_host): a value, or none.
    #[must_use]
    pub fn maximum_connections_per_host(mut self, value: impl Into<Option<usize>>) -> Self {
        self.maximum_connections_per_host = value.into();
        self
    }

    /// Sets [`maximum_idle_connections_per_host`](Self#structfield.maximum_idle_connections_per_host): a value, or none.
    #[must_use]
    pub fn maximum_idle_connections_per_host(mut self, value: impl Into<Option<usize>>) -> Self {
        self.maximum_idle_connections_per_host = value.into();
        self
    }

    /// Sets [`maximum_idle_connections`](Self#structfield.maximum_idle_connections): a value, or none.
    #[must_use]
    pub fn maximum_idle_connections(mut self, value: impl Into<Option<usize>>) -> Self {
        self.maximum_idle_connections = value.into();
        self
    }

    /// Sets [`base_url`](Self#structfield.base_url).
    ///
    /// ```
    /// use urlsession::testing::{Answer, Server};
    /// use urlsession::{Configuration, Session};
    ///
    /// let server = Server::start();
    /// server.enqueue(Answer::ok("Ann"));
    /// let api = server.url("/v2/");
    ///
    /// let session = Session::new(Configuration::ephemeral().base_url(api))?;
    /// assert_eq!(session.data("users/7")?.text(), "Ann");
    /// assert_eq!(server.take_request().path(), "/v2/users/7");
    /// Ok::<(), urlsession::Error>(())
    /// ```
    #[must_use]
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Some(url.into());
        self
    }

    /// Sets [`additional_headers`](Self#structfield.additional_headers): these, and none of
    /// those before. What is no header is reported when a session is made.
    #[must_use]
    pub fn additional_headers<P: Pair>(mut self, fields: impl IntoIterator<Item = P>) -> Self {
        self.additional_headers = Headers::from_iter(fields);
        self
    }

    /// Sets [`additional_roots`](Self#structfield.additional_roots).
    #[must_use]
    pub fn additional_roots(mut self, roots: impl IntoIterator<Item = Certificate>) -> Self {
        self.additional_roots = roots.into_iter().collect();
        self
    }

    /// Sets [`pinned_public_keys`](Self#structfield.pinned_public_keys).
    #[must_use]
    pub fn pinned_public_keys(mut self, pins: impl IntoIterator<Item = PublicKeyPins>) -> Self {
        self.pinned_public_keys = pins.into_iter().collect();
        self
    }

    /// Sets [`credential_storage`](Self#structfield.credential_storage): one, or none.
    #[must_use]
    pub fn credential_storage(mut self, storage: impl Into<Option<CredentialStorage>>) -> Self {
        self.credential_storage = storage.into();
        self
    }

    /// Sets [`cookie_storage`](Self#structfield.cookie_storage): one, or none.
    #[must_use]
    pub fn cookie_storage(mut self, storage: impl Into<Option<CookieStorage>>) -> Self {
        self.cookie_storage = storage.into();
        self
    }

    /// Sets [`resolver`](Self#structfield.resolver): one, or none.
    #[must_use]
    pub fn resolver(mut self, resolver: impl Into<Option<Resolver>>) -> Self {
        self.resolver = resolver.into();
        self
    }

    /// Sets [`program`](Self#structfield.program).
    #[must_use]
    pub fn program(mut self, name: impl Into<String>) -> Self {
        self.program = Some(name.into());
        self
    }

    /// Sets [`temporary_directory`](Self#structfield.temporary_directory).
    #[must_use]
    pub fn temporary_directory(mut self, path: impl Into<PathBuf>) -> Self {
        self.temporary_directory = Some(path.into());
        self
    }

    /// Sets [`unix_socket`](Self#structfield.unix_socket).
    #[cfg(unix)]
    #[cfg_attr(docsrs, doc(cfg(unix)))]
    #[must_use]
    pub fn unix_socket(mut self, path: impl Into<PathBuf>) -> Self {
        self.unix_socket = Some(path.into());
        self
    }
}
