//! A response with its body in memory.

use std::borrow::Cow;
use std::fmt;

use crate::error::{Error, ErrorKind, Stage};
use crate::load::Decoder;
use crate::response::Response;

/// A response and its body, decoded and whole.
///
/// `Debug` shows how long the body is, not what is in it.
#[derive(Clone)]
#[non_exhaustive]
pub struct Data {
    /// The head of the response.
    pub response: Response,
    /// The body.
    pub body: Vec<u8>,
}

impl Data {
    /// Returns the body as text: UTF-8, anything else in it replaced by U+FFFD.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
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
    /// [`ErrorKind::CannotParseResponse`] with line and column, if the body is not JSON or
    /// is no `T`. Nothing of what is in the body is repeated.
    #[cfg(feature = "json")]
    #[cfg_attr(docsrs, doc(cfg(feature = "json")))]
    #[doc(alias = "JSONDecoder")]
    #[doc(alias = "JSONSerialization")]
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.body).map_err(|error| {
            use serde_json::error::Category;

            // serde's own words hold values of the body.
            let what = match error.classify() {
                Category::Data => "the body is JSON, but not what was expected",
                Category::Eof => "the body is JSON that ends early",
                Category::Syntax | Category::Io => "the body is not JSON",
            };
            let (line, column) = (error.line(), error.column());
            let detail = format!("{what}, at line {line}, column {column}");
            Error::new(ErrorKind::CannotParseResponse, detail).on(self.response.url())
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

/// The least and the most that is read at a time.
const STEP: (usize, usize) = (1024, 256 * 1024);

/// Reads all of `body`, up to `limit` bytes; `took` is told of each piece, and may end it.
pub(super) fn read_all(
    body: &mut Decoder,
    limit: u64,
    took: impl Fn(usize) -> Result<(), Error>,
) -> Result<Vec<u8>, Error> {
    let expected = body.remaining();
    if expected.is_some_and(|expected| expected > limit) {
        return Err(too_large(limit));
    }
    // A server can announce anything; memory follows what really comes.
    let first = expected.map_or(STEP.0, |expected| expected.min(STEP.1 as u64) as usize);
    let mut bytes = vec![0; first];
    let mut filled = 0;
    loop {
        if expected == Some(filled as u64) {
            break;
        }
        if filled == bytes.len() {
            let more = filled.clamp(STEP.0, STEP.1);
            bytes.resize(filled + more, 0);
        }
        let count = body.read(&mut bytes[filled..])?;
        if count == 0 {
            break;
        }
        filled += count;
        if filled as u64 > limit {
            return Err(too_large(limit));
        }
        took(count)?;
    }
    bytes.truncate(filled);
    Ok(bytes)
}

/// Appends a piece of a body, up to `limit` bytes.
pub(super) fn append(bytes: &mut Vec<u8>, piece: &[u8], limit: u64) -> Result<(), Error> {
    if (bytes.len() + piece.len()) as u64 > limit {
        return Err(too_large(limit));
    }
    bytes.extend_from_slice(piece);
    Ok(())
}

fn too_large(limit: u64) -> Error {
    let detail = format!(
        "the body is larger than maximum_body_in_memory ({limit} bytes); \
         raise it, or read the body with Session::bytes"
    );
    Error::new(ErrorKind::DataLengthExceedsMaximum, detail).at(Stage::Receiving)
}
