//! Setting the headers of a request.

use std::fmt;

use super::Request;
use crate::pair::Pair;

impl Request {
    /// Hides the values of the header `name`, if it was marked as sensitive.
    pub(super) fn hide_marked(&mut self, name: &str) {
        if self.sensitive.iter().any(|marked| marked.eq_ignore_ascii_case(name)) {
            self.headers.hide(name);
        }
    }

    /// Sets a header; earlier values of it are replaced.
    ///
    /// Name and value go out as they are written here, except as the table says. What is
    /// refused there, or is no name or value, fails the load with
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest), which [`check`](Self::check) reports at once.
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
    /// [`reader`](crate::Body::reader), is taken for its length, as by [`Body::with_length`](crate::Body::with_length).
    ///
    /// With `Expect: 100-continue` the body waits for the server's leave, a second at most; a
    /// 417 has the request sent without it, and nobody is told of that (RFC 9110 §10.1.1).
    #[doc(alias = "setValue(_:forHTTPHeaderField:)")]
    #[doc(alias = "setValue:forHTTPHeaderField:")]
    pub fn header(mut self, name: impl AsRef<str>, value: impl fmt::Display) -> Self {
        let result = self.set_header(name, value);
        self.noting(result)
    }

    /// Sets several headers: earlier values of each are replaced, and a name that occurs
    /// more than once in `fields` is sent as often. [`header`](Self::header) has the rules.
    ///
    /// ```
    /// use urlsession::Request;
    ///
    /// let request = Request::get("https://shop.test/")
    ///     .header_fields([("Accept", "text/html"), ("Accept-Language", "de")])
    ///     .header_fields([("X-Depth", 2)]);
    /// assert_eq!(request.headers().len(), 3);
    /// ```
    #[doc(alias = "allHTTPHeaderFields")]
    pub fn header_fields<P: Pair>(mut self, fields: impl IntoIterator<Item = P>) -> Self {
        let mut seen: Vec<String> = Vec::new();
        for field in fields {
            let (name, value) = (field.name(), field.value());
            if seen.iter().any(|before| before.eq_ignore_ascii_case(name)) {
                self = self.add_header(name, value);
            } else {
                self = self.header(name, value);
                seen.push(name.to_owned());
            }
        }
        self
    }

    /// Adds a header beside earlier values of it; the table of [`header`](Self::header) holds
    /// for all of them.
    #[doc(alias = "addValue(_:forHTTPHeaderField:)")]
    #[doc(alias = "addValue:forHTTPHeaderField:")]
    pub fn add_header(mut self, name: impl AsRef<str>, value: impl fmt::Display) -> Self {
        let name = name.as_ref();
        self.type_follows_body &= !name.eq_ignore_ascii_case("content-type");
        let result = self.headers.add(name, &value.to_string());
        self.hide_marked(name);
        self.noting(result)
    }

    /// Sets a header that is as secret as `Authorization`: it goes to this URL's origin
    /// only, no redirect to another scheme, host or port carries it, and `Debug` hides it.
    pub fn sensitive_header(mut self, name: impl AsRef<str>, value: impl fmt::Display) -> Self {
        self.sensitive.push(name.as_ref().into());
        self.header(name, value)
    }
}
