//! Which hosts are known, and for how long: pure.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;
use std::time::SystemTime;

use super::policy::Policy;
use super::seconds;
use crate::shared_file::{Changes, Content};

/// How many hosts are known at most: more than anybody meets. One that makes up names for its
/// sub-domains makes the one forgotten that would be next.
const MOST: usize = 20_000;

/// The hosts that have asked for https alone, by their canonical name.
#[derive(Debug, Default)]
pub(super) struct KnownHosts(HashMap<Box<str>, Entry>);

/// What is known of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Seconds since 1970.
    expires: u64,
    includes_subdomains: bool,
}

/// What is to be known from now on.
#[derive(Debug, Default)]
pub(super) struct Change {
    /// Nothing, but for these hosts.
    clears: bool,
    hosts: BTreeMap<Box<str>, Option<Entry>>,
}

/// Returns the name by which a host is known, for one that a URL has: that is in lower case, and
/// ASCII, already. A name that ends in a dot is the same (RFC 6797 §10: RFC 1034 §3.1).
pub(super) fn canonical(host: &str) -> &str {
    host.strip_suffix('.').unwrap_or(host)
}

impl KnownHosts {
    /// Whether a host, or one above it that has included its sub-domains, is known (RFC 6797
    /// §8.2): what a sub-domain has said of itself changes nothing about what that has said.
    pub(super) fn covers(&self, host: &str, now: u64) -> bool {
        let is_known = |name: &str| self.0.get(name).filter(|entry| now < entry.expires);
        let host = canonical(host);
        let above = host.match_indices('.').map(|(dot, _)| &host[dot + 1..]);
        is_known(host).is_some()
            || above.filter_map(is_known).any(|entry| entry.includes_subdomains)
    }

    /// Returns what a policy that a host has sent changes (RFC 6797 §8.1), if it is something.
    ///
    /// A host that says the same with each response is not written down each time: it has to move
    /// its end by a hundredth of its time.
    pub(super) fn change(&self, host: &str, policy: Policy, now: u64) -> Option<Change> {
        let host = canonical(host);
        let known = self.0.get(host).filter(|entry| now < entry.expires);
        let entry = Entry {
            expires: now.saturating_add(policy.max_age),
            includes_subdomains: policy.includes_subdomains,
        };
        let is_same = |known: &Entry| {
            known.includes_subdomains == entry.includes_subdomains
                && known.expires.abs_diff(entry.expires) <= policy.max_age / 100
        };
        let changed = match known {
            None if policy.max_age == 0 => return None,
            Some(known) if policy.max_age > 0 && is_same(known) => return None,
            _ => (policy.max_age > 0).then_some(entry),
        };
        Some(Change { clears: false, hosts: BTreeMap::from([(host.into(), changed)]) })
    }

    /// Forgets those whose time is over soonest, if there are too many.
    fn trim(&mut self) {
        if self.0.len() <= MOST {
            return;
        }
        let mut ends: Vec<u64> = self.0.values().map(|entry| entry.expires).collect();
        let surplus = ends.len() - MOST;
        let (_, last, _) = ends.select_nth_unstable(surplus - 1);
        let last = *last;
        self.0.retain(|_, entry| entry.expires > last);
    }
}

impl Content for KnownHosts {
    const NAME: &'static str = "hsts";
    const VERSION: u32 = 1;

    type Changes = Change;

    fn from_text(text: &str) -> Option<Self> {
        text.lines().map(read).collect::<Option<_>>().map(Self)
    }

    fn to_text(&self, date: SystemTime) -> String {
        let now = seconds(date);
        let mut hosts: Vec<_> = self.0.iter().filter(|(_, entry)| now < entry.expires).collect();
        hosts.sort_unstable_by_key(|(host, _)| *host);
        let mut text = String::new();
        for (host, Entry { expires, includes_subdomains }) in hosts {
            let all = if *includes_subdomains { " sub-domains" } else { "" };
            // Writing to a string does not fail.
            let _ = writeln!(text, "{host} {expires}{all}");
        }
        text
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn merge(&mut self, changes: &Change) {
        if changes.clears {
            self.0.clear();
        }
        for (host, entry) in &changes.hosts {
            match entry {
                Some(entry) => self.0.insert(host.clone(), *entry),
                None => self.0.remove(host),
            };
        }
        self.trim();
    }
}

/// Reads a line.
fn read(line: &str) -> Option<(Box<str>, Entry)> {
    let mut words = line.split(' ');
    let (host, expires) = (words.next()?, words.next()?.parse().ok()?);
    let includes_subdomains = match words.next() {
        None => false,
        Some("sub-domains") => true,
        Some(_) => return None,
    };
    let is_line = !host.is_empty() && words.next().is_none();
    is_line.then(|| (host.into(), Entry { expires, includes_subdomains }))
}

impl Change {
    /// Nothing is known any more.
    pub(super) fn clear() -> Self {
        Self { clears: true, hosts: BTreeMap::new() }
    }
}

impl Changes for Change {
    fn is_empty(&self) -> bool {
        !self.clears && self.hosts.is_empty()
    }

    fn then(&mut self, later: Self) {
        if later.clears {
            *self = later;
        } else {
            self.hosts.extend(later.hosts);
        }
    }
}

#[cfg(test)]
mod tests;
