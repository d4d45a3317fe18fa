//! Bodies that are gathered in memory.

use crate::error::{Error, ErrorKind, Stage};
use crate::load::Decoder;

/// The least and the most that is read at a time.
const STEP: (usize, usize) = (1024, 256 * 1024);

/// Up to how many bytes are few.
const SMALL: usize = 16 * 1024;

/// A body that is gathered in memory.
#[derive(Debug)]
pub(super) struct Gathered {
    bytes: Vec<u8>,
    filled: usize,
    limit: u64,
}

impl Gathered {
    /// Has room for what comes first; fails if all of it would be larger than `limit`.
    pub(super) fn new(body: &Decoder, limit: u64) -> Result<Self, Error> {
        let expected = body.remaining();
        if expected.is_some_and(|expected| expected > limit) {
            return Err(too_large(limit));
        }
        // A server can announce anything; memory follows what really comes.
        let first = expected.map_or(STEP.0, |expected| expected.min(STEP.1 as u64) as usize);
        Ok(Self { bytes: zeroed(first), filled: 0, limit })
    }

    /// Reads all that is still to come; `took` is told of each piece, and may end it. Then
    /// this goes on where it was.
    pub(super) fn read_all(
        &mut self,
        body: &mut Decoder,
        took: impl Fn(usize) -> Result<(), Error>,
    ) -> Result<(), Error> {
        while body.remaining() != Some(0) {
            if self.filled == self.bytes.len() {
                let more = self.filled.clamp(STEP.0, STEP.1);
                self.bytes.resize(self.filled + more, 0);
            }
            let count = body.read(&mut self.bytes[self.filled..])?;
            if count == 0 {
                return Ok(());
            }
            self.filled += count;
            if self.filled as u64 > self.limit {
                return Err(too_large(self.limit));
            }
            took(count)?;
        }
        // The request may still be going out; the read at the end waits for that.
        body.read(&mut [0]).map(|_| ())
    }

    pub(super) fn into_bytes(mut self) -> Vec<u8> {
        self.bytes.truncate(self.filled);
        self.bytes
    }
}

/// Returns so many zeros. Memory that comes zeroed does not come out of a thread's cache in all
/// allocators, which takes longer than to fill as little as most bodies have.
#[expect(clippy::slow_vector_initialization, reason = "it is the fast one for few")]
fn zeroed(count: usize) -> Vec<u8> {
    if count > SMALL {
        return vec![0; count];
    }
    let mut bytes = Vec::with_capacity(count);
    bytes.resize(count, 0);
    bytes
}

/// Appends a piece of a body, up to `limit` bytes.
pub(super) fn append(bytes: &mut Vec<u8>, piece: &[u8], limit: u64) -> Result<(), Error> {
    if (bytes.len() + piece.len()) as u64 > limit {
        return Err(too_large(limit));
    }
    bytes.extend_from_slice(piece);
    Ok(())
}

fn too_large(limit: u64) -> Error {
    let detail = format!(
        "the body is larger than maximum_body_in_memory ({limit} bytes); \
         raise it, or read the body with Session::bytes"
    );
    Error::new(ErrorKind::DataLengthExceedsMaximum, detail).at(Stage::Receiving)
}
