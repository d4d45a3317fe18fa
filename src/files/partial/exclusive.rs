//! Files that were begun before, opened by one at a time.

use std::fs::{File, Metadata};
use std::io;
use std::path::Path;

use super::{PartialFile, create};
use crate::census::{Census, Kind};
use crate::crash;
use crate::error::{Error, ErrorKind};
use crate::files::failure::{Action, failed};
use crate::files::locking::{Sharing, is_in_use, lock, open};
use crate::files::own_path::OwnPath;
use crate::files::owner::is_own;

/// How often a file is opened again that another process has moved away meanwhile.
const ATTEMPTS: usize = 16;

impl PartialFile {
    /// Opens the file at `path`, which is this user's own and nobody else's at the moment, or
    /// creates it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::FileInUse`] if another task or program writes it;
    /// [`ErrorKind::CannotOpenFile`] if it is no file of this user's.
    pub(crate) fn open_or_create(path: &Path, census: &Census) -> Result<Self, Error> {
        for _ in 0..ATTEMPTS {
            match create::new(path) {
                Ok(file) => {
                    crash::point("file.created");
                    if let Some(partial) = Self::exclusive(file, path, census)? {
                        return Ok(partial);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    match Self::open_for(path, census, Sharing::Alone) {
                        Ok(Some(partial)) => return Ok(partial),
                        Ok(None) => {}
                        Err(error) => return Err(error),
                    }
                }
                Err(error) => return Err(failed(Action::Create, path, error)),
            }
        }
        Err(in_use(path))
    }

    /// Opens the file at `path` as [`open_or_create`](Self::open_or_create) does; `None` if
    /// there is none.
    pub(crate) fn open(path: &Path, census: &Census) -> Result<Option<Self>, Error> {
        // It may have to be opened once more, to be moved to another folder.
        Self::open_for(path, census, Sharing::Anybody)
    }

    fn open_for(path: &Path, census: &Census, sharing: Sharing) -> Result<Option<Self>, Error> {
        match open(path, sharing) {
            Ok(file) => Self::exclusive(file, path, census),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) if is_in_use(&error) => Err(in_use(path)),
            Err(error) => Err(failed(Action::Open, path, error)),
        }
    }

    /// Takes the file for this process alone, until it is closed; `None` if it does not lie at
    /// `path` any more.
    fn exclusive(file: File, path: &Path, census: &Census) -> Result<Option<Self>, Error> {
        let cannot_open = |error| failed(Action::Open, path, error);
        let is_locked = match lock(&file) {
            Ok(()) => true,
            Err(error) if is_in_use(&error) => return Err(in_use(path)),
            // A file system without locks: two programs that write the same file are left to
            // their user there.
            Err(error) => {
                crate::log::debug!("{} cannot be locked: {error}", path.display());
                false
            }
        };
        let metadata = file.metadata().map_err(cannot_open)?;
        let own = OwnPath::new(path.to_owned(), &file).map_err(cannot_open)?;
        if !own.is_there() {
            // Whoever had it before has moved it away.
            own.into_path();
            return Ok(None);
        }
        if !is_own(&metadata) || !has_one_name(&metadata) {
            own.into_path();
            return Err(strange(path));
        }
        let folder = path.parent().unwrap_or(path);
        let mut partial = Self::of(file, Some(own), folder, census, census.count(Kind::File));
        partial.is_locked = is_locked;
        partial.stay(true);
        partial.go_to(metadata.len())?;
        Ok(Some(partial))
    }
}

fn in_use(path: &Path) -> Error {
    let detail = format!(
        "{} is being written by another task or program: wait for that, or choose another place",
        path.display()
    );
    Error::new(ErrorKind::FileInUse, detail)
}

fn strange(path: &Path) -> Error {
    let detail = format!(
        "{} is no partial file of this user's: remove it, or choose another place",
        path.display()
    );
    Error::new(ErrorKind::CannotOpenFile, detail)
}

/// Whether it is under this one name: a second one may be somebody's.
#[cfg(unix)]
fn has_one_name(metadata: &Metadata) -> bool {
    std::os::unix::fs::MetadataExt::nlink(metadata) == 1
}

#[cfg(not(unix))]
fn has_one_name(_metadata: &Metadata) -> bool {
    true
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::tests::Scratch;

    #[test]
    fn a_file_that_was_given_back_is_free_although_a_new_process_has_it_open_still() {
        let scratch = Scratch::new();
        let (path, census) = (scratch.join("a"), Census::default());
        let partial = PartialFile::open_or_create(&path, &census).unwrap();
        // As a fork has it before it executes its program.
        let inherited = partial.file.try_clone().unwrap();
        let refused = PartialFile::open(&path, &census).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::FileInUse);
        drop(partial);
        let again = PartialFile::open(&path, &census).unwrap();
        assert!(again.is_some());
        drop(inherited);
        // Nor is it given back with that.
        let refused = PartialFile::open(&path, &census).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::FileInUse);
    }
}
