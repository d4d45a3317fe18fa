//! Values as JSON.

use super::{Body, BytesType};
use crate::error::{Error, ErrorKind};

/// RFC 8259 §11.
pub(super) const CONTENT_TYPE: &str = "application/json";

impl Body {
    /// Makes a body of `value`, written as JSON: `application/json`.
    ///
    /// [`Request::json`](crate::Request::json) sets one at once; this one is for uploads.
    ///
    /// ```
    /// use urlsession::Body;
    ///
    /// let body = Body::json(&[1, 2])?;
    /// assert_eq!(body.length(), Some("[1,2]".len() as u64));
    /// // session.upload(Request::post("https://shop.test/orders"), body)?;
    /// Ok::<(), urlsession::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidRequest`] for a value that cannot be written.
    #[cfg_attr(docsrs, doc(cfg(feature = "json")))]
    #[doc(alias = "JSONEncoder")]
    #[doc(alias = "JSONSerialization")]
    pub fn json(value: &(impl serde::Serialize + ?Sized)) -> Result<Self, Error> {
        let written = serde_json::to_vec(value).map_err(|error| {
            let detail = "the value to send cannot be written as JSON";
            Error::new(ErrorKind::InvalidRequest, detail).by_json(error)
        })?;
        Ok(Self::of_bytes(written, BytesType::Json))
    }
}
