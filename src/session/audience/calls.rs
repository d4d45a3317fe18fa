//! Calls of the program that belong to no task.

use std::sync::Arc;

use crate::delivery::caught;
use crate::session::handle::{Session, Shared};
use crate::session::inside::Inside;

/// Has `code` of the program called, after what was sent before.
pub(in crate::session) fn call(
    shared: &Arc<Shared>,
    what: &'static str,
    code: impl FnOnce() + Send + 'static,
) {
    let call = Call::begin(shared);
    shared.calls.send(move || {
        let _inside = Inside::enter(&call.0);
        caught(what, code);
    });
}

/// Tells the delegate of a session that it has become invalid, and lets go of it.
pub(in crate::session) fn tell_invalid(shared: &Arc<Shared>) {
    let Some(delegate) = shared.take_delegate() else { return };
    let call = Call::begin(shared);
    shared.calls.send(move || {
        let session = Session::of(&call.0);
        let _inside = Inside::enter(&call.0);
        caught("did_become_invalid", || delegate.did_become_invalid(&session, None));
        caught("a delegate that is dropped", || drop(delegate));
    });
}

/// A call that belongs to no task, until it was made or forgotten.
struct Call(Arc<Shared>);

impl Call {
    fn begin(shared: &Arc<Shared>) -> Self {
        shared.scheduler().begin_call();
        Self(Arc::clone(shared))
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.0.scheduler().end_call();
    }
}
