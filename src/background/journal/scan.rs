//! Which records the bytes of a journal hold, and what of them is damaged: pure.

use std::ops::{Range, RangeInclusive};

use super::damage::{Damage, DamageKind};
use super::format::{self, Header, Line};

/// What the bytes hold.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Scan {
    /// Where the JSON of each record lies, in order.
    pub(super) records: Vec<Range<usize>>,
    /// The number that the next record has.
    pub(super) next: u64,
    pub(super) damage: Vec<Damage>,
}

/// A version that is not known here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Newer(pub(super) u32);

/// Finds every record that is what was written.
pub(super) fn scan(bytes: &[u8]) -> Result<Scan, Newer> {
    let mut scanner = Scanner { bytes, damaged: None, expected: None, found: Scan::default() };
    let start = match format::read_header(bytes) {
        Header::Newer(version) => return Err(Newer(version)),
        Header::Known { first, end } => {
            (scanner.expected, scanner.found.next) = (Some(first), first);
            end
        }
        Header::Unreadable => {
            scanner.found.next = 1;
            scanner.pass_over_header()
        }
    };
    scanner.read_from(start);
    Ok(scanner.found)
}

struct Scanner<'a> {
    bytes: &'a [u8],
    /// Where the damage begins that is being passed over.
    damaged: Option<usize>,
    /// The number that the next record should have, if that is known.
    expected: Option<u64>,
    found: Scan,
}

impl Scanner<'_> {
    /// Returns where the records begin after a first line that is damaged: at once, if it is
    /// not there, or behind its usual length, though it be its line feed that is damaged.
    fn pass_over_header(&mut self) -> usize {
        let is_record = |at: &usize| format::read_line(self.bytes, *at).is_some();
        let found = [0, format::HEADER].into_iter().find(is_record);
        let end = found.unwrap_or_else(|| self.next_line(0));
        self.report(0, end, DamageKind::Header, None);
        end
    }

    fn read_from(&mut self, mut at: usize) {
        while at < self.bytes.len() {
            at = match format::read_line(self.bytes, at) {
                Some(line) => self.take(at, line),
                None => {
                    self.damaged.get_or_insert(at);
                    self.next_line(at)
                }
            };
        }
        if let Some(start) = self.damaged.take() {
            let is_one_line = !self.bytes[start..].contains(&b'\n');
            let kind = if is_one_line { DamageKind::Tail } else { DamageKind::Bytes };
            self.report(start, self.bytes.len(), kind, None);
        }
    }

    /// Takes what lies at `at`, and returns where it ends.
    fn take(&mut self, at: usize, line: Line) -> usize {
        let Line { sequence, json, is_ended } = line;
        let end = json.end + usize::from(is_ended);
        if sequence < self.found.next && !self.found.records.is_empty()
            || self.expected.is_some_and(|expected| sequence < expected)
        {
            self.end_damage(at, None);
            self.report(at, end, DamageKind::Repeated(sequence), None);
            return end;
        }
        let missing = self.expected.filter(|expected| *expected < sequence);
        self.end_damage(at, missing.map(|expected| expected..=sequence - 1));
        self.found.records.push(json);
        (self.expected, self.found.next) = (Some(sequence + 1), sequence + 1);
        if is_ended {
            return end;
        }
        // All of the record is there, and its line feed is not, or is something else.
        let is_gone = format::read_line(self.bytes, end).is_some();
        let behind = if is_gone { end } else { self.bytes.len().min(end + 1) };
        self.report(end, behind, DamageKind::Bytes, None);
        behind
    }

    /// What is damaged ends before `at`, where a record lies.
    fn end_damage(&mut self, at: usize, missing: Option<RangeInclusive<u64>>) {
        match self.damaged.take() {
            Some(start) => self.report(start, at, DamageKind::Bytes, missing),
            None if missing.is_some() => self.report(at, at, DamageKind::Gap, missing),
            None => {}
        }
    }

    fn report(
        &mut self,
        start: usize,
        end: usize,
        kind: DamageKind,
        missing: Option<RangeInclusive<u64>>,
    ) {
        let (offset, length) = (start as u64, (end - start) as u64);
        self.found.damage.push(Damage { offset, length, kind, missing });
    }

    fn next_line(&self, at: usize) -> usize {
        let rest = &self.bytes[at..];
        at + rest.iter().position(|&byte| byte == b'\n').map_or(rest.len(), |feed| feed + 1)
    }
}
