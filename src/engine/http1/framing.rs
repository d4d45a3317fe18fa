//! Decides where a response ends (RFC 9112 §6.3), and whether its connection can carry
//! another one after it (RFC 9112 §9.3).
//!
//! Who reads the end of a message differently from others on the way is who requests are
//! smuggled past, so whatever is not exactly as it should be is an error, or at least the
//! last message of its connection.

use http::{Method, StatusCode, Version};

use crate::error::{Error, ErrorKind, Stage};
use crate::headers::Headers;

/// How a body is delimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) enum Framing {
    /// There is no body, whatever the headers say.
    None,
    Length(u64),
    Chunked,
    /// The body ends when the server closes the connection.
    UntilClose,
    /// The same, and a server that does it before it has read all of the request resets the
    /// connection.
    UntilCloseOrReset,
}

/// What is known about a response by its head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) struct Decision {
    pub(super) framing: Framing,
    /// The connection may be kept after this message.
    pub(super) reusable: bool,
    /// The server has said that it closes the connection after this message.
    pub(super) closes: bool,
    /// The server has said something about how long it keeps the connection.
    pub(super) hints: bool,
}

impl Decision {
    /// Whether the connection ends with this message.
    pub(in crate::engine) fn ends_connection(self) -> bool {
        !self.reusable
    }
}

/// Decides about the final response to a request with `method`.
///
/// # Errors
///
/// [`ErrorKind::BadServerResponse`] if the headers do not say clearly where the body ends.
pub(super) fn framing(
    method: &Method,
    status: StatusCode,
    version: Version,
    headers: &Headers,
) -> Result<Decision, Error> {
    let fields = Fields::of(headers);
    let Fields { closes, keeps, hints, .. } = fields;
    // RFC 9112 §9.3: `close` wins; HTTP/1.1 persists by itself, HTTP/1.0 if the server says so.
    let persists = !closes && (keeps || version == Version::HTTP_11);
    let decide =
        |framing, reusable| Ok(Decision { framing, reusable: reusable && persists, closes, hints });
    // RFC 9112 §6.3, 1 and 2: after these the connection speaks another protocol.
    if status == StatusCode::SWITCHING_PROTOCOLS
        || *method == Method::CONNECT && status.is_success()
    {
        return decide(Framing::None, false);
    }
    // RFC 9112 §6.3, 5: a length that is none, or two that differ, is an error, also where
    // it would not be needed: whoever sends it cannot be trusted with the rest.
    let length = fields.content_length(headers)?;
    // RFC 9112 §6.3, 1: here the headers describe the body that a GET would have had.
    if *method == Method::HEAD || status == StatusCode::NOT_MODIFIED {
        return decide(Framing::None, true);
    }
    // RFC 9110 §8.6, RFC 9112 §6.1: these have neither field; a server that sends one may
    // send a body too, which would look like the next response. Many say that there are no
    // bytes, which is true.
    if status.is_informational() || status == StatusCode::NO_CONTENT {
        let empty = length.is_none_or(|(length, once)| length == 0 && once);
        return decide(Framing::None, empty && !fields.has_coding);
    }
    if fields.has_coding {
        check_chunked(headers)?;
        // RFC 9112 §6.3, 3: it overrides a length, and both together are suspicious.
        // RFC 9112 §6.1: in HTTP/1.0 the framing counts as faulty; the message is read, as
        // curl does, and it is the last one.
        let reusable = length.is_none() && version == Version::HTTP_11;
        return decide(Framing::Chunked, reusable);
    }
    match length {
        Some((length, once)) => decide(Framing::Length(length), once),
        None => decide(Framing::UntilClose, false),
    }
}

