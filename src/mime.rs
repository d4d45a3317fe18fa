//! Common MIME types and the extensions of their files, in both directions.

/// Returns the usual extension of files of a MIME type, for the types that are common.
pub(crate) fn extension(mime_type: &str) -> Option<&'static str> {
    let older = OLDER_NAMES.iter().find(|(older, _)| older.eq_ignore_ascii_case(mime_type));
    let name = older.map_or(mime_type, |(_, current)| current);
    let found = TYPES.iter().find(|(mime, _)| mime.eq_ignore_ascii_case(name));
    found.and_then(|(_, extensions)| extensions.first().copied())
}

/// Returns the MIME type that the extension of `file_name` stands for, for the types that
/// are common. What the file holds is not looked at.
pub(crate) fn of_file_name(file_name: &str) -> Option<&'static str> {
    let (_, wanted) = file_name.rsplit_once('.')?;
    let is_wanted = |extension: &&str| extension.eq_ignore_ascii_case(wanted);
    TYPES.iter().find(|(_, extensions)| extensions.iter().any(is_wanted)).map(|(mime, _)| *mime)
}

/// Types with the extensions of their files, the usual one first.
///
/// `application/octet-stream` is not here: it means that nobody knows.
const TYPES: &[(&str, &[&str])] = &[
    ("application/epub+zip", &["epub"]),
    ("application/gzip", &["gz", "tgz"]),
    ("application/java-archive", &["jar"]),
    ("application/json", &["json"]),
    ("application/ld+json", &["jsonld"]),
    ("application/msword", &["doc"]),
    ("application/pdf", &["pdf"]),
    ("application/rtf", &["rtf"]),
    ("application/vnd.ms-excel", &["xls"]),
    ("application/vnd.ms-powerpoint", &["ppt"]),
    ("application/vnd.oasis.opendocument.spreadsheet", &["ods"]),
    ("application/vnd.oasis.opendocument.text", &["odt"]),
    ("application/vnd.openxmlformats-officedocument.presentationml.presentation", &["pptx"]),
    ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", &["xlsx"]),
    ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", &["docx"]),
    ("application/wasm", &["wasm"]),
    ("application/x-7z-compressed", &["7z"]),
    ("application/x-bzip2", &["bz2"]),
    ("application/x-tar", &["tar"]),
    ("application/x-xz", &["xz"]),
    ("application/xhtml+xml", &["xhtml"]),
    ("application/xml", &["xml"]),
    ("application/yaml", &["yaml", "yml"]),
    ("application/zip", &["zip"]),
    ("application/zstd", &["zst"]),
    ("audio/aac", &["aac"]),
    ("audio/flac", &["flac"]),
    ("audio/mp4", &["m4a"]),
    ("audio/mpeg", &["mp3"]),
    ("audio/ogg", &["ogg", "oga", "opus"]),
    ("audio/wav", &["wav"]),
    ("font/otf", &["otf"]),
    ("font/ttf", &["ttf"]),
    ("font/woff", &["woff"]),
    ("font/woff2", &["woff2"]),
    ("image/avif", &["avif"]),
    ("image/bmp", &["bmp"]),
    ("image/gif", &["gif"]),
    ("image/heic", &["heic"]),
    ("image/jpeg", &["jpg", "jpeg"]),
    ("image/png", &["png"]),
    ("image/svg+xml", &["svg"]),
    ("image/tiff", &["tiff", "tif"]),
    ("image/vnd.microsoft.icon", &["ico"]),
    ("image/webp", &["webp"]),
    ("message/rfc822", &["eml"]),
    ("text/calendar", &["ics"]),
    ("text/css", &["css"]),
    ("text/csv", &["csv"]),
    ("text/html", &["html", "htm"]),
    ("text/javascript", &["js", "mjs"]),
    ("text/markdown", &["md"]),
    ("text/plain", &["txt", "log"]),
    ("text/vcard", &["vcf"]),
    ("video/mp4", &["mp4", "m4v"]),
    ("video/mpeg", &["mpeg", "mpg"]),
    ("video/ogg", &["ogv"]),
    ("video/quicktime", &["mov"]),
    ("video/webm", &["webm"]),
];

/// Names that servers still give to types of the table above.
const OLDER_NAMES: &[(&str, &str)] = &[
    ("application/javascript", "text/javascript"),
    ("application/x-gzip", "application/gzip"),
    ("image/x-icon", "image/vnd.microsoft.icon"),
    ("text/xml", "application/xml"),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_table_is_sorted_and_lower_case_and_names_each_extension_once() {
        assert!(TYPES.is_sorted() && OLDER_NAMES.is_sorted());
        let lower = |text: &str| !text.is_empty() && text == text.to_ascii_lowercase();
        assert!(TYPES.iter().all(|(mime, _)| lower(mime) && mime.matches('/').count() == 1));
        let all: Vec<_> = TYPES.iter().flat_map(|(_, extensions)| *extensions).collect();
        assert!(all.iter().all(|extension| lower(extension)));
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
        for (older, current) in OLDER_NAMES {
            assert!(TYPES.iter().all(|(mime, _)| mime != older), "{older}");
            assert!(TYPES.iter().any(|(mime, _)| mime == current), "{current}");
        }
    }

    #[test]
    fn types_and_extensions_are_found_in_any_case() {
        for (mime, expected) in [
            ("IMAGE/PNG", Some("png")),
            ("image/jpeg", Some("jpg")),
            ("text/xml", Some("xml")),
            ("Application/X-GZip", Some("gz")),
            ("application/octet-stream", None),
            ("", None),
        ] {
            assert_eq!(extension(mime), expected, "{mime}");
        }
        for (name, expected) in [
            ("photo.JPEG", Some("image/jpeg")),
            ("a.tar.gz", Some("application/gzip")),
            (".txt", Some("text/plain")),
            ("index.htm", Some("text/html")),
            ("a.unheard-of", None),
            ("png", None),
            ("a.", None),
            ("", None),
        ] {
            assert_eq!(of_file_name(name), expected, "{name}");
        }
    }
}
