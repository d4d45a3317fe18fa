//! `multipart/form-data` (RFC 7578), framed and escaped as the WHATWG HTML standard says.

use std::borrow::Cow;
use std::fmt;
use std::path::Path;

use super::Body;
use crate::error::{Error, ErrorKind};
use crate::headers::Headers;
use crate::{mime, random};

/// A form of texts and files, as `multipart/form-data`.
///
/// Parts are sent in the order in which they were added, each read when its turn comes, in
/// pieces: a form of large files takes no more memory than one of small ones. Its length is
/// announced if that of every part is known, else it is sent chunked; it can be sent again
/// if every part can. One file is open at a time. A file that cannot be read fails the load
/// before anything is sent; a part that turns out longer or shorter than was announced
/// fails it as well, and the error names the file.
///
/// The boundary is 128 random bits, drawn for each form. Parts are not searched for it:
/// that it occurs in one by chance is as likely as guessing a key.
///
/// # Examples
///
/// ```
/// use urlsession::testing::{Answer, Server};
/// use urlsession::{Multipart, Request, Session};
///
/// let server = Server::start();
/// server.enqueue(Answer::ok(""));
/// let url = server.url("/photos");
/// let path = std::env::temp_dir().join(format!("urlsession-doc-{}.jpg", std::process::id()));
/// std::fs::write(&path, "a photo")?;
///
/// let form = Multipart::new().text("tag_name", "holiday").file("userfile", &path);
/// Session::shared().data(Request::post(url).multipart(form))?;
/// std::fs::remove_file(&path)?;
/// assert!(server.take_request().body_text().contains("Content-Type: image/jpeg\r\n\r\na photo"));
/// Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias = "httpBodyStream")]
#[derive(Clone)]
#[must_use]
pub struct Multipart {
    boundary: Box<str>,
    parts: Vec<Named>,
    /// The first thing that was wrong while building.
    wrong: Option<Error>,
}

/// A part with its head: everything between its boundary and its content.
#[derive(Clone)]
struct Named {
    name: Box<str>,
    head: Vec<u8>,
    content: Body,
}

impl Multipart {
    /// Makes a form without parts, with a boundary of its own.
    pub fn new() -> Self {
        Self { boundary: random::digits().into(), parts: Vec::new(), wrong: None }
    }

    /// Adds a text, sent without `Content-Type` and as it is: line breaks are not changed.
    pub fn text(self, name: &str, text: impl Into<String>) -> Self {
        self.part(name, Part::text(text))
    }

    /// Adds the file at `path`, as [`Part::file`] does.
    pub fn file(self, name: &str, path: impl AsRef<Path>) -> Self {
        self.part(name, Part::file(path))
    }

    /// Adds a part. Names may repeat.
    ///
    /// In names and file names a line break becomes `%0D` or `%0A` and a quotation mark
    /// `%22`, as in browsers; all else is sent as UTF-8. A NUL is refused: the load fails
    /// with [`ErrorKind::InvalidRequest`].
    pub fn part(mut self, name: &str, part: Part) -> Self {
        let Part { content, file_name, headers, is_text, wrong } = part;
        let file_name = file_name.as_deref();
        if name.contains('\0') || file_name.is_some_and(|name| name.contains('\0')) {
            let detail = "the name of a part contains a NUL";
            self.wrong.get_or_insert_with(|| Error::new(ErrorKind::InvalidRequest, detail));
        }
        if let Some(error) = wrong {
            self.wrong.get_or_insert(error);
        }
        let guessed = match file_name {
            _ if headers.contains("content-type") => None,
            None if is_text => None,
            _ => content
                .media_type()
                .or_else(|| mime::of_file_name(file_name?).map(Cow::Borrowed))
                .or(Some(Cow::Borrowed(UNKNOWN))),
        };
        let head = head(name, file_name, guessed.as_deref(), &headers);
        self.parts.push(Named { name: name.into(), head, content });
        self
    }

