//! What follows if no daemon is to be had any more: the program hosts its session itself.

use std::sync::{Arc, Weak};

use super::Shared;
use crate::background::engine::Engine;
use crate::background::host::{EventSink, Host, Program, Served};
use crate::background::job::{Event, Job};
use crate::background::protocol::{Note, Order, Question, Reply};
use crate::credentials::{Challenge, Disposition};
use crate::delivery;
use crate::error::{Error, ErrorKind};
use crate::log;
use crate::request::Request;
use crate::response::Response;
use crate::session::{NewRequestReason, Progress};

/// Whether nobody goes on looking for a daemon after so many attempts, of which the last has failed
/// with this.
pub(super) fn gives_up(attempts: u32, error: &Error) -> bool {
    let most = match error.kind() {
        // There is no executable of one.
        ErrorKind::NotSupported => 1,
        // Daemons come, and are killed.
        ErrorKind::NetworkConnectionLost => 10,
        _ => 3,
    };
    attempts >= most
}

impl Shared {
    /// Hosts the session in this process from now on; returns whether it does, or nobody has to.
    ///
    /// A daemon that still lives has the folder, and it fails.
    pub(super) fn host_here(&self) -> bool {
        let (configuration, identifier) = (&self.opening.own, &self.opening.identifier);
        let opened = Engine::open(configuration, identifier, &self.census, Some(&self.hands()));
        let engine = match opened {
            Ok(engine) => engine,
            Err(error) => {
                log::warn!("this program cannot host its background session itself: {error}");
                return false;
            }
        };
        log::warn!("this program hosts its background session itself from now on");
        let program: Weak<dyn Program> = self.me.clone();
        let Served { untold, .. } = engine.serve(program);
        if self.obey_waiting(&engine) {
            engine.go_on(&untold);
        } else {
            engine.close();
        }
        self.changed.notify_all();
        true
    }

    /// Has the engine do what no daemon has done, and then have what comes; returns whether the
    /// session is still open.
    fn obey_waiting(&self, engine: &Arc<Engine>) -> bool {
        loop {
            let mut state = self.state.lock();
            if state.is_closed {
                return false;
            }
            let orders = state.orders.take();
            if orders.is_empty() {
                // Nothing comes between.
                state.own = Some(Arc::clone(engine));
                return true;
            }
            drop(state);
            orders.iter().for_each(|order| self.obey_here(engine, order));
        }
    }

    pub(super) fn obey_here(&self, engine: &Engine, order: &Order) {
        self.state.lock().is_done(order);
        match order {
            Order::Create { call, job, besides } => {
                let task = engine.create(job, *besides);
                if let Some(call) = *call {
                    self.answer(call, Note::Known { call, task });
                }
            }
            Order::Obey(command) => engine.obey(command.clone()),
            Order::Ask { call, question } => {
                let reply = match question {
                    Question::Look => Reply::Seen(engine.look()),
                    Question::Flush => {
                        engine.flush();
                        Reply::Done
                    }
                    Question::Close => {
                        engine.close();
                        Reply::Done
                    }
                    Question::Status => Reply::Done,
                };
                self.answer(*call, Note::Answered { call: *call, reply });
            }
            _ => {}
        }
    }
}

/// Tells the program, but for what it was told in this run.
impl EventSink for Shared {
    fn happened(&self, number: u64, task: u64, event: Event) {
        let Some(program) = self.program() else { return };
        let is_new = self.state.lock().heard.is_new(number);
        if is_new {
            program.happened(number, task, event);
        }
    }

    fn ended(&self, job: Job) {
        let Some(program) = self.program() else { return };
        let number = job.ending().map_or(0, |ending| ending.number);
        let mut state = self.state.lock();
        let is_new = state.heard.is_new_end(job.id, number);
        let has_file = job.ending().is_some_and(|ending| !ending.is_taken);
        if is_new && has_file {
            state.held.insert(job.id);
        }
        drop(state);
        if is_new {
            program.ended(job);
        }
    }
}

impl Program for Shared {
    fn progress(&self, task: u64, progress: Progress) {
        if let Some(program) = self.program() {
            program.progress(task, progress);
        }
    }

    fn responded(&self, task: u64, response: &Response) {
        if let Some(program) = self.program() {
            program.responded(task, response);
        }
    }

    fn challenged(
        &self,
        task: Option<u64>,
        challenge: &Challenge,
        reply: delivery::Reply<Disposition>,
    ) {
        if let Some(program) = self.program() {
            program.challenged(task, challenge, reply);
        }
    }

    fn needs_request(&self, task: u64, reason: NewRequestReason, error: Error) {
        if let Some(program) = self.program() {
            program.needs_request(task, reason, error);
        }
    }

    fn may_begin(&self, task: u64, request: Request) {
        if let Some(program) = self.program() {
            program.may_begin(task, request);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_daemon_is_looked_for_as_long_as_there_may_be_one() {
        for (kind, most) in [
            (ErrorKind::NotSupported, 1),
            (ErrorKind::ResourceUnavailable, 3),
            (ErrorKind::TimedOut, 3),
            (ErrorKind::BackgroundSessionInUse, 3),
            (ErrorKind::NetworkConnectionLost, 10),
        ] {
            let error = Error::new(kind, "as it is");
            assert!(gives_up(most, &error) && !gives_up(most - 1, &error), "{kind:?}");
        }
    }
}
