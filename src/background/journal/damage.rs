//! What was found in a journal that should not be there.

use std::fmt;
use std::ops::RangeInclusive;

/// A place of a journal that is not what was written.
///
/// `Display` says it in a line, as in "132 bytes at 1080 are damaged: records 7 to 9 are missing".
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Damage {
    /// Where it begins, in bytes from the start of the file.
    pub(crate) offset: u64,
    /// How long it is; 0 where something is not there at all.
    pub(crate) length: u64,
    /// What it is.
    pub(crate) kind: DamageKind,
    /// The numbers of the records that should lie there, as far as can be told.
    pub(crate) missing: Option<RangeInclusive<u64>>,
}

/// What a damaged place is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DamageKind {
    /// The first line.
    Header,
    /// Bytes that are no record.
    Bytes,
    /// The last line, which was not written to its end.
    Tail,
    /// A record whose number was there before.
    Repeated(u64),
    /// Numbers are left out, and nothing lies between.
    Gap,
}

impl Damage {
    /// Whether it is what a power cut leaves, and cutting it off is all there is to do.
    pub(super) fn is_tail(&self) -> bool {
        self.kind == DamageKind::Tail
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { offset, length, kind, missing } = self;
        let (bytes, are) = if *length == 1 { ("byte", "is") } else { ("bytes", "are") };
        match kind {
            DamageKind::Header => f.write_str("the first line is damaged")?,
            DamageKind::Bytes if *length == 0 => {
                write!(f, "the line that ends at {offset} has no line feed")?;
            }
            DamageKind::Bytes => write!(f, "{length} {bytes} at {offset} {are} damaged")?,
            DamageKind::Tail => {
                write!(
                    f,
                    "the last line, {length} {bytes} at {offset}, was not written to its end"
                )?;
            }
            DamageKind::Repeated(number) => {
                write!(f, "record {number} lies a second time at {offset}, and was passed over")?;
            }
            DamageKind::Gap => write!(f, "something was taken away at {offset}")?,
        }
        match missing.as_ref().map(|missing| (missing.start(), missing.end())) {
            None => Ok(()),
            Some((first, last)) if first == last => write!(f, ": record {first} is missing"),
            Some((first, last)) => write!(f, ": records {first} to {last} are missing"),
        }
    }
}
