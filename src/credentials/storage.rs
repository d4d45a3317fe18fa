//! [`CredentialStorage`]: credentials by protection space, in memory.

use std::fmt;
use std::sync::{Arc, OnceLock, Weak};

use super::{Credential, Persistence, ProtectionSpace};
use crate::foreign::{Foreign, caught};
use crate::sync::{Mutex, Rank};

/// Credentials by protection space, in memory.
///
/// A clone is the same storage. What loads may do with it: propose the default credential
/// of a space to whoever answers a challenge, and store a credential that was accepted.
///
/// # Examples
///
/// ```
/// use urlsession::{AuthenticationMethod, Credential, CredentialStorage, ProtectionSpace};
///
/// let space = ProtectionSpace::new("shop.test", 443, "https", AuthenticationMethod::Basic)
///     .with_realm("orders");
/// let storage = CredentialStorage::new();
/// storage.set(&Credential::new("ann", "open sesame"), &space);
/// assert_eq!(storage.default_credential(&space).unwrap().user(), Some("ann"));
/// ```
///
/// # Differences from Foundation
///
/// * Nothing is permanent in this version, and nothing is shared between programs.
/// * There are no forms with a task and a completion: no call here waits for anything.
#[doc(alias = "URLCredentialStorage")]
#[doc(alias = "NSURLCredentialStorage")]
#[derive(Clone)]
pub struct CredentialStorage(Arc<Shared>);

struct Shared {
    /// Held for a look-up or a change, never while observers run.
    state: Mutex<Contents>,
}

#[derive(Default)]
struct Contents {
    /// They are few: looked through one by one.
    spaces: Vec<(ProtectionSpace, Users)>,
    observers: Vec<(u64, Observer)>,
    /// The number of the next observer.
    next: u64,
}

type Observer = Foreign<Arc<dyn Fn() + Send + Sync>>;

/// The credentials of one space, one a user.
#[derive(Default)]
struct Users {
    all: Vec<Credential>,
    /// The first one is the default.
    has_default: bool,
}

impl Contents {
    fn users(&self, space: &ProtectionSpace) -> Option<&Users> {
        self.spaces.iter().find(|(known, _)| known == space).map(|(_, users)| users)
    }
}

impl CredentialStorage {
    /// Makes an empty storage.
    pub fn new() -> Self {
        let state = Mutex::new(Rank::Credentials, Contents::default());
        Self(Arc::new(Shared { state }))
    }

    /// Returns the storage that the program's sessions share by default.
    #[doc(alias = "sharedCredentialStorage")]
    pub fn shared() -> Self {
        static SHARED: OnceLock<CredentialStorage> = OnceLock::new();
        SHARED.get_or_init(Self::new).clone()
    }

    /// Whether it is the one that sessions share.
    #[cfg(feature = "background")]
    pub(crate) fn is_shared(&self) -> bool {
        Arc::ptr_eq(&self.0, &Self::shared().0)
    }

    /// Returns the credentials of a space, the default one first, one for each user.
    #[doc(alias = "credentialsForProtectionSpace:")]
    pub fn credentials(&self, space: &ProtectionSpace) -> Vec<Credential> {
        self.0.state.lock().users(space).map(|users| users.all.clone()).unwrap_or_default()
    }

    /// Returns every space with its credentials, in no order.
    pub fn all_credentials(&self) -> Vec<(ProtectionSpace, Vec<Credential>)> {
        let state = self.0.state.lock();
        state.spaces.iter().map(|(space, users)| (space.clone(), users.all.clone())).collect()
    }

    /// Returns the credential to try first in a space; `None` if there is none there, and
    /// after the default one was [removed](Self::remove).
    #[doc(alias = "defaultCredentialForProtectionSpace:")]
    pub fn default_credential(&self, space: &ProtectionSpace) -> Option<Credential> {
        let state = self.0.state.lock();
        let users = state.users(space).filter(|users| users.has_default)?;
        users.all.first().cloned()
    }

    /// Stores a credential in place of the same user's earlier one. The first one of an empty
    /// space is its default.
    ///
    /// A credential with [`Persistence::None`] is not stored.
    #[doc(alias = "setCredential:forProtectionSpace:")]
    pub fn set(&self, credential: &Credential, space: &ProtectionSpace) {
        self.put(credential, space, false);
    }

    /// Stores a credential as [`set`](Self::set) does, as the default one of the space.
    #[doc(alias = "setDefaultCredential:forProtectionSpace:")]
    pub fn set_default(&self, credential: &Credential, space: &ProtectionSpace) {
        self.put(credential, space, true);
    }

