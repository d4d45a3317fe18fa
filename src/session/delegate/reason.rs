//! Why a task needs another request.

use std::fmt;

/// Why a task of a background session needs another request; see
/// [`Delegate::did_need_new_request`](crate::Delegate::did_need_new_request).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NewRequestReason {
    /// The server has refused to go on with the file, by a 401 or a 403: the URL, or what it was
    /// asked with, has expired.
    Refused,
    /// Headers that are secret were not written down, and the program has been away since.
    SecretsLost,
}

impl fmt::Display for NewRequestReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refused => "the server does not send the rest for the request as it is",
            Self::SecretsLost => "its secret headers were not written down",
        })
    }
}
