//! Certificates and a private key in PEM text.

use der::zeroize::Zeroizing;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::unusable;
use crate::error::{Error, ErrorKind};
use crate::log;
use crate::trust::Certificate;
use crate::trust::pem::{Section, Sections, text};

/// What stood in the text.
pub(super) struct Read {
    pub(super) certificates: Vec<Certificate>,
    pub(super) key: Key,
}

/// Returns what a section is called, if it is called as sections are: whoever pastes a secret may
/// paste it anywhere.
fn shown(label: &str) -> &str {
    const KNOWN: [&str; 6] = [
        "CERTIFICATE REQUEST",
        "DH PARAMETERS",
        "EC PARAMETERS",
        "NEW CERTIFICATE REQUEST",
        "PUBLIC KEY",
        "X509 CRL",
    ];
    if KNOWN.contains(&label) { label } else { "one of another kind" }
}

/// A private key as it was found.
pub(super) enum Key {
    /// Overwritten when it is dropped.
    Open(Zeroizing<PrivateKeyDer<'static>>),
    /// DER of EncryptedPrivateKeyInfo (RFC 5958 §3).
    Encrypted(Vec<u8>),
}

/// Reads all certificates and the one private key.
pub(super) fn read(pem: &[u8]) -> Result<Read, Error> {
    let text = text(pem);
    let (mut certificates, mut found) = (Vec::new(), None);
    let mut sections = Sections::of(&text);
    loop {
        let section = sections.next().map_err(|no_end| {
            let label = no_end.label;
            let detail = format!("the PEM text is broken: a section has no end (`{label}`)");
            Error::new(ErrorKind::ClientCertificateRejected, detail)
        })?;
        let Some(section) = section else { break };
        if section.is_certificate() {
            let (der, _) = section.certificate().map_err(|error| {
                unusable("the PEM text of a certificate is broken").because(error)
            })?;
            certificates.push(Certificate::from_der(der));
        } else if let Some(key) = key_of(&section)? {
            if found.replace(key).is_some() {
                return Err(unusable("the PEM text contains more than one private key"));
            }
        } else {
            log::debug!(
                "a section of the PEM text of an identity is skipped: {}",
                shown(section.label)
            );
        }
    }
    if certificates.is_empty() {
        return Err(unusable(match pem {
            [0x30, 0x80..=0xff, ..] => "the identity is no PEM text, but looks like DER",
            _ => "the PEM text contains no certificate",
        }));
    }
    let key = found.ok_or_else(|| unusable("the PEM text contains no private key"))?;
    Ok(Read { certificates, key })
}

fn key_of(section: &Section<'_>) -> Result<Option<Key>, Error> {
    let broken = |error| unusable("the PEM text of the private key is broken").because(error);
    match section.label {
        "PRIVATE KEY" | "EC PRIVATE KEY" | "RSA PRIVATE KEY" if section.is_legacy() => {
            let detail = "the private key is encrypted in the way of old OpenSSL \
                          (`Proc-Type: 4,ENCRYPTED`), which is not safe; convert it with \
                          `openssl pkcs8 -topk8 -in old.pem -out new.pem`";
            Err(Error::new(ErrorKind::NotSupported, detail))
        }
        label @ ("PRIVATE KEY" | "EC PRIVATE KEY" | "RSA PRIVATE KEY") => {
            let key: PrivateKeyDer<'_> = section.decode(label).map_err(broken)?;
            Ok(Some(Key::Open(Zeroizing::new(key))))
        }
        "ENCRYPTED PRIVATE KEY" => {
            // Under a label that is known; it is no secret yet.
            let der: CertificateDer<'_> = section.decode("CERTIFICATE").map_err(broken)?;
            Ok(Some(Key::Encrypted(der.to_vec())))
        }
        other if other.ends_with("PRIVATE KEY") => {
            let detail =
                format!("a `{other}` is not supported; it has to be PKCS #8, SEC 1 or PKCS #1");
            Err(Error::new(ErrorKind::NotSupported, detail))
        }
        _ => Ok(None),
    }
}
