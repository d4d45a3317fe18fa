//! httpbin on gunicorn behind haproxy, as many services stand.

use std::io::{self, Read};

use urlsession::{Body, Request};

use crate::relay::Relay;
use crate::{HAPROXY, given, session};

const MIB: usize = 1 << 20;

fn zeros(length: usize) -> impl Read + Send {
    io::repeat(0).take(length as u64)
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn bodies_reach_what_stands_behind_it_however_they_are_framed() {
    let haproxy = given(HAPROXY);
    let session = session();
    let text = "three words here";
    let bodies = [
        ("bytes", Body::from(text)),
        ("reader of known length", Body::reader(text.as_bytes()).with_length(16)),
        ("reader, sent in chunks", Body::reader(text.as_bytes())),
    ];
    for (name, body) in bodies {
        let request = Request::put(format!("{haproxy}/anything")).body(body);
        let request = request.header("Content-Type", "text/plain");
        let data = session.data(request).unwrap();
        assert_eq!(data.response.status(), 200, "{name}");
        assert!(data.text().contains(r#""data":"three words here""#), "{name}: {}", data.text());
    }
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn one_connection_carries_many_loads_of_both_directions() {
    let relay = Relay::to(&given(HAPROXY));
    let session = session();
    for load in 0..10 {
        let text = session.data(relay.url(&format!("/get?n={load}"))).unwrap().text().into_owned();
        assert!(text.contains(&format!(r#""n":"{load}""#)), "{text}");
        let posted = session.data(Request::post(relay.url("/post")).body("body")).unwrap();
        assert_eq!(posted.response.status(), 200);
    }
    assert_eq!(relay.requests(), [20]);
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn what_it_refuses_from_the_head_alone_is_heard_whatever_is_on_its_way() {
    let haproxy = given(HAPROXY);
    let session = session();
    let refused = || Request::post(format!("{haproxy}/refused"));
    let large = session.data(refused().body(vec![0; 16 * MIB])).unwrap();
    assert_eq!(large.response.status(), 403);
    let chunked = session.data(refused().body(Body::reader(zeros(16 * MIB)))).unwrap();
    assert_eq!(chunked.response.status(), 403);
    let limited = Request::post(format!("{haproxy}/limited")).body(vec![0; 16 * MIB]);
    assert_eq!(session.data(limited).unwrap().response.status(), 413);
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn that_nobody_stands_behind_it_is_an_answer() {
    let data = session().data(format!("{}/nobody", given(HAPROXY))).unwrap();
    assert_eq!(data.response.status(), 503);
    assert!(data.text().contains("No server is available"), "{}", data.text());
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn a_body_is_sent_again_where_it_redirects_to() {
    let haproxy = given(HAPROXY);
    let request = Request::put(format!("{haproxy}/moved")).body("three words here");
    let data = session().data(request.header("Content-Type", "text/plain")).unwrap();
    assert_eq!(data.response.url().path(), "/anything");
    assert!(data.text().contains(r#""data":"three words here""#), "{}", data.text());
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn an_answer_that_comes_in_pieces_is_read_as_it_comes() {
    let haproxy = given(HAPROXY);
    let session = session();
    let lines = session.bytes(format!("{haproxy}/stream/50")).unwrap().lines();
    assert_eq!(lines.map(Result::unwrap).filter(|line| line.contains(r#""id":"#)).count(), 50);
    let drip = session.data(format!("{haproxy}/drip?numbytes=20&duration=1&delay=0")).unwrap();
    assert_eq!(drip.body, [b'*'; 20]);
}
