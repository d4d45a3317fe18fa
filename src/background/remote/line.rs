//! One connection to a daemon.

use std::io::{self, BufReader, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use super::Opening;
use crate::background::engine::Hands;
use crate::background::host::Served;
use crate::background::protocol::frame::Speaker;
use crate::background::protocol::{
    Hello, Hosted, Note, Order, Question, RELEASE, Reader, Reply, VERSIONS, Welcome, frame,
};
use crate::configuration::Configuration;
use crate::credentials::Disposition;
use crate::error::{Error, ErrorKind};
use crate::log;
use crate::sync::{Mutex, Rank};

/// How long a daemon may be silent until the session is open, and take nothing of what is given.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is given to a daemon. It is written by several threads, each frame by one call under a lock.
pub(super) struct Line {
    stream: UnixStream,
    writing: Mutex<()>,
}

/// What comes from it.
pub(super) struct Incoming(BufReader<UnixStream>);

/// A session that was opened at a daemon.
pub(super) struct Opened {
    pub(super) folder: PathBuf,
    pub(super) damage: Vec<String>,
    pub(super) served: Served,
}

/// Greets the daemon at the other end, and asks what it hosts.
///
/// # Errors
///
/// As those of [`Line::open`].
pub(in crate::background) fn status(stream: UnixStream) -> Result<(Welcome, Vec<Hosted>), Error> {
    let configuration = Configuration::default();
    let (line, mut incoming, welcome) = Line::begin(stream, &Reader::new(&configuration)?)?;
    line.say(&Order::Ask { call: 0, question: Question::Status }.to_json())?;
    let Some(said) = incoming.read()? else { return Err(silent()) };
    match Note::from_json(&said, &Reader::new(&configuration)?) {
        Some(Note::Answered { reply: Reply::Status(hosted), .. }) => Ok((welcome, hosted)),
        Some(_) | None => Err(no_daemon()),
    }
}

impl Line {
    /// Greets the daemon.
    fn begin(stream: UnixStream, reader: &Reader) -> Result<(Self, Incoming, Welcome), Error> {
        let timed = stream.set_read_timeout(Some(PATIENCE));
        timed.and_then(|()| stream.set_write_timeout(Some(PATIENCE))).map_err(lost)?;
        let incoming = stream.try_clone().map_err(lost)?;
        let mut incoming = Incoming(BufReader::new(incoming));
        let line = Self { stream, writing: Mutex::new(Rank::Line, ()) };
        let (oldest, newest) = VERSIONS;
        line.say(&Hello { oldest, newest, release: RELEASE.to_owned() }.to_json())?;
        let Some(said) = incoming.read()? else { return Err(silent()) };
        match Welcome::from_json(&said) {
            Some(welcome) => Ok((line, incoming, welcome)),
            None => Err(refused(&said, reader)),
        }
    }

    /// Opens a session.
    ///
    /// # Errors
    ///
    /// What the daemon refuses it with; [`ErrorKind::NotSupported`] if it speaks no version of the
    /// protocol that this one does; [`ErrorKind::NetworkConnectionLost`] if it says nothing.
    pub(super) fn open(
        stream: UnixStream,
        opening: &Opening,
        hands: Hands,
    ) -> Result<(Self, Incoming, Opened), Error> {
        let (line, mut incoming, _) = Self::begin(stream, &opening.reader)?;
        let Opening { program, identifier, configuration, reader, .. } = opening;
        let (program, identifier) = (program.clone(), identifier.clone());
        let configuration = configuration.clone();
        line.say(&Order::Open { program, identifier, configuration, hands }.to_json())?;
        let mut jobs = Vec::new();
        loop {
            let Some(said) = incoming.read()? else { return Err(silent()) };
            match Note::from_json(&said, reader) {
                Some(Note::Job(job)) => jobs.push(*job),
                Some(Note::Refused(error)) => return Err(error),
                Some(Note::Served { folder, untold, last_task, damage }) => {
                    line.stream.set_read_timeout(None).map_err(lost)?;
                    let served = Served { jobs, untold, last_task };
                    return Ok((line, incoming, Opened { folder, damage, served }));
                }
                // What happens is told once it goes on.
                Some(_) | None => {}
            }
        }
    }

    /// Has it tell what the program has not heard of, and go on.
    pub(super) fn go_on(&self, untold: &[u64]) {
        let _ = self.say(&Order::GoOn { untold: untold.to_vec() }.to_json());
    }

    /// Brings it the answer to a challenge.
    pub(super) fn answer(&self, question: u64, disposition: Option<Disposition>) {
        let _ = self.say(&Order::Dispose { question, disposition }.to_json());
    }

    /// Gives it what stands in these frames. If it does not take them, the connection ends.
    pub(super) fn give(&self, frames: &[u8]) {
        let writing = self.writing.lock();
        let given = (&self.stream).write_all(frames);
        drop(writing);
        if let Err(error) = given {
            log::info!("the daemon of background transfers takes no orders: {error}");
            self.end();
        }
    }

    /// Ends it, whoever reads or writes.
    pub(super) fn end(&self) {
        // It may have ended already.
        let _ = self.stream.shutdown(Shutdown::Both);
    }

    fn say(&self, value: &Value) -> Result<(), Error> {
        let mut bytes = Vec::new();
        frame::write(&mut bytes, value, Speaker::Program).map_err(lost)?;
        self.give(&bytes);
        Ok(())
    }
}

impl Incoming {
    fn read(&mut self) -> Result<Option<Value>, Error> {
        frame::read(&mut self.0, frame::MOST, Speaker::Daemon).map_err(lost)
    }

    /// Waits for what is said next; none when the connection has ended.
    pub(super) fn next(&mut self, reader: &Reader) -> Option<Note> {
        loop {
            match self.read() {
                Ok(Some(said)) => match Note::from_json(&said, reader) {
                    Some(note) => return Some(note),
                    None => log::warn!("the daemon says something that is not understood"),
                },
                Ok(None) => return None,
                Err(error) => {
                    log::info!("the daemon of background transfers is gone: {error}");
                    return None;
                }
            }
        }
    }
}

/// What was said instead of a welcome.
fn refused(said: &Value, reader: &Reader) -> Error {
    match Note::from_json(said, reader) {
        Some(Note::Refused(error)) => error,
        Some(_) | None => no_daemon(),
    }
}

fn no_daemon() -> Error {
    let detail = "what answers at the socket of the daemon is no urlsessiond";
    Error::new(ErrorKind::BadServerResponse, detail)
}

fn silent() -> Error {
    let detail = "the daemon of background transfers has closed the connection";
    Error::new(ErrorKind::NetworkConnectionLost, detail)
}

fn lost(error: io::Error) -> Error {
    let detail = "the connection to the daemon of background transfers is broken";
    Error::new(ErrorKind::NetworkConnectionLost, detail).by_system(error)
}
