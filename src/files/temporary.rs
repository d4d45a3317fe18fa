//! A private file for a body whose final place is not known yet.

use std::path::{self, Path};

use crate::census::Census;
use crate::error::Error;
use crate::files::downloaded::DownloadedFile;
use crate::files::folder;
use crate::files::partial::{PartialFile, Readers};

/// A file that only this user can read (0600), removed when it is dropped.
#[derive(Debug)]
pub(crate) struct TemporaryFile {
    partial: PartialFile,
    census: Census,
}

impl TemporaryFile {
    /// Creates a file in `folder`, or without one in the cache folder of the user, or where
    /// that cannot be had, in the system's folder for temporary files.
    pub(crate) fn create(folder: Option<&Path>, census: &Census) -> Result<Self, Error> {
        match folder {
            Some(folder) => Self::create_in(folder, census),
            None => folder::first_that_works(|folder| Self::create_in(folder, census)),
        }
    }

    fn create_in(folder: &Path, census: &Census) -> Result<Self, Error> {
        let name = |number| format!("urlsession-{number:016x}.part");
        // The process may be in another folder when the file is moved or removed.
        let folder = &path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
        let partial = PartialFile::create(folder, name, Readers::Owner, census)?;
        Ok(Self { partial, census: census.clone() })
    }

    /// Writes all of `bytes` at the end, in one system call unless the system takes less.
    pub(crate) fn write_all(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.partial.write_all(bytes)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> u64 {
        self.partial.len()
    }

    #[cfg(test)]
    pub(super) fn path(&self) -> &Path {
        self.partial.own.path()
    }

    /// Closes the file, which is whole. It need not be on the disk until the program
    /// gives it a place.
    pub(crate) fn into_downloaded(self) -> DownloadedFile {
        let length = self.partial.len();
        DownloadedFile::new(self.partial.close(), length, self.census)
    }
}
