//! Heads that are not written as they should be: many lines, folded lines, bad lines.
//!
//! `httparse` reads almost every head, and refuses some that browsers and curl take. Those
//! come here. A line that is none is left out, unless it could be one that says where the
//! message ends: who reads that differently from others on the way is who answers are
//! smuggled past. Nothing is copied but what is kept.

use std::fmt;

use http::{StatusCode, Version};

use super::grammar::{is_text, is_token};
use crate::error::{Error, ErrorKind};
use crate::headers::Headers;
use crate::log;
use crate::wire::Head;

/// How many lines that are left out are named in the log.
const MOST_NAMED: usize = 8;

/// How much of a line is shown.
const SHOWN: usize = 60;

/// Reads a head that is whole, with the empty line that ends it.
///
/// # Errors
///
/// [`ErrorKind::CannotParseResponse`], with the line that is to blame.
pub(super) fn read(head: &[u8]) -> Result<Head, Error> {
    // RFC 9112 §2.2: an empty line before the first one is passed over.
    let begin = head.iter().position(|byte| !matches!(byte, b'\r' | b'\n')).unwrap_or(head.len());
    let mut lines = head[begin..].split(|&byte| byte == b'\n').map(without_cr);
    let first = lines.next().unwrap_or_default();
    let (status, version) = status_line(first).ok_or_else(|| {
        refused("does not begin with a status line of HTTP/1.1 or HTTP/1.0", first)
    })?;
    let mut reading = Reading::new(head.len());
    for line in lines.take_while(|line| !line.is_empty()) {
        reading.take(line)?;
    }
    Ok(Head { status, version, headers: reading.end()? })
}

/// RFC 9112 §2.2: a line ends with CR LF, or with LF alone.
fn without_cr(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Reads a status line (RFC 9112 §4). Its reason may be anything that others do not take for
/// the end of the line: nobody reads it.
fn status_line(line: &[u8]) -> Option<(StatusCode, Version)> {
    let (version, rest) = line.split_at_checked(9)?;
    let version = match version {
        b"HTTP/1.1 " => Version::HTTP_11,
        b"HTTP/1.0 " => Version::HTTP_10,
        _ => return None,
    };
    let (digits, reason) = rest.split_at_checked(3)?;
    let is_separate = matches!(reason.first(), None | Some(b' '));
    let ends_otherwise = reason.iter().any(|byte| matches!(byte, b'\r' | 0));
    let status = StatusCode::from_bytes(digits).ok()?;
    (is_separate && !ends_otherwise).then_some((status, version))
}

/// The header lines of a head, one after the other.
struct Reading<'a> {
    headers: Headers,
    /// The last line, which the next one may continue.
    open: Option<Field<'a>>,
    left_out: usize,
}

/// A header line with those that continue it.
struct Field<'a> {
    line: &'a [u8],
    /// The value with its continuations, if it has any.
    folded: Option<Vec<u8>>,
    /// It is no header line.
    is_bad: bool,
}

impl<'a> Reading<'a> {
    fn new(bytes: usize) -> Self {
        Self { headers: Headers::with_capacity(0, bytes), open: None, left_out: 0 }
    }

    fn take(&mut self, line: &'a [u8]) -> Result<(), Error> {
        if line.starts_with(b" ") || line.starts_with(b"\t") {
            return self.fold(line);
        }
        self.close()?;
        let is_bad = parts(line).is_none_or(|(name, _)| !is_name(name));
        self.open = Some(Field { line, folded: None, is_bad });
        Ok(())
    }

    /// RFC 9112 §5.2: a line that begins with space continues the one before; together they
    /// are one value, joined by a space.
    fn fold(&mut self, line: &'a [u8]) -> Result<(), Error> {
        let Some(field) = &mut self.open else {
            // RFC 9112 §2.2: what stands before the first header line is passed over.
            self.open = Some(Field { line, folded: None, is_bad: true });
            return Ok(());
        };
        if field.is_bad {
            // It belongs to a line that is left out.
            return check(line);
        }
        let (name, value) = parts(field.line).unwrap_or_default();
        // Not all who read these lines join them.
        if frames(name) {
            return Err(refused("continues on another line what says where it ends", field.line));
        }
        let folded = field.folded.get_or_insert_with(|| trimmed(value).to_vec());
        let more = trimmed(line);
        if !folded.is_empty() && !more.is_empty() {
            folded.push(b' ');
        }
        folded.extend_from_slice(more);
        Ok(())
    }

