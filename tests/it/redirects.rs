//! Redirects: which are followed, where to, with what method and body, over which
//! connections. What must not go along is in `redirect_secrets`.

use std::io::Cursor;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use urlsession::testing::{Answer, Recorded, Refusal, Server};
use urlsession::{Body, Clock, Configuration, ErrorKind, Request, Session};

fn session() -> Session {
    Session::new(Configuration::ephemeral()).unwrap()
}

/// A session for which no time passes, so that no body comes too late.
fn patient() -> Session {
    let mut configuration = Configuration::ephemeral();
    configuration.clock = Clock::by_hand();
    Session::new(configuration).unwrap()
}

/// A server that redirects `/old` to `/new` with `status`.
fn moved(status: u16) -> Server {
    let server = Server::start();
    server.handle(move |request| match request.path() {
        "/old" => Answer::redirect(status, "/new").body("moved"),
        _ => Answer::ok("here"),
    });
    server
}

/// The names of the headers that describe a body.
fn of_a_body(request: &Recorded) -> Vec<String> {
    let names = request.headers().map(|(name, _)| name.to_ascii_lowercase());
    let describe = |name: &String| {
        name.starts_with("content-") || name == "transfer-encoding" || name == "digest"
    };
    names.filter(describe).collect()
}

#[test]
fn the_method_changes_as_the_fetch_standard_says() {
    for (status, method, after) in [
        (301, "GET", "GET"),
        (301, "HEAD", "HEAD"),
        (301, "POST", "GET"),
        (301, "PUT", "PUT"),
        (302, "GET", "GET"),
        (302, "HEAD", "HEAD"),
        (302, "POST", "GET"),
        (302, "DELETE", "DELETE"),
        (302, "PATCH", "PATCH"),
        (303, "GET", "GET"),
        (303, "HEAD", "HEAD"),
        (303, "POST", "GET"),
        (303, "PUT", "GET"),
        (303, "DELETE", "GET"),
        (307, "GET", "GET"),
        (307, "HEAD", "HEAD"),
        (307, "POST", "POST"),
        (307, "PUT", "PUT"),
        (308, "GET", "GET"),
        (308, "HEAD", "HEAD"),
        (308, "POST", "POST"),
        (308, "Brew", "Brew"),
    ] {
        let server = moved(status);
        let has_body = !matches!(method, "GET" | "HEAD");
        let mut request = Request::new(method, server.url("/old")).header("X-Trace", "7");
        if has_body {
            let typed = request.header("Content-Type", "text/plain");
            request = typed.header("CONTENT-MD5", "x").header("Digest", "y").body("hello");
        }
        let data = session().data(request).unwrap();
        assert_eq!(data.response.status(), 200, "{status} {method}");
        assert_eq!(data.response.url().path(), "/new");
        let (first, second) = (server.take_request(), server.take_request());
        assert_eq!((first.method(), first.path()), (method, "/old"), "{status}");
        assert_eq!((second.method(), second.path()), (after, "/new"), "{status} {method}");
        assert_eq!(second.header("x-trace"), Some("7"), "{status} {method}");
        let keeps_body = has_body && method == after;
        assert_eq!(second.body_text(), if keeps_body { "hello" } else { "" }, "{status} {method}");
        let described = of_a_body(&second);
        let expected: &[_] = match keeps_body {
            true => &["content-type", "content-md5", "digest", "content-length"],
            false => &[],
        };
        assert_eq!(described, expected, "{status} {method}");
    }
}

#[test]
fn a_post_without_a_body_says_so_on_every_hop() {
    let server = moved(307);
    session().data(Request::post(server.url("/old"))).unwrap();
    for _ in 0..2 {
        let seen = server.take_request();
        assert_eq!((seen.method(), seen.header("content-length")), ("POST", Some("0")));
    }
}

