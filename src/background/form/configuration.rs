//! The configuration of a session that runs in another process.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use url::Url;

use super::{
    Fields, binary, duration, exact, number, path, path_value, put, read_binary, retry, text,
    texts, whole,
};
use crate::configuration::Configuration;
use crate::cookies::{CookieAcceptPolicy, CookieStorage};
use crate::credentials::CredentialStorage;
use crate::headers::Headers;
use crate::hsts::Hsts;
use crate::request::Request;
use crate::trust::{Certificate, PublicKeyPins, TlsVersion};

const POLICIES: [(CookieAcceptPolicy, &str); 3] = [
    (CookieAcceptPolicy::Always, "always"),
    (CookieAcceptPolicy::Never, "never"),
    (CookieAcceptPolicy::OnlyFromMainDocumentDomain, "main-document"),
];

/// What stands for the storages that the sessions of a program share.
pub(in crate::background) struct SharedStorages {
    pub(in crate::background) credentials: CredentialStorage,
    pub(in crate::background) cookies: CookieStorage,
}

impl SharedStorages {
    /// Those of a program, for as long as it is hosted.
    pub(in crate::background) fn new() -> Self {
        Self { credentials: CredentialStorage::new(), cookies: CookieStorage::new() }
    }
}

const VERSIONS: [(TlsVersion, &str); 2] = [(TlsVersion::Tls12, "1.2"), (TlsVersion::Tls13, "1.3")];

const MODES: [(Hsts, &str); 3] =
    [(Hsts::Off, "off"), (Hsts::InMemory, "in-memory"), (Hsts::Persistent, "persistent")];

/// Names the field that no other process can have, if there is one.
pub(in crate::background) fn refusal(configuration: &Configuration) -> Option<&'static str> {
    let has_own = |storage: &CredentialStorage| !storage.is_shared();
    if configuration.resolver.is_some() {
        Some("a resolver is code, which another process does not have")
    } else if configuration.credential_storage.as_ref().is_some_and(has_own) {
        Some("a credential_storage of its own lies in this process; leave the shared one")
    } else if configuration.cookie_storage.as_ref().is_some_and(|own| !own.is_shared()) {
        Some("a cookie_storage of its own lies in this process; leave the shared one")
    } else if !configuration.clock.is_system() {
        Some("a clock that is turned by hand is turned in this process; leave the system's")
    } else {
        None
    }
}

