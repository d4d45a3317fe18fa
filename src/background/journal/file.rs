//! The journal as a file: opened, added to, brought to the disk.

use std::mem;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use super::compact::{self, is_mostly_garbage};
use super::damage::Damage;
use super::format;
use super::replay::{Records, Replay};
use super::scan::{Newer, Scan, scan};
use crate::census::Census;
use crate::crash;
use crate::error::{Error, ErrorKind};
use crate::files::{self, AppendFile, private};
use crate::log;
use crate::sync::{Condvar, Mutex, Rank, assert_unlocked};

/// How long a thread waits for another one's sync before it looks again; it is notified.
const PATIENCE: Duration = Duration::from_secs(60);

/// The journal of a session, for all of its threads.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    census: Census,
    state: Mutex<State>,
    /// A sync has ended.
    synced: Condvar,
}

#[derive(Debug)]
struct State {
    file: AppendFile,
    /// Grows with each file, so that a sync of an older one is told from one of this.
    generation: u64,
    /// The number that the next record has.
    next: u64,
    /// Records before this number are on the disk.
    durable: u64,
    is_syncing: bool,
    /// Why nothing more is taken.
    failure: Option<Error>,
    /// How many bytes it had when it held nothing but what counts; 0 if that is not known.
    live: u64,
}

impl Journal {
    /// Opens the journal at `path`, or makes one, and returns what stands in it.
    ///
    /// Whoever calls this has the folder for itself.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotSupported`] if a newer version has written it, which leaves it as it is;
    /// those of files.
    pub(crate) fn open(path: &Path, census: &Census) -> Result<(Self, Replay), Error> {
        private::remove(&compact::beside(path));
        files::remove_if_old(&compact::aside(path));
        let Some((file, bytes)) = AppendFile::open(path, census)? else {
            let file = compact::write(path, census, 1, std::iter::empty::<&[u8]>())?;
            let replay = Replay { records: Records::default(), damage: Vec::new() };
            return Ok((Self::of(path, census, file, 1), replay));
        };
        let found = scan(&bytes).map_err(|newer| refused(path, newer))?;
        let (file, next) = if found.damage.is_empty() {
            (file, found.next)
        } else {
            warn(path, &found.damage);
            repair(path, census, file, &bytes, &found)?
        };
        let Scan { records, damage, .. } = found;
        let replay = Replay { records: Records::new(bytes, records), damage };
        Ok((Self::of(path, census, file, next), replay))
    }

    fn of(path: &Path, census: &Census, file: AppendFile, next: u64) -> Self {
        let state = State {
            file,
            generation: 0,
            next,
            // What stands there already is synced with the first that comes.
            durable: 0,
            is_syncing: false,
            failure: None,
            live: 0,
        };
        let (path, census) = (path.to_owned(), census.clone());
        let state = Mutex::new(Rank::Journal, state);
        Self { path, census, state, synced: Condvar::new() }
    }

    /// Adds a record and returns its number. It outlives this process from now on, and a power
    /// cut once it is [committed](Self::commit).
    ///
    /// # Errors
    ///
    /// Those of files, as of a disk that is full: then nothing of it is there, and it can be tried
    /// again. After a failed [`commit`](Self::commit) that error, until it was
    /// [compacted](Self::compact).
    pub(crate) fn append(&self, record: &Value) -> Result<u64, Error> {
        let json = record.to_string();
        let mut state = self.state.lock();
        if let Some(failure) = &state.failure {
            return Err(failure.clone());
        }
        let sequence = state.next;
        crash::point("journal.append");
        state.file.append(&format::line(sequence, json.as_bytes()))?;
        crash::point("journal.appended");
        state.next += 1;
        Ok(sequence)
    }

