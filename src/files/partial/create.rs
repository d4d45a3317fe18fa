//! Creating files that only this user can read, with a name or without.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

/// Creates a file at `path`, where nothing may be.
#[cfg(unix)]
pub(in crate::files) fn new(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)
}

/// Elsewhere a file has the access list of its folder.
#[cfg(not(unix))]
pub(in crate::files) fn new(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create_new(true).open(path)
}

/// Creates a file in `folder` that has no name, if the system can, and can give it one later.
///
/// Not every file system knows `O_TMPFILE`; whatever it says, creating a file with a name says
/// what is wrong.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn unnamed(folder: &Path) -> Option<File> {
    use rustix::fs::{Mode, OFlags};
    let mode = Mode::RUSR | Mode::WUSR;
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(folder, flags, mode).ok()?);
    // Where there is no /proc it would never get a name.
    std::fs::metadata(in_proc(&file)).is_ok().then_some(file)
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) fn unnamed(_folder: &Path) -> Option<File> {
    None
}

/// Gives `file`, which has no name, one where nothing may be.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn link(file: &File, path: &Path) -> io::Result<()> {
    use rustix::fs::{AtFlags, CWD, linkat};
    // open(2): the way for users who may not pass by access checks.
    Ok(linkat(CWD, in_proc(file), CWD, path, AtFlags::SYMLINK_FOLLOW)?)
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) fn link(_file: &File, _path: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn in_proc(file: &File) -> String {
    use std::os::fd::AsRawFd;
    format!("/proc/self/fd/{}", file.as_raw_fd())
}
