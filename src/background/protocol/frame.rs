//! Frames: a length, and so many bytes of JSON.

use std::io::{self, Read, Write};

use serde_json::Value;

/// How long the JSON of a frame is at most.
pub(in crate::background) const MOST: usize = 4 << 20;

/// How long it is at most of a program: what is said of one task is shorter, and the numbers of a
/// hundred thousand events are.
pub(in crate::background) const MOST_OF_PROGRAMS: usize = 1 << 20;

/// How long it is at most of somebody who has not said who it is.
pub(in crate::background) const MOST_OF_STRANGERS: usize = 4 << 10;

/// Up to which length many may come at once.
pub(in crate::background) const SHORT: usize = 4 << 10;

/// How much memory the values of a frame may take: a few bytes of JSON can be an object, which
/// takes hundreds.
const MOST_MEMORY: usize = 8 * MOST_OF_PROGRAMS;

/// What a value takes at most, and an object with its first fields beside those.
const OF_VALUE: usize = 32;
const OF_OBJECT: usize = 640;

const LENGTH: usize = 4;

/// Who says something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::background) enum Speaker {
    /// One of many, whose values may not take the memory of a daemon.
    Program,
    /// What it says of a task comes from servers as well, and always has room.
    Daemon,
}

/// Writes a frame, by one call if all is taken.
///
/// # Errors
///
/// [`InvalidInput`](io::ErrorKind::InvalidInput) for one that nobody would read, of which nothing
/// is written, and those of the writer.
pub(in crate::background) fn write(
    to: &mut impl Write,
    value: &Value,
    speaker: Speaker,
) -> io::Result<()> {
    let mut bytes = vec![0; LENGTH];
    serde_json::to_writer(&mut bytes, value)?;
    let length = bytes.len() - LENGTH;
    let refused = |why| Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    let most = if speaker == Speaker::Program { MOST_OF_PROGRAMS } else { MOST };
    if length > most {
        return refused(too_long(length, most));
    }
    if takes_too_much(&bytes[LENGTH..], speaker) {
        return refused(too_many());
    }
    // At most 4 MiB.
    bytes[..LENGTH].copy_from_slice(&(length as u32).to_be_bytes());
    to.write_all(&bytes)
}

/// Reads a frame whose JSON has at most so many bytes; `None` where there is none any more.
///
/// # Errors
///
/// [`UnexpectedEof`](io::ErrorKind::UnexpectedEof) where it ends in the middle of a frame,
/// [`InvalidData`](io::ErrorKind::InvalidData) for one that is too long or is no JSON, behind which
/// nothing more can be read, and those of the reader.
pub(in crate::background) fn read(
    from: &mut impl Read,
    most: usize,
    speaker: Speaker,
) -> io::Result<Option<Value>> {
    let Some(length) = read_length(from, most)? else { return Ok(None) };
    read_json(from, length, speaker).map(Some)
}

/// Reads how long the next frame is, at most so much; `None` where there is none any more.
///
/// # Errors
///
/// As those of [`read`].
pub(in crate::background) fn read_length(
    from: &mut impl Read,
    most: usize,
) -> io::Result<Option<usize>> {
    let Some(length) = read_header(from)? else { return Ok(None) };
    if length > most {
        return Err(invalid(too_long(length, most)));
    }
    Ok(Some(length))
}

/// Reads a frame whose length was read.
///
/// # Errors
///
/// As those of [`read`].
pub(in crate::background) fn read_json(
    from: &mut impl Read,
    length: usize,
    speaker: Speaker,
) -> io::Result<Value> {
    // It grows with what comes, so that a length alone takes no memory.
    let mut json = Vec::new();
    from.take(length as u64).read_to_end(&mut json)?;
    if json.len() < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    if takes_too_much(&json, speaker) {
        return Err(invalid(too_many()));
    }
    // What serde says of syntax holds no values.
    serde_json::from_slice(&json).map_err(invalid)
}

fn takes_too_much(json: &[u8], speaker: Speaker) -> bool {
    speaker == Speaker::Program && memory(json) > MOST_MEMORY
}

fn read_header(from: &mut impl Read) -> io::Result<Option<usize>> {
    let mut length = [0; LENGTH];
    let mut read = 0;
    while read < LENGTH {
        match from.read(&mut length[read..]) {
            Ok(0) if read == 0 => return Ok(None),
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(more) => read += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Some(u32::from_be_bytes(length) as usize))
}

/// Returns how much of a frame of a daemon a value takes, of which there are [`MOST`] bytes; with
/// many values more than it is long, so that a program need not take much memory either.
pub(super) fn size(value: &Value) -> usize {
    let json = value.to_string();
    // The comma as well.
    json.len().max(memory(json.as_bytes()).div_ceil(4)) + 1
}

/// Returns how much memory the values of a text can take, at most, beside their characters.
fn memory(json: &[u8]) -> usize {
    let (mut sum, mut is_text, mut is_escaped) = (OF_VALUE, false, false);
    for byte in json {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_text => is_escaped = true,
            b'"' => {
                is_text = !is_text;
                sum += if is_text { OF_VALUE } else { 0 };
            }
            _ if is_text => {}
            // A list has room for four values, and then for twice as many each time.
            b'[' => sum += 5 * OF_VALUE,
            b',' => sum += 2 * OF_VALUE,
            // A field beyond an object's first ones lies in a node that may be half full.
            b':' => sum += 2 * OF_VALUE,
            b'{' => sum += OF_OBJECT,
            _ => {}
        }
    }
    sum
}

fn too_long(length: usize, most: usize) -> String {
    format!("a frame of {length} bytes is longer than {most}, which is the limit")
}

fn too_many() -> String {
    format!("the values of a frame take more than {MOST_MEMORY} bytes, which is the limit")
}

fn invalid(why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}
