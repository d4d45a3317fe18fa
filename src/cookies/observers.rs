//! Who is told when a storage changes.

use std::fmt;
use std::sync::{Arc, Weak};

use crate::foreign::{Foreign, caught};
use crate::sync::{Mutex, Rank};

type Observer = Foreign<Arc<dyn Fn() + Send + Sync>>;

/// Those who are told.
pub(super) struct Observers {
    /// Held for a look, never while one of them runs.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    all: Vec<(u64, Observer)>,
    /// The number of the next one.
    next: u64,
}

impl Observers {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { state: Mutex::new(Rank::CookieObservers, State::default()) })
    }

    pub(super) fn add(
        self: &Arc<Self>,
        observer: impl Fn() + Send + Sync + 'static,
    ) -> CookieObserver {
        let observer = Foreign::new(Arc::new(observer) as Arc<dyn Fn() + Send + Sync>);
        let mut state = self.state.lock();
        let number = state.next;
        state.next += 1;
        state.all.push((number, observer));
        CookieObserver { observers: Arc::downgrade(self), number }
    }

    /// Tells all of them; called with no lock held.
    pub(super) fn tell(&self) {
        let all: Vec<Observer> =
            self.state.lock().all.iter().map(|(_, observer)| observer.clone()).collect();
        for observer in all {
            // It was logged.
            let _ = caught("an observer of a cookie storage", &**observer);
        }
    }
}

/// An observer of a [`CookieStorage`](super::CookieStorage), which ends when this is dropped.
///
/// A call that another thread has begun by then still comes to its end.
#[must_use = "dropping it ends the observer"]
pub struct CookieObserver {
    observers: Weak<Observers>,
    number: u64,
}

impl Drop for CookieObserver {
    fn drop(&mut self) {
        let Some(observers) = self.observers.upgrade() else { return };
        let removed = {
            let mut state = observers.state.lock();
            let at = state.all.iter().position(|(number, _)| *number == self.number);
            at.map(|at| state.all.remove(at))
        }; // Unlocked here: what the closure owns may use the storage when it is dropped.
        drop(removed);
    }
}

impl fmt::Debug for CookieObserver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CookieObserver").field(&self.number).finish()
    }
}
