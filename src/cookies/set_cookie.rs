//! What a `Set-Cookie` says (RFC 6265bis §5.6): read leniently, nothing is decided here.

use super::SameSite;
use super::date;
use super::moment::{LONGEST_LIFE, Moment, SECOND};

/// RFC 6265bis §5.6: name and value are no longer than this together.
pub(super) const MOST_OF_PAIR: usize = 4_096;

/// RFC 6265bis §5.6: a longer value of an attribute is as if it was not there.
const MOST_OF_ATTRIBUTE: usize = 1_024;

/// A `Set-Cookie`, what it says of itself.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct SetCookie<'a> {
    pub(super) name: &'a [u8],
    pub(super) value: &'a [u8],
    /// The last `Domain`.
    pub(super) domain: &'a [u8],
    /// The last `Path`.
    pub(super) path: Option<&'a [u8]>,
    /// How long it lives, in seconds; zero is over.
    max_age: Option<i64>,
    /// In seconds after 1970.
    expires: Option<i64>,
    pub(super) secure: bool,
    pub(super) http_only: bool,
    pub(super) same_site: SameSite,
}

impl<'a> SetCookie<'a> {
    /// Reads a field; `None` if it is to be passed over.
    pub(super) fn parse(line: &'a [u8]) -> Option<Self> {
        if has_control(line) {
            return None;
        }
        let mut parts = line.split(|&byte| byte == b';');
        let (name, value) = pair(parts.next()?).unwrap_or_else(|whole| (&b""[..], whole));
        // §5.7, steps 2 and 4.
        let length = name.len() + value.len();
        if length == 0 || length > MOST_OF_PAIR {
            return None;
        }
        let mut cookie = Self { name, value, ..Self::default() };
        for attribute in parts {
            let (name, value) = pair(attribute).unwrap_or_else(|whole| (whole, &b""[..]));
            if value.len() <= MOST_OF_ATTRIBUTE {
                cookie.take(name, value);
            }
        }
        Some(cookie)
    }

    /// Takes an attribute (§5.6.1 to §5.6.7). Of several the last counts that can be read.
    fn take(&mut self, name: &[u8], value: &'a [u8]) {
        let is = |known: &[u8]| name.eq_ignore_ascii_case(known);
        if is(b"expires") {
            self.expires = date::parse(value).or(self.expires);
        } else if is(b"max-age") {
            self.max_age = max_age(value).or(self.max_age);
        } else if is(b"domain") {
            self.domain = value;
        } else if is(b"path") {
            self.path = Some(value);
        } else if is(b"secure") {
            self.secure = true;
        } else if is(b"httponly") {
            self.http_only = true;
        } else if is(b"samesite") {
            self.same_site = same_site(value);
        }
    }

    /// Returns when it ends, if it does not with the session: `Max-Age` goes before `Expires`
    /// (§5.7, step 6), and none lives longer than 400 days (§5.5).
    pub(super) fn expiry(&self, now: Moment) -> Option<Moment> {
        let latest = now.saturating_add(LONGEST_LIFE);
        match (self.max_age, self.expires) {
            (Some(0), _) => Some(Moment::MIN),
            (Some(age), _) => Some(now.saturating_add(age.saturating_mul(SECOND)).min(latest)),
            (None, Some(seconds)) => Some(seconds.saturating_mul(SECOND).min(latest)),
            (None, None) => None,
        }
    }
}

/// Parts `name=value` and trims both; without a `=` it is the error.
fn pair(text: &[u8]) -> Result<(&[u8], &[u8]), &[u8]> {
    match text.iter().position(|&byte| byte == b'=') {
        Some(at) => Ok((trimmed(&text[..at]), trimmed(&text[at + 1..]))),
        None => Err(trimmed(text)),
    }
}

/// Spaces and tabs only, as the RFC has it.
pub(super) fn trimmed(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}

/// Whether there is a control character other than the tab, which makes the whole field none.
pub(super) fn has_control(text: &[u8]) -> bool {
    text.iter().any(|&byte| (byte < 0x20 && byte != b'\t') || byte == 0x7f)
}

/// §5.6.2: digits, perhaps behind a minus. What is not more than zero is over.
fn max_age(value: &[u8]) -> Option<i64> {
    let (digits, is_negative) = match value.strip_prefix(b"-") {
        Some(digits) => (digits, true),
        None => (value, false),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let add = |sum: i64, digit: &u8| sum.saturating_mul(10).saturating_add((digit - b'0').into());
    Some(if is_negative { 0 } else { digits.iter().fold(0, add) })
}

/// §5.6.7: what is not known is as if nothing was said.
fn same_site(value: &[u8]) -> SameSite {
    let known =
        [(&b"none"[..], SameSite::None), (b"lax", SameSite::Lax), (b"strict", SameSite::Strict)];
    let found = known.into_iter().find(|(name, _)| value.eq_ignore_ascii_case(name));
    found.map_or(SameSite::Unspecified, |(_, same_site)| same_site)
}

#[cfg(test)]
mod tests;
