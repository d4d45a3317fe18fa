//! What a session owns at a moment.

use crate::census::{Census, Kind};
use crate::session::Session;

/// How many threads, sockets and files a [`Session`] owns: its helper threads and its
/// reaper; its connections, idle, busy and being made; the files that it sends. What belongs to the program, to other sessions
/// and to test servers does not count.
///
/// The counters can be asked after the session was dropped.
///
/// # Examples
///
/// ```
/// use urlsession::testing::{Answer, Counters, Server};
/// use urlsession::{Configuration, Session};
///
/// let server = Server::start();
/// server.enqueue(Answer::ok("hello"));
/// let session = Session::new(Configuration::ephemeral())?;
/// let counters = Counters::of(&session);
/// session.data(server.url("/"))?;
/// assert_eq!(counters.sockets(), 1);
/// drop(session);
/// assert_eq!((counters.sockets(), counters.threads()), (0, 0));
/// Ok::<(), urlsession::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Counters(Census);

impl Counters {
    /// Returns the counters of `session`.
    pub fn of(session: &Session) -> Self {
        Self(session.census().clone())
    }

    /// Returns how many threads the session started that have not ended.
    pub fn threads(&self) -> usize {
        self.0.alive(Kind::Thread)
    }

    /// Has the session be refused every thread that it asks the system for, as by a system
    /// that has none left, or no more.
    pub fn refuse_threads(&self, refuses: bool) {
        self.0.refuse_threads(refuses);
    }

    /// Sets how many tasks of the session keep their thread while they are suspended or wait
    /// for a [`Reply`](crate::Reply).
    ///
    /// It is 256 otherwise. With fewer, a test needs few tasks to see what becomes of one more.
    pub fn limit_waiting_threads(&self, most: usize) {
        self.0.set_most_parked(most);
    }

    /// Returns how many files the session holds open.
    pub fn files(&self) -> usize {
        self.0.alive(Kind::File)
    }

    /// Returns how many sockets the session holds open.
    pub fn sockets(&self) -> usize {
        self.0.alive(Kind::Socket)
    }
}
