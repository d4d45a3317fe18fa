use std::time::{Duration, SystemTime};

use crate::error::ErrorKind::ServerCertificateUntrusted;
use crate::testing::Authority;
use crate::trust::{Certificate, CertificateDetails, DistinguishedName, SubjectName};

// openssl req -x509 -utf8 -multivalue-rdn -days 36500 -set_serial 0x80ff01 with the names below,
// basicConstraints = CA:TRUE, and a key of P-256.
const CERTIFICATE: &str = "\
-----BEGIN CERTIFICATE-----
MIICwjCCAmegAwIBAgIEAID/ATAKBggqhkjOPQQDAjCBkzELMAkGA1UEBhMCREUx
HjAcBgNVBAoMFcOEcmdlciwgU8O2aG5lICsgIkNvIjESMBAGA1UECwwJICMxOzx4
PlwgMQswCQYDVQQLDAIjMjElMBAGA1UEAwwJc2hvcC50ZXN0MBEGCgmSJomT8ixk
AQEMA2FubjEcMBoGCSqGSIb3DQEJARYNYW5uQHNob3AudGVzdDAgFw0yNjExMjIy
MjQxMjlaGA8yMTI2MTAyOTIyNDEyOVowgZMxCzAJBgNVBAYTAkRFMR4wHAYDVQQK
DBXDhHJnZXIsIFPDtmhuZSArICJDbyIxEjAQBgNVBAsMCSAjMTs8eD5cIDELMAkG
A1UECwwCIzIxJTAQBgNVBAMMCXNob3AudGVzdDARBgoJkiaJk/IsZAEBDANhbm4x
HDAaBgkqhkiG9w0BCQEWDWFubkBzaG9wLnRlc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAATVcSMlDUSDo/gWa4u1JC8OfKsv7BDa83GevuqEhYvzhUS4QNDO/yrb
ig+Zdk8ca2EttteM34PeeRbFd1NpDxVqo4GkMIGhMBIGA1UdEwEB/wQIMAYBAf8C
AQEwbAYDVR0RBGUwY4IJc2hvcC50ZXN0ggsqLnNob3AudGVzdIcEwAACB4cQIAEN
uAAAAAAAAAAAAAAAB4ENYW5uQHNob3AudGVzdIYSaHR0cHM6Ly9zaG9wLnRlc3Qv
oAoGAyoDBKADDAF4iAIqAzAdBgNVHQ4EFgQUcVOuw+c0duCTn16we7j8ZAOwEeow
CgYIKoZIzj0EAwIDSQAwRgIhAMLsVhYrqHnx6UKa3utb+vTDuw4i0NzMHPhgViXA
LKVuAiEA7BaDNN+ULjGtchLbTjFP2LzawO1q0d9mOGnfXEz19ZU=
-----END CERTIFICATE-----
";

fn certificate() -> Certificate {
    Certificate::from_pem(CERTIFICATE).unwrap().remove(0)
}

fn since_1970(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The element of this tag; up to 127 bytes.
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    [&[tag, u8::try_from(content.len()).unwrap()], content].concat()
}

/// A name of one attribute, whose type is `2.5.4.` and a number.
fn name(attribute: u8, value_tag: u8, value: &[u8]) -> DistinguishedName {
    let pair = [element(0x06, &[0x55, 0x04, attribute]), element(value_tag, value)].concat();
    DistinguishedName::from_der(element(0x30, &element(0x31, &element(0x30, &pair))))
}

