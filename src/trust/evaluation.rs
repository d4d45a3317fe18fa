//! Whether a server's certificates are to be believed: path, dates, use, name and pins.

use std::cell::Cell;
use std::fmt;

use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName, TrustAnchor, UnixTime};
use webpki::{EndEntityCert, InvalidNameContext, KeyUsage, VerifiedPath};

use super::calendar;
use super::pins::{self, PublicKeyPins};
use crate::error::{Error, ErrorKind};

/// What a server is measured by.
pub(super) struct Measure<'a> {
    pub(super) host: &'a ServerName<'a>,
    pub(super) anchors: &'a [TrustAnchor<'static>],
    /// The pins of a whole configuration; those of other hosts count for nothing.
    pub(super) pins: &'a [PublicKeyPins],
    pub(super) now: UnixTime,
}

/// Evaluates a chain, the server's own certificate first, the others in any order.
///
/// Revocation is not checked.
pub(super) fn evaluate(chain: &[CertificateDer<'_>], measure: &Measure<'_>) -> Result<(), Error> {
    let Some((own, others)) = chain.split_first() else {
        let detail = "the server has shown no certificate";
        return Err(Error::new(ErrorKind::ServerCertificateUntrusted, detail));
    };
    let host = measure.host.to_str();
    let own = EndEntityCert::try_from(own).map_err(failure)?;
    // RFC 7469 §2.6: what counts is the path that was validated. Whatever else a server shows
    // may be anybody's certificate (CVE-2016-2402).
    let misses_pins = Cell::new(false);
    let pinned = |path: &VerifiedPath<'_>| {
        let matches = measure.pins.is_empty() || pins::allow(measure.pins, &host, keys(path));
        misses_pins.set(!matches);
        // Another path of the same certificates may still have the key.
        if matches { Ok(()) } else { Err(webpki::Error::CertDistrusted) }
    };
    let verified = own.verify_for_usage(
        ring::default_provider().signature_verification_algorithms.all,
        measure.anchors,
        others,
        measure.now,
        KeyUsage::server_auth(),
        None,
        Some(&pinned),
    );
    match verified {
        Err(_) if misses_pins.get() => return Err(pins::missing(&host)),
        Err(error) => return Err(failure(error)),
        Ok(_) => {}
    }
    own.verify_is_valid_for_subject_name(measure.host).map_err(failure)
}

/// Fails if the host has pins and none is of the server's own key.
pub(super) fn check_own_key(
    own: &CertificateDer<'_>,
    host: &str,
    pins: &[PublicKeyPins],
) -> Result<(), Error> {
    let own = EndEntityCert::try_from(own).map_err(failure)?;
    let key = [own.subject_public_key_info().to_vec()];
    if pins::allow(pins, host, key) { Ok(()) } else { Err(pins::missing(host)) }
}

/// Returns the public keys of a path, each as DER of its `SubjectPublicKeyInfo`.
fn keys(path: &VerifiedPath<'_>) -> Vec<Vec<u8>> {
    let own = path.end_entity().subject_public_key_info().to_vec();
    let above = path.intermediate_certificates().map(|one| one.subject_public_key_info().to_vec());
    let root = webpki::spki_for_anchor(path.anchor()).to_vec();
    [own].into_iter().chain(above).chain([root]).collect()
}

/// Names the failing check.
fn failure(error: webpki::Error) -> Error {
    use webpki::Error as Reason;

    let untrusted = ErrorKind::ServerCertificateUntrusted;
    let (kind, detail) = match &error {
        Reason::CertExpired { not_after, .. } => (
            ErrorKind::ServerCertificateHasBadDate,
            format!("the server's certificate has expired: it was valid until {}", Utc(*not_after)),
        ),
        Reason::InvalidCertValidity => (
            ErrorKind::ServerCertificateHasBadDate,
            "the server's certificate is never valid: it ends before it begins".to_owned(),
        ),
        Reason::CertNotValidYet { not_before, .. } => (
            ErrorKind::ServerCertificateNotYetValid,
            format!("the server's certificate is not valid yet, not before {}", Utc(*not_before)),
        ),
        Reason::UnknownIssuer => (
            ErrorKind::ServerCertificateHasUnknownRoot,
            "the server's certificate leads to no root that is trusted".to_owned(),
        ),
        Reason::CertNotValidForName(context) => {
            (untrusted, format!("the server's certificate is not for this host{}", Names(context)))
        }
        Reason::RequiredEkuNotFoundContext(_) => {
            (untrusted, "the server's certificate is not one for servers".to_owned())
        }
        Reason::CaUsedAsEndEntity => (
            untrusted,
            "the server's certificate is one for signing others, not for servers".to_owned(),
        ),
        _ => (untrusted, "the server's certificate is not acceptable".to_owned()),
    };
    Error::new(kind, detail).because(error)
}

/// Displays whom a certificate is for, at most a few of the names.
struct Names<'a>(&'a InvalidNameContext);

impl fmt::Display for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 5;
        for (at, name) in self.0.presented.iter().take(SHOWN).enumerate() {
            // webpki writes `DnsName("a.test")`.
            let bare = name.split('"').nth(1).unwrap_or(name);
            f.write_str(if at == 0 { ", but for " } else { ", " })?;
            // A certificate may say anything; control characters do not get into a log.
            write!(f, "{}", bare.escape_debug())?;
        }
        match self.0.presented.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            others => write!(f, " and {others} others"),
        }
    }
}

/// Displays a time as date and time of day, in UTC.
struct Utc(UnixTime);

impl fmt::Display for Utc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let (days, rest) = (seconds / 86_400, seconds % 86_400);
        // No u64 of seconds has as many days as an i64 holds.
        let (year, month, day) = calendar::date(days as i64);
        let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
        write!(f, "{year}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_time_is_shown_as_a_date() {
        for (seconds, expected) in [
            (0, "1970-01-01 00:00:00 UTC"),
            (951_782_399, "2000-02-28 23:59:59 UTC"),
            (951_782_400, "2000-02-29 00:00:00 UTC"),
            (951_868_800, "2000-03-01 00:00:00 UTC"),
            (1_009_756_800, "2001-12-31 00:00:00 UTC"),
            (1_709_251_199, "2024-02-29 23:59:59 UTC"),
            (4_107_542_400, "2100-03-01 00:00:00 UTC"),
            (253_402_300_799, "9999-12-31 23:59:59 UTC"),
        ] {
            let time = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
            assert_eq!(Utc(time).to_string(), expected);
        }
    }
}
