//! The table of resuming, row by row.

use super::*;
use crate::headers::Headers;

const CHANGED: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
const LATER: &str = "Sun, 06 Nov 1994 09:00:00 GMT";

/// What the first answer said, and what the second does; a total of 1000, 100 of them there.
struct Row {
    first: &'static [(&'static str, &'static str)],
    total: Option<u64>,
    has_digest: bool,
    status: u16,
    second: &'static [(&'static str, &'static str)],
}

const TAG: &[(&str, &str)] = &[("ETag", "\"a\"")];
const DATE: &[(&str, &str)] = &[("Last-Modified", CHANGED), ("Date", LATER)];
const WEAK: &[(&str, &str)] = &[("ETag", "W/\"a\""), ("Last-Modified", CHANGED), ("Date", LATER)];
const CODED: &[(&str, &str)] = &[("ETag", "\"a\""), ("Content-Encoding", "gzip")];
const NOTHING: &[(&str, &str)] = &[];

impl Row {
    fn of(first: &'static [(&'static str, &'static str)]) -> Self {
        Self { first, total: Some(1000), has_digest: false, status: 206, second: &[] }
    }

    fn answered(mut self, status: u16, second: &'static [(&'static str, &'static str)]) -> Self {
        (self.status, self.second) = (status, second);
        self
    }

    fn unknown_total(mut self) -> Self {
        self.total = None;
        self
    }

    fn digest(mut self) -> Self {
        self.has_digest = true;
        self
    }

    fn judge(&self) -> Answer {
        let read = |fields: &[(&str, &str)]| {
            let mut headers = Headers::new();
            for (name, value) in fields {
                headers.add(name, value).unwrap();
            }
            headers
        };
        let entity = Entity::of(&read(self.first), self.total);
        let begun =
            Begun { entity: &entity, received: 100, until: None, has_digest: self.has_digest };
        let second = read(self.second);
        let status = StatusCode::from_u16(self.status).unwrap();
        judge(begun, status, &Entity::of(&second, None), ContentRange::of(&second))
    }
}

const fn append(count: u64, total: u64) -> Answer {
    Answer::Append { count, total: Some(total) }
}

const CHANGES: Answer = Answer::AskAgain(StartOver::Changed);
const NO_RANGE: Answer = Answer::AskAgain(StartOver::NoRanges);

