//! The seam between what a load decides and how bytes move.
//!
//! A [`Wire`] sends one request and returns one head and a reader of the body behind it.
//! It decides nothing: no redirect is followed, no body decoded. It speaks the crate's own
//! words, never a codec's, so that another protocol can stand beside HTTP/1.1.
//!
//! A wire may be used from any number of threads; each call blocks its own.

use std::cell::Cell;
use std::fmt;
use std::sync::Arc;
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

/// What bounds a load from outside: a cancel token and two timers, which stand still while
/// the load pauses.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    /// None if nobody could use it.
    pub(crate) cancel: Option<CancelToken>,
    pub(crate) clock: Clock,
    /// How long to wait for a byte, either way.
    pub(crate) idle: Duration,
    /// When the whole load must be over, pauses not counted.
    pub(crate) deadline: Option<Instant>,
    /// Whom the load belongs to.
    pub(crate) watcher: Option<Arc<dyn Watcher>>,
}

/// Whom a load belongs to, as far as bytes that move are concerned.
pub(crate) trait Watcher: fmt::Debug + Send + Sync {
    /// Returns how long the load has paused, from its beginning to now.
    fn pauses(&self) -> Pauses;

    /// Learns of an informational answer (1xx) before the final one.
    fn informed(self: Arc<Self>, head: Head);

    /// Learns how long the request's body is, when it was opened and that is known.
    fn sends(&self, length: Option<u64>);

    /// Learns that so many more bytes of the request's body were handed to the system.
    /// Returns when the load may go on; an error ends it.
    fn sent(self: Arc<Self>, bytes: u64) -> Result<(), Error>;
}

/// The time that no timer counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pauses {
    /// How long all of them took, up to now.
    pub(crate) total: Duration,
    /// When the last one ended.
    pub(crate) ended: Option<Instant>,
    /// One is on.
    pub(crate) is_on: bool,
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
        let began = self.clock.now();
        Wait { context: self, began, is_first_look: Cell::new(true) }
    }

    /// Tells whom the load belongs to how long the body is that is about to go out.
    pub(crate) fn sends(&self, length: Option<u64>) {
        if let Some(watcher) = &self.watcher {
            watcher.sends(length);
        }
    }

    /// Tells whom the load belongs to that more of the body went out, and waits while the
    /// load pauses.
    pub(crate) fn sent(&self, bytes: usize) -> Result<(), Error> {
        match &self.watcher {
            Some(watcher) => Arc::clone(watcher).sent(bytes as u64),
            None => Ok(()),
        }
    }

    fn pauses(&self) -> Pauses {
        self.watcher.as_ref().map(|watcher| watcher.pauses()).unwrap_or_default()
    }
}

/// A wait that ends when the idle timer, the deadline or a cancel says so.
#[derive(Debug)]
pub(crate) struct Wait<'a> {
    context: &'a Context,
    began: Instant,
    /// The clock need not be asked again for the first look at the timers.
    is_first_look: Cell<bool>,
}

impl Wait<'_> {
    /// Returns how long to block at most before asking again; an error ends the wait.
    /// `None` means for ever.
    pub(crate) fn slice(&self) -> Result<Option<Duration>, Error> {
        let context = self.context;
        context.check()?;
        let now = if self.is_first_look.take() { self.began } else { context.clock.now() };
        let left = left(context, self.began, now, context.pauses());
        if left.whole == Some(Duration::ZERO) {
            let detail = "the request timed out: timeout_for_resource passed";
            return Err(Error::new(ErrorKind::TimedOut, detail));
        }
        if left.idle == Some(Duration::ZERO) {
            let idle = context.idle;
            let detail = format!("the request timed out: no byte either way for {idle:?}");
            return Err(Error::new(ErrorKind::TimedOut, detail));
        }
        let least = match (left.idle, left.whole) {
            (Some(idle), Some(whole)) => Some(idle.min(whole)),
            (one, other) => one.or(other),
        };
        Ok(least.map(|left| context.clock.slice(left)))
    }
}

/// How much of each timer is left; `None` if it never ends.
#[derive(Debug, PartialEq, Eq)]
struct Left {
    idle: Option<Duration>,
    whole: Option<Duration>,
}

/// Decides how much of the timers is left of a wait that `began` before `now`. During a
/// pause they are as full as they will be at its end.
fn left(context: &Context, began: Instant, now: Instant, pauses: Pauses) -> Left {
    let until = |end: Option<Instant>| end.map(|end| end.saturating_duration_since(now));
    let idle_began =
        if pauses.is_on { now } else { pauses.ended.map_or(began, |at| at.max(began)) };
    let whole = context.deadline.and_then(|deadline| deadline.checked_add(pauses.total));
    Left { idle: until(idle_began.checked_add(context.idle)), whole: until(whole) }
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
                watcher: None,
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
            watcher: None,
        };
        context.cancel.as_ref().unwrap().cancel();
        assert_eq!(context.wait().slice().unwrap_err().kind(), ErrorKind::Cancelled);
    }

    #[test]
    fn a_pause_stops_both_timers() {
        let clock = Clock::by_hand();
        let second = Duration::from_secs(1);
        let context = Context {
            cancel: None,
            deadline: clock.now().checked_add(100 * second),
            clock: clock.clone(),
            idle: 10 * second,
            watcher: None,
        };
        let began = clock.now();
        // Seconds since the wait began; the pauses: in all, when the last ended, whether one
        // is on; what is left of each timer.
        for (now, total, ended, is_on, idle, whole) in [
            (9, 0, None, false, 1, 91),
            (9, 5, None, true, 10, 96),
            (30, 26, None, true, 10, 96),
            (30, 26, Some(30), false, 10, 96),
            (39, 26, Some(30), false, 1, 87),
            (40, 26, Some(30), false, 0, 86),
            (126, 26, Some(30), false, 0, 0),
        ] {
            let at = |seconds: u32| began + seconds * second;
            let pauses = Pauses { total: total * second, ended: ended.map(at), is_on };
            let expected = Left { idle: Some(idle * second), whole: Some(whole * second) };
            assert_eq!(left(&context, began, at(now), pauses), expected, "{now} s, {pauses:?}");
        }
    }
}
