//! Digest credentials (RFC 7616, and the RFC 2617 and RFC 2069 before it).
//!
//! A [`DigestSession`] is what one user and one challenge make: it signs requests and
//! counts them. Each signature leaves a [`Proof`], with which the server's
//! `Authentication-Info` is checked.

mod algorithm;
mod challenge;
#[cfg(feature = "digest")]
mod hash;
#[cfg(not(feature = "digest"))]
#[path = "no_hash.rs"]
mod hash;
mod proof;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::signer::Outgoing;
use crate::error::{Error, ErrorKind};

pub(crate) use algorithm::{Algorithm, Hasher};
pub(in crate::credentials) use challenge::DigestChallenge;
use challenge::Protection;
pub(crate) use proof::{Proof, Proven};

/// RFC 8187 §3.2.1: what is not an `attr-char` is escaped.
const EXTENDED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

/// How many requests were signed with one nonce (RFC 7616 §3.4, `nc`), by all who use it. A
/// clone is the same count.
#[derive(Clone, Debug, Default)]
pub(in crate::credentials) struct NonceCount(Arc<AtomicU32>);

impl NonceCount {
    /// Counts a request, and returns its number.
    fn next(&self) -> u32 {
        // A server gives a new nonce long before the eight digits are used up.
        self.0.fetch_add(1, Ordering::Relaxed).wrapping_add(1)
    }

    /// Whether nobody else uses the nonce.
    pub(in crate::credentials) fn is_alone(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }
}

/// The answers of one user to one challenge.
#[derive(Clone)]
pub(in crate::credentials) struct DigestSession {
    challenge: DigestChallenge,
    user: Box<str>,
    /// `H(user:realm:password)`, as good as the password in this realm.
    key: String,
    /// The key of a `-sess` algorithm, made for the first request (RFC 7616 §3.4.2), and the
    /// nonce of the client that it was made with.
    session_key: Option<(String, Box<str>)>,
    /// How many requests were signed with the nonce here, and by all who use it.
    signed: u32,
    count: NonceCount,
    /// Whether the nonce came with an answer to an earlier request.
    replaced: bool,
}

impl DigestSession {
    /// Prepares the answers of a user.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidRequest`] for a control character in the user name.
    pub(in crate::credentials) fn new(
        challenge: &DigestChallenge,
        user: &str,
        password: &str,
    ) -> Result<Self, Error> {
        if user.contains(char::is_control) {
            let detail = "a control character cannot be sent in a user name";
            return Err(Error::new(ErrorKind::InvalidRequest, detail));
        }
        let key = [user.as_bytes(), &challenge.realm, password.as_bytes()].join(&b':');
        let key = challenge.algorithm.hash(&key);
        let challenge = challenge.clone();
        Ok(Self {
            challenge,
            user: user.into(),
            key,
            session_key: None,
            signed: 0,
            count: NonceCount::default(),
            replaced: false,
        })
    }

    /// Returns the same user's answers to a new challenge of the same realm; `None` if the
    /// new one asks for another hash or realm, for which the password is needed.
    pub(in crate::credentials) fn renewed(&self, challenge: &DigestChallenge) -> Option<Self> {
        let same = self.challenge.realm == challenge.realm
            && self.challenge.algorithm.same_hash(challenge.algorithm);
        let same_nonce = self.challenge.nonce == challenge.nonce;
        let next = || Self {
            challenge: challenge.clone(),
            user: self.user.clone(),
            key: self.key.clone(),
            session_key: None,
            signed: if same_nonce { self.signed } else { 0 },
            // A count that is sent twice with the same nonce looks like a replay.
            count: if same_nonce { self.count.clone() } else { NonceCount::default() },
            replaced: false,
        };
        same.then(next)
    }

    /// Returns the algorithm to hash a request's body with, if that is signed too.
    pub(in crate::credentials) fn body_hash(&self) -> Option<Algorithm> {
        self.challenge.signs_body().then_some(self.challenge.algorithm)
    }

    /// Whether an earlier request was taken, so that a refusal may mean the nonce's age.
    pub(in crate::credentials) fn may_be_old(&self) -> bool {
        self.signed > 1 || self.replaced
    }

    pub(in crate::credentials) fn domain(&self) -> &[u8] {
        &self.challenge.domain
    }

    /// Takes the server's next nonce, unless another answer has brought one meanwhile.
    pub(in crate::credentials) fn take_nonce(&mut self, proof: &Proof, nonce: &[u8]) {
        if proof.nonce == self.challenge.nonce && *nonce != *self.challenge.nonce {
            self.challenge.nonce = nonce.into();
            (self.signed, self.count, self.replaced) = (0, NonceCount::default(), true);
        }
    }

    pub(in crate::credentials) fn nonce(&self) -> &[u8] {
        &self.challenge.nonce
    }