    fn put(&self, credential: &Credential, space: &ProtectionSpace, first: bool) {
        if credential.persistence() == Persistence::None {
            return;
        }
        self.change(|spaces| {
            let at = spaces.iter().position(|(known, _)| known == space).unwrap_or_else(|| {
                spaces.push((space.clone(), Users::default()));
                spaces.len() - 1
            });
            let Users { all: users, has_default } = &mut spaces[at].1;
            let is_default = first || *has_default || users.is_empty();
            let before = users.iter().position(|known| known.is_of_same_user(credential));
            let at = if first { 0 } else { before.unwrap_or(users.len()) };
            if before == Some(at) && users[at] == *credential && *has_default == is_default {
                return false;
            }
            *has_default = is_default;
            if let Some(before) = before {
                users.remove(before);
            }
            users.insert(at, credential.clone());
            true
        });
    }

    /// Removes the user's credential from a space; returns whether there was one. If it was
    /// the default, the space has none from then on, until one is
    /// [set](Self::set_default): no other user's password is sent in its place.
    #[doc(alias = "removeCredential:forProtectionSpace:")]
    pub fn remove(&self, credential: &Credential, space: &ProtectionSpace) -> bool {
        self.change(|spaces| {
            let Some(of_space) = spaces.iter().position(|(known, _)| known == space) else {
                return false;
            };
            let users = &mut spaces[of_space].1;
            let Some(at) = users.all.iter().position(|known| known.is_of_same_user(credential))
            else {
                return false;
            };
            users.all.remove(at);
            users.has_default &= at > 0;
            if users.all.is_empty() {
                spaces.remove(of_space);
            }
            true
        })
    }

    /// Removes every credential.
    pub fn remove_all(&self) {
        self.change(|spaces| !std::mem::take(spaces).is_empty());
    }

    /// Calls `observer` after every change, until what is returned is dropped.
    ///
    /// Called on the thread that made the change, with no lock held, so it may use the
    /// storage; a change that it makes calls it again. A panic in it is caught and logged.
    #[doc(alias = "NSURLCredentialStorageChangedNotification")]
    pub fn on_change(&self, observer: impl Fn() + Send + Sync + 'static) -> CredentialObserver {
        let mut state = self.0.state.lock();
        let number = state.next;
        state.next += 1;
        state.observers.push((number, Foreign::new(Arc::new(observer))));
        CredentialObserver { storage: Arc::downgrade(&self.0), number }
    }

    /// Makes a change, and tells the observers if it says that it was one.
    fn change(&self, make: impl FnOnce(&mut Vec<(ProtectionSpace, Users)>) -> bool) -> bool {
        let observers: Vec<Observer> = {
            let mut state = self.0.state.lock();
            if !make(&mut state.spaces) {
                return false;
            }
            state.observers.iter().map(|(_, observer)| observer.clone()).collect()
        }; // Unlocked here: observers may call back into this storage.
        for observer in observers {
            // It was logged.
            let _ = caught("an observer of a credential storage", &**observer);
        }
        true
    }
}

impl Default for CredentialStorage {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for CredentialStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let spaces = self.0.state.lock().spaces.len();
        f.debug_struct("CredentialStorage").field("spaces", &spaces).finish_non_exhaustive()
    }
}

/// An observer of a [`CredentialStorage`], which ends when this is dropped.
///
/// A call that another thread has begun by then still comes to its end.
#[must_use = "dropping it ends the observer"]
pub struct CredentialObserver {
    storage: Weak<Shared>,
    number: u64,
}

impl Drop for CredentialObserver {
    fn drop(&mut self) {
        let Some(shared) = self.storage.upgrade() else { return };
        let removed = {
            let mut state = shared.state.lock();
            let at = state.observers.iter().position(|(number, _)| *number == self.number);
            at.map(|at| state.observers.remove(at))
        }; // Unlocked here: what the closure owns may use the storage when it is dropped.
        drop(removed);
    }
}

