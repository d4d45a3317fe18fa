#![cfg(any(target_os = "linux", target_os = "android"))]

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::{env, process};

use super::*;

/// A socket, and the one that it is connected with.
fn sockets() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let one = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (one, listener.accept().unwrap().0)
}

fn pipe() -> SplicePipe {
    SplicePipe::open(&Census::default()).unwrap()
}

/// A pipe with these bytes in it.
fn pipe_with(bytes: &[u8]) -> SplicePipe {
    let (receiver, mut sender) = sockets();
    sender.write_all(bytes).unwrap();
    let mut pipe = pipe();
    assert_eq!(pipe.fill(&receiver, bytes.len()).unwrap(), Filled::With(bytes.len()));
    pipe
}

#[test]
fn bytes_go_from_a_socket_into_a_file() {
    let path = env::temp_dir().join(format!("urlsession-splice-{}", process::id()));
    let mut file = File::create_new(&path).unwrap();
    let (receiver, mut sender) = sockets();
    let mut pipe = pipe();
    sender.write_all(b"hello, ").unwrap();
    assert_eq!(pipe.fill(&receiver, 100).unwrap(), Filled::With(7));
    // One that is not empty takes nothing.
    assert_eq!(pipe.fill(&receiver, 100).unwrap(), Filled::Refused);
    assert_eq!(pipe.empty_into(&file, None).unwrap(), 7);
    assert_eq!(pipe.empty_into(&file, None).unwrap(), 0);
    file.write_all(b"new ").unwrap();
    sender.write_all(b"world").unwrap();
    assert_eq!(pipe.fill(&receiver, 3).unwrap(), Filled::With(3));
    assert_eq!(pipe.empty_into(&file, None).unwrap(), 3);
    assert!(!pipe.is_refused());
    assert_eq!(fs::read(&path).unwrap(), b"hello, new wor");
    fs::remove_file(path).unwrap();
}

#[test]
fn what_a_file_does_not_take_from_a_pipe_is_written() {
    // One that is appended to takes none (splice(2), EINVAL).
    let path = env::temp_dir().join(format!("urlsession-splice-append-{}", process::id()));
    let file = OpenOptions::new().append(true).create_new(true).open(&path).unwrap();
    let bytes = vec![b'x'; PIECE + 1];
    let mut pipe = pipe_with(&bytes);
    assert_eq!(pipe.empty_into(&file, None).unwrap(), bytes.len() as u64);
    assert!(pipe.is_refused());
    assert!(fs::read(&path).unwrap() == bytes);
    fs::remove_file(path).unwrap();
}

#[test]
fn what_is_wrong_with_a_file_is_an_error() {
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let error = pipe_with(b"hello").empty_into(&full, None).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
}

#[test]
fn sockets_wait_end_and_break() {
    let (receiver, sender) = sockets();
    let mut pipe = pipe();
    receiver.set_nonblocking(true).unwrap();
    assert_eq!(pipe.fill(&receiver, 100).unwrap(), Filled::Waits);
    drop(sender);
    receiver.set_nonblocking(false).unwrap();
    assert_eq!(pipe.fill(&receiver, 100).unwrap(), Filled::Refused);

    let folder = File::open(env::temp_dir()).unwrap();
    assert_eq!(pipe.fill(&folder, 100).unwrap(), Filled::Refused);
    for (outcome, expected) in [
        (Ok(1), Some(Filled::With(1))),
        (Ok(0), Some(Filled::Refused)),
        (Err(io::ErrorKind::WouldBlock), Some(Filled::Waits)),
        (Err(io::ErrorKind::Interrupted), Some(Filled::Waits)),
        (Err(io::ErrorKind::Unsupported), Some(Filled::Refused)),
        (Err(io::ErrorKind::PermissionDenied), Some(Filled::Refused)),
        (Err(io::ErrorKind::ConnectionReset), None),
        (Err(io::ErrorKind::NotConnected), None),
        (Err(io::ErrorKind::TimedOut), None),
    ] {
        let case = format!("{outcome:?}");
        assert_eq!(judge(outcome.map_err(io::Error::from)).ok(), expected, "{case}");
    }
}

#[test]
fn there_are_so_many_places_and_each_is_given_back() {
    static TAKEN: AtomicUsize = AtomicUsize::new(0);
    let mut places: Vec<_> = (0..MOST_PIPES).map(|_| Place::take(&TAKEN).unwrap()).collect();
    assert!(Place::take(&TAKEN).is_none());
    places.pop();
    assert!(Place::take(&TAKEN).is_some());
    drop(places);
    assert_eq!(TAKEN.load(Ordering::Relaxed), 0);
}
