//! Moving a body into its file.
//!
//! Each write costs the file system something beside its bytes, so these are gathered as long as
//! they keep coming. What is there goes to the file before anybody waits for more: a slow server's
//! bytes are in the file, and in the progress, as soon as they have come.
//!
//! Bytes that go to the file as they come on a socket are not even read, but [spliced](SplicePipe):
//! what has come is gathered in a pipe.

use crate::census::Census;
use crate::download::Output;
use crate::error::Error;
use crate::load::Decoder;
use crate::splice::SplicePipe;

/// How much a turn moves at most: what a pipe holds.
pub(super) const MOST: usize = 1024 * 1024;

/// How much is gathered at first, and at most: so much is still in the CPU's cache when it is
/// written. Larger writes save nothing, and where the system has to look for large pieces of
/// memory to hold them, they cost more.
const FIRST: usize = 64 * 1024;
const GATHERED: usize = 256 * 1024;

/// How many times more it is from one time to the next.
const GROWTH: usize = 4;

/// Less than this comes in a turn or two, for which no pipe is made.
const LEAST_SPLICED: u64 = 256 * 1024;

/// Moves a body into its file, turn by turn.
#[derive(Debug, Default)]
pub(super) struct Pump {
    /// As large as the most that was gathered.
    buffer: Vec<u8>,
    way: Way,
    /// How much was moved.
    total: u64,
}

/// How bytes go past memory.
#[derive(Debug, Default)]
enum Way {
    /// It is not open.
    #[default]
    Closed,
    Open(Box<SplicePipe>),
    /// There is none.
    None,
}

impl Pump {
    /// Moves what has come, or waits for it; returns how much that is, at most `most`, which is at
    /// least 1. None means that the body is whole.
    pub(super) fn turn(
        &mut self,
        body: &mut Decoder,
        sink: &mut dyn Output,
        most: usize,
        census: &Census,
    ) -> Result<usize, Error> {
        let moved = match self.splice(body, sink, most, census) {
            Ok(None) => self.write(body, sink, most),
            Ok(Some(count)) => Ok(count),
            Err(error) => Err(error),
        };
        match moved {
            Ok(count @ 1..) => self.total += count as u64,
            Ok(0) | Err(_) => self.pause(),
        }
        moved
    }

    /// Keeps no pipe from others that it has no use for now.
    pub(super) fn pause(&mut self) {
        if matches!(self.way, Way::Open(_)) {
            self.way = Way::Closed;
        }
    }

    /// Does a turn past memory; `None` if the body has to be read.
    fn splice(
        &mut self,
        body: &mut Decoder,
        sink: &mut dyn Output,
        most: usize,
        census: &Census,
    ) -> Result<Option<usize>, Error> {
        if !self.may_splice(body, self.total) {
            return Ok(None);
        }
        if matches!(self.way, Way::Closed) {
            self.way = SplicePipe::open(census).map_or(Way::None, |pipe| Way::Open(Box::new(pipe)));
        }
        let Way::Open(pipe) = &mut self.way else { return Ok(None) };
        let spliced = body.splice(pipe, most)?;
        if spliced.is_some() {
            sink.splice(pipe)?;
        }
        if spliced.is_none() || pipe.is_refused() {
            self.way = Way::None;
        }
        Ok(spliced)
    }

    /// Decides whether it is worth the while to splice what comes next, behind so much of it.
    fn may_splice(&self, body: &mut Decoder, total: u64) -> bool {
        let is_large = match body.remaining() {
            Some(left) => left >= LEAST_SPLICED || matches!(self.way, Way::Open(_)),
            None => total >= FIRST as u64,
        };
        is_large && !matches!(self.way, Way::None) && body.may_be_spliced()
    }

    fn write(
        &mut self,
        body: &mut Decoder,
        sink: &mut dyn Output,
        most: usize,
    ) -> Result<usize, Error> {
        let count = self.gather(body, most.min(GATHERED))?;
        if count > 0 {
            sink.write_all(&self.buffer[..count])?;
        }
        Ok(count)
    }

    fn gather(&mut self, body: &mut Decoder, most: usize) -> Result<usize, Error> {
        if self.buffer.is_empty() {
            let first = body.remaining().map_or(FIRST, |left| left.clamp(1, FIRST as u64) as usize);
            self.buffer = vec![0; first];
        }
        let first = self.buffer.len().min(most);
        let mut filled = body.read(&mut self.buffer[..first])?;
        while filled > 0 && filled < most && body.remaining() != Some(0) {
            if self.may_splice(body, self.total + filled as u64) {
                break;
            }
            if filled == self.buffer.len() {
                self.buffer.resize(most.min(filled * GROWTH), 0);
            }
            let end = self.buffer.len().min(most);
            // What fails, or ends, does so again when there is nothing else to write.
            match body.read_now(&mut self.buffer[filled..end]) {
                Ok(Some(more @ 1..)) => filled += more,
                Ok(Some(0) | None) | Err(_) => break,
            }
        }
        Ok(filled)
    }
}

#[cfg(test)]
mod tests;
