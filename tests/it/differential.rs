//! The same requests and the same answers through bare ureq: what differs is written down
//! here, with the reason.

use std::collections::BTreeSet;
use std::io::Read;
use std::time::Duration;

use urlsession::testing::{Answer, Server};
use urlsession::{Body, Configuration, Request, Session};

use crate::support::raw_answers::rows;

/// Longer than anything here takes.
const GUARD: Duration = Duration::from_secs(30);

fn session() -> Session {
    let mut configuration = Configuration::ephemeral();
    configuration.timeout_for_resource = GUARD;
    Session::new(configuration).unwrap()
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .proxy(None)
        .allow_non_standard_methods(true)
        .timeout_global(Some(GUARD))
        .build()
        .new_agent()
}

/// Fails unless `found` are exactly the differences that are `known`.
fn compare(found: &[(String, String)], known: &[(&str, &str)]) {
    let unknown: Vec<_> =
        found.iter().filter(|(name, _)| known.iter().all(|(row, _)| row != name)).collect();
    let gone: Vec<_> =
        known.iter().filter(|(row, _)| found.iter().all(|(name, _)| row != name)).collect();
    let lines = unknown.iter().map(|(name, what)| format!("\n  new: {name}: {what}"));
    let lines = lines.chain(gone.iter().map(|(row, _)| format!("\n  gone: {row}")));
    let report: String = lines.collect();
    assert!(report.is_empty(), "the differences from ureq have changed:{report}");
}

/// What Foundation and `curl -d` do, too.
const LABELLED: &str = "ureq does not say what a body is; bytes that are posted are labelled";

// ---- answers ----

/// Answers of which the two make different things.
const ANSWERS: &[(&str, &str)] = &[
    ("Transfer-Encoding: gzip, chunked", CODING),
    ("Transfer-Encoding: chunked, gzip", CODING),
    ("Transfer-Encoding: chunked, chunked", CODING),
    ("Transfer-Encoding: chunked|Transfer-Encoding: chunked", CODING),
    ("Transfer-Encoding: gzip|Transfer-Encoding: chunked", CODING),
    ("Transfer-Encoding: xchunked", CODING),
    ("Transfer-Encoding: chunked;q=1", CODING),
    ("Transfer-Encoding: chunked,", CODING),
    ("Transfer-Encoding: identity", CODING),
    ("Transfer-Encoding: gzip", CODING),
    ("Transfer-Encoding: ", CODING),
    ("a long extension", "ureq has room for 20 bytes of an extension; here they may have 4 KiB"),
    (
        "an extension of 4,000 bytes",
        "ureq has room for 20 bytes of an extension; here they may have 4 KiB",
    ),
    (
        "a signed size",
        "ureq parses the size as Rust does, which takes a sign; RFC 9112 §7.1 has digits alone",
    ),
    ("a blank before the size", "ureq trims the size; RFC 9112 §7.1 has nothing before it"),
    ("17 digits", "ureq has no limit on zeros before the size"),
    ("LF behind a trailer", "ureq takes LF alone; here every line of chunks ends with CR LF"),
    ("a folded line", ODD),
    ("a line of blanks", ODD),
    ("a first line that is folded", ODD),
    ("an odd byte in a name", ODD),
    ("CR in a value", ODD),
    ("NUL in a value", ODD),
    ("a control character in a value", ODD),
    ("DEL in a value", ODD),
    ("a blank before the colon", ODD),
    ("a blank in a name", ODD),
    ("no colon", ODD),
    ("no name", ODD),
    (
        "no last line",
        "ureq takes the last chunk for the end; RFC 9112 §7.1 wants the empty line behind it",
    ),
    (
        "1.0 in chunks",
        "ureq delivers the chunks as they are; here HTTP/1.0 may have them, as with curl",
    ),
    (
        "1.0 in chunks that keeps",
        "ureq delivers the chunks as they are; here HTTP/1.0 may have them, as with curl",
    ),
    (
        "100 with a header",
        "ureq knows a 100 only if it has no header; RFC 9110 §15.2 lets it have any",
    ),
    (
        "100 with a length",
        "ureq knows a 100 only if it has no header; RFC 9110 §15.2 lets it have any",
    ),
    ("5,000 of them", "ureq has room for 64 KiB; here they may have 256 KiB together"),
    ("129 lines", "ureq has room for 128 lines; here bytes count"),
    ("151 lines of 20 bytes", "ureq has room for 128 lines; here bytes count"),
    ("40,000 lines", "ureq has room for 128 lines; here bytes count"),
    ("a line of 250,000 bytes", "ureq has room for 64 KiB; here a head may have 256 KiB"),
    ("a status line of 66,000 bytes", "ureq has room for 64 KiB; here a head may have 256 KiB"),
    ("101", "ureq delivers a switch of protocols that it has not asked for; here that is an error"),
    ("a head of 250,000 bytes", "ureq has room for 64 KiB; here a head may have 256 KiB"),
    ("trailers of 70,000 bytes", "ureq has no limit on trailers; here they may have 64 KiB"),
];

