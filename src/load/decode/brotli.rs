//! The coding `br` (RFC 7932).

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};

use super::{Codec, Progress, broken};
use crate::error::Error;
use crate::foreign::caught;

pub(super) struct Brotli {
    machine: Box<BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>>,
    part: Part,
}

#[derive(Clone, Copy, PartialEq)]
enum Part {
    /// Nothing was read.
    Fresh,
    Body,
    /// The end was read; what follows is ignored.
    Ended,
}

impl Brotli {
    pub(super) fn new() -> Self {
        let alloc = StandardAlloc::default;
        // Strict: windows larger than the 16 MiB of RFC 7932 §9.1 are an extension.
        let machine = Box::new(BrotliState::new_strict(alloc(), alloc(), alloc()));
        Self { machine, part: Part::Fresh }
    }
}

impl Codec for Brotli {
    fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<Progress, Error> {
        match self.part {
            Part::Ended => return Ok(Progress { consumed: input.len(), produced: 0 }),
            Part::Fresh if input.is_empty() => return Ok(Progress::default()),
            _ => self.part = Part::Body,
        }
        let (mut unread, mut consumed) = (input.len(), 0);
        let (mut room, mut produced, mut total) = (output.len(), 0, 0);
        // The machine indexes by what the stream says; a mistake in it must not end the
        // thread.
        let result = caught("the brotli decoder", || {
            BrotliDecompressStream(
                &mut unread,
                &mut consumed,
                input,
                &mut room,
                &mut produced,
                output,
                &mut total,
                &mut self.machine,
            )
        });
        match result {
            Ok(BrotliResult::ResultSuccess) => self.part = Part::Ended,
            Ok(BrotliResult::NeedsMoreInput | BrotliResult::NeedsMoreOutput) => {}
            Ok(BrotliResult::ResultFailure) => return Err(broken("the brotli data is invalid")),
            Err(_) => return Err(broken("the brotli decoder panicked")),
        }
        Ok(Progress { consumed, produced })
    }

    fn finish(&mut self) -> Result<(), Error> {
        if self.part == Part::Body {
            return Err(broken("it ends before its end is marked"));
        }
        Ok(())
    }
}