    /// Returns when the record with this number, and all before it, are on the disk. Whoever calls
    /// this holds no lock.
    ///
    /// # Errors
    ///
    /// The system could not bring them there. The journal takes nothing more then until it was
    /// [compacted](Self::compact).
    pub(crate) fn commit(&self, sequence: u64) -> Result<(), Error> {
        assert_unlocked("a journal is brought to the disk");
        let mut state = self.state.lock();
        loop {
            if let Some(failure) = &state.failure {
                return Err(failure.clone());
            }
            // What was never added is not waited for.
            if state.durable > sequence || state.durable == state.next {
                return Ok(());
            }
            if state.is_syncing {
                (state, _) = self.synced.wait_timeout(state, PATIENCE);
                continue;
            }
            let (syncer, generation, next) = (state.file.syncer(), state.generation, state.next);
            state.is_syncing = true;
            drop(state);
            let synced = syncer.sync();
            state = self.state.lock();
            state.is_syncing = false;
            // One that has been replaced meanwhile is nobody's concern.
            if state.generation == generation {
                match synced {
                    Ok(()) => state.durable = next,
                    Err(error) => state.failure = Some(error),
                }
            }
            self.synced.notify_all();
        }
    }

    /// Writes the journal anew from `records`, which are all that counts of what was added, and
    /// are on the disk when this returns. Numbers go on behind those of before.
    ///
    /// Nothing is added meanwhile. `records` must take no lock, and whoever calls this holds the
    /// one under which what they are made from changes, so that nothing is added in between that
    /// they do not know.
    ///
    /// # Errors
    ///
    /// Those of files. Where the new one could not be written, as on a full disk, the journal is as
    /// it was; where it could not take its place for good, nothing more is taken until this
    /// succeeds.
    pub(crate) fn compact(&self, records: impl IntoIterator<Item = Value>) -> Result<(), Error> {
        let mut state = self.state.lock();
        let first = state.next;
        let mut count = 0;
        let lines = records.into_iter().map(|record| {
            count += 1;
            record.to_string()
        });
        let file = compact::write_beside(&self.path, &self.census, first, lines)?;
        let next = first + count;
        let new = State {
            generation: state.generation + 1,
            next,
            durable: next,
            is_syncing: state.is_syncing,
            failure: None,
            live: file.len(),
            file,
        };
        let State { file: old, failure, .. } = mem::replace(&mut *state, new);
        // First: Windows replaces nothing that is open.
        drop(old);
        let placed = state.file.take_place(&self.path).and_then(|()| state.file.sync_place());
        state.failure = placed.as_ref().err().cloned();
        drop(state);
        self.synced.notify_all();
        drop(failure);
        placed
    }

    /// Has syncs fail from now on, or not.
    #[cfg(test)]
    pub(super) fn fail_syncs(&self, fails: bool) {
        self.state.lock().file.fail_syncs(fails);
    }

    /// Returns how many bytes it has.
    #[cfg(test)]
    pub(crate) fn size(&self) -> u64 {
        self.state.lock().file.len()
    }

    /// Whether it should be [compacted](Self::compact): most of it does not count any more, as far
    /// as can be told, or it takes nothing more.
    pub(crate) fn wants_compaction(&self) -> bool {
        let state = self.state.lock();
        state.failure.is_some() || is_mostly_garbage(state.file.len(), state.live)
    }
}

/// Has the file hold what is left of it and nothing else; returns it with the number of the next
/// record.
fn repair(
    path: &Path,
    census: &Census,
    mut file: AppendFile,
    bytes: &[u8],
    found: &Scan,
) -> Result<(AppendFile, u64), Error> {
    compact::keep_aside(path, bytes, &found.damage)?;
    if let [tail] = &found.damage[..]
        && tail.is_tail()
    {
        file.cut(tail.offset)?;
        file.syncer().sync()?;
        return Ok((file, found.next));
    }
    drop(file);
    let records = found.records.iter().map(|place| &bytes[place.clone()]);
    let file = compact::write(path, census, found.next, records)?;
    Ok((file, found.next + found.records.len() as u64))
}

fn warn(path: &Path, damage: &[Damage]) {
    let all: Vec<String> = damage.iter().map(Damage::to_string).collect();
    log::warn!("{} is damaged; the rest was kept: {}", path.display(), all.join("; "));
}

fn refused(path: &Path, Newer(version): Newer) -> Error {
    let detail = format!(
        "{} was written by a newer version: it has format {version}, and 1 is known here; it \
         stays as it is",
        path.display()
    );
    Error::new(ErrorKind::NotSupported, detail)
}
