//! A session that the daemon hosts, and the seat of its program, which may be empty.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::mem;
use std::sync::{Arc, Weak};
use std::time::Duration;

use serde_json::Value;

use super::launcher::Launcher;
use super::writer::Writer;
use crate::background::engine::Engine;
use crate::background::host::{Command, EventSink, Host, Program, Served};
use crate::background::job::{Event, Job};
use crate::background::protocol::{Hosted, Note};
use crate::credentials::{Challenge, Disposition};
use crate::delivery::Reply;
use crate::error::Error;
use crate::request::Request;
use crate::response::Response;
use crate::session::{NewRequestReason, Progress};
use crate::sync::{Condvar, Mutex, Rank};

/// A session with the program that has it open, if one has.
///
/// What happens is told to it from its word to [go on](Self::go_on) on; what it does not hear of
/// stands in the journal, and is told to the next. What it is asked waits for it here.
pub(super) struct Seat {
    pub(super) engine: Arc<Engine>,
    pub(super) program: String,
    pub(super) identifier: String,
    /// As it was written by whoever opened it.
    pub(super) configuration: Value,
    state: Mutex<State>,
    /// The program is gone.
    left: Condvar,
    launcher: Arc<Launcher>,
    me: Weak<Self>,
}

/// How long it takes at most until the daemon knows that a process has ended.
const GRACE: Duration = Duration::from_millis(500);

#[derive(Default)]
struct State {
    /// Who has it open.
    writer: Option<Arc<Writer>>,
    /// What happens until that one goes on, which is told after what has happened before.
    held_back: Option<Vec<Note>>,
    last_question: u64,
    challenges: BTreeMap<u64, Asked>,
    /// Of which tasks it is asked how they begin.
    begins: BTreeSet<u64>,
    /// Of which tasks another request is needed, why, and what they fail with without one.
    requests: HashMap<u64, (NewRequestReason, Error)>,
}

/// A challenge that waits for an answer.
struct Asked {
    task: Option<u64>,
    challenge: Challenge,
    reply: Reply<Disposition>,
}

impl Seat {
    pub(super) fn new(
        engine: Arc<Engine>,
        program: &str,
        identifier: &str,
        configuration: &Value,
        launcher: &Arc<Launcher>,
    ) -> Arc<Self> {
        let (program, identifier) = (program.to_owned(), identifier.to_owned());
        let (configuration, state) = (configuration.clone(), State::default());
        let state = Mutex::new(Rank::Seat, state);
        let left = Condvar::new();
        Arc::new_cyclic(|me| {
            let (launcher, me) = (Arc::clone(launcher), me.clone());
            Self { engine, program, identifier, configuration, state, left, launcher, me }
        })
    }

    /// Returns what a program that opens it has to know of first.
    pub(super) fn served(&self) -> Served {
        self.engine.serve(self.me.clone())
    }

    /// Seats a program, unless another one has it open. One that was killed just now has it until
    /// all is done that it has said; one that hears nothing any more, and stays, for no longer.
    pub(super) fn take(&self, writer: &Arc<Writer>) -> bool {
        let is_taken = |state: &mut State| state.writer.is_some();
        let state = self.state.lock();
        let mut state = self.left.wait_timeout_while(state, GRACE, is_taken).0;
        let deaf = state.writer.clone().filter(|writer| !writer.is_open());
        if let Some(deaf) = deaf {
            drop(state);
            deaf.close();
            state = self.state.lock();
            state = self.left.wait_timeout_while(state, GRACE, is_taken).0;
        }
        if is_taken(&mut state) {
            return false;
        }
        state.writer = Some(Arc::clone(writer));
        state.held_back = Some(Vec::new());
        true
    }

    /// The program is gone.
    pub(super) fn leave(&self, writer: &Arc<Writer>) {
        let mut state = self.state.lock();
        let mut held_back = None;
        if state.writer.as_ref().is_some_and(|own| Arc::ptr_eq(own, writer)) {
            state.writer = None;
            held_back = state.held_back.take();
        }
        let begins = mem::take(&mut state.begins);
        let asked = state.challenges.iter();
        let asked: Vec<_> =
            asked.map(|(number, asked)| (*number, asked.challenge.clone())).collect();
        drop(state);
        drop(held_back);
        self.left.notify_all();
        // Without the lock, as the look at a certificate may take its time.
        let decided = asked.iter().filter(|(_, challenge)| is_decided(challenge));
        let decided: Vec<u64> = decided.map(|(number, _)| *number).collect();
        self.drop_challenges(|number, _| decided.contains(&number));
        begins.iter().for_each(|task| self.engine.obey(Command::Begin(*task, None)));
    }

    /// Nobody is asked any more about these.
    fn drop_challenges(&self, are: impl Fn(u64, &Asked) -> bool) {
        let mut state = self.state.lock();
        let (gone, waiting) = mem::take(&mut state.challenges)
            .into_iter()
            .partition(|(number, asked)| are(*number, asked));
        state.challenges = waiting;
        drop(state);
        let gone: BTreeMap<u64, Asked> = gone;
        drop(gone);
    }

    /// Tells the program what it has not heard of, then what happened since it opened the session,
    /// and asks what those before it have not answered. From then on it is told at once.
    pub(super) fn go_on(&self, untold: &[u64]) {
        let Some(writer) = self.state.lock().writer.clone() else { return };
        self.engine.tell_again(untold, &*writer);
        self.engine.start_running();
        loop {
            let mut state = self.state.lock();
            let mut notes = state.held_back.as_mut().map(mem::take).unwrap_or_default();
            let is_last = notes.is_empty();
            if is_last {
                state.held_back = None;
                notes = state.questions();
            }
            drop(state);
            notes.iter().for_each(|note| writer.write(note));
            if is_last {
                return;
            }
        }
    }