#[test]
fn what_openssl_shows_of_a_certificate_is_read() {
    let details = certificate().details().unwrap();
    assert_eq!(
        details.subject().to_string(),
        "emailAddress=ann@shop.test,CN=shop.test+UID=ann,OU=\\#2,OU=\\ #1\\;\\<x\\>\\\\\\ ,\
         O=Ärger\\, Söhne \\+ \\\"Co\\\",C=DE"
    );
    assert_eq!(details.issuer(), details.subject());
    assert_eq!(details.not_before(), since_1970(1_795_387_289));
    assert_eq!(details.not_after(), since_1970(4_948_987_289));
    assert_eq!(details.serial_number(), [0x00, 0x80, 0xff, 0x01]);
    assert!(details.is_authority());
    let dns = |name: &str| SubjectName::Dns(name.into());
    assert_eq!(
        details.subject_alternative_names(),
        [
            dns("shop.test"),
            dns("*.shop.test"),
            SubjectName::Ip([192, 0, 2, 7].into()),
            SubjectName::Ip("2001:db8::7".parse().unwrap()),
            SubjectName::Email("ann@shop.test".into()),
            SubjectName::Uri("https://shop.test/".into()),
            SubjectName::Other,
            SubjectName::Other,
        ]
    );
}

#[test]
fn fingerprints_are_those_of_openssl() {
    let certificate = certificate();
    let expected = "f9fb064617c2b69ca5b7aad53d2dd072806f28cb06fcf8f1407b35ff27abe014";
    assert_eq!(hex(&certificate.fingerprint()), expected);
    let expected = "29ebe67998783a63d3810b861274458f41d41b269fbb4ed662fbcebf09633615";
    assert_eq!(hex(&certificate.public_key_fingerprint().unwrap()), expected);
}

#[test]
fn certificates_of_the_test_authority_can_be_read() {
    let authority = Authority::new();
    let details = |der: &[u8]| Certificate::from_der(der).details().unwrap();
    let root = details(authority.certificate_der());
    let leaf = details(authority.identity(&["a.test", "127.0.0.1"]).certificate_der());
    assert!(root.is_authority() && !leaf.is_authority());
    assert_eq!(leaf.issuer(), root.subject());
    assert_eq!(leaf.subject().to_string(), "CN=a.test");
    let names = [SubjectName::Dns("a.test".into()), SubjectName::Ip([127, 0, 0, 1].into())];
    assert_eq!(leaf.subject_alternative_names(), names);
}

/// Uses all that could go wrong.
fn read_all(der: &[u8]) -> bool {
    let certificate = Certificate::from_der(der);
    let details: Result<CertificateDetails, _> = certificate.details();
    if let Err(error) = &details {
        assert_eq!(error.kind(), ServerCertificateUntrusted);
    }
    details.is_ok_and(|details| !format!("{details:?} {}", details.subject()).is_empty())
}

#[test]
fn a_certificate_that_is_cut_or_altered_is_an_error_or_something_else_but_no_panic() {
    let whole = certificate().as_der().to_vec();
    assert!(read_all(&whole));
    for length in 0..whole.len() {
        assert!(!read_all(&whole[..length]), "cut after {length}");
    }
    let mut still_read = 0;
    for bit in 0..whole.len() * 8 {
        let mut altered = whole.clone();
        altered[bit / 8] ^= 1 << (bit % 8);
        still_read += usize::from(read_all(&altered));
    }
    // Bits of keys, signatures and texts, not those of tags and lengths.
    assert!(still_read > whole.len() && still_read < whole.len() * 8, "{still_read}");
    assert!(!read_all(&[whole, vec![0]].concat()), "something behind it");
}

#[test]
fn the_public_key_is_found_whatever_else_stands_there() {
    let certificate = certificate();
    let expected = certificate.details().unwrap().public_key_info().to_vec();
    let der = certificate.as_der();
    let found = |der: &[u8]| super::public_key_info(der).map(|key| key.into_owned());
    assert_eq!(found(der).as_ref(), Some(&expected));
    // In BER: a length that is longer than it need be, and one that is given by an end.
    let long = [&[0x30, 0x84, 0, 0], &der[2..]].concat();
    let ended = [&[0x30, 0x80], &der[4..], &[0, 0]].concat();
    assert!(certificate_of(&long).details().is_err() && certificate_of(&ended).details().is_err());
    assert_eq!((found(&long), found(&ended)), (Some(expected.clone()), Some(expected.clone())));
    // Dates and extensions that nobody can read.
    let mut odd = der.to_vec();
    let at = odd.windows(13).position(|bytes| bytes == b"261122224129Z").unwrap();
    odd[at] = b'x';
    assert!(certificate_of(&odd).details().is_err());
    assert_eq!(found(&odd), Some(expected));
    for length in 0..der.len() {
        assert_eq!(found(&der[..length]), None);
    }
}

