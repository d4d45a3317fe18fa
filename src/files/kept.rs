//! A partial file that several may go on with.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::files::own_path::OwnPath;
use crate::files::stamp::Stamp;

/// A file that is removed with the last who might go on with it, unless it is to stay.
#[derive(Debug)]
pub(crate) struct KeptFile {
    own: OwnPath,
    stays: AtomicBool,
}

impl KeptFile {
    /// Takes on the file at `path`.
    pub(crate) fn new(path: PathBuf, stamp: &Stamp, stays: bool) -> Self {
        let mut own = OwnPath::known(path, stamp);
        own.stay(true);
        Self { own, stays: AtomicBool::new(stays) }
    }

    pub(crate) fn path(&self) -> &Path {
        self.own.path()
    }

    /// Has it stay when nobody holds it any more, or not.
    pub(crate) fn stay(&self, stays: bool) {
        self.stays.store(stays, Ordering::Release);
    }
}

impl Drop for KeptFile {
    fn drop(&mut self) {
        self.own.stay(self.stays.load(Ordering::Acquire));
    }
}
