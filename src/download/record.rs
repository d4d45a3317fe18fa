//! What is written down of a download that has begun: lines of text.
//!
//! ```text
//! urlsession-resume: 1
//! url: https://shop.test/film.mp4?key=7
//! header: Accept-Language: de
//! omitted: Authorization
//! final-url: https://cdn.shop.test/film.mp4
//! etag: "a7"
//! last-modified: Sun, 06 Nov 1994 08:49:37 GMT
//! date: Mon, 07 Nov 1994 10:00:00 GMT
//! coding: gzip
//! total: 1000
//! received: 700
//! range: 800-899
//! expected-length: 1000
//! expected-sha256: 64 hexadecimal digits
//! file: /caches/urlsession/urlsession-0123456789abcdef.part
//! device: 66310
//! inode: 131
//! length: 700
//! modified: 1796000000000000000
//! place: /films/film.mp4
//! replaces: yes
//! check: 89abcdef
//! ```
//!
//! Each line ends with a line feed. `header`, `omitted` and `range` may be there several times, or
//! not at all, as may all others but the first, `url`, `final-url`, `received`, `file` to
//! `modified`, and `check`, the last: the CRC-32 of all that comes before that line, in eight
//! hexadecimal digits. In paths, bytes that are not printable ASCII, and `%`, are written as in
//! URLs. A reader passes over lines that it does not know; what it has to know has another version.
//!
//! `received` counts the bytes that are there from the first on, and each `range` has the first and
//! the last byte of what is there behind these, in their order. A record with one has version 2,
//! as the file that it is of has holes: who knows nothing of them must not go on with it.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use super::digest::Digest;
use super::entity::Entity;
use super::expected::Expected;
use super::range::number;
use super::ranges::Ranges;
use crate::checksum::crc32;
use crate::error::{Error, ErrorKind};
use crate::files::{Existing, Stamp};

/// The first line without the version, the version, and that of a file with holes.
const MAGIC: &str = "urlsession-resume: ";
const VERSION: u32 = 1;
const WITH_RANGES: u32 = 2;

/// Nothing that is written down is longer: a URL of 64 KiB, and headers.
pub(super) const LONGEST: u64 = 1024 * 1024;

/// What is known of a download that has begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) url: String,
    pub(super) headers: Vec<(String, String)>,
    /// The names of headers that were secret.
    pub(super) omitted: Vec<String>,
    pub(super) final_url: String,
    pub(super) entity: Entity,
    /// How much is there from the first byte on.
    pub(super) received: u64,
    /// What is there behind that.
    pub(super) ranges: Ranges,
    pub(super) expected: Expected,
    pub(super) file: PathBuf,
    pub(super) stamp: Stamp,
    pub(super) place: Option<(PathBuf, Existing)>,
}

impl Record {
    /// Returns how many bytes are there.
    pub(super) fn count(&self) -> u64 {
        self.received + self.ranges.count()
    }

    /// Returns where the last of them ends.
    pub(super) fn end(&self) -> u64 {
        self.ranges.end().unwrap_or(self.received)
    }

