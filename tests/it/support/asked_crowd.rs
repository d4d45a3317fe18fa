//! Many tasks that wait for what the program decides, which keeps it to itself for a while.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use urlsession::testing::{Answer, Counters, Recorded, Server};
use urlsession::{
    AuthenticationMethod, Body, Challenge, Clock, Configuration, Credential, Delegate,
    DeliveryQueue, Disposition, Error, ErrorKind, Reply, Request, Response, ResponseDisposition,
    Session, Task, UploadTask,
};

use crate::support::crowd::WITH_THREAD;
use crate::support::running::{nothing_is_left, wait_for};

/// How many tasks there are.
pub(crate) const TASKS: usize = WITH_THREAD + 10;

/// What is answered at once by everybody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    Body,
    Challenge(AuthenticationMethod),
    Redirect,
    Response,
}

pub(crate) const BASIC: Held = Held::Challenge(AuthenticationMethod::Basic);

type Answering = Box<dyn FnOnce() + Send>;

/// A delegate that keeps one kind of question open, and writes down what it was told.
pub(crate) struct Holding {
    held: Held,
    answers: Box<dyn Fn(&Challenge) -> Disposition + Send + Sync>,
    open: Mutex<Vec<(u64, Answering)>>,
    told: Mutex<HashMap<u64, String>>,
    ended: Mutex<Vec<(u64, Option<ErrorKind>)>>,
}

impl Holding {
    pub(crate) fn new(
        held: Held,
        answers: impl Fn(&Challenge) -> Disposition + Send + Sync + 'static,
    ) -> Arc<Self> {
        let (open, told, ended) = Default::default();
        Arc::new(Self { held, answers: Box::new(answers), open, told, ended })
    }

    fn ask<T: Send + 'static>(&self, what: Held, id: u64, reply: Reply<T>, answer: T) {
        if self.held == what {
            self.open.lock().unwrap().push((id, Box::new(move || reply.answer(answer))));
        } else {
            reply.answer(answer);
        }
    }

    /// The tasks that wait for an answer, each once.
    pub(crate) fn asked(&self) -> usize {
        let open = self.open.lock().unwrap();
        let tasks: HashSet<u64> = open.iter().map(|(id, _)| *id).collect();
        assert_eq!(tasks.len(), open.len(), "a task was asked twice");
        tasks.len()
    }

    /// Answers so many questions.
    pub(crate) fn answer(&self, count: usize) {
        let mut open = self.open.lock().unwrap();
        let answers: Vec<_> = open.drain(..count).collect();
        drop(open);
        answers.into_iter().for_each(|(_, answer)| answer());
    }

    pub(crate) fn ended(&self) -> Vec<(u64, Option<ErrorKind>)> {
        self.ended.lock().unwrap().clone()
    }
}

impl Delegate for Holding {
    fn session_did_receive_challenge(
        &self,
        _: &Session,
        challenge: &Challenge,
        reply: Reply<Disposition>,
    ) {
        // The next one is asked.
        drop((challenge, reply));
    }

    fn did_receive_challenge(&self, task: &Task, challenge: &Challenge, reply: Reply<Disposition>) {
        let what = Held::Challenge(challenge.protection_space().method());
        self.ask(what, task.id(), reply, (self.answers)(challenge));
    }

    fn will_perform_redirect(
        &self,
        task: &Task,
        _: &Response,
        proposed: Request,
        reply: Reply<Option<Request>>,
    ) {
        self.ask(Held::Redirect, task.id(), reply, Some(proposed));
    }

    fn need_new_body_stream(&self, task: &Task, reply: Reply<Option<Body>>) {
        self.ask(Held::Body, task.id(), reply, Some(Body::reader(&b"again"[..])));
    }

    fn did_receive_response(&self, task: &Task, _: &Response, reply: Reply<ResponseDisposition>) {
        self.ask(Held::Response, task.id(), reply, ResponseDisposition::Allow);
    }

    fn did_receive_data(&self, task: &Task, data: Vec<u8>) {
        let mut told = self.told.lock().unwrap();
        told.entry(task.id()).or_default().push_str(&String::from_utf8(data).unwrap());
    }

