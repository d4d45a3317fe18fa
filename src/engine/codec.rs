//! HTTP/1.1 heads, by `ureq-proto`.
//!
//! The codec writes and checks what frames a message: the request line, the length of the
//! body, the syntax of the answer. The header lines in between are ours, because the
//! codec's names have no case: they go out as the caller wrote them and are listed as the
//! server sent them. The codec logs what it sees, so it is shown no secret: not the target
//! of a request, and, while it logs, not the values of headers.

use std::ops::Range;

use http::{HeaderValue, Method, Request, header};
use ureq_proto::client::state::{RecvResponse, SendRequest};
use ureq_proto::client::{Call, SendRequestResult};
use url::Position;

use crate::error::{Error, ErrorKind};
use crate::headers::{self, Headers};
use crate::wire::{Head, WireRequest};

/// How the length of a request's body is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sending {
    /// There is no body.
    Nothing,
    /// `Content-Length`.
    Length(u64),
    /// `Transfer-Encoding: chunked`.
    Chunked,
}

/// Reads the answer to one request.
#[derive(Debug)]
pub(super) struct Codec(Call<RecvResponse>);

/// Writes the head of `request` to `out` and returns what will read the answer.
pub(super) fn write_head(
    request: &WireRequest<'_>,
    sending: Sending,
    out: &mut Vec<u8>,
) -> Result<Codec, Error> {
    let mut call = prepare(request, sending)?;
    let mut written = [0; ROOM];
    let length = call.write(&mut written).map_err(refused)?;
    // "POST / HTTP/1.1", CR LF, and what says how long the body is.
    let written = &written[..length];
    let method = request.method.as_str().len() + 1;
    let line = written.iter().position(|&byte| byte == b'\n').map_or(length, |at| at + 1);
    out.extend_from_slice(&written[..method]);
    out.extend_from_slice(target(request.url).as_bytes());
    out.extend_from_slice(&written[method + 1..line]);
    request.headers.write_to(out);
    out.extend_from_slice(&written[line..]);
    if line == length {
        out.extend_from_slice(b"\r\n");
    }
    receiving(call, sending).map(Codec)
}

/// Room for a request line without a target, and for one header with a length.
const ROOM: usize = LONGEST_METHOD + 96;

/// Longer than any that is registered.
const LONGEST_METHOD: usize = 128;

/// Returns path and query of `url`, as they stand on a request line.
fn target(url: &url::Url) -> &str {
    &url[Position::BeforePath..Position::AfterQuery]
}

fn prepare(request: &WireRequest<'_>, sending: Sending) -> Result<Call<SendRequest>, Error> {
    if request.method.as_str().len() > LONGEST_METHOD {
        let detail = "the method is longer than 128 bytes";
        return Err(Error::new(ErrorKind::InvalidRequest, detail));
    }
    let mut described = Request::new(());
    *described.method_mut() = request.method.clone();
    let framing = match sending {
        Sending::Length(length) => Some((header::CONTENT_LENGTH, HeaderValue::from(length))),
        Sending::Chunked => Some((header::TRANSFER_ENCODING, HeaderValue::from_static("chunked"))),
        // RFC 9110 §8.6: methods that are expected to have content say that there is none.
        Sending::Nothing if expects_content(request.method) => {
            Some((header::CONTENT_LENGTH, HeaderValue::from_static("0")))
        }
        Sending::Nothing => None,
    };
    if let Some((name, value)) = framing {
        described.headers_mut().insert(name, value);
    }
    let mut call = Call::new(described).map_err(refused)?;
    call.allow_non_standard_methods(true);
    if sending != Sending::Nothing {
        call.force_send_body();
    }
    Ok(call.proceed())
}

fn expects_content(method: &Method) -> bool {
    matches!(*method, Method::POST | Method::PUT | Method::PATCH)
}

/// Brings the codec to where it reads the answer: the body's bytes are not its business.
fn receiving(call: Call<SendRequest>, sending: Sending) -> Result<Call<RecvResponse>, Error> {
    let mut sender = match call.proceed().map_err(refused)? {
        Some(SendRequestResult::RecvResponse(call)) => return Ok(call),
        Some(SendRequestResult::SendBody(sender)) => sender,
        _ => return Err(Error::new(ErrorKind::InvalidRequest, "the request cannot be framed")),
    };
    match sending {
        Sending::Length(length) => {
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            sender.consume_direct_write(length).map_err(refused)?;
        }
        _ => {
            sender.write(&[], &mut [0; 16]).map_err(refused)?;
        }
    }
    sender
        .proceed()
        .ok_or_else(|| Error::new(ErrorKind::InvalidRequest, "the request's body cannot be framed"))
}

fn refused(error: ureq_proto::Error) -> Error {
    Error::new(ErrorKind::InvalidRequest, "the request cannot be sent as it is").because(error)
}

