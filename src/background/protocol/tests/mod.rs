//! What is said comes over as it was meant, whatever else comes over.

mod challenges;
mod configurations;
mod frames;
mod garbage;
mod samples;
mod trips;

use serde_json::Value;

use super::frame::Speaker::Daemon;
use super::{Reader, frame};
use crate::configuration::Configuration;

fn reader() -> Reader {
    Reader::new(&Configuration::default()).unwrap()
}

/// Returns the bytes of a frame.
fn framed(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    frame::write(&mut bytes, value, Daemon).unwrap();
    bytes
}

/// Returns a value as it is on the other side.
fn sent(value: &Value) -> Value {
    frame::read(&mut &*framed(value), frame::MOST, Daemon).unwrap().unwrap()
}
