//! Header fields in the order and the spelling in which they were written.
//!
//! All names and values stand in one string, and a line is two ranges in it, so a whole
//! head costs two allocations. Looking up is a walk: heads are short.

use std::fmt;
use std::ops::Range;

use crate::error::{Error, ErrorKind};

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

#[derive(Clone)]
struct Line {
    /// Where the name begins in the text; it ends where the value begins.
    start: u32,
    value: u32,
    end: u32,
    /// The value was not UTF-8 on the wire.
    latin1: bool,
}

impl Line {
    fn name(&self) -> Range<usize> {
        self.start as usize..self.value as usize
    }

    fn value(&self) -> Range<usize> {
        self.value as usize..self.end as usize
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

    /// Returns the first value of the field `name`, in any case.
    #[doc(alias = "value(forHTTPHeaderField:)")]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.find(name).map(|line| &self.text[line.value()])
    }

    /// Returns every value of the field `name`, in the order in which they were written.
    pub fn get_all<'a, 'n>(&'a self, name: &'n str) -> impl Iterator<Item = &'a str> + use<'a, 'n> {
        self.lines
            .iter()
            .filter(move |line| self.text[line.name()].eq_ignore_ascii_case(name))
            .map(|line| &self.text[line.value()])
    }

    fn find(&self, name: &str) -> Option<&Line> {
        self.lines.iter().find(|line| self.text[line.name()].eq_ignore_ascii_case(name))
    }

    /// Returns whether the field `name` occurs, in any case.
    pub fn contains(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// Returns every field, name as written and value, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.lines.iter().map(|line| (&self.text[line.name()], &self.text[line.value()]))
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
        check(name, value)?;
        self.remove(name);
        self.push(name, value);
        Ok(())
    }

    /// Adds the field after all others, whether or not it occurs already.
    ///
    /// # Errors
    ///
    /// As [`set`](Self::set).
    #[doc(alias = "addValue(_:forHTTPHeaderField:)")]
    pub fn add(&mut self, name: &str, value: &str) -> Result<(), Error> {
        check(name, value)?;
        self.push(name, value);
        Ok(())
    }

    /// Removes every value of the field `name`, in any case; returns whether one was there.
    pub fn remove(&mut self, name: &str) -> bool {
        let before = self.lines.len();
        let text = &self.text;
        self.lines.retain(|line| !text[line.name()].eq_ignore_ascii_case(name));
        self.lines.len() < before
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
        // A head is at most 256 KiB and a request's URL and headers are held in memory
        // by the caller as well, so 32 bits are plenty.
        let start = self.text.len() as u32;
        self.text.push_str(name);
        let value = self.text.len() as u32;
        write(&mut self.text);
        self.lines.push(Line { start, value, end: self.text.len() as u32, latin1 });
    }

    /// Appends the fields as they go over the wire, `name: value` and CR LF each.
    pub(crate) fn write_to(&self, out: &mut Vec<u8>) {
        for line in &self.lines {
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
fn check(name: &str, value: &str) -> Result<(), Error> {
    // RFC 9110 §5.6.2: token.
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || !name.bytes().all(token) {
        let detail = format!("{name:?} cannot be the name of a header: it is not a token");
        return Err(Error::new(ErrorKind::InvalidRequest, detail));
    }
    // RFC 9110 §5.5: no control character except the tab.
    if value.bytes().any(|byte| (byte < 0x20 && byte != b'\t') || byte == 0x7f) {
        let detail = format!("the value of the header {name} contains a control character");
        return Err(Error::new(ErrorKind::InvalidRequest, detail));
    }
    Ok(())
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |name: &str| HARMLESS.iter().any(|known| name.eq_ignore_ascii_case(known));
        let lines = self.iter().map(|(name, value)| {
            let value = if shown(name) { value } else { "***" };
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

impl From<&http::HeaderMap> for Headers {
    fn from(map: &http::HeaderMap) -> Self {
        let mut headers = Self::with_capacity(map.len(), 32 * map.len());
        for (name, value) in map {
            headers.push_bytes(name.as_str(), value.as_bytes());
        }
        headers
    }
}

impl From<&Headers> for http::HeaderMap {
    /// Names become lower-case, as that crate's names are; a field it cannot hold, which
    /// no field of a valid head is, is left out.
    fn from(headers: &Headers) -> Self {
        let mut map = Self::with_capacity(headers.len());
        for line in &headers.lines {
            let value = &headers.text[line.value()];
            let value = if line.latin1 {
                http::HeaderValue::from_bytes(&value.chars().map(|c| c as u8).collect::<Vec<_>>())
            } else {
                http::HeaderValue::from_bytes(value.as_bytes())
            };
            let name = http::HeaderName::from_bytes(headers.text[line.name()].as_bytes());
            if let (Ok(name), Ok(value)) = (name, value) {
                map.append(name, value);
            }
        }
        map
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spelling_and_order_stay_while_lookup_ignores_case() {
        let mut headers = Headers::new();
        headers.add("X-Trace", "1").unwrap();
        headers.add("accept", "*/*").unwrap();
        headers.add("x-TRACE", "2").unwrap();
        assert_eq!(headers.get("x-trace"), Some("1"));
        assert_eq!(headers.get_all("X-TRACE").collect::<Vec<_>>(), ["1", "2"]);
        let mut wire = Vec::new();
        headers.write_to(&mut wire);
        assert_eq!(wire, b"X-Trace: 1\r\naccept: */*\r\nx-TRACE: 2\r\n");
        headers.set("X-trace", "3").unwrap();
        let all: Vec<_> = headers.iter().collect();
        assert_eq!(all, [("accept", "*/*"), ("X-trace", "3")]);
        assert!(headers.remove("ACCEPT") && !headers.contains("accept"));
    }

    #[test]
    fn nothing_can_be_smuggled_into_a_header() {
        for (name, value) in [
            ("", "x"),
            ("a b", "x"),
            ("a:", "x"),
            ("a\r\n", "x"),
            ("ä", "x"),
            ("a\0", "x"),
            ("a", "x\r\ny: z"),
            ("a", "x\ny"),
            ("a", "x\ry"),
            ("a", "\0"),
            ("a", "\x7f"),
            ("a", "\x1b"),
        ] {
            let mut headers = Headers::new();
            let error = headers.add(name, value).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{name:?}: {value:?}");
            assert!(headers.set(name, value).is_err() && headers.is_empty());
        }
        assert!(Headers::new().add("a", "tab\tand ünïcode ok").is_ok());
    }

    #[test]
    fn bytes_that_are_not_utf8_survive_there_and_back() {
        let mut headers = Headers::new();
        headers.push_bytes("X-Name", b"caf\xe9");
        headers.push_bytes("X-Utf8", "café".as_bytes());
        assert_eq!(headers.get("x-name"), Some("café"));
        assert_eq!(headers.get("x-utf8"), Some("café"));
        let mut wire = Vec::new();
        headers.write_to(&mut wire);
        assert_eq!(wire, b"X-Name: caf\xe9\r\nX-Utf8: caf\xc3\xa9\r\n");
        let map = http::HeaderMap::from(&headers);
        assert_eq!(map["x-name"].as_bytes(), b"caf\xe9");
        assert_eq!(Headers::from(&map), headers);
    }

    #[test]
    fn debug_hides_all_values_that_are_not_known_to_be_harmless() {
        let mut headers = Headers::new();
        headers.add("Authorization", "Bearer s3cret").unwrap();
        headers.add("X-Api-Key", "s3cret").unwrap();
        headers.add("Content-Type", "text/plain").unwrap();
        let shown = format!("{headers:?}");
        assert!(!shown.contains("s3cret") && shown.contains("text/plain"), "{shown}");
    }
}
