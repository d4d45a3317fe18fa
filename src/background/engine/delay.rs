//! Jobs that do not begin before a date.
//!
//! Dates are the wall clock's, which may be set and stands still for nobody: so it is looked at
//! again every minute at least, by the engine's own thread.

use std::time::{Duration, Instant, SystemTime};

use super::{Engine, State, Wait};
use crate::background::job::Job;
use crate::background::report::WaitsFor;
use crate::request::Request;

/// How long the thread sleeps at most while a job waits for its date.
const LOOK_AT_DATE: Duration = Duration::from_secs(60);

impl Engine {
    /// Has a job wait for its date, if it still runs.
    pub(super) fn wait_for_date(&self, task: u64, date: SystemTime) {
        let mut state = self.state.lock();
        if state.ledger.jobs.get(&task).is_some_and(|job| job.is_running()) {
            let wait = Wait { what: WaitsFor::BeginDate(date), until: None };
            let before = state.waiting.insert(task, wait);
            drop(state);
            drop(before);
        }
    }

    /// Asks the program how a job begins whose date has come; without one it does.
    pub(super) fn ask_to_begin(&self, job: &Job) {
        self.waits(job.id, Wait { what: WaitsFor::Disposition, until: None });
        match self.program() {
            Some(program) => program.may_begin(job.id, job.request.clone()),
            None => self.begin(job.id, None),
        }
    }

    /// Has a job begin whose date has come, with another request if there is one.
    pub(super) fn begin(&self, task: u64, request: Option<Request>) {
        self.go_on_with(task, request, |job| job.has_begun = true);
    }
}

impl State {
    /// Has those started whose date has come.
    pub(super) fn start_whose_date_has_come(&mut self, now: SystemTime) {
        let has_come = |wait: &Wait| wait.date().is_some_and(|date| date <= now);
        let due = self.waiting.iter().filter(|(_, wait)| has_come(wait)).map(|(task, _)| *task);
        self.due.extend(due);
        self.waiting.retain(|_, wait| !has_come(wait));
    }

    /// Returns how long to sleep at most, if a job waits for its date.
    pub(super) fn until_next_date(&self, now: SystemTime) -> Option<Duration> {
        let next = self.waiting.values().filter_map(Wait::date).min()?;
        Some(next.duration_since(now).unwrap_or_default().min(LOOK_AT_DATE))
    }
}

impl Wait {
    /// Returns for how long still, if that is known.
    pub(super) fn left(&self, now: Instant, today: SystemTime) -> Option<Duration> {
        match self.date() {
            Some(date) => Some(date.duration_since(today).unwrap_or_default()),
            None => self.until.map(|until| until.saturating_duration_since(now)),
        }
    }

    /// Returns the date that it is for.
    pub(super) fn date(&self) -> Option<SystemTime> {
        match self.what {
            WaitsFor::BeginDate(date) => Some(date),
            _ => None,
        }
    }
}
