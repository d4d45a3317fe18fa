//! What to load: URL, method, headers, body, and how long to wait.

mod authorization;
mod check;
pub(crate) mod content;
mod convert;
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
use status::Statuses;
use timers::Timers;

pub(crate) use userinfo::UserInfo;

/// Why no program sends one (RFC 9110 §9.3.6).
const CONNECT: &str = "CONNECT is for proxies only: use another method";

/// A request, which a session copies when it loads it.
///
/// Built by chained calls that cannot fail: what is wrong with a URL, a method or a header
/// is reported by the load, as the error of that load, or at once by
/// [`check`](Self::check).
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
#[derive(Clone)]
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
    /// On which network interface the URL's address is.
    zone: Option<Box<str>>,
    /// What it says about codings, if not what is usual.
    decodes: Option<bool>,
    /// Which statuses it accepts, if not what is usual. Boxed: few requests have it, and all
    /// are moved.
    accepted: Option<Box<Statuses>>,
    /// Boxed as well.
    user_info: Option<Box<UserInfo>>,
    /// The first thing that was wrong while building.
    wrong: Option<Error>,
    /// The `Content-Type` came with the body, and goes with it.
    type_follows_body: bool,
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

    /// Makes a request with any method.
    ///
    /// `get`, `head`, `post`, `put` and `delete` are sent in capitals; any other method is
    /// sent as it is written. `CONNECT` is for proxies and is refused.
    #[doc(alias = "httpMethod")]
    #[doc(alias = "HTTPMethod")]
    #[doc(alias = "setHTTPMethod:")]
    pub fn new(method: &str, url: impl AsRef<str>) -> Self {
        let capitals = method.to_ascii_uppercase();
        let known = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT"];
        let name = if known.contains(&&*capitals) { &*capitals } else { method };
        match Method::from_bytes(name.as_bytes()) {
            Ok(Method::CONNECT) => Self::with_method(Method::CONNECT, url.as_ref())
                .wrong(ErrorKind::InvalidRequest, CONNECT),
            Ok(method) => Self::with_method(method, url.as_ref()),
            Err(_) => Self::with_method(Method::GET, url.as_ref())
                .wrong(ErrorKind::InvalidRequest, format!("{method:?} is not a method")),
        }
    }

    fn with_method(method: Method, url: &str) -> Self {
        // The parser passes over line breaks and tabs, as the standard for URLs says. In a
        // program they are a mistake, or an attempt to inject something.
        if url.bytes().any(|byte| byte.is_ascii_control()) {
            let detail = "the URL contains a control character";
            return Self::with_url(method, None).wrong(ErrorKind::BadUrl, detail);
        }
        let error = match Url::parse(url) {
            Ok(url) => return Self::with_url(method, Some(url)),
            Err(error) => error,
        };
        match zone::parse(url, error) {
            Ok((url, zone)) => {
                let mut request = Self::with_url(method, Some(url));
                request.zone = Some(zone);
                request
            }
            Err(error) => {
                Self::with_url(method, None).wrong(ErrorKind::BadUrl, unparsed::why(url, error))
            }
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
            zone: None,
            decodes: None,
            accepted: None,
            user_info: None,
            wrong: None,
            type_follows_body: false,
        };
        request.user_info = request.url.as_mut().and_then(UserInfo::take_from).map(Box::new);
        request
    }

    fn wrong(mut self, kind: ErrorKind, detail: impl Into<std::borrow::Cow<'static, str>>) -> Self {
        self.wrong.get_or_insert_with(|| Error::new(kind, detail));
        self
    }

    fn noting(mut self, result: Result<(), Error>) -> Self {
        if let Err(error) = result {
            self.wrong.get_or_insert(error);
        }
        self
    }

    /// Hides the values of the header `name`, if it was marked as sensitive.
    fn hiding(mut self, name: &str) -> Self {
        if self.sensitive.iter().any(|marked| marked.eq_ignore_ascii_case(name)) {
            self.headers.hide(name);
        }
        self
    }

    /// Sets a header; earlier values of it are replaced.
    ///
    /// Name and value go out as they are written here, except as the table says. What is
    /// refused there, or is no name or value, fails the load with
    /// [`ErrorKind::InvalidRequest`], which [`check`](Self::check) reports at once.
    ///
    /// | header | goes out | does not | refused |
    /// |---|---|---|---|
    /// | `Host` | one, if it is a name or an address, and perhaps a port; in place of the URL's | | two, even if they are the same; anything else |
    /// | `Expect` | `100-continue`, where there is a body, once | an empty one; where the body is empty or there is none | any other |
    /// | `Connection` | names, such as `close` and `keep-alive` | an empty one | names of headers that are for the server, such as `Content-Length`, `Host`, `Authorization` |
    /// | `TE` | `trailers`, with `Connection: TE` | `chunked`, and what has `q=0` | transfer codings |
    /// | `Upgrade` | names of protocols, with `Connection: Upgrade`; a server that changes to one fails the load | an empty one | anything else |
    /// | `Content-Length` | the body's, once | | another length than the body's |
    /// | `Transfer-Encoding` | `chunked`, where the body's length is not known | `chunked` where it is known; `identity` | `chunked` without a body, other codings, beside a `Content-Length` |
    /// | `Trailer` | | always: no body has trailers | |
    /// | `Keep-Alive`, `Proxy-Connection` | as they are written | | |
    ///
    /// The `Content-Length` of a body that does not know its length, as a
    /// [`reader`](Body::reader), is taken for its length, as by [`Body::with_length`].
    ///
    /// With `Expect: 100-continue` the body waits for the server's leave, a second at most; a
    /// 417 has the request sent without it, and nobody is told of that (RFC 9110 §10.1.1).
    #[doc(alias = "setValue(_:forHTTPHeaderField:)")]
    #[doc(alias = "setValue:forHTTPHeaderField:")]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.type_follows_body &= !name.eq_ignore_ascii_case("content-type");
        let result = self.headers.set(name, value);
        self.hiding(name).noting(result)
    }

    /// Adds a header beside earlier values of it; the table of [`header`](Self::header) holds
    /// for all of them.
    #[doc(alias = "addValue(_:forHTTPHeaderField:)")]
    #[doc(alias = "addValue:forHTTPHeaderField:")]
    pub fn add_header(mut self, name: &str, value: &str) -> Self {
        self.type_follows_body &= !name.eq_ignore_ascii_case("content-type");
        let result = self.headers.add(name, value);
        self.hiding(name).noting(result)
    }

    /// Sets a header that is as secret as `Authorization`: it goes to this URL's origin
    /// only, no redirect to another scheme, host or port carries it, and `Debug` hides it.
    pub fn sensitive_header(mut self, name: &str, value: &str) -> Self {
        self.sensitive.push(name.into());
        self.header(name, value)
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
    /// # assert!(request.check().is_ok());
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
    /// # assert!(report.check().is_ok());
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
        self.zone.as_deref()
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

    pub(crate) fn decodes(&self) -> Option<bool> {
        self.decodes
    }

    /// Takes the body away, and the type that came with it.
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

    /// Has the URL's address be on this network interface.
    pub(crate) fn in_zone(mut self, zone: Option<Box<str>>) -> Self {
        self.zone = zone;
        self
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
