//! Changing a request that is there, as a redirect proposes it.

use std::fmt;

use super::{Request, UserInfo, drop_what_is_of_one_origin, method, parsed};
use crate::error::Error;

impl Request {
    /// Sets the URL of a request that is there, and leaves the rest as it is.
    ///
    /// To another scheme, host or port, nothing goes along that belongs to the one before:
    /// `Authorization`, `Cookie`, `Host`, [sensitive headers](Self::sensitive_header), the
    /// user name and password of the URL. What the new one may see is to be set after this.
    ///
    /// ```
    /// use urlsession::Request;
    ///
    /// let mut request = Request::get("https://shop.test/cart").header("X-Trace", 7);
    /// request.set_url("https://mirror.test/cart")?;
    /// assert_eq!(request.url().unwrap().host_str(), Some("mirror.test"));
    /// assert_eq!(request.headers().get("X-Trace"), Some("7"));
    /// Ok::<(), urlsession::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BadUrl`](crate::ErrorKind::BadUrl) for what is no URL; nothing is changed
    /// then.
    pub fn set_url(&mut self, url: impl AsRef<str>) -> Result<(), Error> {
        let (mut url, zone) = parsed(url.as_ref())?;
        let user_info = UserInfo::take_from(&mut url).map(Box::new);
        let is_same =
            |before: &url::Url| before.origin() == url.origin() && self.zone() == zone.as_deref();
        if self.url.as_ref().is_some_and(is_same) {
            self.user_info = user_info.or(self.user_info.take());
        } else {
            drop_what_is_of_one_origin(&mut self.headers, &self.sensitive);
            self.user_info = user_info;
        }
        self.url = Some(url);
        if zone.is_some() || self.more.is_some() {
            let more = self.more();
            (more.zone, more.relative) = (zone, None);
        }
        Ok(())
    }

    /// Sets the method, as [`new`](Self::new) takes it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) for what is no method,
    /// and for `CONNECT`; nothing is changed then.
    pub fn set_method(&mut self, method: impl AsRef<str>) -> Result<(), Error> {
        self.method = method::parse(method.as_ref())?;
        Ok(())
    }

    /// Sets a header of a request that is there, as [`header`](Self::header) does.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) for what cannot be a
    /// name or a value; nothing is changed then. What a header may say is checked when the
    /// request is loaded.
    #[doc(alias = "setValue(_:forHTTPHeaderField:)")]
    pub fn set_header(
        &mut self,
        name: impl AsRef<str>,
        value: impl fmt::Display,
    ) -> Result<(), Error> {
        let name = name.as_ref();
        self.headers.set(name, &value.to_string())?;
        self.type_follows_body &= !name.eq_ignore_ascii_case("content-type");
        self.hide_marked(name);
        Ok(())
    }

    /// Removes every value of a header, in any case; returns whether one was there.
    ///
    /// ```
    /// use urlsession::Request;
    ///
    /// let mut request = Request::get("https://shop.test/").header("X-Trace", 7);
    /// assert!(request.remove_header("x-trace") && request.headers().is_empty());
    /// ```
    pub fn remove_header(&mut self, name: impl AsRef<str>) -> bool {
        self.headers.remove(name.as_ref())
    }
}

