//! [`DistinguishedName`]: the name of somebody in a certificate.

use std::fmt;

/// The name of somebody in a certificate (X.501), such as `CN=shop.test,O=The Shop`.
///
/// `Display` writes it as RFC 4514 does, the most special part first; control characters are
/// written as their numbers. A name that is broken, and every name in builds without the feature
/// `tls`, is written as `#` and its bytes in hexadecimal. Two names are equal if their bytes are.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct DistinguishedName(Box<[u8]>);

impl DistinguishedName {
    /// Takes a name in DER.
    pub fn from_der(der: impl Into<Vec<u8>>) -> Self {
        Self(der.into().into())
    }

    /// Returns the DER bytes.
    pub fn as_der(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for DistinguishedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        #[cfg(feature = "tls")]
        if let Ok(text) = text::of(&self.0) {
            return f.write_str(&text);
        }
        write_hexadecimal(&self.0, f)
    }
}

impl fmt::Debug for DistinguishedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DistinguishedName({self})")
    }
}

/// Writes bytes as RFC 4514 does.
fn write_hexadecimal(bytes: &[u8], to: &mut dyn fmt::Write) -> fmt::Result {
    to.write_str("#")?;
    bytes.iter().try_for_each(|byte| write!(to, "{byte:02x}"))
}

#[cfg(feature = "tls")]
mod text {
    use std::fmt::Write as _;
    use std::str;

    use der::asn1::{AnyRef, ObjectIdentifier};
    use der::{Reader, Result, SliceReader, Tag, Tagged};

    use super::write_hexadecimal;
    use crate::trust::x509::{element, identifier, inside};

    /// The short names of RFC 4514 §3, and others that are registered for LDAP (RFC 4520) and
    /// seen in certificates.
    const SHORT_NAMES: &[(&str, ObjectIdentifier)] = &[
        ("CN", ObjectIdentifier::new_unwrap("2.5.4.3")),
        ("SN", ObjectIdentifier::new_unwrap("2.5.4.4")),
        ("serialNumber", ObjectIdentifier::new_unwrap("2.5.4.5")),
        ("C", ObjectIdentifier::new_unwrap("2.5.4.6")),
        ("L", ObjectIdentifier::new_unwrap("2.5.4.7")),
        ("ST", ObjectIdentifier::new_unwrap("2.5.4.8")),
        ("STREET", ObjectIdentifier::new_unwrap("2.5.4.9")),
        ("O", ObjectIdentifier::new_unwrap("2.5.4.10")),
        ("OU", ObjectIdentifier::new_unwrap("2.5.4.11")),
        ("title", ObjectIdentifier::new_unwrap("2.5.4.12")),
        ("businessCategory", ObjectIdentifier::new_unwrap("2.5.4.15")),
        ("postalCode", ObjectIdentifier::new_unwrap("2.5.4.17")),
        ("GN", ObjectIdentifier::new_unwrap("2.5.4.42")),
        ("UID", ObjectIdentifier::new_unwrap("0.9.2342.19200300.100.1.1")),
        ("DC", ObjectIdentifier::new_unwrap("0.9.2342.19200300.100.1.25")),
        ("emailAddress", ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.1")),
    ];

    /// RFC 4514 §2: from the last part to the first, which are sets, mostly of one.
    pub(super) fn of(der: &[u8]) -> Result<String> {
        let mut outer = SliceReader::new(der)?;
        let mut sequence = inside(&mut outer, Tag::Sequence)?;
        outer.finish()?;
        let mut parts = Vec::new();
        while !sequence.is_finished() {
            let mut set = inside(&mut sequence, Tag::Set)?;
            let mut part = String::new();
            while !set.is_finished() {
                if !part.is_empty() {
                    part.push('+');
                }
                write_attribute(&mut inside(&mut set, Tag::Sequence)?, &mut part)?;
            }
            parts.push(part);
        }
        parts.reverse();
        Ok(parts.join(","))
    }

    fn write_attribute(reader: &mut SliceReader<'_>, part: &mut String) -> Result<()> {
        let id = identifier(reader)?;
        let encoded = reader.clone().tlv_bytes()?;
        let value = element(reader)?;
        let short = SHORT_NAMES.iter().find(|(_, known)| *known == id).map(|(name, _)| *name);
        match short {
            Some(name) => part.push_str(name),
            None => *part += &id.to_string(),
        }
        part.push('=');
        match short.and_then(|_| characters(value)) {
            Some(text) => write_escaped(&text, part),
            // Nothing fails to be written to a string.
            None => drop(write_hexadecimal(encoded, part)),
        }
        Ok(())
    }

    fn characters(value: AnyRef<'_>) -> Option<String> {
        let bytes = value.value();
        match value.tag() {
            Tag::Utf8String | Tag::PrintableString | Tag::Ia5String | Tag::NumericString => {
                str::from_utf8(bytes).ok().map(str::to_owned)
            }
            // T.61, of which everybody writes and reads Latin-1 instead.
            Tag::TeletexString => Some(bytes.iter().copied().map(char::from).collect()),
            Tag::BmpString if bytes.len().is_multiple_of(2) => {
                let units = bytes.chunks_exact(2);
                let units: Vec<_> =
                    units.map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
                String::from_utf16(&units).ok()
            }
            _ => None,
        }
    }

    /// RFC 4514 §2.4.
    fn write_escaped(text: &str, escaped: &mut String) {
        let last = text.chars().count().saturating_sub(1);
        for (at, c) in text.chars().enumerate() {
            match c {
                '"' | '+' | ',' | ';' | '<' | '>' | '\\' => escaped.extend(['\\', c]),
                ' ' if at == 0 || at == last => escaped.push_str("\\ "),
                '#' if at == 0 => escaped.push_str("\\#"),
                c if c.is_control() => {
                    for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                        let _ = write!(escaped, "\\{byte:02x}");
                    }
                }
                c => escaped.push(c),
            }
        }
    }
}
