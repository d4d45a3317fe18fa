//! What to load: URL, method, headers, body, and how long to wait.

mod authorization;
mod content;
mod convert;
mod userinfo;
mod zone;

use std::fmt;
use std::time::Duration;

use http::Method;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

use crate::body::Body;
use crate::cancel::CancelToken;
use crate::error::{self, Error, ErrorKind};
use crate::headers::Headers;

pub(crate) use userinfo::UserInfo;

/// RFC 3986 §2.3: everything but the unreserved characters is escaped in a query, so a
/// value can never end its parameter.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

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
///     .timeout(Duration::from_secs(10));
/// assert_eq!(request.url().unwrap().query(), Some("q=tea%20%26%20biscuits"));
/// ```
#[doc(alias = "URLRequest")]
#[doc(alias = "NSURLRequest")]
#[derive(Clone)]
#[must_use]
pub struct Request {
    url: Option<Url>,
    method: Method,
    headers: Headers,
    sensitive: Vec<Box<str>>,
    body: Option<Body>,
    timeout: Option<Duration>,
    cancel: Option<CancelToken>,
    /// On which network interface the URL's address is.
    zone: Option<Box<str>>,
    /// What it says about codings, if not what is usual.
    decodes: Option<bool>,
    /// Boxed: few requests have it, and all are moved.
    user_info: Option<Box<UserInfo>>,
    /// The first thing that was wrong while building.
    wrong: Option<Error>,
    /// The `Content-Type` came with the body, and goes with it.
    type_follows_body: bool,
}

impl Request {
    /// Makes a `GET` request.
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
    pub fn new(method: &str, url: impl AsRef<str>) -> Self {
        let capitals = method.to_ascii_uppercase();
        let known = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT"];
        let name = if known.contains(&&*capitals) { &*capitals } else { method };
        match Method::from_bytes(name.as_bytes()) {
            Ok(Method::CONNECT) => Self::with_method(Method::CONNECT, url.as_ref())
                .wrong(ErrorKind::InvalidRequest, "CONNECT is for proxies only"),
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
            // The text is not repeated: it may hold a password.
            Err(error) => Self::with_url(method, None)
                .wrong(ErrorKind::BadUrl, format!("the URL cannot be parsed: {error}")),
        }
    }

