//! What tasks bring: a response with its body in memory, or in a file.

use std::borrow::Cow;
use std::fmt;

use crate::error::Error;
#[cfg(feature = "json")]
use crate::error::ErrorKind;
use crate::files::DownloadedFile;
use crate::log;
use crate::response::{Response, charset};

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
    /// # use urlsession::testing::{Answer, Server};
    /// # let server = Server::start();
    /// # let menu = Answer::ok(&b"caf\xe9"[..]).header("Content-Type", "text/plain; charset=latin1");
    /// # server.enqueue(menu);
    /// # let url = server.url("/menu");
    /// use urlsession::Session;
    ///
    /// assert_eq!(Session::shared().data(&url)?.text(), "café");
    /// # Ok::<(), urlsession::Error>(())
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
    /// # use urlsession::testing::{Answer, Server};
    /// # let server = Server::start();
    /// # server.enqueue(Answer::ok(r#"{"tea": 2, "biscuits": 12}"#));
    /// # let url = server.url("/orders/7");
    /// use std::collections::BTreeMap;
    /// use urlsession::Session;
    ///
    /// let order: BTreeMap<String, u32> = Session::shared().data(&url)?.json()?;
    /// assert_eq!(order["biscuits"], 12);
    /// # Ok::<(), urlsession::Error>(())
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

/// The end of one of the tasks that report to a channel; made by
/// [`Session::data_task_to`](crate::Session::data_task_to).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Finished<T> {
    /// The [`id`](crate::Task::id) of the task, unique within its session.
    pub id: u64,
    /// What it brought.
    pub outcome: Result<T, Error>,
}
