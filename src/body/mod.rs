//! What a request sends: bytes, a file, a reader, or a form.

mod convert;
mod file;
mod form;
mod handle;
#[cfg(feature = "json")]
mod json;
mod multipart;
mod open;
mod pipe;

use std::borrow::Cow;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fmt, mem};

use crate::error::{Error, ErrorKind};
use crate::foreign::{Foreign, caught};
use crate::sync::{Mutex, Rank};

use file::Opened;
pub use form::Form;
use handle::Handle;
pub use multipart::{Multipart, Part};
pub(crate) use open::OpenBody;
use open::{Content, OpenMultipart, cannot_read};
pub(crate) use pipe::Pipe;

/// The body of a request.
///
/// A body knows its length, or does not; it can be sent again (after a redirect, or when
/// a kept-alive connection turns out to be dead), or cannot. Bytes, files and
/// [`opened_by`](Self::opened_by) can be sent again, a [`reader`](Self::reader) cannot; a
/// [`Multipart`] can if all of its parts can. Cloning shares the bytes; clones of a reader
/// share the one reading.
///
/// # Examples
///
/// ```
/// use urlsession::Body;
///
/// let body = Body::from("a=1&b=2");
/// assert_eq!(body.length(), Some(7));
/// assert!(body.can_rewind());
/// ```
#[doc(alias = "httpBody")]
#[doc(alias = "httpBodyStream")]
#[derive(Clone)]
pub struct Body {
    source: Source,
    length: Option<u64>,
}

#[derive(Clone)]
enum Source {
    Bytes(Arc<Vec<u8>>, BytesType),
    File(PathBuf),
    Handle(Arc<Handle>),
    Once(Arc<Mutex<Option<Reader>>>),
    Opened(Foreign<Arc<Opener>>),
    Multipart(Arc<Multipart>),
}

/// What whoever made bytes knows of their media type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum BytesType {
    /// Nothing: a `POST` of them is taken for a form.
    Unknown,
    /// Nothing, and they go out as they are.
    Untyped,
    Form,
    #[cfg(feature = "json")]
    Json,
}

type Reader = Foreign<Box<dyn Read + Send>>;
type Opener = dyn Fn() -> io::Result<Reader> + Send + Sync;

impl Body {
    /// Sends the file at `path`, opened when the request goes out and as long as it is
    /// then. A pipe or a device has no length and can be sent once; while nothing can be
    /// read from it, or nobody writes into it yet, both timers run and a cancel ends the
    /// load (on Windows neither reaches that far). Do not write into a file that is being sent: of a large one, Linux and
    /// Android send what is in it when the bytes leave, which may be after this crate
    /// was done with them.
    pub fn file(path: impl AsRef<Path>) -> Self {
        Self { source: Source::File(path.as_ref().to_owned()), length: None }
    }

    /// Sends what `reader` returns until its end, chunked unless
    /// [`with_length`](Self::with_length) says how much that is. It can be sent once.
    ///
    /// It is read on the thread that runs the load; while it blocks, neither a timer nor a
    /// cancel reaches that thread, and the load keeps its place: as many readers as may run on
    /// a host must not all wait for other loads of it. A reader that panics fails the load
    /// with [`ErrorKind::DelegatePanicked`], unless it does so when it is dropped.
    pub fn reader(reader: impl Read + Send + 'static) -> Self {
        let once = Mutex::new(Rank::Reader, Some(foreign(reader)));
        Self { source: Source::Once(Arc::new(once)), length: None }
    }

