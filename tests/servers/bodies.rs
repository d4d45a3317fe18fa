//! Bodies that are sent, to nginx, whose `/upload` answers with the length it received.

use std::fs;
use std::io::{self, Read};

use urlsession::{Body, Request};

use crate::{NGINX, given, session};

const MIB: usize = 1 << 20;

fn zeros(length: usize) -> impl Read + Send {
    io::repeat(0).take(length as u64)
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn a_body_arrives_whole_whatever_it_is_made_of() {
    let nginx = given(NGINX);
    let session = session();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let file_length = fs::metadata(file).unwrap().len() as usize;
    let bodies = [
        ("empty", Body::from(Vec::new()), 0),
        ("bytes", Body::from(vec![7; 3 * MIB]), 3 * MIB),
        ("file", Body::file(file), file_length),
        ("reader of known length", Body::reader(zeros(64 * MIB)).with_length(64 << 20), 64 * MIB),
        ("reader, sent in chunks", Body::reader(zeros(16 * MIB + 1)), 16 * MIB + 1),
    ];
    for (name, body, length) in bodies {
        let data = session.data(Request::post(format!("{nginx}/upload")).body(body)).unwrap();
        assert_eq!(data.response.status(), 200, "{name}");
        assert_eq!(data.text(), length.to_string(), "{name}");
    }
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn a_refusal_that_comes_before_the_body_is_sent_is_delivered() {
    let nginx = given(NGINX);
    let session = session();
    let limited = || Request::post(format!("{nginx}/limited"));
    let known = session.data(limited().body(vec![0; 8 * MIB])).unwrap();
    assert_eq!(known.response.status(), 413);
    let chunked = session.data(limited().body(Body::reader(zeros(8 * MIB)))).unwrap();
    assert_eq!(chunked.response.status(), 413);
    let small = session.data(limited().body(vec![0; 1000])).unwrap();
    assert_eq!(small.text(), "1000");
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn a_redirect_that_keeps_the_method_sends_the_body_again() {
    let nginx = given(NGINX);
    let session = session();
    for status in [307, 308] {
        let request = || Request::put(format!("{nginx}/redirect/{status}"));
        let data = session.data(request().body(vec![0; MIB])).unwrap();
        assert_eq!(data.text(), MIB.to_string(), "{status}");
        let again = Body::opened_by(|| Ok(zeros(MIB)));
        let data = session.data(request().body(again)).unwrap();
        assert_eq!(data.text(), MIB.to_string(), "{status}");
        let once = Body::reader(zeros(MIB));
        let stopped = session.data(request().body(once)).unwrap();
        assert_eq!(stopped.response.status(), status, "a body that can be sent once stops there");
    }
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn a_redirect_that_turns_post_into_get_drops_the_body() {
    let nginx = given(NGINX);
    let session = session();
    for status in [301, 302, 303] {
        let request = Request::post(format!("{nginx}/redirect/{status}")).body("a body");
        let data = session.data(request).unwrap();
        assert_eq!(data.body.len(), 1024, "{status}: the file, which nginx refuses to POST");
    }
}