    /// Returns what separates the parts.
    pub fn boundary(&self) -> &str {
        &self.boundary
    }

    /// Returns the `Content-Type` that the form has to be sent with.
    pub fn content_type(&self) -> String {
        format!("multipart/form-data; boundary={}", self.boundary)
    }

    /// Whether it is a clone of the other, or was added to alike.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let is_same =
            |(one, other): (&Named, &Named)| one.head == other.head && one.content == other.content;
        self.boundary == other.boundary
            && self.parts.len() == other.parts.len()
            && self.parts.iter().zip(&other.parts).all(is_same)
    }

    /// Reports the first thing that is wrong with the form.
    pub(crate) fn check(&self) -> Result<(), Error> {
        self.wrong.clone().map_or(Ok(()), Err)
    }

    pub(super) fn contents(&self) -> impl Iterator<Item = &Body> {
        self.parts.iter().map(|part| &part.content)
    }

    /// Returns name and content of the part at `index`.
    pub(super) fn named(&self, index: usize) -> Option<(&str, &Body)> {
        self.parts.get(index).map(|part| (&*part.name, &part.content))
    }

    /// Writes what stands before the content of the part at `index`, or behind the last.
    pub(super) fn write_framing(&self, index: usize, out: &mut Vec<u8>) {
        // RFC 2046 §5.1.1: the line break before a boundary belongs to it.
        let before = if index == 0 { "--" } else { "\r\n--" };
        out.extend_from_slice(before.as_bytes());
        out.extend_from_slice(self.boundary.as_bytes());
        match self.parts.get(index) {
            Some(part) => out.extend_from_slice(&part.head),
            None => out.extend_from_slice(b"--\r\n"),
        }
    }

    /// Returns the lengths to announce.
    pub(super) fn announce(&self) -> Result<Lengths, Error> {
        self.check()?;
        let mut parts = Vec::new();
        for content in self.contents() {
            parts.push(content.announce()?);
        }
        Ok(Lengths { total: self.total(&parts), parts })
    }

    /// Returns the length of the form, if it is known before any part is opened.
    pub(super) fn length(&self) -> Option<u64> {
        self.total(&self.contents().map(Body::length).collect::<Vec<_>>())
    }

    fn total(&self, lengths: &[Option<u64>]) -> Option<u64> {
        let mut framing = Vec::new();
        for index in 0..=self.parts.len() {
            self.write_framing(index, &mut framing);
        }
        let framing = framing.len() as u64;
        lengths.iter().try_fold(framing, |total, length| total.checked_add((*length)?))
    }
}

/// How long a form and its parts are said to be.
#[derive(Debug)]
pub(super) struct Lengths {
    pub(super) parts: Vec<Option<u64>>,
    pub(super) total: Option<u64>,
}

/// The type of what nobody knows the type of.
const UNKNOWN: &str = "application/octet-stream";

/// Returns the rest of the boundary's line and the header of a part.
fn head(name: &str, file_name: Option<&str>, guessed: Option<&str>, headers: &Headers) -> Vec<u8> {
    let mut head = format!("\r\nContent-Disposition: form-data; name=\"{}\"", escaped(name));
    if let Some(file_name) = file_name {
        head.push_str(&format!("; filename=\"{}\"", escaped(file_name)));
    }
    head.push_str("\r\n");
    if let Some(mime_type) = guessed {
        head.push_str(&format!("Content-Type: {mime_type}\r\n"));
    }
    let mut head = head.into_bytes();
    headers.write_to(&mut head);
    head.extend_from_slice(b"\r\n");
    head
}

/// Escapes what would end a name between quotation marks, or its line (HTML standard,
/// §4.10.22.8 "multipart/form-data encoding algorithm").
fn escaped(name: &str) -> Cow<'_, str> {
    if !name.contains(['"', '\r', '\n']) {
        return Cow::Borrowed(name);
    }
    Cow::Owned(name.replace('\r', "%0D").replace('\n', "%0A").replace('"', "%22"))
}

