//! A server that closes each connection after its fourth answer, with lighttpd.

use std::io::{self, Read};

#[cfg(feature = "digest")]
use urlsession::{AuthenticationMethod, Credential, CredentialStorage, ProtectionSpace, Session};
use urlsession::{Body, Request};

use crate::relay::Relay;
use crate::{LIGHTTPD, given, session};

const MIB: usize = 1 << 20;

fn zeros(length: usize) -> impl Read + Send {
    io::repeat(0).take(length as u64)
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn a_server_that_closes_often_is_connected_to_anew() {
    let relay = Relay::to(&given(LIGHTTPD));
    let session = session();
    for load in 0..10 {
        let data = session.data(relay.url("/small.bin")).unwrap();
        assert_eq!((data.response.status().as_u16(), data.body.len()), (200, 1024), "{load}");
    }
    // The last one that a connection carries says so: nothing is sent into its end.
    let requests = relay.requests();
    assert_eq!(requests.iter().sum::<usize>(), 10);
    assert!(requests[1..].iter().rev().skip(1).all(|count| *count == requests[0]), "{requests:?}");
    assert!((3..=5).contains(&requests[0]), "{requests:?}");
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn a_file_comes_whole_and_in_part_and_its_head_alone() {
    let lighttpd = given(LIGHTTPD);
    let session = session();
    let lines: String = (1..=20_000).map(|n| format!("{n}\n")).collect();
    let whole = session.data(format!("{lighttpd}/lines.txt")).unwrap();
    assert!(whole.text() == lines);
    let part = Request::get(format!("{lighttpd}/small.bin")).header("Range", "bytes=2-5");
    let part = session.data(part).unwrap();
    assert_eq!((part.response.status().as_u16(), part.body.len()), (206, 4));
    let beyond = Request::get(format!("{lighttpd}/small.bin")).header("Range", "bytes=9999-");
    assert_eq!(session.data(beyond).unwrap().response.status(), 416);
    let head = session.data(Request::head(format!("{lighttpd}/small.bin"))).unwrap();
    assert_eq!((head.response.header("content-length"), head.body.len()), (Some("1024"), 0));
    assert_eq!(session.data(format!("{lighttpd}/missing")).unwrap().response.status(), 404);
}

#[cfg(feature = "gzip")]
#[test]
#[ignore = "needs the servers of .ci/run"]
fn what_it_compresses_on_the_way_is_decoded() {
    let data = session().data(format!("{}/lines.txt", given(LIGHTTPD))).unwrap();
    assert_eq!(data.response.header("content-encoding"), Some("gzip"));
    assert!(data.text().ends_with("\n20000\n"));
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn a_script_is_sent_all_of_a_body() {
    let lighttpd = given(LIGHTTPD);
    let session = session();
    let bodies = [
        ("empty", Body::from(Vec::new()), 0),
        ("bytes", Body::from(vec![7; 3 * MIB]), 3 * MIB),
        ("reader of known length", Body::reader(zeros(16 * MIB)).with_length(16 << 20), 16 * MIB),
        ("reader, sent in chunks", Body::reader(zeros(8 * MIB + 1)), 8 * MIB + 1),
    ];
    for (name, body, length) in bodies {
        let data = session.data(Request::post(format!("{lighttpd}/count.cgi")).body(body)).unwrap();
        assert_eq!(data.response.status(), 200, "{name}");
        assert_eq!(data.text().trim(), length.to_string(), "{name}");
    }
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn a_body_that_is_too_large_is_refused_and_that_is_heard() {
    let lighttpd = given(LIGHTTPD);
    let request = Request::post(format!("{lighttpd}/count.cgi"));
    let data = session().data(request.body(vec![0; 80 * MIB])).unwrap();
    assert_eq!(data.response.status(), 413);
}

#[cfg(feature = "digest")]
#[test]
#[ignore = "needs the servers of .ci/run"]
fn of_two_algorithms_of_digest_the_stronger_is_used() {
    let relay = Relay::to(&given(LIGHTTPD));
    let mut configuration = crate::configuration();
    let storage = CredentialStorage::new();
    let method = AuthenticationMethod::Digest;
    let space = ProtectionSpace::new("127.0.0.1", relay.port(), "http", method);
    storage.set_default(&Credential::new("ann", "open sesame"), &space.with_realm("ledger"));
    configuration.credential_storage = Some(storage);
    let session = Session::new(configuration).unwrap();
    for _ in 0..3 {
        let data = session.data(relay.url("/digest/page.txt")).unwrap();
        assert_eq!(data.text(), "the page of digest\n", "{:?}", data.response);
    }
    let answers = relay.values("Authorization");
    assert_eq!(answers.len(), 3, "one nonce serves for all");
    assert!(answers.iter().all(|answer| answer.contains("algorithm=SHA-256")), "{answers:?}");
}
