use std::error::Error as _;
use std::io;

use super::*;
use crate::files::failure::{Action, failed};

#[test]
fn an_error_says_which_path_and_what_to_do() {
    use io::ErrorKind as Io;
    let cases = [
        (Action::Write, Io::StorageFull, ErrorKind::StorageFull, -3003, "free some or choose"),
        (Action::Sync, Io::StorageFull, ErrorKind::StorageFull, -3003, "free some or choose"),
        (Action::Write, Io::QuotaExceeded, ErrorKind::StorageFull, -3003, "quota"),
        (Action::Write, Io::FileTooLarge, ErrorKind::CannotWriteToFile, -3003, "that large"),
        (Action::Write, Io::TimedOut, ErrorKind::CannotWriteToFile, -3003, ": timed out"),
        (Action::Create, Io::NotFound, ErrorKind::FolderDoesNotExist, -3000, "create it or"),
        (Action::Create, Io::NotADirectory, ErrorKind::FolderDoesNotExist, -3000, "is none"),
        (Action::Create, Io::AlreadyExists, ErrorKind::FileAlreadyExists, -3000, "by save_over"),
        (Action::Create, Io::PermissionDenied, ErrorKind::CannotCreateFile, -3000, "may not"),
        (Action::Create, Io::ReadOnlyFilesystem, ErrorKind::CannotCreateFile, -3000, "may not"),
        (Action::Open, Io::PermissionDenied, ErrorKind::CannotOpenFile, -3001, "may not"),
        (Action::Sync, Io::Other, ErrorKind::CannotCloseFile, -3002, "bring to the disk"),
        (Action::Move, Io::PermissionDenied, ErrorKind::CannotMoveFile, -3005, "may not"),
        (Action::Move, Io::AlreadyExists, ErrorKind::FileAlreadyExists, -3000, "exists already"),
        (Action::Move, Io::IsADirectory, ErrorKind::FileIsDirectory, -1101, "is a directory"),
    ];
    let path = Path::new("photos").join("a.jpeg");
    for (action, reason, kind, code, text) in cases {
        let error = failed(action, &path, reason.into());
        assert_eq!((error.kind(), error.code()), (kind, code), "{action:?}, {reason}");
        let message = error.to_string();
        assert!(message.contains(text), "{action:?}, {reason}: {message}");
        assert!(message.contains(&path.display().to_string()), "{message}");
        let source = error.source().and_then(|source| source.downcast_ref::<io::Error>());
        assert_eq!(source.map(io::Error::kind), Some(reason), "{message}");
    }
}

#[cfg(unix)]
#[test]
fn a_process_without_descriptors_is_told_so() {
    use rustix::io::Errno;
    for errno in [Errno::MFILE, Errno::NFILE] {
        let error = failed(Action::Create, Path::new("a"), errno.into());
        assert_eq!(error.kind(), ErrorKind::OutOfResources);
    }
}
