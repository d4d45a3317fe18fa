//! What is known of the body that a download is made of, and what names its version.

use std::time::{Duration, SystemTime};

use http::StatusCode;

use super::range::ContentRange;
use crate::clock::Clock;
use crate::headers::Headers;
use crate::response::{EntityTag, parse_date};

/// One version of a resource, as an answer has described it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Entity {
    /// As the server writes them.
    pub(super) etag: Option<String>,
    pub(super) last_modified: Option<String>,
    pub(super) date: Option<String>,
    /// How it is encoded (RFC 9110 §8.4), lower-case; empty if it is not.
    pub(super) coding: String,
    /// How long it is, if that is known.
    pub(super) total: Option<u64>,
}

/// What proves that two answers are of the same version (RFC 9110 §8.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Validator<'a> {
    Tag(&'a str),
    Date(&'a str),
}

impl<'a> Validator<'a> {
    /// Returns it as `If-Range` has it (RFC 9110 §13.1.5).
    pub(super) fn text(self) -> &'a str {
        match self {
            Self::Tag(text) | Self::Date(text) => text,
        }
    }
}

impl Entity {
    /// Reads what the head of an answer says of the whole body.
    pub(super) fn of(headers: &Headers, length: Option<u64>) -> Self {
        let field = |name: &str| headers.get(name).map(|value| value.trim().to_owned());
        let total = match ContentRange::of(headers) {
            Some(ContentRange::Part { total, .. }) => total,
            Some(ContentRange::Unsatisfied { total }) => Some(total),
            None => length,
        };
        Self {
            etag: field("etag"),
            last_modified: field("last-modified"),
            date: field("date"),
            coding: coding(headers),
            total,
        }
    }

    /// Returns the tag, if it is one, and equal tags mean equal bytes (RFC 9110 §8.8.1).
    pub(super) fn strong_tag(&self) -> Option<&str> {
        let text = self.etag.as_deref()?;
        EntityTag::parse(text).filter(|tag| !tag.is_weak()).map(|_| text)
    }

    /// Returns what proves that the rest is of the same version: a strong tag, or the date of
    /// the last change if that is strong.
    ///
    /// It is if the resource had not changed for a second when it was sent, as it could not
    /// change twice then with one date (RFC 9110 §8.8.2.2). What is encoded for the way, which
    /// may turn out differently every time, only a tag names.
    pub(super) fn validator(&self) -> Option<Validator<'_>> {
        if let Some(tag) = self.strong_tag() {
            return Some(Validator::Tag(tag));
        }
        let changed = self.last_modified.as_deref()?;
        let is_strong = self.coding.is_empty()
            && self.date.as_deref().and_then(at).zip(at(changed)).is_some_and(|(sent, changed)| {
                sent.duration_since(changed).is_ok_and(|age| age >= Duration::from_secs(1))
            });
        is_strong.then_some(Validator::Date(changed))
    }

    /// Whether an answer that brings the rest is of this version, by what both say of it.
    ///
    /// The answer to an `If-Range` may leave out all but the tag (RFC 9110 §15.3.7).
    pub(super) fn is_same_version(&self, rest: &Self) -> bool {
        let same_date = match (&self.last_modified, &rest.last_modified) {
            (Some(before), Some(now)) => Some(before == now),
            _ => None,
        };
        match (self.validator(), &rest.etag) {
            (Some(Validator::Tag(tag)), Some(now)) => tag == now,
            // It leaves out what it has to have; then something else has to prove it.
            (Some(Validator::Tag(_)), None) => same_date == Some(true),
            // A tag that has changed is news, be it weak.
            (Some(Validator::Date(_)) | None, now) => {
                let same_tag = self.etag.is_none() || now.is_none() || self.etag == *now;
                same_tag && same_date != Some(false)
            }
        }
    }
}

/// Reads how a body is encoded, lower-case, in the order in which it was.
fn coding(headers: &Headers) -> String {
    let mut all = String::new();
    for value in headers.get_all("content-encoding") {
        for name in value.split(',').map(str::trim) {
            if name.is_empty() || name.eq_ignore_ascii_case("identity") {
                continue;
            }
            if !all.is_empty() {
                all.push(',');
            }
            all += &name.to_ascii_lowercase();
        }
    }
    all
}

fn at(date: &str) -> Option<SystemTime> {
    parse_date(date, Clock::system().date())
}

/// Whether a status describes a body of which the rest can be asked for.
pub(super) fn has_rest(status: StatusCode) -> bool {
    status == StatusCode::OK || status == StatusCode::PARTIAL_CONTENT
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHANGED: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

    pub(crate) fn entity(fields: &[(&str, &str)]) -> Entity {
        let mut headers = Headers::new();
        for (name, value) in fields {
            headers.add(name, value).unwrap();
        }
        Entity::of(&headers, Some(1000))
    }

    #[test]
    fn a_strong_tag_or_a_date_that_is_a_second_old_names_a_version() {
        let second_later = "Sun, 06 Nov 1994 08:49:38 GMT";
        for (fields, validator) in [
            (&[("ETag", "\"a\"")][..], Some("\"a\"")),
            (&[("ETag", "W/\"a\"")], None),
            (&[("ETag", "a")], None),
            (&[("ETag", "\"a\""), ("Last-Modified", CHANGED)], Some("\"a\"")),
            (&[("Last-Modified", CHANGED)], None),
            (&[("Last-Modified", CHANGED), ("Date", CHANGED)], None),
            (&[("Last-Modified", CHANGED), ("Date", second_later)], Some(CHANGED)),
            (&[("Last-Modified", second_later), ("Date", CHANGED)], None),
            (&[("Last-Modified", "yesterday"), ("Date", CHANGED)], None),
            (
                &[("ETag", "W/\"a\""), ("Last-Modified", CHANGED), ("Date", second_later)],
                Some(CHANGED),
            ),
            (&[("ETag", "\"a\""), ("Content-Encoding", "gzip")], Some("\"a\"")),
            (
                &[("Last-Modified", CHANGED), ("Date", second_later), ("Content-Encoding", "br")],
                None,
            ),
            (&[], None),
        ] {
            let entity = entity(fields);
            assert_eq!(entity.validator().map(Validator::text), validator, "{fields:?}");
        }
    }

    #[test]
    fn the_whole_is_as_long_as_the_part_says() {
        for (fields, total) in [
            (&[][..], Some(1000)),
            (&[("Content-Range", "bytes 0-9/20")], Some(20)),
            (&[("Content-Range", "bytes 0-9/*")], None),
            (&[("Content-Range", "bytes */30")], Some(30)),
        ] {
            assert_eq!(entity(fields).total, total, "{fields:?}");
        }
    }

    #[test]
    fn codings_are_compared_without_case_and_identity() {
        for (value, coding) in
            [("GZip", "gzip"), ("identity", ""), ("gzip , identity,BR", "gzip,br"), ("", "")]
        {
            assert_eq!(entity(&[("Content-Encoding", value)]).coding, coding, "{value:?}");
        }
    }
}