/// Returns the status of a head, if it begins as one.
///
/// Looked at before the codec sees the head: a 1xx is ours to handle, as the codec refuses
/// a 100 with headers.
pub(super) fn status_of(head: &[u8]) -> Option<u16> {
    // RFC 9112 §4: "HTTP/1.1" SP status.
    let digits = head.get(9..12)?;
    let status = std::str::from_utf8(digits).ok()?.parse().ok()?;
    (head.starts_with(b"HTTP/1.") && head[8] == b' ').then_some(status)
}

impl Codec {
    /// Reads a head from the beginning of `bytes`; returns it with its length, or `None`
    /// if more has to come.
    pub(super) fn read_head(&mut self, bytes: &[u8]) -> Result<Option<(Head, usize)>, Error> {
        let (length, response) = if codec_logs() {
            self.0.try_response(&masked(bytes), false)
        } else {
            self.0.try_response(bytes, false)
        }
        .map_err(cannot_parse)?;
        let Some(response) = response else { return Ok(None) };
        let (status, version) = (response.status(), response.version());
        let headers = lines_of(&bytes[..length], response.headers().len());
        Ok(Some((Head { status, version, headers }, length)))
    }
}

/// Returns whether the codec logs the heads that it sees.
fn codec_logs() -> bool {
    log::log_enabled!(target: "ureq_proto::util", log::Level::Trace)
}

/// Returns `bytes` with the values of its head hidden that may be secret; every byte stays
/// in its place. What follows the head is not logged.
fn masked(bytes: &[u8]) -> Vec<u8> {
    let mut masked = bytes.to_vec();
    for (name, value) in Lines::of(bytes) {
        let known = std::str::from_utf8(&bytes[name]).is_ok_and(headers::is_harmless);
        if !known {
            let visible = |byte: &&mut u8| byte.is_ascii_graphic();
            masked[value].iter_mut().filter(visible).for_each(|byte| *byte = b'*');
        }
    }
    masked
}

fn cannot_parse(error: ureq_proto::Error) -> Error {
    let (kind, detail) = match error {
        ureq_proto::Error::HttpParseTooManyHeaders => {
            (ErrorKind::BadServerResponse, "the server's answer has more than 128 header lines")
        }
        ureq_proto::Error::BadContentLengthHeader
        | ureq_proto::Error::TooManyContentLengthHeaders => {
            (ErrorKind::BadServerResponse, "the server's answer has a bad Content-Length")
        }
        _ => (ErrorKind::CannotParseResponse, "the server's answer is not valid HTTP"),
    };
    Error::new(kind, detail).because(error)
}

/// Lists the header lines of a head that the codec has found well-formed.
fn lines_of(head: &[u8], count: usize) -> Headers {
    let lines = Lines::of(head);
    // One look at all of it, and one copy, in almost every case.
    if let Ok(text) = std::str::from_utf8(head) {
        return Headers::from_text(text, lines, count);
    }
    let mut headers = Headers::with_capacity(count, head.len());
    for (name, value) in lines {
        // A name is a token, which is ASCII: the codec has checked that.
        let name = std::str::from_utf8(&head[name]).unwrap_or_default();
        headers.push_bytes(name, &head[value]);
    }
    headers
}

/// Finds names and values in a well-formed head, from where its header lines begin.
struct Lines<'a> {
    head: &'a [u8],
    at: usize,
}

impl<'a> Lines<'a> {
    fn of(head: &'a [u8]) -> Self {
        // Empty lines may come before the status line (RFC 9112 §2.2).
        let empty = head.len() - head.trim_ascii_start().len();
        let at = head[empty..].iter().position(|&byte| byte == b'\n');
        Self { head, at: at.map_or(head.len(), |length| empty + length + 1) }
    }
}

impl Iterator for Lines<'_> {
    type Item = (Range<usize>, Range<usize>);

    fn next(&mut self) -> Option<Self::Item> {
        let start = self.at;
        let line = &self.head[start..];
        // No name begins so: it is the empty line at the end.
        if matches!(line.first(), None | Some(b'\r' | b'\n')) {
            return None;
        }
        let mut bytes = line.iter();
        // A loop over an iterator is half the instructions of a search by `position`, and
        // names and values are too short for anything cleverer.
        for &byte in bytes.by_ref() {
            if byte == b':' {
                break;
            }
        }
        let value = self.head.len() - bytes.len();
        for &byte in bytes.by_ref() {
            if byte == b'\n' {
                break;
            }
        }
        self.at = self.head.len() - bytes.len();
        Some((start..value - 1, trimmed(self.head, value..self.at)))
    }
}

/// Returns `range` without the blanks around what is in it.
fn trimmed(bytes: &[u8], mut range: Range<usize>) -> Range<usize> {
    while range.start < range.end && bytes[range.start].is_ascii_whitespace() {
        range.start += 1;
    }
    while range.start < range.end && bytes[range.end - 1].is_ascii_whitespace() {
        range.end -= 1;
    }
    range
}

#[cfg(test)]
mod tests {
    use http::{StatusCode, Version};
    use url::Url;

    use super::*;

    type Read = (StatusCode, Version, Vec<(String, String)>);

