//! Certificates with their keys, sound or broken in a chosen way.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};

use super::authority::{Authority, made};
use super::pem;
use crate::trust::Certificate;

/// A certificate, what it needs to be believed, and its key: what a TLS server shows, or a
/// client that is asked.
///
/// Cloning is cheap.
///
/// ```
/// use urlsession::testing::Authority;
///
/// let identity = Authority::new().identity(&["localhost"]);
/// assert_eq!(identity.chain_der().len(), 1);
/// assert!(identity.key_pem().starts_with("-----BEGIN PRIVATE KEY-----\n"));
/// ```
#[derive(Clone)]
pub struct Identity(Arc<Parts>);

struct Parts {
    names: Vec<String>,
    certificate: Vec<u8>,
    chain: Vec<Vec<u8>>,
    key: Vec<u8>,
}

impl Identity {
    /// Makes an identity that vouches for itself.
    ///
    /// # Panics
    ///
    /// If one of the names cannot stand in a certificate.
    #[must_use]
    pub fn self_signed(names: &[&str]) -> Self {
        Self::self_signed_builder(names).build()
    }

    /// Takes certificates that were made elsewhere, in the order in which they are shown, and the
    /// private key of the first one, as DER of PKCS #8.
    ///
    /// A server starts with them if it can use the key, whatever the certificates say.
    #[must_use]
    pub fn from_der(chain: &[&[u8]], key: &[u8]) -> Self {
        let chain: Vec<_> = chain.iter().map(|der| der.to_vec()).collect();
        Self(Arc::new(Parts {
            names: Vec::new(),
            certificate: chain.first().cloned().unwrap_or_default(),
            chain,
            key: key.to_vec(),
        }))
    }

    /// Begins an identity that vouches for itself, with something else special about it.
    pub fn self_signed_builder(names: &[&str]) -> IdentityBuilder {
        IdentityBuilder::new(None, names)
    }

    /// The names in its certificate.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.names.iter().map(String::as_str)
    }

    /// Its own certificate, as DER.
    pub fn certificate_der(&self) -> &[u8] {
        &self.0.certificate
    }

    /// The certificates that are shown, in the order in which they are shown, each as DER.
    pub fn chain_der(&self) -> &[Vec<u8>] {
        &self.0.chain
    }

    /// The certificates that are shown, as PEM.
    pub fn chain_pem(&self) -> String {
        self.0.chain.iter().map(|der| pem::encode("CERTIFICATE", der)).collect()
    }

    /// The SHA-256 hash of its public key, by which
    /// [`PublicKeyPins`](crate::PublicKeyPins) name it.
    ///
    /// # Panics
    ///
    /// If there is no key in its certificate that can be found.
    pub fn public_key_hash(&self) -> [u8; 32] {
        let hash = Certificate::from_der(self.certificate_der()).public_key_fingerprint();
        hash.unwrap_or_else(|error| panic!("the certificate has no public key: {error}"))
    }

    /// The private key, as DER of PKCS #8.
    pub fn key_der(&self) -> &[u8] {
        &self.0.key
    }

    /// The private key, as PEM of PKCS #8.
    pub fn key_pem(&self) -> String {
        pem::encode("PRIVATE KEY", &self.0.key)
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("names", &self.0.names)
            .field("chain_length", &self.0.chain.len())
            .finish_non_exhaustive()
    }
}

/// An [`Identity`] in the making.
///
/// ```
/// use urlsession::testing::Authority;
///
/// let authority = Authority::new();
/// let expired = authority.identity_builder(&["localhost"]).expired().build();
/// let intermediate = authority.intermediate();
/// let lacking = intermediate.identity_builder(&["localhost"]).without_intermediates().build();
/// assert_eq!(intermediate.identity(&["localhost"]).chain_der().len(), 2);
/// assert_eq!(lacking.chain_der().len(), 1);
/// # let _ = expired;
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct IdentityBuilder {
    authority: Option<Authority>,
    names: Vec<String>,
    validity: Validity,
    usages: Vec<ExtendedKeyUsagePurpose>,
    order: ChainOrder,
    shows_root: bool,
    also: Vec<Vec<u8>>,
}

/// When a certificate is valid.
#[derive(Clone, Copy, Debug)]
enum Validity {
    Always,
    Past,
    Future,
    Between(SystemTime, SystemTime),
}

