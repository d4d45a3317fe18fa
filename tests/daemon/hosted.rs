//! Sessions that a daemon hosts.

use std::mem::ManuallyDrop;
use std::net::Shutdown;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{env, fs, process, thread};

use urlsession::testing::{Answer, Event, Recorded, Recorder, Server};
use urlsession::{
    BackgroundDaemon, BackgroundHost, Configuration, DeliveryQueue, Error, ErrorKind, Request,
    Session,
};

use crate::guest::Guest;
use crate::process::socket;

/// A generous limit for what cannot hang.
pub(crate) const HANG: Duration = Duration::from_secs(60);

/// Tell the program of a test where its files lie, and where the server is.
const FOLDER: &str = "URLSESSION_TEST_FOLDER";
const BASE: &str = "URLSESSION_TEST_BASE";

/// One test: its state folder, whose daemon is stopped in the end.
pub(crate) struct Scene {
    folder: PathBuf,
}

impl Scene {
    pub(crate) fn new(name: &str) -> Self {
        let folder = env::temp_dir().join(format!("urlsession-hosted-{name}-{}", process::id()));
        fs::create_dir_all(folder.join("taken")).unwrap();
        Self { folder }
    }

    /// The scene of another process of the same test. It is not this one's to clear away.
    pub(crate) fn of_folder(folder: PathBuf) -> ManuallyDrop<Self> {
        ManuallyDrop::new(Self { folder })
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.folder.join("state")
    }

    pub(crate) fn taken(&self, name: &str) -> PathBuf {
        self.folder.join("taken").join(name)
    }

    pub(crate) fn open(&self, recorder: &Recorder) -> Result<Session, Error> {
        let urlsessiond = BackgroundDaemon::At(env!("CARGO_BIN_EXE_urlsessiond").into());
        self.open_as(recorder, "films", urlsessiond)
    }

    pub(crate) fn configuration(&self, identifier: &str) -> Configuration {
        Configuration::background(identifier)
            .program("hosted")
            .state_directory(self.state())
            .daemon(BackgroundDaemon::At(env!("CARGO_BIN_EXE_urlsessiond").into()))
    }

    /// Opens a session, hosted by this daemon or none.
    pub(crate) fn open_as(
        &self,
        recorder: &Recorder,
        identifier: &str,
        daemon: BackgroundDaemon,
    ) -> Result<Session, Error> {
        recorder.keeps_files(self.folder.join("taken"));
        let configuration = self.configuration(identifier).daemon(daemon);
        Session::with_delegate(configuration, recorder.delegate(), DeliveryQueue::serial())
    }

    /// Returns the number of the daemon's process, if it runs: the file may tell of one that was
    /// killed, whose number another process has.
    pub(crate) fn daemon(&self) -> Option<i32> {
        let lock = fs::read_to_string(self.state().join("daemon/lock")).ok()?;
        let process = lock.trim().parse().ok()?;
        let command = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&command).contains("urlsessiond").then_some(process)
    }

    pub(crate) fn kill(&self, signal: &str) {
        let daemon = self.daemon().expect("it runs");
        let status = process::Command::new("kill").args([signal, &daemon.to_string()]).status();
        assert!(status.unwrap().success());
    }

    /// Waits until the file of a task lies there, whoever hosts its session.
    pub(crate) fn is_whole(&self, identifier: &str, task: u64) {
        let finished = self.state().join("hosted/background").join(identifier).join("finished");
        let file = finished.join(task.to_string());
        wait_for("the file is whole", || file.exists());
    }

    /// Waits until the one task of a session is done and its file taken, and closes the session.
    pub(crate) fn comes_to_its_end(&self, recorder: &Recorder, session: Session, bytes: &[u8]) {
        assert!(session.wait_until_idle(HANG), "{}", session.background_report().unwrap());
        assert_eq!(recorder.events_of(1).last(), Some(&Event::done(1)));
        assert!(is(&self.taken("1"), bytes));
        close(recorder, session);
    }

    /// Runs this test anew as another process, which is killed once it says that it has begun.
    pub(crate) fn run_and_kill(&self, test: &str, server: &Server) {
        let mut program = process::Command::new(env::current_exe().unwrap())
            .args(["--exact", test])
            .env(FOLDER, &self.folder)
            .env(BASE, server.url("/"))
            .spawn()
            .unwrap();
        wait_for("it has begun", || self.folder.join("begun").exists());
        program.kill().unwrap();
        program.wait().unwrap();
    }

    /// Returns the scene and the server, if this is the process that is killed.
    pub(crate) fn of_program() -> Option<(Self, String)> {
        let folder = env::var_os(FOLDER)?.into();
        Some((Self { folder }, env::var(BASE).ok()?))
    }

    /// Says that all is begun, and waits to be killed.
    pub(crate) fn has_begun(&self) -> ! {
        fs::write(self.folder.join("begun"), "").unwrap();
        loop {
            thread::park();
        }
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        if let Some(daemon) = self.daemon() {
            let _ = process::Command::new("kill").args(["-9", &daemon.to_string()]).status();
        }
        if !thread::panicking() {
            let _ = fs::remove_dir_all(&self.folder);
        } else {
            eprintln!("{} is left", self.folder.display());
        }
    }
}