    pub(crate) fn with_url(method: Method, url: Option<Url>) -> Self {
        let mut request = Self {
            url,
            method,
            headers: Headers::new(),
            sensitive: Vec::new(),
            body: None,
            timeout: None,
            cancel: None,
            zone: None,
            decodes: None,
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
    /// The name goes out as it is written here. `Content-Length` and `Transfer-Encoding`
    /// follow from the body and cannot be set; `Host` can. With `Expect: 100-continue` the
    /// body waits for the server's leave, for a second at most; a server that answers 417
    /// gets the request once more without it (RFC 9110 §10.1.1), and nobody is told of that.
    #[doc(alias = "setValue(_:forHTTPHeaderField:)")]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.type_follows_body &= !name.eq_ignore_ascii_case("content-type");
        let result = framing_is_ours(name).and_then(|()| self.headers.set(name, value));
        self.hiding(name).noting(result)
    }

    /// Adds a header beside earlier values of it.
    #[doc(alias = "addValue(_:forHTTPHeaderField:)")]
    pub fn add_header(mut self, name: &str, value: &str) -> Self {
        self.type_follows_body &= !name.eq_ignore_ascii_case("content-type");
        let result = framing_is_ours(name).and_then(|()| self.headers.add(name, value));
        self.hiding(name).noting(result)
    }

    /// Sets a header that is as secret as `Authorization`: it goes to this URL's origin
    /// only, no redirect to another scheme, host or port carries it, and `Debug` hides it.
    pub fn sensitive_header(mut self, name: &str, value: &str) -> Self {
        self.sensitive.push(name.into());
        self.header(name, value)
    }

    /// Appends `name=value` to the URL's query, both escaped.
    #[doc(alias = "queryItems")]
    pub fn query(mut self, name: &str, value: &str) -> Self {
        if let Some(url) = &mut self.url {
            let name = utf8_percent_encode(name, QUERY);
            let value = utf8_percent_encode(value, QUERY);
            let query = match url.query() {
                Some(before) if !before.is_empty() => format!("{before}&{name}={value}"),
                _ => format!("{name}={value}"),
            };
            url.set_query(Some(&query));
        }
        self
    }

    /// Sets the body. No `Content-Type` is guessed.
    #[doc(alias = "httpBody")]
    pub fn body(self, body: impl Into<Body>) -> Self {
        let mut request = self.without_body();
        request.body = Some(body.into());
        request
    }

    /// Sets how long this request may wait for a byte, either way, before it fails with
    /// [`ErrorKind::TimedOut`].
    ///
    /// Default: the configuration's
    /// [`timeout_for_request`](crate::Configuration::timeout_for_request).
    #[doc(alias = "timeoutInterval")]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
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

    /// Reports the first thing that is wrong with the request, as its load would.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BadUrl`], [`ErrorKind::InvalidRequest`], or
    /// [`ErrorKind::DataLengthExceedsMaximum`] for a `GET` or `HEAD` with a body, which is
    /// what Apple reports.
    pub fn check(&self) -> Result<(), Error> {
        if let Some(error) = &self.wrong {
            return Err(self.url.iter().fold(error.clone(), |error, url| error.on(url)));
        }
        if self.body.is_some() && matches!(self.method, Method::GET | Method::HEAD) {
            let detail = format!("a {} request cannot have a body", self.method);
            let error = Error::new(ErrorKind::DataLengthExceedsMaximum, detail);
            return Err(self.url.iter().fold(error, |error, url| error.on(url)));
        }
        Ok(())
    }

    pub(crate) fn timeout_or(&self, default: Duration) -> Duration {
        self.timeout.unwrap_or(default)
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

/// Two places that say how long a body is, is how requests are smuggled
/// (RFC 9112 §11.2), so the body alone says it.
pub(crate) fn framing_is_ours(name: &str) -> Result<(), Error> {
    let framing = ["Content-Length", "Transfer-Encoding"];
    if framing.iter().any(|known| name.eq_ignore_ascii_case(known)) {
        let detail = format!("the header {name} follows from the body and cannot be set");
        return Err(Error::new(ErrorKind::InvalidRequest, detail));
    }
    Ok(())
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
mod tests {
    use super::*;

    #[test]
    fn known_methods_are_capitalised_and_others_are_kept() {
        for (given, sent) in [
            ("get", "GET"),
            ("Post", "POST"),
            ("put", "PUT"),
            ("delete", "DELETE"),
            ("head", "HEAD"),
            ("patch", "patch"),
            ("PATCH", "PATCH"),
            ("Brew", "Brew"),
        ] {
            assert_eq!(Request::new(given, "http://a/").method().as_str(), sent);
        }
        for bad in ["", "A B", "A\r\nB", "ä", "connect"] {
            let error = Request::new(bad, "http://a/").check().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{bad:?}");
        }
    }

    #[test]
    fn a_query_parameter_cannot_break_out() {
        let request = Request::get("http://a/?x=1").query("k&", "a=b#c d+e").query("é", "");
        assert_eq!(request.url().unwrap().query(), Some("x=1&k%26=a%3Db%23c%20d%2Be&%C3%A9="));
    }

    #[test]
    fn what_is_wrong_is_kept_until_the_load() {
        let request = Request::get("http://user:pw@").header("a b", "c");
        let error = request.check().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadUrl);
        assert!(!error.to_string().contains("pw"));
        for name in ["content-length", "Transfer-Encoding"] {
            let error = Request::post("http://a/").add_header(name, "5").check().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        }
        let error = Request::get("http://a/").body("x").check().unwrap_err();
        assert_eq!(error.code(), -1103);
    }

    #[test]
    fn secrets_of_the_url_are_not_printed() {
        let request = Request::get("http://ann:s3cret@shop.test/a?token=s3cret")
            .header("Authorization", "Bearer s3cret");
        assert_eq!(request.url().unwrap().username(), "");
        assert!(!format!("{request:?}").contains("s3cret"), "{request:?}");
    }
}
