//! The signature of a handshake: whether whoever shows a certificate has its key.

use rustls::SignatureScheme;

use super::algorithm_names::KeyKind;
use super::algorithms::{of_scheme, verifies};
use super::refusal::{summary, untrusted};
use super::x509;
use crate::error::Error;

/// What was signed in a handshake.
#[derive(Debug)]
pub(crate) struct Signature<'a> {
    pub(crate) scheme: SignatureScheme,
    pub(crate) message: &'a [u8],
    pub(crate) bytes: &'a [u8],
    pub(crate) is_tls13: bool,
}

/// Verifies a handshake's signature with the key of the server's certificate.
///
/// Of the certificate nothing else is looked at: whether it is to be believed is decided by its
/// evaluation, or by somebody who has accepted what cannot be evaluated.
///
/// # Errors
///
/// [`ErrorKind::ServerCertificateUntrusted`](crate::ErrorKind::ServerCertificateUntrusted).
pub(crate) fn verify(certificate: &[u8], signature: &Signature<'_>) -> Result<(), Error> {
    let refused = |why: String| {
        untrusted(format!("the server's certificate ({}) {why}", summary(certificate)))
    };
    let Some(key) = x509::public_key_info(certificate) else {
        return Err(refused("is broken: no public key can be found in it".to_owned()));
    };
    let algorithms = of_scheme(signature.scheme, signature.is_tls13);
    if verifies(algorithms, &key, signature.message, signature.bytes) {
        return Ok(());
    }
    Err(refused(match KeyKind::of(&key) {
        Ok(kind) if !kind.is_supported() => format!(
            "has a key of {kind}, which is not accepted; RSA of 2048 to 8192 bits, the curves \
             P-256 and P-384, and Ed25519 are"
        ),
        _ => "is not the server's own: it has not shown that it has the key".to_owned(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::Certificate;

    fn certificate(pem: &str) -> Vec<u8> {
        Certificate::from_pem(pem).unwrap().remove(0).as_der().to_vec()
    }

    fn verified(pem: &str, scheme: u16, bytes: &[u8], is_tls13: bool) -> Result<(), String> {
        let scheme = SignatureScheme::from(scheme);
        let signature = Signature { scheme, message: b"a handshake", bytes, is_tls13 };
        verify(&certificate(pem), &signature).map_err(|error| error.to_string())
    }

    #[test]
    fn keys_that_are_for_pss_alone_sign_in_tls_1_3_by_schemes_of_their_own() {
        let pss = include_str!("../../tests/fixtures/trust/pss.pem");
        let signatures: [(u16, &[u8]); 3] = [
            (0x0809, include_bytes!("../../tests/fixtures/trust/pss-sha256.sig")),
            (0x080a, include_bytes!("../../tests/fixtures/trust/pss-sha384.sig")),
            (0x080b, include_bytes!("../../tests/fixtures/trust/pss-sha512.sig")),
        ];
        for (at, (scheme, bytes)) in signatures.into_iter().enumerate() {
            assert_eq!(verified(pss, scheme, bytes, true), Ok(()), "{scheme:04x}");
            assert!(crate::trust::schemes().contains(&scheme.into()));
            // rustls does not know them in TLS 1.2; the other schemes are for keys of all RSA.
            assert!(verified(pss, scheme, bytes, false).is_err());
            assert!(verified(pss, scheme - 5, bytes, true).is_err());
            assert!(verified(pss, scheme, signatures[(at + 1) % 3].1, true).is_err());
        }
    }

    #[test]
    fn a_key_that_is_of_no_use_is_told_from_one_that_is_not_there() {
        let rsa1024 = include_str!("../../tests/fixtures/trust/rsa1024-root.pem");
        let p521 = include_str!("../../tests/fixtures/trust/p521-root.pem");
        let v1 = include_str!("../../tests/fixtures/trust/v1.pem");
        for (pem, text) in [
            (rsa1024, "(CN=root of RSA 1024) has a key of RSA of 1024 bits, which is not accepted"),
            (p521, "(CN=root of P-521) has a key of the curve P-521, which is not accepted"),
            (v1, "(CN=localhost) is not the server's own: it has not shown that it has the key"),
        ] {
            for scheme in [0x0403, 0x0603, 0x0804, 0x0000] {
                let said = verified(pem, scheme, b"signed", true).unwrap_err();
                assert!(said.contains(text), "{said}");
            }
        }
        let signature = Signature {
            scheme: SignatureScheme::ED25519,
            message: b"",
            bytes: b"",
            is_tls13: true,
        };
        let said = verify(b"no certificate", &signature).unwrap_err().to_string();
        assert!(said.contains("no public key can be found"), "{said}");
    }
}
