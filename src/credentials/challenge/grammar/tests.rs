use super::*;

/// Writes challenges down in one line: `scheme token68 {name=value; name=value} | ...`.
pub(super) fn read<T: AsRef<[u8]>>(fields: &[T]) -> String {
    let shown = challenges(fields.iter()).into_iter().map(|challenge| {
        let token = challenge.token68.map(|token| format!(" {token}")).unwrap_or_default();
        let all = challenge.parameters.iter();
        let all = all.map(|(name, value)| format!("{name}={}", String::from_utf8_lossy(value)));
        let all = all.collect::<Vec<_>>().join("; ");
        let all = if all.is_empty() { all } else { format!(" {{{all}}}") };
        format!("{}{token}{all}", challenge.scheme)
    });
    shown.collect::<Vec<_>>().join(" | ")
}

#[test]
fn challenges_are_read_in_every_form_that_the_grammar_allows() {
    for (field, expected) in [
        ("Basic", "Basic"),
        ("Basic realm=\"shop\"", "Basic {realm=shop}"),
        ("BASIC REALM=shop", "BASIC {REALM=shop}"),
        ("Basic realm=\"\"", "Basic {realm=}"),
        ("Basic realm=\"a, b = \\\"c\\\\\\d\\\"\"", "Basic {realm=a, b = \"c\\d\"}"),
        ("Basic realm=\"Basic realm=x, Digest\"", "Basic {realm=Basic realm=x, Digest}"),
        ("Basic realm=\"tab\there\"", "Basic {realm=tab\there}"),
        ("Basic realm=\"caf\u{e9}\"", "Basic {realm=caf\u{e9}}"),
        ("Basic realm = \"a\"\t,\tcharset\t=\tUTF-8", "Basic {realm=a; charset=UTF-8}"),
        ("Basic \t realm=a", "Basic {realm=a}"),
        ("Basic realm=a,charset=b,x=c", "Basic {realm=a; charset=b; x=c}"),
        (", ,Basic ,, realm=a,, ,", "Basic {realm=a}"),
        ("Negotiate", "Negotiate"),
        ("Negotiate YIIabc/+-._~==", "Negotiate YIIabc/+-._~=="),
        ("Negotiate abc , NTLM", "Negotiate abc | NTLM"),
        // RFC 9110 §11.6.1, its example.
        (
            "Basic realm=\"simple\", Newauth realm=\"apps\", type=1, title=\"Login to \\\"apps\\\"\"",
            "Basic {realm=simple} | Newauth {realm=apps; type=1; title=Login to \"apps\"}",
        ),
        ("Negotiate,NTLM,Basic realm=\"a\"", "Negotiate | NTLM | Basic {realm=a}"),
        ("Basic realm=a,Basic realm=b", "Basic {realm=a} | Basic {realm=b}"),
        ("Digest realm=a, nonce=b, Basic", "Digest {realm=a; nonce=b} | Basic"),
        // A token and a parameter look alike: here the element ends behind the sign.
        ("Basic realm=", "Basic realm="),
        ("Odd abc", "Odd abc"),
        // Here a value follows it, or another parameter.
        ("Basic realm= \"a\"", "Basic {realm=a}"),
        ("Basic realm=\ta, charset=b", "Basic {realm=a; charset=b}"),
        ("Negotiate abc= realm=a", "Negotiate abc= {realm=a}"),
        ("Negotiate abc= realm = a", "Negotiate abc= {realm=a}"),
        ("Negotiate abc= , NTLM", "Negotiate abc= | NTLM"),
        // Read more leniently than it is written.
        ("Digest nonce=a/b+c==, realm=x", "Digest {nonce=a/b+c==; realm=x}"),
        ("Digest uri=/a;b?c={d}", "Digest {uri=/a;b?c={d}}"),
    ] {
        assert_eq!(read(&[field]), expected, "{field:?}");
    }
}

