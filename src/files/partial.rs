//! A file that is being written.

mod create;
mod exclusive;

use std::cmp::Ordering;
use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::census::{Census, Counted, Kind};
use crate::error::Error;
use crate::files::access::Access;
#[cfg(feature = "background")]
use crate::files::copy::copy_to_new;
use crate::files::downloaded::DownloadedFile;
use crate::files::failure::{Action, cut, failed, taken_away};
use crate::files::locking;
use crate::files::own_path::OwnPath;
use crate::files::stamp::Stamp;
#[cfg(feature = "background")]
use crate::files::target::Existing;
use crate::files::target::Target;
use crate::files::writer::FileWriter;
use crate::splice::SplicePipe;
use crate::{crash, random};

pub(super) use create::new as create_new;

/// How often another name is tried if one is taken. With 64 random bits the second
/// attempt is for a folder that somebody has filled on purpose.
const ATTEMPTS: usize = 8;

/// A new file that only this user can read, removed when it is dropped, unless it
/// [stays](Self::stay).
///
/// Where the system can, it has no name as long as it is written, so that not even a kill
/// leaves it. Each piece goes straight to the system: no buffer, no copy.
///
/// It is removed by this, not by the system: on Windows `FILE_FLAG_DELETE_ON_CLOSE` holds for as
/// long as the file is open, under whatever name, and cannot be taken back by std once the file
/// is to stay (MSDN, `CreateFile`); and where the handle was closed, as that of a download that
/// the program has not moved yet, the file is gone.
#[derive(Debug)]
pub(crate) struct PartialFile {
    // Closed first: Windows removes no file that is open.
    file: File,
    own: Option<OwnPath>,
    folder: PathBuf,
    length: u64,
    /// Nobody else may open it to write; see [`open`](Self::open).
    is_locked: bool,
    census: Census,
    _counted: Counted,
}

impl PartialFile {
    /// Creates a file in `folder`, without a name if the system can, else under what `name`
    /// makes of a number that nobody can guess.
    ///
    /// Nothing that is there is opened: the system creates the file or refuses
    /// (`O_CREAT | O_EXCL`, which follows no symbolic link either).
    pub(crate) fn create(
        folder: &Path,
        name: &dyn Fn(u64) -> String,
        census: &Census,
    ) -> Result<Self, Error> {
        let counted = census.count(Kind::File);
        if let Some(file) = create::unnamed(folder) {
            return Ok(Self::of(file, None, folder, census, counted));
        }
        let (file, own) = with_free_name(folder, name, &|path| {
            let file = create::new(path)?;
            crash::point("file.created");
            let own = OwnPath::new(path.to_owned(), &file)?;
            Ok((file, own))
        })?;
        Ok(Self::of(file, Some(own), folder, census, counted))
    }

    fn of(
        file: File,
        own: Option<OwnPath>,
        folder: &Path,
        census: &Census,
        counted: Counted,
    ) -> Self {
        let (folder, census) = (folder.to_owned(), census.clone());
        Self { file, own, folder, length: 0, is_locked: false, census, _counted: counted }
    }

    /// Writes all of `bytes` at the end.
    pub(crate) fn write_all(&mut self, bytes: &[u8]) -> Result<(), Error> {
        crash::point("file.write");
        if let Err(error) = self.file.write_all(bytes) {
            return Err(self.not_written(error));
        }
        self.length += bytes.len() as u64;
        crash::point("file.written");
        Ok(())
    }

    /// The error of bytes of which some may have been written, as by a disk that is full.
    #[cold]
    fn not_written(&mut self, error: io::Error) -> Error {
        self.length = self.file.stream_position().unwrap_or(self.length);
        self.failed(Action::Write, error)
    }

    /// Moves all that is in `pipe` to the end.
    pub(crate) fn splice(&mut self, pipe: &mut SplicePipe) -> Result<(), Error> {
        crash::point("file.splice");
        match pipe.empty_into(&self.file, None) {
            Ok(count) => self.length += count,
            Err(error) => return Err(self.not_written(error)),
        }
        crash::point("file.spliced");
        Ok(())
    }

    /// Fails if somebody has cut it: what is written next would leave a hole before it. Nobody
    /// comes to a file without a name.
    pub(crate) fn check(&self) -> Result<(), Error> {
        match &self.own {
            Some(own) if self.metadata(Action::Write)?.len() < self.length => Err(cut(own.path())),
            _ => Ok(()),
        }
    }