pub(crate) fn wait_for(what: &str, mut reached: impl FnMut() -> bool) {
    let deadline = Instant::now() + HANG;
    while !reached() {
        assert!(Instant::now() < deadline, "not reached: {what}");
        thread::sleep(Duration::from_millis(1));
    }
}

pub(crate) fn close(recorder: &Recorder, session: Session) {
    session.finish_tasks_and_invalidate();
    drop(session);
    recorder.wait_for(|events| events.contains(&Event::Invalid));
}

pub(crate) fn is(path: &Path, bytes: &[u8]) -> bool {
    fs::read(path).is_ok_and(|found| found == bytes)
}

#[test]
fn a_daemon_downloads_and_the_program_is_told() {
    let scene = Scene::new("downloads");
    let server = Server::start();
    let bytes = vec![7; 100_000];
    server.enqueue(Answer::ok(bytes.clone()));
    let recorder = Recorder::new();
    let session = scene.open(&recorder).unwrap();
    assert_eq!(session.background_host(), Some(BackgroundHost::Daemon));
    let task = session.download_task(server.url("/film"));
    let _ = task.resume();
    scene.comes_to_its_end(&recorder, session, &bytes);
}

#[test]
fn one_program_has_a_session_open_at_a_time() {
    let scene = Scene::new("one");
    let (first, second) = (Recorder::new(), Recorder::new());
    let session = scene.open(&first).unwrap();
    let error = scene.open(&second).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BackgroundSessionInUse);
    close(&first, session);
    let session = scene.open(&second).unwrap();
    close(&second, session);
}

