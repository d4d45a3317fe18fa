//! A body while it is being sent.

mod multipart;

use std::fmt;
use std::fs::File;
use std::io::{self, Cursor, Read};
use std::sync::Arc;

use super::Reader;
use super::handle::Reading;
use super::pipe::Pipe;
use crate::error::{Error, ErrorKind};
use crate::foreign::{Foreign, caught};

pub(super) use multipart::OpenMultipart;

/// How often in a row a reader may say that it was interrupted. Nobody looks at a cancel
/// between two.
const MOST_INTERRUPTIONS: usize = 1000;

/// A body that is being sent.
pub(crate) struct OpenBody {
    pub(super) content: Content,
    pub(crate) length: Option<u64>,
}

/// Where the bytes come from.
pub(super) enum Content {
    Bytes(Cursor<Arc<Vec<u8>>>),
    File(File),
    Handle(Reading),
    Pipe(Pipe),
    Reader(Reader),
    Multipart(Box<OpenMultipart>),
}

impl OpenBody {
    /// Returns all of the body, if it is in memory and at most `limit` bytes.
    pub(crate) fn small(&self, limit: usize) -> Option<&[u8]> {
        match &self.content {
            Content::Bytes(bytes) => {
                let bytes = bytes.get_ref();
                // One of another length than announced fails where the others do.
                let is_right = self.length == Some(bytes.len() as u64);
                (is_right && bytes.len() <= limit).then_some(bytes)
            }
            _ => None,
        }
    }

    /// Returns the file on a disk that the body is, if it is one. What is [read](Self::read) comes
    /// from where it stands.
    pub(crate) fn file(&self) -> Option<&File> {
        match &self.content {
            Content::File(file) => Some(file),
            _ => None,
        }
    }

    /// Returns the pipe that there is nothing to read from, if a read said so.
    pub(crate) fn waits_for(&self) -> Option<&Pipe> {
        match &self.content {
            Content::Pipe(pipe) => Some(pipe),
            Content::Multipart(form) => form.waits_for(),
            _ => None,
        }
    }

    /// Reads some bytes; none at the end. `None`: nothing is there yet, see
    /// [`waits_for`](Self::waits_for).
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> Result<Option<usize>, Error> {
        let content = match &mut self.content {
            Content::Bytes(bytes) => {
                let left = &bytes.get_ref()[bytes.position() as usize..];
                let count = left.len().min(buffer.len());
                buffer[..count].copy_from_slice(&left[..count]);
                bytes.set_position(bytes.position() + count as u64);
                return Ok(Some(count));
            }
            content @ (Content::File(_) | Content::Handle(_) | Content::Reader(_)) => content,
            Content::Pipe(pipe) => return pipe.read(buffer).map_err(cannot_read),
            Content::Multipart(form) => return form.read(buffer),
        };
        for _ in 0..MOST_INTERRUPTIONS {
            // A `dyn Read` of the files would bring all methods of the trait into programs.
            let read = || match content {
                Content::File(file) => file.read(buffer),
                Content::Handle(file) => file.read(buffer),
                Content::Reader(reader) => reader.read(buffer),
                // They were read above.
                Content::Bytes(_) | Content::Pipe(_) | Content::Multipart(_) => Ok(0),
            };
            match caught("the reader of a body to send", read) {
                Ok(Ok(count)) if count <= buffer.len() => return Ok(Some(count)),
                Ok(Ok(_)) => {
                    let error = io::Error::other("the reader returned more than it was given");
                    return Err(cannot_read(error));
                }
                Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {
                    drop(Foreign::new(error));
                }
                Ok(Err(error)) => return Err(cannot_read(error)),
                Err(_) => {
                    let detail = "the reader of the body to send panicked";
                    return Err(Error::new(ErrorKind::DelegatePanicked, detail));
                }
            }
        }
        Err(cannot_read(io::ErrorKind::Interrupted.into()))
    }
}

impl fmt::Debug for OpenBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenBody").field("length", &self.length).finish_non_exhaustive()
    }
}

/// The error of a body whose reader failed.
pub(super) fn cannot_read(error: io::Error) -> Error {
    Error::new(ErrorKind::ResourceUnavailable, "the body to send cannot be read").by_system(error)
}
