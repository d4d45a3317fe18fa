//! What a `Strict-Transport-Security` header says (RFC 6797 §6.1): pure.

/// What a host asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Policy {
    /// For how many seconds, from its receipt on.
    pub(super) max_age: u64,
    pub(super) includes_subdomains: bool,
}

impl Policy {
    /// Reads a value; `None` if all of it has to be ignored, as it is no list of directives, has
    /// one twice, or none that says how long.
    pub(super) fn parse(value: &str) -> Option<Self> {
        let (mut max_age, mut includes_subdomains) = (None, false);
        let mut names: Vec<&str> = Vec::new();
        let mut rest = value;
        loop {
            let (directive, behind) = directive(rest)?;
            if let Some((name, value)) = directive {
                if names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                    return None;
                }
                names.push(name);
                if name.eq_ignore_ascii_case("max-age") {
                    max_age = Some(seconds(value?)?);
                } else if name.eq_ignore_ascii_case("includeSubDomains") {
                    // §6.1.2: it has no value.
                    includes_subdomains = value.is_none().then_some(true)?;
                }
            }
            match behind {
                Some(behind) => rest = behind,
                None => return Some(Self { max_age: max_age?, includes_subdomains }),
            }
        }
    }
}

/// A name, and what it is set to.
type Directive<'a> = (&'a str, Option<&'a str>);

/// Reads the next directive, which may be missing, and returns what comes behind its semicolon.
fn directive(text: &str) -> Option<(Option<Directive<'_>>, Option<&str>)> {
    let text = text.trim_start_matches(is_space);
    let (name, rest) = token(text);
    let rest = rest.trim_start_matches(is_space);
    if name.is_empty() {
        return Some((None, end(rest)?));
    }
    let Some(rest) = rest.strip_prefix('=') else {
        return Some((Some((name, None)), end(rest)?));
    };
    let rest = rest.trim_start_matches(is_space);
    let (value, rest) = match rest.strip_prefix('"') {
        Some(quoted) => quoted_string(quoted)?,
        // An empty one is none.
        None => Some(token(rest)).filter(|(value, _)| !value.is_empty())?,
    };
    Some((Some((name, Some(value))), end(rest.trim_start_matches(is_space))?))
}

/// Behind a directive stands a semicolon, or nothing.
fn end(rest: &str) -> Option<Option<&str>> {
    if rest.is_empty() { Some(None) } else { rest.strip_prefix(';').map(Some) }
}

/// RFC 2616 §2.2: what stands here may be surrounded by these.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t')
}

fn token(text: &str) -> (&str, &str) {
    let is_of_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    text.split_at(text.find(|c| !is_of_token(c)).unwrap_or(text.len()))
}

/// Returns what stands before the next quotation mark, escapes as they are: no directive that is
/// known has any.
fn quoted_string(text: &str) -> Option<(&str, &str)> {
    let mut is_escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => return Some((&text[..at], &text[at + 1..])),
            _ => {}
        }
    }
    None
}

/// Reads a number of seconds; one that is too large for it is as long as it can be.
fn seconds(text: &str) -> Option<u64> {
    let are_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    are_digits.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOT: Option<(u64, bool)> = None;

    /// RFC 6797 §6.2, §6.1, and the cases of Chromium's `http_security_headers_unittest.cc`.
    #[test]
    #[rustfmt::skip]
    fn a_header_is_read_as_a_whole_or_not_at_all() {
        for (value, expected) in [
            // The RFC's own.
            ("max-age=31536000", Some((31_536_000, false))),
            ("max-age=15768000 ; includeSubDomains", Some((15_768_000, true))),
            ("max-age=\"31536000\"", Some((31_536_000, false))),
            ("max-age=0", Some((0, false))),
            ("max-age=0; includeSubDomains", Some((0, true))),
            // White space, case, empty and unknown directives, in any order.
            ("max-age=243;", Some((243, false))),
            ("  Max-agE    = 567", Some((567, false))),
            ("  mAx-aGe    = 890      ", Some((890, false))),
            ("max-age=123;incLudesUbdOmains", Some((123, true))),
            ("incLudesUbdOmains; max-age=123", Some((123, true))),
            ("   pumpkin=894; incLudesUbdOmains; max-age=123  ", Some((123, true))),
            ("   pumpkin; incLudesUbdOmains; max-age=\"123\"  ", Some((123, true))),
            ("animal=\"squirrel; distinguished\"; incLudesUbdOmains; max-age=123", Some((123, true))),
            ("animal=\"a \\\" ; max-age=1\"; max-age=123", Some((123, false))),
            ("max-age=39408299  ;incLudesUbdOmains", Some((39_408_299, true))),
            (";;    ; ; max-age=394;;; includeSubdomains     ;;  ;", Some((394, true))),
            ("max-age=1; preload", Some((1, false))),
            ("max-age=1; empty=\"\"", Some((1, false))),
            ("  max-age=999999999999999999999999999999  ;  incLudesUbdOmains   ", Some((u64::MAX, true))),
            ("max-age=18446744073709551616", Some((u64::MAX, false))),
            // No policy.
            ("", NOT), ("    ", NOT), (";", NOT), (";;;; ;;;", NOT), ("abc", NOT),
            ("max-age", NOT), ("  max-age  ", NOT), ("max-age=", NOT), ("   max-age  =     ", NOT),
            ("max-age=\"\"", NOT),
            ("   max-age  =     xy", NOT), ("max-age=3488a923", NOT), ("max-age==3488923", NOT),
            ("max-age=-3488923", NOT), ("max-age=+3488923", NOT), ("max-age=34889.23", NOT),
            ("max-age=13####", NOT), ("max-age=999999999999999999999999999$", NOT),
            ("max-ag=3488923", NOT), ("max-aged=3488923", NOT), ("amax-age=3488923", NOT),
            ("max-age=3488923     e", NOT), ("max-age=3488923includesubdomains", NOT),
            ("max-age=3488923 includesubdomains", NOT), ("max-age=3488923=includesubdomains", NOT),
            ("max-age=34889 , includesubdomains", NOT), ("max-age=\"3488923", NOT),
            ("max-age=\"3488923\"x", NOT), ("max-age=' 3'", NOT), ("=1; max-age=1", NOT),
            ("   includeSubDomains;  ", NOT), ("max-age; ;includeSubDomains", NOT),
            ("max-age=1; includeSubDomains=true", NOT), ("max-age=1; includeSubDomains=", NOT),
            ("max-age=1; (x)", NOT), ("max-age=1; pumpkin=", NOT),
            // Twice.
            ("max-age=1; max-age=1", NOT), ("max-age=1; Max-Age=2", NOT),
            ("max-age=1; includeSubDomains; includeSubDomains", NOT),
            ("max-age=1; pumpkin; pumpkin=2", NOT),
        ] {
            let found = Policy::parse(value);
            let found = found.map(|policy| (policy.max_age, policy.includes_subdomains));
            assert_eq!(found, expected, "{value:?}");
        }
    }
}
