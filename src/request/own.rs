//! What a request holds beside what everybody may see of it.

use super::Request;
use super::status::Statuses;
use super::userinfo::UserInfo;
use crate::error::Error;
use crate::headers::Headers;
use crate::retry::RetryPolicy;

/// What another process has to be told for a request to be the same there.
#[derive(Default)]
pub(crate) struct Own {
    pub(crate) headers: Headers,
    /// The names of headers that are marked so, in order.
    pub(crate) sensitive: Vec<Box<str>>,
    /// User name and password of the URL.
    pub(crate) user_info: Option<(Vec<u8>, Option<Vec<u8>>)>,
    pub(crate) zone: Option<Box<str>>,
    pub(crate) relative: Option<Box<str>>,
    /// From the first to the last one.
    pub(crate) accepted: Option<Vec<(u16, u16)>>,
    pub(crate) retry_policy: Option<RetryPolicy>,
    pub(crate) wrong: Option<Error>,
}

impl Request {
    pub(crate) fn own(&self) -> Own {
        let more = self.more.clone().unwrap_or_default();
        Own {
            headers: self.headers.clone(),
            sensitive: self.sensitive.clone(),
            user_info: self.user_info().map(|info| (info.user, info.password)),
            zone: more.zone,
            relative: more.relative,
            accepted: self.accepted.as_ref().map(|statuses| statuses.0.clone()),
            retry_policy: more.retry_policy.map(|policy| *policy),
            wrong: self.wrong.clone(),
        }
    }

    /// Returns the request with these in place of its own.
    pub(crate) fn with_own(mut self, own: Own) -> Self {
        let more = self.more();
        more.zone = own.zone;
        more.relative = own.relative;
        more.retry_policy = own.retry_policy.map(Box::new);
        self.headers = own.headers;
        own.sensitive.iter().for_each(|name| self.headers.hide(name));
        self.sensitive = own.sensitive;
        let user_info = own.user_info.map(|(user, password)| UserInfo { user, password });
        self.user_info = user_info.map(Box::new);
        self.accepted = own.accepted.map(|ranges| Box::new(Statuses(ranges)));
        // What is no method stays wrong.
        self.wrong = own.wrong.or(self.wrong);
        self
    }
}
