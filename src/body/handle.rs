//! A file that the program has opened.

use std::fs::File;
use std::io::{self, Read, Seek};
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
    pub(super) fn reader(handle: &Arc<Self>) -> impl Read + Send + 'static + use<> {
        Reading { handle: Arc::clone(handle), at: handle.start }
    }
}

struct Reading {
    handle: Arc<Handle>,
    at: u64,
}

impl Read for Reading {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = read_at(&self.handle.file, buffer, self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}

#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, at)
}

#[cfg(windows)]
fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, at)
}

#[cfg(not(any(unix, windows)))]
fn read_at(mut file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    file.seek(io::SeekFrom::Start(at))?;
    file.read(buffer)
}
