//! What a task knows of those above it: who runs it, and who tells of it.

use std::any::Any;
use std::fmt;
use std::mem;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::inner::{Core, Locked};
use super::product::Brought;
use super::reports::Reports;
use crate::body::Body;
use crate::credentials::Challenge;
use crate::delivery::{DeliveryQueue, Mailbox};
use crate::download::{ResumeData, StartOver};
use crate::error::Error;
use crate::foreign::Foreign;
use crate::load::Loaded;
use crate::request::Request;
use crate::response::Response;
use crate::retry::Retry;
use crate::session::delegate::{Delegate, HeldDelegate, ResponseDisposition};
use crate::session::handle::Shared;
use crate::wire::{DelegateDecision, Question};

/// Decides when and where the tasks of one session run.
///
/// The pool of this process is one; the client of an engine in another process can be one,
/// and tests have one that runs tasks by hand. Whoever implements it carries a task from
/// `begin` to its completion, which it has told by the room `audience`, once.
///
/// Methods that get a task [`Locked`] decide under its lock and act after it: they call
/// nothing of the program's, and wait for nothing, while they hold it.
pub(crate) trait Scheduler: Send + Sync {
    // ---- one task ----

    /// Hears of a task that was made; returns another one if that is meant. On an error it is not
    /// taken: whoever makes it ends it with that.
    fn created(&self, _task: &Arc<Core>) -> Result<Option<Arc<Core>>, Error> {
        Ok(None)
    }

    /// Begins a task that was resumed for the first time.
    fn begin(&self, task: &Arc<Core>, locked: Locked<'_>);

    /// Has a task go on that was suspended.
    fn resume(&self, task: &Arc<Core>, locked: Locked<'_>);

    /// Stops a task that was suspended just now.
    fn suspend(&self, task: &Arc<Core>, locked: Locked<'_>);

    /// Ends a task that was cancelled just now; `is_first` if it never began.
    fn cancel(&self, task: &Arc<Core>, locked: Locked<'_>, is_first: bool);

    /// Has a task that waits go by its priority, which was changed just now.
    fn reprioritize(&self, task: &Core, locked: Locked<'_>);

    /// Runs a task that has not begun on the thread that calls this, to its end.
    fn run(&self, task: &Arc<Core>) -> Brought;

    /// Runs a task that has not begun on the thread that calls this, until its head has
    /// arrived.
    fn open(&self, task: &Arc<Core>) -> Result<Loaded, Error>;

    /// Ends a task that was [opened](Self::open).
    fn close(&self, task: &Arc<Core>, outcome: Brought) -> Brought;

    /// Stops here, on the thread that runs the task, as long as it is suspended or has to
    /// wait for its turn; fails if it was cancelled, or has to start over.
    fn go_on(&self, task: &Arc<Core>) -> Result<(), Error>;

    /// Does the same where the transfer can be left: then it may have to leave its thread,
    /// which the error says.
    fn rest(&self, task: &Arc<Core>) -> Result<(), Error>;

    // The next five are nothing to a scheduler whose tasks never give a place to each other.

    /// Lets others run while the thread of the task waits for something that may take
    /// long; [`go_on`](Self::go_on) ends that.
    fn step_aside(&self, _task: &Arc<Core>) {}

    /// Notes that the program is called by the thread that runs the task, which may take
    /// long; [`end_in_place`](Self::end_in_place) ends that.
    fn begin_in_place(&self, _task: &Arc<Core>) {}

    /// Notes that the call has returned.
    fn end_in_place(&self, _task: &Core) {}

    /// Lets the task, which a redirect may have led to another host, wait for its turn there;
    /// it may have to leave its thread, as in [`rest`](Self::rest).
    fn arrive(&self, _task: &Arc<Core>) -> Result<(), Error> {
        Ok(())
    }

    /// Whether the task is tried again in place of delivering this answer: then returns what its
    /// attempt fails with. Asked about answers that its policy is for.
    fn repeats(&self, _task: &Arc<Core>, _response: &Response) -> Option<Error> {
        None
    }

    /// The task's completion was told; `is_told` if all whom it was told to have taken it, without
    /// a panic.
    fn finished(&self, task: &Core, is_told: bool);

    // ---- all of them ----

    /// Returns the tasks that have begun and have not been told to be completed, oldest
    /// first.
    fn alive(&self) -> Vec<Arc<Core>>;

    /// Counts a call of the program that belongs to no task that is alive.
    fn begin_call(&self);

    /// It was made.
    fn end_call(&self);

    /// Waits until nothing is alive and every call was made, for at most `timeout`;
    /// returns whether that is so.
    fn wait_until_idle(&self, timeout: Duration) -> bool;

    /// Takes no more tasks from now on.
    fn invalidate(&self, session: &Arc<Shared>);

    /// Starts nothing more: all tasks are about to be cancelled.
    fn halt(&self);

    /// Forgets what was learned about servers.
    fn forget(&self);

    /// Has every later exchange use a new connection.
    fn renew_connections(&self);

    /// Brings to the disk what is kept of tasks and learned about servers.
    fn flush(&self) {}

    /// Hears of the session whose tasks it runs, before anybody else has it.
    fn serves(&self, _session: &Arc<Shared>) {}

    /// Returns what hosts the tasks of a background session.
    fn host(&self) -> Option<&dyn Any> {
        None
    }
}

// What schedulers and listeners are made of is nobody's to print, and weighs nothing so.
impl fmt::Debug for dyn Scheduler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scheduler")
    }
}

impl fmt::Debug for dyn Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Listener")
    }
}

/// Tells of a transfer while it goes on.
pub(crate) trait Listener: Send + Sync {
    /// Whether somebody takes the body piece by piece.
    fn takes_body(&self) -> bool;

