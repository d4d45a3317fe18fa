//! What is kept of a download that may be gone on with.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Part;
use crate::download::beside::Beside;
use crate::download::data::{ResumeData, describe};
use crate::download::record::Record;
use crate::error::{Error, ErrorKind};
use crate::files::{KeptFile, Stamp, Target, temporary};
use crate::log;
use crate::request::Request;

/// How much, and for how long, what has come may not be on the disk yet that is written down.
const UNSYNCED: (u64, Duration) = (8 * 1024 * 1024, Duration::from_secs(1));

/// How much a full disk gives back for the record.
const SPARE: u64 = 64 * 1024;

/// Whether so much has to be brought to the disk that has come within such a time.
pub(in crate::download) fn is_due(unsynced: u64, since: Duration) -> bool {
    unsynced > 0 && (unsynced >= UNSYNCED.0 || since >= UNSYNCED.1)
}

/// What belongs to a file that a later start of the program goes on with.
#[derive(Debug)]
pub(super) struct Durable {
    pub(super) beside: Beside,
    /// For its URL, and headers.
    pub(super) request: Request,
    /// How much is on the disk, and since when.
    pub(super) synced: u64,
    pub(super) at: Option<Instant>,
}

impl Part {
    pub(super) fn record(&self, request: &Request, stamp: Stamp) -> Option<Record> {
        let file = self.file.as_ref()?;
        let (received, ranges) = self.proven();
        let mut record = Record {
            url: String::new(),
            headers: Vec::new(),
            omitted: Vec::new(),
            final_url: self.final_url.clone(),
            entity: self.entity.clone(),
            received,
            ranges,
            expected: self.expected.clone(),
            file: file.path().to_owned(),
            stamp,
            place: self.target.as_ref().map(Target::place),
        };
        describe(request, &mut record);
        Some(record)
    }

    /// Brings to the disk what has come, and then writes down that it is there.
    pub(super) fn sync(&mut self, now: Option<Instant>) -> Result<(), Error> {
        let Some(file) = &self.file else { return Ok(()) };
        file.sync()?;
        let (stamp, count) = (file.stamp()?, self.count());
        let Some(durable) = &self.durable else { return Ok(()) };
        let Some(record) = self.record(&durable.request, stamp) else { return Ok(()) };
        self.check()?;
        let Some(durable) = &mut self.durable else { return Ok(()) };
        match durable.beside.write(&record, &self.census) {
            // What the disk has no room for to say what it is, is worth nothing.
            Err(error) if error.kind() == ErrorKind::StorageFull && count > SPARE => {
                self.give_back(SPARE)?;
                return self.sync(now);
            }
            written => written?,
        }
        (durable.synced, durable.at) = (count, now);
        Ok(())
    }

    /// Takes so much off the end of what is there.
    fn give_back(&mut self, bytes: u64) -> Result<(), Error> {
        let received = self.received();
        if self.behind.is_empty() {
            return self.file()?.cut(received - bytes);
        }
        self.behind.shorten(bytes);
        let end = self.behind.end().unwrap_or(received);
        let file = self.file()?;
        file.cut(end)?;
        file.go_to(received)
    }

    /// Brings to the disk what has come, if that is due.
    pub(super) fn sync_if_due(&mut self, now: Instant) -> Result<(), Error> {
        let count = self.count();
        let can_go_on = self.durable.is_some() && self.can_go_on();
        let Some(durable) = self.durable.as_mut().filter(|_| can_go_on) else { return Ok(()) };
        let unsynced = count.saturating_sub(durable.synced);
        let since = *durable.at.get_or_insert(now);
        if is_due(unsynced, now.saturating_duration_since(since)) {
            self.sync(Some(now))
        } else {
            Ok(())
        }
    }

    /// Hands over what a later download can go on with.
    pub(super) fn produce_resume_data(&mut self, request: &Request) -> Option<ResumeData> {
        if !self.can_go_on() {
            return None;
        }
        let produced = self.name_file().and_then(|()| {
            if self.durable.is_some() {
                self.sync(None)?;
            }
            self.file()?.stamp()
        });
        let stamp = produced
            .inspect_err(|error| log::warn!("what has come of a download is lost: {error}"))
            .ok()?;
        let record = self.record(request, stamp)?;
        let kept = match &self.kept {
            Some(kept) => Arc::clone(kept),
            None => {
                let stays = self.durable.is_some();
                Arc::new(KeptFile::new(record.file.clone(), &stamp, stays))
            }
        };
        // From here on it is removed with the last who may go on with it.
        self.file.take()?.stay(true);
        self.durable = None;
        Some(ResumeData::new(request, record, kept))
    }

    /// Gives the file a name if it has none.
    fn name_file(&mut self) -> Result<(), Error> {
        let target = self.target.clone();
        let file = self.file()?;
        match target {
            Some(target) => file.name(&|number| target.name_beside(number)),
            None => file.name(&temporary::name),
        }
    }
}
