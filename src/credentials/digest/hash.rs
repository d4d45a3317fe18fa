//! The hashes of Digest, by the feature `digest`.

use ring::digest::{Context, SHA256, SHA512_256};

/// A hash, the weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hash {
    Md5,
    Sha256,
    Sha512_256,
}

/// Every name, for the hash by itself and for its `-sess` form.
pub(super) const NAMES: [(Hash, [&str; 2]); 3] = [
    (Hash::Md5, ["MD5", "MD5-sess"]),
    (Hash::Sha256, ["SHA-256", "SHA-256-sess"]),
    (Hash::Sha512_256, ["SHA-512-256", "SHA-512-256-sess"]),
];

impl Hash {
    /// Orders the hashes, the strongest last.
    pub(super) fn strength(self) -> u8 {
        self as u8
    }

    pub(super) fn hasher(self) -> Hasher {
        Hasher(match self {
            Self::Md5 => Running::Md5(Box::new(md5::Context::new())),
            Self::Sha256 => Running::Sha2(Box::new(Context::new(&SHA256))),
            Self::Sha512_256 => Running::Sha2(Box::new(Context::new(&SHA512_256))),
        })
    }
}

/// A hash that is being made.
pub(crate) struct Hasher(Running);

enum Running {
    Md5(Box<md5::Context>),
    Sha2(Box<Context>),
}

impl Hasher {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            Running::Md5(hash) => hash.consume(bytes),
            Running::Sha2(hash) => hash.update(bytes),
        }
    }

    /// Returns the hash in hexadecimal digits, lower-case (RFC 7616 §3.1).
    pub(crate) fn finish(self) -> String {
        match self.0 {
            Running::Md5(hash) => hexadecimal(&hash.finalize().0),
            Running::Sha2(hash) => hexadecimal(hash.finish().as_ref()),
        }
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}
