//! Lines of a journal, written and read: pure.

use std::ops::Range;

use crate::checksum::{crc32, crc32_of};

/// The first line without the version, and the version.
const MAGIC: &str = "urlsession-journal ";
const VERSION: u32 = 1;

/// How long the first line is with its line feed.
pub(super) const HEADER: usize = 47;

/// No number is larger, so that adding to one is safe.
const LAST_SEQUENCE: u64 = u64::MAX / 2;

/// Where the fields of a record begin, and its JSON.
const SEQUENCE: usize = 9;
const SUM: usize = 26;
pub(super) const JSON: usize = 35;

/// What the first line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Header {
    /// The number of the first record, and where that begins.
    Known { first: u64, end: usize },
    /// It was written by this newer version.
    Newer(u32),
    /// It is damaged, or something else.
    Unreadable,
}

/// A record among the bytes of a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) sequence: u64,
    /// Where its JSON lies.
    pub(super) json: Range<usize>,
    /// Whether a line feed follows.
    pub(super) is_ended: bool,
}

/// Writes the first line of a journal whose first record has that number.
pub(super) fn header(first: u64) -> String {
    let text = format!("{MAGIC}{VERSION} {first:016x}");
    format!("{text} {:08x}\n", crc32(text.as_bytes()))
}

/// Reads the first line.
pub(super) fn read_header(bytes: &[u8]) -> Header {
    known_header(bytes).unwrap_or(Header::Unreadable)
}

fn known_header(bytes: &[u8]) -> Option<Header> {
    // A longer one is none; whatever lies there is not searched to its end.
    const LONGEST: usize = 4096;
    let length = bytes.iter().take(LONGEST).position(|&byte| byte == b'\n')?;
    let (text, sum) = bytes[..length].split_at_checked(length.checked_sub(9)?)?;
    if number(sum.strip_prefix(b" ")?)? != u64::from(crc32(text)) {
        return None;
    }
    let fields = std::str::from_utf8(text).ok()?.strip_prefix(MAGIC)?;
    let (version, rest) = fields.split_once(' ').unwrap_or((fields, ""));
    match version.parse().ok()? {
        VERSION if rest.len() == 16 => {
            let first = number(rest.as_bytes()).filter(|first| *first <= LAST_SEQUENCE)?;
            Some(Header::Known { first, end: length + 1 })
        }
        newer if newer > VERSION => Some(Header::Newer(newer)),
        _ => None,
    }
}

/// Writes a record.
pub(super) fn line(sequence: u64, json: &[u8]) -> Vec<u8> {
    let digits = format!("{sequence:016x}");
    let sum = crc32_of(&[digits.as_bytes(), json]);
    let mut line = format!("{:08x} {digits} {sum:08x} ", json.len()).into_bytes();
    line.reserve_exact(json.len() + 1);
    line.extend_from_slice(json);
    line.push(b'\n');
    line
}

/// Reads the record that begins at `at`, if one does.
pub(super) fn read_line(bytes: &[u8], at: usize) -> Option<Line> {
    let line = bytes.get(at..)?;
    let blanks = [SEQUENCE, SUM, JSON].map(|field| line.get(field - 1));
    if blanks != [Some(&b' '); 3] {
        return None;
    }
    let length = usize::try_from(number(&line[..SEQUENCE - 1])?).ok()?;
    let digits = &line[SEQUENCE..SUM - 1];
    let end = JSON.checked_add(length)?;
    let json = line.get(JSON..end)?;
    if number(&line[SUM..JSON - 1])? != u64::from(crc32_of(&[digits, json])) {
        return None;
    }
    let sequence = number(digits).filter(|sequence| *sequence <= LAST_SEQUENCE)?;
    let is_ended = line.get(end) == Some(&b'\n');
    Some(Line { sequence, json: at + JSON..at + end, is_ended })
}

/// Reads hexadecimal digits as they are written here: anything else is damage.
fn number(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0, |number: u64, digit| {
        let digit = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        number.checked_mul(16).map(|number| number | u64::from(digit))
    })
}
