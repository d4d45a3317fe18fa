//! A user name and password that stood in a URL.

use std::fmt;

use percent_encoding::percent_decode_str;
use url::Url;

use crate::basic;

/// Credentials that were taken out of a URL; they belong to its origin.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct UserInfo {
    pub(super) user: Vec<u8>,
    pub(super) password: Option<Vec<u8>>,
}

impl UserInfo {
    /// Removes user name and password from `url`, if it has one of them.
    pub(crate) fn take_from(url: &mut Url) -> Option<Self> {
        if url.username().is_empty() && url.password().is_none() {
            return None;
        }
        let decode = |text: &str| percent_decode_str(text).collect::<Vec<u8>>();
        let taken = Self { user: decode(url.username()), password: url.password().map(decode) };
        // These fail for URLs without a host, which have no user name either.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        Some(taken)
    }

    /// Returns the value of an `Authorization` header (RFC 7617 §2).
    pub(crate) fn basic(&self) -> String {
        basic::encoded(&self.user, self.password.as_deref().unwrap_or_default())
    }

    /// Returns user name and password, if they are text.
    pub(crate) fn pair(&self) -> Option<(&str, Option<&str>)> {
        let text = |bytes| std::str::from_utf8(bytes).ok();
        let password = match &self.password {
            Some(password) => Some(text(password)?),
            None => None,
        };
        Some((text(&self.user)?, password))
    }

    /// Whether it is of this user, and has this password if it has one.
    pub(crate) fn is_of(&self, user: Option<&str>, password: Option<&str>) -> bool {
        self.pair()
            .is_some_and(|(own, given)| Some(own) == user && (given.is_none() || given == password))
    }
}

impl fmt::Debug for UserInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserInfo(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_and_password_leave_the_url_and_are_decoded() {
        let mut url = Url::parse("http://us%40er:p%3Aw@a/x").unwrap();
        let info = UserInfo::take_from(&mut url).unwrap();
        assert_eq!(url.as_str(), "http://a/x");
        assert_eq!(info.basic(), basic::encoded(b"us@er", b"p:w"));
        assert_eq!(format!("{info:?}"), "UserInfo(***)");
        assert!(UserInfo::take_from(&mut url).is_none());
    }
}
