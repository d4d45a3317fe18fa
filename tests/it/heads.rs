//! The head of a request, byte for byte.

use urlsession::testing::{Answer, Recorded, Server};
use urlsession::{Body, Configuration, ErrorKind, Request, Session};

const AGENT: &str = concat!("urlsession/", env!("CARGO_PKG_VERSION"));

/// What `Accept-Encoding` says by default.
fn accepted() -> String {
    let known = [
        (cfg!(feature = "gzip"), "gzip, deflate"),
        (cfg!(feature = "brotli"), "br"),
        (cfg!(feature = "zstd"), "zstd"),
    ];
    let names: Vec<_> = known.iter().filter(|(on, _)| *on).map(|(_, name)| *name).collect();
    if names.is_empty() { "identity".to_owned() } else { names.join(", ") }
}

fn sent_by(session: &Session, server: &Server, request: impl Into<Request>) -> Recorded {
    server.enqueue(Answer::ok(""));
    session.data(request).unwrap();
    server.take_request()
}

fn sent(server: &Server, request: impl Into<Request>) -> Recorded {
    sent_by(&Session::new(Configuration::ephemeral()).unwrap(), server, request)
}

fn head(request: &Recorded) -> &str {
    std::str::from_utf8(request.head_bytes()).unwrap()
}

/// The header lines that every request ends with.
fn defaults() -> String {
    format!("Accept: */*\r\nAccept-Encoding: {}\r\nUser-Agent: {AGENT}\r\n", accepted())
}

#[test]
fn a_head_is_exactly_what_it_should_be() {
    let server = Server::start();
    let (host, defaults) = (server.address().to_string(), defaults());
    let url = server.url("/a/b?c=d#e");
    let own = "X-Trace: 1\r\naccept-language: de\r\nX-trace: 2\r\n";
    let with_own = |request: Request| {
        request.header("X-Trace", "1").header("accept-language", "de").add_header("X-trace", "2")
    };
    let stream = || Body::reader(&b"hello"[..]);
    for (request, line, own, framing) in [
        (Request::get(&url), "GET /a/b?c=d", "", ""),
        (Request::get(server.url("")), "GET /", "", ""),
        (Request::head(&url), "HEAD /a/b?c=d", "", ""),
        (Request::delete(&url), "DELETE /a/b?c=d", "", ""),
        (Request::new("OPTIONS", &url), "OPTIONS /a/b?c=d", "", ""),
        (Request::new("Brew", &url), "Brew /a/b?c=d", "", ""),
        (Request::post(&url), "POST /a/b?c=d", "", "content-length: 0\r\n"),
        (Request::put(&url), "PUT /a/b?c=d", "", "content-length: 0\r\n"),
        (Request::new("PATCH", &url), "PATCH /a/b?c=d", "", "content-length: 0\r\n"),
        (Request::post(&url).body(""), "POST /a/b?c=d", "", "content-length: 0\r\n"),
        (Request::get(&url).body(""), "GET /a/b?c=d", "", ""),
        (Request::head(&url).body(Vec::new()), "HEAD /a/b?c=d", "", ""),
        (Request::head(&url).body("hello"), "HEAD /a/b?c=d", "", "content-length: 5\r\n"),
        (Request::put(&url).body("hello"), "PUT /a/b?c=d", "", "content-length: 5\r\n"),
        (
            Request::post(&url).body("hello"),
            "POST /a/b?c=d",
            "",
            "Content-Type: application/x-www-form-urlencoded\r\ncontent-length: 5\r\n",
        ),
        (Request::delete(&url).body("hello"), "DELETE /a/b?c=d", "", "content-length: 5\r\n"),
        (Request::post(&url).body(stream()), "POST /a/b?c=d", "", "transfer-encoding: chunked\r\n"),
        (
            Request::post(&url).body(stream().with_length(5)),
            "POST /a/b?c=d",
            "",
            "content-length: 5\r\n",
        ),
        (with_own(Request::get(&url)), "GET /a/b?c=d", own, ""),
        (with_own(Request::put(&url)).body("hello"), "PUT /a/b?c=d", own, "content-length: 5\r\n"),
    ] {
        let expected = format!("{line} HTTP/1.1\r\nHost: {host}\r\n{own}{defaults}{framing}\r\n");
        let seen = sent(&server, request);
        assert_eq!(head(&seen), expected);
    }
}

#[test]
fn bytes_that_are_not_ascii_go_out_as_utf8() {
    let server = Server::start();
    let seen = sent(&server, Request::get(server.url("/é?ü")).header("X-Name", "café\tü"));
    assert_eq!(seen.target(), "/%C3%A9?%C3%BC");
    assert!(head(&seen).contains("X-Name: café\tü\r\n"), "{}", head(&seen));
}

#[test]
fn a_query_is_added_to_escaped() {
    let server = Server::start();
    for (before, name, value, target) in [
        ("/", "q", "tea & biscuits", "/?q=tea%20%26%20biscuits"),
        ("/?a=b", "q", "1", "/?a=b&q=1"),
        ("/?", "q", "1", "/?q=1"),
        ("/x#part", "q", "a#b=c?d/e", "/x?q=a%23b%3Dc%3Fd%2Fe"),
        ("/", "ü&", "", "/?%C3%BC%26="),
        ("/", "a\r\nX: y", "\0", "/?a%0D%0AX%3A%20y=%00"),
        ("/", "+", "~-._", "/?%2B=~-._"),
    ] {
        let seen = sent(&server, Request::get(server.url(before)).query(name, value));
        assert_eq!(seen.target(), target);
    }
}