#[test]
fn what_is_odd_is_passed_over_and_loses_neither_its_challenge_nor_its_neighbours() {
    for (field, expected) in [
        ("", ""),
        (" \t ", ""),
        (",,, ,\t,;", ""),
        // A parameter of no challenge.
        ("realm=\"a\"", ""),
        ("realm=\"a\", Basic realm=b", "Basic {realm=b}"),
        ("=a, Basic", "Basic"),
        ("\"a\", Basic", "Basic"),
        ("\u{fffd}, Basic realm=a", "Basic {realm=a}"),
        // No quotes around what has spaces.
        ("Basic realm=my realm", "Basic {realm=my realm}"),
        ("Basic realm=my realm, NTLM", "Basic {realm=my realm} | NTLM"),
        ("Basic realm=my  own realm ,charset=x", "Basic {realm=my  own realm; charset=x}"),
        ("Basic realm='my realm'", "Basic {realm='my realm'}"),
        ("Digest realm=b\"c, d\", NTLM", "Digest {realm=b\"c} | NTLM"),
        // Parameters without commas between them.
        ("Basic realm=\"x\" charset=\"UTF-8\"", "Basic {realm=x; charset=UTF-8}"),
        ("Basic realm=\"x\"; charset=utf-8", "Basic {realm=x; charset=utf-8}"),
        ("Basic realm=my realm; charset=utf-8", "Basic {realm=my realm; charset=utf-8}"),
        ("Basic; realm=x;, NTLM", "Basic {realm=x} | NTLM"),
        ("Digest realm=\"b\" nonce=c x = y, NTLM", "Digest {realm=b; nonce=c; x=y} | NTLM"),
        // No sign, or nothing behind it.
        ("Basic realm", "Basic realm"),
        ("Basic realm, NTLM", "Basic realm | NTLM"),
        ("Basic realm \"x\", NTLM", "Basic realm | NTLM"),
        ("Digest realm \"b\", nonce=c, NTLM", "Digest realm {nonce=c} | NTLM"),
        ("Digest realm=b, nonce=, x=y, NTLM", "Digest {realm=b; nonce=; x=y} | NTLM"),
        ("Digest realm=b, nonce = , NTLM", "Digest {realm=b; nonce=} | NTLM"),
        ("Digest =b, x=y, NTLM", "NTLM"),
        // Something behind the value.
        ("Digest realm=\"b\"c, x=y, NTLM", "Digest {realm=b; x=y} | NTLM"),
        ("Digest realm=\"b\" or so, x=y, NTLM", "Digest {realm=b; x=y} | NTLM"),
        // A quote that is never closed.
        ("Basic realm=\"a", "Basic {realm=a}"),
        ("Basic realm=\"a\\", "Basic {realm=a\\}"),
        ("Basic realm=\"a\\\"", "Basic {realm=a\\\"}"),
        ("Basic realm=\"Smith, John", "Basic {realm=Smith, John}"),
        ("Basic realm=\"a , NTLM", "Basic {realm=a} | NTLM"),
        ("Basic realm=\"a, Digest realm=b, nonce=c", "Basic {realm=a} | Digest {realm=b; nonce=c}"),
        ("Digest realm=\"a, nonce=c, NTLM", "Digest {realm=a; nonce=c} | NTLM"),
        // What is no scheme.
        ("Odd a b, NTLM", "Odd a | NTLM"),
        ("Odd@b, NTLM", "NTLM"),
        ("Digest realm=a, Odd@b, nonce=c", "Digest {realm=a; nonce=c}"),
        ("Basic\"a\", NTLM", "NTLM"),
        ("Basic\u{1} realm=a, NTLM", "NTLM"),
        ("Negotiate a=b=, NTLM", "Negotiate {a=b=} | NTLM"),
        ("Negotiate ab===c, NTLM", "Negotiate {ab===c} | NTLM"),
        // A token that is not alone.
        ("Negotiate abc, realm=a, NTLM", "Negotiate abc {realm=a} | NTLM"),
        ("Negotiate abc== realm=\"a\", NTLM", "Negotiate abc== {realm=a} | NTLM"),
        // A name that occurs twice: the last value counts.
        ("Basic realm=a, realm=b, NTLM", "Basic {realm=b} | NTLM"),
        ("Digest nonce=a, realm=r, NONCE=b, NTLM", "Digest {nonce=b; realm=r} | NTLM"),
        // Control characters, however they are written, cannot be sent back.
        ("Basic realm=\"a\u{0}b\", x=y, NTLM", "Basic {x=y} | NTLM"),
        ("Basic realm=\"a\\\u{1b}, b\", NTLM", "Basic | NTLM"),
        ("Basic realm=a\u{7f}, NTLM", "Basic | NTLM"),
        ("Basic realm=\"a\r\nb\", NTLM", "Basic | NTLM"),
    ] {
        assert_eq!(read(&[field]), expected, "{field:?}");
    }
}

