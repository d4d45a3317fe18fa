//! Certificates and a private key in PEM text.
//!
//! The sections are found here, as rustls' reader passes over those that it does not know, an
//! encrypted key among them; it decodes what is in them, keys without a branch on their bits.

use der::zeroize::Zeroizing;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::unusable;
use crate::error::{Error, ErrorKind};
use crate::trust::Certificate;

/// What stood in the text.
pub(super) struct Read {
    pub(super) certificates: Vec<Certificate>,
    pub(super) key: Key,
}

/// A private key as it was found.
pub(super) enum Key {
    /// Overwritten when it is dropped.
    Open(Zeroizing<PrivateKeyDer<'static>>),
    /// DER of EncryptedPrivateKeyInfo (RFC 5958 §3).
    Encrypted(Vec<u8>),
}

/// One section, from the line that begins it to the one that ends it.
struct Section<'a> {
    label: &'a str,
    text: &'a str,
    body: &'a str,
}

/// Reads all certificates and the one private key.
pub(super) fn read(pem: &[u8]) -> Result<Read, Error> {
    // What stands between sections may be in any encoding, see RFC 7468 §2.
    let text = String::from_utf8_lossy(pem);
    let mut certificates = Vec::new();
    let mut found = None;
    let mut rest = &*text;
    while let Some(section) = next_section(&mut rest)? {
        if section.label == "CERTIFICATE" {
            let der = CertificateDer::from_pem_slice(section.text.as_bytes()).map_err(|error| {
                unusable("the PEM text of a certificate is broken").because(error)
            })?;
            certificates.push(Certificate::from_der(der.as_ref()));
        } else if let Some(key) = key_of(&section)?
            && found.replace(key).is_some()
        {
            return Err(unusable("the PEM text contains more than one private key"));
        }
    }
    if certificates.is_empty() {
        return Err(unusable("the PEM text contains no certificate"));
    }
    let key = found.ok_or_else(|| unusable("the PEM text contains no private key"))?;
    Ok(Read { certificates, key })
}

fn next_section<'a>(rest: &mut &'a str) -> Result<Option<Section<'a>>, Error> {
    const BEGIN: &str = "-----BEGIN ";
    let from_line = rest.match_indices(BEGIN).map(|(at, _)| at);
    let mut starts = from_line.filter(|&at| at == 0 || rest[..at].ends_with(['\n', '\r']));
    let Some(start) = starts.next() else { return Ok(None) };
    let text = &rest[start..];
    let broken = || unusable("the PEM text is broken: a section has no end");
    let (label, body) = text[BEGIN.len()..].split_once("-----").ok_or_else(broken)?;
    let end = format!("-----END {label}-----");
    let body_end = body.find(&end).ok_or_else(broken)?;
    let length = text.len() - body.len() + body_end + end.len();
    *rest = &text[length..];
    Ok(Some(Section { label, text: &text[..length], body: &body[..body_end] }))
}

fn key_of(section: &Section<'_>) -> Result<Option<Key>, Error> {
    let broken = |error| unusable("the PEM text of the private key is broken").because(error);
    let text = section.text.as_bytes();
    match section.label {
        "PRIVATE KEY" | "EC PRIVATE KEY" | "RSA PRIVATE KEY" if is_legacy(section) => {
            let detail = "the private key is encrypted in the way of old OpenSSL \
                          (`Proc-Type: 4,ENCRYPTED`), which is not safe; convert it with \
                          `openssl pkcs8 -topk8 -in old.pem -out new.pem`";
            Err(Error::new(ErrorKind::NotSupported, detail))
        }
        "PRIVATE KEY" | "EC PRIVATE KEY" | "RSA PRIVATE KEY" => {
            let key = PrivateKeyDer::from_pem_slice(text).map_err(broken)?;
            Ok(Some(Key::Open(Zeroizing::new(key))))
        }
        "ENCRYPTED PRIVATE KEY" => {
            // Under a label that is known; it is no secret yet.
            let body = section.body;
            let text = format!("-----BEGIN CERTIFICATE-----{body}-----END CERTIFICATE-----");
            let der = CertificateDer::from_pem_slice(text.as_bytes()).map_err(broken)?;
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

/// Whether the section has the headers of RFC 1421 §4.6, which RFC 7468 did away with.
fn is_legacy(section: &Section<'_>) -> bool {
    section.body.contains("ENCRYPTED") && section.body.contains("Proc-Type:")
}
