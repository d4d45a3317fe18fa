//! What cannot be sent: it is an error of the load, before anything goes out.

use urlsession::testing::{Answer, Server};
use urlsession::{Body, Configuration, Error, ErrorKind, Headers, Request, Resolver, Session};

fn session() -> Session {
    Session::new(Configuration::ephemeral()).unwrap()
}

/// Loads `request`, which must fail as its check does, and returns why.
fn refused(request: Request, case: &str) -> Error {
    let error = session().data(&request).unwrap_err();
    let checked = request.check().unwrap_err();
    assert_eq!(error.to_string(), checked.to_string(), "{case}");
    assert_eq!(session().bytes(&request).unwrap_err().kind(), error.kind(), "{case}");
    error
}

/// What ends a line or a string somewhere, or belongs to the syntax around a token.
const NOT_IN_A_NAME: &[&str] = &[
    "",
    " ",
    "a b",
    " a",
    "a ",
    "a:",
    ":a",
    "a\r\nX-Evil: 1",
    "a\n",
    "a\r",
    "a\0",
    "a\t",
    "ä",
    "a\x7f",
    "a\x1b",
    "(a)",
    "a,b",
    "a;b",
    "a=b",
    "\"a\"",
    "a/b",
    "[a]",
    "{a}",
    "a@b",
    "a\\b",
    "a?",
];

const NOT_IN_A_VALUE: &[&str] = &[
    "a\r\nX-Evil: 1",
    "a\nX-Evil: 1",
    "a\rX-Evil: 1",
    "\r\n\r\nGET /evil HTTP/1.1",
    "a\r\n folded",
    "a\n",
    "\n",
    "a\0b",
    "\0",
    "\x01",
    "\x0b",
    "\x0c",
    "\x1b[2J",
    "\x7f",
];

#[test]
fn nothing_can_be_injected_through_a_header() {
    let server = Server::start();
    let url = server.url("/");
    let names = NOT_IN_A_NAME.iter().map(|name| (*name, "value"));
    let values = NOT_IN_A_VALUE.iter().map(|value| ("X-Name", *value));
    for (name, value) in names.chain(values) {
        let case = format!("{name:?}: {value:?}");
        for (way, request) in [
            ("header", Request::get(&url).header(name, value)),
            ("add_header", Request::get(&url).add_header(name, value)),
            ("sensitive_header", Request::get(&url).sensitive_header(name, value)),
            ("then a good one", Request::get(&url).header(name, value).header("X-Name", "good")),
        ] {
            let error = refused(request, &case);
            assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{way} {case}: {error}");
            assert_eq!(error.failing_url(), Some(&*url), "{way} {case}");
            assert!(!error.to_string().contains(['\r', '\n', '\0']), "{way} {case}: {error}");
        }
        let mut headers = Headers::new();
        assert!(headers.add(name, value).is_err() && headers.set(name, value).is_err(), "{case}");
        assert!(headers.is_empty(), "{case}");
    }
    assert_eq!(server.connection_count(), 0);
}

#[test]
fn nothing_can_be_injected_through_a_method() {
    let server = Server::start();
    for method in NOT_IN_A_NAME {
        let error = refused(Request::new(method, server.url("/")), method);
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{method:?}: {error}");
        assert!(!error.to_string().contains(['\r', '\n', '\0']), "{method:?}: {error}");
    }
    for method in ["CONNECT", "connect"] {
        let error = refused(Request::new(method, server.url("/")), method);
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{method}");
    }
    assert_eq!(server.connection_count(), 0);
}

#[test]
fn nothing_can_be_injected_through_a_url() {
    let server = Server::start();
    for control in ["\r\n", "\n", "\r", "\0", "\t", "\x01", "\x1f", "\x7f"] {
        for at in [
            "CTLhttp://HOST/",
            "htCTLtp://HOST/",
            "http:/CTL/HOST/",
            "http://annCTL:pw@HOST/",
            "http://CTLHOST/",
            "http://HOSTCTL/",
            "http://HOST/aCTLb",
            "http://HOST/?aCTLb",
            "http://HOST/#aCTLb",
            "http://HOST/CTL",
        ] {
            let url = at.replace("CTL", control).replace("HOST", &server.address().to_string());
            let error = refused(Request::get(&url), &format!("{url:?}"));
            assert_eq!((error.kind(), error.code()), (ErrorKind::BadUrl, -1000), "{url:?}");
            assert_eq!(error.failing_url(), None, "{url:?}");
        }
    }
    assert_eq!(server.connection_count(), 0);
    // Blanks are no controls: they are escaped, and cut off around a URL.
    server.enqueue(Answer::ok(""));
    session().data(format!("  {} HTTP/1.1 ", server.url("/a b?c d"))).unwrap();
    assert_eq!(server.take_request().target(), "/a%20b?c%20d%20HTTP/1.1");
}

