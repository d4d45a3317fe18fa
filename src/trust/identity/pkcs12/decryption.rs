//! Opening what is encrypted with a pass phrase.

use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockCipherDecrypt, BlockModeDecrypt, KeyInit, KeyIvInit};
use der::asn1::ObjectIdentifier;
use der::zeroize::Zeroizing;
use der::{Decode, SliceReader, Tag};
use des::{TdesEde2, TdesEde3};
use pkcs8::pkcs5::EncryptionScheme;
use rc2::Rc2;
use ring::digest::SHA1_FOR_LEGACY_USE_ONLY;

use super::derivation::{Purpose, derive};
use super::mac::check;
use super::{Passphrase, broken_by, unsupported};
use crate::error::Error;
use crate::trust::identity::key::is_affordable;
use crate::trust::x509::{inside, value};

// RFC 7292 appendix C.
const TRIPLE_DES_3_KEYS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.1.3");
const TRIPLE_DES_2_KEYS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.1.4");
const RC2_128_BITS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.1.5");
const RC2_40_BITS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.1.6");
const PBES2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.5.13");

/// Something encrypted, and how.
pub(super) struct Encrypted<'a> {
    /// AlgorithmIdentifier.
    pub(super) algorithm: &'a [u8],
    pub(super) bytes: &'a [u8],
}

impl Encrypted<'_> {
    /// Opens it; `None` if it is of another pass phrase.
    pub(super) fn open(&self, by: &Passphrase<'_>) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
        let mut reader = SliceReader::new(self.algorithm).map_err(broken_by)?;
        let mut algorithm = inside(&mut reader, Tag::Sequence).map_err(broken_by)?;
        let id = ObjectIdentifier::decode(&mut algorithm).map_err(broken_by)?;
        if id == PBES2 {
            return self.open_pbes2(by);
        }
        let mut read = || {
            let mut parameters = inside(&mut algorithm, Tag::Sequence)?;
            Ok((value(&mut parameters, Tag::OctetString)?, u32::decode(&mut parameters)?))
        };
        let (salt, iterations) = read().map_err(broken_by)?;
        check(iterations)?;
        let derive = |purpose, length| {
            derive(&SHA1_FOR_LEGACY_USE_ONLY, purpose, (&by.wide, salt), iterations, length)
        };
        let vector = derive(Purpose::InitialVector, 8);
        let key = |length| derive(Purpose::Key, length);
        Ok(match id {
            TRIPLE_DES_3_KEYS => self.decrypted::<TdesEde3>(&key(24), &vector),
            TRIPLE_DES_2_KEYS => self.decrypted::<TdesEde2>(&key(16), &vector),
            RC2_128_BITS => self.decrypted::<Rc2>(&key(16), &vector),
            RC2_40_BITS => self.decrypted::<Rc2>(&key(5), &vector),
            other => return Err(unsupported(other)),
        })
    }

    fn open_pbes2(&self, by: &Passphrase<'_>) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
        let scheme = EncryptionScheme::from_der(self.algorithm)
            .map_err(|error| unsupported("PBES2 with unknown parameters").because(error))?;
        if !is_affordable(&scheme) {
            return Err(unsupported("PBES2 with parameters that take too much memory or time"));
        }
        match scheme.decrypt(by.text, self.bytes) {
            Ok(opened) => Ok(Some(opened.into())),
            Err(pkcs8::pkcs5::Error::DecryptFailed) => Ok(None),
            Err(error) => Err(unsupported("PBES2").because(error)),
        }
    }

    fn decrypted<C>(&self, key: &[u8], vector: &[u8]) -> Option<Zeroizing<Vec<u8>>>
    where
        C: BlockCipherDecrypt + KeyInit,
    {
        let cipher = cbc::Decryptor::<C>::new_from_slices(key, vector).ok()?;
        cipher.decrypt_padded_vec::<Pkcs7>(self.bytes).ok().map(Zeroizing::new)
    }
}
