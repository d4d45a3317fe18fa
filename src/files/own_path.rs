//! The path of a file that this crate made, and is to remove.

use std::fs::{File, Metadata};
use std::path::{Path, PathBuf};
use std::{fs, io, mem};

use crate::files::stamp::Stamp;
use crate::{crash, log};

/// A path with the file that was created there, which is removed when this is dropped.
///
/// Whatever else comes to lie there in the meantime is not this crate's to move or to
/// remove; where the system tells files apart, that is checked.
#[derive(Debug)]
pub(super) struct OwnPath {
    path: PathBuf,
    identity: Identity,
    removes: bool,
}

impl OwnPath {
    /// Takes on `file`, which was just created at `path`.
    pub(super) fn new(path: PathBuf, file: &File) -> io::Result<Self> {
        let identity = match file.metadata() {
            Ok(metadata) => Identity::of(&metadata),
            Err(error) => {
                let _ = fs::remove_file(&path);
                return Err(error);
            }
        };
        Ok(Self { path, identity, removes: true })
    }

    /// The file that was at `path` before.
    pub(super) fn known(path: PathBuf, stamp: &Stamp) -> Self {
        Self { path, identity: Identity::stamped(stamp), removes: true }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns whether the file still lies there, and not another one or a link.
    pub(super) fn is_there(&self) -> bool {
        fs::symlink_metadata(&self.path).is_ok_and(|found| self.is(&found))
    }

    /// Returns whether `found` describes this file.
    pub(super) fn is(&self, found: &Metadata) -> bool {
        found.is_file() && Identity::of(found) == self.identity
    }

    /// The file now lies at `path`.
    pub(super) fn moved_to(&mut self, path: PathBuf) {
        self.path = path;
    }

    /// The file stays when this is dropped.
    pub(super) fn keep(&mut self) {
        self.stay(true);
    }

    /// The file stays when this is dropped, or not.
    pub(super) fn stay(&mut self, stays: bool) {
        self.removes = !stays;
    }

    pub(super) fn is_kept(&self) -> bool {
        !self.removes
    }

    /// Removes the file, also one that was to stay.
    pub(super) fn discard(mut self) {
        self.removes = true;
    }

    /// Returns the path of the file, which stays.
    pub(super) fn into_path(mut self) -> PathBuf {
        self.removes = false;
        mem::take(&mut self.path)
    }
}

impl Drop for OwnPath {
    fn drop(&mut self) {
        if !self.removes || !self.is_there() {
            return;
        }
        crash::point("file.remove");
        if let Err(error) = fs::remove_file(&self.path) {
            log::warn!("cannot remove {}: {error}", self.path.display());
        }
        crash::point("file.removed");
    }
}

/// What tells a file from another one at the same path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Identity {
    #[cfg(unix)]
    device: u64,
    #[cfg(unix)]
    inode: u64,
}

impl Identity {
    #[cfg(unix)]
    fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self { device: metadata.dev(), inode: metadata.ino() }
    }

    #[cfg(unix)]
    fn stamped(stamp: &Stamp) -> Self {
        Self { device: stamp.device, inode: stamp.inode }
    }

    #[cfg(not(unix))]
    fn stamped(_stamp: &Stamp) -> Self {
        Self {}
    }

    /// Windows tells no file's number through std.
    #[cfg(not(unix))]
    fn of(_metadata: &Metadata) -> Self {
        Self {}
    }
}
