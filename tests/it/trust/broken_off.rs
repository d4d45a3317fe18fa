//! A server that breaks the handshake off before it has shown who it is.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use urlsession::testing::Authority;
use urlsession::{Credential, ErrorKind};

use crate::support::deciding::{Deciding, HERE, asking, client, trusting};

/// A message of a handshake (RFC 5246 §7.4).
fn message(typ: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&[typ], &length[1..], body].concat()
}

/// A record of TLS 1.2 (RFC 5246 §6.2.1).
fn record(typ: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    [&[typ, 3, 3], &length[..], content].concat()
}

/// What a server sends up to the request for a certificate, signed by nobody, and an alert.
fn said(certificate: &[u8]) -> Vec<u8> {
    let hello = [&[3, 3][..], &[7; 32], &[0], &[0xc0, 0x2b], &[0]].concat();
    let length = |extra: usize| {
        let length = u32::try_from(certificate.len() + extra).unwrap().to_be_bytes();
        [length[1], length[2], length[3]]
    };
    let shown = [&length(3)[..], &length(0), certificate].concat();
    // X25519, and a signature (ECDSA on P-256) of one byte.
    let keys = [&[3, 0, 0x1d, 32][..], &[9; 32], &[4, 3, 0, 1, 0]].concat();
    // Certificates for ECDSA, signed by that, of any authority.
    let request = [1, 0x40, 0, 2, 4, 3, 0, 0];
    let handshake =
        [message(2, &hello), message(11, &shown), message(12, &keys), message(13, &request)];
    let failure = [2, 40];
    [record(22, &handshake.concat()), record(21, &failure)].concat()
}

#[test]
fn nobody_is_asked_for_a_certificate_by_a_server_that_has_not_proven_its_own() {
    let authority = Authority::new();
    let made = authority.identity(HERE);
    let delegate = Deciding::showing(Credential::from_identity(&client(&authority, "ann")));
    let session = asking(trusting(&authority), &delegate);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        assert!(stream.read(&mut [0; 4096]).unwrap() > 0);
        stream.write_all(&said(made.certificate_der())).unwrap();
        // Until the client leaves.
        while stream.read(&mut [0; 4096]).is_ok_and(|count| count > 0) {}
    });
    let error = session.data(url).unwrap_err();
    server.join().unwrap();
    assert_eq!(delegate.take_asked(), []);
    assert_eq!(error.kind(), ErrorKind::SecureConnectionFailed, "{error:?}");
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("HandshakeFailure"), "{cause}");
}
