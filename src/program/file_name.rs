//! Names of files that stand for what a program calls something: pure.

use std::fmt::Write;

use crate::checksum::fnv64;

/// No name that is written here is longer, so that it is one on every system with something
/// before or behind it; and how much of a longer one is kept, for people.
const LONGEST: usize = 120;
const BEGINNING: usize = 80;

/// What Windows takes for a device, with whatever ending (MSDN, "Naming Files, Paths, and
/// Namespaces"); those with a number behind them are looked for apart.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];

/// Writes `text` so that it names a file, and no other text does.
///
/// What is not a lower-case letter, a digit, `-`, `_` or `.` inside is written as in URLs, with
/// lower-case digits: on many systems names that differ in case, or in how an accent is composed,
/// are one. What is too long is cut, and has its hash behind a `~`.
pub(crate) fn file_name(text: &str) -> String {
    if text.is_empty() {
        return "%".to_owned();
    }
    let mut name = String::with_capacity(text.len());
    let last = text.len() - 1;
    for (at, byte) in text.bytes().enumerate() {
        let is_plain = match byte {
            b'a'..=b'z' => at > 0 || !is_device(text),
            b'0'..=b'9' | b'-' | b'_' => true,
            b'.' => at > 0 && at < last,
            _ => false,
        };
        if is_plain {
            name.push(byte.into());
        } else {
            // Writing to a string does not fail.
            let _ = write!(name, "%{byte:02x}");
        }
    }
    if name.len() > LONGEST {
        name.truncate(BEGINNING);
        let _ = write!(name, "~{:016x}", fnv64(text.as_bytes()));
    }
    name
}

fn is_device(text: &str) -> bool {
    let stem = text.split('.').next().unwrap_or_default();
    let numbered = |device| {
        let number = stem.strip_prefix(device).map(str::as_bytes);
        matches!(number, Some([b'0'..=b'9']))
    };
    DEVICES.contains(&stem) || numbered("com") || numbered("lpt")
}
