//! What goes wrong in TLS, as errors of this crate.

use rustls::unbuffered::{EncodeError, EncryptError};
use rustls::{AlertDescription, CertificateError, Error as TlsError, InvalidMessage};

use crate::error::{Error, ErrorKind};

/// Names the failing check.
pub(super) fn of(error: TlsError) -> Error {
    let (kind, detail) = match &error {
        TlsError::InvalidCertificate(reason) => certificate(reason),
        TlsError::AlertReceived(alert) => alerted(*alert),
        TlsError::PeerIncompatible(_) => {
            (ErrorKind::SecureConnectionFailed, "the server and this client have no TLS in common")
        }
        // What came has not even the form of a record.
        TlsError::InvalidMessage(
            InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion,
        ) => (
            ErrorKind::SecureConnectionFailed,
            "what the server says is not TLS; does it speak plain http on this port?",
        ),
        _ => (ErrorKind::SecureConnectionFailed, "the TLS connection failed"),
    };
    Error::new(kind, detail).because(error)
}

fn certificate(reason: &CertificateError) -> (ErrorKind, &'static str) {
    use CertificateError as Reason;

    match reason {
        Reason::Expired | Reason::ExpiredContext { .. } => {
            (ErrorKind::ServerCertificateHasBadDate, "the server's certificate has expired")
        }
        Reason::NotValidYet | Reason::NotValidYetContext { .. } => {
            (ErrorKind::ServerCertificateNotYetValid, "the server's certificate is not valid yet")
        }
        Reason::UnknownIssuer => (
            ErrorKind::ServerCertificateHasUnknownRoot,
            "the server's certificate leads to no root that is trusted",
        ),
        Reason::NotValidForName | Reason::NotValidForNameContext { .. } => {
            (ErrorKind::ServerCertificateUntrusted, "the server's certificate is not for this host")
        }
        _ => (ErrorKind::ServerCertificateUntrusted, "the server's certificate is not acceptable"),
    }
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