const ODD: &str = "ureq refuses what is not written as it should be; here a line that is none is left \
                   out, and folded ones are joined, as curl does";

const CODING: &str = "ureq looks for `chunked` in the list and else reads until the end; here only \
                      `chunked` alone is taken, as readers disagree about the others";

/// Status and body; none if the load failed, at its head or in its body.
type Loaded = Option<(u16, Vec<u8>)>;

fn ours(method: &str, url: &str) -> Loaded {
    let data = session().data(Request::new(method, url)).ok()?;
    Some((data.response.status().as_u16(), data.body))
}

fn theirs(method: &str, url: &str) -> Loaded {
    let request = http::Request::builder().method(method).uri(url).body(()).unwrap();
    let response = agent().run(request).ok()?;
    let status = response.status().as_u16();
    let mut body = Vec::new();
    response.into_body().into_reader().read_to_end(&mut body).ok()?;
    Some((status, body))
}

fn shown(loaded: &Loaded) -> String {
    match loaded {
        None => "an error".to_owned(),
        Some((status, body)) => format!("{status} {:?}", String::from_utf8_lossy(body)),
    }
}

#[test]
fn an_answer_is_read_as_ureq_reads_it_apart_from_what_is_listed() {
    let server = Server::start();
    let mut found = Vec::new();
    for row in rows() {
        // Closed behind each answer: ureq waits where this crate sees an error at once.
        server.enqueue(Answer::raw(&row.bytes));
        let one = ours(row.method, &server.url("/"));
        server.enqueue(Answer::raw(&row.bytes));
        let other = theirs(row.method, &server.url("/"));
        if one != other {
            found.push((row.name, format!("{}; ureq: {}", shown(&one), shown(&other))));
        }
    }
    compare(&found, ANSWERS);
}

// ---- requests ----

