//! What has happened to the programs.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::AddAssign;

/// How often each thing happened.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) kills: u64,
    /// Ends that were told once more, as the kill came before they were acknowledged.
    pub(crate) again: u64,
    /// Uploads of which nobody knows what became of them.
    pub(crate) interrupted: u64,
    pub(crate) requests: u64,
    /// Answers that went on where it was interrupted.
    pub(crate) resumed: u64,
    /// The names of the points at which a program was killed.
    pub(crate) points: BTreeSet<String>,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.kills += other.kills;
        self.again += other.again;
        self.interrupted += other.interrupted;
        self.requests += other.requests;
        self.resumed += other.resumed;
        self.points.extend(other.points);
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kills, again, interrupted, requests, resumed, points } = self;
        write!(
            f,
            "{kills} kills at {} kinds of points; {again} ends told again, {interrupted} uploads \
             interrupted; {requests} requests, of which {resumed} went on",
            points.len(),
        )
    }
}
