//! The program's end of the conversation: a host of its session that is a daemon.
//!
//! Orders of the program stand in a queue, from which one thread gives them to the daemon;
//! another one hears what the daemon says. If the daemon dies, that one starts another, opens the
//! session there, and has all given again that was not done. What was told in this run of the program is
//! not told to it again. If there is no other daemon to be had, it opens the session in this process
//! and has that do all (`own.rs`).

mod finding;
mod heard;
mod hearing;
mod line;
mod own;
mod queue;

use std::collections::{BTreeSet, HashMap};
use std::mem;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::{Arc, Weak};
use std::thread::{self, ThreadId};
use std::time::Duration;

use serde_json::Value;

pub(super) use self::finding::host;
use self::heard::Heard;
pub(super) use self::line::status;
use self::line::{Incoming, Line, Opened};
use self::queue::Orders;
use super::engine::{Engine, Hands};
use super::folder::Folder;
use super::host::{Command, Host, Program, Served, Waiting};
use super::job::Job;
use super::protocol::{Note, Order, Question, Reader, Reply, Seen};
use super::report::BackgroundHost;
use crate::census::Census;
use crate::configuration::Configuration;
use crate::download::{self, ResumeData};
use crate::error::{Error, ErrorKind};
use crate::log;
use crate::sync::{Condvar, Mutex, Rank};

/// Makes a connection to the daemon, which is started if there is none.
pub(super) type Connect = Box<dyn Fn() -> Result<UnixStream, Error> + Send + Sync>;

/// What is opened at the daemon.
#[derive(Debug)]
pub(super) struct Opening {
    pub(super) program: String,
    pub(super) identifier: String,
    pub(super) configuration: Value,
    pub(super) reader: Reader,
    /// What this process opens it with.
    pub(super) own: Configuration,
}

/// A session that a daemon hosts. Dropped, it goes on there.
pub(super) struct Remote {
    shared: Arc<Shared>,
    folder: Folder,
    damage: Vec<String>,
    census: Census,
}

/// What the threads of a session share.
struct Shared {
    connect: Connect,
    opening: Opening,
    census: Census,
    me: Weak<Self>,
    state: Mutex<State>,
    /// There is something to give, or it was given; an answer has come; the connection is another.
    changed: Condvar,
}

struct State {
    /// None while there is no daemon.
    line: Option<Arc<Line>>,
    /// What comes from it, until a thread hears it.
    incoming: Option<Incoming>,
    orders: Orders,
    /// Hosts the session, if there is no daemon any more.
    own: Option<Arc<Engine>>,
    /// What was asked, and what was answered.
    calls: HashMap<u64, Option<Note>>,
    /// What of an answer has come that does not fit one frame.
    seen: Vec<Seen>,
    last_call: u64,
    program: Option<Weak<dyn Program>>,
    /// What the session began with, until the program has it.
    served: Option<Served>,
    heard: Heard,
    /// Of which tasks something lies in the folder that no daemon knows yet.
    coming: BTreeSet<u64>,
    /// Whose files the program has been given, until the daemon knows that it has taken them.
    held: BTreeSet<u64>,
    /// Which thread hears the daemon: it waits for nothing that the daemon does.
    hears: Option<ThreadId>,
    is_closed: bool,
}

/// How many milliseconds to wait for the next daemon while one leaves, which may still listen.
const PAUSES: [u64; 7] = [5, 10, 20, 40, 80, 160, 320];

/// How long a daemon that lives may take for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

impl Remote {
    /// Opens a session at the daemon.
    ///
    /// # Errors
    ///
    /// Those of [`Connect`], and what the daemon refuses it with.
    pub(super) fn open(
        connect: Connect,
        opening: Opening,
        census: &Census,
    ) -> Result<Arc<Self>, Error> {
        let (line, incoming, opened) = open_line(&connect, &opening)?;
        let Opened { folder, damage, served } = opened;
        let state = State {
            line: Some(Arc::new(line)),
            incoming: Some(incoming),
            orders: Orders::default(),
            own: None,
            calls: HashMap::new(),
            seen: Vec::new(),
            last_call: 0,
            program: None,
            served: Some(served),
            heard: Heard::default(),
            coming: BTreeSet::new(),
            held: BTreeSet::new(),
            hears: None,
            is_closed: false,
        };
        let state = Mutex::new(Rank::Engine, state);
        Ok(Arc::new(Self {
            shared: Arc::new_cyclic(|me| {
                let (census, me) = (census.clone(), me.clone());
                Shared { connect, opening, census, me, state, changed: Condvar::new() }
            }),
            folder: Folder::of_another(folder, census),
            damage,
            census: census.clone(),
        }))
    }

    fn spawn(&self, name: &str, life: fn(&Shared)) {
        let shared = Arc::clone(&self.shared);
        if let Err(error) = self.census.spawn(name, Box::new(move || life(&shared))) {
            log::warn!("the system refuses a thread for background transfers: {error}");
        }
    }

    /// Nothing is given or heard any more.
    fn leave(&self) {
        let mut state = self.shared.state.lock();
        state.is_closed = true;
        let line = state.line.take();
        drop(state);
        self.shared.changed.notify_all();
        if let Some(line) = line {
            line.end();
        }
    }
}

