//! The waiting line of a session: who runs next, and how many run at once.
//!
//! A data structure and nothing else: no thread, no lock, no clock. Jobs wait per host, in
//! order of priority, then age. The hosts that could start a job this moment stand in an
//! order of their own, by their best job, so that taking the next one never walks past the
//! jobs of a host whose house is full.
//!
//! Jobs live in B-trees rather than in hash tables and vectors: no operation ever moves the
//! whole line to a larger place, and a line that has become short gives its memory back. Hosts
//! are fewer, and no order of their names is asked for: a hash table is a third of the code.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
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
    /// The hosts with somebody waiting or running.
    hosts: HashMap<Arc<str>, Host>,
    /// Whoever is first of a host with a free place.
    ready: BTreeSet<Position>,
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
        let mut from = (0, 0);
        while let Some(&(rank, sequence)) = self.waiting.range(from..).next() {
            if sequence < number {
                return true;
            }
            from = (rank + 1, 0);
        }
        false
    }

    /// Whether it may be told of this host, which is noted.
    fn may_tell(&mut self, now: Instant) -> bool {
        let is_over = |told| now.saturating_duration_since(told) >= SILENCE;
        let may_tell = self.told.is_none_or(is_over);
        self.told = if may_tell { Some(now) } else { self.told };
        may_tell
    }
}

/// Where a job stands, by rank and ticket; the smallest is first. The type of the timer's moments,
/// too: the code of a tree is there once for each.
type Position = (u64, u64);

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
            hosts: HashMap::new(),
            ready: BTreeSet::new(),
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
        if let Some(known) = self.hosts.get_mut(&host) {
            known.waiting.remove(&(rank.0, ticket.0));
        }
        self.settle(&host);
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
        let before = (mem::replace(&mut waiting.rank, rank).0, ticket.0);
        let host = Arc::clone(&waiting.host);
        if let Some(known) = self.hosts.get_mut(&host) {
            known.waiting.remove(&before);
            known.waiting.insert((rank.0, ticket.0));
        }
        self.settle(&host);
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
        let first = *self.ready.first()?;
        let Waiting { host, job, .. } = self.jobs.remove(&Reverse(first.1))?;
        if let Some(known) = self.hosts.get_mut(&host) {
            known.waiting.remove(&first);
        }
        let place = self.take_place(host);
        Some((Ticket(first.1), job, place))
    }

    /// Takes a place of `host` if one is free. As long as everybody who may run was taken
    /// out by [`next`](Self::next), nobody is overtaken by that.
    pub(crate) fn try_take(&mut self, host: &str) -> Option<Place> {
        if self.running >= self.limits.in_all {
            return None;
        }
        if self.hosts.get(host).is_some_and(|known| known.running >= self.limits.per_host) {
            return None;
        }
        let (host, _) = self.host(host);
        Some(self.take_place(host))
    }

    /// Gives a place back.
    pub(crate) fn free(&mut self, place: Place) {
        let Some(host) = self.hosts.get_mut(&place.0) else {
            debug_assert!(false, "a place of another line");
            return;
        };
        host.running -= 1;
        self.running -= 1;
        self.settle(&place.0);
    }

    /// Takes a place at once, ahead of the line and over both limits.
    ///
    /// It counts as running: nobody else of `host`, or of the session, starts until their
    /// number is below the limit again.
    pub(crate) fn take_over_limits(&mut self, host: &str) -> Place {
        let (host, _) = self.host(host);
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
        let hosts = self.hosts.iter_mut();
        let stuck = hosts.filter(|(_, host)| host.has_older(number));
        stuck.filter_map(|(name, host)| host.may_tell(now).then(|| Arc::clone(name))).collect()
    }

    /// Whether it may be told that somebody waits for this host, which is noted.
    pub(crate) fn may_tell(&mut self, host: &str, now: Instant) -> bool {
        self.hosts.get_mut(host).is_some_and(|host| host.may_tell(now))
    }

    fn admit(&mut self, host: &str, rank: Rank, job: T) -> Ticket {
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        let (host, known) = self.host(host);
        known.waiting.insert((rank.0, sequence));
        self.settle(&host);
        self.jobs.insert(Reverse(sequence), Waiting { host, rank, job });
        Ticket(sequence)
    }

    fn take_place(&mut self, host: Arc<str>) -> Place {
        self.running += 1;
        if let Some(known) = self.hosts.get_mut(&host) {
            known.running += 1;
            // Without anybody who waits there is nothing to settle.
            if !known.waiting.is_empty() || known.ready_as.is_some() {
                self.settle(&host);
            }
        }
        Place(host)
    }

    /// Returns the host of that name, a new one if need be, and the one allocation of its
    /// name, so that 100,000 jobs do not keep 100,000 equal names.
    fn host(&mut self, name: &str) -> (Arc<str>, &mut Host) {
        let name = match self.hosts.get_key_value(name) {
            Some((known, _)) => Arc::clone(known),
            None => Arc::from(name),
        };
        let known = self.hosts.entry(Arc::clone(&name)).or_default();
        (name, known)
    }

    /// Puts a host that has changed in its place among the ready ones, and forgets one for
    /// which nobody waits or runs.
    fn settle(&mut self, name: &Arc<str>) {
        let Some(host) = self.hosts.get_mut(name) else { return };
        let has_place = host.running < self.limits.per_host;
        let first = if has_place { host.waiting.first().copied() } else { None };
        if first != host.ready_as {
            if let Some(before) = mem::replace(&mut host.ready_as, first) {
                self.ready.remove(&before);
            }
            if let Some(now) = first {
                self.ready.insert(now);
            }
        }
        // A few are kept: most sessions go on with hosts that they have had.
        if host.waiting.is_empty() && host.running == 0 && self.hosts.len() > KEPT_HOSTS {
            self.hosts.remove(name);
        }
    }
}

#[cfg(test)]
mod tests;
