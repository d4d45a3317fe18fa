//! The algorithms of signatures that can be verified.
//!
//! They are all that ring verifies but its legacy ones, which are those with SHA-1 and of RSA
//! keys that are shorter than 2048 bits. ring knows the curves P-256 and P-384, each with SHA-256
//! and SHA-384; not P-521, and no ECDSA with SHA-512.

use ring::signature::{
    RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RsaParameters,
    UnparsedPublicKey,
};
use rustls::SignatureScheme;
use rustls::pki_types::{
    AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm, SubjectPublicKeyInfoDer,
    alg_id,
};
use webpki::{RawPublicKeyEntity, ring as known};

pub(super) type Algorithm = &'static dyn SignatureVerificationAlgorithm;

/// RSASSA-PSS without parameters (RFC 4055 §3.1), as a kind of keys.
const RSA_PSS: AlgorithmIdentifier = AlgorithmIdentifier::from_slice(&[
    0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a,
]);

/// RSASSA-PSS with a key that is for it alone; webpki knows keys that are for all of RSA.
#[derive(Debug)]
struct PssKey {
    key: AlgorithmIdentifier,
    signature: AlgorithmIdentifier,
    parameters: &'static RsaParameters,
}

impl SignatureVerificationAlgorithm for PssKey {
    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.key
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.signature
    }

    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        UnparsedPublicKey::new(self.parameters, public_key)
            .verify(message, signature)
            .map_err(|_| InvalidSignature)
    }
}

/// One for any hash, and one for this hash alone.
const fn pss_keys(
    signature: AlgorithmIdentifier,
    parameters: &'static RsaParameters,
) -> [PssKey; 2] {
    [
        PssKey { key: RSA_PSS, signature, parameters },
        PssKey { key: signature, signature, parameters },
    ]
}

static PSS_SHA256: [PssKey; 2] = pss_keys(alg_id::RSA_PSS_SHA256, &RSA_PSS_2048_8192_SHA256);
static PSS_SHA384: [PssKey; 2] = pss_keys(alg_id::RSA_PSS_SHA384, &RSA_PSS_2048_8192_SHA384);
static PSS_SHA512: [PssKey; 2] = pss_keys(alg_id::RSA_PSS_SHA512, &RSA_PSS_2048_8192_SHA512);

/// What the signatures of certificates are verified by.
pub(super) static ALL: &[Algorithm] = &[
    known::ECDSA_P256_SHA256,
    known::ECDSA_P256_SHA384,
    known::ECDSA_P384_SHA256,
    known::ECDSA_P384_SHA384,
    known::ED25519,
    known::RSA_PKCS1_2048_8192_SHA256,
    known::RSA_PKCS1_2048_8192_SHA384,
    known::RSA_PKCS1_2048_8192_SHA512,
    known::RSA_PKCS1_2048_8192_SHA256_ABSENT_PARAMS,
    known::RSA_PKCS1_2048_8192_SHA384_ABSENT_PARAMS,
    known::RSA_PKCS1_2048_8192_SHA512_ABSENT_PARAMS,
    known::RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
    known::RSA_PSS_2048_8192_SHA384_LEGACY_KEY,
    known::RSA_PSS_2048_8192_SHA512_LEGACY_KEY,
    &PSS_SHA256[0],
    &PSS_SHA256[1],
    &PSS_SHA384[0],
    &PSS_SHA384[1],
    &PSS_SHA512[0],
    &PSS_SHA512[1],
];

/// A scheme in which a handshake may be signed (RFC 8446 §4.2.3).
struct Scheme {
    name: SignatureScheme,
    /// What it means in TLS 1.3; nothing if it is not allowed there.
    tls13: &'static [Algorithm],
    /// What it means in TLS 1.2, where the curve is that of the key (RFC 8422 §5.1.1).
    tls12: &'static [Algorithm],
}

