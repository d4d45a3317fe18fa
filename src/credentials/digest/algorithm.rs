//! The algorithms of Digest (RFC 7616 §6.1).

pub(crate) use super::hash::Hasher;
use super::hash::{Hash, NAMES};

/// An algorithm of Digest: a hash, and whether it makes a key for a whole session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Algorithm {
    hash: Hash,
    pub(super) session: bool,
}

impl Algorithm {
    /// Returns the algorithm of this name, in any case; MD5 if there is none.
    pub(super) fn named(name: Option<&[u8]>) -> Option<Self> {
        let name = name.unwrap_or(b"MD5");
        NAMES.iter().find_map(|(hash, names)| {
            let at = names.iter().position(|known| known.as_bytes().eq_ignore_ascii_case(name))?;
            Some(Self { hash: *hash, session: at == 1 })
        })
    }

    /// Returns the name in the standard's spelling.
    #[cfg(feature = "digest")]
    #[cfg(test)]
    pub(crate) fn name(self) -> &'static str {
        let names = NAMES.iter().find(|(hash, _)| *hash == self.hash).map(|(_, names)| names);
        names.map_or("", |names| names[usize::from(self.session)])
    }

    /// Orders the hashes, the strongest last.
    pub(in crate::credentials) fn strength(self) -> u8 {
        self.hash.strength()
    }

    pub(super) fn same_hash(self, other: Self) -> bool {
        self.hash == other.hash
    }

    /// Returns the hash of `bytes` in hexadecimal digits.
    pub(crate) fn hash(self, bytes: &[u8]) -> String {
        let mut hasher = self.hasher();
        hasher.update(bytes);
        hasher.finish()
    }

    /// Returns a hasher for a body that comes in pieces.
    pub(crate) fn hasher(self) -> Hasher {
        self.hash.hasher()
    }
}

#[cfg(feature = "digest")]
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_in_any_case_and_written_as_the_standard_does() {
        for (name, expected) in [
            (None, Some("MD5")),
            (Some("md5"), Some("MD5")),
            (Some("MD5-SESS"), Some("MD5-sess")),
            (Some("sha-256"), Some("SHA-256")),
            (Some("SHA-256-sess"), Some("SHA-256-sess")),
            (Some("SHA-512-256"), Some("SHA-512-256")),
            (Some("SHA-512-256-sess"), Some("SHA-512-256-sess")),
            (Some("SHA-512"), None),
            (Some("SHA256"), None),
            (Some(""), None),
        ] {
            let found = Algorithm::named(name.map(str::as_bytes));
            assert_eq!(found.map(Algorithm::name), expected, "{name:?}");
        }
    }

    #[test]
    fn hashes_are_those_of_the_standards() {
        // RFC 1321 §A.5; FIPS 180-4, NIST's example values.
        for (name, expected) in [
            ("MD5", "900150983cd24fb0d6963f7d28e17f72"),
            ("SHA-256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            ("SHA-512-256", "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23"),
        ] {
            let algorithm = Algorithm::named(Some(name.as_bytes())).unwrap();
            assert_eq!(algorithm.hash(b"abc"), expected);
            let mut pieces = algorithm.hasher();
            b"abc".iter().for_each(|byte| pieces.update(&[*byte]));
            assert_eq!(pieces.finish(), expected);
        }
    }
}
