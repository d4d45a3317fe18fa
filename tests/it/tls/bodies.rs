//! Bodies through TLS, large ones and interrupted ones.

use std::io::{self, Read};

use urlsession::testing::{Answer, Authority, Counters, Server};
use urlsession::{Body, Request};

use super::{session, trusting};
use crate::support::gone::all_gone;

const MIB: u64 = 1 << 20;

/// The letters a to z over and over, as the test server sends them.
#[derive(Debug)]
struct Letters {
    at: u64,
    left: u64,
}

impl Read for Letters {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.left.min(buffer.len() as u64) as usize;
        for byte in &mut buffer[..count] {
            *byte = b'a' + (self.at % 26) as u8;
            self.at += 1;
        }
        self.left -= count as u64;
        Ok(count)
    }
}

fn letters(length: u64) -> Letters {
    Letters { at: 0, left: length }
}

/// Whether two readers give the same bytes; returns how many.
fn compare(mut one: impl Read, mut other: impl Read) -> u64 {
    let (mut first, mut second, mut compared) = (vec![0; 64 * 1024], vec![0; 64 * 1024], 0);
    loop {
        let count = one.read(&mut first).unwrap();
        if count == 0 {
            assert_eq!(other.read(&mut second).unwrap(), 0, "behind {compared} bytes");
            return compared;
        }
        other.read_exact(&mut second[..count]).unwrap();
        assert!(first[..count] == second[..count], "behind {compared} bytes");
        compared += count as u64;
    }
}

#[test]
fn large_bodies_go_both_ways_unharmed() {
    const LENGTH: u64 = 64 * MIB;
    let authority = Authority::new();
    let identity = authority.identity(&["127.0.0.1"]);
    let server = Server::builder().tls(&identity).body_limit(LENGTH as usize).start();
    let session = session(trusting(&authority));
    let counters = Counters::of(&session);

    server.enqueue(Answer::status(200).body_of_size(LENGTH));
    let bytes = session.bytes(server.url("/")).unwrap();
    assert_eq!(bytes.response().expected_content_length(), Some(LENGTH));
    assert_eq!(compare(bytes, letters(LENGTH)), LENGTH);
    drop(server.take_request());

    server.enqueue(Answer::ok("thanks"));
    let body = Body::reader(letters(LENGTH)).with_length(LENGTH);
    let data = session.data(Request::put(server.url("/")).body(body)).unwrap();
    assert_eq!(data.text(), "thanks");
    let request = server.take_request();
    assert!(request.is_complete());
    assert_eq!(request.header("Content-Length"), Some(&*LENGTH.to_string()));
    assert_eq!(compare(request.body(), letters(LENGTH)), LENGTH);
    assert_eq!(server.connection_count(), 1);
    drop(session);
    all_gone(&counters, "");
}

#[test]
fn bodies_of_every_size_around_a_record_go_both_ways_over_one_connection() {
    const RECORD: u64 = 16 * 1024;
    let authority = Authority::new();
    let server = Server::start_tls(&authority.identity(&["127.0.0.1"]));
    server.handle(|request| Answer::ok(request.body()));
    let session = session(trusting(&authority));
    let sizes = [0, 1, RECORD - 1, RECORD, RECORD + 1, 2 * RECORD, 4 * RECORD + 1, 5 * RECORD - 1];
    for size in sizes {
        let mut sent = Vec::new();
        letters(size).read_to_end(&mut sent).unwrap();
        let known = Request::post(server.url("/")).body(sent.clone());
        assert!(session.data(known).unwrap().body == sent, "{size} bytes, length known");
        let chunked = Request::post(server.url("/")).body(Body::reader(letters(size)));
        assert!(session.data(chunked).unwrap().body == sent, "{size} bytes, in chunks");
    }
    assert_eq!(server.connection_count(), 1);
}

#[test]
fn an_answer_that_comes_during_an_upload_is_delivered() {
    let authority = Authority::new();
    let server = Server::start_tls(&authority.identity(&["127.0.0.1"]));
    let too_large = || Answer::status(413).body("too large");
    let answers = [
        ("reads on", too_large().respond_before_body()),
        ("closes", too_large().respond_before_body().close_after_answer()),
        ("does not read", too_large().never_read_body()),
    ];
    type Make = fn() -> Body;
    let bodies: [(&str, Make); 2] = [
        ("known length", || Body::reader(letters(256 * MIB)).with_length(256 * MIB)),
        ("chunks", || Body::reader(letters(256 * MIB))),
    ];
    for (row, answer) in answers {
        for (framing, body) in bodies {
            let session = session(trusting(&authority));
            let counters = Counters::of(&session);
            server.enqueue(answer.clone());
            let data = session.data(Request::post(server.url("/")).body(body())).unwrap();
            assert_eq!(data.response.status(), 413, "{row}, {framing}");
            assert_eq!(data.text(), "too large", "{row}, {framing}");
            // The rest of the body stands in the way of another request.
            assert_eq!(counters.sockets(), 0, "{row}, {framing}");
            assert!(!server.take_request().is_complete(), "{row}, {framing}");
            server.release();
        }
    }
}
