//! Small files of this user's alone, which are read and written as a whole.

use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;
use std::time::Duration;

use crate::census::Census;
use crate::error::{Error, ErrorKind};
use crate::files::failure::{Action, failed};
use crate::files::moving;
use crate::files::owner::{follow_no_link, is_own};
use crate::files::partial::{create_new, sync_data};
use crate::files::stamp::Stamp;
use crate::{crash, log};

/// Reads the text at `path`, which this user owns and has at most so many bytes; `None` if
/// there is nothing.
pub(crate) fn read(path: &Path, longest: u64) -> Result<Option<String>, Error> {
    let Some(bytes) = read_bytes(path, longest)? else { return Ok(None) };
    String::from_utf8(bytes).map(Some).map_err(|_| strange(path))
}

/// Reads the bytes at `path`, as [`read`] does.
pub(crate) fn read_bytes(path: &Path, longest: u64) -> Result<Option<Vec<u8>>, Error> {
    Ok(read_stamped(path, longest)?.map(|(_, bytes)| bytes))
}

/// Reads the bytes, and with them what tells whether they are what lies there later.
pub(crate) fn read_stamped(path: &Path, longest: u64) -> Result<Option<(Stamp, Vec<u8>)>, Error> {
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
    Ok(Some((Stamp::of(&metadata), bytes)))
}

/// Returns what tells whether what lies at `path` is what was read there; `None` if nothing does.
pub(crate) fn stamp(path: &Path) -> Option<Stamp> {
    fs::symlink_metadata(path).ok().map(|found| Stamp::of(&found))
}

/// Has what is at `path` be younger than what was there before, by the file system's clock: that
/// ticks slowly, and the number of a file that is gone is given to the next one.
pub(crate) fn make_younger(path: &Path, before: &Stamp) -> io::Result<()> {
    let file = OpenOptions::new().write(true).open(path)?;
    let modified = file.metadata()?.modified()?;
    match before.modified_at() {
        Some(before) if modified <= before => file.set_modified(before + Duration::from_millis(1)),
        _ => Ok(()),
    }
}

/// Moves what is at `path` out of the way, in place of what was there earlier.
pub(crate) fn set_aside(path: &Path, aside: &Path) -> Result<(), Error> {
    moving::replace(path, aside).map_err(|error| failed(Action::Move, aside, error))
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
