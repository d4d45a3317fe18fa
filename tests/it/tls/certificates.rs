//! Which certificates are believed.

use std::time::{Duration, SystemTime};

use urlsession::testing::{Answer, Authority, Counters, Identity, IdentityBuilder, Server};
use urlsession::{Certificate, Clock, ErrorKind, Stage};

use super::{everywhere_is, session, trusting};
use crate::support::gone::all_gone;

const HERE: &[&str] = &["localhost"];

#[test]
fn a_root_that_was_added_is_trusted_without_the_systems() {
    let authority = Authority::new();
    let server = Server::start_tls(&authority.identity(&["localhost", "127.0.0.1"]));
    server.handle(|_| Answer::ok("secret"));
    let mut configuration = trusting(&authority);
    configuration.additional_roots =
        Certificate::from_pem(authority.certificate_pem()).expect("one certificate");
    for configuration in [configuration, trusting(&authority)] {
        let session = session(configuration);
        let counters = Counters::of(&session);
        for url in [server.url("/"), server.url_with_host("localhost", "/")] {
            assert_eq!(session.data(&url).unwrap().text(), "secret", "{url}");
        }
        drop(session);
        all_gone(&counters, "");
    }
}

#[test]
fn a_root_that_is_no_certificate_is_refused_with_the_session() {
    let mut configuration = trusting(&Authority::new());
    configuration.additional_roots.push(Certificate::from_der(*b"no certificate"));
    let error = urlsession::Session::new(configuration).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ServerCertificateUntrusted);
    assert!(error.to_string().contains("additional_roots"), "{error}");
}

#[test]
fn without_any_root_no_server_is_trusted() {
    let authority = Authority::new();
    let server = Server::start_tls(&authority.identity(HERE));
    let mut configuration = trusting(&authority);
    configuration.additional_roots.clear();
    let error = session(configuration).data(server.url("/")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ServerCertificateHasUnknownRoot, "{error}");
    assert!(error.to_string().contains("no root certificate is known"), "{error}");
}

#[test]
fn a_certificate_is_valid_by_the_date_of_the_sessions_clock() {
    let (authority, clock) = (Authority::new(), Clock::by_hand());
    let (now, hour) = (SystemTime::now(), Duration::from_secs(3600));
    let builder = authority.identity_builder(HERE);
    let server = Server::start_tls(&builder.valid_between(now + hour, now + 3 * hour).build());
    server.handle(|_| Answer::ok("secret"));
    let mut configuration = trusting(&authority);
    configuration.clock = clock.clone();
    let session = session(configuration);
    let kinds = [0, 2, 2].map(|hours| {
        clock.advance(hours * hour);
        session.reset();
        session.data(server.url_with_host("localhost", "/")).err().map(|error| error.kind())
    });
    let (early, late) =
        (ErrorKind::ServerCertificateNotYetValid, ErrorKind::ServerCertificateHasBadDate);
    assert_eq!(kinds, [Some(early), None, Some(late)]);
}

/// What a server shows, the host of the URL, and what becomes of the load.
pub(crate) type Case = (&'static str, IdentityBuilder, &'static str, Result<(), ErrorKind>);

