//! Opening a file to send.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use crate::error::{Error, ErrorKind};

/// Opens the file at `path`; also returns its length.
pub(super) fn open(path: &Path) -> Result<(File, Option<u64>), Error> {
    let fail = |error| cannot_read(path, error);
    let file = File::open(path).map_err(fail)?;
    let metadata = file.metadata().map_err(fail)?;
    if metadata.is_dir() {
        return Err(fail(io::Error::from(io::ErrorKind::IsADirectory)));
    }
    // A pipe or a device says zero and means "unknown".
    Ok((file, metadata.is_file().then_some(metadata.len())))
}

/// Returns the length of the file at `path` if it can be sent.
pub(super) fn length(path: &Path) -> Result<Option<u64>, Error> {
    let metadata = fs::metadata(path).map_err(|error| cannot_read(path, error))?;
    // A pipe is opened once: whoever writes into it would see its reader leave.
    let is_openable = metadata.is_file() || metadata.is_dir();
    if is_openable { open(path).map(|(_, length)| length) } else { Ok(None) }
}

fn cannot_read(path: &Path, error: io::Error) -> Error {
    let kind = match error.kind() {
        io::ErrorKind::NotFound => ErrorKind::FileDoesNotExist,
        io::ErrorKind::PermissionDenied => ErrorKind::NoPermissionsToReadFile,
        io::ErrorKind::IsADirectory => ErrorKind::FileIsDirectory,
        _ => ErrorKind::ResourceUnavailable,
    };
    Error::new(kind, format!("cannot read the file to send, {}", path.display())).because(error)
}
