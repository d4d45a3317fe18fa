//! What to load: URL, method, headers, body, and how long to wait.

mod authorization;
mod check;
pub(crate) mod content;
mod convert;
mod cookies;
mod edit;
mod fields;
mod method;
mod more;
mod origin;
#[cfg(feature = "background")]
mod own;
mod query;
pub(crate) mod rules;
mod status;
mod timers;
pub(crate) mod unparsed;
mod userinfo;
mod zone;

use std::fmt;

use http::Method;
use url::Url;

use crate::body::Body;
use crate::cancel::CancelToken;
use crate::error::{self, Error, ErrorKind};
use crate::headers::Headers;
use more::More;
use status::Statuses;
use timers::Timers;

pub(crate) use cookies::CookieWishes;
pub(crate) use more::Redirects;
#[cfg(test)]
pub(crate) use origin::OF_ONE_ORIGIN;
pub(crate) use origin::drop_what_is_of_one_origin;
#[cfg(feature = "background")]
pub(crate) use own::Kept;
#[cfg(all(feature = "daemon", unix))]
pub(crate) use own::Own;
pub(crate) use userinfo::UserInfo;

/// A request, which a session copies when it loads it.
///
/// Built by chained calls that cannot fail: what is wrong with a URL, a method or a header
/// is reported by the load, as the error of that load, or at once by
/// [`check`](Self::check).
///
/// A relative URL, as `users/7`, is one for sessions whose configuration has a
/// [`base_url`](crate::Configuration::base_url); their tasks have the whole one.
///
/// A user name and password in the URL are taken out of it: they are sent as Basic
/// credentials to that origin only, and appear in nothing that is stored or printed. If the
/// server asks for something else, such as Digest, they are proposed for that; see
/// [`Challenge::proposed_credential`](crate::Challenge::proposed_credential).
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use urlsession::Request;
///
/// let request = Request::get("https://shop.test/search")
///     .query("q", "tea & biscuits")
///     .header("Accept", "text/html")
///     .timeout_for_request(Duration::from_secs(10));
/// assert_eq!(request.url().unwrap().query(), Some("q=tea%20%26%20biscuits"));
/// ```
#[doc(alias = "URLRequest")]
#[doc(alias = "NSURLRequest")]
#[doc(alias = "NSMutableURLRequest")]
#[must_use]
pub struct Request {
    url: Option<Url>,
    method: Method,
    headers: Headers,
    sensitive: Vec<Box<str>>,
    body: Option<Body>,
    /// Boxed: few requests have their own.
    timers: Option<Box<Timers>>,
    cancel: Option<CancelToken>,
    /// What it says about codings, if not what is usual.
    decodes: Option<bool>,
    /// Which statuses it accepts, if not what is usual. Boxed: few requests have it, and all
    /// are moved.
    accepted: Option<Box<Statuses>>,
    /// Boxed as well.
    user_info: Option<Box<UserInfo>>,
    more: Option<Box<More>>,
    /// The first thing that was wrong while building.
    wrong: Option<Error>,
    /// The `Content-Type` came with the body, and goes with it.
    type_follows_body: bool,
}

// By hand, as a derived one is put into each room that uses it, 3 KB every time.
impl Clone for Request {
    fn clone(&self) -> Self {
        Self {
            url: self.url.clone(),
            method: self.method.clone(),
            headers: self.headers.clone(),
            sensitive: self.sensitive.clone(),
            body: self.body.clone(),
            timers: self.timers.clone(),
            cancel: self.cancel.clone(),
            decodes: self.decodes,
            accepted: self.accepted.clone(),
            user_info: self.user_info.clone(),
            more: self.more.clone(),
            wrong: self.wrong.clone(),
            type_follows_body: self.type_follows_body,
        }
    }
}

impl Request {
    /// Makes a `GET` request.
    #[doc(alias = "requestWithURL:")]
    pub fn get(url: impl AsRef<str>) -> Self {
        Self::with_method(Method::GET, url.as_ref())
    }

    /// Makes a `HEAD` request.
    pub fn head(url: impl AsRef<str>) -> Self {
        Self::with_method(Method::HEAD, url.as_ref())
    }

    /// Makes a `POST` request.
    pub fn post(url: impl AsRef<str>) -> Self {
        Self::with_method(Method::POST, url.as_ref())
    }