/// How the certificates above the identity's own are shown.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum ChainOrder {
    Right,
    None,
    IntermediatesReversed,
    LeafLast,
}

impl IdentityBuilder {
    pub(super) fn new(authority: Option<Authority>, names: &[&str]) -> Self {
        Self {
            authority,
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            validity: Validity::Always,
            usages: vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth],
            order: ChainOrder::Right,
            shows_root: false,
            also: Vec::new(),
        }
    }

    /// Was valid in 2001 only.
    pub fn expired(mut self) -> Self {
        self.validity = Validity::Past;
        self
    }

    /// Becomes valid in the year 3000.
    pub fn not_yet_valid(mut self) -> Self {
        self.validity = Validity::Future;
        self
    }

    /// Is valid in this time only, whole seconds since 1970.
    pub fn valid_between(mut self, from: SystemTime, to: SystemTime) -> Self {
        self.validity = Validity::Between(from, to);
        self
    }

    /// May identify clients, and no servers.
    pub fn for_clients_only(mut self) -> Self {
        self.usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self
    }

    /// May identify servers, and no clients.
    pub fn for_servers_only(mut self) -> Self {
        self.usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self
    }

    /// Shows its own certificate alone, although there are intermediate ones.
    pub fn without_intermediates(mut self) -> Self {
        self.order = ChainOrder::None;
        self
    }

    /// Shows the intermediate certificates from the root down, which is the wrong order.
    pub fn with_intermediates_reversed(mut self) -> Self {
        self.order = ChainOrder::IntermediatesReversed;
        self
    }

    /// Shows its own certificate last instead of first.
    pub fn with_own_certificate_last(mut self) -> Self {
        self.order = ChainOrder::LeafLast;
        self
    }

    /// Shows the root's certificate too, which is needless but allowed.
    pub fn with_root(mut self) -> Self {
        self.shows_root = true;
        self
    }

    /// Shows this certificate too, given as DER, which has nothing to do with it.
    pub fn showing_also(mut self, certificate: &[u8]) -> Self {
        self.also.push(certificate.to_vec());
        self
    }

    /// Makes the identity.
    ///
    /// # Panics
    ///
    /// If one of the names cannot stand in a certificate.
    #[must_use]
    pub fn build(self) -> Identity {
        let key = made(KeyPair::generate());
        let params = self.params();
        let certificate = match &self.authority {
            Some(authority) => made(params.signed_by(&key, authority.issuer())),
            None => made(params.self_signed(&key)),
        };
        let certificate = certificate.der().to_vec();
        Identity(Arc::new(Parts {
            chain: self.chain(&certificate),
            names: self.names,
            certificate,
            key: key.serialize_der(),
        }))
    }

    fn params(&self) -> CertificateParams {
        let mut params = made(CertificateParams::new(self.names.clone()));
        params.distinguished_name = DistinguishedName::new();
        let name = self.names.first().map_or("nobody", String::as_str);
        params.distinguished_name.push(DnType::CommonName, name);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = self.usages.clone();
        params.use_authority_key_identifier_extension = self.authority.is_some();
        let at = |time: SystemTime| {
            let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
            date_time_ymd(1970, 1, 1) + Duration::from_secs(since.as_secs())
        };
        (params.not_before, params.not_after) = match self.validity {
            Validity::Always => (params.not_before, params.not_after),
            Validity::Past => (date_time_ymd(2001, 1, 1), date_time_ymd(2001, 12, 31)),
            Validity::Future => (date_time_ymd(3000, 1, 1), date_time_ymd(4000, 1, 1)),
            Validity::Between(from, to) => (at(from), at(to)),
        };
        params
    }

    fn chain(&self, own: &[u8]) -> Vec<Vec<u8>> {
        let mut shown = self.path(own);
        shown.extend_from_slice(&self.also);
        shown
    }

    fn path(&self, own: &[u8]) -> Vec<Vec<u8>> {
        let Some(authority) = &self.authority else {
            return vec![own.to_vec()];
        };
        let mut above = match self.order {
            ChainOrder::None => Vec::new(),
            _ => authority.below_root().to_vec(),
        };
        if self.shows_root {
            above.push(authority.root().to_vec());
        }
        if self.order == ChainOrder::IntermediatesReversed {
            above.reverse();
        }
        match self.order {
            ChainOrder::LeafLast => above.push(own.to_vec()),
            _ => above.insert(0, own.to_vec()),
        }
        above
    }
}
