//! A response with its body still to be read.

use std::fmt;
use std::io::{self, BufRead, BufReader, Read};

use crate::cancel::CancelToken;
use crate::load::{Decoder, Loaded};
use crate::response::Response;

/// A body that is read as it arrives; made by [`Session::bytes`](crate::Session::bytes).
///
/// Reads come straight from the connection: what is not read is not received, and a slow
/// reader slows the server down. Read in pieces of 16 to 64 KiB for speed. After its end
/// the connection carries the next load; dropped before, the connection is closed.
///
/// Errors are [`io::Error`]s; [`Error::from_io`](crate::Error::from_io) finds the reason.
///
/// # Examples
///
/// ```
/// # use urlsession::testing::{Answer, Server};
/// # let server = Server::start();
/// # server.enqueue(Answer::ok("one\ntwo\n"));
/// # let url = server.url("/log");
/// let bytes = urlsession::Session::shared().bytes(&url)?;
/// assert_eq!(bytes.response().status(), 200);
/// for line in bytes.lines() {
///     println!("{}", line?);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias = "AsyncBytes")]
pub struct Bytes {
    response: Response,
    body: Decoder,
    cancel: CancelToken,
}

impl Bytes {
    pub(super) fn new(loaded: Loaded, cancel: CancelToken) -> Self {
        let Loaded { response, body } = loaded;
        Self { response, body, cancel }
    }

    /// Returns the head of the response.
    pub fn response(&self) -> &Response {
        &self.response
    }

    /// Returns a token that ends the reading from another thread. It is the request's, if
    /// that was given one.
    pub fn cancel_token(&self) -> CancelToken {
        self.cancel.clone()
    }

    /// Returns the lines of the body, read as UTF-8, without their ends.
    #[doc(alias = "AsyncLineSequence")]
    pub fn lines(self) -> io::Lines<BufReader<Self>> {
        BufReader::with_capacity(16 * 1024, self).lines()
    }
}

impl Read for Bytes {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.body.read(buffer).map_err(|error| error.on(self.response.url()).into())
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bytes").field("response", &self.response).finish_non_exhaustive()
    }
}
