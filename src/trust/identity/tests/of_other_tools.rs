//! Identities and certificates as other tools write them.

use super::{assert_refused, read};
use crate::error::ErrorKind::{ClientCertificateRejected, NotSupported};
use crate::trust::{Certificate, Identity};

macro_rules! fixture {
    ($name:literal) => {
        &include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/", $name))[..]
    };
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// How many certificates are read, and whom the first is about; or what the error says.
fn certificates(pem: &[u8]) -> Result<(usize, String), String> {
    let all = Certificate::from_pem(pem).map_err(|error| error.to_string())?;
    Ok((all.len(), all[0].details().unwrap().subject().to_string()))
}

#[test]
fn certificates_are_read_in_whatever_they_are_wrapped() {
    let root = text(fixture!("trust/sha1-root.pem"));
    let bom = "\u{feff}";
    let utf16 = |big: bool| {
        let units = format!("{bom}{root}");
        let bytes = |unit: u16| if big { unit.to_be_bytes() } else { unit.to_le_bytes() };
        units.encode_utf16().flat_map(bytes).collect::<Vec<u8>>()
    };
    let indented: String = root.lines().map(|line| format!("    {line}\n")).collect();
    let one_line =
        root.replace('\n', "").replace("-----M", "-----\nM").replace("=-----", "=\n-----");
    let headers = root.replace("CERTIFICATE-----\nMII", "CERTIFICATE-----\nSubject: CN=x\n\nMII");
    let old = root.replace("CERTIFICATE", "X509 CERTIFICATE");
    let other = text(fixture!("trust/p521-root.pem"));
    let sha1 = "CN=root of RSA";
    for (name, pem, count, first) in [
        ("bom", fixture!("identities/bom-ca.pem").to_vec(), 1, None),
        ("old label", fixture!("identities/x509-label-ca.pem").to_vec(), 1, None),
        ("trusted", fixture!("identities/trusted.pem").to_vec(), 1, Some(sha1)),
        ("for servers", fixture!("identities/trusted-for-servers.pem").to_vec(), 1, Some(sha1)),
        ("UTF-16 of Windows", utf16(false), 1, Some(sha1)),
        ("UTF-16, big end first", utf16(true), 1, Some(sha1)),
        ("a bundle with a bom", format!("{bom}{root}{other}").into(), 2, Some(sha1)),
        ("boms between", format!("{bom}{root}{bom}{other}").into(), 2, Some(sha1)),
        ("all labels", format!("{old}{root}{other}").into(), 3, Some(sha1)),
        ("words around", format!("# mine\n{root}\nand\n\n{other}# end").into(), 2, Some(sha1)),
        ("indented", indented.into(), 1, Some(sha1)),
        ("lines of Windows", root.replace('\n', "\r\n").into(), 1, Some(sha1)),
        ("lines of old", root.replace('\n', "\r").into(), 1, Some(sha1)),
        ("spaces at the ends", root.replace('\n', " \t\n").into(), 1, Some(sha1)),
        ("no line end behind it", root.trim_end().into(), 1, Some(sha1)),
        ("one line", one_line.into(), 1, Some(sha1)),
        ("headers", headers.into(), 1, Some(sha1)),
        ("bytes of no text around", [b"\xff\xe4\n", root.as_bytes()].concat(), 1, Some(sha1)),
        (
            "a key beside it",
            [root.as_bytes(), fixture!("trust/leaf-key.pem")].concat(),
            1,
            Some(sha1),
        ),
    ] {
        let (found, subject) = certificates(&pem).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(found, count, "{name}");
        assert!(first.is_none_or(|first| first == subject), "{name}: {subject}");
    }
}

#[test]
fn what_is_not_read_is_named() {
    let root = text(fixture!("trust/sha1-root.pem"));
    let cut = &root[..root.len() - 30];
    let der = Certificate::from_pem(&root).unwrap().remove(0).as_der().to_vec();
    for (pem, said) in [
        (cut.into(), "the section `CERTIFICATE` has no end"),
        (format!("{cut}\n{root}").into(), "the section `CERTIFICATE` has no end"),
        ("-----BEGIN CERTIFICATE".into(), "the section `CERTIFICATE` has no end"),
        (format!("{root}{}", root.replace("MII", "M*I")).into(), "section 2 is broken"),
        (fixture!("identities/rejected.pem").to_vec(), "contains no certificate"),
        (fixture!("identities/trusted-for-clients.pem").to_vec(), "contains no certificate"),
        (fixture!("trust/leaf-key.pem").to_vec(), "contains no certificate"),
        (der, "looks like DER"),
        (Vec::new(), "contains no certificate"),
    ] {
        let error = certificates(&pem).unwrap_err();
        assert!(error.contains(said), "{said}: {error}");
    }
}

#[test]
fn a_key_without_its_public_part_takes_it_from_its_certificate() {
    let leaf = text(fixture!("trust/sha512-leaf.pem"));
    let other = text(fixture!("trust/sha512-root.pem"));
    let sec1 = text(fixture!("identities/ec-sec1-leaf.pem"));
    let pkcs8 = text(fixture!("identities/ec-pkcs8-leaf.pem"));
    let case = text(fixture!("identities/ec-sec1-without-public.pem"));
    for (name, pem, count) in [
        ("the case", case.clone(), 1),
        ("SEC 1", format!("{leaf}{sec1}"), 1),
        ("key first", format!("{sec1}{leaf}{other}"), 2),
        ("PKCS #8", format!("{leaf}{pkcs8}"), 1),
        ("with a bom", format!("\u{feff}{leaf}{pkcs8}"), 1),
        ("an old label", format!("{}{sec1}", leaf.replace("CERTIFICATE", "X509 CERTIFICATE")), 1),
    ] {
        assert_eq!(read(&pem, None), Ok(count), "{name}");
    }
    let rsa = text(fixture!("trust/sha1-root.pem"));
    for (pem, said) in [
        (format!("{other}{sec1}"), "no public part, and none of the certificates is that"),
        (format!("{rsa}{pkcs8}"), "no public part, and none of the certificates is that"),
        (format!("{other}{leaf}{sec1}"), "not that of the first certificate"),
    ] {
        assert_refused(said, read(&pem, None), ClientCertificateRejected, said);
    }
    let identity = Identity::from_pem(case, None).unwrap();
    let key = &identity.certified_key().key;
    let public = key.public_key().unwrap();
    let own = identity.certificates()[0].details().unwrap();
    assert_eq!(public.as_ref(), own.public_key_info());
    assert!(key.choose_scheme(&[rustls::SignatureScheme::ECDSA_NISTP256_SHA256]).is_some());
}

#[test]
fn a_key_on_a_curve_that_is_not_supported_names_the_curve() {
    let leaf = text(fixture!("trust/sha512-leaf.pem"));
    let p521 = text(fixture!("identities/p521-key.pem"));
    let found = read(&format!("{leaf}{p521}"), None);
    assert_refused("P-521", found, NotSupported, "the curve P-521, which is not supported");
}

#[cfg(feature = "pkcs12")]
mod pkcs12 {
    use super::*;

    /// How many certificates come with the key.
    fn read(file: &[u8], passphrase: Option<&str>) -> Result<usize, (crate::ErrorKind, String)> {
        let read = Identity::from_pkcs12(file, passphrase);
        read.map(|identity| identity.certificates().len())
            .map_err(|error| (error.kind(), error.to_string()))
    }

    #[test]
    fn files_of_every_tool_open_with_their_pass_phrase_alone() {
        let wrong = "the pass phrase of the PKCS #12 file is wrong";
        for (name, file, passphrase, count) in [
            ("NSS, in BER", fixture!("identities/nss-ber.p12"), "pw", 2),
            ("MAC by SHA-512", fixture!("identities/mac-sha512.p12"), "sesame", 2),
            ("MAC by SHA-1, AES", fixture!("identities/mac-sha1-aes128.p12"), "sesame", 2),
            ("no MAC", fixture!("identities/no-mac.p12"), "sesame", 2),
            ("old ciphers", fixture!("identities/des2-rc2-128.p12"), "sesame", 2),
            ("plain certificates", fixture!("identities/plain-certificates.p12"), "sesame", 2),
            ("not ASCII", fixture!("identities/unicode.p12"), "s\u{e9}same\u{20ac}", 2),
            ("an empty one", fixture!("identities/empty.p12"), "", 2),
            ("an empty one, no MAC", fixture!("identities/empty-no-mac.p12"), "", 2),
        ] {
            assert_eq!(read(file, Some(passphrase)), Ok(count), "{name}");
            let other = read(file, Some("another"));
            assert_refused(name, other, ClientCertificateRejected, wrong);
            if passphrase.is_empty() {
                assert_eq!(read(file, None), Ok(count), "{name}");
            } else {
                let none = read(file, None);
                assert_refused(name, none, ClientCertificateRejected, "there is no pass phrase");
            }
        }
        let plain = fixture!("identities/all-plain.p12");
        assert_eq!(read(plain, None), Ok(2));
        assert_eq!(read(plain, Some("not needed")), Ok(2));
    }

    #[test]
    fn a_cipher_that_is_not_supported_is_named() {
        let found = read(fixture!("identities/rc4.p12"), Some("sesame"));
        assert_refused("RC4", found, NotSupported, "1.2.840.113549.1.12.1.1");
    }

    #[test]
    fn a_cut_or_altered_file_never_panics() {
        // Opening takes time, on purpose: of what is encrypted, fewer are tried.
        for (file, step) in
            [(fixture!("identities/all-plain.p12"), 1), (fixture!("identities/no-mac.p12"), 17)]
        {
            for length in (0..file.len()).step_by(step) {
                assert!(read(&file[..length], Some("sesame")).is_err(), "cut after {length}");
                let mut altered = file.to_vec();
                altered[length] ^= 1 << (length % 8);
                let _ = read(&altered, Some("sesame"));
            }
        }
    }
}
