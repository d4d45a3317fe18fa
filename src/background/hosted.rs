//! How a program becomes a daemon.

#[cfg(unix)]
use super::{daemon, launch};

/// Hosts background sessions in this process, and ends it, if it was started for that; otherwise
/// says that this program's executable can be, and returns.
///
/// A program that calls this needs no `urlsessiond` to be installed: its own executable is
/// started as one, if none is found beside it or in `PATH`. It has to be called first thing in
/// `main`, before files are opened, threads are started and arguments are read: what the process
/// has open is closed, and its arguments are those of a daemon.
///
/// On Windows it does nothing: there the program hosts its sessions itself.
///
/// # Examples
///
/// ```
/// urlsession::background::run_daemon_if_asked();
/// // what the program does
/// ```
pub fn run_daemon_if_asked() {
    #[cfg(unix)]
    {
        if let Some(role) = launch::Role::of_process() {
            std::process::exit(daemon::run_as(role).into());
        }
        launch::own_executable_serves();
    }
}

/// The program `urlsessiond`: does what the arguments of this process say, and returns its exit
/// code.
#[doc(hidden)]
#[must_use]
pub fn urlsessiond() -> u8 {
    #[cfg(unix)]
    return daemon::urlsessiond();
    #[cfg(not(unix))]
    {
        eprintln!("urlsessiond: this system is not supported yet");
        1
    }
}
