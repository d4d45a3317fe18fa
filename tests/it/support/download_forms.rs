//! The ways to download something, all with one outcome.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use urlsession::{Download, DownloadTask, DownloadedFile, Error, Request, Session, Task, Update};

use crate::support::running::{HANG, Running};
use crate::support::transfer_log::{Log, Told};

/// A way to download.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// `Session::download`, `Session::download_to`
    Blocking,
    Run,
    Closure,
    Channel,
    Updates,
    Delegate,
}

/// What came of a download: the status, and what was in the file when it was handed over.
pub(crate) type Outcome = Result<(u16, Vec<u8>), Error>;

/// A download that goes on, on threads of its own.
pub(crate) struct Downloading {
    /// Not there for a blocking call.
    pub(crate) task: Option<Task>,
    outcome: Running<Outcome>,
}

impl Downloading {
    pub(crate) fn outcome(self) -> Outcome {
        self.outcome.outcome()
    }

    /// Whether it goes on, a moment later.
    pub(crate) fn is_running(&self) -> bool {
        self.outcome.is_running_after(Duration::from_millis(10))
    }
}

impl Form {
    pub(crate) const ALL: [Self; 6] =
        [Self::Blocking, Self::Run, Self::Closure, Self::Channel, Self::Updates, Self::Delegate];

    /// Downloads in a session with this delegate, to a place if there is one.
    pub(crate) fn download(
        self,
        session: &Session,
        log: &Arc<Log>,
        request: Request,
        place: Option<&Path>,
    ) -> Outcome {
        self.start(session, log, request, place).outcome()
    }

    /// Begins to download in a session with this delegate.
    pub(crate) fn start(
        self,
        session: &Session,
        log: &Arc<Log>,
        request: Request,
        place: Option<&Path>,
    ) -> Downloading {
        let (task, outcome) = self.begin(session, log, request, place);
        Downloading { task, outcome }
    }

    fn begin(
        self,
        session: &Session,
        log: &Arc<Log>,
        request: Request,
        place: Option<&Path>,
    ) -> (Option<Task>, Running<Outcome>) {
        let named = |task: DownloadTask| {
            if let Some(place) = place {
                task.save_to(place).unwrap();
            }
            (Task::clone(&task), task)
        };
        match self {
            Self::Blocking => {
                let (session, place) = (session.clone(), place.map(Path::to_owned));
                let outcome = Running::start(move || match place {
                    Some(place) => session.download_to(request, place).map(kept),
                    None => session.download(request).map(kept),
                });
                (None, outcome)
            }
            Self::Run => {
                let (handle, task) = named(session.download_task(request));
                (Some(handle), Running::start(move || task.run().map(kept)))
            }
            Self::Closure => {
                let (sender, receiver) = channel();
                let completion = move |outcome: Result<Download, Error>| {
                    sender.send(outcome.map(kept)).unwrap();
                };
                let (handle, task) = named(session.download_task_with(request, completion));
                task.resume();
                (Some(handle), Running::start(move || receiver.recv_timeout(HANG).unwrap()))
            }
            Self::Channel => {
                let (sender, receiver) = channel();
                let (handle, task) = named(session.download_task_to(request, &sender));
                task.resume();
                let outcome =
                    Running::start(move || receiver.recv_timeout(HANG).unwrap().outcome.map(kept));
                (Some(handle), outcome)
            }
            Self::Updates => {
                let (handle, task) = named(session.download_task(request));
                let updates = task.updates();
                (Some(handle), Running::start(move || gathered(updates)))
            }
            Self::Delegate => {
                let (handle, task) = named(session.download_task(request));
                task.resume();
                let log = log.clone();
                (Some(handle), Running::start(move || told(&task, &log.whole())))
            }
        }
    }
}

fn content(file: &DownloadedFile) -> Vec<u8> {
    let content = fs::read(file.path()).unwrap();
    assert_eq!(content.len() as u64, file.len());
    content
}

fn kept(download: Download) -> (u16, Vec<u8>) {
    (download.response.status().as_u16(), content(&download.file))
}

fn gathered(updates: urlsession::Updates) -> Outcome {
    let (mut status, mut body) = (0, None);
    for update in updates {
        match update {
            Update::Response(response) => status = response.status().as_u16(),
            Update::Downloaded(file) => body = Some(content(&file)),
            Update::Finished(outcome) => {
                assert_eq!(outcome.is_ok(), body.is_some());
                return outcome.map(|()| (status, body.unwrap()));
            }
            Update::Data(_) => panic!("the body goes to the file"),
            _ => {}
        }
    }
    panic!("the updates end without an end");
}

/// Puts together what the delegate was told.
fn told(task: &Task, told: &[Told]) -> Outcome {
    let (mut status, mut body) = (0, Vec::new());
    for told in told {
        match told {
            Told::Response(answered) => status = *answered,
            Told::Downloaded(content) => body = content.clone(),
            Told::Data(_) => panic!("the body goes to the file"),
            _ => {}
        }
    }
    task.error().map_or(Ok((status, body)), Err)
}
