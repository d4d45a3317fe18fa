//! The way of an identity to another process of the same user.

use std::sync::Arc;

use rustls::pki_types::{PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer};

use super::{Identity, Parts, key};
use crate::error::{Error, ErrorKind};
use crate::trust::Certificate;

const PKCS1: &str = "pkcs1";
const PKCS8: &str = "pkcs8";
const SEC1: &str = "sec1";

impl Identity {
    /// Returns the private key in DER, and what of.
    pub(crate) fn private_key(&self) -> (&'static str, &[u8]) {
        let key = &*self.0.der;
        let kind = match key {
            PrivateKeyDer::Pkcs1(_) => PKCS1,
            PrivateKeyDer::Sec1(_) => SEC1,
            _ => PKCS8,
        };
        (kind, key.secret_der())
    }

    /// Makes the identity once more of what another process had: equal to each that is made of
    /// the same.
    pub(crate) fn from_elsewhere(
        certificates: Vec<Certificate>,
        kind: &str,
        der: &[u8],
    ) -> Result<Self, Error> {
        let der = match kind {
            PKCS1 => PrivatePkcs1KeyDer::from(der).into(),
            PKCS8 => PrivatePkcs8KeyDer::from(der).into(),
            SEC1 => PrivateSec1KeyDer::from(der).into(),
            _ => {
                let detail = "the private key is of a kind that is not known";
                return Err(Error::new(ErrorKind::NotSupported, detail));
            }
        };
        let ready = key::ready(&der, &certificates)?;
        let parts = Parts::of(certificates, ready)?;
        Ok(Self(Arc::new(Parts { is_foreign: true, ..parts })))
    }
}
