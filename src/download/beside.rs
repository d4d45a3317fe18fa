//! What lies beside the place of a download that a later start of the program goes on with.

#[cfg(feature = "background")]
use std::path::Path;
use std::path::PathBuf;

#[cfg(feature = "background")]
use super::data::describe;
use super::record::{LONGEST, Record};
use crate::census::Census;
use crate::error::{Error, ErrorKind};
use crate::files::{PartialFile, Target, private};
use crate::log;
#[cfg(feature = "background")]
use crate::request::Request;

/// The record of a partial file, as `.NAME.resume` beside `.NAME.part`.
///
/// Whoever holds the lock of the partial file writes it, and nobody else.
#[derive(Clone, Debug)]
pub(super) struct Beside {
    part: PathBuf,
    record: PathBuf,
    /// What the record is written to before it takes its place.
    next: PathBuf,
}

impl Beside {
    pub(super) fn of(target: &Target) -> Self {
        let named = |ending| target.beside(ending);
        Self { part: named("part"), record: named("resume"), next: named("resume.new") }
    }

    /// Opens the partial file, for this task alone.
    pub(super) fn open(&self, census: &Census) -> Result<PartialFile, Error> {
        PartialFile::open_or_create(&self.part, census)
    }

    /// Reads the record; `None` if there is none that can be gone on with.
    ///
    /// # Errors
    ///
    /// One that a newer version has written is left to that.
    pub(super) fn read(&self) -> Result<Option<Record>, Error> {
        let text = match private::read(&self.record, LONGEST) {
            Ok(Some(text)) => text,
            Ok(None) => return Ok(None),
            Err(error) => {
                log::warn!("a download begins anew: {error}");
                return Ok(None);
            }
        };
        match Record::parse(&text) {
            Ok(record) => Ok(Some(record)),
            Err(error) if Record::is_newer(&text) => Err(error),
            Err(error) => {
                log::warn!("a download begins anew: {}: {error}", self.record.display());
                Ok(None)
            }
        }
    }

    /// Writes the record, on the disk before it takes the place of the last one.
    pub(super) fn write(&self, record: &Record, census: &Census) -> Result<(), Error> {
        let text = record.to_text().ok_or_else(|| {
            let detail = "the path of the file is not Unicode, which nothing can be written with";
            Error::new(ErrorKind::CannotWriteToFile, detail)
        })?;
        let is_first = !self.record.exists();
        private::replace(&self.record, &self.next, text.as_bytes())?;
        if is_first {
            // So that both names outlive a power cut; later ones leave the last record at worst.
            private::sync_folder_of(&self.record, census);
        }
        Ok(())
    }

    /// Nothing is to be gone on with any more.
    pub(super) fn forget(&self) {
        private::remove(&self.record);
        private::remove(&self.next);
    }

    /// Removes a record whose partial file has come to its place already.
    pub(super) fn tidy(&self) {
        if !self.part.exists() {
            self.forget();
        }
    }
}

/// Removes what lies beside a file that has come to its place, if a crash came before that.
#[cfg(feature = "background")]
pub(crate) fn tidy(place: &Path) {
    let target = Target::new(place, crate::files::Existing::Replace, &Census::default());
    if let Ok(target) = target {
        Beside::of(&target).tidy();
    }
}

/// Removes what lies at the place of a file, and beside it, of a download that nobody goes on
/// with.
#[cfg(feature = "background")]
pub(crate) fn forget_all(place: &Path) {
    private::remove(place);
    let target = Target::new(place, crate::files::Existing::Replace, &Census::default());
    if let Ok(target) = target {
        let beside = Beside::of(&target);
        private::remove(&beside.part);
        beside.forget();
    }
}

/// Has what was begun of a file be of this request, which may have another URL than the one that
/// it was begun by: whether the rest fits, what names the version proves.
#[cfg(feature = "background")]
pub(crate) fn readdress(place: &Path, request: &Request, census: &Census) -> Result<(), Error> {
    let beside = Beside::of(&Target::new(place, crate::files::Existing::Replace, census)?);
    let url = request.url().map_or("", url::Url::as_str);
    match beside.read()? {
        Some(mut record) if record.url != url => {
            describe(request, &mut record);
            beside.write(&record, census)
        }
        Some(_) | None => Ok(()),
    }
}
