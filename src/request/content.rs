//! Bodies that bring their `Content-Type` along.

use std::borrow::Cow;

use http::Method;

use super::Request;
use crate::body::{Body, Form, Multipart};
use crate::headers::Headers;

impl Request {
    /// Sets the fields of a form as the body, and its `Content-Type`,
    /// `application/x-www-form-urlencoded`, unless the request has one.
    ///
    /// ```
    /// use urlsession::Request;
    ///
    /// let fields = [("name", "Brendon"), ("password", "a&b=c d")];
    /// let request = Request::post("https://shop.test/sign-up").form(fields);
    /// let length = request.body_to_send().and_then(urlsession::Body::length);
    /// assert_eq!(length, Some("name=Brendon&password=a%26b%3Dc+d".len() as u64));
    /// ```
    #[doc(alias = "httpBody")]
    #[doc(alias = "queryItems")]
    pub fn form(self, form: impl Into<Form>) -> Self {
        self.body(form.into())
    }

    /// Sets a form of texts and files as the body, and its `Content-Type`,
    /// `multipart/form-data` with the form's boundary; an earlier one is replaced.
    ///
    /// ```
    /// use urlsession::{Multipart, Request};
    ///
    /// let form = Multipart::new().text("tag_name", "holiday").file("userfile", "photo.jpg");
    /// let request = Request::post("https://shop.test/photos").multipart(form);
    /// ```
    #[doc(alias = "httpBodyStream")]
    pub fn multipart(mut self, form: Multipart) -> Self {
        self.headers.remove("content-type");
        self.body(form)
    }

    /// Sets `value`, written as JSON, as the body, and its `Content-Type`,
    /// `application/json`, unless the request has one.
    ///
    /// A value that cannot be written fails the load with
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest).
    ///
    /// ```
    /// use std::collections::BTreeMap;
    /// use urlsession::Request;
    ///
    /// let order = BTreeMap::from([("tea", 2), ("biscuits", 12)]);
    /// let request = Request::post("https://shop.test/orders").json(&order);
    /// assert_eq!(request.headers().get("Content-Type"), Some("application/json"));
    /// ```
    #[cfg(feature = "json")]
    #[cfg_attr(docsrs, doc(cfg(feature = "json")))]
    #[doc(alias = "JSONEncoder")]
    #[doc(alias = "JSONSerialization")]
    pub fn json(self, value: &(impl serde::Serialize + ?Sized)) -> Self {
        match Body::json(value) {
            Ok(body) => self.body(body),
            Err(error) => self.noting(Err(error)),
        }
    }

    /// Sets the body that an upload sends: of bytes nothing is assumed.
    pub(crate) fn sending(self, body: impl Into<Body>) -> Self {
        self.with_body(body.into().untyped())
    }

    pub(super) fn with_body(self, body: Body) -> Self {
        let mut request = self.without_body();
        if let Some(value) = content_type(&request.headers, &body) {
            request = request.header("Content-Type", &value);
            request.type_follows_body = true;
        }
        let checked = body.as_multipart().map_or(Ok(()), Multipart::check);
        request.body = Some(body);
        request.noting(checked)
    }
}

/// Returns the `Content-Type` to set for a body that knows its own, unless the headers have
/// another one. A form of parts cannot be read without its boundary.
pub(crate) fn content_type(headers: &Headers, body: &Body) -> Option<Cow<'static, str>> {
    let is_right = |said: &str| match body.as_multipart() {
        Some(form) if said.trim_start().get(..10).is_some_and(of_parts) => {
            said.contains(form.boundary())
        }
        _ => true,
    };
    body.media_type().filter(|_| !headers.get("content-type").is_some_and(is_right))
}

fn of_parts(start: &str) -> bool {
    start.eq_ignore_ascii_case("multipart/")
}

/// Whether a body is sent as a form, as Foundation and `curl -d` do: what a `POST` brings of
/// which nobody has said what it is.
#[cold]
pub(crate) fn is_taken_for_form(method: &Method, headers: &Headers, body: &Body) -> bool {
    *method == Method::POST
        && body.is_of_unknown_type()
        && !body.is_empty()
        && !headers.contains("content-type")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::Part;
    use crate::error::ErrorKind;

    #[test]
    fn a_content_type_of_the_program_stays_unless_it_would_be_wrong() {
        let post = || Request::post("http://a/");
        let own = || post().header("content-type", "text/own");
        let of = |request: &Request| {
            request.headers().get_all("Content-Type").collect::<Vec<_>>().join("|")
        };
        assert_eq!(of(&post().form([("a", "b")])), "application/x-www-form-urlencoded");
        assert_eq!(of(&own().form([("a", "b")])), "text/own");
        let form = Multipart::new();
        let expected = format!("multipart/form-data; boundary={}", form.boundary());
        assert_eq!(of(&post().multipart(form.clone())), expected);
        assert_eq!(of(&own().multipart(form)), expected);
    }

    #[test]
    fn a_content_type_that_came_with_a_body_goes_with_it() {
        let post = || Request::post("http://a/");
        let of = |request: &Request| request.headers().get("Content-Type").map(str::to_owned);
        let form = || post().form([("a", "b")]);
        let parts = || post().multipart(Multipart::new());
        assert_eq!(of(&form().body("x")), None);
        assert_eq!(of(&parts().body("x")), None);
        assert_eq!(of(&parts().form([("a", "b")])).as_deref(), Some(Form::CONTENT_TYPE));
        let own = form().header("Content-Type", "text/own");
        assert_eq!(of(&own.body("x")).as_deref(), Some("text/own"));
        #[cfg(feature = "json")]
        {
            assert_eq!(of(&form().json("x")).as_deref(), Some("application/json"));
            assert_eq!(
                of(&post().json("x").form([("a", "b")])).as_deref(),
                Some(Form::CONTENT_TYPE)
            );
        }
    }

    #[test]
    fn what_is_wrong_with_a_part_is_an_error_of_the_request() {
        let parts = [
            Part::text("").header("X-Injected", "a\r\nb: c"),
            Part::text("").content_type("text/plain\r\nb: c"),
            Part::text("").header("a b", "c"),
            Part::text("").header("content-disposition", "form-data"),
            Part::text("").file_name("a\0b"),
        ];
        for part in parts {
            let form = Multipart::new().text("fine", "").part("name", part.clone());
            let error = Request::post("http://a/").multipart(form).check().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{part:?}");
        }
        let error = Request::post("http://a/").multipart(Multipart::new().text("a\0", "")).check();
        assert_eq!(error.unwrap_err().kind(), ErrorKind::InvalidRequest);
    }

    #[cfg(feature = "json")]
    #[test]
    fn json_is_written_or_refused() {
        let request = Request::post("http://a/").json(&[1, 2]);
        let length = request.body_to_send().and_then(Body::length);
        assert_eq!(length, Some(5));
        assert_eq!(request.headers().get("content-type"), Some("application/json"));
        let request = Request::post("http://a/").header("Content-Type", "application/ld+json");
        let request = request.json("text");
        assert_eq!(request.headers().get("content-type"), Some("application/ld+json"));
        // The keys of an object are texts.
        let value = std::collections::BTreeMap::from([((1, 2), 3)]);
        let error = Request::post("http://a/").json(&value).check().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        let words = "the value to send cannot be written as JSON: key must be a string: http://a/";
        assert_eq!(error.to_string(), words);
    }
}
