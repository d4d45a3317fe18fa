//! What a supervisor says to a daemon.

use std::io;
use std::process;
use std::thread;
use std::time::Duration;

use nix::sys::signal::{SigSet, Signal};

use super::Daemon;
use crate::census;
use crate::error::{Error, ErrorKind};
use crate::log;

/// How long it may take to leave, less what the end of a process takes.
const LAST_WORDS: Duration = Duration::from_millis(1800);

fn all() -> SigSet {
    [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP].into_iter().collect()
}

/// Keeps these signals back from the calling thread and all that it starts from now on, so that
/// they interrupt nothing. What is executed is told of them: std unblocks all for it.
pub(super) fn block() -> io::Result<()> {
    Ok(all().thread_block()?)
}

/// Has the daemon leave at the first of them, in time.
pub(super) fn leave_at(daemon: &Daemon) -> Result<(), Error> {
    let daemon = daemon.clone();
    let life = Box::new(move || {
        let signal = match all().wait() {
            Ok(signal) => signal,
            Err(error) => {
                log::error!("cannot wait for signals: {error}");
                return;
            }
        };
        log::info!("{signal} came");
        daemon.leave();
        thread::sleep(LAST_WORDS);
        log::warn!("not everything was brought to the disk in time");
        process::exit(0);
    });
    let builder = thread::Builder::new().name("urlsession-signals".to_owned());
    census::start(builder, life).map(drop).map_err(|error| {
        Error::new(ErrorKind::OutOfResources, "no thread for signals").by_system(error)
    })
}
