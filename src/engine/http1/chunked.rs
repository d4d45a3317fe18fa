//! Reads the chunked coding (RFC 9112 §7.1).
//!
//! [`Dechunker`] sees the bytes of a connection in pieces and finds the body among them. It
//! copies nothing, and where it stands in the middle of a chunk, the caller may read
//! [`data_left`](Dechunker::data_left) bytes from the socket straight to where they are
//! wanted and only [`consume`](Dechunker::consume) them here.

use std::mem;
use std::ops::Range;

use super::grammar::is_text;
use crate::error::{Error, ErrorKind, Stage};
use crate::headers::{Headers, is_token};

/// A size has as many digits as 64 bits need.
const MOST_DIGITS: u8 = 16;

/// How long the line of a chunk's size may be, extensions included.
const LONGEST_SIZE_LINE: usize = 4 * 1024;

/// How many bytes of trailers may follow the last chunk.
const LONGEST_TRAILERS: usize = 64 * 1024;

/// What a piece of the connection's bytes has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Bytes of the body are here in the piece. What stands before them is dealt with; they
    /// are once [`Dechunker::consume`] is told of them.
    Data(Range<usize>),
    /// The whole piece is dealt with.
    NeedMore,
    /// The body is whole; so many bytes of the piece belong to it, the rest does not.
    Done { consumed: usize },
}

/// Finds the body in a chunked message.
#[derive(Debug)]
pub(super) struct Dechunker {
    part: Part,
    /// The size of the chunk, or what is left of it.
    left: u64,
    /// How long the line of the size is, or all trailers are.
    length: usize,
    /// The lines of the trailers that have come.
    trailers: Vec<u8>,
    /// What was wrong. The bytes may come again, and stay wrong.
    broken: Option<Error>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// Reading the size; so many digits have been seen.
    Size(u8),
    /// Blanks after the size: RFC 9112 §7.1.1 allows them before an extension, and old
    /// servers fill up the line with them (Go and curl take that too).
    AfterSize,
    /// Passing over an extension, of which none means anything to us.
    Extension,
    SizeEnd,
    Data,
    DataCr,
    DataEnd,
    /// At the beginning of a line after the last chunk.
    Trailer,
    TrailerLine,
    TrailerEnd,
    /// Behind the CR of the empty line.
    End,
    Done,
}

impl Dechunker {
    pub(super) fn new() -> Self {
        Self { part: Part::Size(0), left: 0, length: 0, trailers: Vec::new(), broken: None }
    }

    /// Returns how many bytes of the body come next, before anything else does.
    pub(super) fn data_left(&self) -> u64 {
        if self.part == Part::Data { self.left } else { 0 }
    }

    /// Takes note that the next `length` bytes of the body were read: at most
    /// [`data_left`](Self::data_left).
    pub(super) fn consume(&mut self, length: usize) {
        debug_assert!(length as u64 <= self.data_left(), "more was read than the chunk has");
        self.left = self.left.saturating_sub(length as u64);
        if self.part == Part::Data && self.left == 0 {
            self.part = Part::DataCr;
        }
    }

    /// Looks at the next bytes of the connection.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BadServerResponse`], now and from then on; the connection is of no use.
    pub(super) fn advance(&mut self, input: &[u8]) -> Result<Found, Error> {
        if let Some(error) = &self.broken {
            return Err(error.clone());
        }
        let found = self.find(input);
        self.broken = found.as_ref().err().cloned();
        found
    }

    fn find(&mut self, input: &[u8]) -> Result<Found, Error> {
        for (index, &byte) in input.iter().enumerate() {
            match self.part {
                Part::Data => {
                    let here = (input.len() - index) as u64;
                    // Not more than `here`, so it fits.
                    let length = here.min(self.left) as usize;
                    return Ok(Found::Data(index..index + length));
                }
                Part::Done => return Ok(Found::Done { consumed: index }),
                _ => self.part = self.after(byte)?,
            }
        }
        Ok(if self.part == Part::Done {
            Found::Done { consumed: input.len() }
        } else {
            Found::NeedMore
        })
    }

