//! What the delegate of a transfer is told, written down.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex};

use urlsession::{
    Body, Configuration, Delegate, DeliveryQueue, DownloadTask, DownloadedFile, Error, ErrorKind,
    Progress, Reply, Response, ResponseDisposition, Session, Task,
};

use crate::support::running::HANG;

/// Something that was told.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Told {
    /// Since the last time, in all, of so many.
    Sent(u64, u64, Option<u64>),
    Response(u16),
    Data(Vec<u8>),
    BecameDownload,
    /// Since the last time, in all, of so many.
    Wrote(u64, u64, Option<u64>),
    /// The content of the file.
    Downloaded(Vec<u8>),
    Progress(Progress),
    Completed(Option<ErrorKind>),
    /// A closure has its outcome.
    Outcome,
}

type Bodies = dyn Fn(&Task, Reply<Option<Body>>) + Send + Sync;
type Hook = dyn Fn(&Task, &Told) + Send + Sync;

/// A delegate that writes down what it is told.
#[derive(Default)]
pub(crate) struct Log {
    told: Mutex<Vec<Told>>,
    changed: Condvar,
    /// Where the files were that it was given.
    places: Mutex<Vec<PathBuf>>,
    bodies: Option<Box<Bodies>>,
    hook: Option<Box<Hook>>,
    disposition: Option<ResponseDisposition>,
}

impl Log {
    /// Answers `need_new_body_stream` so.
    pub(crate) fn with_bodies(
        mut self,
        bodies: impl Fn(&Task, Reply<Option<Body>>) + Send + Sync + 'static,
    ) -> Self {
        self.bodies = Some(Box::new(bodies));
        self
    }

    /// Does this after something was written down.
    pub(crate) fn with_hook(mut self, hook: impl Fn(&Task, &Told) + Send + Sync + 'static) -> Self {
        self.hook = Some(Box::new(hook));
        self
    }

    /// Answers `did_receive_response` so.
    pub(crate) fn with_disposition(mut self, disposition: ResponseDisposition) -> Self {
        self.disposition = Some(disposition);
        self
    }

    /// Makes a session whose delegate this is, on a serial queue.
    pub(crate) fn session(self, change: impl FnOnce(&mut Configuration)) -> (Arc<Self>, Session) {
        self.session_on(DeliveryQueue::serial(), change)
    }

    pub(crate) fn session_on(
        self,
        queue: DeliveryQueue,
        change: impl FnOnce(&mut Configuration),
    ) -> (Arc<Self>, Session) {
        let log = Arc::new(self);
        let mut configuration = Configuration::ephemeral();
        change(&mut configuration);
        let session = Session::with_delegate(configuration, log.clone(), queue).unwrap();
        (log, session)
    }

    /// Writes something down.
    pub(crate) fn note(&self, told: Told) {
        self.told.lock().unwrap().push(told);
        self.changed.notify_all();
    }

    fn note_of(&self, task: &Task, told: Told) {
        self.note(told.clone());
        if let Some(hook) = &self.hook {
            hook(task, &told);
        }
    }

    /// Waits until `reached`, and returns what was told up to then.
    pub(crate) fn wait_until(&self, reached: impl Fn(&[Told]) -> bool) -> Vec<Told> {
        let told = self.told.lock().unwrap();
        let waited = self.changed.wait_timeout_while(told, HANG, |told| !reached(told)).unwrap();
        assert!(!waited.1.timed_out(), "told so far: {:?}", *waited.0);
        waited.0.clone()
    }

    /// Waits for the completion, and returns all that was told.
    pub(crate) fn whole(&self) -> Vec<Told> {
        self.wait_until(|told| matches!(told.last(), Some(Told::Completed(_))))
    }

    /// Returns what was told so far, and forgets it.
    pub(crate) fn take(&self) -> Vec<Told> {
        std::mem::take(&mut *self.told.lock().unwrap())
    }

    pub(crate) fn places(&self) -> Vec<PathBuf> {
        self.places.lock().unwrap().clone()
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&*self.told.lock().unwrap()).finish()
    }
}

impl Delegate for Log {
    fn need_new_body_stream(&self, task: &Task, reply: Reply<Option<Body>>) {
        if let Some(bodies) = &self.bodies {
            bodies(task, reply);
        }
    }

    fn did_send_body_data(&self, task: &Task, sent: u64, total: u64, expected: Option<u64>) {
        self.note_of(task, Told::Sent(sent, total, expected));
    }

    fn did_make_progress(&self, task: &Task, progress: Progress) {
        self.note_of(task, Told::Progress(progress));
    }

    fn did_receive_response(
        &self,
        task: &Task,
        response: &Response,
        reply: Reply<ResponseDisposition>,
    ) {
        self.note_of(task, Told::Response(response.status().as_u16()));
        if let Some(disposition) = self.disposition {
            reply.answer(disposition);
        }
    }

    fn did_receive_data(&self, task: &Task, data: Vec<u8>) {
        self.note_of(task, Told::Data(data));
    }

    fn did_become_download(&self, task: &Task, download: &DownloadTask) {
        assert_eq!(task, &**download);
        self.note_of(task, Told::BecameDownload);
    }

    fn did_write_data(&self, task: &Task, written: u64, total: u64, expected: Option<u64>) {
        self.note_of(task, Told::Wrote(written, total, expected));
    }

    fn did_finish_downloading(&self, task: &Task, file: DownloadedFile) {
        let content = std::fs::read(file.path()).unwrap();
        assert_eq!(content.len() as u64, file.len());
        self.places.lock().unwrap().push(file.path().to_owned());
        self.note_of(task, Told::Downloaded(content));
    }

    fn did_complete(&self, task: &Task, error: Option<&Error>) {
        self.note_of(task, Told::Completed(error.map(Error::kind)));
    }
}

/// Leaves out what tells of progress.
pub(crate) fn without_progress(told: &[Told]) -> Vec<Told> {
    let is_progress =
        |told: &Told| matches!(told, Told::Progress(_) | Told::Sent(..) | Told::Wrote(..));
    told.iter().filter(|told| !is_progress(told)).cloned().collect()
}

/// Sees that steps of a progress add up to their totals, and returns the last total.
pub(crate) fn adds_up(steps: impl IntoIterator<Item = (u64, u64)>, case: &str) -> u64 {
    steps.into_iter().fold(0, |before, (step, total)| {
        assert!(step > 0, "{case}");
        assert_eq!(before + step, total, "{case}");
        total
    })
}

/// What was told of sending: since the last time, in all.
pub(crate) fn sent(told: &[Told]) -> Vec<(u64, u64)> {
    let steps = told.iter().filter_map(|told| match told {
        Told::Sent(step, total, _) => Some((*step, *total)),
        _ => None,
    });
    steps.collect()
}

/// What was told of writing: since the last time, in all.
pub(crate) fn wrote(told: &[Told]) -> Vec<(u64, u64)> {
    let steps = told.iter().filter_map(|told| match told {
        Told::Wrote(step, total, _) => Some((*step, *total)),
        _ => None,
    });
    steps.collect()
}
