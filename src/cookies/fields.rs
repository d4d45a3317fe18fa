//! Cookies from and to header fields.

use url::Url;

use super::cookie::Cookie;
use super::moment::{Moment, moment};
use crate::clock::Clock;
use crate::headers::Headers;

/// Of one response no more are kept, as curl does it.
pub(super) const MOST_OF_RESPONSE: usize = 50;

/// A `Cookie` is no longer, its name included, as curl does it: servers refuse longer ones.
pub(super) const MOST_SENT: usize = 8_190;

const NAME: &str = "Cookie";

impl Cookie {
    /// Returns the cookies that a response to `url` sets by these headers: 50 at most. Those that
    /// a server may not set are left out, as is each field that is none (RFC 6265bis §5.6).
    ///
    /// ```
    /// use urlsession::{Cookie, Headers, url::Url};
    ///
    /// let url = Url::parse("https://shop.test/cart/").unwrap();
    /// let headers = Headers::from_iter([
    ///     ("Set-Cookie", "theme=dark; Domain=shop.test"),
    ///     ("Set-Cookie", "tracker=1; Domain=ads.test"),
    /// ]);
    /// let cookies = Cookie::from_header_fields(&headers, &url);
    /// assert_eq!(cookies.len(), 1);
    /// assert_eq!((cookies[0].domain(), cookies[0].path()), ("shop.test", "/cart"));
    /// ```
    #[doc(alias = "cookiesWithResponseHeaderFields:forURL:")]
    #[doc(alias = "cookies(withResponseHeaderFields:for:)")]
    pub fn from_header_fields(headers: &Headers, url: &Url) -> Vec<Self> {
        set_by(headers, url, moment(Clock::system().date()))
    }

    /// Returns the headers that send these cookies, in this order: one field `Cookie`, or none.
    #[doc(alias = "requestHeaderFieldsWithCookies:")]
    #[doc(alias = "requestHeaderFields(with:)")]
    pub fn header_fields<'a>(cookies: impl IntoIterator<Item = &'a Self>) -> Headers {
        let mut headers = Headers::new();
        add_to(&mut headers, &cookies.into_iter().collect::<Vec<_>>());
        headers
    }
}

/// Returns what a response sets.
pub(super) fn set_by(headers: &Headers, url: &Url, now: Moment) -> Vec<Cookie> {
    let fields = headers.get_all_bytes("set-cookie");
    let cookies = fields.filter_map(|field| Cookie::set_by(&field, url, now));
    cookies.take(MOST_OF_RESPONSE).collect()
}

/// Adds the field that sends these (RFC 6265bis §5.8.3), as many as it holds.
pub(super) fn add_to(headers: &mut Headers, cookies: &[&Cookie]) {
    let mut length = NAME.len() + ": ".len();
    let fit = cookies.iter().enumerate().take_while(|(at, cookie)| {
        length += cookie.sent_length() + if *at > 0 { "; ".len() } else { 0 };
        length <= MOST_SENT
    });
    let cookies = &cookies[..fit.count()];
    if cookies.is_empty() {
        return;
    }
    if cookies.iter().any(|cookie| cookie.latin1) {
        return headers.push_bytes(NAME, &in_bytes(cookies));
    }
    let mut text = String::with_capacity(length);
    for (at, cookie) in cookies.iter().enumerate() {
        if at > 0 {
            text.push_str("; ");
        }
        cookie.write_to(&mut text);
    }
    headers.push(NAME, &text);
}

/// Writes cookies some of which are not UTF-8, as they came.
fn in_bytes(cookies: &[&Cookie]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (at, cookie) in cookies.iter().enumerate() {
        if at > 0 {
            bytes.extend_from_slice(b"; ");
        }
        let mut text = String::new();
        cookie.write_to(&mut text);
        if cookie.latin1 {
            bytes.extend(text.chars().map(|char| char as u8));
        } else {
            bytes.extend_from_slice(text.as_bytes());
        }
    }
    bytes
}
