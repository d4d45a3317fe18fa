//! What the daemon says on one connection.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

use super::guest::GuestWriter;
use crate::background::host::EventSink;
use crate::background::job::{Event, Job};
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
        let mut bytes = Vec::new();
        match frame::write(&mut bytes, value) {
            Ok(()) => self.write_frame(&bytes),
            Err(error) => log::warn!("a program cannot be told something: {error}"),
        }
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
            self.close();
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
