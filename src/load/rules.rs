//! What a session gives to each of its loads.

use super::{Authenticator, decode};
use crate::headers::Headers;

/// What a session demands of each of its loads.
#[derive(Debug)]
pub(crate) struct Rules {
    /// Headers of every request that does not have them.
    pub(super) added_headers: Headers,
    /// The one among them that comes first.
    pub(super) host: Option<Box<str>>,
    pub(crate) https_only: bool,
    pub(crate) allows_insecure_redirects: bool,
    pub(super) decodes_bodies: bool,
    pub(crate) stores: Stores,
}

impl Rules {
    /// Makes rules that refuse nothing that is not dangerous.
    pub(crate) fn new(additional_headers: &Headers, decodes_bodies: bool) -> Self {
        let accepted = if decodes_bodies { decode::accept_encoding() } else { "identity" };
        let mut added_headers = additional_headers.clone();
        let host = added_headers.get("host").map(Box::from);
        added_headers.remove("host");
        for (name, value) in [
            ("Accept", "*/*"),
            ("Accept-Encoding", accepted),
            ("User-Agent", concat!("urlsession/", env!("CARGO_PKG_VERSION"))),
        ] {
            if !added_headers.contains(name) {
                added_headers.push(name, value);
            }
        }
        Self {
            added_headers,
            host,
            https_only: false,
            allows_insecure_redirects: false,
            decodes_bodies,
            stores: Stores { authenticator: Authenticator::new(None) },
        }
    }
}

/// What a session keeps from one load for the next; [`sending`](super::sending) is where it
/// takes part.
#[derive(Debug)]
pub(crate) struct Stores {
    pub(crate) authenticator: Authenticator,
}
