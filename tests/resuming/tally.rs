//! What has happened to the downloads.

use std::fmt;
use std::ops::AddAssign;

/// How often each thing happened.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) cuts: u64,
    pub(crate) resets: u64,
    pub(crate) refusals: u64,
    pub(crate) restarts: u64,
    pub(crate) stops: u64,
    pub(crate) kills: u64,
    /// Kills that came when the file was at its place.
    pub(crate) late_kills: u64,
    pub(crate) changes: u64,
    /// Answers with the whole in place of the rest.
    pub(crate) wholes: u64,
    /// Answers that went on where it was interrupted, and how many bytes need not come again.
    pub(crate) resumed: u64,
    pub(crate) spared: u64,
    /// Bytes that had come before a kill, and those that were asked for once more.
    pub(crate) killed: u64,
    pub(crate) twice: u64,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.cuts += other.cuts;
        self.resets += other.resets;
        self.refusals += other.refusals;
        self.restarts += other.restarts;
        self.stops += other.stops;
        self.kills += other.kills;
        self.late_kills += other.late_kills;
        self.changes += other.changes;
        self.wholes += other.wholes;
        self.resumed += other.resumed;
        self.spared += other.spared;
        self.killed += other.killed;
        self.twice += other.twice;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} cuts, {} resets, {} refusals, {} restarts, {} cancels, {} kills ({} of them when \
             it was over), {} changes, {} answers without the part",
            self.cuts,
            self.resets,
            self.refusals,
            self.restarts,
            self.stops,
            self.kills,
            self.late_kills,
            self.changes,
            self.wholes,
        )?;
        write!(
            f,
            "went on {} times, which spared {} bytes; of {} that had come before a kill {} came \
             twice",
            self.resumed, self.spared, self.killed, self.twice
        )
    }
}