/// Requests that reach the server in different ways.
const REQUESTS: &[(&str, &str)] = &[
    (
        "odd letters",
        "ureq takes a URI as it is or refuses it; a URL is escaped as in the WHATWG's standard",
    ),
    ("blank", "ureq refuses what is no URI; a URL is escaped as in the WHATWG's standard"),
    ("not ASCII", "ureq sends the bytes as they are, which the server refuses; a URL is escaped"),
    (
        "quotes in a query",
        "ureq refuses what is no URI; a URL is escaped as in the WHATWG's standard",
    ),
    ("dots", "ureq sends dots as they are; a URL has none left, as in the WHATWG's standard"),
    (
        "backslash",
        "ureq sends it as it is; in a URL of http it is a slash, as in the WHATWG's standard",
    ),
    ("POST without a body", "ureq sends no body in chunks; here its length is 0 (RFC 9110 §8.6)"),
    ("PUT without a body", "ureq sends no body in chunks; here its length is 0 (RFC 9110 §8.6)"),
    ("PATCH without a body", "ureq sends no body in chunks; here its length is 0 (RFC 9110 §8.6)"),
    ("POST", LABELLED),
    ("POST, large", LABELLED),
    ("own length", LABELLED),
    ("expect", LABELLED),
    ("POST redirected by 301", LABELLED),
    ("POST redirected by 302", LABELLED),
    ("POST redirected by 303", LABELLED),
    ("GET with a body", "Apple's sessions refuse it, and so does this crate (-1103)"),
    (
        "wrong length",
        "ureq notices while it sends; here such a header is refused before anything is sent",
    ),
    ("TE", "ureq does not name it in Connection, which whoever sends it must (RFC 9110 §10.1.4)"),
    (
        "POST redirected by 307",
        "ureq does not send a body again; here it does if the body can be read again",
    ),
    (
        "POST redirected by 308",
        "ureq does not send a body again; here it does if the body can be read again",
    ),
    (
        "PUT redirected by 301",
        "ureq turns every method into GET; the Fetch standard does that to POST alone",
    ),
    (
        "DELETE redirected by 302",
        "ureq turns every method into GET; the Fetch standard does that to POST alone",
    ),
    (
        "credentials redirected",
        "ureq drops credentials on every hop; here they go along within one origin",
    ),
    (
        "type of a body that is dropped",
        "ureq keeps headers about a body that is gone; the Fetch standard drops them",
    ),
    (
        "redirected by 300",
        "ureq follows every 3xx with a Location; the Fetch standard follows five of them",
    ),
    (
        "redirected by 305",
        "ureq follows every 3xx with a Location; the Fetch standard follows five of them",
    ),
];

/// Header names that one of the two sends with every request, and the other never.
const NAMES: &[(&str, &str)] =
    &[("accept-encoding", "ureq without features decodes nothing and leaves open what it accepts")];

struct Case {
    name: &'static str,
    method: &'static str,
    path: &'static str,
    headers: &'static [(&'static str, &'static str)],
    body: Content,
}

#[derive(Clone, Copy)]
enum Content {
    None,
    Bytes(usize),
    Reader(usize),
}

const fn case(name: &'static str, method: &'static str, path: &'static str) -> Case {
    Case { name, method, path, headers: &[], body: Content::None }
}

impl Case {
    const fn body(self, body: Content) -> Self {
        Self { body, ..self }
    }

    const fn headers(self, headers: &'static [(&'static str, &'static str)]) -> Self {
        Self { headers, ..self }
    }
}

