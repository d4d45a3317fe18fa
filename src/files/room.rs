//! How much room there is on a volume.

use std::path::Path;

/// Less is as good as none.
pub(super) const LEAST: u64 = 4 * 1024 * 1024;

/// Returns how many bytes this user can still write to the volume of a folder, if the system tells.
#[cfg(unix)]
pub(super) fn of(folder: &Path) -> Option<u64> {
    let found = rustix::fs::statvfs(folder).ok()?;
    Some(found.f_bavail.saturating_mul(found.f_frsize))
}

/// Elsewhere the next try shows it.
#[cfg(not(unix))]
pub(super) fn of(_folder: &Path) -> Option<u64> {
    None
}
