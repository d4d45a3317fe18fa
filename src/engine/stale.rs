//! Whether a request may be sent again after a kept-alive connection turned out dead.

use http::Method;

use crate::body::Body;
use crate::error::{Error, ErrorKind};
use crate::wire::WireRequest;

/// Decides it, given that the connection had carried an exchange before and that no byte
/// of an answer came.
///
/// The server may have acted on the request and died; only where doing it twice is the
/// same as doing it once is it sent again (RFC 9110 §9.2.2, RFC 9112 §9.3.1), or where
/// the caller says so with an `Idempotency-Key`. And only a body that can be read from its
/// beginning can be sent again.
pub(super) fn may_repeat(request: &WireRequest<'_>, error: &Error) -> bool {
    let idempotent = matches!(
        *request.method,
        Method::GET | Method::HEAD | Method::PUT | Method::DELETE | Method::OPTIONS | Method::TRACE
    ) || request.headers.contains("idempotency-key");
    let replayable = request.body.is_none_or(Body::can_rewind);
    error.kind() == ErrorKind::NetworkConnectionLost && idempotent && replayable
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;
    use crate::headers::Headers;

    #[test]
    fn only_what_is_safe_to_do_twice_is_sent_again() {
        use ErrorKind::{Cancelled, NetworkConnectionLost, TimedOut};

        let (none, bytes) = (None, Some(Body::from("x")));
        let once = Some(Body::reader(&b"x"[..]));
        for (method, key, body, kind, expected) in [
            ("GET", false, &none, NetworkConnectionLost, true),
            ("HEAD", false, &none, NetworkConnectionLost, true),
            ("PUT", false, &bytes, NetworkConnectionLost, true),
            ("DELETE", false, &none, NetworkConnectionLost, true),
            ("PUT", false, &once, NetworkConnectionLost, false),
            ("POST", false, &none, NetworkConnectionLost, false),
            ("POST", true, &bytes, NetworkConnectionLost, true),
            ("POST", true, &once, NetworkConnectionLost, false),
            ("PATCH", false, &bytes, NetworkConnectionLost, false),
            ("Brew", false, &none, NetworkConnectionLost, false),
            ("GET", false, &none, TimedOut, false),
            ("GET", false, &none, Cancelled, false),
        ] {
            let mut headers = Headers::new();
            if key {
                headers.add("Idempotency-Key", "1").unwrap();
            }
            let (method, url) = (method.parse().unwrap(), Url::parse("http://a/").unwrap());
            let request = WireRequest {
                method: &method,
                url: &url,
                headers: &headers,
                added: &Headers::new(),
                body: body.as_ref(),
            };
            let repeated = may_repeat(&request, &Error::new(kind, "x"));
            assert_eq!(repeated, expected, "{method} key {key} {body:?} {kind:?}");
        }
    }
}
