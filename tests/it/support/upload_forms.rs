//! The ways to upload something, all with one outcome.

use std::sync::Arc;
use std::sync::mpsc::channel;

use urlsession::{Body, Data, Error, Request, Session, Task, Update};

use crate::support::running::{HANG, Running};
use crate::support::transfer_log::{Log, Told};

/// A way to upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// `Session::upload`
    Blocking,
    Run,
    Closure,
    Channel,
    Updates,
    Delegate,
}

/// What came of an upload: the status and the body of the answer.
pub(crate) type Outcome = Result<(u16, Vec<u8>), Error>;

/// An upload that goes on, on threads of its own.
pub(crate) struct Uploading {
    /// Not there for a blocking call.
    pub(crate) task: Option<Task>,
    outcome: Running<Outcome>,
}

impl Uploading {
    pub(crate) fn outcome(self) -> Outcome {
        self.outcome.outcome()
    }
}

impl Form {
    pub(crate) const ALL: [Self; 6] =
        [Self::Blocking, Self::Run, Self::Closure, Self::Channel, Self::Updates, Self::Delegate];

    /// Those that make a task.
    pub(crate) const TASKS: [Self; 5] =
        [Self::Run, Self::Closure, Self::Channel, Self::Updates, Self::Delegate];

    /// Uploads in a session with this delegate.
    pub(crate) fn upload(
        self,
        session: &Session,
        log: &Arc<Log>,
        request: Request,
        body: impl Into<Body>,
    ) -> Outcome {
        self.start(session, log, request, body).outcome()
    }

    /// Begins to upload in a session with this delegate.
    pub(crate) fn start(
        self,
        session: &Session,
        log: &Arc<Log>,
        request: Request,
        body: impl Into<Body>,
    ) -> Uploading {
        let (log, body) = (log.clone(), body.into());
        match self {
            Self::Blocking => {
                let session = session.clone();
                let outcome = Running::start(move || session.upload(request, body).map(kept));
                Uploading { task: None, outcome }
            }
            Self::Run => {
                let task = session.upload_task(request, body);
                let handle = Task::clone(&task);
                let outcome = Running::start(move || task.run().map(kept));
                Uploading { task: Some(handle), outcome }
            }
            Self::Closure => {
                let (sender, receiver) = channel();
                let task = session.upload_task_with(request, body, move |outcome| {
                    log.note(Told::Outcome);
                    sender.send(outcome.map(kept)).unwrap();
                });
                let handle = Task::clone(&task.resume());
                let outcome = Running::start(move || receiver.recv_timeout(HANG).unwrap());
                Uploading { task: Some(handle), outcome }
            }
            Self::Channel => {
                let (sender, receiver) = channel();
                let task = session.upload_task_to(request, body, &sender);
                let handle = Task::clone(&task.resume());
                // It has no order with what is told on a queue.
                let outcome = Running::start(move || {
                    let finished = receiver.recv_timeout(HANG).unwrap();
                    assert_eq!(finished.id, task.id());
                    finished.outcome.map(kept)
                });
                Uploading { task: Some(handle), outcome }
            }
            Self::Updates => {
                let task = session.upload_task(request, body);
                let (handle, updates) = (Task::clone(&task), task.updates());
                let outcome = Running::start(move || gathered(updates, &log));
                Uploading { task: Some(handle), outcome }
            }
            Self::Delegate => {
                let task = session.upload_task(request, body);
                let handle = Task::clone(&task.resume());
                let outcome = Running::start(move || told(&task, &log.whole()));
                Uploading { task: Some(handle), outcome }
            }
        }
    }
}

fn kept(data: Data) -> (u16, Vec<u8>) {
    (data.response.status().as_u16(), data.body)
}

/// Takes updates to their end; how much was sent goes to the log, as a delegate would do it.
fn gathered(updates: urlsession::Updates, log: &Log) -> Outcome {
    let (mut status, mut body, mut sent) = (0, Vec::new(), 0);
    for update in updates {
        match update {
            Update::Response(response) => {
                status = response.status().as_u16();
                log.note(Told::Response(status));
            }
            Update::Data(data) => body.extend(data),
            Update::Progress(progress) if progress.bytes_sent != sent => {
                let step = progress.bytes_sent - sent;
                sent = progress.bytes_sent;
                log.note(Told::Sent(step, sent, progress.bytes_expected_to_send));
            }
            Update::Finished(outcome) => return outcome.map(|()| (status, body)),
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
            Told::Data(data) => body.extend(data),
            Told::Completed(kind) => assert_eq!(task.error().map(|error| error.kind()), *kind),
            _ => {}
        }
    }
    task.error().map_or(Ok((status, body)), Err)
}
