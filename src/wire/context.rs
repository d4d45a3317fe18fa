//! What bounds a load from outside, and the waits that see it.

use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{DelegateDecision, DelegateId, Dialogue, Head, Question};
use crate::body::Body;
use crate::cancel::CancelToken;
use crate::clock::Clock;
use crate::credentials::Challenge;
use crate::error::{Error, ErrorKind};
use crate::request::Request;
use crate::response::Response;

/// What bounds a load from outside: a cancel token and two timers, which stand still while
/// the load pauses.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    /// None if nobody could use it.
    pub(crate) cancel: Option<CancelToken>,
    pub(crate) clock: Clock,
    /// How long to wait for a byte, either way.
    pub(crate) idle: Duration,
    /// When the whole load, or this part of it, must be over.
    pub(crate) deadline: Option<Deadline>,
    /// How long it may take to make a connection, if that is bounded.
    pub(crate) connect: Option<Duration>,
    /// With whoever started the load; `None` if nobody is told or asked.
    pub(crate) dialogue: Option<Arc<dyn Dialogue>>,
}

/// The end of a timer that bounds more than one wait.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    /// Pauses not counted.
    pub(crate) at: Instant,
    pub(crate) timer: Timer,
    /// How long it was.
    pub(crate) length: Duration,
}

/// Which timer it is, by its name in the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timer {
    Resource,
    Connect,
}

impl Deadline {
    /// The error of what was not done by then.
    #[cold]
    pub(crate) fn passed(self) -> Error {
        let name = match self.timer {
            Timer::Resource => "timeout_for_resource",
            Timer::Connect => "connect_timeout",
        };
        let length = self.length;
        let detail = format!("the request timed out: it took longer than {name}, {length:?}");
        Error::new(ErrorKind::TimedOut, detail)
    }
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
    /// The load leaves its thread: every wait ends, and what was waited for goes on later.
    pub(crate) leaves: bool,
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
        Wait { context: self, began, is_first_look: Cell::new(true), may_leave: true }
    }

    /// Begins one in the middle of something that only this thread can go on with.
    pub(crate) fn wait_here(&self) -> Wait<'_> {
        Wait { may_leave: false, ..self.wait() }
    }

    /// Whether this error says that the load leaves its thread, to go on later where it was.
    pub(crate) fn leaves(&self, error: &Error) -> bool {
        error.is_cancelled() && self.dialogue.as_ref().is_some_and(|dialogue| dialogue.has_left())
    }

    /// Returns what bounds the making of a connection, if that has a timer of its own which ends
    /// before the load's.
    pub(crate) fn connecting(&self) -> Option<Self> {
        self.connect.and_then(|length| self.bounded(length))
    }

    #[cold]
    fn bounded(&self, length: Duration) -> Option<Self> {
        // Every deadline moves on by all pauses, those before it was set among them.
        let at = self.clock.now().checked_add(length)?.checked_sub(self.pauses(false).total)?;
        let is_sooner = self.deadline.is_none_or(|whole| at < whole.at);
        let deadline = Some(Deadline { at, timer: Timer::Connect, length });
        is_sooner.then(|| Self { deadline, ..self.clone() })
    }

    /// Tells of an informational answer (1xx).
    pub(crate) fn informed(&self, head: Head) {
        if let Some(dialogue) = &self.dialogue {
            Arc::clone(dialogue).informed(head);
        }
    }

    /// Tells that a request with a body of this length is about to go out.
    pub(crate) fn sends(&self, length: Option<u64>) -> Result<(), Error> {
        self.dialogue.as_ref().map_or(Ok(()), |dialogue| dialogue.sends(length))
    }

    /// Tells that more of the body went out, and waits while the load pauses.
    pub(crate) fn sent(&self, bytes: usize) -> Result<(), Error> {
        match &self.dialogue {
            Some(dialogue) => Arc::clone(dialogue).sent(bytes as u64),
            None => Ok(()),
        }
    }

    /// Whether somebody may be asked about challenges.
    #[cfg_attr(not(feature = "tls"), allow(dead_code, reason = "TLS alone has terms"))]
    pub(crate) fn has_delegate(&self) -> bool {
        self.dialogue.as_ref().is_some_and(|dialogue| dialogue.has_delegate())
    }

    /// Asks what to do about a challenge; `None` if nobody answers.
    pub(crate) fn ask(
        &self,
        challenge: Challenge,
        question: &mut Question,
    ) -> Result<Option<DelegateDecision>, Error> {
        match &self.dialogue {
            Some(dialogue) if dialogue.has_delegate() => {
                Arc::clone(dialogue).challenge(challenge, question)
            }
            _ => Ok(None),
        }
    }

    /// Returns the delegate that only this load asks, if it may have something to say about a
    /// server that others trust already.
    #[cfg_attr(not(feature = "tls"), allow(dead_code, reason = "TLS alone asks it"))]
    pub(crate) fn own_delegate(&self) -> Option<DelegateId> {
        self.dialogue.as_ref()?.own_delegate()
    }

    /// Asks the load's own delegate alone.
    #[cfg_attr(not(feature = "tls"), allow(dead_code, reason = "TLS alone asks it"))]
    pub(crate) fn ask_own(
        &self,
        challenge: Challenge,
        question: &mut Question,
    ) -> Result<Option<DelegateDecision>, Error> {
        match &self.dialogue {
            Some(dialogue) => Arc::clone(dialogue).challenge_own(challenge, question),
            None => Ok(None),
        }
    }

    /// Whether this delegate is one that the load asks.
    #[cfg_attr(not(feature = "tls"), allow(dead_code, reason = "TLS alone has terms"))]
    pub(crate) fn is_asked(&self, delegate: &DelegateId) -> bool {
        self.dialogue.as_ref().is_some_and(|dialogue| Arc::clone(dialogue).is_asked(delegate))
    }

    /// Asks which request follows a redirect; the proposed one if there is nobody to ask.
    pub(crate) fn redirect(
        &self,
        response: Response,
        proposed: Request,
        question: &mut Question,
    ) -> Result<Option<Request>, Error> {
        match &self.dialogue {
            Some(dialogue) => Arc::clone(dialogue).redirect(response, proposed, question),
            None => Ok(Some(proposed)),
        }
    }

    /// Waits until the load may go on where a redirect has led.
    pub(crate) fn arrive(&self) -> Result<(), Error> {
        match &self.dialogue {
            Some(dialogue) => Arc::clone(dialogue).arrive(),
            None => Ok(()),
        }
    }

    /// Asks for a body in place of one that can be sent once; `None` if there is none.
    pub(crate) fn new_body(&self, question: &mut Question) -> Result<Option<Body>, Error> {
        match &self.dialogue {
            Some(dialogue) => Arc::clone(dialogue).new_body(question),
            None => Ok(None),
        }
    }

    fn pauses(&self, may_leave: bool) -> Pauses {
        self.dialogue.as_ref().map(|dialogue| dialogue.pauses(may_leave)).unwrap_or_default()
    }
}

