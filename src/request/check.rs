//! What is wrong with a request, if something is.

use http::Method;
use url::ParseError;

use super::{Request, rules, unparsed};
use crate::body::Body;
use crate::error::{Error, ErrorKind};

/// As Apple has it: what a server does with the body of a `GET` nobody knows (RFC 9110 §9.3.1).
const GET_WITH_BODY: &str = "a GET request cannot have a body: use POST or another method, or put \
                             the values into the query";

impl Request {
    /// Returns the body, unless it is none: for `GET` and `HEAD` an empty one is not announced.
    pub(crate) fn body_that_goes_out(&self) -> Option<&Body> {
        let body = self.body.as_ref()?;
        let is_none = matches!(self.method, Method::GET | Method::HEAD) && body.is_empty();
        (!is_none).then_some(body)
    }

    /// Reports the first thing that is wrong with the request, as its load would.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BadUrl`], [`ErrorKind::InvalidRequest`] for a method or a header that no
    /// server must accept, as the table of [`header`](Self::header) says, or
    /// [`ErrorKind::DataLengthExceedsMaximum`] for a `GET` with a body, which is what Apple
    /// reports.
    pub fn check(&self) -> Result<(), Error> {
        if let Some(error) = &self.wrong {
            return Err(self.named_in(error.clone()));
        }
        if self.url.is_none() {
            let text = self.more.as_ref().and_then(|more| more.relative.as_deref());
            let why = unparsed::why(text.unwrap_or_default(), ParseError::RelativeUrlWithoutBase);
            return Err(Error::new(ErrorKind::BadUrl, why));
        }
        if self.method == Method::GET && self.body.as_ref().is_some_and(|body| !body.is_empty()) {
            let error = Error::new(ErrorKind::DataLengthExceedsMaximum, GET_WITH_BODY);
            return Err(self.named_in(error));
        }
        if !rules::concern(&self.headers) {
            return Ok(());
        }
        rules::check(&self.headers, self.body.as_ref()).map_err(|error| self.named_in(error))
    }

    fn named_in(&self, error: Error) -> Error {
        self.url.iter().fold(error, |error, url| error.on(url))
    }
}
