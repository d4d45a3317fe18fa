//! Bringing files to the places that the program wants them at, and what lies in the folder of the
//! session without belonging to a job.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::{Engine, Hands, PATIENCE, Wait};
use crate::background::job::{Job, Outcome, Phase, Work};
use crate::background::report::WaitsFor;
use crate::download;
use crate::error::{Error, ErrorKind};
use crate::files::{DownloadedFile, Existing, Target};
use crate::log;

/// What has become of a file that was to come to its place.
enum Placing {
    /// It has none to come to, or is there.
    Done,
    /// It cannot.
    Fails(Error),
    /// It can later.
    Waits(Error),
}

impl Engine {
    /// Whether something is at the place of a download already that it must not replace.
    pub(super) fn is_place_taken(&self, job: &Job) -> Option<Error> {
        let Work::Download { place: Some((place, existing)), .. } = &job.work else { return None };
        let error = Target::new(place, *existing, &self.census).err()?;
        is_final(&error).then_some(error)
    }

    /// Brings the file of a download to its place, if it has one and is not there; returns the job
    /// as it is then, unless it waits.
    pub(super) fn place(&self, job: Job) -> Option<Job> {
        let (Phase::Ended(ending), Work::Download { place: Some((place, existing)), .. }) =
            (&job.phase, &job.work)
        else {
            return Some(job);
        };
        if ending.is_taken || !matches!(ending.outcome, Outcome::File(_)) {
            return Some(job);
        }
        match self.bring(job.id, place, *existing) {
            Placing::Done => self.change_ending(job.id, None),
            Placing::Fails(error) => {
                download::forget_all(&self.finished(job.id));
                self.change_ending(job.id, Some(error))
            }
            Placing::Waits(error) => {
                log::info!("the file of task {} waits for its place: {error}", job.id);
                let until = self.now().checked_add(PATIENCE);
                self.waits(job.id, Wait { what: WaitsFor::Place(error), until });
                None
            }
        }
    }

    fn bring(&self, task: u64, place: &Path, existing: Existing) -> Placing {
        let finished = self.finished(task);
        let Some(mut file) = DownloadedFile::found(finished.clone(), &self.census) else {
            // It was moved right before a crash.
            return match place.is_file() {
                true => Placing::Done,
                false => Placing::Fails(vanished()),
            };
        };
        let moved = match existing {
            Existing::Refuse => file.persist(place),
            Existing::Replace => file.persist_over(place),
        };
        match moved {
            Ok(()) => Placing::Done,
            // It was copied to another volume right before a crash.
            Err(error)
                if error.kind() == ErrorKind::FileAlreadyExists
                    && are_equal(&finished, place).unwrap_or(false) =>
            {
                file.discard();
                Placing::Done
            }
            Err(error) if is_final(&error) => Placing::Fails(error),
            Err(error) => Placing::Waits(error),
        }
    }

    /// Notes that the file of a job is at its place, or why it will never be.
    fn change_ending(&self, task: u64, failure: Option<Error>) -> Option<Job> {
        let mut state = self.state.lock();
        let job = state.ledger.jobs.get_mut(&task)?;
        if let Phase::Ended(ending) = &mut job.phase {
            ending.is_taken = true;
            if let Some(error) = failure {
                ending.outcome = Outcome::Failed(error);
            }
        }
        let job = Job::clone(job);
        self.note(&mut state, task, false);
        Some(job)
    }

    /// Removes what lies in the folder of the session and belongs to no job, and finds again what
    /// does; before anything runs. Without its program that is only what no program can need.
    pub(super) fn reconcile(&self, hands: Option<&Hands>) {
        let state = self.state.lock();
        let known: Vec<u64> = state.ledger.jobs.keys().copied().collect();
        let has_failed = |job: &Job| {
            job.ending().is_some_and(|ending| matches!(ending.outcome, Outcome::Failed(_)))
        };
        let failed = state.ledger.jobs.values().filter(|job| has_failed(job)).map(|job| job.id);
        let failed: Vec<u64> = failed.collect();
        let last = state.ledger.last_task();
        drop(state);
        let may_come = |task| hands.map_or(task > last, |hands| hands.coming.contains(&task));
        self.folder.sweep(&|task| known.binary_search(&task).is_ok() || may_come(task));
        // A transfer that was ended may have come to its file before it came to stop.
        failed.iter().for_each(|task| download::forget_all(&self.finished(*task)));
        if let Some(hands) = hands {
            self.meet(hands);
        }
    }

    /// Takes back what a program before this one was about to take, and removes what it was about
    /// to give.
    pub(in crate::background) fn meet(&self, hands: &Hands) {
        let state = self.state.lock();
        let is_untaken = |job: &Job| {
            job.ending().is_some_and(|ending| {
                !ending.is_taken && !matches!(ending.outcome, Outcome::Failed(_))
            })
        };
        let untaken = state.ledger.jobs.values().filter(|job| is_untaken(job)).map(|job| job.id);
        let untaken: Vec<u64> = untaken.filter(|task| !hands.held.contains(task)).collect();
        let last = state.ledger.last_task();
        drop(state);
        self.folder.spool().sweep_beyond(last, &hands.coming);
        untaken.iter().for_each(|task| DownloadedFile::take_back(&self.finished(*task)));
        self.settle_what_was_taken(&untaken);
    }

    /// Forgets those whose end the program has heard of, and whose file it has taken after its
    /// session was invalid.
    fn settle_what_was_taken(&self, untaken: &[u64]) {
        for task in untaken.iter().filter(|task| !self.finished(**task).exists()) {
            let is_taken = {
                let state = self.state.lock();
                state.ledger.jobs.get(task).is_some_and(|job| {
                    let has_place = matches!(&job.work, Work::Download { place: Some(_), .. });
                    !has_place && job.ending().is_some_and(|ending| ending.is_told)
                })
            };
            if is_taken {
                self.settle(*task, |ending| ending.is_taken = true);
            }
        }
    }
}

/// Whether no time changes that a file cannot come to its place.
fn is_final(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::FileAlreadyExists | ErrorKind::FileIsDirectory)
}

fn vanished() -> Error {
    let detail = "the downloaded file has vanished from the folder of its session";
    Error::new(ErrorKind::FileDoesNotExist, detail)
}

/// Whether two files have the same bytes.
fn are_equal(one: &Path, other: &Path) -> io::Result<bool> {
    let (mut one, mut other) = (File::open(one)?, File::open(other)?);
    if one.metadata()?.len() != other.metadata()?.len() {
        return Ok(false);
    }
    let (mut left, mut right) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    loop {
        let count = one.read(&mut left)?;
        if count == 0 {
            return Ok(true);
        }
        if other.read_exact(&mut right[..count]).is_err() || left[..count] != right[..count] {
            return Ok(false);
        }
    }
}
