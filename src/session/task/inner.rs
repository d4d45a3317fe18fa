//! What a task is: what never changes, and the state that handles and threads share.
//!
//! Whoever changes the state holds its lock and acts afterwards: frees a place, wakes a
//! thread, calls the program.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use url::Position;

use super::attempts::Attempts;
use super::dispatch::Dispatch;
use super::life::{Life, Resumed, TaskState};
use super::product::{Kind, Sends};
use super::progress::Counters;
use super::reports::Reports;
use super::schedule::Schedule;
use super::seams::{Listener, Recipients};
use super::seen::Seen;
use crate::cancel::{CancelToken, Registered, Wake};
use crate::error::{Error, ErrorKind};
use crate::request::Request;
use crate::session::handle::Shared;
use crate::sync::{Condvar, Mutex, MutexGuard, Rank};
use crate::wire::{Deadline, Timer};

/// The priority that tasks are created with.
pub(super) const PRIORITY: f32 = 0.5;

/// One task.
pub(crate) struct Core {
    pub(crate) id: u64,
    pub(crate) shared: Arc<Shared>,
    /// As it was given.
    pub(crate) request: Request,
    /// The delegate is asked for the body.
    pub(crate) streams: bool,
    pub(crate) counters: Counters,
    pub(crate) flags: Flags,
    pub(crate) state: Mutex<Record>,
    /// Something happened that the thread which runs the task waits for.
    pub(crate) changed: Condvar,
}

/// What the thread that runs a task looks at all the time. Changed under the state's lock.
#[derive(Debug, Default)]
pub(crate) struct Flags {
    /// It has to look at the state before it goes on.
    look: AtomicBool,
    /// The task was suspended at least once since it began, or has left its thread for
    /// another reason.
    has_paused: AtomicBool,
    /// Somebody is told while the transfer goes on.
    tells: AtomicBool,
}

/// What changes about a task.
pub(crate) struct Record {
    pub(crate) life: Life,
    pub(crate) dispatch: Dispatch,
    pub(crate) attempts: Attempts,
    pub(crate) priority: f32,
    /// Boxed: few tasks have one.
    pub(crate) schedule: Option<Box<Schedule>>,
    pub(crate) kind: Kind,
    pub(crate) recipients: Recipients,
    pub(crate) seen: Seen,
    /// Has the request's own cancel token cancel the task.
    pub(crate) link: Option<Registered>,
}

/// A task's state, locked.
pub(crate) type Locked<'a> = MutexGuard<'a, Record>;

impl Flags {
    pub(crate) fn look(&self) {
        self.look.store(true, Ordering::SeqCst);
    }

    pub(crate) fn has_looked(&self) {
        self.look.store(false, Ordering::SeqCst);
    }

    pub(crate) fn must_look(&self) -> bool {
        self.look.load(Ordering::Acquire)
    }

    pub(crate) fn pauses(&self) {
        self.has_paused.store(true, Ordering::SeqCst);
    }

    pub(crate) fn has_paused(&self) -> bool {
        self.has_paused.load(Ordering::Relaxed)
    }

    pub(crate) fn tells(&self) -> bool {
        self.tells.load(Ordering::Acquire)
    }
}

impl Core {
    /// Makes a task that is suspended.
    // Inlined, as moving a request once more costs 80 instructions.
    #[inline(always)]
    pub(crate) fn new(
        shared: &Arc<Shared>,
        request: Request,
        kind: Kind,
        reports: Reports,
    ) -> Arc<Self> {
        Arc::new(Self {
            id: shared.next_id(),
            shared: Arc::clone(shared),
            request,
            streams: matches!(kind, Kind::Upload(Sends::Stream)),
            counters: Counters::default(),
            flags: Flags::default(),
            state: Mutex::new(
                Rank::Task,
                Record {
                    life: Life::default(),
                    dispatch: Dispatch::default(),
                    attempts: Attempts::default(),
                    priority: PRIORITY,
                    schedule: None,
                    kind,
                    recipients: Recipients::new(reports),
                    seen: Seen::default(),
                    link: None,
                },
            ),
            changed: Condvar::new(),
        })
    }

    /// Makes a task again that an earlier run of the program has made.
    #[cfg(feature = "background")]
    pub(crate) fn restored(
        shared: &Arc<Shared>,
        id: u64,
        request: Request,
        kind: Kind,
    ) -> Arc<Self> {
        let mut core = Self::new(shared, request, kind, Reports::Delegates);
        if let Some(core) = Arc::get_mut(&mut core) {
            core.id = id;
        }
        core
    }

