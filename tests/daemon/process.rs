//! Runs the daemon and looks at it.

use std::ffi::OsStr;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs, process, thread};

/// A generous limit for what cannot hang.
pub(crate) const HANG: Duration = Duration::from_secs(60);

/// A folder of its own for one test, with the state folder of a daemon in it.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = env::temp_dir().join(format!("urlsessiond-test-{}-{number}", process::id()));
        fs::create_dir(&path).unwrap();
        Self(path.canonicalize().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.0.join("state")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub(crate) fn socket(state: &Path) -> PathBuf {
    state.join("daemon").join("socket")
}

pub(crate) fn log(state: &Path) -> String {
    fs::read_to_string(state.join("daemon").join("log")).unwrap()
}

/// Prepares to run `urlsessiond` with an environment that leads nowhere else.
pub(crate) fn command(verb: &str, state: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_urlsessiond"));
    command.arg(verb).arg("--state").arg(state);
    command.env_remove("XDG_RUNTIME_DIR").env_remove("URLSESSION_HOME");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A daemon in the foreground, which is killed with this.
pub(crate) struct Daemon {
    child: Child,
    state: PathBuf,
}

impl Daemon {
    /// Starts one that listens when this returns.
    pub(crate) fn start(state: &Path) -> Self {
        Self::start_with(state, &["--idle", "600"])
    }

    pub(crate) fn start_with(state: &Path, arguments: &[&str]) -> Self {
        let daemon = Self::spawn(state, arguments);
        wait_until(|| answering(state) == Some(daemon.id()));
        daemon
    }

    /// Starts one that may have nothing to do but to end.
    pub(crate) fn spawn(state: &Path, arguments: &[&str]) -> Self {
        let child = command("run", state).args(arguments).spawn().unwrap();
        Self { child, state: state.to_owned() }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn state(&self) -> &Path {
        &self.state
    }

    pub(crate) fn signal(&self, name: &str) {
        signal(self.id(), name);
    }

    /// Returns its exit code, if it has ended; an error is the signal that has ended it.
    pub(crate) fn ended(&mut self) -> Option<Result<i32, i32>> {
        let status = self.child.try_wait().unwrap()?;
        Some(status.code().ok_or_else(|| status.signal().unwrap()))
    }

    /// Waits until it has ended.
    pub(crate) fn wait(&mut self) -> Result<i32, i32> {
        let mut code = None;
        wait_until(|| {
            code = self.ended();
            code.is_some()
        });
        code.unwrap()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A daemon that is nobody's child, which is told to leave with this.
pub(crate) struct Detached(pub(crate) u32);

impl Drop for Detached {
    fn drop(&mut self) {
        signal(self.0, "TERM");
    }
}

pub(crate) fn signal(id: u32, name: &str) {
    let sent = Command::new("kill").args(["-s", name, &id.to_string()]).output().unwrap();
    assert!(sent.status.success(), "{sent:?}");
}

/// Returns the number of the process that answers, by asking `urlsessiond status`.
pub(crate) fn answering(state: &Path) -> Option<u32> {
    let output = command("status", state).output().unwrap();
    let said = text(&output.stdout);
    match output.status.code() {
        Some(0) => Some(said.trim_end().rsplit(' ').next().unwrap().parse().unwrap()),
        code => {
            assert_eq!(code, Some(1), "{output:?}");
            None
        }
    }
}

/// Runs a command to its end, and returns its exit code and what it complained about.
pub(crate) fn complaint(mut command: Command) -> (Option<i32>, String) {
    let output: Output = command.output().unwrap();
    (output.status.code(), text(&output.stderr))
}

pub(crate) fn text(bytes: impl AsRef<[u8]>) -> String {
    String::from_utf8_lossy(bytes.as_ref()).into_owned()
}

/// Waits until something has happened that will.
pub(crate) fn wait_until(mut happened: impl FnMut() -> bool) {
    let began = Instant::now();
    while !happened() {
        assert!(began.elapsed() < HANG, "it did not happen");
        thread::sleep(Duration::from_millis(10));
    }
}

/// Whether this process may be another user, as root may.
pub(crate) fn may_be_another_user() -> bool {
    let tried = as_another_user(OsStr::new("true")).output();
    tried.is_ok_and(|output| output.status.success())
}

/// Prepares to run a program as a user who owns nothing here.
pub(crate) fn as_another_user(program: &OsStr) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"]).arg(program);
    command
}
