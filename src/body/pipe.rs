//! Pipes and devices: files that may keep their reader waiting, or whoever opens them.
//!
//! They are opened and read without waiting, so that whoever sends them can wait for a cancel
//! and its timers at the same time.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

/// Opens the file at `path`; does not wait for the other end of a pipe.
#[cfg(unix)]
pub(super) fn open_without_waiting(path: &Path) -> io::Result<File> {
    use std::fs::OpenOptions;
    use std::os::unix::fs::OpenOptionsExt;

    use rustix::fs::OFlags;

    // Nor does a terminal become the one of the process.
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits();
    match OpenOptions::new().read(true).custom_flags(flags.cast_signed()).open(path) {
        // Another process has a lease on a file, which it has to give back first (fcntl(2)).
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => File::open(path),
        opened => opened,
    }
}

/// Has the reader of a file on a disk wait for it, as is usual.
#[cfg(unix)]
pub(super) fn let_wait(file: &File) -> io::Result<()> {
    Ok(rustix::fs::fcntl_setfl(file, rustix::fs::OFlags::empty())?)
}

#[cfg(not(unix))]
pub(super) fn open_without_waiting(path: &Path) -> io::Result<File> {
    File::open(path)
}

#[cfg(not(unix))]
pub(super) fn let_wait(_: &File) -> io::Result<()> {
    Ok(())
}

/// A pipe or a device that is open.
pub(crate) struct Pipe {
    file: File,
    begun: bool,
}

impl Pipe {
    /// How often it has to be asked again whether there is something to read; `None` if the
    /// system tells.
    ///
    /// To Apple's systems, a pipe that nobody writes into yet is one that ends.
    pub(crate) const LOOK_AGAIN: Option<Duration> =
        if cfg!(target_vendor = "apple") { Some(Duration::from_millis(20)) } else { None };

    pub(super) fn new(file: File) -> Self {
        Self { file, begun: false }
    }

    /// Returns what becomes readable when there is something to read, or the end.
    #[cfg(unix)]
    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// Reads some bytes; none at the end. `None`: nothing is there yet.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        if !self.is_readable()? {
            return Ok(None);
        }
        match self.file.read(buffer) {
            Ok(0) if Self::LOOK_AGAIN.is_some() && !self.begun => Ok(None),
            Ok(count) => {
                self.begun = true;
                Ok(Some(count))
            }
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => Ok(None),
                _ => Err(error),
            },
        }
    }

    /// Asks the system. Reading alone would not tell a pipe that nobody writes into yet from
    /// one that has ended: to `poll` it ends when somebody has written and left.
    #[cfg(unix)]
    fn is_readable(&self) -> io::Result<bool> {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};

        let mut fds = [PollFd::new(&self.file, PollFlags::IN)];
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        match poll(&mut fds, Some(&at_once)) {
            Ok(ready) => Ok(ready > 0),
            Err(rustix::io::Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    #[cfg(not(unix))]
    fn is_readable(&self) -> io::Result<bool> {
        Ok(true)
    }
}
