//! What a signed request leaves behind, and the server's proof (RFC 7616 §3.5).

use std::fmt;

use super::Algorithm;
use super::challenge::Protection;
use crate::credentials::challenge::parameters;
use crate::error::{Error, ErrorKind};

/// What is needed to check that whoever answers a signed request knows the password too.
#[derive(Clone)]
pub(crate) struct Proof {
    pub(super) algorithm: Algorithm,
    pub(super) key: String,
    pub(super) nonce: Box<[u8]>,
    pub(super) count: u32,
    pub(super) cnonce: Box<str>,
    pub(super) protection: Option<Protection>,
    pub(super) target: Box<str>,
}

/// What an `Authentication-Info` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Proven {
    /// It proves nothing, or nothing that can be read: as good as no field.
    Nothing,
    /// The server knows the password.
    Server,
    /// The proof covers the response's body: it is to be checked with that one's hash.
    OnceHashed(Algorithm),
}

impl Proof {
    /// Checks an `Authentication-Info` field; `body_hash` is that of the response's body as
    /// it is transferred, where there is one already.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BadServerResponse`] for a proof that is wrong: somebody else answered.
    pub(crate) fn verify(&self, info: &[u8], body_hash: Option<&str>) -> Result<Proven, Error> {
        let Some(info) = parameters(info) else { return Ok(Proven::Nothing) };
        let wrong = |detail| Err(Error::new(ErrorKind::BadServerResponse, detail));
        if info.get("cnonce").is_some_and(|cnonce| *cnonce != *self.cnonce.as_bytes())
            || info.get("nc").is_some_and(|count| hexadecimal(count) != Some(self.count))
        {
            return wrong("the server's Authentication-Info belongs to another request");
        }
        let Some(shown) = info.get("rspauth") else { return Ok(Proven::Nothing) };
        // The server says what it protects; that is counted only if the request was.
        let protection = match (self.protection, info.get("qop")) {
            (None, _) => None,
            (sent, None) => sent,
            (_, Some(name)) => match Protection::named(name) {
                None => return wrong("the server's Authentication-Info has an unknown qop"),
                named => named,
            },
        };
        let body = body_hash.filter(|_| protection == Some(Protection::AuthInt));
        if protection == Some(Protection::AuthInt) && body.is_none() {
            return Ok(Proven::OnceHashed(self.algorithm));
        }
        // RFC 7616 §3.5: the same hash without a method.
        if !self.response("", protection, body).as_bytes().eq_ignore_ascii_case(shown) {
            return wrong("the server does not prove that it knows the password");
        }
        Ok(Proven::Server)
    }

    /// Returns the nonce that the server wants for the next request, if the field, which
    /// has been verified, has one.
    pub(crate) fn next_nonce(info: &[u8]) -> Option<Box<[u8]>> {
        parameters(info)?.get("nextnonce").filter(|nonce| !nonce.is_empty()).map(Into::into)
    }

    /// RFC 7616 §3.4.1, §3.4.3; without a protection RFC 2069 §2.1.2.
    pub(super) fn response(
        &self,
        method: &str,
        protection: Option<Protection>,
        body_hash: Option<&str>,
    ) -> String {
        let request = match body_hash {
            Some(body) => format!("{method}:{}:{body}", self.target),
            None => format!("{method}:{}", self.target),
        };
        let request = self.algorithm.hash(request.as_bytes());
        let counted = protection
            .map(|one| format!("{:08x}:{}:{}:", self.count, self.cnonce, one.name()))
            .unwrap_or_default();
        let rest = format!("{counted}{request}");
        self.algorithm.hash(&[self.key.as_bytes(), &self.nonce, rest.as_bytes()].join(&b':'))
    }
}

fn hexadecimal(digits: &[u8]) -> Option<u32> {
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proof").field("count", &self.count).finish_non_exhaustive()
    }
}
