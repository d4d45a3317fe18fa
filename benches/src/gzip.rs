//! Decodes gzip by `src/load/decode/gzip.rs`, or by flate2's reader, to count what each costs.
//!
//!     cargo build --release --bin gzip
//!     valgrind --tool=callgrind --callgrind-out-file=/dev/null \
//!         target/release/gzip ours|flate2 ROUNDS one|many
//!
//! `one` is a member of 4 MiB, `many` are members of 1 KiB each, as many as make 4 MiB.
//! The difference of three rounds and one is what two cost.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;

/// What the room under test uses of the crate.
mod error {
    #[derive(Debug)]
    pub(crate) struct Error;
}

#[allow(dead_code)]
#[path = "../../src/load/decode/deflate.rs"]
mod deflate;
#[path = "../../src/load/decode/gzip.rs"]
mod gzip;

trait Codec {
    fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<Progress, error::Error>;
    fn finish(&mut self) -> Result<(), error::Error>;
}

#[derive(Clone, Copy, Debug, Default)]
struct Progress {
    consumed: usize,
    produced: usize,
}

fn broken(_detail: &str) -> error::Error {
    error::Error
}

fn broken_by(_detail: &str, _error: impl std::error::Error) -> error::Error {
    error::Error
}

const LENGTH: usize = 4 << 20;
const BUFFER: usize = 16 * 1024;

/// Text-like bytes, the same each time.
fn content() -> Vec<u8> {
    let words = [&b"tea "[..], b"biscuits ", b"and ", b"a shop ", b"of the ", b"price: ", b"\n"];
    let (mut text, mut number) = (Vec::with_capacity(LENGTH), 9_u32);
    while text.len() < LENGTH {
        number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        text.extend(words[(number >> 24) as usize % words.len()]);
        text.extend((number >> 20).to_string().bytes());
    }
    text.truncate(LENGTH);
    text
}

fn compressed(content: &[u8], member: usize) -> Vec<u8> {
    let mut all = Vec::new();
    for piece in content.chunks(member) {
        let mut encoder = GzEncoder::new(&mut all, Compression::default());
        encoder.write_all(piece).expect("memory takes all");
        encoder.finish().expect("memory takes all");
    }
    all
}

fn ours(compressed: &[u8], buffer: &mut [u8]) -> usize {
    let (mut codec, mut length) = (gzip::Gzip::new(), 0);
    for mut input in compressed.chunks(BUFFER) {
        while !input.is_empty() {
            let step = codec.decode(input, buffer).expect("it is gzip");
            input = &input[step.consumed..];
            length += step.produced;
        }
    }
    // What it still holds.
    loop {
        match codec.decode(&[], buffer).expect("it is gzip").produced {
            0 => break,
            produced => length += produced,
        }
    }
    codec.finish().expect("it is whole");
    length
}

fn flate2s(compressed: &[u8], buffer: &mut [u8]) -> usize {
    let (mut reader, mut length) = (MultiGzDecoder::new(compressed), 0);
    loop {
        match reader.read(buffer).expect("it is gzip") {
            0 => return length,
            produced => length += produced,
        }
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [who, rounds, members] = &arguments[..] else { panic!("see the top of this file") };
    let member = if members == "one" { LENGTH } else { 1024 };
    let compressed = compressed(&content(), member);
    let decode = if who == "ours" { ours } else { flate2s };
    let mut buffer = vec![0; BUFFER];
    for _ in 0..rounds.parse().expect("a number") {
        assert_eq!(decode(&compressed, &mut buffer), LENGTH);
    }
    println!("{} bytes compressed", compressed.len());
}
