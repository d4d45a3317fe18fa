//! Nothing that is printed or logged shows a secret. A program of its own with one test: the
//! logger is the process's.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod challenges;

use std::error::Error as StdError;
use std::fmt::{Debug, Display};
use std::io::Read;
use std::sync::Mutex;

use log::{LevelFilter, Log, Metadata, Record};
use urlsession::testing::{Answer, Refusal, Server};
use urlsession::{Body, CancelToken, Configuration, Error, ErrorKind, Headers, Request, Session};

/// In every secret that is planted, however it is written.
const MARK: &str = "s3cret";

/// `ann:s3cret`, as Basic credentials have it.
const ENCODED: &str = "YW5uOnMzY3JldA";

/// Keeps everything that anybody logs, at every level.
struct Kept(Mutex<Vec<String>>);

static LOG: Kept = Kept(Mutex::new(Vec::new()));

impl Log for Kept {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let line = format!("{} {}: {}", record.level(), record.target(), record.args());
        self.0.lock().unwrap().push(line);
    }

    fn flush(&self) {}
}

fn check(text: &str, what: &str) {
    let shown = text.to_ascii_lowercase();
    for secret in [MARK, ENCODED] {
        assert!(!shown.contains(&secret.to_ascii_lowercase()), "{what} shows a secret: {text}");
    }
}

fn check_debug(value: &impl Debug, what: &str) {
    check(&format!("{value:?}"), what);
    check(&format!("{value:#?}"), what);
}

/// Checks an error, what caused it, and the error of `std::io` that a reader makes of it.
fn check_error(error: &Error, what: &str) {
    check_debug(error, what);
    check(&error.to_string(), what);
    check(&format!("{error:#}"), what);
    check(error.failing_url().unwrap_or_default(), what);
    let mut cause: Option<&dyn StdError> = error.source();
    while let Some(inner) = cause {
        check_debug(&inner, what);
        check(&inner.to_string(), what);
        cause = inner.source();
    }
    let wrapped = std::io::Error::from(error.clone());
    check_debug(&wrapped, what);
    check(&wrapped.to_string(), what);
}

/// A URL with a secret in each place that may have one.
fn with_secrets(url: &str) -> String {
    url.replace("://", "://ann:s3cret@") + "?token=s3cret&s3cret#s3cret"
}

/// A request with a secret in each place that may have one.
fn planted(method: &str, url: &str) -> Request {
    Request::new(method, with_secrets(url))
        .query("key", "s3cret")
        .header("Cookie", "sid=s3cret")
        .header("X-Api-Key", "s3cret")
        .header("Proxy-Authorization", "Basic s3cret")
        .header("Referer", "http://shop.test/?s3cret")
        // Harmless names whose values the program says are not.
        .sensitive_header("User-Agent", "s3cret")
        .sensitive_header("accept", "s3cret/s3cret")
}

fn configuration() -> Configuration {
    let mut configuration = Configuration::ephemeral();
    configuration.additional_headers.add("Authorization", "Bearer s3cret").unwrap();
    configuration.additional_headers.add("X-Session-Key", "s3cret").unwrap();
    configuration
}

/// An answer with secrets in its head and its body.
fn telling() -> Answer {
    Answer::ok("{\"access_token\": \"s3cret\"}")
        .header("Set-Cookie", "sid=s3cret")
        .header("Link", "</?s3cret>; rel=next")
        .header("WWW-Authenticate", "Basic realm=\"s3cret\"")
        .header("ETag", "\"s3cret\"")
}

