//! Receiving the head of the answer.

use super::codec::{read_head, status_of};
use super::duplex::Duplex;
use super::lenient;
use crate::error::{Error, ErrorKind};
use crate::log;
use crate::wire::{Context, Head};

/// The largest head, and the largest that all informational ones together may be.
const MAXIMUM_HEAD: usize = 256 * 1024;

/// Up to which length what has arrived is looked at for a head that is whole.
const LIKELY_WHOLE: usize = 64 * 1024;

/// Counts the bytes that came before the final head.
#[derive(Debug, Default)]
pub(super) struct Informational {
    bytes: usize,
}

impl Informational {
    fn note(&mut self, bytes: usize) -> Result<(), Error> {
        self.bytes += bytes;
        if self.bytes > MAXIMUM_HEAD {
            let detail = "the server sent more than 256 KiB of informational answers";
            return Err(Error::new(ErrorKind::BadServerResponse, detail));
        }
        Ok(())
    }
}

/// One head that was received.
#[derive(Debug)]
pub(super) enum Heard {
    /// A 1xx; more will come.
    Informational(u16),
    /// The answer.
    Final(Head),
}

/// Receives the final head; informational ones are counted and dropped.
pub(super) fn receive(
    duplex: &mut Duplex,
    informational: &mut Informational,
    context: &Context,
) -> Result<Head, Error> {
    loop {
        if let Heard::Final(head) = receive_next(duplex, informational, context)? {
            return Ok(head);
        }
    }
}

/// Receives one head. If waiting for it fails, what has arrived stays, and a later call
/// goes on.
pub(super) fn receive_next(
    duplex: &mut Duplex,
    informational: &mut Informational,
    context: &Context,
) -> Result<Heard, Error> {
    if duplex.inbox().is_empty() && duplex.fill(context)? == 0 {
        return Err(closed(&[]));
    }
    // Almost every final head comes in one piece, and the codec alone looks at it.
    let arrived = duplex.inbox().filled();
    if status_of(arrived).is_some_and(|status| status >= 200)
        && arrived.len() <= LIKELY_WHOLE
        && let Some((head, length)) = read_head(arrived)
    {
        duplex.inbox().consume(length);
        return Ok(Heard::Final(head));
    }
    let end = find_end(duplex, context)?;
    let head = &duplex.inbox().filled()[..end];
    let heard = match status_of(head.trim_ascii_start()) {
        Some(101) => {
            let detail = "the server switches to another protocol (101), and HTTP/1.1 alone is \
                          spoken here: send no Upgrade header";
            return Err(Error::new(ErrorKind::BadServerResponse, detail));
        }
        Some(status @ 100..=199) => {
            informational.note(end)?;
            log::trace!("informational answer {status}");
            // A broken one is not worth an error, as nobody waits for it.
            if let Ok(head) = read_whole(head) {
                context.informed(head);
            }
            Heard::Informational(status)
        }
        _ => Heard::Final(read_whole(head)?),
    };
    duplex.inbox().consume(end);
    Ok(heard)
}

/// Reads a head whose end is known.
pub(super) fn read_whole(head: &[u8]) -> Result<Head, Error> {
    match read_head(head) {
        Some((head, _)) => Ok(head),
        None => lenient::read(head),
    }
}

/// Receives until a whole head is in the inbox; returns where it ends.
fn find_end(duplex: &mut Duplex, context: &Context) -> Result<usize, Error> {
    let mut scan = Scan::default();
    loop {
        if let Some(end) = scan.look(duplex.inbox().filled())? {
            return Ok(end);
        }
        if duplex.fill(context)? == 0 {
            return Err(closed(duplex.inbox().filled()));
        }
    }
}

fn closed(arrived: &[u8]) -> Error {
    let detail = if arrived.is_empty() {
        "the server closed the connection without an answer"
    } else {
        "the server closed the connection in the middle of the answer's head"
    };
    Error::new(ErrorKind::NetworkConnectionLost, detail)
}

/// Finds the end of a head in bytes that arrive bit by bit.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// How far it has looked.
    at: usize,
    /// Where the current line begins.
    line: usize,
    /// A line that is not empty has come.
    begun: bool,
}

