//! The server's side of TLS, by rustls with a provider of its own.

use std::io;
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::server::{
    ClientHello, NoServerSessionStorage, ResolvesServerCert, ServerConfig, ServerConnection,
    WebPkiClientVerifier,
};
use rustls::sign::CertifiedKey;
use rustls::{HandshakeKind, ProtocolVersion, RootCertStore, SupportedProtocolVersion};

use super::identity::Identity;
use super::link::Link;
use super::recorded::ConnectionFacts;

/// A version of TLS that a server may speak.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ServedVersion {
    /// TLS 1.2.
    Tls12,
    /// TLS 1.3.
    Tls13,
}

/// How a server speaks TLS, if it does.
#[derive(Clone, Debug)]
pub(super) struct TlsSettings {
    pub(super) identity: Option<Identity>,
    pub(super) versions: Vec<ServedVersion>,
    pub(super) alpn: Vec<Vec<u8>>,
    pub(super) resumption: bool,
    /// The authority of clients, as DER, and whether all need a certificate.
    pub(super) clients: Option<(Vec<u8>, bool)>,
}

impl Default for TlsSettings {
    fn default() -> Self {
        Self {
            identity: None,
            versions: vec![ServedVersion::Tls12, ServedVersion::Tls13],
            alpn: vec![b"http/1.1".to_vec()],
            resumption: true,
            clients: None,
        }
    }
}

impl TlsSettings {
    pub(super) fn acceptor(&self) -> io::Result<Option<Acceptor>> {
        let Some(identity) = &self.identity else {
            return Ok(None);
        };
        let versions: Vec<&SupportedProtocolVersion> = self
            .versions
            .iter()
            .map(|version| match version {
                ServedVersion::Tls12 => &rustls::version::TLS12,
                ServedVersion::Tls13 => &rustls::version::TLS13,
            })
            .collect();
        // Passed along, never installed: the process may have another one, or none.
        let provider = Arc::new(ring::default_provider());
        let shown = Arc::new(Shown(Arc::new(certified(identity, &provider)?)));
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&versions)
            .map_err(io::Error::other)?;
        let builder = match &self.clients {
            None => builder.with_no_client_auth(),
            Some((authority, required)) => {
                let mut roots = RootCertStore::empty();
                roots.add(authority.clone().into()).map_err(io::Error::other)?;
                let verifier =
                    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                let verifier = if *required { verifier } else { verifier.allow_unauthenticated() };
                builder.with_client_cert_verifier(verifier.build().map_err(io::Error::other)?)
            }
        };
        let mut config = builder.with_cert_resolver(shown);
        config.alpn_protocols = self.alpn.clone();
        if !self.resumption {
            config.session_storage = Arc::new(NoServerSessionStorage {});
            config.send_tls13_tickets = 0;
        }
        Ok(Some(Acceptor(Arc::new(config))))
    }
}

fn certified(identity: &Identity, provider: &CryptoProvider) -> io::Result<CertifiedKey> {
    let key = PrivatePkcs8KeyDer::from(identity.key_der().to_vec());
    let key = provider.key_provider.load_private_key(key.into()).map_err(io::Error::other)?;
    let chain = identity.chain_der().iter().cloned().map(CertificateDer::from).collect();
    Ok(CertifiedKey::new(chain, key))
}

/// Shows one chain to everybody. The library's own resolver would refuse chains that are in the
/// wrong order, which are wanted here.
#[derive(Debug)]
struct Shown(Arc<CertifiedKey>);

impl ResolvesServerCert for Shown {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

/// Turns plain links into TLS.
pub(super) struct Acceptor(Arc<ServerConfig>);

impl Acceptor {
    /// Shakes hands and notes what came of it.
    pub(super) fn accept(&self, link: &mut Link, facts: &mut ConnectionFacts) -> io::Result<()> {
        let tls = ServerConnection::new(Arc::clone(&self.0)).map_err(io::Error::other)?;
        link.shake_hands(tls)?;
        let Some(tls) = link.tls() else {
            return Ok(());
        };
        facts.sni = tls.server_name().map(str::to_owned);
        facts.tls_version = tls.protocol_version().map(|version| match version {
            ProtocolVersion::TLSv1_2 => "TLSv1.2",
            ProtocolVersion::TLSv1_3 => "TLSv1.3",
            _ => "another",
        });
        facts.alpn = tls.alpn_protocol().map(<[u8]>::to_vec);
        facts.tls_resumed = tls.handshake_kind() == Some(HandshakeKind::Resumed);
        let shown = tls.peer_certificates().unwrap_or_default();
        facts.client_certificates = shown.iter().map(|der| der.to_vec()).collect();
        Ok(())
    }
}