    fn did_complete(&self, task: &Task, error: Option<&Error>) {
        self.ended.lock().unwrap().push((task.id(), error.map(Error::kind)));
    }
}

/// Uses what a server lets in.
pub(crate) fn ann(_: &Challenge) -> Disposition {
    Disposition::UseCredential(Credential::new("ann", "pw"))
}

/// A session with many tasks that wait for an answer.
pub(crate) struct AskedCrowd {
    pub(crate) session: Session,
    pub(crate) clock: Clock,
    pub(crate) delegate: Arc<Holding>,
    pub(crate) tasks: Vec<UploadTask>,
}

impl AskedCrowd {
    pub(crate) fn gather(
        delegate: &Arc<Holding>,
        change: impl FnOnce(&mut Configuration),
        make: impl Fn(&Session) -> UploadTask,
    ) -> Self {
        Self::gather_of(delegate, delegate, change, make)
    }

    /// The same, where the tasks ask and tell `asked`, a delegate of theirs.
    pub(crate) fn gather_of(
        delegate: &Arc<Holding>,
        asked: &Arc<Holding>,
        change: impl FnOnce(&mut Configuration),
        make: impl Fn(&Session) -> UploadTask,
    ) -> Self {
        let (mut configuration, clock) = (Configuration::ephemeral(), Clock::by_hand());
        configuration.maximum_concurrent_tasks = 1000;
        configuration.maximum_connections_per_host = Some(1000);
        configuration.clock = clock.clone();
        configuration.trusts_system_roots = false;
        change(&mut configuration);
        let queue = DeliveryQueue::serial();
        let session = Session::with_delegate(configuration, delegate.clone(), queue).unwrap();
        Counters::of(&session).limit_waiting_threads(WITH_THREAD);
        let tasks: Vec<UploadTask> = (0..TASKS).map(|_| make(&session)).collect();
        for task in &tasks {
            task.resume();
        }
        wait_for("everybody is asked", || asked.asked() == TASKS);
        Self { session, clock, delegate: asked.clone(), tasks }
    }

    /// Suspends all, and waits until nobody has a thread who may not.
    pub(crate) fn leave(&self) {
        self.tasks.iter().for_each(|task| task.suspend());
        self.wait_until_left();
    }

    pub(crate) fn wait_until_left(&self) {
        let counters = Counters::of(&self.session);
        wait_for("the others leave", || {
            // Workers that have nothing to do go home, and nobody's time runs meanwhile.
            self.clock.advance(Duration::from_secs(100));
            // The timer, and nobody else beside them.
            counters.threads() <= WITH_THREAD + 1
        });
    }

    pub(crate) fn sockets(&self) -> usize {
        Counters::of(&self.session).sockets()
    }

    pub(crate) fn resume(&self) {
        for task in &self.tasks {
            task.resume();
        }
    }

    /// Waits until all have ended; each has brought this, or has failed so.
    pub(crate) fn end(self, expected: Result<&str, ErrorKind>, servers: &[&Server]) {
        wait_for("everybody ends", || self.delegate.ended().len() == TASKS);
        let ended: HashMap<u64, Option<ErrorKind>> = self.delegate.ended().into_iter().collect();
        let told = self.delegate.told.lock().unwrap().clone();
        for task in &self.tasks {
            assert_eq!(ended[&task.id()], expected.err(), "{:?}", task.error());
            assert_eq!(told.get(&task.id()).map(String::as_str), expected.ok());
        }
        assert_eq!(self.delegate.asked(), 0, "somebody is asked again");
        drop(self.tasks);
        nothing_is_left(self.session, servers);
    }
}

/// A task that sends a small body.
pub(crate) fn with_text(session: &Session, url: &str) -> UploadTask {
    session.upload_task(Request::post(url), "text")
}

/// Tells how much has arrived.
pub(crate) fn length(request: &Recorded) -> Answer {
    Answer::ok(format!("done {}", request.body_length()))
}
