//! Redirects: what never goes along, and where none may lead.

use urlsession::testing::{Answer, Recorded, Server};
use urlsession::{Configuration, ErrorKind, Request, Resolver, Session, Stage};

fn session() -> Session {
    Session::new(Configuration::ephemeral()).unwrap()
}

/// Names and values that belong to the first origin only. `X-Api-Key` is marked by
/// [`Request::sensitive_header`].
const SECRETS: &[(&str, &str)] = &[
    ("Authorization", "Bearer s3cret"),
    ("Cookie", "sid=s3cret"),
    ("Cookie2", "s3cret"),
    ("Proxy-Authorization", "Basic s3cret"),
    ("Proxy-Authenticate", "s3cret"),
    ("WWW-Authenticate", "s3cret"),
    ("x-API-key", "s3cret"),
];

/// A request with all of them, and one header that is no secret.
fn with_secrets(url: &str) -> Request {
    let (marked, known) = SECRETS.split_last().unwrap();
    let request = Request::get(url).header("X-Trace", "7").sensitive_header(marked.0, marked.1);
    known.iter().fold(request, |request, (name, value)| request.header(name, value))
}

/// What of [`SECRETS`] arrived.
fn secrets_in(request: &Recorded) -> Vec<&'static str> {
    assert_eq!(request.header("x-trace"), Some("7"), "{request:?}");
    assert_eq!(request.header("referer"), None, "{request:?}");
    let arrived = |(name, value): &&(&str, &str)| request.header(name) == Some(value);
    SECRETS.iter().filter(arrived).map(|(name, _)| *name).collect()
}

fn all() -> Vec<&'static str> {
    SECRETS.iter().map(|(name, _)| *name).collect()
}

/// Sends whoever asks for `/0` to the first of `hops`, and so on.
fn chain(server: &Server, hops: Vec<String>) {
    server.handle(move |request| {
        let hop: usize = request.path()[1..].parse().unwrap();
        match hops.get(hop) {
            Some(next) => Answer::redirect(302, next),
            None => Answer::ok("here"),
        }
    });
}

#[test]
fn secrets_stay_on_their_origin() {
    let server = Server::start();
    chain(&server, vec!["/1".into(), "2".into(), server.url("/3")]);
    session().data(with_secrets(&server.url("/0"))).unwrap();
    for _ in 0..4 {
        assert_eq!(secrets_in(&server.take_request()), all());
    }
}

#[test]
fn secrets_never_cross_origins_and_never_come_back() {
    let (one, two) = (Server::start(), Server::start());
    for (case, away) in [
        ("another port", two.url("/1")),
        ("another name", one.url_with_host("localhost", "/1")),
        ("a name with a dot behind it", one.url_with_host("localhost.", "/1")),
    ] {
        let back = one.url("/2");
        let hops = vec![away, back, "/3".into()];
        chain(&one, hops.clone());
        chain(&two, hops);
        let mut configuration = Configuration::ephemeral();
        configuration.resolver =
            Some(Resolver::new(|_, port| Ok(vec![([127, 0, 0, 1], port).into()])));
        let session = Session::new(configuration).unwrap();
        session.data(with_secrets(&one.url("/0"))).unwrap();
        assert_eq!(secrets_in(&one.take_request()), all(), "{case}");
        let elsewhere = two.try_take_request().unwrap_or_else(|| one.take_request());
        assert_eq!(elsewhere.path(), "/1", "{case}");
        assert_eq!(secrets_in(&elsewhere), [""; 0], "{case}");
        for path in ["/2", "/3"] {
            let returned = one.take_request();
            assert_eq!(returned.path(), path, "{case}");
            assert_eq!(secrets_in(&returned), [""; 0], "{case}: {path}");
            assert_eq!(returned.header("host"), Some(&*one.address().to_string()));
        }
    }
}

#[test]
fn a_header_that_the_http_crate_marks_as_sensitive_is_a_secret() {
    let (one, two) = (Server::start(), Server::start());
    chain(&one, vec![two.url("/1")]);
    chain(&two, Vec::new());
    let mut marked = http::HeaderValue::from_static("s3cret");
    marked.set_sensitive(true);
    let request =
        http::Request::get(one.url("/0")).header("X-Marked", marked).header("X-Open", "7");
    session().data(request.body("").unwrap()).unwrap();
    for (server, expected) in [(&one, Some("s3cret")), (&two, None)] {
        let seen = server.take_request();
        assert_eq!((seen.header("x-marked"), seen.header("x-open")), (expected, Some("7")));
    }
}

