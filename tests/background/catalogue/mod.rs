//! The failure catalogue: what can happen to a background session, a row for each, which is a test
//! for each of its hosts.
//!
//! What happens to a program happens to its daemon as well: who is killed is whoever runs, and
//! nothing runs until the row starts it again.

mod answers;
mod bodies;
mod clock;
mod clock_set;
mod crowd;
mod disk;
mod keys;
mod killed;
mod tampered;
mod uploads;

use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use std::{fs, thread};

#[cfg(feature = "daemon")]
use urlsession::BackgroundDaemon;
use urlsession::testing::{Answer, Event, Recorded, Recorder, Server};
use urlsession::{
    BackgroundHost, Clock, Configuration, DeliveryQueue, Error, RetryPolicy, Session,
};

use crate::diary::Diary;
#[cfg(feature = "daemon")]
use crate::hosts;
use crate::hosts::{Host, Row};
use crate::program::{self, HANG};
use crate::story::{self, names_in};
use crate::wishes::Plot;

/// After so long a file is brought to its place once more.
const NEXT_TRY: Duration = Duration::from_secs(5);

/// The programs and sessions of one test, and their server.
struct Scene {
    scratch: PathBuf,
    row: Row,
    /// Where the sessions keep what they have.
    state: PathBuf,
    server: Server,
    /// Where each request began.
    asked: Arc<Mutex<Vec<usize>>>,
}

impl Scene {
    fn new(row: &Row, plot: &Plot) -> Self {
        let scratch = crate::scratch(plot.name, plot);
        fs::create_dir_all(scratch.join("0/taken")).unwrap();
        let server = Server::builder().recording(false).start();
        let state = program::state(&scratch.join("0"));
        Self { scratch, row: *row, state, server, asked: Arc::default() }
    }

    /// Makes one of the host in which a test looks closer than from without.
    fn of_program(plot: &Plot) -> Self {
        Self::new(&Row { test: "", host: Host::Program }, plot)
    }

    /// Answers requests by where they begin, and how many there were.
    fn answer(&self, answer: impl Fn(usize, usize) -> Answer + Send + Sync + 'static) {
        let asked = Arc::clone(&self.asked);
        self.server.handle(move |request: &Recorded| {
            let from = request.header("range").map_or(0, crate::origin::first_of);
            let mut asked = asked.lock().unwrap();
            asked.push(from);
            let count = asked.len();
            drop(asked);
            answer(from, count)
        });
    }

    fn asked(&self) -> Vec<usize> {
        self.asked.lock().unwrap().clone()
    }

    fn place(&self) -> PathBuf {
        self.scratch.join("0")
    }

    fn folder(&self) -> PathBuf {
        self.state.join("killed/background/films")
    }

    /// The file of the first task while it comes.
    fn part(&self) -> PathBuf {
        self.folder().join("finished/.1.part")
    }

    fn journal(&self) -> PathBuf {
        self.folder().join("journal")
    }

    fn diary(&self) -> Diary {
        Diary::read(&program::diary(&self.place()))
    }

    /// Runs the program of the test to its end.
    fn run(&self) {
        self.run_at(&self.server.url("/0"));
    }

    /// Runs it with its things at this URL.
    fn run_at(&self, base: &str) {
        let Row { test, host } = self.row;
        assert!(!story::run(test, &self.place(), base, None, host));
    }

    /// Runs it until it or its daemon comes to a point, the so manieth from one by name on;
    /// returns whether that was so.
    fn run_until(&self, number: usize, from: &str) -> bool {
        let Row { test, host } = self.row;
        let mut command = program::last_command(test, &self.place(), &self.server.url("/0"), host);
        command.env("URLSESSION_CRASH_AT", number.to_string()).env("URLSESSION_CRASH_FROM", from);
        let mut child = command.spawn().unwrap();
        let once = program::once(&self.place());
        let mut ended = None;
        wait_for("somebody is killed, or all is done", || {
            ended = child.try_wait().unwrap();
            ended.is_some() || once.exists()
        });
        let is_killed = once.exists() || ended.is_some_and(|status| !status.success());
        self.kill(child);
        is_killed
    }

