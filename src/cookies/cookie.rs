//! [`Cookie`]: what a server has a client remember, and for whom.

use std::time::SystemTime;

use url::Url;

use super::host::{Host, Scope, is_public_suffix};
use super::moment::{Moment, date, moment};
use super::path::default_path;
use super::set_cookie::{MOST_OF_PAIR, SetCookie, has_control, trimmed};
use crate::clock::Clock;
use crate::error::{Error, ErrorKind};

/// What a server has a client remember, and to whom it is told again (RFC 6265bis).
///
/// Made here it is the program's own, for [`CookieStorage::set`](super::CookieStorage::set);
/// [`from_header_fields`](Self::from_header_fields) reads those of a response. Its value is a
/// secret: neither `Display` nor `Debug` shows it. Two are equal if they say the same, whenever
/// they were made.
///
/// # Examples
///
/// ```
/// use urlsession::Cookie;
///
/// // For shop.test and all hosts below it: without the dot it would be for that host alone.
/// let cookie = Cookie::new("theme", "dark", ".shop.test")?.with_path("/account").with_secure(true);
/// assert_eq!(cookie.to_string(), "theme=***; Domain=shop.test; Path=/account; Secure");
/// Ok::<(), urlsession::Error>(())
/// ```
///
/// # Differences from Foundation
///
/// * The [`domain`](Self::domain) has no dot in front: [`is_host_only`](Self::is_host_only) says
///   which one is meant.
/// * What only RFC 2965 knew is absent: versions, ports, comments.
/// * Fields `Set-Cookie` are read one by one, as a comma is part of a value.
#[doc(alias = "HTTPCookie")]
#[doc(alias = "NSHTTPCookie")]
#[derive(Clone)]
pub struct Cookie {
    pub(super) name: Box<str>,
    pub(super) value: Box<str>,
    pub(super) domain: Box<str>,
    pub(super) path: Box<str>,
    pub(super) expires: Option<Moment>,
    pub(super) created: Moment,
    /// Name and value were not UTF-8, and are here as ISO-8859-1.
    pub(super) latin1: bool,
    pub(super) host_only: bool,
    pub(super) secure: bool,
    pub(super) http_only: bool,
    pub(super) same_site: SameSite,
}

/// Where a browser sends a cookie along with requests that another site has caused.
///
/// It is kept, and told; this crate has no pages, so each of its requests is taken for one of the
/// same site.
#[doc(alias = "HTTPCookieStringPolicy")]
#[doc(alias = "sameSitePolicy")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SameSite {
    /// The cookie does not say.
    #[default]
    Unspecified,
    /// With all requests.
    None,
    /// With links that are followed from elsewhere.
    #[doc(alias = "NSHTTPCookieSameSiteLax")]
    Lax,
    /// With requests of the same site only.
    #[doc(alias = "NSHTTPCookieSameSiteStrict")]
    Strict,
}

impl Cookie {
    /// Makes a cookie that lasts as long as the session, for all paths of a host: for
    /// `shop.test`, or with a dot in front, as `.shop.test`, for all hosts below it as well.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidRequest`] for a name or value that no header can carry (control
    /// characters, a `;`, a `=` in the name, space around them), or that is longer than 4,096
    /// bytes together; for both empty; for a domain that is none, and for one with a dot in front
    /// that is a public suffix, as `.co.uk`, below which strangers have their names.
    #[doc(alias = "cookieWithProperties:")]
    #[doc(alias = "HTTPCookie(properties:)")]
    pub fn new(
        name: impl Into<String>,
        value: impl Into<String>,
        domain: impl AsRef<str>,
    ) -> Result<Self, Error> {
        let (name, value) = (name.into(), value.into());
        check_pair(&name, &value)?;
        let scope = scope(domain.as_ref())?;
        Ok(Self {
            name: name.into(),
            value: value.into(),
            domain: scope.domain,
            path: "/".into(),
            expires: None,
            created: moment(Clock::system().date()),
            latin1: false,
            host_only: scope.host_only,
            secure: false,
            http_only: false,
            same_site: SameSite::Unspecified,
        })
    }

