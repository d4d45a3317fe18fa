//! Plain bodies that go from their sockets into their files without being read: whatever ends a
//! body that is read ends these, too.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use std::{env, fs, io};

use urlsession::testing::{Answer, Counters, Server};
use urlsession::{Clock, DownloadTask, Error, ErrorKind, Session, TaskState};

use crate::support::folder::Folder;
use crate::support::running::{Running, nothing_is_left, session, wait_for};

const LENGTH: u64 = 3_000_000;
/// After so much the server makes its client wait.
const FIRST: u64 = 1_000_000;

/// A large body on its way into its file, of which some is there.
struct Splicing {
    folder: Folder,
    server: Server,
    session: Session,
    clock: Clock,
    task: DownloadTask,
    running: Running<Result<u64, Error>>,
}

impl Splicing {
    fn begin(answer: Answer) -> Self {
        let (folder, server, clock) = (Folder::new(), Server::start(), Clock::by_hand());
        server.enqueue(answer);
        let session = session(|all| {
            all.temporary_directory = Some(folder.path().to_owned());
            all.clock = clock.clone();
            all.timeout_for_request = Duration::from_secs(60);
            all.timeout_for_resource = Duration::from_secs(100);
        });
        let task = session.download_task(server.url("/"));
        let running = task.clone();
        let running = Running::start(move || running.run().map(|download| download.file.len()));
        let splicing = Self { folder, server, session, clock, task, running };
        splicing.wait_for(FIRST);
        splicing
    }

    /// Waits until so much is there, and the server makes its client wait for more.
    fn wait_for(&self, received: u64) {
        wait_for("what was sent", || self.task.progress().bytes_received == received);
        self.server.wait_until(|stats| stats.stalled == 1);
    }

    /// Sees that it ends so, and that nothing is left.
    fn ends(self, expected: Result<u64, ErrorKind>, case: &str) {
        let Self { folder, server, session, task, running, .. } = self;
        let outcome = running.outcome();
        assert_eq!(outcome.map_err(|error| error.kind()), expected, "{case}");
        assert_eq!(folder.names(), [""; 0], "{case}");
        assert_eq!(Counters::of(&session).files(), 0, "{case}");
        drop(task);
        nothing_is_left(session, &[&server]);
    }
}

