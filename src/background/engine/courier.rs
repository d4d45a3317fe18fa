//! The delegates of the session that runs transfers: they bring what happens to the engine.

use std::sync::{Arc, Weak};

use super::Engine;
use crate::background::job::Event;
use crate::credentials::{Challenge, Disposition};
use crate::delivery::Reply;
use crate::download::StartOver;
use crate::error::Error;
use crate::files::DownloadedFile;
use crate::request::Request;
use crate::response::Response;
use crate::retry::Retry;
use crate::session::{Delegate, Progress, ResponseDisposition, Session, Task};

/// Hears of the transfer of one job.
pub(super) struct Courier {
    engine: Weak<Engine>,
    task: u64,
}

impl Courier {
    pub(super) fn of(engine: &Weak<Engine>, task: u64) -> Arc<Self> {
        Arc::new(Self { engine: engine.clone(), task })
    }

    fn happened(&self, event: Event) {
        if let Some(engine) = self.engine.upgrade() {
            engine.happened(self.task, event);
        }
    }
}

impl Delegate for Courier {
    fn will_perform_redirect(
        &self,
        _transfer: &Task,
        response: &Response,
        proposed: Request,
        _reply: Reply<Option<Request>>,
    ) {
        if let Some(url) = proposed.url() {
            self.happened(Event::Moved { response: response.clone(), to: url.to_string() });
        }
    }

    fn did_receive_challenge(
        &self,
        _transfer: &Task,
        challenge: &Challenge,
        reply: Reply<Disposition>,
    ) {
        let program = self.engine.upgrade().and_then(|engine| engine.program());
        if let Some(program) = program {
            program.challenged(Some(self.task), challenge, reply);
        }
    }

    fn will_retry(&self, _transfer: &Task, retry: &Retry) {
        let Retry { attempt, delay, cause } = retry.clone();
        if let Some(engine) = self.engine.upgrade() {
            engine.waits_to_retry(self.task, delay, &cause);
        }
        self.happened(Event::WillRetry { attempt, delay, cause });
    }

    fn task_is_waiting_for_connectivity(&self, _transfer: &Task) {
        if let Some(engine) = self.engine.upgrade() {
            engine.waits_for_network(self.task);
        }
    }

    fn did_make_progress(&self, _transfer: &Task, progress: Progress) {
        let program = self.engine.upgrade().and_then(|engine| engine.program());
        if let Some(program) = program {
            program.progress(self.task, progress);
        }
    }

    fn did_receive_response(
        &self,
        _transfer: &Task,
        response: &Response,
        reply: Reply<ResponseDisposition>,
    ) {
        if let Some(engine) = self.engine.upgrade() {
            engine.answered(self.task, response);
        }
        reply.answer(ResponseDisposition::Allow);
    }

    fn did_receive_data(&self, transfer: &Task, data: Vec<u8>) {
        let taken = self.engine.upgrade().map(|engine| engine.take_answer(self.task, data));
        if let Some(Err(_)) = taken {
            transfer.cancel();
        }
    }

    fn did_resume_at_offset(&self, _transfer: &Task, offset: u64, expected: Option<u64>) {
        self.happened(Event::Resumed { offset, total: expected });
    }

    fn did_start_over(&self, _transfer: &Task, reason: StartOver) {
        self.happened(Event::StartedOver(reason));
    }

    fn did_finish_downloading(&self, _transfer: &Task, file: DownloadedFile) {
        // It is at its place, where it stays.
        drop(file);
    }

    fn did_complete(&self, _transfer: &Task, error: Option<&Error>) {
        if let Some(engine) = self.engine.upgrade() {
            engine.transferred(self.task, error);
        }
    }
}

/// Is asked what concerns a connection, whichever job it is made for.
pub(super) struct OfAll(pub(super) Weak<Engine>);

impl Delegate for OfAll {
    fn session_did_receive_challenge(
        &self,
        _transfers: &Session,
        challenge: &Challenge,
        reply: Reply<Disposition>,
    ) {
        let program = self.0.upgrade().and_then(|engine| engine.program());
        if let Some(program) = program {
            program.challenged(None, challenge, reply);
        }
    }
}
