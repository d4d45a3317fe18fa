//! The coding `gzip` (RFC 1952).

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
    state: State,
    /// What the header of this member has; parts that were read are cleared.
    flags: u8,
    inflate: Inflate,
    checksum: Crc,
    /// Whether a member was read to its end.
    whole: bool,
}

#[derive(Clone, Copy)]
enum State {
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
            state: State::Magic(0),
            flags: 0,
            inflate: Inflate::new(false),
            checksum: Crc::new(),
            whole: false,
        }
    }

    /// Takes one byte of a header or a trailer and returns the state after it.
    fn after(&mut self, byte: u8) -> Result<State, Error> {
        Ok(match self.state {
            State::Magic(2) if byte == MAGIC[2] => State::Flags,
            State::Magic(seen) if byte == MAGIC[seen] => State::Magic(seen + 1),
            State::Magic(_) if self.whole => State::Ignored,
            State::Magic(_) => return Err(broken("it does not begin as gzip")),
            State::Flags if byte & RESERVED != 0 => {
                return Err(broken("its gzip header has flags that are not defined"));
            }
            State::Flags => {
                self.flags = byte;
                // Four bytes of time, one of hints, one for the system.
                State::Skip(6)
            }
            State::ExtraLength(None) => State::ExtraLength(Some(byte)),
            State::ExtraLength(Some(low)) => match u16::from_le_bytes([low, byte]) {
                0 => self.next_part(),
                length => State::Skip(length),
            },
            State::Skip(left) if left > 1 => State::Skip(left - 1),
            State::Text if byte != 0 => State::Text,
            State::Skip(_) | State::Text => self.next_part(),
            State::Trailer(mut trailer, seen) => {
                trailer[seen] = byte;
                if seen < 7 {
                    return Ok(State::Trailer(trailer, seen + 1));
                }
                self.check(trailer)?;
                State::Magic(0)
            }
            State::Body | State::Ignored => self.state,
        })
    }

    /// Goes on to the next part that this member's header has, or to its body.
    fn next_part(&mut self) -> State {
        for (flag, part) in [
            (EXTRA, State::ExtraLength(None)),
            (NAME, State::Text),
            (COMMENT, State::Text),
            (HEADER_CHECKSUM, State::Skip(2)),
        ] {
            if self.flags & flag != 0 {
                self.flags &= !flag;
                return part;
            }
        }
        self.inflate.restart();
        self.checksum = Crc::new();
        State::Body
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
            match self.state {
                State::Ignored => return Ok(Progress { consumed: input.len(), produced: 0 }),
                State::Body => {
                    let progress = self.inflate.decode(&input[consumed..], output)?;
                    consumed += progress.consumed;
                    self.checksum.update(&output[..progress.produced]);
                    if self.inflate.ended {
                        self.state = State::Trailer([0; 8], 0);
                    }
                    if progress.produced > 0 || !self.inflate.ended {
                        return Ok(Progress { consumed, ..progress });
                    }
                }
                _ if consumed == input.len() => return Ok(Progress { consumed, produced: 0 }),
                _ => {
                    self.state = self.after(input[consumed])?;
                    consumed += 1;
                }
            }
        }
    }

    fn finish(&mut self) -> Result<(), Error> {
        match self.state {
            State::Magic(0) | State::Ignored => Ok(()),
            // Some bytes that happened to look like the beginning of another member.
            State::Magic(_) if self.whole => Ok(()),
            _ => Err(broken("it ends before its end is marked")),
        }
    }
}
