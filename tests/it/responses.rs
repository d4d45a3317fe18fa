//! The head of a response: headers as the server sent them, and what follows from them.

use urlsession::testing::{Answer, Server};
use urlsession::{Configuration, Request, Response, Session};

fn session() -> Session {
    Session::new(Configuration::ephemeral()).unwrap()
}

/// Loads `path` from a server that answers with `answer`.
fn response(path: &str, answer: Answer) -> Response {
    let server = Server::start();
    server.enqueue(answer);
    session().data(server.url(path)).unwrap().response
}

#[test]
fn headers_are_listed_as_the_server_sent_them() {
    let head = b"HTTP/1.1 200 OK\r\n\
        content-length: 0\r\n\
        X-LOUD: Yes\r\n\
        set-cookie: a=1\r\n\
        X-Empty:\r\n\
        Set-Cookie: b=2\r\n\
        x-blanks: \t both ends \t\r\n\
        X-Latin: caf\xe9\r\n\
        X-Utf8: caf\xc3\xa9\r\n\
        SET-COOKIE: a=1\r\n\r\n";
    let response = response("/", Answer::raw(head));
    let listed: Vec<_> = response.headers().iter().collect();
    assert_eq!(
        listed,
        [
            ("content-length", "0"),
            ("X-LOUD", "Yes"),
            ("set-cookie", "a=1"),
            ("X-Empty", ""),
            ("Set-Cookie", "b=2"),
            ("x-blanks", "both ends"),
            ("X-Latin", "café"),
            ("X-Utf8", "café"),
            ("SET-COOKIE", "a=1"),
        ]
    );
    for name in ["x-loud", "X-Loud", "X-LOUD"] {
        assert_eq!(response.header(name), Some("Yes"));
        assert_eq!(response.headers().get(name), Some("Yes"));
        assert!(response.headers().contains(name));
    }
    let cookies: Vec<_> = response.headers().get_all("sEt-CoOkIe").collect();
    assert_eq!(cookies, ["a=1", "b=2", "a=1"]);
    assert_eq!(response.header("Set-Cookie"), Some("a=1, b=2, a=1"), "joined");
    assert_eq!((response.header("X-Empty"), response.header("X-Missing")), (Some(""), None));
    assert_eq!((response.headers().len(), response.headers().is_empty()), (9, false));
}

#[test]
fn the_length_that_is_expected_is_the_one_that_will_be_read() {
    let server = Server::start();
    let session = session();
    let decoded = (!cfg!(feature = "gzip")).then_some(5);
    for (method, answer, expected) in [
        ("GET", Answer::ok("hello"), Some(5)),
        ("GET", Answer::ok(""), Some(0)),
        ("GET", Answer::ok("hello").until_close(), None),
        ("GET", Answer::ok("hello").chunked(2), None),
        ("GET", Answer::status(204), Some(0)),
        ("GET", Answer::ok("hello").header("Content-Encoding", "identity"), Some(5)),
        ("GET", Answer::ok("hello").header("Content-Encoding", ""), Some(5)),
        // Not a byte of these is changed.
        ("GET", Answer::ok("hello").header("Content-Encoding", "x-unknown"), Some(5)),
        ("GET", Answer::ok("hello").header("Content-Encoding", "aws-chunked"), Some(5)),
        ("GET", Answer::ok("hello").header("Content-Encoding", "aws-chunked, gzip"), Some(5)),
        ("GET", Answer::ok("").header("Content-Encoding", "gzip"), Some(0)),
        ("POST", Answer::status(500).body("hello"), Some(5)),
        // What a GET would bring is what one asks by HEAD.
        ("HEAD", Answer::ok("hello"), Some(5)),
        ("HEAD", Answer::ok("hello").header("Content-Encoding", "gzip"), decoded),
        ("HEAD", Answer::ok("hello").header("Content-Encoding", "aws-chunked"), Some(5)),
        ("HEAD", Answer::ok("hello").chunked(2), None),
    ] {
        let case = format!("{method} {answer:?}");
        server.enqueue(answer);
        let data = session.data(Request::new(method, server.url("/"))).unwrap();
        assert_eq!(data.response.expected_content_length(), expected, "{case}");
    }
    let mut raw = Configuration::ephemeral();
    raw.decodes_bodies = false;
    server.enqueue(Answer::ok("hello").header("Content-Encoding", "gzip"));
    let data = Session::new(raw).unwrap().data(server.url("/")).unwrap();
    assert_eq!((data.response.expected_content_length(), &*data.text()), (Some(5), "hello"));
}

