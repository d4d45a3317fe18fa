//! Whether a request may be sent again.
//!
//! The one decision about that, for everybody who has a reason to: a kept-alive connection
//! that was dead, a transfer that was ended to begin again, a host that could not be
//! reached.

use http::Method;

use crate::body::Body;
use crate::error::{Error, ErrorKind, Stage};
use crate::headers::Headers;

/// What has become of a sending that brought no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loss {
    /// There was no connection, so nothing was sent.
    Unconnected,
    /// The connection broke, or the transfer was ended. The server may have acted on the
    /// request.
    Broken,
}

impl Loss {
    /// Returns which one an error tells of; `None` if it is about something else, which
    /// sending again does not change.
    pub(crate) fn of(error: &Error) -> Option<Self> {
        use ErrorKind::{
            CannotConnectToHost, CannotFindHost, NetworkConnectionLost, NotConnectedToInternet,
            ZeroByteResource,
        };

        let is_connecting = matches!(error.stage(), Some(Stage::LookingUp | Stage::Connecting));
        match error.kind() {
            CannotFindHost | CannotConnectToHost | NotConnectedToInternet if is_connecting => {
                Some(Self::Unconnected)
            }
            NetworkConnectionLost | ZeroByteResource => Some(Self::Broken),
            _ => None,
        }
    }
}

/// Decides it for a request with this method, these headers and this body.
///
/// What was never sent may be. What a server may have acted on may be if doing it twice is
/// the same as doing it once (RFC 9110 §9.2.2, RFC 9112 §9.3.1), or if the caller says so
/// with an `Idempotency-Key`; and only with a body that can be read from its beginning.
pub(crate) fn may_send_again(
    loss: Loss,
    method: &Method,
    headers: &Headers,
    body: Option<&Body>,
) -> bool {
    match loss {
        Loss::Unconnected => true,
        Loss::Broken => {
            let is_idempotent = method.is_idempotent() || headers.contains("idempotency-key");
            is_idempotent && body.is_none_or(Body::can_rewind)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_safe_to_do_twice_is_sent_again() {
        use Loss::{Broken, Unconnected};

        let (none, bytes) = (None, Some(Body::from("x")));
        let once = Some(Body::reader(&b"x"[..]));
        for (method, key, body, loss, expected) in [
            ("GET", false, &none, Broken, true),
            ("HEAD", false, &none, Broken, true),
            ("OPTIONS", false, &none, Broken, true),
            ("TRACE", false, &none, Broken, true),
            ("PUT", false, &bytes, Broken, true),
            ("DELETE", false, &none, Broken, true),
            ("PUT", false, &once, Broken, false),
            ("POST", false, &none, Broken, false),
            ("POST", true, &bytes, Broken, true),
            ("POST", true, &once, Broken, false),
            ("PATCH", false, &bytes, Broken, false),
            ("Brew", false, &none, Broken, false),
            // Methods have a case (RFC 9110 §9.1).
            ("get", false, &none, Broken, false),
            ("POST", false, &once, Unconnected, true),
            ("PATCH", false, &bytes, Unconnected, true),
        ] {
            let mut headers = Headers::new();
            if key {
                headers.add("Idempotency-Key", "1").unwrap();
            }
            let method: Method = method.parse().unwrap();
            let repeated = may_send_again(loss, &method, &headers, body.as_ref());
            assert_eq!(repeated, expected, "{method} key {key} {body:?} {loss:?}");
        }
    }

    #[test]
    fn an_error_tells_whether_anything_was_sent() {
        use ErrorKind::{
            Cancelled, CannotConnectToHost, CannotFindHost, NetworkConnectionLost,
            ServerCertificateUntrusted, TimedOut, ZeroByteResource,
        };

        for (kind, stage, loss) in [
            (CannotFindHost, Stage::LookingUp, Some(Loss::Unconnected)),
            (CannotConnectToHost, Stage::Connecting, Some(Loss::Unconnected)),
            (CannotConnectToHost, Stage::Sending, None),
            (NetworkConnectionLost, Stage::Sending, Some(Loss::Broken)),
            (ZeroByteResource, Stage::Receiving, Some(Loss::Broken)),
            (ServerCertificateUntrusted, Stage::Connecting, None),
            (TimedOut, Stage::Connecting, None),
            (Cancelled, Stage::Sending, None),
        ] {
            let error = Error::new(kind, "x").at(stage);
            assert_eq!(Loss::of(&error), loss, "{kind:?} {stage:?}");
        }
    }
}
