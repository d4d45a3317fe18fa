//! The program's side of a background session: the second [`Scheduler`] there is.
//!
//! A task of a background session is the same as any other to the program. What runs it is a
//! host, which this tells what the program does with it; what the host tells comes to the
//! task's delegates, and is acknowledged when they have returned.

mod answers;
mod ending;
mod extent;
mod scheduler;
mod telling;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Weak};
use std::time::Duration;

use self::answers::Question;
use super::engine::{Engine, Hands, verdict};
use super::host::{Command, EventSink, Host, Program, Settings, Waiting};
use super::job::{Event, Job, Phase, Work};
#[cfg(feature = "daemon")]
use super::relaunch::LaunchCompletion;
use super::report::{BackgroundReport, BackgroundTask};
use crate::body::Body;
use crate::census::Census;
use crate::configuration::Configuration;
use crate::credentials::{Challenge, Disposition};
use crate::delivery::Reply;
use crate::download::Saving;
use crate::error::{Error, ErrorKind, without_secrets};
use crate::request::Request;
use crate::response::Response;
use crate::session::{Completion, Core, Kind, Record, Schedule, Scheduler, Sends, Shared};
use crate::session::{NewRequestReason, Progress, Task, TaskState, call_delegate};
use crate::sync::{Condvar, Mutex, Rank};

/// Has the tasks of one background session run by its host.
pub(super) struct Client {
    host: Arc<dyn Host>,
    identifier: String,
    census: Census,
    tasks: Mutex<Tasks>,
    /// Something has ended.
    changed: Condvar,
    questions: Mutex<HashMap<u64, Question>>,
    me: Weak<Self>,
}

#[derive(Default)]
struct Tasks {
    session: Weak<Shared>,
    /// All that have not ended.
    known: BTreeMap<u64, Arc<Core>>,
    /// Those of them that have begun, or whose end is being told.
    busy: BTreeSet<u64>,
    /// Those that were suspended in this run after they had begun.
    paused: BTreeSet<u64>,
    /// The numbers of the ends that are being told, by their tasks.
    ends: HashMap<u64, u64>,
    /// What the program has not heard of before, and not now either.
    replayed: BTreeSet<u64>,
    /// Calls of the program that belong to no task.
    calls: usize,
    is_closed: bool,
    is_invalid: bool,
}

impl Tasks {
    fn is_quiet(&self) -> bool {
        self.busy.is_empty()
            && self.paused.is_empty()
            && self.calls == 0
            && self.is_closed == self.is_invalid
    }

    /// Whether the session has become invalid just now.
    fn becomes_invalid(&mut self) -> bool {
        let becomes = self.is_closed && !self.is_invalid && self.busy.is_empty();
        self.is_invalid |= becomes;
        if becomes {
            self.paused.clear();
        }
        self.calls += usize::from(becomes);
        becomes
    }
}

impl Client {
    /// Opens what is there of the session.
    pub(super) fn open(
        configuration: &Configuration,
        census: &Census,
        has_delegate: bool,
    ) -> Result<Arc<dyn Scheduler>, Error> {
        let identifier = configuration.identifier.clone().unwrap_or_default();
        check(configuration, &identifier, has_delegate)?;
        let host = host_of(configuration, &identifier, census)?;
        Ok(Arc::new_cyclic(|me| Self {
            host,
            identifier,
            census: census.clone(),
            tasks: Mutex::new(Rank::Pool, Tasks::default()),
            changed: Condvar::new(),
            questions: Mutex::new(Rank::Pool, HashMap::new()),
            me: me.clone(),
        }))
    }

    /// Returns the client that runs the tasks of a session, if it is one of the background.
    pub(super) fn of(scheduler: &dyn Scheduler) -> Option<&Self> {
        scheduler.host()?.downcast_ref()
    }

    /// Returns what says that the program is done, if a daemon has started it for this session.
    #[cfg(feature = "daemon")]
    pub(super) fn launch_completion(&self) -> Option<LaunchCompletion> {
        LaunchCompletion::of(&self.identifier, &self.host)
    }

    /// Returns what it is doing.
    pub(super) fn report(&self) -> BackgroundReport {
        let tasks = self.host.look().into_iter().map(|(job, wait)| self.describe_job(job, wait));
        BackgroundReport {
            identifier: self.identifier.clone(),
            host: self.host.kind(),
            tasks: tasks.collect(),
            damage: self.host.damage(),
        }
    }

