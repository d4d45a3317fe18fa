use super::*;

/// Writes challenges down in one line: `scheme token68 {name=value; name=value} | ...`.
fn read(fields: &[&str]) -> String {
    let shown = challenges(fields.iter().copied()).into_iter().map(|challenge| {
        let token = challenge.token68.map(|token| format!(" {token}")).unwrap_or_default();
        let all = challenge.parameters.iter().map(|(name, value)| format!("{name}={value}"));
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
        // Read more leniently than it is written.
        ("Digest nonce=a/b+c==, realm=x", "Digest {nonce=a/b+c==; realm=x}"),
        ("Digest uri=/a;b?c={d}", "Digest {uri=/a;b?c={d}}"),
    ] {
        assert_eq!(read(&[field]), expected, "{field:?}");
    }
}

#[test]
fn a_broken_challenge_is_dropped_and_its_neighbours_are_kept() {
    for (field, expected) in [
        ("", ""),
        (" \t ", ""),
        (",,, ,\t,", ""),
        ("realm=\"a\"", ""),
        ("realm=\"a\", Basic realm=b", "Basic {realm=b}"),
        ("=a, Basic", "Basic"),
        ("\"a\", Basic", "Basic"),
        ("\"Basic realm=a", ""),
        // A quote that is never closed takes the rest of the field with it.
        ("Basic realm=a, Digest realm=\"b, nonce=c, NTLM", "Basic {realm=a}"),
        ("Basic realm=\"a\\", ""),
        ("Basic realm=\"a\\\"", ""),
        // No sign, or nothing behind it.
        ("Basic realm=a, Digest realm \"b\", nonce=c, NTLM", "Basic {realm=a} | NTLM"),
        ("Basic realm=a, Digest realm=b, nonce=, x=y, NTLM", "Basic {realm=a} | NTLM"),
        ("Basic realm=a, Digest realm=b, nonce = , NTLM", "Basic {realm=a} | NTLM"),
        ("Digest =b, NTLM", "NTLM"),
        // Something behind the value.
        ("Digest realm=\"b\" nonce=c, x=y, NTLM", "NTLM"),
        ("Digest realm=\"b\"c, NTLM", "NTLM"),
        ("Digest realm=b\"c, d\", NTLM", "NTLM"),
        ("Basic realm=a b, NTLM", "NTLM"),
        ("Odd a b, NTLM", "NTLM"),
        ("Odd@b, NTLM", "NTLM"),
        ("Basic\"a\", NTLM", "NTLM"),
        ("Negotiate a=b=, NTLM", "Negotiate {a=b=} | NTLM"),
        ("Negotiate ab===c, NTLM", "Negotiate {ab===c} | NTLM"),
        // A name that occurs twice, a token that is not alone.
        ("Basic realm=a, realm=b, NTLM", "NTLM"),
        ("Digest realm=a, nonce=b, NONCE=b, NTLM", "NTLM"),
        ("Negotiate abc, realm=a, NTLM", "NTLM"),
        // Control characters, however they are written.
        ("Basic realm=\"a\u{0}b\", NTLM", "NTLM"),
        ("Basic realm=\"a\\\u{1b}, b\", NTLM", "NTLM"),
        ("Basic realm=a\u{7f}, NTLM", "NTLM"),
        ("Basic\u{1} realm=a, NTLM", "NTLM"),
        ("Basic realm=\"a\r\nb\", NTLM", "NTLM"),
        ("\u{fffd}, Basic realm=a", "Basic {realm=a}"),
    ] {
        assert_eq!(read(&[field]), expected, "{field:?}");
    }
}

#[test]
fn fields_are_read_one_by_one() {
    let fields = ["Negotiate, Digest realm=\"open", "nonce=lost", "Basic realm=a"];
    assert_eq!(read(&fields), "Negotiate | Basic {realm=a}");
    assert_eq!(read(&[]), "");
}

#[test]
fn floods_end() {
    let commas = ",".repeat(64 * 1024);
    assert_eq!(read(&[&commas]), "");
    assert_eq!(read(&[&format!("{commas}Basic realm=a{commas}")]), "Basic {realm=a}");
    assert_eq!(read(&[&"Basic,".repeat(1000)]).split(" | ").count(), MOST_CHALLENGES);
    assert_eq!(read(&["Basic"; 1000]).split(" | ").count(), MOST_CHALLENGES);
    let many = |count| (0..count).map(|n| format!("p{n}=v")).collect::<Vec<_>>().join(",");
    assert_eq!(challenges([&*format!("A {}", many(64))])[0].parameters.len(), MOST_PARAMETERS);
    assert_eq!(read(&[&format!("A {}, B", many(65))]), "B");
    for flood in ["\"", "\\", "=", " ", "a", "a=", "a=\"", "\"\\\"", "a ", "a=b ", "A b=\"c\", "] {
        read(&[&flood.repeat(64 * 1024 / flood.len())]);
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
        let _ = parameters(&field);
    }
}

#[test]
fn a_list_of_parameters_is_whole_or_nothing() {
    let read = |field| parameters(field).map(|all| all.get("QOP").map(str::to_owned));
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
