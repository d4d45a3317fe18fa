//! Reading a request from its first byte to its last.

use super::head::{self, Framing, Head};
use super::{Hold, Link, Shared, Trouble, hold, piece_at, time_at};
use crate::testing::answer::Portion;
use crate::testing::recorded::Body;

/// The longest line that may announce a chunk.
const CHUNK_LINE: usize = 4096;

/// Reads a head; none if the client closed in place of sending one.
pub(in crate::testing) fn head(
    link: &mut Link,
    limit: usize,
) -> Result<Option<(Head, Vec<u8>)>, Trouble> {
    let mut seen = 0;
    loop {
        let bytes = link.buffered();
        if let Some(end) = end_of_head(bytes, seen)? {
            let bytes = bytes[..end].to_vec();
            link.consume(end);
            let head = head::parse(&bytes).map_err(Trouble::Malformed)?;
            return Ok(Some((head, bytes)));
        }
        seen = bytes.len();
        if seen > limit {
            return Err(Trouble::Malformed(format!("the head is longer than {limit} bytes")));
        }
        match (link.fill()?, seen) {
            (0, 0) => return Ok(None),
            (0, _) => return Err(Trouble::Gone),
            _ => {}
        }
    }
}

/// Finds the end of a head, of which `seen` bytes were searched before.
fn end_of_head(bytes: &[u8], seen: usize) -> Result<Option<usize>, Trouble> {
    for at in (seen..bytes.len()).filter(|at| bytes[*at] == b'\n') {
        // A bare LF could hide the end that the client means: better to say so than to wait.
        if at == 0 || bytes[at - 1] != b'\r' {
            return Err(Trouble::Malformed("a line of the head ends without CR".into()));
        }
        if bytes[..=at].ends_with(b"\r\n\r\n") {
            return Ok(Some(at + 1));
        }
    }
    Ok(None)
}

/// Waits for a request and reads `count` bytes of it, or less if the client sends less.
pub(in crate::testing) fn skip(link: &mut Link, count: u64) -> Result<(), Trouble> {
    let mut left = count;
    loop {
        let here = link.buffered().len() as u64;
        link.consume(here.min(left) as usize);
        left = left.saturating_sub(here);
        if here > 0 && left == 0 {
            return Ok(());
        }
        if link.fill()? == 0 {
            return Err(Trouble::Gone);
        }
    }
}

/// Reads a body into `body`, as far as `portion` says; tells whether it is complete.
///
/// What has arrived is in `body` also when this fails.
pub(in crate::testing) fn body(
    link: &mut Link,
    shared: &Shared,
    framing: Framing,
    body: &mut Body,
    portion: Portion,
) -> Result<bool, Trouble> {
    let mut reading = Reading { link, shared, body, portion };
    match framing {
        Framing::Nothing => Ok(true),
        Framing::Length(length) => reading.take(length),
        Framing::Chunked => reading.chunks(),
    }
}

struct Reading<'a> {
    link: &'a mut Link,
    shared: &'a Shared,
    body: &'a mut Body,
    portion: Portion,
}

impl Reading<'_> {
    /// Reads `length` bytes of content; false if it stopped before.
    fn take(&mut self, length: u64) -> Result<bool, Trouble> {
        let mut left = length;
        while left > 0 {
            if self.portion.stall.take_if(|at| *at <= self.body.length).is_some() {
                hold(self.link, self.shared, Hold::WithoutReading)?;
            }
            let wanted = left.min(self.allowance());
            if wanted == 0 {
                return Ok(false);
            }
            if self.link.buffered().is_empty() {
                self.link.expect_much();
                self.fill()?;
            }
            let count = self.absorb(wanted);
            left -= count;
            if let Some(rate) = self.portion.bytes_per_second {
                hold(self.link, self.shared, Hold::WithoutReadingFor(time_at(rate, count)))?;
            }
        }
        Ok(true)
    }

    /// How many bytes may be read before something else is to be done.
    fn allowance(&self) -> u64 {
        let to = |at: u64| at - self.body.length;
        let piece = self.portion.bytes_per_second.map_or(u64::MAX, piece_at);
        to(self.portion.stop).min(self.portion.stall.map_or(u64::MAX, to)).min(piece)
    }

    /// Moves at most `wanted` buffered bytes into the body.
    fn absorb(&mut self, wanted: u64) -> u64 {
        let bytes = self.link.buffered();
        let count = bytes.len().min(usize::try_from(wanted).unwrap_or(usize::MAX));
        let room = self.shared.limits.body_limit.saturating_sub(self.body.kept.len());
        self.body.kept.extend_from_slice(&bytes[..count.min(room)]);
        self.body.length += count as u64;
        self.link.consume(count);
        self.shared.change(|state| state.stats.body_bytes += count as u64);
        count as u64
    }

    /// RFC 9112 §7.1.
    fn chunks(&mut self) -> Result<bool, Trouble> {
        loop {
            let line = self.line(CHUNK_LINE)?;
            let size = chunk_size(&line).map_err(Trouble::Malformed)?;
            if size == 0 {
                return self.trailers();
            }
            self.body.chunk_sizes.push(size);
            if !self.take(size)? {
                return Ok(false);
            }
            if !self.line(2)?.is_empty() {
                return Err(Trouble::Malformed("a chunk is longer than announced".into()));
            }
        }
    }

    fn trailers(&mut self) -> Result<bool, Trouble> {
        loop {
            let line = self.line(self.shared.limits.head_limit)?;
            if line.is_empty() {
                return Ok(true);
            }
            self.body.trailers.push(head::field(&line).map_err(Trouble::Malformed)?);
        }
    }

    /// Reads a line and takes its CRLF off.
    fn line(&mut self, limit: usize) -> Result<Vec<u8>, Trouble> {
        loop {
            let bytes = self.link.buffered();
            if let Some(at) = bytes.iter().position(|byte| *byte == b'\n') {
                let line = bytes[..at].strip_suffix(b"\r").map(<[u8]>::to_vec);
                self.link.consume(at + 1);
                return line.ok_or_else(|| {
                    Trouble::Malformed("a line of the chunked body ends without CR".into())
                });
            }
            if bytes.len() >= limit {
                return Err(Trouble::Malformed(format!(
                    "no CRLF within {limit} bytes of the chunked body"
                )));
            }
            self.fill()?;
        }
    }

    fn fill(&mut self) -> Result<(), Trouble> {
        match self.link.fill()? {
            0 => Err(Trouble::Gone),
            _ => Ok(()),
        }
    }
}

/// Hexadecimal digits, behind which extensions may stand.
fn chunk_size(line: &[u8]) -> Result<u64, String> {
    let wrong = || format!("a chunk is announced by {:?}", String::from_utf8_lossy(line));
    let text = std::str::from_utf8(line).map_err(|_| wrong())?;
    let digits = text.split_once(';').map_or(text, |(digits, _)| digits);
    // from_str_radix would take a sign.
    match digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        true => u64::from_str_radix(digits, 16).map_err(|_| wrong()),
        false => Err(wrong()),
    }
}
