//! [`Challenge`]: what is asked, and [`Disposition`]: what can be answered.

mod grammar;
mod offers;

use std::fmt;

use super::{Credential, ProtectionSpace};
use crate::error::Error;
use crate::response::Response;

pub(super) use grammar::{ParsedChallenge, parameters};
pub(super) use offers::Scheme;
pub(crate) use offers::{Asker, Offer, offers};

/// A question of a server or a proxy: who are you, or do you trust me?
///
/// `Debug` shows no secret.
#[doc(alias = "URLAuthenticationChallenge")]
#[doc(alias = "NSURLAuthenticationChallenge")]
#[derive(Clone)]
pub struct Challenge {
    space: ProtectionSpace,
    proposed: Option<Credential>,
    failures: u32,
    response: Option<Response>,
    error: Option<Error>,
    token: Option<Box<str>>,
}

impl Challenge {
    /// Makes the first challenge of a space, without a proposal.
    pub(crate) fn new(space: ProtectionSpace) -> Self {
        Self { space, proposed: None, failures: 0, response: None, error: None, token: None }
    }

    /// Adds the credential that default handling would use.
    pub(crate) fn proposing(mut self, credential: Option<Credential>) -> Self {
        self.proposed = credential;
        self
    }

    /// Adds how many answers have been turned down before.
    pub(crate) fn after_failures(mut self, count: u32) -> Self {
        self.failures = count;
        self
    }

    /// Adds the response that asks.
    pub(crate) fn asked_by(mut self, response: Response) -> Self {
        self.response = Some(response);
        self
    }

    /// Adds why the last answer could not be used.
    pub(crate) fn failed_with(mut self, error: Error) -> Self {
        self.error = Some(error);
        self
    }

    /// Adds the token of a Negotiate or NTLM server.
    pub(crate) fn with_token(mut self, token: Option<&str>) -> Self {
        self.token = token.map(Into::into);
        self
    }

    /// Returns who asks, and for what.
    #[doc(alias = "protectionSpace")]
    pub fn protection_space(&self) -> &ProtectionSpace {
        &self.space
    }

    /// Returns the credential that [`Disposition::PerformDefaultHandling`] would use: from
    /// the URL, the credential storage or `.netrc`. If there is none left it is the one that
    /// was turned down last.
    #[doc(alias = "proposedCredential")]
    pub fn proposed_credential(&self) -> Option<&Credential> {
        self.proposed.as_ref()
    }

    /// Returns how many answers of this task to this space have been turned down before, by
    /// the server or because they could not be sent.
    #[doc(alias = "previousFailureCount")]
    pub fn previous_failure_count(&self) -> u32 {
        self.failures
    }

    /// Returns the 401 or 407 that asks; its body is not read.
    #[doc(alias = "failureResponse")]
    pub fn failure_response(&self) -> Option<&Response> {
        self.response.as_ref()
    }

    /// Returns why the last answer could not be used, if it was not the server that turned
    /// it down.
    pub fn error(&self) -> Option<&Error> {
        self.error.as_ref()
    }

    /// Returns the token that a Negotiate or NTLM server sent, in base64.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }
}

impl fmt::Debug for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Challenge")
            .field("protection_space", &self.space)
            .field("proposed_credential", &self.proposed)
            .field("previous_failure_count", &self.failures)
            .field("failure_response", &self.response)
            .field("error", &self.error)
            .finish_non_exhaustive()
    }
}

/// What to do about a [`Challenge`].
#[doc(alias = "URLSession.AuthChallengeDisposition")]
#[doc(alias = "NSURLSessionAuthChallengeDisposition")]
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Disposition {
    /// Answers with this credential. One that does not fit what is asked for, as a password
    /// does not fit Negotiate and a certificate does not fit Basic, or that cannot be sent,
    /// turns that offer down with a warning in the log, and the next one is asked about;
    /// where there is none, a user name, password or token that cannot be sent is asked for
    /// once more, with the reason as [`Challenge::error`].
    #[doc(alias = "NSURLSessionAuthChallengeUseCredential")]
    UseCredential(Credential),
    /// Does what a session without a delegate does: the proposed credential is tried
    /// once; without one the response is delivered as it is.
    #[doc(alias = "NSURLSessionAuthChallengePerformDefaultHandling")]
    PerformDefaultHandling,
    /// Goes on without a credential: nothing else that the server offers is asked about or
    /// tried, and the response is delivered as it is. A server that wants a certificate is
    /// shown none; a server's own certificate is what its evaluation says.
    #[doc(alias = "continueWithoutCredential(for:)")]
    ContinueWithoutCredential,
    /// Ends the task with [`ErrorKind::Cancelled`](crate::ErrorKind::Cancelled).
    #[doc(alias = "NSURLSessionAuthChallengeCancelAuthenticationChallenge")]
    Cancel,
    /// Goes on to the next thing that the server offers; after the last one the response
    /// is delivered as it is.
    #[doc(alias = "NSURLSessionAuthChallengeRejectProtectionSpace")]
    RejectProtectionSpace,
}