    /// Tells of the response, and asks what becomes of its body.
    fn response(
        &self,
        task: &Arc<Core>,
        response: &Response,
        question: &mut Question,
    ) -> Result<ResponseDisposition, Error>;

    /// Tells of an informational answer.
    fn informed(&self, task: &Arc<Core>, response: Response);

    /// Tells that the task has become a download.
    fn became_download(&self, task: &Arc<Core>);

    /// Tells that the body goes on behind what is there of it.
    fn resumed(&self, task: &Arc<Core>, offset: u64, total: Option<u64>);

    /// Tells that what was there of the body is gone.
    fn started_over(&self, task: &Arc<Core>, reason: StartOver);

    /// Tells of a piece of the body, which is taken once not too much is on its way; on an error
    /// it was not.
    fn data(&self, task: &Arc<Core>, data: &mut Vec<u8>) -> Result<(), Error>;

    /// Tells how far the task has come, if it is time to.
    fn progress(&self, task: &Arc<Core>);

    /// Tells the last progress, on the thread where the completion is told.
    fn last_progress(&self, task: &Arc<Core>);
}

/// Asks and tells the program while a task goes on.
///
/// There is one, from the moment on that the program hands over somebody to be asked or told: so
/// a program that never does is linked without the code that asks and tells.
pub(crate) trait Voice: Sync {
    /// Returns who is told while the transfer goes on, at its beginning.
    fn listener(&self, task: &Core) -> Option<Arc<dyn Listener>>;

    /// Asks for a body to send.
    fn ask_for_body(
        &self,
        task: &Arc<Core>,
        question: &mut Question,
    ) -> Result<Option<Body>, Error>;

    /// Asks what to do about a redirect.
    fn ask_about_redirect(
        &self,
        task: &Arc<Core>,
        response: Response,
        proposed: Request,
        question: &mut Question,
    ) -> Result<Option<Option<Request>>, Error>;

    /// Asks all what to do about a challenge.
    fn ask_about(
        &self,
        task: &Arc<Core>,
        challenge: Challenge,
        question: &mut Question,
    ) -> Result<Option<DelegateDecision>, Error>;

    /// Asks the task's own delegate alone.
    fn ask_own_about(
        &self,
        task: &Arc<Core>,
        challenge: Challenge,
        question: &mut Question,
    ) -> Result<Option<DelegateDecision>, Error>;

    /// Tells that the task waits for a connection to become possible.
    fn tell_of_waiting(&self, task: &Arc<Core>);

    /// Tells that the task makes another attempt.
    fn tell_of_retry(&self, task: &Arc<Core>, retry: Retry);

    /// Tells that the session has become invalid, and lets go of its delegate.
    fn tell_invalid(&self, session: &Arc<Shared>);

    /// Ends a task that reports to delegates, and returns whether they have taken it, without a
    /// panic; `is_refused` if its session never took it.
    fn end(&self, task: &Arc<Core>, outcome: Brought, is_refused: bool) -> bool;
}

static VOICE: OnceLock<&dyn Voice> = OnceLock::new();

/// Has all tasks ask and tell by this; all later ones are the same.
pub(crate) fn give_voice(voice: &'static dyn Voice) {
    // It was there before.
    let _ = VOICE.set(voice);
}

/// Returns what asks and tells, if there is anybody to be asked or told.
pub(crate) fn voice() -> Option<&'static dyn Voice> {
    VOICE.get().copied()
}

