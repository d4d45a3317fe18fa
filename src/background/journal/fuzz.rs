//! What always holds of journals.

use super::format;
use super::scan::{Scan, scan};
use crate::checksum::crc32_of;

/// Every byte is a record's or damage, and what was read is read again when it is written anew.
/// That of any bytes, and of the same with sums that are right, which chance never finds.
pub fn journal(data: &[u8]) {
    holds(data);
    holds(&mended(data));
}

fn holds(bytes: &[u8]) {
    let Ok(found) = scan(bytes) else { return };
    let damaged: u64 = found.damage.iter().map(|damage| damage.length).sum();
    assert_eq!(damaged + whole(bytes, &found), bytes.len() as u64, "{:?}", found.damage);
    let offsets: Vec<_> = found.damage.iter().map(|damage| damage.offset).collect();
    assert!(offsets.is_sorted(), "{:?}", found.damage);

    let json: Vec<_> = found.records.iter().map(|place| &bytes[place.clone()]).collect();
    let mut anew = format::header(found.next).into_bytes();
    for (number, json) in (found.next..).zip(&json) {
        anew.extend(format::line(number, json));
    }
    let Ok(again) = scan(&anew) else { panic!("what was written anew is of another version") };
    // What has a line feed in it was never written here.
    if json.iter().all(|json| !json.contains(&b'\n')) {
        assert_eq!(again.damage, []);
    }
    let read: Vec<_> = again.records.into_iter().map(|place| &anew[place]).collect();
    assert_eq!(read, json);
}

/// Returns how many bytes belong to the first line, if that is whole, and to records.
fn whole(bytes: &[u8], found: &Scan) -> u64 {
    let header = match format::read_header(bytes) {
        format::Header::Known { end, .. } => end,
        _ => 0,
    };
    let line = |place: &std::ops::Range<usize>| {
        let is_ended = bytes.get(place.end) == Some(&b'\n');
        place.end - place.start + format::JSON + usize::from(is_ended)
    };
    (header + found.records.iter().map(line).sum::<usize>()) as u64
}

/// Returns the bytes with the right sum, and length, in each line that has a place for them.
fn mended(data: &[u8]) -> Vec<u8> {
    let mut mended = Vec::new();
    for (at, line) in data.split_inclusive(|&byte| byte == b'\n').enumerate() {
        let (text, feed) = match line.split_last() {
            Some((b'\n', text)) => (text, &b"\n"[..]),
            _ => (line, &b""[..]),
        };
        if at == 0 && text.len() > 9 {
            let (text, _) = text.split_at(text.len() - 9);
            mended.extend([text, format!(" {:08x}", crc32_of(&[text])).as_bytes(), feed].concat());
        } else if at > 0 && text.len() > format::JSON {
            let (number, json) = (&text[9..25], &text[format::JSON..]);
            let (length, sum) = (json.len(), crc32_of(&[number, json]));
            mended.extend(format!("{length:08x} ").as_bytes());
            mended.extend(number);
            mended.extend(format!(" {sum:08x} ").as_bytes());
            mended.extend([json, feed].concat());
        } else {
            mended.extend(line);
        }
    }
    mended
}
