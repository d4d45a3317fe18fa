//! [`Credential`]: what answers a challenge.

use std::fmt;

use crate::error::{Error, ErrorKind};
use crate::trust::{Identity, ServerTrust};

/// How long a [`CredentialStorage`](crate::CredentialStorage) keeps a credential.
#[doc(alias = "NSURLCredentialPersistence")]
#[doc(alias = "URLCredential.Persistence")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Persistence {
    /// It answers one challenge and is not stored.
    None,
    /// It is stored in memory, as long as its storage lives.
    #[default]
    ForSession,
    /// It would outlive the program. This version refuses it, see
    /// [`Credential::with_persistence`].
    #[doc(alias = "synchronizable")]
    Permanent,
}

/// What answers a challenge: a user name and a password, a token, an identity, or trust in
/// a server.
///
/// `Debug` shows no secret. The characters are sent in UTF-8 as they are: text that
/// Unicode can write in several ways is not normalized (RFC 7617 §2.1 and RFC 8265 §4.2
/// ask for form NFC, which is what keyboards type).
///
/// # Examples
///
/// ```
/// use urlsession::{Credential, Persistence};
///
/// let credential = Credential::new("ann", "open sesame");
/// assert_eq!(credential.user(), Some("ann"));
/// assert_eq!(credential.persistence(), Persistence::ForSession);
/// assert!(!format!("{credential:?}").contains("sesame"));
/// ```
#[doc(alias = "URLCredential")]
#[doc(alias = "NSURLCredential")]
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    secret: Secret,
    persistence: Persistence,
}

#[derive(Clone)]
enum Secret {
    Password { user: Box<str>, password: Box<str> },
    Token(Box<str>),
    Identity(Identity),
    Trust(ServerTrust),
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::Password { user, password },
                Self::Password { user: other, password: others },
            ) => user == other && password == others,
            (Self::Token(token), Self::Token(other)) => token == other,
            (Self::Identity(identity), Self::Identity(other)) => identity.is(other),
            (Self::Trust(trust), Self::Trust(other)) => trust.is_of_same_server(other),
            _ => false,
        }
    }
}

impl Eq for Secret {}

impl Credential {
    /// Makes a credential of a user name and a password, kept for the session.
    #[doc(alias = "credentialWithUser:password:persistence:")]
    pub fn new(user: &str, password: &str) -> Self {
        let secret = Secret::Password { user: user.into(), password: password.into() };
        Self { secret, persistence: Persistence::ForSession }
    }

    /// Makes a credential of a token that the program got elsewhere, such as from GSSAPI,
    /// and that is sent behind the name of the scheme as it is.
    ///
    /// It answers challenges of
    /// [`Negotiate`](crate::AuthenticationMethod::Negotiate) and
    /// [`Ntlm`](crate::AuthenticationMethod::Ntlm), once, and is never stored.
    pub fn from_token(token: &str) -> Self {
        Self { secret: Secret::Token(token.into()), persistence: Persistence::None }
    }

    /// Makes a credential that shows a certificate of the program's own. It answers
    /// challenges of
    /// [`ClientCertificate`](crate::AuthenticationMethod::ClientCertificate), and is kept
    /// for the session.
    #[doc(alias = "credentialWithIdentity:certificates:persistence:")]
    pub fn from_identity(identity: &Identity) -> Self {
        let secret = Secret::Identity(identity.clone());
        Self { secret, persistence: Persistence::ForSession }
    }

    /// Makes a credential that accepts what a server has shown, whatever is wrong with it.
    /// It answers the challenge of
    /// [`ServerTrust`](crate::AuthenticationMethod::ServerTrust) in which `trust` stood,
    /// for that server's certificate alone, and is never stored.
    ///
    /// Whoever makes one vouches for the server: look at it first.
    #[doc(alias = "credentialForTrust:")]
    pub fn for_trust(trust: &ServerTrust) -> Self {
        Self { secret: Secret::Trust(trust.clone()), persistence: Persistence::None }
    }

