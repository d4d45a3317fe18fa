//! What the system said about a file, as an error that says what to do.

use std::io;
use std::path::Path;

use crate::error::{Error, ErrorKind};

/// What was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Create,
    Open,
    Write,
    Sync,
    Move,
}

impl Action {
    /// The verb, and the kind for reasons that have none of their own.
    fn describe(self) -> (&'static str, ErrorKind) {
        match self {
            Self::Create => ("create", ErrorKind::CannotCreateFile),
            Self::Open => ("open", ErrorKind::CannotOpenFile),
            Self::Write => ("write to", ErrorKind::CannotWriteToFile),
            Self::Sync => ("bring to the disk", ErrorKind::CannotCloseFile),
            Self::Move => ("move a file to", ErrorKind::CannotMoveFile),
        }
    }
}

/// The error of an `action` on `path`. For [`Action::Move`] that is the path to move to.
pub(super) fn failed(action: Action, path: &Path, error: io::Error) -> Error {
    if is_out_of_descriptors(&error) {
        let detail = "the system has no descriptor left for a file";
        return Error::new(ErrorKind::OutOfResources, detail).by_system(error);
    }
    let (verb, general) = action.describe();
    let (kind, advice) = match error.kind() {
        io::ErrorKind::StorageFull => {
            (ErrorKind::StorageFull, "no space left: free some or choose another folder")
        }
        io::ErrorKind::QuotaExceeded => {
            (ErrorKind::StorageFull, "the quota is used up: free some or choose another folder")
        }
        io::ErrorKind::FileTooLarge => {
            (general, "files may not become that large there: choose another folder")
        }
        io::ErrorKind::AlreadyExists => return already_exists(path).because(error),
        io::ErrorKind::IsADirectory => return is_directory(path).because(error),
        io::ErrorKind::NotADirectory => {
            (ErrorKind::FolderDoesNotExist, "what should be its folder is none: choose another")
        }
        io::ErrorKind::NotFound => (
            ErrorKind::FolderDoesNotExist,
            "its folder does not exist: create it or choose another",
        ),
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            (general, "this user may not: choose another folder or change its permissions")
        }
        _ => {
            let detail = format!("cannot {verb} {}", path.display());
            return Error::new(general, detail).by_system(error);
        }
    };
    Error::new(kind, format!("cannot {verb} {}: {advice}", path.display())).because(error)
}

/// There is something that may not be replaced.
pub(super) fn already_exists(path: &Path) -> Error {
    let path = path.display();
    let detail = format!(
        "{path} exists already: remove it, choose another name, or replace it by save_over"
    );
    Error::new(ErrorKind::FileAlreadyExists, detail)
}

/// There is a directory, which no file replaces.
pub(super) fn is_directory(path: &Path) -> Error {
    let detail = format!("{} is a directory: add a file's name to it", path.display());
    Error::new(ErrorKind::FileIsDirectory, detail)
}

/// The file that was being written is no longer where it was, or is another one.
pub(super) fn taken_away(action: Action, path: &Path) -> Error {
    let folder = path.parent().filter(|folder| !folder.is_dir());
    if let Some(folder) = folder {
        let folder = folder.display();
        let detail = format!("the folder {folder} vanished while a file was written in it");
        return Error::new(ErrorKind::FolderDoesNotExist, detail);
    }
    let path = path.display();
    let detail = format!("{path} was removed or replaced by another program; load it again");
    Error::new(action.describe().1, detail)
}

/// The file that is being written ends before what was written to it.
#[cold]
pub(super) fn cut(path: &Path) -> Error {
    let path = path.display();
    let detail = format!("{path} was cut by another program while it was written; load it again");
    Error::new(ErrorKind::CannotWriteToFile, detail)
}

#[cfg(unix)]
fn is_out_of_descriptors(error: &io::Error) -> bool {
    use rustix::io::Errno;
    matches!(Errno::from_io_error(error), Some(Errno::MFILE | Errno::NFILE))
}

#[cfg(not(unix))]
fn is_out_of_descriptors(_error: &io::Error) -> bool {
    false
}
