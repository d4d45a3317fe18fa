//! Small stores of a program in text files, which all its processes share.
//!
//! ```text
//! state folder of the user / program
//!     hsts          what is stored: a first line with name, version and checksum, then the text
//!     hsts.lock     locked by who replaces it, for as long as that takes
//!     hsts.new      what is about to replace it
//!     hsts.damaged  what was there and could not be understood
//! ```
//!
//! A [`SharedFile`] holds what was read, and the changes that this process has made since. Whoever
//! writes takes the lock, reads what others have written meanwhile, applies its own changes to
//! that, and replaces the file by one renaming: nobody's change is lost, and whoever reads, without
//! a lock, finds a whole file. What others have written is noticed by one look at the file's
//! metadata, at most once a second.
//!
//! | what happens | what follows |
//! |---|---|
//! | a change | it is on the disk within a second (`writer`), or at [`SharedFile::flush`] |
//! | the file cannot be read, or not be written | the store goes on in memory, with one warning in the log; the next look, change and flush try again |
//! | it is damaged | it is set aside, with a warning, and an empty one takes its place |
//! | a newer version has written it | it is left alone, and the store goes on in memory |
//! | the file is removed | the store is empty |
//! | the process is killed | changes of the last second are lost, or all of them are there |
//!
//! What is stored is a [`Content`]: pure functions of its own room.

mod disk;
mod format;
mod place;
#[cfg(test)]
mod tests;
mod writer;

use std::fmt;
use std::mem;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant, SystemTime};

use crate::clock::Clock;
use crate::error::{Error, ErrorKind};
use crate::files::Stamp;
use crate::log;
use crate::sync::{Mutex, Rank};

use disk::{Disk, Found};
pub(crate) use place::{Place, opened};

/// How long it takes at most until what another process has written is noticed.
const LOOK: Duration = Duration::from_secs(1);

/// What a store holds.
pub(crate) trait Content: Default + Send + 'static {
    /// The name of the file, and in its first line.
    const NAME: &'static str;
    /// What an older version would not understand has a higher one.
    const VERSION: u32;

    /// What can be done to it. The default is nothing.
    type Changes: Changes;

    /// Reads what [`to_text`](Self::to_text) has written; `None` if it is something else.
    fn from_text(text: &str) -> Option<Self>;

    /// Writes what is to last beyond `date`, in lines.
    fn to_text(&self, date: SystemTime) -> String;

    /// Whether nothing is stored.
    fn is_empty(&self) -> bool;

    /// Makes the changes.
    fn merge(&mut self, changes: &Self::Changes);

    /// Takes over from what was in memory what is never written: this is what was read.
    fn keep_unwritten(&mut self, _before: Self) {}
}

/// Changes that were made one after the other.
pub(crate) trait Changes: Default + Send + 'static {
    fn is_empty(&self) -> bool;

    /// Adds those that were made after these.
    fn then(&mut self, later: Self);
}

/// A store in a file that several processes share, or in memory.
pub(crate) struct SharedFile<C: Content> {
    /// None: it is in memory alone.
    disk: Option<Disk>,
    clock: Clock,
    state: Mutex<State<C>>,
    /// Changed with the state.
    is_empty: AtomicBool,
    born: Instant,
    /// When to look at the file next, in nanoseconds since `born`.
    look_at: AtomicU64,
    /// Somebody has tried to read the file.
    was_read: AtomicBool,
    me: Weak<Self>,
}

struct State<C: Content> {
    content: C,
    /// Those of this process that the file does not have yet.
    changes: C::Changes,
    /// The file that the content is that of, beside the changes.
    known: Option<Stamp>,
    /// What is wrong was logged.
    has_complained: bool,
}

impl<C: Content> SharedFile<C> {
    /// Makes a store in memory.
    pub(crate) fn in_memory(clock: Clock) -> Arc<Self> {
        Self::new(None, clock)
    }

    /// Makes the store at `place`; nothing is opened yet.
    pub(crate) fn at(place: Place, clock: Clock) -> Arc<Self> {
        Self::new(Some(Disk::new(place, C::NAME)), clock)
    }

    fn new(disk: Option<Disk>, clock: Clock) -> Arc<Self> {
        let state = State {
            content: C::default(),
            changes: C::Changes::default(),
            known: None,
            has_complained: false,
        };
        Arc::new_cyclic(|me| Self {
            was_read: AtomicBool::new(disk.is_none()),
            disk,
            born: clock.now(),
            clock,
            state: Mutex::new(Rank::SharedFile, state),
            is_empty: AtomicBool::new(true),
            look_at: AtomicU64::new(0),
            me: me.clone(),
        })
    }

    /// Whether nothing is stored, as far as this process knows.
    pub(crate) fn is_empty(&self) -> bool {
        self.is_empty.load(Ordering::Acquire)
    }

