//! What people see of a background session.

use std::fmt;
use std::time::{Duration, SystemTime};

use crate::error::Error;
use crate::session::{NewRequestReason, Progress, TaskState};

/// Where the transfers of a background session run; see
/// [`Session::background_host`](crate::Session::background_host).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BackgroundHost {
    /// In this program: they stop when it ends, and go on when it makes the session again.
    Program,
    /// In the user's `urlsessiond`: they go on when this program ends.
    #[cfg(all(feature = "daemon", unix))]
    Daemon,
}

impl fmt::Display for BackgroundHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Program => "this program",
            #[cfg(all(feature = "daemon", unix))]
            Self::Daemon => "urlsessiond",
        })
    }
}

/// What a task of a background session waits for.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum WaitsFor {
    /// It failed with this and is tried again.
    Retry(Error),
    /// A connection can be made.
    Connectivity,
    /// There is room on the disk.
    Room,
    /// The folder that its file is to lie in can be written again.
    Place(Error),
    /// The program gives it another request.
    Request(NewRequestReason),
    /// Its [date](crate::Task::set_earliest_begin_date).
    BeginDate(SystemTime),
    /// Its date has come, and the program
    /// [says](crate::Delegate::will_begin_delayed_request) how it begins.
    Disposition,
}

impl fmt::Display for WaitsFor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Retry(cause) => write!(f, "its next attempt, as {cause}"),
            Self::Connectivity => f.write_str("a connection to its host"),
            Self::Room => f.write_str("room on the disk"),
            Self::Place(cause) => write!(f, "its place, as {cause}"),
            Self::BeginDate(_) => f.write_str("its earliest begin date"),
            Self::Disposition => f.write_str("the program to say how it begins"),
            Self::Request(reason) => write!(f, "another request, as {reason}"),
        }
    }
}

/// What a background session is doing; see
/// [`Session::background_report`](crate::Session::background_report).
///
/// `Display` is a table for people, without queries of URLs:
///
/// ```text
/// films: 2 tasks, in this program
///   1  running    12.0 of 40.0 MB  https://shop.test/film.mp4
///   2  running    3.2 of 40.0 MB  https://shop.test/other.mp4
///      waits for its next attempt, as the connection broke, for 00:14
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BackgroundReport {
    /// The identifier of the session.
    pub identifier: String,
    /// Where its transfers run.
    pub host: BackgroundHost,
    /// Its tasks, oldest first.
    pub tasks: Vec<BackgroundTask>,
    /// What of the journal was found damaged when the session was made, in words.
    pub damage: Vec<String>,
}

/// A task in a [`BackgroundReport`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BackgroundTask {
    /// Its [number](crate::Task::id).
    pub id: u64,
    /// The program's own label of it.
    pub description: Option<String>,
    /// Its URL without what may be secret.
    pub url: String,
    /// What it is doing.
    pub state: TaskState,
    /// How far it has come.
    pub progress: Progress,
    /// What it waits for.
    pub waits_for: Option<WaitsFor>,
    /// For how long still, if that is known.
    pub waits_another: Option<Duration>,
}

impl fmt::Display for BackgroundReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tasks = if self.tasks.len() == 1 { "task" } else { "tasks" };
        write!(f, "{}: {} {tasks}, in {}", self.identifier, self.tasks.len(), self.host)?;
        let width = self.tasks.last().map_or(1, |task| task.id.to_string().len());
        for task in &self.tasks {
            write!(f, "\n  {:width$}  {task}", task.id)?;
            if let Some(waits_for) = &task.waits_for {
                write!(f, "\n  {:width$}  waits for {waits_for}", "")?;
                if let Some(left) = task.waits_another {
                    write!(f, ", for {}", Clockwork(left.as_secs()))?;
                }
            }
        }
        for damage in &self.damage {
            write!(f, "\n  damage: {damage}")?;
        }
        Ok(())
    }
}

/// So many seconds as a clock shows them: with hours if there are any.
struct Clockwork(u64);

impl fmt::Display for Clockwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hours, minutes, seconds) = (self.0 / 3600, self.0 / 60 % 60, self.0 % 60);
        match hours {
            0 => write!(f, "{minutes:02}:{seconds:02}"),
            _ => write!(f, "{hours}:{minutes:02}:{seconds:02}"),
        }
    }
}

impl fmt::Display for BackgroundTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            TaskState::Running => "running",
            TaskState::Suspended => "suspended",
            TaskState::Canceling => "canceling",
            TaskState::Completed => "completed",
        };
        let Progress { bytes_sent, bytes_expected_to_send, .. } = self.progress;
        let Progress { bytes_received, bytes_expected_to_receive, .. } = self.progress;
        let (done, all) = match bytes_expected_to_send {
            Some(all @ 1..) => (bytes_sent, Some(all)),
            _ => (bytes_received, bytes_expected_to_receive),
        };
        let megabytes = |bytes: u64| bytes as f64 / 1e6;
        write!(f, "{state:9}  {:.1}", megabytes(done))?;
        if let Some(all) = all {
            write!(f, " of {:.1}", megabytes(all))?;
        }
        write!(f, " MB  {}", self.url)?;
        match &self.description {
            Some(description) => write!(f, "  ({description})"),
            None => Ok(()),
        }
    }
}
