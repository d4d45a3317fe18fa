//! What always holds of bodies that are decoded.

use std::time::Duration;

use super::{Coding, Decoder};
use crate::clock::Clock;
use crate::error::Error;
use crate::wire::{Context, WireBody};

/// As much as is decoded of one input: it may be a bomb.
const MOST: usize = 16 * 1024;

/// Members of gzip give the same body in all pieces and by all buffers.
pub fn gzip(data: &[u8]) {
    let size = data.last().map_or(1, |last| usize::from(*last) + 1);
    let whole = decoded(data, data.len().max(1), 64 * 1024);
    let pieces = decoded(data, size, size + 16);
    match (whole, pieces) {
        (Ok(whole), Ok(pieces)) => assert!(whole == pieces, "the bodies differ"),
        // What is broken may be seen before, or only behind, what is looked at.
        (whole, Ok(pieces)) => assert!(whole.is_ok() || pieces.len() == MOST),
        (Ok(whole), _) => assert!(whole.len() == MOST),
        (Err(()), Err(())) => {}
    }
}

struct Pieces {
    data: Vec<u8>,
    used: usize,
    size: usize,
}

impl WireBody for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        let rest = &self.data[self.used..];
        let length = rest.len().min(self.size).min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        self.used += length;
        Ok(length)
    }

    fn remaining(&self) -> Option<u64> {
        None
    }

    fn discard(self: Box<Self>) {}
}

/// A load that nobody cancels and nothing ends.
fn context() -> Context {
    Context {
        cancel: None,
        clock: Clock::system(),
        idle: Duration::from_secs(3600),
        deadline: None,
        connect: None,
        dialogue: None,
    }
}

/// Returns the beginning of the body, or that it is broken there.
fn decoded(data: &[u8], size: usize, buffer: usize) -> Result<Vec<u8>, ()> {
    let body = Pieces { data: data.to_vec(), used: 0, size };
    let mut decoder = Decoder::new(Box::new(body), &[Coding::Gzip], &context());
    let (mut all, mut buffer) = (Vec::new(), vec![0; buffer]);
    while all.len() < MOST {
        match decoder.read(&mut buffer) {
            Ok(0) => return Ok(all),
            Ok(length) => all.extend_from_slice(&buffer[..length]),
            Err(_) => return Err(()),
        }
    }
    all.truncate(MOST);
    Ok(all)
}
