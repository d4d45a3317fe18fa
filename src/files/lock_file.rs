//! A file that says who has the folder that it lies in.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;
use std::process;

use crate::census::{Census, Counted, Kind};
use crate::crash;
use crate::error::{Error, ErrorKind};
use crate::files::failure::{Action, failed};
use crate::files::locking::{Sharing, is_in_use, lock, open, unlock};
use crate::files::own_path::OwnPath;
use crate::files::owner::is_own;
use crate::files::partial::create_new;
use crate::files::private;
use crate::fork::Maker;

/// How often it is opened again that others have taken away meanwhile.
const ATTEMPTS: usize = 16;

/// A file that this process alone has, until it is dropped or the process ends. It stays.
///
/// The system gives it back with the last who has it open. A process that was forked off and has
/// not executed another program is one of them, as long as it lives.
#[derive(Debug)]
pub(crate) struct LockFile {
    file: File,
    maker: Maker,
    _counted: Counted,
}

/// What came of taking it.
#[derive(Debug)]
pub(crate) enum Lock {
    Taken(LockFile),
    /// Another process, or another part of this one, has it; its number, as far as is known.
    Held(Option<u32>),
}

impl LockFile {
    /// Takes the file at `path`, which is made if it is not there, and writes the number of this
    /// process into it.
    ///
    /// # Errors
    ///
    /// Those of files; [`ErrorKind::CannotOpenFile`] if it is no file of this user's, or the file
    /// system has no locks.
    pub(crate) fn take(path: &Path, census: &Census) -> Result<Lock, Error> {
        for _ in 0..ATTEMPTS {
            match create_new(path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                created => drop(created.map_err(|error| failed(Action::Create, path, error))?),
            }
            // What was just made is opened as what was there: it says who else may open it.
            let taken = match open(path, Sharing::Alone) {
                Ok(file) => Self::of(file, path, census)?,
                Err(error) if is_in_use(&error) => Some(held(path)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                Err(error) => return Err(failed(Action::Open, path, error)),
            };
            if let Some(taken) = taken {
                return Ok(taken);
            }
        }
        Err(strange(path, "is taken away again and again"))
    }

    /// Takes `file`; none if it does not lie at `path` any more.
    fn of(file: File, path: &Path, census: &Census) -> Result<Option<Lock>, Error> {
        let cannot_open = |error| failed(Action::Open, path, error);
        if !is_own(&file.metadata().map_err(cannot_open)?) {
            return Err(strange(path, "is no file of this user's"));
        }
        match lock(&file) {
            Ok(()) => {}
            Err(error) if is_in_use(&error) => return Ok(Some(held(path))),
            // Two that write the same would destroy it.
            Err(error) => {
                return Err(strange(path, "cannot be locked in this file system").because(error));
            }
        }
        let own = OwnPath::new(path.to_owned(), &file).map_err(cannot_open)?;
        let is_there = own.is_there();
        own.into_path();
        if !is_there {
            return Ok(None);
        }
        let (maker, _counted) = (Maker::this_process(), census.count(Kind::File));
        let taken = Self { file, maker, _counted };
        crash::point("lock_file.locked");
        taken.write(&format!("{}\n", process::id())).map_err(cannot_open)?;
        crash::point("lock_file.written");
        Ok(Some(Lock::Taken(taken)))
    }

    /// Whether this is the file that lies at `path`, which others would take.
    #[cfg(all(feature = "daemon", unix))]
    pub(crate) fn is_at(&self, path: &Path) -> bool {
        use std::os::unix::fs::MetadataExt;
        let found = std::fs::symlink_metadata(path);
        let both = self.file.metadata().and_then(|own| Ok((own, found?)));
        both.is_ok_and(|(own, found)| (own.dev(), own.ino()) == (found.dev(), found.ino()))
    }

    fn write(&self, text: &str) -> io::Result<()> {
        let mut file = &self.file;
        file.set_len(0)?;
        file.seek(SeekFrom::Start(0))?;
        file.write_all(text.as_bytes())
    }
}

impl Drop for LockFile {
    fn drop(&mut self) {
        // A process that was forked off has a copy of this, and the lock is not its own.
        if self.maker.is_this_process() {
            // Who had it is nobody's concern any more.
            let _ = self.write("");
            unlock(&self.file);
        }
    }
}

/// Who has it writes its number there right after it has taken it.
fn held(path: &Path) -> Lock {
    let text = private::read(path, 32).ok().flatten();
    Lock::Held(text.and_then(|text| text.trim_end().parse().ok()))
}

fn strange(path: &Path, what: &str) -> Error {
    let detail = format!("{} {what}: remove it, or choose another folder", path.display());
    Error::new(ErrorKind::CannotOpenFile, detail)
}