    /// Returns the credential with another persistence.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotSupported`] for [`Persistence::Permanent`], and for a token that is
    /// to be kept.
    pub fn with_persistence(mut self, persistence: Persistence) -> Result<Self, Error> {
        let fail = |detail| Err(Error::new(ErrorKind::NotSupported, detail));
        match (&self.secret, persistence) {
            (_, Persistence::Permanent) => fail(
                "credentials cannot be kept permanently in this version: keep them for the \
                 session and store them yourself",
            ),
            (Secret::Token(_), Persistence::ForSession) => {
                fail("a token answers one challenge and cannot be kept")
            }
            (Secret::Trust(_), Persistence::ForSession) => {
                fail("trust in a server answers one challenge and cannot be kept")
            }
            _ => {
                self.persistence = persistence;
                Ok(self)
            }
        }
    }

    /// Returns the user name, if it has one.
    pub fn user(&self) -> Option<&str> {
        match &self.secret {
            Secret::Password { user, .. } => Some(user),
            _ => None,
        }
    }

    /// Returns the password, if it has one.
    pub fn password(&self) -> Option<&str> {
        match &self.secret {
            Secret::Password { password, .. } => Some(password),
            _ => None,
        }
    }

    /// Returns whether there is a password.
    pub fn has_password(&self) -> bool {
        self.password().is_some()
    }

    /// Returns how long a storage keeps it.
    pub fn persistence(&self) -> Persistence {
        self.persistence
    }

    /// Whether a storage has room for one of both: they name the same user, or are the same
    /// identity.
    pub(super) fn is_of_same_user(&self, other: &Self) -> bool {
        match (self.identity(), other.identity()) {
            (Some(identity), Some(other)) => identity.is(other),
            (None, None) => self.user() == other.user(),
            _ => false,
        }
    }

    /// Returns user name and password.
    pub(super) fn pair(&self) -> Option<(&str, &str)> {
        match &self.secret {
            Secret::Password { user, password } => Some((user, password)),
            _ => None,
        }
    }

    pub(crate) fn token(&self) -> Option<&str> {
        match &self.secret {
            Secret::Token(token) => Some(token),
            _ => None,
        }
    }

    /// Returns the identity, if it is one.
    pub fn identity(&self) -> Option<&Identity> {
        match &self.secret {
            Secret::Identity(identity) => Some(identity),
            _ => None,
        }
    }

    /// Returns what it accepts, if it is trust in a server.
    #[cfg(all(feature = "daemon", unix))]
    pub(crate) fn trust(&self) -> Option<&ServerTrust> {
        match &self.secret {
            Secret::Trust(trust) => Some(trust),
            _ => None,
        }
    }

    /// Says what it is, without what it holds.
    pub(super) fn described(&self) -> &'static str {
        match &self.secret {
            Secret::Password { .. } => "a user name and a password",
            Secret::Token(_) => "a token",
            Secret::Identity(_) => "a certificate",
            Secret::Trust(_) => "trust in a server",
        }
    }

    /// Whether it accepts what was shown.
    #[cfg(feature = "tls")]
    pub(crate) fn accepts(&self, shown: &ServerTrust) -> bool {
        matches!(&self.secret, Secret::Trust(trust) if trust.is_of_same_server(shown))
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let persistence = &self.persistence;
        f.debug_struct("Credential").field("persistence", persistence).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_kept_is_refused_when_it_is_asked_for() {
        use Persistence::{ForSession, None, Permanent};
        let (pair, token) = (Credential::new("ann", "pw"), Credential::from_token("YII="));
        for (credential, persistence, taken) in [
            (&pair, None, true),
            (&pair, ForSession, true),
            (&pair, Permanent, false),
            (&token, None, true),
            (&token, ForSession, false),
            (&token, Permanent, false),
        ] {
            match credential.clone().with_persistence(persistence) {
                Ok(made) => assert!(taken && made.persistence() == persistence, "{made:?}"),
                Err(error) => {
                    assert!(!taken, "{credential:?} {persistence:?}");
                    assert_eq!(error.kind(), ErrorKind::NotSupported);
                }
            }
        }
    }

    #[test]
    fn a_credential_is_a_pair_or_a_token() {
        let (pair, token) = (Credential::new("ann", "pw"), Credential::from_token("YII="));
        assert_eq!((pair.user(), pair.password(), pair.token()), (Some("ann"), Some("pw"), None));
        assert_eq!((token.user(), token.password(), token.token()), (None, None, Some("YII=")));
        assert!(pair.has_password() && !token.has_password());
        assert_ne!(pair, Credential::new("ann", "PW"));
    }
}
