//! [`Signer`]: a credential made fit for one challenge; it signs requests.

use std::fmt;

use super::challenge::{Offer, Scheme};
use super::digest::{Algorithm, DigestSession, Proof};
use super::{AuthenticationMethod, Credential, ProtectionSpace};
use crate::basic;
use crate::error::{Error, ErrorKind};

/// A credential that answers one offer, for as many requests as the server takes it.
#[derive(Clone)]
pub(crate) struct Signer {
    space: ProtectionSpace,
    credential: Credential,
    scheme: Prepared,
}

#[derive(Clone)]
enum Prepared {
    /// The value of the field, the same for every request.
    Fixed(String),
    Digest(Box<DigestSession>),
}

/// What of a request is signed.
#[derive(Clone, Copy)]
pub(crate) struct Outgoing<'a> {
    pub(crate) method: &'a str,
    /// The request target as it is sent: path and query, or the whole URL to a proxy, or
    /// host and port of a `CONNECT`.
    pub(crate) target: &'a str,
    /// The hash of the body as it is sent, of no bytes if there is none; see
    /// [`Signer::body_hash`].
    pub(crate) body_hash: Option<&'a str>,
    /// Fresh for each request: 128 bits that nobody can foresee.
    pub(crate) cnonce: &'a str,
}

/// A signature of one request.
pub(crate) struct Signed {
    /// The value of the field that answers; a secret, and maybe no text: what came goes back
    /// byte for byte.
    pub(crate) value: Vec<u8>,
    /// What checks the server's `Authentication-Info`, for schemes that have one.
    pub(crate) proof: Option<Proof>,
}

impl Offer {
    /// Whether it is of the kind that this scheme takes, even if it cannot be sent.
    pub(crate) fn takes(&self, credential: &Credential) -> bool {
        match self.scheme {
            Scheme::Basic | Scheme::Digest(_) => credential.pair().is_some(),
            Scheme::Token(_) => credential.token().is_some(),
        }
    }

    /// Prepares a credential for this offer.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidRequest`] for a credential that cannot be sent by this scheme.
    pub(crate) fn answer(&self, credential: &Credential) -> Result<Signer, Error> {
        let scheme = match (&self.scheme, credential.pair(), credential.token()) {
            (Scheme::Basic, Some((user, password)), _) => {
                Prepared::Fixed(basic::authorization(user, password)?)
            }
            (Scheme::Digest(challenge), Some((user, password)), _) => {
                Prepared::Digest(Box::new(DigestSession::new(challenge, user, password)?))
            }
            (Scheme::Token(_), _, Some(token)) => Prepared::Fixed(self.with_token(token)?),
            (Scheme::Token(_), ..) => return Err(self.unfit("a token", credential)),
            _ => return Err(self.unfit("a user name and a password", credential)),
        };
        Ok(Signer { space: self.space.clone(), credential: credential.clone(), scheme })
    }

    /// Returns what the scheme is called.
    fn named(&self) -> &'static str {
        match (&self.scheme, self.space.method()) {
            (Scheme::Basic, _) => "Basic",
            (Scheme::Digest(_), _) => "Digest",
            // Of the two that take tokens, each is named by its method.
            (Scheme::Token(_), AuthenticationMethod::Ntlm) => "NTLM",
            (Scheme::Token(_), _) => "Negotiate",
        }
    }

    fn with_token(&self, token: &str) -> Result<String, Error> {
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            let detail = "a token is empty or has characters that cannot be sent";
            return Err(Error::new(ErrorKind::InvalidRequest, detail));
        }
        Ok(format!("{} {token}", self.named()))
    }

    fn unfit(&self, wanted: &str, credential: &Credential) -> Error {
        let (scheme, given) = (self.named(), credential.described());
        let detail = format!("{scheme} is answered by {wanted}, not by {given}");
        Error::new(ErrorKind::InvalidRequest, detail)
    }
}

impl Signer {
    pub(crate) fn space(&self) -> &ProtectionSpace {
        &self.space
    }

    pub(crate) fn credential(&self) -> &Credential {
        &self.credential
    }

    /// Returns the same credential fit for a new offer of the same space, which takes a new
    /// nonce; `None` if it has to be prepared anew.
    pub(crate) fn renewed(&self, offer: &Offer) -> Option<Self> {
        let (Prepared::Digest(session), Scheme::Digest(challenge)) = (&self.scheme, &offer.scheme)
        else {
            return None;
        };
        let renewed = session.renewed(challenge).filter(|_| offer.space == self.space)?;
        let scheme = Prepared::Digest(Box::new(renewed));
        Some(Self { space: self.space.clone(), credential: self.credential.clone(), scheme })
    }

    /// Whether its requests are counted.
    pub(crate) fn counts(&self) -> bool {
        self.digest().is_some()
    }

    /// Whether it is a token, which is good for its connection.
    pub(crate) fn is_token(&self) -> bool {
        self.credential.token().is_some()
    }

    /// Returns the algorithm to hash the request's body with before signing, if the server
    /// wants that.
    pub(crate) fn body_hash(&self) -> Option<Algorithm> {
        self.digest()?.body_hash()
    }

    /// Whether a refusal may be about the age of a nonce, even from a server that does not
    /// say so: the credential may be right.
    pub(crate) fn may_have_expired(&self) -> bool {
        self.digest().is_some_and(DigestSession::may_be_old)
    }

    /// Signs a request, and counts it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidRequest`] if [`body_hash`](Self::body_hash) wants a hash and
    /// there is none.
    pub(crate) fn sign(&mut self, request: &Outgoing<'_>) -> Result<Signed, Error> {
        match &mut self.scheme {
            Prepared::Fixed(value) => Ok(Signed { value: value.clone().into(), proof: None }),
            Prepared::Digest(session) => {
                let (value, proof) = session.sign(request)?;
                Ok(Signed { value, proof: Some(proof) })
            }
        }
    }

    /// Takes the nonce that the server wants next (RFC 7616 §3.5), unless another request
    /// has brought one meanwhile.
    pub(crate) fn take_nonce(&mut self, proof: &Proof, nonce: &[u8]) {
        if let Prepared::Digest(session) = &mut self.scheme {
            session.take_nonce(proof, nonce);
        }
    }

    pub(super) fn digest(&self) -> Option<&DigestSession> {
        match &self.scheme {
            Prepared::Digest(session) => Some(session),
            Prepared::Fixed(_) => None,
        }
    }

    pub(super) fn digest_mut(&mut self) -> Option<&mut DigestSession> {
        match &mut self.scheme {
            Prepared::Digest(session) => Some(session),
            Prepared::Fixed(_) => None,
        }
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("space", &self.space).finish_non_exhaustive()
    }
}

impl fmt::Debug for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signed").finish_non_exhaustive()
    }
}

impl fmt::Debug for Outgoing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing").field("method", &self.method).finish_non_exhaustive()
    }
}
