//! What nobody has said.

use std::env;

use serde_json::Value;

use super::super::fuzz;
use super::frame::Speaker::Program;
use super::samples::all;
use super::{frame, framed};

/// Numbers that look random (xorshift64*), from a seed that is printed.
struct Dice(u64);

impl Dice {
    fn new() -> Self {
        let given = env::var("URLSESSION_TEST_SEED").ok().map(|seed| seed.parse().unwrap());
        let seed: u64 = given.unwrap_or_else(crate::random::bits);
        println!("URLSESSION_TEST_SEED={seed}");
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() >> 32) as usize % limit
    }
}

/// Puts one value somewhere in place of another.
fn disturb(value: &mut Value, dice: &mut Dice) {
    let inner: Vec<&mut Value> = match value {
        Value::Array(list) => list.iter_mut().collect(),
        Value::Object(fields) if dice.below(6) == 0 => {
            let names: Vec<_> = fields.keys().cloned().collect();
            if !names.is_empty() {
                fields.remove(&names[dice.below(names.len())]);
            }
            return;
        }
        Value::Object(fields) => fields.values_mut().collect(),
        _ => Vec::new(),
    };
    if !inner.is_empty() && dice.below(5) > 0 {
        let at = dice.below(inner.len());
        if let Some(inner) = inner.into_iter().nth(at) {
            return disturb(inner, dice);
        }
    }
    *value = match dice.below(9) {
        0 => Value::Null,
        1 => true.into(),
        2 => u64::MAX.into(),
        3 => (-1).into(),
        4 => 1e300.into(),
        5 => "".into(),
        6 => "\0\u{e4}:/@".into(),
        7 => Vec::<Value>::new().into(),
        _ => vec![Value::from(256), Value::from(1)].into(),
    };
}

#[test]
fn ten_thousand_frames_that_nobody_has_written_are_read_or_refused() {
    let mut dice = Dice::new();
    let samples = all();
    let mut understood = 0;
    for round in 0..10_000 {
        let sample = &samples[dice.below(samples.len())];
        let bytes = match round % 4 {
            0 => (0..dice.below(64)).map(|_| dice.next() as u8).collect(),
            1 => {
                let mut bytes = framed(sample);
                for _ in 0..=dice.below(4) {
                    let at = dice.below(bytes.len());
                    bytes[at] = dice.next() as u8;
                }
                bytes
            }
            _ => {
                let mut value = sample.clone();
                disturb(&mut value, &mut dice);
                understood += usize::from(fuzz::holds(&value));
                framed(&value)
            }
        };
        fuzz::protocol(&bytes);
    }
    // Much of what is disturbed in one place says something still.
    assert!(understood > 500, "{understood}");
}

#[test]
fn what_a_length_promises_takes_no_memory() {
    /// Says how much room it was offered at once.
    struct Offered(usize, usize);
    impl std::io::Read for Offered {
        fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
            self.1 = self.1.max(to.len());
            let length = [0, 0x0f, 0xff, 0xff];
            let Some(left) = length.get(self.0..) else { return Ok(0) };
            let count = left.len().min(to.len());
            to[..count].copy_from_slice(&left[..count]);
            self.0 += count;
            Ok(count)
        }
    }
    let mut from = Offered(0, 0);
    let error = frame::read(&mut from, frame::MOST_OF_PROGRAMS, Program).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof);
    assert!(from.1 <= 64 << 10, "{}", from.1);
}
