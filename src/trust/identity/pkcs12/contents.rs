//! The structure of a file: safes, some of them encrypted, with bags of keys and certificates.

use std::borrow::Cow;

use der::asn1::{AnyRef, ObjectIdentifier};
use der::zeroize::Zeroizing;
use der::{Decode, Reader, SliceReader, Tag, TagNumber, Tagged};

use super::decryption::Encrypted;
use super::mac::Mac;
use super::{Passphrase, broken, broken_by, unsupported, wrong};
use crate::error::Error;
use crate::log;
use crate::trust::x509::{inside, value};
use crate::trust::{Certificate, ber};

/// How deep bags may lie in bags.
const DEEPEST: usize = 8;

const DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");
const ENCRYPTED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.6");
const KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.10.1.1");
const ENCRYPTED_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.10.1.2");
const CERTIFICATE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.10.1.3");
const BAGS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.10.1.6");
const X509: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.22.1");

/// What a file holds.
#[derive(Default)]
pub(super) struct Contents {
    /// PKCS #8, overwritten when they are dropped.
    pub(super) keys: Vec<Zeroizing<Vec<u8>>>,
    pub(super) certificates: Vec<Certificate>,
}

impl Contents {
    /// Reads a file in DER (RFC 7292 §4).
    pub(super) fn read(file: &[u8], passphrase: Option<&str>) -> Result<Self, Error> {
        let (safes, mac) = outside(file).map_err(broken_by)?;
        let mut forms = Passphrase::forms(passphrase.unwrap_or_default());
        if let Some(mac) = mac {
            let mut fitting = None;
            for form in forms {
                if mac.fits(safes, &form)? {
                    fitting = Some(form);
                    break;
                }
            }
            forms = vec![fitting.ok_or_else(|| wrong(passphrase))?];
        }
        let mut opening = Opening { forms, passphrase, found: Self::default() };
        opening.read_safes(safes)?;
        Ok(opening.found)
    }
}

/// Returns the safes, and the code that is to be theirs if there is one.
fn outside(file: &[u8]) -> der::Result<(&[u8], Option<Mac<'_>>)> {
    let mut outer = SliceReader::new(file)?;
    let mut reader = inside(&mut outer, Tag::Sequence)?;
    value(&mut reader, Tag::Integer)?; // the version
    let mut content = inside(&mut reader, Tag::Sequence)?;
    // One that is signed with a key instead of a pass phrase is used by nobody.
    value(&mut content, Tag::ObjectIdentifier)?;
    let safes = value(&mut inside(&mut content, tagged(0))?, Tag::OctetString)?;
    let mac = match reader.is_finished() {
        true => None,
        false => Some(Mac::read(&mut inside(&mut reader, Tag::Sequence)?)?),
    };
    Ok((safes, mac))
}

const fn tagged(number: u32) -> Tag {
    Tag::ContextSpecific { constructed: true, number: TagNumber(number) }
}

struct Opening<'a> {
    forms: Vec<Passphrase<'a>>,
    passphrase: Option<&'a str>,
    found: Contents,
}

