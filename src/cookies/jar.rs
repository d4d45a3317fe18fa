//! [`Jar`]: the cookies that are kept, by domain, and which of them go where.

use std::cell::Cell;
use std::cmp::Reverse;
use std::collections::HashMap;

use url::Url;

use super::changes::Changes;
use super::cookie::{Cookie, is_secure};
use super::host::{Host, is_below};
use super::moment::{LONGEST_LIFE, Moment};
use super::path;

/// As many as Chromium keeps for one domain (RFC 6265bis §6.1 asks for 50).
pub(super) const MOST_OF_DOMAIN: usize = 180;

/// As many as it keeps in all (RFC 6265bis §6.1 asks for 3,000).
pub(super) const MOST: usize = 3_300;

/// Cookies by the domain that they are for. A request looks at those of its host and of the
/// domains above it, so what others have makes no difference to it.
#[derive(Debug, Default)]
pub(super) struct Jar {
    /// Without empty lists. Those of a domain stand in the order in which they are sent.
    domains: HashMap<Box<str>, Vec<Kept>>,
    count: usize,
    /// When the last one was created: no two are at once.
    last: Moment,
    /// What a file has to be told, if there is one.
    pub(super) changes: Option<Changes>,
}

#[derive(Debug)]
struct Kept {
    cookie: Cookie,
    /// When it was sent or set last. It is noted while others are looked at.
    used: Cell<Moment>,
}

impl Kept {
    /// RFC 6265bis §5.8.3: longer paths go first, and of equals what was created first.
    fn order(&self) -> (Reverse<usize>, Moment) {
        (Reverse(self.cookie.path.len()), self.cookie.created)
    }

    /// RFC 6265bis §5.7: of too many, what is not protected goes first, then what was not used
    /// for the longest time.
    fn worth(&self) -> (bool, Moment, Moment) {
        (self.cookie.secure, self.used.get(), self.cookie.created)
    }
}

impl Jar {
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// Returns all, in the order in which they were created.
    pub(super) fn all(&self, now: Moment) -> Vec<Cookie> {
        let kept = self.domains.values().flatten().map(|kept| &kept.cookie);
        let mut all: Vec<_> = kept.filter(|cookie| !cookie.has_expired(now)).cloned().collect();
        all.sort_unstable_by_key(|cookie| cookie.created);
        all
    }

    /// Returns those that go along with a request to `url`, in the order in which they are sent
    /// (RFC 6265bis §5.8.3), and notes that they are used.
    pub(super) fn matching(&self, url: &Url, now: Moment) -> Vec<&Cookie> {
        let Some(host) = Host::of(url) else { return Vec::new() };
        let (request, is_secure) = (url.path(), is_secure(url));
        let (mut found, mut domains) = (Vec::<&Kept>::new(), 0);
        for domain in host.and_above() {
            let Some(kept) = self.domains.get(domain) else { continue };
            let is_own = domain.len() == host.name.len();
            let goes = |kept: &&Kept| {
                let cookie = &kept.cookie;
                (is_own || !cookie.host_only)
                    && (is_secure || !cookie.secure)
                    && path::matches(request, &cookie.path)
                    && !cookie.has_expired(now)
            };
            found.reserve(kept.len());
            found.extend(kept.iter().filter(goes));
            domains += 1;
        }
        if domains > 1 {
            found.sort_by_key(|kept| kept.order());
        }
        found.into_iter().map(|kept| (kept.used.set(now), &kept.cookie).1).collect()
    }

    /// Keeps a cookie of a response to `url`; returns whether anything has changed.
    pub(super) fn take(&mut self, cookie: Cookie, url: &Url, now: Moment) -> bool {
        let is_protected = !cookie.secure && !is_secure(url) && self.has_protected(&cookie);
        !is_protected && self.put(cookie, now)
    }

