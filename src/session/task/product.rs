//! What a task brings, and what decides that.

use std::path::PathBuf;

use crate::census::Census;
use crate::error::Error;
use crate::files::{Destination, DownloadedFile, Existing, Target, TemporaryFile};
use crate::response::Response;
use crate::session::{Data, Download};

/// What kind of task it is.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Data,
    Upload(Sends),
    /// To a temporary file, or to a place that the program named.
    Download(Option<Saving>),
}

impl Kind {
    /// Whether its file takes the place of another.
    pub(super) fn replaces(&self) -> bool {
        matches!(self, Self::Download(Some(saving)) if saving.existing == Existing::Replace)
    }
}

/// Where an upload takes its body from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sends {
    Body,
    /// The delegate is asked for it.
    Stream,
}

/// The place that a program named for a download.
#[derive(Clone, Debug)]
pub(crate) struct Saving {
    pub(crate) path: PathBuf,
    pub(crate) existing: Existing,
}

/// What a task brings.
#[derive(Debug)]
pub(crate) enum Product {
    /// Whoever it tells has taken everything piece by piece.
    Nothing,
    Data(Data),
    Download(Download),
    /// The delegate has the file.
    HandedOver,
}

impl Product {
    /// Returns the data, for those whose tasks collect it.
    pub(crate) fn into_data(self) -> Result<Data, Error> {
        match self {
            Self::Data(data) => Ok(data),
            Self::Nothing | Self::Download(_) | Self::HandedOver => Err(Error::cancelled()),
        }
    }

    /// Returns the file, for those whose tasks download it.
    pub(crate) fn into_download(self) -> Result<Download, Error> {
        match self {
            Self::Download(download) => Ok(download),
            Self::Nothing | Self::Data(_) | Self::HandedOver => Err(Error::cancelled()),
        }
    }

    /// Whether a file came to the place that was named for it, or to the delegate, which no
    /// cancel undoes.
    pub(super) fn is_in_place(&self) -> bool {
        match self {
            Self::Download(download) => download.file.is_kept(),
            Self::HandedOver => true,
            Self::Nothing | Self::Data(_) => false,
        }
    }

    /// Leaves nothing of it: the task has failed.
    pub(super) fn undo(self) {
        if let Self::Download(download) = self {
            download.file.discard();
        }
    }
}

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