#[test]
fn a_part_is_appended_if_it_is_proven_to_fit() {
    for (row, answer) in [
        // A strong tag.
        (
            Row::of(TAG)
                .answered(206, &[("Content-Range", "bytes 100-999/1000"), ("ETag", "\"a\"")]),
            append(900, 1000),
        ),
        (
            Row::of(TAG)
                .answered(206, &[("Content-Range", "bytes 100-999/1000"), ("ETag", "\"b\"")]),
            CHANGES,
        ),
        (
            Row::of(TAG)
                .answered(206, &[("Content-Range", "bytes 100-999/1000"), ("ETag", "W/\"a\"")]),
            CHANGES,
        ),
        (Row::of(TAG).answered(206, &[("Content-Range", "bytes 100-999/1000")]), CHANGES),
        (
            Row::of(TAG).answered(206, &[("Content-Range", "bytes 0-999/1000"), ("ETag", "\"a\"")]),
            NO_RANGE,
        ),
        (
            Row::of(TAG)
                .answered(206, &[("Content-Range", "bytes 99-999/1000"), ("ETag", "\"a\"")]),
            NO_RANGE,
        ),
        (
            Row::of(TAG)
                .answered(206, &[("Content-Range", "bytes 100-1000/1001"), ("ETag", "\"a\"")]),
            CHANGES,
        ),
        (
            Row::of(TAG)
                .answered(206, &[("Content-Range", "bytes 100-199/1000"), ("ETag", "\"a\"")]),
            append(100, 1000),
        ),
        (
            Row::of(TAG).answered(206, &[("Content-Range", "bytes 100-199/*"), ("ETag", "\"a\"")]),
            append(100, 1000),
        ),
        (
            Row::of(TAG).answered(206, &[("Content-Range", "bytes 100-1999/*"), ("ETag", "\"a\"")]),
            CHANGES,
        ),
        (
            Row::of(TAG).answered(
                206,
                &[("Content-Type", "multipart/byteranges; boundary=x"), ("ETag", "\"a\"")],
            ),
            NO_RANGE,
        ),
        (
            Row::of(TAG).answered(
                206,
                &[
                    ("Content-Range", "bytes 100-999/1000"),
                    ("ETag", "\"a\""),
                    ("Content-Encoding", "gzip"),
                ],
            ),
            CHANGES,
        ),
        (
            Row::of(CODED).answered(
                206,
                &[
                    ("Content-Range", "bytes 100-999/1000"),
                    ("ETag", "\"a\""),
                    ("Content-Encoding", "GZip"),
                ],
            ),
            append(900, 1000),
        ),
        (
            Row::of(CODED)
                .answered(206, &[("Content-Range", "bytes 100-999/1000"), ("ETag", "\"a\"")]),
            CHANGES,
        ),
        (
            Row::of(TAG)
                .unknown_total()
                .answered(206, &[("Content-Range", "bytes 100-999/1000"), ("ETag", "\"a\"")]),
            append(900, 1000),
        ),
        (
            Row::of(TAG)
                .unknown_total()
                .answered(206, &[("Content-Range", "bytes 100-999/*"), ("ETag", "\"a\"")]),
            Answer::Append { count: 900, total: None },
        ),
        // A date, of a resource whose tag is weak or missing.
        (
            Row::of(DATE).answered(
                206,
                &[("Content-Range", "bytes 100-999/1000"), ("Last-Modified", CHANGED)],
            ),
            append(900, 1000),
        ),
        (
            Row::of(DATE).answered(206, &[("Content-Range", "bytes 100-999/1000")]),
            append(900, 1000),
        ),
        (
            Row::of(DATE).answered(
                206,
                &[("Content-Range", "bytes 100-999/1000"), ("Last-Modified", LATER)],
            ),
            CHANGES,
        ),
        (
            Row::of(WEAK)
                .answered(206, &[("Content-Range", "bytes 100-999/1000"), ("ETag", "W/\"a\"")]),
            append(900, 1000),
        ),
        (
            Row::of(WEAK)
                .answered(206, &[("Content-Range", "bytes 100-999/1000"), ("ETag", "W/\"b\"")]),
            CHANGES,
        ),
        // Nothing but a digest.
        (
            Row::of(NOTHING).digest().answered(206, &[("Content-Range", "bytes 100-999/1000")]),
            append(900, 1000),
        ),
        (
            Row::of(NOTHING).digest().answered(206, &[("Content-Range", "bytes 100-999/999")]),
            NO_RANGE,
        ),
    ] {
        let said = (row.first, row.status, row.second);
        assert_eq!(row.judge(), answer, "{said:?}");
    }
}

