//! The server, driven by a bare socket: what it puts on the wire is compared byte for byte.

mod faults;
mod framing;
mod life;
mod requests;
#[cfg(feature = "tls")]
mod tls;

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::Server;

/// No test waits longer for the server.
const GUARD: Duration = Duration::from_secs(20);

/// A client that knows nothing of HTTP.
struct Bare(TcpStream);

impl Bare {
    fn connect(server: &Server) -> Self {
        let stream = TcpStream::connect(server.address()).unwrap();
        stream.set_read_timeout(Some(GUARD)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self(stream)
    }

    fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.0.write_all(bytes.as_ref()).unwrap();
        self
    }

    /// Reads exactly this.
    fn expect(&mut self, expected: impl AsRef<[u8]>) -> &mut Self {
        let expected = expected.as_ref();
        let mut got = vec![0; expected.len()];
        let mut count = 0;
        while count < got.len() {
            match self.0.read(&mut got[count..]) {
                Ok(0) => break,
                Ok(more) => count += more,
                Err(error) => panic!("{error} behind {:?}", text(&got[..count])),
            }
        }
        assert_eq!(text(&got[..count]), text(expected));
        self
    }

    /// Reads until the server closes, which it must do with FIN.
    fn rest(&mut self) -> String {
        let mut rest = Vec::new();
        self.0.read_to_end(&mut rest).unwrap();
        text(&rest)
    }

    /// Reads until the server resets the connection. Wine 8 shuts down every socket that it
    /// closes, so that an end may be seen before the reset.
    fn expect_reset(&mut self) {
        match self.0.read_to_end(&mut Vec::new()) {
            Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
            Ok(_) if cfg!(windows) => {}
            Ok(_) => panic!("the connection has ended in order"),
        }
    }

    /// Looks that nothing has arrived. Only for what would have been sent before something that
    /// the test has waited for.
    fn expect_nothing_yet(&mut self) -> &mut Self {
        self.0.set_nonblocking(true).unwrap();
        let error = self.0.read(&mut [0; 64]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        self.0.set_nonblocking(false).unwrap();
        self
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A whole request without a body.
fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: x.test\r\n\r\n")
}

/// The head of a request with a body of this length.
fn post(length: usize) -> String {
    format!("POST / HTTP/1.1\r\nHost: x.test\r\nContent-Length: {length}\r\n\r\n")
}
