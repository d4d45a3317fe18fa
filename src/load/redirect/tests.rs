use http::Version;

use super::*;

fn head(status: u16, locations: &[&[u8]]) -> Head {
    let mut headers = Headers::new();
    locations.iter().for_each(|location| headers.push_bytes("Location", location));
    let status = StatusCode::from_u16(status).unwrap();
    Head { status, version: Version::HTTP_11, headers }
}

fn hop<'a>(url: &'a Url, method: &'a Method) -> Hop<'a> {
    let redirects = Redirects::default();
    Hop {
        url,
        method,
        followed: 0,
        redirects,
        https_only: false,
        allows_insecure_redirects: false,
        hsts: None,
    }
}

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

/// Follows one `GET`, which has to be followed, and returns where it leads.
fn followed(from: &str, location: &[u8]) -> (String, bool) {
    match next(&hop(&url(from), &Method::GET), &head(302, &[location])) {
        Step::Follow { url, crosses_origin, .. } => (url.into(), crosses_origin),
        step => panic!("{from} {location:?}: {step:?}"),
    }
}

/// Follows one `GET`, which has to be refused, and returns why.
fn refused(hop: &Hop<'_>, locations: &[&[u8]]) -> Error {
    match next(hop, &head(307, locations)) {
        Step::Refuse(error) => {
            assert_eq!(error.stage(), Some(Stage::Redirecting));
            assert!(error.failing_url().is_some());
            error
        }
        step => panic!("{locations:?}: {step:?}"),
    }
}

#[test]
fn only_some_statuses_with_a_location_are_redirects() {
    let here = url("http://a.test/");
    for status in 100..1000 {
        let step = next(&hop(&here, &Method::GET), &head(status, &[b"/b"]));
        let follows = matches!(step, Step::Follow { .. });
        assert_eq!(follows, [301, 302, 303, 307, 308].contains(&status), "{status}");
        assert!(follows || matches!(step, Step::Deliver));
    }
    for none in [&[][..], &[&b""[..]], &[b" "], &[b"", b" \t"]] {
        let step = next(&hop(&here, &Method::GET), &head(302, none));
        assert!(matches!(step, Step::Deliver), "{none:?}: {step:?}");
    }
}

#[test]
fn only_some_redirects_change_the_method() {
    let here = url("http://a.test/");
    for (status, before, after) in [
        (301, "GET", "GET"),
        (301, "HEAD", "HEAD"),
        (301, "POST", "GET"),
        (301, "PUT", "PUT"),
        (302, "GET", "GET"),
        (302, "HEAD", "HEAD"),
        (302, "POST", "GET"),
        (302, "DELETE", "DELETE"),
        (302, "patch", "patch"),
        (303, "GET", "GET"),
        (303, "HEAD", "HEAD"),
        (303, "POST", "GET"),
        (303, "PUT", "GET"),
        (303, "DELETE", "GET"),
        (303, "BREW", "GET"),
        (307, "POST", "POST"),
        (307, "HEAD", "HEAD"),
        (308, "POST", "POST"),
        (308, "PUT", "PUT"),
    ] {
        let before = Method::from_bytes(before.as_bytes()).unwrap();
        match next(&hop(&here, &before), &head(status, &[b"/b"])) {
            Step::Follow { method, keeps_body, crosses_origin, .. } => {
                assert_eq!(method.as_str(), after, "{status} {before}");
                assert_eq!(keeps_body, method == before, "{status} {before}");
                assert!(!crosses_origin);
            }
            step => panic!("{status} {before}: {step:?}"),
        }
    }
}

#[test]
fn a_location_is_resolved_as_a_url_reference() {
    for (from, location, to, crosses) in [
        ("http://a.test/b/c?d", "e", "http://a.test/b/e", false),
        ("http://a.test/b/c?d", "../e", "http://a.test/e", false),
        ("http://a.test/b/c?d", "/e", "http://a.test/e", false),
        ("http://a.test/b/c?d", "?e", "http://a.test/b/c?e", false),
        ("http://a.test/b/c?d", "?a=%20b", "http://a.test/b/c?a=%20b", false),
        ("http://a.test/b", "//c.test/d", "http://c.test/d", true),
        ("http://a.test/b", "\\\\c.test\\d", "http://c.test/d", true),
        ("http://a.test/b", "http:/d", "http://a.test/d", false),
        ("http://a.test/b", " /c ", "http://a.test/c", false),
        ("http://a.test/b", "/c d|\"", "http://a.test/c%20d|%22", false),
        // Origins: scheme, host, port.
        ("http://a.test/", "http://A.test:80/b", "http://a.test/b", false),
        ("http://a.test/", "http://a.test:81/", "http://a.test:81/", true),
        ("http://a.test/", "https://a.test/", "https://a.test/", true),
        ("http://a.test/", "https://a.test:80/", "https://a.test:80/", true),
        ("http://a.test/", "http://b.a.test/", "http://b.a.test/", true),
        ("http://a.test/", "http://a.test./", "http://a.test./", true),
        ("http://[::1]/", "http://[0:0::1]/a", "http://[::1]/a", false),
        ("http://127.0.0.1/", "http://0x7f.1/a", "http://127.0.0.1/a", false),
        // Fragments.
        ("http://a.test/b#f", "/c", "http://a.test/c#f", false),
        ("http://a.test/b#f", "/c#g", "http://a.test/c#g", false),
        ("http://a.test/b#f", "/c#", "http://a.test/c#", false),
        ("http://a.test/b#f", "http://b.test/", "http://b.test/#f", true),
        // A user name and a password never become credentials.
        ("http://a.test/", "http://u:p@a.test/b", "http://a.test/b", false),
        ("http://a.test/", "http://a.test@b.test/", "http://b.test/", true),
        ("http://a.test/", "//u@b.test/", "http://b.test/", true),
        // Text in UTF-8 is escaped as such.
        ("http://a.test/", "/café?é#é", "http://a.test/caf%C3%A9?%C3%A9#%C3%A9", false),
        ("http://a.test/", "http://bücher.test/", "http://xn--bcher-kva.test/", true),
    ] {
        let found = followed(from, location.as_bytes());
        assert_eq!(found, (to.to_owned(), crosses), "{from} {location:?}");
    }
}

