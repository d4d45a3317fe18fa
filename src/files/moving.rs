//! Moving a file to a name that must be free, in one step of the system.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::Path;

use crate::census::Census;
#[cfg(unix)]
use crate::census::Kind;
use crate::{crash, log};

/// Moves `from` to `to` on the same volume, unless there is something at `to`, be it a
/// symbolic link to nothing.
///
/// No file system has every way, but each has one: the first that is known there decides.
pub(super) fn rename_to_new(from: &Path, to: &Path) -> io::Result<()> {
    let mut outcome = Err(io::ErrorKind::Unsupported.into());
    crash::point("file.rename_to_new");
    for way in WAYS {
        outcome = way(from, to);
        match &outcome {
            Err(error) if is_unknown_there(error) => {}
            _ => break,
        }
    }
    crash::point("file.renamed_to_new");
    outcome
}

type Way = fn(&Path, &Path) -> io::Result<()>;

#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
pub(super) const WAYS: &[Way] = &[rename_exclusively, link_and_unlink, reserve_and_rename];
#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
pub(super) const WAYS: &[Way] = &[link_and_unlink, reserve_and_rename];

/// Returns whether the file system, rather than what lies in it, refused.
fn is_unknown_there(error: &io::Error) -> bool {
    // Linux says EINVAL for a flag that a file system does not know and EPERM for a link
    // on one without; old kernels say ENOSYS. Should EPERM be about the folder, the next
    // way meets it too.
    let unknown = [io::ErrorKind::Unsupported, io::ErrorKind::InvalidInput];
    unknown.contains(&error.kind()) || is_not_permitted(error)
}

#[cfg(unix)]
fn is_not_permitted(error: &io::Error) -> bool {
    rustix::io::Errno::from_io_error(error) == Some(rustix::io::Errno::PERM)
}

/// FAT volumes have no links; Windows then says that the function is not one.
#[cfg(not(unix))]
fn is_not_permitted(error: &io::Error) -> bool {
    const ERROR_INVALID_FUNCTION: i32 = 1;
    error.raw_os_error() == Some(ERROR_INVALID_FUNCTION)
}

/// `renameat2` with `RENAME_NOREPLACE`, `renameatx_np` with `RENAME_EXCL`.
#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
fn rename_exclusively(from: &Path, to: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    Ok(renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE)?)
}

/// A link is never made over something. For a moment the file has two names.
fn link_and_unlink(from: &Path, to: &Path) -> io::Result<()> {
    fs::hard_link(from, to)?;
    crash::point("file.linked_to_new");
    fs::remove_file(from).inspect_err(|_| {
        let _ = fs::remove_file(to);
    })
}

/// Reserves the name with an empty file and replaces that. A program that dies in between
/// leaves it; another one that replaces it in between loses its file.
fn reserve_and_rename(from: &Path, to: &Path) -> io::Result<()> {
    drop(OpenOptions::new().write(true).create_new(true).open(to)?);
    crash::point("file.new_reserved");
    fs::rename(from, to).inspect_err(|_| {
        let _ = fs::remove_file(to);
    })
}

/// Moves `from` to `to` on the same volume, in place of a file that is there.
pub(super) fn replace(from: &Path, to: &Path) -> io::Result<()> {
    crash::point("file.replace");
    let replaced = rename(from, to);
    crash::point("file.replaced");
    replaced
}

#[cfg(not(windows))]
fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)
}

/// Windows refuses that for as long as another thread or program replaces the same file, or
/// has it open without leave to delete it, as a scanner of viruses does for a moment.
#[cfg(windows)]
fn rename(from: &Path, to: &Path) -> io::Result<()> {
    use std::{thread, time::Duration};

    const ERROR_SHARING_VIOLATION: i32 = 32;
    const FIRST_PAUSE: Duration = Duration::from_millis(1);
    const LAST_PAUSE: Duration = Duration::from_millis(256);
    let mut pause = FIRST_PAUSE;
    loop {
        let outcome = fs::rename(from, to);
        let Err(error) = &outcome else { return outcome };
        let is_held = error.kind() == io::ErrorKind::PermissionDenied
            || error.raw_os_error() == Some(ERROR_SHARING_VIOLATION);
        if !is_held || pause > LAST_PAUSE || to.is_dir() {
            return outcome;
        }
        thread::sleep(pause);
        pause *= 2;
    }
}

/// Brings to the disk that a file came to `folder`.
///
/// The file is there, and whole, whatever this meets: a folder that may be written but
/// not read, a file system that syncs no folders. A program could do nothing about it.
pub(super) fn sync_folder(folder: &Path, census: &Census) {
    if let Err(error) = try_sync_folder(folder, census) {
        log::warn!("a file in {} may not outlive a power cut: {error}", folder.display());
    }
}

/// The same, for whoever promises that it is there after a power cut.
#[cfg(unix)]
pub(super) fn try_sync_folder(folder: &Path, census: &Census) -> io::Result<()> {
    let _counted = census.count(Kind::File);
    crash::point("folder.sync");
    let synced = fs::File::open(folder).and_then(|folder| folder.sync_all());
    crash::point("folder.synced");
    synced
}

/// Windows writes folders through by itself.
#[cfg(not(unix))]
pub(super) fn try_sync_folder(_folder: &Path, _census: &Census) -> io::Result<()> {
    Ok(())
}
