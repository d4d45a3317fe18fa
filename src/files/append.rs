//! A file of this user's alone that grows at its end.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::census::{Census, Counted, Kind};
use crate::crash;
use crate::error::{Error, ErrorKind};
use crate::files::failure::{Action, failed};
use crate::files::moving;
use crate::files::owner::{follow_no_link, is_own};
use crate::files::partial::{create_new, sync_data};
use crate::files::private;

/// A file that only this user can read, to which whole pieces are added at its end.
#[derive(Debug)]
pub(crate) struct AppendFile {
    synced: Syncer,
    length: u64,
    /// Something may lie behind its end: of a piece that could not be written.
    is_torn: bool,
    census: Census,
    _counted: Counted,
}

/// Brings to the disk what was written, without holding up who writes.
#[derive(Clone, Debug)]
pub(crate) struct Syncer {
    file: Arc<File>,
    path: PathBuf,
    #[cfg(test)]
    fails: Arc<std::sync::atomic::AtomicBool>,
}

impl AppendFile {
    /// Opens the file at `path`, which this user owns, with all that it holds; `None` if there is
    /// none.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::CannotOpenFile`] if it is no file of this user's; a symbolic link is not
    /// followed.
    pub(crate) fn open(path: &Path, census: &Census) -> Result<Option<(Self, Vec<u8>)>, Error> {
        let cannot_open = |error| failed(Action::Open, path, error);
        let mut file = match follow_no_link(OpenOptions::new().read(true).write(true)).open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file.map_err(cannot_open)?,
        };
        if !is_own(&file.metadata().map_err(cannot_open)?) {
            let detail = format!("{} is no file of this user's: remove it", path.display());
            return Err(Error::new(ErrorKind::CannotOpenFile, detail));
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(cannot_open)?;
        Ok(Some((Self::of(file, path, bytes.len() as u64, census), bytes)))
    }

    /// Creates an empty one, in place of what an earlier start has left there.
    pub(crate) fn create(path: &Path, census: &Census) -> Result<Self, Error> {
        crash::point("file.create");
        let created = private::try_remove(path).and_then(|()| create_new(path));
        crash::point("file.created");
        let file = created.map_err(|error| failed(Action::Create, path, error))?;
        Ok(Self::of(file, path, 0, census))
    }

    fn of(file: File, path: &Path, length: u64, census: &Census) -> Self {
        let synced = Syncer {
            file: Arc::new(file),
            path: path.to_owned(),
            #[cfg(test)]
            fails: Arc::default(),
        };
        let _counted = census.count(Kind::File);
        Self { synced, length, is_torn: false, census: census.clone(), _counted }
    }

    /// Returns how many bytes it has.
    pub(crate) fn len(&self) -> u64 {
        self.length
    }

    /// Adds `piece`: all of it, or on an error nothing.
    pub(crate) fn append(&mut self, piece: &[u8]) -> Result<(), Error> {
        if let Err(error) = self.write(piece) {
            return Err(failed(Action::Write, &self.synced.path, error));
        }
        self.length += piece.len() as u64;
        Ok(())
    }

    fn write(&mut self, piece: &[u8]) -> io::Result<()> {
        if self.is_torn {
            self.end_at(self.length)?;
        }
        (&*self.synced.file).write_all(piece).inspect_err(|_| {
            self.is_torn = true;
            // If that fails, too, the next piece tries it again.
            let _ = self.end_at(self.length);
        })
    }

    /// Has it end behind so many bytes.
    pub(crate) fn cut(&mut self, length: u64) -> Result<(), Error> {
        self.end_at(length).map_err(|error| failed(Action::Write, &self.synced.path, error))
    }

    fn end_at(&mut self, length: u64) -> io::Result<()> {
        let mut file = &*self.synced.file;
        crash::point("file.cut");
        file.set_len(length)?;
        crash::point("file.was_cut");
        file.seek(SeekFrom::Start(length))?;
        (self.length, self.is_torn) = (length, false);
        Ok(())
    }

    /// Returns what brings to the disk all that was added by then.
    pub(crate) fn syncer(&self) -> Syncer {
        self.synced.clone()
    }

    /// Moves it to `path` in the same folder, in place of what is there. What was there comes
    /// back by a power cut until the place is [synced](Self::sync_place).
    pub(crate) fn take_place(&mut self, path: &Path) -> Result<(), Error> {
        let moved = moving::replace(&self.synced.path, path);
        moved.map_err(|error| failed(Action::Move, path, error))?;
        self.synced.path = path.to_owned();
        Ok(())
    }

    /// Brings to the disk that it lies where it does.
    pub(crate) fn sync_place(&self) -> Result<(), Error> {
        let path = &self.synced.path;
        let synced = moving::try_sync_folder(path.parent().unwrap_or(path), &self.census);
        synced.map_err(|error| failed(Action::Sync, path, error))
    }

    /// Has the next syncs fail, or not, as by a disk that is breaking.
    #[cfg(test)]
    pub(crate) fn fail_syncs(&self, fails: bool) {
        self.synced.fails.store(fails, std::sync::atomic::Ordering::SeqCst);
    }
}

impl Syncer {
    pub(crate) fn sync(&self) -> Result<(), Error> {
        #[cfg(test)]
        if self.fails.load(std::sync::atomic::Ordering::SeqCst) {
            return Err(failed(Action::Sync, &self.path, io::Error::other("injected")));
        }
        sync_data(&self.file, &self.path)
    }
}
