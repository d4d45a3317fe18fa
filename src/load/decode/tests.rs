use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::*;
use crate::clock::Clock;
use crate::headers::Headers;

/// A body that comes in these pieces, then ends or fails; it counts how often it is read.
struct Pieces {
    pieces: VecDeque<Vec<u8>>,
    failure: Option<Error>,
    reads: Arc<AtomicUsize>,
}

impl WireBody for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        let Some(piece) = self.pieces.front_mut() else {
            return self.failure.clone().map_or(Ok(0), Err);
        };
        let length = piece.len().min(buffer.len());
        buffer[..length].copy_from_slice(&piece[..length]);
        piece.drain(..length);
        if piece.is_empty() {
            self.pieces.pop_front();
        }
        Ok(length)
    }

    fn remaining(&self) -> Option<u64> {
        None
    }

    fn discard(self: Box<Self>) {}
}

fn pieces(pieces: &[&[u8]]) -> Pieces {
    let pieces = pieces.iter().filter(|piece| !piece.is_empty()).map(|piece| piece.to_vec());
    Pieces { pieces: pieces.collect(), failure: None, reads: Arc::default() }
}

/// What bounds a load that has all the time there is.
fn context() -> Context {
    Context {
        cancel: None,
        clock: Clock::by_hand(),
        idle: Duration::from_secs(60),
        deadline: None,
        connect: None,
        dialogue: None,
    }
}

/// Reads all of `body` with buffers of `size` bytes.
fn read(body: Pieces, codings: &[Coding], size: usize) -> Result<Vec<u8>, Error> {
    let total = body.pieces.iter().map(Vec::len).sum::<usize>() as u64;
    let mut decoder = Decoder::new(Box::new(body), codings, &context());
    let (mut all, mut buffer) = (Vec::new(), vec![0; size]);
    loop {
        match decoder.read(&mut buffer) {
            Ok(0) => {
                assert_eq!(decoder.wire_bytes(), total);
                assert_eq!(decoder.decoded_bytes(), all.len() as u64);
                assert_eq!(decoder.read(&mut buffer).unwrap(), 0, "an end stays an end");
                return Ok(all);
            }
            Ok(length) => all.extend_from_slice(&buffer[..length]),
            Err(error) => {
                let again = decoder.read(&mut buffer).unwrap_err();
                assert_eq!(again.to_string(), error.to_string(), "a failure stays a failure");
                return Err(error);
            }
        }
    }
}

fn decoded(body: &[u8], coding: Coding) -> Result<Vec<u8>, Error> {
    read(pieces(&[body]), &[coding], 4096)
}

/// 7000 bytes, as the vectors of brotli and zstd have them.
fn text() -> Vec<u8> {
    b"hello, ".repeat(1000)
}

/// Every coding of this build, with a body of 7000 bytes, made by the reference encoders
/// where a crate here has none.
fn vectors() -> Vec<(Coding, Vec<u8>)> {
    let mut all = Vec::new();
    #[cfg(feature = "gzip")]
    all.extend([
        (Coding::Gzip, encoded::gzip(&text())),
        (Coding::Deflate, encoded::zlib(&text())),
        (Coding::Deflate, encoded::raw(&text())),
    ]);
    if cfg!(feature = "brotli") {
        all.push((Coding::Brotli, encoded::BROTLI.to_vec()));
    }
    if cfg!(feature = "zstd") {
        all.push((Coding::Zstd, encoded::ZSTD.to_vec()));
    }
    all
}

mod encoded {
    #[cfg(feature = "gzip")]
    use std::io::Write;

    #[cfg(feature = "gzip")]
    use flate2::{Compression, write};

    pub(super) const BROTLI: &[u8] =
        b"\x1b\x57\x1b\xf8\x8d\x94\x6e\xde\x44\x09\x52\x86\x96\x6c\x2c\x6f\x71\x5b\x24\x70\x61\
          \x02\xe0\x38";
    pub(super) const ZSTD: &[u8] =
        b"\x28\xb5\x2f\xfd\x64\x58\x1a\x7d\x00\x00\x38\x68\x65\x6c\x6c\x6f\x2c\x20\x01\x00\x4e\
          \xab\xbe\x18\x01\x56\x41\xc3\xc3";

