//! Configurations of sessions that run elsewhere.

use std::time::Duration;

use super::sent;
use crate::background::form::{
    SharedStorages, configuration_refusal, read_configuration, write_configuration,
};
use crate::clock::Clock;
use crate::configuration::Configuration;
use crate::cookies::{CookieAcceptPolicy, CookieStorage};
use crate::credentials::CredentialStorage;
use crate::hsts::Hsts;
use crate::resolver::Resolver;
use crate::retry::RetryPolicy;
use crate::trust::{Certificate, PublicKeyPins, TlsVersion};

/// What the sessions of this process share.
fn shared() -> SharedStorages {
    SharedStorages { credentials: CredentialStorage::shared(), cookies: CookieStorage::shared() }
}

/// One in which no field is as it is usually.
fn full() -> Configuration {
    let retry_policy = RetryPolicy::attempts(7)
        .statuses([500, 599])
        .broken_connections(false)
        .timeouts(true)
        .forgets_after_progress(true)
        .first_delay(Duration::from_nanos(1))
        .growth(1.1)
        .jitter(0.123_456_789_012_345_68)
        .maximum_delay(Duration::MAX)
        .maximum_retry_after(Duration::from_millis(1));
    let pins = |host: &str| PublicKeyPins::from_hashes(host, [[7; 32], [0xff; 32]]).unwrap();
    let mut configuration = Configuration::background("films")
        .program("shop")
        .state_directory("/state")
        .persists_secrets(true)
        .timeout_for_request(Duration::from_secs(1))
        .timeout_for_resource(Duration::from_micros(2))
        .connect_timeout(Duration::from_secs(3))
        .waits_for_connectivity(true)
        .retry_policy(retry_policy)
        .additional_headers([("Authorization", "Bearer abc"), ("X-A", "1"), ("x-a", "2")])
        .https_only(true)
        .allows_insecure_redirects(true)
        .follows_redirects(false)
        .maximum_redirects(4)
        .base_url("https://ann:pw@shop.test/v2/")
        .decodes_bodies(false)
        .maximum_body_in_memory(5)
        .maximum_concurrent_tasks(6)
        .maximum_connections_per_host(7)
        .progress_interval(Duration::from_secs(8))
        .temporary_directory("/folder/\u{e4}")
        .maximum_idle_connections_per_host(9)
        .maximum_idle_connections(10)
        .idle_connection_timeout(Duration::from_secs(11))
        .tls_minimum_version(TlsVersion::Tls13)
        .tls_maximum_version(TlsVersion::Tls12)
        .additional_roots([Certificate::from_der([1, 2]), Certificate::from_der([])])
        .trusts_system_roots(false)
        .pinned_public_keys([pins("*.shop.test"), pins("[::1]"), pins("10.0.0.1")])
        .cookie_accept_policy(CookieAcceptPolicy::Never)
        .sends_cookies(false)
        .uses_netrc(true)
        .requires_digest_proof(true)
        .hsts(Hsts::InMemory)
        .unix_socket("/run/shop");
    configuration.credential_storage = None;
    configuration.cookie_storage = None;
    configuration
}

/// Compares each field; a new one has to be thought of here.
#[allow(clippy::too_many_lines, reason = "two lines a field")]
fn assert_same(read: Configuration, other: &Configuration) {
    let Configuration {
        identifier,
        program,
        state_directory,
        persists_secrets,
        // It says how to come there.
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
        resolver,
        unix_socket,
        clock,
    } = read;
    assert_eq!(identifier, other.identifier);
    assert_eq!(program, other.program);
    assert_eq!(state_directory, other.state_directory);
    assert_eq!(persists_secrets, other.persists_secrets);
    assert_eq!(timeout_for_request, other.timeout_for_request);
    assert_eq!(timeout_for_resource, other.timeout_for_resource);
    assert_eq!(connect_timeout, other.connect_timeout);
    assert_eq!(waits_for_connectivity, other.waits_for_connectivity);
    assert_eq!(retry_policy, other.retry_policy);
    assert_eq!(additional_headers, other.additional_headers);
    assert_eq!(https_only, other.https_only);
    assert_eq!(allows_insecure_redirects, other.allows_insecure_redirects);
    assert_eq!(follows_redirects, other.follows_redirects);
    assert_eq!(maximum_redirects, other.maximum_redirects);
    assert_eq!(base_url, other.base_url);
    assert_eq!(decodes_bodies, other.decodes_bodies);
    assert_eq!(maximum_body_in_memory, other.maximum_body_in_memory);
    assert_eq!(maximum_concurrent_tasks, other.maximum_concurrent_tasks);
    assert_eq!(maximum_connections_per_host, other.maximum_connections_per_host);
    assert_eq!(progress_interval, other.progress_interval);
    assert_eq!(temporary_directory, other.temporary_directory);
    assert_eq!(maximum_idle_connections_per_host, other.maximum_idle_connections_per_host);
    assert_eq!(maximum_idle_connections, other.maximum_idle_connections);
    assert_eq!(idle_connection_timeout, other.idle_connection_timeout);
    assert_eq!(tls_minimum_version, other.tls_minimum_version);
    assert_eq!(tls_maximum_version, other.tls_maximum_version);
    assert_eq!(additional_roots, other.additional_roots);
    assert_eq!(trusts_system_roots, other.trusts_system_roots);
    assert_eq!(pinned_public_keys, other.pinned_public_keys);
    let is_shared =
        |storage: &Option<CredentialStorage>| storage.as_ref().map(CredentialStorage::is_shared);
    assert_eq!(is_shared(&credential_storage), is_shared(&other.credential_storage));
    let is_shared =
        |storage: &Option<CookieStorage>| storage.as_ref().map(CookieStorage::is_shared);
    assert_eq!(is_shared(&cookie_storage), is_shared(&other.cookie_storage));
    assert_eq!(cookie_accept_policy, other.cookie_accept_policy);
    assert_eq!(sends_cookies, other.sends_cookies);
    assert_eq!(uses_netrc, other.uses_netrc);
    assert_eq!(requires_digest_proof, other.requires_digest_proof);
    assert_eq!(hsts, other.hsts);
    assert!(resolver.is_none() && other.resolver.is_none());
    assert_eq!(unix_socket, other.unix_socket);
    assert!(clock.is_system() && other.clock.is_system());
}

