//! What a load does about cookies: each sending has those of its URL, and what comes back is kept
//! before anybody decides about it.

use super::prepare::Hop;
use crate::clock::Clock;
use crate::cookies::{CookieAcceptPolicy, CookieStorage};
use crate::headers::Headers;

/// What a session does about cookies.
#[derive(Debug, Default)]
pub(crate) struct Cookies {
    pub(crate) storage: Option<CookieStorage>,
    pub(crate) accept_policy: CookieAcceptPolicy,
    pub(crate) sends: bool,
}

impl Cookies {
    /// Adds those of a hop to what goes out. A `Cookie` of the program's own is sent alone.
    #[inline]
    pub(super) fn add_to(&self, added: &mut Headers, hop: &Hop, clock: &Clock) {
        if let Some(storage) = &self.storage
            && storage.has_any()
        {
            self.add(storage, added, hop, clock);
        }
    }

    fn add(&self, storage: &CookieStorage, added: &mut Headers, hop: &Hop, clock: &Clock) {
        if self.sends && hop.cookies.are_handled() && !hop.headers.contains("cookie") {
            storage.add_to(added, &hop.url, clock);
        }
    }

    /// Keeps those that a response sets.
    #[inline]
    pub(super) fn keep(&self, received: &Headers, hop: &Hop, clock: &Clock) {
        if let Some(storage) = &self.storage
            && received.contains("set-cookie")
        {
            self.keep_set(storage, received, hop, clock);
        }
    }

    #[cold]
    fn keep_set(&self, storage: &CookieStorage, received: &Headers, hop: &Hop, clock: &Clock) {
        if hop.cookies.are_handled()
            && self.accept_policy.accepts(&hop.url, hop.cookies.main_document())
        {
            storage.keep(received, &hop.url, clock);
        }
    }

    /// Forgets all of them.
    pub(crate) fn forget(&self) {
        if let Some(storage) = &self.storage {
            storage.remove_all();
        }
    }
}
