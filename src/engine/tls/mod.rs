//! TLS for one session: what it trusts and which versions it speaks.
//!
//! One rustls configuration serves all usual connections of a session, so that sessions can
//! be resumed; a connection to a server whose certificate was accepted against its evaluation,
//! or with a certificate of the client, has one of its own and is never resumed. The provider
//! of cryptography is passed in; none is installed for the process.
//!
//! [`Securing`] is the whole story of a connection: shake hands, ask who is to be asked, shake
//! hands again if the answer demands it.

mod decision;
mod failure;
mod handshake;
mod securing;
mod session;
mod stream;
mod terms;
#[cfg(all(test, feature = "test-util"))]
mod tests;
mod tickets;

use std::sync::Arc;

use http::StatusCode;
use rustls::client::Resumption;
use rustls::crypto::{CryptoProvider, ring};
use rustls::{ClientConfig, SupportedProtocolVersion, version};
use url::Url;

pub(super) use stream::TlsStream;
pub(super) use terms::Terms;

use handshake::{Resolver, Verifier};
use tickets::Tickets;

use super::Settings;
use super::stream::Stream;
use crate::credentials::CredentialStorage;
use crate::error::{Error, ErrorKind, Stage};
use crate::trust::{Certificate, Identity, Roots, TlsVersion, TrustPolicy};
use crate::wire::{Context, Question};
pub(super) use securing::Decisions;
use securing::Securing;

/// Makes TLS sessions for one session's connections.
#[derive(Debug)]
pub(super) struct Tls {
    versions: Vec<&'static SupportedProtocolVersion>,
    provider: Arc<CryptoProvider>,
    policy: Arc<TrustPolicy>,
    credentials: Option<CredentialStorage>,
    tickets: Arc<Tickets>,
    /// What most connections are made with.
    usual: Arc<ClientConfig>,
}

impl Tls {
    /// Checks what is asked for.
    pub(super) fn new(settings: &Settings) -> Result<Self, Error> {
        let (trust, credentials) = (&settings.trust, settings.credentials.clone());
        let wanted = trust.versions.0..=trust.versions.1;
        let mut versions = Vec::new();
        for (name, version) in
            [(TlsVersion::Tls13, &version::TLS13), (TlsVersion::Tls12, &version::TLS12)]
        {
            if wanted.contains(&name) {
                versions.push(version);
            }
        }
        if versions.is_empty() {
            let detail = "tls_minimum_version is newer than tls_maximum_version";
            return Err(Error::new(ErrorKind::NotSupported, detail));
        }
        let roots = Roots::new(&trust.roots, trust.system_roots)?;
        let policy = Arc::new(TrustPolicy::new(roots, trust.pins.clone(), settings.clock.clone()));
        let (provider, tickets) = (Arc::new(ring::default_provider()), Tickets::new());
        let mut usual = config(&provider, &versions, &policy, None, None)?;
        usual.resumption = Resumption::store(tickets.clone());
        let usual = Arc::new(usual);
        Ok(Self { versions, provider, policy, credentials, tickets, usual })
    }

    /// Secures streams to the host of `url` that are made by `connect`, until one may carry a
    /// request.
    pub(super) fn secure(
        &self,
        url: &Url,
        connect: impl Fn() -> Result<Stream, Error>,
        decisions: &mut Decisions,
        context: &Context,
    ) -> Result<Stream, Error> {
        let securing = Securing::new(self, url, context, decisions);
        let securing = securing.map_err(|error| error.at(Stage::Securing))?;
        Ok(Stream::Tls(Box::new(securing.run(connect)?)))
    }

    /// Asks a load's own delegate about the server of a stream, if it was not yet asked on it.
    /// Returns whether the stream can be used.
    pub(super) fn confirm(
        &self,
        stream: &mut Stream,
        url: &Url,
        question: &mut Question,
        context: &Context,
    ) -> Result<bool, Error> {
        let Stream::Tls(stream) = stream else { return Ok(true) };
        match context.own_delegate() {
            Some(own) if !stream.consulted.knows(&own) => {
                let mut decisions = Decisions::asking(question);
                let confirmed = Securing::new(self, url, context, &mut decisions)
                    .and_then(|securing| securing.confirm(stream, own));
                *question = decisions.into_question();
                confirmed.map_err(|error| error.at(Stage::Securing))
            }
            _ => Ok(true),
        }
    }

    /// Whether a load may use a connection with these terms.
    pub(super) fn allows(&self, terms: &Terms, context: &Context) -> bool {
        terms.allow(context, self.credentials.as_ref())
    }

    /// Stores the identity that was shown on a stream, if the server has taken it, by the
    /// status of its answer: one of 400 or more may be about the certificate, as nginx tells
    /// of a bad one.
    pub(super) fn note_answer(&self, stream: &mut Stream, status: StatusCode) {
        if let Stream::Tls(tls) = stream
            && status.as_u16() < 400
            && let Some(proven) = tls.unproven.take()
            && let Some(storage) = &self.credentials
        {
            let (credential, space) = *proven;
            storage.set(&credential, &space);
        }
    }

    /// Returns the configuration for a connection on which something is special: only this
    /// certificate is accepted, this identity is shown.
    fn special(
        &self,
        decided: Option<Certificate>,
        identity: Option<&Identity>,
    ) -> Result<Arc<ClientConfig>, Error> {
        let mut special = config(&self.provider, &self.versions, &self.policy, decided, identity)?;
        special.resumption = Resumption::disabled();
        Ok(Arc::new(special))
    }
}

fn config(
    provider: &Arc<CryptoProvider>,
    versions: &[&'static SupportedProtocolVersion],
    policy: &Arc<TrustPolicy>,
    decided: Option<Certificate>,
    identity: Option<&Identity>,
) -> Result<ClientConfig, Error> {
    let verifier = Verifier { policy: policy.clone(), decided };
    let resolver = Resolver { key: identity.map(Identity::certified_key) };
    let mut config = ClientConfig::builder_with_details(provider.clone(), policy.clone())
        .with_protocol_versions(versions)
        .map_err(failure::of)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_client_cert_resolver(Arc::new(resolver));
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}
