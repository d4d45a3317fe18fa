//! Starting the transfer of a job.

use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::courier::{Courier, OfAll};
use super::verdict::{self, Start};
use super::{Engine, Wait};
use crate::background::job::{Event, Job, Outcome, Work};
use crate::background::report::WaitsFor;
use crate::body::Body;
use crate::delivery::DeliveryQueue;
use crate::download::{self, StartOver};
use crate::error::{Error, ErrorKind, Stage};
use crate::log;
use crate::session::{NewRequestReason, Session, Task};

/// A transfer of a job that is under way.
pub(super) struct Attempt {
    transfer: Task,
    /// Since when its time runs, unless it is suspended.
    since: Option<Instant>,
    /// What has come of the answer to an upload.
    pub(super) answer: Vec<u8>,
    /// What it was cancelled for, if not because somebody wished it.
    why: Option<Error>,
}

impl Attempt {
    pub(super) fn transfer(&self) -> Task {
        self.transfer.clone()
    }

    pub(super) fn resume(&mut self, now: Instant) -> Task {
        self.since.get_or_insert(now);
        self.transfer()
    }

    /// Returns how long it has run.
    pub(super) fn suspend(&mut self, now: Instant) -> (Task, Duration) {
        (self.transfer(), self.spent(now))
    }

    /// Takes how long it has run.
    pub(super) fn spent(&mut self, now: Instant) -> Duration {
        self.since.take().map_or(Duration::ZERO, |since| now.saturating_duration_since(since))
    }

    pub(super) fn cancel(&mut self, why: Option<Error>) -> Task {
        self.why = why;
        self.transfer()
    }

    pub(super) fn why(&mut self) -> Option<Error> {
        self.why.take()
    }
}

impl Engine {
    /// Decides about a job whose turn it is to be started.
    pub(super) fn look_at(&self, task: u64) -> Option<(u64, Start)> {
        let state = self.state.lock();
        let job = state.ledger.jobs.get(&task)?;
        let is_free = !state.running.contains_key(&task) && !state.is_closed;
        if !job.is_running() || !is_free {
            return None;
        }
        let job = job.clone();
        drop(state);
        let whole = job.request.timeout_for_resource_or(self.configuration.timeout_for_resource);
        let is_there = fs::symlink_metadata(self.finished(task)).is_ok_and(|found| found.is_file());
        let left = whole.saturating_sub(job.spent);
        let decision = verdict::start(&job, left, is_there, self.date());
        Some((task, decision))
    }

    /// Does what was decided.
    pub(super) fn start(&self, task: u64, decision: Start) {
        let Some(job) = self.state.lock().ledger.jobs.get(&task).cloned() else { return };
        let job = &*job;
        match decision {
            Start::Transfer(left) => {
                if let Err(error) = self.transfer(job, left) {
                    self.end(job.id, Outcome::Failed(error.at(Stage::Preparing)));
                }
            }
            Start::IsThere => self.take_what_is_there(job),
            Start::IsEarly(date) => self.wait_for_date(job.id, date),
            Start::MayBegin => self.ask_to_begin(job),
            Start::NeedsSecrets => {
                self.ask_for_request(job.id, NewRequestReason::SecretsLost, None)
            }
            Start::IsLate => self.end(job.id, Outcome::Failed(late())),
            Start::MustNotBeRepeated => self.end(job.id, Outcome::Failed(interrupted(job))),
        }
    }

    /// A file lies where that of a job comes to, right before a crash: it is compared once more
    /// with what is known of it, and has to come anew if it is not that.
    fn take_what_is_there(&self, job: &Job) {
        let (Work::Download { expected, .. }, path) = (&job.work, self.finished(job.id)) else {
            return;
        };
        let flaw = download::flaw(&path, expected, job.response.as_ref()).unwrap_or_else(|error| {
            log::warn!("{} cannot be read: {error}", path.display());
            Some(StartOver::Lost)
        });
        let Some(reason) = flaw else {
            download::tidy(&path);
            return self.is_there(job.id);
        };
        download::forget_all(&path);
        self.happened(job.id, Event::StartedOver(reason));
        let mut state = self.state.lock();
        state.due.push_back(job.id);
        self.wake(state);
    }

