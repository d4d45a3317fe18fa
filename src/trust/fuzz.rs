//! What always holds of certificates and identities.

use rustls::SignatureScheme;
use rustls::pki_types::{CertificateDer, UnixTime};

use super::evaluation::{Measure, evaluate};
use super::policy::server_name;
use super::roots::Trusted;
use super::{Certificate, Identity, Signature, ber, pem as text, verify};

/// A certificate can be looked at in every way, and one that is named is not worse off.
pub fn certificate(data: &[u8]) {
    let certificate = Certificate::from_der(data);
    if let Ok(details) = certificate.details() {
        let names = details.subject_alternative_names().iter().map(ToString::to_string);
        let shown: Vec<_> = names.chain([details.subject().to_string()]).collect();
        let is_control = |char: char| char.is_control();
        assert!(!shown.iter().any(|name| name.contains(is_control)), "{shown:?}");
    }
    let _ = certificate.public_key_fingerprint();
    let signature = Signature {
        scheme: SignatureScheme::ECDSA_NISTP256_SHA256,
        message: data,
        bytes: data,
        is_tls13: true,
    };
    assert!(verify(data, &signature).is_err());
    let named = Trusted::of(std::slice::from_ref(&certificate), "roots").unwrap_or_default();
    let Ok(host) = server_name("localhost") else { return };
    let chain = [CertificateDer::from(data), CertificateDer::from(data)];
    let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(1_800_000_000));
    for trusted in [&named, &Trusted::default()] {
        let measure = Measure { host: &host, trusted, pins: &[], now };
        if let Err(error) = evaluate(&chain, &measure) {
            assert!(!error.to_string().contains(|char: char| char.is_control()), "{error}");
        }
    }
}

/// DER stays what it is, and text is read or refused.
pub fn pem(data: &[u8]) {
    if let Some(der) = ber::to_der(data) {
        assert_eq!(ber::to_der(&der), Some(der));
    }
    assert!(ber::length_of_first(data) <= data.len());
    let _ = text::certificates(data);
    let _ = Certificate::from_pem(data);
    let _ = Identity::from_pem(data, Some("sesame"));
}

/// A file is opened or refused.
#[cfg(feature = "pkcs12")]
pub fn pkcs12(data: &[u8]) {
    let _ = Identity::from_pkcs12(data, Some("sesame"));
    let _ = Identity::from_pkcs12(data, None);
}
