//! Sending a request: its head, and its body while watching for an early answer.

use std::mem;
use std::time::Duration;

use super::codec::{self, Sending};
use super::head::{self, Heard, Informational};
use crate::body::OpenBody;
use crate::engine::connection::{Connection, Parcel};
use crate::engine::sendfile::{self, Sendfile, Turn};
use crate::error::{Error, ErrorKind, Stage};
use crate::wire::{Context, Head, WireRequest};

/// A body of at most this size goes out with the head in one write: the system takes as
/// much without waiting, so nothing can be missed meanwhile.
const SMALL: usize = 16 * 1024;

/// How much of a larger body is sent at a time.
const PIECE: usize = 64 * 1024;

/// Room for the size line of a chunk before its content, and for what follows it.
const CHUNK_START: usize = 10;
const CHUNK_END: &[u8] = b"\r\n";

/// RFC 9110 §10.1.1: a client does not wait for a 100 indefinitely. curl waits as long.
const PATIENCE_FOR_100: Duration = Duration::from_secs(1);

/// What came back, and whether the request went out whole.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) head: Head,
    pub(super) whole: bool,
}

/// Sends `request` over `connection` and receives the head of the answer.
pub(super) fn exchange(
    connection: &mut Connection,
    request: &WireRequest<'_>,
    context: &Context,
) -> Result<Sent, Error> {
    let body = request.body.map(|body| body.open()).transpose()?;
    let sending = match &body {
        None => Sending::Nothing,
        Some(body) => {
            context.sends(body.length);
            body.length.map_or(Sending::Chunked, Sending::Length)
        }
    };
    let mut out = connection.take_outbox();
    codec::write_head(request, sending, &mut out);
    let mut sender = Sender { connection, informational: Informational::default(), context };
    let early = match body {
        None => sender.send_small(out, &[])?,
        // RFC 9110 §10.1.1: there is nothing to wait with if there is nothing to send.
        Some(body) if expects_100(request) && sending != Sending::Length(0) => {
            sender.send_expecting(out, body, sending)?
        }
        Some(body) => match body.small(SMALL) {
            Some(bytes) => sender.send_small(out, bytes)?,
            None => sender.send_watching(out, body, sending)?,
        },
    };
    match early {
        Some(head) => Ok(Sent { head, whole: false }),
        None => {
            let head = sender.receive().map_err(|error| error.at(Stage::WaitingForResponse))?;
            Ok(Sent { head, whole: true })
        }
    }
}

fn expects_100(request: &WireRequest<'_>) -> bool {
    let mut values = request.headers.get_all("expect");
    values.any(|value| value.eq_ignore_ascii_case("100-continue"))
}

struct Sender<'a> {
    connection: &'a mut Connection,
    informational: Informational,
    context: &'a Context,
}

/// What became of sending: `None` if all went out, else the answer that came first.
type Early = Result<Option<Head>, Error>;

