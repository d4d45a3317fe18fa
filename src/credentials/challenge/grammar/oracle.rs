//! The same fields as `http-auth` reads them, which keeps to the letter of RFC 7235 and gives up
//! at the first thing that is odd.
//!
//! Whatever it reads, we read the same. What it refuses and we read stands in a table, with the
//! reason.

use http_auth::parser::ChallengeParser;

use super::tests::read;

/// What it makes of a field, written as [`read`] does it; `None` if it refuses the field.
fn theirs(field: &str) -> Option<String> {
    let mut shown = Vec::new();
    for challenge in ChallengeParser::new(field) {
        let challenge = challenge.ok()?;
        // It leaves it to its caller which of two values counts; for us it is the last.
        let mut all: Vec<(&str, String)> = Vec::new();
        for (name, value) in challenge.params {
            match all.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
                Some(known) => known.1 = value.to_unescaped(),
                None => all.push((name, value.to_unescaped())),
            }
        }
        let all: Vec<String> = all.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let all = if all.is_empty() { String::new() } else { format!(" {{{}}}", all.join("; ")) };
        shown.push(format!("{}{all}", challenge.scheme));
    }
    Some(shown.join(" | "))
}

/// Fields that it refuses, what we read, and why we do.
const ONLY_WE: &[(&str, &str, &str)] = &[
    ("Negotiate YIIabc==", "Negotiate YIIabc==", "token68: RFC 9110 §11.2, and RFC 4559 needs it"),
    ("Basic realm", "Basic realm", "has the form of a token68"),
    ("Basic realm=", "Basic realm=", "has the form of a token68"),
    ("Basic realm=\"caf\u{e9}\"", "Basic {realm=caf\u{e9}}", "obs-text: RFC 9110 §5.6.4"),
    ("Basic  realm=a", "Basic {realm=a}", "RFC 9110 §11.3 has 1*SP; it takes one space"),
    ("Basic\trealm=a", "Basic {realm=a}", "curl and browsers take a tab"),
    (" Basic realm=a", "Basic {realm=a}", "space around a value is no part of it: §5.5"),
    ("Digest uri=/a", "Digest {uri=/a}", "values that should have quotes are sent without"),
    ("Digest nonce=a==", "Digest {nonce=a==}", "the same, of nonces in base64"),
    ("Basic realm=my realm", "Basic {realm=my realm}", "the same, of realms of two words"),
    ("Digest realm=a, nonce=, x=y", "Digest {realm=a; nonce=; x=y}", "an empty value is sent"),
    ("Digest realm=\"a\" nonce=b", "Digest {realm=a; nonce=b}", "commas are forgotten"),
    ("Basic realm=a; charset=b", "Basic {realm=a; charset=b}", "or written as semicolons"),
    ("Basic, realm=a", "Basic {realm=a}", "a comma behind the scheme, as curl reads it"),
    ("Basic realm=\"a", "Basic {realm=a}", "a quote is never closed"),
    ("Basic realm=\"a\"b, NTLM", "Basic {realm=a} | NTLM", "what follows a value is passed over"),
    ("realm=a, Basic realm=b", "Basic {realm=b}", "what stands before the first scheme is, too"),
    ("Odd@b, NTLM", "NTLM", "and what is no scheme"),
    ("", "", "a field may be empty: RFC 9110 §5.6.1.2"),
];

#[test]
fn what_http_auth_refuses_and_we_read_is_known() {
    for (field, ours, why) in ONLY_WE {
        assert_eq!(theirs(field), None, "{field:?}: {why}");
        assert_eq!(read(&[field]), *ours, "{field:?}: {why}");
    }
}

/// Numbers that look random and are the same each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }

    fn one_of(&mut self, all: &[&'static str]) -> &'static str {
        all[self.below(all.len())]
    }
}

/// Returns a field that is right, or was until a piece was put into it somewhere.
fn field(numbers: &mut Numbers) -> String {
    let mut field = String::new();
    for n in 0..1 + numbers.below(3) {
        if n > 0 {
            field += numbers.one_of(&[", ", ",", " ,\t", ", ,,"]);
        }
        field += numbers.one_of(&["Basic", "digest", "NTLM", "X-Odd!"]);
        for n in 0..numbers.below(4) {
            field += if n == 0 { " " } else { numbers.one_of(&[", ", ",", "\t,,", " , "]) };
            field += numbers.one_of(&["realm", "nonce", "Realm", "qop", "x"]);
            field += numbers.one_of(&["=", " = ", "\t=", "= "]);
            field += numbers.one_of(&[
                "a",
                "'a'",
                "\"\"",
                "\"a b\"",
                "\"a, Basic realm=b\"",
                "\"\\\"\"",
                "\"a\\\\\"",
                "\"=, \\,\"",
            ]);
        }
    }
    if numbers.below(3) == 0 {
        let odd = numbers.one_of(&[" ", ",", ";", "=", "\"", "\\", "a", "@", "\t", "Basic "]);
        field.insert_str(numbers.below(field.len() + 1), odd);
    }
    field
}

#[test]
fn what_http_auth_reads_we_read_the_same() {
    let mut numbers = Numbers(9110);
    let mut agreed = 0;
    for _ in 0..20_000 {
        let field = field(&mut numbers);
        if let Some(theirs) = theirs(&field) {
            assert_eq!(read(&[&field]), theirs, "{field:?}");
            agreed += 1;
        }
    }
    assert!(agreed > 10_000, "{agreed} fields were read by both");
}
