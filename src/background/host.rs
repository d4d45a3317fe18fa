//! The seam between a background session and whoever hosts it.

use std::path::Path;
use std::sync::Weak;
use std::time::Duration;

use super::folder::Folder;
use super::job::{Event, Job, Work};
use super::report::{BackgroundHost, WaitsFor};
use crate::credentials::{Challenge, Disposition};
use crate::delivery::Reply;
use crate::download::ResumeData;
use crate::error::Error;
use crate::request::Request;
use crate::response::Response;
use crate::session::{NewRequestReason, Progress, Schedule};

/// Carries the tasks of one session, in this process or in another one.
pub(super) trait Host: Send + Sync {
    /// Which it is.
    fn kind(&self) -> BackgroundHost;

    /// Has a program told of what happens from [`go_on`](Self::go_on) on; returns what it has to
    /// know of first.
    fn serve(&self, program: Weak<dyn Program>) -> Served;

    /// Tells once more what the program has not heard of, by its numbers, and starts what was
    /// running.
    fn go_on(&self, untold: &[u64]);

    /// Takes on a job. If there is one with the same key, other than `besides`, that is returned
    /// instead.
    fn create(&self, job: &Job, besides: Option<u64>) -> Option<u64>;

    /// Takes the body of an upload into the spool, before its task is created; returns its length.
    fn take_body(&self, task: u64, source: &Path) -> Result<u64, Error>;

    /// Has a download go on with what has come of it elsewhere, before its task is created.
    fn take_part(&self, task: u64, data: &ResumeData) -> Result<(), Error>;

    /// Does what the program has done. It counts once this returns, and is on the disk after the
    /// next [`flush`](Self::flush).
    fn obey(&self, command: Command);

    /// Brings all that was done to the disk.
    fn flush(&self);

    /// Ends the session; what runs goes on at the next opening.
    fn close(&self);

    /// The program is done with what a daemon has started it for; nothing where none has.
    #[cfg(feature = "daemon")]
    fn complete_launch(&self) {}

    /// Whether the session has not been closed.
    fn is_open(&self) -> bool;

    /// Returns all jobs, oldest first, and what each waits for.
    fn look(&self) -> Vec<(Job, Option<Waiting>)>;

    /// Returns what of the journal was damaged, in words.
    fn damage(&self) -> Vec<String>;

    /// Returns where the files of the session lie, which both sides reach.
    fn folder(&self) -> &Folder;
}

/// What a program has to know of first.
#[derive(Debug)]
pub(super) struct Served {
    pub(super) jobs: Vec<Job>,
    /// The numbers of what it has not heard of, in order.
    pub(super) untold: Vec<u64>,
    /// The last number that was given to a task.
    pub(super) last_task: u64,
}

/// What a program does with its tasks.
#[derive(Clone, Debug)]
pub(super) enum Command {
    /// A task that was never resumed is nobody's any more.
    Withdraw(u64),
    Update(u64, Settings),
    /// It is resumed; for the first time with its settings.
    Resume(u64, Option<Settings>),
    Suspend(u64),
    /// It is cancelled, for this or because somebody wished it.
    Cancel(u64, Option<Error>),
    /// It is cancelled, and what has come of its file stays until its end is acknowledged: the
    /// program takes it.
    Interrupt(u64),
    Prioritize(u64, f32),
    /// It goes on with this request, or ends with the error that it had.
    Renew(u64, Option<Request>, Error),
    /// It begins, as its date has come; with this request, if there is one.
    Begin(u64, Option<Request>),
    /// The program has heard of the event with this number.
    Heard(u64),
    /// It has heard of the end of a task.
    Acknowledge(u64),
    /// It has taken the file of a task.
    Taken(u64),
    /// Nothing more is started: all tasks are about to be cancelled.
    Halt,
    /// What was learned about servers is forgotten.
    Forget,
    /// Every later exchange uses a new connection.
    RenewConnections,
}

/// What a program may change of a task until it is resumed.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    /// Of a download; the body of an upload was taken over when it was made.
    pub(super) work: Option<Work>,
    pub(super) description: Option<String>,
    pub(super) priority: f32,
    pub(super) schedule: Schedule,
}

impl Settings {
    /// Puts them into a job; returns whether it had others.
    pub(super) fn apply(self, job: &mut Job) -> bool {
        let Self { work, description, priority, schedule } = self;
        let is_same = work.as_ref().is_none_or(|work| *work == job.work)
            && description == job.description
            && priority == job.priority
            && schedule == job.schedule;
        if let Some(work) = work {
            job.work = work;
        }
        job.description = description;
        job.priority = priority;
        job.schedule = schedule;
        !is_same
    }
}

/// What a job waits for, and for how long.
pub(super) type Waiting = (WaitsFor, Option<Duration>);

/// What is told until it was acknowledged.
pub(super) trait EventSink {
    /// Tells what happened to a task, until the number was [heard](Command::Heard).
    fn happened(&self, number: u64, task: u64, event: Event);

    /// Tells that a task has ended, until that is [acknowledged](Command::Acknowledge).
    fn ended(&self, job: Job);
}

/// Whom a host tells and asks: the program, wherever it is.
///
/// Called with no lock held, on threads of the host and of its transfers.
pub(super) trait Program: EventSink + Send + Sync {
    /// Tells how far a task has come.
    fn progress(&self, task: u64, progress: Progress);

    /// Tells of the head of an answer whose body follows.
    fn responded(&self, task: u64, response: &Response);

    /// Asks about a challenge: of a task, or of a connection for any of them.
    fn challenged(&self, task: Option<u64>, challenge: &Challenge, reply: Reply<Disposition>);

    /// Asks for another request of a task, to be given by [`Command::Renew`]; why it is needed.
    fn needs_request(&self, task: u64, reason: NewRequestReason, error: Error);

    /// Asks how a task begins whose date has come, to be said by [`Command::Begin`].
    fn may_begin(&self, task: u64, request: Request);
}
