//! [`Credential`]: what answers a challenge.

use serde_json::Value;

use crate::background::form::{Fields, binary, put, read_binary, text};
use crate::credentials::{Credential, Persistence};
use crate::trust::{Certificate, Identity, ServerTrust};

/// Writes a credential; trust in a server by which that is, as what it has shown is known.
pub(super) fn write(credential: &Credential) -> Value {
    let mut fields = Fields::new();
    put(&mut fields, "user", credential.user());
    put(&mut fields, "password", credential.password());
    put(&mut fields, "token", credential.token());
    put(&mut fields, "identity", credential.identity().and_then(write_identity));
    if let Some(trust) = credential.trust() {
        let own = trust.certificates().first();
        put(&mut fields, "host", Some(trust.host()));
        put(&mut fields, "certificate", own.map(|own| binary(own.as_der())));
    }
    let is_kept = credential.persistence() == Persistence::ForSession;
    put(&mut fields, "keeps", Some(is_kept));
    fields.into()
}

/// Reads one; `shown` is what the server has shown that is asked about: whoever trusts another
/// one gives no answer.
pub(super) fn read(value: &Value, shown: Option<&ServerTrust>) -> Option<Credential> {
    let fields = value.as_object()?;
    let made = if let Some(user) = text(fields, "user") {
        Credential::new(user, text(fields, "password")?)
    } else if let Some(token) = text(fields, "token") {
        Credential::from_token(token)
    } else if let Some(identity) = fields.get("identity") {
        Credential::from_identity(&read_identity(identity)?)
    } else {
        Credential::for_trust(shown.filter(|shown| is_of(fields, shown))?)
    };
    let keeps = fields.get("keeps")?.as_bool()?;
    made.with_persistence(if keeps { Persistence::ForSession } else { Persistence::None }).ok()
}

/// Whether a credential trusts the server that has shown this.
fn is_of(fields: &Fields, shown: &ServerTrust) -> bool {
    let own = fields.get("certificate").and_then(read_binary).map(Certificate::from_der);
    text(fields, "host") == Some(shown.host()) && own.as_ref() == shown.certificates().first()
}

#[cfg(feature = "tls")]
fn write_identity(identity: &Identity) -> Option<Value> {
    let (kind, key) = identity.private_key();
    let mut fields = Fields::new();
    write_certificates(&mut fields, identity.certificates());
    put(&mut fields, "kind", Some(kind));
    put(&mut fields, "key", Some(binary(key)));
    Some(fields.into())
}

#[cfg(feature = "tls")]
fn read_identity(value: &Value) -> Option<Identity> {
    let fields = value.as_object()?;
    let key = read_binary(fields.get("key")?)?;
    Identity::from_elsewhere(read_certificates(fields)?, text(fields, "kind")?, &key).ok()
}

/// Without TLS there is none.
#[cfg(not(feature = "tls"))]
fn write_identity(_: &Identity) -> Option<Value> {
    None
}

#[cfg(not(feature = "tls"))]
fn read_identity(_: &Value) -> Option<Identity> {
    None
}

pub(super) fn write_certificates(fields: &mut Fields, certificates: &[Certificate]) {
    let certificates: Vec<_> = certificates.iter().map(|one| binary(one.as_der())).collect();
    put(fields, "certificates", Some(certificates));
}

pub(super) fn read_certificates(fields: &Fields) -> Option<Vec<Certificate>> {
    let one = |value: &Value| read_binary(value).map(Certificate::from_der);
    fields.get("certificates")?.as_array()?.iter().map(one).collect()
}