    /// Looks at what is stored, as far as this process knows; `look` must not wait for anything.
    pub(crate) fn read<T>(&self, look: impl FnOnce(&C) -> T) -> T {
        look(&self.state.lock().content)
    }

    /// Takes in what other processes have written, if it is time to look. Called with no lock
    /// held.
    pub(crate) fn refresh(&self) {
        let Some(disk) = &self.disk else { return };
        if !self.is_time_to_look() {
            return;
        }
        let stamp = disk.stamp();
        if self.was_read.load(Ordering::Acquire) && self.state.lock().known == stamp {
            return;
        }
        let found = disk.read::<C>().and_then(|found| match found {
            Found::Damaged(..) => {
                let lock = disk.lock()?;
                disk.set_damaged_aside::<C>(&lock)
            }
            found => Ok(found),
        });
        let taken = found.and_then(|found| self.take_in(&mut self.state.lock(), found));
        self.was_read.store(true, Ordering::Release);
        self.note(taken);
    }

    /// Whether a second has passed; says so once.
    fn is_time_to_look(&self) -> bool {
        let since = self.clock.now().saturating_duration_since(self.born);
        let now = u64::try_from(since.as_nanos()).unwrap_or(u64::MAX);
        let due = self.look_at.load(Ordering::Relaxed);
        let next = now.saturating_add(LOOK.as_nanos() as u64);
        let is_mine = now >= due
            && self
                .look_at
                .compare_exchange(due, next, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok();
        // Nobody goes on with a store that was not read, because somebody else is at it.
        is_mine || !self.was_read.load(Ordering::Acquire)
    }

    /// Makes changes, which are on the disk within a second.
    pub(crate) fn change(&self, changes: C::Changes) {
        let mut state = self.state.lock();
        state.content.merge(&changes);
        self.is_empty.store(state.content.is_empty(), Ordering::Release);
        if self.disk.is_some() {
            state.changes.then(changes);
            drop(state);
            writer::write_later(self.me.clone(), &self.clock);
        }
    }

    /// Brings this process's changes to the disk. Called with no lock held.
    pub(crate) fn flush(&self) {
        let Some(disk) = &self.disk else { return };
        writer::forget(&(self.me.clone() as Weak<dyn writer::Written>));
        if !self.state.lock().changes.is_empty() {
            self.note(self.write(disk));
        }
    }

    fn write(&self, disk: &Disk) -> Result<(), Error> {
        let lock = disk.lock()?;
        let found = match disk.read::<C>()? {
            Found::Damaged(..) => disk.set_damaged_aside::<C>(&lock)?,
            found => found,
        };
        let before = found.stamp();
        let (text, changes) = {
            let mut state = self.state.lock();
            self.take_in(&mut state, found)?;
            (state.content.to_text(self.clock.date()), mem::take(&mut state.changes))
        };
        self.was_read.store(true, Ordering::Release);
        let replaced = disk.replace::<C>(&text, before.as_ref(), &lock);
        let mut state = self.state.lock();
        match replaced {
            Ok(stamp) => {
                state.known = stamp;
                Ok(())
            }
            Err(error) => {
                let mut all = changes;
                all.then(mem::take(&mut state.changes));
                state.changes = all;
                Err(error)
            }
        }
    }

    /// Goes on with what lies on the disk, and the changes that are not there yet.
    fn take_in(&self, state: &mut State<C>, found: Found<C>) -> Result<(), Error> {
        let known = found.stamp();
        let mut content = match found {
            Found::Content(_, content) => content,
            Found::Nothing | Found::Damaged(_) => C::default(),
            Found::Newer(_) => {
                state.known = known;
                return Err(newer());
            }
        };
        content.keep_unwritten(mem::take(&mut state.content));
        content.merge(&state.changes);
        self.is_empty.store(content.is_empty(), Ordering::Release);
        (state.content, state.known) = (content, known);
        Ok(())
    }

    /// Has it logged that something is wrong, until it is right again.
    fn note(&self, outcome: Result<(), Error>) {
        let is_wrong = outcome.is_err();
        let before = mem::replace(&mut self.state.lock().has_complained, is_wrong);
        if let Err(error) = outcome
            && !before
        {
            log::warn!("what is to last of {} stays in memory: {error}", C::NAME);
        }
    }
}

impl<C: Content> writer::Written for SharedFile<C> {
    fn write(&self) {
        self.flush();
    }
}

impl<C: Content> fmt::Debug for SharedFile<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.disk.as_ref().map(Disk::path);
        f.debug_struct("SharedFile").field("path", &path).finish_non_exhaustive()
    }
}

fn newer() -> Error {
    let detail = "a newer version of this crate has written the file, which is left as it is";
    Error::new(ErrorKind::NotSupported, detail)
}
