//! Methods, as a program writes them.

use http::Method;

use crate::error::{Error, ErrorKind};
use crate::log;

/// Why no program sends one (RFC 9110 §9.3.6).
const CONNECT: &str = "CONNECT is for proxies only: use another method";

/// What is sent in capitals, as Foundation does it.
const IN_CAPITALS: &[&str] = &["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT"];

/// What servers know in capitals only, and what is sent as it is written all the same
/// (RFC 9110 §9.1: methods are case-sensitive).
const AS_WRITTEN: &[&str] = &["PATCH", "OPTIONS", "TRACE", "QUERY"];

/// Reads a method.
pub(super) fn parse(method: &str) -> Result<Method, Error> {
    let among = |known: &[&'static str]| {
        known.iter().copied().find(|known| known.eq_ignore_ascii_case(method))
    };
    if let Some(known) = among(AS_WRITTEN).filter(|known| *known != method) {
        log::warn!("the method {method} is sent as it is written; servers know {known}");
    }
    let name = among(IN_CAPITALS).unwrap_or(method);
    let parsed = Method::from_bytes(name.as_bytes()).map_err(|_| {
        Error::new(ErrorKind::InvalidRequest, format!("{method:?} is not a method"))
    })?;
    check(&parsed).map(|()| parsed)
}

/// Refuses what no request can have.
pub(super) fn check(method: &Method) -> Result<(), Error> {
    if *method == Method::CONNECT {
        return Err(Error::new(ErrorKind::InvalidRequest, CONNECT));
    }
    Ok(())
}
