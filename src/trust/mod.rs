//! Words about TLS: whom to trust, who one is, and which versions to speak.

#[cfg(feature = "tls")]
mod algorithm_names;
#[cfg(feature = "tls")]
mod algorithms;
#[cfg(feature = "tls")]
mod ber;
mod certificate;
mod details;
mod distinguished_name;
#[cfg(feature = "tls")]
mod evaluation;
#[cfg(all(feature = "tls", any(test, fuzzing)))]
pub(crate) mod fuzz;
mod identity;
#[cfg(feature = "tls")]
mod pem;
mod pins;
#[cfg(feature = "tls")]
mod policy;
#[cfg(feature = "tls")]
mod refusal;
#[cfg(feature = "tls")]
mod roots;
mod server_trust;
#[cfg(feature = "tls")]
mod signature;
#[cfg(feature = "tls")]
mod x509;

#[cfg(feature = "tls")]
pub(crate) use algorithms::schemes;
pub use certificate::Certificate;
pub use details::{CertificateDetails, SubjectName};
pub use distinguished_name::DistinguishedName;
pub use identity::Identity;
pub use pins::PublicKeyPins;
#[cfg(feature = "tls")]
pub(crate) use policy::{TrustPolicy, server_name};
#[cfg(feature = "tls")]
pub(crate) use roots::Roots;
pub use server_trust::ServerTrust;
#[cfg(feature = "tls")]
pub(crate) use signature::{Signature, verify};

/// A version of TLS. Older ones than these are not spoken at all.
#[doc(alias = "tls_protocol_version_t")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum TlsVersion {
    /// TLS 1.2 (RFC 5246), with forward secrecy only.
    Tls12,
    /// TLS 1.3 (RFC 8446).
    Tls13,
}
