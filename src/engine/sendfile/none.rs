//! For systems whose `sendfile` is not used.

use std::fs::File;
use std::io;

/// There is none.
#[derive(Debug)]
pub(super) enum Quiet {}

impl Quiet {
    pub(super) fn new() -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn sendfile(&self, _: &socket2::Socket, _: &File, _: usize) -> io::Result<usize> {
        match *self {}
    }
}