    /// Sends what the readers returned by `open` return: it is called each time the body
    /// has to be sent from its beginning.
    #[doc(alias = "needNewBodyStream")]
    pub fn opened_by<R: Read + Send + 'static>(
        open: impl Fn() -> io::Result<R> + Send + Sync + 'static,
    ) -> Self {
        let open = move || open().map(foreign);
        Self { source: Source::Opened(Foreign::new(Arc::new(open))), length: None }
    }

    /// Announces a body of `length` bytes in `Content-Length`. A body that turns out
    /// shorter or longer fails the load; to see that it is not longer, its reader is asked
    /// once more after `length` bytes, and has to end there.
    #[must_use]
    pub fn with_length(mut self, length: u64) -> Self {
        self.length = Some(length);
        self
    }

    /// Returns how many bytes will be sent, if that is known before the body is opened.
    pub fn length(&self) -> Option<u64> {
        match &self.source {
            Source::Bytes(bytes, _) => self.length.or(Some(bytes.len() as u64)),
            Source::Multipart(form) => self.length.or_else(|| form.length()),
            _ => self.length,
        }
    }

    /// Returns how many bytes will be sent, of a file those that it has now.
    pub(crate) fn known_length(&self) -> Option<u64> {
        match &self.source {
            Source::File(path) => self.length.or_else(|| file::length(path).ok().flatten()),
            Source::Handle(handle) => self.length.or_else(|| handle.length().ok()),
            _ => self.length(),
        }
    }

    /// Returns the media type, as `Content-Type` has it, if whoever made the body knows it:
    /// `application/x-www-form-urlencoded` of a [`Form`], `multipart/form-data` with the
    /// boundary of a [`Multipart`], `application/json` of a value as JSON; `None` of bytes,
    /// texts, files and readers.
    ///
    /// ```
    /// use urlsession::{Body, Form};
    ///
    /// let body = Body::from(Form::new().field("a", 1));
    /// assert_eq!(body.media_type().as_deref(), Some("application/x-www-form-urlencoded"));
    /// assert_eq!(Body::from("a=1").media_type(), None);
    /// ```
    pub fn media_type(&self) -> Option<Cow<'static, str>> {
        match &self.source {
            Source::Bytes(_, BytesType::Form) => Some(Form::CONTENT_TYPE.into()),
            #[cfg(feature = "json")]
            Source::Bytes(_, BytesType::Json) => Some(json::CONTENT_TYPE.into()),
            Source::Multipart(form) => Some(form.content_type().into()),
            _ => None,
        }
    }

    /// Returns the form of parts that the body is.
    pub(crate) fn as_multipart(&self) -> Option<&Multipart> {
        match &self.source {
            Source::Multipart(form) => Some(form),
            _ => None,
        }
    }

    /// Whether it is bytes or text of which nobody has said what they are.
    pub(crate) fn is_of_unknown_type(&self) -> bool {
        matches!(self.source, Source::Bytes(_, BytesType::Unknown))
    }

    /// Has bytes of an unknown type be taken for nothing.
    pub(crate) fn untyped(mut self) -> Self {
        if let Source::Bytes(_, of @ BytesType::Unknown) = &mut self.source {
            *of = BytesType::Untyped;
        }
        self
    }

    /// Whether it is known without a look at any file that there is nothing to send.
    pub(crate) fn is_empty(&self) -> bool {
        self.length() == Some(0)
    }

    /// Returns whether the body can be sent a second time. Looks whether a file is a pipe.
    pub fn can_rewind(&self) -> bool {
        match &self.source {
            Source::Once(_) => false,
            Source::File(path) => file::can_rewind(path),
            Source::Multipart(form) => form.contents().all(Self::can_rewind),
            _ => true,
        }
    }

    /// Returns whether the body can be sent from its beginning now: a second time, or for the
    /// first.
    pub(crate) fn can_be_sent(&self) -> bool {
        match &self.source {
            Source::Once(once) => once.lock().is_some(),
            Source::Multipart(form) => form.contents().all(Self::can_be_sent),
            _ => self.can_rewind(),
        }
    }

    /// Takes back what was opened of it, of which nothing was read: it can be sent as if it
    /// had not been.
    pub(crate) fn take_back(&self, open: OpenBody) {
        // All others are opened anew, and the parts of a form when they are due.
        if let (Source::Once(once), Content::Reader(reader)) = (&self.source, open.content) {
            let before = once.lock().replace(reader);
            drop(before);
        }
    }

    /// Returns whether sending it opens a file.
    pub(crate) fn is_file(&self) -> bool {
        match &self.source {
            Source::File(_) => true,
            Source::Multipart(form) => form.contents().any(Self::is_file),
            _ => false,
        }
    }

    /// Returns the length to announce for the body if it is sent as a part, which is
    /// opened later, and what would keep it from being opened then.
    fn announce(&self) -> Result<Option<u64>, Error> {
        let length = match &self.source {
            Source::Bytes(..) | Source::Opened(_) => None,
            Source::File(path) => file::length(path)?,
            Source::Handle(handle) => Some(handle.length()?),
            Source::Once(once) if once.lock().is_none() => return Err(exhausted()),
            Source::Once(_) => None,
            Source::Multipart(form) => form.announce()?.total,
        };
        Ok(self.length().or(length))
    }

    /// Returns the body's content from its beginning.
    pub(crate) fn open(&self) -> Result<OpenBody, Error> {
        let (content, length) = match &self.source {
            Source::Bytes(bytes, _) => {
                (Content::Bytes(Cursor::new(bytes.clone())), Some(bytes.len() as u64))
            }
            Source::File(path) => match file::open(path)? {
                Opened::File(file, length) => (Content::File(file), Some(length)),
                Opened::Pipe(pipe) => (Content::Pipe(pipe), None),
            },
            Source::Handle(handle) => {
                let length = handle.length()?;
                (Content::Handle(Handle::reader(handle)), Some(length))
            }
            Source::Once(once) => match mem::take(&mut *once.lock()) {
                Some(reader) => (Content::Reader(reader), None),
                None => return Err(exhausted()),
            },
            Source::Opened(open) => {
                let opened = caught("what opens a body to send", &***open).map_err(|_| {
                    let detail = "opening the body to send panicked";
                    Error::new(ErrorKind::DelegatePanicked, detail)
                })?;
                (Content::Reader(opened.map_err(cannot_read)?), None)
            }
            Source::Multipart(form) => {
                let open = OpenMultipart::new(form.clone())?;
                let length = open.length();
                (Content::Multipart(Box::new(open)), length)
            }
        };
        Ok(OpenBody { content, length: self.length.or(length) })
    }

    /// Returns the file that is sent.
    pub(crate) fn path(&self) -> Option<&Path> {
        match &self.source {
            Source::File(path) => Some(path),
            _ => None,
        }
    }
}

