//! What came back: status, headers, and what follows from them.

pub(crate) mod charset;
mod date;
mod fields;
mod filename;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod links;
mod media;
mod refused;
mod safe_name;
mod way;

use std::fmt;
use std::sync::{Arc, OnceLock};

use http::{StatusCode, Version};
use url::Url;

use crate::error;
use crate::headers::Headers;

pub(crate) use date::parse as parse_date;
pub use fields::{ContentType, EntityTag};
pub use links::Link;
pub(crate) use way::Ends;

/// The head of a response.
///
/// Cloning copies a pointer. `Debug` hides the values of headers that may be secret and
/// the query of the URL.
#[doc(alias = "URLResponse")]
#[doc(alias = "HTTPURLResponse")]
#[doc(alias = "NSURLResponse")]
#[doc(alias = "NSHTTPURLResponse")]
#[derive(Clone)]
pub struct Response(Arc<Inner>);

struct Inner {
    url: Url,
    status: StatusCode,
    version: Version,
    headers: Headers,
    expected_length: Option<u64>,
    /// The headers that occur several times, as one each; made where somebody asks for one.
    joined: OnceLock<Box<Headers>>,
    ends: Option<Arc<Ends>>,
    trailers: OnceLock<Box<Headers>>,
}

impl Response {
    pub(crate) fn new(
        url: Url,
        (status, version): (StatusCode, Version),
        headers: Headers,
        expected_length: Option<u64>,
        ends: Option<Arc<Ends>>,
    ) -> Self {
        let (joined, trailers) = (OnceLock::new(), OnceLock::new());
        Self(Arc::new(Inner {
            url,
            status,
            version,
            headers,
            expected_length,
            joined,
            ends,
            trailers,
        }))
    }

    /// The head of an answer of which nothing was written down but its body.
    #[cfg(feature = "background")]
    pub(crate) fn of_lost_head(url: Url) -> Self {
        Self::new(url, (StatusCode::OK, Version::HTTP_11), Headers::new(), None, None)
    }

    /// Returns the URL that answered: the last one, after redirects; without user name and
    /// password.
    pub fn url(&self) -> &Url {
        &self.0.url
    }

    /// Returns the status. One of 400 or more is not an error of the load. Its
    /// `canonical_reason` is what the number means in words.
    #[doc(alias = "statusCode")]
    #[doc(alias = "localizedString(forStatusCode:)")]
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// Returns the version of HTTP that the server spoke.
    pub fn version(&self) -> Version {
        self.0.version
    }

    /// Returns the headers, in the server's order and spelling.
    #[doc(alias = "allHeaderFields")]
    pub fn headers(&self) -> &Headers {
        &self.0.headers
    }

    /// Returns the value of the header `name`, in any case. Several are joined by `", "`, as
    /// Apple does it; one by one they are in [`headers`](Self::headers), as those of
    /// `Set-Cookie` have to be.
    #[doc(alias = "value(forHTTPHeaderField:)")]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.0.headers.get_all(name);
        let first = values.next()?;
        if values.next().is_none() { Some(first) } else { self.joined().get(name) }
    }

    #[cold]
    fn joined(&self) -> &Headers {
        self.0.joined.get_or_init(|| {
            let mut joined = Headers::new();
            for (name, _) in &self.0.headers {
                if let Some(value) = self.0.headers.joined(name)
                    && !joined.contains(name)
                {
                    joined.push(name, &value);
                }
            }
            Box::new(joined)
        })
    }

    /// Returns how many bytes of the body will be delivered, `None` if that is not known: it
    /// is sent without a length, or is decoded. In the answer to a `HEAD` it is what a `GET`
    /// would bring.
    #[doc(alias = "expectedContentLength")]
    #[doc(alias = "NSURLSessionTransferSizeUnknown")]
    pub fn expected_content_length(&self) -> Option<u64> {
        self.0.expected_length
    }

    /// Returns the MIME type of the body, lower-case and without parameters. Nothing is
    /// guessed where the server says nothing.
    #[doc(alias = "mimeType")]
    pub fn mime_type(&self) -> Option<String> {
        media::mime_type(self.0.headers.get("content-type")?)
    }

    /// Returns the `charset` of the body, lower-case.
    #[doc(alias = "textEncodingName")]
    pub fn text_encoding_name(&self) -> Option<String> {
        media::charset(self.0.headers.get("content-type")?)
    }

    /// Returns a name for a file to keep the body in; never empty.
    ///
    /// It comes from `Content-Disposition`, else from the last segment of the URL's path,
    /// else from the host, else it is `Unknown`. It is one name, without any separator,
    /// control character or name that is special on Linux, macOS or Windows; an extension
    /// is added by MIME type where there is none. The server chose it: it is only a
    /// suggestion, and may be the name of a file that exists.
    #[doc(alias = "suggestedFilename")]
    pub fn suggested_filename(&self) -> String {
        let disposition = self.0.headers.get("content-disposition");
        filename::suggested(disposition, &self.0.url, self.mime_type().as_deref())
    }
}

impl PartialEq for Response {
    /// Responses are equal if they say the same: URL, status, version, headers, length.
    fn eq(&self, other: &Self) -> bool {
        let (one, other) = (&*self.0, &*other.0);
        one.url == other.url
            && one.status == other.status
            && one.version == other.version
            && one.headers == other.headers
            && one.expected_length == other.expected_length
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("url", &error::without_secrets(&self.0.url))
            .field("status", &self.0.status)
            .field("headers", &self.0.headers)
            .finish_non_exhaustive()
    }
}

impl From<&Response> for http::Response<()> {
    /// Gives status, version and headers; the names of headers become lower-case.
    fn from(response: &Response) -> Self {
        let mut converted = Self::new(());
        *converted.status_mut() = response.0.status;
        *converted.version_mut() = response.0.version;
        *converted.headers_mut() = (&response.0.headers).into();
        converted
    }
}
