//! [`Identity`]: a certificate of the program's own, with its key.

#[cfg(feature = "tls")]
mod ec;
#[cfg(feature = "tls")]
mod key;
#[cfg(feature = "tls")]
mod pem;
#[cfg(feature = "pkcs12")]
mod pkcs12;
#[cfg(test)]
mod tests;
#[cfg(all(feature = "daemon", feature = "tls", unix))]
mod travel;

use std::fmt;
use std::sync::Arc;

#[cfg(all(feature = "daemon", feature = "tls", unix))]
use der::zeroize::Zeroizing;
#[cfg(feature = "tls")]
use rustls::pki_types::CertificateDer;
#[cfg(all(feature = "daemon", feature = "tls", unix))]
use rustls::pki_types::PrivateKeyDer;
#[cfg(feature = "tls")]
use rustls::sign::{CertifiedKey, SigningKey};

use super::Certificate;
use crate::error::{Error, ErrorKind};

/// A certificate of the program's own with its private key, to be shown to servers that ask
/// who connects.
///
/// Keys of RSA (2048 to 4096 bits), of ECDSA on the curves P-256 and P-384, and of Ed25519 can
/// be used. A clone is the same identity, and cheap. `Debug` shows no key.
///
/// # Examples
///
/// ```
/// use urlsession::{Credential, Identity};
///
/// # #[cfg(feature = "tls")] {
/// let made = urlsession::testing::Authority::new().identity(&["ann"]);
/// let (certificate, key) = (made.chain_pem(), made.key_pem());
///
/// // Two files, one behind the other.
/// let identity = Identity::from_pem(certificate + &key, None)?;
/// let credential = Credential::from_identity(&identity);
/// assert_eq!(identity.certificates().len(), 1);
/// # let _ = credential;
/// # }
/// Ok::<(), urlsession::Error>(())
/// ```
#[doc(alias = "SecIdentity")]
#[derive(Clone)]
pub struct Identity(Arc<Parts>);

struct Parts {
    certificates: Vec<Certificate>,
    #[cfg(feature = "tls")]
    key: Arc<CertifiedKey>,
    /// For another process; overwritten when it is dropped.
    #[cfg(all(feature = "daemon", feature = "tls", unix))]
    der: Zeroizing<PrivateKeyDer<'static>>,
    /// It was read in another process.
    #[cfg(all(feature = "daemon", feature = "tls", unix))]
    is_foreign: bool,
}

/// A private key that is ready to sign.
#[cfg(feature = "tls")]
struct Ready {
    signs: Arc<dyn SigningKey>,
    #[cfg(all(feature = "daemon", unix))]
    der: Zeroizing<PrivateKeyDer<'static>>,
}

impl Identity {
    /// Reads an identity from PEM text (RFC 7468): its certificate, then those that lead
    /// towards the root, and one private key, before, between or behind them.
    ///
    /// The key is PKCS #8 (`PRIVATE KEY`), SEC 1 (`EC PRIVATE KEY`), PKCS #1
    /// (`RSA PRIVATE KEY`), or, with the cargo feature `encrypted-keys`, PKCS #8 that is
    /// encrypted by PBES2 (`ENCRYPTED PRIVATE KEY`), for which there has to be a `passphrase`;
    /// other keys do not need it. A key on a curve may lack its public part, which stands in its
    /// certificate. Text around, a byte order mark and the certificates' older labels do not
    /// matter; sections of other kinds are skipped, and named in the log.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ClientCertificateRejected`] if the text is broken, if it has no certificate,
    /// no key or several keys, if the key is not that of the first certificate, and if the pass
    /// phrase is wrong or missing. [`ErrorKind::NotSupported`] for a key, or an encryption of it,
    /// of a kind that cannot be used, for an encrypted key without the feature `encrypted-keys`,
    /// and for everything without the feature `tls`. The message says which it was.
    pub fn from_pem(pem: impl AsRef<[u8]>, passphrase: Option<&str>) -> Result<Self, Error> {
        Self::read_pem(pem.as_ref(), passphrase)
    }

