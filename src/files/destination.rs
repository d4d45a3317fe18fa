//! A file that is written beside the place it is for.

use std::fs::File;

use crate::error::Error;
use crate::files::downloaded::DownloadedFile;
use crate::files::own_path::OwnPath;
use crate::files::partial::PartialFile;
use crate::files::target::Target;

/// A file in the folder of its [`Target`], removed when it is dropped unfinished.
///
/// Its mode is the one that the umask gives to every new file.
#[derive(Debug)]
pub(crate) struct Destination {
    partial: PartialFile,
    target: Target,
}

impl Destination {
    /// Creates the file beside `target`.
    pub(crate) fn create(target: Target) -> Result<Self, Error> {
        let partial = target.create_beside()?;
        Ok(Self { partial, target })
    }

    /// Writes all of `bytes` at the end, in one system call unless the system takes less.
    pub(crate) fn write_all(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.partial.write_all(bytes)
    }

    #[cfg(test)]
    pub(super) fn path(&self) -> &std::path::Path {
        self.partial.own.path()
    }

    /// Brings the bytes to the disk and the file to its place, where it stays.
    ///
    /// On an error nothing is left, and what was at the place is still there.
    pub(crate) fn finish(self) -> Result<DownloadedFile, Error> {
        let (length, census) = (self.partial.len(), self.target.census().clone());
        Ok(DownloadedFile::new(self.finish_own()?, length, census))
    }

    pub(super) fn finish_own(self) -> Result<OwnPath, Error> {
        let mut own = self.partial.sync()?;
        self.target.receive(&mut own)?;
        Ok(own)
    }

    /// Appends the rest of `source`.
    pub(super) fn append(&mut self, source: &mut File) -> Result<(), Error> {
        self.partial.append(source)
    }
}