    /// Has a job transferred, for so long at most.
    fn transfer(&self, job: &Job, left: Duration) -> Result<(), Error> {
        if let Some(error) = self.is_place_taken(job) {
            return Err(error);
        }
        let transfers = self.transfers()?;
        let request = job.request.clone().without_task_key().timeout_for_resource(left);
        let task: Task = match &job.work {
            Work::Download { expected, segments, .. } => {
                let task = transfers.download_task(request);
                download::readdress(&self.finished(job.id), &job.request, &self.census)?;
                // It comes to a folder that is this engine's alone.
                task.save_over(self.finished(job.id))?;
                task.resumable(true)?;
                task.segments(*segments)?;
                task.expects(expected.clone())?;
                task.into()
            }
            Work::Upload { length } => {
                self.folder.spool().check(job.id, *length)?;
                let body = Body::file(self.folder.spool().body(job.id));
                let (engine, id) = (self.me.clone(), job.id);
                let request = request.asks_before_sending(move || match engine.upgrade() {
                    Some(engine) => engine.note_sending(id),
                    None => Err(Error::cancelled()),
                });
                transfers.upload_task(request, body).into()
            }
        };
        task.set_delegate(Courier::of(&self.me, job.id))?;
        task.set_priority(job.priority);
        let attempt = Attempt {
            transfer: task.clone(),
            since: Some(self.now()),
            answer: Vec::new(),
            why: None,
        };
        let mut state = self.state.lock();
        let is_wanted = state.ledger.jobs.get(&job.id).is_some_and(|job| job.is_running());
        if !is_wanted || state.is_closed {
            return Ok(());
        }
        state.running.insert(job.id, attempt);
        drop(state);
        let _ = task.resume();
        Ok(())
    }

    /// Returns the session that runs the transfers.
    fn transfers(&self) -> Result<&Session, Error> {
        if let Some(transfers) = self.transfers.get() {
            return Ok(transfers);
        }
        let mut configuration = self.configuration.clone();
        configuration.identifier = None;
        configuration.waits_for_connectivity = true;
        configuration.retry_policy = verdict::retries(&configuration.retry_policy);
        let delegate = Arc::new(OfAll(self.me.clone()));
        let queue = DeliveryQueue::inline();
        let session = Session::counted_with(configuration, delegate, queue, &self.census)?;
        Ok(self.transfers.get_or_init(|| session))
    }

    /// Asks the program for another request.
    pub(super) fn ask_for_request(
        &self,
        task: u64,
        reason: NewRequestReason,
        error: Option<Error>,
    ) {
        self.waits(task, Wait { what: WaitsFor::Request(reason), until: None });
        let error = error.unwrap_or_else(|| {
            let detail =
                "what was secret in its request is not written down, and was not given anew";
            Error::new(ErrorKind::ResourceUnavailable, detail)
        });
        if let Some(program) = self.program() {
            program.needs_request(task, reason, error);
        }
    }
}

/// The error of a job without time left.
fn late() -> Error {
    let detail = "the task timed out: its timeout_for_resource is over";
    Error::new(ErrorKind::TimedOut, detail)
}

/// The error of an upload that may have been sent before.
pub(super) fn interrupted(job: &Job) -> Error {
    let detail = format!(
        "the upload was interrupted after some of it may have been sent, and a {} is not sent twice \
         unless its request says may_repeat or has an Idempotency-Key",
        job.request.method()
    );
    let error = Error::new(ErrorKind::UploadInterrupted, detail).at(Stage::Sending);
    job.request.url().into_iter().fold(error, Error::on)
}
