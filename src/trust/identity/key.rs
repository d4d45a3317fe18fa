//! Private keys: opened, made ready to sign, and compared with certificates.

use std::sync::Arc;

use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::PrivateKeyDer;
use rustls::sign::SigningKey;

use super::pem::Key;
use super::{Ready, ec, unusable};
use crate::error::{Error, ErrorKind};
use crate::trust::{Certificate, ber};

/// Makes a key that was found in PEM text ready to sign.
pub(super) fn open(
    key: Key,
    passphrase: Option<&str>,
    certificates: &[Certificate],
) -> Result<Ready, Error> {
    match key {
        Key::Open(der) => ready(&der, certificates),
        Key::Encrypted(der) => decrypted(&der, passphrase, certificates),
    }
}

/// Makes a key ready to sign. What it lacks is taken from the certificates, one of which is to
/// be that of the key.
pub(super) fn ready(der: &PrivateKeyDer<'_>, certificates: &[Certificate]) -> Result<Ready, Error> {
    let signs = signing(der, certificates)?;
    #[cfg(all(feature = "daemon", unix))]
    let der = der::zeroize::Zeroizing::new(der.clone_key());
    Ok(Ready {
        signs,
        #[cfg(all(feature = "daemon", unix))]
        der,
    })
}

fn signing(
    der: &PrivateKeyDer<'_>,
    certificates: &[Certificate],
) -> Result<Arc<dyn SigningKey>, Error> {
    any_supported_type(der).or_else(|error| {
        if let Some(key) = ec::PrivateKey::read(der) {
            return key.ready(certificates);
        }
        // rustls tries one kind after the other, and does not say what was wrong with which.
        if ber::to_der(der.secret_der()).is_none() {
            return Err(unusable("the private key is broken").because(error));
        }
        let detail = "the private key is broken or of a kind that is not supported; RSA of 2048 \
                      to 4096 bits, ECDSA on P-256 and P-384, and Ed25519 are";
        Err(Error::new(ErrorKind::NotSupported, detail).because(error))
    })
}

/// Whether the certificate is about this key.
pub(super) fn is_of(key: &dyn SigningKey, certificate: &Certificate) -> Result<bool, Error> {
    let Some(public) = key.public_key() else { return Ok(true) };
    certificate
        .has_public_key(public.as_ref())
        .map_err(|error| unusable("the first certificate is broken").because(error))
}

#[cfg(feature = "encrypted-keys")]
fn decrypted(
    der: &[u8],
    passphrase: Option<&str>,
    certificates: &[Certificate],
) -> Result<Ready, Error> {
    use pkcs8::EncryptedPrivateKeyInfoRef;
    use pkcs8::pkcs5::pbes2::SCRYPT_OID;
    use rustls::pki_types::PrivatePkcs8KeyDer;

    let Some(passphrase) = passphrase else {
        return Err(unusable("the private key is encrypted, and there is no pass phrase for it"));
    };
    let encrypted = EncryptedPrivateKeyInfoRef::try_from(der).map_err(|error| {
        if ber::to_der(der).is_none() {
            return unusable("the encrypted private key is broken").because(error);
        }
        unsupported_encryption(error)
    })?;
    if !is_affordable(&encrypted.encryption_algorithm) {
        let error = pkcs8::pkcs5::Error::AlgorithmParametersInvalid { oid: SCRYPT_OID };
        return Err(unsupported_encryption(error.into()));
    }
    // The document is wiped when it is dropped.
    let document = encrypted.decrypt(passphrase).map_err(|error| match error {
        pkcs8::Error::EncryptedPrivateKey(
            pkcs8::pkcs5::Error::NoPbes1CryptSupport
            | pkcs8::pkcs5::Error::UnsupportedAlgorithm { .. }
            | pkcs8::pkcs5::Error::AlgorithmParametersInvalid { .. },
        ) => unsupported_encryption(error),
        // Padding that is wrong, or right by chance in front of what is no key.
        _ => unusable("the pass phrase of the private key is wrong").because(error),
    })?;
    ready(&PrivatePkcs8KeyDer::from(document.as_bytes()).into(), certificates)
}

/// How often a file may have something hashed to open it: some seconds' worth. Tools of today
/// write up to a million.
#[cfg(feature = "encrypted-keys")]
pub(super) const MOST_ITERATIONS: u32 = if cfg!(fuzzing) { 100 } else { 20_000_000 };

/// Whether the key can be opened in the memory and the time of a usual program: whoever made
/// the file says how much of both it takes, up to all that there is (RFC 7914 §2).
#[cfg(feature = "encrypted-keys")]
pub(super) fn is_affordable(encryption: &pkcs8::pkcs5::EncryptionScheme) -> bool {
    /// In blocks of 128 bytes: 1 GiB. OpenSSL's own keys take 16 MiB.
    const MOST: u64 = if cfg!(fuzzing) { 1 << 12 } else { 1 << 23 };
    let Some(derivation) = encryption.pbes2().map(|parameters| &parameters.kdf) else {
        return true;
    };
    let Some(scrypt) = derivation.scrypt() else {
        let iterations = derivation.pbkdf2().map(|one| one.iteration_count);
        return iterations.is_none_or(|count| count <= MOST_ITERATIONS);
    };
    let blocks = u64::from(scrypt.block_size) * u64::from(scrypt.parallelization);
    let most = MOST.checked_div(blocks).unwrap_or_default();
    scrypt.cost_parameter.is_power_of_two() && scrypt.cost_parameter <= most
}

#[cfg(feature = "encrypted-keys")]
fn unsupported_encryption(error: pkcs8::Error) -> Error {
    let detail = "the private key is encrypted in a way that is not supported; convert it with \
                  `openssl pkcs8 -topk8 -in old.pem -out new.pem`";
    Error::new(ErrorKind::NotSupported, detail).because(error)
}

#[cfg(not(feature = "encrypted-keys"))]
fn decrypted(_: &[u8], _: Option<&str>, _: &[Certificate]) -> Result<Ready, Error> {
    let detail = "encrypted private keys need the feature `encrypted-keys`, which this build is \
                  without";
    Err(Error::new(ErrorKind::NotSupported, detail))
}
