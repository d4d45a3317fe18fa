//! [`Challenge`]: what is asked.

use serde_json::Value;

use super::credential;
use super::message::{Names, name, named};
use super::reader::Reader;
use crate::background::form::{
    Fields, binary, is_set, number, put, read_binary, read_response, read_whole_error, text,
    write_response, write_whole_error,
};
use crate::credentials::{AuthenticationMethod, Challenge, ProtectionSpace};
use crate::trust::ServerTrust;

const METHODS: Names<AuthenticationMethod, 7> = [
    (AuthenticationMethod::Default, "default"),
    (AuthenticationMethod::Basic, "basic"),
    (AuthenticationMethod::Digest, "digest"),
    (AuthenticationMethod::Ntlm, "ntlm"),
    (AuthenticationMethod::Negotiate, "negotiate"),
    (AuthenticationMethod::ClientCertificate, "client-certificate"),
    (AuthenticationMethod::ServerTrust, "server-trust"),
];

pub(super) fn write(challenge: &Challenge) -> Value {
    let mut fields = Fields::new();
    put(&mut fields, "space", Some(write_space(challenge.protection_space())));
    put(&mut fields, "proposed", challenge.proposed_credential().map(credential::write));
    put(&mut fields, "failures", Some(challenge.previous_failure_count()));
    put(&mut fields, "response", challenge.failure_response().map(write_response));
    put(&mut fields, "error", challenge.error().map(write_whole_error));
    put(&mut fields, "token", challenge.token());
    fields.into()
}

pub(super) fn read(value: &Value, reader: &Reader) -> Option<Challenge> {
    let fields = value.as_object()?;
    let space = read_space(fields.get("space")?, reader)?;
    // One that this version does not know cannot be proposed to anybody.
    let trust = space.server_trust().cloned();
    let proposed =
        fields.get("proposed").and_then(|proposed| credential::read(proposed, trust.as_ref()));
    let mut challenge = Challenge::new(space)
        .proposing(proposed)
        .after_failures(u32::try_from(number(fields, "failures")?).ok()?)
        .with_token(text(fields, "token"));
    // Who asks waits for an answer, whatever else cannot be read.
    if let Some(response) = fields.get("response").and_then(read_response) {
        challenge = challenge.asked_by(response);
    }
    if let Some(error) = fields.get("error").and_then(read_whole_error) {
        challenge = challenge.failed_with(error);
    }
    Some(challenge)
}

fn write_space(space: &ProtectionSpace) -> Value {
    let mut fields = Fields::new();
    put(&mut fields, "host", Some(space.host()));
    put(&mut fields, "port", Some(space.port()));
    put(&mut fields, "protocol", Some(space.protocol()));
    put(&mut fields, "realm", space.realm());
    put(&mut fields, "method", name(&METHODS, &space.method()));
    put(&mut fields, "proxy", space.is_proxy().then_some(true));
    let names: Vec<_> =
        space.distinguished_names().iter().map(|name| binary(name.as_der())).collect();
    put(&mut fields, "names", (!names.is_empty()).then_some(names));
    put(&mut fields, "trust", space.server_trust().map(write_trust));
    fields.into()
}

fn read_space(value: &Value, reader: &Reader) -> Option<ProtectionSpace> {
    let fields = value.as_object()?;
    let port = u16::try_from(number(fields, "port")?).ok()?;
    let method = named(&METHODS, text(fields, "method")?)?;
    let (host, protocol) = (text(fields, "host")?, text(fields, "protocol")?);
    let mut space = ProtectionSpace::new(host, port, protocol, method);
    if let Some(realm) = text(fields, "realm") {
        space = space.with_realm(realm);
    }
    if is_set(fields, "proxy") {
        space = space.for_proxy();
    }
    if let Some(names) = fields.get("names") {
        let names = names.as_array()?.iter().map(read_binary).collect::<Option<Vec<_>>>()?;
        space = space.accepting(names);
    }
    if let Some(trust) = fields.get("trust") {
        space = space.showing(read_trust(trust, reader)?);
    }
    Some(space)
}

fn write_trust(trust: &ServerTrust) -> Value {
    let mut fields = Fields::new();
    put(&mut fields, "host", Some(trust.host()));
    credential::write_certificates(&mut fields, trust.certificates());
    fields.into()
}

fn read_trust(value: &Value, reader: &Reader) -> Option<ServerTrust> {
    let fields = value.as_object()?;
    let shown = credential::read_certificates(fields)?;
    reader.trust(text(fields, "host")?, shown)
}
