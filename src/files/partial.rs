//! A file that is being written.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use crate::census::{Census, Counted, Kind};
use crate::error::Error;
use crate::files::access::Access;
use crate::files::failure::{Action, failed};
use crate::files::own_path::OwnPath;
use crate::random;

/// How often another name is tried if one is taken. With 64 random bits the second
/// attempt is for a folder that somebody has filled on purpose.
const ATTEMPTS: usize = 8;

/// Who may read the new file.
#[derive(Clone, Copy, Debug)]
pub(super) enum Readers {
    /// This user.
    Owner,
    /// Whoever the umask of the process, or the folder's default ACL, lets.
    Umask,
}

/// A new file, removed when it is dropped.
///
/// Not by the system: on Windows `FILE_FLAG_DELETE_ON_CLOSE` holds for as long as the file is
/// open, under whatever name, and cannot be taken back by std once the file is to stay (MSDN,
/// `CreateFile`); and where the handle was closed, as that of a download that the program has
/// not moved yet, the file is gone.
///
/// Each piece goes straight to the system: no buffer, no copy.
#[derive(Debug)]
pub(super) struct PartialFile {
    // Closed first: Windows removes no file that is open.
    file: File,
    pub(super) own: OwnPath,
    length: u64,
    _counted: Counted,
}

impl PartialFile {
    /// Creates a file in `folder`, under what `name` makes of a number nobody can guess.
    ///
    /// Nothing that is there is opened: the system creates the file or refuses
    /// (`O_CREAT | O_EXCL`, which follows no symbolic link either).
    pub(super) fn create(
        folder: &Path,
        name: impl Fn(u64) -> String,
        readers: Readers,
        census: &Census,
    ) -> Result<Self, Error> {
        let counted = census.count(Kind::File);
        let mut attempts = 0;
        loop {
            attempts += 1;
            let path = folder.join(name(random::bits()));
            let created = create_new(&path, readers)
                .and_then(|file| OwnPath::new(path.clone(), &file).map(|own| (file, own)));
            match created {
                Ok((file, own)) => return Ok(Self { file, own, length: 0, _counted: counted }),
                Err(error)
                    if error.kind() == io::ErrorKind::AlreadyExists && attempts < ATTEMPTS => {}
                Err(error) => return Err(failed(Action::Create, &path, error)),
            }
        }
    }

    /// Writes all of `bytes` at the end.
    pub(super) fn write_all(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.file
            .write_all(bytes)
            .map_err(|error| failed(Action::Write, self.own.path(), error))?;
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Appends the rest of `source`, inside the kernel where that is possible.
    pub(super) fn append(&mut self, source: &mut File) -> Result<(), Error> {
        let copied = io::copy(source, &mut self.file);
        self.length += copied.map_err(|error| failed(Action::Write, self.own.path(), error))?;
        Ok(())
    }

    /// Returns how many bytes were written.
    pub(super) fn len(&self) -> u64 {
        self.length
    }

    /// Returns who may use this file, as long as nothing has changed that.
    pub(super) fn access(&self) -> Result<Access, Error> {
        Access::of(&self.file).map_err(|error| failed(Action::Create, self.own.path(), error))
    }

    /// Waits until the bytes are on the disk, and closes the file.
    pub(super) fn sync(self) -> Result<OwnPath, Error> {
        sync_data(&self.file, self.own.path())?;
        Ok(self.own)
    }

    /// Closes the file.
    pub(super) fn close(self) -> OwnPath {
        self.own
    }
}

/// Waits until what was written to `file`, which lies at `path`, is on the disk.
pub(super) fn sync_data(file: &File, path: &Path) -> Result<(), Error> {
    file.sync_data().map_err(|error| failed(Action::Sync, path, error))
}

#[cfg(unix)]
fn create_new(path: &Path, readers: Readers) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    let mode = match readers {
        Readers::Owner => 0o600,
        Readers::Umask => 0o666,
    };
    OpenOptions::new().write(true).create_new(true).mode(mode).open(path)
}

/// Elsewhere a file has the access list of its folder.
#[cfg(not(unix))]
fn create_new(path: &Path, _readers: Readers) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}