#[test]
fn bytes_of_a_location_that_are_not_utf8_go_back_as_they_came() {
    let (to, _) = followed("http://a.test/", b" /caf\xe9?\xff=%e9");
    assert_eq!(to, "http://a.test/caf%E9?%FF=%e9");
    let here = url("http://a.test/");
    let error = refused(&hop(&here, &Method::GET), &[b"http://b\xfccher.test/"]);
    assert_eq!(error.kind(), ErrorKind::BadServerResponse);
}

#[test]
fn several_locations_have_to_agree() {
    let here = url("http://a.test/");
    for same in [&[&b"/b"[..], b"/b"][..], &[b"", b"/b"], &[b"/b", b" /b "]] {
        let step = next(&hop(&here, &Method::GET), &head(302, same));
        assert!(matches!(step, Step::Follow { .. }), "{same:?}: {step:?}");
    }
    for differing in [&[&b"/b"[..], b"/c"][..], &[b"/b", b"/B"], &[b"/b", b"/b", b"//b"]] {
        let error = refused(&hop(&here, &Method::GET), differing);
        assert_eq!(error.kind(), ErrorKind::BadServerResponse);
    }
}

#[test]
fn some_places_are_out_of_bounds() {
    use ErrorKind::{BadServerResponse, SecureConnectionRequired, UnsupportedUrl};
    for (from, location, kind, failing) in [
        ("http://a.test/", "ftp://b.test/x", UnsupportedUrl, "ftp://b.test/x"),
        ("http://a.test/", "file:///etc/passwd", UnsupportedUrl, "file:"),
        ("http://a.test/", "data:,secret", UnsupportedUrl, "data:"),
        ("http://a.test/", "javascript:secret", UnsupportedUrl, "javascript:"),
        ("http://a.test/", "localhost:8080", UnsupportedUrl, "localhost:"),
        ("https://a.test/", "http://a.test/b", SecureConnectionRequired, "http://a.test/b"),
        ("https://a.test/", "http://u:secret@b.test", SecureConnectionRequired, "http://b.test/"),
        ("http://a.test/x?secret", "http://", BadServerResponse, "http://a.test/x"),
        ("http://a.test/x", "http://b.test:secret/", BadServerResponse, "http://a.test/x"),
        ("http://a.test/x", "http://b%00.test/", BadServerResponse, "http://a.test/x"),
        ("http://a.test/x", "http://1.2.3.4.5/", BadServerResponse, "http://a.test/x"),
    ] {
        let from = url(from);
        let error = refused(&hop(&from, &Method::GET), &[location.as_bytes()]);
        assert_eq!(error.kind(), kind, "{from} {location}");
        let shown = error.failing_url().unwrap();
        assert_eq!(shown, failing);
        assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
    }
}

#[test]
fn http_is_followed_where_the_rules_allow_it() {
    for (from, to, https_only, allows_insecure, followed) in [
        ("http://a.test/", "http://a.test/b", false, false, true),
        ("http://a.test/", "https://a.test/b", false, false, true),
        ("https://a.test/", "https://b.test/", false, false, true),
        ("https://a.test/", "http://a.test/b", false, false, false),
        ("https://a.test/", "http://a.test/b", false, true, true),
        ("https://a.test/", "https://a.test/b", true, false, true),
        ("https://a.test/", "http://a.test/b", true, false, false),
        ("https://a.test/", "http://a.test/b", true, true, false),
        ("http://a.test/", "http://a.test/b", true, true, false),
        ("http://a.test/", "https://a.test/b", true, true, true),
    ] {
        let here = url(from);
        let rules = Hop {
            https_only,
            allows_insecure_redirects: allows_insecure,
            ..hop(&here, &Method::GET)
        };
        match next(&rules, &head(302, &[to.as_bytes()])) {
            Step::Follow { .. } => assert!(followed, "{rules:?} to {to}"),
            Step::Refuse(error) => {
                assert!(!followed, "{rules:?} to {to}");
                assert_eq!(error.kind(), ErrorKind::SecureConnectionRequired);
            }
            Step::Deliver => panic!("{rules:?} to {to}"),
        }
    }
}

