//! The first line of a file: pure.
//!
//! It is `urlsession`, the name of what is stored, the version, and the CRC-32 of all that comes
//! behind the line.

use crate::checksum::crc32;

/// What a file is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Read<'a> {
    /// One of this version, or an older one, with this text.
    Text(&'a str),
    Newer,
    Damaged,
}

/// Returns a whole file.
pub(super) fn write(name: &str, version: u32, text: &str) -> String {
    format!("urlsession {name} {version} {:08x}\n{text}", crc32(text.as_bytes()))
}

/// Returns what a file is, for a program that knows this version.
pub(super) fn read<'a>(name: &str, version: u32, file: &'a [u8]) -> Read<'a> {
    let is_newer = |line: &str| {
        let mut words = line.split(' ');
        let names = [words.next(), words.next()] == [Some("urlsession"), Some(name)];
        let number = words.next().and_then(|word| word.parse::<u32>().ok());
        names && number.is_some_and(|number| number > version)
    };
    let end = file.iter().position(|byte| *byte == b'\n');
    let first = end.and_then(|end| std::str::from_utf8(&file[..end]).ok());
    // What comes behind its first line is its own.
    if first.is_some_and(is_newer) {
        return Read::Newer;
    }
    let text = end.and_then(|end| std::str::from_utf8(&file[end + 1..]).ok());
    match text {
        Some(text) if file == write(name, version, text).as_bytes() => Read::Text(text),
        _ => Read::Damaged,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_and_nothing_else() {
        let file = write("hsts", 1, "a\nb\n");
        assert_eq!(file, "urlsession hsts 1 18572a97\na\nb\n");
        assert_eq!(read("hsts", 1, file.as_bytes()), Read::Text("a\nb\n"));
        assert_eq!(read("hsts", 1, write("hsts", 1, "").as_bytes()), Read::Text(""));
        for (text, expected) in [
            ("urlsession hsts 2 what ever\n\u{0}", Read::Newer),
            ("urlsession hsts 2\n", Read::Newer),
            ("urlsession hsts 2", Read::Damaged),
            ("urlsession cookies 2\n", Read::Damaged),
            ("urlsession hsts 0 18572a97\na\nb\n", Read::Damaged),
            ("urlsession hsts -1 18572a97\na\nb\n", Read::Damaged),
            ("urlsession hsts 1 18572A97\na\nb\n", Read::Damaged),
            ("", Read::Damaged),
            ("\n", Read::Damaged),
        ] {
            assert_eq!(read("hsts", 1, text.as_bytes()), expected, "{text:?}");
        }
    }

    #[test]
    fn what_is_cut_or_has_a_bit_that_is_wrong_is_damaged() {
        let file = write("hsts", 1, "shop.test 1800000000 sub-domains\n");
        for end in 0..file.len() {
            assert_eq!(read("hsts", 1, &file.as_bytes()[..end]), Read::Damaged, "{end}");
        }
        for at in 0..file.len() * 8 {
            let mut bytes = file.clone().into_bytes();
            bytes[at / 8] ^= 1 << (at % 8);
            let found = read("hsts", 1, &bytes);
            assert!(matches!(found, Read::Damaged | Read::Newer), "bit {at}");
        }
    }
}
