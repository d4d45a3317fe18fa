//! The waiting line of a session: who runs next, and how many run at once.
//!
//! A data structure and nothing else: no thread, no lock, no clock. Jobs wait per host, in
//! order of priority, then age. The hosts that could start a job this moment stand in an
//! order of their own, by their best job, so that taking the next one never walks past the
//! jobs of a host whose house is full.
//!
//! Jobs live in B-trees rather than in hash tables and vectors: no operation ever moves the
//! whole line to a larger place, and a line that has become short gives its memory back. Hosts
//! are fewer, and a tree of them is 12 KB of code, but a call looks for its own several times:
//! they stand in order in a vector, as a hash table cost it 1,200 instructions.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::session::task::{Place, Ticket};

/// How many hosts are remembered for which nobody waits or runs.
const KEPT_HOSTS: usize = 64;

/// How long nothing more is told of a host of which it was told.
const SILENCE: Duration = Duration::from_secs(60);

/// How many jobs run at once. A limit of 0 counts as 1: otherwise nothing would ever run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Of the session, whatever their hosts.
    pub(crate) in_all: usize,
    /// Of each host.
    pub(crate) per_host: usize,
}

/// Jobs that wait for a place, and a count of those that have one.
///
/// `T` is held by value in trees whose nodes are about half full: let it be as small as a
/// pointer.
#[derive(Debug)]
pub(crate) struct Line<T> {
    limits: Limits,
    /// Every waiting job, the newest first: the place of one that comes is then found by
    /// looking at one entry of each node.
    jobs: BTreeMap<Reverse<u64>, Waiting<T>>,
    /// The hosts with somebody waiting or running, in the order of their names.
    hosts: Vec<(Arc<str>, Box<Host>)>,
    /// Whoever is first of a host with a free place.
    ready: Ready,
    running: usize,
    next_sequence: u64,
}

#[derive(Debug)]
struct Waiting<T> {
    /// The same allocation for all jobs of a host.
    host: Arc<str>,
    rank: Rank,
    job: T,
}

#[derive(Debug, Default)]
struct Host {
    /// The first stands last, as in [`Line::jobs`].
    waiting: BTreeSet<Position>,
    running: usize,
    /// Where it stands in [`Line::ready`].
    ready_as: Option<Position>,
    /// When it was last told that somebody waits for long.
    told: Option<Instant>,
}

impl Host {
    /// Whether somebody waits who came before the job of this number. Of each priority the oldest
    /// stands first.
    fn has_older(&self, number: u64) -> bool {
        let mut behind = None;
        while let Some(&(rank, sequence)) = match behind {
            None => self.waiting.last(),
            Some(rank) => self.waiting.range(..(rank, 0)).next_back(),
        } {
            if !sequence < number {
                return true;
            }
            behind = Some(rank);
        }
        false
    }

    /// Takes a job out that waits.
    fn forget(&mut self, position: Position) {
        // Most are the first, for which nothing has to be looked for.
        if self.waiting.last() == Some(&position) {
            self.waiting.pop_last();
        } else {
            self.waiting.remove(&position);
        }
    }

    /// Puts it in its place among the `ready` ones; there is one if fewer than `most` run.
    fn settle(&mut self, ready: &mut Ready, most: usize) {
        let first = if self.running < most { self.waiting.last().copied() } else { None };
        if first == self.ready_as {
            return;
        }
        if let Some(before) = mem::replace(&mut self.ready_as, first) {
            ready.remove(before);
        }
        if let Some(now) = first {
            ready.insert(now);
        }
    }

    /// Whether it may be told of this host, which is noted.
    fn may_tell(&mut self, now: Instant) -> bool {
        let is_over = |told| now.saturating_duration_since(told) >= SILENCE;
        let may_tell = self.told.is_none_or(is_over);
        self.told = if may_tell { Some(now) } else { self.told };
        may_tell
    }
}

/// Those who may start. In most sessions that is one at a time, so the first stands apart from the
/// tree of the others.
#[derive(Debug, Default)]
struct Ready {
    first: Option<Position>,
    others: BTreeSet<Position>,
}

