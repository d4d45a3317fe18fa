//! Which sessions this thread is inside of: it runs their tasks, or code of the program
//! that they call.
//!
//! A blocking call that such code makes must not wait for a place that only the end of
//! that code would free.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use super::handle::Shared;

thread_local! {
    /// The addresses of the sessions, the innermost last.
    static INSIDE: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
    /// The address of the task that this thread runs, as a worker.
    static RUNS: Cell<usize> = const { Cell::new(0) };
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

/// Runs a task, as a worker, until it is dropped.
#[derive(Debug)]
pub(crate) struct Running(());

impl Running {
    pub(crate) fn enter<T>(task: &Arc<T>) -> Self {
        RUNS.set(Arc::as_ptr(task).addr());
        Self(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        RUNS.set(0);
    }
}

/// Returns whether this thread is a worker that runs the task.
pub(crate) fn is_run_here<T>(task: &Arc<T>) -> bool {
    RUNS.get() == Arc::as_ptr(task).addr()
}

fn address(shared: &Arc<Shared>) -> usize {
    Arc::as_ptr(shared).addr()
}
