//! Reads certificates (RFC 5280 §4.1), as far as a program asks about them.
//!
//! It decides nothing: whether to trust a certificate is decided by webpki. What is read may
//! come from anybody.

mod extensions;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use der::asn1::{AnyRef, ObjectIdentifier};
use der::{Decode, Encode, Reader, Result, SliceReader, Tag, TagNumber, Tagged};

use super::ber;
use crate::calendar::days_since_1970;

pub(super) use extensions::{Extensions, limits_directory_names, may_sign};

/// The fields of a certificate; names and the public key with their tag and length.
pub(super) struct Fields<'a> {
    /// What is signed, and the signature of it.
    pub(super) signed: &'a [u8],
    pub(super) signature: &'a [u8],
    /// What is inside the AlgorithmIdentifier of the signature.
    pub(super) signature_algorithm: &'a [u8],
    /// 1, 2 or 3, if that is what is written.
    pub(super) version: Option<u8>,
    pub(super) serial_number: &'a [u8],
    pub(super) issuer: &'a [u8],
    pub(super) not_before: SystemTime,
    pub(super) not_after: SystemTime,
    pub(super) subject: &'a [u8],
    pub(super) public_key_info: &'a [u8],
    pub(super) extensions: Extensions,
}

/// Reads a whole certificate. The signature is not verified.
pub(super) fn read(der: &[u8]) -> Result<Fields<'_>> {
    let mut outer = SliceReader::new(der)?;
    let mut certificate = inside(&mut outer, Tag::Sequence)?;
    outer.finish()?;
    let signed = certificate.tlv_bytes()?;
    let mut fields = read_fields(&mut opened(signed, Tag::Sequence)?)?;
    fields.signed = signed;
    fields.signature_algorithm = value(&mut certificate, Tag::Sequence)?;
    // The first byte says how many bits of the last are none.
    let signature = value(&mut certificate, Tag::BitString)?;
    fields.signature = signature.get(1..).unwrap_or_default();
    certificate.finish()?;
    Ok(fields)
}

fn read_fields<'a>(body: &mut SliceReader<'a>) -> Result<Fields<'a>> {
    let version = version(body)?;
    let serial_number = value(body, Tag::Integer)?;
    value(body, Tag::Sequence)?; // the signature's algorithm, which stands outside too
    let issuer = body.tlv_bytes()?;
    let mut validity = inside(body, Tag::Sequence)?;
    let (not_before, not_after) = (time(&mut validity)?, time(&mut validity)?);
    validity.finish()?;
    let subject = body.tlv_bytes()?;
    let public_key_info = body.tlv_bytes()?;
    let mut extensions = Extensions::default();
    while !body.is_finished() {
        let element = element(body)?;
        // 1 and 2 are identifiers of issuer and subject, which nobody uses.
        if element.tag() == context_specific(3) {
            extensions = Extensions::read(element.value())?;
        }
    }
    let (signed, signature, signature_algorithm) = (&[][..], &[][..], &[][..]);
    Ok(Fields {
        signed,
        signature,
        signature_algorithm,
        version,
        serial_number,
        issuer,
        not_before,
        not_after,
        subject,
        public_key_info,
        extensions,
    })
}

/// Passes over the version, if it is there: without it, it is the first one.
fn version(body: &mut SliceReader<'_>) -> Result<Option<u8>> {
    if Tag::peek(body)? != context_specific(0) {
        return Ok(Some(1));
    }
    let mut version = inside(body, context_specific(0))?;
    Ok(match value(&mut version, Tag::Integer)? {
        &[number @ 0..3] => Some(number + 1),
        _ => None,
    })
}

/// Returns what is in the one element.
pub(super) fn content(element: &[u8]) -> Result<&[u8]> {
    AnyRef::from_der(element).map(|element| element.value())
}

/// Returns the SEQUENCE with this content.
pub(super) fn sequence(content: &[u8]) -> Vec<u8> {
    let element = AnyRef::new(Tag::Sequence, content).and_then(|element| element.to_der());
    element.unwrap_or_default()
}

/// Returns the public key of a certificate, as DER of SubjectPublicKeyInfo, whatever else stands
/// in it: all versions, extensions of all kinds, and BER.
pub(super) fn public_key_info(certificate: &[u8]) -> Option<Cow<'_, [u8]>> {
    if let Ok(found) = find_public_key_info(certificate) {
        return Some(found.into());
    }
    let certificate = ber::to_der(certificate)?;
    find_public_key_info(&certificate).ok().map(|found| found.to_vec().into())
}

fn find_public_key_info(der: &[u8]) -> Result<&[u8]> {
    let mut certificate = opened(der, Tag::Sequence)?;
    let mut body = inside(&mut certificate, Tag::Sequence)?;
    if Tag::peek(&body)? == context_specific(0) {
        element(&mut body)?;
    }
    value(&mut body, Tag::Integer)?;
    // The signature's algorithm, issuer, validity, subject.
    for _ in 0..4 {
        value(&mut body, Tag::Sequence)?;
    }
    Tag::peek(&body)?.assert_eq(Tag::Sequence)?;
    body.tlv_bytes()
}

/// Reads a UTCTime or a GeneralizedTime as RFC 5280 §4.1.2.5 writes them.
///
/// Any year may stand there, 1950 in certificates of devices whose clock is not set.
fn time(reader: &mut SliceReader<'_>) -> Result<SystemTime> {
    let element = element(reader)?;
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

// Read in many places, of what is mostly right: so none of these is inlined.

/// Reads one element of this tag, and returns a reader of what is in it.
#[inline(never)]
pub(super) fn inside<'a>(reader: &mut SliceReader<'a>, tag: Tag) -> Result<SliceReader<'a>> {
    SliceReader::new(value(reader, tag)?)
}

/// Reads one element of this tag, and returns what is in it.
#[inline(never)]
pub(super) fn value<'a>(reader: &mut SliceReader<'a>, tag: Tag) -> Result<&'a [u8]> {
    let element = element(reader)?;
    element.tag().assert_eq(tag)?;
    Ok(element.value())
}

/// Reads one element.
#[inline(never)]
pub(super) fn element<'a>(reader: &mut SliceReader<'a>) -> Result<AnyRef<'a>> {
    AnyRef::decode(reader)
}

/// Reads an identifier of something.
#[inline(never)]
pub(super) fn identifier(reader: &mut SliceReader<'_>) -> Result<ObjectIdentifier> {
    ObjectIdentifier::decode(reader)
}

/// Returns a reader of what is in the one element that this begins with.
#[inline(never)]
pub(super) fn opened(der: &[u8], tag: Tag) -> Result<SliceReader<'_>> {
    inside(&mut SliceReader::new(der)?, tag)
}

const fn context_specific(number: u32) -> Tag {
    Tag::ContextSpecific { constructed: true, number: TagNumber(number) }
}
