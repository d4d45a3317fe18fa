//! How the older ways make keys of a pass phrase (RFC 7292 appendix B.2).

use der::zeroize::Zeroizing;
use ring::digest::{Algorithm, Context};

/// What a key is for (RFC 7292 appendix B.3).
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    Key = 1,
    InitialVector = 2,
    Mac = 3,
}

/// Returns `length` bytes made of the pass phrase, which is in UTF-16 with a NUL behind it.
pub(super) fn derive(
    hash: &'static Algorithm,
    purpose: Purpose,
    (passphrase, salt): (&[u8], &[u8]),
    iterations: u32,
    length: usize,
) -> Zeroizing<Vec<u8>> {
    let block = hash.block_len();
    let filled = |bytes: &[u8]| -> Vec<u8> {
        let length = bytes.len().div_ceil(block) * block;
        bytes.iter().copied().cycle().take(length).collect()
    };
    let diversifier = vec![purpose as u8; block];
    let mut input = Zeroizing::new([filled(salt), filled(passphrase)].concat());
    let mut derived = Zeroizing::new(Vec::with_capacity(length + hash.output_len()));
    loop {
        let mut first = Context::new(hash);
        first.update(&diversifier);
        first.update(&input);
        let mut digest = first.finish();
        for _ in 1..iterations {
            digest = ring::digest::digest(hash, digest.as_ref());
        }
        derived.extend_from_slice(digest.as_ref());
        if derived.len() >= length {
            derived.truncate(length);
            return derived;
        }
        let addend: Vec<u8> = digest.as_ref().iter().copied().cycle().take(block).collect();
        input.chunks_exact_mut(block).for_each(|number| add(number, &addend));
    }
}

/// Adds a number and one to another of as many bytes, the carry out left off.
fn add(number: &mut [u8], addend: &[u8]) {
    let mut carry = 1;
    for (digit, addend) in number.iter_mut().zip(addend).rev() {
        let sum = u16::from(*digit) + u16::from(*addend) + carry;
        [_, *digit] = sum.to_be_bytes();
        carry = sum >> 8;
    }
}

#[cfg(test)]
mod tests {
    use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA512};

    use super::*;

    fn wide(text: &str) -> Vec<u8> {
        text.encode_utf16().chain([0]).flat_map(u16::to_be_bytes).collect()
    }

    #[test]
    fn keys_are_those_of_other_implementations() {
        let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
        // Those of Bouncy Castle's tests, and more by `openssl kdf PKCS12KDF`.
        let salt = [0x0a, 0x58, 0xcf, 0x64, 0x53, 0x0d, 0x82, 0x3f];
        let smeg = wide("smeg");
        let derived =
            |purpose, length| derive(&SHA1_FOR_LEGACY_USE_ONLY, purpose, (&smeg, &salt), 1, length);
        assert_eq!(
            hex(&derived(Purpose::Key, 24)),
            "8aaae6297b6cb04642ab5b077851284eb7128f1a2a7fbca3"
        );
        let salt = [0x64, 0x2b, 0x99, 0xab, 0x44, 0xfb, 0x4b, 0x1f];
        let derived =
            |purpose, length| derive(&SHA1_FOR_LEGACY_USE_ONLY, purpose, (&smeg, &salt), 1, length);
        assert_eq!(
            hex(&derived(Purpose::Key, 24)),
            "f3a95fec48d7711e985cfe67908c5ab79fa3d7c5caa5d966"
        );
        let salt = [0x79, 0x99, 0x3d, 0xfe, 0x04, 0x8d, 0x3b, 0x76];
        let derived =
            |purpose, length| derive(&SHA1_FOR_LEGACY_USE_ONLY, purpose, (&smeg, &salt), 1, length);
        assert_eq!(hex(&derived(Purpose::InitialVector, 8)), "97854bd723198683");
        assert_eq!(
            hex(&derive(&SHA256, Purpose::Mac, (&smeg, &salt), 1000, 40)),
            "610134c6a2909f72ee46bb8d490f09bcf86720e46d7ca5742fcbffa16c58f661fbe3005c66e33ef6"
        );
        assert_eq!(
            hex(&derive(&SHA512, Purpose::Key, (&smeg, &salt), 5, 40)),
            "2ebba6595bf058307c493d7aa086ef4b8a14b2bab0223672b19c97a97bec42e4174f9203e2ad0be3"
        );
    }
}
