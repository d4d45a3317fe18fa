//! Writing an answer as its plan says, faults included.

use super::{Hold, Link, Shared, Trouble, hold, piece_at, time_at};
use crate::testing::answer::{Answer, AnswerFraming, Content, Ending};
use crate::testing::fault::Cut;

/// The size of the pieces in which long bodies are written.
const PIECE: usize = 64 * 1024;

/// What an answer depends on.
#[derive(Clone, Copy, Debug)]
pub(in crate::testing) struct RequestFacts {
    pub(in crate::testing) connection: u64,
    pub(in crate::testing) is_head: bool,
    pub(in crate::testing) is_connect: bool,
    pub(in crate::testing) wants_close: bool,
    /// Whether the request is over, so that the answer's last byte makes the connection idle.
    pub(in crate::testing) is_over: bool,
}

/// Writes the 1xx answers that belong before (`early`) or behind the request's body.
pub(in crate::testing) fn informational(
    link: &mut Link,
    answer: &Answer,
    early: bool,
) -> Result<(), Trouble> {
    for one in answer.informational.iter().filter(|one| one.early == early) {
        let mut out = Vec::new();
        status_line(&mut out, "HTTP/1.1", one.status, None);
        for (name, value) in &one.headers {
            field(&mut out, name, value.as_bytes());
        }
        out.extend_from_slice(b"\r\n");
        link.write_all(&out)?;
    }
    Ok(())
}

/// Writes an answer; tells what is to become of the connection.
///
/// `out` is a buffer to reuse; head and small bodies go out of it in one write.
pub(in crate::testing) fn answer(
    link: &mut Link,
    shared: &Shared,
    answer: &Answer,
    request: RequestFacts,
    out: &mut Vec<u8>,
) -> Result<Ending, Trouble> {
    out.clear();
    Sending { link, shared, answer, request, out }.all()
}

struct Sending<'a> {
    link: &'a mut Link,
    shared: &'a Shared,
    answer: &'a Answer,
    request: RequestFacts,
    out: &'a mut Vec<u8>,
}

