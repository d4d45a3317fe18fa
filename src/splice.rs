//! Moving bytes from a socket into a file without passing them through the memory of the process.
//!
//! `splice` moves them from the socket into a pipe, and from the pipe into the file: that the two
//! are two calls tells an error of the one from an error of the other. Linux and Android have it;
//! elsewhere, and wherever the system refuses, bodies are read and written.
//!
//! A pipe is made for each body that is large enough, and closed with it: that takes 4 µs, and
//! none is left over that a fork would share, or whose size would have to be right for whoever
//! comes next.

#[cfg_attr(not(any(target_os = "linux", target_os = "android")), path = "splice/none.rs")]
mod system;

use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::census::{Census, Counted, Kind};

use system::Ends;
pub(crate) use system::Source;

/// How much a pipe should hold, and at least: with 64 KiB, splicing costs as much as reading.
const SIZE: usize = 1024 * 1024;
const LEAST: usize = 256 * 1024;

/// How many pipes the process has at most at a time: together they are a quarter of what the
/// system lets a user have in pipes (`pipe-user-pages-soft`).
const MOST_PIPES: usize = 16;

/// How much is read at a time of what a pipe has and its file does not take.
const PIECE: usize = 64 * 1024;

/// A pipe, of which both ends are here.
#[derive(Debug)]
pub(crate) struct SplicePipe {
    ends: Ends,
    size: usize,
    /// How many bytes are in it.
    held: usize,
    is_refused: bool,
    _place: Place,
    _counted: [Counted; 2],
}

/// What a call on a socket has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Filled {
    /// So many bytes are in the pipe.
    With(usize),
    /// Nothing has come for as long as the socket waits, if it does.
    Waits,
    /// The socket has to be read: the system does not splice it, or it is at its end, or
    /// reading tells what is wrong.
    Refused,
}

impl SplicePipe {
    /// Makes a pipe; `None` if there are many, or the system has none that is large enough.
    pub(crate) fn open(census: &Census) -> Option<Self> {
        static PIPES: AtomicUsize = AtomicUsize::new(0);

        let place = Place::take(&PIPES)?;
        let counted = [census.count(Kind::File), census.count(Kind::File)];
        let ends = Ends::open().ok()?;
        let size = ends.grow(SIZE);
        let (held, is_refused) = (0, false);
        (size >= LEAST).then(|| Self {
            ends,
            size,
            held,
            is_refused,
            _place: place,
            _counted: counted,
        })
    }

    /// Moves what has come on `socket` into the pipe, but at most `most` bytes; waits as reading
    /// it would. Nothing may be in the pipe.
    pub(crate) fn fill(&mut self, socket: &impl Source, most: usize) -> io::Result<Filled> {
        if self.held > 0 {
            return Ok(Filled::Refused);
        }
        let filled = judge(self.ends.fill(socket, most.min(self.size)))?;
        if let Filled::With(count) = filled {
            self.held = count;
        }
        Ok(filled)
    }

    /// Moves all that is in the pipe to where `file` stands, or to the byte `at`, and returns how
    /// much that is. After an error some of it may be there.
    pub(crate) fn empty_into(&mut self, file: &File, mut at: Option<u64>) -> io::Result<u64> {
        let all = self.held as u64;
        while self.held > 0 {
            match self.ends.empty_into(file, at.as_mut(), self.held) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => self.held -= count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if is_refusal(&error) => {
                    self.is_refused = true;
                    self.copy_into(file, at)?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(all)
    }

    /// Whether a file has not taken what was in the pipe unless it was written.
    pub(crate) fn is_refused(&self) -> bool {
        self.is_refused
    }

    fn copy_into(&mut self, file: &File, mut at: Option<u64>) -> io::Result<()> {
        let mut piece = vec![0; PIECE.min(self.held)];
        while self.held > 0 {
            let most = piece.len().min(self.held);
            let count = self.ends.read(&mut piece[..most])?;
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.held -= count;
            self.ends.write(file, at, &piece[..count])?;
            at = at.map(|at| at + count as u64);
        }
        Ok(())
    }
}

/// Decides what follows from a call on a socket.
fn judge(outcome: io::Result<usize>) -> io::Result<Filled> {
    use io::ErrorKind::{Interrupted, WouldBlock};

    match outcome {
        Ok(0) => Ok(Filled::Refused),
        Ok(count) => Ok(Filled::With(count)),
        Err(error) if matches!(error.kind(), WouldBlock | Interrupted) => Ok(Filled::Waits),
        Err(error) if is_refusal(&error) => Ok(Filled::Refused),
        Err(error) => Err(error),
    }
}

/// Whether the system does not splice what it was given: EINVAL for kinds of files, ENOSYS, EPERM
/// in sandboxes.
fn is_refusal(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidInput, OutOfMemory, PermissionDenied, Unsupported};

    matches!(error.kind(), InvalidInput | Unsupported | PermissionDenied | OutOfMemory)
}

/// One of the places that there are for pipes.
#[derive(Debug)]
struct Place(&'static AtomicUsize);

impl Place {
    fn take(taken: &'static AtomicUsize) -> Option<Self> {
        let one_more = |count: usize| (count < MOST_PIPES).then(|| count + 1);
        taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).ok()?;
        Some(Self(taken))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