/// Fails unless the body comes in chunks.
///
/// Accepts `chunked` alone: this client asks for no other coding (it sends no `TE`), and
/// where another one follows `chunked`, or comes twice, readers disagree about the end.
fn check_chunked(headers: &Headers) -> Result<(), Error> {
    let mut values = headers.get_all("transfer-encoding");
    if let (Some(coding), None) = (values.next(), values.next())
        && without_space(coding.as_bytes()).eq_ignore_ascii_case(b"chunked")
    {
        return Ok(());
    }
    let values = headers.trimmed("transfer-encoding").join(", ");
    Err(wrong(format!("transfer-encoding {values:?} is not supported, only chunked is")))
}

/// Returns the length, and whether it is said only once.
#[cold]
fn content_length(headers: &Headers) -> Result<Option<(u64, bool)>, Error> {
    let mut found = None;
    for value in headers.get_all("content-length") {
        // RFC 9110 §8.6: a list of the same value may be taken for that value.
        for element in elements(value.as_bytes()) {
            let Some(length) = parsed(element) else {
                let text = String::from_utf8_lossy(element);
                return Err(wrong(format!("content-length {text:?} is not a length")));
            };
            found = match found {
                None => Some((length, true)),
                Some((before, _)) if before == length => Some((length, false)),
                Some((before, _)) => {
                    return Err(wrong(format!("there are two lengths, {before} and {length}")));
                }
            };
        }
    }
    Ok(found)
}

/// Digits alone: `str::parse` takes a sign too.
fn parsed(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let digit = |digit: &u8| u64::from(digit & 15);
    if digits.len() < 20 {
        // No number of 19 digits is too large.
        return Some(digits.iter().fold(0, |length, next| length * 10 + digit(next)));
    }
    let grown = |length: u64, next| length.checked_mul(10)?.checked_add(digit(next));
    digits.iter().try_fold(0, grown)
}

/// What a head says about where its message ends, found in one walk.
#[derive(Default)]
struct Fields<'a> {
    /// What `Connection` says (RFC 9110 §7.6.1).
    closes: bool,
    keeps: bool,
    /// There is a `Keep-Alive`.
    hints: bool,
    /// The first `Content-Length`, and how many there are.
    length: &'a [u8],
    lengths: usize,
    /// There is a `Transfer-Encoding`.
    has_coding: bool,
}

impl<'a> Fields<'a> {
    fn of(headers: &'a Headers) -> Self {
        let mut fields = Self::default();
        for (name, value) in headers.iter_bytes() {
            match name.len() {
                10 if name.eq_ignore_ascii_case(b"connection") => fields.note_options(value),
                10 => fields.hints |= name.eq_ignore_ascii_case(b"keep-alive"),
                14 if name.eq_ignore_ascii_case(b"content-length") => {
                    if fields.lengths == 0 {
                        fields.length = value;
                    }
                    fields.lengths += 1;
                }
                17 => fields.has_coding |= name.eq_ignore_ascii_case(b"transfer-encoding"),
                _ => {}
            }
        }
        fields
    }

    #[inline]
    fn note_options(&mut self, value: &[u8]) {
        // As almost every server writes it.
        if value == b"keep-alive" {
            self.keeps = true;
            return;
        }
        for option in elements(value) {
            self.closes |= option.eq_ignore_ascii_case(b"close");
            self.keeps |= option.eq_ignore_ascii_case(b"keep-alive");
        }
    }

    /// Returns the length, and whether it is said only once.
    #[inline]
    fn content_length(&self, headers: &Headers) -> Result<Option<(u64, bool)>, Error> {
        match (self.lengths, parsed(self.length)) {
            (0, _) => Ok(None),
            (1, Some(length)) => Ok(Some((length, true))),
            _ => content_length(headers),
        }
    }
}

/// Returns the elements of a list (RFC 9110 §5.6.1), empty ones too, as bytes: such values
/// are too short for the search that `str::split` would begin.
fn elements(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|&byte| byte == b',').map(without_space)
}

/// RFC 9110 §5.6.3: only blanks and tabs are optional around values.
fn without_space(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}

fn wrong(detail: String) -> Error {
    Error::new(ErrorKind::BadServerResponse, detail).at(Stage::WaitingForResponse)
}

