//! Jobs: what an engine knows of each task.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use crate::download::{Expected, StartOver};
use crate::error::Error;
use crate::files::Existing;
use crate::request::Request;
use crate::response::Response;
use crate::session::{Progress, Schedule};

/// One task, as it stands in the journal.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) id: u64,
    pub(super) request: Request,
    /// Secret headers that the request had, and which were not written down.
    pub(super) omitted: Vec<String>,
    pub(super) work: Work,
    pub(super) description: Option<String>,
    pub(super) priority: f32,
    pub(super) schedule: Schedule,
    /// The program was asked how it begins, when its date had come.
    pub(super) has_begun: bool,
    pub(super) phase: Phase,
    /// How much of the time for the whole task is over. Only what passes while it is hosted counts.
    pub(super) spent: Duration,
    /// A byte of the upload may have gone to a server that has not answered.
    pub(super) may_have_sent: bool,
    /// The head of the last answer whose body was received.
    pub(super) response: Option<Response>,
}

/// What a task does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Work {
    Download {
        /// Where the file is to lie in the end.
        place: Option<(PathBuf, Existing)>,
        expected: Expected,
        /// In how many parts it may come at once.
        segments: usize,
    },
    /// Of a file that was taken into the spool.
    Upload { length: u64 },
}

/// How far it has come.
#[derive(Clone, Debug)]
pub(super) enum Phase {
    /// It was never resumed, or is suspended.
    Suspended,
    Running,
    /// It stays until all that it brings was taken.
    Ended(Ending),
}

/// The end of a task.
#[derive(Clone, Debug)]
pub(super) struct Ending {
    /// The number of the event.
    pub(super) number: u64,
    pub(super) outcome: Outcome,
    /// The program has heard of it.
    pub(super) is_told: bool,
    /// The program has its file.
    pub(super) is_taken: bool,
}

/// What a task has brought.
#[derive(Clone, Debug)]
pub(super) enum Outcome {
    /// The file is whole, with so many bytes.
    File(u64),
    /// The server has answered an upload; so many bytes of its answer are in the spool.
    Answer(u64),
    Failed(Error),
}

/// Something that happened to a task on its way.
#[derive(Clone, Debug)]
pub(super) enum Event {
    /// A redirect has led to this URL.
    Moved {
        response: Response,
        to: String,
    },
    Resumed {
        offset: u64,
        total: Option<u64>,
    },
    StartedOver(StartOver),
    WillRetry {
        attempt: u32,
        delay: Duration,
        cause: Error,
    },
}

impl Job {
    /// Whether nothing has to be known of it any more.
    pub(super) fn is_over(&self) -> bool {
        matches!(&self.phase, Phase::Ended(ending) if ending.is_told && ending.is_taken)
    }

    /// Returns the date that has to come before it begins.
    pub(super) fn waits_until(&self) -> Option<SystemTime> {
        self.schedule.begins.filter(|_| !self.has_begun)
    }

    pub(super) fn is_running(&self) -> bool {
        matches!(self.phase, Phase::Running)
    }

    pub(super) fn ending(&self) -> Option<&Ending> {
        match &self.phase {
            Phase::Ended(ending) => Some(ending),
            Phase::Suspended | Phase::Running => None,
        }
    }

    pub(super) fn is_upload(&self) -> bool {
        matches!(self.work, Work::Upload { .. })
    }

    /// Whether sending it once more does no harm, although a server may have acted on it.
    pub(super) fn may_repeat(&self) -> bool {
        self.request.is_repeatable()
            || self.request.method().is_idempotent()
            || self.request.headers().contains("idempotency-key")
    }

    /// Whether something may have gone that must not go once more.
    pub(super) fn may_not_go_twice(&self) -> bool {
        self.may_have_sent && !self.may_repeat()
    }

    /// How far a task has come that has ended.
    pub(super) fn progress(&self) -> Progress {
        let (received, sent) = match (&self.work, self.ending().map(|ending| &ending.outcome)) {
            (Work::Download { .. }, Some(Outcome::File(length))) => (*length, 0),
            (Work::Upload { length }, Some(Outcome::Answer(received))) => (*received, *length),
            _ => (0, 0),
        };
        let to_send = match self.work {
            Work::Upload { length } => length,
            Work::Download { .. } => 0,
        };
        let is_whole = received > 0 || sent > 0;
        let mut progress = Progress::default();
        (progress.bytes_sent, progress.bytes_expected_to_send) = (sent, Some(to_send));
        progress.bytes_received = received;
        progress.bytes_expected_to_receive = is_whole.then_some(received);
        progress
    }
}
