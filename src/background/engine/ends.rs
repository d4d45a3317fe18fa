//! What happens to jobs on their way, and how they end.

use std::time::Duration;

use super::attempt::{Attempt, interrupted};
use super::verdict::{self, Next};
use super::{Engine, State, Wait};
use crate::background::job::{Ending, Event, Job, Outcome, Phase, Work};
use crate::background::ledger;
use crate::background::report::WaitsFor;
use crate::download;
use crate::error::{Error, ErrorKind, Stage};
use crate::files::private;
use crate::response::Response;
use crate::sync::MutexGuard;

impl Engine {
    /// Something happened to a transfer.
    pub(super) fn happened(&self, task: u64, event: Event) {
        let mut state = self.state.lock();
        if !state.ledger.jobs.contains_key(&task) {
            return;
        }
        let number = state.ledger.next_event();
        state.ledger.happened(number, task, event.clone());
        self.write(&mut state, ledger::event(number, task, &event), false);
        drop(state);
        if let Some(program) = self.program() {
            program.happened(number, task, event);
        }
    }

    /// A transfer waits to be tried again.
    pub(super) fn waits_to_retry(&self, task: u64, delay: Duration, cause: &Error) {
        let until = self.now().checked_add(delay);
        self.waits(task, Wait { what: WaitsFor::Retry(cause.clone()), until });
    }

    /// A transfer waits for a connection.
    pub(super) fn waits_for_network(&self, task: u64) {
        self.waits(task, Wait { what: WaitsFor::Connectivity, until: None });
    }

    pub(super) fn waits(&self, task: u64, wait: Wait) {
        // What was said of it before may be the program's to drop.
        let before = self.state.lock().waiting.insert(task, wait);
        drop(before);
    }

    pub(super) fn waits_no_more(&self, task: u64) {
        let before = self.state.lock().waiting.remove(&task);
        drop(before);
    }

    /// The head of an answer has come.
    pub(super) fn answered(&self, task: u64, response: &Response) {
        let mut state = self.state.lock();
        let Some(job) = state.ledger.jobs.get_mut(&task) else { return };
        job.response = Some(response.clone());
        self.note(&mut state, task, false);
        drop(state);
        if let Some(program) = self.program() {
            program.responded(task, response);
        }
    }

    /// A piece of the answer to an upload has come.
    pub(super) fn take_answer(&self, task: u64, data: Vec<u8>) -> Result<(), Error> {
        let most = self.configuration.maximum_body_in_memory;
        let mut state = self.state.lock();
        let Some(attempt) = state.running.get_mut(&task) else { return Ok(()) };
        attempt.answer.extend_from_slice(&data);
        if attempt.answer.len() as u64 > most {
            let detail = format!(
                "the answer to an upload has more than {most} bytes, which is the session's \
                 maximum_body_in_memory"
            );
            let error = Error::new(ErrorKind::DataLengthExceedsMaximum, detail);
            attempt.cancel(Some(error.clone()));
            return Err(error);
        }
        Ok(())
    }

    /// A transfer is over.
    pub(super) fn transferred(&self, task: u64, error: Option<&Error>) {
        self.waits_no_more(task);
        let Some((job, mut attempt)) = self.end_attempt(task, error.is_some()) else { return };
        let Some(error) = error else { return self.succeeded(&job, &attempt.answer) };
        if error.is_cancelled() {
            let why = attempt.why().unwrap_or_else(|| error.clone());
            return self.end(task, Outcome::Failed(why));
        }
        match verdict::next(&job, error) {
            Next::Fails => self.end(task, Outcome::Failed(error.clone())),
            Next::IsInterrupted => self.end(task, Outcome::Failed(interrupted(&job))),
            Next::NeedsRequest(reason) => self.ask_for_request(task, reason, Some(error.clone())),
            Next::WaitsForRoom => {
                self.waits(task, Wait { what: WaitsFor::Room, until: None });
                let mut state = self.state.lock();
                self.note(&mut state, task, false);
                self.wake(state);
            }
        }
    }

    /// Takes the transfer of a job that is over.
    fn end_attempt(&self, task: u64, has_failed: bool) -> Option<(Job, Attempt)> {
        let now = self.now();
        let mut state = self.state.lock();
        if state.is_closed || !state.ledger.jobs.contains_key(&task) {
            return None;
        }
        let mut attempt = state.running.remove(&task)?;
        let job = state.ledger.jobs.get_mut(&task)?;
        job.spent += attempt.spent(now);
        // Whatever was sent before, it was answered.
        job.may_have_sent &= has_failed;
        Some((Job::clone(job), attempt))
    }

