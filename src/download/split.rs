//! A file of a download that comes in several parts at once.
//!
//! Each part writes what it has held for that, so no lock is held over a write. Whoever finds it
//! due brings to the disk what has come by then, of all of them. The others write on meanwhile, up
//! to as much as may not be on the disk.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::answer::{Answer, Begun, judge};
use super::beside::Beside;
use super::entity::{Entity, Validator};
use super::part::is_due;
use super::range::ContentRange;
use super::ranges::Ranges;
use super::record::Record;
use super::shares::Shares;
use super::sink::{Fit, Output, Share, Split};
use crate::census::Census;
use crate::error::Error;
use crate::files::FileWriter;
use crate::response::Response;
use crate::splice::SplicePipe;
use crate::sync::{Condvar, Mutex, Rank};

/// How long one waits for a disk before it looks again.
const LONG: Duration = Duration::from_secs(60);

/// A file that is written by several at once.
#[derive(Debug)]
pub(super) struct SplitFile {
    file: FileWriter,
    entity: Entity,
    keeper: Option<Keeper>,
    state: Mutex<State>,
    /// Somebody has brought to the disk what had come.
    has_kept: Condvar,
}

/// What writes down what has come.
#[derive(Debug)]
pub(super) struct Keeper {
    pub(super) beside: Beside,
    /// As it was when the parts began.
    pub(super) record: Record,
    pub(super) census: Census,
}

#[derive(Debug)]
struct State {
    shares: Shares,
    kept: Kept,
    is_keeping: bool,
    is_refused: bool,
    is_cut: bool,
    failure: Option<Error>,
}

/// How much is on the disk and written down, and since when.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Kept {
    pub(super) count: u64,
    pub(super) at: Option<Instant>,
}

/// What has come of it in the end.
#[derive(Debug)]
pub(super) struct Joined {
    pub(super) there: Ranges,
    pub(super) kept: Kept,
    /// It does not come in parts.
    pub(super) is_refused: bool,
    /// Somebody has cut the file.
    pub(super) is_cut: bool,
}

impl SplitFile {
    pub(super) fn new(
        file: FileWriter,
        entity: Entity,
        shares: Shares,
        (keeper, kept): (Option<Keeper>, Kept),
    ) -> Self {
        let (is_keeping, is_refused, is_cut) = (false, false, false);
        let state = State { shares, kept, is_keeping, is_refused, is_cut, failure: None };
        let state = Mutex::new(Rank::Shares, state);
        Self { file, entity, keeper, state, has_kept: Condvar::new() }
    }

    /// Begins the share of an answer that is there already.
    pub(super) fn taken(self: &Arc<Self>, comes: std::ops::Range<u64>) -> Box<dyn Share> {
        let at = comes.start;
        let id = self.state.lock().shares.take(comes);
        Box::new(OwnShare { split: Arc::clone(self), id, at, end: at })
    }

    /// Returns what has come, when nobody writes any more.
    pub(super) fn joined(&self) -> Joined {
        let state = self.state.lock();
        let there = state.shares.there().clone();
        let State { kept, is_refused, is_cut, .. } = *state;
        Joined { there, kept, is_refused, is_cut }
    }

    /// Brings to the disk what has come, and writes down that it is there.
    fn keep(&self, keeper: &Keeper, there: &Ranges) -> Result<(), Error> {
        self.file.sync()?;
        let mut ranges = there.clone();
        let received = ranges.take_before(0);
        let stamp = self.file.stamp()?;
        self.check()?;
        let record = Record { received, ranges, stamp, ..keeper.record.clone() };
        keeper.beside.write(&record, &keeper.census)
    }

    /// Returns what has come, if that is to be brought to the disk now by whoever asks. Waits for
    /// another who does so if no more may come before that.
    fn due(&self, now: Instant) -> Option<Ranges> {
        let mut state = self.state.lock();
        loop {
            let unsynced = state.shares.there().count().saturating_sub(state.kept.count);
            let since = *state.kept.at.get_or_insert(now);
            let is_due_now = is_due(unsynced, now.saturating_duration_since(since));
            if is_due_now && !state.is_keeping {
                state.is_keeping = true;
                return Some(state.shares.there().clone());
            }
            if !is_due(unsynced, Duration::ZERO) {
                return None;
            }
            let keeps = |state: &mut State| state.is_keeping;
            state = self.has_kept.wait_timeout_while(state, LONG, keeps).0;
        }
    }

