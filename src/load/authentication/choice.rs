//! Decides what an answer of the program to a challenge comes to.

use crate::credentials::{Credential, Disposition};

/// Where an answer comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// The server has accepted it earlier; it was sent unasked.
    Accepted,
    /// The URL, a storage or a file had it, or the server wanted a new nonce for it.
    Known,
    /// A delegate gave it: it is stored if it says so, once it is accepted.
    Delegate,
}

impl Source {
    /// Returns the source of the same credential for another challenge.
    pub(super) fn made_anew(self) -> Self {
        if self == Self::Accepted { Self::Known } else { self }
    }
}

/// What to do about one offer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Choice {
    Use(Credential, Source),
    /// The next offer is to be looked at.
    Reject,
    /// The load goes on without, and asks no more.
    GoOn,
    /// There is nothing to answer with.
    Nothing,
    Cancel,
}

/// Decides about one offer by what the program answers, `None` if nobody does, and by the
/// credential that may be used without it.
pub(super) fn choose(answered: Option<Disposition>, usable: Option<&Credential>) -> Choice {
    match answered {
        Some(Disposition::UseCredential(credential)) => Choice::Use(credential, Source::Delegate),
        Some(Disposition::RejectProtectionSpace) => Choice::Reject,
        Some(Disposition::ContinueWithoutCredential) => Choice::GoOn,
        Some(Disposition::Cancel) => Choice::Cancel,
        Some(Disposition::PerformDefaultHandling) | None => match usable {
            Some(credential) => Choice::Use(credential.clone(), Source::Known),
            None => Choice::Nothing,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_decides_and_what_it_leaves_open_is_the_default() {
        use Disposition::{Cancel, PerformDefaultHandling, RejectProtectionSpace, UseCredential};
        let (ann, bob) = (Credential::new("ann", "1"), Credential::new("bob", "2"));
        let by_default = || Choice::Use(bob.clone(), Source::Known);
        let given = || Choice::Use(ann.clone(), Source::Delegate);
        for (answered, with, without) in [
            (Some(UseCredential(ann.clone())), given(), given()),
            (Some(PerformDefaultHandling), by_default(), Choice::Nothing),
            (None, by_default(), Choice::Nothing),
            (Some(RejectProtectionSpace), Choice::Reject, Choice::Reject),
            (Some(Cancel), Choice::Cancel, Choice::Cancel),
            (Some(Disposition::ContinueWithoutCredential), Choice::GoOn, Choice::GoOn),
        ] {
            assert_eq!(choose(answered.clone(), Some(&bob)), with, "{answered:?}");
            assert_eq!(choose(answered.clone(), None), without, "{answered:?}");
        }
    }
}
