//! [`CertificateDetails`]: what stands in a certificate.

use std::fmt;
use std::net::IpAddr;
use std::time::SystemTime;

use super::DistinguishedName;

/// What stands in a certificate, see [`Certificate::details`](crate::Certificate::details).
///
/// It is what the certificate says of itself; nothing of it has been verified by reading it.
#[derive(Clone, Debug)]
pub struct CertificateDetails {
    pub(super) subject: DistinguishedName,
    pub(super) issuer: DistinguishedName,
    pub(super) not_before: SystemTime,
    pub(super) not_after: SystemTime,
    pub(super) subject_alternative_names: Vec<SubjectName>,
    pub(super) serial_number: Vec<u8>,
    pub(super) public_key_info: Vec<u8>,
    pub(super) is_authority: bool,
}

impl CertificateDetails {
    /// Returns whose certificate it is; it may be empty.
    ///
    /// Servers are identified by the [alternative names](Self::subject_alternative_names) alone.
    #[doc(alias = "SecCertificateCopySubjectSummary")]
    pub fn subject(&self) -> &DistinguishedName {
        &self.subject
    }

    /// Returns who has issued it.
    #[doc(alias = "SecCertificateCopyNormalizedIssuerSequence")]
    pub fn issuer(&self) -> &DistinguishedName {
        &self.issuer
    }

    /// Returns the first second in which it is valid.
    #[doc(alias = "SecCertificateCopyNotValidBeforeDate")]
    pub fn not_before(&self) -> SystemTime {
        self.not_before
    }

    /// Returns the last second in which it is valid.
    #[doc(alias = "SecCertificateCopyNotValidAfterDate")]
    pub fn not_after(&self) -> SystemTime {
        self.not_after
    }

    /// Returns the names that it is good for, in their order; empty if it says none.
    pub fn subject_alternative_names(&self) -> &[SubjectName] {
        &self.subject_alternative_names
    }

    /// Returns the number that its issuer gave it, an integer in two's complement, most
    /// significant byte first.
    #[doc(alias = "SecCertificateCopySerialNumberData")]
    pub fn serial_number(&self) -> &[u8] {
        &self.serial_number
    }

    /// Returns the public key with its algorithm, as DER of SubjectPublicKeyInfo (RFC 5280
    /// §4.1.2.7).
    #[doc(alias = "SecCertificateCopyKey")]
    pub fn public_key_info(&self) -> &[u8] {
        &self.public_key_info
    }

    /// Returns whether it may issue other certificates (RFC 5280 §4.2.1.9).
    pub fn is_authority(&self) -> bool {
        self.is_authority
    }
}

/// A name for which a certificate is good (RFC 5280 §4.2.1.6).
///
/// `Display` writes the name or the address itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SubjectName {
    /// A name in the DNS, maybe with `*` as its first label; in ASCII.
    Dns(String),
    /// An address.
    Ip(IpAddr),
    /// An address of mail; in ASCII.
    Email(String),
    /// A URI; in ASCII.
    Uri(String),
    /// A name of another kind, or one of these with characters that may not stand there.
    Other,
}

impl fmt::Display for SubjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) | Self::Email(name) | Self::Uri(name) => f.write_str(name),
            Self::Ip(address) => address.fmt(f),
            Self::Other => f.write_str("a name of another kind"),
        }
    }
}