impl Opening<'_> {
    /// Reads AuthenticatedSafe (RFC 7292 §4.1).
    fn read_safes(&mut self, safes: &[u8]) -> Result<(), Error> {
        let safes = ber::to_der(safes).ok_or_else(broken)?;
        let mut outer = SliceReader::new(&safes).map_err(broken_by)?;
        let mut safes = inside(&mut outer, Tag::Sequence).map_err(broken_by)?;
        while !safes.is_finished() {
            let mut safe = inside(&mut safes, Tag::Sequence).map_err(broken_by)?;
            let id = ObjectIdentifier::decode(&mut safe).map_err(broken_by)?;
            let mut content = inside(&mut safe, tagged(0)).map_err(broken_by)?;
            match id {
                DATA => {
                    let bags = value(&mut content, Tag::OctetString).map_err(broken_by)?;
                    self.read_safe(bags)?;
                }
                ENCRYPTED_DATA => {
                    let (algorithm, bytes) = encrypted(&mut content).map_err(broken_by)?;
                    let bags = self.open(&Encrypted { algorithm, bytes: &bytes })?;
                    self.read_safe(&bags)?;
                }
                other => return Err(unsupported(other)),
            }
        }
        Ok(())
    }

    fn open(&self, encrypted: &Encrypted<'_>) -> Result<Zeroizing<Vec<u8>>, Error> {
        for form in &self.forms {
            // Padding may be right by chance, in front of what is nothing.
            if let Some(opened) = encrypted.open(form)?
                && ber::to_der(&opened).is_some()
            {
                return Ok(opened);
            }
        }
        Err(wrong(self.passphrase))
    }

    /// Reads SafeContents (RFC 7292 §4.2).
    fn read_safe(&mut self, bags: &[u8]) -> Result<(), Error> {
        let bags = Zeroizing::new(ber::to_der(bags).ok_or_else(broken)?);
        let bags = Bags::of(&bags).map_err(broken_by)?;
        self.read_bags(bags, DEEPEST)
    }

    fn read_bags(&mut self, mut bags: Bags<'_>, depth: usize) -> Result<(), Error> {
        while let Some((id, content)) = bags.next().map_err(broken_by)? {
            match id {
                KEY => self.found.keys.push(Zeroizing::new(content.to_vec())),
                ENCRYPTED_KEY => {
                    let (algorithm, bytes) = encrypted_key(content).map_err(broken_by)?;
                    let key = self.open(&Encrypted { algorithm, bytes })?;
                    self.found.keys.push(key);
                }
                CERTIFICATE => match certificate(content).map_err(broken_by)? {
                    Ok(der) => self.found.certificates.push(Certificate::from_der(der)),
                    Err(kind) => {
                        log::warn!("a certificate of the PKCS #12 file is skipped, of kind {kind}");
                    }
                },
                BAGS => {
                    let depth = depth.checked_sub(1).ok_or_else(broken)?;
                    let inner = Bags::of(content).map_err(broken_by)?;
                    self.read_bags(inner, depth)?;
                }
                // A list of revocations, a secret.
                other => log::debug!("a bag of the PKCS #12 file is skipped, of kind {other}"),
            }
        }
        Ok(())
    }
}

struct Bags<'a>(SliceReader<'a>);

impl<'a> Bags<'a> {
    fn of(bags: &'a [u8]) -> der::Result<Self> {
        Ok(Self(inside(&mut SliceReader::new(bags)?, Tag::Sequence)?))
    }

    /// Returns what the next bag is, and what is in it; its attributes are passed over.
    fn next(&mut self) -> der::Result<Option<(ObjectIdentifier, &'a [u8])>> {
        if self.0.is_finished() {
            return Ok(None);
        }
        let mut bag = inside(&mut self.0, Tag::Sequence)?;
        let id = ObjectIdentifier::decode(&mut bag)?;
        Ok(Some((id, value(&mut bag, tagged(0))?)))
    }
}

/// Reads EncryptedData (RFC 5652 §8): the algorithm, and the bytes, which may be in pieces.
fn encrypted<'a>(content: &mut SliceReader<'a>) -> der::Result<(&'a [u8], Cow<'a, [u8]>)> {
    let mut data = inside(content, Tag::Sequence)?;
    value(&mut data, Tag::Integer)?; // the version
    let mut info = inside(&mut data, Tag::Sequence)?;
    value(&mut info, Tag::ObjectIdentifier)?;
    let algorithm = info.tlv_bytes()?;
    let bytes = AnyRef::decode(&mut info)?;
    // A string by its place only; in BER it may be one of strings (X.690 §8.7.3).
    if bytes.tag() != tagged(0) {
        return Ok((algorithm, bytes.value().into()));
    }
    let (mut pieces, mut all) = (SliceReader::new(bytes.value())?, Vec::new());
    while !pieces.is_finished() {
        all.extend_from_slice(value(&mut pieces, Tag::OctetString)?);
    }
    Ok((algorithm, all.into()))
}

/// Reads EncryptedPrivateKeyInfo (RFC 5958 §3).
fn encrypted_key(content: &[u8]) -> der::Result<(&[u8], &[u8])> {
    let mut info = inside(&mut SliceReader::new(content)?, Tag::Sequence)?;
    Ok((info.tlv_bytes()?, value(&mut info, Tag::OctetString)?))
}

/// Reads CertBag (RFC 7292 §4.2.3); the inner error is the kind of what is none of X.509.
fn certificate(content: &[u8]) -> der::Result<Result<&[u8], ObjectIdentifier>> {
    let mut bag = inside(&mut SliceReader::new(content)?, Tag::Sequence)?;
    let id = ObjectIdentifier::decode(&mut bag)?;
    if id != X509 {
        return Ok(Err(id));
    }
    value(&mut inside(&mut bag, tagged(0))?, Tag::OctetString).map(Ok)
}