    /// Returns what writes elsewhere in it, beside this; something is there up to `end`.
    pub(crate) fn writer(&self, end: u64) -> Result<FileWriter, Error> {
        let counted = self.census.count(Kind::File);
        let file = self.file.try_clone().map_err(|error| self.failed(Action::Open, error))?;
        let end = self.own.is_some().then_some(end);
        Ok(FileWriter::new(file, self.path().to_owned(), end, counted))
    }

    /// Appends the rest of `source`, inside the kernel where that is possible.
    pub(super) fn append(&mut self, source: &mut File) -> Result<(), Error> {
        let copied = io::copy(source, &mut self.file);
        self.length += copied.map_err(|error| self.failed(Action::Write, error))?;
        Ok(())
    }

    /// Returns how many bytes were written.
    pub(crate) fn len(&self) -> u64 {
        self.length
    }

    /// Returns where it is, or is to be.
    pub(crate) fn path(&self) -> &Path {
        self.own.as_ref().map_or(&self.folder, OwnPath::path)
    }

    /// Waits until the bytes are on the disk.
    pub(crate) fn sync(&self) -> Result<(), Error> {
        sync_data(&self.file, self.path())
    }

    /// Has it end behind so many bytes, and what comes lie there.
    pub(crate) fn cut(&mut self, length: u64) -> Result<(), Error> {
        crash::point("file.cut");
        let cut = self.file.set_len(length);
        crash::point("file.was_cut");
        cut.and_then(|()| self.file.seek(SeekFrom::Start(length)))
            .map_err(|error| self.failed(Action::Write, error))?;
        self.length = length;
        Ok(())
    }

    /// Has what comes lie behind so many bytes; those behind it stay until it does.
    pub(crate) fn go_to(&mut self, length: u64) -> Result<(), Error> {
        let sought = self.file.seek(SeekFrom::Start(length));
        sought.map_err(|error| self.failed(Action::Open, error))?;
        self.length = length;
        Ok(())
    }

    /// Reads all of it from its beginning, `each` piece after the other; what comes is
    /// written behind it all the same.
    pub(crate) fn read_all(
        &mut self,
        each: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        const PIECE: usize = 256 * 1024;
        let cannot_read = |error| failed(Action::Open, self.path(), error);
        (&self.file).seek(SeekFrom::Start(0)).map_err(cannot_read)?;
        let (mut buffer, mut left) = (vec![0; PIECE], self.length);
        while left > 0 {
            let most = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
            let count = match (&self.file).read(&mut buffer[..most]) {
                Ok(0) => return Err(taken_away(Action::Open, self.path())),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                read => read.map_err(cannot_read)?,
            };
            each(&buffer[..count])?;
            left -= count as u64;
        }
        Ok(())
    }

    /// Gives it a name if it has none, in its folder.
    pub(crate) fn name(&mut self, name: &dyn Fn(u64) -> String) -> Result<(), Error> {
        if self.own.is_none() {
            let own = with_free_name(&self.folder, name, &|path| {
                crash::point("file.name");
                create::link(&self.file, path)?;
                crash::point("file.named");
                OwnPath::new(path.to_owned(), &self.file)
            })?;
            self.own = Some(own);
        }
        Ok(())
    }

    /// Gives it another name in its folder.
    #[cfg(feature = "background")]
    pub(crate) fn rename(&mut self, name: &dyn Fn(u64) -> String) -> Result<(), Error> {
        let path = self.folder.join(name(random::bits()));
        let target = Target::new(&path, Existing::Refuse, &self.census)?;
        let own = self.own.as_mut().ok_or_else(|| taken_away(Action::Move, &self.folder))?;
        target.receive(own)
    }

    /// Moves it over what may lie at `path`, where it stays, on the disk; returns it there.
    #[cfg(feature = "background")]
    pub(crate) fn move_over(mut self, path: &Path) -> Result<Self, Error> {
        self.sync()?;
        let target = Target::new(path, Existing::Replace, &self.census)?;
        let own = self.own.as_mut().ok_or_else(|| taken_away(Action::Move, &self.folder))?;
        match target.receive(own) {
            Ok(()) => Ok(self),
            // It may lie on another volume; what cannot be moved is copied.
            Err(_) => {
                let begun = (&self.file).seek(SeekFrom::Start(0));
                begun.map_err(|error| self.failed(Action::Open, error))?;
                copy_to_new(&self.file, self.length, path, &self.census, &mut || {})?;
                self.stay(false);
                let copy = Self::open(path, &self.census)?;
                copy.ok_or_else(|| taken_away(Action::Open, path))
            }
        }
    }

