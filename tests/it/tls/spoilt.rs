//! Somebody on the way who changes bytes: a load fails, or delivers what the server sent.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use urlsession::Stage;
use urlsession::testing::{Answer, Authority, Counters, ServedVersion, Server};

use super::{session, trusting};
use crate::support::gone::all_gone;

/// What is done to the bytes that the server sends.
#[derive(Clone, Copy, Debug)]
enum Change {
    Flip,
    Leave,
    Insert,
    Repeat,
    Cut,
}

/// Copies what the server sends, changed at one place.
fn copy_changed(
    mut from: &TcpStream,
    mut to: &TcpStream,
    at: usize,
    change: Change,
) -> io::Result<()> {
    let (mut buffer, mut passed) = ([0; 4096], 0);
    loop {
        let count = from.read(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        let mut bytes = buffer[..count].to_vec();
        if (passed..passed + count).contains(&at) {
            let here = at - passed;
            match change {
                Change::Flip => bytes[here] ^= 1 << (at % 8),
                Change::Leave => drop(bytes.remove(here)),
                Change::Insert => bytes.insert(here, at as u8),
                Change::Repeat => {
                    let again = bytes[here..].to_vec();
                    bytes.splice(here..here, again);
                }
                Change::Cut => {
                    to.write_all(&bytes[..here])?;
                    return Ok(());
                }
            }
        }
        passed += count;
        to.write_all(&bytes)?;
    }
}

/// Carries one connection to `server`.
fn relay(listener: &TcpListener, server: SocketAddr, at: usize, change: Change) {
    let (client, _) = listener.accept().unwrap();
    let server = TcpStream::connect(server).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            // Whoever leaves first ends both directions; how does not matter here.
            let _ = io::copy(&mut &client, &mut &server);
            let _ = server.shutdown(Shutdown::Both);
        });
        let _ = copy_changed(&server, &client, at, change);
        let _ = client.shutdown(Shutdown::Both);
    });
}

/// Loads over `version`, changed at one place after the other; returns how many loads succeeded.
fn loads(authority: &Authority, version: ServedVersion) -> usize {
    use Change::{Cut, Flip, Insert, Leave, Repeat};

    let identity = authority.identity(&["127.0.0.1"]);
    let server = Server::builder().tls(&identity).tls_versions(&[version]).start();
    server.handle(|_| Answer::ok("unharmed"));
    let mut succeeded = 0;
    for at in (0..1400).step_by(11) {
        let change = [Flip, Leave, Flip, Insert, Flip, Repeat, Cut][at % 7];
        let row = format!("{version:?}: {change:?} at {at}");
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("https://{}/", listener.local_addr().unwrap());
        let mut configuration = trusting(authority);
        // Bytes that are missing are waited for.
        configuration.timeout_for_request = Duration::from_millis(100);
        let session = session(configuration);
        let counters = Counters::of(&session);
        let loaded = thread::scope(|scope| {
            scope.spawn(|| relay(&listener, server.address(), at, change));
            let loaded = session.data(&url);
            drop(session);
            loaded
        });
        match loaded {
            Ok(data) => {
                assert_eq!(data.text(), "unharmed", "{row}");
                succeeded += 1;
            }
            Err(error) => {
                let named = matches!(
                    error.stage(),
                    Some(
                        Stage::Securing
                            | Stage::Sending
                            | Stage::WaitingForResponse
                            | Stage::Receiving
                    )
                );
                assert!(named, "{row}: {error:?}");
                assert_eq!(error.failing_url(), Some(&*url), "{row}");
            }
        }
        all_gone(&counters, &row);
    }
    succeeded
}

#[test]
fn a_load_through_somebody_who_changes_bytes_fails_or_is_unharmed() {
    let authority = Authority::new();
    thread::scope(|scope| {
        for version in [ServedVersion::Tls12, ServedVersion::Tls13] {
            let authority = &authority;
            scope.spawn(move || {
                let succeeded = loads(authority, version);
                // Behind the answer nothing passes any more that could be changed.
                assert!((1..100).contains(&succeeded), "{version:?}: {succeeded}");
            });
        }
    });
}
