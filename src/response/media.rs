//! Reading `Content-Type` (RFC 9110 §8.3) and what other fields share with it: parameters.

use std::borrow::Cow;

/// Returns the type of a `Content-Type` value, lower-case and without parameters.
pub(super) fn mime_type(content_type: &str) -> Option<String> {
    // A comma joins two fields where only one is allowed; the first is as good as any.
    let essence = content_type.split([';', ',']).next().unwrap_or_default().trim();
    let (kind, subtype) = essence.split_once('/')?;
    (is_token(kind) && is_token(subtype)).then(|| essence.to_ascii_lowercase())
}

/// Returns the `charset` parameter of a `Content-Type` value, lower-case; the first one
/// wins, as in browsers.
pub(super) fn charset(content_type: &str) -> Option<String> {
    let (_, rest) = content_type.split_once(';')?;
    let (_, value) = parameters(rest).find(|(name, _)| name.eq_ignore_ascii_case("charset"))?;
    let value = value.split(',').next().unwrap_or_default().trim();
    is_token(value).then(|| value.to_ascii_lowercase())
}

/// RFC 9110 §5.6.2.
pub(super) fn is_token(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(allowed)
}

/// Reads the parameters `name=value` in `text`, which are separated by semicolons; quotes
/// and escapes of values are undone (RFC 9110 §5.6.6, §5.6.4).
///
/// Servers get this wrong in many ways, so it is lenient: space around `=` is ignored, a
/// part without `=` is passed over, a quote that is never closed ends with the text.
pub(super) fn parameters(text: &str) -> impl Iterator<Item = (&str, Cow<'_, str>)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        loop {
            rest = rest.trim_start_matches([';', ' ', '\t']);
            if rest.is_empty() {
                return None;
            }
            let end = rest.find([';', '=']).unwrap_or(rest.len());
            let name = rest[..end].trim();
            let Some(after) = rest[end..].strip_prefix('=') else {
                rest = &rest[end..];
                continue;
            };
            let (value, remaining) = value(after.trim_start());
            rest = remaining;
            return Some((name, value));
        }
    })
}

/// Reads one value and returns what is behind it.
fn value(text: &str) -> (Cow<'_, str>, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(';').unwrap_or(text.len());
        return (Cow::Borrowed(text[..end].trim()), &text[end..]);
    };
    let mut value = String::new();
    let mut chars = quoted.char_indices();
    while let Some((index, char)) = chars.next() {
        match char {
            '"' => {
                let rest = &quoted[index + 1..];
                let end = rest.find(';').unwrap_or(rest.len());
                return (Cow::Owned(value), &rest[end..]);
            }
            '\\' => value.extend(chars.next().map(|(_, escaped)| escaped)),
            _ => value.push(char),
        }
    }
    (Cow::Owned(value), "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn type_and_charset_are_read_as_browsers_read_them() {
        for (value, mime, encoding) in [
            ("text/html", Some("text/html"), None),
            ("Text/HTML; Charset=UTF-8", Some("text/html"), Some("utf-8")),
            (" text/html ; charset = utf-8 ", Some("text/html"), Some("utf-8")),
            ("text/html;charset=\"utf-8\"", Some("text/html"), Some("utf-8")),
            ("text/html; charset=\"ut\\f-8\"", Some("text/html"), Some("utf-8")),
            ("text/html; a=\"x;charset=no\"; charset=yes", Some("text/html"), Some("yes")),
            ("text/html; charset=one; charset=two", Some("text/html"), Some("one")),
            ("text/html; version; charset=utf-8", Some("text/html"), Some("utf-8")),
            ("text/html; charset=\"utf-8", Some("text/html"), Some("utf-8")),
            ("text/html; charset=utf-8, text/plain", Some("text/html"), Some("utf-8")),
            ("text/html, text/plain", Some("text/html"), None),
            ("image/svg+xml;charset=Shift_JIS", Some("image/svg+xml"), Some("shift_jis")),
            ("text/html; charset=", Some("text/html"), None),
            ("text/html; charset=\"\"", Some("text/html"), None),
            ("text/html; charset=é", Some("text/html"), None),
            ("text/html; xcharset=utf-8", Some("text/html"), None),
            ("text", None, None),
            ("text/", None, None),
            ("/html", None, None),
            ("te xt/html", None, None),
            ("text/html/x", None, None),
            ("", None, None),
            (";charset=utf-8", None, Some("utf-8")),
        ] {
            assert_eq!(mime_type(value).as_deref(), mime, "type of {value:?}");
            assert_eq!(charset(value).as_deref(), encoding, "charset of {value:?}");
        }
    }

    #[test]
    fn parameters_come_unquoted_and_in_order() {
        for (text, expected) in [
            ("a=1;b=2", &[("a", "1"), ("b", "2")][..]),
            ("; ;a = 1 ; ;", &[("a", "1")]),
            (r#"a="1;\"2\\";b=2"#, &[("a", r#"1;"2\"#), ("b", "2")]),
            (r#"a="1"junk;b=2"#, &[("a", "1"), ("b", "2")]),
            (r#"a="1\"#, &[("a", "1")]),
            (r#"a="#, &[("a", "")]),
            ("=1", &[("", "1")]),
            ("attachment; a=1", &[("a", "1")]),
            ("", &[]),
        ] {
            let found: Vec<_> = parameters(text).collect();
            let found: Vec<_> = found.iter().map(|(name, value)| (*name, &**value)).collect();
            assert_eq!(found, expected, "{text:?}");
        }
    }
}
