//! The folder of one background session.
//!
//! ```text
//! state folder of the user / program / launch      how a daemon starts the program
//! state folder of the user / program / background / identifier
//!     lock        whose it is at the moment: the number of a process
//!     journal     what the session was asked to do, and what has happened
//!     spool/      bodies to send, and files that are coming
//!     finished/   files that are whole, until the program has taken them
//! ```

use std::path::{self, Path, PathBuf};

use super::spool::{self, Spool};
use crate::census::Census;
use crate::error::{Error, ErrorKind};
use crate::files::{self, Lock, LockFile, make_own_folder};
use crate::program::{self, file_name};
use crate::sync::{Mutex, Rank};

/// The folder of one identifier, which is nobody else's until this is dropped.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    finished: PathBuf,
    spool: Spool,
    held: Mutex<Option<Held>>,
}

/// What makes it this one's. The lock is given back before this process says that it is free.
#[derive(Debug)]
struct Held {
    _lock: LockFile,
    _open: Open,
}

impl Folder {
    /// Opens the folder of `identifier` for this process alone, and makes it if it is not there:
    /// in `state`, or without one in the user's state folder.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BackgroundSessionInUse`] if it is open already, here or in another process;
    /// [`ErrorKind::NotSupported`] if nothing lasts where this program runs; those of files.
    pub(crate) fn open(
        state: Option<&Path>,
        program: Option<&str>,
        identifier: &str,
        census: &Census,
    ) -> Result<Self, Error> {
        let state = state.map(Path::to_owned).or_else(program::state_folder);
        let place = state.zip(program::name(program));
        let (state, program) = place.ok_or_else(nothing_lasts)?;
        // The process may be in another folder later.
        let state = path::absolute(&state).unwrap_or(state);
        // What is made of the state folder is checked, too.
        let (base, name) = state.parent().zip(state.file_name()).ok_or_else(nothing_lasts)?;
        let (program, identifier_name) = (file_name(&program), file_name(identifier));
        let names = [name, program.as_ref(), "background".as_ref(), identifier_name.as_ref()];
        let path = make_own_folder(base, &names, census)?;
        // Names of folders that lead to the same place are one.
        let path = path.canonicalize().unwrap_or(path);
        let held = Held::take(&path, identifier, census)?;
        let spool = make_own_folder(&path, &["spool"], census)?;
        let finished = make_own_folder(&path, &["finished"], census)?;
        let spool = Spool::new(spool, census);
        Ok(Self { path, finished, spool, held: Mutex::new(Rank::Folder, Some(held)) })
    }

    /// The folder at `path`, which is another process's, for what both reach.
    #[cfg(all(feature = "daemon", unix))]
    pub(crate) fn of_another(path: PathBuf, census: &Census) -> Self {
        let spool = Spool::new(path.join("spool"), census);
        let finished = path.join("finished");
        Self { path, finished, spool, held: Mutex::new(Rank::Folder, None) }
    }

    /// Returns where it lies.
    #[cfg(all(feature = "daemon", unix))]
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Gives it back; nothing is to be done in it any more.
    pub(crate) fn unlock(&self) {
        let held = self.held.lock().take();
        drop(held);
    }

    /// Returns where the journal lies.
    pub(crate) fn journal(&self) -> PathBuf {
        journal_in(&self.path)
    }

    /// Returns where files lie that the program has not taken yet.
    pub(crate) fn finished(&self) -> &Path {
        &self.finished
    }

    /// Returns where the file of a download lies once it is whole.
    pub(crate) fn file_of(&self, task: u64) -> PathBuf {
        self.finished.join(task.to_string())
    }

    pub(crate) fn spool(&self) -> &Spool {
        &self.spool
    }

    /// Removes what is there of tasks that are none of these, before anything runs.
    pub(crate) fn sweep(&self, is_known: &dyn Fn(u64) -> bool) {
        self.spool.sweep(is_known);
        spool::sweep(&self.finished, is_known);
        files::sweep_partial(&self.finished);
    }
}

/// Returns where the journal lies in a folder.
pub(crate) fn journal_in(folder: &Path) -> PathBuf {
    folder.join("journal")
}

impl Held {
    fn take(path: &Path, identifier: &str, census: &Census) -> Result<Self, Error> {
        let open = Open::new(path).ok_or_else(|| in_use(identifier, "in this process"))?;
        match LockFile::take(&path.join("lock"), census)? {
            Lock::Taken(lock) => Ok(Self { _lock: lock, _open: open }),
            Lock::Held(Some(process)) => Err(in_use(identifier, &format!("in process {process}"))),
            Lock::Held(None) => Err(in_use(identifier, "in another process")),
        }
    }
}

/// That this process has a folder open. Not every system tells two parts of a process apart that
/// lock the same file.
#[derive(Debug)]
struct Open(PathBuf);

static OPEN: Mutex<Vec<PathBuf>> = Mutex::new(Rank::OpenFolders, Vec::new());

impl Open {
    fn new(path: &Path) -> Option<Self> {
        let mut open = OPEN.lock();
        if open.iter().any(|known| known == path) {
            return None;
        }
        open.push(path.to_owned());
        Some(Self(path.to_owned()))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        OPEN.lock().retain(|path| *path != self.0);
    }
}

fn in_use(identifier: &str, whose: &str) -> Error {
    let detail = format!(
        "the background session \"{identifier}\" is open {whose} already: invalidate it there, or \
         use another identifier"
    );
    Error::new(ErrorKind::BackgroundSessionInUse, detail)
}

fn nothing_lasts() -> Error {
    let detail = "a background session needs a place that lasts: this user has no home folder, or \
                  this is a build script; set URLSESSION_HOME";
    Error::new(ErrorKind::NotSupported, detail)
}

#[cfg(test)]
mod tests;
