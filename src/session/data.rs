//! What tasks bring: a response with its body in memory, or in a file.

use std::borrow::Cow;
use std::fmt;
use std::io::Read;

use http::StatusCode;

use crate::error::Error;
#[cfg(feature = "json")]
use crate::error::ErrorKind;
use crate::files::DownloadedFile;
use crate::headers::Headers;
use crate::log;
use crate::response::{Response, charset};

/// How much of a body goes along with the error that its status is.
const MOST_OF_A_BODY: usize = 64 * 1024;

/// A response and its body, decoded and whole.
///
/// `Debug` shows how long the body is, not what is in it.
#[doc(alias = "NSData")]
#[derive(Clone)]
#[non_exhaustive]
pub struct Data {
    /// The head of the response.
    pub response: Response,
    /// The body.
    pub body: Vec<u8>,
}

impl Data {
    /// Returns the status of the response. One of 400 or more is not an error of the load;
    /// [`error_for_status`](Self::error_for_status) makes one of it.
    #[doc(alias = "statusCode")]
    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// Returns the headers of the response, in the server's order and spelling.
    #[doc(alias = "allHeaderFields")]
    pub fn headers(&self) -> &Headers {
        self.response.headers()
    }

    /// Returns it, unless the status is 400 or more: that becomes an error, which has the
    /// [response](Error::response) and up to 64 KiB of its [body](Error::response_body).
    ///
    /// [`Request::accepts_status`](crate::Request::accepts_status) does so before the body is
    /// received, and for any statuses.
    ///
    /// ```
    /// use urlsession::Session;
    /// use urlsession::testing::{Answer, Server};
    ///
    /// let server = Server::start();
    /// server.enqueue(Answer::status(404).body("no such order"));
    /// let url = server.url("/orders/8");
    ///
    /// let outcome = Session::shared().data(&url).and_then(|data| data.error_for_status());
    /// let error = outcome.unwrap_err();
    /// assert_eq!(error.response().unwrap().status(), 404);
    /// assert_eq!(error.response_body(), Some(&b"no such order"[..]));
    /// Ok::<(), urlsession::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`UnacceptableStatus`](crate::ErrorKind::UnacceptableStatus).
    pub fn error_for_status(mut self) -> Result<Self, Error> {
        if self.response.is_success_or_redirect() {
            return Ok(self);
        }
        self.body.truncate(MOST_OF_A_BODY);
        Err(self.response.refused(self.body))
    }

    /// Returns the body as text, decoded as the web decodes it: a byte order mark says how, else
    /// the `charset` of the response's `Content-Type`, else it is UTF-8.
    ///
    /// UTF-8, UTF-16, ASCII and Latin-1 (which is read as windows-1252) are always known, by every
    /// label of the WHATWG's Encoding standard; its other encodings are with the feature `charset`.
    /// A charset that is not known is read as UTF-8, which a warning in the log tells.
    ///
    /// It never fails, like [`String::from_utf8_lossy`]: what cannot be decoded becomes U+FFFD,
    /// and a byte order mark is left out. Where that must not be, `String::from_utf8(data.body)`
    /// reports it.
    ///
    /// ```
    /// use urlsession::Session;
    /// use urlsession::testing::{Answer, Server};
    ///
    /// let server = Server::start();
    /// let menu = Answer::ok(&b"caf\xe9"[..]).header("Content-Type", "text/plain; charset=latin1");
    /// server.enqueue(menu);
    /// let url = server.url("/menu");
    ///
    /// assert_eq!(Session::shared().data(&url)?.text(), "café");
    /// Ok::<(), urlsession::Error>(())
    /// ```
    #[doc(alias = "textEncodingName")]
    pub fn text(&self) -> Cow<'_, str> {
        let label = self.response.text_encoding_name();
        if let Some(label) = label.as_deref().filter(|label| !charset::is_known(label)) {
            log::warn!("text is read as UTF-8: the charset {label:?} is not known here");
        }
        charset::decode(&self.body, label.as_deref())
    }

    /// Reads the body as JSON, whatever its `Content-Type` says.
    ///
    /// ```
    /// use std::collections::BTreeMap;
    /// use urlsession::Session;
    /// use urlsession::testing::{Answer, Server};
    ///
    /// let server = Server::start();
    /// server.enqueue(Answer::ok(r#"{"tea": 2, "biscuits": 12}"#));
    /// let url = server.url("/orders/7");
    ///
    /// let order: BTreeMap<String, u32> = Session::shared().data(&url)?.json()?;
    /// assert_eq!(order["biscuits"], 12);
    /// Ok::<(), urlsession::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::CannotParseJson`], if the body is not JSON or is no `T`. It says what is
    /// missing or was expected, at which line and column, as in ``the body is JSON, but not what
    /// was expected: missing field `tea` at line 1 column 17``. No value of the body is repeated;
    /// the whole text of serde is that of its [`source`](std::error::Error::source).
    #[cfg(feature = "json")]
    #[cfg_attr(docsrs, doc(cfg(feature = "json")))]
    #[doc(alias = "JSONDecoder")]
    #[doc(alias = "JSONSerialization")]
    #[doc(alias = "NSJSONSerialization")]
    #[doc(alias = "JSONObjectWithData:options:error:")]
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.body).map_err(|error| {
            use serde_json::error::Category;

            let detail = match error.classify() {
                Category::Data => "the body is JSON, but not what was expected",
                Category::Eof => "the body is JSON that ends early",
                Category::Syntax | Category::Io => "the body is not JSON",
            };
            Error::new(ErrorKind::CannotParseJson, detail).by_json(error).on(self.response.url())
        })
    }
}

impl fmt::Debug for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Data")
            .field("response", &self.response)
            .field("body", &format_args!("{} bytes", self.body.len()))
            .finish()
    }
}

/// A response and the file that its body was downloaded to.
#[derive(Debug)]
#[non_exhaustive]
pub struct Download {
    /// The head of the response.
    pub response: Response,
    /// The body; deleted when this is dropped, unless it has a place.
    pub file: DownloadedFile,
}

impl Download {
    /// Returns the status of the response.
    #[doc(alias = "statusCode")]
    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// Returns the headers of the response, in the server's order and spelling.
    #[doc(alias = "allHeaderFields")]
    pub fn headers(&self) -> &Headers {
        self.response.headers()
    }

    /// Returns it, unless the status is 400 or more: that becomes an error, which has the
    /// [response](Error::response) and up to 64 KiB of its [body](Error::response_body), as far
    /// as the file can be read. The file is deleted then, unless it has a place.
    ///
    /// # Errors
    ///
    /// [`UnacceptableStatus`](crate::ErrorKind::UnacceptableStatus).
    pub fn error_for_status(self) -> Result<Self, Error> {
        if self.response.is_success_or_redirect() {
            return Ok(self);
        }
        let mut body = Vec::new();
        if let Ok(file) = self.file.open() {
            // What can be read is better than nothing.
            let _ = file.take(MOST_OF_A_BODY as u64).read_to_end(&mut body);
        }
        Err(self.response.refused(body))
    }
}
