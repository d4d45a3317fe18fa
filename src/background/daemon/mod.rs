//! The life of a daemon: it takes its place, lets programs in, and leaves when there is nothing
//! to do, or when it is told to.
//!
//! ```text
//! main     lock ── listen ── tell the starter ── accept ── accept ── .. ── unlink ── leave
//! signals  SIGTERM, SIGINT, SIGHUP ─── ring ───────┘ (at most 2 s) ──────────┘
//! guests   one thread each, which serves one connection
//! ```
//!
//! What is said to a guest is the [`Service`]'s. Without guests and work it leaves after a minute;
//! but for that it wakes up for nothing. A program that connects while it leaves is either let in
//! after all, or finds nobody and starts the next one: the socket is gone before the last look.
//! One whose socket is taken away, as by the end of a login, listens anew.

mod apart;
mod command_line;
mod conversation;
mod door;
mod framing;
mod guest;
mod guests;
mod launcher;
mod launches;
mod log_file;
mod seat;
mod sessions;
mod shell;
mod signals;
mod turnstile;
mod watch;
mod writer;

use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use door::{Bell, Door, Knock};
pub(in crate::background) use guest::Guest;
use guests::Guests;
pub(in crate::background) use shell::{run_as, urlsessiond};

use super::place::Place;
use crate::census::{self, Census};
use crate::error::Error;
use crate::files::{Lock, LockFile};
use crate::log;

/// How long a daemon without guests and work stays.
const IDLE: Duration = Duration::from_secs(60);

/// How long it takes nobody when the system has no descriptor for one more.
const BREATH: Duration = Duration::from_millis(100);

/// What a daemon does for those whom it lets in.
pub(in crate::background) trait Service: Send + Sync {
    /// Serves one connection, on a thread of its own, until it ends.
    fn serve(&self, guest: Guest);

    /// Whether there is something to do, also without guests.
    fn is_busy(&self) -> bool;

    /// Brings everything to the disk: the process ends when this returns, or 2 s after a signal.
    fn leave(&self);
}

/// A daemon that runs, as its service and its guests know it.
#[derive(Clone, Debug)]
pub(in crate::background) struct Daemon(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    bell: Bell,
    guests: Guests,
    leaves: AtomicBool,
}

/// How a daemon has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::background) enum End {
    Left,
    /// Another one has the lock; its number, as far as is known.
    Held(Option<u32>),
}

/// Runs the daemon of `place` in this process, which has blocked the [signals](signals::block),
/// until it has been without guests and work for as long as `idle`, or is told to leave.
///
/// The service is made when the lock is taken; `ready` is called when programs can connect.
///
/// # Errors
///
/// Those of [`Place::listen`], of the lock, and of the service.
pub(in crate::background) fn run<S: Service + 'static>(
    place: &Place,
    idle: Duration,
    service: impl FnOnce(&Daemon) -> Result<S, Error>,
    ready: impl FnOnce(),
) -> Result<End, Error> {
    let census = Census::default();
    place.make(&census)?;
    let lock = match LockFile::take(&place.lock(), &census)? {
        Lock::Taken(lock) => lock,
        Lock::Held(process) => return Ok(End::Held(process)),
    };
    log_file::open(place)?;
    let (bell, heard) = door::bell()?;
    let (guests, leaves) = (Guests::default(), AtomicBool::new(false));
    let daemon = Daemon(Arc::new(Shared { bell, guests, leaves }));
    signals::leave_at(&daemon)?;
    let service = Arc::new(service(&daemon)?);
    let mut door = Door::open(place, &census, heard)?;
    log::info!("urlsessiond {} runs for {}", env!("CARGO_PKG_VERSION"), place.state().display());
    ready();
    daemon.host(&mut door, &service, idle, || lock.is_at(&place.lock()));
    drop(door);
    service.leave();
    log::info!("urlsessiond leaves");
    Ok(End::Left)
}

impl Daemon {
    /// Has it leave, with its sessions brought to the disk.
    pub(in crate::background) fn leave(&self) {
        self.0.leaves.store(true, Ordering::SeqCst);
        self.0.bell.ring();
    }

    /// Lets programs in until it is time to leave.
    ///
    /// Where the socket was taken away, it listens anew; where the lock was, as with the whole
    /// folder, another one may run, and it leaves.
    fn host<S: Service + 'static>(
        &self,
        door: &mut Door,
        service: &Arc<S>,
        idle: Duration,
        has_lock: impl Fn() -> bool,
    ) {
        while !self.0.leaves.load(Ordering::SeqCst) {
            let is_empty = self.0.guests.is_empty();
            // Work that ends meanwhile ends at some moment of this time: then another one passes.
            let was_busy = service.is_busy();
            match door.wait(is_empty.then_some(idle)) {
                Knock::Guest(stream) => self.let_in(stream, service),
                Knock::Bell => {}
                Knock::Lost if !has_lock() => {
                    log::error!("the folder of this daemon was taken away");
                    return;
                }
                Knock::Lost => match door.reopen() {
                    Ok(()) => log::warn!("the socket was taken away, and is there again"),
                    Err(error) => {
                        log::error!("{error}");
                        return;
                    }
                },
                Knock::Silence if was_busy || service.is_busy() => {}
                Knock::Silence => match door.last_look() {
                    Ok(came) if came.is_empty() => return,
                    Ok(came) => came.into_iter().for_each(|stream| self.let_in(stream, service)),
                    Err(error) => {
                        log::error!("{error}");
                        return;
                    }
                },
                Knock::Failed(error) => {
                    log::warn!("cannot let a program in: {error}");
                    self.0.guests.send_one_away();
                    thread::sleep(BREATH);
                }
            }
        }
    }

    fn let_in<S: Service + 'static>(&self, stream: UnixStream, service: &Arc<S>) {
        let guest = match Guest::let_in(stream, self) {
            Ok(guest) => guest,
            Err(error) => {
                log::warn!("a connection is closed: {error}");
                return;
            }
        };
        let service = service.clone();
        let life = Box::new(move || service.serve(guest));
        let builder = thread::Builder::new().name("urlsession-guest".to_owned());
        if let Err(error) = census::start(builder, life) {
            log::warn!("a connection is closed, as there is no thread for it: {error}");
        }
    }
}
