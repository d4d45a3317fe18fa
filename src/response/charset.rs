//! Text in the encodings that are still met: the labels and the way of decoding are those of the
//! WHATWG's Encoding standard.

use std::borrow::Cow;

/// Windows-1252 from 0x80 to 0x9F; the rest is Latin-1.
const WINDOWS_1252: [char; 32] = [
    '\u{20ac}', '\u{81}', '\u{201a}', '\u{192}', '\u{201e}', '\u{2026}', '\u{2020}', '\u{2021}',
    '\u{2c6}', '\u{2030}', '\u{160}', '\u{2039}', '\u{152}', '\u{8d}', '\u{17d}', '\u{8f}',
    '\u{90}', '\u{2018}', '\u{2019}', '\u{201c}', '\u{201d}', '\u{2022}', '\u{2013}', '\u{2014}',
    '\u{2dc}', '\u{2122}', '\u{161}', '\u{203a}', '\u{153}', '\u{9d}', '\u{17e}', '\u{178}',
];

/// What a label means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Utf8,
    Utf16Le,
    Utf16Be,
    /// What the web means by Latin-1 and ASCII.
    Windows1252,
    #[cfg(feature = "charset")]
    Other(&'static encoding_rs::Encoding),
}

impl Encoding {
    /// Returns what `label`, in lower case, means; `None` for one that is not known here.
    fn of(label: &str) -> Option<Self> {
        Some(match label.trim() {
            "utf-8" | "utf8" | "unicode-1-1-utf-8" | "unicode11utf8" | "unicode20utf8"
            | "x-unicode20utf8" => Self::Utf8,
            "utf-16" | "utf-16le" | "csunicode" | "iso-10646-ucs-2" | "ucs-2" | "unicode"
            | "unicodefeff" => Self::Utf16Le,
            "utf-16be" | "unicodefffe" => Self::Utf16Be,
            "ansi_x3.4-1968" | "ascii" | "cp1252" | "cp819" | "csisolatin1" | "ibm819"
            | "iso-8859-1" | "iso-ir-100" | "iso8859-1" | "iso88591" | "iso_8859-1"
            | "iso_8859-1:1987" | "l1" | "latin1" | "us-ascii" | "windows-1252" | "x-cp1252" => {
                Self::Windows1252
            }
            #[cfg(feature = "charset")]
            other => Self::Other(encoding_rs::Encoding::for_label(other.as_bytes())?),
            #[cfg(not(feature = "charset"))]
            _ => return None,
        })
    }

    fn decode(self, body: &[u8]) -> Cow<'_, str> {
        match self {
            Self::Utf8 => String::from_utf8_lossy(body),
            Self::Utf16Le => utf16(body, u16::from_le_bytes),
            Self::Utf16Be => utf16(body, u16::from_be_bytes),
            Self::Windows1252 => windows_1252(body),
            #[cfg(feature = "charset")]
            Self::Other(encoding) => encoding.decode_without_bom_handling(body).0,
        }
    }
}

/// Decodes text. Its byte order mark decides, which is left out; then the `label`; and where
/// there is none, or one that is not known, it is UTF-8. What cannot be decoded becomes U+FFFD.
pub(crate) fn decode<'a>(body: &'a [u8], label: Option<&str>) -> Cow<'a, str> {
    let (encoding, text) = match body {
        [0xef, 0xbb, 0xbf, text @ ..] => (Encoding::Utf8, text),
        [0xfe, 0xff, text @ ..] => (Encoding::Utf16Be, text),
        [0xff, 0xfe, text @ ..] => (Encoding::Utf16Le, text),
        text => (label.and_then(Encoding::of).unwrap_or(Encoding::Utf8), text),
    };
    encoding.decode(text)
}

/// Whether text with this label is decoded as it says.
pub(crate) fn is_known(label: &str) -> bool {
    Encoding::of(label).is_some()
}

