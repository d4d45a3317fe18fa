//! PKCS #12 files (RFC 7292).

use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;

use p12_keystore::error::Error as Pkcs12Error;
use p12_keystore::{Certificate as Found, Pkcs12Archive};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::sign::SigningKey;

use super::{key, unusable};
use crate::error::{Error, ErrorKind};
use crate::trust::Certificate;

/// Reads the one private key, and the certificates that lead from its own towards the root.
///
/// What the reader has decrypted is not overwritten in memory: it gives no way to do so.
pub(super) fn read(
    der: &[u8],
    passphrase: Option<&str>,
) -> Result<(Vec<Certificate>, Arc<dyn SigningKey>), Error> {
    // Its readers panic at some broken parameters, such as an N of 0 for scrypt.
    let open = || Pkcs12Archive::from_pkcs12(der, passphrase.unwrap_or_default());
    let opened = panic::catch_unwind(AssertUnwindSafe(open));
    let opened = opened.map_err(|_| unusable("the PKCS #12 file is broken"))?;
    let archive = opened.map_err(|error| failure(error, passphrase.is_some()))?;
    let found = match &*archive.keys {
        [] => return Err(unusable("the PKCS #12 file contains no private key")),
        [one] => one,
        _ => return Err(unusable("the PKCS #12 file contains more than one private key")),
    };
    let key = key::ready(&PrivatePkcs8KeyDer::from(found.key.as_der()).into())?;
    let all: Vec<&Found> = archive.certs.iter().map(|bag| &bag.cert).collect();
    if all.is_empty() {
        return Err(unusable("the PKCS #12 file contains no certificate"));
    }
    // The files name the certificate of a key by an attribute, not all of them; the key tells.
    let own = all.iter().find(|one| key::is_of(&*key, &taken(one)).unwrap_or(false));
    let Some(own) = own else {
        return Err(unusable("the PKCS #12 file contains no certificate of its private key"));
    };
    Ok((chain(own, &all).into_iter().map(taken).collect(), key))
}

fn taken(found: &Found) -> Certificate {
    Certificate::from_der(found.as_der())
}

/// Orders the certificates from `own` towards the root by their names.
fn chain<'a>(own: &'a Found, all: &[&'a Found]) -> Vec<&'a Found> {
    let mut chain = vec![own];
    let mut last = own;
    while let Some(issuer) =
        all.iter().find(|one| one.subject() == last.issuer() && !chain.contains(one))
    {
        chain.push(issuer);
        last = issuer;
    }
    chain
}

fn failure(error: Pkcs12Error, with_passphrase: bool) -> Error {
    match &error {
        Pkcs12Error::MacError(_) | Pkcs12Error::UnpadError if !with_passphrase => {
            unusable("the PKCS #12 file is encrypted, and there is no pass phrase for it")
        }
        Pkcs12Error::MacError(_) | Pkcs12Error::UnpadError => {
            unusable("the pass phrase of the PKCS #12 file is wrong")
        }
        Pkcs12Error::UnsupportedContentType
        | Pkcs12Error::UnsupportedCertificateType
        | Pkcs12Error::UnsupportedEncryptionScheme
        | Pkcs12Error::UnsupportedMacAlgorithm
        | Pkcs12Error::InvalidVersion
        | Pkcs12Error::InvalidParameters => {
            let detail = "the PKCS #12 file is encrypted or made in a way that is not supported";
            Error::new(ErrorKind::NotSupported, detail)
        }
        _ => unusable("the PKCS #12 file is broken, or its pass phrase is wrong"),
    }
    .because(error)
}
