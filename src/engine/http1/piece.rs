//! One piece of a body on its way out, framed.

use crate::body::OpenBody;
use crate::error::{Error, ErrorKind};

/// How much of a body is read at a time.
pub(super) const PIECE: usize = 64 * 1024;

/// Room for the size line of a chunk before its content, and for what follows it.
const CHUNK_START: usize = 10;
const CHUNK_END: &[u8] = b"\r\n";

/// One piece of a body, framed.
#[derive(Debug)]
pub(super) struct Piece {
    bytes: Vec<u8>,
    /// How many bytes of something else stand first.
    head: usize,
    /// Where what has still to be sent begins.
    start: usize,
    /// How many bytes of the body are in it.
    content: usize,
}

impl Piece {
    /// A piece that goes out behind what is in `out`.
    pub(super) fn behind(out: Vec<u8>) -> Self {
        Self { head: out.len(), bytes: out, start: 0, content: 0 }
    }

    /// Forgets what is in it; keeps the memory.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        (self.head, self.start, self.content) = (0, 0, 0);
    }

    /// What has still to be sent.
    pub(super) fn rest(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    /// Notes that `count` bytes more are on their way.
    pub(super) fn advance(&mut self, count: usize) {
        self.start += count;
    }

    /// How many bytes of the body are in it.
    pub(super) fn content(&self) -> usize {
        self.content
    }

    /// Reads the next piece; returns whether it is the last. `None`: nothing is there yet.
    ///
    /// `left` is how much of an announced length is still to come; a body without one is
    /// chunked (RFC 9112 §7.1).
    pub(super) fn read(
        &mut self,
        body: &mut OpenBody,
        left: &mut Option<u64>,
    ) -> Result<Option<bool>, Error> {
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
            pieces.push(piece.rest().to_vec());
            if last {
                return Ok(pieces);
            }
            piece.clear();
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
