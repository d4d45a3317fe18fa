//! A file that several threads write at once, each elsewhere.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::census::Counted;
use crate::error::Error;
use crate::files::failure::{Action, cut, failed};
use crate::files::partial::sync_data;
use crate::files::stamp::Stamp;
use crate::splice::SplicePipe;

/// Another handle of a file that is being written, which stays where it is.
#[derive(Debug)]
pub(crate) struct FileWriter {
    file: File,
    path: PathBuf,
    /// Up to where something was written; none if nobody else can come to it.
    end: Option<AtomicU64>,
    _counted: Counted,
}

impl FileWriter {
    pub(super) fn new(file: File, path: PathBuf, end: Option<u64>, counted: Counted) -> Self {
        Self { file, path, end: end.map(AtomicU64::new), _counted: counted }
    }

    /// Writes all of `bytes` from the byte `at` on.
    pub(crate) fn write_all_at(&self, bytes: &[u8], at: u64) -> Result<(), Error> {
        write_all_at(&self.file, bytes, at).map_err(|error| self.failed(Action::Write, error))?;
        self.wrote_up_to(at + bytes.len() as u64);
        Ok(())
    }

    /// Moves all that is in `pipe` there; returns how much that is.
    pub(crate) fn splice_at(&self, pipe: &mut SplicePipe, at: u64) -> Result<u64, Error> {
        let moved = pipe.empty_into(&self.file, Some(at));
        let count = moved.map_err(|error| self.failed(Action::Write, error))?;
        self.wrote_up_to(at + count);
        Ok(count)
    }

    fn wrote_up_to(&self, end: u64) {
        if let Some(known) = &self.end {
            known.fetch_max(end, Ordering::AcqRel);
        }
    }

    /// Fails if somebody has cut it, as [`PartialFile::check`](super::PartialFile::check) does.
    pub(crate) fn check(&self) -> Result<(), Error> {
        // First: others write on meanwhile.
        let end = self.end.as_ref().map_or(0, |end| end.load(Ordering::Acquire));
        if end > 0 && self.stamp()?.length < end { Err(cut(&self.path)) } else { Ok(()) }
    }

    /// Waits until the bytes are on the disk.
    pub(crate) fn sync(&self) -> Result<(), Error> {
        sync_data(&self.file, &self.path)
    }

    /// Returns what tells it from others, and whether it is as it was.
    pub(crate) fn stamp(&self) -> Result<Stamp, Error> {
        let metadata = self.file.metadata().map_err(|error| self.failed(Action::Open, error))?;
        Ok(Stamp::of(&metadata))
    }

    fn failed(&self, action: Action, error: io::Error) -> Error {
        failed(action, &self.path, error)
    }
}

#[cfg(unix)]
fn write_all_at(file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, at)
}

/// Where the file stands moves with it, which nobody minds who says where he writes (MSDN,
/// `WriteFile`).
#[cfg(windows)]
fn write_all_at(file: &File, mut bytes: &[u8], mut at: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        match std::os::windows::fs::FileExt::seek_write(file, bytes, at) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => (bytes, at) = (&bytes[count..], at + count as u64),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs::OpenOptions;

    use crate::census::Census;
    use crate::error::ErrorKind;
    use crate::files::PartialFile;
    use crate::tests::Scratch;

    #[test]
    fn a_file_that_somebody_cuts_is_noticed_by_all_who_write_it() {
        let scratch = Scratch::new();
        let path = scratch.join("film.part");
        let mut partial = PartialFile::open_or_create(&path, &Census::default()).unwrap();
        partial.write_all(&[7; 100]).unwrap();
        let writer = partial.writer(100).unwrap();
        // A hole between parts is none of a cut.
        writer.write_all_at(&[7; 50], 300).unwrap();
        let somebody = OpenOptions::new().write(true).open(&path).unwrap();
        for (length, is_whole, has_all) in
            [(350, true, true), (400, true, true), (349, true, false), (99, false, false)]
        {
            somebody.set_len(length).unwrap();
            for (checked, expected) in [(partial.check(), is_whole), (writer.check(), has_all)] {
                let kind = checked.map_err(|error| error.kind());
                let cut = Err(ErrorKind::CannotWriteToFile);
                assert_eq!(kind, if expected { Ok(()) } else { cut }, "{length}");
            }
        }
    }
}
