//! What the daemon says on one connection.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

use super::guest::GuestWriter;
use crate::background::host::EventSink;
use crate::background::job::{Event, Job};
use crate::background::protocol::frame::Speaker;
use crate::background::protocol::{Note, frame};
use crate::log;
use crate::sync::{Mutex, Rank};

/// Writes notes, of several threads. The stream has a timeout: a program that takes nothing for
/// so long is not waited for.
pub(super) struct Writer {
    guest: GuestWriter,
    writing: Mutex<()>,
    is_open: AtomicBool,
}

impl Writer {
    pub(super) fn new(guest: GuestWriter) -> Self {
        Self { guest, writing: Mutex::new(Rank::Line, ()), is_open: AtomicBool::new(true) }
    }

    pub(super) fn write(&self, note: &Note) {
        self.write_value(&note.to_json());
    }

    pub(super) fn write_value(&self, value: &Value) {
        if let Err(error) = self.try_write(value) {
            // What is known of a task fits, as does an answer: see `client/extent.rs`.
            log::error!("a program cannot be told something: {error}");
        }
    }

    /// Writes what may be longer than a frame.
    ///
    /// # Errors
    ///
    /// It is.
    pub(super) fn try_write(&self, value: &Value) -> io::Result<()> {
        let mut bytes = Vec::new();
        frame::write(&mut bytes, value, Speaker::Daemon)?;
        self.write_frame(&bytes);
        Ok(())
    }

    fn write_frame(&self, bytes: &[u8]) {
        if !self.is_open() {
            return;
        }
        let writing = self.writing.lock();
        let written = (&self.guest).write_all(bytes);
        drop(writing);
        if let Err(error) = written {
            log::info!("a program takes nothing any more: {error}");
            if is_gone(&error) {
                // What it has said before is still to be read: not every system keeps that when
                // this end is shut down. Its connection is closed, so the reader comes to an end.
                self.is_open.store(false, Ordering::SeqCst);
            } else {
                // Of a frame that was cut nobody reads the rest. Its orders are given once more.
                self.close();
            }
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.is_open.load(Ordering::SeqCst)
    }

    /// Ends the connection, whoever reads from it.
    pub(super) fn close(&self) {
        self.is_open.store(false, Ordering::SeqCst);
        self.guest.end();
    }
}

impl EventSink for Writer {
    fn happened(&self, number: u64, task: u64, event: Event) {
        self.write(&Note::Happened { number, task, event });
    }

    fn ended(&self, job: Job) {
        self.write(&Note::Ended(Box::new(job)));
    }
}

/// Whether it says that the other end is closed, by EPIPE or ECONNRESET (send(2)).
fn is_gone(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset)
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::net::Shutdown;
    use std::os::unix::net::UnixStream;
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;

    const BRIEF: Duration = Duration::from_millis(10);

    fn pair() -> (Writer, Arc<UnixStream>, UnixStream) {
        let (near, far) = UnixStream::pair().unwrap();
        near.set_write_timeout(Some(BRIEF)).unwrap();
        let near = Arc::new(near);
        (Writer::new(GuestWriter::of(&near)), near, far)
    }

    #[test]
    fn what_a_program_has_said_is_read_also_if_it_hears_nothing_any_more() {
        let (writer, near, mut far) = pair();
        far.write_all(b"said").unwrap();
        far.shutdown(Shutdown::Read).unwrap();
        writer.write(&Note::Done(1));
        assert!(!writer.is_open());
        far.write_all(b" and done").unwrap();
        drop(far);
        writer.write(&Note::Done(1));
        let mut said = String::new();
        (&*near).read_to_string(&mut said).unwrap();
        assert_eq!(said, "said and done");
    }

    #[test]
    fn a_program_that_takes_nothing_is_left() {
        let (writer, near, mut far) = pair();
        while writer.is_open() {
            writer.write(&Note::Done(1));
        }
        assert_eq!((&*near).read(&mut [0]).unwrap(), 0);
        far.read_to_end(&mut Vec::new()).unwrap();
    }
}