    /// RFC 6265bis §5.7, step 18: whether there is a cookie that who speaks without TLS must
    /// neither replace nor stand in front of.
    fn has_protected(&self, new: &Cookie) -> bool {
        let stands_before = |kept: &Kept| {
            let old = &kept.cookie;
            old.secure && old.name == new.name && path::matches(&new.path, &old.path)
        };
        let is_near = |domain: &str| {
            domain == &*new.domain || is_below(domain, &new.domain) || is_below(&new.domain, domain)
        };
        let near = self.domains.iter().filter(|(domain, _)| is_near(domain));
        near.flat_map(|(_, kept)| kept).any(stands_before)
    }

    /// Keeps a cookie in place of the same one before (RFC 6265bis §5.7, steps 23 and 24); one
    /// whose time is over removes that. Returns whether anything has changed.
    pub(super) fn put(&mut self, mut cookie: Cookie, now: Moment) -> bool {
        let latest = now.saturating_add(LONGEST_LIFE);
        cookie.expires = cookie.expires.map(|expires| expires.min(latest));
        let old = self.remove(&cookie);
        if cookie.has_expired(now) {
            return old.is_some();
        }
        self.last = self.last.saturating_add(1).max(now);
        cookie.created = old.as_ref().map_or(self.last, |old| old.created);
        let has_changed = old.as_ref() != Some(&cookie);
        if let Some(changes) = self.changes.as_mut().filter(|_| has_changed) {
            changes.put(&cookie);
        }
        let domain = cookie.domain.clone();
        self.insert(cookie, now);
        self.evict(&domain, now);
        has_changed
    }

    /// Puts a cookie where it stands.
    pub(super) fn insert(&mut self, cookie: Cookie, used: Moment) {
        self.last = self.last.max(cookie.created);
        let of_domain = match self.domains.get_mut(&cookie.domain) {
            Some(of_domain) => of_domain,
            None => self.domains.entry(cookie.domain.clone()).or_default(),
        };
        let kept = Kept { cookie, used: Cell::new(used) };
        let order = kept.order();
        let at = of_domain.partition_point(|before| before.order() <= order);
        of_domain.insert(at, kept);
        self.count += 1;
    }

    /// Removes a cookie of the same name, domain and path; returns it.
    pub(super) fn remove(&mut self, cookie: &Cookie) -> Option<Cookie> {
        let of_domain = self.domains.get_mut(&cookie.domain)?;
        let at = of_domain.iter().position(|kept| kept.cookie.is_same(cookie))?;
        let removed = of_domain.remove(at).cookie;
        if of_domain.is_empty() {
            self.domains.remove(&cookie.domain);
        }
        self.count -= 1;
        if let Some(changes) = &mut self.changes {
            changes.remove(&removed);
        }
        Some(removed)
    }

    /// Removes each that `is_meant`; returns whether there was one.
    pub(super) fn remove_each(&mut self, is_meant: impl Fn(&Cookie) -> bool) -> bool {
        let kept = self.domains.values().flatten().map(|kept| &kept.cookie);
        let meant: Vec<_> = kept.filter(|cookie| is_meant(cookie)).cloned().collect();
        for cookie in &meant {
            self.remove(cookie);
        }
        !meant.is_empty()
    }

    /// Keeps to the limits: what has expired goes first.
    fn evict(&mut self, domain: &str, now: Moment) {
        if self.domains.get(domain).is_some_and(|kept| kept.len() > MOST_OF_DOMAIN)
            && !self.remove_each(|cookie| &*cookie.domain == domain && cookie.has_expired(now))
        {
            let least =
                self.domains.get(domain).into_iter().flatten().min_by_key(|one| one.worth());
            let least = least.map(|kept| kept.cookie.clone());
            least.map(|cookie| self.remove(&cookie));
        }
        if self.count > MOST && !self.remove_each(|cookie| cookie.has_expired(now)) {
            let all = self.domains.values().flatten();
            let least = all.min_by_key(|kept| (kept.used.get(), kept.cookie.created));
            let least = least.map(|kept| kept.cookie.clone());
            least.map(|cookie| self.remove(&cookie));
        }
    }
}

#[cfg(test)]
mod tests;