#[test]
fn twenty_redirects_are_followed_and_the_next_one_is_not() {
    let mut here = url("http://a.test/0");
    for followed in 0..20 {
        let location = (followed + 1).to_string();
        let now = Hop { followed, ..hop(&here, &Method::GET) };
        match next(&now, &head(302, &[location.as_bytes()])) {
            Step::Follow { url, .. } => here = url,
            step => panic!("{followed}: {step:?}"),
        }
    }
    let now = Hop { followed: 20, ..hop(&here, &Method::GET) };
    let error = refused(&now, &[b"21"]);
    assert_eq!(error.kind(), ErrorKind::TooManyRedirects);
    assert_eq!(error.failing_url(), Some("http://a.test/21"));
    assert!(matches!(next(&now, &head(200, &[b"21"])), Step::Deliver));
}

#[test]
fn a_load_follows_as_many_redirects_as_it_may_or_none() {
    let here = url("http://a.test/");
    for (are_followed, most, followed, expected) in [
        (true, 1, 0, "followed"),
        (true, 1, 1, "refused"),
        (true, 0, 0, "refused"),
        (true, 100, 99, "followed"),
        (false, 20, 0, "delivered"),
        (false, 0, 0, "delivered"),
    ] {
        let redirects = Redirects { are_followed, most };
        let now = Hop { followed, redirects, ..hop(&here, &Method::GET) };
        let step = match next(&now, &head(302, &[b"/there"])) {
            Step::Follow { .. } => "followed",
            Step::Refuse(error) => {
                assert_eq!(error.kind(), ErrorKind::TooManyRedirects);
                "refused"
            }
            Step::Deliver => "delivered",
        };
        assert_eq!(step, expected, "{redirects:?} after {followed}");
    }
}

fn request() -> Headers {
    let mut headers = Headers::new();
    for name in [
        "Accept",
        "AUTHORIZATION",
        "cookie",
        "Cookie",
        "Cookie2",
        "Host",
        "Proxy-Authorization",
        "Proxy-Authenticate",
        "WWW-Authenticate",
        "X-Api-Key",
        "X-Trace",
        "Range",
        "content-type",
        "Content-Encoding",
        "Content-Length",
        "Content-MD5",
        "Content-Digest",
        "Contents",
        "Transfer-Encoding",
        "Expect",
        "Digest",
        "Trailer",
    ] {
        headers.push(name, "1");
    }
    headers
}

fn names(headers: &Headers) -> Vec<&str> {
    headers.iter().map(|(name, _)| name).collect()
}

#[test]
fn another_origin_gets_no_secrets_and_another_method_no_words_about_the_body() {
    let body = [
        "content-type",
        "Content-Encoding",
        "Content-Length",
        "Content-MD5",
        "Content-Digest",
        "Transfer-Encoding",
        "Expect",
        "Digest",
        "Trailer",
    ];
    let secret = [
        "AUTHORIZATION",
        "cookie",
        "Cookie",
        "Cookie2",
        "Host",
        "Proxy-Authorization",
        "Proxy-Authenticate",
        "WWW-Authenticate",
        "X-Api-Key",
    ];
    let before = request();
    let sensitive = [Box::from("x-API-key"), Box::from("x-absent")];
    for crosses_origin in [false, true] {
        for rewritten in [false, true] {
            let mut headers = request();
            strip(&mut headers, &sensitive, crosses_origin, rewritten);
            let mut expected = names(&before);
            expected.retain(|name| {
                let of_origin = crosses_origin && secret.contains(name);
                let of_body = rewritten && body.contains(name);
                !of_origin && !of_body
            });
            assert_eq!(names(&headers), expected, "{crosses_origin} {rewritten}");
        }
    }
}

#[test]
fn what_was_stripped_does_not_return_with_the_first_origin() {
    let mut headers = request();
    let sensitive = [Box::from("X-Api-Key")];
    let mut here = url("https://a.test/");
    for location in ["https://b.test/", "https://a.test/"] {
        match next(&hop(&here, &Method::GET), &head(302, &[location.as_bytes()])) {
            Step::Follow { url, keeps_body, crosses_origin, .. } => {
                assert!(crosses_origin);
                strip(&mut headers, &sensitive, crosses_origin, !keeps_body);
                here = url;
            }
            step => panic!("{location}: {step:?}"),
        }
    }
    assert_eq!(here.as_str(), "https://a.test/");
    for name in request::OF_ONE_ORIGIN.iter().copied().chain(["X-Api-Key"]) {
        assert!(!headers.contains(name), "{name}");
    }
    assert!(headers.contains("X-Trace"));
}
