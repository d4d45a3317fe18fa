//! What a session demands of servers that want to be trusted.

use std::fmt;
use std::time::{Duration, SystemTime};

use rustls::pki_types::{CertificateDer, ServerName, UnixTime};

use super::Certificate;
use super::evaluation::{Measure, check_own_key, evaluate};
use super::pins::PublicKeyPins;
use super::roots::{Roots, Trusted};
use crate::clock::Clock;
use crate::error::{Error, ErrorKind};

/// The roots and the pins of one session, and its clock.
pub(crate) struct TrustPolicy {
    roots: Roots,
    pins: Vec<PublicKeyPins>,
    clock: Clock,
}

impl fmt::Debug for TrustPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrustPolicy").finish_non_exhaustive()
    }
}

impl TrustPolicy {
    pub(crate) fn new(roots: Roots, pins: Vec<PublicKeyPins>, clock: Clock) -> Self {
        Self { roots, pins, clock }
    }

    /// Evaluates what a server has shown, its own certificate first.
    pub(crate) fn evaluate(
        &self,
        chain: &[CertificateDer<'_>],
        host: &ServerName<'_>,
    ) -> Result<(), Error> {
        let trusted = self.roots.all()?;
        let evaluate = |trusted| {
            evaluate(chain, &Measure { host, trusted, pins: &self.pins, now: self.now() })
        };
        match evaluate(&trusted) {
            Err(error) if error.kind() == ErrorKind::ServerCertificateHasUnknownRoot => {
                match self.roots.more_than(&trusted)? {
                    Some(more) => evaluate(&more),
                    None => Err(error),
                }
            }
            evaluated => evaluated,
        }
    }

    /// Evaluates by other roots.
    pub(super) fn evaluate_with_roots(
        &self,
        chain: &[CertificateDer<'_>],
        host: &ServerName<'_>,
        roots: &[Certificate],
    ) -> Result<(), Error> {
        let trusted = Trusted::of(roots, "roots")?;
        let (pins, now) = (&self.pins[..], self.now());
        evaluate(chain, &Measure { host, trusted: &trusted, pins, now })
    }

    /// Returns the date by which everything about certificates goes.
    pub(crate) fn now(&self) -> UnixTime {
        let since = self.clock.date().duration_since(SystemTime::UNIX_EPOCH);
        UnixTime::since_unix_epoch(since.unwrap_or(Duration::ZERO))
    }

    /// Fails if the host has pins and none is of this certificate's own key.
    pub(crate) fn check_own_key(&self, own: &Certificate, host: &str) -> Result<(), Error> {
        check_own_key(own.as_der(), host, &self.pins)
    }
}

/// Returns a host as TLS names it.
///
/// # Errors
///
/// [`ErrorKind::BadUrl`] if it cannot be in a certificate.
pub(crate) fn server_name(host: &str) -> Result<ServerName<'static>, Error> {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    ServerName::try_from(bare.unwrap_or(host).to_owned()).map_err(|error| {
        Error::new(ErrorKind::BadUrl, "the host's name cannot be in a certificate").because(error)
    })
}
