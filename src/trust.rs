//! Words about TLS: certificates to trust and versions to speak.

use std::fmt;

use crate::error::{Error, ErrorKind};

/// A certificate, as its DER bytes.
///
/// Given to [`Configuration::additional_roots`](crate::Configuration::additional_roots) it
/// is trusted as a root.
#[doc(alias = "SecCertificate")]
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Certificate(Vec<u8>);

impl Certificate {
    /// Takes one certificate in DER. It is looked at when a session is made with it.
    pub fn from_der(der: impl Into<Vec<u8>>) -> Self {
        Self(der.into())
    }

    /// Reads all certificates of a PEM file; other sections are skipped.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ServerCertificateUntrusted`] if the text is broken or has no
    /// certificate; [`ErrorKind::NotSupported`] without the feature `tls`.
    #[cfg(feature = "tls")]
    pub fn from_pem(pem: impl AsRef<[u8]>) -> Result<Vec<Self>, Error> {
        use rustls::pki_types::CertificateDer;
        use rustls::pki_types::pem::PemObject;

        let fail = |detail| Error::new(ErrorKind::ServerCertificateUntrusted, detail);
        let all = CertificateDer::pem_slice_iter(pem.as_ref())
            .map(|der| der.map(|der| Self(der.as_ref().to_vec())))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| fail("the PEM text of a certificate is broken").because(error))?;
        if all.is_empty() {
            return Err(fail("the PEM text contains no certificate"));
        }
        Ok(all)
    }

    /// Reads all certificates of a PEM file.
    ///
    /// # Errors
    ///
    /// Always [`ErrorKind::NotSupported`], as this build is without the feature `tls`.
    #[cfg(not(feature = "tls"))]
    pub fn from_pem(_pem: impl AsRef<[u8]>) -> Result<Vec<Self>, Error> {
        let detail = "certificates need the feature `tls`, which this build is without";
        Err(Error::new(ErrorKind::NotSupported, detail))
    }

    /// Returns the DER bytes.
    pub fn as_der(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({} bytes)", self.0.len())
    }
}

/// A version of TLS. Older ones than these are not spoken at all.
#[doc(alias = "tls_protocol_version_t")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum TlsVersion {
    /// TLS 1.2 (RFC 5246), with forward secrecy only.
    Tls12,
    /// TLS 1.3 (RFC 8446).
    Tls13,
}