#[test]
fn a_body_that_can_be_sent_again_is() {
    let large = "x".repeat(300_000);
    let path = std::env::temp_dir().join(format!("urlsession-redirect-{}", std::process::id()));
    std::fs::write(&path, &large).unwrap();
    let opened = Arc::new(AtomicUsize::new(0));
    let opener = |text: &str| {
        let (text, opened) = (text.to_owned(), opened.clone());
        Body::opened_by(move || {
            opened.fetch_add(1, Ordering::SeqCst);
            Ok(Cursor::new(text.clone()))
        })
    };
    for status in [307, 308] {
        for (name, body, expected, length) in [
            ("bytes", Body::from("hello"), "hello", Some("5")),
            ("many bytes", Body::from(&*large), &large, Some("300000")),
            ("file", Body::file(&path), &large, Some("300000")),
            ("opened", opener("hello"), "hello", None),
            ("opened, large", opener(&large), &large, None),
            ("opened, with length", opener("hello").with_length(5), "hello", Some("5")),
        ] {
            let server = moved(status);
            let data = session().data(Request::post(server.url("/old")).body(body)).unwrap();
            assert_eq!(data.text(), "here", "{name}");
            for path in ["/old", "/new"] {
                let seen = server.take_request();
                assert_eq!((seen.method(), seen.path()), ("POST", path), "{name}");
                assert!(seen.body_text() == expected, "{name} to {path}");
                assert_eq!(seen.header("content-length"), length, "{name} to {path}");
            }
        }
    }
    assert_eq!(opened.load(Ordering::SeqCst), 2 * 3 * 2, "opened once for each sending");
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn a_reader_is_sent_once_so_the_redirect_that_wants_it_again_is_delivered() {
    for (status, method, followed) in [
        (301, "POST", true),
        (302, "POST", true),
        (303, "POST", true),
        (303, "PUT", true),
        (301, "PUT", false),
        (307, "POST", false),
        (308, "PUT", false),
    ] {
        let case = format!("{status} to {method}");
        let server = moved(status);
        let body = Body::reader(Cursor::new("hello"));
        let request = Request::new(method, server.url("/old")).body(body);
        let data = session().data(request).unwrap();
        if followed {
            assert_eq!((data.response.status().as_u16(), &*data.text()), (200, "here"), "{case}");
        } else {
            let status_seen = data.response.status().as_u16();
            assert_eq!((status_seen, &*data.text()), (status, "moved"), "{case}");
            assert_eq!(data.response.header("location"), Some("/new"));
            assert_eq!(data.response.url().path(), "/old");
        }
        assert_eq!(server.take_request().body_text(), "hello");
        assert_eq!(server.request_count(), if followed { 2 } else { 1 }, "{case}");
    }
}

#[test]
fn a_location_goes_out_as_the_server_wrote_it_without_its_fragment() {
    let (server, other, session) = (Server::start(), Server::start(), session());
    other.handle(|_| Answer::ok(""));
    server.enqueue(Answer::redirect(302, "e?x=1"));
    // Bytes that are no UTF-8 come back to the server as they were.
    server.enqueue(Answer::status(302).header("Location", b"/caf\xe9"));
    server.enqueue(Answer::redirect(302, &other.url("/x")));
    session.data(server.url("/b/c?d#f")).unwrap();
    for target in ["/b/c?d", "/b/e?x=1", "/caf%E9"] {
        assert_eq!(server.take_request().target(), target);
    }
    // To another server: the host is its own.
    let seen = other.take_request();
    assert_eq!(seen.header_all("host"), [other.address().to_string()]);
    assert_eq!(seen.headers().next().map(|(name, _)| name), Some("Host"), "it comes first");
}

#[test]
fn twenty_redirects_are_followed_and_no_more() {
    for (redirects, arrives) in [(19, true), (20, true), (21, false)] {
        let server = Server::start();
        server.handle(move |request| {
            let hop: u32 = request.path()[1..].parse().unwrap();
            match hop {
                _ if hop < redirects => Answer::redirect(302, &format!("/{}", hop + 1)),
                _ => Answer::ok("arrived"),
            }
        });
        match session().data(server.url("/0")) {
            Ok(data) => assert!(arrives && data.text() == "arrived", "{redirects}"),
            Err(error) => {
                assert!(!arrives, "{redirects}: {error}");
                assert_eq!(error.kind(), ErrorKind::TooManyRedirects);
                assert_eq!(error.code(), -1007);
                assert!(error.to_string().contains("20"), "{error}");
                assert_eq!(error.failing_url(), Some(&*server.url("/21")));
            }
        }
        assert_eq!(server.request_count(), u64::from(redirects.min(20)) + 1);
        assert_eq!(server.connection_count(), 1);
    }
}

#[test]
fn a_small_body_of_a_redirect_is_read_and_a_large_one_closes_the_connection() {
    const MOST: u64 = 64 * 1024;
    let body = |size| Answer::redirect(302, "/new").body_of_size(size);
    for (case, redirect, connections) in [
        ("empty", body(0), 1),
        ("small", body(100), 1),
        ("as much as is read", body(MOST), 1),
        ("one byte more", body(MOST + 1), 2),
        ("huge", body(1 << 40), 2),
        ("chunked, small", body(1000).chunked(10), 1),
        ("chunked, large", body(MOST * 4).chunked(1000), 2),
        ("chunked, endless", body(0).chunked(1000).endless_body("more "), 2),
        ("until close", body(100).until_close(), 2),
        ("until close, endless", body(0).until_close().endless_body("more "), 2),
        ("closing", body(100).header("Connection", "close").close_after_answer(), 2),
        ("cut short", body(100).truncate_after(50), 2),
    ] {
        let server = Server::start();
        server.enqueue(redirect);
        server.enqueue(Answer::ok("here"));
        let session = patient();
        assert_eq!(session.data(server.url("/old")).unwrap().text(), "here", "{case}");
        assert_eq!(server.connection_count(), connections, "{case}");
        server.wait_until(|stats| stats.open_connections == 1);
    }
}

#[test]
fn the_body_of_a_redirect_is_not_waited_for() {
    let body = || Answer::redirect(302, "/new").body("a body that does not come");
    for (case, redirect) in [
        ("stalls before its body", body().stall_after_head()),
        ("stalls in its body", body().stall_in_body_after(5)),
        ("stalls in a chunk", body().chunked(4).stall_in_body_after(6)),
        ("says no length and stays", body().no_framing().keep_open()),
        ("drips", body().body_of_size(60_000).drip(100)),
    ] {
        let server = Server::start();
        server.enqueue(redirect);
        server.enqueue(Answer::ok("here"));
        let started = std::time::Instant::now();
        assert_eq!(session().data(server.url("/old")).unwrap().text(), "here", "{case}");
        let took = started.elapsed();
        println!("a redirect that {case}: {took:?}");
        // The timer for a byte is 60 s, so whatever waits for it shows.
        assert!(took.as_secs() < 20, "{case}: {took:?}");
        assert_eq!(server.connection_count(), 2, "{case}");
    }
}

#[test]
fn both_servers_keep_their_connections() {
    let (one, two) = (Server::start(), Server::start());
    let there = two.url("/");
    one.handle(move |_| Answer::redirect(302, &there).body("moved"));
    two.handle(|_| Answer::ok("here"));
    let session = patient();
    for _ in 0..3 {
        assert_eq!(session.data(one.url("/")).unwrap().text(), "here");
    }
    assert_eq!((one.request_count(), two.request_count()), (3, 3));
    assert_eq!((one.connection_count(), two.connection_count()), (1, 1));
}

#[test]
fn an_error_names_the_hop_that_failed() {
    let refusal = Refusal::start();
    let server = Server::start();
    server.enqueue(Answer::redirect(302, &refusal.url("/gone?token=s3cret")));
    let error = session().data(server.url("/old")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CannotConnectToHost);
    assert_eq!(error.failing_url(), Some(&*refusal.url("/gone")));
}

#[test]
fn the_whole_chain_has_one_deadline() {
    let server = Server::start();
    let clock = Clock::by_hand();
    let mut configuration = Configuration::ephemeral();
    configuration.clock = clock.clone();
    configuration.timeout_for_resource = std::time::Duration::from_secs(100);
    let turned = clock;
    // Each hop takes 30 seconds, less than the timer for a byte.
    server.handle(move |request| {
        turned.advance(std::time::Duration::from_secs(30));
        Answer::redirect(302, &format!("{}x", request.path()))
    });
    let error = Session::new(configuration).unwrap().data(server.url("/")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
    assert!(error.to_string().contains("timeout_for_resource"), "{error}");
    assert_eq!(server.request_count(), 4);
}
