//! The recorder as it is called.

use super::Recorder;
use crate::credentials::{Challenge, Credential, Disposition};
use crate::delivery::Reply;
use crate::download::StartOver;
use crate::error::Error;
use crate::files::DownloadedFile;
use crate::request::Request;
use crate::response::Response;
use crate::retry::Retry;
use crate::session::{
    DelayedRequestDisposition, Delegate, NewRequestReason, Progress, ResponseDisposition, Session,
    Task,
};
use crate::testing::event::Event;
use crate::testing::script::{
    HeldChallenge, HeldRedirect, HeldResponse, OnChallenge, OnRedirect, OnResponse,
};

impl Recorder {
    fn decide(
        &self,
        action: OnChallenge,
        task: Option<&Task>,
        challenge: &Challenge,
        reply: Reply<Disposition>,
    ) {
        match action {
            OnChallenge::Drop => drop(reply),
            OnChallenge::Answer(disposition) => reply.answer(disposition),
            OnChallenge::Trust => {
                let shown = challenge.protection_space().server_trust();
                reply.answer(match shown {
                    Some(shown) => Disposition::UseCredential(Credential::for_trust(shown)),
                    None => Disposition::PerformDefaultHandling,
                });
            }
            OnChallenge::Panic => panic!("a recorder panics on purpose"),
            OnChallenge::Hold | OnChallenge::HoldAndPanic => {
                let (task, challenge) = (task.cloned(), challenge.clone());
                let held = HeldChallenge { task, challenge, reply };
                self.change(|log| log.challenges.push_back(held));
                let panics = matches!(action, OnChallenge::HoldAndPanic);
                assert!(!panics, "a recorder panics on purpose");
            }
        }
    }
}

impl Delegate for Recorder {
    fn did_become_invalid(&self, _session: &Session, _error: Option<&Error>) {
        drop(self.called(Event::Invalid, None));
    }

    fn did_finish_events(&self, _session: &Session) {
        drop(self.called(Event::EventsFinished, None));
    }

    fn did_need_new_request(
        &self,
        task: &Task,
        reason: NewRequestReason,
        reply: Reply<Option<Request>>,
    ) {
        let _under_way = self.called(Event::NewRequest { id: task.id(), reason }, Some(task));
        let answer = self.script.lock().on_new_request.clone();
        if let Some(answer) = answer {
            reply.answer(Some(answer));
        }
    }

    fn will_begin_delayed_request(
        &self,
        task: &Task,
        _request: Request,
        reply: Reply<DelayedRequestDisposition>,
    ) {
        let _under_way = self.called(Event::DelayedRequest(task.id()), Some(task));
        let answer = self.script.lock().on_delayed_request.clone();
        if let Some(answer) = answer {
            reply.answer(answer);
        }
    }

    fn did_create_task(&self, task: &Task) {
        drop(self.called(Event::Created(task.id()), Some(task)));
    }

    fn will_perform_redirect(
        &self,
        task: &Task,
        response: &Response,
        proposed: Request,
        reply: Reply<Option<Request>>,
    ) {
        let to = path_of(&proposed);
        let event = Event::Redirect { id: task.id(), status: response.status().as_u16(), to };
        let _under_way = self.called(event, Some(task));
        let action = self.script.lock().on_redirect.clone();
        match action {
            OnRedirect::Drop => drop(reply),
            OnRedirect::Follow => reply.answer(Some(proposed)),
            OnRedirect::Stay => reply.answer(None),
            OnRedirect::To(request) => reply.answer(Some(*request)),
            OnRedirect::Panic => panic!("a recorder panics on purpose"),
            OnRedirect::Hold | OnRedirect::HoldAndPanic => {
                let held = HeldRedirect { task: task.clone(), proposed, reply };
                self.change(|log| log.redirects.push_back(held));
                let panics = matches!(action, OnRedirect::HoldAndPanic);
                assert!(!panics, "a recorder panics on purpose");
            }
        }
    }

    fn did_follow_redirect(&self, task: &Task, response: &Response, request: &Request) {
        let (status, to) = (response.status().as_u16(), path_of(request));
        drop(self.called(Event::FollowedRedirect { id: task.id(), status, to }, Some(task)));
    }

