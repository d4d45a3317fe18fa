//! Moving a body into its file.
//!
//! A file system does about as much for each write as for 100 KiB of it, so bytes are gathered
//! as long as they keep coming. What is there goes to the file before anybody waits for more: a
//! slow server's bytes are in the file, and in the progress, as soon as they have come.

use crate::download::Output;
use crate::error::Error;
use crate::load::Decoder;

/// How much is gathered at first, and at most.
const FIRST: usize = 64 * 1024;
const MOST: usize = 1024 * 1024;

/// How many times more it is from one time to the next.
const GROWTH: usize = 4;

/// Moves a body into its file, turn by turn.
#[derive(Debug, Default)]
pub(super) struct Pump {
    /// As large as the most that was gathered.
    buffer: Vec<u8>,
}

impl Pump {
    /// Moves what has come, or waits for it; returns how much that is, at most 1 MiB. None means
    /// that the body is whole.
    pub(super) fn turn(
        &mut self,
        body: &mut Decoder,
        sink: &mut dyn Output,
    ) -> Result<usize, Error> {
        let count = self.gather(body)?;
        if count > 0 {
            sink.write_all(&self.buffer[..count])?;
        }
        Ok(count)
    }

    fn gather(&mut self, body: &mut Decoder) -> Result<usize, Error> {
        if self.buffer.is_empty() {
            let first = body.remaining().map_or(FIRST, |left| left.clamp(1, FIRST as u64) as usize);
            self.buffer = vec![0; first];
        }
        let mut filled = body.read(&mut self.buffer)?;
        while filled > 0 && filled < MOST && body.remaining() != Some(0) {
            if filled == self.buffer.len() {
                self.buffer.resize(MOST.min(filled * GROWTH), 0);
            }
            // What fails, or ends, does so again when there is nothing else to write.
            match body.read_now(&mut self.buffer[filled..]) {
                Ok(Some(more @ 1..)) => filled += more,
                Ok(Some(0) | None) | Err(_) => break,
            }
        }
        Ok(filled)
    }
}

#[cfg(test)]
mod tests;
