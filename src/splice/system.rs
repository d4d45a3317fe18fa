//! Linux and Android.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;

use rustix::io::Errno;
use rustix::pipe::{
    PipeFlags, SpliceFlags, fcntl_getpipe_size, fcntl_setpipe_size, pipe_with, splice,
};

/// What bytes are moved from.
pub(crate) use std::os::fd::AsFd as Source;

/// Both ends of a pipe.
#[derive(Debug)]
pub(super) struct Ends {
    reading: File,
    writing: OwnedFd,
}

impl Ends {
    pub(super) fn open() -> io::Result<Self> {
        let (reading, writing) = pipe_with(PipeFlags::CLOEXEC)?;
        Ok(Self { reading: reading.into(), writing })
    }

    /// Has it hold `size` bytes, if this user may; returns how many it holds.
    pub(super) fn grow(&self, size: usize) -> usize {
        let grown = fcntl_setpipe_size(&self.writing, size);
        grown.or_else(|_| fcntl_getpipe_size(&self.writing)).unwrap_or_default()
    }

    /// Waits for a socket that blocks, but not for the pipe (splice(2), `SPLICE_F_NONBLOCK`).
    pub(super) fn fill(&self, socket: &impl Source, most: usize) -> io::Result<usize> {
        let flags = SpliceFlags::MOVE | SpliceFlags::NONBLOCK;
        Ok(splice(socket, None, &self.writing, None, most, flags)?)
    }

    /// Moves some bytes to where `file` stands, or to the byte `at`, which goes on with them.
    pub(super) fn empty_into(
        &self,
        file: &File,
        at: Option<&mut u64>,
        most: usize,
    ) -> io::Result<usize> {
        Ok(splice(&self.reading, None, file, at, most, SpliceFlags::MOVE)?)
    }

    /// Writes what was read.
    pub(super) fn write(&self, mut file: &File, at: Option<u64>, bytes: &[u8]) -> io::Result<()> {
        match at {
            Some(at) => file.write_all_at(bytes, at),
            None => file.write_all(bytes),
        }
    }

    pub(super) fn read(&mut self, piece: &mut [u8]) -> io::Result<usize> {
        loop {
            match rustix::io::read(&self.reading, &mut *piece) {
                Err(Errno::INTR) => {}
                read => return Ok(read?),
            }
        }
    }
}
