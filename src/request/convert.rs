//! From URLs, and to and from the `http` crate's requests.

use http::Method;
use url::Url;

use super::{Request, method};
use crate::body::Body;
use crate::error::{Error, ErrorKind};
use crate::headers::Headers;

impl<B: Into<Body>> From<http::Request<B>> for Request {
    /// Takes method, URI, headers and body; the names of headers are lower-case there, and
    /// values that are marked as sensitive there become
    /// [sensitive headers](Self::sensitive_header).
    ///
    /// A URI that is not absolute is one for sessions with a
    /// [`base_url`](crate::Configuration::base_url). An
    /// empty body of known length is none, as that crate has no other way to say so.
    fn from(request: http::Request<B>) -> Self {
        let (parts, body) = request.into_parts();
        let mut converted = Self::with_method(parts.method, &parts.uri.to_string());
        let checked = method::check(&converted.method);
        converted = converted.noting(checked);
        converted.headers = Headers::from(&parts.headers);
        let marked = parts.headers.iter().filter(|(_, value)| value.is_sensitive());
        converted.sensitive = marked.map(|(name, _)| name.as_str().into()).collect();
        // The body says how long it is.
        converted.headers.remove("content-length");
        converted.headers.remove("transfer-encoding");
        let body = body.into();
        if body.length() != Some(0) {
            return converted.with_body(body);
        }
        converted
    }
}

impl TryFrom<Request> for http::Request<Option<Body>> {
    type Error = Error;

    /// Gives method, URL, headers and body; timeout and cancel token have no place there.
    ///
    /// # Errors
    ///
    /// What [`Request::check`] reports, or [`ErrorKind::BadUrl`] for a URL that the `http`
    /// crate refuses (it is longer than 65,534 bytes), or that has a [zone](Request::zone).
    fn try_from(request: Request) -> Result<Self, Error> {
        request.check()?;
        let Some(url) = &request.url else {
            return Err(Error::new(ErrorKind::BadUrl, "the request has no URL"));
        };
        if request.zone().is_some() {
            let detail =
                "the URL's address has a zone, which has no place in a URI of the http crate";
            return Err(Error::new(ErrorKind::BadUrl, detail).on(url));
        }
        let uri = http::Uri::try_from(url.as_str()).map_err(|error| {
            Error::new(ErrorKind::BadUrl, "the URL is no URI for the http crate").because(error)
        })?;
        let mut converted = Self::new(request.body);
        *converted.method_mut() = request.method;
        *converted.uri_mut() = uri;
        *converted.headers_mut() = (&request.headers).into();
        Ok(converted)
    }
}

impl From<&str> for Request {
    fn from(url: &str) -> Self {
        Self::get(url)
    }
}

impl From<&&str> for Request {
    fn from(url: &&str) -> Self {
        Self::get(url)
    }
}

impl From<String> for Request {
    fn from(url: String) -> Self {
        Self::get(url)
    }
}

impl From<&String> for Request {
    fn from(url: &String) -> Self {
        Self::get(url)
    }
}

impl From<Url> for Request {
    fn from(url: Url) -> Self {
        Self::with_url(Method::GET, Some(url))
    }
}

impl From<&Url> for Request {
    fn from(url: &Url) -> Self {
        Self::from(url.clone())
    }
}

impl From<&Self> for Request {
    fn from(request: &Self) -> Self {
        request.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_survives_the_way_through_http() {
        let request = Request::post("http://a.test/x?y=1").header("X-Trace", "7").body("hi");
        let there = http::Request::<Option<Body>>::try_from(request).unwrap();
        assert_eq!(there.uri(), "http://a.test/x?y=1");
        let back = Request::from(there.map(Option::unwrap));
        assert_eq!(back.method(), "POST");
        assert_eq!(back.headers().get("X-Trace"), Some("7"));
        assert_eq!(back.body_to_send().and_then(Body::length), Some(2));
        back.check().unwrap();
    }

    #[test]
    fn a_relative_uri_is_a_bad_url() {
        let request = Request::from(http::Request::new(Vec::new()));
        assert_eq!(request.check().unwrap_err().kind(), ErrorKind::BadUrl);
    }
}