impl Sending<'_> {
    fn all(&mut self) -> Result<Ending, Trouble> {
        let answer = self.answer;
        informational(self.link, answer, false)?;
        if let Some(delay) = answer.head_delay {
            self.hold(Hold::For(delay))?;
        }
        if answer.stalls_before_head {
            self.hold(Hold::UntilReleased)?;
        }
        if let Some(ending) = answer.skips_to {
            return Ok(ending);
        }
        if !matches!(answer.content, Content::Raw(_)) {
            self.head();
        }
        if answer.stalls_after_head {
            self.flush()?;
            self.hold(Hold::UntilReleased)?;
        }
        if !self.is_bodiless()
            && let Some(ending) = self.body()?
        {
            return Ok(ending);
        }
        if self.request.is_over {
            // Before the last write: when the client has the whole answer, the connection counts
            // as idle already, and a test can close it without a race.
            let connection = self.request.connection;
            self.shared.change(|state| state.set_idle(connection, true));
        }
        self.flush()?;
        self.shared.change(|state| state.stats.answers += 1);
        Ok(self.ending())
    }

    fn hold(&mut self, how: Hold) -> Result<(), Trouble> {
        hold(self.link, self.shared, how)
    }

    fn flush(&mut self) -> Result<(), Trouble> {
        if !self.out.is_empty() {
            self.link.write_all(self.out)?;
            self.out.clear();
        }
        Ok(())
    }

    fn head(&mut self) {
        let answer = self.answer;
        status_line(self.out, answer.version, answer.status, answer.reason.as_deref());
        for (name, value) in &answer.headers {
            field(self.out, name, value);
        }
        if let Some((name, value)) = self.framing() {
            field(self.out, name, value.as_bytes());
        }
        let closes = answer.framing == AnswerFraming::UntilClose
            || (self.request.wants_close && answer.ending.is_none());
        if closes && !answer.names("Connection") {
            field(self.out, "Connection", b"close");
        }
        self.out.extend_from_slice(b"\r\n");
    }

    /// The field that says where the body ends, unless the plan brings its own.
    fn framing(&self) -> Option<(&'static str, String)> {
        let answer = self.answer;
        // RFC 9110 §8.6, RFC 9112 §6.1: neither field in 1xx, 204 and successful CONNECT.
        let none = self.opens_tunnel()
            || matches!(answer.status, 100..=199 | 204)
            || answer.names("Content-Length")
            || answer.names("Transfer-Encoding");
        match (answer.framing, answer.content.length()) {
            _ if none => None,
            (AnswerFraming::Length, Some(0)) if answer.status == 304 => None,
            (AnswerFraming::Length, Some(length)) => Some(("Content-Length", length.to_string())),
            (AnswerFraming::Announced(length), _) => Some(("Content-Length", length.to_string())),
            (AnswerFraming::Chunked(_), _) => Some(("Transfer-Encoding", "chunked".to_owned())),
            (AnswerFraming::Length | AnswerFraming::UntilClose | AnswerFraming::Nothing, _) => None,
        }
    }

    fn opens_tunnel(&self) -> bool {
        self.answer.takeover.is_some()
            || (self.request.is_connect && matches!(self.answer.status, 200..=299))
    }

    fn is_bodiless(&self) -> bool {
        match self.answer.content {
            Content::Raw(_) => false,
            _ => {
                self.request.is_head
                    || self.opens_tunnel()
                    || matches!(self.answer.status, 100..=199 | 204 | 304)
            }
        }
    }

    /// Writes the body up to its end or the first fault that ends it.
    fn body(&mut self) -> Result<Option<Ending>, Trouble> {
        let answer = self.answer;
        let source = Source::new(&answer.content);
        let mut cuts = answer.cuts.iter().peekable();
        let chunk = match answer.framing {
            AnswerFraming::Chunked(size) if !source.is_raw => Some(size),
            _ => None,
        };
        let (mut written, mut left_in_chunk) = (0, 0);
        loop {
            while let Some((_, cut)) = cuts.next_if(|(at, _)| *at <= written) {
                self.flush()?;
                match *cut {
                    Cut::Delay(delay) => self.hold(Hold::For(delay))?,
                    Cut::Stall => self.hold(Hold::UntilReleased)?,
                    Cut::Truncate => return Ok(Some(Ending::Close)),
                    Cut::Reset => return Ok(Some(Ending::Reset)),
                }
            }
            let mut count = source.length.map_or(u64::MAX, |length| length - written);
            if count == 0 {
                break;
            }
            if let Some(size) = chunk {
                if left_in_chunk == 0 {
                    left_in_chunk = size.min(count);
                    self.out.extend_from_slice(format!("{left_in_chunk:x}\r\n").as_bytes());
                }
                count = count.min(left_in_chunk);
            }
            count = count.min(cuts.peek().map_or(u64::MAX, |(at, _)| *at - written));
            count = count.min(self.drip_size()).min(PIECE as u64);
            let is_last = source.length == Some(written + count);
            self.piece(source.piece(written, count as usize), is_last)?;
            written += count;
            if chunk.is_some() {
                left_in_chunk -= count;
                if left_in_chunk == 0 {
                    self.out.extend_from_slice(b"\r\n");
                }
            }
            self.drip(count, is_last)?;
        }
        if chunk.is_some() {
            self.out.extend_from_slice(b"0\r\n");
            for (name, value) in &answer.trailers {
                field(self.out, name, value.as_bytes());
            }
            self.out.extend_from_slice(b"\r\n");
        }
        Ok(None)
    }

    /// Writes a piece, or keeps it for the next write: the last one always, so that
    /// [`all`](Self::all) writes it.
    fn piece(&mut self, bytes: &[u8], is_last: bool) -> Result<(), Trouble> {
        if self.out.is_empty() && bytes.len() == PIECE && !is_last {
            return Ok(self.link.write_all(bytes)?);
        }
        if self.out.len() + bytes.len() > PIECE {
            self.flush()?;
        }
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    fn drip_size(&self) -> u64 {
        self.answer.bytes_per_second.map_or(u64::MAX, piece_at)
    }

    /// Waits as long as `count` bytes take at the answer's rate.
    fn drip(&mut self, count: u64, is_last: bool) -> Result<(), Trouble> {
        match self.answer.bytes_per_second {
            Some(rate) if !is_last => {
                self.flush()?;
                self.hold(Hold::For(time_at(rate, count)))
            }
            _ => Ok(()),
        }
    }

    fn ending(&self) -> Ending {
        let answer = self.answer;
        if let Some(ending) = answer.ending {
            return ending;
        }
        let announced_more = match (answer.framing, answer.content.length()) {
            (AnswerFraming::Announced(more), Some(length)) => more > length && !self.is_bodiless(),
            _ => false,
        };
        let closes = announced_more
            || answer.framing == AnswerFraming::UntilClose
            || (answer.framing == AnswerFraming::Nothing && !self.is_bodiless())
            || matches!(answer.content, Content::Raw(_))
            || self.request.wants_close
            || answer.says_close();
        if closes { Ending::Close } else { Ending::Keep }
    }
}

/// Where the pieces of a body are cut from.
struct Source<'a> {
    content: &'a Content,
    length: Option<u64>,
    is_raw: bool,
    /// A pattern, repeated so often that a piece can start anywhere in it.
    repeated: Vec<u8>,
}

impl<'a> Source<'a> {
    fn new(content: &'a Content) -> Self {
        let repeated = match content {
            Content::Pattern(pattern, length) => {
                let longest = length.map_or(PIECE, |length| length.min(PIECE as u64) as usize);
                pattern.iter().copied().cycle().take(longest + pattern.len()).collect()
            }
            Content::Bytes(_) | Content::Raw(_) => Vec::new(),
        };
        let is_raw = matches!(content, Content::Raw(_));
        Self { content, length: content.length(), is_raw, repeated }
    }

    fn piece(&self, from: u64, count: usize) -> &[u8] {
        match self.content {
            Content::Bytes(bytes) | Content::Raw(bytes) => &bytes[from as usize..][..count],
            Content::Pattern(pattern, _) => {
                &self.repeated[(from % pattern.len() as u64) as usize..][..count]
            }
        }
    }
}

fn status_line(out: &mut Vec<u8>, version: &str, status: u16, reason: Option<&str>) {
    let reason = reason.unwrap_or_else(|| usual_reason(status));
    out.extend_from_slice(version.as_bytes());
    out.extend_from_slice(format!(" {status} {reason}\r\n").as_bytes());
}

fn field(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

/// RFC 9110 §15; others have an empty phrase, which is allowed.
fn usual_reason(status: u16) -> &'static str {
    match status {
        100 => "Continue",
        101 => "Switching Protocols",
        103 => "Early Hints",
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        206 => "Partial Content",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        416 => "Range Not Satisfiable",
        417 => "Expectation Failed",
        421 => "Misdirected Request",
        425 => "Too Early",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "",
    }
}