impl Ready {
    fn insert(&mut self, position: Position) {
        let (first, other) = match self.first {
            None => (position, None),
            Some(first) => (first.max(position), Some(first.min(position))),
        };
        self.first = Some(first);
        self.others.extend(other);
    }

    fn remove(&mut self, position: Position) {
        if self.first == Some(position) {
            self.first = self.others.pop_last();
        } else {
            self.others.remove(&position);
        }
    }
}

/// Where a job stands, by rank and ticket, both turned round: the largest is first, and one that
/// comes finds its place among those of its rank by looking at one entry of each node. The type
/// of the timer's moments, too: the code of a tree is there once for each.
type Position = (u64, u64);

fn position(rank: Rank, sequence: u64) -> Position {
    (!rank.0, !sequence)
}

/// 0 for those who gave a place back, then priorities from the highest to the lowest.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Rank(u64);

impl Rank {
    const RETURNING: Self = Self(0);

    /// NaN means what no priority means; beyond the ends counts as the end.
    fn of(priority: f32) -> Self {
        let known = if priority.is_nan() { 0.5 } else { priority };
        // The bits of floats that are not negative are in the order of the floats; `abs`
        // takes the sign off a negative zero.
        Self((1 + 1_f32.to_bits() - known.clamp(0.0, 1.0).abs().to_bits()).into())
    }
}

impl<T> Line<T> {
    pub(crate) fn new(limits: Limits) -> Self {
        let limits = Limits { in_all: limits.in_all.max(1), per_host: limits.per_host.max(1) };
        Self {
            limits,
            jobs: BTreeMap::new(),
            hosts: Vec::new(),
            ready: Ready::default(),
            running: 0,
            next_sequence: 0,
        }
    }

    /// Lets `job` wait behind all whose priority is as high or higher.
    ///
    /// `priority` is from 0.0 to 1.0, higher goes first; NaN counts as 0.5.
    pub(crate) fn push(&mut self, host: &str, priority: f32, job: T) -> Ticket {
        self.admit(host, Rank::of(priority), job)
    }

    /// Lets a job that had a place and gave it back wait ahead of all that never had one,
    /// whatever their priority, and behind those that returned before it.
    pub(crate) fn push_returning(&mut self, host: &str, job: T) -> Ticket {
        self.admit(host, Rank::RETURNING, job)
    }

    /// Takes a job out of the line; `None` if it does not wait any more.
    pub(crate) fn remove(&mut self, ticket: Ticket) -> Option<T> {
        let Waiting { host, rank, job } = self.jobs.remove(&Reverse(ticket.0))?;
        self.change(&host, &mut |known| known.forget(position(rank, ticket.0)));
        Some(job)
    }

    /// Gives a waiting job another priority and leaves it its age; `false` if it does not
    /// wait any more. One that returned stays ahead of the line.
    pub(crate) fn set_priority(&mut self, ticket: Ticket, priority: f32) -> bool {
        let Some(waiting) = self.jobs.get_mut(&Reverse(ticket.0)) else { return false };
        if waiting.rank == Rank::RETURNING {
            return true;
        }
        let rank = Rank::of(priority);
        let before = mem::replace(&mut waiting.rank, rank);
        let host = Arc::clone(&waiting.host);
        self.change(&host, &mut |known| {
            known.forget(position(before, ticket.0));
            known.waiting.insert(position(rank, ticket.0));
        });
        true
    }

    /// Whether the job waits still.
    pub(crate) fn has(&self, ticket: Ticket) -> bool {
        self.jobs.contains_key(&Reverse(ticket.0))
    }

    /// Takes out the first job that may run now, with its ticket and its place; `None` if
    /// every place of the session is taken, or every place of every host that somebody
    /// waits for.
    pub(crate) fn next(&mut self) -> Option<(Ticket, T, Place)> {
        if self.running >= self.limits.in_all {
            return None;
        }
        let first = self.ready.first?;
        let sequence = Reverse(!first.1);
        // Most are the oldest, too.
        let is_oldest = self.jobs.last_key_value().is_some_and(|(oldest, _)| *oldest == sequence);
        let oldest = if is_oldest { self.jobs.pop_last() } else { None };
        let waiting = oldest.map(|(_, waiting)| waiting);
        let Waiting { host, job, .. } = waiting.or_else(|| self.jobs.remove(&sequence))?;
        self.running += 1;
        self.change(&host, &mut |known| {
            known.forget(first);
            known.running += 1;
        });
        Some((Ticket(sequence.0), job, Place(host)))
    }

