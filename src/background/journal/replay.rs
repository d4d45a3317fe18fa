//! What a start is told of the journal that it found.

use std::ops::Range;
#[cfg(all(feature = "daemon", unix))]
use std::path::Path;
use std::vec;

use serde_json::Value;

use super::damage::Damage;
#[cfg(all(feature = "daemon", unix))]
use super::scan::scan;
#[cfg(all(feature = "daemon", unix))]
use crate::files::private;
use crate::log;

/// The records of a journal, and what was damaged in it.
#[derive(Debug)]
pub(crate) struct Replay {
    /// In the order in which they were written.
    pub(crate) records: Records,
    /// In the order in which it lies in the file.
    pub(crate) damage: Vec<Damage>,
}

/// Records that are read one after the other: all at once are several times as large as what
/// they are read from.
#[derive(Debug, Default)]
pub(crate) struct Records {
    bytes: Vec<u8>,
    places: vec::IntoIter<Range<usize>>,
}

impl Records {
    pub(super) fn new(bytes: Vec<u8>, places: Vec<Range<usize>>) -> Self {
        Self { bytes, places: places.into_iter() }
    }

    /// Reads those of the journal at `path`, which may be another process's: it stays as it is, and
    /// what is damaged or just being written is passed over. None if nothing is understood.
    #[cfg(all(feature = "daemon", unix))]
    pub(crate) fn read(path: &Path) -> Option<Self> {
        let bytes = private::read_bytes(path, u64::MAX).ok().flatten()?;
        let records = scan(&bytes).ok()?.records;
        Some(Self::new(bytes, records))
    }
}

impl Iterator for Records {
    type Item = Value;

    fn next(&mut self) -> Option<Value> {
        loop {
            let place = self.places.next()?;
            match serde_json::from_slice(&self.bytes[place]) {
                Ok(value) => return Some(value),
                // Its sum is right: whoever has written it has not written JSON.
                Err(error) => log::warn!("a record of a journal is no JSON: {error}"),
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.places.len()))
    }
}
