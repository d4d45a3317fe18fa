//! The program that is killed: it has a background session, and writes down what it is told.

use std::fs::{File, OpenOptions};
#[cfg(feature = "daemon")]
use std::io::ErrorKind;
use std::io::Write;
#[cfg(feature = "daemon")]
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};
use std::{env, fs, process};

use urlsession::{
    Body, Configuration, DelayedRequestDisposition, Delegate, DeliveryQueue, DownloadedFile, Error,
    Reply, Request, Response, RetryPolicy, Session, StartOver, Task, TaskState,
};

#[cfg(feature = "daemon")]
use urlsession::BackgroundDaemon;

#[cfg(feature = "daemon")]
use crate::hosts;
use crate::hosts::Host;
use crate::wishes::{Fate, Plot, Verb, Wish};

/// Tell the program that it is to run, and where the server is.
const PLACE: &str = "URLSESSION_TEST_PLACE";
const BASE: &str = "URLSESSION_TEST_BASE";

/// Tells it that a daemon is to run its transfers, and where it lies.
const DAEMON: &str = "URLSESSION_TEST_DAEMON";

/// Tells it to remove that one once it runs: nothing follows it when it is killed.
const IS_LAST: &str = "URLSESSION_TEST_LAST";

/// A generous limit for what cannot hang.
pub(crate) const HANG: Duration = Duration::from_secs(60);

