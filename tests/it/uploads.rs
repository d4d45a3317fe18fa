//! Bodies of requests: each kind arrives whole, and what is wrong with one is said.

use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::{env, fs, process};

use urlsession::testing::{Answer, Counters};
use urlsession::{Body, ErrorKind, Request, Stage};

use crate::support::running::{nothing_is_left, plain_and_tls, session};

/// A file that is removed when the test ends.
struct TemporaryFile(PathBuf);

impl TemporaryFile {
    fn with(content: &[u8]) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::SeqCst);
        let path = env::temp_dir().join(format!("urlsession-it-{}-{number}", process::id()));
        fs::write(&path, content).unwrap();
        Self(path)
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Gives at most so many bytes at a time.
struct Portions<R>(R, usize);

impl<R: Read> Read for Portions<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = self.1.min(buffer.len());
        self.0.read(&mut buffer[..most])
    }
}

/// Bytes that tell where they stand.
fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at % 251) as u8).collect()
}

#[test]
fn every_kind_of_body_arrives_whole_and_framed_by_its_length() {
    const LARGE: usize = 1_000_003;
    plain_and_tls(|over, server, session| {
        for length in [0, 1, 5, 16_384, 16_385, 65_536, 65_537, LARGE] {
            let bytes = pattern(length);
            let file = TemporaryFile::with(&bytes);
            let reader = || io::Cursor::new(pattern(length));
            let again = bytes.clone();
            for (name, body, is_sized) in [
                ("bytes", Body::from(bytes.clone()), true),
                ("file", Body::file(&file.0), true),
                ("reader", Body::reader(reader()), false),
                ("sized reader", Body::reader(reader()).with_length(length as u64), true),
                ("reader in portions", Body::reader(Portions(reader(), 9_001)), false),
                ("opened", Body::opened_by(move || Ok(io::Cursor::new(again.clone()))), false),
            ] {
                server.enqueue(Answer::ok("taken"));
                let data = session.data(Request::put(server.url("/")).body(body)).unwrap();
                let case = format!("{name}, {length} bytes, {over}");
                assert_eq!(data.text(), "taken", "{case}");
                let request = server.take_request();
                assert!(request.body() == bytes, "{case}: {} bytes came", request.body_length());
                assert!(request.is_complete(), "{case}");
                let announced = request.header("Content-Length").map(str::to_owned);
                assert_eq!(announced, is_sized.then(|| length.to_string()), "{case}");
                let chunked = request.header("Transfer-Encoding") == Some("chunked");
                assert_eq!(chunked, !is_sized, "{case}");
                // All of them over one connection.
                assert_eq!(request.connection(), 0, "{case}");
            }
        }
        nothing_is_left(session, &[&server]);
    });
}

#[test]
fn what_a_reader_gives_is_sent_as_it_comes() {
    plain_and_tls(|_, server, session| {
        server.enqueue(Answer::ok(""));
        let body = Body::reader(Portions(&b"0123456789"[..], 4));
        session.data(Request::post(server.url("/")).body(body)).unwrap();
        assert_eq!(server.take_request().chunk_sizes(), [4, 4, 2]);
        nothing_is_left(session, &[&server]);
    });
}

#[test]
fn a_body_of_another_length_than_announced_fails_the_load() {
    let file = TemporaryFile::with(b"hello");
    let short = || Body::reader(&b"hello"[..]);
    let long = || Body::opened_by(|| Ok(io::Cursor::new(pattern(200_000))));
    let of_file = || Body::file(&file.0);
    let bytes = || Body::from("hello");
    let cases: [(&str, &dyn Fn() -> Body, u64, &str); 8] = [
        ("shorter reader", &short, 6, "shorter"),
        ("longer reader", &short, 4, "longer"),
        ("much shorter", &long, 200_001, "shorter"),
        ("much longer", &long, 199_999, "longer"),
        ("shorter file", &of_file, 6, "shorter"),
        ("longer file", &of_file, 4, "longer"),
        ("shorter bytes", &bytes, 6, "shorter"),
        ("longer bytes", &bytes, 4, "longer"),
    ];
    for (name, body, announced, how) in cases {
        plain_and_tls(|over, server, session| {
            server.handle(|_| Answer::ok("taken"));
            let request = Request::put(server.url("/")).body(body().with_length(announced));
            let error = session.data(request).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{name}, {over}: {error}");
            assert_eq!(error.stage(), Some(Stage::Sending), "{name}, {over}");
            assert!(error.to_string().contains(how), "{name}, {over}: {error}");
            // The server must not take what came for a whole request.
            assert_eq!(Counters::of(&session).sockets(), 0, "{name}, {over}");
            server.wait_until(|stats| stats.open_connections == 0);
            assert_eq!(server.stats().requests, 0, "{name}, {over}");
            session.data(server.url("/")).unwrap();
            nothing_is_left(session, &[&server]);
        });
    }
}

