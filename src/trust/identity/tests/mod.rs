#![cfg(feature = "tls")]

mod fixtures;
mod of_other_tools;
#[cfg(all(feature = "daemon", unix))]
mod travel;

use fixtures::*;

use super::Identity;
use crate::error::ErrorKind::{self, ClientCertificateRejected, NotSupported};
use crate::testing::Authority;

/// What is made of this text: the number of certificates, or the kind and message of the error.
fn read(pem: &str, passphrase: Option<&str>) -> Result<usize, (ErrorKind, String)> {
    let found = Identity::from_pem(pem, passphrase);
    found
        .map(|identity| identity.certificates().len())
        .map_err(|error| (error.kind(), error.to_string()))
}

fn assert_refused(
    name: &str,
    found: Result<usize, (ErrorKind, String)>,
    kind: ErrorKind,
    message: &str,
) {
    let (found, text) = found.expect_err(name);
    assert_eq!(found, kind, "{name}: {text}");
    assert!(text.contains(message), "{name}: {text}");
}

#[test]
fn keys_of_every_form_make_an_identity_wherever_they_stand() {
    let made = Authority::new().intermediate().identity(&["ann"]);
    let (chain, key) = (made.chain_pem(), made.key_pem());
    let windows = format!("{chain}{key}").replace('\n', "\r\n");
    let noted = format!("Bag Attributes\n    friendlyName: \u{e4}nn\n{chain}\nKey:\n{key}");
    let with_parameters = format!(
        "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n{key}"
    );
    for (name, pem, certificates) in [
        ("certificates first", format!("{chain}{key}"), 2),
        ("key first", format!("{key}{chain}"), 2),
        ("lines of Windows", windows, 2),
        ("with words between", noted, 2),
        ("with parameters of the curve", format!("{with_parameters}{chain}"), 2),
        ("SEC 1", format!("{CERTIFICATE}{KEY_SEC1}"), 1),
        ("PKCS #8", format!("{CERTIFICATE}{KEY}"), 1),
        ("PKCS #1", format!("{CERTIFICATE_RSA}{KEY_RSA_PKCS1}"), 1),
        ("of version 1", format!("{CERTIFICATE_V1}{KEY_V1}"), 1),
        ("Ed25519", format!("{CERTIFICATE_ED25519}{KEY_ED25519}"), 1),
    ] {
        assert_eq!(read(&pem, None), Ok(certificates), "{name}");
        assert_eq!(read(&pem, Some("not needed")), Ok(certificates), "{name}");
    }
}

#[test]
fn what_makes_no_identity_says_why() {
    let other = Authority::new().identity(&["bob"]);
    let cut = &KEY[..KEY.len() - 30];
    let no_base64 = KEY.replace("MIGH", "M*GH");
    let no_der = KEY.replace("MIGH", "AAAA");
    let legacy = format!("{CERTIFICATE}{ENCRYPTED_LEGACY}");
    let ssh = KEY.replace("PRIVATE", "OPENSSH PRIVATE");
    let refused = ClientCertificateRejected;
    for (name, pem, kind, message) in [
        ("nothing", String::new(), refused, "no certificate"),
        ("no PEM", "ann".to_owned(), refused, "no certificate"),
        ("key only", KEY.to_owned(), refused, "no certificate"),
        ("certificate only", CERTIFICATE.to_owned(), refused, "no private key"),
        ("two keys", format!("{KEY}{CERTIFICATE}{KEY}"), refused, "more than one private key"),
        ("cut off", format!("{CERTIFICATE}{cut}"), refused, "a section has no end"),
        ("no Base64", format!("{CERTIFICATE}{no_base64}"), refused, "private key is broken"),
        ("no DER", format!("{CERTIFICATE}{no_der}"), refused, "private key is broken"),
        (
            "wrong key",
            format!("{CERTIFICATE}{}", other.key_pem()),
            refused,
            "not that of the first",
        ),
        ("old OpenSSL", legacy, NotSupported, "openssl pkcs8 -topk8"),
        ("old curve", format!("{CERTIFICATE}{KEY_SECP256K1}"), NotSupported, "P-256 and P-384"),
        ("of ssh", format!("{CERTIFICATE}{ssh}"), NotSupported, "`OPENSSH PRIVATE KEY`"),
    ] {
        assert_refused(name, read(&pem, None), kind, message);
    }
}

