//! What the host tells, brought to the delegates of a task, and acknowledged.

use std::sync::Arc;

use super::Client;
use crate::background::host::{Command, Host, Program};
use crate::background::job::{Event, Job, Outcome, Work};
use crate::download;
use crate::error::Error;
use crate::files::{Custody, DownloadedFile};
use crate::log;
use crate::response::Response;
use crate::retry::Retry;
use crate::session::{Completion, Core, Delegate, Download, Product, Progress, Task};

/// How much of an answer is told at a time.
const PIECE: usize = 64 * 1024;

/// Tells the host that the program has taken the file of a task.
struct Taken {
    host: Arc<dyn Host>,
    task: u64,
}

impl Custody for Taken {
    fn is_open(&self) -> bool {
        self.host.is_open()
    }

    fn taken(&self) {
        self.host.obey(Command::Taken(self.task));
    }
}

impl Client {
    pub(super) fn tell_progress(&self, task: u64, progress: Progress) {
        let Some(core) = self.task(task) else { return };
        core.counters.show(progress);
        if let Some(listener) = core.start_telling() {
            listener.progress(&core);
        }
    }

    pub(super) fn tell_event(&self, number: u64, task: u64, event: Event) {
        let Some(core) = self.task(task) else { return self.heard(number) };
        match event {
            Event::Moved { response, to } => {
                let moved = core.request.clone().moved_to(&to);
                let replaced = core.state.lock().seen.moved_to(moved.clone());
                drop(replaced);
                self.tell(number, &core, move |delegate, task| {
                    delegate.did_follow_redirect(task, &response, &moved);
                });
            }
            Event::Resumed { offset, total } => {
                core.counters.go_on_from(offset, total);
                self.tell(number, &core, move |delegate, task| {
                    delegate.did_resume_at_offset(task, offset, total);
                });
            }
            Event::StartedOver(reason) => {
                core.counters.receive_anew();
                self.tell(number, &core, move |delegate, task| {
                    delegate.did_start_over(task, reason);
                });
            }
            Event::WillRetry { attempt, delay, cause } => {
                let retry = Retry { attempt, delay, cause };
                self.tell(number, &core, move |delegate, task| delegate.will_retry(task, &retry));
            }
        }
    }

    /// Tells the delegates something, which is acknowledged when they have returned.
    fn tell(
        &self,
        number: u64,
        core: &Arc<Core>,
        call: impl FnOnce(&dyn Delegate, &Task) + Send + 'static,
    ) {
        let client = self.me.clone();
        core.tell_then(call, move |is_told| {
            let Some(client) = client.upgrade() else { return };
            if is_told {
                client.heard(number);
            } else {
                client.replayed(number);
            }
        });
    }

    fn heard(&self, number: u64) {
        self.host.obey(Command::Heard(number));
        self.replayed(number);
    }

    /// Tells the end of a task.
    pub(super) fn tell_end(&self, job: Job) {
        let (Some(core), Some(ending)) = (self.task(job.id), job.ending()) else { return };
        self.tasks.lock().ends.insert(job.id, ending.number);
        if let Some(response) = &job.response {
            // It may have come while nobody listened.
            self.responded(job.id, response);
        }
        let lost = || job.request.url().cloned().map(Response::of_lost_head);
        let response = job.response.clone().or_else(lost);
        let outcome = match &ending.outcome {
            Outcome::Failed(error) => Err(self.with_what_has_come(&core, &job, error.clone())),
            Outcome::Answer(length) => {
                core.counters.show(job.progress());
                if *length > 0 {
                    self.tell_answer(&core, self.host.folder().spool().read_answer(job.id));
                }
                Ok(Product::Nothing)
            }
            Outcome::File(_) => {
                core.counters.show(job.progress());
                Ok(match (self.file_of(&job), response) {
                    (Some(file), Some(response)) => Product::Download(Download { response, file }),
                    _ => Product::HandedOver,
                })
            }
        };
        let state = core.state.lock();
        Completion::of(&core, state, outcome, false).tell();
    }

    /// Takes what has come of a file for whoever has cancelled its download and wants that.
    fn with_what_has_come(&self, core: &Arc<Core>, job: &Job, error: Error) -> Error {
        let Work::Download { place, .. } = &job.work else { return error };
        if !error.is_cancelled() || !core.state.lock().recipients.want_resume_data() {
            return error;
        }
        // With its key a download that goes on would be this one.
        let request = job.request.clone().without_task_key();
        let part = self.host.folder().file_of(job.id);
        match download::take(&part, &request, place.clone(), &self.census) {
            Ok(Some(data)) => error.with_resume_data(data),
            Ok(None) => error,
            Err(why) => {
                log::warn!("what has come of task {} is lost: {why}", job.id);
                error
            }
        }
    }

    /// Returns the file of a download; none if the program has taken it in an earlier run, which
    /// has not come to saying so.
    fn file_of(&self, job: &Job) -> Option<DownloadedFile> {
        if let Work::Download { place: Some((place, _)), .. } = &job.work {
            return DownloadedFile::found(place.clone(), &self.census);
        }
        let custody = Arc::new(Taken { host: Arc::clone(&self.host), task: job.id });
        let path = self.host.folder().file_of(job.id);
        let file = DownloadedFile::held(path, &self.census, custody);
        if file.is_none() {
            log::info!("the file of task {} was taken before", job.id);
            self.host.obey(Command::Taken(job.id));
        }
        file
    }

    fn tell_answer(&self, core: &Arc<Core>, answer: Vec<u8>) {
        for piece in answer.chunks(PIECE) {
            let piece = piece.to_vec();
            core.tell_then(|delegate, task| delegate.did_receive_data(task, piece), |_| ());
        }
    }
}
