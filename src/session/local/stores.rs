//! What a session keeps from one task to the next.

use url::Url;

use super::Loader;
use crate::hsts::HstsStorage;
use crate::request::Request;

impl Loader {
    /// Forgets what was learned about servers.
    pub(in crate::session) fn forget(&self) {
        self.rules.stores.authenticator.reset();
        self.rules.stores.cookies.forget();
        self.rules.stores.hsts.iter().for_each(HstsStorage::reset);
    }

    /// Brings to the disk what was learned about servers.
    pub(in crate::session) fn flush(&self) {
        self.rules.stores.hsts.iter().for_each(HstsStorage::flush);
    }

    /// Returns the URL to load in place of this one, by what is known of its host at the moment.
    pub(super) fn secured(&self, url: &Url) -> Option<Url> {
        self.rules.stores.hsts.as_ref()?.secured_as_known(url)
    }

    /// Looks at what is known of the host of a request that is about to stand in line.
    pub(super) fn look_at_host(&self, request: &Request) {
        let (hsts, url) = (self.rules.stores.hsts.as_ref(), request.url());
        drop(hsts.zip(url).and_then(|(hsts, url)| hsts.secured(url)));
    }
}
