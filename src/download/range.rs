//! Which part of a whole an answer brings (RFC 9110 §14.4).

use crate::headers::Headers;

/// What `Content-Range` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ContentRange {
    /// These bytes, the last included, of so many if the server knows that.
    Part { first: u64, last: u64, total: Option<u64> },
    /// None of those that were asked for, of so many.
    Unsatisfied { total: u64 },
}

impl ContentRange {
    /// Reads the field; `None` if it is missing, there twice, or says nothing that holds.
    pub(super) fn of(headers: &Headers) -> Option<Self> {
        let mut all = headers.get_all("content-range");
        let value = all.next().filter(|_| all.next().is_none())?;
        Self::parse(value.trim())
    }

    fn parse(value: &str) -> Option<Self> {
        let (unit, rest) = value.split_once(char::is_whitespace)?;
        // RFC 9110 §14.1: units are case-insensitive.
        if !unit.eq_ignore_ascii_case("bytes") {
            return None;
        }
        let (range, total) = rest.trim_start().split_once('/')?;
        if range == "*" {
            return Some(Self::Unsatisfied { total: number(total)? });
        }
        let total = if total == "*" { None } else { Some(number(total)?) };
        let (first, last) = range.split_once('-')?;
        let (first, last) = (number(first)?, number(last)?);
        let holds = first <= last && total.is_none_or(|total| last < total);
        holds.then_some(Self::Part { first, last, total })
    }
}

/// Reads digits alone: `parse` takes a sign too.
pub(super) fn number(text: &str) -> Option<u64> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_has_a_first_and_a_last_byte_within_the_whole() {
        let part = |first, last, total| Some(ContentRange::Part { first, last, total });
        for (value, read) in [
            ("bytes 0-0/1", part(0, 0, Some(1))),
            ("bytes 100-199/1000", part(100, 199, Some(1000))),
            ("Bytes  100-199/*", part(100, 199, None)),
            (
                "bytes 0-18446744073709551614/18446744073709551615",
                part(0, u64::MAX - 1, Some(u64::MAX)),
            ),
            ("bytes */1000", Some(ContentRange::Unsatisfied { total: 1000 })),
            ("bytes */0", Some(ContentRange::Unsatisfied { total: 0 })),
            ("bytes */*", None),
            ("bytes 199-100/1000", None),
            ("bytes 100-1000/1000", None),
            ("bytes 0-18446744073709551616/*", None),
            ("bytes +1-2/3", None),
            ("bytes 1-/3", None),
            ("bytes -2/3", None),
            ("bytes 1-2", None),
            ("bytes=1-2/3", None),
            ("lines 1-2/3", None),
            ("", None),
        ] {
            assert_eq!(ContentRange::parse(value), read, "{value:?}");
        }
    }

    #[test]
    fn two_fields_say_nothing() {
        let mut headers = Headers::new();
        assert_eq!(ContentRange::of(&headers), None);
        headers.add("Content-Range", " bytes 1-2/3 ").unwrap();
        assert!(ContentRange::of(&headers).is_some());
        headers.add("content-range", "bytes 1-2/3").unwrap();
        assert_eq!(ContentRange::of(&headers), None);
    }
}
