//! What lies beside the place of a download that a later start of the program goes on with.

#[cfg(feature = "background")]
use std::path::Path;
use std::path::PathBuf;

#[cfg(feature = "background")]
use super::answer::Begun;
#[cfg(feature = "background")]
use super::data::{ResumeData, describe};
use super::record::{LONGEST, Record};
use crate::census::Census;
use crate::error::{Error, ErrorKind};
#[cfg(feature = "background")]
use crate::files::temporary;
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

/// Has the file that is to come to `place` go on with this, which is moved there: whoever holds it
/// has nothing any more. It is on the disk when this returns.
///
/// # Errors
///
/// [`ErrorKind::CannotResume`] if the partial file is gone or was changed; those of files.
#[cfg(feature = "background")]
pub(crate) fn go_on_at(place: &Path, data: &ResumeData, census: &Census) -> Result<(), Error> {
    let beside = Beside::of(&Target::new(place, crate::files::Existing::Replace, census)?);
    let file = data.open(census)?;
    let mut record = data.record().clone();
    describe(data.request(), &mut record);
    (record.file, record.stamp) = (beside.part.clone(), file.stamp()?);
    // First: where there is no room for it, the file stays where it is.
    beside.write(&record, census)?;
    let file = file.move_over(&beside.part).inspect_err(|_| beside.forget())?;
    let stamp = file.stamp()?;
    if stamp == record.stamp {
        return Ok(());
    }
    // It was copied from another volume.
    record.stamp = stamp;
    beside.write(&record, census)
}

/// Takes what has come of the file that was to come to `place`, for whoever goes on with it
/// elsewhere: it has a name of its own in the same folder from now on. None if nothing can be gone
/// on with.
#[cfg(feature = "background")]
pub(crate) fn take(
    place: &Path,
    request: &Request,
    wanted: Option<(PathBuf, crate::files::Existing)>,
    census: &Census,
) -> Result<Option<ResumeData>, Error> {
    let beside = Beside::of(&Target::new(place, crate::files::Existing::Replace, census)?);
    let Some(mut record) = beside.read()? else { return Ok(None) };
    let Some(mut file) = PartialFile::open(&beside.part, census)? else { return Ok(None) };
    let begun = Begun {
        entity: &record.entity,
        received: record.received,
        until: record.ranges.start(),
        has_digest: record.expected.digest.is_some(),
    };
    let stamp = file.stamp()?;
    let is_whole = record.stamp.is_same_file(&stamp) && record.end() <= stamp.length;
    if !is_whole || !begun.can_go_on() {
        return Ok(None);
    }
    file.cut(record.end())?;
    file.rename(&temporary::name)?;
    beside.forget();
    (record.file, record.stamp) = (file.path().to_owned(), file.stamp()?);
    record.place = wanted;
    Ok(Some(ResumeData::taken(request, record)))
}