    // ---- its life ----

    /// Counts one suspension less; at none the task runs.
    pub(super) fn resume(self: &Arc<Self>) {
        let mut state = self.state.lock();
        // Whoever runs such a task begins it, too.
        if !state.life.has_begun() && state.recipients.is_caller() {
            return;
        }
        match state.life.resume(|| self.shared.now()) {
            None => {}
            Some(Resumed::First) => self.shared.scheduler().begin(self, state),
            Some(Resumed::Again) => {
                self.shared.count_suspended(-1);
                self.shared.scheduler().resume(self, state);
            }
        }
    }

    /// Counts one suspension more; the first stops the transfer and its timers.
    pub(super) fn suspend(self: &Arc<Self>) {
        let mut state = self.state.lock();
        if !state.life.suspend(|| self.shared.now()) {
            return;
        }
        if state.life.has_begun() {
            self.shared.count_suspended(1);
        }
        state.attempts.suspended();
        self.flags.pauses();
        self.flags.look();
        self.shared.scheduler().suspend(self, state);
    }

    /// Ends the task.
    pub(crate) fn cancel(self: &Arc<Self>) {
        self.end_with(None);
    }

    /// Cancels the task if nobody is left to resume it.
    pub(crate) fn cancel_if_suspended(self: &Arc<Self>) {
        if self.state.lock().life.state() == TaskState::Suspended {
            self.cancel();
        }
    }

    /// Ends the task because of `error`: code of the program has panicked, or its time is
    /// over.
    pub(crate) fn fail(self: &Arc<Self>, error: Error) {
        self.end_with(Some(error));
    }

    fn end_with(self: &Arc<Self>, failure: Option<Error>) {
        let mut state = self.state.lock();
        let Some(cancelled) = state.life.cancel(failure, || self.shared.now()) else { return };
        if cancelled.ends_pause {
            self.shared.count_suspended(-1);
        }
        self.flags.look();
        self.shared.scheduler().cancel(self, state, cancelled.is_first);
    }

    /// Makes the task completed, with `error` if there is one.
    pub(crate) fn complete(&self, state: &mut Record, error: Option<&Error>) {
        let is_late = error.is_some_and(|error| error.kind() == ErrorKind::TimedOut);
        let ended = state.life.complete(is_late, || self.shared.now());
        let Some(ends_pause) = ended else { return };
        if ends_pause {
            self.shared.count_suspended(-1);
        }
        state.seen.failed(error);
    }

    /// Completes a task that nobody runs, before anybody has it.
    pub(in crate::session) fn refuse(self: &Arc<Self>, error: &Error) {
        let mut state = self.state.lock();
        let error = self.on_url(&state, error.clone());
        state.life.begin(None);
        self.complete(&mut state, Some(&error));
    }

    /// Begins it, at the time that is returned; it ends when its own request's token is cancelled.
    pub(crate) fn begin(self: &Arc<Self>, state: &mut Record) -> Instant {
        let now = self.shared.now();
        // A deadline that the clock cannot hold is none.
        state.life.begin(now.checked_add(self.timeout_for_resource()));
        state.link = self.request.cancel().map(|token| self.linked_to(token));
        now
    }

    /// Looks at the request's token after the task is linked to it: it may have been
    /// cancelled before.
    pub(crate) fn obey_token(self: &Arc<Self>) {
        if self.request.cancel().is_some_and(CancelToken::is_cancelled) {
            self.cancel();
        }
    }

    /// Has a cancel of `token` cancel the task.
    pub(crate) fn linked_to(self: &Arc<Self>, token: &CancelToken) -> Registered {
        token.on_cancel(Arc::new(Link(Arc::downgrade(self))))
    }

    // ---- what it has come to ----

    /// Whether it was stopped, so that nothing is asked or told of it any more but its end.
    pub(crate) fn is_cut_short(&self) -> bool {
        self.state.lock().life.is_cut_short()
    }

    /// Returns why the task ends early, if it does.
    pub(crate) fn why_cancelled(&self, state: &Record) -> Error {
        let error = state.life.failure().cloned().unwrap_or_else(Error::cancelled);
        self.on_url(state, error)
    }

