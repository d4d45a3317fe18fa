//! What of a request belongs to the origin of its URL.

use super::Request;
use crate::headers::Headers;

/// Headers that belong to one origin.
///
/// `Host` set by hand names the first one: sent to another, it would choose what answers
/// there, and whose cookies go along (CVE-2026-6276 of curl).
pub(crate) const OF_ONE_ORIGIN: &[&str] = &[
    "authorization",
    "cookie",
    "cookie2",
    "host",
    "proxy-authenticate",
    "proxy-authorization",
    "www-authenticate",
];

/// Removes from headers what another origin must not see: what is secret, the headers named
/// by `sensitive` among it.
pub(crate) fn drop_what_is_of_one_origin(headers: &mut Headers, sensitive: &[Box<str>]) {
    let marked = sensitive.iter().map(|name| &**name);
    for name in OF_ONE_ORIGIN.iter().copied().chain(marked) {
        headers.remove(name);
    }
}

impl Request {
    /// Whether the header is secret: one of the origin's alone, or marked so.
    pub(crate) fn is_secret(&self, name: &str) -> bool {
        let is = |known: &str| known.eq_ignore_ascii_case(name);
        !is("host") && OF_ONE_ORIGIN.iter().any(|known| is(known))
            || self.sensitive.iter().any(|known| is(known))
    }

    /// Returns the names of what is secret in it, each once.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        let headers = self.headers.iter().map(|(name, _)| name).filter(|name| self.is_secret(name));
        for name in headers.chain(self.user_info.is_some().then_some("Authorization")) {
            if !names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                names.push(name.to_owned());
            }
        }
        names
    }
}