    /// Makes a `PUT` request.
    pub fn put(url: impl AsRef<str>) -> Self {
        Self::with_method(Method::PUT, url.as_ref())
    }

    /// Makes a `DELETE` request.
    pub fn delete(url: impl AsRef<str>) -> Self {
        Self::with_method(Method::DELETE, url.as_ref())
    }

    /// Makes a `PATCH` request.
    pub fn patch(url: impl AsRef<str>) -> Self {
        Self::with_method(Method::PATCH, url.as_ref())
    }

    /// Makes a request with any method: a text, or one of [`http::Method`].
    ///
    /// `get`, `head`, `post`, `put` and `delete` are sent in capitals; any other method is
    /// sent as it is written, which gives a warning in the log where it is a known one in
    /// other letters, as `patch`. `CONNECT` is for proxies and is refused.
    ///
    /// ```
    /// use urlsession::{Request, http};
    ///
    /// for method in ["PROPFIND", "REPORT", "get"] {
    ///     assert!(Request::new(method, "https://shop.test/").check().is_ok());
    /// }
    /// assert!(Request::new(http::Method::OPTIONS, "https://shop.test/").check().is_ok());
    /// ```
    #[doc(alias = "httpMethod")]
    #[doc(alias = "HTTPMethod")]
    #[doc(alias = "setHTTPMethod:")]
    pub fn new(method: impl AsRef<str>, url: impl AsRef<str>) -> Self {
        match method::parse(method.as_ref()) {
            Ok(method) => Self::with_method(method, url.as_ref()),
            Err(error) => Self::with_method(Method::GET, url.as_ref()).noting(Err(error)),
        }
    }

    fn with_method(method: Method, url: &str) -> Self {
        match parsed(url) {
            Ok((url, None)) => Self::with_url(method, Some(url)),
            Ok((url, zone)) => Self::with_url(method, Some(url)).in_zone(zone),
            Err(_) if is_relative(url) => {
                let mut request = Self::with_url(method, None);
                request.more().relative = Some(url.into());
                request
            }
            Err(error) => Self::with_url(method, None).noting(Err(error)),
        }
    }

    pub(crate) fn with_url(method: Method, url: Option<Url>) -> Self {
        let mut request = Self {
            url,
            method,
            headers: Headers::new(),
            sensitive: Vec::new(),
            body: None,
            timers: None,
            cancel: None,
            decodes: None,
            accepted: None,
            user_info: None,
            more: None,
            wrong: None,
            type_follows_body: false,
        };
        request.user_info = request.url.as_mut().and_then(UserInfo::take_from).map(Box::new);
        request
    }

    fn noting(mut self, result: Result<(), Error>) -> Self {
        if let Err(error) = result {
            self.wrong.get_or_insert(error);
        }
        self
    }

    /// Sets the body, and the `Content-Type` that it [knows](Body::media_type), unless the
    /// request has one. That of a [`Multipart`](crate::Multipart) stays only if it names the
    /// boundary, where it is one of parts at all.
    ///
    /// Bytes and text know none. A `POST` of them, where they are not empty, is sent as
    /// `application/x-www-form-urlencoded`, as Foundation and `curl -d` do it; files, readers,
    /// other methods and [uploads](crate::Session::upload) are sent without a `Content-Type`.
    ///
    /// `GET` takes no body, see [`check`](Self::check); one that is known to be empty is none
    /// for `GET` and `HEAD`. A `HEAD` with a body is sent, as Apple refuses it for `GET` only.
    ///
    /// ```
    /// use urlsession::Request;
    ///
    /// // Goes out as a form.
    /// let request = Request::post("https://shop.test/login.php").body("name=ann&password=x");
    /// // What else it is has to be said.
    /// let request = Request::post("https://shop.test/log")
    ///     .header("Content-Type", "text/plain")
    ///     .body("one line");
    /// assert!(request.check().is_ok());
    /// ```
    #[doc(alias = "httpBody")]
    #[doc(alias = "HTTPBody")]
    #[doc(alias = "setHTTPBody:")]
    pub fn body(self, body: impl Into<Body>) -> Self {
        self.with_body(body.into())
    }

