//! A partial file that several may go on with.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::Error;
use crate::files::failure::{Action, failed};
use crate::files::own_path::OwnPath;
use crate::files::partial::sync_data;
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

    /// Waits until its bytes are on the disk.
    pub(crate) fn sync(&self) -> Result<(), Error> {
        let path = self.path();
        // Windows syncs only what may be written.
        let file = OpenOptions::new().read(true).write(true).open(path);
        sync_data(&file.map_err(|error| failed(Action::Open, path, error))?, path)
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
