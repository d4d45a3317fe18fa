//! A name for a file, from what a server says.

use percent_encoding::percent_decode_str;
use url::Url;

use super::media;
use super::safe_name::safe_name;
use crate::mime;

/// Returns a name for the body of a response: never empty, never a path, never special on
/// any system.
pub(super) fn suggested(disposition: Option<&str>, url: &Url, mime_type: Option<&str>) -> String {
    let extension = mime_type.and_then(mime::extension);
    let name = disposition.and_then(|value| safe_name(&from_disposition(value)?, extension));
    let name = name.or_else(|| safe_name(&last_segment(url)?, extension));
    // A host looks like a name with an extension (`.com` is even a program), so the
    // extension is added to it in any case.
    let host = || safe_name(&with_extension(url.host_str()?, extension), None);
    name.or_else(host).unwrap_or_else(|| with_extension("Unknown", extension))
}

fn with_extension(name: &str, extension: Option<&str>) -> String {
    match extension {
        Some(extension) => format!("{name}.{extension}"),
        None => name.to_owned(),
    }
}

/// Returns the file name in a `Content-Disposition` value: `filename*` before `filename`
/// (RFC 6266 §4.3), else the first that can be read.
///
/// The type may be missing or anything: a name is a name under `inline` as well. `%41` and
/// `=?UTF-8?..?=` in a plain `filename` stay as they are, RFC 6266 gives them no meaning.
fn from_disposition(value: &str) -> Option<String> {
    let named = |wanted: &'static str| {
        media::parameters(value)
            .filter(move |(name, _)| name.eq_ignore_ascii_case(wanted))
            .map(|(_, value)| value)
    };
    let extended = named("filename*").find_map(|value| extended(&value));
    extended.or_else(|| named("filename").next().map(Into::into))
}

/// Decodes `charset'language'value` (RFC 8187 §3.2); `None` if it is broken or in a
/// charset other than the two that RFC 5987 §3.2 requires.
fn extended(text: &str) -> Option<String> {
    let (charset, rest) = text.split_once('\'')?;
    let (_language, value) = rest.split_once('\'')?;
    let hex = |text: &str| text.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2;
    if !value.split('%').skip(1).all(hex) {
        return None;
    }
    let bytes: Vec<u8> = percent_decode_str(value).collect();
    if charset.eq_ignore_ascii_case("utf-8") {
        String::from_utf8(bytes).ok()
    } else if charset.eq_ignore_ascii_case("iso-8859-1") {
        Some(bytes.into_iter().map(char::from).collect())
    } else {
        None
    }
}

/// Returns the last segment of the path that is not empty, decoded.
fn last_segment(url: &Url) -> Option<String> {
    let segment = url.path_segments()?.rfind(|segment| !segment.is_empty())?;
    Some(percent_decode_str(segment).decode_utf8_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(disposition: &str) -> String {
        let url = Url::parse("http://shop.test/from-url").unwrap();
        suggested(Some(disposition), &url, None)
    }

    #[test]
    fn content_disposition_is_read_as_rfc_6266_says() {
        for (value, expected) in [
            ("attachment; filename=a.txt", "a.txt"),
            ("attachment; filename=\"a.txt\"", "a.txt"),
            ("inline; FileName = \"a b.txt\" ", "a b.txt"),
            ("filename=a.txt", "a.txt"),
            ("attachment; filename=\";.ext\"", ";.ext"),
            ("attachment; filename=\"a\\\\b\\;c.txt\"", "a_b;c.txt"),
            ("attachment; filename=\"/a/b/name\"", "_a_b_name"),
            ("attachment; aa=bb\\; filename=\"/a/b/name\"", "_a_b_name"),
            ("attachment; aa=\"; filename=no\"; filename=yes", "yes"),
            ("attachment; filename=one; filename=two", "one"),
            ("attachment; filename=\"unclosed.txt", "unclosed.txt"),
            ("attachment; filename=a b.txt; size=3", "a b.txt"),
            ("attachment; filename=\"%41.txt\"", "%41.txt"),
            ("attachment; filename=\"naïve.txt\"", "naïve.txt"),
            ("attachment; filename=e.txt; filename*=UTF-8''%e2%82%ac.txt", "€.txt"),
            ("attachment; filename*=UTF-8''%e2%82%ac.txt; filename=e.txt", "€.txt"),
            ("attachment; filename*=utf-8'en'a%20b.txt", "a b.txt"),
            ("attachment; filename*=iso-8859-1''caf%E9.txt", "café.txt"),
            ("attachment; filename*=UTF-8''%2e%2e%2fetc%2fpasswd", "_etc_passwd"),
            // Broken or unknown extended values give way to the plain one.
            ("attachment; filename=e.txt; filename*=UTF-8''%e9.txt", "e.txt"),
            ("attachment; filename=e.txt; filename*=UTF-8''%4.txt", "e.txt"),
            ("attachment; filename=e.txt; filename*=UTF-8''%zz.txt", "e.txt"),
            ("attachment; filename=e.txt; filename*=koi8-r''%c1.txt", "e.txt"),
            ("attachment; filename=e.txt; filename*=plain.txt", "e.txt"),
            ("attachment; filename*=broken; filename*=UTF-8''ok.txt", "ok.txt"),
            // Nothing usable: the URL is next.
            ("attachment; filename=\"\"", "from-url"),
            ("attachment; filename=\"..\"", "from-url"),
            ("attachment; filename=\" . \"", "from-url"),
            ("attachment; filename", "from-url"),
            ("attachment; xfilename=a.txt", "from-url"),
            ("attachment", "from-url"),
            ("", "from-url"),
        ] {
            assert_eq!(named(value), expected, "{value:?}");
        }
    }

    #[test]
    fn without_a_disposition_the_url_names_the_file() {
        for (url, mime, expected) in [
            ("http://shop.test/a/b.txt", None, "b.txt"),
            ("http://shop.test/a/b.txt?c=/d.txt#/e.txt", None, "b.txt"),
            ("http://shop.test/a/b.txt", Some("text/html"), "b.txt"),
            ("http://shop.test/a/b", Some("text/html"), "b.html"),
            ("http://shop.test/a/b", Some("application/octet-stream"), "b"),
            ("http://shop.test/a/b/", Some("image/png"), "b.png"),
            ("http://shop.test/b%20c%C3%A9.txt", None, "b cé.txt"),
            ("http://shop.test/%2e%2e%2fetc%2fpasswd", None, "_etc_passwd"),
            ("http://shop.test/a%00b.txt", None, "a_b.txt"),
            ("http://shop.test/%FF.txt", None, "\u{fffd}.txt"),
            ("http://shop.test/%20", Some("text/html"), "shop.test.html"),
            ("http://shop.test/", None, "shop.test"),
            ("http://shop.test", Some("text/html"), "shop.test.html"),
            ("http://[::1]:8080/", Some("text/html"), "[__1].html"),
            ("http://con/", None, "_con"),
            ("data:,hello", None, "Unknown"),
            ("data:,hello", Some("text/plain"), "Unknown.txt"),
        ] {
            let name = suggested(None, &Url::parse(url).unwrap(), mime);
            assert_eq!(name, expected, "{url} as {mime:?}");
        }
    }
}
