use super::*;
use crate::engine::http1::codec::read_head;

type Lines = Vec<(String, String)>;

fn lines(head: Head) -> Lines {
    head.headers.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// Reads a 200 with these header lines.
fn read_lines(lines_of_it: &[u8]) -> Result<Lines, Error> {
    read(&[b"HTTP/1.1 200 OK\r\n", lines_of_it, b"\r\n\r\n"].concat()).map(lines)
}

/// The lines as text, `name=value` each.
fn listed(lines_of_it: &[u8]) -> Vec<String> {
    let lines = read_lines(lines_of_it).unwrap();
    lines.iter().map(|(name, value)| format!("{name}={value}")).collect()
}

#[test]
fn a_head_that_is_as_it_should_be_is_read_as_the_codec_reads_it() {
    for head in [
        &b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"[..],
        b"HTTP/1.0 404 Not Found\nX-Foo:  a b \nx-foo:\nServer:no-space\n\n",
        b"\r\n\r\nHTTP/1.1 200\r\nA: b:c\r\n\r\n",
        b"HTTP/1.1 999 \xe9\r\nA: caf\xe9\r\nB: \xc3\xa9\r\nC:\t\ta\tb\t\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
    ] {
        let (strict, length) = read_head(head).unwrap();
        assert_eq!(length, head.len());
        let lenient = read(head).unwrap();
        assert_eq!((lenient.status, lenient.version), (strict.status, strict.version));
        assert_eq!(lines(lenient), lines(strict), "{}", head.escape_ascii());
    }
}

#[test]
fn any_number_of_lines_is_read() {
    for count in [151, 20_000] {
        let many: String = (0..count).map(|at| format!("X-{at}: {at}\r\n")).collect();
        let found = read_lines(many.trim_end().as_bytes()).unwrap();
        assert_eq!(found.len(), count);
        assert_eq!(found[count - 1], (format!("X-{}", count - 1), (count - 1).to_string()));
    }
}

#[test]
fn lines_that_continue_are_one_value_joined_by_a_space() {
    for (head, expected) in [
        ("Policy: default-src 'self';\r\n    img-src *", "Policy=default-src 'self'; img-src *"),
        ("Policy: default-src 'self';\n    img-src *", "Policy=default-src 'self'; img-src *"),
        ("A: b\r\n\tc\r\n d", "A=b c d"),
        ("A: b  \r\n  c  ", "A=b c"),
        ("A:\r\n b", "A=b"),
        ("A: b\r\n \r\n c", "A=b c"),
        ("A: b\r\n ", "A=b"),
        ("A: b\r\n c: d", "A=b c: d"),
        ("A: b\r\n Content-Length: 5", "A=b Content-Length: 5"),
    ] {
        assert_eq!(listed(head.as_bytes()), [expected], "{head:?}");
    }
    assert_eq!(listed(b"A: \xe9\r\n b\r\nC: d"), ["A=\u{e9} b", "C=d"]);
}

#[test]
fn a_bad_line_is_left_out_and_the_others_stay() {
    for bad in [
        &b"X-Odd\x01: y"[..],
        b"Bad Name: y",
        b"no colon",
        b": y",
        b"A : y",
        b"\xc3\xa4: y",
        b"Set-Cookie[0]: y",
        b"A: y\0z",
        b"A: \x1b[31m",
        b"A: y\rz",
        b"A: y\r",
        b"\r",
        b"A: y\r\n \x01",
        b"Bad Name: y\r\n of two lines",
        b"no colon\r\n nor here",
        b"X-Content-Length\x01: 5",
        b"A\x01: Content-Length",
        b"A\x01: b\r\n and its Content-Length",
        b"the Content-Length is unknown",
        b"Transfer Encodings\x01: x",
    ] {
        for head in [
            [bad, b"\r\nC: d\r\nE: f"].concat(),
            [b"C: d\r\n", bad, b"\r\nE: f"].concat(),
            [b"C: d\r\nE: f\r\n", bad].concat(),
        ] {
            assert_eq!(listed(&head), ["C=d", "E=f"], "{}", head.escape_ascii());
        }
    }
    // Before the first line there is nothing to continue.
    assert_eq!(listed(b" A: b\r\nC: d"), ["C=d"]);
}

#[test]
fn a_bad_line_that_could_frame_the_message_is_refused_and_shown() {
    for bad in [
        &b"Content-Length : 5"[..],
        b"Content-Length\t: 5",
        b"content-length\x01: 5",
        b"\x01Content-Length: 5",
        b"Content-Length\xa0: 5",
        b"\xc2\xa0Content-Length: 5",
        b"Content Length: 5",
        b"Content-\0Length: 5",
        b"CONTENT-LENGTH 5",
        b"Content-Length",
        b"Content-Length=5",
        b"Content Length 5",
        b"Foo Content-Length: 5",
        b"(Transfer-Encoding): chunked",
        b"Transfer-Encoding : chunked",
        b"Transfer-Encoding",
        b"Transfer-Encoding: \x0bchunked",
        b"Transfer-Encoding: chunked\0",
        b"Content-Length: 5\r",
        b"A: b\rContent-Length: 5",
        b"no colon\rTransfer-Encoding: chunked",
        b"A: b\r\n c\rContent-Length: 5",
        b"Bad Name: y\r\n Content-Length: 5",
        b"Content-Length: 5\r\n 6",
        b"Content-Length:\r\n 5",
        b"Transfer-Encoding: chunked\r\n , gzip",
        b"Transfer-Encoding: chunked\r\n ",
    ] {
        let error = read_lines(&[b"C: d\r\n", bad].concat()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::CannotParseResponse);
        let text = error.to_string();
        assert!(text.contains("where it ends: \""), "{}: {text}", bad.escape_ascii());
        assert!(text.is_ascii() && !text.contains(|char: char| char.is_control()), "{text:?}");
    }
    let error = read_lines(b" Content-Length: 5").unwrap_err();
    assert!(error.to_string().ends_with("where it ends: \" Content-Length: 5\""), "{error}");
    let error = read_lines(b"Content-Length\x01: 5\r\nA: b").unwrap_err();
    assert!(error.to_string().ends_with(r#"where it ends: "Content-Length\x01: 5""#), "{error}");
}

#[test]
fn a_status_line_may_give_any_reason_and_nothing_else() {
    for (line, status) in [
        ("HTTP/1.1 200", Some(200)),
        ("HTTP/1.1 200 ", Some(200)),
        ("HTTP/1.0 404 \u{1b}[31mgone", Some(404)),
        ("HTTP/1.1 200 caf\u{e9}", Some(200)),
        ("HTTP/1.1 200OK", None),
        ("HTTP/1.1 2000 OK", None),
        ("HTTP/1.1 099 Low", None),
        ("HTTP/1.1  200 OK", None),
        ("HTTP/1.1 20", None),
        ("HTTP/1.1 +20 OK", None),
        ("HTTP/1.2 200 OK", None),
        ("HTTP/2.0 200 OK", None),
        ("http/1.1 200 OK", None),
        ("ICY 200 OK", None),
        (" HTTP/1.1 200 OK", None),
        ("HTTP/1.1 200 OK\rContent-Length: 5", None),
        ("HTTP/1.1 200 O\0K", None),
        ("", None),
    ] {
        let read = read(format!("{line}\r\nA: b\r\n\r\n").as_bytes());
        match (read, status) {
            (Ok(head), Some(status)) => assert_eq!(head.status.as_u16(), status, "{line}"),
            (Err(error), None) => assert_eq!(error.kind(), ErrorKind::CannotParseResponse),
            (read, _) => panic!("{line:?}: {read:?}"),
        }
    }
}

#[test]
fn a_long_line_is_shown_cut() {
    let line = format!("HTTP/1.1 2000 {}", "x".repeat(100_000));
    let error = read(format!("{line}\r\n\r\n").as_bytes()).unwrap_err().to_string();
    assert!(error.ends_with("xxx\u{2026}\"") && error.len() < 200, "{error}");
}
