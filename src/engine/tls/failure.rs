//! What goes wrong in TLS, as errors of this crate.

use std::error::Error as _;

use rustls::unbuffered::{EncodeError, EncryptError};
use rustls::{AlertDescription, Error as TlsError, InvalidMessage, PeerMisbehaved};

use crate::error::{Error, ErrorKind};

/// Names the failing check.
pub(super) fn of(error: TlsError) -> Error {
    let (kind, detail) = match &error {
        // Which check has failed is noted elsewhere.
        TlsError::InvalidCertificate(_) => {
            (ErrorKind::ServerCertificateUntrusted, "the server's certificate is not acceptable")
        }
        TlsError::AlertReceived(alert) => {
            let (kind, detail) = alerted(*alert);
            let detail = format!("{detail} (its alert: {alert:?})");
            return Error::new(kind, detail).because(error);
        }
        TlsError::PeerIncompatible(_) => {
            (ErrorKind::SecureConnectionFailed, "the server and this client have no TLS in common")
        }
        // rustls has no name for the schemes of such keys, and takes them in TLS 1.3 alone.
        TlsError::PeerMisbehaved(PeerMisbehaved::SignedKxWithWrongAlgorithm) => (
            ErrorKind::SecureConnectionFailed,
            "the server signs in a way that does not fit; a key that is for RSA-PSS alone takes \
             TLS 1.3",
        ),
        // What came has not even the form of a record.
        TlsError::InvalidMessage(
            InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion,
        ) => (
            ErrorKind::SecureConnectionFailed,
            "what the server says is not TLS; does it speak plain http on this port?",
        ),
        other => {
            let detail = format!("the TLS connection failed: {other}");
            return Error::new(ErrorKind::SecureConnectionFailed, detail).because(error);
        }
    };
    Error::new(kind, detail).because(error)
}

/// Whether the server has ended the session and said why.
pub(super) fn is_alert(error: &Error) -> bool {
    let source = error.source().and_then(|source| source.downcast_ref());
    matches!(source, Some(TlsError::AlertReceived(_)))
}

/// Before TLS 1.3 no alert says that a certificate of the client is missing; a server that
/// has asked for one and then breaks the handshake off means that.
pub(super) fn certificate_required(error: Error) -> Error {
    let (kind, detail) = alerted(AlertDescription::CertificateRequired);
    Error::new(kind, detail).because(error)
}

fn alerted(alert: AlertDescription) -> (ErrorKind, &'static str) {
    use AlertDescription as Alert;

    match alert {
        Alert::CertificateRequired => {
            (ErrorKind::ClientCertificateRequired, "the server demands a client certificate")
        }
        Alert::BadCertificate
        | Alert::UnsupportedCertificate
        | Alert::CertificateRevoked
        | Alert::CertificateExpired
        | Alert::CertificateUnknown
        | Alert::UnknownCA
        | Alert::AccessDenied => {
            (ErrorKind::ClientCertificateRejected, "the server refused the client's certificate")
        }
        // RFC 8446 §4.4.2.2: a server that has no certificate with a key that is offered says so
        // by an alert alone.
        Alert::HandshakeFailure | Alert::InsufficientSecurity => (
            ErrorKind::SecureConnectionFailed,
            "the server ended the TLS connection, as it has no cipher, key exchange or key of a \
             certificate in common with this client; keys on the curve P-521, of DSA and of Ed448 \
             are not supported",
        ),
        Alert::ProtocolVersion => {
            (ErrorKind::SecureConnectionFailed, "the server refused every version of TLS offered")
        }
        _ => (ErrorKind::SecureConnectionFailed, "the server ended the TLS connection"),
    }
}

/// The peer closed the connection without an alert. An attacker on the way can do that
/// too, so what came so far is not known to be whole (RFC 8446 §6.1).
pub(super) fn truncated() -> Error {
    let detail = "the connection was closed without a TLS close_notify; the data may be cut short";
    Error::new(ErrorKind::NetworkConnectionLost, detail)
}

pub(super) fn closed_in_handshake() -> Error {
    let detail = "the server closed the connection during the TLS handshake";
    Error::new(ErrorKind::SecureConnectionFailed, detail)
}

pub(super) fn cannot_encrypt(error: EncryptError) -> Error {
    Error::new(ErrorKind::SecureConnectionFailed, "TLS cannot seal what is to be sent")
        .because(error)
}

pub(super) fn cannot_encode(error: EncodeError) -> Error {
    Error::new(ErrorKind::SecureConnectionFailed, "TLS cannot write its handshake").because(error)
}
