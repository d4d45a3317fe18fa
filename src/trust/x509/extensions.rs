//! What the extensions of a certificate say (RFC 5280 §4.2).

use std::net::{Ipv4Addr, Ipv6Addr};
use std::str;

use der::asn1::ObjectIdentifier;
use der::{Reader, Result, SliceReader, Tag, Tagged};

use super::{context_specific, element, identifier, inside, opened, value};
use crate::trust::details::SubjectName;

const KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.15");
const SUBJECT_ALTERNATIVE_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.17");
const BASIC_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.19");
const NAME_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.30");
const EXTENDED_KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37");
const SERVER_AUTHENTICATION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.1");

/// Extensions that change nothing if they are not looked at: those of webpki.
const HARMLESS: [ObjectIdentifier; 2] = [
    ObjectIdentifier::new_unwrap("2.5.29.31"), // where revocations are listed
    ObjectIdentifier::new_unwrap("1.3.6.1.4.1.11129.2.4.2"), // certificate transparency
];

/// What the extensions of one certificate say; `None` and nothing where they do not.
#[derive(Default)]
pub(in crate::trust) struct Extensions {
    pub(in crate::trust) subject_alternative_names: Vec<SubjectName>,
    /// Whether it may issue other certificates, by its basic constraints (§4.2.1.9).
    pub(in crate::trust) is_authority: Option<bool>,
    /// Whether its key may sign certificates, by its key usage (§4.2.1.3).
    pub(in crate::trust) signs_certificates: Option<bool>,
    /// Whether it may identify servers, by its extended key usage (§4.2.1.12).
    pub(in crate::trust) is_for_servers: Option<bool>,
    /// Whether directory names limit whom it may vouch for (§4.2.1.10).
    pub(in crate::trust) limits_directory_names: bool,
    /// A critical one that nobody here knows (§4.2).
    pub(in crate::trust) unknown: Option<ObjectIdentifier>,
}

impl Extensions {
    /// Reads all of them, given what is inside their explicit tag.
    pub(super) fn read(explicit: &[u8]) -> Result<Self> {
        let mut read = Self::default();
        each(explicit, &mut |id, is_critical, content| {
            match id {
                SUBJECT_ALTERNATIVE_NAME => {
                    read.subject_alternative_names = subject_names(content)?;
                }
                BASIC_CONSTRAINTS => read.is_authority = Some(is_authority(content)?),
                KEY_USAGE => read.signs_certificates = Some(signs_certificates(content)),
                EXTENDED_KEY_USAGE => read.is_for_servers = Some(is_for_servers(content)?),
                NAME_CONSTRAINTS => {
                    let mut reader = SliceReader::new(content)?;
                    let constraints = value(&mut reader, Tag::Sequence)?;
                    read.limits_directory_names = limits_directory_names(constraints);
                }
                id if is_critical && !HARMLESS.contains(&id) => read.unknown = Some(id),
                _ => {}
            }
            Ok(())
        })?;
        Ok(read)
    }
}

/// Whether the key of a certificate may sign others (RFC 5280 §6.1.4 n): its key usage says so,
/// or it has none. What cannot be read as a certificate at all has none.
pub(in crate::trust) fn may_sign(certificate: &[u8]) -> bool {
    let mut may_sign = true;
    let _ = find(certificate).and_then(|explicit| {
        each(explicit, &mut |id, _, content| {
            may_sign &= id != KEY_USAGE || signs_certificates(content);
            Ok(())
        })
    });
    may_sign
}

/// Returns what is inside the explicit tag of the extensions.
fn find(certificate: &[u8]) -> Result<&[u8]> {
    let mut outside = opened(certificate, Tag::Sequence)?;
    let mut body = inside(&mut outside, Tag::Sequence)?;
    while !body.is_finished() {
        let element = element(&mut body)?;
        if element.tag() == context_specific(3) {
            return Ok(element.value());
        }
    }
    Ok(&[])
}

