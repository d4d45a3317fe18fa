//! Bodies that are decoded for hours, to much or to nothing: a cancel, both timers and a
//! suspension end that at once.

#![cfg(feature = "gzip")]

use std::io::{self, Read, Write};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use flate2::{Compression, write::GzEncoder};
use urlsession::testing::{Answer, Server};
use urlsession::{CancelToken, Clock, ErrorKind, Request, Session, Task, TaskState};

use crate::support::running::{HANG, Running, nothing_is_left, reason, session, wait_for};

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

/// Five layers of gzip, a few thousand bytes, that decode to nothing: at the bottom are members
/// without content, and each layer above says 500 times what is below.
fn nothing() -> (&'static str, Vec<u8>) {
    let mut body = gzip(&gzip(b"").repeat(50_000));
    for _ in 0..3 {
        body = gzip(&body.repeat(500));
    }
    ("gzip, gzip, gzip, gzip, gzip", body)
}

/// Bodies that decode to nothing: of members, of blocks and of frames without content.
fn nothings() -> Vec<(&'static str, Vec<u8>)> {
    let layered = |inner: Vec<u8>| {
        let body = gzip(&gzip(&inner).repeat(200));
        gzip(&body.repeat(200))
    };
    // Stored blocks of no bytes, and blocks of the fixed code (RFC 1951 §3.2.3), none the last.
    let stored = b"\x00\x00\x00\xff\xff".repeat(200_000);
    let fixed = b"\x02\x08\x20\x80\x00".repeat(200_000);
    let mut all = vec![
        nothing(),
        ("deflate, gzip, gzip, gzip", layered(stored)),
        ("deflate, gzip, gzip, gzip", layered(fixed)),
    ];
    if cfg!(feature = "zstd") {
        // RFC 8878 §3.1: frames of one raw block of no bytes, and frames to be skipped.
        let empty = b"\x28\xb5\x2f\xfd\x20\x00\x01\x00\x00".repeat(100_000);
        let skipped = b"\x50\x2a\x4d\x18\x00\x00\x00\x00".repeat(100_000);
        all.push(("zstd, gzip, gzip, gzip", layered(empty)));
        all.push(("zstd, gzip, gzip, gzip", layered(skipped)));
    }
    all
}

/// Writes bits from the lowest up, as brotli does (RFC 7932 §1.5.1).
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    used: usize,
}

impl Bits {
    fn put(&mut self, value: u32, width: u32) {
        for bit in 0..width {
            if self.used.is_multiple_of(8) {
                self.bytes.push(0);
            }
            let at = self.bytes.len() - 1;
            self.bytes[at] |= u8::from(value >> bit & 1 == 1) << (self.used % 8);
            self.used += 1;
        }
    }

    fn put_all(&mut self, fields: &[(u32, u32)]) {
        fields.iter().for_each(|(value, width)| self.put(*value, *width));
    }
}

/// 12.9 kB of brotli that decode to 16 GiB of zeros: 1024 times one command that copies 16 MiB
/// (RFC 7932 §9).
fn zeros_in_brotli() -> Vec<u8> {
    let mut bits = Bits::default();
    // A window of 64 KiB; four zeros that are not compressed, from where the next byte begins.
    bits.put_all(&[(0, 1), (0, 1), (0, 2), (3, 16), (1, 1)]);
    bits.put_all(&[(0, 3), (0, 32)]);
    for _ in 0..1024 {
        // Not the last; its length in six nibbles; compressed.
        bits.put_all(&[(0, 1), (2, 2), ((1 << 24) - 1, 24), (0, 1)]);
        // One type of blocks each; no postfix, no direct distances, one context, one tree each.
        bits.put_all(&[(0, 3), (0, 2), (0, 4), (0, 2), (0, 2)]);
        // Codes of one symbol: the literal 0; insert none and copy many; the last distance.
        bits.put_all(&[(1, 2), (0, 2), (0, 8), (1, 2), (0, 2), (391, 10), (1, 2), (0, 2), (0, 6)]);
        bits.put((1 << 24) - 2118, 24);
    }
    // The last is empty.
    bits.put_all(&[(1, 1), (1, 1)]);
    bits.bytes
}

/// Half a MiB of zstd that decodes to 16 GiB of zeros, in blocks of one byte that is repeated
/// (RFC 8878 §3.1.1.2).
fn zeros_in_zstd() -> Vec<u8> {
    let frame = b"\x28\xb5\x2f\xfd\x00\x38".to_vec();
    [frame, b"\x02\x00\x10\x00".repeat(128 * 1024)].concat()
}

/// 16 GiB of zeros in each coding of the build.
fn zeros() -> Vec<(&'static str, Vec<u8>)> {
    let twice = gzip(&gzip(&vec![0; 1 << 24]).repeat(1024));
    let mut all = vec![("gzip, gzip", twice)];
    if cfg!(feature = "brotli") {
        all.push(("br", zeros_in_brotli()));
    }
    if cfg!(feature = "zstd") {
        all.push(("zstd", zeros_in_zstd()));
    }
    all
}

fn all() -> Vec<(&'static str, Vec<u8>)> {
    [nothings(), zeros()].concat()
}

