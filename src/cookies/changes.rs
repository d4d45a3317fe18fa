//! [`Changes`]: what has changed since a file was written, to be made there as well.
//!
//! A file is shared by processes, each of which has a jar of its own. None writes its jar: it
//! makes its own changes to what the file says, under the file's lock, so that nobody's are lost.

use super::cookie::Cookie;
use super::jar::Jar;

/// What has become of cookies, each once.
#[derive(Debug, Default)]
pub(super) struct Changes(Vec<Change>);

#[derive(Debug)]
enum Change {
    Put(Cookie),
    Removed(Cookie),
}

impl Change {
    fn cookie(&self) -> &Cookie {
        match self {
            Self::Put(cookie) | Self::Removed(cookie) => cookie,
        }
    }
}

impl Changes {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Notes a cookie as it is now. One that ends with the session is not in any file.
    pub(super) fn put(&mut self, cookie: &Cookie) {
        self.forget(cookie);
        self.0.push(if cookie.is_session_only() {
            Change::Removed(cookie.clone())
        } else {
            Change::Put(cookie.clone())
        });
    }

    /// Notes that a cookie is gone.
    pub(super) fn remove(&mut self, cookie: &Cookie) {
        self.forget(cookie);
        self.0.push(Change::Removed(cookie.clone()));
    }

    /// Goes through those of one domain only if there are some: they are written every second.
    fn forget(&mut self, cookie: &Cookie) {
        self.0.retain(|change| !change.cookie().is_same(cookie));
    }

    /// Adds those that were made after these.
    pub(super) fn then(&mut self, later: Self) {
        for change in later.0 {
            self.forget(change.cookie());
            self.0.push(change);
        }
    }

    /// Makes the changes to what a file says.
    pub(super) fn apply_to(&self, jar: &mut Jar) {
        for change in &self.0 {
            let cookie = change.cookie();
            let old = jar.remove(cookie);
            if let Change::Put(cookie) = change {
                let mut cookie = cookie.clone();
                // Whoever created it first has created it.
                cookie.created = old.map_or(cookie.created, |old| old.created.min(cookie.created));
                jar.insert(cookie.clone(), cookie.created);
            }
        }
    }
}
