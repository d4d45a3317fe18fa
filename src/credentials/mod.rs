//! Who one is, to whom: credentials, the spaces that ask for them, and the answers.
//!
//! [`challenge::offers`] reads what a 401 or 407 offers, strongest first; an [`Offer`] and
//! a [`Credential`] make a [`Signer`], which signs requests; [`Accepted`] keeps the
//! answers that were accepted, for the requests after. [`CredentialStorage`] is what a
//! program sees of it.
//!
//! This room does not know sessions, loads or sockets: it decides, others send.
//!
//! The storage has a lock of its own and calls observers without it; all else is plain
//! values of whoever holds them.

mod accepted;
mod challenge;
mod credential;
mod digest;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
#[cfg(feature = "netrc")]
mod netrc;
mod signer;
mod space;
mod storage;

pub use challenge::{Challenge, Disposition};
pub use credential::{Credential, Persistence};
pub use space::{AuthenticationMethod, ProtectionSpace};
pub use storage::{CredentialObserver, CredentialStorage};

pub(crate) use accepted::Accepted;
pub(crate) use challenge::{Asker, Offer, offers};
pub(crate) use digest::{Algorithm, Hasher, Proof, Proven};
#[cfg(feature = "netrc")]
pub(crate) use netrc::Netrc;
pub(crate) use signer::{Outgoing, Signed, Signer};

#[cfg(feature = "digest")]
#[cfg(test)]
mod tests;
