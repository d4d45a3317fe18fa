//! What a load asks whoever started it.

use crate::body::Body;
use crate::error::Error;
use crate::request::Request;
use crate::response::Response;

/// Decisions that a load leaves to whoever started it. Asking may take any time.
pub(crate) trait Questions {
    /// Returns the request that follows the redirect `response`, which may be `proposed`
    /// itself; `None` delivers the redirect.
    ///
    /// An error ends the load. Called before anything of the redirect's body is read.
    fn redirect(&self, response: Response, proposed: Request) -> Result<Option<Request>, Error>;

    /// Returns a body to send in place of one that can be sent once and has to be sent
    /// again; `None` if there is none.
    fn new_body(&self) -> Result<Option<Body>, Error>;
}
