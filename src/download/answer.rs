//! What becomes of the answer to a request for the rest of a body: the table of resuming.
//!
//! Only what is proven to be of the same version is appended; everything else begins anew, and
//! says so. No answer ever makes a file of two versions.

use std::fmt;

use http::StatusCode;

use super::entity::{Entity, Validator};
use super::range::ContentRange;

/// What is there of a body, and how its rest is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Begun<'a> {
    pub(super) entity: &'a Entity,
    /// How many bytes are there, from the first on.
    pub(super) received: u64,
    /// Where what is missing behind them ends, if something is there behind that.
    pub(super) until: Option<u64>,
    /// A digest tells in the end whether the bytes are right.
    pub(super) has_digest: bool,
}

impl<'a> Begun<'a> {
    /// Returns what proves the version, and whether the rest can be asked for at all.
    pub(super) fn can_go_on(self) -> bool {
        (self.received > 0 || self.until.is_some())
            && (self.entity.validator().is_some() || self.has_digest)
    }

    /// Returns where what is asked for begins. Where nothing is missing, it is the last byte
    /// once more: few servers name the version with the answer that nothing is left.
    pub(super) fn offset(self) -> u64 {
        let is_whole = self.entity.total == Some(self.received);
        self.received - u64::from(is_whole && self.received > 0)
    }

    /// Returns `Range` of the request for the rest.
    pub(super) fn range(self) -> String {
        match self.until {
            Some(until) => format!("bytes={}-{}", self.offset(), until.saturating_sub(1)),
            None => format!("bytes={}-", self.offset()),
        }
    }

    /// Returns `Range` and `If-Range` of the request for the rest.
    pub(super) fn asks(self) -> Option<(String, Option<&'a str>)> {
        self.can_go_on().then(|| (self.range(), self.entity.validator().map(Validator::text)))
    }
}

/// What becomes of an answer to that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// It is the rest: so many bytes, of a whole of that length if it is known.
    Append { count: u64, total: Option<u64> },
    /// It is another whole, which takes the place of what is there.
    Anew(StartOver),
    /// Nothing is missing.
    Complete,
    /// It is of no use: the whole is asked for.
    AskAgain(StartOver),
    /// It says nothing of the body. What is there stays.
    Refused,
}

/// Why a download that had begun starts over from its first byte; see
/// [`Delegate::did_start_over`](crate::Delegate::did_start_over).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StartOver {
    /// What the server has now is another version of the resource.
    Changed,
    /// The server sends no parts, or not the one that was asked for.
    NoRanges,
    /// Nothing that the server said of the first part proves that the rest fits.
    NoValidator,
    /// What came together does not have the digest that was expected.
    WrongDigest,
    /// What was there is gone or broken, so that it could not be gone on with.
    Lost,
}

impl fmt::Display for StartOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Changed => "the server has another version now",
            Self::NoRanges => "the server does not send the part that was asked for",
            Self::NoValidator => "nothing proves that the rest would be of the same version",
            Self::WrongDigest => "what came together has another digest than expected",
            Self::Lost => "what was there is gone or broken",
        })
    }
}

/// Decides what becomes of an answer, of which `entity` is what its head says and `range` its
/// `Content-Range`.
pub(super) fn judge(
    begun: Begun<'_>,
    status: StatusCode,
    entity: &Entity,
    range: Option<ContentRange>,
) -> Answer {
    let before = begun.entity;
    match status {
        StatusCode::PARTIAL_CONTENT => part(begun, entity, range),
        // The server need not have looked at `If-Range`; but what it sends is whole.
        StatusCode::OK => Answer::Anew(if before.is_same_version(entity) {
            StartOver::NoRanges
        } else {
            StartOver::Changed
        }),
        StatusCode::RANGE_NOT_SATISFIABLE => match range {
            Some(ContentRange::Unsatisfied { total })
                if total == begun.received
                    && before.total.is_none_or(|before| before == total)
                    && is_proven(begun, entity) =>
            {
                Answer::Complete
            }
            _ => Answer::AskAgain(StartOver::Changed),
        },
        StatusCode::PRECONDITION_FAILED => Answer::AskAgain(StartOver::Changed),
        status if status.is_success() => Answer::AskAgain(StartOver::NoRanges),
        _ => Answer::Refused,
    }
}

/// Decides about a 206.
fn part(begun: Begun<'_>, entity: &Entity, range: Option<ContentRange>) -> Answer {
    // `multipart/byteranges` has none: nobody asked for several parts (RFC 9110 §15.3.7.2).
    let Some(ContentRange::Part { first, last, total }) = range else {
        return Answer::AskAgain(StartOver::NoRanges);
    };
    // Nor more than was asked for: it would be written over what is there.
    if first != begun.offset() || begun.until.is_some_and(|until| last >= until) {
        return Answer::AskAgain(StartOver::NoRanges);
    }
    let before = begun.entity;
    let other_total = before.total.zip(total).is_some_and(|(before, now)| before != now);
    let is_beyond = before.total.is_some_and(|total| last >= total);
    let same_coding = before.coding == entity.coding;
    if other_total || is_beyond || !same_coding || !before.is_same_version(entity) {
        return Answer::AskAgain(StartOver::Changed);
    }
    Answer::Append { count: last - first + 1, total: total.or(before.total) }
}

/// Whether an answer without a body is about the version that is there. It need not repeat
/// what names it.
fn is_proven(begun: Begun<'_>, entity: &Entity) -> bool {
    let before = begun.entity;
    if begun.has_digest {
        return before.is_same_version(entity);
    }
    match before.validator() {
        Some(Validator::Tag(tag)) => entity.etag.as_deref() == Some(tag),
        Some(Validator::Date(date)) => entity.last_modified.as_deref() == Some(date),
        None => false,
    }
}

#[cfg(test)]
mod tests;