/// Both ways in which a plain body can come.
fn answers() -> [(&'static str, Answer); 2] {
    let answer = Answer::status(200).body_of_size(LENGTH).stall_in_body_after(FIRST);
    [("announced", answer.clone()), ("until the end", answer.until_close())]
}

#[test]
fn a_cancel_ends_it() {
    for (case, answer) in answers() {
        let splicing = Splicing::begin(answer);
        splicing.task.cancel();
        splicing.ends(Err(ErrorKind::Cancelled), case);
    }
}

#[test]
fn silence_ends_it_and_every_byte_begins_the_time_anew() {
    for (case, answer) in answers() {
        let splicing = Splicing::begin(answer.stall_in_body_after(FIRST + 1));
        splicing.clock.advance(Duration::from_secs(49));
        splicing.server.release();
        splicing.wait_for(FIRST + 1);
        splicing.clock.advance(Duration::from_secs(49));
        assert!(splicing.running.is_running(), "{case}");
        splicing.server.release();
        splicing.ends(Ok(LENGTH), case);
    }
    for (case, answer) in answers() {
        let splicing = Splicing::begin(answer);
        splicing.clock.advance(Duration::from_secs(60));
        splicing.ends(Err(ErrorKind::TimedOut), case);
    }
}

#[test]
fn the_time_for_the_whole_task_ends_it() {
    for (case, answer) in answers() {
        let splicing = Splicing::begin(answer.stall_in_body_after(FIRST + 1));
        splicing.clock.advance(Duration::from_secs(50));
        splicing.server.release();
        splicing.wait_for(FIRST + 1);
        splicing.clock.advance(Duration::from_secs(50));
        splicing.ends(Err(ErrorKind::TimedOut), case);
    }
}

#[test]
fn it_waits_while_it_is_suspended_and_no_timer_runs() {
    for (case, answer) in answers() {
        let splicing = Splicing::begin(answer);
        splicing.task.suspend();
        splicing.clock.advance(Duration::from_secs(1000));
        splicing.server.release();
        splicing.server.wait_until(|stats| stats.answers == 1);
        assert_eq!(splicing.task.state(), TaskState::Suspended, "{case}");
        assert!(splicing.running.is_running(), "{case}");
        splicing.task.resume();
        splicing.ends(Ok(LENGTH), case);
    }
}

#[test]
fn a_body_that_is_cut_short_is_an_error() {
    let lost = Err(ErrorKind::NetworkConnectionLost);
    for (case, answer) in answers() {
        let (cut, reset) = (answer.clone().truncate_after(FIRST), answer.reset_after(FIRST));
        let whole = if case == "announced" { lost } else { Ok(FIRST) };
        let splicing = Splicing::begin(cut);
        splicing.server.release();
        splicing.ends(whole, &format!("{case}, closed"));
        let splicing = Splicing::begin(reset);
        splicing.server.release();
        splicing.ends(lost, &format!("{case}, reset"));
    }
}

#[test]
fn the_connection_is_used_again() {
    let (folder, server, session) = (Folder::new(), Server::start(), session(|_| {}));
    for round in 0..3 {
        server.enqueue(Answer::status(200).body_of_size(LENGTH));
        server.enqueue(Answer::ok("small"));
        let place = folder.path().join(round.to_string());
        assert_eq!(session.download_to(server.url("/"), &place).unwrap().file.len(), LENGTH);
        assert_eq!(session.data(server.url("/")).unwrap().text(), "small");
    }
    assert_eq!((server.request_count(), server.connection_count()), (6, 1));
    nothing_is_left(session, &[&server]);
}

/// Tells the test that it was started anew, and where.
const PLACE: &str = "URLSESSION_IT_NO_PIPES";
const NAME: &str = "download_splices::without_pipes_bodies_are_read";

/// Takes all that a user may have in pipes (`pipe-user-pages-soft` is 16,384 pages, a pipe has 16),
/// until new ones are small and stay so.
fn take_all_pipes() -> Vec<(io::PipeReader, io::PipeWriter)> {
    (0..1100).map(|_| io::pipe().unwrap()).collect()
}

#[test]
fn without_pipes_bodies_are_read() {
    let Some(place) = env::var_os(PLACE).map(PathBuf::from) else { return start_as_nobody() };
    let _pipes = take_all_pipes();
    let (server, session) = (Server::start(), session(|_| {}));
    for length in [LENGTH, 10 * LENGTH] {
        server.enqueue(Answer::status(200).body_of_size(length));
        let before = written();
        let file = session.download_to(server.url("/"), place.join("file")).unwrap().file;
        assert_eq!(file.len(), length);
        assert!(is_alphabet(file.path()));
        fs::remove_file(file.path()).unwrap();
        let copied = written().zip(before).map(|(now, before)| now - before);
        assert!(copied.is_none_or(|copied| copied >= length), "{copied:?}");
    }
    nothing_is_left(session, &[&server]);
}

/// Starts the test anew as another user, who may have only so much in pipes, and that many files.
fn start_as_nobody() {
    let folder = Folder::new();
    // The folder that the program was built in may be closed to others.
    let program = folder.path().join("program");
    fs::copy(env::current_exe().unwrap(), &program).unwrap();
    let own = folder.path().join("own");
    fs::create_dir(&own).unwrap();
    if std::os::unix::fs::chown(&own, Some(65533), Some(65533)).is_err() {
        return println!("skipped: this process may not be another user");
    }
    let output = Command::new("setpriv")
        .args(["--reuid=65533", "--regid=65533", "--clear-groups", "sh", "-c"])
        .args(["ulimit -n 4096 && exec \"$@\"", "sh"])
        .arg(program)
        .args(["--exact", NAME])
        .env(PLACE, &own)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("test result: ok. 1 passed"), "{text}\n{errors}");
}

/// How many bytes this thread has written from memory, if the system tells.
fn written() -> Option<u64> {
    let counts = fs::read_to_string("/proc/thread-self/io").ok()?;
    counts.lines().find_map(|line| line.strip_prefix("wchar: "))?.parse().ok()
}

/// Whether a file has what the test server sends.
fn is_alphabet(path: &Path) -> bool {
    let content = fs::read(path).unwrap();
    content.iter().enumerate().all(|(at, byte)| *byte == b'a' + (at % 26) as u8)
}