    /// Writes it down; `None` if a path cannot be.
    pub(super) fn to_text(&self) -> Option<String> {
        let version = if self.ranges.is_empty() { VERSION } else { WITH_RANGES };
        let mut text = format!("{MAGIC}{version}\n");
        let mut line = |name: &str, value: &dyn std::fmt::Display| {
            // Writing to a string does not fail.
            let _ = writeln!(text, "{name}: {value}");
        };
        line("url", &self.url);
        for (name, value) in &self.headers {
            line("header", &format_args!("{name}: {value}"));
        }
        self.omitted.iter().for_each(|name| line("omitted", name));
        line("final-url", &self.final_url);
        let Entity { etag, last_modified, date, coding, total } = &self.entity;
        let fields = [("etag", etag), ("last-modified", last_modified), ("date", date)];
        for (name, value) in fields {
            value.iter().for_each(|value| line(name, value));
        }
        if !coding.is_empty() {
            line("coding", coding);
        }
        total.iter().for_each(|total| line("total", total));
        line("received", &self.received);
        for range in self.ranges.iter() {
            line("range", &format_args!("{}-{}", range.start, range.end - 1));
        }
        self.expected.length.iter().for_each(|length| line("expected-length", length));
        if let Some(digest) = &self.expected.digest {
            line(&format!("expected-{}", digest.name()), &digest.digits());
        }
        line("file", &escaped(&self.file)?);
        line("device", &self.stamp.device);
        line("inode", &self.stamp.inode);
        line("length", &self.stamp.length);
        line("modified", &self.stamp.modified);
        if let Some((path, existing)) = &self.place {
            line("place", &escaped(path)?);
            if *existing == Existing::Replace {
                line("replaces", &"yes");
            }
        }
        let check = crc32(text.as_bytes());
        let _ = writeln!(text, "check: {check:08x}");
        Some(text)
    }

    /// Whether a newer version has written it.
    pub(super) fn is_newer(text: &str) -> bool {
        version(text).is_some_and(|version| version > WITH_RANGES)
    }

    /// Reads what was written down.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::CannotResume`], which says what is wrong.
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        match version(text) {
            Some(VERSION | WITH_RANGES) => {}
            Some(version) if version > WITH_RANGES => {
                return Err(refused(format!(
                    "was written by a newer version: it has format {version}, and {WITH_RANGES} \
                     is known here"
                )));
            }
            _ => return Err(refused(format!("does not begin with \"{MAGIC}{VERSION}\""))),
        }
        let body = checked(text)?;
        let mut fields = Fields::of(body)?;
        let record = Self {
            url: fields.text("url")?,
            headers: fields.headers()?,
            omitted: fields.all("omitted"),
            final_url: fields.text("final-url")?,
            entity: Entity {
                etag: fields.optional("etag"),
                last_modified: fields.optional("last-modified"),
                date: fields.optional("date"),
                coding: fields.optional("coding").unwrap_or_default(),
                total: fields.parsed("total")?,
            },
            received: fields.required("received")?,
            ranges: fields.ranges()?,
            expected: Expected {
                length: fields.parsed("expected-length")?,
                digest: fields.digest()?,
            },
            file: fields.path("file")?.ok_or_else(|| missing("file"))?,
            stamp: Stamp {
                device: fields.required("device")?,
                inode: fields.required("inode")?,
                length: fields.required("length")?,
                modified: fields.required("modified")?,
            },
            place: fields.path("place")?.map(|path| {
                let replaces = fields.optional("replaces").as_deref() == Some("yes");
                (path, if replaces { Existing::Replace } else { Existing::Refuse })
            }),
        };
        if record.end() > record.stamp.length {
            return Err(refused("counts more bytes than its file has"));
        }
        record.check_ranges()?;
        Ok(record)
    }
}

impl Record {
    /// Ranges are what is there of a whole of a known length, with something missing before each.
    fn check_ranges(&self) -> Result<(), Error> {
        let is_behind = self.ranges.start().is_none_or(|start| start > self.received);
        let is_within = match (self.ranges.end(), self.entity.total) {
            (Some(end), Some(total)) => end <= total,
            (end, _) => end.is_none(),
        };
        if is_behind && is_within { Ok(()) } else { Err(refused("has ranges that do not fit")) }
    }
}

fn version(text: &str) -> Option<u32> {
    text.lines().next()?.strip_prefix(MAGIC)?.parse().ok()
}

/// The error of what cannot be gone on with, and why.
pub(super) fn refused(why: impl std::fmt::Display) -> Error {
    let detail = format!("the resume data {why}: begin the download anew");
    Error::new(ErrorKind::CannotResume, detail)
}

fn missing(name: &str) -> Error {
    refused(format!("has no line \"{name}\""))
}

