//! Responses that a request does not accept, in errors.

use std::error::Error as StdError;
use std::fmt;

use super::Response;
use crate::error::{Error, ErrorKind};
use crate::retry::FOR_NOW;

/// A response that is not accepted, as the source of an error.
struct Refused {
    response: Response,
    body: Vec<u8>,
}

impl Response {
    /// Returns it, unless the status is 400 or more: that becomes an error, which has the
    /// [response](Error::response), without its body.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::UnacceptableStatus`].
    pub fn error_for_status(self) -> Result<Self, Error> {
        if self.is_success_or_redirect() { Ok(self) } else { Err(self.refused(Vec::new())) }
    }

    pub(crate) fn is_success_or_redirect(&self) -> bool {
        self.status().as_u16() < 400
    }

    /// Returns the error of a response that is not accepted, with what was read of its body.
    pub(crate) fn refused(self, body: Vec<u8>) -> Error {
        let (status, url) = (self.status(), self.url().clone());
        let detail = format!("the server answered {status}, which is not accepted");
        Error::new(ErrorKind::UnacceptableStatus, detail)
            .because(Refused { response: self, body })
            .on(&url)
    }
}

impl Error {
    fn refused(&self) -> Option<&Refused> {
        self.source()?.downcast_ref()
    }

    /// Returns the response, if its status is what was wrong: the kind is
    /// [`UnacceptableStatus`](ErrorKind::UnacceptableStatus) then.
    pub fn response(&self) -> Option<&Response> {
        self.refused().map(|refused| &refused.response)
    }

    /// Returns the body of [that response](Self::response), up to 64 KiB of it, decoded like
    /// any other. It may hold anything, so nothing of it is ever shown by `Display` or
    /// `Debug`.
    pub fn response_body(&self) -> Option<&[u8]> {
        self.refused().map(|refused| &*refused.body)
    }
}

impl Error {
    /// Returns whether a retry may help; see [`ErrorKind::is_transient`]. Of a status that is
    /// not accepted those say yes with which servers answer that are busy or broken for now:
    /// 408, 425, 429, 500, 502, 503 and 504.
    ///
    /// ```
    /// use urlsession::Session;
    /// use urlsession::testing::Server;
    ///
    /// let server = Server::start();
    /// let url = server.url("/");
    /// drop(server);
    ///
    /// let error = Session::shared().data(&url).unwrap_err();
    /// assert!(error.is_connect() && error.is_transient());
    /// assert!(error.to_string().contains("connection refused"), "{error}");
    /// ```
    pub fn is_transient(&self) -> bool {
        match self.response() {
            Some(response) => FOR_NOW.contains(&response.status().as_u16()),
            None => self.kind().is_transient(),
        }
    }
}

impl StdError for Refused {}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} with {} bytes of its body", self.response.status(), self.body.len())
    }
}

impl fmt::Debug for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refused")
            .field("response", &self.response)
            .field("body", &format_args!("{} bytes", self.body.len()))
            .finish()
    }
}
