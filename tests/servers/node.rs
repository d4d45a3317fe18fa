//! Servers that answer while they read, with node: the ordinary `request.pipe(response)`, a
//! service that compresses, lines of progress, a whole answer before the body.

use std::io::{self, Read};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};
use std::{env, fs, process, thread};

use urlsession::{Body, Data, Error, Request, Session, Update};

use crate::{NODE, configuration, given};

const LENGTH: usize = 16 << 20;

/// Bytes whose places can be told from each other.
fn pattern() -> Vec<u8> {
    let mut bytes = vec![0; LENGTH];
    for (at, place) in bytes.chunks_exact_mut(4).enumerate() {
        place.copy_from_slice(&(at as u32).to_be_bytes());
    }
    bytes
}

/// Every kind of body, each of these bytes.
fn bodies(file: &std::path::Path) -> Vec<(&'static str, Body)> {
    let reader = || Body::reader(io::Cursor::new(pattern()));
    vec![
        ("bytes", Body::from(pattern())),
        ("file", Body::file(file)),
        ("reader of known length", reader().with_length(LENGTH as u64)),
        ("reader, sent in chunks", reader()),
    ]
}

/// A file with these bytes, which is gone afterwards.
struct Stored(std::path::PathBuf);

impl Stored {
    fn new(name: &str) -> Self {
        let path = env::temp_dir().join(format!("urlsession-{}-{name}", process::id()));
        fs::write(&path, pattern()).unwrap();
        Self(path)
    }
}

impl Drop for Stored {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// The server without and with TLS, and sessions that trust it.
fn places() -> Vec<(String, Session)> {
    vec![
        (given(NODE), Session::new(configuration()).unwrap()),
        #[cfg(feature = "tls")]
        (given(crate::NODE_TLS), Session::new(crate::tls::trusting().1).unwrap()),
    ]
}

fn assert_echoed(data: &Data, case: &str) {
    assert_eq!(data.response.status(), 200, "{case}");
    assert_eq!(data.body.len(), LENGTH, "{case}");
    assert!(data.body == pattern(), "{case}");
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn a_body_comes_back_while_it_is_sent_whatever_it_is_made_of() {
    let stored = Stored::new("echo");
    for (node, session) in places() {
        for path in ["pipe", "pipe-whole"] {
            for (kind, body) in bodies(&stored.0) {
                if path == "pipe-whole" && kind == "reader, sent in chunks" {
                    continue;
                }
                let case = format!("{node}/{path}, {kind}");
                let request = Request::post(format!("{node}/{path}")).body(body);
                assert_echoed(&session.data(request).unwrap(), &case);
            }
        }
    }
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn a_body_comes_back_in_every_form_of_a_task() {
    let (node, session) = (given(NODE), Session::new(configuration()).unwrap());
    let request = || Request::post(format!("{node}/pipe"));
    let (sender, outcome) = channel();
    let task = session.upload_task_with(request(), pattern(), move |outcome| {
        sender.send(outcome).unwrap();
    });
    task.resume();
    assert_echoed(&outcome.recv().unwrap().unwrap(), "closure");
    assert_eq!(task.progress().bytes_sent, LENGTH as u64);

    let mut echoed = Vec::new();
    for update in session.upload_task(request(), pattern()).updates() {
        match update {
            Update::Data(data) => echoed.extend(data),
            Update::Finished(outcome) => outcome.unwrap(),
            _ => {}
        }
    }
    assert!(echoed == pattern());

    let mut bytes = session.bytes(request().body(pattern())).unwrap();
    let mut read = Vec::new();
    bytes.read_to_end(&mut read).unwrap();
    assert!(read == pattern());

    let download = session.download(request().body(pattern())).unwrap();
    assert!(fs::read(download.file.path()).unwrap() == pattern());
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn a_service_that_compresses_while_it_reads_is_served_all_of_it() {
    for (node, session) in places() {
        let body = Body::reader(io::Cursor::new(pattern()));
        let data = session.data(Request::post(format!("{node}/gzip")).body(body)).unwrap();
        assert!(decompressed(&data.body) == pattern(), "{node}");
    }
}

fn decompressed(bytes: &[u8]) -> Vec<u8> {
    let mut all = Vec::new();
    flate2::read::GzDecoder::new(bytes).read_to_end(&mut all).unwrap();
    all
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn an_answer_that_grows_with_what_was_read_is_read_as_it_grows() {
    let stored = Stored::new("progress");
    for (node, session) in places() {
        for (kind, body) in bodies(&stored.0) {
            let request = Request::put(format!("{node}/progress")).body(body);
            let lines: Result<Vec<_>, Error> =
                session.bytes(request).map(|bytes| bytes.lines().map(Result::unwrap).collect());
            let mib = 1 << 20;
            let expected: Vec<_> = (1..=LENGTH / mib)
                .map(|count| (count * mib).to_string())
                .chain([format!("all {LENGTH}")])
                .collect();
            assert_eq!(lines.unwrap(), expected, "{node}, {kind}");
        }
    }
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn an_answer_that_is_whole_before_the_body_does_not_end_the_sending() {
    let stored = Stored::new("early");
    for (node, session) in places() {
        for (kind, body) in bodies(&stored.0) {
            let request = Request::put(format!("{node}/early")).body(body);
            let data = session.data(request).unwrap();
            assert_eq!((data.response.status().as_u16(), &*data.text()), (201, "ok"), "{kind}");
            // It has read what was sent when it has, and not when this has been sent.
            let deadline = Instant::now() + Duration::from_secs(30);
            let whole = format!("{LENGTH} true");
            loop {
                let arrived = session.data(format!("{node}/arrived")).unwrap();
                if arrived.text() == whole {
                    break;
                }
                let late = Instant::now() > deadline;
                assert!(!late, "{node}, {kind}: {} has arrived", arrived.text());
                thread::yield_now();
            }
        }
    }
}