/// Prepares to run the program of a test whose files lie in `place`.
pub(crate) fn command(test: &str, place: &Path, base: &str, host: Host) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture"]).env(PLACE, place).env(BASE, base);
    // What is written down stands there with the points that were passed, in order.
    command.env("URLSESSION_CRASH_LOG", diary(place));
    match host {
        Host::Program => {}
        #[cfg(feature = "daemon")]
        Host::Daemon => {
            command.env(DAEMON, daemon(place)).env("URLSESSION_CRASH_ONCE", once(place));
        }
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

/// Prepares to run it so that nothing goes on by itself once it or its daemon is killed.
pub(crate) fn last_command(test: &str, place: &Path, base: &str, host: Host) -> Command {
    let mut command = command(test, place, base, host);
    command.env(IS_LAST, "yes");
    command
}

/// Returns where its daemon lies: a link of its own to it, which is made if it is not there.
#[cfg(feature = "daemon")]
pub(crate) fn daemon(place: &Path) -> PathBuf {
    let link = place.join("urlsessiond");
    if let Err(error) = symlink(hosts::URLSESSIOND, &link) {
        assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{error}");
    }
    link
}

/// Ends the daemon of a program, if it has one.
#[cfg_attr(not(feature = "daemon"), allow(unused_variables))]
pub(crate) fn stop_daemon(place: &Path, host: Host) {
    match host {
        Host::Program => {}
        #[cfg(feature = "daemon")]
        Host::Daemon => hosts::stop_daemon(&state(place)),
    }
}

/// Returns the file that whoever is killed makes.
pub(crate) fn once(place: &Path) -> PathBuf {
    place.join("killed")
}

pub(crate) fn diary(place: &Path) -> PathBuf {
    place.join("diary")
}

/// Returns the folder that the files are taken to.
pub(crate) fn taken(place: &Path) -> PathBuf {
    place.join("taken")
}

/// Returns where the file of a wish comes to: one of them to another volume, where there is one.
pub(crate) fn place_of(place: &Path, key: &str) -> PathBuf {
    match key {
        "placed-elsewhere" => elsewhere(place).join(key),
        _ => taken(place).join(key),
    }
}

/// Returns a folder on the disk.
pub(crate) fn elsewhere(place: &Path) -> PathBuf {
    let (scratch, number) = (place.parent().unwrap(), place.file_name().unwrap());
    env::temp_dir().join(scratch.file_name().unwrap()).with_extension("elsewhere").join(number)
}

/// Returns the folder with what is uploaded, beside the places of all programs.
pub(crate) fn sources(scratch: &Path) -> PathBuf {
    scratch.join("sources")
}

pub(crate) fn state(place: &Path) -> PathBuf {
    place.join("state")
}

/// Runs the program, if this is the process for that, and ends it.
pub(crate) fn run_if_asked(plot: &'static Plot) {
    let (Some(place), Ok(base)) = (env::var_os(PLACE), env::var(BASE)) else { return };
    Program { place: place.into(), base, plot }.run();
    process::exit(0);
}

struct Program {
    place: PathBuf,
    base: String,
    plot: &'static Plot,
}

impl Program {
    fn run(&self) {
        fs::create_dir_all(taken(&self.place)).unwrap();
        fs::create_dir_all(elsewhere(&self.place)).unwrap();
        let diary = OpenOptions::new().append(true).create(true).open(diary(&self.place)).unwrap();
        let (ended, ends) = channel();
        let clerk = Clerk { diary: Mutex::new(diary), place: self.place.clone(), ended };
        clerk.write("run");
        let clerk = Arc::new(clerk);
        let session = self.open(clerk.clone());
        for damage in session.background_report().unwrap().damage {
            clerk.write(&format!("damage {damage}"));
        }
        self.make_tasks(&session);
        for task in session.all_tasks() {
            self.treat(&task);
        }
        assert!(session.wait_until_idle(HANG), "{}", session.background_report().unwrap());
        session.finish_tasks_and_invalidate();
        ends.recv_timeout(HANG).unwrap();
        clerk.write("over");
    }

    fn open(&self, clerk: Arc<Clerk>) -> Session {
        let retries = RetryPolicy::attempts(1000)
            .statuses([503])
            .first_delay(Duration::from_millis(5))
            .growth(1.0);
        let configuration = Configuration::background("films")
            .program("killed")
            .state_directory(state(&self.place))
            .retry_policy(retries);
        let daemon = env::var_os(DAEMON).map(PathBuf::from);
        #[cfg(feature = "daemon")]
        let configuration = configuration
            .daemon(daemon.clone().map_or(BackgroundDaemon::Never, BackgroundDaemon::At));
        let session = Session::with_delegate(configuration, clerk, DeliveryQueue::serial());
        if let Some(daemon) = daemon.filter(|_| env::var_os(IS_LAST).is_some()) {
            fs::remove_file(daemon).unwrap();
        }
        session.unwrap()
    }

    /// Makes all tasks. A program that was killed while it did makes them once more.
    fn make_tasks(&self, session: &Session) {
        let made = self.place.join("made");
        if made.exists() {
            return;
        }
        for wish in self.plot.wishes {
            let _ = self.make(session, wish);
        }
        session.flush();
        File::create(made).unwrap();
    }

    fn make(&self, session: &Session, wish: &Wish) -> Task {
        let url = format!("{}/{}", self.base, wish.key);
        let request = match wish.verb {
            Verb::Get { .. } => Request::get(url),
            Verb::Put => Request::put(url),
            Verb::Post => Request::post(url),
            Verb::PostWithIdempotencyKey => Request::post(url).header("Idempotency-Key", "7"),
            Verb::PostThatMayBeRepeated => Request::post(url).may_repeat(true),
        };
        let request = request.task_key(wish.key);
        if !wish.is_upload() {
            let task = session.download_task(request);
            if wish.has_place() {
                task.save_to(place_of(&self.place, wish.key)).unwrap();
            }
            if let Some(delay) = wish.delay() {
                task.set_earliest_begin_date(SystemTime::now() + delay).unwrap();
            }
            return task.into();
        }
        let source = sources(self.place.parent().unwrap()).join(wish.key);
        session.upload_task(request, Body::file(source)).into()
    }

    /// Does with a task that is not over what is to be done.
    fn treat(&self, task: &Task) {
        let wish = self.plot.wish(&key(task));
        match wish.fate {
            Fate::Stays => {}
            Fate::Runs => drop(task.resume()),
            Fate::Pauses if task.state() == TaskState::Suspended => {
                let _ = task.resume();
                task.suspend();
                let _ = task.resume();
            }
            Fate::Pauses => {}
            Fate::IsWithdrawn => task.cancel(),
            Fate::IsCancelled => {
                let _ = task.resume();
                task.cancel();
            }
        }
    }
}

/// Returns by which key its URL names what it transfers.
fn key(task: &Task) -> String {
    let request = task.original_request();
    request.url().unwrap().path_segments().unwrap().nth(1).unwrap().to_owned()
}

/// Writes down what is told. A kill leaves what was written, so nothing is synced.
struct Clerk {
    diary: Mutex<File>,
    place: PathBuf,
    ended: Sender<()>,
}

impl Clerk {
    fn write(&self, line: &str) {
        // By one write, so that lines of threads do not mix.
        self.diary.lock().unwrap().write_all(format!("# {line}\n").as_bytes()).unwrap();
    }
}

impl Delegate for Clerk {
    fn did_become_invalid(&self, _session: &Session, _error: Option<&Error>) {
        self.ended.send(()).unwrap();
    }

    fn did_finish_events(&self, _session: &Session) {
        self.write("replayed");
    }

    fn did_resume_at_offset(&self, task: &Task, offset: u64, _expected: Option<u64>) {
        self.write(&format!("resumed {} {offset}", key(task)));
    }

    fn will_begin_delayed_request(
        &self,
        task: &Task,
        _request: Request,
        reply: Reply<DelayedRequestDisposition>,
    ) {
        assert!(SystemTime::now() >= task.earliest_begin_date().unwrap());
        self.write(&format!("begins {}", key(task)));
        reply.answer(DelayedRequestDisposition::ContinueLoading);
    }

    fn did_follow_redirect(&self, task: &Task, response: &Response, request: &Request) {
        assert!(request.url().unwrap().path().ends_with("/there"));
        self.write(&format!("followed {} {}", key(task), response.status().as_u16()));
    }

    fn did_start_over(&self, task: &Task, reason: StartOver) {
        self.write(&format!("anew {} {reason:?}", key(task)));
    }

    fn did_receive_data(&self, task: &Task, data: Vec<u8>) {
        self.write(&format!("answer {} {}", key(task), String::from_utf8(data).unwrap()));
    }

    fn did_finish_downloading(&self, task: &Task, mut file: DownloadedFile) {
        let key = key(task);
        self.write(&format!("file {key} {}", file.len()));
        let length = file.len();
        match &*key {
            "placed" | "placed-elsewhere" => assert_eq!(file.path(), place_of(&self.place, &key)),
            "kept" => drop(file.keep()),
            "discarded" => file.discard(),
            _ => file.persist(place_of(&self.place, &key)).unwrap(),
        }
        self.write(&format!("taken {key} {length}"));
    }

    fn did_complete(&self, task: &Task, error: Option<&Error>) {
        let status = task.response().map_or(0, |response| response.status().as_u16());
        let how = error.map_or(format!("ok {status}"), |error| format!("{:?}", error.kind()));
        self.write(&format!("end {} {how}", key(task)));
    }
}
