//! Bodies that decode to far more than they are, and the memory they cost. A program of its
//! own with one test: what the process needs at most is measured.

#![cfg(all(target_os = "linux", feature = "gzip"))]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::io::{Read, Write};

use flate2::{Compression, write::GzEncoder};
use urlsession::testing::{Answer, Server};
use urlsession::{Configuration, ErrorKind, Session};

const MIB: u64 = 1024 * 1024;

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

/// The most memory that the process has had, in bytes.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    let kibibytes: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kibibytes * 1024
}

#[test]
fn a_bomb_costs_no_more_memory_than_the_limit_says() {
    let server = Server::start();
    // A member of 1 MiB of zeros, over and over without end: a thousandth of what it decodes
    // to. Twice encoded it is a millionth.
    let member = gzip(&vec![0; MIB as usize]);
    let twice = gzip(&member.repeat(64));
    println!("1 MiB is {} bytes; 64 MiB twice encoded are {} bytes", member.len(), twice.len());
    let once = || Answer::ok("").header("Content-Encoding", "gzip").endless_body(&member);
    let nested = || Answer::ok("").header("Content-Encoding", "gzip, gzip").endless_body(&twice);
    let mut configuration = Configuration::ephemeral();
    configuration.maximum_body_in_memory = 16 * MIB;
    let session = Session::new(configuration).unwrap();
    let before = peak();
    server.enqueue(nested().chunked(100));
    let mut bytes = session.bytes(server.url("/")).unwrap();
    let (mut buffer, mut read) = (vec![0; 16 * 1024], 0);
    while read < 128 * MIB {
        read += bytes.read(&mut buffer).unwrap() as u64;
    }
    drop(bytes);
    let held = peak() - before;
    println!("a stream of {} MiB: {} KiB more at the peak", read / MIB, held / 1024);
    assert!(held < 8 * MIB, "{held}");

    let before = peak();
    for (case, answer) in [
        ("until close", once()),
        ("chunked", once().chunked(5000)),
        ("twice, until close", nested()),
        ("twice, chunked", nested().chunked(100)),
    ] {
        server.enqueue(answer);
        let error = session.data(server.url("/")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::DataLengthExceedsMaximum, "{case}: {error}");
        assert!(error.to_string().contains("maximum_body_in_memory"), "{case}: {error}");
        server.wait_until(|stats| stats.open_connections == 0);
    }
    let held = peak() - before;
    println!("bodies of at most 16 MiB: {} KiB more at the peak", held / 1024);
    // A body that grows is moved, so old and new are there for a moment.
    assert!(held < 48 * MIB, "{held}");
}