/// Writes a configuration, but for what is [refused](refusal); secret headers, and a user name
/// and a password in the `base_url`, only if they may be.
#[allow(clippy::too_many_lines, reason = "two lines a field")]
pub(in crate::background) fn write(configuration: &Configuration, with_secrets: bool) -> Value {
    // Each field has to be thought of here.
    let Configuration {
        identifier,
        program,
        state_directory,
        persists_secrets,
        daemon: _,
        timeout_for_request,
        timeout_for_resource,
        connect_timeout,
        waits_for_connectivity,
        retry_policy,
        additional_headers,
        https_only,
        allows_insecure_redirects,
        follows_redirects,
        maximum_redirects,
        base_url,
        decodes_bodies,
        maximum_body_in_memory,
        maximum_concurrent_tasks,
        maximum_connections_per_host,
        progress_interval,
        temporary_directory,
        maximum_idle_connections_per_host,
        maximum_idle_connections,
        idle_connection_timeout,
        tls_minimum_version,
        tls_maximum_version,
        additional_roots,
        trusts_system_roots,
        pinned_public_keys,
        credential_storage,
        cookie_storage,
        cookie_accept_policy,
        sends_cookies,
        uses_netrc,
        requires_digest_proof,
        hsts,
        resolver: _,
        unix_socket,
        clock: _,
    } = configuration;
    let count = |count: &usize| *count as u64;
    let mut fields = Fields::new();
    put(&mut fields, "identifier", identifier.as_deref());
    put(&mut fields, "program", program.as_deref());
    put(&mut fields, "state-directory", state_directory.as_deref().map(path_value));
    put(&mut fields, "persists-secrets", Some(*persists_secrets));
    put(&mut fields, "idle", Some(exact(*timeout_for_request)));
    put(&mut fields, "resource", Some(exact(*timeout_for_resource)));
    put(&mut fields, "connect", connect_timeout.map(exact));
    put(&mut fields, "waits-for-connectivity", Some(*waits_for_connectivity));
    put(&mut fields, "retry", Some(retry::write(retry_policy)));
    write_secrets(&mut fields, additional_headers, base_url.as_deref(), with_secrets);
    put(&mut fields, "https-only", Some(*https_only));
    put(&mut fields, "insecure-redirects", Some(*allows_insecure_redirects));
    put(&mut fields, "follows", Some(*follows_redirects));
    put(&mut fields, "redirects", Some(count(maximum_redirects)));
    put(&mut fields, "decodes", Some(*decodes_bodies));
    put(&mut fields, "body-in-memory", Some(*maximum_body_in_memory));
    put(&mut fields, "tasks", Some(count(maximum_concurrent_tasks)));
    put(&mut fields, "connections-per-host", maximum_connections_per_host.as_ref().map(count));
    put(&mut fields, "progress", Some(exact(*progress_interval)));
    put(&mut fields, "temporary-directory", temporary_directory.as_deref().map(path_value));
    put(&mut fields, "idle-per-host", maximum_idle_connections_per_host.as_ref().map(count));
    put(&mut fields, "idle-connections", maximum_idle_connections.as_ref().map(count));
    put(&mut fields, "idle-timeout", Some(exact(*idle_connection_timeout)));
    put(&mut fields, "tls-minimum", name_of(*tls_minimum_version, &VERSIONS));
    put(&mut fields, "tls-maximum", name_of(*tls_maximum_version, &VERSIONS));
    let roots: Vec<_> = additional_roots.iter().map(|root| binary(root.as_der())).collect();
    put(&mut fields, "roots", Some(roots));
    put(&mut fields, "system-roots", Some(*trusts_system_roots));
    put(&mut fields, "pins", Some(pinned_public_keys.iter().map(write_pins).collect::<Value>()));
    put(&mut fields, "credentials", Some(credential_storage.is_some()));
    put(&mut fields, "cookies", Some(cookie_storage.is_some()));
    put(&mut fields, "cookie-policy", name_of(*cookie_accept_policy, &POLICIES));
    put(&mut fields, "sends-cookies", Some(*sends_cookies));
    put(&mut fields, "netrc", Some(*uses_netrc));
    put(&mut fields, "digest-proof", Some(*requires_digest_proof));
    put(&mut fields, "hsts", MODES.iter().find(|(mode, _)| mode == hsts).map(|(_, name)| *name));
    put(&mut fields, "unix-socket", unix_socket.as_deref().map(path_value));
    fields.into()
}

/// Writes what may hold secrets, and which were left out.
fn write_secrets(fields: &mut Fields, headers: &Headers, base_url: Option<&str>, with: bool) {
    if with {
        put(fields, "headers", Some(whole::write_headers(headers)));
        put(fields, "base-url", base_url);
        return;
    }
    let mut known = headers.clone();
    let mut omitted = Vec::new();
    for (name, _) in headers {
        if is_secret(headers, name) && known.remove(name) {
            omitted.push(name.to_owned());
        }
    }
    put(fields, "headers", Some(whole::write_headers(&known)));
    if let Some(text) = base_url {
        let bare = Url::parse(text)
            .ok()
            .filter(|url| url.username().is_empty() && url.password().is_none());
        match bare {
            Some(_) => put(fields, "base-url", Some(text)),
            None => omitted.push("base_url".to_owned()),
        }
    }
    put(fields, "omitted", (!omitted.is_empty()).then_some(omitted));
}

/// Whether a header that every request gets is secret: as one of a request's own is.
fn is_secret(headers: &Headers, name: &str) -> bool {
    headers.is_hidden(name) || Request::get("").is_secret(name)
}

