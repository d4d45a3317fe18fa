//! Notices that a socket is taken away, as by a system that clears what belongs to a login.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) use elsewhere::Notices;
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) use system::Notices;

/// A file at a path, to be told from others that come there.
#[derive(Debug)]
pub(super) struct Watched {
    path: PathBuf,
    identity: (u64, u64),
    notices: Option<Notices>,
}

impl Watched {
    pub(super) fn new(path: PathBuf) -> io::Result<Self> {
        // First, so that nothing happens between.
        let notices = path.parent().and_then(|folder| Notices::of(folder).ok());
        let identity = identity(&path)?;
        Ok(Self { path, identity, notices })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns what becomes readable when it may be gone, where the system has that.
    pub(super) fn notices(&self) -> Option<&Notices> {
        self.notices.as_ref()
    }

    /// Whether it still lies there.
    pub(super) fn is_there(&self) -> bool {
        identity(&self.path).is_ok_and(|found| found == self.identity)
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    fs::symlink_metadata(path).map(|found| (found.dev(), found.ino()))
}

#[cfg(any(target_os = "linux", target_os = "android"))]
mod system {
    use std::io;
    use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
    use std::path::Path;

    use rustix::fs::inotify::{CreateFlags, WatchFlags, add_watch, init};

    /// What happens in a folder (inotify(7)).
    #[derive(Debug)]
    pub(in crate::background::daemon) struct Notices(OwnedFd);

    impl Notices {
        pub(super) fn of(folder: &Path) -> io::Result<Self> {
            let notices = init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
            let gone = WatchFlags::DELETE | WatchFlags::MOVED_FROM | WatchFlags::DELETE_SELF;
            add_watch(&notices, folder, gone | WatchFlags::MOVE_SELF | WatchFlags::ONLYDIR)?;
            Ok(Self(notices))
        }

        pub(in crate::background::daemon) fn forget(&self) {
            while matches!(rustix::io::read(&self.0, &mut [0; 1024]), Ok(1..)) {}
        }
    }

    impl AsFd for Notices {
        fn as_fd(&self) -> BorrowedFd<'_> {
            self.0.as_fd()
        }
    }
}

/// Elsewhere a socket that is gone is gone until the daemon leaves.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod elsewhere {
    use std::convert::Infallible;
    use std::io;
    use std::os::fd::{AsFd, BorrowedFd};
    use std::path::Path;

    #[derive(Debug)]
    pub(in crate::background::daemon) struct Notices(Infallible);

    impl Notices {
        pub(super) fn of(_folder: &Path) -> io::Result<Self> {
            Err(io::ErrorKind::Unsupported.into())
        }

        pub(in crate::background::daemon) fn forget(&self) {
            match self.0 {}
        }
    }

    impl AsFd for Notices {
        fn as_fd(&self) -> BorrowedFd<'_> {
            match self.0 {}
        }
    }
}
