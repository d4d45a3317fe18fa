//! What the public suites for cookies expect (http-state, web-platform-tests, curl), as rows.
//!
//! Where they differ, RFC 6265bis decides: what has no `=` is a cookie without a name (http-state
//! passes it over), and the last `Domain` counts even if it is empty (older suites pass over that).

use super::*;

/// What http-state sets comes from here, and goes there unless a row says otherwise.
const FROM: &str = "http://home.example.org:8888/cookie-parser?test";
const TO: &str = "http://home.example.org:8888/cookie-parser-result?test";

/// Fields, one a line, and what is sent.
fn check(rows: &[(&str, &str)]) {
    for (set, sent) in rows {
        check_to(&[(set, TO, sent)]);
    }
}

/// Fields, where to, and what is sent: a path of the host, or a host.
fn check_to(rows: &[(&str, &str, &str)]) {
    for (set, to, sent) in rows {
        let mut jar = Jar::default();
        for line in set.split('\n') {
            jar.set(line, FROM);
        }
        let to = match to {
            whole if whole.contains("://") => (*whole).to_owned(),
            path if path.starts_with('/') => format!("http://home.example.org:8888{path}"),
            host => format!("http://{host}:8888/cookie-parser-result"),
        };
        assert_eq!(jar.sent(&to), *sent, "{set:?} to {to}");
    }
}

#[test]
fn pairs() {
    check(&[
        ("foo=bar", "foo=bar"),
        ("foo", "foo"),
        ("foo=bar\nfoo=qux", "foo=qux"),
        ("foo1=bar\nfoo2=qux", "foo1=bar; foo2=qux"),
        ("a=b\nz=y", "a=b; z=y"),
        ("z=y\na=b", "z=y; a=b"),
        ("z=y, a=b", "z=y, a=b"),
        ("z=y; foo=bar, a=b", "z=y"),
        ("foo=b;max-age=3600, c=d;path=/", "foo=b"),
        ("a=b\n=\nc=d", "a=b; c=d"),
        ("a=b\n=x\nc=d", "a=b; x; c=d"),
        ("a=b\nx=\nc=d", "a=b; x=; c=d"),
        ("foo\n", "foo"),
        ("foo\n=", "foo"),
        ("foo\n; bar", "foo"),
        ("foo\n   ", "foo"),
        ("foo\nbar", "bar"),
        ("foo=bar, baz=qux", "foo=bar, baz=qux"),
        ("foo=\"bar, baz=qux\"", "foo=\"bar, baz=qux\""),
        ("foo=bar; b,az=qux", "foo=bar"),
        ("foo=bar; baz=q,ux", "foo=bar"),
    ]);
}

#[test]
fn names() {
    for name in [
        "a",
        "1",
        "$",
        "!a",
        "@a",
        "#a",
        "$a",
        "%a",
        "^a",
        "&a",
        "*a",
        "(a",
        ")a",
        "-a",
        "_a",
        "+",
        "\"a",
        "foo bar",
        "\u{6625}\u{8282}\u{56de}",
    ] {
        let pair = format!("{name}=bar");
        check(&[(&pair, &pair)]);
    }
    check(&[
        ("a =bar", "a=bar"),
        ("\"a=b\"=bar", "\"a=b\"=bar"),
        ("\"a=b\"=bar\n\"a=qux", "\"a=qux"),
        ("   foo=bar", "foo=bar"),
        ("foo;bar=baz", "foo"),
        ("$Version=1; foo=bar", "$Version=1"),
        ("=a=bar", "a=bar"),
        ("===a=bar", "==a=bar"),
        ("foo=bar    ", "foo=bar"),
        ("foo=bar    ;", "foo=bar"),
        ("=a", "a"),
        ("=", ""),
        ("\"foo;bar\"=baz", "\"foo"),
        ("\"foo\\\"bar\n\"foo\\\"bar;baz\"=qux", "\"foo\\\"bar"),
        ("=foo=bar\naaa", "aaa"),
    ]);
}