impl Scan {
    /// Looks at all that has arrived; returns where the head ends, if it does.
    pub(super) fn look(&mut self, bytes: &[u8]) -> Result<Option<usize>, Error> {
        while let Some(length) = bytes[self.at..].iter().position(|&byte| byte == b'\n') {
            let end = self.at + length + 1;
            // Lines are ended by a bare LF as well (RFC 9112 §2.2), and empty lines
            // before the status line are skipped. One of spaces continues a header line.
            let line = &bytes[self.line..end];
            check_length(end)?;
            if self.begun && matches!(line, b"\r\n" | b"\n") {
                return Ok(Some(end));
            }
            self.begun |= !line.trim_ascii().is_empty();
            (self.at, self.line) = (end, end);
        }
        self.at = bytes.len();
        check_length(bytes.len())?;
        let first = bytes.trim_ascii_start();
        let known = first.len().min(5);
        if first[..known] != b"HTTP/"[..known] {
            // RFC 8446 §5.1, §6: a server of TLS refuses plain HTTP with an alert.
            return Err(if first.starts_with(&[21, 3]) {
                let detail = "the server's answer is TLS; should the URL begin with https?";
                Error::new(ErrorKind::CannotParseResponse, detail)
            } else {
                lenient::refused("does not begin as HTTP does", first)
            });
        }
        Ok(None)
    }
}

fn check_length(head: usize) -> Result<(), Error> {
    if head > MAXIMUM_HEAD {
        let detail = "the head of the server's answer is longer than 256 KiB";
        return Err(Error::new(ErrorKind::BadServerResponse, detail));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scans `bytes` as if they arrived in two pieces, at every place.
    fn end_of(bytes: &[u8]) -> Option<usize> {
        let whole = Scan::default().look(bytes).unwrap();
        for split in 0..bytes.len() {
            let mut scan = Scan::default();
            let early = scan.look(&bytes[..split]).unwrap();
            assert_eq!(early.or_else(|| scan.look(bytes).unwrap()), whole, "split at {split}");
        }
        whole
    }

    #[test]
    fn the_end_of_a_head_is_the_first_empty_line_behind_the_status() {
        for (bytes, end) in [
            ("HTTP/1.1 200 OK\r\nA: b\r\n\r\nbody", Some(25)),
            ("\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", Some(23)),
            ("HTTP/1.1 200 OK\nA: b\n\nbody", Some(22)),
            ("HTTP/1.1 200 OK\r\n\nbody", Some(18)),
            ("HTTP/1.1 200 OK\r\nA: b\r\n \r\n\r\nbody", Some(28)),
            ("HTTP/1.1 200 OK\r\n\t\n\r\r\n\r\nbody", Some(24)),
            (" \r\nHTTP/1.1 200 OK\r\n\r\n", Some(22)),
            ("HTTP/1.1 200 OK\r\nA: b\r\n", None),
            ("HT", None),
            ("", None),
        ] {
            assert_eq!(end_of(bytes.as_bytes()), end, "{bytes:?}");
        }
    }

    #[test]
    fn what_is_not_http_or_too_long_is_refused_as_soon_as_it_shows() {
        let line = format!("HTTP/1.1 200 OK\r\nA: {}", "x".repeat(MAXIMUM_HEAD));
        let lines = "A: bcdefgh\r\n".repeat(MAXIMUM_HEAD / 12 + 1);
        let block = format!("HTTP/1.1 200 OK\r\n{lines}");
        for (bytes, kind) in [
            ("SSH-2.0-OpenSSH", ErrorKind::CannotParseResponse),
            ("\x15\x03\x01", ErrorKind::CannotParseResponse),
            ("HTTQ", ErrorKind::CannotParseResponse),
            (&*line, ErrorKind::BadServerResponse),
            (&*block, ErrorKind::BadServerResponse),
        ] {
            let error = Scan::default().look(bytes.as_bytes()).unwrap_err();
            assert_eq!(error.kind(), kind, "{}", &bytes[..3]);
        }
    }
}
