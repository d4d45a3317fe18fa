//! The hand-written loop: a constant request, a search for the end of the head and a
//! `Content-Length`. It is the bound, not a client: it checks nothing else.
//! Over TLS it is rustls around the same socket, without anything between.

use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::{ACCEPT_ENCODING, Client, Shared, USER_AGENT, expect_ok};
use crate::Failure;

/// How much of a file is sent or received at a time.
const BUFFER: usize = 64 * 1024;

trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

struct Settings {
    ca: Option<PathBuf>,
}

struct Socket {
    tls: Option<Arc<ClientConfig>>,
    stream: Option<Box<dyn Stream>>,
    request: Vec<u8>,
    received: Vec<u8>,
}

pub(super) fn open(ca: Option<&Path>) -> Result<Box<dyn Shared>, Failure> {
    Ok(Box::new(Settings { ca: ca.map(Path::to_owned) }))
}

impl Shared for Settings {
    fn for_thread(&self) -> Result<Box<dyn Client>, Failure> {
        let tls = match &self.ca {
            Some(path) => Some(trusting(path)?),
            None => None,
        };
        Ok(Box::new(Socket { tls, stream: None, request: Vec::new(), received: Vec::new() }))
    }
}

fn trusting(path: &Path) -> Result<Arc<ClientConfig>, Failure> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(path)?)?;
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    Ok(Arc::new(config))
}

/// Splits `http://host:port/target`; the port is always written in a benchmark.
fn split(url: &str) -> Result<(&str, &str), Failure> {
    let (_, rest) = url.split_once("://").ok_or("no scheme")?;
    let slash = rest.find('/').ok_or("no path")?;
    Ok(rest.split_at(slash))
}

/// Where the head ends, the status and the length of the body, once the head is there.
fn head(received: &[u8]) -> Result<Option<(usize, u16, u64)>, Failure> {
    let Some(end) = received.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(None);
    };
    let text = std::str::from_utf8(&received[..end])?;
    let status = text.get(9..12).ok_or("no status")?.parse()?;
    let length = text
        .lines()
        .find_map(|line| line.strip_prefix("Content-Length: "))
        .ok_or("no Content-Length")?
        .parse()?;
    Ok(Some((end + 4, status, length)))
}

impl Socket {
    fn connected(&mut self, authority: &str) -> Result<&mut dyn Stream, Failure> {
        if self.stream.is_none() {
            let socket = TcpStream::connect(authority)?;
            socket.set_nodelay(true)?;
            let stream: Box<dyn Stream> = match &self.tls {
                None => Box::new(socket),
                Some(config) => {
                    let host = authority.rsplit_once(':').ok_or("no port")?.0.to_owned();
                    let name = ServerName::try_from(host)?;
                    let session = ClientConnection::new(Arc::clone(config), name)?;
                    Box::new(StreamOwned::new(session, socket))
                }
            };
            self.stream = Some(stream);
        }
        Ok(self.stream.as_mut().ok_or("not connected")?)
    }

    /// Sends the request and reads until the head is complete: where the body begins in
    /// `received`, how far `received` is filled, and how long the body is in all.
    fn exchange(&mut self, url: &str, room: usize) -> Result<(usize, usize, u64), Failure> {
        self.send("GET", url, None)?;
        self.receive(room)
    }

    /// Sends a request with this file as its body.
    fn send(&mut self, method: &str, url: &str, file: Option<&Path>) -> Result<(), Failure> {
        let (authority, target) = split(url)?;
        let mut request = std::mem::take(&mut self.request);
        request.clear();
        write!(
            request,
            "{method} {target} HTTP/1.1\r\nHost: {authority}\r\nUser-Agent: {USER_AGENT}\r\n\
             Accept: */*\r\nAccept-Encoding: {ACCEPT_ENCODING}\r\n"
        )?;
        let mut file = file.map(File::open).transpose()?;
        if let Some(file) = &file {
            write!(request, "Content-Length: {}\r\n", file.metadata()?.len())?;
        }
        request.extend_from_slice(b"\r\n");
        let stream = self.connected(authority)?;
        stream.write_all(&request)?;
        if let Some(file) = &mut file {
            request.resize(BUFFER, 0);
            loop {
                match file.read(&mut request)? {
                    0 => break,
                    read => stream.write_all(&request[..read])?,
                }
            }
        }
        self.request = request;
        Ok(())
    }

    fn receive(&mut self, room: usize) -> Result<(usize, usize, u64), Failure> {
        let mut received = std::mem::take(&mut self.received);
        received.resize(room, 0);
        let stream = self.stream.as_mut().ok_or("not connected")?;
        let mut filled = 0;
        let (body, status, length) = loop {
            match stream.read(&mut received[filled..])? {
                0 => return Err("the connection ended inside the head".into()),
                read => filled += read,
            }
            if let Some(found) = head(&received[..filled])? {
                break found;
            }
        };
        expect_ok(status)?;
        self.received = received;
        Ok((body, filled, length))
    }

    /// Reads the rest of a body that [`Self::receive`] has found.
    fn body(&mut self, found: (usize, usize, u64)) -> Result<Vec<u8>, Failure> {
        let (start, filled, length) = found;
        let mut body = Vec::with_capacity(length as usize);
        body.extend_from_slice(&self.received[start..filled]);
        let had = body.len();
        if had < length as usize {
            body.resize(length as usize, 0);
            self.stream.as_mut().ok_or("not connected")?.read_exact(&mut body[had..])?;
        }
        Ok(body)
    }
}

impl Client for Socket {
    fn get(&mut self, url: &str) -> Result<Vec<u8>, Failure> {
        let found = self.exchange(url, 8192)?;
        self.body(found)
    }

    fn download(&mut self, url: &str, file: &Path) -> Result<(), Failure> {
        let mut file = File::create_new(file)?;
        let (start, filled, length) = self.exchange(url, BUFFER)?;
        file.write_all(&self.received[start..filled])?;
        let mut left = length - (filled - start) as u64;
        let stream = self.stream.as_mut().ok_or("not connected")?;
        while left > 0 {
            match stream.read(&mut self.received)? {
                0 => return Err("the body ended early".into()),
                read => {
                    file.write_all(&self.received[..read])?;
                    left -= read as u64;
                }
            }
        }
        Ok(())
    }

    fn upload(&mut self, url: &str, file: &Path) -> Result<Vec<u8>, Failure> {
        self.send("PUT", url, Some(file))?;
        let found = self.receive(8192)?;
        self.body(found)
    }

    fn bulk(&mut self, url: &str, buffer: usize) -> Result<u64, Failure> {
        let (start, filled, length) = self.exchange(url, buffer)?;
        let mut total = (filled - start) as u64;
        let stream = self.stream.as_mut().ok_or("not connected")?;
        while total < length {
            match stream.read(&mut self.received)? {
                0 => return Err("the body ended early".into()),
                read => total += read as u64,
            }
        }
        Ok(total)
    }
}
