//! A place between the client and a server, where connections and requests are counted.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// Passes on what arrives, and keeps what clients sent, connection by connection.
pub(crate) struct Relay {
    url: String,
    sent: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Relay {
    /// Begins to relay to the server at this address, such as `http://127.0.0.1:8080`.
    pub(crate) fn to(server: &str) -> Self {
        let (place, port) = server.rsplit_once(':').unwrap();
        let port: u16 = port.parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("{place}:{}", listener.local_addr().unwrap().port());
        let sent: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
        let kept = Arc::clone(&sent);
        thread::spawn(move || {
            for client in listener.incoming() {
                let server = TcpStream::connect(("127.0.0.1", port)).unwrap();
                relay(client.unwrap(), server, &kept);
            }
        });
        Self { url, sent }
    }

    /// Where it is, with the scheme and the host of the server's address.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    pub(crate) fn port(&self) -> u16 {
        self.url.rsplit_once(':').unwrap().1.parse().unwrap()
    }

    /// How many requests each connection carried, in the order in which they were opened; of
    /// connections with TLS it is not known.
    pub(crate) fn requests(&self) -> Vec<usize> {
        let sent = self.sent.lock().unwrap();
        sent.iter().map(|one| text(one).matches(" HTTP/1.1\r\n").count()).collect()
    }

    #[cfg(feature = "tls")]
    pub(crate) fn connections(&self) -> usize {
        self.sent.lock().unwrap().len()
    }

    /// The values of this header in the requests, in their order, none of which overlapped.
    pub(crate) fn values(&self, header: &str) -> Vec<String> {
        let (sent, start) = (self.sent.lock().unwrap(), format!("{header}: "));
        let lines =
            sent.iter().flat_map(|one| text(one).lines().map(str::to_owned).collect::<Vec<_>>());
        lines.filter_map(|line| line.strip_prefix(&start).map(str::to_owned)).collect()
    }
}

fn text(sent: &[u8]) -> String {
    String::from_utf8_lossy(sent).into_owned()
}

/// Relays both ways, each on a thread of its own.
fn relay(client: TcpStream, server: TcpStream, kept: &Arc<Mutex<Vec<Vec<u8>>>>) {
    let number = {
        let mut kept = kept.lock().unwrap();
        kept.push(Vec::new());
        kept.len() - 1
    };
    let (from_server, to_client) = (server.try_clone().unwrap(), client.try_clone().unwrap());
    thread::spawn(move || pass_on(from_server, to_client, |_| {}));
    let kept = Arc::clone(kept);
    thread::spawn(move || {
        pass_on(client, server, |piece| kept.lock().unwrap()[number].extend_from_slice(piece));
    });
}

fn pass_on(mut from: TcpStream, mut to: TcpStream, mut see: impl FnMut(&[u8])) {
    let mut piece = [0; 16 << 10];
    while let Ok(length @ 1..) = from.read(&mut piece) {
        // Seen before it is answered.
        see(&piece[..length]);
        if to.write_all(&piece[..length]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
