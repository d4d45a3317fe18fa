//! Opening a file to send.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use super::pipe::{self, Pipe};
use crate::error::{Error, ErrorKind};

/// A file that was opened.
pub(super) enum Opened {
    /// It is on a disk, and so long.
    File(File, u64),
    /// A pipe or a device, whose length nobody knows and which may keep its reader waiting.
    Pipe(Pipe),
}

/// Opens the file at `path`.
pub(super) fn open(path: &Path) -> Result<Opened, Error> {
    let fail = |error| cannot_read(path, error);
    let file = pipe::open_without_waiting(path).map_err(fail)?;
    let metadata = file.metadata().map_err(fail)?;
    if metadata.is_dir() {
        return Err(fail(io::Error::from(io::ErrorKind::IsADirectory)));
    }
    if !metadata.is_file() {
        // It says zero and means "unknown".
        return Ok(Opened::Pipe(Pipe::new(file)));
    }
    pipe::let_wait(&file).map_err(fail)?;
    Ok(Opened::File(file, metadata.len()))
}

/// Returns the length of the file at `path` if it can be sent.
pub(super) fn length(path: &Path) -> Result<Option<u64>, Error> {
    let metadata = fs::metadata(path).map_err(|error| cannot_read(path, error))?;
    // A pipe is opened once: whoever writes into it would see its reader leave.
    if is_pipe(&metadata) {
        return Ok(None);
    }
    match open(path)? {
        Opened::File(_, length) => Ok(Some(length)),
        Opened::Pipe(_) => Ok(None),
    }
}

/// Whether the file at `path` can be read from its beginning again. What is not there may be
/// by then.
pub(super) fn can_rewind(path: &Path) -> bool {
    !fs::metadata(path).is_ok_and(|metadata| is_pipe(&metadata))
}

fn is_pipe(metadata: &fs::Metadata) -> bool {
    !metadata.is_file() && !metadata.is_dir()
}

fn cannot_read(path: &Path, error: io::Error) -> Error {
    let kind = match error.kind() {
        io::ErrorKind::NotFound => ErrorKind::FileDoesNotExist,
        // Windows opens no directory, and says no more than that.
        io::ErrorKind::PermissionDenied if path.is_dir() => ErrorKind::FileIsDirectory,
        io::ErrorKind::PermissionDenied => ErrorKind::NoPermissionsToReadFile,
        io::ErrorKind::IsADirectory => ErrorKind::FileIsDirectory,
        _ => ErrorKind::ResourceUnavailable,
    };
    Error::new(kind, format!("cannot read the file to send, {}", path.display())).by_system(error)
}