#[test]
fn a_url_that_cannot_be_loaded_says_whether_it_is_bad_or_not_supported() {
    for (url, kind, code) in [
        ("", ErrorKind::BadUrl, -1000),
        ("/relative", ErrorKind::BadUrl, -1000),
        ("shop.test/page", ErrorKind::BadUrl, -1000),
        ("//shop.test/", ErrorKind::BadUrl, -1000),
        ("://shop.test/", ErrorKind::BadUrl, -1000),
        ("http://", ErrorKind::BadUrl, -1000),
        ("http://:80/", ErrorKind::BadUrl, -1000),
        ("http://ann:pw@", ErrorKind::BadUrl, -1000),
        ("http://shop.test:99999/", ErrorKind::BadUrl, -1000),
        ("http://shop.test:port/", ErrorKind::BadUrl, -1000),
        ("http://shop test/", ErrorKind::BadUrl, -1000),
        ("http://shop%2ftest/", ErrorKind::BadUrl, -1000),
        ("http://shop%00test/", ErrorKind::BadUrl, -1000),
        ("http://[::1/", ErrorKind::BadUrl, -1000),
        ("http://1.2.3.4.5/", ErrorKind::BadUrl, -1000),
        ("http://300.0.0.1/", ErrorKind::BadUrl, -1000),
        ("http://xn--a/", ErrorKind::BadUrl, -1000),
        ("localhost:8080", ErrorKind::UnsupportedUrl, -1002),
        ("ftp://shop.test/file", ErrorKind::UnsupportedUrl, -1002),
        ("file:///etc/hostname", ErrorKind::UnsupportedUrl, -1002),
        ("data:,hello", ErrorKind::UnsupportedUrl, -1002),
        ("ws://shop.test/", ErrorKind::UnsupportedUrl, -1002),
        ("about:blank", ErrorKind::UnsupportedUrl, -1002),
        ("javascript:alert(1)", ErrorKind::UnsupportedUrl, -1002),
        ("mailto:ann@shop.test", ErrorKind::UnsupportedUrl, -1002),
        ("httpx://shop.test/", ErrorKind::UnsupportedUrl, -1002),
    ] {
        let error = session().data(url).unwrap_err();
        assert_eq!((error.kind(), error.code()), (kind, code), "{url}: {error}");
    }
}

#[test]
fn a_url_may_be_as_long_as_the_server_lets_it() {
    let server = Server::builder().head_limit(1 << 20).start();
    for length in [8000, 65_535, 1_000_000] {
        let path = format!("/{}", "x".repeat(length));
        server.enqueue(Answer::ok(""));
        session().data(server.url(&path)).unwrap();
        assert_eq!(server.take_request().target().len(), length + 1);
    }
    let long = Request::get(server.url(&format!("/{}", "x".repeat(65_535))));
    let converted = http::Request::<Option<Body>>::try_from(long);
    assert_eq!(converted.unwrap_err().kind(), ErrorKind::BadUrl, "the http crate has a limit");
}

#[test]
fn hosts_are_written_in_one_way_only() {
    let server = Server::start();
    let port = server.port();
    let mut configuration = Configuration::ephemeral();
    configuration.resolver = Some(Resolver::new(|_, port| Ok(vec![([127, 0, 0, 1], port).into()])));
    let session = Session::new(configuration).unwrap();
    for (written, sent) in [
        ("127.0.0.1", "127.0.0.1"),
        ("0177.0.0.1", "127.0.0.1"),
        ("0x7f000001", "127.0.0.1"),
        ("2130706433", "127.0.0.1"),
        ("127.1", "127.0.0.1"),
        ("SHOP.Test", "shop.test"),
        ("shop.test.", "shop.test."),
        ("b%C3%BCcher.test", "xn--bcher-kva.test"),
        ("bücher.test", "xn--bcher-kva.test"),
        ("ann@shop.test", "shop.test"),
        ("ann@evil.test@shop.test", "shop.test"),
    ] {
        server.enqueue(Answer::ok(""));
        let data = session.data(format!("http://{written}:{port}/")).unwrap();
        let seen = server.take_request();
        assert_eq!(seen.header_all("host"), [format!("{sent}:{port}")], "{written}");
        assert_eq!(data.response.url().host_str(), Some(sent), "{written}");
    }
}

#[test]
fn a_get_with_a_body_is_refused_in_words() {
    let server = Server::start();
    for request in [
        Request::get(server.url("/")).body("x"),
        Request::get(server.url("/")).form([("a", 1)]),
        Request::get(server.url("/")).multipart(urlsession::Multipart::new()),
        Request::new("get", server.url("/")).body(Body::reader(&b"x"[..])),
    ] {
        let case = format!("{request:?}");
        let error = refused(request, &case);
        assert_eq!(error.kind(), ErrorKind::DataLengthExceedsMaximum, "{case}");
        assert_eq!(error.code(), -1103, "{case}");
        assert_eq!(error.failing_url(), Some(&*server.url("/")), "{case}");
        let said = error.to_string();
        assert!(said.contains("GET request cannot have a body: use POST"), "{said}");
    }
    assert_eq!(server.connection_count(), 0);
}

#[test]
fn a_method_of_the_http_crate_is_looked_at_as_well() {
    let server = Server::start();
    let made = http::Request::builder().method("CONNECT").uri(server.url("/")).body(Vec::new());
    let error = refused(Request::from(made.unwrap()), "CONNECT");
    assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error}");
    assert_eq!(server.connection_count(), 0);
}

#[test]
fn the_first_thing_that_is_wrong_is_reported() {
    let request = Request::new("B\nD", "http://").header("a b", "c").body("x");
    assert_eq!(request.check().unwrap_err().kind(), ErrorKind::BadUrl);
    let request = Request::get("http://shop.test/").header("a b", "c").header("X", "\n");
    assert!(request.check().unwrap_err().to_string().contains("a b"));
    // A request that is wrong stays wrong, whatever is set later.
    let request = Request::get("http://shop.test/").header("a b", "c").header("a", "c");
    assert_eq!(request.check().unwrap_err().kind(), ErrorKind::InvalidRequest);
}
