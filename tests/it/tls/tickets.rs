//! What a server says over TLS while nobody asks: tickets for resuming (RFC 8446 §4.6.1), new
//! keys, things that it should not say.
//!
//! The test server says none of this, so there is one here that seals single records itself.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};
use std::{fs, thread};

use rustls::crypto::cipher::{
    InboundOpaqueMessage, MessageDecrypter, MessageEncrypter, OutboundPlainMessage,
};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::{
    ConnectionTrafficSecrets, ContentType, ProtocolVersion, ServerConfig, ServerConnection,
    StreamOwned, SupportedCipherSuite, Tls13CipherSuite, version,
};
use urlsession::Session;
use urlsession::testing::{Authority, Identity};

use super::{session, trusting};

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine";

fn config(identity: &Identity) -> Arc<ServerConfig> {
    let chain = identity.chain_der().iter().cloned().map(CertificateDer::from).collect();
    let key = PrivatePkcs8KeyDer::from(identity.key_der().to_vec());
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&version::TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key.into())
        .unwrap();
    config.send_tls13_tickets = 0;
    config.enable_secret_extraction = true;
    Arc::new(config)
}

type Stream = StreamOwned<ServerConnection, TcpStream>;

fn accept(listener: &TcpListener, config: &Arc<ServerConfig>) -> Stream {
    let connection = ServerConnection::new(Arc::clone(config)).unwrap();
    StreamOwned::new(connection, listener.accept().unwrap().0)
}

/// Reads one request that has no body, and answers it.
fn serve(mut stream: impl Read + Write) {
    let mut lines = BufReader::with_capacity(4096, &mut stream).lines();
    while lines.next().unwrap().unwrap() != "" {}
    stream.write_all(ANSWER).unwrap();
    stream.flush().unwrap();
}

/// A server's side of a connection after the handshake, record by record.
struct Records {
    socket: TcpStream,
    sealing: (Box<dyn MessageEncrypter>, u64),
    opening: (Box<dyn MessageDecrypter>, u64),
    opened: Vec<u8>,
    /// How many bytes were sent since the client became idle.
    sent: u64,
}

impl Records {
    /// Takes over a connection on which nothing is on its way.
    fn of(stream: Stream) -> Self {
        let (connection, socket) = stream.into_parts();
        let Some(SupportedCipherSuite::Tls13(suite)) = connection.negotiated_cipher_suite() else {
            panic!("not TLS 1.3")
        };
        let secrets = connection.dangerous_extract_secrets().unwrap();
        let ((sent, seal), (received, open)) = (secrets.tx, secrets.rx);
        Self {
            socket,
            sealing: (sealer(suite, seal), sent),
            opening: (opener(suite, open), received),
            opened: Vec::new(),
            sent: 0,
        }
    }

    /// Sends bytes as they are.
    fn push(&mut self, bytes: &[u8]) {
        self.socket.write_all(bytes).unwrap();
        self.sent += bytes.len() as u64;
    }

    fn seal(&mut self, typ: ContentType, content: &[u8]) -> Vec<u8> {
        let version = ProtocolVersion::TLSv1_2;
        let plain = OutboundPlainMessage { typ, version, payload: content.into() };
        let sealed = self.sealing.0.encrypt(plain, self.sealing.1).unwrap();
        self.sealing.1 += 1;
        sealed.encode()
    }
}

fn sealer(
    suite: &Tls13CipherSuite,
    secrets: ConnectionTrafficSecrets,
) -> Box<dyn MessageEncrypter> {
    use ConnectionTrafficSecrets::{Aes128Gcm, Aes256Gcm, Chacha20Poly1305};
    match secrets {
        Aes128Gcm { key, iv } | Aes256Gcm { key, iv } | Chacha20Poly1305 { key, iv } => {
            suite.aead_alg.encrypter(key, iv)
        }
        _ => panic!("unknown secrets"),
    }
}

fn opener(
    suite: &Tls13CipherSuite,
    secrets: ConnectionTrafficSecrets,
) -> Box<dyn MessageDecrypter> {
    use ConnectionTrafficSecrets::{Aes128Gcm, Aes256Gcm, Chacha20Poly1305};
    match secrets {
        Aes128Gcm { key, iv } | Aes256Gcm { key, iv } | Chacha20Poly1305 { key, iv } => {
            suite.aead_alg.decrypter(key, iv)
        }
        _ => panic!("unknown secrets"),
    }
}

impl Read for Records {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.opened.is_empty() {
            let mut header = [0; 5];
            self.socket.read_exact(&mut header)?;
            let mut sealed = vec![0; usize::from(u16::from_be_bytes([header[3], header[4]]))];
            self.socket.read_exact(&mut sealed)?;
            let version = ProtocolVersion::TLSv1_2;
            let sealed =
                InboundOpaqueMessage::new(ContentType::from(header[0]), version, &mut sealed);
            let plain = self.opening.0.decrypt(sealed, self.opening.1).unwrap();
            self.opening.1 += 1;
            assert_eq!(plain.typ, ContentType::ApplicationData);
            self.opened.extend_from_slice(plain.payload);
        }
        let count = buffer.len().min(self.opened.len());
        buffer[..count].copy_from_slice(&self.opened[..count]);
        self.opened.drain(..count);
        Ok(count)
    }
}