    fn describe_job(&self, job: Job, wait: Option<Waiting>) -> BackgroundTask {
        let core = self.task(job.id);
        let state = match &job.phase {
            Phase::Suspended => TaskState::Suspended,
            Phase::Running => TaskState::Running,
            Phase::Ended(_) => TaskState::Completed,
        };
        let (waits_for, waits_another) =
            wait.map_or((None, None), |(what, left)| (Some(what), left));
        BackgroundTask {
            id: job.id,
            url: job.request.url().map(without_secrets).unwrap_or_default(),
            state,
            progress: core.map_or_else(|| job.progress(), |core| core.progress()),
            description: job.description,
            waits_for,
            waits_another,
        }
    }

    fn task(&self, id: u64) -> Option<Arc<Core>> {
        self.tasks.lock().known.get(&id).cloned()
    }

    /// Makes a job of a task that was made just now.
    fn job_of(&self, core: &Arc<Core>) -> Result<Job, Error> {
        let (kind, reports, settings) = {
            let state = core.state.lock();
            (state.kind.clone(), state.recipients.are_delegates(), Self::settings(&state))
        };
        if !reports {
            return Err(refused(
                "its tasks report to a delegate, which is there in a later run of the program too; \
                 a closure, a channel or a blocking call is not",
            ));
        }
        let (work, request) = match &kind {
            Kind::Data => {
                return Err(refused(
                    "it has no data tasks: download to a file, or upload from one",
                ));
            }
            Kind::Upload(Sends::Stream) => {
                return Err(refused("it uploads files only, as no stream outlives the program"));
            }
            Kind::Upload(Sends::Body) => {
                let body = core.request.body_to_send();
                if body.and_then(Body::path).is_none() {
                    return Err(refused("it uploads files only: give it a Body::file"));
                }
                (Work::Upload { length: 0 }, core.request.clone().without_body())
            }
            Kind::Download(saving) => (download_of(saving), core.request.clone()),
        };
        let mut job = Job {
            id: core.id,
            request: request.without_cancel_token(),
            omitted: Vec::new(),
            work,
            description: None,
            priority: Task::PRIORITY_DEFAULT,
            schedule: Schedule::default(),
            has_begun: false,
            phase: Phase::Suspended,
            spent: Duration::ZERO,
            may_have_sent: false,
            response: None,
        };
        settings.apply(&mut job);
        if let Some(reason) = verdict::refusal(&job) {
            return Err(refused(reason));
        }
        if let Some(error) = extent::refusal(&job.request) {
            return Err(error);
        }
        self.take_files(core, &kind, &mut job)?;
        Ok(job)
    }

    /// Takes what a job begins with into the folder of the session.
    fn take_files(&self, core: &Core, kind: &Kind, job: &mut Job) -> Result<(), Error> {
        if let (Work::Upload { length }, Some(path)) =
            (&mut job.work, core.request.body_to_send().and_then(Body::path))
        {
            *length = self.host.take_body(core.id, path)?;
        }
        if let Kind::Download(saving) = kind
            && let Some(data) = &saving.resumed
        {
            self.host.take_part(core.id, data)?;
        }
        Ok(())
    }

    /// Returns what the program has made of a task since.
    fn settings(state: &Record) -> Settings {
        let work = match &state.kind {
            Kind::Download(saving) => Some(download_of(saving)),
            Kind::Data | Kind::Upload(_) => None,
        };
        let description = state.seen.description().map(str::to_owned);
        let schedule = state.schedule.as_deref().copied().unwrap_or_default();
        Settings { work, description, priority: state.priority, schedule }
    }

    /// Makes a task of a job of an earlier run.
    fn restore(&self, session: &Arc<Shared>, job: Job) -> Arc<Core> {
        let progress = job.progress();
        let kind = match job.work {
            Work::Download { place, expected, segments } => {
                Kind::restored_download(Saving { place, expected, segments, ..Saving::default() })
            }
            Work::Upload { .. } => Kind::Upload(Sends::Body),
        };
        let core = Core::restored(session, job.id, job.request, kind);
        let mut state = core.state.lock();
        state.priority = job.priority;
        let is_set = job.schedule != Schedule::default();
        state.schedule = is_set.then(|| Box::new(job.schedule));
        if let Some(description) = &job.description {
            let _ = state.seen.describe(description.as_str().into());
        }
        if let Some(response) = job.response {
            state.seen.responded(response);
        }
        if !matches!(job.phase, Phase::Suspended) {
            let _ = state.life.resume(|| session.now());
            core.begin(&mut state);
        }
        drop(state);
        core.counters.show(progress);
        core
    }

