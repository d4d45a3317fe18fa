//! The file that a body is written to.

use std::path::PathBuf;

use crate::census::Census;
use crate::error::Error;
use crate::files::{Destination, DownloadedFile, Target, TemporaryFile};
use crate::response::Response;
use crate::session::data::Download;

/// A file that a body is written to.
#[derive(Debug)]
pub(super) enum Sink {
    Temporary(TemporaryFile),
    Beside(Box<Destination>),
}

impl Sink {
    /// Creates the file, beside `target` if there is one.
    pub(super) fn create(
        target: Option<Target>,
        folder: Option<&PathBuf>,
        census: &Census,
    ) -> Result<Self, Error> {
        match target {
            Some(target) => Destination::create(target).map(|file| Self::Beside(Box::new(file))),
            None => {
                TemporaryFile::create(folder.map(PathBuf::as_path), census).map(Self::Temporary)
            }
        }
    }

    pub(super) fn write_all(&mut self, bytes: &[u8]) -> Result<(), Error> {
        match self {
            Self::Temporary(file) => file.write_all(bytes),
            Self::Beside(file) => file.write_all(bytes),
        }
    }

    /// The body is whole: the file comes to its place.
    pub(super) fn finish(self, response: Response) -> Result<Download, Error> {
        let file: DownloadedFile = match self {
            Self::Temporary(file) => file.into_downloaded(),
            Self::Beside(file) => file.finish()?,
        };
        Ok(Download { response, file })
    }
}