#[test]
fn what_is_no_part_begins_anew_or_stays_away() {
    for (row, answer) in [
        (Row::of(TAG).answered(200, TAG), Answer::Anew(StartOver::NoRanges)),
        (Row::of(TAG).answered(200, &[("ETag", "\"b\"")]), Answer::Anew(StartOver::Changed)),
        (Row::of(DATE).answered(200, DATE), Answer::Anew(StartOver::NoRanges)),
        (Row::of(TAG).answered(412, NOTHING), CHANGES),
        (Row::of(TAG).answered(416, NOTHING), CHANGES),
        (Row::of(TAG).answered(416, &[("Content-Range", "bytes */50")]), CHANGES),
        (
            Row::of(TAG).answered(416, &[("Content-Range", "bytes */100"), ("ETag", "\"a\"")]),
            CHANGES,
        ),
        (
            Row::of(TAG)
                .unknown_total()
                .answered(416, &[("Content-Range", "bytes */100"), ("ETag", "\"a\"")]),
            Answer::Complete,
        ),
        (
            Row::of(TAG)
                .unknown_total()
                .answered(416, &[("Content-Range", "bytes */100"), ("ETag", "\"b\"")]),
            CHANGES,
        ),
        (Row::of(TAG).unknown_total().answered(416, &[("Content-Range", "bytes */100")]), CHANGES),
        (
            Row::of(TAG)
                .unknown_total()
                .answered(416, &[("Content-Range", "bytes */99"), ("ETag", "\"a\"")]),
            CHANGES,
        ),
        (
            Row::of(DATE)
                .unknown_total()
                .answered(416, &[("Content-Range", "bytes */100"), ("Last-Modified", CHANGED)]),
            Answer::Complete,
        ),
        (
            Row::of(NOTHING)
                .unknown_total()
                .digest()
                .answered(416, &[("Content-Range", "bytes */100")]),
            Answer::Complete,
        ),
        (Row::of(TAG).answered(204, NOTHING), NO_RANGE),
        (Row::of(TAG).answered(404, NOTHING), Answer::Refused),
        (Row::of(TAG).answered(403, NOTHING), Answer::Refused),
        (Row::of(TAG).answered(503, NOTHING), Answer::Refused),
        (Row::of(TAG).answered(304, NOTHING), Answer::Refused),
    ] {
        let said = (row.first, row.status, row.second);
        assert_eq!(row.judge(), answer, "{said:?}");
    }
}

#[test]
fn the_rest_is_asked_for_if_its_version_can_be_proven() {
    let all = |first: &[(&str, &str)], total, received, has_digest| {
        let mut headers = Headers::new();
        for (name, value) in first {
            headers.add(name, value).unwrap();
        }
        let entity = Entity::of(&headers, total);
        let begun = Begun { entity: &entity, received, until: None, has_digest };
        begun.asks().map(|(range, condition)| (range, condition.map(str::to_owned)))
    };
    let range = |range: &str, condition: Option<&str>| {
        Some((range.to_owned(), condition.map(str::to_owned)))
    };
    assert_eq!(all(TAG, Some(1000), 100, false), range("bytes=100-", Some("\"a\"")));
    assert_eq!(all(WEAK, Some(1000), 100, false), range("bytes=100-", Some(CHANGED)));
    assert_eq!(all(DATE, None, 100, false), range("bytes=100-", Some(CHANGED)));
    assert_eq!(all(NOTHING, Some(1000), 100, true), range("bytes=100-", None));
    assert_eq!(all(NOTHING, Some(1000), 100, false), None);
    assert_eq!(all(TAG, Some(1000), 0, false), None);
    // The last byte once more.
    assert_eq!(all(TAG, Some(1000), 1000, false), range("bytes=999-", Some("\"a\"")));
}

#[test]
fn what_is_missing_before_what_is_there_is_asked_for_alone() {
    let mut headers = Headers::new();
    headers.add("ETag", "\"a\"").unwrap();
    let entity = Entity::of(&headers, Some(1000));
    for (received, until, asked) in [
        (100, 200, Some("bytes=100-199")),
        (0, 200, Some("bytes=0-199")),
        (9, 10, Some("bytes=9-9")),
    ] {
        let begun = Begun { entity: &entity, received, until: Some(until), has_digest: false };
        assert_eq!(begun.asks().map(|(range, _)| range).as_deref(), asked);
    }
    for (range, answer) in [
        ("bytes 100-199/1000", append(100, 1000)),
        ("bytes 100-149/1000", append(50, 1000)),
        ("bytes 100-200/1000", NO_RANGE),
        ("bytes 100-999/1000", NO_RANGE),
        ("bytes 99-199/1000", NO_RANGE),
    ] {
        let mut second = headers.clone();
        second.add("Content-Range", range).unwrap();
        let begun = Begun { entity: &entity, received: 100, until: Some(200), has_digest: false };
        let part = Entity::of(&second, None);
        let judged = judge(begun, StatusCode::PARTIAL_CONTENT, &part, ContentRange::of(&second));
        assert_eq!(judged, answer, "{range}");
    }
}
