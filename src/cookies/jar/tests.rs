mod suites;

use super::*;
use crate::cookies::fields;
use crate::cookies::moment::SECOND;
use crate::headers::Headers;

const NOW: Moment = 1_796_000_000 * SECOND;

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

impl Jar {
    fn set(&mut self, line: &str, at: &str) -> bool {
        self.set_at(line, at, NOW)
    }

    fn set_at(&mut self, line: &str, at: &str, now: Moment) -> bool {
        let url = url(at);
        Cookie::set_by(line.as_bytes(), &url, now)
            .is_some_and(|cookie| self.take(cookie, &url, now))
    }

    /// What is sent there.
    fn sent(&self, to: &str) -> String {
        self.sent_at(to, NOW)
    }

    fn sent_at(&self, to: &str, now: Moment) -> String {
        let mut headers = Headers::new();
        fields::add_to(&mut headers, &self.matching(&url(to), now));
        headers.get("cookie").unwrap_or_default().to_owned()
    }
}

#[test]
fn the_examples_of_the_rfc_hold() {
    // RFC 6265 §3.1.
    let mut jar = Jar::default();
    let home = "http://www.example.com/";
    jar.set("SID=31d4d96e407aad42", home);
    assert_eq!(jar.sent(home), "SID=31d4d96e407aad42");
    assert_eq!(jar.sent("http://example.com/"), "");
    assert_eq!(jar.sent("http://a.www.example.com/"), "");

    let mut jar = Jar::default();
    jar.set("SID=31d4d96e407aad42; Path=/; Domain=example.com", home);
    for to in [home, "http://example.com/x", "http://a.example.com/"] {
        assert_eq!(jar.sent(to), "SID=31d4d96e407aad42", "{to}");
    }

    let mut jar = Jar::default();
    let home = "https://www.example.com/";
    jar.set("SID=31d4d96e407aad42; Path=/; Secure; HttpOnly", home);
    jar.set("lang=en-US; Path=/; Domain=example.com", home);
    assert_eq!(jar.sent(home), "SID=31d4d96e407aad42; lang=en-US");
    assert_eq!(jar.sent("http://www.example.com/"), "lang=en-US");
    jar.set("lang=en-US; Expires=Wed, 09 Jun 2021 10:18:14 GMT", home);
    assert_eq!(jar.sent(home), "SID=31d4d96e407aad42; lang=en-US", "another path or domain");
    jar.set("lang=; Domain=example.com; Expires=Sun, 06 Nov 1994 08:49:37 GMT", home);
    assert_eq!(jar.sent(home), "SID=31d4d96e407aad42");
}

#[test]
fn prefixes_are_kept_whatever_their_case() {
    // RFC 6265bis §4.1.3, its own examples among them.
    for (line, at, is_kept) in [
        ("__Secure-SID=12345; Domain=site.example", "https://site.example/", false),
        ("__Secure-SID=12345; Domain=site.example; Secure", "https://site.example/", true),
        ("__Secure-SID=12345; Secure", "http://site.example/", false),
        ("__Host-SID=12345", "https://site.example/", false),
        ("__Host-SID=12345; Secure", "https://site.example/", false),
        ("__Host-SID=12345; Domain=site.example", "https://site.example/", false),
        ("__Host-SID=12345; Domain=site.example; Path=/", "https://site.example/", false),
        ("__Host-SID=12345; Secure; Domain=site.example; Path=/", "https://site.example/", false),
        ("__Host-SID=12345; Secure; Path=/", "https://site.example/", true),
        ("__Host-SID=12345; Secure; Path=/a", "https://site.example/a", false),
        ("__host-SID=12345; Secure", "https://site.example/", false),
        ("__HOST-SID=12345; Secure; Path=/", "https://site.example/", true),
        ("__sEcUrE-SID=12345", "https://site.example/", false),
        ("__Host-SID=12345; Secure; Path=/; Domain=", "https://site.example/", true),
        ("__Hos-SID=12345", "http://site.example/", true),
        (" __Host-SID=12345; Path=/", "https://site.example/", false),
        // What has no name must not look as if it had one that promises something.
        ("__Host-SID", "https://site.example/", false),
        ("=__Host-SID=12345", "https://site.example/", false),
        ("=__secure-SID=12345; Secure", "https://site.example/", false),
        ("=__Hos-SID", "http://site.example/", true),
    ] {
        assert_eq!(Jar::default().set(line, at), is_kept, "{line}");
    }
}

#[test]
fn who_speaks_without_tls_neither_sets_nor_covers_what_is_protected() {
    let (plain, tls) = ("http://www.shop.test/a/b", "https://www.shop.test/a/b");
    assert!(!Jar::default().set("a=b; Secure", plain));
    // RFC 6265bis §5.7, step 18: the same name, in a domain above or below, at the path or below.
    for (before, line, is_set) in [
        ("a=1; Secure; Path=/", "a=2; Path=/", false),
        ("a=1; Secure; Path=/", "a=2; Path=/a", false),
        ("a=1; Secure; Path=/a", "a=2; Path=/a/b", false),
        ("a=1; Secure; Path=/a", "a=2; Path=/", true),
        ("a=1; Secure; Path=/a", "a=2; Path=/ab", true),
        ("a=1; Secure; Path=/", "b=2; Path=/", true),
        ("a=1; Secure; Path=/", "A=2; Path=/", true),
        ("a=1; Secure; Path=/; Domain=shop.test", "a=2; Path=/", false),
        ("a=1; Secure; Path=/", "a=2; Path=/; Domain=shop.test", false),
        ("a=1; Path=/", "a=2; Path=/", true),
    ] {
        let mut jar = Jar::default();
        assert!(jar.set(before, tls));
        assert_eq!(jar.set(line, plain), is_set, "{before}, then {line}");
        assert!(jar.set(&line.replace("=2", "=3"), tls), "{before}, then {line} by TLS");
    }
    let mut jar = Jar::default();
    jar.set("a=1; Secure; Path=/", "https://img.shop.test/");
    assert!(jar.set("a=2; Path=/", plain), "beside it");
    assert!(!jar.set("a=1; Max-Age=0", "http://img.shop.test/"), "removed without TLS");
}