/// A wait that ends when the idle timer, the deadline or a cancel says so.
#[derive(Debug)]
pub(crate) struct Wait<'a> {
    context: &'a Context,
    began: Instant,
    /// The clock need not be asked again for the first look at the timers.
    is_first_look: Cell<bool>,
    /// What waits can go on with another thread.
    may_leave: bool,
}

impl Wait<'_> {
    /// Looks whether work may go on that takes long without waiting for anything: at a
    /// cancel, at both timers, and at a pause, whose end it waits for. To be done every 64 KiB
    /// or 10 ms.
    pub(crate) fn look(&self) -> Result<(), Error> {
        self.slice()?;
        match &self.context.dialogue {
            Some(dialogue) => Arc::clone(dialogue).rest(),
            None => Ok(()),
        }
    }

    /// Returns how long to block at most before asking again; an error ends the wait.
    /// `None` means for ever. It may say that the load [leaves](Context::leaves) its thread.
    pub(crate) fn slice(&self) -> Result<Option<Duration>, Error> {
        let context = self.context;
        context.check()?;
        let now = if self.is_first_look.take() { self.began } else { context.clock.now() };
        let pauses = context.pauses(self.may_leave);
        if pauses.leaves {
            return Err(Error::cancelled());
        }
        let left = left(context, self.began, now, pauses);
        if let (Some(Duration::ZERO), Some(deadline)) = (left.whole, context.deadline) {
            return Err(deadline.passed());
        }
        if left.idle == Some(Duration::ZERO) {
            return Err(was_silent(context.idle));
        }
        let least = match (left.idle, left.whole) {
            (Some(idle), Some(whole)) => Some(idle.min(whole)),
            (one, other) => one.or(other),
        };
        // Nothing wakes a wait when the load is to leave its thread.
        let least = match context.dialogue {
            Some(_) => Some(least.map_or(LOOK, |left| left.min(LOOK))),
            None => least,
        };
        Ok(least.map(|left| context.clock.slice(left)))
    }
}

#[cold]
fn was_silent(idle: Duration) -> Error {
    let detail =
        format!("the request timed out: no byte either way for {idle:?}, its timeout_for_request");
    Error::new(ErrorKind::TimedOut, detail)
}

/// How long a load waits before it looks again whether it leaves its thread.
const LOOK: Duration = Duration::from_secs(1);

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
    let idle_ends = idle_began.checked_add(context.idle);
    // So it is at the first look, which most waits end with.
    let idle = if idle_began == now { idle_ends.map(|_| context.idle) } else { until(idle_ends) };
    let whole = context.deadline.and_then(|deadline| deadline.at.checked_add(pauses.total));
    Left { idle, whole: until(whole) }
}

#[cfg(all(test, feature = "test-util"))]
mod tests;