    /// Sets whether the response's body is asked for compressed, and decoded while it
    /// arrives (`true`), or asked for and delivered as it is stored (`false`).
    ///
    /// Default: as the configuration's
    /// [`decodes_bodies`](crate::Configuration::decodes_bodies) says, but `false` for
    /// downloads to files and for requests with a `Range`. A header `Accept-Encoding` of
    /// the request's own goes out as it is, either way.
    ///
    /// ```
    /// use urlsession::Request;
    ///
    /// // The report, not the compressed report.
    /// let report = Request::get("https://shop.test/report").decodes_body(true);
    /// // session.download_to(report, "report.csv")?;
    /// assert!(report.check().is_ok());
    /// ```
    pub fn decodes_body(mut self, decodes: bool) -> Self {
        self.decodes = Some(decodes);
        self
    }

    /// Lets `token` end the load of this request from any thread.
    pub fn cancel_token(mut self, token: &CancelToken) -> Self {
        self.cancel = Some(token.clone());
        self
    }

    /// Returns the URL, without user name and password; `None` if it could not be parsed.
    pub fn url(&self) -> Option<&Url> {
        self.url.as_ref()
    }

    /// Returns the zone that the URL's IPv6 address had: through which network interface of
    /// this machine it is reached, by name or number, as in `http://[fe80::1%25eth0]/`
    /// (RFC 6874; `%` alone is taken as well). The [`url`](Self::url) is without it, and so
    /// is all that is sent. Default: `None`.
    pub fn zone(&self) -> Option<&str> {
        self.more.as_ref()?.zone.as_deref()
    }

    /// Returns the method.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// Returns the headers, without those that a session adds.
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// Returns the body.
    pub fn body_to_send(&self) -> Option<&Body> {
        self.body.as_ref()
    }

    pub(crate) fn cancel(&self) -> Option<&CancelToken> {
        self.cancel.as_ref()
    }

    /// A token that has ended one load would end the next at once.
    pub(crate) fn without_cancel_token(mut self) -> Self {
        self.cancel = None;
        self
    }

    pub(crate) fn decodes(&self) -> Option<bool> {
        self.decodes
    }

    /// Takes the body away, and the type that came with it.
    /// The same at another URL.
    #[cfg(feature = "background")]
    pub(crate) fn moved_to(mut self, url: &str) -> Self {
        if let Ok(url) = Url::parse(url) {
            self.url = Some(url);
        }
        self
    }

    pub(crate) fn without_body(mut self) -> Self {
        self.body = None;
        if std::mem::take(&mut self.type_follows_body) {
            self.headers.remove("content-type");
        }
        self
    }

    pub(crate) fn sensitive(&self) -> &[Box<str>] {
        &self.sensitive
    }

    pub(crate) fn user_info(&self) -> Option<Box<UserInfo>> {
        self.user_info.clone()
    }

    /// Makes the request that follows a redirect.
    pub(crate) fn redirected(
        url: Url,
        method: Method,
        headers: Headers,
        sensitive: Vec<Box<str>>,
        body: Option<Body>,
    ) -> Self {
        Self { headers, sensitive, body, ..Self::with_url(method, Some(url)) }
    }

    /// Has it go to the same place by another scheme.
    pub(crate) fn by(mut self, url: Url) -> Self {
        self.url = Some(url);
        self
    }
}

/// Whether a URL is to be resolved against another.
fn is_relative(text: &str) -> bool {
    let is_clean = !text.bytes().any(|byte| byte.is_ascii_control());
    is_clean && Url::parse(text) == Err(url::ParseError::RelativeUrlWithoutBase)
}

/// Parses a URL, which may have a zone.
fn parsed(text: &str) -> Result<(Url, Option<Box<str>>), Error> {
    // The parser passes over line breaks and tabs, as the standard for URLs says. In a
    // program they are a mistake, or an attempt to inject something.
    // Without an early end, many bytes are looked at with one instruction.
    if text.bytes().fold(false, |found, byte| found | byte.is_ascii_control()) {
        return Err(Error::new(ErrorKind::BadUrl, "the URL contains a control character"));
    }
    let error = match Url::parse(text) {
        Ok(url) => return Ok((url, None)),
        Err(error) => error,
    };
    match zone::parse(text, error) {
        Ok((url, zone)) => Ok((url, Some(zone))),
        // The text is not repeated: it may hold a password.
        Err(error) => Err(Error::new(ErrorKind::BadUrl, unparsed::why(text, error))),
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("url", &self.url.as_ref().map(error::without_secrets))
            .field("headers", &self.headers)
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
