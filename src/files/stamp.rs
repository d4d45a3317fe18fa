//! What tells whether a file is the one that it was, unchanged.

use std::fs::Metadata;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Which file it is, how long, and when it was changed last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// Both are 0 where the system does not tell through std, as Windows.
    pub(crate) device: u64,
    pub(crate) inode: u64,
    pub(crate) length: u64,
    /// Nanoseconds since 1970, as far as the file system counts; negative before.
    pub(crate) modified: i128,
}

impl Stamp {
    pub(crate) fn of(metadata: &Metadata) -> Self {
        let (device, inode) = number(metadata);
        let modified = metadata.modified().map_or(0, nanoseconds);
        Self { device, inode, length: metadata.len(), modified }
    }

    /// Returns when it was changed last, if that is a time since 1970.
    pub(crate) fn modified_at(&self) -> Option<SystemTime> {
        let nanoseconds = u64::try_from(self.modified).ok()?;
        UNIX_EPOCH.checked_add(Duration::from_nanos(nanoseconds))
    }

    /// Whether it is the same file, be it changed.
    pub(crate) fn is_same_file(&self, other: &Self) -> bool {
        (self.device, self.inode) == (other.device, other.inode)
    }
}

fn nanoseconds(time: SystemTime) -> i128 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => since.as_nanos().cast_signed(),
        Err(before) => -before.duration().as_nanos().cast_signed(),
    }
}

#[cfg(unix)]
fn number(metadata: &Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    (metadata.dev(), metadata.ino())
}

#[cfg(not(unix))]
fn number(_metadata: &Metadata) -> (u64, u64) {
    (0, 0)
}