#[test]
fn a_broken_certificate_is_refused() {
    let body = CERTIFICATE.replace("MIIB", "AAAA");
    let found = read(&format!("{body}{KEY}"), None);
    assert_refused("DER", found, ClientCertificateRejected, "certificate is broken");
    let text = CERTIFICATE.replace("MIIB", "M*IB");
    let found = read(&format!("{text}{KEY}"), None);
    assert_refused("Base64", found, ClientCertificateRejected, "text of a certificate is broken");
}

#[test]
fn text_that_is_not_utf_8_between_sections_is_skipped() {
    let pem = [b"friendlyName: \xe4nn\n", CERTIFICATE.as_bytes(), KEY.as_bytes()].concat();
    Identity::from_pem(pem, None).unwrap();
}

#[test]
fn a_cut_or_altered_text_never_panics() {
    let pem = format!("{CERTIFICATE}{KEY}");
    for length in 0..pem.len() {
        let _ = Identity::from_pem(&pem[..length], None);
        let mut altered = pem.clone().into_bytes();
        altered[length] ^= 1 << (length % 8);
        let _ = Identity::from_pem(altered, None);
    }
}

#[test]
fn debug_shows_no_key_and_a_clone_is_the_same() {
    let identity = Identity::from_pem(format!("{CERTIFICATE}{KEY}"), None).unwrap();
    assert_eq!(format!("{identity:?}"), "Identity { certificates: [Certificate(375 bytes)], .. }");
    assert!(identity.is(&identity.clone()));
    let again = Identity::from_pem(format!("{CERTIFICATE}{KEY}"), None).unwrap();
    assert!(!identity.is(&again));
    assert_eq!(identity.certified_key().cert.len(), 1);
}

#[cfg(not(feature = "encrypted-keys"))]
#[test]
fn an_encrypted_key_names_the_feature_it_needs() {
    let found = read(&format!("{CERTIFICATE}{ENCRYPTED_AES256}"), Some(PASSPHRASE));
    assert_refused("encrypted", found, NotSupported, "`encrypted-keys`");
}

#[cfg(feature = "encrypted-keys")]
mod encrypted {
    use base64::prelude::{BASE64_STANDARD, Engine as _};

    use super::*;

    #[test]
    fn keys_encrypted_by_pbes2_open_with_their_pass_phrase_alone() {
        for (name, key) in
            [("AES-256", ENCRYPTED_AES256), ("3DES", ENCRYPTED_3DES), ("scrypt", ENCRYPTED_SCRYPT)]
        {
            let pem = format!("{CERTIFICATE}{key}");
            assert_eq!(read(&pem, Some(PASSPHRASE)), Ok(1), "{name}");
            let kind = ClientCertificateRejected;
            assert_refused(
                name,
                read(&pem, Some("sesame")),
                kind,
                "pass phrase of the private key is wrong",
            );
            assert_refused(
                name,
                read(&pem, Some("")),
                kind,
                "pass phrase of the private key is wrong",
            );
            assert_refused(name, read(&pem, None), kind, "there is no pass phrase");
        }
    }

    #[test]
    fn other_encryptions_say_how_to_convert_them() {
        let found = read(&format!("{CERTIFICATE}{ENCRYPTED_PBES1}"), Some(PASSPHRASE));
        assert_refused("PBES1", found, NotSupported, "openssl pkcs8 -topk8");
    }

