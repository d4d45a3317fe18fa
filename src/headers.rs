//! Header fields in the order and the spelling in which they were written.
//!
//! All names and values stand in one string, and a line is two ranges in it, so a whole
//! head costs two allocations. Looking up is a walk: heads are short.

mod convert;
mod lists;
mod walk;

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use crate::error::{Error, ErrorKind};

pub use lists::HeaderFields;

/// The header fields of a request or a response.
///
/// Order and the spelling of names are kept; looking up ignores case. A field may occur
/// several times. Values that are not UTF-8 are read as ISO-8859-1, and are sent and
/// converted back as the bytes they were.
///
/// `Debug` shows names only, apart from some values that are known to be harmless.
///
/// # Examples
///
/// ```
/// use urlsession::Request;
///
/// let request = Request::get("http://shop.test/").header("X-Trace-ID", "7");
/// assert_eq!(request.headers().get("x-trace-id"), Some("7"));
/// assert_eq!(request.headers().iter().next(), Some(("X-Trace-ID", "7")));
/// ```
#[doc(alias = "allHTTPHeaderFields")]
#[doc(alias = "allHeaderFields")]
#[derive(Clone, Default)]
pub struct Headers {
    text: String,
    lines: Vec<Line>,
}

#[derive(Clone, Debug)]
struct Line {
    name: Span,
    value: Span,
    /// The value was not UTF-8 on the wire.
    latin1: bool,
    /// The program says that the value is secret.
    hidden: bool,
    /// It is no field, and never sent.
    wrong: bool,
}

/// How much text a program can give a list. A session adds its own list to a request's,
/// which 32 bits can still name.
const MOST_TEXT: usize = 1 << 30;

/// A range of the text: a head is at most 256 KiB, and a program's list is bounded too.
#[derive(Clone, Copy, Debug)]
struct Span {
    start: u32,
    end: u32,
}

impl Span {
    fn new(range: Range<usize>) -> Self {
        Self { start: range.start as u32, end: range.end as u32 }
    }

    fn moved(self, by: usize) -> Self {
        Self { start: self.start + by as u32, end: self.end + by as u32 }
    }

    fn len(self) -> usize {
        (self.end - self.start) as usize
    }

    fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

impl Line {
    fn name(&self) -> Range<usize> {
        self.name.range()
    }

    fn value(&self) -> Range<usize> {
        self.value.range()
    }
}

/// Fields whose values may be printed and logged; all others are hidden, so that a header
/// that becomes secret tomorrow is hidden today.
const HARMLESS: &[&str] = &[
    "accept",
    "accept-encoding",
    "accept-ranges",
    "age",
    "allow",
    "cache-control",
    "connection",
    "content-encoding",
    "content-language",
    "content-length",
    "content-range",
    "content-type",
    "date",
    "expect",
    "expires",
    "host",
    "keep-alive",
    "last-modified",
    "range",
    "retry-after",
    "server",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "vary",
];

impl Headers {
    /// Makes an empty list.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes an empty list with room for `lines` fields of `bytes` bytes together.
    pub(crate) fn with_capacity(lines: usize, bytes: usize) -> Self {
        Self { text: String::with_capacity(bytes), lines: Vec::with_capacity(lines) }
    }

    /// Returns the first value of the field `name`, in any case; [`joined`](Self::joined)
    /// returns all as one.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.find(name).map(|line| &self.text[line.value()])
    }