    fn read(head: &str) -> Result<Read, Error> {
        let url = Url::parse("http://a/").unwrap();
        let headers = Headers::new();
        let request =
            WireRequest { method: &Method::GET, url: &url, headers: &headers, body: None };
        let mut codec = write_head(&request, Sending::Nothing, &mut Vec::new())?;
        let (head, _) = codec.read_head(head.as_bytes())?.expect("a whole head");
        let lines = head.headers.iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        Ok((head.status, head.version, lines.collect()))
    }

    fn written(method: &str, url: &str, sending: Sending) -> String {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let url = Url::parse(url).unwrap();
        let mut headers = Headers::new();
        headers.add("Host", "shop.test").unwrap();
        headers.add("X-TRACE-Id", "7").unwrap();
        let request = WireRequest { method: &method, url: &url, headers: &headers, body: None };
        let mut out = Vec::new();
        write_head(&request, sending, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_head_is_the_line_then_the_callers_headers_then_the_framing() {
        let ours = "Host: shop.test\r\nX-TRACE-Id: 7\r\n";
        for (method, url, sending, line, framing) in [
            ("GET", "http://a", Sending::Nothing, "GET / HTTP/1.1", ""),
            ("GET", "http://a?q=1#f", Sending::Nothing, "GET /?q=1 HTTP/1.1", ""),
            ("Brew", "http://a/x%20y", Sending::Nothing, "Brew /x%20y HTTP/1.1", ""),
            ("POST", "http://a/", Sending::Nothing, "POST / HTTP/1.1", "content-length: 0\r\n"),
            (
                "DELETE",
                "http://a/",
                Sending::Length(3),
                "DELETE / HTTP/1.1",
                "content-length: 3\r\n",
            ),
            (
                "PUT",
                "http://a/",
                Sending::Chunked,
                "PUT / HTTP/1.1",
                "transfer-encoding: chunked\r\n",
            ),
        ] {
            assert_eq!(written(method, url, sending), format!("{line}\r\n{ours}{framing}\r\n"));
        }
        let long = format!("http://a/{}", "x".repeat(100_000));
        assert!(written("GET", &long, Sending::Nothing).len() > 100_000);
    }

    #[test]
    fn a_head_is_listed_as_it_was_sent() {
        let (status, version, lines) =
            read("HTTP/1.0 404 Not Found\r\nX-Foo:  a b \r\nx-foo:\r\nServer:no-space\r\n\r\n")
                .unwrap();
        assert_eq!((status.as_u16(), version), (404, Version::HTTP_10));
        let expected = [("X-Foo", "a b"), ("x-foo", ""), ("Server", "no-space")];
        assert!(lines.iter().map(|(n, v)| (&**n, &**v)).eq(expected), "{lines:?}");
    }

    #[test]
    fn broken_heads_are_refused() {
        let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "A: b\r\n".repeat(129));
        for (head, kind) in [
            ("HTTP/1.1 200 OK\r\nA : b\r\n\r\n", ErrorKind::CannotParseResponse),
            ("HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n\r\n", ErrorKind::CannotParseResponse),
            ("HTTP/1.1 200 OK\r\nno colon\r\n\r\n", ErrorKind::CannotParseResponse),
            ("HTTP/1.1 200 OK\r\n: b\r\n\r\n", ErrorKind::CannotParseResponse),
            ("HTTP/1.1 200 OK\r\nA: b\0c\r\n\r\n", ErrorKind::CannotParseResponse),
            ("HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n", ErrorKind::CannotParseResponse),
            ("HTTP/1.1 099 Low\r\n\r\n", ErrorKind::CannotParseResponse),
            ("HTTP/1.1 1000 High\r\n\r\n", ErrorKind::CannotParseResponse),
            ("HTTP/1.2 200 OK\r\n\r\n", ErrorKind::CannotParseResponse),
            ("HTTP/2.0 200 OK\r\n\r\n", ErrorKind::CannotParseResponse),
            ("ICY 200 OK\r\n\r\n", ErrorKind::CannotParseResponse),
            (&*many, ErrorKind::BadServerResponse),
        ] {
            assert_eq!(read(head).unwrap_err().kind(), kind, "{head:?}");
        }
    }

    #[test]
    fn a_masked_head_is_as_long_and_says_as_much_of_its_framing() {
        let head =
            b"HTTP/1.1 200 OK\r\nSet-Cookie: sid=s3cret; Path=/\r\nContent-Length: 5\r\n\r\nabc";
        let masked = String::from_utf8(masked(head)).unwrap();
        assert_eq!(masked.len(), head.len());
        assert!(!masked.contains("s3cret") && masked.contains("Content-Length: 5"), "{masked}");
    }

    #[test]
    fn a_status_is_read_before_the_head_is() {
        for (head, status) in [
            ("HTTP/1.1 103 Early Hints\r\n", Some(103)),
            ("HTTP/1.0 200", Some(200)),
            ("HTTP/1.1 20", None),
            ("HTTP/1.1  200", None),
            ("ICY 200 OK", None),
        ] {
            assert_eq!(status_of(head.as_bytes()), status, "{head}");
        }
    }
}