#[test]
fn type_and_encoding_follow_from_content_type() {
    for (content_type, mime, encoding) in [
        (Some("text/html"), Some("text/html"), None),
        (Some("Text/HTML; Charset=\"UTF-8\""), Some("text/html"), Some("utf-8")),
        (Some("application/json;charset=ISO-8859-1"), Some("application/json"), Some("iso-8859-1")),
        (Some("nonsense"), None, None),
        (Some(""), None, None),
        (None, None, None),
    ] {
        let answer = Answer::ok("<!DOCTYPE html><html></html>");
        let answer = match content_type {
            Some(value) => answer.header("Content-Type", value),
            None => answer,
        };
        let response = response("/page", answer);
        assert_eq!(response.mime_type().as_deref(), mime, "{content_type:?}");
        assert_eq!(response.text_encoding_name().as_deref(), encoding, "{content_type:?}");
    }
}

#[test]
fn a_file_name_is_suggested_by_the_answer_then_the_url_then_the_host() {
    for (path, disposition, mime, expected) in [
        ("/a/b.txt", Some(&b"attachment; filename=\"c d.pdf\""[..]), None, "c d.pdf"),
        ("/a/b.txt", Some(b"attachment; filename*=UTF-8''%e2%82%ac.pdf"), None, "€.pdf"),
        ("/a/b.txt", Some(b"attachment; filename=caf\xe9.txt"), None, "café.txt"),
        ("/a/b.txt", Some("attachment; filename=café.txt".as_bytes()), None, "café.txt"),
        ("/a/b.txt", Some(b"attachment; filename=/a/b/name"), None, "_a_b_name"),
        ("/a/b.txt", Some(b"attachment; filename=\"..\\\\..\\\\evil.sh\""), None, "_.._evil.sh"),
        ("/a/b.txt", Some(b"attachment; filename=.."), None, "b.txt"),
        ("/a/b.txt", Some(b"attachment"), None, "b.txt"),
        ("/a/b.txt?c=d#e", None, None, "b.txt"),
        ("/a/b", None, Some("text/html"), "b.html"),
        ("/a/b", None, Some("application/octet-stream"), "b"),
        ("/%2e%2e%2fetc%2fpasswd", None, None, "_etc_passwd"),
        ("/", None, None, "127.0.0.1"),
        ("/", None, Some("image/png"), "127.0.0.1.png"),
    ] {
        let mut answer = Answer::ok("x");
        if let Some(value) = disposition {
            answer = answer.header("Content-Disposition", value);
        }
        if let Some(value) = mime {
            answer = answer.header("Content-Type", value);
        }
        let shown = disposition.map(String::from_utf8_lossy);
        assert_eq!(response(path, answer).suggested_filename(), expected, "{path} {shown:?}");
    }
}

#[test]
fn the_url_of_a_response_is_the_one_that_answered_without_credentials() {
    let server = Server::start();
    server.handle(|request| match request.path() {
        "/old" => Answer::redirect(302, "/new?x=1"),
        _ => Answer::ok("here"),
    });
    let url = server.url("/old#part").replace("http://", "http://ann:s3cret@");
    let response = session().data(&url).unwrap().response;
    assert_eq!(response.url().as_str(), server.url("/new?x=1#part"));
}

#[test]
fn a_response_becomes_one_of_the_http_crate() {
    let head = b"HTTP/1.0 404 Nope\r\nX-Latin: caf\xe9\r\nSet-Cookie: a\r\nset-cookie: b\r\n\
        Content-Length: 0\r\n\r\n";
    let response = response("/", Answer::raw(head));
    let converted = http::Response::from(&response);
    assert_eq!(converted.status(), http::StatusCode::NOT_FOUND);
    assert_eq!(converted.version(), http::Version::HTTP_10);
    assert_eq!(converted.headers()["x-latin"].as_bytes(), b"caf\xe9");
    let cookies: Vec<_> = converted.headers().get_all("set-cookie").iter().collect();
    assert_eq!(cookies, ["a", "b"]);
    assert_eq!(converted.headers().len(), 4);
}
