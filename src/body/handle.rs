//! A file that the program has opened.

use std::fs::File;
use std::io::{self, Seek};
use std::sync::Arc;

use super::open::cannot_read;
use crate::error::Error;

/// An open file on a disk, and where it stood when it was given.
#[derive(Debug)]
pub(super) struct Handle {
    file: File,
    start: u64,
}

impl Handle {
    /// Takes a file; gives back what has no length and no places, as a pipe.
    pub(super) fn of(mut file: File) -> Result<Self, File> {
        let is_file = file.metadata().is_ok_and(|metadata| metadata.is_file());
        match file.stream_position() {
            Ok(start) if is_file => Ok(Self { file, start }),
            _ => Err(file),
        }
    }

    /// Returns how much there is to send now.
    pub(super) fn length(&self) -> Result<u64, Error> {
        let metadata = self.file.metadata().map_err(cannot_read)?;
        Ok(metadata.len().saturating_sub(self.start))
    }

    /// Returns a reader from where the file stood. Each has a place of its own, as clones of
    /// a body may be sent at once.
    pub(super) fn reader(handle: &Arc<Self>) -> Reading {
        Reading { handle: Arc::clone(handle), at: handle.start }
    }
}

/// A reader of such a file.
pub(super) struct Reading {
    handle: Arc<Handle>,
    at: u64,
}

impl Reading {
    /// Reads some bytes. A `dyn Read` would bring all methods of the trait into programs.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.handle.read_at(buffer, self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}

impl Handle {
    #[cfg(unix)]
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(&self.file, buffer, at)
    }

    /// Windows has the file stand behind what was read; where it stood when it was given is
    /// where the program finds it again.
    #[cfg(windows)]
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        let count = std::os::windows::fs::FileExt::seek_read(&self.file, buffer, at);
        (&self.file).seek(io::SeekFrom::Start(self.start))?;
        count
    }

    #[cfg(not(any(unix, windows)))]
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        let mut file = &self.file;
        file.seek(io::SeekFrom::Start(at))?;
        io::Read::read(&mut file, buffer)
    }
}
