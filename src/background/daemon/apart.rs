//! How a daemon sets itself apart from whoever has started it.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdout, Command};
use std::{env, path};

use rustix::fs::Mode;

use crate::background::launch::{Beginning, ROLE, Role, command};
use crate::program;

/// Where the system lists what a process has open.
const DESCRIPTORS: &str =
    if cfg!(any(target_os = "linux", target_os = "android")) { "/proc/self/fd" } else { "/dev/fd" };

/// What a process ends with that cannot become a program, as a shell's.
const NOT_RUN: u8 = 127;

/// The first descriptor that is no standard stream.
const FIRST: i32 = 3;

/// Makes this process, which was just executed, the only one of a session of its own, without
/// anything that was open before.
///
/// A program opens its files so that they are closed by `exec`, but not all do, and what they have
/// left open would be so for as long as the daemon runs. Nothing of this process's own is open
/// yet, so nobody else closes these numbers, or takes what is behind them for something else.
pub(super) fn set_apart() -> io::Result<()> {
    rustix::process::setsid()?;
    let listed = fs::read_dir(DESCRIPTORS)?;
    let numbers: Vec<i32> = listed
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|number| *number >= FIRST)
        .collect();
    for number in numbers {
        // The list was one of them, and is closed.
        let _ = nix::unistd::close(number);
    }
    Ok(())
}

/// Has this process lie in nobody's way: what it makes is its user's alone, and no volume is kept
/// from being unmounted.
pub(super) fn settle() -> io::Result<()> {
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
    env::set_current_dir(path::Path::new("/"))
}

/// Says how it began to who has started it, and nothing after that.
pub(super) fn tell(beginning: &Beginning) {
    // Who has started it may be gone.
    let _ = io::stdout().write_all(beginning.line().as_bytes());
    let _ = io::stdout().flush();
    if let Ok(null) = File::options().write(true).open("/dev/null") {
        let _ = rustix::stdio::dup2_stdout(&null);
    }
}

/// Starts the daemon with the arguments of this process, and returns what that says.
pub(super) fn start() -> Beginning {
    let Some(executable) = program::executable() else {
        return Beginning::Failed("the system does not tell where the executable is".to_owned());
    };
    let mut command = command(&executable, Role::Daemon);
    command.args(env::args_os().skip(1));
    match command.spawn() {
        Ok(daemon) => listen(daemon),
        Err(error) => Beginning::Failed(format!("cannot run {}: {error}", executable.display())),
    }
}

/// Becomes the program that the arguments of this process are the command of; returns the exit code
/// if it cannot.
///
/// The program has this process's number, so whoever has started it waits for the program.
pub(super) fn become_program() -> u8 {
    let mut command = env::args_os().skip(1);
    let Some(executable) = command.next() else { return NOT_RUN };
    if set_apart().is_ok() {
        // Nobody hears why it cannot be: what it writes goes nowhere.
        let _ = Command::new(executable).args(command).env_remove(ROLE).exec();
    }
    NOT_RUN
}

/// The daemon goes on, as nobody's child once this process ends.
fn listen(mut daemon: Child) -> Beginning {
    let mut said = Vec::new();
    let listened = daemon.stdout.take().map(|stdout: ChildStdout| {
        // A line is shorter.
        stdout.take(4096).read_to_end(&mut said)
    });
    match listened {
        Some(Err(error)) => Beginning::Failed(format!("cannot hear the daemon: {error}")),
        _ => Beginning::read(&said),
    }
}
