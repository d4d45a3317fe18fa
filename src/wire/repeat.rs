//! Whether a request may be sent again.
//!
//! The one decision about that, for everybody who has a reason to: a kept-alive connection
//! that was dead, a transfer that was ended to begin again, a host that could not be
//! reached.

use http::{Method, StatusCode};

use crate::body::Body;
use crate::error::{Error, ErrorKind, Stage};
use crate::headers::Headers;

/// What has become of a sending that brought no answer to it.
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

    /// Returns which one the head of an answer tells of; `None` if it answers the request.
    ///
    /// A 408 says that no request came whole in time. If the connection had waited for one and
    /// ends now, that time ran out while this one was on its way (RFC 9110 §15.5.9). Where the
    /// connection goes on, the server knows where the request ends, and this is its answer.
    pub(crate) fn of_answer(status: StatusCode, was_kept: bool, ends: bool) -> Option<Self> {
        (status == StatusCode::REQUEST_TIMEOUT && was_kept && ends).then_some(Self::Broken)
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
    fn a_408_that_ends_a_kept_connection_answers_no_request() {
        for (status, was_kept, ends, loss) in [
            (408, true, true, Some(Loss::Broken)),
            (408, true, false, None),
            (408, false, true, None),
            (408, false, false, None),
            (200, true, true, None),
            (400, true, true, None),
            (425, true, true, None),
            (503, true, true, None),
            (504, true, true, None),
        ] {
            let found = Loss::of_answer(StatusCode::from_u16(status).unwrap(), was_kept, ends);
            assert_eq!(found, loss, "{status}, kept {was_kept}, ends {ends}");
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
