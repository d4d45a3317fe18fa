//! TLS for one session: what it trusts and which versions it speaks.
//!
//! One rustls configuration serves all connections of a session, so that sessions can be
//! resumed. It is made when the first `https` URL is loaded, as reading the system's trust
//! store takes tens of milliseconds. The provider of cryptography is passed in; none is
//! installed for the process.

mod failure;
mod idle;
mod session;

use std::sync::{Arc, OnceLock};

use rustls::client::Resumption;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion, version};
use url::Host;

pub(super) use session::TlsSession;

use super::Trust;
use super::socket::Link;
use crate::error::{Error, ErrorKind};
use crate::trust::TlsVersion;
use crate::wire::Context;

/// How many TLS sessions are remembered for resuming.
const REMEMBERED: usize = 64;

/// Makes TLS sessions for one session's connections.
#[derive(Debug)]
pub(super) struct Tls {
    versions: Vec<&'static SupportedProtocolVersion>,
    /// The configuration's own roots.
    roots: RootCertStore,
    trusts_system: bool,
    config: OnceLock<Result<Arc<ClientConfig>, Error>>,
}

impl Tls {
    /// Checks what is asked for.
    pub(super) fn new(trust: Trust) -> Result<Self, Error> {
        let wanted = trust.versions.0..=trust.versions.1;
        let versions: Vec<_> =
            [(TlsVersion::Tls13, &version::TLS13), (TlsVersion::Tls12, &version::TLS12)]
                .into_iter()
                .filter_map(|(name, version)| wanted.contains(&name).then_some(version))
                .collect();
        if versions.is_empty() {
            let detail = "tls_minimum_version is newer than tls_maximum_version";
            return Err(Error::new(ErrorKind::NotSupported, detail));
        }
        let mut roots = RootCertStore::empty();
        for certificate in &trust.roots {
            roots.add(CertificateDer::from(certificate.as_der())).map_err(|error| {
                let detail = "one of additional_roots is not a certificate";
                Error::new(ErrorKind::ServerCertificateUntrusted, detail).because(error)
            })?;
        }
        Ok(Self { versions, roots, trusts_system: trust.system_roots, config: OnceLock::new() })
    }

    /// Performs the handshake with `host` over `link`.
    pub(super) fn secure(
        &self,
        link: &mut Link,
        host: &Host<&str>,
        context: &Context,
    ) -> Result<TlsSession, Error> {
        let config = self.config.get_or_init(|| self.make_config()).clone()?;
        let mut session = TlsSession::new(config, server_name(host)?)?;
        session.handshake(link, context)?;
        Ok(session)
    }

    fn make_config(&self) -> Result<Arc<ClientConfig>, Error> {
        let mut roots = self.roots.clone();
        if self.trusts_system {
            roots.extend(system_roots().roots.iter().cloned());
        }
        if roots.is_empty() {
            let detail = "no root certificate is known: the system's trust store is empty \
                          (install ca-certificates, or set SSL_CERT_FILE or additional_roots)";
            return Err(Error::new(ErrorKind::ServerCertificateHasUnknownRoot, detail));
        }
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&self.versions)
            .map_err(failure::of)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        config.resumption = Resumption::in_memory_sessions(REMEMBERED);
        Ok(Arc::new(config))
    }
}

/// Reads the system's trust store, or what `SSL_CERT_FILE` and `SSL_CERT_DIR` name; once
/// for the program.
fn system_roots() -> &'static RootCertStore {
    static ROOTS: OnceLock<RootCertStore> = OnceLock::new();
    ROOTS.get_or_init(|| {
        let found = rustls_native_certs::load_native_certs();
        for error in &found.errors {
            log::warn!("part of the system's trust store cannot be read: {error}");
        }
        let mut roots = RootCertStore::empty();
        // A store holds certificates that are too old or too odd to be used.
        let (used, ignored) = roots.add_parsable_certificates(found.certs);
        log::debug!("the system trusts {used} roots; {ignored} cannot be used");
        roots
    })
}

fn server_name(host: &Host<&str>) -> Result<ServerName<'static>, Error> {
    match host {
        Host::Domain(name) => ServerName::try_from((*name).to_owned()).map_err(|error| {
            let detail = "the host's name cannot be in a certificate";
            Error::new(ErrorKind::BadUrl, detail).because(error)
        }),
        Host::Ipv4(address) => Ok(ServerName::from(std::net::IpAddr::from(*address))),
        Host::Ipv6(address) => Ok(ServerName::from(std::net::IpAddr::from(*address))),
    }
}