/// Opens a session at the daemon, or at the next one if that leaves: as it was told to, was killed,
/// or is of an older version, which gives way to what this program brings.
fn open_line(connect: &Connect, opening: &Opening) -> Result<(Line, Incoming, Opened), Error> {
    let mut pauses = PAUSES.into_iter();
    loop {
        let error = match Line::open(connect()?, opening, Hands::default()) {
            Ok(opened) => return Ok(opened),
            Err(error) => error,
        };
        let leaves =
            matches!(error.kind(), ErrorKind::NetworkConnectionLost | ErrorKind::NotSupported);
        let Some(pause) = pauses.next().filter(|_| leaves) else { return Err(error) };
        log::info!("the next daemon is asked: {error}");
        thread::sleep(Duration::from_millis(pause));
    }
}

impl State {
    /// An order was done.
    fn is_done(&mut self, order: &Order) {
        match order {
            Order::Obey(command) => {
                self.heard.is_done(command);
                if let Command::Taken(task) = command {
                    self.held.remove(task);
                }
            }
            Order::Create { job, .. } => drop(self.coming.remove(&job.id)),
            // The daemon hangs up now, and nobody is to open the session once more.
            Order::Ask { question: Question::Close, .. } => self.is_closed = true,
            _ => {}
        }
    }
}

impl Shared {
    /// Gives an order, or leaves it to the next daemon if there is none now.
    fn push(&self, order: Order) {
        let mut state = self.state.lock();
        if state.is_closed {
            drop(state);
            return drop(order);
        }
        if let Some(engine) = state.own.clone() {
            drop(state);
            return self.obey_here(&engine, &order);
        }
        let number = state.orders.push(order);
        self.changed.notify_all();
        if state.hears == Some(thread::current().id()) {
            return;
        }
        let waits = |state: &mut State| state.line.is_some() && !state.orders.was_written(number);
        drop(self.changed.wait_timeout_while(state, PATIENCE, waits));
    }

    /// Asks something; none if no daemon has answered in time.
    fn ask(&self, question: Question) -> Option<Reply> {
        match self.call(|call| Order::Ask { call, question })? {
            Note::Answered { reply, .. } => Some(reply),
            _ => None,
        }
    }

    /// Gives an order that is answered.
    fn call(&self, order: impl FnOnce(u64) -> Order) -> Option<Note> {
        let mut state = self.state.lock();
        state.last_call += 1;
        let call = state.last_call;
        state.calls.insert(call, None);
        drop(state);
        self.push(order(call));
        let state = self.state.lock();
        let waits = |state: &mut State| {
            !state.is_closed && state.calls.get(&call).is_some_and(Option::is_none)
        };
        let mut state = self.changed.wait_timeout_while(state, PATIENCE, waits).0;
        let reply = state.calls.remove(&call).flatten();
        drop(state);
        if reply.is_none() {
            log::warn!("the daemon of background transfers does not answer");
        }
        reply
    }

    fn program(&self) -> Option<Arc<dyn Program>> {
        self.state.lock().program.as_ref()?.upgrade()
    }
}

impl Host for Remote {
    fn kind(&self) -> BackgroundHost {
        match &self.shared.state.lock().own {
            Some(engine) => engine.kind(),
            None => BackgroundHost::Daemon,
        }
    }

    fn serve(&self, program: Weak<dyn Program>) -> Served {
        let mut state = self.shared.state.lock();
        let before = state.program.replace(program);
        let served = mem::take(&mut state.served);
        drop(state);
        drop(before);
        served.unwrap_or(Served { jobs: Vec::new(), untold: Vec::new(), last_task: 0 })
    }

    fn go_on(&self, untold: &[u64]) {
        let line = self.shared.state.lock().line.clone();
        if let Some(line) = line {
            line.go_on(untold);
        }
        self.spawn("urlsession-hears", Shared::hear);
        self.spawn("urlsession-orders", Shared::give);
    }

    fn create(&self, job: &Job, besides: Option<u64>) -> Option<u64> {
        let job = Box::new(job.clone());
        if job.request.own_task_key().is_none() {
            self.shared.push(Order::Create { call: None, job, besides });
            return None;
        }
        match self.shared.call(|call| Order::Create { call: Some(call), job, besides }) {
            Some(Note::Known { task, .. }) => task,
            Some(_) | None => None,
        }
    }

    fn take_body(&self, task: u64, source: &Path) -> Result<u64, Error> {
        // A daemon that comes meanwhile leaves it where it is.
        self.shared.state.lock().coming.insert(task);
        self.folder.spool().take(task, source)
    }

    fn take_part(&self, task: u64, data: &ResumeData) -> Result<(), Error> {
        self.shared.state.lock().coming.insert(task);
        download::go_on_at(&self.folder.file_of(task), data, &self.census)
    }

    fn obey(&self, command: Command) {
        self.shared.push(Order::Obey(command));
    }

    fn flush(&self) {
        self.shared.ask(Question::Flush);
    }

    fn close(&self) {
        self.shared.ask(Question::Close);
        self.leave();
    }

    fn complete_launch(&self) {
        self.shared.push(Order::CompleteLaunch);
    }

    fn is_open(&self) -> bool {
        !self.shared.state.lock().is_closed
    }

    fn look(&self) -> Vec<(Job, Option<Waiting>)> {
        match self.shared.ask(Question::Look) {
            Some(Reply::Seen(all)) => all,
            Some(_) | None => Vec::new(),
        }
    }

    fn damage(&self) -> Vec<String> {
        let own = self.shared.state.lock().own.clone().map(|engine| engine.damage());
        self.damage.iter().cloned().chain(own.into_iter().flatten()).collect()
    }

    fn folder(&self) -> &Folder {
        &self.folder
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        self.leave();
    }
}
