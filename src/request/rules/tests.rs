//! The table, row by row: what is said, and what goes out.

use super::*;

/// What a request sends.
#[derive(Clone, Copy)]
enum Sends {
    Nothing,
    Empty,
    /// Five bytes.
    Bytes,
    /// So many that only its end tells.
    Reader,
}

use Sends::{Bytes, Empty, Nothing, Reader};

/// Returns what goes out of `lines`, or the error.
fn sent(lines: &[&str], sends: Sends) -> Result<(Vec<String>, Option<u64>), String> {
    let mut headers = Headers::new();
    for line in lines {
        let (name, value) = line.split_once(':').unwrap();
        headers.add(name, value.trim_start_matches(' ')).unwrap();
    }
    let mut body = match sends {
        Nothing => None,
        Empty => Some(Body::from("")),
        Bytes => Some(Body::from("hello")),
        Reader => Some(Body::reader(&b"hello"[..])),
    };
    let checked = check(&headers, body.as_ref()).map_err(|error| error.to_string());
    let settled = settle(&mut headers, &mut body).map_err(|error| error.to_string());
    assert_eq!(checked, settled, "{lines:?}");
    settled?;
    let all = headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    Ok((all, body.and_then(|body| body.length())))
}

/// What is said, and what goes out or a part of the error.
type Row<'a> = (&'a [&'a str], Result<&'a [&'a str], &'a str>);

fn played(sends: Sends, rows: &[Row<'_>]) {
    for (lines, expected) in rows {
        match (sent(lines, sends), expected) {
            (Ok((all, _)), Ok(expected)) => assert_eq!(all, *expected, "{lines:?}"),
            (Err(error), Err(part)) => {
                assert!(error.contains(part), "{lines:?}: {error}");
                assert!(!error.contains('\n'), "{error}");
            }
            (found, _) => panic!("{lines:?}: {found:?}, not {expected:?}"),
        }
    }
}

#[test]
fn one_host_goes_out_if_it_is_one() {
    for host in [
        "shop.test",
        "shop.test:8080",
        "shop.test:",
        "SHOP",
        "a_b.test",
        "127.0.0.1:80",
        "[::1]",
        "[fe80::1]:65535",
        "xn--bcher-kva.test",
        "a%20b",
        "-",
    ] {
        let line = format!("Host: {host}");
        assert_eq!(sent(&[&line], Nothing).unwrap().0, [&*line], "{host}");
    }
    for host in [
        "",
        "a b",
        " ",
        "a/b",
        "a?b",
        "a#b",
        "a\\b",
        "http://a",
        "a:b",
        "a:1:2",
        "a:-1",
        "a:+1",
        "a:65536",
        ":80",
        "[::1",
        "::1",
        "[::g]",
        "[::1]80",
        "[::1]a",
        "[]",
        "a,b",
        "bücher.test",
        "<a>",
        "\"a\"",
        "a\tb",
        "[fe80::1%25lo]",
    ] {
        let error = sent(&[&format!("host: {host}")], Nothing).unwrap_err();
        assert!(error.contains("is no host: use a name or an address"), "{host:?}: {error}");
    }
    played(
        Nothing,
        &[
            (
                &["Host: a.test", "Host: b.test"],
                Err("Host (\"a.test\", \"b.test\") is there 2 times"),
            ),
            (&["Host: a.test", "host: a.test"], Err("is there 2 times")),
            (&["Host: ann:s3cret@a.test"], Err("the header Host has a user name")),
            (&["Host: ann@s3cret", "Host: b"], Err("the header Host is there 2 times")),
        ],
    );
}

#[test]
fn an_expectation_goes_with_a_body_alone() {
    let one: &[&str] = &["Expect: 100-continue"];
    let none: Result<&[&str], &str> = Ok(&[]);
    played(
        Bytes,
        &[
            (one, Ok(one)),
            (&["expect: 100-Continue"], Ok(&["expect: 100-Continue"])),
            (&["Expect: 100-continue", "Expect: 100-continue"], Ok(one)),
            (&["Expect: 100-continue,"], Ok(one)),
            // As curl has it: none.
            (&["Expect:"], none),
            (&["Expect: 200-ok"], Err("Expect (\"200-ok\") is not 100-continue")),
            (&["Expect: 100-continue, a=b"], Err("is not 100-continue")),
            (&["Expect: 100-continue;q=1"], Err("is not 100-continue")),
        ],
    );
    played(Reader, &[(one, Ok(one))]);
    for sends in [Nothing, Empty] {
        played(sends, &[(one, none), (&["Expect:"], none), (&["Expect: x"], Err("leave it out"))]);
    }
}

#[test]
fn options_of_the_connection_name_nothing_that_is_for_the_server() {
    for line in [
        "Connection: close",
        "connection: Keep-Alive",
        "Connection: keep-alive, X-Hop",
        "Connection: close,,",
        "Connection: upgrade",
        "Keep-Alive: timeout=5, max=100",
        "Proxy-Connection: keep-alive",
    ] {
        assert_eq!(sent(&[line], Nothing).unwrap().0, [line]);
    }
    played(
        Nothing,
        &[
            (&["Connection:"], Ok(&[])),
            (&["Connection: close, Host"], Err("Connection (\"close, Host\") names Host")),
            (&["Connection: content-length"], Err("names content-length")),
            (&["Connection: Authorization"], Err("names Authorization")),
            (&["Connection: close", "Connection: Transfer-Encoding"], Err("names Transfer-")),
            (&["Connection: If-Match"], Err("would be taken out on the way")),
            (&["Connection: a b"], Err("is no list of options")),
            (&["Connection: close; a"], Err("is no list of options")),
        ],
    );
}

#[test]
fn what_belongs_to_the_connection_is_named_there() {
    played(
        Nothing,
        &[
            (&["TE: trailers"], Ok(&["TE: trailers", "Connection: TE"])),
            (&["TE: trailers", "Connection: te"], Ok(&["TE: trailers", "Connection: te"])),
            (
                &["TE: trailers", "Connection: close"],
                Ok(&["TE: trailers", "Connection: close, TE"]),
            ),
            (&["TE: Trailers, chunked"], Ok(&["TE: trailers", "Connection: TE"])),
            (&["TE: trailers, deflate;q=0"], Ok(&["TE: trailers", "Connection: TE"])),
            (&["TE: chunked"], Ok(&[])),
            (&["TE:"], Ok(&[])),
            (&["TE: gzip;q=0"], Ok(&[])),
            (&["TE: trailers, deflate;q=0.5"], Err("TE (\"trailers, deflate;q=0.5\") asks for")),
            (&["TE: gzip"], Err("Accept-Encoding asks for compressed content")),
            (&["Upgrade: websocket"], Ok(&["Upgrade: websocket", "Connection: Upgrade"])),
            (
                &["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c"],
                Ok(&["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c"]),
            ),
            (
                &["Upgrade: a/1, b", "TE: trailers"],
                Ok(&["Upgrade: a/1, b", "TE: trailers", "Connection: TE, Upgrade"]),
            ),
            (&["Upgrade:"], Ok(&[])),
            (&["Upgrade: web socket"], Err("is no list of protocols")),
            (&["Upgrade: a/"], Err("is no list of protocols")),
            // There is nothing to announce.
            (&["Trailer: Digest"], Ok(&[])),
        ],
    );
}

#[test]
fn how_long_a_body_is_may_be_said_if_it_is_right() {
    let none: Result<&[&str], &str> = Ok(&[]);
    played(
        Bytes,
        &[
            (&["Content-Length: 5"], none),
            (&["content-length: 05"], none),
            (&["Content-Length: 5", "Content-Length: 5"], none),
            (&["Content-Length: 5, 5"], none),
            (
                &["Content-Length: 4"],
                Err("Content-Length (\"4\") announces 4 bytes, and the body has 5"),
            ),
            (&["Content-Length: 6"], Err("announces 6 bytes, and the body has 5")),
            (&["Content-Length: 5, 6"], Err("names several lengths")),
            (&["Content-Length: 5", "Content-Length: 4"], Err("names several lengths")),
            (&["Content-Length: +5"], Err("is no length")),
            (&["Content-Length: -5"], Err("is no length")),
            (&["Content-Length: 5.0"], Err("is no length")),
            (&["Content-Length: five"], Err("is no length")),
            (&["Content-Length:"], Err("is no length")),
            (&["Content-Length: 99999999999999999999"], Err("is no length")),
            (&["Transfer-Encoding: chunked"], none),
            (&["transfer-encoding: Chunked"], none),
            (&["Transfer-Encoding: identity"], none),
            (&["Transfer-Encoding: gzip, chunked"], Err("names a coding")),
            (&["Transfer-Encoding: chunked, chunked"], Err("names a coding")),
            (&["Transfer-Encoding: chunked, identity"], Err("names a coding")),
            (
                &["Transfer-Encoding: chunked", "Content-Length: 5"],
                Err("Transfer-Encoding (\"chunked\") goes with no Content-Length"),
            ),
        ],
    );
    for sends in [Nothing, Empty] {
        played(
            sends,
            &[
                (&["Content-Length: 0"], none),
                (&["Content-Length: 5"], Err("announces 5 bytes, and ")),
                (&["Transfer-Encoding: identity"], none),
            ],
        );
    }
    played(Nothing, &[(&["Transfer-Encoding: chunked"], Err("the request has none"))]);
}

#[test]
fn what_is_said_of_a_reader_that_does_not_know_it_is_its_length() {
    for (line, length) in
        [("Content-Length: 5", Some(5)), ("Transfer-Encoding: chunked", None), ("A: b", None)]
    {
        assert_eq!(sent(&[line], Reader).unwrap().1, length, "{line}");
    }
}

#[test]
fn errors_show_what_was_said_cut_and_never_a_secret() {
    let long = format!("Host: {}/", "a".repeat(1000));
    let error = sent(&[&long], Nothing).unwrap_err();
    assert!(error.contains("aaa...\")") && error.len() < 250, "{error}");
    let mut headers = Headers::new();
    headers.add("Host", "s3cret/").unwrap();
    headers.hide("host");
    let error = check(&headers, None).unwrap_err().to_string();
    assert!(error.starts_with("the header Host is no host"), "{error}");
}

#[test]
fn only_headers_of_the_table_are_looked_at() {
    for (name, is_one) in [("te", true), ("HOST", true), ("Accept", false), ("X-TE", false)] {
        let mut headers = Headers::new();
        headers.add("Accept", "*/*").unwrap();
        headers.add(name, "a").unwrap();
        assert_eq!(concern(&headers), is_one, "{name}");
    }
}