    /// Returns every value of the field `name`, in the order in which they were written.
    pub fn get_all<'a, 'n>(&'a self, name: &'n str) -> impl Iterator<Item = &'a str> + use<'a, 'n> {
        self.lines
            .iter()
            .filter(move |line| self.is_named(line, name))
            .map(|line| &self.text[line.value()])
    }

    /// Returns the bytes of every value of the field `name`, as they came.
    pub(crate) fn get_all_bytes<'a>(&'a self, name: &str) -> impl Iterator<Item = Cow<'a, [u8]>> {
        let lines = self.lines.iter().filter(move |line| self.is_named(line, name));
        lines.map(|line| bytes_of(&self.text[line.value()], line.latin1))
    }

    /// Returns the bytes of the first value of the field `name`, as they came.
    pub(crate) fn get_bytes(&self, name: &str) -> Option<Cow<'_, [u8]>> {
        self.find(name).map(|line| bytes_of(&self.text[line.value()], line.latin1))
    }

    fn find(&self, name: &str) -> Option<&Line> {
        self.lines.iter().find(|line| self.is_named(line, name))
    }

    fn is_named(&self, line: &Line, name: &str) -> bool {
        // As bytes: a range of text would be looked at for cut characters first.
        let text = self.text.as_bytes();
        line.name.len() == name.len() && text[line.name()].eq_ignore_ascii_case(name.as_bytes())
    }

    /// Returns whether the field `name` occurs, in any case.
    pub fn contains(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// Returns the number of fields, repeated ones counted each.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Returns whether there is no field.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Sets the field `name` to `value`: all its earlier values are removed.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidRequest`] if the name is not a token or the value contains a
    /// line break, a NUL or another control character; nothing is changed then.
    #[doc(alias = "setValue(_:forHTTPHeaderField:)")]
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), Error> {
        self.check_new(name, value)?;
        self.remove(name);
        self.push(name, value);
        Ok(())
    }

    /// Sets the field `name` to these bytes, which need not be text.
    pub(crate) fn set_bytes(&mut self, name: &str, value: &[u8]) -> Result<(), Error> {
        check(name, value)?;
        self.remove(name);
        self.push_bytes(name, value);
        Ok(())
    }

    /// Adds the field after all others, whether or not it occurs already.
    ///
    /// # Errors
    ///
    /// As [`set`](Self::set).
    #[doc(alias = "addValue(_:forHTTPHeaderField:)")]
    pub fn add(&mut self, name: &str, value: &str) -> Result<(), Error> {
        self.check_new(name, value)?;
        self.push(name, value);
        Ok(())
    }

    /// Refuses what is not well-formed, or more than ranges of 32 bits can name.
    fn check_new(&self, name: &str, value: &str) -> Result<(), Error> {
        check(name, value.as_bytes())?;
        if self.text.len().saturating_add(name.len()).saturating_add(value.len()) > MOST_TEXT {
            let detail = "the headers are larger than 1 GiB together";
            return Err(Error::new(ErrorKind::InvalidRequest, detail));
        }
        Ok(())
    }

    /// Removes every value of the field `name`, in any case; returns whether one was there.
    pub fn remove(&mut self, name: &str) -> bool {
        if !self.contains(name) {
            return false;
        }
        // The text is written anew: what was removed may be secret, and a list that lives
        // long must not grow with every change.
        let old = std::mem::take(self);
        self.text.reserve(old.text.len());
        for line in &old.lines {
            let (known, value) = (&old.text[line.name()], &old.text[line.value()]);
            if !known.eq_ignore_ascii_case(name) {
                self.push_line(known, line.latin1, |text| text.push_str(value));
                if let Some(kept) = self.lines.last_mut() {
                    (kept.hidden, kept.wrong) = (line.hidden, line.wrong);
                }
            }
        }
        true
    }

    /// Keeps the values of the field `name` out of `Debug`, harmless as its name may be.
    pub(crate) fn hide(&mut self, name: &str) {
        let text = &self.text;
        let same = |line: &&mut Line| text[line.name()].eq_ignore_ascii_case(name);
        self.lines.iter_mut().filter(same).for_each(|line| line.hidden = true);
    }

    /// Whether a value of the field `name` is kept out of `Debug` by [`hide`](Self::hide).
    pub(crate) fn is_hidden(&self, name: &str) -> bool {
        self.lines.iter().any(|line| line.hidden && self.is_named(line, name))
    }

    /// Adds all fields of `other`, as they are.
    pub(crate) fn append(&mut self, other: &Self) {
        let offset = self.text.len();
        self.text.push_str(&other.text);
        self.lines.extend(other.lines.iter().map(|line| Line {
            name: line.name.moved(offset),
            value: line.value.moved(offset),
            latin1: line.latin1,
            hidden: line.hidden,
            wrong: line.wrong,
        }));
    }

    /// Adds a field that is known to be well-formed.
    pub(crate) fn push(&mut self, name: &str, value: &str) {
        self.push_line(name, false, |text| text.push_str(value));
    }

    /// Adds a field as it came from the wire: UTF-8 stays, anything else is ISO-8859-1
    /// (RFC 9110 §5.5 leaves it open; Apple reads it so).
    pub(crate) fn push_bytes(&mut self, name: &str, value: &[u8]) {
        match std::str::from_utf8(value) {
            Ok(value) => self.push(name, value),
            Err(_) => self.push_line(name, true, |text| {
                text.extend(value.iter().map(|&byte| char::from(byte)));
            }),
        }
    }

    fn push_line(&mut self, name: &str, latin1: bool, write: impl FnOnce(&mut String)) {
        let start = self.text.len();
        self.text.push_str(name);
        let value = self.text.len();
        write(&mut self.text);
        let value = Span::new(value..self.text.len());
        self.lines.push(Line {
            name: Span::new(start..value.start as usize),
            value,
            latin1,
            hidden: false,
            wrong: false,
        });
    }

    /// Takes the text of a head as it came, and where in it each name and value is.
    pub(crate) fn from_text(
        text: &str,
        lines: impl ExactSizeIterator<Item = (Range<usize>, Range<usize>)>,
    ) -> Self {
        let lines = lines.map(|(name, value)| {
            let (name, value) = (Span::new(name), Span::new(value));
            Line { name, value, latin1: false, hidden: false, wrong: false }
        });
        Self { text: text.to_owned(), lines: lines.collect() }
    }

    /// Appends the fields as they go over the wire, `name: value` and CR LF each.
    pub(crate) fn write_to(&self, out: &mut Vec<u8>) {
        for line in self.lines.iter().filter(|line| !line.wrong) {
            out.extend_from_slice(self.text[line.name()].as_bytes());
            out.extend_from_slice(b": ");
            let value = &self.text[line.value()];
            if line.latin1 {
                out.extend(value.chars().map(|char| char as u8));
            } else {
                out.extend_from_slice(value.as_bytes());
            }
            out.extend_from_slice(b"\r\n");
        }
    }
}

