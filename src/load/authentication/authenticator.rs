//! What a session knows about who it is.

use std::fmt;
#[cfg(feature = "netrc")]
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use super::choice::Source;
#[cfg(feature = "netrc")]
use crate::credentials::Netrc;
use crate::credentials::{
    Accepted, Asker, Credential, CredentialStorage, Persistence, Proof, ProtectionSpace, Signer,
};
use crate::sync::{Mutex, Rank};

/// What a session knows about who it is: the program's storage, the user's `.netrc`, and
/// what servers have accepted, which is the session's own.
///
/// Used by any number of loads. Its lock is held for look-ups and signatures.
pub(crate) struct Authenticator {
    storage: Option<CredentialStorage>,
    accepted: Mutex<Accepted>,
    /// Servers have to prove that they know the password, where a scheme has a proof.
    pub(crate) requires_proof: bool,
    /// Whether the list is worth a look; a load that needs no answer does not take the lock.
    has_accepted: AtomicBool,
    /// Once it could be read, and has something in it.
    #[cfg(feature = "netrc")]
    netrc: Option<OnceLock<Netrc>>,
}

impl Authenticator {
    /// Makes one for a session that has this storage. Without one nothing is kept.
    pub(crate) fn new(storage: Option<CredentialStorage>) -> Self {
        Self {
            storage,
            accepted: Mutex::new(Rank::Accepted, Accepted::default()),
            requires_proof: false,
            has_accepted: AtomicBool::new(false),
            #[cfg(feature = "netrc")]
            netrc: None,
        }
    }

    /// Has it look into the user's `.netrc`, which is read when it is needed,
    /// until it has something in it.
    #[cfg(feature = "netrc")]
    pub(crate) fn with_netrc(mut self) -> Self {
        self.netrc = Some(OnceLock::new());
        self
    }

    /// Forgets everything, and empties the storage.
    pub(crate) fn reset(&self) {
        {
            let mut accepted = self.accepted.lock();
            accepted.clear();
            self.has_accepted.store(false, Ordering::Release);
        } // Unlocked here: the storage calls its observers.
        if let Some(storage) = &self.storage {
            storage.remove_all();
        }
    }

    // ---- what was accepted ----

    pub(super) fn has_accepted_something(&self) -> bool {
        self.has_accepted.load(Ordering::Acquire)
    }

    /// Does something short with the answer that may be sent unasked, if there is one.
    pub(super) fn with_accepted<T>(
        &self,
        asker: Asker<'_>,
        act: impl FnOnce(&mut Signer) -> T,
    ) -> Option<T> {
        let mut accepted = self.accepted.lock();
        loop {
            let signer = accepted.find(asker)?;
            if self.is_still_known(signer) {
                return Some(act(signer));
            }
            let (space, credential) = (signer.space().clone(), signer.credential().clone());
            accepted.forget(&space, &credential);
        }
    }

    /// Whether the program has not taken the credential out of the storage since.
    fn is_still_known(&self, signer: &Signer) -> bool {
        let is_stored = signer.credential().persistence() != Persistence::None;
        let stored = || self.storage.as_ref().map(|storage| storage.credentials(signer.space()));
        !is_stored || stored().is_some_and(|stored| stored.contains(signer.credential()))
    }

    /// Keeps an answer that was accepted: for the session's other loads, and in the storage
    /// if a delegate gave it. What is to answer one challenge is not kept.
    pub(super) fn keep(
        &self,
        signer: Signer,
        source: Source,
        asker: Asker<'_>,
        next: Option<(Proof, Box<[u8]>)>,
    ) {
        let Some(storage) = &self.storage else { return };
        let (space, credential) = (signer.space().clone(), signer.credential().clone());
        let is_given = source == Source::Delegate;
        if is_given && credential.persistence() == Persistence::None {
            return;
        }
        // First, as an answer is good for as long as its credential is stored; and without the
        // lock, as the storage calls its observers.
        if is_given {
            storage.set(&credential, &space);
        }
        let mut accepted = self.accepted.lock();
        // What was sent unasked is kept already, and has counted on meanwhile.
        if source != Source::Accepted {
            accepted.keep(signer, asker);
            self.has_accepted.store(true, Ordering::Release);
        }
        if let Some((proof, nonce)) = next {
            accepted.take_nonce(&space, &proof, &nonce);
        }
    }

    /// Has the answer to a challenge count its requests together with other loads that were
    /// given the same nonce.
    pub(super) fn share_count(&self, signer: &mut Signer) {
        if signer.counts() {
            self.accepted.lock().share_count(signer);
        }
    }

    /// Forgets an answer that was turned down, unless there is another one by now.
    pub(super) fn forget(&self, signer: &Signer) {
        self.accepted.lock().forget(signer.space(), signer.credential());
    }

    // ---- what is known ----

    pub(super) fn default_credential(&self, space: &ProtectionSpace) -> Option<Credential> {
        self.storage.as_ref()?.default_credential(space)
    }

    /// Returns what the storage has for this user.
    pub(super) fn credential_of(&self, user: &str, space: &ProtectionSpace) -> Option<Credential> {
        let all = self.storage.as_ref()?.credentials(space);
        all.into_iter().find(|credential| credential.user() == Some(user))
    }

    /// Returns what the user's `.netrc` has for this host, and this user if one is named.
    #[cfg(feature = "netrc")]
    pub(super) fn credential_of_file(&self, host: &str, user: Option<&str>) -> Option<Credential> {
        let kept = self.netrc.as_ref()?;
        if let Some(netrc) = kept.get() {
            return netrc.credential(host, user);
        }
        // What is not there or cannot be read now may be by the next time.
        let read = Netrc::open(&Netrc::path(|name| std::env::var_os(name))?)?;
        if read.is_empty() {
            return None;
        }
        kept.get_or_init(|| read).credential(host, user)
    }

    #[cfg(not(feature = "netrc"))]
    pub(super) fn credential_of_file(&self, _: &str, _: Option<&str>) -> Option<Credential> {
        None
    }
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authenticator").field("storage", &self.storage).finish_non_exhaustive()
    }
}
