//! What is done to a file of the disk.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use super::format::{self, Read};
use super::{Content, Place};
use crate::census::Census;
use crate::error::{Error, ErrorKind};
use crate::files::{Lock, LockFile, Stamp, make_own_folder, private};
use crate::log;

/// No file is read that is longer.
const LONGEST: u64 = 64 * 1024 * 1024;

/// How often it is tried to lock a file that one process has, and how long to wait in between:
/// half a minute, as whoever has it waits for the disk. One that was stopped meanwhile does not
/// stop the others.
const ATTEMPTS: u32 = 6000;
const PAUSE: Duration = Duration::from_millis(5);

/// A file that lies in the folder of a program.
#[derive(Debug)]
pub(super) struct Disk {
    place: Place,
    path: PathBuf,
    /// It is no session's.
    census: Census,
}

/// What lies there.
pub(super) enum Found<C> {
    Nothing,
    Content(Stamp, C),
    Newer(Stamp),
    Damaged(Stamp),
}

impl<C> Found<C> {
    pub(super) fn stamp(&self) -> Option<Stamp> {
        match self {
            Self::Nothing => None,
            Self::Content(stamp, _) | Self::Newer(stamp) | Self::Damaged(stamp) => Some(*stamp),
        }
    }
}

impl Disk {
    pub(super) fn new(place: Place, name: &str) -> Self {
        Self { path: place.file(name), place, census: Census::default() }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns what tells whether another file lies there than before.
    pub(super) fn stamp(&self) -> Option<Stamp> {
        private::stamp(&self.path)
    }

    /// Reads what lies there.
    pub(super) fn read<C: Content>(&self) -> Result<Found<C>, Error> {
        let Some((stamp, bytes)) = private::read_stamped(&self.path, LONGEST)? else {
            return Ok(Found::Nothing);
        };
        Ok(match format::read(C::NAME, C::VERSION, &bytes) {
            Read::Text(text) => C::from_text(text)
                .map_or(Found::Damaged(stamp), |content| Found::Content(stamp, content)),
            Read::Newer => Found::Newer(stamp),
            Read::Damaged => Found::Damaged(stamp),
        })
    }

    /// Has nobody else replace it until what is returned is dropped; makes its folder.
    pub(super) fn lock(&self) -> Result<LockFile, Error> {
        let (base, names) = self.place.parts();
        make_own_folder(base, names, &self.census)?;
        let path = self.beside("lock");
        let (mut holder, mut attempts) = (None, 0);
        while attempts < ATTEMPTS {
            match LockFile::take(&path, &self.census)? {
                Lock::Taken(lock) => return Ok(lock),
                Lock::Held(process) if process == holder => attempts += 1,
                // It goes on.
                Lock::Held(process) => (holder, attempts) = (process, 0),
            }
            thread::sleep(PAUSE);
        }
        let whose = holder.map_or_else(|| "a process".to_owned(), |id| format!("process {id}"));
        let detail = format!("{} is locked by {whose}, which does not go on", path.display());
        Err(Error::new(ErrorKind::CannotOpenFile, detail))
    }

    /// Replaces it, for whoever has read what was there `before` under the lock.
    pub(super) fn replace<C: Content>(
        &self,
        text: &str,
        before: Option<&Stamp>,
        _lock: &LockFile,
    ) -> Result<Option<Stamp>, Error> {
        let file = format::write(C::NAME, C::VERSION, text);
        private::replace(&self.path, &self.beside("new"), file.as_bytes())?;
        if let Some(before) = before
            && let Err(error) = private::make_younger(&self.path, before)
        {
            log::debug!("the time of {} cannot be set: {error}", self.path.display());
        }
        Ok(self.stamp())
    }

    /// Moves a damaged file out of the way, if it is still that under the lock; returns what lies
    /// there then.
    pub(super) fn set_damaged_aside<C: Content>(
        &self,
        _lock: &LockFile,
    ) -> Result<Found<C>, Error> {
        let found = self.read::<C>()?;
        if !matches!(found, Found::Damaged(_)) {
            return Ok(found);
        }
        let aside = self.beside("damaged");
        private::set_aside(&self.path, &aside)?;
        let (path, aside) = (self.path.display(), aside.display());
        log::warn!("{path} is damaged: it is kept as {aside}, and another one begun");
        Ok(Found::Nothing)
    }

    fn beside(&self, ending: &str) -> PathBuf {
        self.path.with_extension(ending)
    }
}