fn check_words() {
    let request = planted("POST", "http://shop.test/").body("password=s3cret");
    check_debug(&request, "Request");
    check_debug(&request.headers(), "Headers");
    let later = request.clone().header("USER-AGENT", "s3cret").add_header("Accept", "s3cret");
    check_debug(&later, "a header that was marked, set again");
    let mut marked = http::HeaderValue::from_static("s3cret");
    marked.set_sensitive(true);
    let foreign = http::Request::get("http://shop.test/").header("User-Agent", marked);
    let foreign = Request::from(foreign.body("").unwrap());
    check_debug(&foreign, "a header that the http crate marked");
    check_debug(&http::HeaderMap::from(foreign.headers()), "the same, there and back");
    check_debug(&request.body_to_send(), "Body");
    check_debug(&Body::reader(&b"s3cret"[..]), "Body of a reader");
    check_debug(&configuration(), "Configuration");
    check_debug(&CancelToken::new(), "CancelToken");
    let mut headers = Headers::new();
    check_error(&headers.add("X-Api-Key", "s3cret\n").unwrap_err(), "Headers::add");
    check_error(&headers.set("X-Api-Key", "\0s3cret").unwrap_err(), "Headers::set");
    let wrong = request.header("X-Api-Key", "s3cret\r\n");
    check_error(&wrong.check().unwrap_err(), "Request::check");
    for url in
        ["http://ann:s3cret@", "http://s3cret:s3cret@a:99999/", "s3cret", "http://a b/?s3cret"]
    {
        check_error(&Request::get(url).check().unwrap_err(), url);
        check_debug(&Request::get(url), url);
    }
    let long = format!("http://a.test/?s3cret{}", "x".repeat(70_000));
    let converted = http::Request::<Option<Body>>::try_from(Request::get(long));
    check_error(&converted.unwrap_err(), "conversion");
}

/// Loads that succeed, and what they give.
fn check_loads(server: &Server, session: &Session) {
    server.enqueue(telling());
    let data = session.data(planted("POST", &server.url("/")).body("s3cret")).unwrap();
    check_debug(&data, "Data");
    let bytes = format!("{:?}", MARK.as_bytes());
    let shown = format!("{data:?}");
    assert!(!shown.contains(bytes.trim_matches(['[', ']'])), "a body is shown: {shown}");
    check_debug(&data.response, "Response");
    check_debug(&data.response.headers(), "headers of a response");
    assert!(server.take_request().header("authorization").is_some(), "they do go out");
    // Over redirects, to the same server and to another, with secrets in the locations.
    let other = Server::start();
    server.enqueue(Answer::redirect(302, "/a?s3cret#s3cret").header("Set-Cookie", "s3cret"));
    server.enqueue(Answer::redirect(307, &with_secrets(&other.url("/b"))));
    other.enqueue(telling().header("Content-Encoding", "x-unknown"));
    let mut bytes = session.bytes(planted("GET", &server.url("/"))).unwrap();
    check_debug(&bytes, "Bytes");
    bytes.read_to_end(&mut Vec::new()).unwrap();
    check_debug(&bytes.cancel_token(), "CancelToken of Bytes");
    check_debug(&session, "Session");
    // A line that is left out, which is logged.
    let odd = "HTTP/1.1 200 OK\r\nSet-Cookie s3cret\r\nOdd<1>: s3cret\r\nContent-Length: 0\r\n\r\n";
    server.enqueue(Answer::raw(odd));
    session.data(planted("GET", &server.url("/"))).unwrap();
    // A kept connection that is dead, so that a request is sent again.
    server.close_idle_connections();
    server.enqueue(telling());
    session.data(planted("GET", &server.url("/"))).unwrap();
    // A redirect that would need the body again.
    server.enqueue(Answer::redirect(307, &with_secrets(&server.url("/"))));
    let once = planted("POST", &server.url("/")).body(Body::reader(&b"s3cret"[..]));
    check_debug(&session.data(once).unwrap(), "a redirect that is delivered");
}