    /// Takes one byte that is not of the body and returns the part behind it.
    ///
    /// Every line ends with CR LF: who takes LF alone sees lines where others see none
    /// (CVE-2025-22871 of Go's client).
    fn after(&mut self, byte: u8) -> Result<Part, Error> {
        Ok(match self.part {
            Part::Size(_) | Part::AfterSize | Part::Extension | Part::SizeEnd => {
                return self.after_in_size_line(byte);
            }
            Part::DataCr if byte == b'\r' => Part::DataEnd,
            Part::DataEnd if byte == b'\n' => {
                self.length = 0;
                Part::Size(0)
            }
            Part::DataCr | Part::DataEnd => {
                return Err(wrong("a chunk is not followed by CR LF"));
            }
            Part::Data | Part::Done => self.part,
            _ => return self.after_in_trailers(byte),
        })
    }

    fn after_in_size_line(&mut self, byte: u8) -> Result<Part, Error> {
        self.length += 1;
        if self.length > LONGEST_SIZE_LINE {
            return Err(wrong("the line of a chunk's size is longer than 4 KiB"));
        }
        Ok(match (self.part, byte) {
            (Part::Size(MOST_DIGITS), b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                return Err(wrong("a chunk's size has more than 16 digits"));
            }
            (Part::Size(digits), b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                let digit = char::from(byte).to_digit(16).unwrap_or_default();
                self.left = if digits == 0 { 0 } else { self.left << 4 } | u64::from(digit);
                Part::Size(digits + 1)
            }
            (Part::Size(0), _) => return Err(wrong("a chunk's size is not a hexadecimal number")),
            (Part::Size(_) | Part::AfterSize, b' ' | b'\t') => Part::AfterSize,
            (Part::Size(_) | Part::AfterSize, b';') => Part::Extension,
            (Part::Size(_) | Part::AfterSize | Part::Extension, b'\r') => Part::SizeEnd,
            (Part::Extension, _) if is_text(byte) => Part::Extension,
            (Part::SizeEnd, b'\n') if self.left > 0 => Part::Data,
            (Part::SizeEnd, b'\n') => {
                self.length = 0;
                Part::Trailer
            }
            (Part::SizeEnd, _) | (_, b'\n') => {
                return Err(wrong("the line of a chunk's size does not end with CR LF"));
            }
            (Part::Extension, _) => {
                return Err(wrong("a chunk's extension contains a control character"));
            }
            _ => return Err(wrong("a chunk's size is not a hexadecimal number")),
        })
    }

    /// Gives away the trailers of a body that is whole.
    pub(super) fn take_trailers(&mut self) -> Option<Headers> {
        if self.trailers.is_empty() { None } else { fields(&mem::take(&mut self.trailers)) }
    }

    /// Takes a byte of the trailer section (RFC 9112 §7.1.2): whatever it says, as long as it
    /// is clear where it ends.
    fn after_in_trailers(&mut self, byte: u8) -> Result<Part, Error> {
        self.length += 1;
        if self.length > LONGEST_TRAILERS {
            return Err(wrong("the trailers are longer than 64 KiB"));
        }
        if !matches!(self.part, Part::End) && byte != b'\r' {
            self.trailers.push(byte);
        }
        Ok(match (self.part, byte) {
            (Part::Trailer, b'\r') => Part::End,
            (Part::End, b'\n') => Part::Done,
            (Part::TrailerLine, b'\r') => Part::TrailerEnd,
            (Part::TrailerEnd, b'\n') => Part::Trailer,
            (Part::Trailer | Part::TrailerLine, _) if byte != b'\n' => Part::TrailerLine,
            _ => return Err(wrong("a trailer does not end with CR LF")),
        })
    }
}