#[test]
fn who_has_a_session_open_and_hears_nothing_gives_way() {
    let scene = Scene::new("deaf");
    let recorder = Recorder::new();
    let session = scene.open(&recorder).unwrap();
    close(&recorder, session);
    // It stays, and has only closed its ears.
    let mut deaf = Guest::greeted(&socket(&scene.state())).unwrap();
    let kept = scene.state().join("hosted/background/films/configuration");
    let configuration = fs::read_to_string(kept).unwrap();
    deaf.open("hosted", "films", &configuration).unwrap();
    assert!(deaf.hear().unwrap().starts_with(r#"{"served":"#));
    assert_eq!(scene.open(&recorder).unwrap_err().kind(), ErrorKind::BackgroundSessionInUse);
    deaf.0.shutdown(Shutdown::Read).unwrap();
    deaf.say(r#"{"ask":{"call":1,"question":"flush"}}"#).unwrap();
    let session = scene.open(&recorder).unwrap();
    assert_eq!(session.background_host(), Some(BackgroundHost::Daemon));
    close(&recorder, session);
}

#[test]
fn what_a_server_says_at_length_is_told_and_what_a_task_says_is_refused() {
    let scene = Scene::new("length");
    let server = Server::start();
    let bytes = vec![7; 1000];
    // Nearly as much as a head may have, and more in memory than an order may take.
    let head = |_: &Recorded| {
        (0..50_000).fold(Answer::ok(vec![7; 1000]), |answer, _| answer.header("a", ""))
    };
    server.handle(head);
    for daemon in
        [BackgroundDaemon::At(env!("CARGO_BIN_EXE_urlsessiond").into()), BackgroundDaemon::Never]
    {
        let recorder = Recorder::new();
        let session = scene.open_as(&recorder, "films", daemon).unwrap();
        let long = Request::get(server.url("/film")).header("X", "a".repeat(200_000));
        let refused = session.download_task(long);
        let described = session.download_task(server.url("/film"));
        described.set_description("a".repeat(200_000));
        let task = session.download_task(server.url("/film"));
        let _ = (refused.resume(), described.resume(), task.resume());
        assert!(session.wait_until_idle(HANG), "{}", session.background_report().unwrap());
        for task in [&refused, &described] {
            let error = task.error().unwrap();
            assert_eq!(error.kind(), ErrorKind::InvalidRequest);
            assert!(error.to_string().contains("131072 are the most"), "{error}");
        }
        assert_eq!(recorder.events_of(task.id()).last(), Some(&Event::done(task.id())));
        assert!(is(&scene.taken(&task.id().to_string()), &bytes));
        close(&recorder, session);
    }
}

/// How many files a program that is killed downloads, and how long each is.
const FILES: usize = 20;
const LENGTH: usize = 2_000_000;

fn file(number: usize) -> Vec<u8> {
    (0..LENGTH).map(|at| (at * 31 + number * 7) as u8).collect()
}

#[test]
fn downloads_go_on_when_their_program_is_killed() {
    if let Some((scene, base)) = Scene::of_program() {
        let session = scene.open(&Recorder::new()).unwrap();
        assert_eq!(session.background_host(), Some(BackgroundHost::Daemon));
        for number in 1..=FILES {
            let _ = session.download_task(format!("{base}{number}")).resume();
        }
        scene.has_begun();
    }
    let scene = Scene::new("away");
    let server = Server::builder().recording(false).start();
    server.handle(|request: &Recorded| {
        let number = request.path().trim_start_matches('/').parse().unwrap();
        Answer::ok(file(number)).drip(2_000_000)
    });
    scene.run_and_kill("hosted::downloads_go_on_when_their_program_is_killed", &server);
    let finished = scene.state().join("hosted/background/films/finished");
    wait_for("all files are whole", || {
        (1..=FILES).all(|number| finished.join(number.to_string()).exists())
    });
    let recorder = Recorder::new();
    let session = scene.open(&recorder).unwrap();
    assert!(session.wait_until_idle(HANG), "{}", session.background_report().unwrap());
    for number in 1..=FILES {
        assert_eq!(recorder.events_of(number as u64).last(), Some(&Event::done(number as u64)));
        assert!(is(&scene.taken(&number.to_string()), &file(number)), "{number}");
    }
    assert_eq!(fs::read_dir(&finished).unwrap().count(), 0);
    close(&recorder, session);
}

#[test]
fn a_daemon_that_is_killed_is_followed_by_another() {
    let scene = Scene::new("killed");
    let server = Server::start();
    let bytes = vec![7; 100_000];
    server.enqueue(Answer::ok(bytes.clone()).stall_in_body_after(1000));
    let recorder = Recorder::new();
    let session = scene.open(&recorder).unwrap();
    let _ = session.download_task(server.url("/film")).resume();
    server.wait_until(|stats| stats.stalled == 1);
    let first = scene.daemon();
    server.enqueue(Answer::ok(bytes.clone()));
    scene.kill("-9");
    scene.comes_to_its_end(&recorder, session, &bytes);
    assert_ne!(scene.daemon(), first);
}
