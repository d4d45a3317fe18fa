use super::*;

fn url(host: &str) -> Url {
    Url::parse(&format!("http://{host}/")).unwrap()
}

/// The domain with a dot in front, or the host alone; `-` if it must not be set.
fn scope(host: &str, attribute: &str) -> String {
    let url = url(host);
    let scope = Scope::of(&Host::of(&url).unwrap(), attribute.as_bytes());
    scope.map_or("-".to_owned(), |scope| {
        format!("{}{}", if scope.host_only { "" } else { "." }, scope.domain)
    })
}

#[test]
fn a_host_is_what_the_url_says_in_one_form() {
    for (text, name, is_address) in [
        ("shop.test", "shop.test", false),
        ("SHOP.Test", "shop.test", false),
        ("shop.test.", "shop.test", false),
        ("b\u{fc}cher.test", "xn--bcher-kva.test", false),
        ("%73hop.test", "shop.test", false),
        ("localhost", "localhost", false),
        ("127.0.0.1", "127.0.0.1", true),
        ("127.1", "127.0.0.1", true),
        ("0x7f000001", "127.0.0.1", true),
        ("[::1]", "[::1]", true),
    ] {
        let url = url(text);
        let host = Host::of(&url).unwrap();
        assert_eq!((host.name, host.is_address), (name, is_address), "{text}");
    }
    for text in ["file:///x", "data:,x", "ftp://shop.test/"] {
        assert_eq!(Host::of(&Url::parse(text).unwrap()), None, "{text}");
    }
}

#[test]
fn a_name_lies_in_itself_and_in_the_domains_above() {
    for (name, domain, is_in) in [
        ("shop.test", "shop.test", true),
        ("www.shop.test", "shop.test", true),
        ("a.b.shop.test", "shop.test", true),
        ("shop.test", "www.shop.test", false),
        ("notshop.test", "shop.test", false),
        ("shop.test", "other.test", false),
        // An address has nothing above it, whatever its tail looks like.
        ("10.0.0.1", "10.0.0.1", true),
        ("10.0.0.1", "0.0.1", false),
        ("10.0.0.1", "1", false),
        ("[::1]", "1]", false),
    ] {
        let url = url(name);
        assert_eq!(Host::of(&url).unwrap().is_in(domain), is_in, "{name} in {domain}");
    }
    let above = |text: &str| {
        let url = url(text);
        Host::of(&url).unwrap().and_above().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(above("a.shop.test"), ["a.shop.test", "shop.test", "test"]);
    assert_eq!(above("10.0.0.1"), ["10.0.0.1"]);
}

#[test]
fn a_host_sets_cookies_for_itself_and_for_domains_above_that_are_no_strangers() {
    for (host, attribute, set) in [
        ("www.shop.test", "", "www.shop.test"),
        ("www.shop.test", ".", "www.shop.test"),
        ("www.shop.test", "www.shop.test", ".www.shop.test"),
        ("www.shop.test", ".www.shop.test", ".www.shop.test"),
        ("www.shop.test", "shop.test", ".shop.test"),
        ("www.shop.test", "SHOP.Test", ".shop.test"),
        ("www.shop.test", "..shop.test", "-"),
        ("www.shop.test", "www..shop.test", "-"),
        ("www.shop.test", ". shop.test", "-"),
        ("www.shop.test", "other.test", "-"),
        ("www.shop.test", "hop.test", "-"),
        ("www.shop.test", "img.shop.test", "-"),
        ("shop.test", "www.shop.test", "-"),
        ("www.shop.test", "shop.test:80", "-"),
        ("www.shop.test", "\"shop.test\"", "-"),
        // Nobody sets cookies for all names that end in `.test` (CVE-2014-3620 of curl).
        ("www.shop.test", "test", "-"),
        ("www.shop.test", ".test", "-"),
        // A dot at the end is no way around that (CVE-2022-27779 of curl).
        ("www.shop.test", "shop.test.", "-"),
        ("www.shop.test", ".test.", "-"),
        ("www.shop.test.", "test.", "-"),
        ("www.shop.test.", "test", "-"),
        ("www.shop.test.", "shop.test.", ".shop.test"),
        ("www.shop.test.", "shop.test", ".shop.test"),
        ("www.shop.test.", "", "www.shop.test"),
        // Names of one label and addresses are for themselves alone.
        ("localhost", "localhost", "localhost"),
        ("localhost", "", "localhost"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "127.0.0.1", "127.0.0.1"),
        ("127.0.0.1", "0.0.1", "-"),
        ("127.0.0.1", "1", "-"),
        ("[::1]", "[::1]", "[::1]"),
        // Names of other scripts are compared in ASCII, and said so.
        ("www.b\u{fc}cher.test", "xn--bcher-kva.test", ".xn--bcher-kva.test"),
        ("www.b\u{fc}cher.test", "b\u{fc}cher.test", "-"),
    ] {
        assert_eq!(scope(host, attribute), set, "{host} for {attribute}");
    }
}

#[cfg(feature = "public-suffix")]
#[test]
fn a_public_suffix_has_no_cookies_but_its_own() {
    for (host, attribute, set) in [
        ("www.shop.co.uk", "co.uk", "-"),
        ("www.shop.co.uk", ".Co.UK", "-"),
        ("www.shop.co.uk.", "co.uk.", "-"),
        ("www.shop.co.uk", "shop.co.uk", ".shop.co.uk"),
        ("co.uk", "co.uk", "co.uk"),
        ("ann.github.io", "github.io", "-"),
        ("github.io", "github.io", "github.io"),
        ("www.ann.github.io", "ann.github.io", ".ann.github.io"),
        // `*.kawasaki.jp` with the exception `!city.kawasaki.jp`.
        ("a.shop.kawasaki.jp", "shop.kawasaki.jp", "-"),
        ("a.b.shop.kawasaki.jp", "b.shop.kawasaki.jp", ".b.shop.kawasaki.jp"),
        ("www.city.kawasaki.jp", "city.kawasaki.jp", ".city.kawasaki.jp"),
        ("www.xn--55qx5d.cn", "xn--55qx5d.cn", "-"),
        ("www.\u{516c}\u{53f8}.cn", "xn--55qx5d.cn", "-"),
    ] {
        assert_eq!(scope(host, attribute), set, "{host} for {attribute}");
    }
}
