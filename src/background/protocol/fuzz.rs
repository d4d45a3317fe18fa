//! What always holds of what is said.

use std::io::Cursor;

use serde_json::Value;

use super::frame::Speaker::Program;
use super::{Hello, Note, Order, Reader, Welcome, frame};
use crate::background::form;
use crate::configuration::Configuration;
use crate::credentials::{AuthenticationMethod, Challenge, ProtectionSpace};

/// What was read is written, and read again as the same. That of any bytes as frames, and of the
/// same as the JSON of one frame, whose length chance never finds.
pub fn protocol(data: &[u8]) {
    let mut stream = Cursor::new(data);
    while let Ok(Some(value)) = frame::read(&mut stream, frame::MOST_OF_PROGRAMS, Program) {
        holds(&value);
    }
    let length = u32::try_from(data.len()).unwrap_or(u32::MAX).to_be_bytes();
    let whole = [&length, data].concat();
    if let Ok(Some(value)) = frame::read(&mut &*whole, frame::MOST_OF_PROGRAMS, Program) {
        holds(&value);
    }
}

/// Reads a message of one kind, and writes it again.
type Kind<'a> = &'a dyn Fn(&Value) -> Option<Value>;

/// Returns whether it was understood.
pub(super) fn holds(value: &Value) -> bool {
    let Ok(reader) = Reader::new(&Configuration::default()) else { return false };
    let asked = |_| {
        let space = ProtectionSpace::new("a.test", 443, "https", AuthenticationMethod::Basic);
        Some(Challenge::new(space))
    };
    let shared = form::SharedStorages::new();
    let configuration = |value: &Value| {
        let (read, omitted) = form::read_configuration(value, &shared)?;
        // Of what was left out nothing is written.
        omitted.is_empty().then(|| form::write_configuration(&read, true))
    };
    let kinds: [Kind<'_>; 5] = [
        &|value| Hello::from_json(value).map(|read| read.to_json()),
        &|value| Welcome::from_json(value).map(|read| read.to_json()),
        &|value| Order::from_json(value, asked).map(|read| read.to_json()),
        &|value| Note::from_json(value, &reader).map(|read| read.to_json()),
        &configuration,
    ];
    kinds.iter().fold(false, |is_known, again| {
        let Some(written) = again(value) else { return is_known };
        assert_eq!(again(&written).as_ref(), Some(&written), "of {value}");
        true
    })
}
