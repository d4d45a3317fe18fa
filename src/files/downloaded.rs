//! A body that was downloaded to a temporary file.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fmt, fs, io, mem};

use crate::census::{Census, Kind};
use crate::error::Error;
use crate::files::access::Access;
use crate::files::failure::{Action, failed, taken_away};
use crate::files::moving;
use crate::files::own_path::OwnPath;
use crate::files::owner::follow_no_link;
use crate::files::partial::sync_data;
#[cfg(feature = "background")]
use crate::files::stamp::Stamp;
use crate::files::target::{Existing, Target};
use crate::{crash, random};

/// A downloaded file, which is deleted when this is dropped, unless it was given a place.
///
/// [`persist`](Self::persist) moves it to where it is wanted, [`keep`](Self::keep) leaves
/// it where it is. Until then only this user can read it (mode 0600 on Unix). It holds no
/// descriptor.
///
/// One that a [background session](crate::Configuration::background) has brought is not deleted when
/// it is dropped: it is told of again in the next run of the program, until it was given a place,
/// [kept](Self::keep) or [discarded](Self::discard).
///
/// It belongs to whoever has it: unlike Apple's `location` it lasts beyond the callback
/// that it is given to.
///
/// # Examples
///
/// ```no_run
/// fn moves(mut file: urlsession::DownloadedFile) -> Result<(), urlsession::Error> {
///
/// println!("{} bytes", file.len());
/// file.persist("photo.jpeg")?;
/// Ok(())
/// }
/// ```
#[doc(alias = "NSURLSessionDownloadTask")]
#[doc(alias = "location")]
#[doc(alias = "didFinishDownloadingTo")]
#[must_use = "the file is deleted when this is dropped; persist or keep it"]
pub struct DownloadedFile {
    own: OwnPath,
    length: u64,
    census: Census,
    /// Whoever keeps it until it is taken.
    custody: Option<Arc<dyn Custody>>,
    /// Nobody else comes to the folder that it lies in.
    is_secluded: bool,
}

/// Keeps a file until the program has taken it.
pub(crate) trait Custody: Send + Sync {
    /// Whether it can still note that.
    fn is_open(&self) -> bool;

    /// The program has given it a place, or removed it.
    fn taken(&self);
}

impl DownloadedFile {
    pub(super) fn new(own: OwnPath, length: u64, census: Census) -> Self {
        Self { own, length, census, custody: None, is_secluded: false }
    }

    /// The file that lies at `path` already, in a folder of ours alone, where it stays; `None` if
    /// there is none.
    #[cfg(feature = "background")]
    pub(crate) fn found(path: PathBuf, census: &Census) -> Option<Self> {
        let found = fs::symlink_metadata(&path).ok().filter(fs::Metadata::is_file)?;
        let mut own = OwnPath::known(path, &Stamp::of(&found));
        own.keep();
        let (length, census) = (found.len(), census.clone());
        Some(Self { own, length, census, custody: None, is_secluded: true })
    }

    /// The same of one that is kept until it is taken.
    #[cfg(feature = "background")]
    pub(crate) fn held(path: PathBuf, census: &Census, custody: Arc<dyn Custody>) -> Option<Self> {
        let found = Self::found(path, census)?;
        Some(Self { custody: Some(custody), ..found })
    }

    /// Gives a file that stays where it is a name there that is nobody's.
    fn leave_custody(&mut self) {
        if let Some(kept) = kept(self.own.path()) {
            crash::point("file.keep");
            let is_kept = fs::rename(self.own.path(), &kept).is_ok();
            crash::point("file.kept");
            if is_kept {
                self.own.moved_to(kept);
            }
        }
        self.taken();
    }

    /// Has a file that the program was about to keep when a crash came lie at `path` again.
    #[cfg(feature = "background")]
    pub(crate) fn take_back(path: &Path) {
        if let Some(kept) = kept(path)
            && !path.exists()
        {
            let _ = fs::rename(kept, path);
        }
    }

