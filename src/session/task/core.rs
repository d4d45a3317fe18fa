//! What a task is: what never changes, and the state that handles and threads share.
//!
//! Whoever changes the state holds its lock and acts afterwards: frees a place, wakes a
//! thread, calls the program. The pool's lock may be taken under a task's, never the other
//! way round.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;
use std::{fmt, mem};

use url::Position;

use super::connectivity::Tries;
use super::pausing::Pausing;
use super::place::{Standing, overdue};
use super::product::{Kind, Sends};
use super::report::Reports;
use super::state::TaskState;
use super::telling::Telling;
use crate::cancel::{CancelToken, Registered, Wake};
use crate::delivery::Mailbox;
use crate::error::Error;
use crate::request::Request;
use crate::response::Response;
use crate::session::delegate::Delegate;
use crate::session::shared::Shared;
use crate::sync::{Condvar, Mutex, Rank};

/// No body is as long.
pub(super) const UNKNOWN: u64 = u64::MAX;

/// One task.
pub(crate) struct Core {
    pub(crate) id: u64,
    pub(crate) shared: Arc<Shared>,
    /// As it was given.
    pub(crate) request: Request,
    /// The delegate is asked for the body.
    pub(super) streams: bool,
    pub(super) received: AtomicU64,
    pub(super) sent: AtomicU64,
    /// How long the body to send turned out to be when it was opened.
    pub(super) to_send: AtomicU64,
    /// The thread that runs the task has to look at the state before it goes on. Changed
    /// under the state's lock.
    pub(super) look: AtomicBool,
    /// It was suspended at least once since it began.
    pub(super) has_paused: AtomicBool,
    /// Somebody is told while the transfer goes on.
    pub(super) tells: AtomicBool,
    pub(super) state: Mutex<State>,
    /// Its place was granted, or it was cancelled: for the thread that runs it.
    pub(super) changed: Condvar,
}

/// What changes about a task.
pub(super) struct State {
    pub(super) state: TaskState,
    /// How many calls of `resume` it takes to make it run.
    pub(super) suspensions: u32,
    pub(super) has_begun: bool,
    pub(super) standing: Standing,
    /// It had a place before, and goes ahead of those who never had one.
    pub(super) returns: bool,
    pub(super) priority: f32,
    /// When all must be over, pauses not counted.
    pub(super) deadline: Option<Instant>,
    pub(super) pauses: Pausing,
    /// Ends the attempt that is under way.
    pub(super) attempt: Option<CancelToken>,
    /// Keeps the calls of the program in order; made when the first is due.
    pub(super) mailbox: Option<Mailbox>,
    /// Its delegate is told of the body while it arrives.
    pub(super) is_incremental: bool,
    pub(super) told_of_waiting: bool,
    /// The task was suspended during the attempt: its connection may have grown old.
    pub(super) may_have_broken: bool,
    /// The attempt was ended to begin again later.
    pub(super) starts_over: bool,
    /// What it is cancelled for, if not because somebody wished it.
    pub(super) failure: Option<Error>,
    pub(super) kind: Kind,
    /// When it tries again to connect.
    pub(super) waits_until: Option<Instant>,
    pub(super) tries: Tries,
    pub(super) reports: Reports,
    pub(super) telling: Option<Arc<Telling>>,
    /// Has the request's own cancel token cancel the task.
    pub(super) link: Option<Registered>,
    pub(super) seen: Seen,
}

/// What handles can ask for.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) description: Option<Box<str>>,
    pub(super) delegate: Option<Arc<dyn Delegate>>,
    /// Where redirects have led.
    pub(super) current: Option<Box<Request>>,
    pub(super) response: Option<Response>,
    pub(super) error: Option<Error>,
}

impl State {
    /// Whether it was cancelled or has ended.
    pub(super) fn is_over(&self) -> bool {
        matches!(self.state, TaskState::Canceling | TaskState::Completed)
    }

