//! What a program needs to read what the daemon says.

#[cfg(feature = "tls")]
use std::sync::Arc;

use crate::configuration::Configuration;
use crate::error::Error;
use crate::trust::{Certificate, ServerTrust};
#[cfg(feature = "tls")]
use crate::trust::{Roots, TrustPolicy};

/// Evaluates what servers have shown to the daemon as the program's own session would.
#[derive(Debug)]
pub(in crate::background) struct Reader {
    #[cfg(feature = "tls")]
    policy: Arc<TrustPolicy>,
}

impl Reader {
    /// Takes the configuration of the session, which the daemon has as well.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ServerCertificateUntrusted`](crate::ErrorKind::ServerCertificateUntrusted) if
    /// one of its roots is not a certificate.
    #[cfg(feature = "tls")]
    pub(in crate::background) fn new(configuration: &Configuration) -> Result<Self, Error> {
        let Configuration { additional_roots, trusts_system_roots, .. } = configuration;
        let roots = Roots::new(additional_roots, *trusts_system_roots)?;
        let (pins, clock) = (configuration.pinned_public_keys.clone(), configuration.clock.clone());
        Ok(Self { policy: Arc::new(TrustPolicy::new(roots, pins, clock)) })
    }

    #[cfg(not(feature = "tls"))]
    pub(in crate::background) fn new(_: &Configuration) -> Result<Self, Error> {
        Ok(Self {})
    }

    #[cfg(feature = "tls")]
    pub(super) fn trust(&self, host: &str, shown: Vec<Certificate>) -> Option<ServerTrust> {
        Some(ServerTrust::new(host, shown, &self.policy))
    }

    /// Without TLS nobody shows anything.
    #[cfg(not(feature = "tls"))]
    pub(super) fn trust(&self, _: &str, _: Vec<Certificate>) -> Option<ServerTrust> {
        None
    }
}
