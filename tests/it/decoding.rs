//! Bodies that arrive compressed.

use std::io::Write;

use flate2::{Compression, write};
use urlsession::testing::{Answer, Server};
use urlsession::{Clock, Configuration, Error, ErrorKind, Request, Session, Stage};

/// "hello, " a thousand times, by the reference encoders; no crate here can encode them.
const BROTLI: &[u8] =
    b"\x1b\x57\x1b\xf8\x8d\x94\x6e\xde\x44\x09\x52\x86\x96\x6c\x2c\x6f\x71\x5b\x24\x70\x61\
      \x02\xe0\x38";
const ZSTD: &[u8] =
    b"\x28\xb5\x2f\xfd\x64\x58\x1a\x7d\x00\x00\x38\x68\x65\x6c\x6c\x6f\x2c\x20\x01\x00\x4e\
      \xab\xbe\x18\x01\x56\x41\xc3\xc3";

/// A gzip member with one stored block, by hand (RFC 1952 §2.3, RFC 1951 §3.2.4): "stored",
/// with its CRC-32 and its length.
const STORED: &[u8] =
    b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff\x01\x06\x00\xf9\xffstored\x0b\xf9\x43\x56\
      \x06\x00\x00\x00";

fn text() -> String {
    "hello, ".repeat(1000)
}

fn gzip(body: impl AsRef<[u8]>) -> Vec<u8> {
    let mut encoder = write::GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body.as_ref()).unwrap();
    encoder.finish().unwrap()
}

fn zlib(body: impl AsRef<[u8]>) -> Vec<u8> {
    let mut encoder = write::ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body.as_ref()).unwrap();
    encoder.finish().unwrap()
}

fn bare_deflate(body: impl AsRef<[u8]>) -> Vec<u8> {
    let mut encoder = write::DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body.as_ref()).unwrap();
    encoder.finish().unwrap()
}

/// `Content-Encoding`, the [`text`] in that coding, and whether this build decodes it.
fn encoded() -> Vec<(&'static str, Vec<u8>, bool)> {
    let (gz, br, zst) = (cfg!(feature = "gzip"), cfg!(feature = "brotli"), cfg!(feature = "zstd"));
    vec![
        ("gzip", gzip(text()), gz),
        ("GZip", gzip(text()), gz),
        ("x-gzip", gzip(text()), gz),
        ("gzip", [gzip(&text()[..3500]), gzip(&text()[3500..])].concat(), gz),
        ("deflate", zlib(text()), gz),
        ("deflate", bare_deflate(text()), gz),
        ("br", BROTLI.to_vec(), br),
        ("zstd", ZSTD.to_vec(), zst),
    ]
}

fn session() -> Session {
    Session::new(Configuration::ephemeral()).unwrap()
}

fn answer(coding: &str, body: impl AsRef<[u8]>) -> Answer {
    Answer::ok(body).header("Content-Encoding", coding)
}

fn assert_broken(error: &Error, url: &str, case: &str) {
    assert_eq!(error.kind(), ErrorKind::CannotDecodeRawData, "{case}: {error}");
    assert_eq!((error.code(), error.stage()), (-1015, Some(Stage::Receiving)), "{case}");
    assert_eq!(error.failing_url(), Some(url), "{case}");
}

#[test]
fn every_coding_of_the_build_is_decoded_and_others_come_as_they_are() {
    let server = Server::start();
    let session = session();
    for (coding, body, known) in encoded() {
        let expected = if known { text().into_bytes() } else { body.clone() };
        for (framing, answer) in [
            ("length", answer(coding, &body)),
            ("chunked", answer(coding, &body).chunked(7)),
            ("until close", answer(coding, &body).until_close()),
        ] {
            server.enqueue(answer);
            let data = session.data(server.url("/")).unwrap();
            assert!(data.body == expected, "{coding}, {framing}");
            assert_eq!(data.response.header("content-encoding"), Some(coding));
            // Of what is not changed, the length that the server says is right.
            let expected = (!known && framing == "length").then_some(body.len() as u64);
            let length = data.response.expected_content_length();
            assert_eq!(length, expected, "{coding}, {framing}");
        }
    }
    // The codings of one body may stand in several fields.
    if cfg!(feature = "gzip") {
        server.enqueue(answer("gzip", zlib(gzip(text()))).header("content-encoding", "deflate"));
        assert!(session.data(server.url("/")).unwrap().text() == text());
    }
}

#[test]
fn a_compressed_body_keeps_its_connection() {
    let server = Server::start();
    let session = session();
    for (coding, body, known) in encoded() {
        // What is behind the end of a stream is passed over, as in browsers.
        let followed = [&*body, b"garbage"].concat();
        let again = if coding == "zstd" { body.clone() } else { followed };
        for body in [body, again] {
            server.enqueue(answer(coding, &body));
            let data = session.data(server.url("/")).unwrap();
            assert!(!known || data.text() == text(), "{coding}");
        }
    }
    assert_eq!(server.connection_count(), 1);
}

