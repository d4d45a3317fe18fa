//! The failure catalogue: what can happen to a background session, a test for each.

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

use urlsession::testing::{Answer, Event, Recorded, Recorder, Server};
use urlsession::{Configuration, DeliveryQueue, Error, RetryPolicy, Session};

use crate::diary::Diary;
use crate::program::{self, HANG, Host};
use crate::story::{self, names_in};
use crate::wishes::Plot;

/// The programs and sessions of one test, and their server.
struct Scene {
    scratch: PathBuf,
    test: &'static str,
    server: Server,
    /// Where each request began.
    asked: Arc<Mutex<Vec<usize>>>,
}

impl Scene {
    /// Makes a scene of a test in this folder of tests.
    fn new(test: &'static str, plot: &Plot) -> Self {
        let name = test.rsplit("::").next().unwrap();
        let scratch = crate::scratch(name, plot);
        fs::create_dir_all(scratch.join("0/taken")).unwrap();
        let server = Server::builder().recording(false).start();
        Self { scratch, test, server, asked: Arc::default() }
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
        program::state(&self.place()).join("killed/background/films")
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

    /// Runs the program of the test; returns whether it was killed, at that point.
    fn run(&self, at: Option<&str>) -> bool {
        story::run(self.test, &self.place(), &self.server.url("/0"), at, Host::Program)
    }

    /// Starts it, to be killed by the test.
    fn start(&self) -> Child {
        program::command(self.test, &self.place(), &self.server.url("/0"), Host::Program)
            .spawn()
            .unwrap()
    }

    /// Opens the session in this process.
    fn open(&self, recorder: &Recorder) -> Result<Session, Error> {
        self.open_with(recorder, |configuration| configuration)
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
            .state_directory(program::state(&self.place()))
            .retry_policy(retries);
        let configuration = change(configuration);
        Session::with_delegate(configuration, recorder.delegate(), DeliveryQueue::serial())
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
