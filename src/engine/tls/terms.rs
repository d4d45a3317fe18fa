//! Which loads may use a connection that somebody has decided about.

use crate::credentials::{AuthenticationMethod, Credential, CredentialStorage, ProtectionSpace};
use crate::trust::Identity;
use crate::wire::{Context, DelegateId};

/// The terms of a connection that not everybody may use.
#[derive(Debug)]
pub(in crate::engine) struct Terms {
    /// Who has accepted the server's certificate against its evaluation, and who was asked.
    pub(super) trusted_by: Option<(DelegateId, Consulted)>,
    /// What was shown to a server that wants to know who connects.
    pub(super) shown: Option<Shown>,
}

/// What a server was shown that wants a certificate of the client.
#[derive(Debug)]
pub(super) struct Shown {
    /// `None`: no certificate.
    pub(super) identity: Option<Identity>,
    /// Who decided that, if not the storage.
    pub(super) by: Option<DelegateId>,
    /// Somebody was there to be asked.
    pub(super) asked: bool,
    /// The space for which the storage may have an identity.
    pub(super) space: ProtectionSpace,
}

/// What a server is to be shown that wants a certificate of the client.
#[derive(Debug, Default)]
pub(super) enum Client {
    #[default]
    Undecided,
    Nothing {
        by: Option<DelegateId>,
    },
    Identity {
        identity: Identity,
        by: Option<DelegateId>,
        accepted: Option<Credential>,
    },
}

impl Client {
    pub(super) fn identity(&self) -> Option<&Identity> {
        match self {
            Self::Identity { identity, .. } => Some(identity),
            _ => None,
        }
    }
}

/// Who was asked about the server of a connection, and has not refused it.
#[derive(Clone, Debug, Default)]
pub(super) struct Consulted {
    /// The session's delegate has answered for all.
    is_for_all: bool,
    /// Delegates of single loads, the last ones that were asked.
    own: Vec<DelegateId>,
}

/// How many delegates of single loads are remembered for a connection.
const MOST_CONSULTED: usize = 8;

impl Consulted {
    /// Notes that the session's delegate has answered for all.
    pub(super) fn note_all(&mut self) {
        self.is_for_all = true;
    }

    /// Notes that a load's own delegate was asked.
    pub(super) fn note(&mut self, own: DelegateId) {
        if self.own.len() == MOST_CONSULTED {
            self.own.remove(0);
        }
        self.own.push(own);
    }

    /// Whether this one need not be asked.
    pub(super) fn knows(&self, own: &DelegateId) -> bool {
        self.is_for_all || self.own.contains(own)
    }
}

impl Terms {
    /// Whether the server's certificate was accepted against its evaluation.
    pub(in crate::engine) fn make_an_exception(&self) -> bool {
        self.trusted_by.is_some()
    }

    /// Whether a load may use the connection.
    pub(super) fn allow(&self, context: &Context, storage: Option<&CredentialStorage>) -> bool {
        let is_asked = |by: &DelegateId| context.is_asked(by);
        if let Some((by, consulted)) = &self.trusted_by
            && !(is_asked(by) && context.own_delegate().is_none_or(|own| consulted.knows(&own)))
        {
            return false;
        }
        let Some(Shown { identity, by, asked, space }) = &self.shown else { return true };
        let is_stored = match (identity, stored_identity(storage, space)) {
            (Some(shown), Some(stored)) => shown.is(&stored),
            (None, None) => true,
            _ => false,
        };
        may_share(&Sharing {
            mine: by.as_ref().map(is_asked),
            was_shown: identity.is_some(),
            is_stored,
            would_ask: !asked && context.has_delegate(),
        })
    }
}

/// What is known of a connection on which a client certificate was asked for, and of a load
/// that could use it.
#[derive(Debug)]
struct Sharing {
    /// Whether a delegate of the load has decided what was shown; `None`: no delegate has.
    mine: Option<bool>,
    /// An identity was shown.
    was_shown: bool,
    /// It is the one that the storage has, or there is none in both.
    is_stored: bool,
    /// The load has somebody to ask, and nobody was asked before.
    would_ask: bool,
}

/// Decides whether the load may use the connection.
fn may_share(sharing: &Sharing) -> bool {
    let Sharing { mine, was_shown, is_stored, would_ask } = *sharing;
    match mine {
        // What a delegate has decided serves its own loads, even where the storage has the same
        // identity by now: the others show that one on a connection of their own.
        Some(mine) => mine,
        None => is_stored && (was_shown || !would_ask),
    }
}

/// Returns the identity that a storage has for the space.
pub(super) fn stored_identity(
    storage: Option<&CredentialStorage>,
    space: &ProtectionSpace,
) -> Option<Identity> {
    debug_assert_eq!(space.method(), AuthenticationMethod::ClientCertificate);
    storage?.default_credential(space)?.identity().cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_delegate_decided_serves_its_own_loads_and_what_the_storage_says_all() {
        for (mine, was_shown, is_stored, would_ask, expected) in [
            (None, false, true, false, true),
            (None, false, true, true, false),
            (None, false, false, false, false),
            (None, true, true, false, true),
            (None, true, true, true, true),
            (None, true, false, false, false),
            (Some(true), true, false, false, true),
            (Some(true), false, false, false, true),
            (Some(false), true, false, false, false),
            (Some(false), true, true, false, false),
            (Some(false), false, true, false, false),
        ] {
            let sharing = Sharing { mine, was_shown, is_stored, would_ask };
            assert_eq!(may_share(&sharing), expected, "{sharing:?}");
        }
    }
}
