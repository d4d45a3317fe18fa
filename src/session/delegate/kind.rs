//! Which types of delegates have nothing to say about challenges.
//!
//! A task's own delegate has a say about a server also where a connection that others trust is
//! there already. To ask it takes a turn in its queue, which most delegates are not worth: they
//! are there for data and progress. Whether a type has the method shows when it is asked for
//! the first time: then what runs is the trait's own, which says so.

use std::any::{self, TypeId};
use std::cell::Cell;

use crate::sync::{Mutex, Rank};

/// The type of a delegate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DelegateKind {
    id: TypeId,
    name: &'static str,
}

impl DelegateKind {
    pub(super) fn of<T: ?Sized + 'static>() -> Self {
        Self { id: TypeId::of::<T>(), name: any::type_name::<T>() }
    }
}

/// Types of which it has shown that they do not have the method.
static SILENT: Mutex<Vec<TypeId>> = Mutex::new(Rank::Silent, Vec::new());

thread_local! {
    /// The type whose method, being the trait's, has run last on this thread.
    static RAN: Cell<Option<&'static str>> = const { Cell::new(None) };
}

/// Notes that the trait's method runs for a type. It may be one that another delegate, with a
/// method of its own, asks in its turn.
pub(super) fn trait_method_runs_for<T: ?Sized>() {
    RAN.set(Some(any::type_name::<T>()));
}

impl DelegateKind {
    /// Asks a delegate of this type, and learns whether it has the method.
    pub(crate) fn learning(self, ask: impl FnOnce()) {
        RAN.set(None);
        ask();
        if RAN.take() == Some(self.name) && !self.is_silent() {
            SILENT.lock().push(self.id);
        }
    }

    /// Whether it is known not to have the method.
    pub(crate) fn is_silent(self) -> bool {
        SILENT.lock().contains(&self.id)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::session::delegate::Delegate;

    struct Silent;
    impl Delegate for Silent {}

    struct Other;
    impl Delegate for Other {}

    #[test]
    fn a_type_is_silent_if_the_traits_method_has_run_for_it() {
        let kind = |delegate: Arc<dyn Delegate>| delegate.kind();
        let (silent, other) = (kind(Arc::new(Silent)), kind(Arc::new(Other)));
        assert_ne!(silent, other);
        // One that asks another in its turn has a method of its own.
        other.learning(trait_method_runs_for::<Silent>);
        other.learning(|| {});
        assert!(!other.is_silent() && !silent.is_silent());
        for _ in 0..2 {
            silent.learning(trait_method_runs_for::<Silent>);
            assert!(silent.is_silent() && !other.is_silent());
        }
        assert_eq!(SILENT.lock().iter().filter(|id| **id == silent.id).count(), 1);
    }
}
