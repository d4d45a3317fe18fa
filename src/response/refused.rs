//! Responses that a request does not accept, in errors.

use std::error::Error as StdError;
use std::fmt;

use super::Response;
use crate::error::{Error, ErrorKind};

/// A response that is not accepted, as the source of an error.
struct Refused {
    response: Response,
    body: Vec<u8>,
}

impl Response {
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