fn windows_1252(body: &[u8]) -> Cow<'_, str> {
    if body.is_ascii() {
        return String::from_utf8_lossy(body);
    }
    let char = |&byte: &u8| match byte {
        0x80..=0x9f => WINDOWS_1252[usize::from(byte - 0x80)],
        _ => char::from(byte),
    };
    Cow::Owned(body.iter().map(char).collect())
}

fn utf16(body: &[u8], unit: fn([u8; 2]) -> u16) -> Cow<'static, str> {
    let (pairs, rest) = body.as_chunks::<2>();
    let units: Vec<u16> = pairs.iter().map(|&pair| unit(pair)).collect();
    let mut text = String::from_utf16_lossy(&units);
    if !rest.is_empty() {
        text.push(char::REPLACEMENT_CHARACTER);
    }
    Cow::Owned(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_decoded_by_its_mark_or_else_its_label_or_else_as_utf_8() {
        for (body, label, expected) in [
            (&b"tea"[..], None, "tea"),
            (b"caf\xc3\xa9", None, "café"),
            (b"caf\xe9", None, "caf\u{fffd}"),
            (b"caf\xe9", Some("iso-8859-1"), "café"),
            (b"caf\xe9 \x80", Some("latin1"), "café €"),
            (b"\x93tea\x94 \x81", Some("windows-1252"), "“tea” \u{81}"),
            (b"tea", Some("us-ascii"), "tea"),
            (b"\xff", Some("ascii"), "ÿ"),
            (b"t\0\xe9\0", Some("utf-16le"), "té"),
            (b"t\0\xe9\0", Some("utf-16"), "té"),
            (b"\0t\0\xe9", Some("utf-16be"), "té"),
            (b"=\xd8\0\xde", Some("utf-16le"), "\u{1f600}"),
            (b"=\xd8t\0", Some("utf-16le"), "\u{fffd}t"),
            (b"t\0e", Some("utf-16le"), "t\u{fffd}"),
            (b"\xef\xbb\xbftea", None, "tea"),
            (b"\xef\xbb\xbfcaf\xc3\xa9", Some("iso-8859-1"), "café"),
            (b"\xff\xfet\0", Some("utf-8"), "t"),
            (b"\xfe\xff\0t", None, "t"),
            (b"", Some("utf-16le"), ""),
            (b"caf\xc3\xa9", Some("no-such-charset"), "café"),
            (b"caf\xc3\xa9", Some("x-unicode20utf8"), "café"),
        ] {
            assert_eq!(decode(body, label), expected, "{body:?} {label:?}");
        }
    }

    #[cfg(feature = "charset")]
    #[test]
    fn every_other_encoding_of_the_web_is_known_with_the_feature() {
        for (body, label, expected) in [
            (&b"\x82\xa8\x92\x83"[..], "shift_jis", "お茶"),
            (b"\xa4\xaa\xc3\xe3", "euc-jp", "お茶"),
            (b"\xb2\xe8", "gbk", "茶"),
            (b"\xb2\xe8", "gb2312", "茶"),
            (b"\xd7\xc1\xca", "koi8-r", "вай"),
            (b"\xf7\xe0\xe9", "windows-1251", "чай"),
            (b"\xa4", "iso-8859-15", "€"),
            (b"\xb2\xe8\xff", "gbk", "茶\u{fffd}"),
        ] {
            assert_eq!(decode(body, Some(label)), expected, "{label}");
        }
    }

    /// The labels and the table that are here are those of the crate that has them all.
    #[cfg(feature = "charset")]
    #[test]
    fn what_is_known_without_the_feature_is_what_the_standard_says() {
        let bytes: Vec<u8> = (0..=255).collect();
        for label in ["utf-8", "unicode11utf8", "latin1", "ascii", "iso-8859-1", "cp1252", "utf-16"]
        {
            let theirs = encoding_rs::Encoding::for_label(label.as_bytes()).unwrap();
            assert_eq!(decode(&bytes, Some(label)), theirs.decode(&bytes).0, "{label}");
        }
    }

    #[cfg(not(feature = "charset"))]
    #[test]
    fn other_encodings_are_not_known_without_the_feature() {
        assert!(!is_known("shift_jis") && is_known("latin1"));
    }
}