const CASES: &[Case] = &[
    case("GET", "GET", "/"),
    case("no path", "GET", ""),
    case("query", "GET", "/a/b?c=d&e"),
    case("query without a path", "GET", "?a=b"),
    case("empty query", "GET", "/?"),
    case("fragment", "GET", "/a#b"),
    case("escapes", "GET", "/%41%2f%zz?%00"),
    case("odd letters", "GET", "/|^`[]{}~!$&'()*+,;=:@"),
    case("blank", "GET", "/a b"),
    case("not ASCII", "GET", "/\u{e9}?\u{e9}"),
    case("quotes in a query", "GET", "/?'\"<>"),
    case("dots", "GET", "/a/./b/../c"),
    case("backslash", "GET", "/a\\b"),
    case("two slashes", "GET", "//a//b"),
    case("HEAD", "HEAD", "/"),
    case("DELETE", "DELETE", "/"),
    case("OPTIONS", "OPTIONS", "/"),
    case("TRACE", "TRACE", "/"),
    case("another method", "BREW", "/pot"),
    case("POST without a body", "POST", "/"),
    case("PUT without a body", "PUT", "/"),
    case("PATCH without a body", "PATCH", "/"),
    case("POST", "POST", "/").body(Content::Bytes(5)),
    case("POST, empty", "POST", "/").body(Content::Bytes(0)),
    case("POST, large", "POST", "/").body(Content::Bytes(300_000)),
    case("POST, reader", "POST", "/").body(Content::Reader(5)),
    case("POST, empty reader", "POST", "/").body(Content::Reader(0)),
    case("POST, large reader", "POST", "/").body(Content::Reader(300_000)),
    case("PUT", "PUT", "/").body(Content::Bytes(5)),
    case("PATCH", "PATCH", "/").body(Content::Bytes(5)),
    case("DELETE with a body", "DELETE", "/").body(Content::Bytes(5)),
    case("OPTIONS with a body", "OPTIONS", "/").body(Content::Reader(5)),
    case("another method with a body", "BREW", "/").body(Content::Bytes(5)),
    case("GET with a body", "GET", "/").body(Content::Bytes(5)),
    case("HEAD with a body", "HEAD", "/").body(Content::Bytes(5)),
    case("header", "GET", "/").headers(&[("X-Trace", "7")]),
    case("header twice", "GET", "/").headers(&[("X-Trace", "7"), ("x-trace", "8")]),
    case("empty header", "GET", "/").headers(&[("X-Trace", "")]),
    case("own user agent", "GET", "/").headers(&[("User-Agent", "tester/1")]),
    case("own accept", "GET", "/").headers(&[("Accept", "text/html")]),
    case("own accept-encoding", "GET", "/").headers(&[("Accept-Encoding", "identity")]),
    case("own host", "GET", "/").headers(&[("Host", "shop.test")]),
    case("cookie", "GET", "/").headers(&[("Cookie", "a=b")]),
    case("authorization", "GET", "/").headers(&[("Authorization", "Bearer x")]),
    case("range", "GET", "/").headers(&[("Range", "bytes=0-")]),
    case("close", "GET", "/").headers(&[("Connection", "close")]),
    case("TE", "GET", "/").headers(&[("TE", "trailers")]),
    case("own content type", "POST", "/")
        .headers(&[("Content-Type", "a/b")])
        .body(Content::Bytes(5)),
    case("own length", "POST", "/").headers(&[("Content-Length", "5")]).body(Content::Bytes(5)),
    case("wrong length", "POST", "/").headers(&[("Content-Length", "4")]).body(Content::Bytes(5)),
    case("expect", "POST", "/").headers(&[("Expect", "100-continue")]).body(Content::Bytes(5)),
    case("redirected by 301", "GET", "/redirect/301"),
    case("redirected by 308", "GET", "/redirect/308"),
    case("HEAD redirected by 303", "HEAD", "/redirect/303"),
    case("POST redirected by 301", "POST", "/redirect/301").body(Content::Bytes(5)),
    case("POST redirected by 302", "POST", "/redirect/302").body(Content::Bytes(5)),
    case("POST redirected by 303", "POST", "/redirect/303").body(Content::Bytes(5)),
    case("POST redirected by 307", "POST", "/redirect/307").body(Content::Bytes(5)),
    case("POST redirected by 308", "POST", "/redirect/308").body(Content::Bytes(5)),
    case("PUT redirected by 301", "PUT", "/redirect/301").body(Content::Bytes(5)),
    case("PUT redirected by 303", "PUT", "/redirect/303").body(Content::Bytes(5)),
    case("DELETE redirected by 302", "DELETE", "/redirect/302"),
    case("credentials redirected", "GET", "/redirect/302")
        .headers(&[("Authorization", "Bearer x"), ("Cookie", "a=b")]),
    case("type of a body that is dropped", "POST", "/redirect/303")
        .headers(&[("Content-Type", "a/b"), ("Content-Language", "en")])
        .body(Content::Bytes(5)),
    case("redirected by 300", "GET", "/redirect/300"),
    case("redirected by 305", "GET", "/redirect/305"),
];

/// What reached the server: for each request method, target, names of headers and body.
type Reached = Vec<(String, String, BTreeSet<String>, Vec<u8>)>;