#[cfg(test)]
mod tests {
    use super::Framing::{Chunked, Length, None as NoBody, UntilClose};
    use super::*;

    fn decided(
        method: &Method,
        status: u16,
        version: Version,
        lines: &str,
    ) -> Result<(Framing, bool), Error> {
        let mut headers = Headers::new();
        for line in lines.split('|').filter(|line| !line.is_empty()) {
            let (name, value) = line.split_once(':').unwrap();
            headers.push(name, value);
        }
        let found = framing(method, StatusCode::from_u16(status).unwrap(), version, &headers)?;
        Ok((found.framing, found.reusable))
    }

    #[test]
    fn the_end_of_a_body_is_where_the_headers_say() {
        for (lines, framing, reusable) in [
            ("", UntilClose, false),
            ("Connection: keep-alive", UntilClose, false),
            ("Content-Length: 0", Length(0), true),
            ("content-length:5", Length(5), true),
            ("Content-Length: 005\t", Length(5), true),
            ("Content-Length: 18446744073709551615", Length(u64::MAX), true),
            ("Content-Length: 5, 5", Length(5), false),
            ("Content-Length: 5,05", Length(5), false),
            ("Content-Length: 5|X: y|Content-Length: 5", Length(5), false),
            ("Transfer-Encoding: chunked", Chunked, true),
            ("transfer-encoding:\tCHUNKED ", Chunked, true),
            // RFC 9112 §6.3, 3.
            ("Transfer-Encoding: chunked|Content-Length: 5", Chunked, false),
            // RFC 9112 §9.3.
            ("Content-Length: 5|Connection: close", Length(5), false),
            ("Content-Length: 5|Connection: Keep-Alive, CLOSE", Length(5), false),
            ("Content-Length: 5|Connection: x|connection: ,\tclose ,", Length(5), false),
            ("Content-Length: 5|Connection: closed", Length(5), true),
            ("Content-Length: 5|Connection: \"close\"", Length(5), true),
            ("Transfer-Encoding: chunked|Connection: close", Chunked, false),
            ("Content-Length: 5|Proxy-Connection: close", Length(5), true),
        ] {
            for status in [200, 205, 206, 301, 404, 500, 999] {
                let found = decided(&Method::GET, status, Version::HTTP_11, lines).unwrap();
                assert_eq!(found, (framing, reusable), "{status} {lines:?}");
            }
        }
    }

    #[test]
    fn a_server_closes_that_says_so() {
        let get = |version, lines: &str| {
            let mut headers = Headers::new();
            headers.push("Connection", lines);
            framing(&Method::GET, StatusCode::OK, version, &headers).unwrap().closes
        };
        for (options, closes) in [
            ("close", true),
            ("Keep-Alive, CLOSE", true),
            (",\tclose ,", true),
            ("closed", false),
            ("keep-alive", false),
            ("", false),
        ] {
            // HTTP/1.0 closes by itself, but may read to the end before.
            for version in [Version::HTTP_10, Version::HTTP_11] {
                assert_eq!(get(version, options), closes, "{options:?}");
            }
        }
    }

