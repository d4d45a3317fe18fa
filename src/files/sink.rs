//! The file that a body is written to, for whoever receives bodies.
//!
//! Receivers know what makes it by pointers, which are there from the moment on that the program
//! makes its first download: so a program that never does is linked without these files.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::{Destination, DownloadedFile, Existing, Target, TemporaryFile};
use crate::census::Census;
use crate::error::{Error, ErrorKind};

/// A file that a body is written to.
pub(crate) trait Sink: Send {
    fn write_all(&mut self, bytes: &[u8]) -> Result<(), Error>;

    /// The body is whole: the file comes to its place.
    fn finish(self: Box<Self>) -> Result<DownloadedFile, Error>;
}

impl fmt::Debug for dyn Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sink")
    }
}

impl Sink for TemporaryFile {
    fn write_all(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.write_all(bytes)
    }

    fn finish(self: Box<Self>) -> Result<DownloadedFile, Error> {
        Ok(self.into_downloaded())
    }
}

impl Sink for Destination {
    fn write_all(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.write_all(bytes)
    }

    fn finish(self: Box<Self>) -> Result<DownloadedFile, Error> {
        (*self).finish()
    }
}

/// Makes a place out of what the program has named, if a file may come there.
type ToTarget = fn(&Path, Existing, &Census) -> Result<Target, Error>;

/// Creates a file, beside its place if it has one, else in the folder.
type Create = fn(Option<Target>, Option<&PathBuf>, &Census) -> Result<Box<dyn Sink>, Error>;

/// Makes the files of downloads.
#[derive(Clone, Copy)]
pub(crate) struct Maker {
    pub(crate) target: ToTarget,
    pub(crate) create: Create,
}

static MAKER: OnceLock<Maker> = OnceLock::new();

/// Has bodies become files from now on: called before a task becomes a download.
pub(crate) fn give_maker() {
    // It was there before.
    let _ = MAKER.set(Maker { target: Target::new, create });
}

/// Returns what makes the files of downloads.
pub(crate) fn maker() -> Result<Maker, Error> {
    MAKER.get().copied().ok_or_else(|| {
        let detail = "nothing of this program was made to be downloaded";
        Error::new(ErrorKind::CannotCreateFile, detail)
    })
}

fn create(
    target: Option<Target>,
    folder: Option<&PathBuf>,
    census: &Census,
) -> Result<Box<dyn Sink>, Error> {
    Ok(match target {
        Some(target) => Box::new(Destination::create(target)?),
        None => Box::new(TemporaryFile::create(folder.map(PathBuf::as_path), census)?),
    })
}
