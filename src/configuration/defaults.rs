//! What each setting is unless it is set.

use std::time::Duration;

#[cfg(all(feature = "daemon", unix))]
use super::BackgroundDaemon;
use super::Configuration;
use crate::clock::Clock;
use crate::cookies::{CookieAcceptPolicy, CookieStorage};
use crate::credentials::CredentialStorage;
use crate::headers::Headers;
use crate::hsts::Hsts;
use crate::retry::RetryPolicy;
use crate::trust::TlsVersion;

impl Default for Configuration {
    /// Settings for a session that shares the program's stores.
    ///
    /// These are credentials and cookies, in memory, and which hosts want `https` alone, in a
    /// file. This version has no cache yet.
    #[doc(alias = "defaultSessionConfiguration")]
    fn default() -> Self {
        Self {
            identifier: None,
            program: None,
            state_directory: None,
            persists_secrets: false,
            #[cfg(all(feature = "daemon", unix))]
            daemon: BackgroundDaemon::default(),
            timeout_for_request: Duration::from_secs(60),
            timeout_for_resource: Duration::from_secs(7 * 24 * 60 * 60),
            connect_timeout: None,
            waits_for_connectivity: false,
            retry_policy: RetryPolicy::off(),
            additional_headers: Headers::new(),
            https_only: false,
            allows_insecure_redirects: false,
            follows_redirects: true,
            maximum_redirects: 20,
            base_url: None,
            decodes_bodies: true,
            maximum_body_in_memory: 256 * 1024 * 1024,
            maximum_concurrent_tasks: 64,
            maximum_connections_per_host: None,
            progress_interval: Duration::from_millis(100),
            temporary_directory: None,
            maximum_idle_connections_per_host: None,
            maximum_idle_connections: None,
            idle_connection_timeout: Duration::from_secs(90),
            tls_minimum_version: TlsVersion::Tls12,
            tls_maximum_version: TlsVersion::Tls13,
            additional_roots: Vec::new(),
            trusts_system_roots: true,
            pinned_public_keys: Vec::new(),
            credential_storage: Some(CredentialStorage::shared()),
            cookie_storage: Some(CookieStorage::shared()),
            cookie_accept_policy: CookieAcceptPolicy::default(),
            sends_cookies: true,
            uses_netrc: false,
            requires_digest_proof: false,
            hsts: Hsts::Persistent,
            resolver: None,
            #[cfg(unix)]
            unix_socket: None,
            clock: Clock::system(),
        }
    }
}

impl Configuration {
    /// Settings for a session that keeps nothing beyond its own life.
    #[doc(alias = "ephemeralSessionConfiguration")]
    pub fn ephemeral() -> Self {
        Self {
            credential_storage: Some(CredentialStorage::new()),
            cookie_storage: Some(CookieStorage::new()),
            hsts: Hsts::InMemory,
            ..Self::default()
        }
    }
}