    /// Returns when all must be over, as far as that is known now.
    pub(super) fn due(&self, now: Instant) -> Option<Instant> {
        self.deadline?.checked_add(self.pauses.at(now).total)
    }
}

impl Core {
    /// Makes a task that is suspended.
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
            received: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            to_send: AtomicU64::new(UNKNOWN),
            look: AtomicBool::new(false),
            has_paused: AtomicBool::new(false),
            tells: AtomicBool::new(false),
            state: Mutex::new(
                Rank::Task,
                State {
                    state: TaskState::Suspended,
                    suspensions: 1,
                    has_begun: false,
                    standing: Standing::Away,
                    returns: false,
                    priority: super::PRIORITY_DEFAULT,
                    deadline: None,
                    pauses: Pausing::default(),
                    attempt: None,
                    mailbox: None,
                    is_incremental: true,
                    told_of_waiting: false,
                    may_have_broken: false,
                    starts_over: false,
                    failure: None,
                    kind,
                    waits_until: None,
                    tries: Tries::default(),
                    reports,
                    telling: None,
                    link: None,
                    seen: Seen::default(),
                },
            ),
            changed: Condvar::new(),
        })
    }

    /// Counts one suspension less; at none the task runs.
    pub(crate) fn resume(self: &Arc<Self>) {
        let mut state = self.state.lock();
        if state.suspensions == 0 || !state.state.may_become(TaskState::Running) {
            return;
        }
        // Whoever runs such a task begins it, too.
        if !state.has_begun && matches!(state.reports, Reports::Caller) {
            return;
        }
        state.suspensions -= 1;
        if state.suspensions > 0 {
            return;
        }
        state.state = TaskState::Running;
        if !state.has_begun {
            return self.begin(state);
        }
        self.end_pause(&mut state);
        state.waits_until = None;
        let effects = self.stand_in_line(&mut state);
        drop(state);
        // Its thread may need no place, or have stepped aside and have to ask for one itself.
        self.changed.notify_all();
        self.shared.act(effects);
    }

    /// A task that was suspended is not any more.
    pub(super) fn end_pause(&self, state: &mut State) {
        if state.has_begun {
            self.shared.count_suspended(-1);
            state.pauses.end(self.shared.now());
        }
    }

    /// Cancels the task if nobody is left to resume it.
    pub(crate) fn cancel_if_suspended(self: &Arc<Self>) {
        if self.state.lock().state == TaskState::Suspended {
            self.cancel();
        }
    }

    /// Sets the priority, where it waits too.
    pub(super) fn set_priority(&self, priority: f32) {
        let mut state = self.state.lock();
        state.priority = priority;
        if let Standing::InLine(ticket) = state.standing {
            self.shared.pool().set_priority(ticket, priority);
        }
    }

    /// Counts one suspension more; the first stops the transfer and its timers.
    pub(crate) fn suspend(self: &Arc<Self>) {
        let mut state = self.state.lock();
        if matches!(state.state, TaskState::Canceling | TaskState::Completed) {
            return;
        }
        state.suspensions = state.suspensions.saturating_add(1);
        if !state.state.may_become(TaskState::Suspended) {
            return;
        }
        state.state = TaskState::Suspended;
        if state.has_begun {
            self.shared.count_suspended(1);
        }
        state.may_have_broken = true;
        state.pauses.begin(self.shared.now());
        self.has_paused.store(true, Ordering::SeqCst);
        self.look.store(true, Ordering::SeqCst);
        let (effects, ended) = self.leave(&mut state);
        drop(state);
        if let Some(attempt) = ended {
            attempt.cancel();
        }
        self.shared.act(effects);
    }

    /// Ends the task.
    pub(crate) fn cancel(self: &Arc<Self>) {
        self.end_with(None);
    }

    /// Ends the task because of `error`: code of the program has panicked, or its time is
    /// over.
    pub(crate) fn fail(self: &Arc<Self>, error: Error) {
        self.end_with(Some(error));
    }

    fn end_with(self: &Arc<Self>, failure: Option<Error>) {
        let mut state = self.state.lock();
        if !state.state.may_become(TaskState::Canceling) {
            return;
        }
        if state.state == TaskState::Suspended {
            self.end_pause(&mut state);
        }
        state.state = TaskState::Canceling;
        state.failure = failure;
        self.look.store(true, Ordering::SeqCst);
        let attempt = state.attempt.clone();
        let has_thread = self.quit_line(&mut state);
        let begins = !mem::replace(&mut state.has_begun, true);
        drop(state);
        if let Some(attempt) = attempt {
            attempt.cancel();
        }
        if has_thread {
            self.changed.notify_all();
        } else {
            let is_refused = begins && self.shared.pool().admit(self).is_err();
            self.complete(Err(Error::cancelled()), is_refused);
        }
    }

    /// Ends a task without a thread whose time is over, and has one that waits to connect
    /// try again. Returns when to look again.
    pub(crate) fn expire(self: &Arc<Self>, now: Instant) -> Option<Instant> {
        let mut state = self.state.lock();
        let waits = match state.standing {
            Standing::InLine(_) => None,
            Standing::Away if state.waits_until.is_some() => state.waits_until,
            _ => return None,
        };
        if state.state != TaskState::Running {
            return None;
        }
        let due = state.due(now);
        if due.is_some_and(|due| due <= now) {
            drop(state);
            self.fail(overdue());
            return None;
        }
        if waits.is_some_and(|until| until <= now) {
            state.waits_until = None;
            let effects = self.stand_in_line(&mut state);
            drop(state);
            self.shared.act(effects);
            return due;
        }
        waits.into_iter().chain(due).min()
    }

    /// Returns why the task ends early, if it does.
    pub(super) fn why_cancelled(&self, state: &State) -> Error {
        let error = state.failure.clone().unwrap_or_else(Error::cancelled);
        self.on_url(state, error)
    }

    /// Returns what a task that was cancelled or has failed ends with, if it is that far.
    pub(super) fn why_over(&self, state: &State) -> Option<Error> {
        match state.state {
            TaskState::Canceling => Some(self.why_cancelled(state)),
            TaskState::Completed => state.seen.error.clone(),
            TaskState::Running | TaskState::Suspended => None,
        }
    }

    /// Adds the URL that the task has come to.
    pub(super) fn on_url(&self, state: &State, error: Error) -> Error {
        self.current(state).url().into_iter().fold(error, Error::on)
    }

    /// Returns the request that redirects have led to.
    pub(super) fn current<'a>(&'a self, state: &'a State) -> &'a Request {
        state.seen.current.as_deref().unwrap_or(&self.request)
    }

    /// Returns what stands for the host in the waiting line: scheme, host and port.
    pub(super) fn host<'a>(&'a self, state: &'a State) -> &'a str {
        self.current(state).url().map_or("", |url| &url[..Position::BeforePath])
    }

    /// Has a cancel of the request's own token cancel the task.
    pub(super) fn linked(self: &Arc<Self>) -> Option<Registered> {
        self.request.cancel().map(|token| self.linked_to(token))
    }

    /// Has a cancel of `token` cancel the task.
    pub(crate) fn linked_to(self: &Arc<Self>, token: &CancelToken) -> Registered {
        token.on_cancel(Arc::new(Link(Arc::downgrade(self))))
    }

    pub(crate) fn kind(&self) -> Kind {
        self.state.lock().kind.clone()
    }
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state.lock().state;
        f.debug_struct("Task")
            .field("id", &self.id)
            .field("request", &self.request)
            .field("state", &state)
            .finish_non_exhaustive()
    }
}

/// Cancels a task when the request's token is cancelled.
struct Link(std::sync::Weak<Core>);

impl Wake for Link {
    fn wake(&self) {
        if let Some(core) = self.0.upgrade() {
            core.cancel();
        }
    }
}