    /// It was given a place, or removed.
    fn taken(&mut self) {
        if let Some(custody) = self.custody.take() {
            custody.taken();
        }
    }

    /// Whether the file stays when this is dropped.
    pub(crate) fn is_kept(&self) -> bool {
        self.own.is_kept()
    }

    /// Removes the file, wherever it is: also one that was given a place.
    pub fn discard(self) {
        let Self { own, custody, .. } = self;
        own.discard();
        custody.inspect(|custody| custody.taken());
    }

    /// Returns where the file is now.
    pub fn path(&self) -> &Path {
        self.own.path()
    }

    /// Returns how many bytes were downloaded to it.
    pub fn len(&self) -> u64 {
        self.length
    }

    /// Returns whether nothing was downloaded.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Opens the file for reading, from its beginning.
    ///
    /// On Unix what was opened can be read for as long as it is open, even after the file
    /// was deleted.
    ///
    /// # Errors
    ///
    /// [`CannotOpenFile`](crate::ErrorKind::CannotOpenFile) if the file is not there any more, or is another one.
    pub fn open(&self) -> Result<File, Error> {
        self.open_for(Action::Open, OpenOptions::new().read(true))
    }

    /// Moves the file to `path`, where it stays, and does not replace anything there.
    ///
    /// When this returns, the bytes are on the disk and the file is whole at its place, with
    /// the permissions that new files get there: by the umask of the process, and the group
    /// or the default access list (Linux) of the folder. On the same volume it is renamed;
    /// on another one, or if this user may not give it such permissions, it is copied
    /// beside `path` and renamed there. Nobody sees a part of it under its name. The calling thread waits for the
    /// disk.
    ///
    /// Afterwards [`path`](Self::path) is the new place, and dropping this deletes nothing.
    /// On an error nothing has changed: another path can be tried.
    ///
    /// # Errors
    ///
    /// * [`FileAlreadyExists`](crate::ErrorKind::FileAlreadyExists): something is at `path`,
    ///   be it a symbolic link to nothing, or came there in the meantime
    /// * [`FileIsDirectory`](crate::ErrorKind::FileIsDirectory): `path` is a directory
    /// * [`FolderDoesNotExist`](crate::ErrorKind::FolderDoesNotExist): there is no such folder
    /// * [`StorageFull`](crate::ErrorKind::StorageFull): no space on the other volume
    /// * [`CannotCreateFile`](crate::ErrorKind::CannotCreateFile): no permission to write there
    /// * [`CannotMoveFile`](crate::ErrorKind::CannotMoveFile): another program took the file away
    pub fn persist(&mut self, path: impl AsRef<Path>) -> Result<(), Error> {
        self.move_to(path.as_ref(), Existing::Refuse)
    }

    /// Moves the file to `path` like [`persist`](Self::persist), in place of a file that is
    /// there.
    ///
    /// Of two programs that do this, each leaves a whole file, and the last one stays. A
    /// symbolic link at `path` is replaced itself, never followed; a directory,
    /// device, pipe or socket is an error.
    ///
    /// # Errors
    ///
    /// Those of [`persist`](Self::persist).
    pub fn persist_over(&mut self, path: impl AsRef<Path>) -> Result<(), Error> {
        self.move_to(path.as_ref(), Existing::Replace)
    }

    /// Leaves the file where it is, with the permissions that it has, and returns its path. One of
    /// a background session gets another name there, which is nobody's; after that session has
    /// become invalid it stays the session's, and is told of again when that is made again.
    pub fn keep(mut self) -> PathBuf {
        if self.custody.as_ref().is_some_and(|custody| custody.is_open()) {
            self.leave_custody();
        }
        self.own.into_path()
    }

    fn move_to(&mut self, path: &Path, existing: Existing) -> Result<(), Error> {
        self.move_to_target(Target::new(path, existing, &self.census)?)?;
        self.is_secluded = false;
        self.taken();
        Ok(())
    }

