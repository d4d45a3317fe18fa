//! A handshake that is resumed skips no decision.

use std::time::{Duration, SystemTime};

use urlsession::testing::{Answer, Authority, Identity, ServedVersion, Server};
use urlsession::{Clock, Credential, Disposition, ErrorKind, Persistence, Session};

use crate::support::deciding::{
    Deciding, HERE, about_client, about_server, asking, by_clock, client, trusting,
};

const VERSIONS: [ServedVersion; 2] = [ServedVersion::Tls12, ServedVersion::Tls13];

/// A server that closes after each answer, so that every load takes a handshake.
fn server(identity: &Identity, version: ServedVersion) -> Server {
    let server = Server::builder().tls(identity).tls_versions(&[version]).start();
    server.handle(|_| Answer::ok("").header("Connection", "close"));
    server
}

#[test]
fn the_delegate_is_asked_about_a_server_whose_handshake_was_resumed() {
    let authority = Authority::new();
    for version in VERSIONS {
        let server = server(&authority.identity(HERE), version);
        let delegate = Deciding::accepting();
        let session = asking(trusting(&authority), &delegate);
        for resumed in [false, true, true] {
            session.data(server.url_with_host("localhost", "/")).unwrap();
            assert_eq!(server.take_request().tls_resumed(), resumed, "{version:?}");
            assert_eq!(delegate.take_asked(), [about_server(None)], "{version:?}");
        }
    }
}

#[test]
fn a_delegate_can_refuse_what_another_load_had_accepted() {
    let authority = Authority::new();
    for version in VERSIONS {
        let server = server(&authority.identity(HERE), version);
        let session = Session::new(trusting(&authority)).unwrap();
        session.data(server.url_with_host("localhost", "/")).unwrap();
        let delegate = Deciding::always(Disposition::RejectProtectionSpace);
        let task = session.data_task(server.url_with_host("localhost", "/"));
        task.set_delegate(delegate.clone() as std::sync::Arc<dyn urlsession::Delegate>).unwrap();
        let error = task.run().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ServerCertificateUntrusted, "{version:?}");
        assert_eq!(server.request_count(), 1, "{version:?}");
    }
}

#[test]
fn a_certificate_that_has_expired_meanwhile_is_not_resumed() {
    let authority = Authority::new();
    let (now, hour, clock) = (SystemTime::now(), Duration::from_secs(3600), Clock::by_hand());
    let builder = authority.identity_builder(HERE);
    let identity = builder.valid_between(now - hour, now + hour).build();
    // A session would offer what it remembers of the newer version to the older server, too.
    let pairs = VERSIONS.map(|version| {
        let session = Session::new(by_clock(&authority, &clock)).unwrap();
        (server(&identity, version), session)
    });
    for (server, session) in &pairs {
        session.data(server.url_with_host("localhost", "/")).unwrap();
    }
    clock.advance(2 * hour);
    for ((server, session), version) in pairs.iter().zip(VERSIONS) {
        let error = session.data(server.url_with_host("localhost", "/")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ServerCertificateHasBadDate, "{version:?}: {error:?}");
        // It was resumed and left, and then shaken hands with anew.
        server.wait_until(|stats| stats.open_connections == 0 && stats.connections == 3);
        assert_eq!(server.request_count(), 1, "{version:?}");
    }
}

#[test]
fn what_was_accepted_against_the_evaluation_is_never_resumed() {
    let (mine, stranger) = (Authority::new(), Authority::new());
    for version in VERSIONS {
        let server = server(&stranger.identity(HERE), version);
        let delegate = Deciding::accepting();
        let session = asking(trusting(&mine), &delegate);
        let unknown = Some(ErrorKind::ServerCertificateHasUnknownRoot);
        for _ in 0..2 {
            session.data(server.url_with_host("localhost", "/")).unwrap();
            assert!(!server.take_request().tls_resumed(), "{version:?}");
            assert_eq!(delegate.take_asked(), [about_server(unknown)], "{version:?}");
        }
    }
}

#[test]
fn a_server_that_asks_who_connects_is_never_resumed() {
    let authority = Authority::new();
    let identity = client(&authority, "ann");
    for version in VERSIONS {
        let builder = Server::builder().tls(&authority.identity(HERE)).tls_versions(&[version]);
        let server = builder.ask_for_client_certificate(&authority).start();
        server.handle(|_| Answer::ok("").header("Connection", "close"));
        let credential = Credential::from_identity(&identity);
        let credential = credential.with_persistence(Persistence::None).unwrap();
        let delegate = Deciding::showing(credential);
        let session = asking(trusting(&authority), &delegate);
        for _ in 0..2 {
            session.data(server.url_with_host("localhost", "/")).unwrap();
            let request = server.take_request();
            assert!(!request.tls_resumed(), "{version:?}");
            assert_eq!(request.client_certificates().len(), 1, "{version:?}");
            assert_eq!(delegate.take_asked(), [about_server(None), about_client()], "{version:?}");
        }
    }
}