/// Takes an extension.
type Show<'a> = dyn FnMut(ObjectIdentifier, bool, &[u8]) -> Result<()> + 'a;

/// Shows each extension: its identifier, whether it is critical, its content.
fn each(explicit: &[u8], show: &mut Show<'_>) -> Result<()> {
    if explicit.is_empty() {
        return Ok(());
    }
    let mut extensions = opened(explicit, Tag::Sequence)?;
    while !extensions.is_finished() {
        let mut extension = inside(&mut extensions, Tag::Sequence)?;
        let id = identifier(&mut extension)?;
        let mut content = element(&mut extension)?;
        let mut is_critical = false;
        if content.tag() == Tag::Boolean {
            is_critical = content.value() != [0];
            content = element(&mut extension)?;
        }
        content.tag().assert_eq(Tag::OctetString)?;
        show(id, is_critical, content.value())?;
    }
    Ok(())
}

fn is_authority(content: &[u8]) -> Result<bool> {
    let mut constraints = opened(content, Tag::Sequence)?;
    let is_said = !constraints.is_finished() && Tag::peek(&constraints)? == Tag::Boolean;
    Ok(is_said && value(&mut constraints, Tag::Boolean)? == [0xff])
}

/// Whether bit 5 of the key usage is set; not if it cannot be read.
fn signs_certificates(content: &[u8]) -> bool {
    let bits = SliceReader::new(content).and_then(|mut reader| value(&mut reader, Tag::BitString));
    // The first byte says how many bits of the last are none.
    bits.is_ok_and(|bits| bits.get(1).is_some_and(|bits| bits & 0b0000_0100 != 0))
}

fn is_for_servers(content: &[u8]) -> Result<bool> {
    let mut purposes = opened(content, Tag::Sequence)?;
    let mut is_one = false;
    while !purposes.is_finished() {
        is_one |= identifier(&mut purposes)? == SERVER_AUTHENTICATION;
    }
    Ok(is_one)
}

/// Whether directory names are among name constraints, given what is inside their sequence.
pub(in crate::trust) fn limits_directory_names(constraints: &[u8]) -> bool {
    let look = || -> Result<bool> {
        let mut reader = SliceReader::new(constraints)?;
        while !reader.is_finished() {
            // Those that are permitted, those that are excluded.
            let mut subtrees = SliceReader::new(element(&mut reader)?.value())?;
            while !subtrees.is_finished() {
                let subtree = inside(&mut subtrees, Tag::Sequence)?;
                if Tag::peek(&subtree)? == context_specific(4) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    };
    look().unwrap_or(false)
}

/// RFC 5280 §4.2.1.6.
fn subject_names(content: &[u8]) -> Result<Vec<SubjectName>> {
    let mut reader = opened(content, Tag::Sequence)?;
    let mut names = Vec::new();
    while !reader.is_finished() {
        let name = element(&mut reader)?;
        let Tag::ContextSpecific { number, .. } = name.tag() else {
            return Err(name.tag().unexpected_error(None).to_error());
        };
        names.push(subject_name(number.value(), name.value()).unwrap_or(SubjectName::Other));
    }
    Ok(names)
}

fn subject_name(number: u32, bytes: &[u8]) -> Option<SubjectName> {
    // A line end or a NUL in a name is there to deceive.
    let text = || {
        let text = str::from_utf8(bytes).ok()?;
        text.bytes().all(|byte| matches!(byte, b' '..=b'~')).then(|| text.to_owned())
    };
    match number {
        1 => text().map(SubjectName::Email),
        2 => text().map(SubjectName::Dns),
        6 => text().map(SubjectName::Uri),
        7 => {
            let v4 = <[u8; 4]>::try_from(bytes).map(|octets| Ipv4Addr::from(octets).into());
            let v6 = <[u8; 16]>::try_from(bytes).map(|octets| Ipv6Addr::from(octets).into());
            v4.or(v6).ok().map(SubjectName::Ip)
        }
        _ => None,
    }
}