    /// Nothing continues the last line any more.
    fn close(&mut self) -> Result<(), Error> {
        let Some(Field { line, folded, is_bad }) = self.open.take() else { return Ok(()) };
        let (name, value) = parts(line).unwrap_or_default();
        let value = folded.as_deref().unwrap_or_else(|| trimmed(value));
        if let (false, Ok(name)) =
            (is_bad || !value.iter().all(|&byte| is_text(byte)), std::str::from_utf8(name))
        {
            self.headers.push_bytes(name, value);
            return Ok(());
        }
        check(line)?;
        // What continues a line begins none, but what stands behind a bare CR in it may.
        let behind_cr = value.iter().position(|&byte| byte == b'\r');
        behind_cr.map_or(Ok(()), |at| check(&value[at + 1..]))?;
        self.left_out += 1;
        if self.left_out <= MOST_NAMED {
            // What stands behind the first word may be a secret.
            let word = line.split(|byte| byte.is_ascii_whitespace()).next().unwrap_or_default();
            let shown = Shown(if parts(line).is_some() { name } else { word });
            log::warn!("the server's answer has a header line that is none; left out: {shown}");
        }
        Ok(())
    }

    fn end(mut self) -> Result<Headers, Error> {
        self.close()?;
        if let others @ 1.. = self.left_out.saturating_sub(MOST_NAMED) {
            log::warn!("left out as well: {others} more lines of the server's answer");
        }
        Ok(self.headers)
    }
}

/// Divides a line into the name and what stands behind the colon.
fn parts(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = line.iter().position(|&byte| byte == b':')?;
    Some((&line[..colon], &line[colon + 1..]))
}

/// RFC 9110 §5.6.3: without the blanks around it.
fn trimmed(value: &[u8]) -> &[u8] {
    let is_dark = |byte: &u8| !matches!(byte, b' ' | b'\t');
    let Some(begin) = value.iter().position(is_dark) else { return &[] };
    let end = value.iter().rposition(is_dark).map_or(begin, |last| last + 1);
    &value[begin..end]
}

fn is_name(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().all(|&byte| is_token(byte))
}

/// The fields that say where a message ends (RFC 9112 §6), and their letters alone.
const FRAMING: [(&str, &str); 2] =
    [("content-length", "contentlength"), ("transfer-encoding", "transferencoding")];

/// Whether a field of this name says where the message ends.
fn frames(name: &[u8]) -> bool {
    FRAMING.iter().any(|(name_of_one, _)| name.eq_ignore_ascii_case(name_of_one.as_bytes()))
}

/// Refuses a line that is to be left out and that somebody could read as one which says where
/// the message ends: with another idea of what a space, an odd byte, a bare CR or a missing
/// colon means.
fn check(line: &[u8]) -> Result<(), Error> {
    // RFC 9112 §2.2: to some, a bare CR ends a line.
    if line.split(|&byte| byte == b'\r').any(could_frame) {
        return Err(refused("has a broken line that may say where it ends", line));
    }
    Ok(())
}

fn could_frame(line: &[u8]) -> bool {
    match parts(line) {
        Some((name, _)) => {
            FRAMING.iter().any(|(_, spelt)| letters(name).eq(spelt.bytes()))
                || name.split(|&byte| !is_token(byte)).any(frames)
        }
        // Nobody knows where the name ends.
        None => FRAMING.iter().any(|(_, spelt)| letters(line).take(spelt.len()).eq(spelt.bytes())),
    }
}

/// Returns the letters in it, in lower case.
fn letters(bytes: &[u8]) -> impl Iterator<Item = u8> {
    let letters = bytes.iter().filter(|byte| byte.is_ascii_alphabetic());
    letters.map(u8::to_ascii_lowercase)
}

/// An error that shows the line.
pub(super) fn refused(why: &str, line: &[u8]) -> Error {
    let line = line.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let detail = format!("the server's answer {why}: {}", Shown(without_cr(line)));
    Error::new(ErrorKind::CannotParseResponse, detail)
}

/// Displays the beginning of a line, without control characters.
struct Shown<'a>(&'a [u8]);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let begin = &self.0[..self.0.len().min(SHOWN)];
        let more = if begin.len() < self.0.len() { "…" } else { "" };
        write!(f, "\"{}{more}\"", begin.escape_ascii())
    }
}

#[cfg(test)]
mod tests;
