//! [`Certificate`]: what a server or a client shows, and what is trusted.

use std::fmt;

#[cfg(feature = "tls")]
use ring::digest::{SHA256, digest};

use super::CertificateDetails;
#[cfg(feature = "tls")]
use super::{DistinguishedName, pem, x509};
use crate::error::{Error, ErrorKind};
#[cfg(feature = "tls")]
use crate::log;

/// A certificate, as its DER bytes.
///
/// Given to [`Configuration::additional_roots`](crate::Configuration::additional_roots) it
/// is trusted: as a root, if it may vouch for others, and as a server's own.
#[doc(alias = "SecCertificate")]
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Certificate(Vec<u8>);

impl Certificate {
    /// Takes one certificate in DER. It is looked at when a session is made with it.
    pub fn from_der(der: impl Into<Vec<u8>>) -> Self {
        Self(der.into())
    }

    /// Reads all certificates of PEM text, as OpenSSL, Windows and others write it: with a byte
    /// order mark, words around, the labels `CERTIFICATE`, `X509 CERTIFICATE` and `TRUSTED
    /// CERTIFICATE`.
    ///
    /// Sections of other kinds are passed over, and so are trusted certificates that say that they
    /// are not trusted for servers; the log names both.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ServerCertificateUntrusted`] if the text is broken or has no
    /// certificate; [`ErrorKind::NotSupported`] without the feature `tls`.
    #[cfg(feature = "tls")]
    pub fn from_pem(pem: impl AsRef<[u8]>) -> Result<Vec<Self>, Error> {
        let fail = |detail| Error::new(ErrorKind::ServerCertificateUntrusted, detail);
        let mut all = Vec::new();
        for found in pem::certificates(pem.as_ref()) {
            match found {
                Ok(der) => all.push(Self(der)),
                Err(odd) if odd.is_broken => {
                    let words = odd.words;
                    return Err(fail(format!("the PEM text of certificates is broken: {words}")));
                }
                Err(odd) => log::info!("of the PEM text of certificates, {}", odd.words),
            }
        }
        match pem.as_ref() {
            _ if !all.is_empty() => Ok(all),
            [0x30, 0x80..=0xff, ..] => {
                Err(fail("the certificate is no PEM text, but looks like DER".to_owned()))
            }
            _ => Err(fail("the PEM text contains no certificate".to_owned())),
        }
    }

    /// Reads all certificates of a PEM file.
    ///
    /// # Errors
    ///
    /// Always [`ErrorKind::NotSupported`], as this build is without the feature `tls`.
    #[cfg(not(feature = "tls"))]
    pub fn from_pem(_pem: impl AsRef<[u8]>) -> Result<Vec<Self>, Error> {
        Err(without_tls())
    }

    /// Reads what stands in the certificate.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ServerCertificateUntrusted`] if it is broken;
    /// [`ErrorKind::NotSupported`] without the feature `tls`.
    #[doc(alias = "SecCertificateCopyValues")]
    pub fn details(&self) -> Result<CertificateDetails, Error> {
        #[cfg(feature = "tls")]
        {
            let fields = self.fields()?;
            Ok(CertificateDetails {
                subject: DistinguishedName::from_der(fields.subject),
                issuer: DistinguishedName::from_der(fields.issuer),
                not_before: fields.not_before,
                not_after: fields.not_after,
                subject_alternative_names: fields.extensions.subject_alternative_names,
                serial_number: fields.serial_number.to_vec(),
                public_key_info: fields.public_key_info.to_vec(),
                is_authority: fields.extensions.is_authority == Some(true),
            })
        }
        #[cfg(not(feature = "tls"))]
        Err(without_tls())
    }

    /// Returns the SHA-256 of the certificate, which is how people compare them.
    #[cfg(feature = "tls")]
    #[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
    pub fn fingerprint(&self) -> [u8; 32] {
        sha256(&self.0)
    }

    /// Returns the SHA-256 of the certificate's public key with its algorithm
    /// (SubjectPublicKeyInfo), which stays the same when a certificate is renewed for the same
    /// key.
    ///
    /// # Errors
    ///
    /// As [`details`](Self::details).
    pub fn public_key_fingerprint(&self) -> Result<[u8; 32], Error> {
        #[cfg(feature = "tls")]
        {
            Ok(sha256(self.fields()?.public_key_info))
        }
        #[cfg(not(feature = "tls"))]
        Err(without_tls())
    }

    /// Whether this is the public key of the certificate, as DER of SubjectPublicKeyInfo.
    #[cfg(feature = "tls")]
    pub(super) fn has_public_key(&self, key: &[u8]) -> Result<bool, Error> {
        let own = x509::public_key_info(&self.0);
        own.map(|own| own == key).ok_or_else(|| {
            Error::new(ErrorKind::ServerCertificateUntrusted, "the certificate is broken")
        })
    }

    #[cfg(feature = "tls")]
    fn fields(&self) -> Result<x509::Fields<'_>, Error> {
        x509::read(&self.0).map_err(|error| {
            Error::new(ErrorKind::ServerCertificateUntrusted, "the certificate is broken")
                .because(error)
        })
    }

    /// Returns the DER bytes.
    pub fn as_der(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(not(feature = "tls"))]
fn without_tls() -> Error {
    let detail = "certificates need the feature `tls`, which this build is without";
    Error::new(ErrorKind::NotSupported, detail)
}

#[cfg(feature = "tls")]
pub(super) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, bytes).as_ref());
    hash
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({} bytes)", self.0.len())
    }
}
