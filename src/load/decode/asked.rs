//! Decides whether a request asks for codings, which are undone then.
//!
//! Asked for unnecessarily they are a nuisance: a file that is stored compressed comes to its
//! place as another one, and a range of a compressed representation cannot be decoded (the Fetch
//! standard sends `identity` along with a `Range`, HTTP-network-or-cache fetch).

use crate::headers::Headers;

/// Decides whether the codings of a response are undone, by the request that goes out.
///
/// `said` is what the program says about this one request, `by_default` what the session
/// does about all.
pub(in crate::load) fn undoes(said: Option<bool>, by_default: bool, headers: &Headers) -> bool {
    match said {
        Some(said) => said,
        None => by_default && !headers.contains("range") && asks(headers),
    }
}

/// Whether any coding is asked for (RFC 9110 §12.5.3): without the field, any is welcome.
fn asks(headers: &Headers) -> bool {
    let mut values = headers.get_all("accept-encoding").peekable();
    values.peek().is_none() || values.flat_map(|value| value.split(',')).any(is_welcome)
}

/// Whether an element of `Accept-Encoding` asks for a coding: it is none if it is `identity`,
/// or weighs nothing (RFC 9110 §12.4.2).
fn is_welcome(element: &str) -> bool {
    let mut parts = element.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default();
    !name.is_empty() && !name.eq_ignore_ascii_case("identity") && !parts.any(weighs_nothing)
}

/// Whether a parameter is a weight of 0, which has at most zeros behind its point.
fn weighs_nothing(parameter: &str) -> bool {
    let weight = parameter.strip_prefix("q=").or_else(|| parameter.strip_prefix("Q="));
    let Some(rest) = weight.and_then(|weight| weight.strip_prefix('0')) else { return false };
    rest.is_empty() || rest.strip_prefix('.').is_some_and(|rest| rest.bytes().all(|at| at == b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codings_are_undone_where_they_were_asked_for() {
        for (said, by_default, lines, expected) in [
            (None, true, &[][..], true),
            (None, true, &["Accept-Encoding: gzip, deflate"], true),
            (None, true, &["Accept-Encoding: *"], true),
            (None, true, &["Accept-Encoding: identity;q=1, *;q=0"], false),
            (None, true, &["Accept-Encoding: identity"], false),
            (None, true, &["Accept-Encoding: "], false),
            (None, true, &["Accept-Encoding: gzip;q=0, br; q=0.000"], false),
            (None, true, &["Accept-Encoding: gzip;q=0, br; q=0.001"], true),
            (None, true, &["Accept-Encoding: gzip;Q=0., br; q=0.0"], false),
            (None, true, &["Accept-Encoding: gzip;q=1, br; q=0"], true),
            (None, true, &["Accept-Encoding: gzip;q=0;q=1"], false),
            (None, true, &["Accept-Encoding: gzip;q="], true),
            (None, true, &["Accept-Encoding: gzip;q=0.x"], true),
            (None, true, &["Accept-Encoding: identity", "accept-encoding: GZIP"], true),
            (None, true, &["Accept-Encoding: gzip", "Range: bytes=0-9"], false),
            (None, true, &["Range: bytes=0-9"], false),
            (None, false, &["Accept-Encoding: gzip"], false),
            (Some(true), false, &["Accept-Encoding: identity", "Range: bytes=0-9"], true),
            (Some(false), true, &["Accept-Encoding: gzip"], false),
        ] {
            let mut headers = Headers::new();
            for line in lines {
                let (name, value) = line.split_once(": ").unwrap();
                headers.push(name, value);
            }
            assert_eq!(undoes(said, by_default, &headers), expected, "{said:?} {lines:?}");
        }
    }
}
