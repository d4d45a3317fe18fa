//! The words of refusals: dates, names, checks.

use std::error::Error as StdError;
use std::fmt;
use std::time::{Duration, SystemTime};

use rustls::pki_types::UnixTime;
use webpki::Error as Reason;

use crate::calendar;
use crate::trust::DistinguishedName;
use crate::trust::x509;

/// How much of a name is shown.
const LONGEST: usize = 120;

/// Returns a text that may come from anybody, cut where it is long.
#[cold]
pub(super) fn short(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}\u{2026}", &text[..end]),
        None => text.to_owned(),
    }
}

/// Returns what a certificate is about: its subject, or else its first alternative name.
#[cold]
fn subject(certificate: &[u8]) -> Option<String> {
    let read = x509::read(certificate).ok()?;
    let subject = DistinguishedName::from_der(read.subject).to_string();
    if !subject.is_empty() {
        return Some(short(&subject));
    }
    read.extensions.subject_alternative_names.first().map(|name| short(&name.to_string()))
}

/// Names a certificate by its role and by what it is about.
#[cold]
pub(super) fn named(role: &str, certificate: &[u8]) -> String {
    match subject(certificate) {
        Some(subject) => format!("{role} ({subject})"),
        None => role.to_owned(),
    }
}

/// Names a certificate by what it is about.
#[cold]
pub(in crate::trust) fn summary(certificate: &[u8]) -> String {
    subject(certificate).unwrap_or_else(|| "a certificate without a name".to_owned())
}

/// Returns the content of an element: what is behind its tag and length.
#[cold]
pub(super) fn inside(element: &[u8]) -> &[u8] {
    x509::content(element).unwrap_or_default()
}

/// Returns an element of SEQUENCE with this content, as its DER.
#[cold]
pub(super) fn sequence(content: &[u8]) -> Vec<u8> {
    x509::sequence(content)
}

/// Whether both are the same second.
pub(super) fn is_at(time: SystemTime, seconds: UnixTime) -> bool {
    time == SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.as_secs())
}

/// Displays a time as date and time of day, in UTC.
pub(super) struct Utc(pub(super) UnixTime);

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

/// The check that has failed, as the source of an error.
pub(super) struct Check(pub(super) Reason);

impl StdError for Check {}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            Reason::CertExpired { .. } => "a certificate of the path has expired",
            Reason::CertNotValidYet { .. } => "a certificate of the path is not valid yet",
            Reason::InvalidCertValidity => "the dates of a certificate contradict each other",
            Reason::UnknownIssuer => "no path to a trusted root was found",
            Reason::CertNotValidForName(_) => "no name of the certificate is that of the host",
            Reason::RequiredEkuNotFoundContext(_) | Reason::EmptyEkuExtension => {
                "the extended key usage does not fit"
            }
            Reason::CaUsedAsEndEntity | Reason::EndEntityUsedAsCa => {
                "the basic constraints do not fit"
            }
            Reason::PathLenConstraintViolated => "the path is longer than it may be",
            Reason::NameConstraintViolation => "name constraints are violated",
            Reason::UnsupportedSignatureAlgorithmContext(_)
            | Reason::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => {
                "a signature's algorithm is not supported"
            }
            Reason::InvalidSignatureForPublicKey => "a signature is wrong",
            Reason::UnsupportedCertVersion => "the version of a certificate is not supported",
            Reason::UnsupportedCriticalExtension => "a critical extension is not supported",
            Reason::CertDistrusted => "a key is distrusted",
            Reason::MaximumSignatureChecksExceeded
            | Reason::MaximumPathBuildCallsExceeded
            | Reason::MaximumPathDepthExceeded
            | Reason::MaximumNameConstraintComparisonsExceeded => {
                "the search for a path is too long"
            }
            _ => "a certificate cannot be read",
        })
    }
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Check({self})")
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

    #[test]
    fn a_long_name_is_cut_between_characters() {
        assert_eq!(short(&"\u{e4}".repeat(LONGEST)), "\u{e4}".repeat(LONGEST));
        let cut = short(&"\u{e4}".repeat(LONGEST + 1));
        assert_eq!(cut, format!("{}\u{2026}", "\u{e4}".repeat(LONGEST)));
    }
}