fn reached(server: &Server) -> Reached {
    // A request that breaks off is recorded with the end of its connection. Connections are
    // accepted in order, so behind this load all those before are known.
    session().data(server.url("/behind")).unwrap();
    server.wait_until(|stats| stats.open_connections == 0);
    let requests = std::iter::from_fn(|| server.try_take_request());
    requests
        .filter(|request| request.path() != "/behind")
        .map(|request| {
            let names = request.headers().map(|(name, _)| name.to_ascii_lowercase()).collect();
            let (method, target) = (request.method().to_owned(), request.target().to_owned());
            (method, target, names, request.body().to_vec())
        })
        .collect()
}

fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|at| b'a' + (at % 26) as u8).collect()
}

/// Whether the load succeeded, apart from what it loaded.
fn send_ours(case: &Case, url: &str) -> bool {
    let mut request = Request::new(case.method, url);
    for (name, value) in case.headers {
        request = request.add_header(name, value);
    }
    request = match case.body {
        Content::None => request,
        Content::Bytes(length) => request.body(bytes(length)),
        Content::Reader(length) => {
            request.body(Body::opened_by(move || Ok(std::io::Cursor::new(bytes(length)))))
        }
    };
    session().data(request).is_ok()
}

fn send_theirs(case: &Case, url: &str) -> bool {
    let mut request = http::Request::builder().method(case.method).uri(url);
    for (name, value) in case.headers {
        request = request.header(*name, *value);
    }
    let body = match case.body {
        Content::None => return request.body(()).is_ok_and(run),
        Content::Bytes(length) => {
            return request.body(bytes(length)).is_ok_and(run);
        }
        Content::Reader(length) => {
            ureq::SendBody::from_owned_reader(std::io::Cursor::new(bytes(length)))
        }
    };
    request.body(body).is_ok_and(run)
}

fn run(request: http::Request<impl ureq::AsSendBody>) -> bool {
    let Ok(response) = agent().run(request) else { return false };
    response.into_body().into_reader().read_to_end(&mut Vec::new()).is_ok()
}

fn listed((is_ok, reached): &(bool, Reached)) -> String {
    let lines = reached.iter().map(|(method, target, names, body)| {
        format!("{method} {target} {names:?} {} bytes", body.len())
    });
    format!("{is_ok} {:?}", lines.collect::<Vec<_>>())
}

#[test]
fn a_request_reaches_the_server_as_ureqs_does_apart_from_what_is_listed() {
    let server = Server::start();
    server.handle(|request| match request.path().strip_prefix("/redirect/") {
        Some(status) => Answer::redirect(status.parse().unwrap(), "/there?x=1"),
        None => Answer::ok("fine"),
    });
    let mut found = Vec::new();
    let mut sent_by_one = vec![true; NAMES.len()];
    for case in CASES {
        let url = server.url(case.path);
        let mut one = (send_ours(case, &url), reached(&server));
        let mut other = (send_theirs(case, &url), reached(&server));
        // What the server refuses is told by its having reached nobody.
        server.take_failures();
        let own = |name: &str| case.headers.iter().any(|(own, _)| own.eq_ignore_ascii_case(name));
        for ((name, _), by_one) in NAMES.iter().zip(&mut sent_by_one) {
            if own(name) {
                continue;
            }
            let take = |reached: &mut Reached| {
                reached.iter_mut().map(|(_, _, names, _)| names.remove(*name)).collect::<Vec<_>>()
            };
            let (ours, theirs) = (take(&mut one.1), take(&mut other.1));
            *by_one &= ours.iter().all(|&sent| sent) && !theirs.iter().any(|&sent| sent);
        }
        if one != other {
            let both = format!("{}; ureq: {}", listed(&one), listed(&other));
            found.push((case.name.to_owned(), both));
        }
    }
    compare(&found, REQUESTS);
    assert_eq!(sent_by_one, vec![true; NAMES.len()], "{NAMES:?}");
}