/// Gives some bytes and then does something else.
struct Then(io::Repeat, usize, fn() -> io::Result<usize>);

impl Read for Then {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.1 == 0 {
            return (self.2)();
        }
        let most = self.1.min(buffer.len());
        self.1 -= most;
        self.0.read(&mut buffer[..most])
    }
}

#[test]
fn a_reader_that_fails_or_panics_fails_its_load_alone() {
    let fails: fn() -> io::Result<usize> = || Err(io::Error::other("the disk is gone"));
    let panics: fn() -> io::Result<usize> = || panic!("on purpose");
    for (then, kind) in
        [(fails, ErrorKind::ResourceUnavailable), (panics, ErrorKind::DelegatePanicked)]
    {
        for before in [0, 10, 500_000] {
            for announced in [None, Some(1 << 20)] {
                plain_and_tls(|over, server, session| {
                    server.handle(|_| Answer::ok("taken"));
                    let mut body = Body::reader(Then(io::repeat(b'x'), before, then));
                    if let Some(length) = announced {
                        body = body.with_length(length);
                    }
                    let request = Request::put(server.url("/")).body(body);
                    let error = session.data(request).unwrap_err();
                    let case = format!("{before}, {announced:?}, {over}");
                    assert_eq!(error.kind(), kind, "{case}: {error}");
                    assert_eq!(error.stage(), Some(Stage::Sending), "{case}");
                    assert_eq!(Counters::of(&session).sockets(), 0, "{case}");
                    server.wait_until(|stats| stats.open_connections == 0);
                    assert_eq!(server.stats().requests, 0, "{case}");
                    assert_eq!(session.data(server.url("/")).unwrap().body, b"taken", "{case}");
                    nothing_is_left(session, &[&server]);
                });
            }
        }
    }
}

#[test]
fn a_body_that_cannot_be_opened_sends_nothing() {
    let missing = env::temp_dir().join(format!("urlsession-it-{}-missing", process::id()));
    let fails = || Err::<io::Empty, _>(io::Error::other("no such thing"));
    let panics = || -> io::Result<io::Empty> { panic!("on purpose") };
    for (body, kind) in [
        (Body::file(missing), ErrorKind::FileDoesNotExist),
        (Body::opened_by(fails), ErrorKind::ResourceUnavailable),
        (Body::opened_by(panics), ErrorKind::DelegatePanicked),
    ] {
        let server = urlsession::testing::Server::start();
        server.handle(|_| Answer::ok("taken"));
        let session = session(|_| {});
        let error = session.data(Request::put(server.url("/")).body(body)).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert_eq!(server.request_count(), 0, "{error}");
        nothing_is_left(session, &[&server]);
    }
}

#[test]
fn a_reader_is_sent_once() {
    plain_and_tls(|_, server, session| {
        server.handle(|_| Answer::ok("taken"));
        let request = Request::put(server.url("/")).body(Body::reader(&b"once"[..]));
        session.data(&request).unwrap();
        let error = session.data(&request).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RequestBodyStreamExhausted, "{error}");
        assert_eq!(server.request_count(), 1);
        nothing_is_left(session, &[&server]);
    });
}

#[test]
fn a_server_that_leaves_during_an_upload_is_not_asked_again() {
    let large = || Body::opened_by(|| Ok(io::repeat(b'x'))).with_length(64 << 20);
    for (name, fault) in [
        ("closes", Answer::ok("").close_after_reading(100_000)),
        ("resets", Answer::ok("").reset_after_reading(100_000)),
    ] {
        plain_and_tls(|over, server, session| {
            server.enqueue(fault.clone());
            let request = Request::put(server.url("/")).body(large());
            let error = session.data(request).unwrap_err();
            let case = format!("{name}, {over}: {error}");
            assert_eq!(error.kind(), ErrorKind::NetworkConnectionLost, "{case}");
            assert_eq!(error.stage(), Some(Stage::Sending), "{case}");
            assert_eq!(server.request_count(), 1, "{case}");
            nothing_is_left(session, &[&server]);
        });
    }
}
