//! Dates of cookies (RFC 6265bis §5.1.1), which are read leniently, in whatever order.

use crate::calendar;

const MONTHS: [&[u8; 3]; 12] = [
    b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec",
];

/// What was found of a date so far.
#[derive(Default)]
struct Found {
    /// Hour, minute and second.
    time: Option<[i64; 3]>,
    day: Option<i64>,
    month: Option<i64>,
    year: Option<i64>,
}

/// Reads a date; returns seconds after 1970.
pub(super) fn parse(text: &[u8]) -> Option<i64> {
    let mut found = Found::default();
    let tokens = text.split(|&byte| is_delimiter(byte)).filter(|token| !token.is_empty());
    for token in tokens {
        found.take(token);
    }
    found.date()
}

/// Bytes from 0x80 on belong to a token, as do most control characters and the colon.
fn is_delimiter(byte: u8) -> bool {
    matches!(byte, b'\t' | 0x20..=0x2f | 0x3b..=0x40 | 0x5b..=0x60 | 0x7b..=0x7e)
}

impl Found {
    /// Takes a token for the first thing that it can be and that is missing yet.
    fn take(&mut self, token: &[u8]) {
        if self.time.is_none() {
            self.time = time(token);
            if self.time.is_some() {
                return;
            }
        }
        if self.day.is_none() {
            self.day = number(token, 1..=2);
            if self.day.is_some() {
                return;
            }
        }
        if self.month.is_none() {
            self.month = month(token);
            if self.month.is_some() {
                return;
            }
        }
        if self.year.is_none() {
            self.year = number(token, 2..=4).map(century);
        }
    }

    fn date(self) -> Option<i64> {
        let ([hour, minute, second], day) = (self.time?, self.day?);
        let (month, year) = (self.month?, self.year?);
        if year < 1601 || hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let days = calendar::days_since_1970(year, month, day);
        // One that does not exist, as a 31st of June and a 0th of any month.
        if calendar::date(days) != (year, month, day) {
            return None;
        }
        Some(days * 86_400 + hour * 3_600 + minute * 60 + second)
    }
}

/// Years of two digits are those from 1970 to 2069.
fn century(year: i64) -> i64 {
    match year {
        70..=99 => year + 1900,
        0..=69 => year + 2000,
        _ => year,
    }
}

/// Reads so many digits at the beginning, which no other digit follows.
fn number(token: &[u8], length: std::ops::RangeInclusive<usize>) -> Option<i64> {
    let digits = token.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let value = |sum: i64, digit: &u8| sum * 10 + i64::from(digit - b'0');
    length.contains(&digits).then(|| token[..digits].iter().fold(0, value))
}

/// Reads `hour:minute:second`, of one or two digits each.
fn time(token: &[u8]) -> Option<[i64; 3]> {
    let mut parts = token.splitn(3, |&byte| byte == b':');
    let whole = |part: &[u8]| number(part, 1..=2).filter(|_| part.iter().all(u8::is_ascii_digit));
    let (hour, minute) = (whole(parts.next()?)?, whole(parts.next()?)?);
    // Something may follow that is no digit.
    Some([hour, minute, number(parts.next()?, 1..=2)?])
}

fn month(token: &[u8]) -> Option<i64> {
    let start = token.first_chunk::<3>()?;
    let known = MONTHS.iter().position(|month| month.eq_ignore_ascii_case(start))?;
    Some(known as i64 + 1)
}

#[cfg(test)]
mod tests;