    /// Reads a `Set-Cookie` of a response to `url`; `None` if it is to be passed over
    /// (RFC 6265bis §5.6 and §5.7).
    pub(super) fn set_by(line: &[u8], url: &Url, now: Moment) -> Option<Self> {
        let set = SetCookie::parse(line)?;
        let scope = Scope::of(&Host::of(url)?, set.domain)?;
        let own_path = set.path.filter(|path| path.starts_with(b"/"));
        let path = own_path.map_or_else(|| default_path(url.path()).into(), latin1);
        let both = (std::str::from_utf8(set.name), std::str::from_utf8(set.value));
        let is_latin1 = both.0.is_err() || both.1.is_err();
        let (name, value) = match both {
            (Ok(name), Ok(value)) => (name.into(), value.into()),
            _ => (latin1(set.name), latin1(set.value)),
        };
        let cookie = Self {
            name,
            value,
            domain: scope.domain,
            path,
            expires: set.expiry(now),
            created: now,
            latin1: is_latin1,
            host_only: scope.host_only,
            secure: set.secure,
            http_only: set.http_only,
            same_site: set.same_site,
        };
        // §5.7, step 16: what is meant to be protected is not set without.
        let may_be_secure = !cookie.secure || is_secure(url);
        (may_be_secure && cookie.keeps_its_prefix(set.path.is_some())).then_some(cookie)
    }

    /// Whether it is what its name promises (§5.7, steps 20 to 22): one without a name must not
    /// look as if it promised something.
    pub(super) fn keeps_its_prefix(&self, says_path: bool) -> bool {
        let promised = if self.name.is_empty() { &self.value } else { &self.name };
        let promises = |prefix: &str| {
            let start = promised.as_bytes().get(..prefix.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()))
        };
        let (is_host, is_secure) = (promises("__Host-"), promises("__Secure-"));
        if self.name.is_empty() {
            return !is_host && !is_secure;
        }
        let is_of_host = self.host_only && says_path && &*self.path == "/";
        (!is_secure && !is_host || self.secure) && (!is_host || is_of_host)
    }

    /// Sets the path: it is sent to what lies there and below. What does not begin with a slash
    /// is `/`.
    #[must_use]
    pub fn with_path(mut self, path: impl AsRef<str>) -> Self {
        let path = Some(path.as_ref()).filter(|path| path.starts_with('/'));
        self.path = path.unwrap_or("/").into();
        self
    }

    /// Sets when it ends: at a date, or with `None` with the session. A storage keeps it for 400
    /// days at most.
    #[must_use]
    pub fn with_expires(mut self, date: impl Into<Option<SystemTime>>) -> Self {
        self.expires = date.into().map(moment);
        self
    }

    /// Sets whether it is sent by `https` only.
    #[must_use]
    pub fn with_secure(mut self, secure: bool) -> Self {
        self.secure = secure;
        self
    }

    /// Sets whether a browser keeps it from the scripts of a page.
    #[must_use]
    pub fn with_http_only(mut self, http_only: bool) -> Self {
        self.http_only = http_only;
        self
    }

    /// Sets where a browser sends it along.
    #[must_use]
    pub fn with_same_site(mut self, same_site: SameSite) -> Self {
        self.same_site = same_site;
        self
    }

    /// Returns the name, which may be empty.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the value. Bytes that are not UTF-8 are read as ISO-8859-1, and sent as they were.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Returns the domain, in small letters and ASCII, without a dot in front.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// Returns whether it is for the host of its [`domain`](Self::domain) alone, and not for
    /// those below it.
    pub fn is_host_only(&self) -> bool {
        self.host_only
    }

    /// Returns the path.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns when it ends; `None` if it does so with the session.
    #[doc(alias = "expiresDate")]
    pub fn expires(&self) -> Option<SystemTime> {
        self.expires.map(date)
    }

    /// Returns whether it ends with the session.
    #[doc(alias = "isSessionOnly")]
    #[doc(alias = "discard")]
    pub fn is_session_only(&self) -> bool {
        self.expires.is_none()
    }

    /// Returns whether it is sent by `https` only.
    #[doc(alias = "isSecure")]
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// Returns whether a browser keeps it from the scripts of a page.
    #[doc(alias = "isHTTPOnly")]
    pub fn is_http_only(&self) -> bool {
        self.http_only
    }

    /// Returns where a browser sends it along.
    #[doc(alias = "sameSitePolicy")]
    pub fn same_site(&self) -> SameSite {
        self.same_site
    }

    /// Returns when it was made, or first set, in a storage.
    pub fn created(&self) -> SystemTime {
        date(self.created)
    }

    /// What one cookie replaces another by (§5.7, step 23).
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.name == other.name
            && self.path == other.path
            && self.domain == other.domain
            && self.host_only == other.host_only
    }

    /// Whether its time is over.
    pub(super) fn has_expired(&self, now: Moment) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }

    /// What stands of it in a `Cookie` (§5.8.3).
    pub(super) fn write_to(&self, out: &mut String) {
        if !self.name.is_empty() {
            out.push_str(&self.name);
            out.push('=');
        }
        out.push_str(&self.value);
    }

    /// How many bytes that are.
    pub(super) fn sent_length(&self) -> usize {
        let bytes = |text: &str| if self.latin1 { text.chars().count() } else { text.len() };
        bytes(&self.name) + usize::from(!self.name.is_empty()) + bytes(&self.value)
    }
}

