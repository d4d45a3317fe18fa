//! Which sessions this thread is inside of: it runs their tasks, or code of the program
//! that they call.
//!
//! A blocking call that such code makes must not wait for a place that only the end of
//! that code would free.

use std::cell::RefCell;
use std::sync::Arc;

use super::handle::Shared;

thread_local! {
    /// The addresses of the sessions, the innermost last.
    static INSIDE: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

/// Is inside a session until it is dropped.
#[derive(Debug)]
pub(crate) struct Inside(());

impl Inside {
    pub(crate) fn enter(shared: &Arc<Shared>) -> Self {
        let address = address(shared);
        // A thread that ends has nothing left to note.
        let _ = INSIDE.try_with(|inside| inside.borrow_mut().push(address));
        Self(())
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        let _ = INSIDE.try_with(|inside| inside.borrow_mut().pop());
    }
}

/// Returns whether this thread is inside the session.
pub(crate) fn is_inside(shared: &Arc<Shared>) -> bool {
    let address = address(shared);
    INSIDE.try_with(|inside| inside.borrow().contains(&address)).unwrap_or(false)
}

fn address(shared: &Arc<Shared>) -> usize {
    Arc::as_ptr(shared).addr()
}