impl Write for Records {
    fn write(&mut self, content: &[u8]) -> std::io::Result<usize> {
        let sealed = self.seal(ContentType::ApplicationData, content);
        self.push(&sealed);
        Ok(content.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Waits until at least so many bytes wait in the socket of the client.
///
/// That they were sent does not mean that they have arrived. The system lists the other end
/// with the bytes that nobody has read yet.
fn until_received(socket: &TcpStream, count: u64) {
    let guard = Instant::now() + Duration::from_secs(20);
    let ports = (socket.peer_addr().unwrap().port(), socket.local_addr().unwrap().port());
    let port = |address: &str| u16::from_str_radix(address.rsplit(':').next()?, 16).ok();
    let waiting = |line: &str| {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        let ends = (port(words.get(1)?)?, port(words.get(2)?)?);
        let (_, unread) = words.get(4)?.split_once(':')?;
        u64::from_str_radix(unread, 16).ok().filter(|_| ends == ports)
    };
    loop {
        let table = fs::read_to_string("/proc/net/tcp").unwrap();
        if table.lines().find_map(waiting).is_some_and(|unread| unread >= count) {
            return;
        }
        assert!(Instant::now() < guard, "{count} bytes do not arrive:\n{table}");
        thread::yield_now();
    }
}

/// A ticket as a handshake message (RFC 8446 §4.6.1).
fn ticket(number: u8) -> Vec<u8> {
    let mut content = 7200_u32.to_be_bytes().to_vec();
    content.extend_from_slice(&[1, 2, 3, number]);
    content.extend_from_slice(&[1, number]);
    content.extend_from_slice(&32_u16.to_be_bytes());
    content.extend_from_slice(&[number; 32]);
    content.extend_from_slice(&[0, 0]);
    let mut message = vec![4, 0, 0, content.len() as u8];
    message.extend_from_slice(&content);
    message
}

/// Loads twice. Between the two loads `meanwhile` runs on the server, and `before` runs there
/// when the client has begun the second one; `reused` says whether that one must come over the
/// same connection.
fn load_around(meanwhile: fn(&mut Records) -> Vec<u8>, reused: bool, name: &str) {
    let authority = Authority::new();
    let config = config(&authority.identity(&["127.0.0.1"]));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    let (idle, is_idle) = mpsc::channel();
    let (said, has_said) = mpsc::channel();
    let server = thread::spawn(move || {
        let mut stream = accept(&listener, &config);
        serve(&mut stream);
        is_idle.recv().unwrap();
        let mut records = Records::of(stream);
        let rest = meanwhile(&mut records);
        until_received(&records.socket, records.sent);
        said.send(()).unwrap();
        if reused {
            records.push(&rest);
            serve(records);
        } else {
            serve(accept(&listener, &config));
        }
    });
    let session = session(trusting(&authority));
    assert_eq!(load(&session, &url), "fine", "{name}");
    idle.send(()).unwrap();
    has_said.recv().unwrap();
    assert_eq!(load(&session, &url), "fine", "{name}");
    server.join().unwrap();
}

fn load(session: &Session, url: &str) -> String {
    session.data(url).unwrap().text().into_owned()
}

fn send(records: &mut Records, typ: ContentType, content: &[u8]) {
    let sealed = records.seal(typ, content);
    records.push(&sealed);
}

/// What a server says meanwhile; it returns what it says when the second request has begun.
type Says = fn(&mut Records) -> Vec<u8>;

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn what_a_server_says_to_an_idle_connection_decides_whether_that_is_used_again() {
    use ContentType::{Alert, ApplicationData, Handshake};

    let cases: [(&str, Says, bool); 9] = [
        ("nothing", |_| Vec::new(), true),
        (
            "a ticket",
            |records| {
                send(records, Handshake, &ticket(1));
                Vec::new()
            },
            true,
        ),
        (
            "thirty tickets",
            |records| {
                (0..30).for_each(|number| send(records, Handshake, &ticket(number)));
                Vec::new()
            },
            true,
        ),
        (
            "a ticket, of which half comes later",
            |records| {
                let sealed = records.seal(Handshake, &ticket(1));
                let (now, later) = sealed.split_at(20);
                records.push(now);
                later.to_vec()
            },
            true,
        ),
        (
            "an empty record",
            |records| {
                send(records, ApplicationData, b"");
                Vec::new()
            },
            true,
        ),
        (
            "an answer that nobody asked for",
            |records| {
                send(records, ApplicationData, ANSWER);
                Vec::new()
            },
            false,
        ),
        (
            "a ticket and an answer",
            |records| {
                send(records, Handshake, &ticket(1));
                send(records, ApplicationData, ANSWER);
                Vec::new()
            },
            false,
        ),
        (
            "close_notify",
            |records| {
                send(records, Alert, &[1, 0]);
                Vec::new()
            },
            false,
        ),
        (
            "garbage",
            |records| {
                records.push(b"HTTP/1.1 408 Request Timeout\r\n\r\n");
                Vec::new()
            },
            false,
        ),
    ];
    for (name, says, reused) in cases {
        load_around(says, reused, name);
    }
}

#[test]
fn new_keys_that_come_to_an_idle_connection_are_used() {
    let authority = Authority::new();
    let config = config(&authority.identity(&["127.0.0.1"]));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    let (idle, is_idle) = mpsc::channel();
    let (said, has_said) = mpsc::channel();
    let server = thread::spawn(move || {
        let mut stream = accept(&listener, &config);
        serve(&mut stream);
        is_idle.recv().unwrap();
        stream.conn.refresh_traffic_keys().unwrap();
        stream.flush().unwrap();
        until_received(&stream.sock, 1);
        said.send(()).unwrap();
        // The update asks for one of the client, which has to come before its next request
        // (RFC 8446 §4.6.3).
        serve(&mut stream);
    });
    let session = session(trusting(&authority));
    assert_eq!(load(&session, &url), "fine");
    idle.send(()).unwrap();
    has_said.recv().unwrap();
    assert_eq!(load(&session, &url), "fine");
    server.join().unwrap();
}