/// Whether a server that is spoken to like this may set and see what is protected.
pub(super) fn is_secure(url: &Url) -> bool {
    matches!(url.scheme(), "https" | "wss")
}

fn latin1(bytes: &[u8]) -> Box<str> {
    match std::str::from_utf8(bytes) {
        Ok(text) if text.is_ascii() => text.into(),
        _ => bytes.iter().map(|&byte| char::from(byte)).collect(),
    }
}

fn wrong(detail: &str) -> Error {
    Error::new(ErrorKind::InvalidRequest, detail.to_owned())
}

/// Refuses what would be read as something else, by a server or here.
fn check_pair(name: &str, value: &str) -> Result<(), Error> {
    let (name, value) = (name.as_bytes(), value.as_bytes());
    let is_wrong =
        |text: &[u8]| has_control(text) || text.contains(&b';') || trimmed(text).len() < text.len();
    if is_wrong(name) || is_wrong(value) || name.contains(&b'=') {
        return Err(wrong(
            "the name or the value of a cookie has a control character, a `;`, a `=` in the name, \
             or space around it",
        ));
    }
    if name.is_empty() && value.contains(&b'=') {
        return Err(wrong("the value of a cookie without a name has a `=`"));
    }
    match name.len() + value.len() {
        0 => Err(wrong("a cookie has neither a name nor a value")),
        1..=MOST_OF_PAIR => Ok(()),
        _ => Err(wrong("the name and the value of a cookie are longer than 4,096 bytes")),
    }
}

/// Reads the domain that a program gives a cookie.
fn scope(domain: &str) -> Result<Scope, Error> {
    let (name, host_only) = match domain.strip_prefix('.') {
        Some(name) => (name, false),
        None => (domain, true),
    };
    let none = || wrong("the domain of a cookie is no host");
    let host = url::Host::parse(name).map_err(|_| none())?;
    let is_address = !matches!(host, url::Host::Domain(_));
    let text = host.to_string();
    let bare = text.strip_suffix('.').unwrap_or(&text);
    if bare.split('.').any(str::is_empty) {
        return Err(none());
    }
    if !host_only && (is_address || is_public_suffix(bare)) {
        return Err(wrong("the domain of a cookie is no name, or one below which strangers are"));
    }
    Ok(Scope { domain: bare.into(), host_only })
}