#[expect(clippy::too_many_lines, reason = "a table")]
pub(crate) fn cases(root: &Authority) -> Vec<Case> {
    use ErrorKind::{
        ServerCertificateHasBadDate as BadDate, ServerCertificateHasUnknownRoot as UnknownRoot,
        ServerCertificateNotYetValid as NotYetValid, ServerCertificateUntrusted as Untrusted,
    };

    let lower = root.intermediate().intermediate();
    let stranger = Authority::new();
    let (now, hour) = (SystemTime::now(), Duration::from_secs(3600));
    let wildcard = || root.identity_builder(&["*.a.test"]);
    vec![
        ("name", root.identity_builder(HERE), "localhost", Ok(())),
        ("one of its names", root.identity_builder(&["a.test", "b.test"]), "b.test", Ok(())),
        ("capitals in the URL", root.identity_builder(&["a.test"]), "A.TEST", Ok(())),
        ("IDN", root.identity_builder(&["xn--bcher-kva.test"]), "b\u{fc}cher.test", Ok(())),
        ("another name", root.identity_builder(&["other.test"]), "localhost", Err(Untrusted)),
        ("wildcard", wildcard(), "b.a.test", Ok(())),
        ("wildcard, two labels", wildcard(), "c.b.a.test", Err(Untrusted)),
        ("wildcard, no label", wildcard(), "a.test", Err(Untrusted)),
        ("wildcard, other domain", wildcard(), "b.c.test", Err(Untrusted)),
        (
            "wildcard, on an address",
            root.identity_builder(&["*.0.0.1"]),
            "127.0.0.1",
            Err(Untrusted),
        ),
        ("address", root.identity_builder(&["127.0.0.1"]), "127.0.0.1", Ok(())),
        ("another address", root.identity_builder(&["127.0.0.2"]), "127.0.0.1", Err(Untrusted)),
        ("name, asked by address", root.identity_builder(HERE), "127.0.0.1", Err(Untrusted)),
        ("address, asked by name", root.identity_builder(&["127.0.0.1"]), "a.test", Err(Untrusted)),
        ("address in octal", root.identity_builder(&["127.0.0.1"]), "0177.1", Ok(())),
        ("expired", root.identity_builder(HERE).expired(), "localhost", Err(BadDate)),
        (
            "expired an hour ago",
            root.identity_builder(HERE).valid_between(now - 2 * hour, now - hour),
            "localhost",
            Err(BadDate),
        ),
        (
            "not yet valid",
            root.identity_builder(HERE).not_yet_valid(),
            "localhost",
            Err(NotYetValid),
        ),
        (
            "for clients",
            root.identity_builder(HERE).for_clients_only(),
            "localhost",
            Err(Untrusted),
        ),
        ("with the root", root.identity_builder(HERE).with_root(), "localhost", Ok(())),
        ("two intermediates", lower.identity_builder(HERE), "localhost", Ok(())),
        (
            "intermediates in reverse",
            lower.identity_builder(HERE).with_intermediates_reversed(),
            "localhost",
            Ok(()),
        ),
        (
            "no intermediate",
            lower.identity_builder(HERE).without_intermediates(),
            "localhost",
            Err(UnknownRoot),
        ),
        (
            "own certificate last",
            lower.identity_builder(HERE).with_own_certificate_last(),
            "localhost",
            Err(Untrusted),
        ),
        ("unknown root", stranger.identity_builder(HERE), "localhost", Err(UnknownRoot)),
        (
            "unknown root, shown",
            stranger.identity_builder(HERE).with_root(),
            "localhost",
            Err(UnknownRoot),
        ),
        ("self-signed", Identity::self_signed_builder(HERE), "localhost", Err(UnknownRoot)),
        (
            "expired and unknown",
            stranger.identity_builder(HERE).expired(),
            "localhost",
            Err(BadDate),
        ),
    ]
}

#[test]
fn a_certificate_is_believed_only_if_every_check_passes() {
    let root = Authority::new();
    for (name, identity, host, expected) in cases(&root) {
        let server = Server::start_tls(&identity.build());
        server.handle(|_| Answer::ok("secret"));
        let mut configuration = trusting(&root);
        configuration.resolver = Some(everywhere_is(&server));
        let session = session(configuration);
        let counters = Counters::of(&session);
        let loaded = session.data(server.url_with_host(host, "/a?token=s3cret"));
        match loaded {
            Ok(data) => {
                assert_eq!(Ok(()), expected, "{name}");
                assert_eq!(data.text(), "secret", "{name}");
            }
            Err(error) => {
                assert_eq!(Err(error.kind()), expected, "{name}: {error:?}");
                assert_eq!(error.stage(), Some(Stage::Securing), "{name}");
                assert!(error.failing_url().is_some_and(|url| url.ends_with("/a")), "{name}");
                // Nothing of the request went out, and the server was told why.
                server.wait_until(|stats| stats.failed_handshakes == 1);
                assert_eq!(server.request_count(), 0, "{name}");
                let told = server.handshake_errors();
                assert!(told[0].contains("received fatal alert"), "{name}: {told:?}");
                assert_eq!(counters.sockets(), 0, "{name}");
            }
        }
    }
}

#[test]
fn a_certificate_for_one_host_opens_no_connection_to_another() {
    let authority = Authority::new();
    let server = Server::start_tls(&authority.identity(&["a.test"]));
    server.handle(|_| Answer::ok("secret"));
    let mut configuration = trusting(&authority);
    configuration.resolver = Some(everywhere_is(&server));
    let session = session(configuration);
    session.data(server.url_with_host("a.test", "/")).unwrap();
    let error = session.data(server.url_with_host("b.test", "/")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ServerCertificateUntrusted);
    assert_eq!(server.request_count(), 1);
    // A failure does not spoil the session for the host whose certificate is fine.
    session.data(server.url_with_host("a.test", "/")).unwrap();
    assert_eq!(server.stats().handshakes, 1);
}

#[test]
fn a_server_that_asks_for_a_certificate_is_told_that_there_is_none() {
    use urlsession::testing::ServedVersion::{Tls12, Tls13};

    let authority = Authority::new();
    let identity = authority.identity(HERE);
    for version in [Tls12, Tls13] {
        let builder = || Server::builder().tls(&identity).tls_versions(&[version]);
        let asking = builder().ask_for_client_certificate(&authority).start();
        asking.handle(|_| Answer::ok("secret"));
        let session = session(trusting(&authority));
        let data = session.data(asking.url_with_host("localhost", "/")).unwrap();
        assert_eq!(data.text(), "secret");
        assert!(asking.take_request().client_certificates().is_empty());

        let requiring = builder().require_client_certificate(&authority).start();
        let error = session.data(requiring.url_with_host("localhost", "/")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ClientCertificateRequired, "{version:?}: {error:?}");
    }
}
