//! How many threads, sockets and files a session owns at this moment.
//!
//! With the feature `test-util` each of them holds a [`Counted`], so that a test can see
//! that nothing is left behind. Without it both types are empty and cost nothing.

use std::io;
#[cfg(feature = "test-util")]
use std::sync::Arc;
#[cfg(feature = "test-util")]
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};

/// What is counted.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Thread,
    Socket,
    File,
}

/// How many tasks may keep their thread and connection while they have no place.
const MOST_PARKED: usize = 256;

/// The counters of one session.
#[derive(Clone, Debug, Default)]
pub(crate) struct Census {
    #[cfg(feature = "test-util")]
    counters: Arc<[AtomicUsize; 3]>,
    #[cfg(feature = "test-util")]
    rules: Arc<Rules>,
}

/// What a test has made otherwise.
#[cfg(feature = "test-util")]
#[derive(Debug)]
struct Rules {
    /// No thread is to be had.
    refuses_threads: AtomicBool,
    most_parked: AtomicUsize,
}

#[cfg(feature = "test-util")]
impl Default for Rules {
    fn default() -> Self {
        Self { refuses_threads: AtomicBool::new(false), most_parked: AtomicUsize::new(MOST_PARKED) }
    }
}

impl Census {
    /// Counts one more of `kind` until the result is dropped.
    #[cfg(feature = "test-util")]
    pub(crate) fn count(&self, kind: Kind) -> Counted {
        self.counters[kind as usize].fetch_add(1, Ordering::SeqCst);
        Counted { census: self.clone(), kind }
    }

    /// Counts nothing.
    #[cfg(not(feature = "test-util"))]
    pub(crate) fn count(&self, _kind: Kind) -> Counted {
        Counted {}
    }

    /// Starts a thread, which is counted until it has ended.
    pub(crate) fn spawn(
        &self,
        name: &str,
        life: Box<dyn FnOnce() + Send>,
    ) -> io::Result<JoinHandle<()>> {
        #[cfg(feature = "test-util")]
        if self.rules.refuses_threads.load(Ordering::SeqCst) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let counted = self.count(Kind::Thread);
        let life = Box::new(move || {
            let _counted = counted;
            life();
        });
        start(thread::Builder::new().name(name.to_owned()), life)
    }

    /// Has every thread refused that is asked for, as by a system that has none, or no more.
    #[cfg(feature = "test-util")]
    pub(crate) fn refuse_threads(&self, refuses: bool) {
        self.rules.refuses_threads.store(refuses, Ordering::SeqCst);
    }

    /// Has so many tasks keep their threads that have no place.
    #[cfg(feature = "test-util")]
    pub(crate) fn set_most_parked(&self, most: usize) {
        self.rules.most_parked.store(most, Ordering::SeqCst);
    }

    /// Returns how many tasks may keep their thread and connection while they have no place.
    #[cfg(feature = "test-util")]
    pub(crate) fn most_parked(&self) -> usize {
        self.rules.most_parked.load(Ordering::SeqCst)
    }

    /// Returns how many tasks may keep their thread and connection while they have no place.
    #[cfg(not(feature = "test-util"))]
    pub(crate) fn most_parked(&self) -> usize {
        MOST_PARKED
    }

    /// Returns how many of `kind` there are.
    #[cfg(feature = "test-util")]
    pub(crate) fn alive(&self, kind: Kind) -> usize {
        self.counters[kind as usize].load(Ordering::SeqCst)
    }
}

/// Starts a thread.
///
/// What it does is boxed: every other type of closure would bring a copy of std's code for
/// starting threads into the program.
pub(crate) fn start(
    builder: thread::Builder,
    life: Box<dyn FnOnce() + Send>,
) -> io::Result<JoinHandle<()>> {
    builder.spawn(life)
}

/// One thing that is alive; dropped with it.
#[derive(Debug)]
pub(crate) struct Counted {
    #[cfg(feature = "test-util")]
    census: Census,
    #[cfg(feature = "test-util")]
    kind: Kind,
}

#[cfg(feature = "test-util")]
impl Drop for Counted {
    fn drop(&mut self) {
        self.census.counters[self.kind as usize].fetch_sub(1, Ordering::SeqCst);
    }
}