#[test]
fn secrets_of_a_session_are_not_restored_either() {
    let (one, two) = (Server::start(), Server::start());
    let mut configuration = Configuration::ephemeral();
    for (name, value) in [("Authorization", "Bearer s3cret"), ("Cookie", "sid=s3cret")] {
        configuration.additional_headers.set(name, value).unwrap();
    }
    let session = Session::new(configuration).unwrap();
    let hops = vec![two.url("/1"), one.url("/2")];
    chain(&one, hops.clone());
    chain(&two, hops);
    session.data(one.url("/0")).unwrap();
    for (server, expected) in [(&one, Some("Bearer s3cret")), (&two, None), (&one, None)] {
        let seen = server.take_request();
        assert_eq!(seen.header("authorization"), expected, "{}", seen.path());
        assert_eq!(seen.header("cookie").is_some(), expected.is_some(), "{}", seen.path());
    }
}

#[test]
fn a_user_name_in_the_url_is_for_its_origin_only() {
    let (one, two) = (Server::start(), Server::start());
    let hops = vec!["/1".into(), two.url("/2"), one.url("/3")];
    chain(&one, hops.clone());
    chain(&two, hops);
    let url = one.url("/0").replace("http://", "http://ann:s3cret@");
    session().data(&url).unwrap();
    let basic = Some("Basic YW5uOnMzY3JldA==");
    for (server, path, expected) in
        [(&one, "/0", basic), (&one, "/1", basic), (&two, "/2", None), (&one, "/3", None)]
    {
        let seen = server.take_request();
        assert_eq!((seen.path(), seen.header("authorization")), (path, expected));
    }
}

#[test]
fn a_user_name_in_a_location_is_not_used() {
    let (one, two) = (Server::start(), Server::start());
    let theirs = two.url("/1").replace("http://", "http://eve:evil@");
    chain(&one, vec![theirs]);
    chain(&two, Vec::new());
    let data = session().data(one.url("/0")).unwrap();
    assert_eq!(two.take_request().header("authorization"), None);
    assert_eq!(data.response.url().as_str(), two.url("/1"));
    // Nor does it replace what the program set for this origin.
    let same = one.url("/1").replace("http://", "http://eve:evil@");
    chain(&one, vec![same]);
    session().data(with_secrets(&one.url("/0"))).unwrap();
    let _ = (one.take_request(), one.take_request());
    assert_eq!(secrets_in(&one.take_request()), all());
}

#[test]
fn a_host_set_by_hand_is_for_its_origin_only() {
    let (one, two) = (Server::start(), Server::start());
    let hops = vec!["/1".into(), two.url("/2"), one.url("/3")];
    chain(&one, hops.clone());
    chain(&two, hops);
    session().data(Request::get(one.url("/0")).header("Host", "shop.test")).unwrap();
    let hosts = [&one, &one, &two, &one].map(|server| {
        let seen = server.take_request();
        assert_eq!(seen.header_all("host").len(), 1);
        seen.header("host").unwrap().to_owned()
    });
    let (first, second) = (one.address().to_string(), two.address().to_string());
    assert_eq!(hosts, ["shop.test", "shop.test", &second, &first]);
}

#[test]
fn a_body_crosses_origins_as_the_fetch_standard_says_but_secrets_do_not() {
    let (one, two) = (Server::start(), Server::start());
    let there = two.url("/1");
    one.handle(move |_| Answer::redirect(307, &there));
    chain(&two, Vec::new());
    let request = Request::post(one.url("/0")).header("Authorization", "Bearer s3cret");
    session().data(request.header("Content-Type", "text/plain").body("form")).unwrap();
    let seen = two.take_request();
    assert_eq!((seen.method(), seen.body_text()), ("POST", "form"));
    assert_eq!(seen.header("content-type"), Some("text/plain"));
    assert_eq!(seen.header("authorization"), None);
}