    #[test]
    fn headers_that_leave_the_end_in_doubt_are_errors_that_show_them() {
        for (lines, shown) in [
            ("Content-Length: 5, 6", "5 and 6"),
            ("Content-Length: 5|Content-Length: 6", "5 and 6"),
            ("Content-Length:", "\"\""),
            ("Content-Length: 5,", "\"\""),
            ("Content-Length: ,5", "\"\""),
            ("Content-Length: 5|Content-Length:", "\"\""),
            ("Content-Length: +5", "\"+5\""),
            ("Content-Length: -1", "\"-1\""),
            ("Content-Length: 0x5", "\"0x5\""),
            ("Content-Length: 5 5", "\"5 5\""),
            ("Content-Length: 5;", "\"5;\""),
            ("Content-Length: 5.0", "\"5.0\""),
            ("Content-Length: ٥", "\"٥\""),
            ("Content-Length: \u{a0}5", "not a length"),
            ("Content-Length: 18446744073709551616", "18446744073709551616"),
            ("Content-Length: +5|Transfer-Encoding: chunked", "\"+5\""),
            ("Transfer-Encoding:", "\"\""),
            ("Transfer-Encoding: gzip, chunked", "gzip, chunked"),
            ("Transfer-Encoding: chunked, gzip", "chunked, gzip"),
            ("Transfer-Encoding: chunked, chunked", "chunked, chunked"),
            ("Transfer-Encoding: chunked|Transfer-Encoding: chunked", "chunked, chunked"),
            ("Transfer-Encoding: gzip|Transfer-Encoding: chunked", "gzip, chunked"),
            ("Transfer-Encoding: chunked|Transfer-Encoding:", "chunked, "),
            ("Transfer-Encoding: xchunked", "xchunked"),
            ("Transfer-Encoding: chunked;q=1", "chunked;q=1"),
            ("Transfer-Encoding: chunked,", "chunked,"),
            ("Transfer-Encoding: \u{b}chunked", "chunked"),
            ("Transfer-Encoding: identity", "identity"),
            ("Transfer-Encoding: identity|Content-Length: 5", "identity"),
        ] {
            let error = decided(&Method::GET, 200, Version::HTTP_11, lines).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::BadServerResponse, "{lines:?}");
            assert!(error.to_string().contains(shown), "{lines:?}: {error}");
        }
    }

    #[test]
    fn some_responses_have_no_body_whatever_they_say() {
        let long = "Content-Length: 5";
        for (method, status, lines, reusable) in [
            ("HEAD", 200, long, true),
            ("HEAD", 404, "", true),
            ("HEAD", 200, "Transfer-Encoding: gzip, chunked", true),
            ("HEAD", 200, "Content-Length: 5, 5", true),
            ("HEAD", 200, "Connection: close", false),
            ("GET", 304, long, true),
            ("GET", 304, "Connection: close", false),
            ("GET", 204, "", true),
            ("GET", 204, long, false),
            ("GET", 204, "Content-Length: 0", true),
            ("GET", 204, "Content-Length: 0, 0", false),
            ("DELETE", 204, "Transfer-Encoding: chunked", false),
            ("GET", 103, "", true),
            ("GET", 101, "", false),
            ("CONNECT", 200, "", false),
            ("CONNECT", 204, long, false),
        ] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let found = decided(&method, status, Version::HTTP_11, lines).unwrap();
            let expected = (NoBody, reusable);
            assert_eq!(found, expected, "{method} {status} {lines:?}");
        }
        let refused = decided(&Method::CONNECT, 407, Version::HTTP_11, long).unwrap();
        assert_eq!(refused, (Length(5), true));
    }

    #[test]
    fn a_bad_length_is_an_error_also_where_there_is_no_body() {
        for (method, status) in
            [(Method::HEAD, 200), (Method::GET, 204), (Method::GET, 304), (Method::CONNECT, 407)]
        {
            for lines in ["Content-Length: 5, 6", "Content-Length: +5", "Content-Length:"] {
                let error = decided(&method, status, Version::HTTP_11, lines).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::BadServerResponse, "{status} {lines:?}");
            }
        }
    }

    #[test]
    fn http_1_0_persists_only_if_it_says_so_and_is_not_chunked() {
        for (lines, framing, reusable) in [
            ("Content-Length: 5", Length(5), false),
            ("Content-Length: 5|Connection: Keep-Alive", Length(5), true),
            ("Content-Length: 5|Connection: keep-alive, close", Length(5), false),
            ("Connection: keep-alive", UntilClose, false),
            ("Transfer-Encoding: chunked", Chunked, false),
            ("Transfer-Encoding: chunked|Connection: keep-alive", Chunked, false),
        ] {
            let found = decided(&Method::GET, 200, Version::HTTP_10, lines).unwrap();
            assert_eq!(found, (framing, reusable), "{lines:?}");
        }
    }
}
