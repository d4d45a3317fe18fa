//! What the algorithms of signatures and keys are called.

use std::fmt;

use der::asn1::ObjectIdentifier;
use der::{Result, SliceReader, Tag, Tagged};

use super::x509::{element, identifier, inside, opened, value};

const SIGNATURES: &[(&str, ObjectIdentifier)] = &[
    ("ECDSA with SHA-1", ObjectIdentifier::new_unwrap("1.2.840.10045.4.1")),
    ("ECDSA with SHA-224", ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.1")),
    ("ECDSA with SHA-256", ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2")),
    ("ECDSA with SHA-384", ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.3")),
    ("ECDSA with SHA-512", ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.4")),
    ("RSA with MD2", ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.2")),
    ("RSA with MD5", ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.4")),
    ("RSA with SHA-1", ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.5")),
    ("RSA-PSS", ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10")),
    ("RSA with SHA-256", ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.11")),
    ("RSA with SHA-384", ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.12")),
    ("RSA with SHA-512", ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.13")),
    ("RSA with SHA-224", ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.14")),
    ("RSA with SHA3-256", ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.3.14")),
    ("DSA with SHA-1", ObjectIdentifier::new_unwrap("1.2.840.10040.4.3")),
    ("DSA with SHA-256", ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.3.2")),
    ("Ed25519", ObjectIdentifier::new_unwrap("1.3.101.112")),
    ("Ed448", ObjectIdentifier::new_unwrap("1.3.101.113")),
    ("ML-DSA-44", ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.3.17")),
    ("ML-DSA-65", ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.3.18")),
    ("ML-DSA-87", ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.3.19")),
    ("SM2 with SM3", ObjectIdentifier::new_unwrap("1.2.156.10197.1.501")),
];

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const RSA_PSS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const DSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10040.4.1");

const CURVES: &[(&str, ObjectIdentifier)] = &[
    ("P-192", ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.1")),
    ("P-224", ObjectIdentifier::new_unwrap("1.3.132.0.33")),
    ("P-256", ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7")),
    ("P-384", ObjectIdentifier::new_unwrap("1.3.132.0.34")),
    ("P-521", ObjectIdentifier::new_unwrap("1.3.132.0.35")),
    ("secp256k1", ObjectIdentifier::new_unwrap("1.3.132.0.10")),
    ("brainpoolP256r1", ObjectIdentifier::new_unwrap("1.3.36.3.3.2.8.1.1.7")),
    ("brainpoolP384r1", ObjectIdentifier::new_unwrap("1.3.36.3.3.2.8.1.1.11")),
    ("brainpoolP512r1", ObjectIdentifier::new_unwrap("1.3.36.3.3.2.8.1.1.13")),
    ("SM2", ObjectIdentifier::new_unwrap("1.2.156.10197.1.301")),
];

#[cold]
fn name_in(table: &[(&'static str, ObjectIdentifier)], id: ObjectIdentifier) -> String {
    let known = table.iter().find(|(_, known)| *known == id);
    known.map_or_else(|| id.to_string(), |(name, _)| (*name).to_owned())
}

/// Returns what a curve is called.
pub(super) fn curve_name(id: ObjectIdentifier) -> String {
    name_in(CURVES, id)
}

/// Displays a signature's algorithm, given what is inside its AlgorithmIdentifier.
pub(super) struct SignatureName<'a>(pub(super) &'a [u8]);

impl fmt::Display for SignatureName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = SliceReader::new(self.0).and_then(|mut reader| identifier(&mut reader));
        match id {
            Ok(id) => f.write_str(&name_in(SIGNATURES, id)),
            Err(_) => f.write_str("an algorithm that cannot be read"),
        }
    }
}

/// What a public key is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum KeyKind {
    /// RSA, of so many bits.
    Rsa(usize),
    /// On a curve of this name.
    Curve(String),
    /// Of this algorithm.
    Other(String),
}

impl KeyKind {
    /// Reads the kind of a key in DER of SubjectPublicKeyInfo.
    #[cold]
    pub(super) fn of(key: &[u8]) -> Result<Self> {
        let mut info = opened(key, Tag::Sequence)?;
        let mut algorithm = inside(&mut info, Tag::Sequence)?;
        let id = identifier(&mut algorithm)?;
        let bits = value(&mut info, Tag::BitString)?.get(1..).unwrap_or_default();
        Ok(match id {
            RSA | RSA_PSS => {
                let mut numbers = opened(bits, Tag::Sequence)?;
                let modulus = value(&mut numbers, Tag::Integer)?;
                let modulus = &modulus[modulus.iter().take_while(|byte| **byte == 0).count()..];
                let unused = modulus.first().map_or(0, |first| first.leading_zeros() as usize);
                Self::Rsa(modulus.len() * 8 - unused)
            }
            EC => {
                let parameters = element(&mut algorithm)?;
                if parameters.tag() != Tag::ObjectIdentifier {
                    return Ok(Self::Curve("that has no name".to_owned()));
                }
                Self::Curve(curve_name(parameters.decode_as()?))
            }
            DSA => Self::Other("DSA".to_owned()),
            id => Self::Other(name_in(SIGNATURES, id)),
        })
    }

    /// Whether it is known by the provider of cryptography, as far as its kind tells.
    pub(super) fn is_supported(&self) -> bool {
        match self {
            Self::Rsa(bits) => (2048..=8192).contains(bits),
            Self::Curve(name) => matches!(&**name, "P-256" | "P-384"),
            Self::Other(name) => name == "Ed25519",
        }
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rsa(bits) => write!(f, "RSA of {bits} bits"),
            Self::Curve(name) => write!(f, "the curve {name}"),
            Self::Other(name) => f.write_str(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::{Certificate, x509};

    #[test]
    fn keys_and_signatures_are_called_as_people_call_them() {
        for (pem, key, signature, is_supported) in [
            (
                include_str!("../../tests/fixtures/trust/p521-root.pem"),
                "the curve P-521",
                "ECDSA with SHA-512",
                false,
            ),
            (
                include_str!("../../tests/fixtures/trust/sha512-leaf.pem"),
                "the curve P-256",
                "ECDSA with SHA-512",
                true,
            ),
            (
                include_str!("../../tests/fixtures/trust/rsa1024-root.pem"),
                "RSA of 1024 bits",
                "RSA with SHA-256",
                false,
            ),
            (
                include_str!("../../tests/fixtures/trust/sha1-root.pem"),
                "RSA of 2048 bits",
                "RSA with SHA-256",
                true,
            ),
            (
                include_str!("../../tests/fixtures/trust/pss.pem"),
                "RSA of 2048 bits",
                "RSA-PSS",
                true,
            ),
        ] {
            let certificate = Certificate::from_pem(pem).unwrap().remove(0);
            let fields = x509::read(certificate.as_der()).unwrap();
            let kind = KeyKind::of(fields.public_key_info).unwrap();
            assert_eq!(kind.to_string(), key);
            assert_eq!(kind.is_supported(), is_supported, "{key}");
            assert_eq!(SignatureName(fields.signature_algorithm).to_string(), signature);
        }
        assert_eq!(SignatureName(&[6, 3, 0x2a, 3, 4]).to_string(), "1.2.3.4");
        assert_eq!(SignatureName(&[]).to_string(), "an algorithm that cannot be read");
        assert!(KeyKind::of(&[]).is_err() && KeyKind::of(&[0x30, 0]).is_err());
        let ed448 = [0x30, 10, 0x30, 5, 6, 3, 0x2b, 0x65, 0x71, 3, 1, 0];
        assert_eq!(KeyKind::of(&ed448), Ok(KeyKind::Other("Ed448".to_owned())));
    }
}
