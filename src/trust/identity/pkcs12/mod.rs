//! PKCS #12 files (RFC 7292), in DER as OpenSSL and Java write them, or in BER as Mozilla does.

mod contents;
mod decryption;
mod derivation;
mod mac;

use der::zeroize::Zeroizing;
use rustls::pki_types::PrivatePkcs8KeyDer;

use self::contents::Contents;
use super::{Ready, key, unusable};
use crate::error::{Error, ErrorKind};
use crate::log;
use crate::trust::refusal::summary;
use crate::trust::{Certificate, ber, x509};

/// A pass phrase in the two forms in which files want it.
struct Passphrase<'a> {
    /// As it is, for PBES2 and PBMAC1.
    text: &'a str,
    /// In UTF-16 and with a NUL behind it (RFC 7292 appendix B.1), for the older ways.
    wide: Zeroizing<Vec<u8>>,
}

impl<'a> Passphrase<'a> {
    /// Returns the forms to try. What is empty has a NUL behind it or not, by the tool.
    fn forms(text: &'a str) -> Vec<Self> {
        let units = text.encode_utf16().chain([0]);
        let wide = Zeroizing::new(units.flat_map(u16::to_be_bytes).collect());
        let mut forms = vec![Self { text, wide }];
        if text.is_empty() {
            forms.push(Self { text, wide: Zeroizing::default() });
        }
        forms
    }
}

/// Reads the one private key, and the certificates that lead from its own towards the root.
pub(super) fn read(
    file: &[u8],
    passphrase: Option<&str>,
) -> Result<(Vec<Certificate>, Ready), Error> {
    let der = ber::to_der(file).ok_or_else(broken)?;
    let found = Contents::read(&der, passphrase)?;
    let found_key = match &*found.keys {
        [] => return Err(unusable("the PKCS #12 file contains no private key")),
        [one] => one,
        _ => return Err(unusable("the PKCS #12 file contains more than one private key")),
    };
    if found.certificates.is_empty() {
        return Err(unusable("the PKCS #12 file contains no certificate"));
    }
    let key = key::ready(&PrivatePkcs8KeyDer::from(&***found_key).into(), &found.certificates)?;
    // The files name the certificate of a key by an attribute, not all of them; the key tells.
    let is_own = |one: &&Certificate| key::is_of(&*key.signs, one).unwrap_or(false);
    let Some(own) = found.certificates.iter().find(is_own) else {
        return Err(unusable("the PKCS #12 file contains no certificate of its private key"));
    };
    Ok((chain(own, &found.certificates), key))
}

/// Orders the certificates from `own` towards the root by their names.
fn chain(own: &Certificate, all: &[Certificate]) -> Vec<Certificate> {
    let mut chain = vec![own.clone()];
    while let Some(read) = chain.last().and_then(|last| x509::read(last.as_der()).ok()) {
        let vouches = |one: &&Certificate| {
            let subject = x509::read(one.as_der()).map(|one| one.subject.to_vec());
            subject.is_ok_and(|subject| subject == read.issuer) && !chain.contains(one)
        };
        let Some(issuer) = all.iter().find(vouches).cloned() else { break };
        chain.push(issuer);
    }
    for left_out in all.iter().filter(|one| !chain.contains(one)) {
        let name = summary(left_out.as_der());
        log::info!("a certificate of the PKCS #12 file does not lead to the root: {name}");
    }
    chain
}

fn broken() -> Error {
    unusable("the PKCS #12 file is broken")
}

fn broken_by(error: der::Error) -> Error {
    broken().because(error)
}

/// The pass phrase does not open the file.
fn wrong(passphrase: Option<&str>) -> Error {
    match passphrase {
        Some(_) => unusable("the pass phrase of the PKCS #12 file is wrong"),
        None => unusable("the PKCS #12 file is encrypted, and there is no pass phrase for it"),
    }
}

fn unsupported(what: impl std::fmt::Display) -> Error {
    let detail = format!(
        "the PKCS #12 file is encrypted or made in a way that is not supported ({what}); convert it \
         with `openssl pkcs12`"
    );
    Error::new(ErrorKind::NotSupported, detail)
}
