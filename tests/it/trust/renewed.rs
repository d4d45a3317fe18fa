//! A server that gets another certificate while it remembers its handshakes.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, SystemTime};

use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{
    HandshakeKind, ServerConfig, ServerConnection, StreamOwned, SupportedProtocolVersion, version,
};
use urlsession::Clock;
use urlsession::testing::{Authority, Identity};

use crate::support::deciding::{Deciding, HERE, about_server, asking, by_clock};

/// Shows what it has got at the moment.
#[derive(Debug)]
struct Shown(Mutex<Arc<CertifiedKey>>);

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.lock().unwrap().clone())
    }
}

fn certified(identity: &Identity) -> Arc<CertifiedKey> {
    let chain = identity.chain_der().iter().cloned().map(CertificateDer::from).collect();
    let key = PrivatePkcs8KeyDer::from(identity.key_der().to_vec()).into();
    Arc::new(CertifiedKey::from_der(chain, key, &ring::default_provider()).unwrap())
}

fn config(version: &'static SupportedProtocolVersion, shown: &Arc<Shown>) -> Arc<ServerConfig> {
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(shown.clone());
    Arc::new(config)
}

/// Answers one request on each connection, and returns how the handshakes of those were that
/// carried one, until it has answered two.
fn serve(listener: &TcpListener, config: &Arc<ServerConfig>) -> Vec<HandshakeKind> {
    let mut kinds = Vec::new();
    while kinds.len() < 2 {
        let connection = ServerConnection::new(config.clone()).unwrap();
        let mut stream = StreamOwned::new(connection, listener.accept().unwrap().0);
        let mut lines = BufReader::new(&mut stream).lines().map_while(Result::ok);
        if !lines.any(|line| line.is_empty()) {
            continue;
        }
        let answer = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\nfine";
        stream.write_all(answer).unwrap();
        stream.conn.send_close_notify();
        stream.flush().unwrap();
        kinds.extend(stream.conn.handshake_kind());
    }
    kinds
}

#[test]
fn what_a_server_shows_by_now_counts_once_its_remembered_certificate_has_expired() {
    let authority = Authority::new();
    for version in [&version::TLS12, &version::TLS13] {
        let (now, hour, clock) = (SystemTime::now(), Duration::from_secs(3600), Clock::by_hand());
        let builder = authority.identity_builder(HERE);
        let old = builder.valid_between(now - hour, now + hour).build();
        let shown = Arc::new(Shown(Mutex::new(certified(&old))));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("https://localhost:{}/", listener.local_addr().unwrap().port());
        let config = config(version, &shown);
        let server = thread::spawn(move || serve(&listener, &config));
        let delegate = Deciding::accepting();
        let session = asking(by_clock(&authority, &clock), &delegate);
        session.data(&url).unwrap();
        clock.advance(2 * hour);
        *shown.0.lock().unwrap() = certified(&authority.identity(HERE));
        assert_eq!(session.data(&url).unwrap().text(), "fine", "{version:?}");
        assert_eq!(server.join().unwrap(), [HandshakeKind::Full; 2], "{version:?}");
        // Of what it shows no more, nobody is told.
        assert_eq!(delegate.take_asked(), [about_server(None); 2], "{version:?}");
    }
}
