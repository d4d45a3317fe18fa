//! How cookies are shown and compared: their values are secrets.

use std::fmt;

use super::{Cookie, SameSite};

impl PartialEq for Cookie {
    fn eq(&self, other: &Self) -> bool {
        self.is_same(other)
            && self.value == other.value
            && self.expires == other.expires
            && self.latin1 == other.latin1
            && self.secure == other.secure
            && self.http_only == other.http_only
            && self.same_site == other.same_site
    }
}

impl Eq for Cookie {}

impl fmt::Display for Cookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}=***", self.name)?;
        if !self.host_only {
            write!(f, "; Domain={}", self.domain)?;
        }
        write!(f, "; Path={}", self.path)?;
        for (is, name) in [(self.secure, "Secure"), (self.http_only, "HttpOnly")] {
            if is {
                write!(f, "; {name}")?;
            }
        }
        match self.same_site {
            SameSite::Unspecified => Ok(()),
            same_site => write!(f, "; SameSite={same_site:?}"),
        }
    }
}

impl fmt::Debug for Cookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cookie")
            .field("name", &self.name)
            .field("domain", &self.domain)
            .field("path", &self.path)
            .field("expires", &self.expires())
            .field("host_only", &self.host_only)
            .field("secure", &self.secure)
            .field("http_only", &self.http_only)
            .field("same_site", &self.same_site)
            .finish_non_exhaustive()
    }
}
