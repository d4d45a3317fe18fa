//! A program that is its own daemon: a download goes on when the program has ended, and has it
//! started again when it is done.
//!
//!     cargo run --example own_daemon --features daemon
//!     cargo run --example own_daemon --features daemon -- https://shop.test/film.mp4 film.mp4

use std::error::Error as StdError;
use std::path::{self, Path, PathBuf};
use std::process::{self, Command};
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use urlsession::background::{launched_for, register_launch, run_daemon_if_asked};
use urlsession::testing::{Answer, Server};
use urlsession::{
    Configuration, Delegate, DeliveryQueue, DownloadedFile, Error, Request, Session, Task,
    TaskState,
};

/// Writes what has become of the film beside it: who was started by a daemon has no terminal.
struct Films(PathBuf);

impl Delegate for Films {
    fn did_finish_downloading(&self, _task: &Task, file: DownloadedFile) {
        self.note(&format!("{} is whole", file.path().display()));
    }

    fn did_complete(&self, _task: &Task, error: Option<&Error>) {
        error.inspect(|error| self.note(&error.to_string()));
    }
}

impl Films {
    fn note(&self, words: &str) {
        let beside = self.0.with_extension("txt");
        if let Err(error) = fs::write(&beside, format!("{words}\n")) {
            eprintln!("{words}, which cannot be noted in {}: {error}", beside.display());
        }
    }
}

fn main() -> Result<(), Box<dyn StdError>> {
    // First thing: this executable may have been started as the daemon.
    run_daemon_if_asked();
    let arguments: Vec<String> = env::args().skip(1).collect();
    match (launched_for(), &arguments[..]) {
        (Some(identifier), [place]) => Ok(hear(&identifier, place)?),
        (None, []) => end_and_be_started(),
        (None, [url, place]) => Ok(begin(url, &path::absolute(place)?)?),
        _ => Err("usage: own_daemon [URL FILE]".into()),
    }
}

/// Begins a download, and ends.
fn begin(url: &str, place: &Path) -> Result<(), Box<dyn StdError>> {
    let configuration = Configuration::background("films");
    // An installer may do this as well. The place comes back as an argument.
    register_launch(&configuration, env::current_exe()?, [place])?;
    let films = Arc::new(Films(place.to_owned()));
    let session = Session::with_delegate(configuration, films, DeliveryQueue::serial())?;
    let task = session.download_task(Request::get(url).task_key(place.to_string_lossy()));
    if task.state() == TaskState::Suspended {
        task.save_to(place)?;
        task.resume();
    }
    session.flush();
    println!("{:?} goes on with it", session.background_host());
    Ok(())
}

/// Is started by the daemon, and told what has happened.
fn hear(identifier: &str, place: &str) -> Result<(), Error> {
    let configuration = Configuration::background(identifier);
    let films = Arc::new(Films(place.into()));
    let session = Session::with_delegate(configuration, films, DeliveryQueue::serial())?;
    // Until it is dropped, the daemon starts no second one.
    let completion = session.launch_completion();
    session.wait_until_idle(Duration::MAX);
    drop(completion);
    Ok(())
}

/// The same with a server and a folder of our own.
fn end_and_be_started() -> Result<(), Box<dyn StdError>> {
    let server = Server::start();
    server.enqueue(Answer::ok(vec![7; 1 << 20]).delay_head(Duration::from_millis(300)));
    let folder = env::temp_dir().join(format!("own-daemon-{}", process::id()));
    fs::create_dir_all(&folder)?;
    let mut run = Command::new(env::current_exe()?);
    // In place of the user's own folder, where what a session keeps lies otherwise.
    run.env("URLSESSION_HOME", &folder).env_remove("XDG_RUNTIME_DIR");
    run.arg(server.url("/film.mp4")).arg(folder.join("film.mp4"));
    println!("the program ends: {}", run.status()?);
    let (note, began) = (folder.join("film.txt"), Instant::now());
    let mut words = String::new();
    while !words.ends_with('\n') {
        if began.elapsed() > Duration::from_secs(60) {
            return Err("nobody has started the program".into());
        }
        thread::sleep(Duration::from_millis(10));
        words = fs::read_to_string(&note).unwrap_or_default();
    }
    print!("started again, it has heard: {words}");
    // The daemon leaves when its folder is gone.
    Ok(fs::remove_dir_all(folder)?)
}