    /// Takes a place of `host` if one is free. As long as everybody who may run was taken
    /// out by [`next`](Self::next), nobody is overtaken by that.
    pub(crate) fn try_take(&mut self, host: &str) -> Option<Place> {
        if self.running >= self.limits.in_all {
            return None;
        }
        let per_host = self.limits.per_host;
        if self.known(host).is_some_and(|known| known.running >= per_host) {
            return None;
        }
        let host = self.host(host);
        Some(self.take_place(host))
    }

    /// Gives a place back.
    pub(crate) fn free(&mut self, place: Place) {
        self.running -= 1;
        self.change(&place.0, &mut |known| known.running -= 1);
    }

    /// Takes a place at once, ahead of the line and over both limits.
    ///
    /// It counts as running: nobody else of `host`, or of the session, starts until their
    /// number is below the limit again.
    pub(crate) fn take_over_limits(&mut self, host: &str) -> Place {
        let host = self.host(host);
        self.take_place(host)
    }

    /// Returns how many wait.
    pub(crate) fn waiting(&self) -> usize {
        self.jobs.len()
    }

    /// Returns the number of the job that comes next.
    pub(crate) fn next_number(&self) -> u64 {
        self.next_sequence
    }

    /// Returns the hosts for which a job waits that came before the one of this number, and of
    /// which it was not told within the last minute.
    pub(crate) fn stuck(&mut self, number: u64, now: Instant) -> Vec<Arc<str>> {
        let mut stuck = Vec::new();
        for (name, host) in &mut self.hosts {
            if host.has_older(number) && host.may_tell(now) {
                stuck.push(Arc::clone(name));
            }
        }
        stuck
    }

    /// Whether it may be told that somebody waits for this host, which is noted.
    pub(crate) fn may_tell(&mut self, host: &str, now: Instant) -> bool {
        self.known(host).is_some_and(|host| host.may_tell(now))
    }

    fn admit(&mut self, host: &str, rank: Rank, job: T) -> Ticket {
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        let host = self.host(host);
        self.change(&host, &mut |known| {
            known.waiting.insert(position(rank, sequence));
        });
        self.jobs.insert(Reverse(sequence), Waiting { host, rank, job });
        Ticket(sequence)
    }

    fn take_place(&mut self, host: Arc<str>) -> Place {
        self.running += 1;
        self.change(&host, &mut |known| known.running += 1);
        Place(host)
    }

    /// Returns the one allocation of a host's name, so that 100,000 jobs do not keep 100,000 equal
    /// names; the host is known from now on.
    fn host(&mut self, name: &str) -> Arc<str> {
        let at = self.find(name).unwrap_or_else(|at| {
            self.hosts.insert(at, (Arc::from(name), Box::default()));
            at
        });
        Arc::clone(&self.hosts[at].0)
    }

    /// Returns where the host of this name is, or would be.
    fn find(&self, name: &str) -> Result<usize, usize> {
        self.hosts.binary_search_by(|(known, _)| (**known).cmp(name))
    }

    fn known(&mut self, name: &str) -> Option<&mut Host> {
        self.find(name).ok().map(|at| &mut *self.hosts[at].1)
    }

    /// Changes a host, puts it in its place among the ready ones, and forgets one for which nobody
    /// waits or runs.
    fn change(&mut self, name: &str, change: &mut dyn FnMut(&mut Host)) {
        let Ok(at) = self.find(name) else {
            debug_assert!(false, "a host of another line");
            return;
        };
        let host = &mut self.hosts[at].1;
        change(host);
        host.settle(&mut self.ready, self.limits.per_host);
        // A few are kept: most sessions go on with hosts that they have had.
        if host.waiting.is_empty() && host.running == 0 && self.hosts.len() > KEPT_HOSTS {
            self.hosts.remove(at);
        }
    }
}

#[cfg(test)]
mod tests;
