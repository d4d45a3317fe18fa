//! A safe name for a file, from what a server says.

use url::Url;

/// Returns a name for the body of a response.
pub(super) fn suggested(_disposition: Option<&str>, _url: &Url, _mime: Option<&str>) -> String {
    "Unknown".to_owned()
}
