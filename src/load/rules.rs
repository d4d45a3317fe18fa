//! What a session gives to each of its loads.

use super::{Authenticator, Cookies, decode};
use crate::headers::Headers;
use crate::hsts::HstsStorage;
use crate::request::{self, Redirects};

/// What a session demands of each of its loads.
#[derive(Debug)]
pub(crate) struct Rules {
    /// Headers of every request that does not have them, where codings are asked for, and
    /// where they are not.
    added_headers: [Headers; 2],
    /// The one among them that comes first.
    pub(super) host: Option<Box<str>>,
    /// Some of them are about the message or its connection.
    pub(super) concerns_message: bool,
    pub(crate) https_only: bool,
    pub(crate) allows_insecure_redirects: bool,
    pub(crate) redirects: Redirects,
    pub(super) decodes_bodies: bool,
    pub(crate) stores: Stores,
}

impl Rules {
    /// Makes rules that refuse nothing that is not dangerous.
    pub(crate) fn new(additional_headers: &Headers, decodes_bodies: bool) -> Self {
        let mut all = additional_headers.clone();
        let host = all.get("host").map(Box::from);
        all.remove("host");
        let with = |accepted| {
            let mut all = all.clone();
            for (name, value) in [
                ("Accept", "*/*"),
                ("Accept-Encoding", accepted),
                ("User-Agent", concat!("urlsession/", env!("CARGO_PKG_VERSION"))),
            ] {
                if !all.contains(name) {
                    all.push(name, value);
                }
            }
            all
        };
        Self {
            added_headers: [with(decode::accept_encoding()), with("identity")],
            host,
            concerns_message: request::rules::concern(&all),
            https_only: false,
            allows_insecure_redirects: false,
            redirects: Redirects::default(),
            decodes_bodies,
            stores: Stores {
                authenticator: Authenticator::new(None),
                cookies: Cookies::default(),
                hsts: None,
            },
        }
    }

    /// Returns the headers of every request that does not have them.
    pub(super) fn added_headers(&self, asks_for_codings: bool) -> &Headers {
        &self.added_headers[usize::from(!asks_for_codings)]
    }
}

/// What a session keeps from one load for the next; [`sending`](super::sending) is where it
/// takes part.
#[derive(Debug)]
pub(crate) struct Stores {
    pub(crate) authenticator: Authenticator,
    pub(crate) cookies: Cookies,
    /// None if it is off.
    pub(crate) hsts: Option<HstsStorage>,
}
