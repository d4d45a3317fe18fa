//! A multipart form while it is being sent.

use std::fmt;
use std::sync::Arc;

use super::OpenBody;
use crate::body::multipart::{Lengths, Multipart};
use crate::body::pipe::Pipe;
use crate::error::{Error, ErrorKind};

/// The parts of a form as one stream: their framing from memory, their contents opened one
/// after the other.
pub(in crate::body) struct OpenMultipart {
    form: Arc<Multipart>,
    lengths: Lengths,
    /// The part whose turn it is, or comes when `framing` is written.
    index: usize,
    framing: Vec<u8>,
    /// How much of `framing` is written.
    written: usize,
    content: Option<OpenPart>,
}

/// The content of the part whose turn it is.
struct OpenPart {
    body: OpenBody,
    /// What is still to come of an announced length.
    left: Option<u64>,
}

impl OpenMultipart {
    pub(in crate::body) fn new(form: Arc<Multipart>) -> Result<Self, Error> {
        let lengths = form.announce()?;
        let mut framing = Vec::new();
        form.write_framing(0, &mut framing);
        Ok(Self { form, lengths, index: 0, framing, written: 0, content: None })
    }

    pub(in crate::body) fn length(&self) -> Option<u64> {
        self.lengths.total
    }

    /// Returns the pipe that there is nothing to read from, if a read said so.
    pub(super) fn waits_for(&self) -> Option<&Pipe> {
        self.content.as_ref()?.body.waits_for()
    }

    /// Reads some bytes; none at the end. `None`: nothing is there yet.
    ///
    /// What is there is put together, so that small parts share a piece; what a reader
    /// gives is returned without waiting for more of it.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> Result<Option<usize>, Error> {
        let mut filled = 0;
        while filled < buffer.len() {
            let free = &mut buffer[filled..];
            if self.written < self.framing.len() {
                filled += self.read_framing(free);
            } else if self.content.is_some() {
                let Some(count) = self.read_content(free)? else {
                    return Ok((filled > 0).then_some(filled));
                };
                filled += count;
                if count > 0 && self.content.is_some() {
                    break;
                }
            } else if !self.open_content()? {
                break;
            }
        }
        Ok(Some(filled))
    }

    fn read_framing(&mut self, buffer: &mut [u8]) -> usize {
        let rest = &self.framing[self.written..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.written += count;
        count
    }

    /// Opens the content of the part whose framing is written; tells whether there is one.
    fn open_content(&mut self) -> Result<bool, Error> {
        let Some((_, content)) = self.form.named(self.index) else { return Ok(false) };
        let body = content.open()?;
        let left = self.lengths.parts[self.index];
        // The length of a file is another if it was written to meanwhile.
        if let (Some(announced), Some(length)) = (left, body.length)
            && announced != length
        {
            return Err(self.wrong_length(if length < announced { "shorter" } else { "longer" }));
        }
        self.content = Some(OpenPart { body, left });
        Ok(true)
    }

    /// Reads from the content; at its end it goes on to the framing that follows. `None`:
    /// nothing is there yet, not even the end.
    fn read_content(&mut self, buffer: &mut [u8]) -> Result<Option<usize>, Error> {
        let Some(OpenPart { body, left }) = &mut self.content else { return Ok(Some(0)) };
        let most = left.map_or(u64::MAX, |left| left).min(buffer.len() as u64) as usize;
        let count = if most == 0 { Some(0) } else { body.read(&mut buffer[..most])? };
        let Some(count) = count else { return Ok(None) };
        let is_over = match left {
            None => count == 0,
            Some(left) => {
                *left -= count as u64;
                if count == 0 && *left > 0 {
                    return Err(self.wrong_length("shorter"));
                }
                let beyond = if *left == 0 { body.read(&mut [0])? } else { None };
                match (beyond, *left) {
                    (Some(1..), _) => return Err(self.wrong_length("longer")),
                    (None, 0) if count == 0 => return Ok(None),
                    (beyond, _) => beyond.is_some(),
                }
            }
        };
        if is_over {
            self.content = None;
            self.index += 1;
            self.framing.clear();
            self.written = 0;
            self.form.write_framing(self.index, &mut self.framing);
        }
        Ok(Some(count))
    }

    fn wrong_length(&self, how: &str) -> Error {
        let announced = self.lengths.parts.get(self.index).copied().flatten().unwrap_or_default();
        let named = self.form.named(self.index);
        let what = match named.and_then(|(_, content)| content.path()) {
            Some(path) => format!("the file to send, {},", path.display()),
            None => format!("the part {:?} to send", named.map_or("", |(name, _)| name)),
        };
        let detail = format!("{what} is {how} than its announced length of {announced} bytes");
        Error::new(ErrorKind::InvalidRequest, detail)
    }
}

impl fmt::Debug for OpenMultipart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenMultipart").field("index", &self.index).finish_non_exhaustive()
    }
}
