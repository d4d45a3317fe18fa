//! Dates in headers (RFC 9110 §5.6.7), in all three formats.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::calendar;

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Reads a date. One of two digits for its year is at most 50 years after `now`.
///
/// The name of the day is passed over: it follows from the date, and servers get it wrong.
pub(crate) fn parse(text: &str, now: SystemTime) -> Option<SystemTime> {
    let parts: Vec<_> = text.split_ascii_whitespace().collect();
    let (year, month, day, time) = match parts[..] {
        // Sun, 06 Nov 1994 08:49:37 GMT
        [_, day, month, year, time, "GMT" | "UTC"] => {
            (digits(year, 4..=4)?, month, digits(day, 1..=2)?, time)
        }
        // Sunday, 06-Nov-94 08:49:37 GMT
        [_, date, time, "GMT" | "UTC"] => {
            let mut date = date.split('-');
            let (day, month, year) = (date.next()?, date.next()?, date.next()?);
            if date.next().is_some() {
                return None;
            }
            let year = match year.len() {
                2 => century(digits(year, 2..=2)?, now),
                _ => digits(year, 4..=4)?,
            };
            (year, month, digits(day, 1..=2)?, time)
        }
        // Sun Nov  6 08:49:37 1994
        [_, month, day, time, year] => (digits(year, 4..=4)?, month, digits(day, 1..=2)?, time),
        _ => return None,
    };
    let month = MONTHS.iter().position(|name| name.eq_ignore_ascii_case(month))? as i64 + 1;
    let days = calendar::days_since_1970(year, month, day);
    if calendar::date(days) != (year, month, day) {
        return None;
    }
    at(days * 86_400 + seconds(time)?)
}

/// Reads a time of the day; a leap second is the one after.
fn seconds(time: &str) -> Option<i64> {
    let mut parts = time.split(':').map(|part| digits(part, 2..=2));
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next()??);
    let is_time = hour < 24 && minute < 60 && second <= 60 && parts.next().is_none();
    is_time.then_some((hour * 60 + minute) * 60 + second)
}

fn digits(text: &str, length: std::ops::RangeInclusive<usize>) -> Option<i64> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    (is_number && length.contains(&text.len())).then(|| text.parse().ok())?
}

/// RFC 9110 §5.6.7: what seems to be more than 50 years ahead is in the past.
fn century(year: i64, now: SystemTime) -> i64 {
    let since_1970 = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let (this_year, ..) = calendar::date((since_1970 / 86_400) as i64);
    let year = this_year - this_year.rem_euclid(100) + year;
    match year - this_year {
        51.. => year - 100,
        ..-49 => year + 100,
        _ => year,
    }
}

fn at(seconds: i64) -> Option<SystemTime> {
    let distance = Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 { UNIX_EPOCH.checked_sub(distance) } else { UNIX_EPOCH.checked_add(distance) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_in_all_three_formats() {
        let now = at(1_796_000_000).unwrap(); // in 2026
        for (text, seconds) in [
            // RFC 9110 §5.6.7's own.
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(784_111_777)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", Some(784_111_777)),
            ("Sun Nov  6 08:49:37 1994", Some(784_111_777)),
            ("Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
            ("Wed, 31 Dec 1969 23:59:59 GMT", Some(-1)),
            ("Fri, 31 Dec 9999 23:59:59 GMT", Some(253_402_300_799)),
            ("Thu, 29 Feb 2024 12:00:00 GMT", Some(1_709_208_000)),
            ("Sat, 31 Dec 2016 23:59:60 GMT", Some(1_483_228_800)),
            // What servers write.
            ("Sun, 6 Nov 1994 08:49:37 GMT", Some(784_111_777)),
            ("Mon, 06 Nov 1994 08:49:37 UTC", Some(784_111_777)),
            ("Sun, 06-Nov-1994 08:49:37 GMT", Some(784_111_777)),
            (" Sun,  06 nov 1994 08:49:37 GMT ", Some(784_111_777)),
            // Two digits, seen from 2026.
            ("Friday, 06-Nov-76 00:00:00 GMT", Some(3_371_846_400)),
            ("Sunday, 06-Nov-77 00:00:00 GMT", Some(247_622_400)),
            // No dates.
            ("Fri, 29 Feb 2023 12:00:00 GMT", None),
            ("Sun, 31 Nov 1994 08:49:37 GMT", None),
            ("Sun, 00 Nov 1994 08:49:37 GMT", None),
            ("Sun, 06 Nov 1994 24:00:00 GMT", None),
            ("Sun, 06 Nov 1994 08:60:00 GMT", None),
            ("Sun, 06 Nov 1994 08:49:61 GMT", None),
            ("Sun, 06 Nov 1994 8:49:37 GMT", None),
            ("Sun, 06 Nov 1994 08:49:37 +0100", None),
            ("Sun, 06 Nov 1994 08:49:37", None),
            ("Sun, 06 Foo 1994 08:49:37 GMT", None),
            ("Sun, 06 Nov 94 08:49:37 GMT", None),
            ("Sun, 06 Nov -994 08:49:37 GMT", None),
            ("Sun, 06-Nov-94-1 08:49:37 GMT", None),
            ("1994-11-06T08:49:37Z", None),
            ("784111777", None),
            ("0", None),
            ("", None),
        ] {
            assert_eq!(parse(text, now), seconds.and_then(at), "{text:?}");
        }
    }
}
