//! What background sessions cost: a program of its own, run anew for each measurement, as what
//! counts is what a program does from its start.
//!
//! `background make URL FOLDER COUNT` makes, resumes and flushes so many downloads;
//! `background open FOLDER COUNT` has another run of the program find them;
//! `background download URL FOLDER` downloads in a background session, and
//! `background resumable URL FOLDER` as a download of a default session that is resumable;
//! `background foreground URL FOLDER COUNT MOST` downloads so many files to their places, so many at
//! a time, in a default session, and `background daemon URL FOLDER COUNT MOST` by a daemon, which this
//! program is as well.
//!
//! Each prints one line of numbers.

mod cost;

use std::path::Path;
use std::process::{self, ExitCode};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;
use std::{fs, thread};

use cost::Meter;
use urlsession::{
    BackgroundDaemon, BackgroundHost, Configuration, Delegate, DeliveryQueue, Error, Request,
    Session, Task,
};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A program is at rest when it has taken less than so much CPU time in so long.
const REST: Duration = Duration::from_millis(300);
const REST_CPU_US: u64 = 2_000;

fn main() -> ExitCode {
    urlsession::background::run_daemon_if_asked();
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words[..] {
        ["make", url, folder, count] => make(url, folder, count),
        ["open", folder, count] => open(folder, count),
        ["download", url, folder] => download(url, folder),
        ["resumable", url, folder] => resumable(url, folder),
        ["foreground", url, folder, count, most] => foreground(url, folder, count, most),
        ["daemon", url, folder, count, most] => daemon(url, folder, count, most),
        _ => Err("say what to do, and what that needs".into()),
    };
    match done {
        // As a crash would: what was made is there for the next run.
        Ok(()) => process::exit(0),
        Err(failure) => {
            eprintln!("background: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// Hears of the ends of tasks.
struct Listener(Sender<Result<(), String>>);

impl Delegate for Listener {
    fn did_complete(&self, _task: &Task, error: Option<&Error>) {
        let _ = self.0.send(error.map_or(Ok(()), |error| Err(error.to_string())));
    }
}

fn session(folder: &str, ends: Sender<Result<(), String>>) -> Result<Session, Error> {
    let configuration = Configuration::background("bench").program("bench").state_directory(folder);
    let configuration = configuration.daemon(BackgroundDaemon::Never);
    Session::with_delegate(configuration, Arc::new(Listener(ends)), DeliveryQueue::serial())
}

fn make(url: &str, folder: &str, count: &str) -> Result<(), Failure> {
    let count = count.parse()?;
    let session = session(folder, channel().0)?;
    let meter = Meter::start();
    for number in 0..count {
        let request = Request::get(format!("{url}/{number}")).task_key(number.to_string());
        session.download_task(request).resume();
    }
    session.flush();
    tell(meter, count, &session)
}

fn open(folder: &str, count: &str) -> Result<(), Failure> {
    let count = count.parse()?;
    let meter = Meter::start();
    let session = session(folder, channel().0)?;
    let found = session.all_tasks().len() as u64;
    if found != count {
        return Err(format!("{found} tasks were found").into());
    }
    tell(meter, count, &session)
}

/// Prints what it has cost, and what there was of memory and CPU time once everything has begun.
fn tell(meter: Meter, count: u64, session: &Session) -> Result<(), Failure> {
    let cost = meter.stop(count, 0)?;
    let mut before = cost::cpu_time_us();
    loop {
        thread::sleep(REST);
        let now = cost::cpu_time_us();
        if now - before < REST_CPU_US {
            break;
        }
        before = now;
    }
    let (peak, cpu) = (cost::peak_rss_kib()?, cost::cpu_time_us());
    println!("{cost} peak_at_rest_kib={peak} cpu_at_rest_us={cpu}");
    // Until here everything is under way.
    drop(session.clone());
    Ok(())
}

fn download(url: &str, folder: &str) -> Result<(), Failure> {
    let meter = Meter::start();
    let (ends, ended) = channel();
    let place = Path::new(folder).join("download");
    let session = session(folder, ends)?;
    let task = session.download_task(url);
    task.save_to(&place)?;
    task.resume();
    ended.recv()??;
    finish(meter, &place)
}

fn resumable(url: &str, folder: &str) -> Result<(), Failure> {
    let meter = Meter::start();
    let place = Path::new(folder).join("download");
    let session = Session::new(Configuration::default())?;
    let task = session.download_task(url);
    task.save_to(&place)?;
    task.resumable(true)?;
    drop(task.run()?);
    finish(meter, &place)
}

fn foreground(url: &str, folder: &str, count: &str, most: &str) -> Result<(), Failure> {
    let configuration =
        Configuration::default().maximum_connections_per_host(most.parse::<usize>()?);
    let (ends, ended) = channel();
    let delegate = Arc::new(Listener(ends));
    let session = Session::with_delegate(configuration, delegate, DeliveryQueue::serial())?;
    files(&session, &ended, url, folder, count.parse()?)
}

fn daemon(url: &str, folder: &str, count: &str, most: &str) -> Result<(), Failure> {
    let configuration = Configuration::background("bench")
        .program("bench")
        .state_directory(folder)
        .maximum_connections_per_host(most.parse::<usize>()?);
    let (ends, ended) = channel();
    let delegate = Arc::new(Listener(ends));
    let session = Session::with_delegate(configuration, delegate, DeliveryQueue::serial())?;
    if session.background_host() != Some(BackgroundHost::Daemon) {
        return Err("no daemon hosts the session".into());
    }
    files(&session, &ended, url, folder, count.parse()?)
}

/// Downloads files to places beside each other, and waits until the program has heard of all.
fn files(
    session: &Session,
    ended: &Receiver<Result<(), String>>,
    url: &str,
    folder: &str,
    count: u64,
) -> Result<(), Failure> {
    let place = |number: u64| Path::new(folder).join(number.to_string());
    let meter = Meter::start();
    for number in 0..count {
        let task = session.download_task(format!("{url}?{number}"));
        task.save_to(place(number))?;
        task.resume();
    }
    for _ in 0..count {
        ended.recv()??;
    }
    let mut bytes = 0;
    for number in 0..count {
        bytes += fs::metadata(place(number))?.len();
    }
    println!("{}", meter.stop(count, bytes)?);
    session.finish_tasks_and_invalidate();
    session.wait_until_idle(Duration::MAX);
    Ok(())
}

fn finish(meter: Meter, place: &Path) -> Result<(), Failure> {
    let bytes = fs::metadata(place)?.len();
    println!("{}", meter.stop(1, bytes)?);
    fs::remove_file(place)?;
    Ok(())
}
