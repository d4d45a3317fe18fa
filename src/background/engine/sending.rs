//! What is written down before an upload goes onto a connection.

use super::Engine;
use crate::error::{Error, ErrorKind};

impl Engine {
    /// Writes down that something of an upload may have gone, on the thread that is about to send
    /// it. Where it must not go twice, this is on the disk before, or nothing goes.
    pub(super) fn note_sending(&self, task: u64) -> Result<(), Error> {
        let mut state = self.state.lock();
        let is_closed = state.is_closed;
        let Some(job) = state.ledger.jobs.get_mut(&task).filter(|_| !is_closed) else {
            return Err(Error::cancelled());
        };
        if job.may_have_sent {
            return Ok(());
        }
        job.may_have_sent = true;
        let must_last = !job.may_repeat();
        self.note(&mut state, task, must_last);
        let (written, has_room) = (state.written, state.unwritten.is_empty());
        drop(state);
        if !must_last {
            return Ok(());
        }
        let noted = if has_room { self.sync_up_to(written) } else { Err(no_room()) };
        if noted.is_err() {
            self.nothing_was_sent(task);
        }
        noted
    }

    fn sync_up_to(&self, record: u64) -> Result<(), Error> {
        self.journal.commit(record).or_else(|_| {
            // Only one that is written anew counts on nothing that the system has lost.
            self.compact();
            self.journal.commit(record)
        })
    }

    fn nothing_was_sent(&self, task: u64) {
        let mut state = self.state.lock();
        if let Some(job) = state.ledger.jobs.get_mut(&task) {
            job.may_have_sent = false;
            self.note(&mut state, task, false);
        }
    }
}

/// The error of an upload of which nothing goes before that can be written down.
fn no_room() -> Error {
    let detail = "there is no room on the disk to write down that the upload is sent";
    Error::new(ErrorKind::StorageFull, detail)
}
