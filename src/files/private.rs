//! Small files of this user's alone, which are read and written as a whole.

use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;

use crate::census::Census;
use crate::error::{Error, ErrorKind};
use crate::files::failure::{Action, failed};
use crate::files::moving;
use crate::files::owner::{follow_no_link, is_own};
use crate::files::partial::{create_new, sync_data};
use crate::{crash, log};

/// Reads the text at `path`, which this user owns and has at most so many bytes; `None` if
/// there is nothing.
pub(crate) fn read(path: &Path, longest: u64) -> Result<Option<String>, Error> {
    let Some(bytes) = read_bytes(path, longest)? else { return Ok(None) };
    String::from_utf8(bytes).map(Some).map_err(|_| strange(path))
}

/// Reads the bytes at `path`, as [`read`] does.
pub(crate) fn read_bytes(path: &Path, longest: u64) -> Result<Option<Vec<u8>>, Error> {
    let cannot_open = |error| failed(Action::Open, path, error);
    let file = match follow_no_link(OpenOptions::new().read(true)).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file.map_err(cannot_open)?,
    };
    let metadata = file.metadata().map_err(cannot_open)?;
    if !is_own(&metadata) || metadata.len() > longest {
        return Err(strange(path));
    }
    let mut bytes = Vec::new();
    file.take(longest).read_to_end(&mut bytes).map_err(cannot_open)?;
    Ok(Some(bytes))
}

/// Writes `bytes` to `beside`, and has that take the place of what is at `path`.
pub(crate) fn replace(path: &Path, beside: &Path, bytes: &[u8]) -> Result<(), Error> {
    // What a program has left that was killed.
    remove(beside);
    crash::point("file.create");
    let mut file = create_new(beside).map_err(|error| failed(Action::Create, beside, error))?;
    crash::point("file.created");
    let written = file
        .write_all(bytes)
        .map_err(|error| failed(Action::Write, beside, error))
        .and_then(|()| sync_data(&file, beside));
    drop(file);
    let moved = written.and_then(|()| {
        moving::replace(beside, path).map_err(|error| failed(Action::Move, path, error))
    });
    moved.inspect_err(|_| remove(beside))
}

/// Brings to the disk which files lie beside `path`.
pub(crate) fn sync_folder_of(path: &Path, census: &Census) {
    if let Some(folder) = path.parent() {
        moving::sync_folder(folder, census);
    }
}

/// Removes the file at `path`, if one is there.
pub(crate) fn remove(path: &Path) {
    if let Err(error) = try_remove(path) {
        log::warn!("cannot remove {}: {error}", path.display());
    }
}

/// The same, for whoever holds a lock, or cannot do with what is there.
pub(crate) fn try_remove(path: &Path) -> io::Result<()> {
    crash::point("file.remove");
    let removed = fs::remove_file(path);
    crash::point("file.removed");
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

fn strange(path: &Path) -> Error {
    let detail = format!("{} is not what this user's program has written", path.display());
    Error::new(ErrorKind::CannotOpenFile, detail)
}
