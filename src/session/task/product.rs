//! What a task brings, and what decides that.

use crate::download::{self, ResumeData, Saving};
use crate::error::Error;
use crate::session::data::{Data, Download};

/// What kind of task it is.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Data,
    Upload(Sends),
    /// To a file.
    Download(Box<Saving>),
}

impl Kind {
    /// That of a download to a temporary file, until a place is named.
    pub(crate) fn download() -> Self {
        download::give_maker();
        Self::Download(Box::default())
    }

    /// That of a download that an earlier run of the program has made.
    #[cfg(feature = "background")]
    pub(crate) fn restored_download(saving: Saving) -> Self {
        download::give_maker();
        Self::Download(Box::new(saving))
    }

    /// That of a download that goes on.
    pub(crate) fn download_with(resume_data: ResumeData) -> Self {
        download::give_maker();
        let place = resume_data.place();
        let resumed = Some(Box::new(resume_data));
        Self::Download(Box::new(Saving { place, resumed, ..Saving::default() }))
    }

    /// Whether its file takes the place of another.
    pub(crate) fn replaces(&self) -> bool {
        matches!(self, Self::Download(saving) if saving.replaces())
    }
}

/// Where an upload takes its body from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sends {
    Body,
    /// The delegate is asked for it.
    Stream,
}

/// What a task brings, or why it does not.
pub(crate) type Brought = Result<Product, Error>;

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
    pub(crate) fn is_in_place(&self) -> bool {
        match self {
            Self::Download(download) => download.file.is_kept(),
            Self::HandedOver => true,
            Self::Nothing | Self::Data(_) => false,
        }
    }

    /// Leaves nothing of it: the task has failed.
    pub(crate) fn undo(self) {
        if let Self::Download(download) = self {
            download.file.discard();
        }
    }
}