    pub(super) fn move_to_target(&mut self, target: Target) -> Result<(), Error> {
        let _counted = self.census.count(Kind::File);
        // Windows syncs only what may be written.
        let mut file = self.open_for(Action::Move, OpenOptions::new().read(true).write(true))?;
        sync_data(&file, self.own.path())?;

        let access = Access::of_new_files(target.folder())
            .map_err(|error| failed(Action::Create, target.path(), error))?;
        if !access.prepare(&file) {
            return self.copy_to(&mut file, &target);
        }
        if self.is_secluded {
            return self.move_at_once(&mut file, access, &target);
        }
        let beside = target.folder().join(target.name_beside(random::bits()));
        // Under a name that nobody can guess, nothing is replaced.
        match moving::replace(self.own.path(), &beside) {
            Ok(()) => self.move_on(&file, &beside, access, &target),
            Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
                self.copy_to(&mut file, &target)
            }
            Err(error) => Err(failed(Action::Move, target.path(), error)),
        }
    }

    /// Moves the file in one step, so that a crash leaves it at the one place or at the other. Where
    /// nobody else comes to, it may have its access before.
    fn move_at_once(
        &mut self,
        file: &mut File,
        access: Access,
        target: &Target,
    ) -> Result<(), Error> {
        let private =
            access.give(file).map_err(|error| failed(Action::Move, self.own.path(), error))?;
        let moved = target.receive(&mut self.own);
        if moved.is_err() {
            let _ = file.set_permissions(private);
        }
        match moved {
            Err(error) if crosses_devices(&error) => self.copy_to(file, target),
            moved => moved,
        }
    }

    /// Moves the file from `beside` to `target`, or back to where it was.
    fn move_on(
        &mut self,
        file: &File,
        beside: &Path,
        access: Access,
        target: &Target,
    ) -> Result<(), Error> {
        let before = self.own.path().to_owned();
        self.own.moved_to(beside.to_owned());
        let moved = access
            .give(file)
            .map_err(|error| failed(Action::Move, beside, error))
            .and_then(|private| {
                target.receive(&mut self.own).inspect_err(|_| {
                    let _ = file.set_permissions(private);
                })
            });
        if moved.is_err() && fs::rename(beside, &before).is_ok() {
            self.own.moved_to(before);
        }
        moved
    }

    /// Copies the file to another volume, or for the access that only a new file gets.
    fn copy_to(&mut self, file: &mut File, target: &Target) -> Result<(), Error> {
        let mut copy = target.create_beside()?;
        copy.append(file)?;
        let copy = copy.finish(target)?;
        let original = mem::replace(&mut self.own, copy.own);
        original.discard();
        Ok(())
    }

    pub(super) fn into_own(self) -> OwnPath {
        self.own
    }

    /// Opens the file itself, not what somebody has put in its place.
    fn open_for(&self, action: Action, options: &mut OpenOptions) -> Result<File, Error> {
        let path = self.own.path();
        if !self.own.is_there() {
            return Err(taken_away(action, path));
        }
        let cannot_open = |error| failed(Action::Open, path, error);
        let file = follow_no_link(options).open(path).map_err(cannot_open)?;
        let found = file.metadata().map_err(cannot_open)?;
        if !self.own.is(&found) {
            return Err(taken_away(action, path));
        }
        Ok(file)
    }
}

/// Returns where a file of a session lies that the program keeps there.
fn kept(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.to_string_lossy();
    Some(path.with_file_name(format!("kept-{name}")))
}

/// Whether something is on another volume.
fn crosses_devices(error: &Error) -> bool {
    let cause =
        std::error::Error::source(error).and_then(|cause| cause.downcast_ref::<io::Error>());
    cause.is_some_and(|cause| cause.kind() == io::ErrorKind::CrossesDevices)
}

impl fmt::Debug for DownloadedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DownloadedFile")
            .field("path", &self.path())
            .field("len", &self.length)
            .finish_non_exhaustive()
    }
}
