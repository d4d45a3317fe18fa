//! For systems that have no `splice`.

use std::fs::File;
use std::io;

/// What bytes would be moved from.
pub(crate) trait Source {}

impl<T> Source for T {}

/// There are none.
#[derive(Debug)]
pub(super) enum Ends {}

impl Ends {
    pub(super) fn open() -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn grow(&self, _: usize) -> usize {
        match *self {}
    }

    pub(super) fn fill(&self, _: &impl Source, _: usize) -> io::Result<usize> {
        match *self {}
    }

    pub(super) fn empty_into(&self, _: &File, _: Option<&mut u64>, _: usize) -> io::Result<usize> {
        match *self {}
    }

    pub(super) fn write(&self, _: &File, _: Option<u64>, _: &[u8]) -> io::Result<()> {
        match *self {}
    }

    pub(super) fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        match *self {}
    }
}