#[test]
fn only_http_and_https_are_followed() {
    let server = Server::start();
    let path = std::env::temp_dir().join(format!("urlsession-local-{}", std::process::id()));
    std::fs::write(&path, "local").unwrap();
    for location in [
        &*format!("file://{}", path.display()),
        "file:///etc/hostname",
        "data:text/plain,hello",
        "ftp://127.0.0.1/file",
        "ftps://127.0.0.1/file",
        "gopher://127.0.0.1:70/",
        "javascript:alert(1)",
        "about:blank",
        "blob:http://127.0.0.1/x",
        "ws://127.0.0.1/",
        "unix:/run/socket",
        "mailto:ann@shop.test",
        "httpx://127.0.0.1/",
    ] {
        server.enqueue(Answer::redirect(302, location).body("moved"));
        let error = session().data(server.url("/old")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnsupportedUrl, "{location}: {error}");
        assert_eq!((error.code(), error.stage()), (-1002, Some(Stage::Redirecting)));
    }
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn https_only_refuses_http_urls_before_anything_is_asked() {
    let server = Server::start();
    let mut configuration = Configuration::ephemeral();
    configuration.https_only = true;
    configuration.allows_insecure_redirects = true;
    let error = Session::new(configuration).unwrap().data(server.url("/?x")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SecureConnectionRequired);
    assert_eq!((error.code(), error.stage()), (-1022, Some(Stage::Preparing)));
    assert!(error.to_string().contains("https_only"), "{error}");
    assert_eq!(error.failing_url(), Some(&*server.url("/")));
    assert_eq!(server.connection_count(), 0);
}

#[cfg(feature = "tls")]
mod tls {
    use urlsession::Certificate;
    use urlsession::testing::Authority;

    use super::*;

    /// A server with TLS, one without, and a configuration that trusts the first.
    fn servers() -> (Server, Server, Configuration) {
        let authority = Authority::new();
        let secure = Server::start_tls(&authority.identity(&["127.0.0.1", "localhost"]));
        let mut configuration = Configuration::ephemeral();
        configuration.trusts_system_roots = false;
        let root = Certificate::from_der(authority.certificate_der());
        configuration.additional_roots.push(root);
        (secure, Server::start(), configuration)
    }

    #[test]
    fn from_https_to_http_needs_leave() {
        for (https_only, leave, followed) in
            [(false, false, false), (false, true, true), (true, false, false), (true, true, false)]
        {
            let (secure, plain, mut configuration) = servers();
            configuration.https_only = https_only;
            configuration.allows_insecure_redirects = leave;
            let hops = vec![plain.url("/1"), secure.url("/2")];
            chain(&secure, hops.clone());
            chain(&plain, hops);
            let case = format!("https_only {https_only}, allows_insecure_redirects {leave}");
            let session = Session::new(configuration).unwrap();
            let loaded = session.data(with_secrets(&secure.url("/0")));
            assert_eq!(secrets_in(&secure.take_request()), all(), "{case}");
            if followed {
                assert_eq!(loaded.unwrap().text(), "here", "{case}");
                assert_eq!(secrets_in(&plain.take_request()), [""; 0], "{case}");
                assert_eq!(secrets_in(&secure.take_request()), [""; 0], "{case}");
            } else {
                let error = loaded.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::SecureConnectionRequired, "{case}: {error}");
                assert_eq!(error.stage(), Some(Stage::Redirecting), "{case}");
                let named = if https_only { "https_only" } else { "allows_insecure_redirects" };
                assert!(error.to_string().contains(named), "{case}: {error}");
                assert_eq!(plain.connection_count(), 0, "{case}");
            }
        }
    }

    #[test]
    fn from_http_to_https_is_followed_without_secrets() {
        let (secure, plain, configuration) = servers();
        let hops = vec![secure.url("/1"), "/2".into()];
        chain(&secure, hops.clone());
        chain(&plain, hops);
        let session = Session::new(configuration).unwrap();
        let data = session.data(with_secrets(&plain.url("/0"))).unwrap();
        assert_eq!(data.response.url().as_str(), secure.url("/2"));
        assert_eq!(secrets_in(&plain.take_request()), all());
        for _ in 0..2 {
            assert_eq!(secrets_in(&secure.take_request()), [""; 0]);
        }
        assert_eq!(secure.connection_count(), 1);
    }

    #[test]
    fn within_https_secrets_stay_on_their_origin() {
        let (secure, _, mut configuration) = servers();
        configuration.https_only = true;
        chain(&secure, vec!["/1".into(), secure.url_with_host("localhost", "/2")]);
        let session = Session::new(configuration).unwrap();
        session.data(with_secrets(&secure.url("/0"))).unwrap();
        let arrived: Vec<_> = (0..3).map(|_| secrets_in(&secure.take_request()).len()).collect();
        assert_eq!(arrived, [SECRETS.len(), SECRETS.len(), 0]);
    }
}
