use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::{GUARD, get};
use crate::testing::{
    Answer, Authority, HandshakeFault, Identity, IdentityBuilder, ServedVersion, Server,
};

type Client = StreamOwned<ClientConnection, TcpStream>;

fn config(trusted: &[u8], identity: Option<&Identity>) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(trusted)).unwrap();
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let mut config = match identity {
        None => builder.with_no_client_auth(),
        Some(identity) => {
            let chain = identity.chain_der().iter().cloned().map(CertificateDer::from).collect();
            let key = PrivatePkcs8KeyDer::from(identity.key_der().to_vec());
            builder.with_client_auth_cert(chain, key.into()).unwrap()
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Arc::new(config)
}

fn connect(server: &Server, config: &Arc<ClientConfig>, name: &str) -> Client {
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let socket = TcpStream::connect(server.address()).unwrap();
    socket.set_read_timeout(Some(GUARD)).unwrap();
    StreamOwned::new(ClientConnection::new(Arc::clone(config), name).unwrap(), socket)
}

/// Sends a GET and reads to the end.
fn exchange(mut client: Client) -> io::Result<String> {
    client.write_all(get("/").as_bytes())?;
    let mut answer = String::new();
    client.read_to_string(&mut answer)?;
    Ok(answer)
}

#[test]
fn a_client_that_trusts_the_authority_is_served() {
    let authority = Authority::new();
    let server = Server::start_tls(&authority.identity(&["localhost", "127.0.0.1"]));
    server.handle(|_| Answer::ok("secret").close_after_answer());
    let config = config(authority.certificate_der(), None);
    for name in ["localhost", "127.0.0.1"] {
        let answer = exchange(connect(&server, &config, name)).unwrap();
        assert!(answer.ends_with("\r\n\r\nsecret"));
    }
    let request = server.take_request();
    assert_eq!((request.sni(), request.tls_version()), (Some("localhost"), Some("TLSv1.3")));
    assert_eq!(request.alpn(), Some(&b"http/1.1"[..]));
    assert!(!request.tls_resumed() && request.client_certificates().is_empty());
    assert_eq!(server.take_request().sni(), None);
    assert_eq!(server.stats().handshakes, 2);
}

#[test]
fn versions_alpn_and_resumption_are_the_servers_choice() {
    let authority = Authority::new();
    let identity = authority.identity(&["localhost"]);
    let cases = [
        (ServedVersion::Tls12, "TLSv1.2", true),
        (ServedVersion::Tls12, "TLSv1.2", false),
        (ServedVersion::Tls13, "TLSv1.3", true),
        (ServedVersion::Tls13, "TLSv1.3", false),
    ];
    for (version, name, resumption) in cases {
        let builder = Server::builder().tls(&identity).tls_versions(&[version]);
        let server = builder.alpn(&[]).tls_resumption(resumption).start();
        server.handle(|_| Answer::ok("").close_after_answer());
        let config = config(authority.certificate_der(), None);
        for resumed in [false, resumption] {
            exchange(connect(&server, &config, "localhost")).unwrap();
            let request = server.take_request();
            assert_eq!((request.tls_version(), request.alpn()), (Some(name), None));
            assert_eq!(request.tls_resumed(), resumed, "{name}");
        }
    }
}

#[test]
fn identities_are_broken_in_the_chosen_way_only() {
    const HERE: &[&str] = &["localhost"];
    let root = Authority::new();
    let lower = root.intermediate().intermediate();
    let hour = Duration::from_secs(3600);
    let now = SystemTime::now();
    let fine = "";
    let cases: Vec<(IdentityBuilder, &str, &str)> = vec![
        (root.identity_builder(HERE), "localhost", fine),
        (root.identity_builder(&["*.a.test"]), "b.a.test", fine),
        (root.identity_builder(&["*.a.test"]), "c.b.a.test", "not valid for name"),
        (root.identity_builder(&["*.a.test"]), "a.test", "not valid for name"),
        (root.identity_builder(&["other.test"]), "localhost", "not valid for name"),
        (root.identity_builder(&["localhost"]), "127.0.0.1", "not valid for name"),
        (root.identity_builder(HERE).expired(), "localhost", "expired"),
        (root.identity_builder(HERE).not_yet_valid(), "localhost", "not valid yet"),
        (root.identity_builder(HERE).valid_between(now - hour, now + hour), "localhost", fine),
        (
            root.identity_builder(HERE).valid_between(now - 2 * hour, now - hour),
            "localhost",
            "expired",
        ),
        (root.identity_builder(HERE).for_clients_only(), "localhost", "key usage"),
        (root.identity_builder(HERE).for_servers_only(), "localhost", fine),
        (root.identity_builder(HERE).with_root(), "localhost", fine),
        (lower.identity_builder(HERE), "localhost", fine),
        (lower.identity_builder(HERE).with_root(), "localhost", fine),
        (lower.identity_builder(HERE).with_intermediates_reversed(), "localhost", fine),
        (lower.identity_builder(HERE).without_intermediates(), "localhost", "UnknownIssuer"),
        (lower.identity_builder(HERE).with_own_certificate_last(), "localhost", "certificate"),
        (Authority::new().identity_builder(HERE), "localhost", "UnknownIssuer"),
        (Identity::self_signed_builder(HERE), "localhost", "UnknownIssuer"),
    ];
    let config = config(root.certificate_der(), None);
    for (builder, name, expected) in cases {
        let shown = format!("{builder:?} as {name}");
        let server = Server::start_tls(&builder.build());
        server.handle(|_| Answer::ok("fine").close_after_answer());
        match exchange(connect(&server, &config, name)) {
            Ok(answer) => {
                assert_eq!(expected, fine, "{shown}");
                assert!(answer.ends_with("fine"));
            }
            Err(error) => {
                assert!(
                    !expected.is_empty() && error.to_string().contains(expected),
                    "{shown}: {error}"
                );
                server.wait_until(|stats| stats.failed_handshakes == 1);
                assert_eq!(server.handshake_errors().len(), 1);
            }
        }
    }
}

#[test]
fn the_chain_is_shown_in_the_order_that_was_chosen() {
    let root = Authority::new();
    let upper = root.intermediate();
    let lower = upper.intermediate();
    let build = |change: fn(IdentityBuilder) -> IdentityBuilder| {
        let identity = change(lower.identity_builder(&["localhost"])).build();
        let letter = |der: &Vec<u8>| match der {
            der if der == identity.certificate_der() => 'o',
            der if der == lower.certificate_der() => 'l',
            der if der == upper.certificate_der() => 'u',
            der if der == root.certificate_der() => 'r',
            _ => '?',
        };
        identity.chain_der().iter().map(letter).collect::<String>()
    };
    assert_eq!(build(|it| it), "olu");
    assert_eq!(build(|it| it.with_root()), "olur");
    assert_eq!(build(|it| it.without_intermediates()), "o");
    assert_eq!(build(|it| it.with_intermediates_reversed()), "oul");
    assert_eq!(build(|it| it.with_own_certificate_last()), "luo");
    assert_eq!(lower.identity(&["localhost"]).chain_pem().matches("BEGIN").count(), 3);
}

#[test]
fn clients_can_be_asked_who_they_are() {
    let authority = Authority::new();
    let identity = authority.identity(&["localhost"]);
    let known = authority.identity_builder(&["somebody"]).for_clients_only().build();
    let unknown = Authority::new().identity(&["somebody"]);
    let asking = Server::builder().tls(&identity).ask_for_client_certificate(&authority).start();
    let requiring = Server::builder().tls(&identity).require_client_certificate(&authority).start();
    let cases = [
        (&asking, None, true),
        (&asking, Some(&known), true),
        (&asking, Some(&unknown), false),
        (&requiring, None, false),
        (&requiring, Some(&known), true),
        (&requiring, Some(&unknown), false),
    ];
    for server in [&asking, &requiring] {
        server.handle(|_| Answer::ok("").close_after_answer());
    }
    for (server, identity, served) in cases {
        let config = config(authority.certificate_der(), identity);
        let result = exchange(connect(server, &config, "localhost"));
        assert_eq!(result.is_ok(), served, "{identity:?} {result:?}");
        if served {
            let request = server.take_request();
            let shown = identity.map_or(&[][..], Identity::chain_der);
            assert_eq!(request.client_certificates(), shown);
        }
    }
}

#[test]
fn the_end_of_tls_can_be_cut_off() {
    let authority = Authority::new();
    let server = Server::start_tls(&authority.identity(&["localhost"]));
    let config = config(authority.certificate_der(), None);
    let cases = [
        (Answer::ok("hello").until_close(), None),
        (Answer::ok("hello").until_close().without_close_notify(), Some("UnexpectedEof")),
        (Answer::ok("hello").truncate_after(2), None),
        (Answer::ok("hello").truncate_after(2).without_close_notify(), Some("UnexpectedEof")),
        // Wine 8 shuts down every socket that it closes, so that an end may be seen before.
        #[cfg(not(windows))]
        (Answer::ok("hello").reset_after_answer(), Some("ConnectionReset")),
    ];
    for (answer, expected) in cases {
        let shown = format!("{answer:?}");
        server.enqueue(answer);
        let result = exchange(connect(&server, &config, "localhost"));
        let kind = result.err().map(|error| format!("{:?}", error.kind()));
        assert_eq!(kind.as_deref(), expected, "{shown}");
    }
}

#[test]
fn stalls_and_idle_ends_work_through_tls() {
    let authority = Authority::new();
    let server = Server::start_tls(&authority.identity(&["localhost"]));
    let config = config(authority.certificate_der(), None);
    server.enqueue(Answer::ok("0123456789").stall_in_body_after(3));
    let mut client = connect(&server, &config, "localhost");
    client.write_all(get("/").as_bytes()).unwrap();
    server.wait_until(|stats| stats.stalled == 1);
    server.release();
    let mut answer = vec![0; "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789".len()];
    client.read_exact(&mut answer).unwrap();
    server.close_idle_connections();
    assert_eq!(client.read(&mut answer).unwrap(), 0);

    server.enqueue(Answer::ok("a").stall_after_head());
    let mut client = connect(&server, &config, "localhost");
    client.write_all(get("/").as_bytes()).unwrap();
    server.wait_until(|stats| stats.stalled == 1);
    drop(client);
    server.wait_until(|stats| stats.open_connections == 0);
}

#[test]
fn large_bodies_go_both_ways_through_tls() {
    const LENGTH: usize = 3_000_000;
    let authority = Authority::new();
    let server = Server::start_tls(&authority.identity(&["localhost"]));
    let config = config(authority.certificate_der(), None);
    server.enqueue(Answer::status(200).body_of_size(LENGTH as u64).close_after_answer());
    let mut client = connect(&server, &config, "localhost");
    client.write_all(super::post(LENGTH).as_bytes()).unwrap();
    client.write_all(&vec![b'x'; LENGTH]).unwrap();
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).unwrap();
    assert!(answer.ends_with(b"xyzabc") || answer.len() > LENGTH);
    assert_eq!(server.take_request().body_length(), LENGTH as u64);
}

#[test]
fn handshakes_fail_as_told() {
    let authority = Authority::new();
    let server = Server::start_tls(&authority.identity(&["localhost"]));
    let config = config(authority.certificate_der(), None);
    let cases = [
        (HandshakeFault::Close, "end of file"),
        (HandshakeFault::Reset, "reset"),
        (HandshakeFault::garbage(), "corrupt"),
        (HandshakeFault::Alert(40), "HandshakeFailure"),
        (HandshakeFault::Alert(70), "ProtocolVersion"),
    ];
    for (fault, told) in cases {
        server.fail_next_handshake(fault.clone());
        let error = exchange(connect(&server, &config, "localhost")).unwrap_err().to_string();
        assert!(error.contains(told), "{fault:?}: {error}");
    }
    server.fail_next_handshake(HandshakeFault::Stall);
    let mut client = connect(&server, &config, "localhost");
    client.sock.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    assert!(client.write_all(b"x").is_err());
    server.wait_until(|stats| stats.stalled == 1 && stats.failed_handshakes == 6);
}
