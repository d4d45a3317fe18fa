//! The place that a program wants a file at.

use std::ffi::OsStr;
use std::path::{self, Path, PathBuf};
use std::{fs, io};

use crate::census::Census;
use crate::error::{Error, ErrorKind};
use crate::files::failure::{Action, already_exists, failed, is_directory, taken_away};
use crate::files::moving;
use crate::files::own_path::OwnPath;
use crate::files::partial::PartialFile;

/// What happens to a file that is at the place already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Existing {
    /// It stays, and the new one is refused.
    Refuse,
    /// The new one takes its place. A symbolic link is replaced itself.
    Replace,
}

/// A path to move a file to, and what may happen to what is there.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    path: PathBuf,
    existing: Existing,
    census: Census,
}

impl Target {
    /// Checks, before anything is transferred, that a file may come to `path`.
    ///
    /// A relative path is taken from the folder that the process is in now.
    pub(crate) fn new(path: &Path, existing: Existing, census: &Census) -> Result<Self, Error> {
        let ends_in_separator = path.as_os_str().as_encoded_bytes().last();
        let ends_in_separator =
            ends_in_separator.is_some_and(|&last| path::is_separator(last.into()));
        if path.file_name().is_none() || ends_in_separator {
            let detail = format!("\"{}\" names no file: add a file's name", path.display());
            return Err(Error::new(ErrorKind::FileIsDirectory, detail));
        }
        let path = path::absolute(path).map_err(|error| failed(Action::Create, path, error))?;
        let target = Self { path, existing, census: census.clone() };
        target.check()?;
        Ok(target)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the path, and what happens to what is there.
    pub(crate) fn place(&self) -> (PathBuf, Existing) {
        (self.path.clone(), self.existing)
    }

    /// Returns a name for a file that lies beside it until it is whole.
    pub(crate) fn name_beside(&self, number: u64) -> String {
        let stem = beginning(self.path.file_name().unwrap_or_default());
        format!(".{stem}.{number:016x}.part")
    }

    /// Returns the path of what lies beside it under its own name, hidden and with an `ending`.
    pub(crate) fn beside(&self, ending: &str) -> PathBuf {
        let stem = beginning(self.path.file_name().unwrap_or_default());
        self.folder().join(format!(".{stem}.{ending}"))
    }

    /// Creates a file in the same folder.
    pub(crate) fn create_beside(&self) -> Result<PartialFile, Error> {
        PartialFile::create(self.folder(), &|number| self.name_beside(number), &self.census)
    }

    /// Moves a file that lies on the same volume to the path, where it stays.
    ///
    /// On an error it is where it was.
    pub(super) fn receive(&self, own: &mut OwnPath) -> Result<(), Error> {
        if !own.is_there() {
            return Err(taken_away(Action::Move, own.path()));
        }
        let moved = match self.existing {
            Existing::Refuse => moving::rename_to_new(own.path(), &self.path),
            Existing::Replace => {
                self.check()?;
                moving::replace(own.path(), &self.path)
            }
        };
        moved.map_err(|error| self.not_moved(own.path(), error))?;
        own.moved_to(self.path.clone());
        own.keep();
        moving::sync_folder(self.folder(), &self.census);
        Ok(())
    }

    /// Looks at what is there now.
    fn check(&self) -> Result<(), Error> {
        let path = &self.path;
        let found = match fs::symlink_metadata(path) {
            Ok(found) => found.file_type(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return self.check_folder(),
            Err(error) => return Err(failed(Action::Create, path, error)),
        };
        if found.is_dir() {
            return Err(is_directory(path));
        }
        if self.existing == Existing::Refuse {
            return Err(already_exists(path));
        }
        if !found.is_file() && !found.is_symlink() {
            let detail = format!("{} is a device, pipe or socket, which stays", path.display());
            return Err(Error::new(ErrorKind::FileAlreadyExists, detail));
        }
        Ok(())
    }

    fn check_folder(&self) -> Result<(), Error> {
        let found = fs::metadata(self.folder());
        let found = found.map_err(|error| failed(Action::Create, &self.path, error))?;
        if !found.is_dir() {
            let error = io::ErrorKind::NotADirectory.into();
            return Err(failed(Action::Create, &self.path, error));
        }
        Ok(())
    }

    pub(super) fn folder(&self) -> &Path {
        // An absolute path that ends in a name has one.
        self.path.parent().unwrap_or(&self.path)
    }

    fn not_moved(&self, from: &Path, error: io::Error) -> Error {
        match error.kind() {
            io::ErrorKind::NotFound => taken_away(Action::Move, from).because(error),
            _ => failed(Action::Move, &self.path, error),
        }
    }
}

/// Returns as much of `name` as leaves room for more in the 255 bytes of a file's name.
fn beginning(name: &OsStr) -> String {
    const LONGEST: usize = 200;
    let mut beginning = name.to_string_lossy().into_owned();
    let end = (0..=LONGEST).rev().find(|&end| beginning.is_char_boundary(end));
    beginning.truncate(end.unwrap_or(0));
    beginning
}
