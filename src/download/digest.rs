//! Digests of whole bodies.

use std::fmt;

use super::record::refused;
use crate::error::{Error, ErrorKind};

/// A digest that a body is to have.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Digest {
    algorithm: Algorithm,
    bytes: Box<[u8]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Algorithm {
    Sha256,
    Sha512,
}

impl Digest {
    /// The names, as they are written down.
    pub(super) const NAMES: [&str; 2] = ["sha256", "sha512"];

    /// Reads the hexadecimal digits of a SHA-256.
    pub(crate) fn sha256(digits: &str) -> Result<Self, Error> {
        Self::of(Algorithm::Sha256, digits)
    }

    /// Reads the hexadecimal digits of a SHA-512.
    pub(crate) fn sha512(digits: &str) -> Result<Self, Error> {
        Self::of(Algorithm::Sha512, digits)
    }

    pub(crate) fn parse(name: &str, digits: &str) -> Result<Self, Error> {
        let algorithm = if name == "sha512" { Algorithm::Sha512 } else { Algorithm::Sha256 };
        Self::of(algorithm, digits)
            .map_err(|error| refused("has a digest that is none").because(error))
    }

    fn of(algorithm: Algorithm, digits: &str) -> Result<Self, Error> {
        let (name, length) = (algorithm.name(), algorithm.length());
        let bytes = hexadecimal(digits.trim()).filter(|bytes| bytes.len() == length);
        let bytes = bytes.ok_or_else(|| {
            let detail = format!("no digest: a {name} has {} hexadecimal digits", length * 2);
            Error::new(ErrorKind::InvalidRequest, detail)
        })?;
        Ok(Self { algorithm, bytes: bytes.into() })
    }

    pub(crate) fn name(&self) -> &'static str {
        self.algorithm.name()
    }

    pub(crate) fn digits(&self) -> String {
        digits(&self.bytes)
    }

    /// Begins to make the digest of a body.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotSupported`] in a build that has no such hash.
    #[cfg(any(feature = "tls", feature = "digest"))]
    pub(super) fn hasher(&self) -> Result<Hasher, Error> {
        use ring::digest::{Context, SHA256, SHA512};
        let algorithm = match self.algorithm {
            Algorithm::Sha256 => &SHA256,
            Algorithm::Sha512 => &SHA512,
        };
        Ok(Hasher(Box::new(Context::new(algorithm))))
    }

    #[cfg(not(any(feature = "tls", feature = "digest")))]
    pub(super) fn hasher(&self) -> Result<Hasher, Error> {
        let detail = "no digest can be made in this build: use the feature `digest` or `tls`";
        Err(Error::new(ErrorKind::NotSupported, detail))
    }

    /// The error of a body that has another one.
    pub(super) fn mismatch(&self, found: &[u8]) -> Error {
        let detail = format!(
            "the body has the {} {}, and {} was expected: it was changed, or is another version",
            self.name(),
            digits(found),
            self.digits()
        );
        Error::new(ErrorKind::DigestMismatch, detail)
    }

    pub(super) fn is(&self, found: &[u8]) -> bool {
        *self.bytes == *found
    }
}

impl Algorithm {
    fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    fn length(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.name(), self.digits())
    }
}

/// A digest that is being made.
#[cfg(any(feature = "tls", feature = "digest"))]
pub(super) struct Hasher(Box<ring::digest::Context>);

#[cfg(any(feature = "tls", feature = "digest"))]
impl Hasher {
    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.0.finish().as_ref().to_vec()
    }
}

/// Nobody has one.
#[cfg(not(any(feature = "tls", feature = "digest")))]
pub(super) enum Hasher {}

#[cfg(not(any(feature = "tls", feature = "digest")))]
impl Hasher {
    pub(super) fn update(&mut self, _bytes: &[u8]) {
        match *self {}
    }

    pub(super) fn finish(self) -> Vec<u8> {
        match self {}
    }
}

fn hexadecimal(digits: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        digits.chars().map(|digit| digit.to_digit(16).map(|digit| digit as u8)).collect();
    let pairs = digits.filter(|digits| digits.len() % 2 == 0)?;
    Some(pairs.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

fn digits(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from_digit(digit.into(), 16).unwrap_or('?')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_read_in_either_case_and_has_its_length() {
        let digits = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let digest = Digest::sha256(&format!(" {} ", digits.to_uppercase())).unwrap();
        assert_eq!((digest.name(), &*digest.digits()), ("sha256", digits));
        for wrong in ["", "ba", &digits[1..], &format!("{digits}0"), &digits.replace('b', "g")] {
            let error = Digest::sha256(wrong).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{wrong:?}");
        }
        assert!(Digest::sha512(digits).is_err());
        assert!(Digest::sha512(&digits.repeat(2)).is_ok());
    }

    #[cfg(any(feature = "tls", feature = "digest"))]
    #[test]
    fn what_has_the_digest_is_right() {
        // FIPS 180-2, appendix B.1.
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let digest = Digest::sha256(abc).unwrap();
        for (text, is_right) in [("abc", true), ("abd", false)] {
            let mut hasher = digest.hasher().unwrap();
            hasher.update(text.as_bytes());
            assert_eq!(digest.is(&hasher.finish()), is_right, "{text}");
        }
    }
}
