//! Answers byte for byte, and what is to become of each: the rules of RFC 9112, and where it
//! leaves a choice, the strict one.

use urlsession::ErrorKind::{
    self, BadServerResponse as Bad, CannotParseResponse as Unparsable,
    DataLengthExceedsMaximum as TooLarge, NetworkConnectionLost as Lost,
    ZeroByteResource as ZeroByte,
};

/// One answer and its outcome.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) method: &'static str,
    pub(crate) bytes: Vec<u8>,
    /// The server closes the connection behind the answer.
    pub(crate) closes: bool,
    pub(crate) outcome: Result<(u16, &'static str), ErrorKind>,
    /// The next request goes over the same connection.
    pub(crate) reused: bool,
}

impl Row {
    fn new(
        name: &str,
        bytes: impl AsRef<[u8]>,
        outcome: Result<(u16, &'static str), ErrorKind>,
    ) -> Self {
        let bytes = bytes.as_ref().to_vec();
        let name = name.to_owned();
        Self { name, method: "GET", bytes, closes: false, outcome, reused: false }
    }

    /// A 200 with the body `hello`, after which the connection is used again.
    fn kept(name: &str, bytes: impl AsRef<[u8]>) -> Self {
        Self { reused: true, ..Self::new(name, bytes, Ok((200, "hello"))) }
    }

    /// The same, but the connection is not used again although the server would keep it.
    fn last(name: &str, bytes: impl AsRef<[u8]>) -> Self {
        Self::new(name, bytes, Ok((200, "hello")))
    }

    /// An error that shows before the server closes the connection.
    fn broken(name: &str, bytes: impl AsRef<[u8]>, kind: ErrorKind) -> Self {
        Self::new(name, bytes, Err(kind))
    }

    /// An error because the server closes the connection.
    fn cut(name: &str, bytes: impl AsRef<[u8]>, kind: ErrorKind) -> Self {
        Self { closes: true, ..Self::broken(name, bytes, kind) }
    }

    fn closed(self) -> Self {
        Self { closes: true, reused: false, ..self }
    }

    fn with(self, status: u16, body: &'static str) -> Self {
        Self { outcome: Ok((status, body)), ..self }
    }

    fn to(self, method: &'static str) -> Self {
        Self { method, ..self }
    }
}

/// A 200 with these header lines, divided by `|`, and this body.
fn ok(lines: &str, body: &str) -> String {
    head("HTTP/1.1 200 OK", lines) + body
}

fn head(status_line: &str, lines: &str) -> String {
    let lines = lines.split('|').filter(|line| !line.is_empty());
    let lines: String = lines.map(|line| format!("{line}\r\n")).collect();
    format!("{status_line}\r\n{lines}\r\n")
}

/// A 200 with a chunked body.
fn chunked(body: &str) -> String {
    ok("Transfer-Encoding: chunked", body)
}

/// A 200 whose body is `hello`, under another status line.
fn started(status_line: &str) -> String {
    head(status_line, "Content-Length: 5") + "hello"
}

/// Every answer that the tests of framing know.
pub(crate) fn rows() -> Vec<Row> {
    [
        lengths(),
        transfer_encodings(),
        chunks(),
        versions(),
        bodiless(),
        status_lines(),
        header_lines(),
        informational(),
        limits(),
    ]
    .concat()
}

fn lengths() -> Vec<Row> {
    let same =
        ["Content-Length: 5, 5", "Content-Length: 5|Content-Length: 5", "Content-Length: 05,5"];
    let wrong = [
        "Content-Length: 5, 6",
        "Content-Length: 5|Content-Length: 6",
        "Content-Length: +5",
        "Content-Length: -1",
        "Content-Length: 0x5",
        "Content-Length: 5.0",
        "Content-Length: 5 5",
        "Content-Length: five",
        "Content-Length:",
        "Content-Length: 5,",
        "Content-Length: 18446744073709551616",
        "Content-Length: 99999999999999999999999999",
    ];
    let close = ["Connection: close", "Connection: x, CLOSE", "Connection: x|Connection: close"];
    let mut rows = vec![
        Row::kept("length", ok("Content-Length: 5", "hello")),
        Row::kept("length in odd case and space", ok("cONTENT-lENGTH:\t5 ", "hello")),
        Row::kept("length with zeros", ok("Content-Length: 0005", "hello")),
        Row::kept("length 0", ok("Content-Length: 0", "")).with(200, ""),
        Row::last("until close", ok("", "hello")).closed(),
        Row::last("until close, nothing", ok("", "")).with(200, "").closed(),
        Row::last("until close, keep-alive", ok("Connection: keep-alive", "hello")).closed(),
        Row::last("more than the length", ok("Content-Length: 5", "hello, world")),
        Row::last("another answer behind", ok("Content-Length: 5", "helloHTTP/1.1 200 OK\r\n")),
        Row::last("an empty line behind", ok("Content-Length: 5", "hello\r\n")),
        Row::cut("less than the length", ok("Content-Length: 5", "hel"), Lost),
        Row::cut("nothing of the length", ok("Content-Length: 5", ""), ZeroByte),
        Row::broken(
            "the largest length",
            ok("Content-Length: 18446744073709551615", "h"),
            TooLarge,
        ),
        Row::kept("an unknown option", ok("Content-Length: 5|Connection: closed", "hello")),
        Row::kept("proxy-connection", ok("Content-Length: 5|Proxy-Connection: close", "hello")),
    ];
    rows.extend(same.map(|lines| Row::last(lines, ok(lines, "hello"))));
    rows.extend(wrong.map(|lines| Row::broken(lines, ok(lines, "hello"), Bad)));
    rows.extend(
        close.map(|line| Row::last(line, ok(&format!("Content-Length: 5|{line}"), "hello"))),
    );
    rows
}

fn transfer_encodings() -> Vec<Row> {
    let wrong = [
        "gzip, chunked",
        "chunked, gzip",
        "chunked, chunked",
        "chunked|Transfer-Encoding: chunked",
        "gzip|Transfer-Encoding: chunked",
        "xchunked",
        "chunked;q=1",
        "chunked,",
        "identity",
        "gzip",
        "",
    ];
    let body = "5\r\nhello\r\n0\r\n\r\n";
    let mut rows = vec![
        Row::kept("chunked", chunked(body)),
        Row::kept("chunked in odd case and space", ok("transfer-encoding:\tCHUNKED ", body)),
        Row::last("chunked and a length", ok("Transfer-Encoding: chunked|Content-Length: 3", body)),
        Row::last("a length and chunked", ok("Content-Length: 3|Transfer-Encoding: chunked", body)),
        Row::broken(
            "chunked and a bad length",
            ok("Transfer-Encoding: chunked|Content-Length: +3", body),
            Bad,
        ),
        Row::last("chunked and close", ok("Transfer-Encoding: chunked|Connection: close", body)),
    ];
    rows.extend(wrong.map(|coding| {
        let line = format!("Transfer-Encoding: {coding}");
        Row::broken(&line, ok(&line, body), Bad)
    }));
    rows
}

fn chunks() -> Vec<Row> {
    let fine = [
        ("in two chunks", "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"),
        ("zeros before the size", "0000000000000005\r\nhello\r\n000\r\n\r\n"),
        ("an extension", "5;a=b\r\nhello\r\n0;c=\"d;e\"\r\n\r\n"),
        ("a long extension", "5;a=bcdefghijklmnopqrstuvwxyz0123456789\r\nhello\r\n0\r\n\r\n"),
        ("blanks behind the size", "5  \r\nhello\r\n0 \r\n\r\n"),
        ("trailers", "5\r\nhello\r\n0\r\nA: b\r\nContent-Length: 99\r\n\r\n"),
        ("a trailer without colon", "5\r\nhello\r\n0\r\nA\r\n\r\n"),
        ("a folded trailer", "5\r\nhello\r\n0\r\nA: b\r\n c\r\n\r\n"),
        ("an odd trailer", "5\r\nhello\r\n0\r\nA B\0: \u{1b}\r\n\r\n"),
    ];
    let wrong = [
        ("a signed size", "+5\r\nhello\r\n0\r\n\r\n"),
        ("a negative size", "-5\r\nhello\r\n0\r\n\r\n"),
        ("0x", "0x5\r\nhello\r\n0\r\n\r\n"),
        ("no size", "\r\nhello\r\n0\r\n\r\n"),
        ("no number", "g\r\nhello\r\n0\r\n\r\n"),
        ("a blank before the size", " 5\r\nhello\r\n0\r\n\r\n"),
        ("17 digits", "00000000000000005\r\nhello\r\n0\r\n\r\n"),
        ("an overflow", "10000000000000005\r\nhello\r\n0\r\n\r\n"),
        ("LF behind the size", "5\nhello\r\n0\r\n\r\n"),
        ("LF behind the second size", "2\r\nhe\r\n3\nllo\r\n0\r\n\r\n"),
        ("CR behind the size", "5\rhello\r\n0\r\n\r\n"),
        ("LF in an extension", "5;a\nhello\r\n0\r\n\r\n"),
        ("CR in an extension", "5;a\rb\r\nhello\r\n0\r\n\r\n"),
        ("LF behind a chunk", "5\r\nhello\n0\r\n\r\n"),
        ("nothing behind a chunk", "5\r\nhello0\r\n\r\n"),
        ("more than the size", "5\r\nhello!\r\n0\r\n\r\n"),
        ("LF at the end", "5\r\nhello\r\n0\r\n\n"),
        ("LF behind a trailer", "5\r\nhello\r\n0\r\nA: b\n\r\n"),
        ("CR in a trailer", "5\r\nhello\r\n0\r\nA: b\rc\r\n\r\n"),
    ];
    let short = [
        ("no last chunk", "5\r\nhello\r\n"),
        ("no last line", "5\r\nhello\r\n0\r\n"),
        ("half a last line", "5\r\nhello\r\n0\r\n\r"),
        ("half a chunk", "5\r\nhel"),
        ("half a size", "5"),
        ("half a trailer", "5\r\nhello\r\n0\r\nA: b"),
        ("no chunk", ""),
    ];
    let mut rows = vec![
        Row::kept("no content in chunks", chunked("0\r\n\r\n")).with(200, ""),
        Row::last("bytes behind the last chunk", chunked("5\r\nhello\r\n0\r\n\r\nmore")),
    ];
    rows.extend(fine.map(|(name, body)| Row::kept(name, chunked(body))));
    rows.extend(wrong.map(|(name, body)| Row::broken(name, chunked(body), Bad)));
    rows.extend(short.map(|(name, body)| Row::cut(name, chunked(body), Lost)));
    rows
}

fn versions() -> Vec<Row> {
    let old = |lines: &str, body: &str| head("HTTP/1.0 200 OK", lines) + body;
    let body = "5\r\nhello\r\n0\r\n\r\n";
    let keeps = "Content-Length: 5|Connection: Keep-Alive";
    vec![
        Row::last("1.0", old("Content-Length: 5", "hello")),
        Row::kept("1.0 that keeps", old(keeps, "hello")),
        Row::last("1.0 until close", old("", "hello")).closed(),
        Row::last("1.0 in chunks", old("Transfer-Encoding: chunked", body)),
        Row::last(
            "1.0 in chunks that keeps",
            old("Transfer-Encoding: chunked|Connection: keep-alive", body),
        ),
    ]
}

fn bodiless() -> Vec<Row> {
    let status = |line: &str, lines: &str| head(line, lines);
    let no_content = "HTTP/1.1 204 No Content";
    let unchanged = "HTTP/1.1 304 Not Modified";
    vec![
        Row::kept("HEAD with a length", ok("Content-Length: 5", "")).with(200, "").to("HEAD"),
        Row::kept("HEAD in chunks", chunked("")).with(200, "").to("HEAD"),
        Row::kept("HEAD without a word", ok("", "")).with(200, "").to("HEAD"),
        Row::last("HEAD with a body", ok("Content-Length: 5", "hello")).with(200, "").to("HEAD"),
        Row::broken("HEAD with two lengths", ok("Content-Length: 5, 6", ""), Bad).to("HEAD"),
        Row::kept("204", status(no_content, "")).with(204, ""),
        Row::last("204 with a length", status(no_content, "Content-Length: 5")).with(204, ""),
        Row::last("204 in chunks", status(no_content, "Transfer-Encoding: chunked")).with(204, ""),
        Row::kept("304", status(unchanged, "")).with(304, ""),
        Row::kept("304 with a length", status(unchanged, "Content-Length: 5")).with(304, ""),
        Row::broken("204 with a signed length", status(no_content, "Content-Length: +0"), Bad),
        Row::broken("304 with two lengths", status(unchanged, "Content-Length: 5, 6"), Bad),
        Row::kept("205 with a body", started("HTTP/1.1 205 Reset Content")).with(205, "hello"),
    ]
}

fn status_lines() -> Vec<Row> {
    let fine = [
        ("no reason", "HTTP/1.1 200", 200),
        ("an empty reason", "HTTP/1.1 200 ", 200),
        ("a reason in UTF-8", "HTTP/1.1 200 \u{c9}t\u{e9}", 200),
        ("status 700", "HTTP/1.1 700 Odd", 700),
        ("status 999", "HTTP/1.1 999 Odd", 999),
        ("status 404", "HTTP/1.1 404 Not Found", 404),
        ("empty lines before", "\r\n\r\nHTTP/1.1 200 OK", 200),
    ];
    let wrong = [
        ("status 099", "HTTP/1.1 099 Low"),
        ("status 1000", "HTTP/1.1 1000 High"),
        ("two digits", "HTTP/1.1 20 OK"),
        ("no status", "HTTP/1.1"),
        ("letters for a status", "HTTP/1.1 2x0 OK"),
        ("two blanks", "HTTP/1.1  200 OK"),
        ("HTTP/1.2", "HTTP/1.2 200 OK"),
        ("HTTP/2.0", "HTTP/2.0 200 OK"),
        ("HTTP/0.9", "<html>hello</html>"),
        ("small letters", "http/1.1 200 OK"),
        ("ICY", "ICY 200 OK"),
        ("SSH", "SSH-2.0-OpenSSH_9.2"),
        ("FTP", "220 ready"),
    ];
    let mut rows: Vec<Row> = fine
        .iter()
        .map(|&(name, line, status)| Row::kept(name, started(line)).with(status, "hello"))
        .collect();
    rows.extend(wrong.map(|(name, line)| Row::broken(name, started(line), Unparsable)));
    rows.extend([
        Row::cut("no byte", "", Lost),
        Row::cut("half a status line", "HTTP/1.1 2", Lost),
        Row::cut("half a header", "HTTP/1.1 200 OK\r\nContent-Le", Lost),
        Row::cut("no end of the head", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", Lost),
    ]);
    rows
}

fn header_lines() -> Vec<Row> {
    let fine = [
        ("an empty value", "A:"),
        ("a tab in a value", "A: b\tc"),
        ("a value in UTF-8", "A: \u{e9}\u{4e2d}"),
        ("a colon in a value", "A: b:c"),
        ("every letter of a name", "!#$%&'*+-.^_`|~: b"),
    ];
    // Each is left out, or part of the line before.
    let odd: [(&str, &[u8]); 12] = [
        ("a folded line", b"A: b\r\n c"),
        ("a line of blanks", b"A: b\r\n \t"),
        ("a first line that is folded", b" A: b"),
        ("an odd byte in a name", b"X-Odd\x01: y"),
        ("CR in a value", b"A: b\rc"),
        ("NUL in a value", b"A: b\0c"),
        ("a control character in a value", b"A: b\x01c"),
        ("DEL in a value", b"A: b\x7fc"),
        ("a blank before the colon", b"A : b"),
        ("a blank in a name", b"A B: c"),
        ("no colon", b"A"),
        ("no name", b": b"),
    ];
    let wrong: [(&str, &[u8]); 12] = [
        ("a blank before the colon of a length", b"Content-Length : 5"),
        ("a blank before a length", b" Content-Length: 5"),
        ("a control character in the name of a length", b"Content-Length\x01: 5"),
        ("a no-break space before a coding", b"\xa0Transfer-Encoding: chunked"),
        ("a blank in the name of a coding", b"Transfer -Encoding: chunked"),
        ("a coding without colon", b"Transfer-Encoding chunked"),
        ("a length without colon", b"Content-Length"),
        ("a length behind CR", b"A: b\rContent-Length: 5"),
        ("a length behind CR in a folded line", b"A: b\r\n c\rContent-Length: 5"),
        ("NUL behind a coding", b"Transfer-Encoding: chunked\0"),
        ("a folded length", b"Content-Length: 5\r\n 6"),
        ("a folded coding", b"Transfer-Encoding: chunked\r\n , gzip"),
    ];
    let with = |line: &[u8]| {
        [b"HTTP/1.1 200 OK\r\n", line, b"\r\nContent-Length: 5\r\n\r\nhello"].concat()
    };
    let mut rows: Vec<Row> =
        fine.iter().map(|&(name, line)| Row::kept(name, with(line.as_bytes()))).collect();
    rows.extend(odd.iter().map(|&(name, line)| Row::kept(name, with(line))));
    rows.extend(wrong.iter().map(|&(name, line)| Row::broken(name, with(line), Unparsable)));
    rows.extend([
        Row::kept("lines that end with LF", "HTTP/1.1 200 OK\nContent-Length: 5\n\nhello"),
        Row::kept("a value in ISO 8859-1", with(b"A: caf\xe9")),
    ]);
    rows
}

fn informational() -> Vec<Row> {
    let final_one = ok("Content-Length: 5", "hello");
    let behind = |first: &str| format!("{first}{final_one}");
    let hints = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n";
    vec![
        Row::kept("100", behind("HTTP/1.1 100 Continue\r\n\r\n")),
        Row::kept("100 with a header", behind("HTTP/1.1 100 Continue\r\nA: b\r\n\r\n")),
        Row::kept(
            "100 with a length",
            behind("HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\n"),
        ),
        Row::kept("102", behind("HTTP/1.1 102 Processing\r\n\r\n")),
        Row::kept("103", behind(hints)),
        Row::kept("103 and 100", behind(&format!("{hints}HTTP/1.1 100 Continue\r\n\r\n"))),
        Row::kept("16 of them", behind(&hints.repeat(16))),
        Row::kept("40 of them", behind(&"HTTP/1.1 102 Processing\r\n\r\n".repeat(40))),
        Row::kept("5,000 of them", behind(&hints.repeat(5_000))),
        Row::broken("300 KB of them", behind(&hints.repeat(300_000 / hints.len())), Bad),
        Row::broken("101", behind("HTTP/1.1 101 Switching Protocols\r\n\r\n"), Bad),
        Row::cut("100 and no more", "HTTP/1.1 100 Continue\r\n\r\n", Lost),
    ]
}

fn limits() -> Vec<Row> {
    let lines = |count: usize| "A: b|".repeat(count) + "Content-Length: 5";
    let twenty = "A: bcdefghijklmnopq|".repeat(150) + "Content-Length: 0005";
    let long = |length: usize| format!("A: {}|Content-Length: 5", "b".repeat(length));
    let block =
        |count: usize| format!("A: {}|", "b".repeat(50_000)).repeat(count) + "Content-Length: 5";
    let trailers = |line: &str, count| {
        chunked(&format!("5\r\nhello\r\n0\r\n{}\r\n", format!("{line}\r\n").repeat(count)))
    };
    let extension = |length| chunked(&format!("5;{}\r\nhello\r\n0\r\n\r\n", "a".repeat(length)));
    vec![
        Row::kept("128 lines", ok(&lines(127), "hello")),
        Row::kept("129 lines", ok(&lines(128), "hello")),
        Row::kept("151 lines of 20 bytes", ok(&twenty, "hello")),
        Row::kept("40,000 lines", ok(&lines(39_999), "hello")),
        Row::broken("50,000 lines", ok(&lines(49_999), "hello"), Bad),
        Row::kept("a line of 64,000 bytes", ok(&long(64_000), "hello")),
        Row::kept("a line of 250,000 bytes", ok(&long(250_000), "hello")),
        Row::broken("a line of 270,000 bytes", ok(&long(270_000), "hello"), Bad),
        Row::kept(
            "a status line of 66,000 bytes",
            started(&format!("HTTP/1.1 200 {}", "b".repeat(66_000))),
        ),
        Row::kept("a head of 250,000 bytes", ok(&block(5), "hello")),
        Row::broken("a head of 300,000 bytes", ok(&block(6), "hello"), Bad),
        Row::broken(
            "a line without end",
            format!("HTTP/1.1 200 OK\r\nA: {}", "b".repeat(270_000)),
            Bad,
        ),
        Row::kept("10,000 trailers", trailers("A: b", 10_000)),
        Row::broken(
            "trailers of 70,000 bytes",
            trailers(&format!("A: {}", "b".repeat(7_000)), 10),
            Bad,
        ),
        Row::kept("an extension of 4,000 bytes", extension(4_000)),
        Row::broken("an extension of 5,000 bytes", extension(5_000), Bad),
    ]
}
