//! The coding `deflate` (RFC 9110 §8.4.1.2): RFC 1950, or RFC 1951 alone.

use flate2::{Decompress, FlushDecompress, Status};

use super::{Codec, Progress, broken, broken_by};
use crate::error::Error;

/// A stream of RFC 1951, with or without the wrapping of RFC 1950.
pub(super) struct Inflate {
    machine: Decompress,
    /// The end of the stream was read.
    pub(super) ended: bool,
}

impl Inflate {
    pub(super) fn new(zlib: bool) -> Self {
        Self { machine: Decompress::new(zlib), ended: false }
    }

    /// Makes it ready for another stream, without wrapping.
    pub(super) fn restart(&mut self) {
        self.machine.reset(false);
        self.ended = false;
    }

    pub(super) fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<Progress, Error> {
        let before = (self.machine.total_in(), self.machine.total_out());
        let status = self
            .machine
            .decompress(input, output, FlushDecompress::None)
            .map_err(|error| broken_by("the deflated data is invalid", error))?;
        self.ended = status == Status::StreamEnd;
        Ok(Progress {
            consumed: (self.machine.total_in() - before.0) as usize,
            produced: (self.machine.total_out() - before.1) as usize,
        })
    }
}

/// The coding is RFC 1950 by name, but some servers send RFC 1951 alone, so every browser
/// takes both.
pub(super) enum Deflate {
    /// Its first two bytes tell which; this one is the first.
    Undecided(Option<u8>),
    Decided(Inflate),
}

impl Deflate {
    pub(super) fn new() -> Self {
        Self::Undecided(None)
    }
}

impl Codec for Deflate {
    fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<Progress, Error> {
        match self {
            Self::Undecided(first @ None) => {
                *first = input.first().copied();
                Ok(Progress { consumed: first.map_or(0, |_| 1), produced: 0 })
            }
            Self::Undecided(Some(first)) => {
                let (Some(second), first) = (input.first(), *first) else {
                    return Ok(Progress::default());
                };
                let mut inflate = Inflate::new(is_zlib(first, *second));
                // No stream has any output for its first byte.
                inflate.decode(&[first], output)?;
                *self = Self::Decided(inflate);
                self.decode(input, output)
            }
            // What follows the end is ignored.
            Self::Decided(inflate) if inflate.ended => {
                Ok(Progress { consumed: input.len(), produced: 0 })
            }
            Self::Decided(inflate) => inflate.decode(input, output),
        }
    }

    fn finish(&mut self) -> Result<(), Error> {
        match self {
            Self::Undecided(None) => Ok(()),
            Self::Decided(inflate) if inflate.ended => Ok(()),
            _ => Err(broken("it ends before its end is marked")),
        }
    }
}

/// RFC 1950 §2.2: method 8, a window of at most 32 KiB, and a checksum over both bytes.
fn is_zlib(first: u8, second: u8) -> bool {
    first & 0x0f == 8 && first >> 4 <= 7 && u16::from_be_bytes([first, second]).is_multiple_of(31)
}
