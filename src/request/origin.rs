//! What of a request belongs to the origin of its URL.

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