    /// Returns what a task that was cancelled or has failed ends with, if it is that far.
    pub(crate) fn why_over(&self, state: &Record) -> Option<Error> {
        match state.life.state() {
            TaskState::Canceling => Some(self.why_cancelled(state)),
            TaskState::Completed => state.seen.error().cloned(),
            TaskState::Running | TaskState::Suspended => None,
        }
    }

    /// Fails if the attempt was ended, the task leaves its thread, or it is not done in time;
    /// else returns the time.
    pub(crate) fn look_around(&self, attempt: Option<&CancelToken>) -> Result<Instant, Error> {
        let now = self.shared.now();
        let mut state = self.state.lock();
        if attempt.is_some_and(CancelToken::is_cancelled) {
            return Err(self.why_cancelled(&state));
        }
        if state.attempts.leaves() {
            return Err(Error::cancelled());
        }
        if state.life.is_late(now) {
            return Err(self.overdue(&state));
        }
        Ok(now)
    }

    fn timeout_for_resource(&self) -> Duration {
        self.request.timeout_for_resource_or(self.shared.configuration.timeout_for_resource)
    }

    /// Returns when all of it must be over.
    pub(crate) fn deadline(&self, state: &Record) -> Option<Deadline> {
        let at = state.life.deadline()?;
        Some(Deadline { at, timer: Timer::Resource, length: self.timeout_for_resource() })
    }

    /// The error of a task that was not done in time.
    #[cold]
    pub(crate) fn overdue(&self, state: &Record) -> Error {
        let error = self.deadline(state).map_or_else(Error::cancelled, Deadline::passed);
        self.on_url(state, error)
    }

    /// Returns how long to wait at most before its deadline has to be looked at again.
    pub(crate) fn slice(&self, now: Instant) -> Duration {
        let due = self.state.lock().life.due(now);
        self.shared.slice(due, now)
    }

    /// Adds the URL that the task has come to.
    pub(crate) fn on_url(&self, state: &Record, error: Error) -> Error {
        self.current(state).url().into_iter().fold(error, Error::on)
    }

    /// Returns the request that redirects have led to.
    pub(crate) fn current<'a>(&'a self, state: &'a Record) -> &'a Request {
        state.seen.current().unwrap_or(&self.request)
    }

    /// Returns what stands for the host in the waiting line: scheme, host and port.
    pub(crate) fn host<'a>(&'a self, state: &'a Record) -> &'a str {
        self.current(state).url().map_or("", |url| &url[..Position::BeforePath])
    }

    pub(crate) fn kind(&self) -> Kind {
        self.state.lock().kind.clone()
    }

    /// Whether the body goes to a file.
    pub(crate) fn is_download(&self) -> bool {
        matches!(self.state.lock().kind, Kind::Download(_))
    }

    /// Whether the task has a body to send.
    pub(crate) fn sends(&self) -> bool {
        self.request.body_to_send().is_some() || self.streams
    }

    /// Counts what was received, and stops here while the task has to wait.
    pub(crate) fn took(self: &Arc<Self>, count: usize) -> Result<(), Error> {
        self.counters.received(count as u64);
        self.rest()
    }

    /// Does the same as [`go_on`](Self::go_on), where the transfer can be left: an error may
    /// say that it has left its thread.
    pub(crate) fn rest(self: &Arc<Self>) -> Result<(), Error> {
        if self.flags.must_look() { self.shared.scheduler().rest(self) } else { Ok(()) }
    }

    /// Stops here, on the thread that runs the task, as long as it has to wait.
    pub(crate) fn go_on(self: &Arc<Self>) -> Result<(), Error> {
        if self.flags.must_look() { self.shared.scheduler().go_on(self) } else { Ok(()) }
    }

    // ---- who listens ----

    /// Has `listener` told while the transfer goes on.
    pub(crate) fn listen(&self, state: &mut Record, listener: Arc<dyn Listener>) {
        state.recipients.listen(listener);
        self.flags.tells.store(true, Ordering::Release);
    }

    /// Returns who is told while the transfer goes on.
    pub(crate) fn listener(&self) -> Option<Arc<dyn Listener>> {
        if self.flags.tells() { self.state.lock().recipients.listener() } else { None }
    }
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state.lock().life.state();
        f.debug_struct("Task")
            .field("id", &self.id)
            .field("request", &self.request)
            .field("state", &state)
            .finish_non_exhaustive()
    }
}

/// Cancels a task when the request's token is cancelled.
struct Link(Weak<Core>);

impl Wake for Link {
    fn wake(&self) {
        if let Some(core) = self.0.upgrade() {
            core.cancel();
        }
    }
}