#[test]
fn values() {
    check(&[
        ("foo=  bar", "foo=bar"),
        ("foo=\"bar\"", "foo=\"bar\""),
        ("foo=\"  bar \"", "foo=\"  bar \""),
        ("foo=\"bar;baz\"", "foo=\"bar"),
        ("foo=\"bar=baz\"", "foo=\"bar=baz\""),
        ("   foo     =       bar             ;       ttt", "foo=bar"),
        ("aBc=\"zzz \"   ;", "aBc=\"zzz \""),
        ("aBc=\"zzz \" ;", "aBc=\"zzz \""),
        ("aBc=\"zz;pp\" ; ;", "aBc=\"zz"),
        ("aBc=\"zz ;", "aBc=\"zz"),
        ("aBc=\"zzz \"   \"ppp\"  ;", "aBc=\"zzz \"   \"ppp\""),
        ("aBc=A\"B ;", "aBc=A\"B"),
        ("BLAHHH; path=/;", "BLAHHH"),
        ("\"BLA\\\"HHH\"; path=/;", "\"BLA\\\"HHH\""),
        ("a=\"B", "a=\"B"),
        ("=ABC", "ABC"),
        ("ABC=;  path = /", "ABC="),
        ("  A  = BC  ;foo;;;   bar", "A=BC"),
        ("  A=== BC  ;foo;;;   bar", "A=== BC"),
        (
            "foo=\"zohNumRKgI0oxyhSsV3Z7D\"  ; expires=Sun, 18-Apr-2027 21:06:29 GMT ; path=/  ;  ",
            "foo=\"zohNumRKgI0oxyhSsV3Z7D\"",
        ),
        ("    ", ""),
        ("", ""),
        ("AAA=BB\u{0}ZYX", ""),
        ("AAA=BB\rZYX", ""),
        (
            "foo=\u{5bb6}\u{8def}\u{b7}\u{6625}\u{8fd0}; \u{5b8c}",
            "foo=\u{5bb6}\u{8def}\u{b7}\u{6625}\u{8fd0}",
        ),
        ("foo=\"\u{6625}\u{8282}\"", "foo=\"\u{6625}\u{8282}\""),
    ]);
    let long = "a".repeat(4_097);
    check(&[(&long, "")]);
}

#[test]
fn attributes() {
    for attribute in [
        "secure;",
        "Secure",
        "seCURe",
        "Secure=",
        "Secure=aaaa",
        "Secure =aaaaa",
        "Secure= aaaaa",
        "Secure; qux",
        "Secure;qux",
        "Secure    ; qux",
        "                Secure",
        "qux; Secure",
        "       Secure     ;",
        "qux=\"aaa;bbb\"; Secure",
        "Path=/qux",
        "Path    =/qux",
        "Path=    /qux",
        "Path=/qux      ; taz",
        "Path=/; Path=/qux",
        "Path=/cookie-parser-result; Path=/qux",
        "max-age=0;",
        "max-age=-1",
        "max-age=-20",
        "expires=Thu, 10 Apr 1980 16:33:12 GMT",
        "Expires=Fri, 07 Aug 2007 08:04:19 GMT",
    ] {
        check(&[(&format!("foo=bar; {attribute}"), "")]);
    }
    for attribute in [
        "\"Secure\"",
        "Secure qux",
        "Path",
        "Path=",
        "Path=/",
        "Path=/qux; Path=/",
        "Path=/qux; Path=/cookie-parser-result",
        "version=1;",
        "version=1000;",
        "customvalue=1000;",
        "customvalue=\"1000 or more\";",
        "customvalue=\"no trailing semicolon\"",
        "max-age=10000;",
        "max-age=60",
        "Max-Age=50,399",
        "Expires=Fri, 07 Aug 2037 08:04:19 GMT",
        "Expires=Fri 07 Aug 2037 08:04:19 GMT, baz=qux",
        "SameSite=Strict",
        "SameSite=None",
    ] {
        check(&[(&format!("foo=bar; {attribute}"), "foo=bar")]);
    }
}

