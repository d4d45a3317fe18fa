//! A certificate authority made on the spot.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PublicKeyData,
};
use ring::digest::{SHA256, digest};

use super::identity::{Identity, IdentityBuilder};
use super::pem;

/// A certificate authority, made now and for this test only.
///
/// Cloning is cheap and means the same authority.
///
/// ```
/// use urlsession::testing::{Authority, Server};
///
/// let authority = Authority::new();
/// let server = Server::start_tls(&authority.identity(&["localhost", "127.0.0.1"]));
/// assert!(server.url("/").starts_with("https://127.0.0.1:"));
/// assert!(authority.certificate_pem().starts_with("-----BEGIN CERTIFICATE-----\n"));
/// ```
#[derive(Clone)]
pub struct Authority(Arc<Parts>);

struct Parts {
    name: String,
    issuer: Issuer<'static, KeyPair>,
    certificate: Vec<u8>,
    /// The certificates between this authority and the root, this one's own first; empty for a
    /// root.
    below_root: Vec<Vec<u8>>,
    root: Vec<u8>,
}

impl Authority {
    /// Makes a root authority.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "each one is different")]
    pub fn new() -> Self {
        let (params, key) = authority_params("root");
        let certificate = made(params.self_signed(&key)).der().to_vec();
        Self(Arc::new(Parts {
            name: name_of(&params),
            issuer: Issuer::new(params, key),
            certificate: certificate.clone(),
            below_root: Vec::new(),
            root: certificate,
        }))
    }

    /// Makes an authority whose certificate is signed by this one.
    ///
    /// Its identities bring the chain up to the root's next along, unless their builder says
    /// otherwise.
    #[must_use]
    pub fn intermediate(&self) -> Self {
        let (params, key) = authority_params("intermediate");
        let certificate = made(params.signed_by(&key, &self.0.issuer)).der().to_vec();
        let mut below_root = vec![certificate.clone()];
        below_root.extend_from_slice(&self.0.below_root);
        Self(Arc::new(Parts {
            name: name_of(&params),
            issuer: Issuer::new(params, key),
            certificate,
            below_root,
            root: self.0.root.clone(),
        }))
    }

    /// Makes an identity for these names: DNS names, wildcards, IP addresses.
    ///
    /// # Panics
    ///
    /// If one of them cannot stand in a certificate.
    #[must_use]
    pub fn identity(&self, names: &[&str]) -> Identity {
        self.identity_builder(names).build()
    }

    /// Begins an identity with something special about it.
    pub fn identity_builder(&self, names: &[&str]) -> IdentityBuilder {
        IdentityBuilder::new(Some(self.clone()), names)
    }

    /// The authority's own certificate, as DER.
    pub fn certificate_der(&self) -> &[u8] {
        &self.0.certificate
    }

    /// The authority's own certificate, as PEM.
    pub fn certificate_pem(&self) -> String {
        pem::encode("CERTIFICATE", self.certificate_der())
    }

    /// The SHA-256 hash of its public key, by which
    /// [`PublicKeyPins`](crate::PublicKeyPins) name it.
    pub fn public_key_hash(&self) -> [u8; 32] {
        sha256(&self.0.issuer.key().subject_public_key_info())
    }

    pub(super) fn issuer(&self) -> &Issuer<'static, KeyPair> {
        &self.0.issuer
    }

    pub(super) fn below_root(&self) -> &[Vec<u8>] {
        &self.0.below_root
    }

    pub(super) fn root(&self) -> &[u8] {
        &self.0.root
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").field("name", &self.0.name).finish_non_exhaustive()
    }
}

fn authority_params(kind: &str) -> (CertificateParams, KeyPair) {
    /// Two authorities of one name would be mistaken for each other by their clients.
    static NUMBER: AtomicU64 = AtomicU64::new(1);
    let mut params = CertificateParams::default();
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("test {kind} {number} of process {}", std::process::id());
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.use_authority_key_identifier_extension = true;
    (params, made(KeyPair::generate()))
}

/// Hashes what a pin names.
fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, bytes).as_ref());
    hash
}

fn name_of(params: &CertificateParams) -> String {
    match params.distinguished_name.get(&DnType::CommonName) {
        Some(rcgen::DnValue::Utf8String(name)) => name.clone(),
        _ => String::new(),
    }
}

/// Certificates are made from a test's own words; it fails if they make no sense.
pub(super) fn made<T>(result: Result<T, rcgen::Error>) -> T {
    result.unwrap_or_else(|error| panic!("the certificate cannot be made: {error}"))
}
