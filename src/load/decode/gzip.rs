//! The coding `gzip` (RFC 1952).
//!
//! flate2 inflates; the frame is read here. `MultiGzDecoder` would read it for the same price
//! (benches/src/gzip.rs, instructions per MiB of text: one member 22.7 million here and 23.1 there,
//! members of 1 KiB 85.6 and 86.2), but it pulls from a reader, so that cancel and timers could not
//! be looked at between members that decode to nothing, it fails where something follows the last
//! member, which Chromium passes over, and it keeps the names and comments of headers.

use flate2::Crc;

use super::deflate::Inflate;
use super::{Codec, Progress, broken};
use crate::error::Error;

/// RFC 1952 §2.3.1: what every member begins with, the compression method included.
const MAGIC: [u8; 3] = [0x1f, 0x8b, 8];

/// RFC 1952 §2.3.1: bits of the flags.
const HEADER_CHECKSUM: u8 = 1 << 1;
const EXTRA: u8 = 1 << 2;
const NAME: u8 = 1 << 3;
const COMMENT: u8 = 1 << 4;
const RESERVED: u8 = 0b1110_0000;

/// Decodes one member after the other (RFC 1952 §2.2), keeping nothing of their headers.
pub(super) struct Gzip {
    part: Part,
    /// What the header of this member has; parts that were read are cleared.
    flags: u8,
    inflate: Inflate,
    checksum: Crc,
    /// Whether a member was read to its end.
    whole: bool,
}

#[derive(Clone, Copy)]
enum Part {
    /// Reading the magic bytes; so many have been seen.
    Magic(usize),
    Flags,
    /// Reading the length of the extra field.
    ExtraLength(Option<u8>),
    /// Passing over so many bytes of the header, at least one.
    Skip(u16),
    /// Passing over a text that ends with a zero byte.
    Text,
    Body,
    Trailer([u8; 8], usize),
    /// What follows the last member.
    Ignored,
}

impl Gzip {
    pub(super) fn new() -> Self {
        Self {
            part: Part::Magic(0),
            flags: 0,
            inflate: Inflate::new(false),
            checksum: Crc::new(),
            whole: false,
        }
    }

    /// Takes one byte of a header or a trailer and returns the part behind it.
    fn after(&mut self, byte: u8) -> Result<Part, Error> {
        Ok(match self.part {
            Part::Magic(2) if byte == MAGIC[2] => Part::Flags,
            Part::Magic(seen) if byte == MAGIC[seen] => Part::Magic(seen + 1),
            Part::Magic(_) if self.whole => Part::Ignored,
            Part::Magic(_) => return Err(broken("it does not begin as gzip")),
            Part::Flags if byte & RESERVED != 0 => {
                return Err(broken("its gzip header has flags that are not defined"));
            }
            Part::Flags => {
                self.flags = byte;
                // Four bytes of time, one of hints, one for the system.
                Part::Skip(6)
            }
            Part::ExtraLength(None) => Part::ExtraLength(Some(byte)),
            Part::ExtraLength(Some(low)) => match u16::from_le_bytes([low, byte]) {
                0 => self.next_part(),
                length => Part::Skip(length),
            },
            Part::Skip(left) if left > 1 => Part::Skip(left - 1),
            Part::Text if byte != 0 => Part::Text,
            Part::Skip(_) | Part::Text => self.next_part(),
            Part::Trailer(mut trailer, seen) => {
                trailer[seen] = byte;
                if seen < 7 {
                    return Ok(Part::Trailer(trailer, seen + 1));
                }
                self.check(trailer)?;
                Part::Magic(0)
            }
            Part::Body | Part::Ignored => self.part,
        })
    }

    /// Goes on to the next part that this member's header has, or to its body.
    fn next_part(&mut self) -> Part {
        for (flag, part) in [
            (EXTRA, Part::ExtraLength(None)),
            (NAME, Part::Text),
            (COMMENT, Part::Text),
            (HEADER_CHECKSUM, Part::Skip(2)),
        ] {
            if self.flags & flag != 0 {
                self.flags &= !flag;
                return part;
            }
        }
        self.inflate.restart();
        self.checksum = Crc::new();
        Part::Body
    }

    /// RFC 1952 §2.3.1: the checksum and the length of what was decoded.
    fn check(&mut self, trailer: [u8; 8]) -> Result<(), Error> {
        let [a, b, c, d, e, f, g, h] = trailer;
        if u32::from_le_bytes([a, b, c, d]) != self.checksum.sum() {
            return Err(broken("its checksum is wrong"));
        }
        if u32::from_le_bytes([e, f, g, h]) != self.checksum.amount() {
            return Err(broken("its length is wrong"));
        }
        self.whole = true;
        Ok(())
    }
}

impl Codec for Gzip {
    fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<Progress, Error> {
        let mut consumed = 0;
        loop {
            match self.part {
                Part::Ignored => return Ok(Progress { consumed: input.len(), produced: 0 }),
                Part::Body => {
                    let progress = self.inflate.decode(&input[consumed..], output)?;
                    consumed += progress.consumed;
                    self.checksum.update(&output[..progress.produced]);
                    if self.inflate.ended {
                        self.part = Part::Trailer([0; 8], 0);
                    }
                    if progress.produced > 0 || !self.inflate.ended {
                        return Ok(Progress { consumed, ..progress });
                    }
                }
                _ if consumed == input.len() => return Ok(Progress { consumed, produced: 0 }),
                _ => {
                    self.part = self.after(input[consumed])?;
                    consumed += 1;
                    // A member costs far more than its bytes: whoever asks looks between two.
                    if self.whole && matches!(self.part, Part::Magic(0)) {
                        return Ok(Progress { consumed, produced: 0 });
                    }
                }
            }
        }
    }

    fn finish(&mut self) -> Result<(), Error> {
        match self.part {
            Part::Magic(0) | Part::Ignored => Ok(()),
            // Some bytes that happened to look like the beginning of another member.
            Part::Magic(_) if self.whole => Ok(()),
            _ => Err(broken("it ends before its end is marked")),
        }
    }
}