fn foreign(reader: impl Read + Send + 'static) -> Reader {
    Foreign::new(Box::new(reader))
}

fn exhausted() -> Error {
    let detail = "the body is a reader that was sent already; \
                  use Body::opened_by for one that can be sent again";
    Error::new(ErrorKind::RequestBodyStreamExhausted, detail)
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let source = match &self.source {
            Source::Bytes(..) => "bytes",
            Source::File(_) | Source::Handle(_) => "file",
            Source::Once(_) => "reader",
            Source::Opened(_) => "opened on demand",
            Source::Multipart(_) => "multipart",
        };
        f.debug_struct("Body").field("source", &source).field("length", &self.length()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &Body) -> Result<Vec<u8>, Error> {
        let (mut body, mut all) = (body.open()?, Vec::new());
        let mut part = [0; 2];
        loop {
            match body.read(&mut part)?.unwrap() {
                0 => return Ok(all),
                count => all.extend_from_slice(&part[..count]),
            }
        }
    }

    #[test]
    fn every_body_but_a_reader_can_be_sent_twice() {
        let path = std::env::temp_dir().join(format!("urlsession-body-{}", std::process::id()));
        std::fs::write(&path, "hello").unwrap();
        let opened = Body::opened_by(|| Ok(&b"hello"[..])).with_length(5);
        for body in [Body::from("hello"), Body::file(&path), opened] {
            assert!(body.can_rewind());
            assert_eq!(body.open().unwrap().length, Some(5));
            assert_eq!(read(&body).unwrap(), b"hello");
            assert_eq!(read(&body).unwrap(), b"hello");
        }
        std::fs::remove_file(&path).unwrap();
        let once = Body::reader(&b"hello"[..]);
        assert!(!once.can_rewind() && once.length().is_none());
        assert_eq!(read(&once).unwrap(), b"hello");
        let error = read(&once).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RequestBodyStreamExhausted);
    }

    #[test]
    fn a_reader_that_misbehaves_fails_its_load_only() {
        struct Bad(fn(&mut [u8]) -> io::Result<usize>);
        impl Read for Bad {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                (self.0)(buffer)
            }
        }
        for (bad, kind) in [
            (Bad(|_| panic!("on purpose")), ErrorKind::DelegatePanicked),
            (Bad(|_| Err(io::Error::other("gone"))), ErrorKind::ResourceUnavailable),
            (Bad(|buffer| Ok(buffer.len() + 1)), ErrorKind::ResourceUnavailable),
        ] {
            assert_eq!(read(&Body::reader(bad)).unwrap_err().kind(), kind);
        }
    }

    #[test]
    fn a_file_that_cannot_be_sent_says_why() {
        let missing = Body::file("/nowhere/at/all").open().unwrap_err();
        assert_eq!(missing.kind(), ErrorKind::FileDoesNotExist);
        assert!(missing.to_string().contains("/nowhere/at/all"), "{missing}");
        let directory = Body::file(std::env::temp_dir()).open().unwrap_err();
        assert_eq!(directory.kind(), ErrorKind::FileIsDirectory, "{directory}");
    }
}
