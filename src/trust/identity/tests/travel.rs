//! Identities that go to another process.

use super::fixtures::*;
use super::*;
use crate::trust::Certificate;

const WITHOUT_PUBLIC: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/fixtures/identities/ec-sec1-without-public.pem"
));

#[test]
fn an_identity_is_made_once_more_of_what_it_shows_and_signs_with() {
    let mut texts = vec![
        ("SEC 1", format!("{CERTIFICATE}{KEY_SEC1}"), None),
        ("PKCS #8", format!("{CERTIFICATE}{KEY}"), None),
        ("PKCS #1", format!("{CERTIFICATE_RSA}{KEY_RSA_PKCS1}"), None),
        ("Ed25519", format!("{CERTIFICATE_ED25519}{KEY_ED25519}"), None),
        ("without its public part", WITHOUT_PUBLIC.to_owned(), None),
    ];
    if cfg!(feature = "encrypted-keys") {
        texts.push(("encrypted", format!("{CERTIFICATE}{ENCRYPTED_AES256}"), Some(PASSPHRASE)));
    }
    for (name, pem, passphrase) in texts {
        let identity = Identity::from_pem(pem, passphrase).unwrap();
        let certificates = || identity.certificates().to_vec();
        let (kind, key) = identity.private_key();
        let made = || Identity::from_elsewhere(certificates(), kind, key).expect(name);
        let (one, again) = (made(), made());
        assert_eq!(one.certificates(), identity.certificates(), "{name}");
        assert_eq!(one.private_key(), (kind, key), "{name}");
        let public = |identity: &Identity| {
            identity.certified_key().key.public_key().map(|key| key.as_ref().to_vec())
        };
        assert_eq!(public(&one), public(&identity), "{name}");
        assert!(one.is(&again) && !one.is(&identity) && !identity.is(&one), "{name}");

        let other = vec![Certificate::from_der([0x30, 0])];
        assert!(Identity::from_elsewhere(other, kind, key).is_err(), "{name}");
        assert!(Identity::from_elsewhere(Vec::new(), kind, key).is_err(), "{name}");
        let cut = Identity::from_elsewhere(certificates(), kind, &key[..key.len() / 2]);
        assert!(cut.is_err(), "{name}");
        let unknown = Identity::from_elsewhere(certificates(), "pkcs9", key).unwrap_err();
        assert_eq!(unknown.kind(), NotSupported, "{name}");
    }
}