    /// Fails if somebody has cut the file.
    fn check(&self) -> Result<(), Error> {
        let checked = self.file.check();
        if checked.is_err() {
            self.state.lock().is_cut = true;
        }
        checked
    }

    /// Notes what ends the task.
    fn noted<T>(&self, outcome: Result<T, Error>) -> Result<T, Error> {
        outcome.inspect_err(|error| {
            self.state.lock().failure.get_or_insert_with(|| error.clone());
        })
    }
}

impl Split for SplitFile {
    fn claim(self: Arc<Self>, sharers: usize) -> Option<Box<dyn Share>> {
        let mut state = self.state.lock();
        if state.is_refused || state.failure.is_some() {
            return None;
        }
        let (id, range) = state.shares.claim(sharers as u64)?;
        drop(state);
        Some(Box::new(OwnShare { split: self, id, at: range.start, end: range.end }))
    }

    fn room(&self) -> usize {
        let state = self.state.lock();
        let room = if state.is_refused { 0 } else { state.shares.room() };
        usize::try_from(room).unwrap_or(usize::MAX)
    }

    fn keep_up(&self, now: Instant) -> Result<(), Error> {
        let Some(keeper) = &self.keeper else { return Ok(()) };
        let Some(there) = self.due(now) else { return Ok(()) };
        let kept = self.keep(keeper, &there);
        let mut state = self.state.lock();
        state.is_keeping = false;
        self.has_kept.notify_all();
        if kept.is_ok() {
            state.kept = Kept { count: there.count(), at: Some(now) };
        }
        drop(state);
        self.noted(kept)
    }

    fn refuse(&self) {
        self.state.lock().is_refused = true;
    }

    fn failure(&self) -> Option<Error> {
        self.state.lock().failure.clone()
    }
}

/// What one thread fetches.
#[derive(Debug)]
struct OwnShare {
    split: Arc<SplitFile>,
    id: u64,
    at: u64,
    /// Where it ended when it began.
    end: u64,
}

impl OwnShare {
    fn begun(&self) -> Begun<'_> {
        let (entity, received) = (&self.split.entity, self.at);
        Begun { entity, received, until: Some(self.end), has_digest: false }
    }

    fn wrote(&mut self, count: u64) {
        self.at += count;
        self.split.state.lock().shares.wrote(self.id, count);
    }
}

impl Output for OwnShare {
    fn write_all(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let split = &self.split;
        split.noted(split.check().and_then(|()| split.file.write_all_at(bytes, self.at)))?;
        self.wrote(bytes.len() as u64);
        Ok(())
    }

    fn splice(&mut self, pipe: &mut SplicePipe) -> Result<(), Error> {
        let split = &self.split;
        let count =
            split.noted(split.check().and_then(|()| split.file.splice_at(pipe, self.at)))?;
        self.wrote(count);
        Ok(())
    }
}

impl Share for OwnShare {
    fn asks(&self) -> (String, String) {
        let condition = self.split.entity.validator().map(Validator::text);
        (self.begun().range(), condition.unwrap_or_default().to_owned())
    }

    fn answered(&mut self, response: &Response, is_decoded: bool) -> Fit {
        let headers = response.headers();
        let (entity, range) = (Entity::of(headers, None), ContentRange::of(headers));
        let judged = judge(self.begun(), response.status(), &entity, range);
        let Answer::Append { count, .. } = judged else { return Fit::Not };
        let length = response.expected_content_length();
        if is_decoded || length.is_some_and(|length| length != count) {
            return Fit::Not;
        }
        let is_wanted = self.split.state.lock().shares.comes(self.id, self.at + count);
        if is_wanted { Fit::Brings } else { Fit::TooLate }
    }

    fn hold(&mut self, most: usize) -> usize {
        let held = self.split.state.lock().shares.hold(self.id, most as u64);
        usize::try_from(held).unwrap_or(most)
    }
}

impl Drop for OwnShare {
    fn drop(&mut self) {
        self.split.state.lock().shares.release(self.id);
    }
}