/// Answers that are errors, with a secret wherever a careless message would repeat it.
fn failing() -> Vec<(Answer, ErrorKind)> {
    use ErrorKind::{
        BadServerResponse, CannotDecodeRawData, CannotParseResponse, DataLengthExceedsMaximum,
        NetworkConnectionLost, UnsupportedUrl,
    };
    let to = |location: &str| Answer::redirect(302, location);
    let gzip = || Answer::ok("s3cret").header("Content-Encoding", "gzip");
    let mut all = vec![
        (to("http://ann:s3cret@[/"), BadServerResponse),
        (to("http://s3cret:s3cret@a:99999/"), BadServerResponse),
        (to("/a?s3cret").header("Location", "/b?s3cret"), BadServerResponse),
        (to("ftp://ann:s3cret@127.0.0.1/?s3cret"), UnsupportedUrl),
        (to("data:text/plain,s3cret"), UnsupportedUrl),
        (to("javascript:s3cret"), UnsupportedUrl),
        // The line that is wrong is shown on purpose; its value is what nobody could use.
        (Answer::raw("HTTP/9.9 200 OK\r\nX: s3cret\r\n\r\n"), CannotParseResponse),
        (telling().truncate_after(3), NetworkConnectionLost),
        (telling().announced_length(1 << 40), DataLengthExceedsMaximum),
        (telling().reset_before_answer(), NetworkConnectionLost),
    ];
    if cfg!(feature = "gzip") {
        all.push((gzip(), CannotDecodeRawData));
    }
    all
}

fn check_failures(server: &Server, session: &Session) {
    for (answer, kind) in failing() {
        server.enqueue(answer);
        let error = session.data(planted("POST", &server.url("/path"))).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        check_error(&error, &format!("{kind:?}"));
    }
    let refusal = Refusal::start();
    for (url, kind) in [
        (refusal.url("/path"), ErrorKind::CannotConnectToHost),
        ("ftp://127.0.0.1/path".to_owned(), ErrorKind::UnsupportedUrl),
    ] {
        let error = session.data(planted("GET", &url)).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        check_error(&error, &url);
    }
    let token = CancelToken::new();
    token.cancel();
    let cancelled = planted("GET", &server.url("/path")).cancel_token(&token);
    check_error(&session.data(cancelled).unwrap_err(), "Cancelled");
    let body = planted("GET", &server.url("/path")).body("s3cret");
    check_error(&session.data(body).unwrap_err(), "GET with a body");
}

#[cfg(feature = "tls")]
fn check_tls() {
    use urlsession::Certificate;
    use urlsession::testing::Authority;

    let authority = Authority::new();
    let server = Server::start_tls(&authority.identity(&["127.0.0.1"]));
    let mut configuration = configuration();
    configuration.trusts_system_roots = false;
    configuration.additional_roots.push(Certificate::from_der(authority.certificate_der()));
    let session = Session::new(configuration).unwrap();
    server.enqueue(telling());
    check_debug(&session.data(planted("GET", &server.url("/"))).unwrap(), "Data over TLS");
    let plain = Server::start();
    server.enqueue(Answer::redirect(302, &with_secrets(&plain.url("/"))));
    let error = session.data(planted("GET", &server.url("/"))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SecureConnectionRequired);
    check_error(&error, "from https to http");
    let error = session.data(planted("GET", &server.url_with_host("localhost", "/"))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ServerCertificateUntrusted, "{error}");
    check_error(&error, "a certificate for another host");
    check_debug(&session, "Session with TLS");
}

#[test]
fn nothing_that_is_printed_or_logged_shows_a_secret() {
    log::set_logger(&LOG).unwrap();
    log::set_max_level(LevelFilter::Trace);
    check_words();
    let server = Server::start();
    let mut configuration = configuration();
    configuration.maximum_body_in_memory = 1 << 20;
    let session = Session::new(configuration).unwrap();
    check_loads(&server, &session);
    check_failures(&server, &session);
    #[cfg(feature = "tls")]
    check_tls();
    challenges::check();
    let lines = LOG.0.lock().unwrap().clone();
    for line in &lines {
        check(line, "the log");
    }
    let ours = lines.iter().filter(|line| line.contains(" urlsession::")).count();
    println!("{} lines were logged, {ours} of them by this crate", lines.len());
    assert!(ours >= 10, "what was loaded is logged: {lines:#?}");
}

/// What is checked can be found.
#[test]
#[should_panic(expected = "shows a secret")]
fn a_secret_that_is_shown_is_found() {
    fn shown(value: &impl Display) -> String {
        value.to_string()
    }
    check(&shown(&with_secrets("http://shop.test/")), "a URL");
}