fn name_of<T: PartialEq>(value: T, names: &[(T, &'static str)]) -> Option<&'static str> {
    names.iter().find(|(known, _)| *known == value).map(|(_, name)| *name)
}

fn write_pins(pins: &PublicKeyPins) -> Value {
    let hashes: Vec<_> = pins.hashes().iter().map(|hash| binary(hash)).collect();
    let mut fields = Fields::new();
    put(&mut fields, "host", Some(pins.host()));
    put(&mut fields, "hashes", Some(hashes));
    fields.into()
}

/// Reads one, and what secrets were left out of it; `shared` is what stands for the storages
/// that the sessions of the program share. `None` if a field is missing or not understood.
pub(in crate::background) fn read(
    value: &Value,
    shared: &SharedStorages,
) -> Option<(Configuration, Vec<String>)> {
    let fields = value.as_object()?;
    let flag = |name: &str| fields.get(name)?.as_bool();
    let list = |name: &str| fields.get(name)?.as_array();
    let owned = |name: &str| text(fields, name).map(str::to_owned);
    let count = |name: &str| usize::try_from(number(fields, name)?).ok();
    let root = |value: &Value| read_binary(value).map(Certificate::from_der);
    let configuration = Configuration {
        identifier: owned("identifier"),
        program: owned("program"),
        state_directory: read_path(fields, "state-directory")?,
        persists_secrets: flag("persists-secrets")?,
        timeout_for_request: duration(fields, "idle")?,
        timeout_for_resource: duration(fields, "resource")?,
        connect_timeout: read_duration(fields, "connect")?,
        waits_for_connectivity: flag("waits-for-connectivity")?,
        retry_policy: retry::read(fields.get("retry")?)?,
        additional_headers: whole::read_headers(fields.get("headers")?)?,
        https_only: flag("https-only")?,
        allows_insecure_redirects: flag("insecure-redirects")?,
        follows_redirects: flag("follows")?,
        maximum_redirects: count("redirects")?,
        base_url: owned("base-url"),
        decodes_bodies: flag("decodes")?,
        maximum_body_in_memory: number(fields, "body-in-memory")?,
        maximum_concurrent_tasks: count("tasks")?,
        maximum_connections_per_host: count("connections-per-host"),
        progress_interval: duration(fields, "progress")?,
        temporary_directory: read_path(fields, "temporary-directory")?,
        maximum_idle_connections_per_host: count("idle-per-host"),
        maximum_idle_connections: count("idle-connections"),
        idle_connection_timeout: duration(fields, "idle-timeout")?,
        tls_minimum_version: named(fields, "tls-minimum", &VERSIONS)?,
        tls_maximum_version: named(fields, "tls-maximum", &VERSIONS)?,
        additional_roots: list("roots")?.iter().map(root).collect::<Option<_>>()?,
        trusts_system_roots: flag("system-roots")?,
        pinned_public_keys: list("pins")?.iter().map(read_pins).collect::<Option<_>>()?,
        credential_storage: flag("credentials")?.then(|| shared.credentials.clone()),
        cookie_storage: flag("cookies")?.then(|| shared.cookies.clone()),
        cookie_accept_policy: named(fields, "cookie-policy", &POLICIES)?,
        sends_cookies: flag("sends-cookies")?,
        uses_netrc: flag("netrc")?,
        requires_digest_proof: flag("digest-proof")?,
        hsts: read_mode(fields, "hsts")?,
        unix_socket: read_path(fields, "unix-socket")?,
        ..Configuration::default()
    };
    Some((configuration, texts(fields, "omitted").map(str::to_owned).collect()))
}

/// Reads a path that may be left out; `None` if it is there and none.
fn read_path(fields: &Fields, name: &str) -> Option<Option<PathBuf>> {
    fields.get(name).map_or(Some(None), |value| path(value).map(Some))
}

fn read_duration(fields: &Fields, name: &str) -> Option<Option<Duration>> {
    fields.get(name).map_or(Some(None), |_| duration(fields, name).map(Some))
}

fn named<T: Copy>(fields: &Fields, name: &str, names: &[(T, &'static str)]) -> Option<T> {
    let name = text(fields, name)?;
    names.iter().find(|(_, known)| *known == name).map(|(value, _)| *value)
}

fn read_mode(fields: &Fields, name: &str) -> Option<Hsts> {
    let name = text(fields, name)?;
    MODES.iter().find(|(_, known)| *known == name).map(|(mode, _)| *mode)
}

fn read_pins(value: &Value) -> Option<PublicKeyPins> {
    let fields = value.as_object()?;
    let hash = |value: &Value| <[u8; 32]>::try_from(read_binary(value)?).ok();
    let hashes = fields.get("hashes")?.as_array()?.iter().map(hash).collect::<Option<Vec<_>>>()?;
    PublicKeyPins::from_hashes(text(fields, "host")?, hashes).ok()
}