/// Returns all but the last line, if that fits the rest.
fn checked(text: &str) -> Result<&str, Error> {
    let broken = || refused("is cut short or was changed: its checksum is wrong");
    let (body, last) = text
        .strip_suffix('\n')
        .and_then(|text| text.rfind('\n').map(|end| text.split_at(end + 1)))
        .ok_or_else(broken)?;
    let check = last.strip_prefix("check: ").filter(|digits| digits.len() == 8);
    let check = check.and_then(|digits| u32::from_str_radix(digits, 16).ok());
    if check == Some(crc32(body.as_bytes())) { Ok(body) } else { Err(broken()) }
}

/// The lines, by name.
struct Fields<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Fields<'a> {
    fn of(body: &'a str) -> Result<Self, Error> {
        let fields = body.lines().map(|line| line.split_once(": "));
        let all: Option<Vec<_>> = fields.collect();
        all.map(Self).ok_or_else(|| refused("has a line without a name"))
    }

    fn all(&self, name: &str) -> Vec<String> {
        let named = self.0.iter().filter(|(known, _)| *known == name);
        named.map(|(_, value)| (*value).to_owned()).collect()
    }

    fn optional(&self, name: &str) -> Option<String> {
        self.get(name).map(str::to_owned)
    }

    fn get(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }

    fn text(&self, name: &str) -> Result<String, Error> {
        self.optional(name).ok_or_else(|| missing(name))
    }

    fn parsed<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, Error> {
        let wrong = |_| refused(format!("has no number in the line \"{name}\""));
        self.get(name).map(|value| value.parse().map_err(wrong)).transpose()
    }

    fn required<T: std::str::FromStr>(&self, name: &str) -> Result<T, Error> {
        self.parsed(name)?.ok_or_else(|| missing(name))
    }

    fn headers(&self) -> Result<Vec<(String, String)>, Error> {
        let split = |line: String| {
            let parts =
                line.split_once(": ").map(|(name, value)| (name.to_owned(), value.to_owned()));
            parts.ok_or_else(|| refused("has a header without a value"))
        };
        self.all("header").into_iter().map(split).collect()
    }

    fn ranges(&self) -> Result<Ranges, Error> {
        let wrong = || refused("has a range that is none");
        let read = |line: &str| {
            let (first, last) = line.split_once('-')?;
            let (first, last) = (number(first)?, number(last)?);
            (first <= last).then(|| Some(first..last.checked_add(1)?))?
        };
        self.all("range").iter().map(|line| read(line).ok_or_else(wrong)).collect()
    }

    fn digest(&self) -> Result<Option<Digest>, Error> {
        let found = Digest::NAMES.iter().find_map(|name| {
            let digits = self.get(&format!("expected-{name}"))?;
            Some(Digest::parse(name, digits))
        });
        found.transpose()
    }

    fn path(&mut self, name: &str) -> Result<Option<PathBuf>, Error> {
        let read = |value| unescaped(value).ok_or_else(|| refused("has a path that is none"));
        self.get(name).map(read).transpose()
    }
}

/// Writes a path as printable ASCII; `None` if it is one that cannot be, as Windows has them.
fn escaped(path: &Path) -> Option<String> {
    use percent_encoding::{AsciiSet, CONTROLS, percent_encode};
    const PATH: &AsciiSet = &CONTROLS.add(b'%');
    #[cfg(unix)]
    let bytes = std::os::unix::ffi::OsStrExt::as_bytes(path.as_os_str());
    #[cfg(not(unix))]
    let bytes = path.to_str()?.as_bytes();
    Some(percent_encode(bytes, PATH).to_string())
}

fn unescaped(text: &str) -> Option<PathBuf> {
    let bytes: Vec<u8> = percent_encoding::percent_decode_str(text).collect();
    #[cfg(unix)]
    let path =
        PathBuf::from(<std::ffi::OsString as std::os::unix::ffi::OsStringExt>::from_vec(bytes));
    #[cfg(not(unix))]
    let path = PathBuf::from(String::from_utf8(bytes).ok()?);
    path.is_absolute().then_some(path)
}

#[cfg(test)]
mod tests;