#[test]
fn a_configuration_comes_over_whole() {
    for configuration in [Configuration::default(), Configuration::background("films"), full()] {
        assert_eq!(configuration_refusal(&configuration), None);
        let json = sent(&write_configuration(&configuration, true));
        let shared = shared();
        let (read, omitted) =
            read_configuration(&json, &shared).unwrap_or_else(|| panic!("{json}"));
        assert_same(read, &configuration);
        assert_eq!(omitted, [""; 0]);
    }
}

#[test]
fn secrets_are_written_only_if_they_may_be() {
    let json = write_configuration(&full(), false);
    let text = json.to_string();
    assert!(!text.contains("abc") && !text.contains("pw"), "{text}");
    let (read, omitted) = read_configuration(&json, &shared()).unwrap();
    assert_eq!(omitted, ["Authorization", "base_url"]);
    let mut bare = full().additional_headers([("X-A", "1"), ("x-a", "2")]);
    bare.base_url = None;
    assert_same(read, &bare);

    let cookies = [("Cookie", "a"), ("X-A", "1"), ("cookie", "b"), ("Proxy-Authorization", "c")];
    let configuration =
        Configuration::default().additional_headers(cookies).base_url("https://shop.test/v2/");
    let json = write_configuration(&configuration, false);
    let (read, omitted) = read_configuration(&json, &shared()).unwrap();
    assert_eq!(omitted, ["Cookie", "Proxy-Authorization"]);
    assert_same(read, &configuration.additional_headers([("X-A", "1")]));
}

#[test]
fn what_lies_in_this_process_is_named() {
    let usual = || Configuration::background("films");
    let own = CredentialStorage::new();
    for (configuration, named) in [
        (usual(), None),
        (usual().credential_storage(None), None),
        (usual().resolver(Resolver::new(|_, _| Ok(Vec::new()))), Some("resolver")),
        (usual().credential_storage(own), Some("credential_storage")),
        (usual().cookie_storage(None), None),
        (usual().cookie_storage(CookieStorage::new()), Some("cookie_storage")),
        (usual().clock(Clock::by_hand()), Some("clock")),
    ] {
        let said = configuration_refusal(&configuration);
        assert_eq!(said.is_some(), named.is_some(), "{said:?}");
        assert!(said.unwrap_or_default().contains(named.unwrap_or_default()), "{said:?}");
    }
}

#[test]
fn each_field_that_has_to_be_there_is_missed_and_none_weakens_what_was_asked_for() {
    let json = write_configuration(&full(), true);
    let shared = shared();
    let optional = [
        "base-url",
        "connect",
        "connections-per-host",
        "identifier",
        "idle-connections",
        "idle-per-host",
        "program",
        "state-directory",
        "temporary-directory",
        "unix-socket",
    ];
    for name in json.as_object().unwrap().keys() {
        let mut without = json.clone();
        without.as_object_mut().unwrap().remove(name);
        let is_read = read_configuration(&without, &shared).is_some();
        assert_eq!(is_read, optional.contains(&&**name), "{name}");
    }
    for (name, value) in [
        ("tls-minimum", "1.4".into()),
        ("tls-maximum", "1.0".into()),
        ("roots", vec!["?"].into()),
        ("pins", vec!["a"].into()),
        ("unix-socket", 7.into()),
        ("connect", (-1).into()),
        ("https-only", "yes".into()),
        ("credentials", serde_json::Value::Null),
        ("cookies", 1.into()),
        ("cookie-policy", "sometimes".into()),
    ] {
        let mut other = json.clone();
        other[name] = value;
        assert!(read_configuration(&other, &shared).is_none(), "{name}");
    }
}