impl Sender<'_> {
    fn receive(&mut self) -> Result<Head, Error> {
        head::receive(self.connection, &mut self.informational, self.context)
    }

    /// Sends head and body in one write.
    fn send_small(&mut self, mut out: Vec<u8>, body: &[u8]) -> Early {
        out.extend_from_slice(body);
        let sent = self.connection.write_all(&out, self.context);
        self.connection.return_outbox(out);
        match sent {
            Ok(()) if body.is_empty() => Ok(None),
            Ok(()) => self.context.sent(body.len()).map(|()| None),
            Err(error) => self.answer_to_a_broken_request(error),
        }
    }

    /// Sends the head, waits for the server's leave, and sends the body.
    fn send_expecting(&mut self, out: Vec<u8>, body: OpenBody, sending: Sending) -> Early {
        if let Some(head) = self.send_small(out, &[])? {
            return Ok(Some(head));
        }
        let idle = self.context.idle.min(PATIENCE_FOR_100);
        let patience = Context { idle, ..self.context.clone() };
        loop {
            let heard = head::receive_next(self.connection, &mut self.informational, &patience);
            match heard {
                Ok(Heard::Informational(100)) => break,
                Ok(Heard::Informational(_)) => {}
                Ok(Heard::Final(head)) => return Ok(Some(head)),
                // Whose time it was that ran out shows at the next wait.
                Err(error) if error.kind() == ErrorKind::TimedOut => break,
                Err(error) => return Err(error.at(Stage::WaitingForResponse)),
            }
        }
        self.send_watching(Vec::new(), body, sending)
    }

    /// Sends what is in `out` and then the body, piece by piece, and stops as soon as the
    /// server gives its final answer.
    fn send_watching(&mut self, out: Vec<u8>, body: OpenBody, sending: Sending) -> Early {
        self.connection.set_nonblocking(true)?;
        let early = self.send_pieces(out, body, sending);
        let early = match early {
            Err(error) if error.kind() == ErrorKind::NetworkConnectionLost => {
                self.connection.set_nonblocking(false)?;
                return self.answer_to_a_broken_request(error);
            }
            early => early?,
        };
        self.connection.set_nonblocking(false)?;
        Ok(early)
    }

    fn send_pieces(&mut self, out: Vec<u8>, mut body: OpenBody, sending: Sending) -> Early {
        let mut piece = Piece::behind(out);
        let mut left = match sending {
            Sending::Length(length) => Some(length),
            _ => None,
        };
        let mut may_send_file = true;
        loop {
            let last = match self.fill(&mut piece, &mut body, &mut left)? {
                Filling::Done(last) => last,
                Filling::Interrupted(head) => return Ok(Some(head)),
            };
            let (start, content) = (piece.start, piece.content);
            let mut parcel = Parcel::new(piece.bytes, start);
            while !parcel.is_sent() {
                // Several heads may have come in one piece.
                if self.connection.inbox().is_empty() {
                    self.connection.push(&mut parcel, self.context)?;
                }
                if !parcel.is_sent()
                    && let Some(head) = self.hear()?
                {
                    return Ok(Some(head));
                }
            }
            self.context.sent(content)?;
            if last {
                return Ok(None);
            }
            piece = Piece::in_memory(parcel.bytes);
            if let (Some(file), Some(left)) = (body.file(), &mut left)
                && mem::take(&mut may_send_file)
                && let Some(file) = Sendfile::of(file, *left)
                && let Some(head) = self.send_file(&file, left)?
            {
                return Ok(Some(head));
            }
        }
    }

    /// Reads the next piece of a body, which may have to be waited for.
    fn fill(
        &mut self,
        piece: &mut Piece,
        body: &mut OpenBody,
        left: &mut Option<u64>,
    ) -> Result<Filling, Error> {
        let wait = self.context.wait();
        loop {
            if let Some(last) = piece.read(body, left)? {
                return Ok(Filling::Done(last));
            }
            if let Some(pipe) = body.waits_for()
                && self.connection.hears_beside(pipe, &wait, self.context)?
                && let Some(head) = self.hear()?
            {
                return Ok(Filling::Interrupted(head));
            }
        }
    }

    /// Sends a file without reading it, up to its last piece or to where the system refuses
    /// to. What is left is read, which also finds out whether the file still is as long as
    /// was announced.
    fn send_file(&mut self, file: &Sendfile<'_>, left: &mut u64) -> Early {
        while *left > PIECE as u64 {
            // Several heads may have come in one piece.
            if self.connection.inbox().is_empty() {
                let most = sendfile::at_a_time(*left - PIECE as u64);
                match self.connection.push_file(file, most, self.context)? {
                    Turn::Refused => break,
                    // The server has said something, or has left.
                    Turn::Sent(0) => {}
                    Turn::Sent(count) => {
                        *left -= count as u64;
                        self.context.sent(count)?;
                        continue;
                    }
                }
            }
            if let Some(head) = self.hear()? {
                return Ok(Some(head));
            }
        }
        Ok(None)
    }

    /// The server has begun to say something while the body goes out.
    fn hear(&mut self) -> Result<Option<Head>, Error> {
        self.connection.set_nonblocking(false)?;
        let heard = head::receive_next(self.connection, &mut self.informational, self.context)?;
        self.connection.set_nonblocking(true)?;
        match heard {
            Heard::Final(head) => Ok(Some(head)),
            Heard::Informational(_) => Ok(None),
        }
    }

    /// The server has stopped listening. It may have said why: an answer that it sent
    /// before it closed is worth more than the news that it has closed.
    fn answer_to_a_broken_request(&mut self, error: Error) -> Early {
        if error.kind() != ErrorKind::NetworkConnectionLost {
            return Err(error);
        }
        match self.receive() {
            Ok(head) => Ok(Some(head)),
            Err(later) if later.kind() == ErrorKind::NetworkConnectionLost => Err(error),
            Err(later) => Err(later),
        }
    }
}

/// What became of reading a piece.
enum Filling {
    /// It is there; whether it is the last one.
    Done(bool),
    /// The server's answer came first.
    Interrupted(Head),
}

/// One piece of a body, framed.
struct Piece {
    bytes: Vec<u8>,
    /// How many bytes of something else stand first.
    head: usize,
    /// Where what has to be sent begins.
    start: usize,
    /// How many bytes of the body are in it.
    content: usize,
}

impl Piece {
    fn behind(out: Vec<u8>) -> Self {
        Self { head: out.len(), bytes: out, start: 0, content: 0 }
    }

