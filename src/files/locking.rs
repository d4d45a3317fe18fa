//! Files for one process alone, in the ways that systems have for that.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

#[cfg(unix)]
use crate::files::owner::follow_no_link;

/// Who may open the file meanwhile, where that is said when it is opened; elsewhere it is locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sharing {
    /// Nobody who writes.
    Alone,
    /// Whoever wants.
    Anybody,
}

#[cfg(unix)]
pub(super) fn open(path: &Path, _sharing: Sharing) -> io::Result<File> {
    follow_no_link(OpenOptions::new().read(true).write(true)).open(path)
}

/// Others may read it and move it, and may not open it for writing.
#[cfg(windows)]
pub(super) fn open(path: &Path, sharing: Sharing) -> io::Result<File> {
    use std::os::windows::fs::OpenOptionsExt;
    const FILE_SHARE_READ: u32 = 1;
    const FILE_SHARE_DELETE: u32 = 4;
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    if sharing == Sharing::Alone {
        options.share_mode(FILE_SHARE_READ | FILE_SHARE_DELETE);
    }
    options.open(path)
}

#[cfg(unix)]
pub(super) fn lock(file: &File) -> io::Result<()> {
    Ok(rustix::fs::flock(file, rustix::fs::FlockOperation::NonBlockingLockExclusive)?)
}

#[cfg(windows)]
pub(super) fn lock(_file: &File) -> io::Result<()> {
    Ok(())
}

/// Gives the file back. To close it would not do: a process that another thread starts meanwhile
/// has it open until it executes its program, and the lock is that of all who do (flock(2)).
#[cfg(unix)]
pub(super) fn unlock(file: &File) {
    // It is closed in any case.
    let _ = rustix::fs::flock(file, rustix::fs::FlockOperation::Unlock);
}

#[cfg(windows)]
pub(super) fn unlock(_file: &File) {}

#[cfg(unix)]
pub(super) fn is_in_use(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock
}

#[cfg(windows)]
pub(super) fn is_in_use(error: &io::Error) -> bool {
    const ERROR_SHARING_VIOLATION: i32 = 32;
    error.raw_os_error() == Some(ERROR_SHARING_VIOLATION)
}