/// What is offered, the best first.
static SCHEMES: &[Scheme] = &[
    Scheme {
        name: SignatureScheme::ECDSA_NISTP384_SHA384,
        tls13: &[known::ECDSA_P384_SHA384],
        tls12: &[known::ECDSA_P384_SHA384, known::ECDSA_P256_SHA384],
    },
    Scheme {
        name: SignatureScheme::ECDSA_NISTP256_SHA256,
        tls13: &[known::ECDSA_P256_SHA256],
        tls12: &[known::ECDSA_P256_SHA256, known::ECDSA_P384_SHA256],
    },
    Scheme { name: SignatureScheme::ED25519, tls13: &[known::ED25519], tls12: &[known::ED25519] },
    Scheme {
        name: SignatureScheme::RSA_PSS_SHA512,
        tls13: &[known::RSA_PSS_2048_8192_SHA512_LEGACY_KEY],
        tls12: &[known::RSA_PSS_2048_8192_SHA512_LEGACY_KEY],
    },
    Scheme {
        name: SignatureScheme::RSA_PSS_SHA384,
        tls13: &[known::RSA_PSS_2048_8192_SHA384_LEGACY_KEY],
        tls12: &[known::RSA_PSS_2048_8192_SHA384_LEGACY_KEY],
    },
    Scheme {
        name: SignatureScheme::RSA_PSS_SHA256,
        tls13: &[known::RSA_PSS_2048_8192_SHA256_LEGACY_KEY],
        tls12: &[known::RSA_PSS_2048_8192_SHA256_LEGACY_KEY],
    },
    // rsa_pss_pss_sha512 and its sisters, whose names rustls does not know; it takes them in
    // TLS 1.3.
    Scheme {
        name: SignatureScheme::Unknown(0x080b),
        tls13: &[&PSS_SHA512[0], &PSS_SHA512[1]],
        tls12: &[],
    },
    Scheme {
        name: SignatureScheme::Unknown(0x080a),
        tls13: &[&PSS_SHA384[0], &PSS_SHA384[1]],
        tls12: &[],
    },
    Scheme {
        name: SignatureScheme::Unknown(0x0809),
        tls13: &[&PSS_SHA256[0], &PSS_SHA256[1]],
        tls12: &[],
    },
    Scheme {
        name: SignatureScheme::RSA_PKCS1_SHA512,
        tls13: &[],
        tls12: &[known::RSA_PKCS1_2048_8192_SHA512],
    },
    Scheme {
        name: SignatureScheme::RSA_PKCS1_SHA384,
        tls13: &[],
        tls12: &[known::RSA_PKCS1_2048_8192_SHA384],
    },
    Scheme {
        name: SignatureScheme::RSA_PKCS1_SHA256,
        tls13: &[],
        tls12: &[known::RSA_PKCS1_2048_8192_SHA256],
    },
];

/// Returns the schemes to offer, the best first.
pub(crate) fn schemes() -> Vec<SignatureScheme> {
    SCHEMES.iter().map(|scheme| scheme.name).collect()
}

/// Returns what a scheme may mean in a handshake; nothing if it may not be used there.
pub(super) fn of_scheme(name: SignatureScheme, is_tls13: bool) -> &'static [Algorithm] {
    let known = SCHEMES.iter().find(|scheme| scheme.name == name);
    known.map_or(&[], |scheme| if is_tls13 { scheme.tls13 } else { scheme.tls12 })
}

/// Whether one of the algorithms verifies the signature with the key, which is DER of
/// SubjectPublicKeyInfo.
pub(super) fn verifies(
    algorithms: &[Algorithm],
    key: &[u8],
    message: &[u8],
    signature: &[u8],
) -> bool {
    let key = SubjectPublicKeyInfoDer::from(key);
    let Ok(key) = RawPublicKeyEntity::try_from(&key) else { return false };
    let verifies = |one: &Algorithm| key.verify_signature(*one, message, signature).is_ok();
    algorithms.iter().any(verifies)
}