    /// Has it stay when it is dropped, or not.
    pub(crate) fn stay(&mut self, stays: bool) {
        if let Some(own) = &mut self.own {
            own.stay(stays);
        }
    }

    /// Returns what tells it from others, and whether it is as it was.
    pub(crate) fn stamp(&self) -> Result<Stamp, Error> {
        let metadata = self.metadata(Action::Open)?;
        Ok(Stamp::of(&metadata))
    }

    fn metadata(&self, action: Action) -> Result<Metadata, Error> {
        self.file.metadata().map_err(|error| self.failed(action, error))
    }

    /// The file is whole: it comes to `target`, whatever folder that is in, on the disk before
    /// it is seen there. On an error it is as it was, and may be tried again.
    pub(crate) fn finish(&mut self, target: &Target) -> Result<DownloadedFile, Error> {
        self.sync()?;
        if target.folder() != self.folder {
            return self.finish_elsewhere(target);
        }
        // The kernel alone knows what new files get there, and this is one: its group and its
        // access list, if it has one, it got when it was created.
        let found = self.metadata(Action::Move)?;
        // Somebody else may have come to it.
        match found.len().cmp(&self.length) {
            Ordering::Less => return Err(taken_away(Action::Move, self.path())),
            Ordering::Equal => {}
            Ordering::Greater => self.cut(self.length)?,
        }
        let private = found.permissions();
        let access = Access::of_new_files(&self.folder).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => taken_away(Action::Move, target.path()),
            _ => failed(Action::Create, target.path(), error),
        })?;
        access.give(&self.file).map_err(|error| self.failed(Action::Move, error))?;
        let moved = self.name(&|number| target.name_beside(number)).and_then(|()| {
            let own = self.own.as_mut().ok_or_else(|| taken_away(Action::Move, &self.folder))?;
            target.receive(own)
        });
        if let Err(error) = moved {
            let _ = self.file.set_permissions(private);
            return Err(error);
        }
        self.hand_over()
    }

    fn finish_elsewhere(&mut self, target: &Target) -> Result<DownloadedFile, Error> {
        let mut file = self.finish_temporary()?;
        let moved = file.move_to_target(target.clone());
        if let Err(error) = moved {
            self.own = Some(file.into_own());
            return Err(error);
        }
        Ok(file)
    }

    /// The file is whole, and stays where it is until the program gives it a place. It need
    /// not be on the disk until then.
    pub(crate) fn finish_temporary(&mut self) -> Result<DownloadedFile, Error> {
        self.name(&super::temporary::name)?;
        // Also one that was to stay until somebody goes on with it.
        self.stay(false);
        self.hand_over()
    }

    fn hand_over(&mut self) -> Result<DownloadedFile, Error> {
        let own = self.own.take().ok_or_else(|| taken_away(Action::Move, &self.folder))?;
        Ok(DownloadedFile::new(own, self.length, self.census.clone()))
    }

    fn failed(&self, action: Action, error: io::Error) -> Error {
        failed(action, self.path(), error)
    }
}

impl Drop for PartialFile {
    fn drop(&mut self) {
        if self.is_locked {
            locking::unlock(&self.file);
        }
    }
}

/// Tries names until one is free.
fn with_free_name<T>(
    folder: &Path,
    name: &dyn Fn(u64) -> String,
    create: &dyn Fn(&Path) -> io::Result<T>,
) -> Result<T, Error> {
    let mut attempts = 0;
    loop {
        attempts += 1;
        let path = folder.join(name(random::bits()));
        match create(&path) {
            Ok(created) => return Ok(created),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && attempts < ATTEMPTS => {}
            Err(error) => return Err(failed(Action::Create, &path, error)),
        }
    }
}

/// Waits until what was written to `file`, which lies at `path`, is on the disk.
pub(super) fn sync_data(file: &File, path: &Path) -> Result<(), Error> {
    crash::point("file.sync");
    let synced = file.sync_data();
    crash::point("file.synced");
    synced.map_err(|error| failed(Action::Sync, path, error))
}
