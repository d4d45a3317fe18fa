//! A response with its body in a file.

use crate::files::DownloadedFile;
use crate::response::Response;

/// A response and the file that its body was downloaded to.
#[derive(Debug)]
#[non_exhaustive]
pub struct Download {
    /// The head of the response.
    pub response: Response,
    /// The body, decoded; deleted when this is dropped, unless it has a place.
    pub file: DownloadedFile,
}