fn serving(coding: &str, body: &[u8]) -> Server {
    let (coding, body) = (coding.to_owned(), body.to_vec());
    let server = Server::start();
    server.handle(move |request| match request.path() {
        "/quick" => Answer::ok("quick"),
        _ => Answer::ok(&body).header("Content-Encoding", &coding),
    });
    server
}

/// How a body is decoded: for a task that nobody listens to, for a file, for a reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Task,
    Download,
    Bytes,
}

/// Begins to decode a body; what runs ends with why that ended.
fn decode(way: Way, session: &Session, request: Request) -> Running<Option<ErrorKind>> {
    let session = session.clone();
    let (begins, has_begun) = channel();
    let running = Running::start(move || {
        if way == Way::Bytes {
            let mut bytes = session.bytes(request).unwrap();
            begins.send(()).unwrap();
            let end = io::copy(&mut bytes, &mut io::sink());
            return end.err().map(|error| reason(&error).kind());
        }
        let task: Task = match way {
            Way::Download => Task::clone(&session.download_task(request.decodes_body(true))),
            _ => Task::clone(&session.data_task(request)),
        };
        task.resume();
        wait_for("a response", || task.response().is_some());
        begins.send(()).unwrap();
        wait_for("an end", || task.state() == TaskState::Completed);
        task.error().map(|error| error.kind())
    });
    has_begun.recv_timeout(HANG).unwrap();
    running
}

/// Decodes every body in every way, and ends that so.
fn ended(expected: ErrorKind, end: impl Fn(&CancelToken, &Clock)) {
    for (coding, body) in all() {
        for way in [Way::Task, Way::Download, Way::Bytes] {
            let case = format!("{} bytes of {coding}, {way:?}", body.len());
            let (server, clock, token) =
                (serving(coding, &body), Clock::by_hand(), CancelToken::new());
            let session = session(|configuration| {
                configuration.clock = clock.clone();
                configuration.timeout_for_resource = Duration::from_secs(100);
            });
            let request = Request::get(server.url("/")).cancel_token(&token);
            let running = decode(way, &session, request);
            let ended = Instant::now();
            end(&token, &clock);
            let (outcome, at) = running.outcome_and_time();
            assert_eq!(outcome, Some(expected), "{case}");
            println!("{case}: {:?}", at.saturating_duration_since(ended));
            nothing_is_left(session, &[&server]);
        }
    }
}

#[test]
fn a_cancel_ends_what_decodes_for_hours() {
    ended(ErrorKind::Cancelled, |token, _| token.cancel());
}

#[test]
fn the_timer_of_the_whole_load_ends_what_decodes_for_hours() {
    ended(ErrorKind::TimedOut, |_, clock| clock.advance(Duration::from_secs(101)));
}

#[test]
fn the_timer_for_a_byte_ends_what_decodes_to_nothing() {
    for (coding, body) in nothings() {
        let (server, clock, way) = (serving(coding, &body), Clock::by_hand(), Way::Task);
        let session = session(|configuration| configuration.clock = clock.clone());
        let request = Request::get(server.url("/")).timeout_for_request(Duration::from_secs(10));
        let running = decode(way, &session, request);
        // Whatever has begun to be waited for, it is too long.
        while running.is_running_after(Duration::from_millis(10)) {
            clock.advance(Duration::from_secs(11));
        }
        assert_eq!(running.outcome(), Some(ErrorKind::TimedOut), "{way:?}");
        nothing_is_left(session, &[&server]);
    }
}

#[test]
fn a_suspension_stops_what_decodes_to_nothing_and_gives_its_place_to_others() {
    let (coding, body) = nothing();
    let server = serving(coding, &body);
    let session = session(|configuration| configuration.maximum_connections_per_host = Some(1));
    let task = session.data_task(server.url("/"));
    task.resume();
    wait_for("a response", || task.response().is_some());
    let (sender, outcomes) = channel();
    session.data_task_to(server.url("/quick"), &sender).resume();
    task.suspend();
    assert_eq!(outcomes.recv_timeout(HANG).unwrap().outcome.unwrap().text(), "quick");
    // It can go on, and be ended.
    task.resume();
    task.cancel();
    assert!(session.wait_until_idle(HANG));
    assert_eq!(task.error().unwrap().kind(), ErrorKind::Cancelled);
}

#[test]
fn what_is_decoded_for_somebody_who_takes_it_is_no_silence() {
    let twice = gzip(&gzip(&vec![0; 1 << 20]));
    let (server, clock) = (serving("gzip, gzip", &twice), Clock::by_hand());
    let session = session(|configuration| configuration.clock = clock.clone());
    let request = Request::get(server.url("/")).timeout_for_request(Duration::from_secs(10));
    let mut bytes = session.bytes(request).unwrap();
    let (mut buffer, mut read) = (vec![0; 16 * 1024], 0);
    loop {
        match bytes.read(&mut buffer).unwrap() {
            0 => break,
            count => read += count,
        }
        clock.advance(Duration::from_secs(9));
    }
    assert_eq!(read, 1 << 20);
}