    pub(in crate::credentials) fn count(&self) -> &NonceCount {
        &self.count
    }

    /// Counts on with others who use the same nonce.
    pub(in crate::credentials) fn share(&mut self, count: NonceCount) {
        self.count = count;
    }

    /// Signs a request: returns the value of its `Authorization` field (RFC 7616 §3.4).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidRequest`] if the body is to be signed and its hash is missing.
    pub(in crate::credentials) fn sign(
        &mut self,
        request: &Outgoing<'_>,
    ) -> Result<(Vec<u8>, Proof), Error> {
        let protection = self.challenge.protection;
        if protection == Some(Protection::AuthInt) && request.body_hash.is_none() {
            let detail = "the server asks for a signed body, and the body cannot be read ahead";
            return Err(Error::new(ErrorKind::InvalidRequest, detail));
        }
        self.signed = self.signed.saturating_add(1);
        let (key, cnonce) = self.key_for(request.cnonce);
        let proof = Proof {
            algorithm: self.challenge.algorithm,
            key,
            nonce: self.challenge.nonce.clone(),
            count: self.count.next(),
            cnonce,
            protection,
            target: request.target.into(),
        };
        let body = request.body_hash.filter(|_| protection == Some(Protection::AuthInt));
        let response = proof.response(request.method, protection, body);
        Ok((self.fields(&proof, &response), proof))
    }

    /// Returns the key for a request, and the nonce of the client to send with it: that of
    /// the first request in a session, since servers differ in which of them they make the
    /// session's key with.
    fn key_for(&mut self, cnonce: &str) -> (String, Box<str>) {
        let (algorithm, nonce) = (self.challenge.algorithm, &self.challenge.nonce);
        if !algorithm.session {
            return (self.key.clone(), cnonce.into());
        }
        let made = || {
            let key = [self.key.as_bytes(), nonce, cnonce.as_bytes()].join(&b':');
            (algorithm.hash(&key), cnonce.into())
        };
        self.session_key.get_or_insert_with(made).clone()
    }

    fn fields(&self, proof: &Proof, response: &str) -> Vec<u8> {
        let challenge = &self.challenge;
        let mut fields = Fields(b"Digest ".to_vec());
        self.name_user(&mut fields);
        fields.quoted("realm", &challenge.realm);
        fields.quoted("nonce", &proof.nonce);
        fields.quoted("uri", proof.target.as_bytes());
        fields.quoted("response", response.as_bytes());
        if let Some(name) = &challenge.algorithm_name {
            fields.plain("algorithm", name);
        }
        if let Some(protection) = proof.protection {
            fields.quoted("cnonce", proof.cnonce.as_bytes());
            fields.plain("qop", protection.name().as_bytes());
            fields.plain("nc", format!("{:08x}", proof.count).as_bytes());
        }
        if let Some(opaque) = &challenge.opaque {
            fields.quoted("opaque", opaque);
        }
        if challenge.user_hash {
            fields.plain("userhash", b"true");
        }
        fields.0
    }

    /// RFC 7616 §3.4, §3.4.4. A server that does not say that it knows UTF-8 is older than
    /// the extended form, and gets the name's bytes as they are.
    fn name_user(&self, fields: &mut Fields) {
        let (user, challenge) = (&*self.user, &self.challenge);
        if challenge.user_hash {
            let pair = [user.as_bytes(), &challenge.realm].join(&b':');
            fields.quoted("username", challenge.algorithm.hash(&pair).as_bytes());
        } else if challenge.utf8 && !user.is_ascii() {
            let escaped = utf8_percent_encode(user, EXTENDED);
            fields.plain("username*", format!("UTF-8''{escaped}").as_bytes());
        } else {
            fields.quoted("username", user.as_bytes());
        }
    }
}

/// A list of parameters that is being written.
struct Fields(Vec<u8>);

impl Fields {
    fn plain(&mut self, name: &str, value: &[u8]) {
        if !self.0.ends_with(b" ") {
            self.0.extend_from_slice(b", ");
        }
        self.0.extend_from_slice(name.as_bytes());
        self.0.push(b'=');
        self.0.extend_from_slice(value);
    }

    /// RFC 9110 §5.6.4.
    fn quoted(&mut self, name: &str, value: &[u8]) {
        let mut quoted = vec![b'"'];
        for &byte in value {
            if matches!(byte, b'"' | b'\\') {
                quoted.push(b'\\');
            }
            quoted.push(byte);
        }
        quoted.push(b'"');
        self.plain(name, &quoted);
    }
}

impl fmt::Debug for DigestSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("DigestSession");
        out.field("challenge", &self.challenge).field("signed", &self.signed);
        out.finish_non_exhaustive()
    }
}

#[cfg(feature = "digest")]
#[cfg(test)]
mod tests;