    /// A piece with nothing before it, in memory that an earlier one leaves.
    fn in_memory(bytes: Vec<u8>) -> Self {
        Self { bytes, head: 0, start: 0, content: 0 }
    }

    /// Reads the next piece; returns whether it is the last. `None`: nothing is there yet.
    ///
    /// `left` is how much of an announced length is still to come; a body without one is
    /// chunked (RFC 9112 §7.1).
    fn read(&mut self, body: &mut OpenBody, left: &mut Option<u64>) -> Result<Option<bool>, Error> {
        match left {
            Some(left) => self.read_sized(body, left),
            None => self.read_chunk(body),
        }
    }

    fn read_sized(&mut self, body: &mut OpenBody, left: &mut u64) -> Result<Option<bool>, Error> {
        let wanted = usize::try_from(*left).unwrap_or(usize::MAX).min(PIECE);
        self.bytes.resize(self.head + wanted, 0);
        let read = if wanted == 0 { Some(0) } else { body.read(&mut self.bytes[self.head..])? };
        self.content = read.unwrap_or(0);
        self.bytes.truncate(self.head + self.content);
        *left -= self.content as u64;
        if *left > 0 {
            return match read {
                Some(0) => Err(wrong_length("shorter")),
                read => Ok(read.map(|_| false)),
            };
        }
        match body.read(&mut [0])? {
            Some(0) => Ok(Some(true)),
            Some(_) => Err(wrong_length("longer")),
            // What there is goes out before its end is known.
            None => Ok((self.content > 0).then_some(false)),
        }
    }

    fn read_chunk(&mut self, body: &mut OpenBody) -> Result<Option<bool>, Error> {
        let content = self.head + CHUNK_START;
        self.bytes.resize(content + PIECE, 0);
        let Some(read) = body.read(&mut self.bytes[content..])? else {
            self.bytes.truncate(self.head);
            return Ok(None);
        };
        self.bytes.truncate(content + read);
        self.content = read;
        let size = format!("{read:x}\r\n");
        // The size line goes right before the content, and the head right before it.
        let before = content - size.len();
        self.bytes[before..content].copy_from_slice(size.as_bytes());
        self.start = before - self.head;
        self.bytes.copy_within(..self.head, self.start);
        // A chunk of no bytes is the last; an empty trailer section follows.
        self.bytes.extend_from_slice(CHUNK_END);
        Ok(Some(read == 0))
    }
}

fn wrong_length(how: &str) -> Error {
    let detail = format!("the body to send is {how} than its announced length");
    Error::new(ErrorKind::InvalidRequest, detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::Body;

    fn pieces(body: Body, announced: Option<u64>) -> Result<Vec<Vec<u8>>, Error> {
        let (mut body, mut left, mut pieces) = (body.open()?, announced, Vec::new());
        let mut piece = Piece::behind(b"HEAD".to_vec());
        loop {
            let last = piece.read(&mut body, &mut left)?.unwrap();
            pieces.push(piece.bytes[piece.start..].to_vec());
            if last {
                return Ok(pieces);
            }
            piece = Piece::in_memory(piece.bytes);
        }
    }

    #[test]
    fn the_first_piece_goes_out_behind_the_head() {
        let chunked = pieces(Body::from("hello"), None).unwrap();
        assert_eq!(chunked, [&b"HEAD5\r\nhello\r\n"[..], b"0\r\n\r\n"]);
        assert_eq!(pieces(Body::from("hello"), Some(5)).unwrap(), [b"HEADhello"]);
        assert_eq!(pieces(Body::from(""), None).unwrap(), [b"HEAD0\r\n\r\n"]);
        assert_eq!(pieces(Body::from(""), Some(0)).unwrap(), [b"HEAD"]);
    }

    #[test]
    fn a_large_body_is_sent_whole_in_pieces() {
        let body: Vec<u8> = (0..200_000u32).map(|at| at as u8).collect();
        let sized = pieces(Body::from(body.clone()), Some(200_000)).unwrap();
        assert_eq!(sized.concat()[4..], body);
        assert_eq!(sized.len(), 4);
        let chunked = pieces(Body::from(body), None).unwrap();
        assert!(chunked[0].starts_with(b"HEAD10000\r\n"));
        assert_eq!(chunked.last().unwrap(), b"0\r\n\r\n");
    }

    #[test]
    fn a_body_of_another_length_than_announced_is_an_error() {
        for (announced, how) in [(4, "longer"), (6, "shorter")] {
            let error = pieces(Body::from("hello"), Some(announced)).unwrap_err();
            assert!(error.to_string().contains(how), "{error}");
        }
    }
}
