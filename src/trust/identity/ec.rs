//! Private keys on curves, in forms that ring does not take as they are: without the public key,
//! with a number that is shorter or longer than the curve's, in BER.

use std::sync::Arc;

use der::asn1::{AnyRef, ObjectIdentifier};
use der::zeroize::Zeroizing;
use der::{Decode, Encode, Reader, SliceReader, Tag, TagNumber};
use rustls::crypto::ring::sign::any_ecdsa_type;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::SigningKey;

use super::unusable;
use crate::error::{Error, ErrorKind};
use crate::trust::algorithm_names::curve_name;
use crate::trust::x509::{self, inside, value};
use crate::trust::{Certificate, ber};

const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");

/// A private key on a curve.
pub(super) struct PrivateKey {
    /// As the key says; SEC 1 leaves it out where it is said elsewhere.
    curve: Option<ObjectIdentifier>,
    number: Zeroizing<Vec<u8>>,
    /// The point, as it is in a BIT STRING.
    public: Option<Vec<u8>>,
}

impl PrivateKey {
    /// Reads SEC 1 (RFC 5915 §3) or PKCS #8 (RFC 5958 §2); `None` if it is neither, or a key of
    /// another kind.
    pub(super) fn read(key: &PrivateKeyDer<'_>) -> Option<Self> {
        let der = Zeroizing::new(ber::to_der(key.secret_der())?);
        match key {
            PrivateKeyDer::Sec1(_) => Self::read_sec1(&der, None).ok(),
            PrivateKeyDer::Pkcs8(_) => Self::read_pkcs8(&der).ok().flatten(),
            _ => None,
        }
    }

    fn read_pkcs8(der: &[u8]) -> der::Result<Option<Self>> {
        let mut info = inside(&mut SliceReader::new(der)?, Tag::Sequence)?;
        value(&mut info, Tag::Integer)?; // the version
        let mut algorithm = inside(&mut info, Tag::Sequence)?;
        if ObjectIdentifier::decode(&mut algorithm)? != EC {
            return Ok(None);
        }
        let curve = ObjectIdentifier::decode(&mut algorithm)?;
        Self::read_sec1(value(&mut info, Tag::OctetString)?, Some(curve)).map(Some)
    }

    fn read_sec1(der: &[u8], mut curve: Option<ObjectIdentifier>) -> der::Result<Self> {
        let mut key = inside(&mut SliceReader::new(der)?, Tag::Sequence)?;
        value(&mut key, Tag::Integer)?; // the version
        let number = Zeroizing::new(value(&mut key, Tag::OctetString)?.to_vec());
        let mut public = None;
        while !key.is_finished() {
            let element = key.tlv_bytes()?;
            let mut element = SliceReader::new(element)?;
            if Tag::peek(&element)? == tagged(0) {
                curve = Some(ObjectIdentifier::decode(&mut inside(&mut element, tagged(0))?)?);
            } else if Tag::peek(&element)? == tagged(1) {
                let mut inside = inside(&mut element, tagged(1))?;
                public = Some(value(&mut inside, Tag::BitString)?.to_vec());
            }
        }
        Ok(Self { curve, number, public })
    }

    /// Makes it ready to sign, with the public key that is its own: of the key itself, or of one
    /// of the certificates.
    pub(super) fn ready(&self, certificates: &[Certificate]) -> Result<Arc<dyn SigningKey>, Error> {
        let publics: Vec<_> = certificates.iter().filter_map(public_key_of).collect();
        let own = self.curve.zip(self.public.clone());
        let is_usable = |curve: ObjectIdentifier| matches!(curve, P256 | P384);
        for (curve, public) in own.iter().chain(&publics) {
            // ring compares the two.
            if self.curve.is_none_or(|known| known == *curve)
                && is_usable(*curve)
                && let Some(der) = self.complete(*curve, public)
                && let Ok(key) = any_ecdsa_type(&PrivatePkcs8KeyDer::from(&**der).into())
            {
                return Ok(key);
            }
        }
        if let Some(curve) = self.curve.filter(|curve| !is_usable(*curve)) {
            let detail = format!(
                "the private key is on the curve {}, which is not supported; P-256 and P-384 are",
                curve_name(curve)
            );
            return Err(Error::new(ErrorKind::NotSupported, detail));
        }
        Err(unusable(match self.public {
            Some(_) => "the private key is broken: its public part is not its own",
            None => {
                "the private key has no public part, and none of the certificates is that of the \
                 key"
            }
        }))
    }

    /// Returns the whole key in PKCS #8.
    fn complete(&self, curve: ObjectIdentifier, public: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let length: usize = if curve == P384 { 48 } else { 32 };
        let number = &self.number[self.number.iter().take_while(|byte| **byte == 0).count()..];
        let zeros = vec![0; length.checked_sub(number.len())?];
        let number = Zeroizing::new([&zeros, number].concat());
        let write = || {
            let version = element(Tag::Integer, &[&[1]])?;
            let number = element(Tag::OctetString, &[&number])?;
            let public = element(tagged(1), &[&element(Tag::BitString, &[public])?])?;
            let key = element(Tag::Sequence, &[&version, &number, &public])?;
            let key = element(Tag::OctetString, &[&key])?;
            let algorithm = element(Tag::Sequence, &[&EC.to_der()?, &curve.to_der()?])?;
            let version = element(Tag::Integer, &[&[0]])?;
            element(Tag::Sequence, &[&version, &algorithm, &key])
        };
        write().ok()
    }
}

const fn tagged(number: u32) -> Tag {
    Tag::ContextSpecific { constructed: true, number: TagNumber(number) }
}

fn element(tag: Tag, parts: &[&[u8]]) -> der::Result<Zeroizing<Vec<u8>>> {
    let content = Zeroizing::new(parts.concat());
    AnyRef::new(tag, &content)?.to_der().map(Zeroizing::new)
}

/// Returns the curve and the point of a certificate that is of such a key.
fn public_key_of(certificate: &Certificate) -> Option<(ObjectIdentifier, Vec<u8>)> {
    let key = x509::public_key_info(certificate.as_der())?;
    let read = || -> der::Result<_> {
        let mut info = inside(&mut SliceReader::new(&key)?, Tag::Sequence)?;
        let mut algorithm = inside(&mut info, Tag::Sequence)?;
        if ObjectIdentifier::decode(&mut algorithm)? != EC {
            return Ok(None);
        }
        let curve = ObjectIdentifier::decode(&mut algorithm)?;
        Ok(Some((curve, value(&mut info, Tag::BitString)?.to_vec())))
    };
    read().ok().flatten()
}