#[test]
fn values_are_the_bytes_that_came() {
    for (field, realm) in [
        (&b"Digest realm=\"gr\xfcn\", nonce=n"[..], &b"gr\xfcn"[..]),
        (b"Digest realm=gr\xfcn, nonce=n", b"gr\xfcn"),
        (b"Digest realm=\"\x80\xff\\\"\", nonce=n", b"\x80\xff\""),
        ("Digest realm=\"gr\u{fc}n\", nonce=n".as_bytes(), "gr\u{fc}n".as_bytes()),
        (b"Digest realm=\"gr\xfcn, nonce=n", b"gr\xfcn"),
    ] {
        let read = challenges([field]);
        assert_eq!(read[0].parameter("Realm"), Some(realm), "{read:?}");
        assert_eq!(read[0].parameter("nonce"), Some(&b"n"[..]), "{read:?}");
    }
}

#[test]
fn fields_are_read_one_by_one() {
    let fields = ["Negotiate, Digest realm=\"open", "nonce=lost", "Basic realm=a"];
    assert_eq!(read(&fields), "Negotiate | Digest {realm=open} | Basic {realm=a}");
    assert_eq!(read::<&str>(&[]), "");
}

#[test]
fn floods_end() {
    let commas = ",".repeat(64 * 1024);
    assert_eq!(read(&[&commas]), "");
    assert_eq!(read(&[&format!("{commas}Basic realm=a{commas}")]), "Basic {realm=a}");
    assert_eq!(read(&[&"Basic,".repeat(1000)]).split(" | ").count(), MOST_CHALLENGES);
    assert_eq!(read(&["Basic"; 1000]).split(" | ").count(), MOST_CHALLENGES);
    let many = |count| (0..count).map(|n| format!("p{n}=v")).collect::<Vec<_>>().join(",");
    for count in [64, 65, 1000] {
        let found = challenges([format!("A {}, B", many(count))]);
        assert_eq!(found[0].parameters.iter().len(), MOST_PARAMETERS);
        assert!(found[1].is("b"));
    }
    for flood in [
        "\"",
        "\\",
        "=",
        " ",
        "a",
        "a=",
        "a=\"",
        "\"\\\"",
        "a ",
        "a=b ",
        "A b=\"c\", ",
        ";",
        "a=\"b,",
        "a=\"\\\",",
        "a=b ;",
        "a=b;c ",
        "a,",
        "a=b c, ",
    ] {
        read(&[&flood.repeat(256 * 1024 / flood.len())]);
        read(&[&format!("A b=\"{}", flood.repeat(256 * 1024 / flood.len()))]);
    }
}

/// A small generator (xorshift), so that a failure can be repeated.
fn next(state: &mut u64) -> usize {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    (*state >> 33) as usize
}

#[test]
fn no_mixture_of_pieces_panics_or_hides_a_field_of_its_own() {
    const PIECES: [&str; 16] = [
        "Basic", "Digest", "realm", "nonce", "=", "=", "\"", "\"", "\\", ",", ",", " ", "\t", "a",
        "\u{e9}", "\u{1}",
    ];
    let mut state = 0x9e37_79b9_7f4a_7c15;
    for _ in 0..20_000 {
        let length = next(&mut state) % 24;
        let field: String = (0..length).map(|_| PIECES[next(&mut state) % PIECES.len()]).collect();
        let found = challenges([&*field, "NTLM"]);
        assert!(found.last().is_some_and(|last| last.is("ntlm")), "{field:?}");
        let _ = parameters(field.as_bytes());
        // Whatever stands in front of a comma, a scheme behind it is found, unless in quotes.
        let found = challenges([format!("{field}, Basic realm=x")]);
        assert!(field.contains('"') || found.iter().any(|one| one.is("basic")), "{field:?}");
    }
}

#[test]
fn a_list_of_parameters_is_whole_or_nothing() {
    let read = |field: &str| {
        let text = |value: &[u8]| String::from_utf8(value.to_vec()).unwrap();
        parameters(field.as_bytes()).map(|all| all.get("QOP").map(text))
    };
    for (field, expected) in [
        ("", Some(None)),
        ("qop=auth", Some(Some("auth"))),
        ("nextnonce=\"a,b\", qop=\"auth\" ,", Some(Some("auth"))),
        ("qop=auth, qop=auth", None),
        ("qop=auth, Basic", None),
        ("qop=auth, x=\"", None),
        ("Digest qop=auth", None),
    ] {
        assert_eq!(read(field), expected.map(|value| value.map(str::to_owned)), "{field:?}");
    }
}
