//! Whether a file is whole and of who knows the pass phrase (RFC 7292 §4, RFC 9579).

use std::num::NonZeroU32;

use der::asn1::ObjectIdentifier;
use der::{Decode, Reader, SliceReader, Tag};
use ring::digest::{self, SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA384, SHA512};
use ring::{hmac, pbkdf2};

use super::derivation::{Purpose, derive};
use super::{Passphrase, broken_by, unsupported};
use crate::error::Error;
use crate::trust::identity::key::MOST_ITERATIONS;
use crate::trust::x509::{inside, value};

const SHA1_ID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.14.3.2.26");
const SHA256_ID: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
const SHA384_ID: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2");
const SHA512_ID: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.3");
const PBMAC1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.5.14");
const PBKDF2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.5.12");
const HMAC_SHA1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.2.7");
const HMAC_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.2.9");
const HMAC_SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.2.10");
const HMAC_SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.2.11");

/// The code of a file, and how it was made.
pub(super) struct Mac<'a> {
    code: &'a [u8],
    way: Way<'a>,
}

enum Way<'a> {
    /// With a key as the older ways make it.
    Older { hash: ObjectIdentifier, salt: &'a [u8], iterations: u32 },
    /// With a key by PBKDF2.
    Pbmac1 {
        code: ObjectIdentifier,
        function: ObjectIdentifier,
        salt: &'a [u8],
        iterations: u32,
        length: usize,
    },
}

impl<'a> Mac<'a> {
    /// Reads MacData.
    pub(super) fn read(data: &mut SliceReader<'a>) -> der::Result<Self> {
        let mut info = inside(data, Tag::Sequence)?;
        let mut algorithm = inside(&mut info, Tag::Sequence)?;
        let id = ObjectIdentifier::decode(&mut algorithm)?;
        let code = value(&mut info, Tag::OctetString)?;
        if id == PBMAC1 {
            return Ok(Self { code, way: pbmac1(&mut inside(&mut algorithm, Tag::Sequence)?)? });
        }
        let salt = value(data, Tag::OctetString)?;
        let iterations = if data.is_finished() { 1 } else { u32::decode(data)? };
        Ok(Self { code, way: Way::Older { hash: id, salt, iterations } })
    }

    /// Whether it is the code of these bytes by this pass phrase.
    pub(super) fn fits(&self, bytes: &[u8], passphrase: &Passphrase<'_>) -> Result<bool, Error> {
        let (code, key) = match self.way {
            Way::Older { hash, salt, iterations } => {
                let (hash, code) = older(hash)?;
                check(iterations)?;
                let pair = (&**passphrase.wide, salt);
                (code, derive(hash, Purpose::Mac, pair, iterations, hash.output_len()))
            }
            Way::Pbmac1 { code, function, salt, iterations, length } => {
                let mut key = vec![0; length];
                let iterations = check(iterations)?;
                let function = match function {
                    HMAC_SHA1 => pbkdf2::PBKDF2_HMAC_SHA1,
                    HMAC_SHA256 => pbkdf2::PBKDF2_HMAC_SHA256,
                    HMAC_SHA384 => pbkdf2::PBKDF2_HMAC_SHA384,
                    HMAC_SHA512 => pbkdf2::PBKDF2_HMAC_SHA512,
                    other => return Err(unsupported(other)),
                };
                pbkdf2::derive(function, iterations, salt, passphrase.text.as_bytes(), &mut key);
                (hmac_of(code)?, key.into())
            }
        };
        Ok(hmac::verify(&hmac::Key::new(code, &key), bytes, self.code).is_ok())
    }
}

/// RFC 9579 §4.
fn pbmac1<'a>(parameters: &mut SliceReader<'a>) -> der::Result<Way<'a>> {
    let mut derivation = inside(parameters, Tag::Sequence)?;
    let way = ObjectIdentifier::decode(&mut derivation)?;
    if way != PBKDF2 {
        return Err(Tag::ObjectIdentifier.value_error().to_error());
    }
    let mut derivation = inside(&mut derivation, Tag::Sequence)?;
    let salt = value(&mut derivation, Tag::OctetString)?;
    let iterations = u32::decode(&mut derivation)?;
    // It has to be there (RFC 9579 §4); nobody has longer keys.
    let length = u8::decode(&mut derivation)?.into();
    let function = match derivation.is_finished() {
        true => HMAC_SHA1,
        false => ObjectIdentifier::decode(&mut inside(&mut derivation, Tag::Sequence)?)?,
    };
    let code = ObjectIdentifier::decode(&mut inside(parameters, Tag::Sequence)?)?;
    Ok(Way::Pbmac1 { code, function, salt, iterations, length })
}

fn older(hash: ObjectIdentifier) -> Result<(&'static digest::Algorithm, hmac::Algorithm), Error> {
    Ok(match hash {
        SHA1_ID => (&SHA1_FOR_LEGACY_USE_ONLY, hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY),
        SHA256_ID => (&SHA256, hmac::HMAC_SHA256),
        SHA384_ID => (&SHA384, hmac::HMAC_SHA384),
        SHA512_ID => (&SHA512, hmac::HMAC_SHA512),
        other => return Err(unsupported(other)),
    })
}

fn hmac_of(code: ObjectIdentifier) -> Result<hmac::Algorithm, Error> {
    Ok(match code {
        HMAC_SHA1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        HMAC_SHA256 => hmac::HMAC_SHA256,
        HMAC_SHA384 => hmac::HMAC_SHA384,
        HMAC_SHA512 => hmac::HMAC_SHA512,
        other => return Err(unsupported(other)),
    })
}

/// Refuses what takes as long as somebody likes.
pub(super) fn check(iterations: u32) -> Result<NonZeroU32, Error> {
    let some = NonZeroU32::new(iterations)
        .ok_or_else(|| broken_by(Tag::Integer.value_error().to_error()))?;
    if iterations > MOST_ITERATIONS {
        return Err(unsupported(format_args!("{iterations} iterations")));
    }
    Ok(some)
}