#[test]
fn a_body_that_ends_early_is_an_error() {
    let server = Server::start();
    let url = server.url("/");
    for (coding, body, known) in encoded() {
        for cut in [1, 5, body.len() / 3, body.len() - 1] {
            let part = &body[..body.len() - cut];
            for (framing, answer) in [
                ("length", answer(coding, part)),
                ("chunked", answer(coding, part).chunked(10)),
                ("until close", answer(coding, part).until_close()),
            ] {
                server.enqueue(answer);
                let case = format!("{coding} without its last {cut} bytes, {framing}");
                match session().data(&url) {
                    Ok(data) => assert!(!known && data.body == part, "{case}"),
                    Err(error) => assert_broken(&error, &url, &case),
                }
            }
        }
    }
}

#[test]
fn a_connection_that_breaks_is_not_taken_for_a_broken_body() {
    let server = Server::start();
    server.enqueue(answer("gzip", gzip(text())).truncate_after(20));
    let error = session().data(server.url("/")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NetworkConnectionLost, "{error}");
}

#[test]
fn an_unknown_coding_is_delivered_as_it_is() {
    let server = Server::start();
    for coding in ["compress", "x-unknown", "gzip, x-unknown", "x-unknown, gzip", "gzip;q=1"] {
        server.enqueue(answer(coding, STORED));
        let data = session().data(server.url("/")).unwrap();
        assert_eq!(data.body, STORED, "{coding}");
        assert_eq!(data.response.header("Content-Encoding"), Some(coding));
    }
}

#[test]
fn an_empty_body_is_empty_in_every_coding() {
    let server = Server::start();
    let session = session();
    for (coding, ..) in encoded() {
        for answer in [answer(coding, ""), answer(coding, "").chunked(1)] {
            server.enqueue(answer);
            assert_eq!(session.data(server.url("/")).unwrap().body, b"", "{coding}");
        }
        server.enqueue(answer(coding, "not sent"));
        let data = session.data(Request::head(server.url("/"))).unwrap();
        assert_eq!(data.body, b"", "HEAD, {coding}");
    }
    assert_eq!(server.connection_count(), 1);
}

#[test]
fn a_session_that_does_not_decode_asks_for_no_coding() {
    let server = Server::start();
    let mut configuration = Configuration::ephemeral();
    configuration.decodes_bodies = false;
    let session = Session::new(configuration).unwrap();
    for (coding, body, _) in encoded() {
        server.enqueue(answer(coding, &body));
        let data = session.data(server.url("/")).unwrap();
        assert!(data.body == body, "{coding}");
        assert_eq!(server.take_request().header_all("accept-encoding"), ["identity"]);
    }
    server.enqueue(answer("a, b, c, d, e, f", STORED));
    assert_eq!(session.data(server.url("/")).unwrap().body, STORED);
}

#[test]
fn what_the_caller_accepts_is_sent_and_what_was_asked_for_is_decoded() {
    let server = Server::start();
    for (accepted, asks) in [
        ("gzip", true),
        ("br;q=1.0, *;q=0.5", true),
        ("identity", false),
        ("identity, *;q=0", false),
        ("", false),
    ] {
        server.enqueue(answer("gzip", STORED));
        let request = Request::get(server.url("/")).header("accept-encoding", accepted);
        let data = session().data(request).unwrap();
        let is_decoded = asks && cfg!(feature = "gzip");
        let expected = if is_decoded { &b"stored"[..] } else { STORED };
        assert_eq!(data.body, expected, "{accepted}");
        assert_eq!(server.take_request().header_all("Accept-Encoding"), [accepted]);
    }
}

#[test]
fn the_body_of_a_redirect_is_not_decoded() {
    let bomb = gzip(vec![0; 8 << 20]);
    assert!(bomb.len() < 64 * 1024);
    for (case, coding, body) in [
        ("broken", "gzip", b"this is no gzip".to_vec()),
        ("cut short", "gzip", STORED[..STORED.len() - 4].to_vec()),
        ("six layers", "gzip, gzip, gzip, gzip, gzip, gzip", STORED.to_vec()),
        ("a bomb", "gzip", bomb),
    ] {
        let server = Server::start();
        server.enqueue(Answer::redirect(302, "/new").header("Content-Encoding", coding).body(body));
        server.enqueue(Answer::ok("here"));
        // No time passes, so none of it comes too late to be read.
        let mut configuration = Configuration::ephemeral();
        configuration.clock = Clock::by_hand();
        let session = Session::new(configuration).unwrap();
        assert_eq!(session.data(server.url("/old")).unwrap().text(), "here", "{case}");
        assert_eq!(server.connection_count(), 1, "{case}: all of it was read");
    }
}

#[cfg(feature = "gzip")]
mod gzip {
    use std::io::{self, Read};

    use super::*;