    /// Starts it, to be killed by the test.
    fn start(&self) -> Child {
        self.start_at(&self.server.url("/0"))
    }

    fn start_at(&self, base: &str) -> Child {
        let Row { test, host } = self.row;
        program::command(test, &self.place(), base, host).spawn().unwrap()
    }

    /// Kills it, and its daemon.
    fn kill(&self, mut program: Child) {
        program.kill().unwrap();
        program.wait().unwrap();
        self.stop_daemon();
    }

    fn stop_daemon(&self) {
        match self.row.host {
            Host::Program => {}
            #[cfg(feature = "daemon")]
            Host::Daemon => hosts::stop_daemon(&self.state),
        }
    }

    /// Opens the session in this process.
    fn open(&self, recorder: &Recorder) -> Result<Session, Error> {
        self.open_with(recorder, |configuration| configuration)
    }

    /// Opens it, and returns what has time pass for it: for a daemon it passes by itself.
    fn open_by_clock(&self, recorder: &Recorder) -> (Session, impl Fn(Duration)) {
        let clock = (self.row.host == Host::Program).then(Clock::by_hand);
        let session = self.open_with(recorder, |all| match &clock {
            Some(clock) => all.clock(clock.clone()),
            None => all,
        });
        let pass = move |time| clock.iter().for_each(|clock| clock.advance(time));
        (session.unwrap(), pass)
    }

    fn open_with(
        &self,
        recorder: &Recorder,
        change: impl FnOnce(Configuration) -> Configuration,
    ) -> Result<Session, Error> {
        recorder.keeps_files(self.place().join("taken"));
        let retries = RetryPolicy::attempts(1000).first_delay(Duration::from_millis(5)).growth(1.0);
        let configuration = Configuration::background("films")
            .program("killed")
            .state_directory(&self.state)
            .retry_policy(retries);
        #[cfg(feature = "daemon")]
        let configuration = configuration.daemon(match self.row.host {
            Host::Program => BackgroundDaemon::Never,
            Host::Daemon => BackgroundDaemon::At(program::daemon(&self.place())),
        });
        let configuration = change(configuration);
        let (delegate, queue) = (recorder.delegate(), DeliveryQueue::serial());
        let session = Session::with_delegate(configuration, delegate, queue)?;
        let is_own = session.background_host() == Some(BackgroundHost::Program);
        assert_eq!(is_own, self.row.host == Host::Program);
        Ok(session)
    }

    /// The file that the program has taken of the wish, or of the first task, is this.
    fn has(&self, name: &str, bytes: &[u8]) {
        let file = fs::read(self.place().join("taken").join(name)).unwrap();
        assert!(file == bytes, "it is another file");
        assert_eq!(names_in(&self.folder().join("finished")), [""; 0]);
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.stop_daemon();
        if !thread::panicking() {
            let _ = fs::remove_dir_all(&self.scratch);
            let _ = fs::remove_dir_all(program::elsewhere(&self.place()).parent().unwrap());
        }
    }
}

/// Ends a session, as the end of its program would.
fn close(recorder: &Recorder, session: Session) {
    session.finish_tasks_and_invalidate();
    drop(session);
    recorder.wait_for(|events| events.contains(&Event::Invalid));
}

/// Waits for what nobody tells.
fn wait_for(what: &str, mut reached: impl FnMut() -> bool) {
    let deadline = Instant::now() + HANG;
    while !reached() {
        assert!(Instant::now() < deadline, "not reached: {what}");
        thread::sleep(Duration::from_millis(1));
    }
}

fn length(path: &Path) -> usize {
    fs::metadata(path).map_or(0, |found| found.len() as usize)
}

/// The part of a file with a tag, from there on.
fn part_of(bytes: &[u8], from: usize, tag: &str) -> Answer {
    let answer = match from {
        0 => Answer::ok(bytes),
        _ => {
            let range = format!("bytes {from}-{}/{}", bytes.len() - 1, bytes.len());
            Answer::status(206).header("Content-Range", range).body(&bytes[from..])
        }
    };
    answer.header("ETag", tag)
}