    /// Reads an identity from a PKCS #12 file (RFC 7292), as other programs export it
    /// (`.p12`, `.pfx`); without a pass phrase it is taken to be empty.
    ///
    /// It takes the cargo feature `pkcs12`. Files in DER and BER can be read, encrypted by PBES2
    /// with AES, or as OpenSSL and Windows used to do it (RC2 and 3DES), or not at all, with an
    /// older code of integrity, with PBMAC1, or without. Certificates that do not lead from that
    /// of the key towards the root are left out, and named in the log.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ClientCertificateRejected`] if the file is broken, if it has no private key or
    /// several, or no certificate of that key, and if the pass phrase is wrong or missing.
    /// [`ErrorKind::NotSupported`] for a key, or an encryption, of a kind that cannot be used, and
    /// without the feature `pkcs12`. The message says which it was.
    #[doc(alias = "SecPKCS12Import")]
    pub fn from_pkcs12(der: impl AsRef<[u8]>, passphrase: Option<&str>) -> Result<Self, Error> {
        Self::read_pkcs12(der.as_ref(), passphrase)
    }

    /// Returns the certificates that are shown, the identity's own first.
    pub fn certificates(&self) -> &[Certificate] {
        &self.0.certificates
    }

    /// Returns what rustls presents, and signs with.
    #[cfg(feature = "tls")]
    pub(crate) fn certified_key(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.0.key)
    }

    /// Whether both are one.
    pub(crate) fn is(&self, other: &Self) -> bool {
        #[cfg(all(feature = "daemon", feature = "tls", unix))]
        if self.0.is_foreign && other.0.is_foreign {
            // It is sent with every answer anew.
            return self.certificates() == other.certificates();
        }
        Arc::ptr_eq(&self.0, &other.0)
    }

    #[cfg(feature = "tls")]
    fn read_pem(pem: &[u8], passphrase: Option<&str>) -> Result<Self, Error> {
        let read = pem::read(pem)?;
        let key = key::open(read.key, passphrase, &read.certificates)?;
        Self::of(read.certificates, key)
    }

    #[cfg(not(feature = "tls"))]
    fn read_pem(_: &[u8], _: Option<&str>) -> Result<Self, Error> {
        let detail = "an identity needs the feature `tls`, which this build is without";
        Err(Error::new(ErrorKind::NotSupported, detail))
    }

    #[cfg(feature = "pkcs12")]
    fn read_pkcs12(der: &[u8], passphrase: Option<&str>) -> Result<Self, Error> {
        let (certificates, key) = pkcs12::read(der, passphrase)?;
        Self::of(certificates, key)
    }

    #[cfg(not(feature = "pkcs12"))]
    fn read_pkcs12(_: &[u8], _: Option<&str>) -> Result<Self, Error> {
        let detail = "PKCS #12 files need the feature `pkcs12`, which this build is without";
        Err(Error::new(ErrorKind::NotSupported, detail))
    }

    /// Makes an identity of certificates, its own first, and the key.
    #[cfg(feature = "tls")]
    fn of(certificates: Vec<Certificate>, key: Ready) -> Result<Self, Error> {
        Parts::of(certificates, key).map(|parts| Self(Arc::new(parts)))
    }
}

#[cfg(feature = "tls")]
impl Parts {
    fn of(certificates: Vec<Certificate>, key: Ready) -> Result<Self, Error> {
        let Some(own) = certificates.first() else {
            return Err(unusable("there is no certificate with the private key"));
        };
        if !key::is_of(&*key.signs, own)? {
            let detail = "the private key is not that of the first certificate";
            return Err(unusable(detail));
        }
        let chain = certificates.iter().map(|one| CertificateDer::from(one.as_der().to_vec()));
        Ok(Self {
            key: Arc::new(CertifiedKey::new(chain.collect(), key.signs)),
            certificates,
            #[cfg(all(feature = "daemon", unix))]
            der: key.der,
            #[cfg(all(feature = "daemon", unix))]
            is_foreign: false,
        })
    }
}

/// What was given makes no identity.
#[cfg(feature = "tls")]
fn unusable(detail: &'static str) -> Error {
    Error::new(ErrorKind::ClientCertificateRejected, detail)
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let certificates = &self.0.certificates;
        f.debug_struct("Identity").field("certificates", certificates).finish_non_exhaustive()
    }
}

#[cfg(all(test, not(feature = "tls")))]
mod without_tls {
    use super::{ErrorKind, Identity};

    #[test]
    fn an_identity_names_the_feature_it_needs() {
        let error = Identity::from_pem("", None).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotSupported);
        assert!(error.to_string().contains("`tls`"), "{error}");
        assert_eq!(Identity::from_pkcs12([], None).unwrap_err().kind(), ErrorKind::NotSupported);
    }
}
