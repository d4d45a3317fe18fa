//! Bodies that are gathered in memory.

use crate::error::{Error, ErrorKind, Stage};
use crate::load::Decoder;

/// The least and the most that is read at a time.
const STEP: (usize, usize) = (1024, 256 * 1024);

/// Reads all of `body`, up to `limit` bytes; `took` is told of each piece, and may end it.
pub(super) fn read_all(
    body: &mut Decoder,
    limit: u64,
    took: impl Fn(usize) -> Result<(), Error>,
) -> Result<Vec<u8>, Error> {
    let expected = body.remaining();
    if expected.is_some_and(|expected| expected > limit) {
        return Err(too_large(limit));
    }
    // A server can announce anything; memory follows what really comes.
    let first = expected.map_or(STEP.0, |expected| expected.min(STEP.1 as u64) as usize);
    let mut bytes = vec![0; first];
    let mut filled = 0;
    loop {
        if expected == Some(filled as u64) {
            break;
        }
        if filled == bytes.len() {
            let more = filled.clamp(STEP.0, STEP.1);
            bytes.resize(filled + more, 0);
        }
        let count = body.read(&mut bytes[filled..])?;
        if count == 0 {
            break;
        }
        filled += count;
        if filled as u64 > limit {
            return Err(too_large(limit));
        }
        took(count)?;
    }
    bytes.truncate(filled);
    Ok(bytes)
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