#[test]
fn a_cookie_is_replaced_by_one_of_the_same_name_domain_and_path_and_keeps_its_turn() {
    let mut jar = Jar::default();
    let at = "http://www.shop.test/a/b";
    for line in ["a=1", "b=1", "a=2", "a=3; Path=/", "a=4; Domain=www.shop.test", "A=5"] {
        assert!(jar.set(line, at), "{line}");
    }
    assert!(!jar.set("a=2", at), "nothing new");
    assert_eq!(jar.sent(at), "a=2; b=1; a=4; A=5; a=3");
    assert_eq!(jar.len(), 5);
    assert!(jar.set("a=; Max-Age=0", at));
    assert!(!jar.set("a=; Max-Age=0", at), "it was gone");
    assert_eq!(jar.sent(at), "b=1; a=4; A=5; a=3");
}

#[test]
fn a_cookie_is_sent_until_it_expires() {
    let mut jar = Jar::default();
    let at = "http://shop.test/";
    for line in ["a=1; Max-Age=10", "b=1", "c=1; Max-Age=20"] {
        jar.set(line, at);
    }
    for (seconds, sent) in
        [(0, "a=1; b=1; c=1"), (9, "a=1; b=1; c=1"), (10, "b=1; c=1"), (20, "b=1")]
    {
        let now = NOW + seconds * SECOND;
        assert_eq!(jar.sent_at(at, now), sent, "after {seconds} s");
        assert_eq!(jar.all(now).len(), sent.split(' ').count(), "after {seconds} s");
    }
}

#[test]
fn of_too_many_the_expired_go_then_the_unprotected_then_the_unused() {
    let mut jar = Jar::default();
    let at = "https://shop.test/";
    let names = |jar: &Jar| -> Vec<String> {
        jar.all(NOW + 99 * SECOND).iter().map(|cookie| cookie.name().to_owned()).collect()
    };
    jar.set("old=1; Max-Age=50", at);
    jar.set("safe=1; Secure", at);
    jar.set("apart=1; Path=/apart", at);
    for n in 3..MOST_OF_DOMAIN {
        jar.set(&format!("n{n}=1"), at);
    }
    assert_eq!(jar.len(), MOST_OF_DOMAIN);
    // All but the one of another path are used.
    jar.sent_at(at, NOW + 40 * SECOND);
    jar.set_at("x=1", at, NOW + 60 * SECOND);
    assert!(!names(&jar).contains(&"old".to_owned()));
    jar.set_at("y=1", at, NOW + 61 * SECOND);
    assert!(!names(&jar).contains(&"apart".to_owned()));
    jar.set_at("z=1", at, NOW + 62 * SECOND);
    let left = names(&jar);
    assert!(!left.contains(&"n3".to_owned()) && left.contains(&"safe".to_owned()), "{left:?}");
    assert_eq!(jar.len(), MOST_OF_DOMAIN);
    // Other hosts have their own limit.
    assert!(jar.set("a=1", "https://www.shop.test/"));
    assert_eq!(jar.len(), MOST_OF_DOMAIN + 1);
}

#[test]
fn a_jar_has_a_limit_over_all_hosts() {
    let mut jar = Jar::default();
    for n in 0..=MOST {
        assert!(jar.set("a=1", &format!("https://h{n}.test/")));
    }
    assert_eq!((jar.len(), jar.sent("https://h0.test/")), (MOST, String::new()));
    assert_eq!(jar.sent("https://h1.test/"), "a=1");
    assert_eq!(jar.sent(&format!("https://h{MOST}.test/")), "a=1");
}

#[test]
fn what_is_sent_is_bounded() {
    let mut jar = Jar::default();
    let at = "http://shop.test/";
    // With `Cookie: ` and `; ` between them, the first two have 8,190 bytes.
    jar.set(&format!("a={}", "1".repeat(4_086)), at);
    jar.set(&format!("b={}", "2".repeat(4_090)), at);
    assert_eq!(jar.sent(at).len() + "Cookie: ".len(), fields::MOST_SENT);
    jar.set("c=3", at);
    assert!(jar.sent(at).ends_with('2'), "a third one is too many");
    jar.set(&format!("a={}", "1".repeat(4_087)), at);
    assert_eq!(jar.sent(at).len(), 4_089, "the second one does not fit any more");
}

#[test]
fn bytes_that_are_not_utf8_are_sent_as_they_came() {
    let (mut jar, at) = (Jar::default(), url("http://shop.test/"));
    for line in [&b"a=\xfc\xff"[..], "b=\u{df}".as_bytes(), b"\xfc=c"] {
        let cookie = Cookie::set_by(line, &at, NOW).unwrap();
        jar.take(cookie, &at, NOW);
    }
    assert_eq!(jar.all(NOW)[0].value(), "\u{fc}\u{ff}");
    let mut headers = Headers::new();
    fields::add_to(&mut headers, &jar.matching(&at, NOW));
    assert_eq!(&*headers.get_bytes("cookie").unwrap(), b"a=\xfc\xff; b=\xc3\x9f; \xfc=c");
}