    /// A key encrypted with scrypt (RFC 7914 §7.1) at this cost, with blocks of 8.
    fn scrypt(cost: &[u8]) -> String {
        let element = |tag: u8, parts: &[&[u8]]| {
            let content = parts.concat();
            [&[tag, u8::try_from(content.len()).unwrap()], &content[..]].concat()
        };
        let sequence = |parts: &[&[u8]]| element(0x30, parts);
        let bytes = |length: usize| element(4, &[&vec![7; length]]);
        let pbes2 = element(6, &[b"\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0d"]);
        let scrypt = element(6, &[b"\x2b\x06\x01\x04\x01\xda\x47\x04\x0b"]);
        let aes256 = element(6, &[b"\x60\x86\x48\x01\x65\x03\x04\x01\x2a"]);
        let (cost, block, parallel) = (element(2, &[cost]), [2, 1, 8], [2, 1, 1]);
        let derivation = sequence(&[&scrypt, &sequence(&[&bytes(8), &cost, &block, &parallel])]);
        let encryption = sequence(&[&aes256, &bytes(16)]);
        let algorithm = sequence(&[&pbes2, &sequence(&[&derivation, &encryption])]);
        let text = BASE64_STANDARD.encode(sequence(&[&algorithm, &bytes(32)]));
        format!(
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\n{text}\n-----END ENCRYPTED PRIVATE KEY-----\n"
        )
    }

    #[test]
    fn a_key_that_takes_all_memory_to_be_opened_is_refused() {
        let open = |cost: &[u8]| read(&format!("{CERTIFICATE}{}", scrypt(cost)), Some(PASSPHRASE));
        let wrong = "pass phrase of the private key is wrong";
        assert_refused("256", open(&[1, 0]), ClientCertificateRejected, wrong);
        for cost in [
            &[0][..],
            &[3],
            &[0x10, 0, 0, 0],
            &[0x40, 0, 0, 0, 0, 0],
            &[0x20, 0, 0, 0, 0, 0, 0],
            &[0x40, 0, 0, 0, 0, 0, 0, 0],
        ] {
            let name = format!("{cost:?}");
            assert_refused(&name, open(cost), NotSupported, "openssl pkcs8 -topk8");
        }
    }

    #[test]
    fn an_encrypted_key_that_is_no_der_is_broken() {
        let key = ENCRYPTED_AES256.replace("MIHs", "AAAA");
        let found = read(&format!("{CERTIFICATE}{key}"), Some(PASSPHRASE));
        assert_refused("DER", found, ClientCertificateRejected, "encrypted private key is broken");
    }
}

#[cfg(not(feature = "pkcs12"))]
#[test]
fn a_pkcs12_file_names_the_feature_it_needs() {
    let error = Identity::from_pkcs12([], None).unwrap_err();
    assert_eq!(error.kind(), NotSupported);
    assert!(error.to_string().contains("`pkcs12`"), "{error}");
}

#[cfg(feature = "pkcs12")]
mod pkcs12 {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    fn der(base64: &str) -> Vec<u8> {
        STANDARD.decode(base64.replace('\n', "")).unwrap()
    }

    fn read(file: &[u8], passphrase: Option<&str>) -> Result<usize, (ErrorKind, String)> {
        let found = Identity::from_pkcs12(file, passphrase);
        found
            .map(|identity| identity.certificates().len())
            .map_err(|error| (error.kind(), error.to_string()))
    }

    #[test]
    fn files_of_today_and_of_old_open_with_their_pass_phrase_alone() {
        for (name, file) in [("AES-256", PKCS12), ("RC2 and 3DES", PKCS12_LEGACY)] {
            let file = der(file);
            assert_eq!(read(&file, Some(PASSPHRASE)), Ok(1), "{name}");
            let kind = ClientCertificateRejected;
            assert_refused(
                name,
                read(&file, Some("sesame")),
                kind,
                "pass phrase of the PKCS #12 file is wrong",
            );
            assert_refused(name, read(&file, None), kind, "there is no pass phrase");
        }
    }

    #[test]
    fn the_certificates_lead_from_the_keys_own_to_the_root() {
        let identity = Identity::from_pkcs12(der(PKCS12_CHAIN), Some(PASSPHRASE)).unwrap();
        let bob_is_left_out = identity.certificates().len();
        assert_eq!(bob_is_left_out, 2);
    }

    #[test]
    fn a_file_that_lacks_something_says_what() {
        for (name, file, message) in [
            ("empty", Vec::new(), "is broken"),
            ("cut off", der(PKCS12)[..500].to_vec(), "is broken"),
            ("no certificate", der(PKCS12_KEY_ALONE), "no certificate"),
            ("no key", der(PKCS12_CERTIFICATE_ALONE), "no private key"),
        ] {
            assert_refused(name, read(&file, None), ClientCertificateRejected, message);
        }
    }
}
