//! What a server asks for by Digest (RFC 7616 §3.3).

use std::fmt;

use super::Algorithm;
use crate::credentials::challenge::ParsedChallenge;

/// A challenge of Digest that can be answered.
///
/// What goes into the hash or back to the server is kept as the bytes that came.
#[derive(Clone)]
pub(in crate::credentials) struct DigestChallenge {
    pub(super) realm: Box<[u8]>,
    pub(super) nonce: Box<[u8]>,
    pub(super) opaque: Option<Box<[u8]>>,
    pub(in crate::credentials) algorithm: Algorithm,
    /// The algorithm's name as the server wrote it, if it did: it is sent back so.
    pub(super) algorithm_name: Option<Box<[u8]>>,
    pub(super) protection: Option<Protection>,
    pub(in crate::credentials) stale: bool,
    /// `charset=UTF-8`, by which the server says that it knows RFC 7616.
    pub(super) utf8: bool,
    pub(super) user_hash: bool,
    /// The URIs of the space, as written; empty for the whole server.
    pub(in crate::credentials) domain: Box<[u8]>,
}

/// The quality of protection (`qop`): what the hash covers. Without one it is that of
/// RFC 2069, which counts nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protection {
    /// Method and target.
    Auth,
    /// The body as well.
    AuthInt,
}

impl Protection {
    pub(super) fn named(name: &[u8]) -> Option<Self> {
        let known = [Self::Auth, Self::AuthInt];
        known.into_iter().find(|one| one.name().as_bytes().eq_ignore_ascii_case(name))
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::AuthInt => "auth-int",
        }
    }
}

impl DigestChallenge {
    /// Reads a challenge; `None` if it cannot be answered: no nonce, an algorithm that is not
    /// known, or a session that nothing protects.
    ///
    /// Protections that are not known are passed over, all of them too (RFC 7616 §3.3); a realm
    /// that is not named is empty.
    pub(in crate::credentials) fn read(challenge: &ParsedChallenge) -> Option<Self> {
        let owned = |name| challenge.parameter(name).map(Into::into);
        let says = |name, value: &[u8]| {
            challenge.parameter(name).is_some_and(|found| found.eq_ignore_ascii_case(value))
        };
        let algorithm = Algorithm::named(challenge.parameter("algorithm"))?;
        let protection = challenge.parameter("qop").and_then(chosen);
        // RFC 7616 §3.4.2: the key of a session is made with a cnonce, which is not sent
        // without a protection.
        if algorithm.session && protection.is_none() {
            return None;
        }
        Some(Self {
            realm: owned("realm").unwrap_or_default(),
            nonce: owned("nonce")?,
            opaque: owned("opaque"),
            algorithm,
            algorithm_name: owned("algorithm"),
            protection,
            stale: says("stale", b"true"),
            utf8: says("charset", b"UTF-8"),
            user_hash: says("userhash", b"true"),
            domain: owned("domain").unwrap_or_default(),
        })
    }
}

impl DigestChallenge {
    /// Whether the body is signed too.
    pub(in crate::credentials) fn signs_body(&self) -> bool {
        self.protection == Some(Protection::AuthInt)
    }
}

/// Chooses `auth` where it is offered, since for `auth-int` the body is read twice.
fn chosen(offered: &[u8]) -> Option<Protection> {
    let names = offered.split(|byte| matches!(byte, b',' | b' ' | b'\t'));
    names.filter_map(Protection::named).min_by_key(|one| *one == Protection::AuthInt)
}

impl fmt::Debug for DigestChallenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DigestChallenge")
            .field("realm", &self.realm.escape_ascii().to_string())
            .field("algorithm", &self.algorithm)
            .field("protection", &self.protection)
            .field("stale", &self.stale)
            .finish_non_exhaustive()
    }
}
