//! The coding `zstd` (RFC 8878), with the window that RFC 9659 allows.

use zstd::stream::raw::{DParameter, Decoder, InBuffer, Operation, OutBuffer};

use super::{Codec, Progress, broken, broken_by};
use crate::error::Error;

/// RFC 9659 §3: a window of at most 8 MiB, as the exponent of two.
const LARGEST_WINDOW: u32 = 23;

/// Decodes one frame after the other.
pub(super) struct Zstd {
    /// None if the library had no memory for it.
    machine: Option<Decoder<'static>>,
    part: Part,
}

#[derive(Clone, Copy, PartialEq)]
enum Part {
    /// Nothing was read.
    Fresh,
    /// In a frame, which has given something or is the first.
    Frame,
    /// Behind a whole frame, with so many bytes of what may be another one.
    Behind(usize),
    /// What follows the last frame.
    Ignored,
}

impl Zstd {
    pub(super) fn new() -> Self {
        let machine = Decoder::new().and_then(|mut machine| {
            machine.set_parameter(DParameter::WindowLogMax(LARGEST_WINDOW))?;
            Ok(machine)
        });
        Self { machine: machine.ok(), part: Part::Fresh }
    }
}

impl Codec for Zstd {
    fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<Progress, Error> {
        if self.part == Part::Ignored {
            return Ok(Progress { consumed: input.len(), produced: 0 });
        }
        if input.is_empty() && self.part != Part::Frame {
            return Ok(Progress::default());
        }
        let Some(machine) = &mut self.machine else {
            return Err(broken("the zstd decoder has no memory"));
        };
        let (mut from, mut to) = (InBuffer::around(input), OutBuffer::around(output));
        let left = machine.run(&mut from, &mut to);
        let progress = Progress { consumed: from.pos(), produced: to.pos() };
        let part = match (left, self.part) {
            // The library says how much it would like to read next; none at a frame's end.
            (Ok(0), _) => Part::Behind(0),
            (Ok(_), Part::Behind(seen)) if progress.produced == 0 => {
                Part::Behind(seen + progress.consumed)
            }
            (Ok(_), _) => Part::Frame,
            // What follows a whole frame and does not begin as another is ignored.
            (Err(_), Part::Behind(seen)) if seen < MAGIC => {
                self.part = Part::Ignored;
                return Ok(Progress { consumed: input.len(), produced: 0 });
            }
            (Err(error), _) => {
                let detail = "the zstd data is invalid or needs a window of more than 8 MiB";
                return Err(broken_by(detail, error));
            }
        };
        self.part = part;
        Ok(progress)
    }

    fn finish(&mut self) -> Result<(), Error> {
        match self.part {
            Part::Fresh | Part::Ignored => Ok(()),
            Part::Behind(seen) if seen < MAGIC => Ok(()),
            _ => Err(broken("it ends before its end is marked")),
        }
    }
}

/// RFC 8878 §3.1.1: how many bytes tell whether another frame follows.
const MAGIC: usize = 4;