/// Who is told of a task, and asked.
pub(crate) struct Recipients {
    reports: Reports,
    delegate: Option<Arc<dyn Delegate>>,
    listener: Option<Arc<dyn Listener>>,
    /// Keeps the calls of the program in order; made when the first is due.
    mailbox: Option<Mailbox>,
    /// They are told of the body while it arrives.
    is_incremental: bool,
    /// That it waits for connectivity was told.
    know_of_waiting: bool,
    /// Who gets what a cancelled download can be gone on with. Boxed: few tasks have one.
    resume_data: Option<Box<TakeResumeData>>,
}

/// Takes what a download can be gone on with, if it can.
pub(crate) type TakeResumeData = Foreign<Box<dyn FnOnce(Option<ResumeData>) + Send>>;

impl Recipients {
    pub(super) fn new(reports: Reports) -> Self {
        Self {
            reports,
            delegate: None,
            listener: None,
            mailbox: None,
            is_incremental: true,
            know_of_waiting: false,
            resume_data: None,
        }
    }

    pub(crate) fn reports(&self) -> &Reports {
        &self.reports
    }

    /// Has the task report to somebody else; returns to whom it did before.
    pub(crate) fn report_to(&mut self, reports: Reports) -> Reports {
        mem::replace(&mut self.reports, reports)
    }

    /// Whether it reports to whoever runs it.
    pub(crate) fn is_caller(&self) -> bool {
        matches!(self.reports, Reports::Caller)
    }

    /// Whether it reports to delegates.
    pub(crate) fn are_delegates(&self) -> bool {
        matches!(self.reports, Reports::Delegates)
    }

    /// Returns the task's own delegate.
    pub(crate) fn delegate(&self) -> Option<HeldDelegate> {
        self.delegate.clone().map(Foreign::new)
    }

    /// Whether the task has a delegate of its own.
    pub(crate) fn has_delegate(&self) -> bool {
        self.delegate.is_some()
    }

    pub(crate) fn set_delegate(&mut self, delegate: HeldDelegate) -> Option<HeldDelegate> {
        self.delegate.replace(delegate.into_inner()).map(Foreign::new)
    }

    /// Lets go of it: the task has ended.
    pub(crate) fn take_delegate(&mut self) -> Option<HeldDelegate> {
        self.delegate.take().map(Foreign::new)
    }

    /// Returns who is told while the transfer goes on.
    pub(crate) fn listener(&self) -> Option<Arc<dyn Listener>> {
        self.listener.clone()
    }

    pub(super) fn listen(&mut self, listener: Arc<dyn Listener>) {
        self.listener = Some(listener);
    }

    pub(crate) fn take_listener(&mut self) -> Option<Arc<dyn Listener>> {
        self.listener.take()
    }

    /// Returns what keeps the calls of the program in order on `queue`.
    pub(crate) fn mailbox(&mut self, queue: &DeliveryQueue) -> &Mailbox {
        self.mailbox.get_or_insert_with(|| Mailbox::new(queue.clone()))
    }

    pub(crate) fn take_mailbox(&mut self) -> Option<Mailbox> {
        self.mailbox.take()
    }

    /// Has `taken` get what the task can be gone on with; gives it back if somebody does.
    pub(crate) fn ask_for_resume_data(
        &mut self,
        taken: Box<TakeResumeData>,
    ) -> Option<Box<TakeResumeData>> {
        match &self.resume_data {
            Some(_) => Some(taken),
            None => {
                self.resume_data = Some(taken);
                None
            }
        }
    }

    /// Whether somebody wants what the task can be gone on with.
    pub(crate) fn want_resume_data(&self) -> bool {
        self.resume_data.is_some()
    }

    pub(crate) fn take_resume_data(&mut self) -> Option<Box<TakeResumeData>> {
        self.resume_data.take()
    }

    /// Whether they are told of the body while it arrives.
    pub(crate) fn is_incremental(&self) -> bool {
        self.is_incremental
    }

    pub(super) fn set_incremental(&mut self, is_incremental: bool) {
        self.is_incremental = is_incremental;
    }

    /// Notes that it was told that the task waits; returns whether that is news.
    pub(crate) fn learn_of_waiting(&mut self) -> bool {
        !mem::replace(&mut self.know_of_waiting, true)
    }
}

impl Drop for Recipients {
    fn drop(&mut self) {
        drop(self.take_delegate());
    }
}
