//! Frames as they lie in a stream.

use std::io::{self, ErrorKind, Read, Write};

use serde_json::{Value, json};

use super::frame::Speaker::{Daemon, Program};
use super::samples::{all, kind_of};
use super::{frame, framed};

/// Takes all that it is given, and counts how often.
#[derive(Default)]
struct Counting {
    calls: usize,
    bytes: Vec<u8>,
}

impl Write for Counting {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.calls += 1;
        self.bytes.extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Gives one byte at a time, and is interrupted before each.
struct Trickle<'a>(&'a [u8], bool);

impl Read for Trickle<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        self.1 = !self.1;
        if self.1 {
            return Err(ErrorKind::Interrupted.into());
        }
        let most = to.len().min(1);
        self.0.read(&mut to[..most])
    }
}

#[test]
fn frames_follow_one_another_and_each_is_one_write() {
    let values = [json!({}), json!({ "a": "\u{e4}\"[{,:" }), json!([1, 2]), Value::Null];
    let mut written = Counting::default();
    for value in &values {
        frame::write(&mut written, value, Program).unwrap();
    }
    assert_eq!(written.calls, values.len());
    assert_eq!(written.bytes[..6], *b"\0\0\0\x02{}");
    for from in [&mut &*written.bytes as &mut dyn Read, &mut Trickle(&written.bytes, false)] {
        let mut from = from;
        for value in &values {
            assert_eq!(
                frame::read(&mut from, frame::MOST_OF_PROGRAMS, Program).unwrap().as_ref(),
                Some(value)
            );
        }
        assert!(frame::read(&mut from, frame::MOST_OF_PROGRAMS, Program).unwrap().is_none());
    }
}

#[test]
fn a_frame_that_is_too_long_is_refused_before_anything_of_it_is_read() {
    for (length, most) in [
        (u32::MAX as usize, frame::MOST_OF_PROGRAMS),
        (frame::MOST_OF_PROGRAMS + 1, frame::MOST_OF_PROGRAMS),
        (frame::MOST_OF_STRANGERS + 1, frame::MOST_OF_STRANGERS),
    ] {
        let bytes = [&(length as u32).to_be_bytes()[..], b"{}"].concat();
        let mut from = &*bytes;
        let error = frame::read(&mut from, most, Program).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        let said = format!("a frame of {length} bytes is longer than {most}, which is the limit");
        assert_eq!(error.to_string(), said);
        assert_eq!(from, b"{}");
    }
    let mut written = Counting::default();
    let error = frame::write(&mut written, &"a".repeat(frame::MOST_OF_PROGRAMS).into(), Program)
        .unwrap_err();
    assert_eq!((error.kind(), written.calls), (ErrorKind::InvalidInput, 0));
    let longest: Value = "a".repeat(frame::MOST_OF_PROGRAMS - 2).into();
    let read = frame::read(&mut &*framed(&longest), frame::MOST_OF_PROGRAMS, Program).unwrap();
    assert_eq!(read, Some(longest));
}

#[test]
fn a_frame_whose_values_would_take_much_memory_is_refused() {
    for (name, json) in [
        ("numbers", format!("[{}0]", "0,".repeat(1 << 18))),
        ("lists", format!("[{}0]", "[],".repeat(1 << 18))),
        ("objects", format!("[{}0]", "{},".repeat(1 << 17))),
        ("fields", format!("[{}0]", "{\"\":0},".repeat(1 << 16))),
    ] {
        let bytes = [&(json.len() as u32).to_be_bytes()[..], json.as_bytes()].concat();
        let error = frame::read(&mut &*bytes, frame::MOST_OF_PROGRAMS, Program).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData, "{name}");
        assert!(error.to_string().contains("values of a frame"), "{name}: {error}");
        let value = serde_json::from_str(&json).unwrap();
        let refused = frame::write(&mut io::sink(), &value, Program).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::InvalidInput, "{name}");
        // What a server has said may be so, and comes over.
        frame::write(&mut io::sink(), &value, Daemon).unwrap();
        assert_eq!(frame::read(&mut &*bytes, frame::MOST, Daemon).unwrap(), Some(value), "{name}");
    }
    // Depth is bounded as well.
    let deep = "[".repeat(1 << 16);
    let bytes = [&(deep.len() as u32).to_be_bytes()[..], deep.as_bytes()].concat();
    assert_eq!(
        frame::read(&mut &*bytes, frame::MOST_OF_PROGRAMS, Program).unwrap_err().kind(),
        ErrorKind::InvalidData
    );
    // What is said of a hundred thousand tasks is none of these.
    let numbers: Value = (0..100_000_u64).map(|number| number + 1_000_000).collect();
    assert_eq!(
        frame::read(&mut &*framed(&numbers), frame::MOST_OF_PROGRAMS, Program).unwrap(),
        Some(numbers)
    );
}

#[test]
fn a_stream_that_ends_ends_between_frames_or_fails() {
    for value in all() {
        let bytes = framed(&value);
        for length in 0..bytes.len() {
            let mut from = &bytes[..length];
            match frame::read(&mut from, frame::MOST_OF_PROGRAMS, Program) {
                Ok(None) => assert_eq!(length, 0, "{}", kind_of(&value)),
                Ok(Some(read)) => panic!("{length} of {}: {read}", kind_of(&value)),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::UnexpectedEof, "{}", kind_of(&value));
                    assert!(length > 0);
                }
            }
        }
    }
}
