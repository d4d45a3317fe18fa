//! Cookies as text, for a file.
//!
//! Each line is a cookie: seven fields, with a tab between them. Backslashes, tabs and line breaks
//! in a field are escaped, so nothing in a cookie can break the file. Those that end with their
//! session are left out.

use std::fmt::Write;

use super::cookie::{Cookie, SameSite};
use super::jar::Jar;
use super::moment::Moment;
use super::set_cookie::has_control;
use crate::log;

/// Writes the cookies of a jar that outlive the session.
pub(super) fn to_text(jar: &Jar, now: Moment) -> String {
    let mut text = String::new();
    for cookie in jar.all(now).iter().filter(|cookie| !cookie.is_session_only()) {
        write_line(&mut text, cookie);
    }
    text
}

/// Reads what [`to_text`] has written; what is no cookie is passed over.
pub(super) fn from_text(text: &str) -> Jar {
    let mut jar = Jar::default();
    let mut damaged = 0;
    for line in text.lines() {
        match read_line(line) {
            Some(cookie) => {
                jar.remove(&cookie);
                let created = cookie.created;
                jar.insert(cookie, created);
            }
            None => damaged += 1,
        }
    }
    if damaged > 0 {
        log::warn!("{damaged} lines of the stored cookies cannot be read, and are passed over");
    }
    jar
}

fn write_line(text: &mut String, cookie: &Cookie) {
    let expires = cookie.expires.unwrap_or_default();
    let _ = write!(text, "{}\t{expires}\t{}", cookie.created, flags(cookie));
    for field in [&cookie.domain, &cookie.path, &cookie.name, &cookie.value] {
        text.push('\t');
        escape(text, field);
    }
    text.push('\n');
}

fn read_line(line: &str) -> Option<Cookie> {
    let mut fields = line.split('\t');
    let (created, expires, flags) = (fields.next()?, fields.next()?, fields.next()?);
    let [domain, path, name, value] = std::array::from_fn(|_| fields.next().and_then(unescape));
    let (domain, path, name, value) = (domain?, path?, name?, value?);
    // What a server could not have set is not sent to one.
    let is_wrong = |text: &str| has_control(text.as_bytes()) || text.contains(';');
    let is_none = domain.is_empty() || (name.is_empty() && value.is_empty());
    if fields.next().is_some() || is_none || is_wrong(&name) || is_wrong(&value) {
        return None;
    }
    let has = |flag| flags.contains(flag);
    Some(Cookie {
        name,
        value,
        domain,
        path,
        expires: Some(expires.parse().ok()?),
        created: created.parse().ok()?,
        latin1: has('1'),
        host_only: has('h'),
        secure: has('s'),
        http_only: has('o'),
        same_site: SAME_SITES
            .iter()
            .find(|(flag, _)| has(*flag))
            .map_or_else(SameSite::default, |known| known.1),
    })
}

const SAME_SITES: [(char, SameSite); 3] =
    [('N', SameSite::None), ('L', SameSite::Lax), ('S', SameSite::Strict)];

fn flags(cookie: &Cookie) -> String {
    let same_site = SAME_SITES.map(|(flag, known)| (cookie.same_site == known, flag));
    let own = [
        (cookie.latin1, '1'),
        (cookie.host_only, 'h'),
        (cookie.secure, 's'),
        (cookie.http_only, 'o'),
    ];
    own.into_iter().chain(same_site).filter(|(is, _)| *is).map(|(_, flag)| flag).collect()
}

fn escape(text: &mut String, field: &str) {
    for char in field.chars() {
        match char {
            '\\' => text.push_str("\\\\"),
            '\t' => text.push_str("\\t"),
            '\n' => text.push_str("\\n"),
            other => text.push(other),
        }
    }
}

fn unescape(field: &str) -> Option<Box<str>> {
    let mut text = String::with_capacity(field.len());
    let mut chars = field.chars();
    while let Some(char) = chars.next() {
        text.push(match char {
            '\\' => match chars.next()? {
                '\\' => '\\',
                't' => '\t',
                'n' => '\n',
                _ => return None,
            },
            other => other,
        });
    }
    Some(text.into())
}

#[cfg(test)]
mod tests;