impl fmt::Debug for CredentialObserver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CredentialObserver").field(&self.number).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::super::AuthenticationMethod;
    use super::*;

    fn space(realm: &str) -> ProtectionSpace {
        ProtectionSpace::new("a", 80, "http", AuthenticationMethod::Basic).with_realm(realm)
    }

    fn ann() -> Credential {
        Credential::new("ann", "1")
    }

    fn bob() -> Credential {
        Credential::new("bob", "2")
    }

    fn users(storage: &CredentialStorage) -> Vec<String> {
        let all = storage.credentials(&space("r"));
        all.iter()
            .map(|one| format!("{}:{}", one.user().unwrap(), one.password().unwrap()))
            .collect()
    }

    #[test]
    fn the_first_credential_of_a_space_is_its_default_until_another_is_set() {
        let storage = CredentialStorage::new();
        assert_eq!(storage.default_credential(&space("r")), None);
        storage.set(&ann(), &space("r"));
        storage.set(&bob(), &space("r"));
        assert_eq!(users(&storage), ["ann:1", "bob:2"]);
        storage.set_default(&bob(), &space("r"));
        assert_eq!(users(&storage), ["bob:2", "ann:1"]);
        storage.set(&Credential::new("ann", "3"), &space("r"));
        assert_eq!(users(&storage), ["bob:2", "ann:3"]);
        assert!(storage.remove(&bob(), &space("r")));
        assert!(!storage.remove(&bob(), &space("r")));
        assert_eq!(storage.default_credential(&space("s")), None);
    }

    #[test]
    fn a_default_that_is_removed_makes_no_other_user_the_default() {
        let storage = CredentialStorage::new();
        let default = || storage.default_credential(&space("r"));
        storage.set(&ann(), &space("r"));
        storage.set(&bob(), &space("r"));
        assert!(storage.remove(&ann(), &space("r")));
        assert_eq!((default(), users(&storage)), (None, vec!["bob:2".to_owned()]));
        // Neither does what is stored without saying so.
        storage.set(&bob(), &space("r"));
        storage.set(&Credential::new("eve", "5"), &space("r"));
        storage.set(&ann(), &space("r"));
        assert_eq!(default(), None);
        storage.set_default(&bob(), &space("r"));
        assert_eq!(default(), Some(bob()));
        assert!(storage.remove(&ann(), &space("r")));
        assert_eq!(default(), Some(bob()), "another one than the default was removed");
        // One that was there already becomes the default.
        assert!(storage.remove(&bob(), &space("r")));
        storage.set_default(&Credential::new("eve", "5"), &space("r"));
        assert_eq!(default(), Some(Credential::new("eve", "5")));
        // An empty space begins anew.
        assert!(storage.remove(&Credential::new("eve", ""), &space("r")));
        storage.set(&ann(), &space("r"));
        assert_eq!(default(), Some(ann()));
    }

    #[test]
    fn credentials_for_once_are_not_stored() {
        let storage = CredentialStorage::new();
        storage.set(&ann().with_persistence(Persistence::None).unwrap(), &space("r"));
        storage.set(&Credential::from_token("YII="), &space("r"));
        assert!(storage.all_credentials().is_empty());
    }

    #[test]
    fn all_credentials_are_listed_by_space_and_removed_at_once() {
        let storage = CredentialStorage::new();
        storage.set(&ann(), &space("r"));
        storage.set(&bob(), &space("s"));
        let mut all = storage.all_credentials();
        all.sort_by_key(|(space, _)| space.realm().map(str::to_owned));
        assert_eq!(all, [(space("r"), vec![ann()]), (space("s"), vec![bob()])]);
        storage.remove_all();
        assert!(storage.all_credentials().is_empty());
    }

    #[test]
    fn observers_hear_of_changes_and_of_nothing_else() {
        let storage = CredentialStorage::new();
        let heard = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&heard);
        let observer = storage.on_change(move || {
            count.fetch_add(1, Ordering::SeqCst);
        });
        let expect = |times, what: &str| assert_eq!(heard.load(Ordering::SeqCst), times, "{what}");
        storage.set(&ann(), &space("r"));
        expect(1, "a new credential");
        storage.set(&ann(), &space("r"));
        storage.set_default(&ann(), &space("r"));
        assert!(!storage.remove(&bob(), &space("r")));
        expect(1, "nothing new");
        storage.set(&bob(), &space("r"));
        storage.set_default(&bob(), &space("r"));
        expect(3, "another default");
        storage.remove_all();
        storage.remove_all();
        expect(4, "emptied once");
        drop(observer);
        storage.set(&ann(), &space("r"));
        expect(4, "no longer asked");
    }

    #[test]
    fn an_observer_may_use_the_storage_and_panic() {
        let storage = CredentialStorage::new();
        let (inside, seen) = (storage.clone(), Arc::new(AtomicUsize::new(0)));
        let count = Arc::clone(&seen);
        let _observers = [
            storage.on_change(|| panic!("an observer's own")),
            storage.on_change(move || {
                count.store(inside.all_credentials().len(), Ordering::SeqCst);
                drop(inside.on_change(|| ()));
            }),
        ];
        storage.set(&ann(), &space("r"));
        assert_eq!(seen.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn shared_is_one_storage() {
        CredentialStorage::shared().set(&ann(), &space("shared"));
        assert_eq!(CredentialStorage::shared().default_credential(&space("shared")), Some(ann()));
    }
}