impl Default for Multipart {
    fn default() -> Self {
        Self::new()
    }
}

impl From<Multipart> for Body {
    /// The parts, and their [media type](Body::media_type), which has the boundary.
    fn from(form: Multipart) -> Self {
        Self { source: super::Source::Multipart(form.into()), length: None }
    }
}

impl fmt::Debug for Multipart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.parts.iter().map(|part| (&part.name, &part.content))).finish()
    }
}

/// One part of a [`Multipart`] form: what it holds, and what is said about it.
///
/// # Examples
///
/// ```
/// use std::fs::File;
/// use urlsession::{Body, Multipart, Part};
///
/// let thumbnail = Part::new(&b"\x89PNG"[..]).file_name("small.png");
/// let table = Part::text("a,b\n1,2\n").file_name("table.txt").content_type("text/csv");
/// // Opened each time it is sent, so it can be sent again.
/// let archive = Part::new(Body::opened_by(|| File::open("archive.tar")).with_length(10_240));
/// let form = Multipart::new()
///     .part("thumbnail", thumbnail)
///     .part("table", table)
///     .part("archive", archive.file_name("archive.tar"));
/// assert!(Body::from(form).length().is_some_and(|length| length > 10_240));
/// ```
#[derive(Clone)]
#[must_use]
pub struct Part {
    content: Body,
    file_name: Option<String>,
    headers: Headers,
    is_text: bool,
    /// The first thing that was wrong while building.
    wrong: Option<Error>,
}

impl Part {
    /// Makes a part of anything that can be a body: bytes, a file, a reader.
    ///
    /// It has no file name, and its type is the [body's](Body::media_type), or
    /// `application/octet-stream` as long as nothing else is said. A reader whose length is known should say so by
    /// [`Body::with_length`]: without it the whole form is sent chunked, which some servers
    /// do not take.
    pub fn new(content: impl Into<Body>) -> Self {
        let content = content.into();
        Self { content, file_name: None, headers: Headers::new(), is_text: false, wrong: None }
    }

    /// Makes a part of a text; without a file name it is sent without `Content-Type`.
    pub fn text(text: impl Into<String>) -> Self {
        Self { is_text: true, ..Self::new(text.into()) }
    }

    /// Makes a part of the file at `path`, with its name.
    ///
    /// It is as long as it is when the load begins, and opened when its turn comes. What
    /// the server sees of the path is its last component alone.
    pub fn file(path: impl AsRef<Path>) -> Self {
        let path = path.as_ref();
        let part = Self::new(Body::file(path));
        match path.file_name() {
            Some(name) => part.file_name(name.to_string_lossy()),
            None => part,
        }
    }

    /// Sets the file name that the server is told. It also decides the type by its
    /// extension, if that is common, unless [`content_type`](Self::content_type) is called.
    pub fn file_name(mut self, name: impl Into<String>) -> Self {
        self.file_name = Some(name.into());
        self
    }

    /// Sets the MIME type, with parameters if it has any.
    #[doc(alias = "mimeType")]
    pub fn content_type(self, mime_type: &str) -> Self {
        self.header("Content-Type", mime_type)
    }

    /// Sets a header of the part; earlier values of it are replaced.
    ///
    /// `Content-Disposition` follows from name and file name and cannot be set. What is
    /// wrong with a header is reported by the load.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let result = if name.eq_ignore_ascii_case("Content-Disposition") {
            let detail = "the header Content-Disposition follows from the name of a part";
            Err(Error::new(ErrorKind::InvalidRequest, detail))
        } else {
            self.headers.set(name, value)
        };
        if let Err(error) = result {
            self.wrong.get_or_insert(error);
        }
        self
    }
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Part")
            .field("file_name", &self.file_name)
            .field("headers", &self.headers)
            .field("content", &self.content)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
