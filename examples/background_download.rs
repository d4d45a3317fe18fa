//! Downloads in a background session: end it half-way, however you like, and run it again.
//!
//!     cargo run --example background_download
//!     cargo run --example background_download -- https://shop.test/film.mp4 film.mp4

use std::error::Error as StdError;
use std::io::{BufRead, BufReader};
use std::process::{self, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use std::{env, fs};

use urlsession::testing::{Answer, Recorded, Server};
use urlsession::{
    Configuration, Delegate, DeliveryQueue, DownloadedFile, Error, Progress, Request, Session,
    StartOver, Task, TaskState,
};

struct Films;

impl Delegate for Films {
    fn did_resume_at_offset(&self, _task: &Task, offset: u64, _expected: Option<u64>) {
        println!("goes on behind {} MiB", offset >> 20);
    }

    fn did_start_over(&self, _task: &Task, reason: StartOver) {
        println!("starts over: {reason}");
    }

    fn did_make_progress(&self, _task: &Task, progress: Progress) {
        println!("{} MiB", progress.bytes_received >> 20);
    }

    fn did_finish_downloading(&self, _task: &Task, file: DownloadedFile) {
        println!("{} is whole", file.path().display());
    }

    fn did_complete(&self, _task: &Task, error: Option<&Error>) {
        error.inspect(|error| println!("{error}"));
    }
}

fn main() -> Result<(), Box<dyn StdError>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match &arguments[..] {
        [] => kill_and_go_on(),
        [url, place] => Ok(download(url, place)?),
        _ => Err("usage: background_download [URL FILE]".into()),
    }
}

fn download(url: &str, place: &str) -> Result<(), Error> {
    let configuration = Configuration::background("films");
    let session = Session::with_delegate(configuration, Arc::new(Films), DeliveryQueue::serial())?;
    // What an earlier run has begun goes on already; the key finds it.
    let task = session.download_task(Request::get(url).task_key(place));
    if task.state() == TaskState::Suspended {
        task.save_to(place)?;
        task.resume();
    }
    session.wait_until_idle(Duration::MAX);
    Ok(())
}

/// The same twice, with a server and a folder of our own; the first run is killed half-way.
fn kill_and_go_on() -> Result<(), Box<dyn StdError>> {
    let server = Server::start();
    server.handle(film);
    let folder = env::temp_dir().join(format!("background-download-{}", process::id()));
    fs::create_dir_all(&folder)?;
    let mut run = Command::new(env::current_exe()?);
    run.args([server.url("/film.mp4").as_str(), "film.mp4"]);
    // In place of the user's own folder, where what a session keeps lies otherwise.
    run.current_dir(&folder).env("URLSESSION_HOME", &folder).stdout(Stdio::piped());
    let mut first = run.spawn()?;
    for line in BufReader::new(first.stdout.take().ok_or("nothing is told")?).lines() {
        let line = line?;
        println!("first run: {line}");
        if line.strip_suffix(" MiB").is_some_and(|count| count.parse().unwrap_or(0) >= 16) {
            first.kill()?;
        }
    }
    first.wait()?;
    println!("killed; second run:\n{}", String::from_utf8(run.output()?.stdout)?);
    println!("{} bytes", fs::metadata(folder.join("film.mp4"))?.len());
    Ok(fs::remove_dir_all(folder)?)
}

/// 32 MiB, slowly at first.
fn film(request: &Recorded) -> Answer {
    let (film, range) = (vec![7; 32 << 20], request.header("range"));
    let start = range.and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-'));
    let answer = match start.and_then(|start| start.parse::<usize>().ok()) {
        None => Answer::ok(film).drip(16 << 20).stall_in_body_after(24 << 20),
        Some(start) => {
            let part = format!("bytes {start}-{}/{}", film.len() - 1, film.len());
            Answer::status(206).header("Content-Range", part).body(&film[start..])
        }
    };
    answer.header("ETag", "\"1\"")
}
