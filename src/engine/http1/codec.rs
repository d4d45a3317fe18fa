//! HTTP/1.1 heads: requests are written here, answers are parsed by `httparse`.
//!
//! `httparse` checks the syntax (RFC 9112 §4, §5) and finds where names and values stand;
//! as header lines it takes tokens before the colon alone, no folded lines, and no control
//! character but the tab in a value. What it refuses is left to [`lenient`](super::lenient).
//! Names keep their case both ways: they go out as the caller wrote them and are listed as the
//! server sent them. Nothing is logged.

use std::io::Write;
use std::mem::MaybeUninit;
use std::ops::Range;

use http::{Method, StatusCode, Version};
use httparse::{ParserConfig, Response, Status};
use url::Position;

use crate::headers::Headers;
use crate::wire::{Head, WireRequest};

/// How many header lines almost every answer has room in.
const MOST_LINES: usize = 128;

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

/// Writes the head of `request` to `out`: the line, its headers in their order, and what
/// says how long the body is.
pub(super) fn write_head(request: &WireRequest<'_>, sending: Sending, out: &mut Vec<u8>) {
    out.extend_from_slice(request.method.as_str().as_bytes());
    out.push(b' ');
    out.extend_from_slice(target(request.url).as_bytes());
    out.extend_from_slice(b" HTTP/1.1\r\n");
    request.headers.write_to(out);
    request.added.write_to(out);
    match sending {
        Sending::Length(length) => {
            // Writing to memory cannot fail.
            let _ = write!(out, "content-length: {length}\r\n");
        }
        Sending::Chunked => out.extend_from_slice(b"transfer-encoding: chunked\r\n"),
        // RFC 9110 §8.6: methods that are expected to have content say that there is none.
        Sending::Nothing if expects_content(request.method) => {
            out.extend_from_slice(b"content-length: 0\r\n");
        }
        Sending::Nothing => {}
    }
    out.extend_from_slice(b"\r\n");
}

/// Returns path and query of `url`, as they stand on a request line.
fn target(url: &url::Url) -> &str {
    &url[Position::BeforePath..Position::AfterQuery]
}

fn expects_content(method: &Method) -> bool {
    matches!(*method, Method::POST | Method::PUT | Method::PATCH)
}

/// Returns the status of a head, if it begins as one.
///
/// Looked at before the head is parsed: a 1xx is another message than the final answer.
pub(super) fn status_of(head: &[u8]) -> Option<u16> {
    // RFC 9112 §4: "HTTP/1.1" SP status.
    let digits = head.get(9..12)?;
    let status = std::str::from_utf8(digits).ok()?.parse().ok()?;
    (head.starts_with(b"HTTP/1.") && head[8] == b' ').then_some(status)
}

/// Reads a head from the beginning of `bytes`; returns it with its length. `None`: more has to
/// come, or it is not written as it should be.
pub(super) fn read_head(bytes: &[u8]) -> Option<(Head, usize)> {
    // Not cleared: most answers fill a few of these.
    let mut lines = [const { MaybeUninit::uninit() }; MOST_LINES];
    let mut parsed = Response::new(&mut []);
    let parser = ParserConfig::default();
    let read = parser.parse_response_with_uninit_headers(&mut parsed, bytes, &mut lines);
    let Ok(Status::Complete(length)) = read else { return None };
    // RFC 9112 §2.3: a higher minor version than it knows is none that this client asked
    // for; `httparse` refuses it.
    let version = if parsed.version == Some(0) { Version::HTTP_10 } else { Version::HTTP_11 };
    // RFC 9110 §15: three digits are a status from 100 on.
    let status = StatusCode::from_u16(parsed.code.unwrap_or_default()).ok()?;
    let headers = listed(&bytes[..length], parsed.headers);
    Some((Head { status, version, headers }, length))
}

/// Lists the header lines that were found in `head`.
fn listed(head: &[u8], lines: &[httparse::Header<'_>]) -> Headers {
    // One look at all of it, and one copy, in almost every case.
    if let Ok(text) = std::str::from_utf8(head) {
        let places =
            lines.iter().map(|line| (place(head, line.name.as_bytes()), place(head, line.value)));
        return Headers::from_text(text, places);
    }
    let mut headers = Headers::with_capacity(lines.len(), head.len());
    for line in lines {
        headers.push_bytes(line.name, line.value);
    }
    headers
}

/// Returns where in `head` its part `part` stands.
fn place(head: &[u8], part: &[u8]) -> Range<usize> {
    let start = part.as_ptr().addr() - head.as_ptr().addr();
    start..start + part.len()
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;
    use crate::wire::Route;

    type Read = (StatusCode, Version, Vec<(String, String)>);

    fn read(head: &str) -> Option<Read> {
        let (head, _) = read_head(head.as_bytes())?;
        let lines = head.headers.iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        Some((head.status, head.version, lines.collect()))
    }

    fn written(method: &str, url: &str, sending: Sending) -> String {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let url = Url::parse(url).unwrap();
        let mut headers = Headers::new();
        headers.add("Host", "shop.test").unwrap();
        headers.add("X-TRACE-Id", "7").unwrap();
        let request = WireRequest {
            method: &method,
            url: &url,
            route: Route::direct(&url, None),
            headers: &headers,
            added: &Headers::new(),
            body: None,
        };
        let mut out = Vec::new();
        write_head(&request, sending, &mut out);
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
    fn a_head_that_is_not_written_as_it_should_be_is_left_to_others() {
        let many = |count| format!("HTTP/1.1 200 OK\r\n{}\r\n", "A: b\r\n".repeat(count));
        assert!(read(&many(128)).is_some());
        for head in [
            "HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
            "HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n\r\n",
            "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
            "HTTP/1.1 200 OK\r\n: b\r\n\r\n",
            "HTTP/1.1 200 OK\r\nA: b\0c\r\n\r\n",
            "HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n",
            "HTTP/1.1 099 Low\r\n\r\n",
            "HTTP/1.1 1000 High\r\n\r\n",
            "HTTP/1.2 200 OK\r\n\r\n",
            "HTTP/2.0 200 OK\r\n\r\n",
            "ICY 200 OK\r\n\r\n",
            &many(129),
        ] {
            assert_eq!(read(head), None, "{head:?}");
        }
    }

    #[test]
    fn no_other_byte_stands_in_a_name_or_a_value() {
        for byte in 0..=255u8 {
            let token = byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
            let text = byte == b'\t' || (byte >= b' ' && byte != 0x7f);
            for (start, end, fine) in [
                // LF ends the line, or the head.
                ("", "A: b", token || byte == b'\n'),
                ("A", ": b", token || byte == b':'),
                ("A: b", "c", text),
                ("A: b", "", text || byte == b'\n'),
            ] {
                let line = [start.as_bytes(), &[byte], end.as_bytes()].concat();
                let head = [b"HTTP/1.1 200 OK\r\n", &*line, b"\r\nC: d\r\n\r\n"].concat();
                assert_eq!(
                    read_head(&head).is_some(),
                    fine,
                    "{:?}",
                    line.escape_ascii().to_string()
                );
            }
        }
    }

    #[test]
    fn what_is_not_utf8_is_listed_byte_by_byte() {
        let bytes = b"HTTP/1.1 200 \xe9\r\nA: caf\xe9\r\nB: \xc3\xa9\r\n\r\nmore";
        let (head, length) = read_head(bytes).unwrap();
        assert_eq!(&bytes[length..], b"more");
        let lines: Vec<_> = head.headers.iter().collect();
        assert_eq!(lines, [("A", "caf\u{e9}"), ("B", "\u{e9}")]);
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
