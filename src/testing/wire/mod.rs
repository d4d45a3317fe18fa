//! HTTP/1.1 as bytes: requests read by hand and strictly, answers written by plan.
//!
//! Nothing here is shared with the client of this crate, so that the two check each other.

mod head;
mod receive;
mod send;

use std::io;
use std::time::{Duration, Instant};

use super::link::Link;
use super::state::Shared;

pub(super) use head::{Framing, Head, all, first};
pub(super) use receive::{body, head as receive_head, skip};
pub(super) use send::{RequestFacts, answer, informational};

/// Why a connection cannot go on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Trouble {
    /// The client broke the protocol.
    Malformed(String),
    /// The client went away, or the server is ending.
    Gone,
}

impl From<io::Error> for Trouble {
    fn from(_: io::Error) -> Self {
        Self::Gone
    }
}

/// How a connection is held.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Hold {
    /// Until so much time is over.
    For(Duration),
    /// Until the test releases it.
    UntilReleased,
    /// Until the test releases it, leaving what the client sends in the socket.
    WithoutReading,
    /// Until so much time is over, leaving what the client sends in the socket.
    WithoutReadingFor(Duration),
}

impl Hold {
    fn time(self) -> Option<Duration> {
        match self {
            Self::For(time) | Self::WithoutReadingFor(time) => Some(time),
            Self::UntilReleased | Self::WithoutReading => None,
        }
    }

    fn reads(self) -> bool {
        matches!(self, Self::For(_) | Self::UntilReleased)
    }
}

/// How many bytes make one of about fifty pieces a second at this rate.
fn piece_at(bytes_per_second: u64) -> u64 {
    (bytes_per_second / 50).max(1)
}

/// How long so many bytes take at this rate.
fn time_at(bytes_per_second: u64, bytes: u64) -> Duration {
    Duration::from_secs_f64(bytes as f64 / bytes_per_second as f64)
}

/// How soon it is noticed that the client of a held connection has left, at first. The server's
/// end, and what a test does, are noticed at once.
pub(super) const TICK: Duration = Duration::from_millis(10);
/// How soon that is noticed once a connection has been held for long: hundreds of them that look
/// at their sockets would leave little of the machine to what is tested.
const LAST_TICK: Duration = Duration::from_millis(250);

/// Holds a connection; fails if the client leaves or the server ends.
pub(super) fn hold(link: &mut Link, shared: &Shared, how: Hold) -> Result<(), Trouble> {
    let stalls = how.time().is_none();
    let releases = shared.change(|state| {
        state.stats.stalled += u64::from(stalls);
        state.releases
    });
    let result = held(link, shared, how, releases);
    if stalls {
        shared.change(|state| state.stats.stalled -= 1);
    }
    result
}

fn held(link: &mut Link, shared: &Shared, how: Hold, releases: u64) -> Result<(), Trouble> {
    let deadline = how.time().map(|time| Instant::now() + time);
    let mut tick = TICK;
    loop {
        if how.reads() && link.client_left() {
            return Err(Trouble::Gone);
        }
        let left = deadline.map(|at| at.saturating_duration_since(Instant::now()));
        if left == Some(Duration::ZERO) {
            return Ok(());
        }
        let told = shared.hold(left.unwrap_or(tick).min(tick), |state| {
            match (state.closing, deadline.is_none() && state.releases != releases) {
                (true, _) => Some(Err(Trouble::Gone)),
                (false, true) => Some(Ok(())),
                (false, false) => None,
            }
        });
        if let Some(result) = told {
            return result;
        }
        tick = (2 * tick).min(LAST_TICK);
    }
}