    /// Returns the challenge that a program answers.
    pub(super) fn challenge(&self, question: u64) -> Option<Challenge> {
        Some(self.state.lock().challenges.get(&question)?.challenge.clone())
    }

    /// Brings the answer to a challenge to whoever waits for it.
    pub(super) fn dispose(&self, question: u64, disposition: Option<Disposition>) {
        let asked = self.state.lock().challenges.remove(&question);
        let Some(Asked { reply, .. }) = asked else { return };
        match disposition {
            Some(disposition) => reply.answer(disposition),
            None => drop(reply),
        }
    }

    pub(super) fn obey(&self, command: Command) {
        if let Command::Renew(task, ..) | Command::Cancel(task, _) | Command::Interrupt(task) =
            &command
        {
            let needed = self.state.lock().requests.remove(task);
            drop(needed);
        }
        if let Command::Begin(task, _) = &command {
            self.state.lock().begins.remove(task);
        }
        self.engine.obey(command);
    }

    pub(super) fn is_connected(&self) -> bool {
        self.state.lock().writer.as_ref().is_some_and(|writer| writer.is_open())
    }

    /// Whether a program has it open, or has left something that it has said and is not done.
    pub(super) fn is_taken(&self) -> bool {
        self.state.lock().writer.is_some()
    }

    /// Whether something waits for its program: what it is asked, or, once nothing runs any more,
    /// an end that it has not heard of.
    pub(super) fn needs_program(&self) -> bool {
        let state = self.state.lock();
        let is_asked = !state.challenges.is_empty() || !state.requests.is_empty();
        drop(state);
        is_asked || self.engine.rests_with_news()
    }

    /// Something has happened that its program may be needed for.
    fn miss(&self) {
        if !self.is_taken() {
            self.launcher.look_again();
        }
    }

    pub(super) fn describe(&self) -> Hosted {
        Hosted {
            program: self.program.clone(),
            identifier: self.identifier.clone(),
            is_connected: self.is_connected(),
            tasks: self.engine.count() as u64,
        }
    }

    fn tell(&self, note: Note) {
        let mut state = self.state.lock();
        if let Some(held_back) = &mut state.held_back {
            return held_back.push(note);
        }
        let listener = state.listener();
        drop(state);
        if let Some(listener) = listener {
            listener.write(&note);
        }
    }
}

impl State {
    /// Who is told at once.
    fn listener(&self) -> Option<Arc<Writer>> {
        self.writer.clone().filter(|_| self.held_back.is_none())
    }

    /// Returns all that waits for an answer.
    fn questions(&self) -> Vec<Note> {
        let asked = self.challenges.iter().map(|(question, asked)| asked.note(*question));
        let needed = self.requests.iter().map(|(task, (reason, error))| Note::NeedsRequest {
            task: *task,
            reason: *reason,
            error: error.clone(),
        });
        asked.chain(needed).collect()
    }
}

impl Asked {
    fn note(&self, question: u64) -> Note {
        let challenge = Box::new(self.challenge.clone());
        Note::Challenged { question, task: self.task, challenge }
    }
}

impl EventSink for Seat {
    fn happened(&self, number: u64, task: u64, event: Event) {
        self.tell(Note::Happened { number, task, event });
    }

    fn ended(&self, job: Job) {
        self.drop_challenges(|_, asked| asked.task == Some(job.id));
        let needed = self.state.lock().requests.remove(&job.id);
        drop(needed);
        self.tell(Note::Ended(Box::new(job)));
        self.miss();
    }
}

impl Program for Seat {
    fn progress(&self, task: u64, progress: Progress) {
        if let Some(held_back) = &mut self.state.lock().held_back {
            // Only how far it has come last.
            held_back
                .retain(|note| !matches!(note, Note::Progress { task: of, .. } if *of == task));
        }
        self.tell(Note::Progress { task, progress });
    }

    fn responded(&self, task: u64, response: &Response) {
        self.tell(Note::Responded { task, response: Box::new(response.clone()) });
    }

    fn challenged(&self, task: Option<u64>, challenge: &Challenge, reply: Reply<Disposition>) {
        if !self.is_connected() && is_decided(challenge) {
            return drop(reply);
        }
        let asked = Asked { task, challenge: challenge.clone(), reply };
        let mut state = self.state.lock();
        state.last_question += 1;
        let question = state.last_question;
        let note = asked.note(question);
        state.challenges.insert(question, asked);
        let listener = state.listener();
        drop(state);
        if let Some(listener) = listener {
            listener.write(&note);
        }
        self.miss();
    }

    fn needs_request(&self, task: u64, reason: NewRequestReason, error: Error) {
        let mut state = self.state.lock();
        let before = state.requests.insert(task, (reason, error.clone()));
        let listener = state.listener();
        drop(state);
        drop(before);
        if let Some(listener) = listener {
            listener.write(&Note::NeedsRequest { task, reason, error });
        }
        self.miss();
    }

    fn may_begin(&self, task: u64, request: Request) {
        if !self.is_connected() {
            return self.engine.obey(Command::Begin(task, None));
        }
        self.state.lock().begins.insert(task);
        self.tell(Note::MayBegin { task, request: Box::new(request) });
    }
}

/// Whether what happens without a program is right: a server that is trusted anyway.
fn is_decided(challenge: &Challenge) -> bool {
    let trust = challenge.protection_space().server_trust();
    trust.is_some_and(|trust| trust.evaluate().is_ok())
}
