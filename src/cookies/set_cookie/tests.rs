use super::*;

fn parse(line: &str) -> Option<SetCookie<'_>> {
    SetCookie::parse(line.as_bytes())
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn a_pair_is_parted_at_its_first_equals_sign() {
    for (line, name, value) in [
        ("a=b", "a", "b"),
        ("a=", "a", ""),
        ("=a", "", "a"),
        ("a", "", "a"),
        ("a=b=c", "a", "b=c"),
        ("==a", "", "=a"),
        (" \ta\t = \tb c\t ; x", "a", "b c"),
        ("a=\"b c\"", "a", "\"b c\""),
        ("a=\"b;c\"", "a", "\"b"),
        ("a=b\tc", "a", "b\tc"),
        ("a b=c", "a b", "c"),
        ("a=b, c=d", "a", "b, c=d"),
        ("\u{fc}=\u{df}", "\u{fc}", "\u{df}"),
    ] {
        let cookie = parse(line).unwrap();
        assert_eq!((text(cookie.name), text(cookie.value)), (name, value), "{line:?}");
    }
    for line in ["", " ", "=", " = ", ";", "; a=b", "=;a=b"] {
        assert_eq!(parse(line), None, "{line:?}");
    }
}

#[test]
fn a_control_character_makes_it_none_wherever_it_stands() {
    for byte in (0..=0x1f).chain([0x7f]) {
        for line in [[b'a', byte, b'=', b'b'], [b'a', b'=', byte, b'b'], [b'a', b'=', b';', byte]] {
            let is_read = SetCookie::parse(&line).is_some();
            assert_eq!(is_read, byte == b'\t', "{line:?}");
        }
    }
    assert!(SetCookie::parse(b"a=\x80\xff").is_some());
}

#[test]
fn name_and_value_are_bounded_together_and_attributes_each() {
    for (name, value, is_read) in
        [(1, 4_095, true), (4_096, 0, true), (0, 4_096, true), (2, 4_095, false), (4_097, 0, false)]
    {
        let line = format!("{}={}", "n".repeat(name), "v".repeat(value));
        assert_eq!(parse(&line).is_some(), is_read, "{name} and {value}");
    }
    for (length, is_read) in [(1_023, true), (1_024, false)] {
        let path = format!("/{}", "p".repeat(length));
        let line = format!("a=b; Path=/x; Path={path}");
        let wanted = if is_read { &path[..] } else { "/x" };
        assert_eq!(text(parse(&line).unwrap().path.unwrap()), wanted);
    }
    // Space around them does not count.
    let line = format!("a = {}{}; Path = /x", " ".repeat(5_000), "v".repeat(4_095));
    assert_eq!(text(parse(&line).unwrap().path.unwrap()), "/x");
}

#[test]
fn the_last_attribute_that_can_be_read_counts() {
    let cookie = parse(
        "a=b;PATH=/x;DOMAIN=x.test; ;;=;secure=no;httponly;SameSite=Lax;samesite=STRICT;path;\
         domain = y.test ; version=1",
    )
    .unwrap();
    assert_eq!((cookie.path, text(cookie.domain)), (Some(&b""[..]), "y.test"));
    assert!(cookie.secure && cookie.http_only);
    assert_eq!(cookie.same_site, SameSite::Strict);
    let cookie = parse("a=b; samesite=none; SameSite=sometimes").unwrap();
    assert_eq!((cookie.same_site, cookie.path), (SameSite::Unspecified, None));
    assert_eq!(parse("a=b; SameSite=None").unwrap().same_site, SameSite::None);
    // Nothing but the name itself.
    let cookie = parse("a=b; \"Secure\"; Secure x; http-only").unwrap();
    assert!(!cookie.secure && !cookie.http_only);
}

#[test]
fn a_cookie_ends_as_max_age_says_then_expires_within_400_days() {
    const NOW: i64 = 1_796_000_000;
    let latest = NOW + 400 * 86_400;
    let over = Moment::MIN / SECOND;
    for (attributes, expires) in [
        ("", None),
        ("Max-Age=60", Some(NOW + 60)),
        ("Max-Age=0", Some(over)),
        ("Max-Age=-1", Some(over)),
        ("Max-Age=-0", Some(over)),
        ("Max-Age=007", Some(NOW + 7)),
        ("Max-Age=34560000", Some(latest)),
        ("Max-Age=34560001", Some(latest)),
        ("Max-Age=99999999999999999999999999", Some(latest)),
        ("Max-Age=-99999999999999999999999999", Some(over)),
        ("Max-Age=9223372036854775807", Some(latest)),
        ("Max-Age=", None),
        ("Max-Age=-", None),
        ("Max-Age=+1", None),
        ("Max-Age=1.5", None),
        ("Max-Age=50,399", None),
        ("Max-Age=\"60\"", None),
        ("Max-Age=60; Max-Age=x", Some(NOW + 60)),
        ("Max-Age=60; Max-Age=90", Some(NOW + 90)),
        ("Expires=Thu, 01 Jan 1970 00:00:10 GMT", Some(10)),
        ("Expires=Fri, 31 Dec 9999 23:59:59 GMT", Some(latest)),
        ("Expires=Mon, 01 Jan 1601 00:00:00 GMT", Some(-11_644_473_600)),
        ("Expires=never", None),
        ("Expires=Thu, 01 Jan 1970 00:00:10 GMT; Expires=never", Some(10)),
        ("Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:10 GMT", Some(NOW + 60)),
        ("Expires=Thu, 01 Jan 1970 00:00:10 GMT; Max-Age=60", Some(NOW + 60)),
        ("Expires=Thu, 01 Jan 1970 00:00:10 GMT; Max-Age=x", Some(10)),
    ] {
        let line = format!("a=b; {attributes}");
        let read = parse(&line).unwrap().expiry(NOW * SECOND);
        assert_eq!(read.map(|moment| moment / SECOND), expires, "{attributes}");
    }
}
