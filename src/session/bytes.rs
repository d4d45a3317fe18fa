//! A response with its body still to be read.

use std::fmt;
use std::io::{self, BufRead, BufReader, Read};
use std::sync::Arc;

use super::task::{Core, Product, Task};
use crate::cancel::{CancelToken, Registered};
use crate::error::{Error, Stage};
use crate::load::{Decoder, Loaded};
use crate::response::Response;

/// A body that is read as it arrives; made by [`Session::bytes`](crate::Session::bytes).
///
/// Reads come straight from the connection: what is not read is not received, and a slow
/// reader slows the server down. Read in pieces of 16 to 64 KiB for speed. After its end
/// the connection carries the next load; dropped before, the connection is closed.
///
/// A server may answer before all of the request's body is out. The rest is then sent by the
/// reads, each of which drives both ways: where nobody reads, nothing is sent. The last read
/// returns 0 when both are done, or the error of what was to be sent. Dropped before, this
/// ends the upload, and the log says so.
///
/// Errors are [`io::Error`]s; [`Error::from_io`](crate::Error::from_io) finds the reason.
///
/// # Examples
///
/// ```
/// use urlsession::testing::{Answer, Server};
///
/// let server = Server::start();
/// server.enqueue(Answer::ok("one\ntwo\n"));
/// let url = server.url("/log");
///
/// let bytes = urlsession::Session::shared().bytes(&url)?;
/// assert_eq!(bytes.response().status(), 200);
/// for line in bytes.lines() {
///     println!("{}", line?);
/// }
/// Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias = "AsyncBytes")]
pub struct Bytes {
    response: Response,
    /// None once the task has ended.
    body: Option<Decoder>,
    cancel: CancelToken,
    /// Has the token cancel the task.
    _registered: Registered,
    core: Arc<Core>,
    /// Keeps the session as long as the body comes.
    hold: Option<Task>,
    /// The task has ended, and this is what every later read returns.
    ended: Option<Result<(), Error>>,
}

impl Bytes {
    pub(super) fn open(core: Arc<Core>) -> Result<Self, Error> {
        let Loaded { response, body } = core.shared.scheduler().open(&core)?;
        let cancel = CancelToken::new();
        let registered = core.linked_to(&cancel);
        let (body, hold) = (Some(body), Some(Task::of(&core)));
        Ok(Self { response, body, cancel, _registered: registered, core, hold, ended: None })
    }

    /// Returns the head of the response.
    pub fn response(&self) -> &Response {
        &self.response
    }

    /// Returns a token that ends the reading from another thread.
    pub fn cancel_token(&self) -> CancelToken {
        self.cancel.clone()
    }

    /// Returns the task that the reading belongs to. It can be suspended, which makes a
    /// read wait, and cancelled.
    #[doc(alias = "AsyncBytes.task")]
    pub fn task(&self) -> Task {
        Task::of(&self.core)
    }

    fn read_some(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        let Some(body) = &mut self.body else { return Ok(0) };
        let core = &self.core;
        core.go_on()?;
        let count = body.read(buffer)?;
        core.took(count)?;
        if count > 0
            && let Some(listener) = core.listener()
        {
            // A copy of what the caller has read.
            listener.data(core, &mut buffer[..count].to_vec())?;
            listener.progress(core);
        }
        Ok(count)
    }

    fn end(&mut self, outcome: Result<(), Error>) -> Result<(), Error> {
        if let Some(ended) = &self.ended {
            return ended.clone();
        }
        // The connection is given back, or closed, before its place.
        self.body = None;
        let outcome = self
            .core
            .shared
            .scheduler()
            .close(&self.core, outcome.map(|()| Product::Nothing))
            .map(|_| ());
        self.ended = Some(outcome.clone());
        self.hold = None;
        outcome
    }

    /// Returns the lines of the body, read as UTF-8, without their ends.
    #[doc(alias = "AsyncLineSequence")]
    pub fn lines(self) -> io::Lines<BufReader<Self>> {
        BufReader::with_capacity(16 * 1024, self).lines()
    }
}

impl Read for Bytes {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(ended) = &self.ended {
            return ended.clone().map(|()| 0).map_err(io::Error::from);
        }
        if buffer.is_empty() {
            return Ok(0);
        }
        match self.read_some(buffer) {
            Ok(0) => self.end(Ok(())).map(|()| 0).map_err(io::Error::from),
            Ok(count) => Ok(count),
            Err(error) => {
                let error = error.at(Stage::Receiving).on(self.response.url());
                Err(self.end(Err(error.clone())).err().unwrap_or(error).into())
            }
        }
    }
}

impl Drop for Bytes {
    fn drop(&mut self) {
        // Dropped before its end, it is cancelled.
        let _ = self.end(Err(Error::cancelled()));
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bytes").field("response", &self.response).finish_non_exhaustive()
    }
}
