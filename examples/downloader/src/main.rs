//! Downloads files into a folder, with a bar for each. What fails on the way is tried again;
//! Ctrl-C ends everything and leaves nothing of it.
//!
//!     cargo run --manifest-path examples/downloader/Cargo.toml
//!     cargo run --manifest-path examples/downloader/Cargo.toml -- FOLDER URL...
//!
//! Without arguments it downloads 30 files from a server of its own.

mod demonstration;

use std::error::Error as StdError;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Sender};
use std::time::Duration;
use std::{env, fs, thread};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use urlsession::{Configuration, Delegate, Error, Session, Task};

/// How often a file is tried.
const ATTEMPTS: u32 = 4;

struct File {
    url: String,
    place: PathBuf,
    bar: ProgressBar,
    attempts: u32,
    is_there: bool,
}

/// Is told what becomes of one file.
struct Watcher {
    index: usize,
    bar: ProgressBar,
    ended: Sender<(usize, Option<Error>)>,
}

impl Delegate for Watcher {
    fn did_write_data(&self, _task: &Task, _written: u64, total: u64, expected: Option<u64>) {
        self.bar.set_length(expected.unwrap_or(total));
        self.bar.set_position(total);
    }

    fn did_complete(&self, _task: &Task, error: Option<&Error>) {
        let _ = self.ended.send((self.index, error.cloned()));
    }
}

struct Downloader {
    session: Session,
    ended: Sender<(usize, Option<Error>)>,
    /// Somebody has pressed Ctrl-C.
    stopped: Arc<AtomicBool>,
}

impl Downloader {
    /// Starts another attempt; what is wrong with it ends it.
    fn start(&self, index: usize, file: &File) {
        if let Err(error) = self.resume(index, file) {
            let _ = self.ended.send((index, Some(error)));
        }
    }

    fn resume(&self, index: usize, file: &File) -> Result<(), Error> {
        let task = self.session.download_task(&file.url);
        // It comes there whole or not at all, and only if the server says that it is the file.
        task.save_to(&file.place)?;
        let (bar, ended) = (file.bar.clone(), self.ended.clone());
        task.set_delegate(Arc::new(Watcher { index, bar, ended }))?;
        task.resume();
        // Ctrl-C cancels the tasks that it finds: this one may have come after.
        if self.stopped.load(Ordering::SeqCst) {
            task.cancel();
        }
        Ok(())
    }
}

/// Downloads all into `folder`; `None` if Ctrl-C was pressed, else how many are missing.
fn download(folder: &Path, urls: &[String]) -> Result<Option<usize>, Box<dyn StdError>> {
    let (ended, endings) = mpsc::channel();
    let stopped = Arc::new(AtomicBool::new(false));
    let session = Session::new(Configuration::ephemeral())?;
    let downloader = Downloader { session, ended, stopped: Arc::clone(&stopped) };
    let (session, asked) = (downloader.session.clone(), Arc::clone(&stopped));
    ctrlc::set_handler(move || {
        asked.store(true, Ordering::SeqCst);
        session.all_tasks().iter().for_each(|task| task.cancel());
    })?;

    let bars = MultiProgress::new();
    let style = ProgressStyle::with_template("{bar:30} {bytes:>10} {msg}")?;
    let mut files = Vec::new();
    for url in urls {
        let name = url.rsplit('/').next().unwrap_or_default().to_owned();
        let bar = bars.add(ProgressBar::new(0).with_style(style.clone()));
        bar.set_message(name.clone());
        files.push(File {
            url: url.clone(),
            place: folder.join(name),
            bar,
            attempts: 1,
            is_there: false,
        });
    }
    for (index, file) in files.iter().enumerate() {
        downloader.start(index, file);
    }

    let (mut under_way, mut missing) = (files.len(), 0);
    while under_way > 0 {
        let (index, error) = endings.recv()?;
        let file = &mut files[index];
        match error {
            None => {
                file.is_there = true;
                file.bar.finish();
            }
            Some(error) if stopped.load(Ordering::SeqCst) => {
                file.bar.abandon_with_message(error.to_string())
            }
            Some(error) if error.is_transient() && file.attempts < ATTEMPTS => {
                thread::sleep(Duration::from_millis(100 << file.attempts));
                file.attempts += 1;
                file.bar.reset();
                downloader.start(index, file);
                continue;
            }
            Some(error) => {
                missing += 1;
                file.bar.abandon();
                bars.suspend(|| eprintln!("{error}"));
            }
        }
        under_way -= 1;
    }
    if !stopped.load(Ordering::SeqCst) {
        return Ok(Some(missing));
    }
    // What was under way has left nothing already.
    for file in files.iter().filter(|file| file.is_there) {
        fs::remove_file(&file.place)?;
    }
    Ok(None)
}

/// Downloads all into `folder`, which is made if it is not there, and then goes with Ctrl-C, too.
fn run(folder: &Path, urls: &[String]) -> Result<ExitCode, Box<dyn StdError>> {
    let is_ours = !folder.exists();
    fs::create_dir_all(folder)?;
    let Some(missing) = download(folder, urls)? else {
        if is_ours {
            fs::remove_dir(folder)?;
        }
        println!("stopped: nothing is left");
        // As a shell says of what SIGINT has ended.
        return Ok(ExitCode::from(130));
    };
    println!("{} of {} files are in {}", urls.len() - missing, urls.len(), folder.display());
    Ok(if missing == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn main() -> Result<ExitCode, Box<dyn StdError>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match &arguments[..] {
        [] => demonstration::run(run),
        [folder, urls @ ..] => run(Path::new(folder), urls),
    }
}