/// Reads lines of trailers. What is no field is left out, and so is what goes on with another
/// line, as nothing that is read later can be trusted to be what was meant.
#[cold]
fn fields(lines: &[u8]) -> Option<Headers> {
    let mut fields = Headers::new();
    for line in lines.split(|&byte| byte == b'\n') {
        let Some(colon) = line.iter().position(|&byte| byte == b':') else { continue };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        match std::str::from_utf8(name) {
            Ok(name) if is_token(name) && value.iter().all(|&byte| is_text(byte)) => {
                fields.push_bytes(name, value);
            }
            _ => {}
        }
    }
    (!fields.is_empty()).then_some(fields)
}

fn wrong(detail: &'static str) -> Error {
    let detail = format!("the chunked body is broken: {detail}");
    Error::new(ErrorKind::BadServerResponse, detail).at(Stage::Receiving)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trailers_are_fields_or_left_out() {
        for (lines, expected) in [
            ("", &[][..]),
            ("A: 1\r\n", &[("A", "1")]),
            ("A:1\r\nb: 2 \r\na:\t3\r\n", &[("A", "1"), ("b", "2"), ("a", "3")]),
            ("A:\r\n", &[("A", "")]),
            ("no field\r\nA: 1\r\n", &[("A", "1")]),
            ("A : 1\r\n: 2\r\nB: 3\r\n", &[("B", "3")]),
            ("A: 1\r\n B: 2\r\n", &[("A", "1")]),
            ("A: \u{1}\r\n", &[]),
            ("A: é\r\n", &[("A", "é")]),
        ] {
            let mut dechunker = Dechunker::new();
            let whole = format!("1\r\nx\r\n0\r\n{lines}\r\n");
            let mut rest = whole.as_bytes();
            loop {
                match dechunker.advance(rest).unwrap() {
                    Found::Data(range) => {
                        dechunker.consume(range.len());
                        rest = &rest[range.end..];
                    }
                    Found::Done { consumed } => break assert_eq!(consumed, rest.len()),
                    Found::NeedMore => panic!("{lines:?} does not end"),
                }
            }
            let fields = dechunker.take_trailers().unwrap_or_default();
            assert_eq!(fields.iter().collect::<Vec<_>>(), expected, "{lines:?}");
            assert!(dechunker.take_trailers().is_none());
        }
    }

    /// The body, and what came after it if it was whole; or the error.
    type Outcome = Result<(Vec<u8>, Option<Vec<u8>>), String>;

    /// Reads pieces as the engine does, at most `most` bytes of the body at a time.
    fn read(pieces: &[&[u8]], most: usize) -> Outcome {
        let (mut dechunker, mut body) = (Dechunker::new(), Vec::new());
        for (index, piece) in pieces.iter().enumerate() {
            let mut piece = *piece;
            loop {
                match dechunker.advance(piece).map_err(|error| error.to_string())? {
                    Found::Data(range) => {
                        assert!(range.len() as u64 <= dechunker.data_left() && !range.is_empty());
                        let length = range.len().min(most);
                        body.extend_from_slice(&piece[range.start..][..length]);
                        piece = &piece[range.start + length..];
                        dechunker.consume(length);
                    }
                    Found::NeedMore => break,
                    Found::Done { consumed } => {
                        let again = dechunker.advance(b"x").unwrap();
                        assert_eq!(again, Found::Done { consumed: 0 });
                        let rest = [&[&piece[consumed..]], &pieces[index + 1..]].concat();
                        return Ok((body, Some(rest.concat())));
                    }
                }
            }
        }
        Ok((body, None))
    }

    /// Reads with the body of large chunks going past the dechunker.
    fn read_past(message: &[u8]) -> Outcome {
        let (mut dechunker, mut body) = (Dechunker::new(), Vec::new());
        let mut rest = message;
        while !rest.is_empty() {
            if dechunker.data_left() > 0 {
                let length = rest.len().min(dechunker.data_left() as usize);
                body.extend_from_slice(&rest[..length]);
                dechunker.consume(length);
                rest = &rest[length..];
                continue;
            }
            match dechunker.advance(&rest[..1]).map_err(|error| error.to_string())? {
                Found::Data(_) => panic!("the body was to be read past the dechunker"),
                Found::NeedMore => rest = &rest[1..],
                Found::Done { consumed } => return Ok((body, Some(rest[consumed..].to_vec()))),
            }
        }
        Ok((body, None))
    }

    const WHOLE: &[(&str, &str, &str)] = &[
        ("0\r\n\r\n", "", ""),
        ("5\r\nhello\r\n0\r\n\r\n", "hello", ""),
        ("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\nHTTP/1.1 200", "hello world", "HTTP/1.1 200"),
        ("A\r\n0123456789\r\n0a\r\n0123456789\r\n000\r\n\r\n", "01234567890123456789", ""),
        ("0000000000000001\r\nx\r\n0000000000000000\r\n\r\n", "x", ""),
        ("2\r\n\r\n\r\n0\r\n\r\n\r\n", "\r\n", "\r\n"),
        ("1;a=b\r\nx\r\n0;c=\"d;e\"\r\n\r\n", "x", ""),
        ("1 ; a = b\r\nx\r\n0\t;\r\n\r\n", "x", ""),
        ("1  \r\nx\r\n0 \r\n\r\n", "x", ""),
        ("1;é\r\nx\r\n0\r\n\r\n", "x", ""),
        ("1\r\nx\r\n0\r\nA: b\r\nC:\r\nD:\te é\r\n\r\nrest", "x", "rest"),
        // Trailers that are none, and are passed over like the others.
        ("1\r\nx\r\n0\r\n: x\r\nA\r\nA : x\r\n\r\nrest", "x", "rest"),
        ("1\r\nx\r\n0\r\nA: x\r\n folded\r\n\r\n", "x", ""),
        ("1\r\nx\r\n0\r\n \r\nA\0: \u{1b}\r\n\r\n", "x", ""),
    ];

    #[test]
    fn the_body_is_what_stands_in_the_chunks() {
        for (message, body, rest) in WHOLE {
            let expected = Ok((body.as_bytes().to_vec(), Some(rest.as_bytes().to_vec())));
            assert_eq!(read(&[message.as_bytes()], usize::MAX), expected, "{message:?}");
            assert_eq!(read_past(message.as_bytes()), expected, "{message:?}");
            let end = message.len() - rest.len();
            for length in 0..end {
                let (_, rest) = read(&[&message.as_bytes()[..length]], usize::MAX).unwrap();
                assert_eq!(rest, None, "{message:?} is whole after {length}");
            }
        }
    }

    const BROKEN: &[(&str, &str)] = &[
        ("\r\n", "not a hexadecimal number"),
        (" 5\r\n", "not a hexadecimal number"),
        ("+5\r\n", "not a hexadecimal number"),
        ("-5\r\n", "not a hexadecimal number"),
        ("0x5\r\n", "not a hexadecimal number"),
        ("5_0\r\n", "not a hexadecimal number"),
        ("5 5\r\n", "not a hexadecimal number"),
        ("g\r\n", "not a hexadecimal number"),
        (";a\r\n", "not a hexadecimal number"),
        ("5,\r\n", "not a hexadecimal number"),
        ("00000000000000001\r\n", "more than 16 digits"),
        ("10000000000000000\r\n", "more than 16 digits"),
        ("5\nhello\r\n", "size does not end with CR LF"),
        ("5 \nhello\r\n", "size does not end with CR LF"),
        ("5\rhello\r\n", "size does not end with CR LF"),
        ("5\r\rhello\r\n", "size does not end with CR LF"),
        ("5;a\nhello\r\n", "size does not end with CR LF"),
        ("5;a\rb\r\nhello\r\n", "size does not end with CR LF"),
        ("5;a\0\r\n", "control character"),
        ("5\r\nhello\n0\r\n\r\n", "not followed by CR LF"),
        ("5\r\nhello0\r\n\r\n", "not followed by CR LF"),
        ("5\r\nhello\r0\r\n\r\n", "not followed by CR LF"),
        ("5\r\nhello!\r\n0\r\n\r\n", "not followed by CR LF"),
        ("0\r\n\n", "a trailer does not end with CR LF"),
        ("0\r\n\r\r\n", "a trailer does not end with CR LF"),
        ("0\r\nA: x\n\r\n", "a trailer does not end with CR LF"),
        ("0\r\nA: x\ry\r\n\r\n", "a trailer does not end with CR LF"),
        ("0\r\nA: x\r\r\n\r\n", "a trailer does not end with CR LF"),
    ];

    #[test]
    fn what_others_could_read_differently_is_an_error() {
        for (message, expected) in BROKEN {
            let error = read(&[message.as_bytes()], usize::MAX).unwrap_err();
            assert!(error.contains(expected), "{message:?}: {error}");
        }
        let mut dechunker = Dechunker::new();
        for again in ["5\nhello\r\n0\r\n\r\n", "\r\nhello\r\n0\r\n\r\n"] {
            let error = dechunker.advance(again.as_bytes()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::BadServerResponse);
        }
    }

    #[test]
    fn any_split_of_the_same_bytes_gives_the_same_result() {
        let whole = WHOLE.iter().map(|(message, ..)| *message);
        for message in whole.chain(BROKEN.iter().map(|(message, _)| *message)) {
            let message = message.as_bytes();
            let expected = read(&[message], usize::MAX);
            let bytes: Vec<_> = message.chunks(1).collect();
            for most in [1, 3, usize::MAX] {
                assert_eq!(read(&bytes, most), expected, "{message:?}");
                for first in 0..=message.len() {
                    let (one, rest) = message.split_at(first);
                    for second in 0..=rest.len() {
                        let (two, three) = rest.split_at(second);
                        let found = read(&[one, two, three], most);
                        assert_eq!(found, expected, "{one:?} {two:?} {three:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn lines_have_limits() {
        let size_line = |length: usize| format!("0;{}\r\n\r\n", "x".repeat(length - 4));
        let trailers = |count: usize| format!("0\r\n{}\r\n", "a: b\r\n".repeat(count));
        let trailer = |length: usize| format!("0\r\na:{}\r\n\r\n", "x".repeat(length - 6));
        for (message, fits) in [
            (size_line(4096), true),
            (size_line(4097), false),
            (trailers(10_000), true),
            (trailers(11_000), false),
            (trailer(65536), true),
            (trailer(65537), false),
        ] {
            let found = read(&[message.as_bytes()], usize::MAX);
            assert_eq!(found.is_ok(), fits, "{found:?}");
        }
        // The limits are for a line and for the trailers, not for the body.
        let many = "1;0123456789abcdef\r\nx\r\n".repeat(1000) + "0\r\n\r\n";
        assert_eq!(read(&[many.as_bytes()], usize::MAX).unwrap().0.len(), 1000);
    }

    #[test]
    fn a_chunk_of_64_bits_is_counted_without_overflow() {
        let mut dechunker = Dechunker::new();
        assert_eq!(dechunker.data_left(), 0);
        let found = dechunker.advance(b"ffffFFFFffffFFFF\r\nab").unwrap();
        assert_eq!(found, Found::Data(18..20));
        assert_eq!(dechunker.data_left(), u64::MAX);
        dechunker.consume(2);
        assert_eq!(dechunker.data_left(), u64::MAX - 2);
        assert_eq!(dechunker.advance(b"").unwrap(), Found::NeedMore);
    }
}
