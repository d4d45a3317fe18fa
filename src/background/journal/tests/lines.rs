//! Lines, without files.

use crate::background::journal::damage::DamageKind;
use crate::background::journal::format::{self, Header};
use crate::background::journal::scan::{Newer, Scan, scan};
use crate::checksum::crc32;

fn headed(text: &str) -> Vec<u8> {
    format!("{text} {:08x}\n", crc32(text.as_bytes())).into_bytes()
}

#[test]
fn a_journal_looks_as_its_manual_page_says() {
    assert_eq!(format::header(1), "urlsession-journal 1 0000000000000001 d2a4fe49\n");
    for (number, json, line) in [
        (1, r#"{"done":false}"#, "0000000e 0000000000000001 260b5682 {\"done\":false}\n"),
        (2, r#"{"done":true}"#, "0000000d 0000000000000002 e5e2f25d {\"done\":true}\n"),
    ] {
        assert_eq!(String::from_utf8(format::line(number, json.as_bytes())).unwrap(), line);
    }
}

#[test]
fn the_first_line_tells_the_version_or_is_damaged() {
    let known = |first| Header::Known { first, end: 47 };
    for (bytes, expected) in [
        (format::header(1).into_bytes(), known(1)),
        (format::header(u64::MAX / 2).into_bytes(), known(u64::MAX / 2)),
        (format::header(u64::MAX).into_bytes(), Header::Unreadable),
        (headed("urlsession-journal 2 with other things"), Header::Newer(2)),
        (headed("urlsession-journal 2"), Header::Newer(2)),
        (headed("urlsession-journal 4294967295"), Header::Newer(u32::MAX)),
        (headed("urlsession-journal 4294967296"), Header::Unreadable),
        (headed("urlsession-journal 0 0000000000000001"), Header::Unreadable),
        (headed("urlsession-journal 1 000000000000001"), Header::Unreadable),
        (headed("urlsession-journal 1 000000000000000G"), Header::Unreadable),
        (headed("urlsession-resume: 1"), Header::Unreadable),
        (b"urlsession-journal 2 with other things 00000000\n".to_vec(), Header::Unreadable),
        (b"\n".to_vec(), Header::Unreadable),
        (Vec::new(), Header::Unreadable),
    ] {
        let text = String::from_utf8_lossy(&bytes);
        assert_eq!(format::read_header(&bytes), expected, "{text}");
    }
}

#[test]
fn what_is_read_is_what_was_written_and_nothing_else() {
    let line = format::line(7, b"{}");
    let read = format::read_line(&line, 0).unwrap();
    assert_eq!((read.sequence, &line[read.json], read.is_ended), (7, &b"{}"[..], true));
    // Digits that mean the same are damage all the same.
    for at in 0..line.len() {
        for bit in 0..8 {
            let mut flipped = line.clone();
            flipped[at] ^= 1 << bit;
            let is_feed = at == line.len() - 1;
            let read = format::read_line(&flipped, 0);
            assert_eq!(read.is_some(), is_feed, "bit {bit} of {at}");
            assert!(read.is_none_or(|read| !read.is_ended));
        }
    }
    for text in ["", "\n", "00000002 0000000000000007 ", "ffffffff 0000000000000007 00000000 {}\n"]
    {
        assert_eq!(format::read_line(text.as_bytes(), 0), None, "{text}");
    }
    assert_eq!(format::read_line(&line, line.len() + 1), None);
    // A number that leaves no room for others.
    assert_eq!(format::read_line(&format::line(u64::MAX, b"{}"), 0), None);
}

/// Lines of these numbers behind a first line.
fn numbered(first: u64, numbers: &[u64]) -> Vec<u8> {
    let mut bytes = format::header(first).into_bytes();
    numbers.iter().for_each(|number| bytes.extend(format::line(*number, b"{}")));
    bytes
}

fn told(scan: &Scan) -> Vec<String> {
    scan.damage.iter().map(ToString::to_string).collect()
}

#[test]
fn numbers_go_up_by_one_or_something_is_missing_or_there_twice() {
    for (first, numbers, count, next, expected) in [
        (1, &[][..], 0, 1, &[][..]),
        (9, &[], 0, 9, &[]),
        (1, &[1, 2, 3], 3, 4, &[]),
        (5, &[5, 6], 2, 7, &[]),
        (1, &[1, 3], 2, 4, &["something was taken away at 85: record 2 is missing"]),
        (1, &[4], 1, 5, &["something was taken away at 47: records 1 to 3 are missing"]),
        (1, &[1, 2, 2, 3], 3, 4, &["record 2 lies a second time at 123, and was passed over"]),
        (1, &[1, 2, 1, 3], 3, 4, &["record 1 lies a second time at 123, and was passed over"]),
        (5, &[4, 5], 1, 6, &["record 4 lies a second time at 47, and was passed over"]),
    ] {
        let found = scan(&numbered(first, numbers)).unwrap();
        assert_eq!((found.records.len(), found.next), (count, next), "{numbers:?}");
        assert_eq!(told(&found), expected, "{numbers:?}");
    }
}

/// What is done to the bytes of a journal.
type Change<'a> = &'a dyn Fn(&mut Vec<u8>);

#[test]
fn damage_is_told_with_where_it_is_and_what_is_missing() {
    let whole = numbered(1, &[1, 2, 3, 4]);
    let changed = |change: Change<'_>| {
        let mut bytes = whole.clone();
        change(&mut bytes);
        scan(&bytes).unwrap()
    };
    let cases: [(Change<'_>, usize, &[&str]); 11] = [
        (&|_| {}, 4, &[]),
        (&|bytes| drop(bytes.drain(122..123)), 4, &["the line that ends at 122 has no line feed"]),
        (&|bytes| bytes[90] = b'x', 3, &["38 bytes at 85 are damaged: record 2 is missing"]),
        (
            &|bytes| bytes[90..130].fill(0),
            2,
            &["76 bytes at 85 are damaged: records 2 to 3 are missing"],
        ),
        (&|bytes| bytes[122] = b'x', 4, &["1 byte at 122 is damaged"]),
        (&|bytes| drop(bytes.splice(85..85, *b"noise\n")), 4, &["6 bytes at 85 are damaged"]),
        (
            &|bytes| drop(bytes.drain(85..123)),
            3,
            &["something was taken away at 85: record 2 is missing"],
        ),
        (&|bytes| bytes[3] = b'x', 4, &["the first line is damaged"]),
        (&|bytes| drop(bytes.drain(..47)), 4, &["the first line is damaged"]),
        (
            &|bytes| bytes.truncate(190),
            3,
            &["the last line, 29 bytes at 161, was not written to its end"],
        ),
        (&|bytes| bytes[190] = b'x', 3, &["38 bytes at 161 are damaged"]),
    ];
    for (number, (change, count, expected)) in cases.into_iter().enumerate() {
        let found = changed(change);
        assert_eq!(found.records.len(), count, "case {number}");
        assert_eq!(told(&found), expected, "case {number}");
    }
    assert_eq!(scan(&headed("urlsession-journal 2")).unwrap_err(), Newer(2));
}

#[test]
fn whatever_the_bytes_are_they_are_accounted_for() {
    for bytes in [&b""[..], b"\n", b"\n\n\n", b"urlsession-journal 1", &[0; 100], &[0xff; 100]] {
        let found = scan(bytes).unwrap();
        assert_eq!((found.records.len(), found.next), (0, 1));
        assert_eq!(found.damage[0].kind, DamageKind::Header);
        let length: u64 = found.damage.iter().map(|damage| damage.length).sum();
        assert_eq!(length, bytes.len() as u64);
    }
}