    #[cfg(feature = "gzip")]
    pub(super) fn gzip(body: &[u8]) -> Vec<u8> {
        let mut encoder = write::GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(body).unwrap();
        encoder.finish().unwrap()
    }

    #[cfg(feature = "gzip")]
    pub(super) fn zlib(body: &[u8]) -> Vec<u8> {
        let mut encoder = write::ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(body).unwrap();
        encoder.finish().unwrap()
    }

    #[cfg(feature = "gzip")]
    pub(super) fn raw(body: &[u8]) -> Vec<u8> {
        let mut encoder = write::DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(body).unwrap();
        encoder.finish().unwrap()
    }
}

#[test]
fn any_pieces_and_any_buffer_give_the_same_body() {
    for (coding, body) in vectors() {
        for split in 0..=body.len() {
            let (one, two) = body.split_at(split);
            assert_eq!(read(pieces(&[one, two]), &[coding], 4096).unwrap(), text(), "{coding:?}");
        }
        let bytes: Vec<_> = body.chunks(1).collect();
        for size in [1, 2, 7, 6999, 7000, 7001, 100_000] {
            assert_eq!(read(pieces(&bytes), &[coding], size).unwrap(), text(), "{coding:?} {size}");
        }
    }
}

#[test]
fn a_body_that_ends_early_is_an_error_and_an_empty_one_is_empty() {
    for (coding, body) in vectors() {
        assert!(decoded(b"", coding).unwrap().is_empty());
        for length in 1..body.len() {
            let error = decoded(&body[..length], coding).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::CannotDecodeRawData, "{coding:?} {length}");
            assert_eq!(error.stage(), Some(Stage::Receiving));
        }
    }
}

#[test]
fn what_follows_the_end_is_ignored() {
    for (coding, body) in vectors() {
        for tail in ["\0", "\0\0\0\0", "garbage and more of it", "\x1f", "\x1f\u{8}"] {
            let body = [&body, tail.as_bytes()].concat();
            assert_eq!(decoded(&body, coding).unwrap(), text(), "{coding:?} {tail:?}");
            let bytes: Vec<_> = body.chunks(1).collect();
            assert_eq!(read(pieces(&bytes), &[coding], 512).unwrap(), text());
        }
    }
}

#[test]
fn broken_bodies_never_panic_and_never_hang() {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    for (coding, body) in vectors() {
        for round in 0..2000 {
            let mut body = body.clone();
            for _ in 0..=round % 3 {
                let at = random() as usize % body.len();
                body[at] = random() as u8;
            }
            let mut decoder = Decoder::new(Box::new(pieces(&[&body])), &[coding], &context());
            let mut buffer = [0; 4096];
            // Some mistakes make a body longer: this bounds how far it is followed.
            for _ in 0..1000 {
                match decoder.read(&mut buffer) {
                    Ok(0) => break,
                    Ok(_) => {}
                    Err(error) => {
                        assert_eq!(error.kind(), ErrorKind::CannotDecodeRawData);
                        break;
                    }
                }
            }
        }
    }
}

#[test]
fn errors_of_the_wire_come_out_as_they_were() {
    for (coding, body) in vectors() {
        let mut body = pieces(&[&body[..body.len() / 2]]);
        let lost = Error::new(ErrorKind::NetworkConnectionLost, "gone").at(Stage::Sending);
        body.failure = Some(lost);
        let error = read(body, &[coding], 4096).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NetworkConnectionLost);
        assert_eq!(error.stage(), Some(Stage::Sending));
    }
}

#[test]
fn nothing_is_waited_for_while_there_is_something_to_return() {
    for (coding, body) in vectors() {
        let body = pieces(&[&body]);
        let reads = Arc::clone(&body.reads);
        let mut decoder = Decoder::new(Box::new(body), &[coding], &context());
        let mut read = 0;
        while read < 7000 {
            read += decoder.read(&mut [0; 100]).unwrap();
            assert_eq!(reads.load(Ordering::Relaxed), 1, "{coding:?} after {read} bytes");
        }
    }
}