/// Refuses what would let a caller's value become another header or another request.
fn check(name: &str, value: &[u8]) -> Result<(), Error> {
    if !is_token(name) {
        let detail = format!("{name:?} cannot be the name of a header: it is not a token");
        return Err(Error::new(ErrorKind::InvalidRequest, detail));
    }
    // RFC 9110 §5.5: no control character except the tab.
    if value.iter().any(|&byte| (byte < 0x20 && byte != b'\t') || byte == 0x7f) {
        let detail = format!("the value of the header {name} contains a control character");
        return Err(Error::new(ErrorKind::InvalidRequest, detail));
    }
    Ok(())
}

/// Returns whether this is a token (RFC 9110 §5.6.2).
pub(crate) fn is_token(text: &str) -> bool {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(token)
}

/// Returns whether the value of the field `name` may be printed.
fn is_harmless(name: &str) -> bool {
    HARMLESS.iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// Returns the bytes that a value came as: ISO-8859-1 is kept as text.
fn bytes_of(value: &str, latin1: bool) -> Cow<'_, [u8]> {
    if latin1 {
        Cow::Owned(value.chars().map(|c| c as u8).collect())
    } else {
        Cow::Borrowed(value.as_bytes())
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = self.lines.iter().map(|line| {
            let name = &self.text[line.name()];
            let shown = is_harmless(name) && !line.hidden;
            let value = if shown { &self.text[line.value()] } else { "***" };
            (name, value)
        });
        f.debug_map().entries(lines).finish()
    }
}

impl PartialEq for Headers {
    /// Same fields in the same order; the case of names does not count.
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len()
            && self
                .iter()
                .zip(other.iter())
                .all(|(one, two)| one.0.eq_ignore_ascii_case(two.0) && one.1 == two.1)
    }
}

impl Eq for Headers {}

#[cfg(test)]
mod tests;
