//! HTTP Strict Transport Security (RFC 6797): which hosts are to be loaded from by https alone.
//!
//! `policy` reads what a server says, `known` is what was learned of all of them: pure. What is
//! learned lies in a [`SharedFile`], or in memory.

mod known;
mod policy;

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};

use url::{Host, Url};

use crate::clock::Clock;
use crate::headers::Headers;
use crate::shared_file::{self, SharedFile};
use known::{Change, KnownHosts};
use policy::Policy;

/// Whether a session keeps to what hosts ask for by `Strict-Transport-Security`; see
/// [`Configuration::hsts`](crate::Configuration::hsts).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Hsts {
    /// It does not: each request goes where its URL says, and nothing is learned.
    Off,
    /// It does, and forgets what it has learned when it ends.
    InMemory,
    /// It does, and all sessions of the program that say the same share what they have learned,
    /// in whichever process and run.
    #[default]
    Persistent,
}

/// What a session knows of hosts.
#[derive(Debug)]
pub(crate) struct HstsStorage {
    /// Where it lies, if not in memory. Boxed: it is looked at once.
    place: Option<Box<(Option<PathBuf>, Option<String>)>>,
    clock: Clock,
    /// Opened when it is first needed.
    known: OnceLock<Arc<SharedFile<KnownHosts>>>,
}

impl HstsStorage {
    /// Knows nothing, and forgets what it learns.
    pub(crate) fn in_memory(clock: &Clock) -> Self {
        Self { place: None, clock: clock.clone(), known: OnceLock::new() }
    }

    /// Knows what a program has learned, in `state` or the user's state folder.
    pub(crate) fn of_program(state: Option<&Path>, program: Option<&str>, clock: &Clock) -> Self {
        let place = (state.map(Path::to_owned), program.map(str::to_owned));
        Self { place: Some(Box::new(place)), ..Self::in_memory(clock) }
    }

    #[cold]
    fn open(&self) -> Arc<SharedFile<KnownHosts>> {
        match self.place.as_deref() {
            None => SharedFile::in_memory(self.clock.clone()),
            Some((state, program)) => {
                shared_file::opened(state.as_deref(), program.as_deref(), &self.clock)
            }
        }
    }

    fn known(&self) -> &SharedFile<KnownHosts> {
        self.known.get_or_init(|| self.open())
    }

    /// Returns the URL to load in place of this one, if its host is known, after a look at what
    /// other processes have learned. Called with no lock held.
    #[inline]
    pub(crate) fn secured(&self, url: &Url) -> Option<Url> {
        insecure_host(url)?;
        self.known().refresh();
        self.secured_as_known(url)
    }

    /// Does the same, by what this process knows.
    #[inline]
    pub(crate) fn secured_as_known(&self, url: &Url) -> Option<Url> {
        let host = insecure_host(url)?;
        let known = self.known.get().filter(|known| !known.is_empty())?;
        let now = seconds(self.clock.date());
        if known.read(|known| known.covers(host, now)) { secure(url) } else { None }
    }

    /// Learns from the headers of a response that came from `url` over a connection about which
    /// nothing is wrong.
    #[inline]
    pub(crate) fn learn(&self, url: &Url, headers: &Headers) {
        // RFC 6797 §8.1: only the first of several fields counts.
        if let Some(value) = headers.get("strict-transport-security") {
            self.learn_from(url, value);
        }
    }

    #[cold]
    fn learn_from(&self, url: &Url, value: &str) {
        let (Some(Host::Domain(host)), Some(policy)) = (url.host(), Policy::parse(value)) else {
            return;
        };
        let known = self.known();
        known.refresh();
        let now = seconds(self.clock.date());
        let change = known.read(|known| known.change(host, policy, now));
        if let Some(change) = change {
            known.change(change);
        }
    }

    /// Forgets all hosts, for all who share what is known of them.
    pub(crate) fn reset(&self) {
        self.known().change(Change::clear());
        self.known().flush();
    }

    /// Brings what was learned to the disk.
    pub(crate) fn flush(&self) {
        self.known.get().into_iter().for_each(|known| known.flush());
    }
}

/// Returns the name that is asked for without TLS; never an address (RFC 6797 §8.3).
fn insecure_host(url: &Url) -> Option<&str> {
    if url.scheme() == "http" { url.domain() } else { None }
}

/// RFC 6797 §8.3: port 80 becomes 443, and every other stays.
fn secure(url: &Url) -> Option<Url> {
    let mut url = url.clone();
    url.set_scheme("https").is_ok().then_some(url)
}

/// Returns the seconds since 1970.
fn seconds(date: SystemTime) -> u64 {
    date.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheme_changes_and_the_port_if_it_is_that_of_the_scheme() {
        for (from, to) in [
            ("http://shop.test/a?b#c", "https://shop.test/a?b#c"),
            ("http://shop.test:80/", "https://shop.test/"),
            ("http://shop.test:8080/", "https://shop.test:8080/"),
            ("http://shop.test:443/", "https://shop.test/"),
            ("http://ann:pw@shop.test/", "https://ann:pw@shop.test/"),
        ] {
            assert_eq!(secure(&Url::parse(from).unwrap()).unwrap().as_str(), to, "{from}");
        }
    }

    #[test]
    fn only_names_of_http_urls_are_looked_up() {
        let hsts = HstsStorage::in_memory(&Clock::system());
        let learn = |url: &str, value: &str| {
            let headers = Headers::from_iter([("Strict-Transport-Security", value)]);
            hsts.learn(&Url::parse(url).unwrap(), &headers);
        };
        let secured = |url: &str| hsts.secured(&Url::parse(url).unwrap()).map(String::from);
        learn("https://shop.test/", "max-age=60; includeSubDomains");
        learn("https://127.0.0.1/", "max-age=60");
        learn("https://[::1]/", "max-age=60");
        learn("https://b\u{fc}cher.test/", "max-age=60");
        for (url, expected) in [
            ("http://SHOP.test/", Some("https://shop.test/")),
            ("http://shop.test./", Some("https://shop.test./")),
            ("http://a.shop.test:81/", Some("https://a.shop.test:81/")),
            ("http://xn--bcher-kva.test/", Some("https://xn--bcher-kva.test/")),
            ("https://shop.test/", None),
            ("ftp://shop.test/", None),
            ("http://127.0.0.1/", None),
            ("http://[::1]/", None),
            ("http://other.test/", None),
            ("data:,shop.test", None),
        ] {
            assert_eq!(secured(url).as_deref(), expected, "{url}");
        }
        hsts.reset();
        assert_eq!(secured("http://shop.test/"), None);
    }

    #[test]
    fn only_the_first_field_counts() {
        let hsts = HstsStorage::in_memory(&Clock::system());
        let url = Url::parse("https://shop.test/").unwrap();
        let name = "Strict-Transport-Security";
        hsts.learn(&url, &Headers::from_iter([(name, "max-age=x"), (name, "max-age=60")]));
        assert_eq!(hsts.secured(&Url::parse("http://shop.test/").unwrap()), None);
        hsts.learn(&url, &Headers::from_iter([(name, "max-age=60"), (name, "max-age=0")]));
        assert!(hsts.secured(&Url::parse("http://shop.test/").unwrap()).is_some());
    }
}