    /// All of it was transferred.
    fn succeeded(&self, job: &Job, answer: &[u8]) {
        match &job.work {
            Work::Download { .. } => self.is_there(job.id),
            Work::Upload { .. } => {
                let path = self.folder.spool().answer(job.id);
                let beside = path.with_extension("new");
                let written = if answer.is_empty() {
                    Ok(())
                } else {
                    private::replace(&path, &beside, answer)
                };
                match written {
                    Ok(()) => self.end(job.id, Outcome::Answer(answer.len() as u64)),
                    Err(error) => self.end(job.id, Outcome::Failed(error.at(Stage::Receiving))),
                }
            }
        }
    }

    /// The file of a download is whole.
    pub(super) fn is_there(&self, task: u64) {
        match std::fs::metadata(self.finished(task)) {
            Ok(found) => self.end(task, Outcome::File(found.len())),
            Err(error) => {
                let detail = "the downloaded file has vanished from the folder of its session";
                let error = Error::new(ErrorKind::FileDoesNotExist, detail).by_system(error);
                self.end(task, Outcome::Failed(error));
            }
        }
    }

    /// Ends a job; the program hears of it once that is on the disk.
    pub(super) fn end(&self, task: u64, outcome: Outcome) {
        let outcome = match outcome {
            // What has come goes with the task.
            Outcome::Failed(error) => Outcome::Failed(error.without_resume_data()),
            outcome => outcome,
        };
        self.end_locked(self.state.lock(), task, outcome);
    }

    /// The same, decided under the lock: from then on nothing of it is started.
    pub(super) fn end_locked(&self, mut state: MutexGuard<'_, State>, task: u64, outcome: Outcome) {
        let has_failed = matches!(outcome, Outcome::Failed(_));
        let number = state.ledger.next_event();
        match state.ledger.jobs.get_mut(&task) {
            Some(job) if job.ending().is_none() => {
                let is_taken = !matches!(outcome, Outcome::File(_));
                job.phase = Phase::Ended(Ending { number, outcome, is_told: false, is_taken });
            }
            _ => {
                drop(state);
                drop(outcome);
                return;
            }
        }
        // One that was begun anew by a resume in between.
        let stray = state.running.remove(&task);
        // The thread may have its file wait for its place as soon as the lock is given up.
        let waited = state.waiting.remove(&task);
        self.note(&mut state, task, true);
        state.untold.push(task);
        let is_taken = state.interrupted.contains(&task);
        self.wake(state);
        drop(waited);
        if let Some(attempt) = stray {
            attempt.transfer().cancel();
        }
        if has_failed && !is_taken {
            // What was there of it is nobody's any more.
            download::forget_all(&self.finished(task));
        }
    }

    /// The program has heard of something that happened.
    pub(super) fn heard(&self, number: u64) {
        let mut state = self.state.lock();
        let heard = state.ledger.heard(number);
        if heard.is_some() {
            self.write(&mut state, ledger::told(number), false);
        }
        drop(state);
        drop(heard);
    }

    /// Forgets a job of which the program has all.
    pub(super) fn settle(&self, task: u64, change: impl FnOnce(&mut Ending)) {
        let mut state = self.state.lock();
        let Some(job) = state.ledger.jobs.get_mut(&task) else { return };
        if let Phase::Ended(ending) = &mut job.phase {
            change(ending);
        }
        if !job.is_over() {
            return self.note(&mut state, task, false);
        }
        let gone = state.ledger.forget(task);
        state.interrupted.remove(&task);
        self.write(&mut state, ledger::gone(task), false);
        drop(state);
        let ending = gone.0.as_ref().and_then(|job| job.ending());
        if ending.is_some_and(|ending| matches!(ending.outcome, Outcome::Failed(_))) {
            // A transfer that was cancelled may have come to its file after that.
            download::forget_all(&self.finished(task));
        }
        drop(gone);
        self.clear(task);
    }

    /// Removes what a job has in the spool.
    pub(super) fn clear(&self, task: u64) {
        self.folder.spool().clear(task);
    }
}
