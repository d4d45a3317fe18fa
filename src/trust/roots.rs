//! The roots that a session trusts: its own, and the system's.

use std::sync::OnceLock;

use rustls::pki_types::{CertificateDer, TrustAnchor};

use super::Certificate;
use crate::error::{Error, ErrorKind};

/// The roots of one session.
///
/// Reading the system's store takes tens of milliseconds, so that is done when the first
/// server is to be trusted.
#[derive(Debug)]
pub(crate) struct Roots {
    /// The configuration's own.
    own: Vec<TrustAnchor<'static>>,
    trusts_system: bool,
    all: OnceLock<Vec<TrustAnchor<'static>>>,
}

impl Roots {
    /// Takes the roots of a configuration.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ServerCertificateUntrusted`] if one of them is not a certificate.
    pub(crate) fn new(own: &[Certificate], trusts_system: bool) -> Result<Self, Error> {
        let own = anchors(own).map_err(|error| {
            let detail = "one of additional_roots is not a certificate";
            Error::new(ErrorKind::ServerCertificateUntrusted, detail).because(error)
        })?;
        Ok(Self { own, trusts_system, all: OnceLock::new() })
    }

    /// Returns all of them; never none.
    pub(super) fn all(&self) -> Result<&[TrustAnchor<'static>], Error> {
        let all = self.all.get_or_init(|| {
            let system = if self.trusts_system { system() } else { &[] };
            self.own.iter().chain(system).cloned().collect()
        });
        if all.is_empty() {
            let detail = "no root certificate is known: the system's trust store is empty \
                          (install ca-certificates, or set SSL_CERT_FILE or additional_roots)";
            return Err(Error::new(ErrorKind::ServerCertificateHasUnknownRoot, detail));
        }
        Ok(all)
    }
}

/// Returns what certificates vouch for as roots.
pub(super) fn anchors(
    certificates: &[Certificate],
) -> Result<Vec<TrustAnchor<'static>>, webpki::Error> {
    let anchor = |certificate: &Certificate| {
        let der = CertificateDer::from(certificate.as_der());
        webpki::anchor_from_trusted_cert(&der).map(|anchor| anchor.to_owned())
    };
    certificates.iter().map(anchor).collect()
}

/// Reads the system's trust store, or what `SSL_CERT_FILE` and `SSL_CERT_DIR` name; once
/// for the program.
fn system() -> &'static [TrustAnchor<'static>] {
    static ROOTS: OnceLock<Vec<TrustAnchor<'static>>> = OnceLock::new();
    ROOTS.get_or_init(|| {
        let found = rustls_native_certs::load_native_certs();
        for error in &found.errors {
            log::warn!("part of the system's trust store cannot be read: {error}");
        }
        let known = found.certs.len();
        // A store holds certificates that are too old or too odd to be used.
        let usable = |der: &CertificateDer<'_>| {
            webpki::anchor_from_trusted_cert(der).ok().map(|anchor| anchor.to_owned())
        };
        let roots: Vec<_> = found.certs.iter().filter_map(usable).collect();
        let ignored = known - roots.len();
        log::debug!("the system trusts {} roots; {ignored} cannot be used", roots.len());
        roots
    })
}
