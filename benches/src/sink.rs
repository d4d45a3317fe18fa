//! The server of the uploads: reads bodies, keeps nothing, and answers how many bytes came.
//!
//! nginx cannot do that: it answers before the body has come, or writes the body to a file.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::thread;

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned, version};

use crate::Failure;

/// Prints the ports for plain connections and TLS, and serves until it is killed.
pub(crate) fn serve(certificate: &Path, key: &Path) -> Result<(), Failure> {
    let plain = TcpListener::bind(("127.0.0.1", 0))?;
    let tls = TcpListener::bind(("127.0.0.1", 0))?;
    let config = Arc::new(settings(certificate, key)?);
    println!("{} {}", plain.local_addr()?.port(), tls.local_addr()?.port());
    let secure = thread::spawn(move || {
        accept(&tls, |socket| {
            let session = ServerConnection::new(Arc::clone(&config))?;
            Ok(StreamOwned::new(session, socket))
        })
    });
    accept(&plain, Ok)?;
    secure.join().map_err(|_| "the TLS listener panicked")?
}

/// The same version and cipher suite as nginx has here.
fn settings(certificate: &Path, key: &Path) -> Result<ServerConfig, Failure> {
    let provider = CryptoProvider {
        cipher_suites: vec![ring::cipher_suite::TLS13_AES_128_GCM_SHA256],
        ..ring::default_provider()
    };
    let chain = vec![CertificateDer::from_pem_file(certificate)?];
    let config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&version::TLS13])?
        .with_no_client_auth()
        .with_single_cert(chain, PrivateKeyDer::from_pem_file(key)?)?;
    Ok(config)
}

fn accept<S: Read + Write + Send + 'static>(
    listener: &TcpListener,
    stream: impl Fn(TcpStream) -> Result<S, Failure>,
) -> Result<(), Failure> {
    loop {
        let (socket, _) = listener.accept()?;
        socket.set_nodelay(true)?;
        let mut stream = stream(socket)?;
        thread::spawn(move || {
            if let Err(failure) = answer_all(&mut stream) {
                eprintln!("sink: {failure}");
            }
        });
    }
}

/// Answers one request after the other, until the client closes the connection.
fn answer_all(stream: &mut (impl Read + Write)) -> Result<(), Failure> {
    let mut buffer = vec![0; 256 * 1024];
    let mut filled = 0;
    loop {
        let Some(end) = buffer[..filled].windows(4).position(|four| four == b"\r\n\r\n") else {
            // Who closes without saying so in TLS leaves as well.
            match stream.read(&mut buffer[filled..]) {
                Ok(0) | Err(_) if filled == 0 => return Ok(()),
                Ok(0) => return Err("a head ended early".into()),
                Ok(read) => filled += read,
                Err(error) => return Err(error.into()),
            }
            continue;
        };
        let length = announced(std::str::from_utf8(&buffer[..end])?)?;
        let mut count = (filled - end - 4) as u64;
        while count < length {
            match stream.read(&mut buffer)? {
                0 => return Err("a body ended early".into()),
                read => count += read as u64,
            }
        }
        filled = 0;
        let text = count.to_string();
        write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{text}", text.len())?;
        stream.flush()?;
    }
}

fn announced(head: &str) -> Result<u64, Failure> {
    let fields = head.lines().filter_map(|line| line.split_once(':'));
    let mut lengths = fields.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let (_, length) = lengths.next().ok_or("a body without Content-Length")?;
    Ok(length.trim().parse()?)
}