#[test]
fn without_a_coding_the_callers_buffer_goes_to_the_wire() {
    struct Watched(usize);
    impl WireBody for Watched {
        fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
            assert_eq!(buffer.as_ptr().addr(), self.0);
            Ok(buffer.len())
        }

        fn remaining(&self) -> Option<u64> {
            None
        }

        fn discard(self: Box<Self>) {}
    }
    let mut buffer = vec![0; 100_000];
    let mut decoder = Decoder::new(Box::new(Watched(buffer.as_ptr().addr())), &[], &context());
    assert_eq!(decoder.read(&mut buffer).unwrap(), 100_000);
    assert_eq!((decoder.wire_bytes(), decoder.decoded_bytes()), (100_000, 100_000));
    assert_eq!(decoder.read(&mut []).unwrap(), 0);
}

#[test]
fn the_header_lists_codings_in_any_case_over_several_fields() {
    let all = [cfg!(feature = "gzip"), cfg!(feature = "brotli"), cfg!(feature = "zstd")];
    for (fields, expected) in [
        (&[][..], &[][..]),
        (&[""], &[]),
        (&["identity"], &[]),
        (&["GZip"], &[Coding::Gzip]),
        (&["x-gzip"], &[Coding::Gzip]),
        (&["deflate"], &[Coding::Deflate]),
        (&["br"], &[Coding::Brotli]),
        (&["zstd"], &[Coding::Zstd]),
        (&[" gzip , identity,, Deflate"], &[Coding::Gzip, Coding::Deflate]),
        (&["br", "gzip"], &[Coding::Brotli, Coding::Gzip]),
        (&["gzip", "compress"], &[]),
        (&["aes128gcm, gzip"], &[]),
        (&["gzip;q=1"], &[]),
        (&["gzip, gzip, gzip, gzip, identity, gzip"], &[Coding::Gzip; 5]),
    ] {
        let mut headers = Headers::new();
        fields.iter().for_each(|field| headers.push("content-ENCODING", field));
        let found = codings(&headers).unwrap();
        if all == [true; 3] || found == expected {
            assert_eq!(found, expected, "{fields:?}");
        } else {
            // One of them is off in this build, so the body stays as it is.
            assert!(found.is_empty(), "{fields:?}: {found:?}");
        }
    }
}

#[test]
fn more_than_five_layers_are_refused_by_name_of_the_limit() {
    for six in ["gzip,gzip,gzip,gzip,gzip,gzip", "br,a,b,c,d,e", "gzip, br, zstd, deflate, br, x"] {
        let mut headers = Headers::new();
        headers.push("content-encoding", six);
        let error = codings(&headers).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::CannotDecodeContentData);
        assert!(error.to_string().contains("6 layers") && error.to_string().contains("at most 5"));
    }
}

#[test]
fn what_is_asked_for_can_be_decoded() {
    let asked: Vec<_> = accept_encoding().split(", ").collect();
    for name in ["gzip", "deflate", "br", "zstd"] {
        assert_eq!(asked.contains(&name), Coding::named(name).is_some(), "{name}");
        assert_eq!(
            Coding::named(name).is_some(),
            vectors().iter().any(|(coding, _)| { Coding::named(name) == Some(*coding) })
        );
    }
    assert_eq!(asked == ["identity"], vectors().is_empty());
}

#[cfg(feature = "gzip")]
mod gzip {
    use std::error::Error as StdError;

    use super::*;

