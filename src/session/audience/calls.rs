//! Calls of the program: where they are made, always caught and with no lock held, and that
//! none is made for a task that was cancelled.

use std::sync::Arc;

use crate::delivery::Mailbox;
use crate::error::{Error, ErrorKind};
use crate::foreign::{Foreign, caught};
use crate::session::delegate::{Delegate, HeldDelegate};
use crate::session::handle::{Session, Shared};
use crate::session::inside::{self, Inside};
use crate::session::task::{Core, Task, voice};

/// Where the calls of a task are made.
#[derive(Clone, Debug)]
pub(super) enum Calls {
    /// On the session's queue.
    Posted(Mailbox),
    /// On the thread that runs the task.
    Here,
}

impl Calls {
    pub(super) fn of(core: &Core) -> Self {
        let recipients = &mut core.state.lock().recipients;
        if recipients.is_caller() {
            return Self::Here;
        }
        Self::Posted(recipients.mailbox(&core.shared.queue).clone())
    }

    /// Has the program called, after what it was called for before; `next` is whom its
    /// delegate forwards to. If it panics, the task fails.
    ///
    /// Nothing is asked or told of a task that was cancelled before its turn comes.
    pub(super) fn make(
        &self,
        core: &Arc<Core>,
        next: Option<HeldDelegate>,
        call: impl FnOnce(&Task) + Send + 'static,
    ) {
        let called = Arc::clone(core);
        let call = move || {
            if !called.is_cut_short() {
                call_now(&called, next, call);
            }
        };
        match self {
            Self::Posted(mailbox) => mailbox.send(call),
            Self::Here => {
                let _in_place = InPlace::enter(core);
                call();
            }
        }
    }
}

/// Calls the program now; `next` is whom its delegate forwards to. If it panics, the task
/// fails.
pub(super) fn call_now(core: &Arc<Core>, next: Option<HeldDelegate>, call: impl FnOnce(&Task)) {
    // The task has failed then.
    let _ = try_call(core, next, call);
}

/// The same; fails if it panics.
pub(super) fn try_call(
    core: &Arc<Core>,
    next: Option<HeldDelegate>,
    call: impl FnOnce(&Task),
) -> Result<(), Error> {
    let mut call = Some(call);
    call_guarded(core, next, &mut |task| {
        if let Some(call) = call.take() {
            call(task);
        }
    })
}

/// The same, once for all the kinds of calls.
fn call_guarded(
    core: &Arc<Core>,
    next: Option<HeldDelegate>,
    call: &mut dyn FnMut(&Task),
) -> Result<(), Error> {
    let _in_place = inside::is_run_here(core).then(|| InPlace::enter(core));
    let _inside = Inside::enter(&core.shared);
    let task = Task::forwarding(core, next);
    caught("a delegate method", || call(&task)).map_err(|_| {
        let error = panicked("a delegate method");
        core.fail(error.clone());
        error
    })
}

/// Calls the program on the thread of a caller, which runs the task; fails if it panics.
pub(super) fn call_here(core: &Arc<Core>, call: impl FnOnce(&Task)) -> Result<(), Error> {
    let _in_place = InPlace::enter(core);
    try_call(core, None, call)
}

/// A call of the program by the thread that runs the task.
struct InPlace<'a>(&'a Arc<Core>);

impl<'a> InPlace<'a> {
    fn enter(core: &'a Arc<Core>) -> Self {
        core.shared.scheduler().begin_in_place(core);
        Self(core)
    }
}

impl Drop for InPlace<'_> {
    fn drop(&mut self) {
        self.0.shared.scheduler().end_in_place(self.0);
    }
}

/// Runs what may call the program in ways that nobody else guards: readers of bodies that
/// are dropped, its logger.
pub(in crate::session) fn guarded<T>(
    transfer: impl FnOnce() -> Result<T, Error>,
) -> Result<T, Error> {
    caught("code called by a transfer", transfer)
        .unwrap_or_else(|_| Err(panicked("code called by the transfer")))
}

/// The error of a task whose program has panicked.
pub(super) fn panicked(what: &str) -> Error {
    Error::new(ErrorKind::DelegatePanicked, format!("{what} panicked"))
}

impl Core {
    /// Tells the session's delegate that the task was made, on the thread that makes it.
    pub(in crate::session) fn created(self: &Arc<Self>, delegate: &dyn Delegate) {
        call_now(self, None, |task| delegate.did_create_task(task));
    }
}

// ---- calls that belong to no task ----

/// Has `code` of the program called, after what was sent before.
pub(in crate::session) fn call(
    shared: &Arc<Shared>,
    what: &'static str,
    code: impl FnOnce() + Send + 'static,
) {
    let (call, code) = (Call::begin(shared), Foreign::new(code));
    shared.calls.send(move || {
        let _inside = Inside::enter(&call.0);
        // It was logged.
        let _ = caught(what, code.into_inner());
    });
}

/// Tells the delegate of a session that it has become invalid, and lets go of it.
pub(crate) fn tell_invalid(shared: &Arc<Shared>) {
    if let Some(voice) = voice() {
        voice.tell_invalid(shared);
    }
}

/// The same, where there is anybody at all.
pub(super) fn tell_delegate_invalid(shared: &Arc<Shared>) {
    let Some(delegate) = shared.take_delegate() else { return };
    let call = Call::begin(shared);
    shared.calls.send(move || {
        let session = Session::of(&call.0);
        let _inside = Inside::enter(&call.0);
        // It was logged.
        let _ = caught("did_become_invalid", || delegate.did_become_invalid(&session, None));
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

/// Has the delegate of a session called, if it has one.
#[cfg(feature = "background")]
pub(crate) fn call_delegate(
    shared: &Arc<Shared>,
    call: impl FnOnce(&dyn Delegate, &Session) + Send + 'static,
) {
    let Some(delegate) = shared.delegate() else { return };
    let held = Call::begin(shared);
    shared.calls.send(move || {
        let session = Session::of(&held.0);
        let _inside = Inside::enter(&held.0);
        // It was logged.
        let _ = caught("a delegate method", || call(&**delegate, &session));
    });
}

#[cfg(feature = "background")]
impl Core {
    /// Tells the first of those whom the task asks, who may forward it to the next; `then` hears
    /// whether it was taken, without a panic. Nothing is told of a task that was cut short, which
    /// counts as taken.
    pub(crate) fn tell_then(
        self: &Arc<Self>,
        call: impl FnOnce(&dyn Delegate, &Task) + Send + 'static,
        then: impl FnOnce(bool) + Send + 'static,
    ) {
        let mut chain = self.chain().into_iter().flatten();
        let (Some(first), next) = (chain.next(), chain.next()) else { return then(true) };
        let core = Arc::clone(self);
        let tell = move || {
            let is_taken =
                core.is_cut_short() || try_call(&core, next, |task| call(&**first, task)).is_ok();
            then(is_taken);
        };
        match Calls::of(self) {
            Calls::Posted(mailbox) => mailbox.send(tell),
            Calls::Here => tell(),
        }
    }
}
