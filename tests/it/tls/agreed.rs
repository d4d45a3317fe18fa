//! What a handshake agrees on: version, protocol, name.

use urlsession::testing::{Answer, Authority, ServedVersion, Server};
use urlsession::{ErrorKind, Session, Stage, TlsVersion};

use super::{everywhere_is, session, trusting};

#[test]
fn the_newest_version_that_both_allow_is_spoken() {
    use ServedVersion::{Tls12 as Serves12, Tls13 as Serves13};
    use TlsVersion::{Tls12, Tls13};

    let authority = Authority::new();
    let identity = authority.identity(&["localhost"]);
    let cases: [(&[ServedVersion], _, _, Option<&str>); 9] = [
        (&[Serves12, Serves13], Tls12, Tls13, Some("TLSv1.3")),
        (&[Serves12, Serves13], Tls12, Tls12, Some("TLSv1.2")),
        (&[Serves12, Serves13], Tls13, Tls13, Some("TLSv1.3")),
        (&[Serves12], Tls12, Tls13, Some("TLSv1.2")),
        (&[Serves12], Tls12, Tls12, Some("TLSv1.2")),
        (&[Serves12], Tls13, Tls13, None),
        (&[Serves13], Tls12, Tls13, Some("TLSv1.3")),
        (&[Serves13], Tls13, Tls13, Some("TLSv1.3")),
        (&[Serves13], Tls12, Tls12, None),
    ];
    for (served, minimum, maximum, expected) in cases {
        let row = format!("{served:?}, {minimum:?} to {maximum:?}");
        let server = Server::builder().tls(&identity).tls_versions(served).start();
        server.handle(|_| Answer::ok("secret"));
        let mut configuration = trusting(&authority);
        configuration.tls_minimum_version = minimum;
        configuration.tls_maximum_version = maximum;
        let session = session(configuration);
        let loaded = session.data(server.url_with_host("localhost", "/"));
        match (loaded, expected) {
            (Ok(data), Some(version)) => {
                assert_eq!(data.text(), "secret", "{row}");
                assert_eq!(server.take_request().tls_version(), Some(version), "{row}");
                // The version does not matter to keeping the connection.
                session.data(server.url_with_host("localhost", "/")).unwrap();
                assert_eq!(server.connection_count(), 1, "{row}");
            }
            (Err(error), None) => {
                assert_eq!(error.kind(), ErrorKind::SecureConnectionFailed, "{row}: {error:?}");
                assert_eq!(error.stage(), Some(Stage::Securing), "{row}");
                assert!(error.to_string().contains("version"), "{row}: {error}");
            }
            (loaded, _) => panic!("{row}: {loaded:?}"),
        }
    }
}

#[test]
fn versions_that_exclude_each_other_are_refused_with_the_session() {
    let mut configuration = trusting(&Authority::new());
    configuration.tls_minimum_version = TlsVersion::Tls13;
    configuration.tls_maximum_version = TlsVersion::Tls12;
    let error = Session::new(configuration).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotSupported);
    assert!(error.to_string().contains("tls_minimum_version"), "{error}");
}

#[test]
fn names_are_sent_to_the_server_and_addresses_are_not() {
    let authority = Authority::new();
    let names = ["localhost", "a.test", "xn--bcher-kva.test", "127.0.0.1"];
    let server = Server::start_tls(&authority.identity(&names));
    server.handle(|_| Answer::ok(""));
    let mut configuration = trusting(&authority);
    configuration.resolver = Some(everywhere_is(&server));
    let session = session(configuration);
    for (host, sni) in [
        ("localhost", Some("localhost")),
        ("A.test", Some("a.test")),
        // RFC 6066 §3: without the dot that ends a name.
        ("a.test.", Some("a.test")),
        ("b\u{fc}cher.test", Some("xn--bcher-kva.test")),
        ("127.0.0.1", None),
    ] {
        session.data(server.url_with_host(host, "/")).unwrap();
        let request = server.take_request();
        assert_eq!(request.sni(), sni, "{host}");
        assert_eq!(request.alpn(), Some(&b"http/1.1"[..]), "{host}");
    }
}

#[test]
fn an_ipv6_address_is_verified_and_not_sent() {
    let authority = Authority::new();
    let identity = authority.identity(&["::1"]);
    let Ok(server) = Server::builder().address("[::1]").tls(&identity).try_start() else {
        return println!("skipped: this machine has no IPv6");
    };
    server.handle(|_| Answer::ok("six"));
    assert_eq!(session(trusting(&authority)).data(server.url("/")).unwrap().text(), "six");
    let request = server.take_request();
    assert_eq!(request.sni(), None);
    assert!(request.header("Host").unwrap().starts_with("[::1]:"));
}

/// The protocol that the server noted, or how the load failed.
type Agreed = Result<Option<&'static [u8]>, ErrorKind>;

#[test]
fn only_http_1_1_is_offered() {
    let authority = Authority::new();
    let identity = authority.identity(&["localhost"]);
    let cases: [(&[&str], Agreed); 4] = [
        (&["h2", "http/1.1"], Ok(Some(b"http/1.1"))),
        (&["http/1.1"], Ok(Some(b"http/1.1"))),
        (&[], Ok(None)),
        (&["h2"], Err(ErrorKind::SecureConnectionFailed)),
    ];
    for (protocols, expected) in cases {
        let server = Server::builder().tls(&identity).alpn(protocols).start();
        server.handle(|_| Answer::ok(""));
        let loaded = session(trusting(&authority)).data(server.url_with_host("localhost", "/"));
        let agreed = loaded.map(|_| server.take_request().alpn().map(<[u8]>::to_vec));
        let agreed = agreed.map_err(|error| error.kind());
        assert_eq!(agreed, expected.map(|name| name.map(<[u8]>::to_vec)), "{protocols:?}");
    }
}

#[test]
fn no_provider_of_cryptography_is_installed_for_the_process() {
    let authority = Authority::new();
    let server = Server::start_tls(&authority.identity(&["localhost"]));
    server.handle(|_| Answer::ok("secret"));
    session(trusting(&authority)).data(server.url_with_host("localhost", "/")).unwrap();
    assert!(rustls::crypto::CryptoProvider::get_default().is_none());
}