    fn session_did_receive_challenge(
        &self,
        _session: &Session,
        challenge: &Challenge,
        reply: Reply<Disposition>,
    ) {
        let method = challenge.protection_space().method();
        let event =
            Event::SessionChallenge { method, failures: challenge.previous_failure_count() };
        let _under_way = self.called(event, None);
        let action = self.script.lock().on_session_challenge.clone();
        self.decide(action, None, challenge, reply);
    }

    fn did_receive_challenge(&self, task: &Task, challenge: &Challenge, reply: Reply<Disposition>) {
        let method = challenge.protection_space().method();
        let failures = challenge.previous_failure_count();
        let _under_way =
            self.called(Event::Challenge { id: task.id(), method, failures }, Some(task));
        let action = self.script.lock().on_challenge.clone();
        self.decide(action, Some(task), challenge, reply);
    }

    fn did_make_progress(&self, task: &Task, progress: Progress) {
        if self.script.lock().records_progress {
            drop(self.called(Event::Progress { id: task.id(), progress }, Some(task)));
        }
    }

    fn will_retry(&self, task: &Task, retry: &Retry) {
        let status = retry.cause.response().map(|response| response.status().as_u16());
        let (id, error) = (task.id(), retry.cause.kind());
        let Retry { attempt, delay, .. } = *retry;
        drop(self.called(Event::Retry { id, attempt, delay, error, status }, Some(task)));
    }

    fn did_resume_at_offset(&self, task: &Task, offset: u64, expected: Option<u64>) {
        drop(self.called(Event::Resumed { id: task.id(), offset, expected }, Some(task)));
    }

    fn did_start_over(&self, task: &Task, reason: StartOver) {
        drop(self.called(Event::StartedOver { id: task.id(), reason }, Some(task)));
    }

    fn did_finish_downloading(&self, task: &Task, mut file: DownloadedFile) {
        let (gives, keeps) = {
            let script = self.script.lock();
            (script.gives_files.clone(), script.keeps_files.clone())
        };
        if let Some(files) = gives {
            // Whoever dropped the receiver has it dropped.
            let _ = files.send(file);
            return;
        }
        let Some(folder) = keeps else { return };
        let event = Event::File { id: task.id(), length: file.len() };
        let _under_way = self.called(event, Some(task));
        if let Err(error) = file.persist_over(folder.join(task.id().to_string())) {
            panic!("a recorder cannot keep a file: {error}");
        }
    }

    fn did_complete(&self, task: &Task, error: Option<&Error>) {
        let error = error.map(Error::kind);
        drop(self.called(Event::Complete { id: task.id(), error }, Some(task)));
    }

    fn did_receive_response(
        &self,
        task: &Task,
        response: &Response,
        reply: Reply<ResponseDisposition>,
    ) {
        let event = Event::Response { id: task.id(), status: response.status().as_u16() };
        let _under_way = self.called(event, Some(task));
        let action = self.script.lock().on_response;
        match action {
            OnResponse::Drop => drop(reply),
            OnResponse::Allow => reply.answer(ResponseDisposition::Allow),
            OnResponse::Cancel => reply.answer(ResponseDisposition::Cancel),
            OnResponse::Panic => panic!("a recorder panics on purpose"),
            OnResponse::Hold | OnResponse::HoldAndPanic => {
                let held = HeldResponse { task: task.clone(), reply };
                self.change(|log| log.responses.push_back(held));
                assert!(action == OnResponse::Hold, "a recorder panics on purpose");
            }
        }
    }

    fn did_receive_data(&self, task: &Task, data: Vec<u8>) {
        let id = task.id();
        let event = if self.script.lock().counts_data {
            Event::DataCount { id, count: data.len() as u64 }
        } else {
            Event::Data { id, bytes: data }
        };
        drop(self.called(event, Some(task)));
    }
}

/// The path that a request asks for, with its query.
fn path_of(request: &Request) -> String {
    request.url().map_or_else(String::new, |url| url[url::Position::BeforePath..].to_owned())
}
