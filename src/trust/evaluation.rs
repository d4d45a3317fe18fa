//! Whether a server's certificates are to be believed: path, dates, use, name and pins.

use std::cell::{Cell, RefCell};
use std::time::{Duration, SystemTime};

use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use webpki::{EndEntityCert, KeyUsage, VerifiedPath};

use super::pins::{self, PublicKeyPins};
use super::refusal::{Refused, summary, untrusted};
use super::roots::Trusted;
use super::{algorithms, x509};
use crate::error::Error;

/// What a server is measured by.
pub(super) struct Measure<'a> {
    pub(super) host: &'a ServerName<'a>,
    pub(super) trusted: &'a Trusted,
    /// The pins of a whole configuration; those of other hosts count for nothing.
    pub(super) pins: &'a [PublicKeyPins],
    pub(super) now: UnixTime,
}

/// Evaluates a chain, the server's own certificate first, the others in any order.
///
/// A server's own certificate that is trusted by itself needs no path: for its own names it is
/// good. Revocation is not checked.
pub(super) fn evaluate(chain: &[CertificateDer<'_>], measure: &Measure<'_>) -> Result<(), Error> {
    let Some((own, others)) = chain.split_first() else {
        return Err(untrusted("the server has shown no certificate"));
    };
    let refused = Refused::new(chain, measure);
    match evaluate_path(own, others, measure, &refused) {
        Err(_) if measure.trusted.names(own) => evaluate_named(own, measure, &refused),
        evaluated => evaluated,
    }
}

fn evaluate_path(
    own: &CertificateDer<'_>,
    others: &[CertificateDer<'_>],
    measure: &Measure<'_>,
    refused: &Refused<'_>,
) -> Result<(), Error> {
    let host = measure.host.to_str();
    let own = EndEntityCert::try_from(own).map_err(|error| refused.by(error))?;
    let (misses_pins, unfit) = (Cell::new(false), RefCell::new(None));
    // Another path of the same certificates may still be good.
    let fits = |path: &VerifiedPath<'_>| {
        // RFC 5280 §6.1.4 n, which webpki leaves out.
        let mut intermediates = path.intermediate_certificates().map(|one| one.der());
        if let Some(one) = intermediates.find(|one| !x509::may_sign(one)) {
            *unfit.borrow_mut() = Some(summary(&one));
            return Err(webpki::Error::CertDistrusted);
        }
        // RFC 7469 §2.6: what counts is the path that was validated. Whatever else a server
        // shows may be anybody's certificate (CVE-2016-2402).
        let matches = measure.pins.is_empty() || pins::allow(measure.pins, &host, &keys(path));
        misses_pins.set(!matches);
        if matches { Ok(()) } else { Err(webpki::Error::CertDistrusted) }
    };
    let verified = own.verify_for_usage(
        algorithms::ALL,
        &measure.trusted.anchors,
        others,
        measure.now,
        KeyUsage::server_auth(),
        None,
        Some(&fits),
    );
    match (verified, unfit.take()) {
        (Ok(_), _) => {}
        (Err(_), _) if misses_pins.get() => return Err(pins::missing(&host)),
        (Err(_), Some(unfit)) => return Err(refused.by_key_usage(&unfit)),
        (Err(error), None) => return Err(refused.by(error)),
    }
    own.verify_is_valid_for_subject_name(measure.host).map_err(|error| refused.by(error))
}

/// Evaluates a certificate that is trusted by itself: dates, use, name and pins.
fn evaluate_named(
    own: &CertificateDer<'_>,
    measure: &Measure<'_>,
    refused: &Refused<'_>,
) -> Result<(), Error> {
    let host = measure.host.to_str();
    let parsed = EndEntityCert::try_from(own).map_err(|error| refused.by(error))?;
    let read = x509::read(own).map_err(|_| refused.by(webpki::Error::BadDer))?;
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(measure.now.as_secs());
    let at = |time: SystemTime| {
        let since = time.duration_since(SystemTime::UNIX_EPOCH);
        UnixTime::since_unix_epoch(since.unwrap_or_default())
    };
    if now < read.not_before {
        let (time, not_before) = (measure.now, at(read.not_before));
        return Err(refused.by(webpki::Error::CertNotValidYet { time, not_before }));
    }
    if now > read.not_after {
        let (time, not_after) = (measure.now, at(read.not_after));
        return Err(refused.by(webpki::Error::CertExpired { time, not_after }));
    }
    if read.extensions.is_for_servers == Some(false) {
        return Err(refused.by(webpki::Error::EmptyEkuExtension));
    }
    parsed.verify_is_valid_for_subject_name(measure.host).map_err(|error| refused.by(error))?;
    check_own_key(own, &host, measure.pins)
}

/// Fails if the host has pins and none is of the server's own key.
pub(super) fn check_own_key(own: &[u8], host: &str, pins: &[PublicKeyPins]) -> Result<(), Error> {
    let key = x509::public_key_info(own).ok_or_else(|| {
        untrusted("the server's certificate is broken: no public key can be found in it")
    })?;
    if pins::allow(pins, host, &[key.into_owned()]) { Ok(()) } else { Err(pins::missing(host)) }
}

/// Returns the public keys of a path, each as DER of its `SubjectPublicKeyInfo`.
fn keys(path: &VerifiedPath<'_>) -> Vec<Vec<u8>> {
    let mut keys = vec![path.end_entity().subject_public_key_info().to_vec()];
    for above in path.intermediate_certificates() {
        keys.push(above.subject_public_key_info().to_vec());
    }
    keys.push(webpki::spki_for_anchor(path.anchor()).to_vec());
    keys
}
