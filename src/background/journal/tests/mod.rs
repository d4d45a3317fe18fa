//! The journal from outside: what a start finds after what.

mod compacting;
#[cfg(all(unix, feature = "test-util"))]
mod crashes;
mod damaged;
#[cfg(unix)]
mod full_disk;
mod lines;
mod written;

use std::path::{Path, PathBuf};
use std::{env, fs};

use serde_json::{Value, json};

use super::Journal;
use super::damage::Damage;
use crate::census::Census;
use crate::error::Error;
use crate::tests::Scratch;

/// Where the journal lies in a folder.
fn journal_in(scratch: &Scratch) -> PathBuf {
    scratch.join("journal")
}

/// Opens the journal at `path`, with the records and what is damaged.
fn opened(path: &Path) -> Result<(Journal, Vec<Value>, Vec<Damage>), Error> {
    let (journal, replay) = Journal::open(path, &Census::default())?;
    Ok((journal, replay.records.collect(), replay.damage))
}

/// The records of the journal at `path`, of which nothing may be damaged.
fn whole(path: &Path) -> Vec<Value> {
    let (_, records, damage) = opened(path).unwrap();
    assert_eq!(damage, []);
    records
}

/// A record that differs from each other one.
fn record(number: u64) -> Value {
    json!({ "task": number, "url": format!("https://shop.test/film {number}\n\u{e4}.mp4") })
}

fn records(numbers: std::ops::Range<u64>) -> Vec<Value> {
    numbers.map(record).collect()
}

/// Makes a journal with so many records, and returns its bytes.
fn filled(path: &Path, count: u64) -> Vec<u8> {
    let (journal, found, _) = opened(path).unwrap();
    assert_eq!(found, [Value::Null; 0]);
    for number in 0..count {
        assert_eq!(journal.append(&record(number)).unwrap(), number + 1);
    }
    fs::read(path).unwrap()
}