impl PartialEq for Request {
    /// Requests are equal if they ask for the same: URL, method, headers, body, and what is
    /// set about them. The [cancel token](Self::cancel_token) does not count.
    fn eq(&self, other: &Self) -> bool {
        let said = |error: &Option<Error>| error.as_ref().map(Error::to_string);
        self.url == other.url
            && self.more.clone().unwrap_or_default() == other.more.clone().unwrap_or_default()
            && self.method == other.method
            && self.headers == other.headers
            && self.sensitive == other.sensitive
            && self.body == other.body
            && self.timers == other.timers
            && self.decodes == other.decodes
            && self.accepted == other.accepted
            && self.user_info == other.user_info
            && said(&self.wrong) == said(&other.wrong)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::body::{Body, Multipart};
    use crate::error::ErrorKind;

    #[test]
    fn another_origin_sees_nothing_of_the_one_before() {
        let made = || {
            Request::get("https://ann:pw@a.test/x")
                .bearer_auth("abc")
                .header("Cookie", "a=b")
                .header("Host", "other.test")
                .sensitive_header("X-Key", "s3cret")
                .header("X-Trace", 1)
        };
        for (url, keeps) in [
            ("https://a.test/y", true),
            ("https://a.test:443/y", true),
            ("http://a.test/x", false),
            ("https://a.test:8443/x", false),
            ("https://b.test/x", false),
        ] {
            let mut request = made();
            request.set_url(url).unwrap();
            assert_eq!(request.user_info().is_some(), keeps, "{url}");
            for name in ["Authorization", "Cookie", "Host", "X-Key"] {
                assert_eq!(request.headers().contains(name), keeps, "{name} to {url}");
            }
            assert_eq!(request.headers().get("X-Trace"), Some("1"));
        }
        let mut request = made();
        request.set_url("https://bob@b.test/").unwrap();
        assert_eq!(request.user_info().unwrap().pair(), Some(("bob", None)));
    }

    #[test]
    fn what_is_wrong_with_an_edit_changes_nothing() {
        let mut request = Request::get("http://a/").header("X", 1);
        let before = request.clone();
        assert_eq!(request.set_url("b").unwrap_err().kind(), ErrorKind::BadUrl);
        assert_eq!(request.set_url("http://a\n/").unwrap_err().kind(), ErrorKind::BadUrl);
        for method in ["", "a b", "connect"] {
            assert_eq!(request.set_method(method).unwrap_err().kind(), ErrorKind::InvalidRequest);
        }
        for (name, value) in [("a b", "c"), ("X", "a\nb"), ("", "")] {
            assert!(request.set_header(name, value).is_err());
        }
        assert!(!request.remove_header("Y"));
        assert!(request == before);
    }

    #[test]
    fn requests_are_equal_if_they_ask_for_the_same() {
        let made = || Request::post("http://a/").header("X", 1).body("b");
        assert!(made() == made());
        let token = crate::cancel::CancelToken::new();
        assert!(made().cancel_token(&token) == made());
        assert!(
            Request::get("http://a/").header("x", 1) == Request::get("http://a").header("X", "1")
        );
        for other in [
            Request::put("http://a/").header("X", 1).body("b"),
            Request::post("http://a/?").header("X", 1).body("b"),
            Request::post("http://a/").header("X", 2).body("b"),
            made().body("c"),
            made().body(b"b").body(crate::body::Form::from([("b", "")])),
            made().timeout_for_request(Duration::from_secs(1)),
            made().timeout_for_resource(Duration::from_secs(1)),
            made().decodes_body(false),
            made().sensitive_header("X", 1),
            made().header("a b", ""),
            Request::post("http://a@a/").header("X", 1).body("b"),
        ] {
            assert!(other != made(), "{other:?}");
        }
        let reader = Body::reader(&b"b"[..]);
        assert!(made().body(reader.clone()) == made().body(reader));
        assert!(made().body(Body::reader(&b"b"[..])) != made().body(Body::reader(&b"b"[..])));
        assert!(Body::file("a") == Body::file("a") && Body::file("a") != Body::file("b"));
        let form = Multipart::new().text("a", "b");
        assert!(Body::from(form.clone()) == Body::from(form.clone()));
        assert!(Body::from(form) != Body::from(Multipart::new().text("a", "b")));
    }

    #[test]
    fn headers_and_parameters_come_from_lists() {
        let fields = [("a", "1"), ("B", "2"), ("b", "3")];
        let request = Request::get("http://a/").header("b", 0).header_fields(fields);
        assert_eq!(request.headers().iter().collect::<Vec<_>>(), fields);
        let copied = Request::get("http://a/").header_fields(request.headers());
        assert!(copied == request);
        let wrong = Request::get("http://a/").header_fields([("a b", 1)]);
        assert_eq!(wrong.check().unwrap_err().kind(), ErrorKind::InvalidRequest);
        let map = std::collections::BTreeMap::from([("page", 2), ("size", 50)]);
        let request = Request::get("http://a/").query_items(&map).query("q", 1.5);
        assert_eq!(request.url().unwrap().query(), Some("page=2&size=50&q=1.5"));
        let name = http::header::ACCEPT;
        assert_eq!(Request::get("http://a/").header(name, 'x').headers()["accept"], *"x");
        for url in ["http://a/", "http://b/"].iter() {
            assert_eq!(Request::from(url).url().unwrap().as_str(), *url);
        }
    }
}
