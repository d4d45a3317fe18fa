//! [`ServerTrust`]: what a server has shown to be trusted.

use std::fmt;
use std::sync::Arc;

use super::Certificate;
#[cfg(feature = "tls")]
use super::policy::TrustPolicy;
use crate::error::Error;

/// What a server has shown to be trusted: its certificates, for a host.
///
/// A clone is the same, and cheap.
#[doc(alias = "SecTrust")]
#[derive(Clone)]
pub struct ServerTrust(Arc<Shown>);

struct Shown {
    host: Box<str>,
    certificates: Vec<Certificate>,
    #[cfg(feature = "tls")]
    policy: Arc<TrustPolicy>,
}

impl ServerTrust {
    /// Takes what a server at `host` has shown to a session with this policy.
    #[cfg(feature = "tls")]
    pub(crate) fn new(
        host: &str,
        certificates: Vec<Certificate>,
        policy: &Arc<TrustPolicy>,
    ) -> Self {
        Self(Arc::new(Shown { host: host.into(), certificates, policy: policy.clone() }))
    }

    /// Returns the host that the certificate has to be for.
    pub fn host(&self) -> &str {
        &self.0.host
    }

    /// Returns the certificates as they were shown, the server's own first.
    ///
    /// Behind the first, a server can show what it likes: nothing here says that one has
    /// signed another, unless [`evaluate`](Self::evaluate) does.
    #[doc(alias = "SecTrustCopyCertificateChain")]
    pub fn certificates(&self) -> &[Certificate] {
        &self.0.certificates
    }

    /// Evaluates what was shown as the session does that asks: a path to one of its roots,
    /// the dates by its clock, the use, the host, and the configuration's pins. Revocation is not
    /// checked.
    ///
    /// # Errors
    ///
    /// The error with which the load would end, of a kind that names the failing check:
    /// [`ServerCertificateHasBadDate`], [`ServerCertificateNotYetValid`],
    /// [`ServerCertificateHasUnknownRoot`], or [`ServerCertificateUntrusted`] for all others.
    ///
    /// [`ServerCertificateHasBadDate`]: crate::ErrorKind::ServerCertificateHasBadDate
    /// [`ServerCertificateNotYetValid`]: crate::ErrorKind::ServerCertificateNotYetValid
    /// [`ServerCertificateHasUnknownRoot`]: crate::ErrorKind::ServerCertificateHasUnknownRoot
    /// [`ServerCertificateUntrusted`]: crate::ErrorKind::ServerCertificateUntrusted
    #[doc(alias = "SecTrustEvaluateWithError")]
    pub fn evaluate(&self) -> Result<(), Error> {
        self.evaluated(None)
    }

    /// Evaluates what was shown as [`evaluate`](Self::evaluate) does, but trusts these roots
    /// and no others.
    ///
    /// # Errors
    ///
    /// As of [`evaluate`](Self::evaluate), and if one of the roots is not a certificate.
    #[doc(alias = "SecTrustSetAnchorCertificates")]
    pub fn evaluate_with_roots(&self, roots: &[Certificate]) -> Result<(), Error> {
        self.evaluated(Some(roots))
    }

    #[cfg(feature = "tls")]
    fn evaluated(&self, roots: Option<&[Certificate]>) -> Result<(), Error> {
        use rustls::pki_types::CertificateDer;

        let host = super::policy::server_name(&self.0.host)?;
        let der =
            |certificate: &'_ Certificate| CertificateDer::from(certificate.as_der().to_vec());
        let chain: Vec<_> = self.0.certificates.iter().map(der).collect();
        match roots {
            None => self.0.policy.evaluate(&chain, &host),
            Some(roots) => self.0.policy.evaluate_with_roots(&chain, &host, roots),
        }
    }

    #[cfg(not(feature = "tls"))]
    fn evaluated(&self, _roots: Option<&[Certificate]>) -> Result<(), Error> {
        let detail = "certificates need the feature `tls`, which this build is without";
        Err(Error::new(crate::error::ErrorKind::NotSupported, detail))
    }

    /// Whether a server at the same host has shown the same certificate of its own.
    pub(crate) fn is_of_same_server(&self, other: &Self) -> bool {
        self.0.host == other.0.host && self.certificates().first() == other.certificates().first()
    }
}

impl fmt::Debug for ServerTrust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerTrust")
            .field("host", &self.0.host)
            .field("certificates", &self.0.certificates)
            .finish_non_exhaustive()
    }
}
