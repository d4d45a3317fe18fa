//! The seam between what a load decides and how bytes move.
//!
//! A [`Wire`] sends one request and returns one head and a reader of the body behind it.
//! It decides nothing: no redirect is followed, no body decoded. It speaks the crate's own
//! words, never a codec's, so that another protocol can stand beside HTTP/1.1.
//!
//! A wire may be used from any number of threads; each call blocks its own.

use std::cell::Cell;
use std::fmt;
use std::time::{Duration, Instant};

use http::{Method, StatusCode, Version};
use url::Url;

use crate::body::Body;
use crate::cancel::CancelToken;
use crate::clock::Clock;
use crate::error::{Error, ErrorKind};
use crate::headers::Headers;

/// Moves one request out and one response in.
pub(crate) trait Wire: Send + Sync {
    /// Sends `request` and returns the final response's head with its body unread.
    fn exchange(&self, request: &WireRequest<'_>, context: &Context) -> Result<Answer, Error>;
}

/// One request as it goes out, complete.
#[derive(Debug)]
pub(crate) struct WireRequest<'a> {
    pub(crate) method: &'a Method,
    pub(crate) url: &'a Url,
    /// All headers but those that frame the message.
    pub(crate) headers: &'a Headers,
    pub(crate) body: Option<&'a Body>,
}

/// One response, its body still on the wire.
pub(crate) struct Answer {
    pub(crate) head: Head,
    pub(crate) body: Box<dyn WireBody>,
}

/// A response's status line and headers.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) status: StatusCode,
    pub(crate) version: Version,
    pub(crate) headers: Headers,
}

/// A response's body as it comes over the wire.
///
/// Dropped before its end, it closes the connection.
pub(crate) trait WireBody: Send {
    /// Reads some bytes; none means the body is whole.
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error>;

    /// Returns how many bytes are still to come, if that is known.
    fn remaining(&self) -> Option<u64>;

    /// Ends a body that nobody wants: reads it if that keeps a connection, else closes it.
    fn discard(self: Box<Self>);
}

impl fmt::Debug for dyn WireBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WireBody").field("remaining", &self.remaining()).finish()
    }
}

/// What bounds a load from outside: a cancel token and two timers.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    /// None if nobody could use it.
    pub(crate) cancel: Option<CancelToken>,
    pub(crate) clock: Clock,
    /// How long to wait for a byte, either way.
    pub(crate) idle: Duration,
    /// When the whole load must be over.
    pub(crate) deadline: Option<Instant>,
}

impl Context {
    /// Fails if the load was cancelled.
    pub(crate) fn check(&self) -> Result<(), Error> {
        match &self.cancel {
            Some(token) if token.is_cancelled() => Err(Error::cancelled()),
            _ => Ok(()),
        }
    }

    /// Begins a wait for one thing to happen: the idle timer starts anew.
    pub(crate) fn wait(&self) -> Wait<'_> {
        let now = self.clock.now();
        let idle_until = now.checked_add(self.idle);
        Wait { context: self, idle_until, began: Cell::new(Some(now)) }
    }
}

/// A wait that ends when the idle timer, the deadline or a cancel says so.
#[derive(Debug)]
pub(crate) struct Wait<'a> {
    context: &'a Context,
    idle_until: Option<Instant>,
    /// When it began, for the first look at the timers.
    began: Cell<Option<Instant>>,
}

impl Wait<'_> {
    /// Returns how long to block at most before asking again; an error ends the wait.
    /// `None` means for ever.
    pub(crate) fn slice(&self) -> Result<Option<Duration>, Error> {
        self.context.check()?;
        let now = self.began.take().unwrap_or_else(|| self.context.clock.now());
        let left = |until: Option<Instant>| until.map(|until| until.saturating_duration_since(now));
        let (idle, whole) = (left(self.idle_until), left(self.context.deadline));
        if whole == Some(Duration::ZERO) {
            let detail = "the request timed out: timeout_for_resource passed";
            return Err(Error::new(ErrorKind::TimedOut, detail));
        }
        if idle == Some(Duration::ZERO) {
            let idle = self.context.idle;
            let detail = format!("the request timed out: no byte either way for {idle:?}");
            return Err(Error::new(ErrorKind::TimedOut, detail));
        }
        let least = match (idle, whole) {
            (Some(idle), Some(whole)) => Some(idle.min(whole)),
            (one, other) => one.or(other),
        };
        Ok(least.map(|left| self.context.clock.slice(left)))
    }
}

#[cfg(all(test, feature = "test-util"))]
mod tests {
    use super::*;

    #[test]
    fn a_wait_ends_by_the_timer_that_passes_first_and_says_which() {
        let second = Duration::from_secs(1);
        for (idle, whole, turned, expected) in [
            (10, 100, 9, None),
            (10, 100, 10, Some("no byte either way for 10s")),
            (100, 10, 10, Some("timeout_for_resource")),
        ] {
            let clock = Clock::by_hand();
            let context = Context {
                cancel: Some(CancelToken::new()),
                deadline: clock.now().checked_add(whole * second),
                clock: clock.clone(),
                idle: idle * second,
            };
            let wait = context.wait();
            assert!(wait.slice().unwrap().is_some());
            clock.advance(turned * second);
            match (wait.slice(), expected) {
                (Ok(_), None) => {}
                (Err(error), Some(text)) => {
                    assert_eq!(error.kind(), ErrorKind::TimedOut);
                    assert!(error.to_string().contains(text), "{error}");
                }
                (result, _) => panic!("idle {idle}, whole {whole}, {turned}: {result:?}"),
            }
        }
    }

    #[test]
    fn a_cancel_beats_every_timer() {
        let context = Context {
            cancel: Some(CancelToken::new()),
            clock: Clock::by_hand(),
            idle: Duration::ZERO,
            deadline: None,
        };
        context.cancel.as_ref().unwrap().cancel();
        assert_eq!(context.wait().slice().unwrap_err().kind(), ErrorKind::Cancelled);
    }
}
