//! The attempts that a task takes, of which one is under way at most.

use std::mem;
use std::num::NonZeroU64;
use std::time::{Duration, Instant};

use crate::cancel::CancelToken;
use crate::request::Request;

/// How long to wait before the next try to connect: at first, and at most.
const PATIENCE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// What its scheduler keeps of a task's attempts.
#[derive(Debug, Default)]
pub(crate) struct Attempts {
    /// Ends the attempt that is under way.
    token: Option<CancelToken>,
    /// The task was suspended during the attempt: its connection may have grown old.
    may_have_broken: bool,
    /// The attempt was ended to begin again later.
    starts_over: bool,
    /// Whether its thread has to leave it.
    leaving: Leaving,
    /// When it makes the next one.
    waits_until: Option<Instant>,
    /// It may do so before, if there is a connection.
    waits_to_connect: bool,
    /// The moment at which its scheduler's timer looks at it, as the timer counts.
    watched: Option<NonZeroU64>,
    /// With the body that a delegate gave, of which nothing was read.
    unsent: Option<Box<Request>>,
    /// How often it has tried to connect.
    connects: u32,
    /// How often it was tried again, by its policy.
    retries: u32,
    /// It had a place before, and goes ahead of those who never had one.
    had_place: bool,
}

/// How a transfer leaves the thread that runs it, to go on with another one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Leaving {
    /// It stays.
    #[default]
    Not,
    /// It leaves it as soon as that looks, where the transfer can be left.
    Wanted,
    /// It has done so.
    Done,
}

impl Attempts {
    /// Has the transfer leave its thread.
    pub(crate) fn leave_thread(&mut self) {
        if self.leaving == Leaving::Not {
            self.leaving = Leaving::Wanted;
        }
    }

    /// It may stay, unless it has left.
    pub(crate) fn stay(&mut self) {
        if self.leaving == Leaving::Wanted {
            self.leaving = Leaving::Not;
        }
    }

    /// The thread is gone; it may stay on the next one.
    pub(crate) fn thread_has_gone(&mut self) {
        self.leaving = Leaving::Not;
    }

    /// Leaves the thread, if that is wanted; asked by the thread itself.
    pub(crate) fn leaves(&mut self) -> bool {
        if self.leaving == Leaving::Wanted {
            self.leaving = Leaving::Done;
        }
        self.has_left()
    }

    /// Whether it has left its thread.
    pub(crate) fn has_left(&self) -> bool {
        self.leaving == Leaving::Done
    }

    /// Begins one; the token ends it.
    pub(crate) fn begin(&mut self) -> CancelToken {
        let token = CancelToken::new();
        self.token = Some(token.clone());
        self.may_have_broken = false;
        token
    }

    /// Returns what ends the one that is under way.
    pub(crate) fn token(&self) -> Option<CancelToken> {
        self.token.clone()
    }

    /// Has something else end the one that is under way, as what did so before was used.
    pub(crate) fn renew(&mut self) {
        self.token = Some(CancelToken::new());
    }

    /// It is over.
    pub(crate) fn end(&mut self) -> Option<CancelToken> {
        self.starts_over = false;
        self.leaving = Leaving::Not;
        self.token.take()
    }

    /// Has it be over, and another one begin; returns what ends it.
    pub(crate) fn start_over(&mut self) -> Option<CancelToken> {
        self.starts_over = true;
        self.token.clone()
    }

    pub(crate) fn starts_over(&self) -> bool {
        self.starts_over
    }

    /// The task is suspended, during which its connection may grow old.
    pub(crate) fn suspended(&mut self) {
        self.may_have_broken = true;
    }

    /// Whether its connection may have grown old.
    pub(crate) fn may_have_broken(&self) -> bool {
        self.may_have_broken
    }

    /// Notes that the task gave up a place.
    pub(crate) fn gave_up_place(&mut self) {
        self.had_place = true;
    }

    pub(crate) fn had_place(&self) -> bool {
        self.had_place
    }

    /// Returns how long to wait before it tries to connect once more.
    pub(crate) fn patience(&self) -> Duration {
        PATIENCE.0.saturating_mul(1 << self.connects.min(16)).min(PATIENCE.1)
    }

    /// How often it was tried again, by its policy.
    pub(crate) fn retries(&self) -> u32 {
        self.retries
    }

    /// Keeps the request whose body a delegate gave, for the next attempt.
    pub(crate) fn keep_body(&mut self, request: Option<&Request>) {
        self.unsent = request.cloned().map(Box::new);
    }

    pub(crate) fn take_body(&mut self) -> Option<Box<Request>> {
        self.unsent.take()
    }

    /// Has it wait until it tries to connect once more.
    pub(crate) fn wait_to_connect(&mut self, until: Instant) {
        (self.waits_until, self.waits_to_connect) = (Some(until), true);
        self.connects = self.connects.saturating_add(1);
    }

    /// It waits as after its first try.
    pub(crate) fn network_has_changed(&mut self) {
        self.connects = 0;
    }

    /// Has it wait until it is tried again, not before.
    pub(crate) fn wait_to_retry(&mut self, until: Instant) {
        (self.waits_until, self.waits_to_connect) = (Some(until), false);
        self.retries = self.retries.saturating_add(1);
    }

    /// Those before do not count any more.
    pub(crate) fn forget_retries(&mut self) {
        self.retries = 0;
    }

    /// It waits no more.
    pub(crate) fn go_on(&mut self) {
        self.waits_until = None;
    }

    /// Notes when its scheduler's timer looks at it; returns what was noted before.
    pub(crate) fn watched(&mut self, moment: Option<NonZeroU64>) -> Option<NonZeroU64> {
        mem::replace(&mut self.watched, moment)
    }

    /// When it makes the next one, if it waits for that.
    pub(crate) fn waits_until(&self) -> Option<Instant> {
        self.waits_until
    }

    /// Whether it waits for a connection, and for nothing else.
    pub(crate) fn waits_to_connect(&self) -> bool {
        self.waits_until.is_some() && self.waits_to_connect
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_from_a_second_to_a_minute() {
        for (connects, seconds) in
            [(0, 1), (1, 2), (2, 4), (3, 8), (4, 16), (5, 32), (6, 60), (7, 60), (u32::MAX, 60)]
        {
            let attempts = Attempts { connects, ..Attempts::default() };
            assert_eq!(attempts.patience().as_secs(), seconds, "after {connects}");
        }
    }
}