#[test]
fn lives() {
    check(&[
        (
            "foo=bar; Expires=Fri, 07 Aug 2007 08:04:19 GMT\nfoo2=bar2; Expires=Fri, 07 Aug 2037 08:04:19 GMT",
            "foo2=bar2",
        ),
        ("foo=bar; max-age=60\nfoo1=bar; max-age=60", "foo=bar; foo1=bar"),
        ("foo=bar; max-age=60\nfoo1=bar; max-age=60\nfoo=differentvalue; max-age=0", "foo1=bar"),
        (
            "foo=bar; max-age=60\nfoo1=bar; max-age=60\nfoo=differentvalue; max-age=0\nfoo2=evendifferentvalue; max-age=0",
            "foo1=bar",
        ),
        ("test=parser; domain=.parser.test; ;; ;=; ,,, ===,abc,=; abracadabra! max-age=20;=;;", ""),
        (
            "test=\"fubar! = foo;bar\\\";\" parser; max-age=6\nfive; max-age=2.63,",
            "test=\"fubar! = foo; five",
        ),
        ("test=kill; max-age=0\nfive; max-age=0", ""),
        ("six", "six"),
        ("six\nseven", "seven"),
        ("six\nseven\n =eight", "eight"),
        ("six\nseven\n =eight\ntest=six", "eight; test=six"),
    ]);
}

const HOME: &str = "home.example.org";
const BELOW: &str = "subdomain.home.example.org";
const BESIDE: &str = "sibling.example.org";

#[test]
fn domains() {
    check_to(&[
        ("a=b; domain=home.example.org", HOME, "a=b"),
        ("a=b; domain=home.example.org", BESIDE, ""),
        ("a=b; domain=.home.example.org", HOME, "a=b"),
        ("a=b; domain=home.example.org", BELOW, "a=b"),
        ("a=b; domain=.home.example.org", BELOW, "a=b"),
        ("a=b; domain=.home.example.org", BESIDE, ""),
        ("a=b; domain=sibling.example.org", BESIDE, ""),
        ("a=b; domain=.example.org", HOME, "a=b"),
        ("a=b; domain=example.org", HOME, "a=b"),
        ("a=b; domain=..home.example.org", HOME, ""),
        ("a=b; domain=home..example.org", HOME, ""),
        ("a=b; domain=  .home.example.org", HOME, "a=b"),
        ("a=b; domain=  .  home.example.org", HOME, ""),
        ("a=b; domain=home.example.org.", HOME, ""),
        ("a=b; domain=home.example.org..", HOME, ""),
        ("a=b; domain=home.example.org .", HOME, ""),
        ("a=b; domain=.org", HOME, ""),
        ("a=b; domain=org", HOME, ""),
        ("a=b; domain=.org.", HOME, ""),
        ("a=b; domain=home.example.org\nc=d; domain=.home.example.org", HOME, "a=b; c=d"),
        ("c=d; domain=.home.example.org\na=b; domain=home.example.org", HOME, "c=d; a=b"),
        ("a=b; domain=\"home.example.org\"", HOME, ""),
        ("a=b; domain=home.example.org\nc=d; domain=.example.org", HOME, "a=b; c=d"),
        ("c=d; domain=.example.org\na=b; domain=home.example.org", HOME, "c=d; a=b"),
        ("a=b; domain=.example.org; domain=home.example.org", BESIDE, ""),
        ("a=b; domain=home.example.org; domain=.example.org", BESIDE, "a=b"),
        ("a=b; domain=home.eXaMpLe.org", HOME, "a=b"),
        ("a=b; domain=home.example.org:8888", HOME, ""),
        ("a=b; domain=subdomain.home.example.org", BELOW, ""),
        ("a=b", BELOW, ""),
        ("a=b; domain=home.example.org", "hoMe.eXaMplE.org", "a=b"),
    ]);
}

#[test]
fn the_last_domain_counts() {
    check_to(&[
        ("a=b; domain=home.example.org; domain=home.example.com", HOME, ""),
        ("a=b; domain=home.example.com; domain=home.example.org", HOME, "a=b"),
        (
            "a=b; domain=home.example.org; domain=home.example.com; domain=home.example.org",
            HOME,
            "a=b",
        ),
        (
            "a=b; domain=home.example.com; domain=home.example.org; domain=home.example.com",
            HOME,
            "",
        ),
        ("a=b; domain=home.example.org; domain=home.example.org", HOME, "a=b"),
        ("a=b; domain=home.example.org; domain=example.org", HOME, "a=b"),
        ("a=b; domain=example.org; domain=home.example.org", HOME, "a=b"),
        ("a=b; domain=.sibling.example.org", BESIDE, ""),
        ("a=b; domain=.sibling.home.example.org", "sibling.home.example.org", ""),
        ("a=b; domain=", HOME, "a=b"),
        ("a=b; domain=", BELOW, ""),
        ("a=b; domain=example.org; domain=", HOME, "a=b"),
        ("a=b; domain=example.org; domain=", BESIDE, ""),
        ("a=b; domain=foo.example.org; domain=", HOME, "a=b"),
        ("a=b; domain=foo.example.org; domain=", BELOW, ""),
        ("a=b; domain=home.example.org\na=c; domain=.home.example.org", HOME, "a=c"),
        ("a=b; domain=.home.example.org\na=c; domain=home.example.org", HOME, "a=c"),
        ("a=b\na=c; domain=home.example.org", HOME, "a=b; a=c"),
    ]);
}