    /// Takes a task that begins, unless that is too late: then it is ended.
    fn admit(&self, core: &Arc<Core>) -> bool {
        let mut tasks = self.tasks.lock();
        let is_closed = tasks.is_closed;
        if !is_closed {
            tasks.busy.insert(core.id);
        }
        drop(tasks);
        if is_closed {
            let detail = "the session was invalidated and takes no more tasks";
            let why = Error::new(ErrorKind::SessionInvalidated, detail);
            Completion::of(core, core.state.lock(), Err(why), true).tell();
        }
        !is_closed
    }

    /// The program has heard of something of an earlier run; after the last, it is told so.
    fn replayed(&self, number: u64) {
        let mut tasks = self.tasks.lock();
        let is_last = tasks.replayed.remove(&number) && tasks.replayed.is_empty();
        let session = if is_last { tasks.session.upgrade() } else { None };
        drop(tasks);
        if let Some(session) = session {
            finished_events(&session);
        }
    }
}

/// Opens the session where it is hosted: at the daemon if there is one, else here.
fn host_of(
    configuration: &Configuration,
    identifier: &str,
    census: &Census,
) -> Result<Arc<dyn Host>, Error> {
    #[cfg(all(feature = "daemon", unix))]
    if let Some(remote) = super::remote::host(configuration, identifier, census)? {
        return Ok(remote);
    }
    Ok(Engine::open(configuration, identifier, census, Some(&Hands::default()))?)
}

/// Tells that all was told that had happened before.
fn finished_events(session: &Arc<Shared>) {
    call_delegate(session, |delegate, session| delegate.did_finish_events(session));
}

/// What a download is in a job.
fn download_of(saving: &Saving) -> Work {
    let expected = saving.expected.clone();
    let expected = match &saving.resumed {
        Some(data) => expected.or(data.expected()),
        None => expected,
    };
    Work::Download { place: saving.place.clone(), expected, segments: saving.segments }
}

/// The error of a task that a background session does not take.
fn refused(reason: &str) -> Error {
    Error::new(
        ErrorKind::InvalidRequest,
        format!("a background session does not take it: {reason}"),
    )
}

/// Refuses a configuration of which a field means nothing to another run of the program.
fn check(configuration: &Configuration, identifier: &str, has_delegate: bool) -> Result<(), Error> {
    let refused = |detail: &str| {
        let detail = format!("the background session \"{identifier}\" cannot be made: {detail}");
        Err(Error::new(ErrorKind::InvalidRequest, detail))
    };
    if identifier.is_empty() {
        return refused("its identifier is empty");
    }
    if !has_delegate {
        return refused(
            "it needs a delegate, which is told what happened while the program was away; make it \
             by Session::with_delegate",
        );
    }
    if configuration.resolver.is_some() {
        return refused("a resolver is code, which another run of the program does not have");
    }
    if configuration.credential_storage.as_ref().is_some_and(|own| !own.is_shared()) {
        return refused(
            "a credential_storage of its own lasts no longer than the program; leave the shared one",
        );
    }
    if configuration.cookie_storage.as_ref().is_some_and(|own| !own.is_shared()) {
        return refused(
            "a cookie_storage of its own lasts no longer than the program; leave the shared one",
        );
    }
    Ok(())
}

impl EventSink for Client {
    fn happened(&self, number: u64, task: u64, event: Event) {
        self.tell_event(number, task, event);
    }

    fn ended(&self, job: Job) {
        self.tell_end(job);
    }
}

impl Program for Client {
    fn progress(&self, task: u64, progress: Progress) {
        self.tell_progress(task, progress);
    }

    fn responded(&self, task: u64, response: &Response) {
        if let Some(core) = self.task(task) {
            core.state.lock().seen.responded(response.clone());
        }
    }

    fn challenged(&self, task: Option<u64>, challenge: &Challenge, reply: Reply<Disposition>) {
        self.ask_about(task, challenge, reply);
    }

    fn needs_request(&self, task: u64, reason: NewRequestReason, error: Error) {
        self.ask_for_request(task, reason, error);
    }

    fn may_begin(&self, task: u64, request: Request) {
        self.ask_how_to_begin(task, request);
    }
}
