//! A journal written anew, and when.

use std::path::{Path, PathBuf};

use super::damage::Damage;
use super::format;
use crate::census::Census;
use crate::crash;
use crate::error::Error;
use crate::files::{AppendFile, private};

/// How much may lie there in vain in any case.
const SPARE: u64 = 1024 * 1024;

/// How much is handed to the system at once.
const PIECE: usize = 256 * 1024;

/// Whether more than 1 MiB of a journal of so many bytes, and more than three quarters of it, lie
/// there in vain: it is written once for every three times that it is filled.
pub(super) fn is_mostly_garbage(size: u64, live: u64) -> bool {
    let garbage = size.saturating_sub(live);
    garbage > SPARE && garbage > size / 4 * 3
}

/// Where a new one is written.
pub(super) fn beside(path: &Path) -> PathBuf {
    path.with_extension("new")
}

/// Where a damaged one is kept, until the next is or for 14 days.
pub(super) fn aside(path: &Path) -> PathBuf {
    path.with_extension("damaged")
}

/// Writes a journal of these records in place of the one at `path`.
pub(super) fn write(
    path: &Path,
    census: &Census,
    first: u64,
    records: impl IntoIterator<Item = impl AsRef<[u8]>>,
) -> Result<AppendFile, Error> {
    let mut file = write_beside(path, census, first, records)?;
    let placed = file.take_place(path).and_then(|()| file.sync_place());
    placed.inspect_err(|_| forget(path))?;
    Ok(file)
}

/// Writes a journal of these records beside the one at `path`, and brings it to the disk.
pub(super) fn write_beside(
    path: &Path,
    census: &Census,
    first: u64,
    records: impl IntoIterator<Item = impl AsRef<[u8]>>,
) -> Result<AppendFile, Error> {
    let beside = beside(path);
    let mut file = AppendFile::create(&beside, census)?;
    let written = fill(&mut file, first, records).and_then(|()| file.syncer().sync());
    if let Err(error) = written {
        drop(file);
        forget(path);
        return Err(error);
    }
    Ok(file)
}

/// Removes what was written beside the journal at `path`. The next start does, if this cannot.
pub(super) fn forget(path: &Path) {
    let _ = private::try_remove(&beside(path));
}

fn fill(
    file: &mut AppendFile,
    first: u64,
    records: impl IntoIterator<Item = impl AsRef<[u8]>>,
) -> Result<(), Error> {
    let mut piece = format::header(first).into_bytes();
    for (sequence, json) in (first..).zip(records) {
        piece.extend(format::line(sequence, json.as_ref()));
        if piece.len() >= PIECE {
            file.append(&piece)?;
            crash::point("journal.piece");
            piece.clear();
        }
    }
    file.append(&piece)?;
    crash::point("journal.written");
    Ok(())
}

/// Keeps what lies in a damaged journal, unless that is a last line cut short and something is
/// kept already.
pub(super) fn keep_aside(path: &Path, bytes: &[u8], damage: &[Damage]) -> Result<(), Error> {
    let aside = aside(path);
    let is_torn = damage.iter().all(Damage::is_tail);
    if is_torn && aside.exists() {
        return Ok(());
    }
    private::replace(&aside, &path.with_extension("aside"), bytes)
}
