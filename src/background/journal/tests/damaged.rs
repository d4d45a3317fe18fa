//! Journals that are cut short, changed, or of another version.

use std::time::Duration;

use super::*;
use crate::background::journal::replay::Records;
use crate::background::journal::scan::{Scan, scan};
use crate::background::journal::{format, fuzz};
use crate::checksum::crc32;
use crate::clock::Clock;
use crate::error::ErrorKind;

/// How many records the journals here have, and where each of them ends.
const COUNT: u64 = 5;

fn ends(bytes: &[u8]) -> Vec<usize> {
    let feeds = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    feeds.map(|(at, _)| at + 1).collect()
}

/// The journal at `path` is as good as new: another record goes behind `expected`, and nothing
/// is damaged any more.
fn goes_on(path: &Path, journal: Journal, mut expected: Vec<Value>) {
    let sequence = journal.append(&record(99)).unwrap();
    journal.commit(sequence).unwrap();
    drop(journal);
    expected.push(record(99));
    assert_eq!(whole(path), expected);
}

#[test]
fn cut_short_at_every_byte_it_keeps_all_that_is_whole() {
    let scratch = Scratch::new();
    let path = journal_in(&scratch);
    let bytes = filled(&path, COUNT);
    let ends = ends(&bytes);
    for length in 0..bytes.len() {
        fs::write(&path, &bytes[..length]).unwrap();
        let _ = fs::remove_file(scratch.join("journal.damaged"));
        let (journal, found, damage) = opened(&path).unwrap();
        // A record is whole with its last byte, though its line is not.
        let count = ends.iter().filter(|end| **end - 1 <= length).count().saturating_sub(1);
        assert_eq!(found, records(0..count as u64), "{length}");
        let is_whole = ends.contains(&length);
        assert_eq!(damage.len(), usize::from(!is_whole), "{length}: {damage:?}");
        let aside = fs::read(scratch.join("journal.damaged")).ok();
        assert_eq!(aside.as_deref(), (!is_whole).then_some(&bytes[..length]), "{length}");
        goes_on(&path, journal, found);
    }
}

#[test]
fn a_damaged_journal_is_kept_for_two_weeks() {
    let scratch = Scratch::new();
    let (path, aside) = (journal_in(&scratch), scratch.join("journal.damaged"));
    drop(filled(&path, COUNT));
    let day = Duration::from_secs(24 * 60 * 60);
    for (days, is_kept) in [(0, true), (13, true), (15, false)] {
        fs::write(&aside, "as it was").unwrap();
        let file = fs::OpenOptions::new().write(true).open(&aside).unwrap();
        file.set_modified(Clock::system().date() - days * day).unwrap();
        drop(file);
        assert_eq!(whole(&path), records(0..COUNT));
        assert_eq!(aside.exists(), is_kept, "{days} days");
    }
}

/// Numbers that look random (xorshift64*), from a seed that is printed.
struct Dice(u64);

impl Dice {
    fn new() -> Self {
        let given = env::var("URLSESSION_TEST_SEED").ok().map(|seed| seed.parse().unwrap());
        let seed: u64 = given.unwrap_or_else(crate::random::bits);
        println!("URLSESSION_TEST_SEED={seed}");
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32) as usize % limit
    }
}

/// Each bit is looked at among the bytes; of some, a journal is opened.
#[test]
fn of_2000_bits_that_flip_each_costs_one_record_at_most_and_is_told() {
    let scratch = Scratch::new();
    let path = journal_in(&scratch);
    let bytes = filled(&path, COUNT);
    let ends = ends(&bytes);
    let mut dice = Dice::new();
    for round in 0..2000 {
        let (at, bit) = (dice.below(bytes.len()), dice.below(8));
        let mut flipped = bytes.clone();
        flipped[at] ^= 1 << bit;
        // Which line the bit is in; the first one holds no record, and a line feed none either.
        let line = ends.iter().position(|end| at < *end).unwrap();
        let mut expected = records(0..COUNT);
        if line > 0 && !ends.contains(&(at + 1)) {
            expected.remove(line - 1);
        }
        let Scan { records, damage, .. } = scan(&flipped).unwrap();
        let found: Vec<_> = Records::new(flipped.clone(), records).collect();
        assert_eq!(found, expected, "bit {bit} of {at}");
        assert_eq!(damage.len(), 1, "bit {bit} of {at}: {damage:?}");
        if round % 20 == 0 {
            fs::write(&path, &flipped).unwrap();
            let (journal, found, told) = opened(&path).unwrap();
            assert_eq!((&found, told), (&expected, damage), "bit {bit} of {at}");
            assert_eq!(fs::read(scratch.join("journal.damaged")).unwrap(), flipped);
            goes_on(&path, journal, expected);
        }
    }
}

#[test]
fn of_many_bits_that_flip_at_once_no_record_comes_of_it_that_was_not_written() {
    let scratch = Scratch::new();
    let path = journal_in(&scratch);
    let bytes = filled(&path, COUNT);
    let mut dice = Dice::new();
    let written = records(0..COUNT);
    for round in 0..500 {
        let mut flipped = bytes.clone();
        for _ in 0..=dice.below(20) {
            flipped[dice.below(bytes.len())] ^= 1 << dice.below(8);
        }
        fuzz::journal(&flipped);
        let Scan { records, damage, .. } = scan(&flipped).unwrap();
        assert_eq!(damage.is_empty(), flipped == bytes, "round {round}");
        // In order, and each of them once.
        let found: Vec<_> = Records::new(flipped, records).collect();
        let mut rest = written.iter();
        assert!(found.iter().all(|record| rest.any(|known| known == record)), "round {round}");
    }
}

#[test]
fn lines_that_change_places_are_not_taken_for_the_order_of_things() {
    let scratch = Scratch::new();
    let path = journal_in(&scratch);
    let mut bytes = format::header(1).into_bytes();
    for number in [1, 3, 2, 4] {
        bytes.extend(format::line(number, record(number).to_string().as_bytes()));
    }
    fs::write(&path, bytes).unwrap();
    let (journal, found, damage) = opened(&path).unwrap();
    assert_eq!(found, [record(1), record(3), record(4)]);
    assert_eq!(damage.len(), 2);
    goes_on(&path, journal, found);
}

#[test]
fn a_newer_version_is_refused_and_stays_as_it_is() {
    let scratch = Scratch::new();
    let path = journal_in(&scratch);
    let text = "urlsession-journal 2 of another kind";
    let newer = format!("{text} {:08x}\nwhatever\0 follows", crc32(text.as_bytes()));
    fs::write(&path, &newer).unwrap();
    let error = opened(&path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotSupported);
    let words = "was written by a newer version: it has format 2, and 1 is known here";
    assert!(error.to_string().contains(words), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), newer);
    assert_eq!(scratch.names(), ["journal"]);
}

#[test]
fn a_last_line_cut_short_replaces_no_damaged_journal_that_is_kept() {
    let scratch = Scratch::new();
    let (path, aside) = (journal_in(&scratch), scratch.join("journal.damaged"));
    let bytes = filled(&path, COUNT);
    let (mut changed, mut again) = (bytes.clone(), bytes.clone());
    (changed[100], again[200]) = (0, 0);
    for (found, kept) in [
        (&changed[..], &changed[..]),
        (&bytes[..bytes.len() - 5], &changed[..]),
        (&again[..], &again[..]),
    ] {
        fs::write(&path, found).unwrap();
        drop(opened(&path).unwrap());
        assert_eq!(fs::read(&aside).unwrap(), kept);
    }
    assert_eq!(scratch.names(), ["journal", "journal.damaged"]);
}
