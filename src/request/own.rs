//! What a request holds beside what everybody may see of it.

use super::Request;
use super::status::Statuses;
use super::userinfo::UserInfo;
#[cfg(all(feature = "daemon", unix))]
use crate::error::Error;
#[cfg(all(feature = "daemon", unix))]
use crate::headers::Headers;
use crate::retry::RetryPolicy;

/// What another run of the program has to know for a request to be the same there.
#[derive(Default)]
pub(crate) struct Kept {
    /// The names of headers that are marked so, in order.
    pub(crate) sensitive: Vec<Box<str>>,
    /// User name and password of the URL.
    pub(crate) user_info: Option<(Vec<u8>, Option<Vec<u8>>)>,
    pub(crate) zone: Option<Box<str>>,
    /// From the first to the last one.
    pub(crate) accepted: Option<Vec<(u16, u16)>>,
    pub(crate) retry_policy: Option<RetryPolicy>,
}

/// What another process has to be told besides.
#[cfg(all(feature = "daemon", unix))]
#[derive(Default)]
pub(crate) struct Own {
    pub(crate) headers: Headers,
    pub(crate) relative: Option<Box<str>>,
    pub(crate) wrong: Option<Error>,
}

impl Request {
    pub(crate) fn kept(&self) -> Kept {
        let more = self.more.as_deref();
        Kept {
            sensitive: self.sensitive.clone(),
            user_info: self.user_info().map(|info| (info.user, info.password)),
            zone: more.and_then(|more| more.zone.clone()),
            accepted: self.accepted.as_ref().map(|statuses| statuses.0.clone()),
            retry_policy: more.and_then(|more| more.retry_policy.as_deref().cloned()),
        }
    }

    /// Returns the request with these in place of its own.
    pub(crate) fn with_kept(mut self, kept: Kept) -> Self {
        if kept.zone.is_some() || kept.retry_policy.is_some() {
            let more = self.more();
            more.zone = kept.zone;
            more.retry_policy = kept.retry_policy.map(Box::new);
        }
        kept.sensitive.iter().for_each(|name| self.headers.hide(name));
        self.sensitive = kept.sensitive;
        let user_info = kept.user_info.map(|(user, password)| UserInfo { user, password });
        self.user_info = user_info.map(Box::new);
        self.accepted = kept.accepted.map(|ranges| Box::new(Statuses(ranges)));
        self
    }
}

#[cfg(all(feature = "daemon", unix))]
impl Request {
    pub(crate) fn own(&self) -> Own {
        Own {
            headers: self.headers.clone(),
            relative: self.more.as_ref().and_then(|more| more.relative.clone()),
            wrong: self.wrong.clone(),
        }
    }

    /// Returns the request with these in place of its own.
    pub(crate) fn with_own(mut self, own: Own) -> Self {
        if own.relative.is_some() || self.more.is_some() {
            self.more().relative = own.relative;
        }
        self.headers = own.headers;
        self.sensitive.iter().for_each(|name| self.headers.hide(name));
        // What is no method stays wrong.
        self.wrong = own.wrong.or(self.wrong);
        self
    }
}