#[test]
fn paths() {
    const R: &str = "/cookie-parser-result";
    check_to(&[
        ("a=b; path=/\nx=y; path=/cookie-parser-result", R, "x=y; a=b"),
        ("a=b; path=/cookie-parser-result\nx=y; path=/", R, "a=b; x=y"),
        ("x=y; path=/\na=b; path=/cookie-parser-result", R, "a=b; x=y"),
        ("a=b; path=/cookie-parser-result/foo", R, ""),
        ("a=b\na=q; path=/cookie-parser-result/foo", R, "a=b"),
        ("a=b; path=/cookie-parser-result/foo", "/cookie-parser-result/foo?x", "a=b"),
        ("a=b; path=/cookie-parser-result/foo", "/cookie-parser-result/bar?x", ""),
        ("a=b; path=/cookie-parser-result/foo/qux", "/cookie-parser-result/foo?x", ""),
        ("a=b; path=/cookie-parser-result/foo/qux", "/cookie-parser-result/foo/qux?x", "a=b"),
        ("a=b; path=/cookie-parser-result/foo/qux", "/cookie-parser-result/bar/qux?x", ""),
        ("a=b; path=/cookie-parser-result/foo/qux", "/cookie-parser-result/foo/baz?x", ""),
        ("a=b; path=/cookie-parser-result/foo/qux/", "/cookie-parser-result/foo/baz?x", ""),
        ("a=b; path=/cookie-parser-result/foo/qux/", "/cookie-parser-result/foo/qux?x", ""),
        ("a=b; path=/cookie-parser-result/foo/qux/", "/cookie-parser-result/foo/qux/?x", "a=b"),
        ("a=b; path=/cookie-parser-result/foo/", "/cookie-parser-result/foo/qux?x", "a=b"),
        ("a=b; path=/cookie-parser-result/foo/", "/cookie-parser-result/foo//qux?x", "a=b"),
        ("a=b; path=/cookie-parser-result/foo/", "/cookie-parser-result/fooqux?x", ""),
        ("a=b; path", R, "a=b"),
        ("a=b; path=", R, "a=b"),
        ("a=b; path= /", R, "a=b"),
        ("a=b; Path=/cookie-PARSER-result", R, ""),
        ("a=b; path=/cookie-parser-result/foo/qux?", "/cookie-parser-result/foo/qux?x", ""),
        ("a=b; path=/cookie-parser-result/foo/qux#", "/cookie-parser-result/foo/qux?x", ""),
        ("a=b; path=/cookie-parser-result/foo/qux;", "/cookie-parser-result/foo/qux?x", "a=b"),
        ("a=b; path=\"/cookie-parser-result/foo/qux;\"", "/cookie-parser-result/foo/qux?x", "a=b"),
        ("a=b; path=/cookie-parser-result/f%6Fo/bar", "/cookie-parser-result/foo/bar?x", ""),
        (
            "a=b;       path    =       /cookie-parser-result   \nx=y;       path    =       /book   ",
            R,
            "a=b",
        ),
        ("a=b; path=/dog; path=", R, "a=b"),
        ("a=b; path=; path=/dog", R, ""),
        (
            "a=b; path=/cookie-parser-result\na=q; path=/cookie-parser-result/",
            "/cookie-parser-result/dog?x",
            "a=q; a=b",
        ),
        (
            "k=0;\nk=1; path=/cookie-parser-result\nk=2; path=/\nk=3; path=/bar\n\
             k=4; domain=.example.org\nk=5; domain=.example.org; path=/cookie-parser-result/foo",
            "/cookie-parser-result/foo/baz",
            "k=5; k=1; k=2; k=4",
        ),
    ]);
}