#[test]
fn the_requests_headers_win_over_the_sessions_and_those_over_the_defaults() {
    let server = Server::start();
    let mut configuration = Configuration::ephemeral();
    configuration.additional_headers.add("X-Both", "session").unwrap();
    configuration.additional_headers.add("x-SESSION", "1").unwrap();
    configuration.additional_headers.add("x-SESSION", "2").unwrap();
    configuration.additional_headers.add("user-agent", "shop/1").unwrap();
    configuration.additional_headers.add("Authorization", "Bearer session").unwrap();
    let session = Session::new(configuration).unwrap();
    let host = server.address();
    let accepted = accepted();

    let plain = sent_by(&session, &server, server.url("/"));
    assert_eq!(
        head(&plain),
        format!(
            "GET / HTTP/1.1\r\nHost: {host}\r\nX-Both: session\r\nx-SESSION: 1\r\n\
             x-SESSION: 2\r\nuser-agent: shop/1\r\nAuthorization: Bearer session\r\n\
             Accept: */*\r\nAccept-Encoding: {accepted}\r\n\r\n"
        )
    );
    let request = Request::get(server.url("/"))
        .header("x-both", "request")
        .header("X-Session", "3")
        .header("ACCEPT", "text/html")
        .header("User-Agent", "")
        .header("authorization", "Bearer request");
    let own = sent_by(&session, &server, request);
    assert_eq!(
        head(&own),
        format!(
            "GET / HTTP/1.1\r\nHost: {host}\r\nx-both: request\r\nX-Session: 3\r\n\
             ACCEPT: text/html\r\nUser-Agent: \r\nauthorization: Bearer request\r\n\
             Accept-Encoding: {accepted}\r\n\r\n"
        )
    );
}

#[test]
fn host_comes_from_the_url_unless_it_is_set_by_hand() {
    let server = Server::start();
    let url = server.url("/");
    let hosts = |seen: &Recorded| seen.header_all("host").join("|");
    let address = server.address().to_string();
    assert_eq!(hosts(&sent(&server, &url)), address);
    assert_eq!(
        hosts(&sent(&server, server.url_with_host("localhost", "/"))),
        format!("localhost:{}", server.port())
    );
    let seen = sent(&server, Request::get(&url).header("hOST", "shop.test"));
    assert_eq!(seen.headers().next(), Some(("hOST", "shop.test")));
    assert_eq!(hosts(&seen), "shop.test");
    let mut configuration = Configuration::ephemeral();
    configuration.additional_headers.add("X-Trace", "1").unwrap();
    configuration.additional_headers.add("host", "session.test").unwrap();
    let session = Session::new(configuration).unwrap();
    let seen = sent_by(&session, &server, &url);
    assert_eq!(seen.headers().next(), Some(("Host", "session.test")));
    assert_eq!(hosts(&seen), "session.test");
    let seen = sent_by(&session, &server, Request::get(&url).header("Host", "shop.test"));
    assert_eq!(hosts(&seen), "shop.test");
}

#[test]
fn a_session_cannot_say_how_long_bodies_are() {
    for name in ["Content-Length", "transfer-encoding"] {
        let mut configuration = Configuration::ephemeral();
        configuration.additional_headers.add(name, "5").unwrap();
        let error = Session::new(configuration).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        assert!(error.to_string().contains(name), "{error}");
    }
}

#[test]
fn a_user_name_in_the_url_becomes_basic_credentials_and_nothing_else() {
    let server = Server::start();
    for (user_info, expected) in [
        ("ann:s3cret", Some("Basic YW5uOnMzY3JldA==")),
        ("ann", Some("Basic YW5uOg==")),
        (":s3cret", Some("Basic OnMzY3JldA==")),
        ("a%3Ab%40:c%2Fd", Some("Basic YTpiQDpjL2Q=")),
        ("", None),
    ] {
        let url = server.url("/").replace("http://", &format!("http://{user_info}@"));
        let seen = sent(&server, &url);
        assert_eq!(seen.header("authorization"), expected, "{user_info}");
        assert_eq!(seen.target(), "/", "{user_info}");
        assert_eq!(seen.header("host"), Some(&*server.address().to_string()), "{user_info}");
        assert_eq!(seen.header("referer"), None);
    }
    let url = server.url("/").replace("http://", "http://ann:s3cret@");
    let seen = sent(&server, Request::get(url).header("AUTHORIZATION", "Bearer own"));
    assert_eq!(seen.header_all("authorization"), ["Bearer own"]);
}

#[test]
fn a_request_of_the_http_crate_is_sent() {
    let server = Server::start();
    let request = http::Request::post(server.url("/x?y=1"))
        .header("X-Trace", "7")
        .header("Content-Length", "999")
        .header("Transfer-Encoding", "chunked")
        .body("hello")
        .unwrap();
    let seen = sent(&server, request);
    let host = server.address();
    let defaults = defaults();
    assert_eq!(
        head(&seen),
        format!(
            "POST /x?y=1 HTTP/1.1\r\nHost: {host}\r\nx-trace: 7\r\n{defaults}\
             Content-Type: application/x-www-form-urlencoded\r\ncontent-length: 5\r\n\r\n"
        )
    );
    assert_eq!(seen.body_text(), "hello");
    // There, having no body is having an empty one.
    let get = http::Request::get(server.url("/")).body("").unwrap();
    assert_eq!(sent(&server, get).header("content-length"), None);

    let there = Request::put(server.url("/z")).header("X-Trace", "8").body("back");
    let there = http::Request::<Option<Body>>::try_from(there).unwrap();
    assert_eq!((there.method(), there.uri().path()), (&http::Method::PUT, "/z"));
    let back = sent(&server, there.map(Option::unwrap));
    assert_eq!((back.method(), back.body_text()), ("PUT", "back"));
    assert_eq!(back.header("x-trace"), Some("8"));
}
