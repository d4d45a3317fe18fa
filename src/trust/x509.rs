//! Reads certificates (RFC 5280 §4.1), as far as a program asks about them.
//!
//! It decides nothing: whether to trust a certificate is decided by webpki. What is read may
//! come from anybody.

#[cfg(test)]
mod tests;

use std::net::{Ipv4Addr, Ipv6Addr};
use std::str;
use std::time::{Duration, SystemTime};

use der::asn1::{AnyRef, ObjectIdentifier};
use der::{Decode, Reader, Result, SliceReader, Tag, TagNumber, Tagged};

use super::calendar::days_since_1970;
use super::details::SubjectName;

const SUBJECT_ALTERNATIVE_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.17");
const BASIC_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.19");

/// The fields of a certificate; names and the public key with their tag and length.
pub(super) struct Fields<'a> {
    pub(super) serial_number: &'a [u8],
    pub(super) issuer: &'a [u8],
    pub(super) not_before: SystemTime,
    pub(super) not_after: SystemTime,
    pub(super) subject: &'a [u8],
    pub(super) public_key_info: &'a [u8],
    pub(super) subject_alternative_names: Vec<SubjectName>,
    pub(super) is_authority: bool,
}

/// Reads a whole certificate. The signature is not looked at.
pub(super) fn read(der: &[u8]) -> Result<Fields<'_>> {
    let mut outer = SliceReader::new(der)?;
    let mut certificate = inside(&mut outer, Tag::Sequence)?;
    outer.finish()?;
    let fields = read_fields(&mut inside(&mut certificate, Tag::Sequence)?)?;
    value(&mut certificate, Tag::Sequence)?;
    value(&mut certificate, Tag::BitString)?;
    certificate.finish()?;
    Ok(fields)
}

fn read_fields<'a>(body: &mut SliceReader<'a>) -> Result<Fields<'a>> {
    optional(body, 0)?; // the version
    let serial_number = value(body, Tag::Integer)?;
    value(body, Tag::Sequence)?; // the signature's algorithm
    let issuer = body.tlv_bytes()?;
    let mut validity = inside(body, Tag::Sequence)?;
    let (not_before, not_after) = (time(&mut validity)?, time(&mut validity)?);
    validity.finish()?;
    let subject = body.tlv_bytes()?;
    let public_key_info = body.tlv_bytes()?;
    let mut fields = Fields {
        serial_number,
        issuer,
        not_before,
        not_after,
        subject,
        public_key_info,
        subject_alternative_names: Vec::new(),
        is_authority: false,
    };
    while !body.is_finished() {
        let element = AnyRef::decode(body)?;
        // 1 and 2 are identifiers of issuer and subject, which nobody uses.
        if element.tag() == context_specific(3) {
            read_extensions(element.value(), &mut fields)?;
        }
    }
    Ok(fields)
}

fn read_extensions(explicit: &[u8], fields: &mut Fields<'_>) -> Result<()> {
    let mut extensions = inside(&mut SliceReader::new(explicit)?, Tag::Sequence)?;
    while !extensions.is_finished() {
        let mut extension = inside(&mut extensions, Tag::Sequence)?;
        let id = ObjectIdentifier::decode(&mut extension)?;
        let mut element = AnyRef::decode(&mut extension)?;
        if element.tag() == Tag::Boolean {
            element = AnyRef::decode(&mut extension)?; // whether it is critical
        }
        element.tag().assert_eq(Tag::OctetString)?;
        let mut content = SliceReader::new(element.value())?;
        match id {
            SUBJECT_ALTERNATIVE_NAME => {
                fields.subject_alternative_names = subject_names(&mut content)?;
            }
            BASIC_CONSTRAINTS => fields.is_authority = is_authority(&mut content)?,
            _ => {}
        }
    }
    Ok(())
}

fn is_authority(content: &mut SliceReader<'_>) -> Result<bool> {
    let mut constraints = inside(content, Tag::Sequence)?;
    let is_said = !constraints.is_finished() && Tag::peek(&constraints)? == Tag::Boolean;
    Ok(is_said && value(&mut constraints, Tag::Boolean)? == [0xff])
}

/// RFC 5280 §4.2.1.6.
fn subject_names(content: &mut SliceReader<'_>) -> Result<Vec<SubjectName>> {
    let mut reader = inside(content, Tag::Sequence)?;
    let mut names = Vec::new();
    while !reader.is_finished() {
        let name = AnyRef::decode(&mut reader)?;
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

/// Reads a UTCTime or a GeneralizedTime as RFC 5280 §4.1.2.5 writes them.
///
/// Any year may stand there, 1950 in certificates of devices whose clock is not set.
fn time(reader: &mut SliceReader<'_>) -> Result<SystemTime> {
    let element = AnyRef::decode(reader)?;
    let wrong = || element.tag().value_error().to_error();
    let digits = element.value().strip_suffix(b"Z").ok_or_else(wrong)?;
    if !digits.iter().all(u8::is_ascii_digit) {
        return Err(wrong());
    }
    let number = |digits: &[u8]| digits.iter().fold(0, |n, digit| n * 10 + i64::from(digit - b'0'));
    let (year, rest) = match (element.tag(), digits.len()) {
        (Tag::UtcTime, 12) => match number(&digits[..2]) {
            year @ 50.. => (1900 + year, &digits[2..]),
            year => (2000 + year, &digits[2..]),
        },
        (Tag::GeneralizedTime, 14) => (number(&digits[..4]), &digits[4..]),
        _ => return Err(wrong()),
    };
    let part = |at: usize| number(&rest[at..at + 2]);
    let (month, day) = (part(0), part(2));
    let (hour, minute, second) = (part(4), part(6), part(8));
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return Err(wrong());
    }
    if hour > 23 || minute > 59 || second > 59 {
        return Err(wrong());
    }
    let seconds = days_since_1970(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    let distance = Duration::from_secs(seconds.unsigned_abs());
    let epoch = SystemTime::UNIX_EPOCH;
    let time = if seconds < 0 { epoch.checked_sub(distance) } else { epoch.checked_add(distance) };
    time.ok_or_else(wrong)
}

/// Reads one element of this tag, and returns a reader of what is in it.
pub(super) fn inside<'a>(reader: &mut SliceReader<'a>, tag: Tag) -> Result<SliceReader<'a>> {
    SliceReader::new(value(reader, tag)?)
}

fn value<'a>(reader: &mut SliceReader<'a>, tag: Tag) -> Result<&'a [u8]> {
    let element = AnyRef::decode(reader)?;
    element.tag().assert_eq(tag)?;
    Ok(element.value())
}

/// Passes over the element of this number, if it is the next one.
fn optional(reader: &mut SliceReader<'_>, number: u32) -> Result<()> {
    if Tag::peek(reader)? == context_specific(number) {
        AnyRef::decode(reader)?;
    }
    Ok(())
}

const fn context_specific(number: u32) -> Tag {
    Tag::ContextSpecific { constructed: true, number: TagNumber(number) }
}
