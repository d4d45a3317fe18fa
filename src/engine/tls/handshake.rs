//! What rustls asks in the middle of a handshake, answered at once: is the certificate good,
//! and which one does the client show?
//!
//! Nobody else is asked there: a question may take minutes, and rustls waits for none. What
//! was seen is noted instead, and asked about when the handshake is over. rustls calls both
//! on the thread that drives the handshake, so the note lies on that thread.

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

use rustls::client::ResolvesClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::time_provider::TimeProvider;
use rustls::{CertificateError, DigitallySignedStruct, Error as TlsError, SignatureScheme};

use crate::error::{Error, ErrorKind};
use crate::trust::{Certificate, Signature, TrustPolicy, schemes, verify};

/// What was seen in a handshake and is to be asked about.
#[derive(Debug, Default)]
pub(super) struct Noted {
    /// The chain for which the handshake was broken off, and how it was evaluated.
    pub(super) refused: Option<(Vec<Certificate>, Result<(), Error>)>,
    /// The server wants a certificate of the client: the names of the authorities that it
    /// accepts.
    pub(super) requested: Option<Vec<Vec<u8>>>,
    /// The server does not have the key of its certificate, or one that is of no use here.
    pub(super) unproven: Option<Error>,
}

thread_local! {
    static NOTED: RefCell<Noted> = RefCell::default();
}

/// Takes what was noted on this thread since it was last taken.
pub(super) fn take_noted() -> Noted {
    NOTED.with(RefCell::take)
}

/// What is remembered of handshakes grows old by the same clock as certificates do.
impl TimeProvider for TrustPolicy {
    fn current_time(&self) -> Option<UnixTime> {
        Some(self.now())
    }
}

/// Which servers are believed.
pub(super) struct Verifier {
    pub(super) policy: Arc<TrustPolicy>,
    /// Only one with this certificate, which was decided about before.
    pub(super) decided: Option<Certificate>,
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").finish_non_exhaustive()
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let decided = self.decided.as_ref();
        if decided.is_some_and(|decided| decided.as_der() == end_entity.as_ref()) {
            return Ok(ServerCertVerified::assertion());
        }
        let mut chain = Vec::with_capacity(1 + intermediates.len());
        chain.push(end_entity.clone());
        chain.extend_from_slice(intermediates);
        let verdict = self.policy.evaluate(&chain, server_name);
        if verdict.is_ok() && decided.is_none() {
            return Ok(ServerCertVerified::assertion());
        }
        let alert = alert(&verdict);
        let chain = chain.iter().map(|der| Certificate::from_der(der.as_ref())).collect();
        NOTED.with_borrow_mut(|noted| noted.refused = Some((chain, verdict)));
        Err(TlsError::InvalidCertificate(alert))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_signature(message, cert, dss, false)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_signature(message, cert, dss, true)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        schemes()
    }
}

fn verify_signature(
    message: &[u8],
    certificate: &CertificateDer<'_>,
    signed: &DigitallySignedStruct,
    is_tls13: bool,
) -> Result<HandshakeSignatureValid, TlsError> {
    let signature =
        Signature { scheme: signed.scheme, message, bytes: signed.signature(), is_tls13 };
    verify(certificate, &signature).map(|()| HandshakeSignatureValid::assertion()).map_err(
        |error| {
            NOTED.with_borrow_mut(|noted| noted.unproven = Some(error));
            TlsError::InvalidCertificate(CertificateError::BadSignature)
        },
    )
}

/// Returns what makes rustls tell the server why it was left.
fn alert(verdict: &Result<(), Error>) -> CertificateError {
    match verdict.as_ref().map_err(Error::kind) {
        Err(ErrorKind::ServerCertificateHasBadDate) => CertificateError::Expired,
        Err(ErrorKind::ServerCertificateNotYetValid) => CertificateError::NotValidYet,
        Err(ErrorKind::ServerCertificateHasUnknownRoot) => CertificateError::UnknownIssuer,
        Err(_) => CertificateError::NotValidForName,
        Ok(()) => CertificateError::ApplicationVerificationFailure,
    }
}

/// What the client shows to servers that ask who connects.
#[derive(Default)]
pub(super) struct Resolver {
    pub(super) key: Option<Arc<CertifiedKey>>,
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolver").finish_non_exhaustive()
    }
}

impl ResolvesClientCert for Resolver {
    fn resolve(
        &self,
        root_hint_subjects: &[&[u8]],
        _sigschemes: &[SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        let names = root_hint_subjects.iter().map(|name| name.to_vec()).collect();
        NOTED.with_borrow_mut(|noted| noted.requested = Some(names));
        self.key.clone()
    }

    fn has_certs(&self) -> bool {
        self.key.is_some()
    }
}
