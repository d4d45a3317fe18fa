//! Folders of this user's alone.

use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use crate::census::Census;
use crate::crash;
use crate::error::{Error, ErrorKind};
use crate::files::failure::{Action, failed};
use crate::files::moving::try_sync_folder;
use crate::files::owner::is_own_folder;

/// Makes the folder that `names` lead to from `base`, one by one, each for this user only, and
/// there after a power cut.
///
/// `base` and what it lies in may be anybody's, and are made if they are missing.
///
/// # Errors
///
/// Those of files; [`ErrorKind::CannotOpenFile`] if one of them is there, and is a symbolic link,
/// no folder, or another user's.
pub(crate) fn make_own_folder(
    base: &Path,
    names: &[impl AsRef<Path>],
    census: &Census,
) -> Result<PathBuf, Error> {
    make_if_missing(base, census)?;
    let mut path = base.to_owned();
    for name in names {
        path.push(name);
        make(&path, census)?;
        check(&path)?;
    }
    Ok(path)
}

/// Checks what [`make_own_folder`] has made, without making it; whether it is there.
///
/// # Errors
///
/// The same.
#[cfg(all(feature = "daemon", unix))]
pub(crate) fn check_own_folder(path: &Path) -> Result<bool, Error> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        _ => check(path).map(|()| true),
    }
}

fn make_if_missing(path: &Path, census: &Census) -> Result<(), Error> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        make_if_missing(parent, census)?;
    }
    make(path, census)
}

/// Makes the folder at `path`, unless there is something.
fn make(path: &Path, census: &Census) -> Result<(), Error> {
    crash::point("folder.make");
    match create_one(path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
        Err(error) => return Err(failed(Action::Create, path, error)),
    }
    crash::point("folder.made");
    let synced = try_sync_folder(path.parent().unwrap_or(path), census);
    synced.map_err(|error| failed(Action::Sync, path, error))
}

/// Checks that it is this user's own, and nobody else's to use.
fn check(path: &Path) -> Result<(), Error> {
    let cannot_open = |error| failed(Action::Open, path, error);
    let found = fs::symlink_metadata(path).map_err(cannot_open)?;
    if !is_own_folder(&found) {
        return Err(strange(path, &found));
    }
    close_to_others(path, &found).map_err(cannot_open)
}

#[cfg(unix)]
fn create_one(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().mode(0o700).create(path)
}

#[cfg(not(unix))]
fn create_one(path: &Path) -> io::Result<()> {
    fs::create_dir(path)
}

/// Takes from others what they may do in a folder of this user's.
#[cfg(unix)]
fn close_to_others(path: &Path, found: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = found.permissions().mode();
    if mode & 0o077 == 0 {
        return Ok(());
    }
    fs::set_permissions(path, fs::Permissions::from_mode(mode & 0o700))
}

/// Elsewhere it has the access list of the folder that it lies in.
#[cfg(not(unix))]
fn close_to_others(_path: &Path, _found: &Metadata) -> io::Result<()> {
    Ok(())
}

fn strange(path: &Path, found: &Metadata) -> Error {
    let what = match found.file_type() {
        kind if kind.is_symlink() => "is a symbolic link",
        kind if kind.is_dir() => "belongs to another user",
        _ => "is no folder",
    };
    let detail = format!(
        "{} {what}, and nothing is kept there: remove it, or set URLSESSION_HOME",
        path.display()
    );
    Error::new(ErrorKind::CannotOpenFile, detail)
}