fn certificate_of(der: &[u8]) -> Certificate {
    Certificate::from_der(der)
}

#[test]
fn a_name_is_written_as_rfc_4514_writes_it() {
    for (name, expected) in [
        (name(3, 0x0c, b"Lu\xc4\x8di\xc4\x87"), "CN=Lučić"), // of RFC 4514 §4
        (name(10, 0x13, b"Sue, Grabbit and Runn"), "O=Sue\\, Grabbit and Runn"),
        (name(3, 0x0c, b"Before\rAfter"), "CN=Before\\0dAfter"),
        (name(3, 0x0c, "a\u{85}".as_bytes()), "CN=a\\c2\\85"),
        (name(3, 0x14, b"J\xfcrgen"), "CN=Jürgen"),
        (name(3, 0x1e, b"\x00J\x20\xac"), "CN=J€"),
        (name(6, 0x16, b" "), "C=\\ "),
        (name(3, 0x0c, b""), "CN="),
        (name(99, 0x0c, b"x"), "2.5.4.99=#0c0178"),
        (name(3, 0x04, b"x"), "CN=#040178"),
        (name(3, 0x0c, b"\xff"), "CN=#0c01ff"),
        (name(3, 0x1e, b"odd"), "CN=#1e036f6464"),
        (name(3, 0x1e, b"\xd8\x00"), "CN=#1e02d800"),
        (DistinguishedName::from_der([0x30, 0]), ""),
        (DistinguishedName::from_der([]), "#"),
        (DistinguishedName::from_der([0x30, 0, 0]), "#300000"),
        (DistinguishedName::from_der([0x30, 2, 0x31]), "#300231"),
    ] {
        assert_eq!(name.to_string(), expected);
    }
}

/// A certificate that is nothing but its dates.
fn valid_between(from: &[u8], to: &[u8]) -> Certificate {
    let dates = [from, to].map(|date| element(if date.len() > 13 { 0x18 } else { 0x17 }, date));
    let empty = || element(0x30, b"");
    let (serial, dates) = (element(0x02, &[1]), element(0x30, &dates.concat()));
    let body = element(0x30, &[serial, empty(), empty(), dates, empty(), empty()].concat());
    Certificate::from_der(element(0x30, &[body, empty(), element(0x03, &[0])].concat()))
}

#[test]
fn dates_are_read_in_both_forms_and_in_every_year() {
    let epoch = SystemTime::UNIX_EPOCH;
    for (text, expected) in [
        ("700101000000Z", since_1970(0)),
        ("491231235959Z", since_1970(2_524_607_999)),
        ("500101000000Z", epoch - Duration::from_secs(631_152_000)),
        ("20000229120000Z", since_1970(951_825_600)),
        ("20500101000000Z", since_1970(2_524_608_000)),
        ("99991231235959Z", since_1970(253_402_300_799)),
        #[cfg(not(windows))]
        ("00000101000000Z", epoch - Duration::from_secs(62_167_219_200)),
        // The time of Windows begins in this year, and so do certificates that it can date.
        ("16010101000000Z", epoch - Duration::from_secs(11_644_473_600)),
    ] {
        let found = valid_between(text.as_bytes(), b"20500101000000Z").details();
        assert_eq!(found.unwrap().not_before(), expected, "{text}");
    }
    for text in [
        "",
        "Z",
        "7001010000Z",
        "700101000000",
        "700101000000+0000",
        "70010100000xZ",
        "700001000000Z",
        "701301000000Z",
        "700100000000Z",
        "700132000000Z",
        "700101240000Z",
        "700101006000Z",
        "700101000060Z",
        "19700101000000.5Z",
    ] {
        let found = valid_between(text.as_bytes(), b"20500101000000Z").details();
        assert_eq!(found.unwrap_err().kind(), ServerCertificateUntrusted, "{text}");
    }
}
