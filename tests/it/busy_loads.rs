//! Loads that are busy for ever with what the program gives them: a cancel and the timer of the
//! whole load end them.

use std::io::{self, Read};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use urlsession::{Body, CancelToken, ErrorKind, Multipart, Part, Request};

use crate::support::running::{HANG, Running, nothing_is_left, session};

/// Gives one byte at a time, for ever.
struct Endless;

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        buffer[0] = b'x';
        Ok(1)
    }
}

/// Is interrupted whenever it is read.
struct Interrupted;

impl Read for Interrupted {
    fn read(&mut self, _buffer: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::Interrupted.into())
    }
}

/// Requests that are sent for ever, by what they send.
fn endless(url: &str) -> [(&'static str, Request); 4] {
    let put = |body: Body| Request::put(url).body(body);
    let form = Multipart::new().text("a", "b").part("x", Part::new(Body::reader(Endless)));
    [
        ("a reader", put(Body::reader(Endless))),
        ("a reader with a length", put(Body::reader(Endless).with_length(1 << 62))),
        ("an opened reader", put(Body::opened_by(|| Ok(Endless)))),
        ("a part of a form", Request::post(url).multipart(form)),
    ]
}

/// A server that reads whatever is sent, keeps nothing and says nothing; returns its URL, and
/// what tells that something has come.
fn taking() -> (String, Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (sender, comes) = channel();
    thread::spawn(move || {
        for mut connection in listener.incoming().flatten() {
            let sender = sender.clone();
            thread::spawn(move || {
                let mut buffer = vec![0; 1 << 16];
                while connection.read(&mut buffer).is_ok_and(|count| count > 0) {
                    if sender.send(()).is_err() {
                        break;
                    }
                }
            });
        }
    });
    (url, comes)
}

#[test]
fn a_cancel_ends_what_is_sent_for_ever() {
    let (url, comes) = taking();
    for (what, request) in endless(&url) {
        let (session, token) = (session(|_| {}), CancelToken::new());
        let (caller, request) = (session.clone(), request.cancel_token(&token));
        let call = Running::start(move || caller.data(request).unwrap_err().kind());
        // Its head, and what follows.
        for _ in 0..10 {
            comes.recv_timeout(HANG).unwrap();
        }
        assert!(call.is_running_after(Duration::from_millis(20)), "{what}");
        token.cancel();
        assert_eq!(call.outcome(), ErrorKind::Cancelled, "{what}");
        nothing_is_left(session, &[]);
    }
}

#[test]
fn the_timer_of_the_whole_load_ends_what_is_sent_for_ever() {
    let (url, _comes) = taking();
    for (what, request) in endless(&url) {
        let session = session(|configuration| {
            configuration.timeout_for_resource = Duration::from_millis(200);
        });
        let outcome = session.data(request);
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::TimedOut, "{what}");
        nothing_is_left(session, &[]);
    }
}

#[test]
fn a_reader_that_is_interrupted_for_ever_fails_its_load() {
    let (url, _comes) = taking();
    let session = session(|_| {});
    let body = Body::reader(Interrupted);
    let error = session.data(Request::put(&url).body(body)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ResourceUnavailable, "{error}");
    nothing_is_left(session, &[]);
}