    #[test]
    fn members_follow_each_other_and_layers_stand_on_each_other() {
        let two = [encoded::gzip(b"one "), encoded::gzip(b""), encoded::gzip(b"two")].concat();
        assert_eq!(decoded(&two, Coding::Gzip).unwrap(), b"one two");
        let error = decoded(&two[..two.len() - 1], Coding::Gzip).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::CannotDecodeRawData);
        let layers = encoded::raw(&encoded::zlib(&encoded::gzip(&two)));
        let codings = [Coding::Gzip, Coding::Gzip, Coding::Deflate, Coding::Deflate];
        assert_eq!(read(pieces(&[&layers]), &codings, 4096).unwrap(), b"one two");
        assert_eq!(read(pieces(&[]), &codings, 4096).unwrap(), b"");
    }

    #[test]
    fn every_part_of_a_header_is_passed_over() {
        let plain = encoded::gzip(b"hello");
        let parts: [(u8, &[u8]); 4] =
            [(4, b"\x03\0abc"), (8, b"name\0"), (16, b"\0"), (2, b"\x12\x34")];
        for chosen in 0..16 {
            let mut body = plain[..10].to_vec();
            for (index, (flag, part)) in parts.iter().enumerate() {
                if chosen & 1 << index != 0 {
                    body[3] |= flag;
                    body.extend_from_slice(part);
                }
            }
            body.extend_from_slice(&plain[10..]);
            assert_eq!(decoded(&body, Coding::Gzip).unwrap(), b"hello", "{chosen:04b}");
        }
        let mut body = plain[..10].to_vec();
        body[3] = 4;
        body.extend_from_slice(&[0, 0]);
        body.extend_from_slice(&plain[10..]);
        assert_eq!(decoded(&body, Coding::Gzip).unwrap(), b"hello", "an empty extra field");
    }

    #[test]
    fn a_wrong_header_checksum_or_length_says_so() {
        let good = encoded::gzip(&text());
        for (at, expected) in [
            (0, "does not begin as gzip"),
            (2, "does not begin as gzip"),
            (3, "flags that are not defined"),
            (good.len() - 8, "checksum is wrong"),
            (good.len() - 1, "length is wrong"),
        ] {
            let mut body = good.clone();
            body[at] ^= 0x80;
            let error = decoded(&body, Coding::Gzip).unwrap_err();
            assert!(error.to_string().contains(expected), "{at}: {error}");
        }
        let mut zlib = encoded::zlib(&text());
        *zlib.last_mut().unwrap() ^= 1;
        let error = decoded(&zlib, Coding::Deflate).unwrap_err();
        assert!(StdError::source(&error).is_some(), "{error:?}");
    }

    #[test]
    fn a_bomb_is_decoded_only_as_far_as_it_is_read() {
        let bomb = encoded::gzip(&encoded::gzip(&vec![0; 1 << 24]));
        assert!(bomb.len() < 500, "{}", bomb.len());
        let codings = [Coding::Gzip, Coding::Gzip];
        let mut decoder = Decoder::new(Box::new(pieces(&[&bomb])), &codings, &context());
        decoder.read(&mut [0; 10]).unwrap();
        assert_eq!(decoder.decoded_bytes(), 10);
        assert_eq!(read(pieces(&[&bomb]), &codings, 1 << 16).unwrap().len(), 1 << 24);
    }
}

#[cfg(feature = "zstd")]
mod zstd {
    use super::*;

    const EMPTY: &[u8] = b"\x28\xb5\x2f\xfd\x20\x00\x01\x00\x00";
    const HELLO: &[u8] = b"\x28\xb5\x2f\xfd\x00\x00\x29\x00\x00hello";
    const SKIPPED: &[u8] = b"\x5a\x2a\x4d\x18\x03\0\0\0abc\x50\x2a\x4d\x18\0\0\0\0";

    #[test]
    fn frames_follow_each_other_and_some_are_skipped() {
        for (parts, expected) in [
            (&[EMPTY][..], &b""[..]),
            (&[HELLO, HELLO], b"hellohello"),
            (&[EMPTY, HELLO, EMPTY], b"hello"),
            (&[SKIPPED, HELLO, SKIPPED, HELLO, SKIPPED], b"hellohello"),
            (&[SKIPPED], b""),
        ] {
            let body = parts.concat();
            assert_eq!(decoded(&body, Coding::Zstd).unwrap(), expected, "{parts:?}");
            let bytes: Vec<_> = body.chunks(1).collect();
            assert_eq!(read(pieces(&bytes), &[Coding::Zstd], 3).unwrap(), expected);
        }
    }

    #[test]
    fn a_window_of_more_than_8_mib_is_refused() {
        for (header, fits) in [
            // Window descriptors: the exponent above 10 in the upper five bits.
            (&[0x00, 13 << 3][..], true),
            (&[0x00, 13 << 3 | 1], false),
            (&[0x00, 0xff], false),
            // One segment: the size of the content.
            (&[0xa0, 0, 0, 0x80, 0], true),
            (&[0xa0, 1, 0, 0x80, 0], false),
            (&[0xe0, 0, 0, 0, 0, 0, 0, 0, 1], false),
        ] {
            let body = [&EMPTY[..4], header, &[1, 0, 0]].concat();
            match decoded(&body, Coding::Zstd) {
                Ok(body) => assert!(fits && body.is_empty(), "{header:x?}"),
                Err(error) => {
                    assert!(!fits && error.to_string().contains("8 MiB"), "{header:x?}: {error}");
                }
            }
        }
    }
}