    #[test]
    fn a_corrupt_body_is_an_error() {
        let server = Server::start();
        let url = server.url("/");
        let whole = gzip(text());
        let changed = |at: usize| {
            let mut body = whole.clone();
            body[at] ^= 0x55;
            body
        };
        let end = whole.len();
        for (case, coding, body) in [
            ("no gzip at all", "gzip", b"<html>this is not compressed</html>".to_vec()),
            ("no zlib and no deflate", "deflate", b"\xff<html>".to_vec()),
            ("the magic number", "gzip", changed(0)),
            ("the method", "gzip", changed(2)),
            ("the middle", "gzip", changed(end / 2)),
            ("the checksum", "gzip", changed(end - 8)),
            ("the length", "gzip", changed(end - 4)),
        ] {
            server.enqueue(answer(coding, &body));
            let error = session().data(&url).unwrap_err();
            assert_broken(&error, &url, case);
            // A reader gets the same error, and gets it again.
            server.enqueue(answer(coding, &body));
            let mut bytes = session().bytes(&url).unwrap();
            for _ in 0..2 {
                let error = io::copy(&mut bytes, &mut io::sink()).unwrap_err();
                assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{case}");
                assert_broken(Error::from_io(&error).unwrap(), &url, case);
            }
        }
    }

    #[test]
    fn up_to_five_layers_are_decoded() {
        let server = Server::start();
        let url = server.url("/");
        let session = session();
        let mut body = text().into_bytes();
        let mut names = Vec::new();
        for layers in 1..=6 {
            let deflated = layers % 2 == 0;
            body = if deflated { zlib(body) } else { gzip(body) };
            names.push(if deflated { "deflate" } else { "gzip" });
            server.enqueue(answer(&names.join(", "), &body));
            match session.data(&url) {
                Ok(data) => assert!(layers <= 5 && data.text() == text(), "{layers} layers"),
                Err(error) => {
                    assert!(layers > 5, "{layers} layers: {error}");
                    assert_eq!(error.kind(), ErrorKind::CannotDecodeContentData);
                    assert_eq!(error.code(), -1016);
                    assert_eq!(error.failing_url(), Some(&*url));
                }
            }
        }
        // What does nothing is no layer.
        server.enqueue(answer("identity, , identity, identity, identity, identity, gzip", STORED));
        assert_eq!(session.data(&url).unwrap().text(), "stored");
    }

    #[test]
    fn decoded_bytes_are_there_before_the_rest_is_sent() {
        let mut encoder = write::GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(b"first\n").unwrap();
        encoder.flush().unwrap();
        let first = encoder.get_ref().len() as u64;
        encoder.write_all(b"second\n").unwrap();
        let body = encoder.finish().unwrap();
        let server = Server::start();
        for answer in [answer("gzip", &body), answer("gzip", &body).chunked(3)] {
            server.enqueue(answer.stall_in_body_after(first));
            let mut lines = session().bytes(server.url("/")).unwrap().lines();
            assert_eq!(lines.next().unwrap().unwrap(), "first");
            server.wait_until(|stats| stats.stalled == 1);
            server.release();
            assert_eq!(lines.next().unwrap().unwrap(), "second");
            assert!(lines.next().is_none());
        }
    }

    #[test]
    fn a_compressed_body_can_be_read_byte_by_byte() {
        let server = Server::start();
        server.enqueue(answer("gzip", gzip(text())));
        let mut bytes = session().bytes(server.url("/")).unwrap();
        let (mut byte, mut read) = ([0], Vec::new());
        while bytes.read(&mut byte).unwrap() == 1 {
            read.push(byte[0]);
        }
        assert!(read == text().as_bytes());
    }

    #[test]
    fn the_limit_of_a_body_in_memory_counts_decoded_bytes() {
        let server = Server::start();
        let mut configuration = Configuration::ephemeral();
        configuration.maximum_body_in_memory = 7000;
        let session = Session::new(configuration).unwrap();
        let url = server.url("/");
        // Compressed, all of these are far below the limit.
        for (size, fits) in [(6999, true), (7000, true), (7001, false), (1_000_000, false)] {
            server.enqueue(answer("gzip", gzip(vec![b'x'; size])));
            match session.data(&url) {
                Ok(data) => assert!(fits && data.body.len() == size, "{size}"),
                Err(error) => {
                    assert!(!fits, "{size}: {error}");
                    assert_eq!(error.kind(), ErrorKind::DataLengthExceedsMaximum);
                    assert!(error.to_string().contains("maximum_body_in_memory"), "{error}");
                }
            }
        }
        // Announced, this one is above it; decoded it is not.
        let mut state = 1_u32;
        let noise = std::iter::repeat_with(|| {
            // Xorshift: nothing that a compressor could shorten.
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state as u8
        });
        let noise: Vec<_> = noise.take(7000).collect();
        let stored = gzip(&noise);
        assert!(stored.len() > 7000, "{}", stored.len());
        server.enqueue(answer("gzip", stored));
        assert!(session.data(&url).unwrap().body == noise);
    }
}
