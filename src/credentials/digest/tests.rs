use super::*;
use crate::credentials::challenge::{Asker, Scheme, offers};
use crate::headers::Headers;

const GET: Outgoing<'_> = Outgoing { method: "GET", target: "/x?y", body_hash: None, cnonce: "c1" };

fn read(field: &str) -> Option<DigestChallenge> {
    let mut headers = Headers::new();
    headers.add("WWW-Authenticate", field).unwrap();
    let url = url::Url::parse("http://s.test/").unwrap();
    match offers(&headers, Asker::Server(&url)).pop()?.scheme {
        Scheme::Digest(challenge) => Some(*challenge),
        other => panic!("{field}: {other:?}"),
    }
}

fn session(field: &str, user: &str, password: &str) -> DigestSession {
    DigestSession::new(&read(field).unwrap(), user, password).unwrap()
}

/// A session of `ann` for `Digest realm="r", nonce="n1"` and what `field` adds.
fn anns(field: &str) -> DigestSession {
    session(&format!("Digest realm=\"r\", nonce=\"n1\"{field}"), "ann", "pw")
}

fn signed(session: &mut DigestSession, request: &Outgoing<'_>) -> String {
    String::from_utf8(session.sign(request).unwrap().0).unwrap()
}

fn part<'a>(field: &'a str, name: &str) -> &'a str {
    let found = field.split(", ").find_map(|part| {
        part.strip_prefix("Digest ").unwrap_or(part).strip_prefix(name)?.strip_prefix('=')
    });
    found.unwrap_or_default().trim_matches('"')
}

#[test]
fn the_examples_of_the_standards_are_answered_as_they_say() {
    // RFC 7616 §3.9.1, once with each algorithm.
    let asked = |algorithm: &str| {
        format!(
            "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm={algorithm}, \
             nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", \
             opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
        )
    };
    let request = Outgoing {
        method: "GET",
        target: "/dir/index.html",
        body_hash: None,
        cnonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
    };
    for (algorithm, response) in [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ] {
        let mut session = session(&asked(algorithm), "Mufasa", "Circle of Life");
        let expected = format!(
            "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", \
             nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", uri=\"/dir/index.html\", \
             response=\"{response}\", algorithm={algorithm}, \
             cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\", qop=auth, nc=00000001, \
             opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
        );
        assert_eq!(signed(&mut session, &request), expected);
    }
}

#[test]
fn a_user_name_is_hashed_as_rfc_7616_3_9_2_shows() {
    // With the values of erratum 4897: those printed are of a truncated SHA-512.
    let asked = "Digest realm=\"api@example.org\", qop=\"auth\", algorithm=SHA-512-256, \
                 nonce=\"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK\", \
                 opaque=\"HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS\", charset=UTF-8, \
                 userhash=true";
    let mut session = session(asked, "J\u{e4}s\u{f8}n Doe", "Secret, or not?");
    let cnonce = "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v";
    let request = Outgoing { target: "/doe.json", cnonce, ..GET };
    let expected = format!(
        "Digest username=\"793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b\", \
         realm=\"api@example.org\", nonce=\"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK\", \
         uri=\"/doe.json\", \
         response=\"3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5\", \
         algorithm=SHA-512-256, cnonce=\"{cnonce}\", qop=auth, nc=00000001, \
         opaque=\"HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS\", userhash=true"
    );
    assert_eq!(signed(&mut session, &request), expected);
}

#[test]
fn older_servers_are_answered_by_older_standards() {
    let asked = "Digest realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", \
                 opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"";
    let request = Outgoing { target: "/dir/index.html", cnonce: "0a4f113b", ..GET };
    // RFC 2617 §3.5.
    let mut counted =
        session(&format!("{asked}, qop=\"auth,auth-int\""), "Mufasa", "Circle Of Life");
    let field = signed(&mut counted, &request);
    assert_eq!(part(&field, "response"), "6629fae49393a05397450978507c4ef1");
    assert_eq!((part(&field, "nc"), part(&field, "algorithm")), ("00000001", ""));
    // RFC 2069 §2.4, with the response of its erratum 749.
    let mut plain = session(asked, "Mufasa", "CircleOfLife");
    let expected = "Digest username=\"Mufasa\", realm=\"testrealm@host.com\", \
                    nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", uri=\"/dir/index.html\", \
                    response=\"1949323746fe6a43ef61f9606e7febea\", \
                    opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"";
    assert_eq!(signed(&mut plain, &request), expected);
}

/// Values made by another implementation (Python's hashlib) of: `auth`; `-sess`, first and
/// second request; `-sess` with the next nonce; `auth-int` of "a body"; the server's proof
/// by `auth`, and by `auth-int` of "an answer".
const TABLE: [(&str, [&str; 7]); 3] = [
    (
        "MD5",
        [
            "5da97fc612299d13c13db2f2b11604d9",
            "1b94a906e762fe603a1f4c612a6c85b4",
            "ff4b48c8f028256aede53791348b4f96",
            "787970b48a8487cd9c2af7f2e9aca8c6",
            "1ea30823664f08f5a562fe5440ed64f1",
            "0bf73df9fbaf9ba77181b90862b467ca",
            "90a59dfa281899b3b07c63292dd1caf1",
        ],
    ),
    (
        "SHA-256",
        [
            "cb95fd8748e3d09dc116da56ed5377123e2b4b5db329da2977d2ef91b27743fd",
            "fe8b63f821ce0eb711474ef06b7d88f19cea72a5ba47b3260a411f34f807775b",
            "56f58b79fbf3455dcbd3b0dde50928f0b8724cff32620dfa8c00d13be0f91f07",
            "8aeb117357df0df8683398839dbacb0dad8344a4596bf3bcb31ac3b8361436d7",
            "0084f421be8095cc98b6db85fe8fe784727b25043795c3ca849c4418a3699c7e",
            "9b68cc464ee8bddc9ff52d18fa8ba3562ec00a1e45454a1da9b486e70e4f1542",
            "3260ee7aea606db4b54b2e6b3d09296570d63252aeed9c62ad3b092cc1ff3916",
        ],
    ),
    (
        "SHA-512-256",
        [
            "3538605b3183fb1ed1da1f432ced953dcd277b47d64ad98917ee7ebf0701a15f",
            "0218ebaf02aee95e5ef8ac1d9449ede8548f9169098d2f1820227ed06daf1364",
            "ce640505d4c423633074eddc2f7bb1862916bf2a6389a2e79087924dd8aebe40",
            "a5e028550a326d79393924cf038bca834739190b93fc9a4fdcf92eb83ac75f18",
            "5bbdb8dc7932ea6b573d87eeeb2da1fa577ecaa44f17ee3b5636abd32eb81b4e",
            "09eb8f08bb67ef2dc3722de14e45470c7f41747dff17164826186759ff637d33",
            "9cfe3be345b489b50932c14f696287c1b8ed6c2df5c03c27b25811da4f390ffb",
        ],
    ),
];

#[test]
fn every_algorithm_signs_every_way() {
    for (name, [auth, sess_1, sess_2, sess_next, int, ..]) in TABLE {
        let mut one = anns(&format!(", qop=auth, algorithm={name}"));
        assert_eq!(part(&signed(&mut one, &GET), "response"), auth, "{name}");

        let mut sess = anns(&format!(", qop=auth, algorithm=\"{name}-sess\""));
        let field = signed(&mut sess, &GET);
        assert_eq!(part(&field, "response"), sess_1, "{name}-sess");
        assert_eq!(part(&field, "algorithm"), format!("{name}-sess"));
        let (field, proof) = sess.sign(&Outgoing { cnonce: "c2", ..GET }).unwrap();
        let field = String::from_utf8(field).unwrap();
        assert_eq!((part(&field, "response"), part(&field, "nc")), (sess_2, "00000002"));
        assert_eq!(part(&field, "cnonce"), "c1", "the key was made with it");
        sess.take_nonce(&proof, b"n2");
        let field = signed(&mut sess, &Outgoing { cnonce: "c3", ..GET });
        assert_eq!((part(&field, "response"), part(&field, "nc")), (sess_next, "00000001"));

        let mut whole = anns(&format!(", qop=\"auth-int\", algorithm={name}"));
        let hash = whole.body_hash().unwrap().hash(b"a body");
        let post = Outgoing { method: "POST", body_hash: Some(&hash), ..GET };
        let field = signed(&mut whole, &post);
        assert_eq!((part(&field, "response"), part(&field, "qop")), (int, "auth-int"), "{name}");
    }
}

#[test]
fn a_body_is_signed_only_if_nothing_less_is_offered() {
    for (offered, signs) in [
        ("", Some(false)),
        (", qop=\"\"", Some(false)),
        (", qop=auth", Some(false)),
        (", qop=AUTH", Some(false)),
        (", qop=\"auth-int , auth\"", Some(false)),
        (", qop=\"auth-int\"", Some(true)),
        (", qop=\"auth-conf, auth-int\"", Some(true)),
        (", qop=\"auth-conf\"", Some(false)),
        (", qop=\"auth-int auth\"", Some(false)),
        (", qop=\"auth-conf\", algorithm=MD5-sess", None),
        // The key of a session needs a cnonce that is sent.
        (", algorithm=MD5-sess", None),
    ] {
        let challenge = read(&format!("Digest realm=r, nonce=n{offered}"));
        let session = challenge.map(|one| DigestSession::new(&one, "ann", "pw").unwrap());
        assert_eq!(session.map(|one| one.body_hash().is_some()), signs, "{offered}");
    }
    let mut session = anns(", qop=auth-int");
    assert_eq!(session.sign(&GET).unwrap_err().kind(), ErrorKind::InvalidRequest);
    // What could not be signed was not sent, and is not counted.
    let field = signed(&mut session, &Outgoing { body_hash: Some("0"), ..GET });
    assert_eq!(part(&field, "nc"), "00000001");
}

#[test]
fn a_user_name_is_written_so_that_the_server_can_read_it() {
    for (field, user, expected) in [
        ("", "ann", "username=\"ann\""),
        (", charset=UTF-8", "ann", "username=\"ann\""),
        ("", "J\u{e4}s\u{f8}n", "username=\"J\u{e4}s\u{f8}n\""),
        (", charset=utf-8", "J\u{e4}s\u{f8}n", "username*=UTF-8''J%C3%A4s%C3%B8n"),
        (", charset=UTF-8", "\u{e4} \"%*'", "username*=UTF-8''%C3%A4%20%22%25%2A%27"),
        ("", "a\"n\\n", "username=\"a\\\"n\\\\n\""),
        (", userhash=true", "ann", "username=\"8b0d5a1ec2a4ee3d4a2d9b0f5e0f5c39\""),
        (", userhash=false", "ann", "username=\"ann\""),
    ] {
        let mut session = session(&format!("Digest realm=\"r\", nonce=n{field}"), user, "pw");
        let found = signed(&mut session, &GET);
        let hashed = read("Digest realm=r, nonce=n").unwrap().algorithm.hash(b"ann:r");
        let expected = expected.replace("8b0d5a1ec2a4ee3d4a2d9b0f5e0f5c39", &hashed);
        assert!(found.starts_with(&format!("Digest {expected}, ")), "{found}");
        assert_eq!(found.ends_with("userhash=true"), field.contains("true"), "{found}");
    }
    let challenge = read("Digest realm=r, nonce=n").unwrap();
    for user in ["a\r\nb", "a\0", "\u{85}"] {
        let error = DigestSession::new(&challenge, user, "pw").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    }
}

#[test]
fn what_came_in_another_encoding_goes_back_as_it_came() {
    let mut headers = Headers::new();
    let asked = b"Digest realm=\"gr\xfcn\", nonce=\"\xff\", opaque=\"\xe4\", qop=auth";
    headers.push_bytes("WWW-Authenticate", asked);
    let url = url::Url::parse("http://s.test/").unwrap();
    let offer = offers(&headers, Asker::Server(&url)).remove(0);
    assert_eq!(offer.space().realm(), Some("gr\u{fc}n"));
    let Scheme::Digest(challenge) = offer.scheme else { panic!("no Digest") };
    let mut session = DigestSession::new(&challenge, "J\u{f6}", "p\u{df}").unwrap();
    let field = session.sign(&Outgoing { target: "/", ..GET }).unwrap().0;
    let has = |part: &[u8]| field.windows(part.len()).any(|found| found == part);
    for part in [&b"realm=\"gr\xfcn\""[..], b"nonce=\"\xff\"", b"opaque=\"\xe4\""] {
        assert!(has(part), "{}", field.escape_ascii());
    }
    // By Python's hashlib, of the user and the password in UTF-8.
    assert!(has(b"response=\"d95e0f159dc9be26afc0b8b36c7e7a90\""), "{}", field.escape_ascii());
}

#[test]
fn quotes_are_undone_for_the_hash_and_put_back_for_the_field() {
    let asked = "Digest realm=\"re\\\"al\\\\m\", nonce=\"n\\1\", opaque=\"\\\"\", qop=auth";
    let mut session = session(asked, "a\"n\\n", "pw");
    let field = signed(&mut session, &Outgoing { target: "/", ..GET });
    // By Python's hashlib.
    assert_eq!(part(&field, "response"), "9f92634309c466556f5424cda3293aa2");
    for expected in ["realm=\"re\\\"al\\\\m\"", "nonce=\"n1\"", "opaque=\"\\\"\""] {
        assert!(field.contains(expected), "{field}");
    }
}

#[test]
fn a_servers_proof_is_checked() {
    use Proven::{Nothing, OnceHashed, Server};
    for (name, [.., auth, int]) in TABLE {
        let mut session = anns(&format!(", qop=auth, algorithm={name}"));
        let algorithm = session.challenge.algorithm;
        let proof = session.sign(&GET).unwrap().1;
        let (hash, other) = (algorithm.hash(b"an answer"), algorithm.hash(b"another"));
        let with = |rest: &str| format!("rspauth=\"{auth}\", {rest}");
        let whole = format!("qop=auth-int, rspauth={int}");
        for (info, body, expected) in [
            ("", None, Ok(Nothing)),
            ("nextnonce=\"n2\"", None, Ok(Nothing)),
            ("rspauth=\"", None, Ok(Nothing)),
            (&*with(""), None, Ok(Server)),
            (&*with("qop=auth, cnonce=\"c1\", nc=00000001"), None, Ok(Server)),
            (&*with("qop=auth, nc=1"), Some(&*hash), Ok(Server)),
            (&*with("cnonce=\"c2\""), None, Err(())),
            (&*with("nc=00000002"), None, Err(())),
            (&*with("nc=one"), None, Err(())),
            (&*with("qop=auth-conf"), None, Err(())),
            ("rspauth=\"\"", None, Err(())),
            ("rspauth=00", None, Err(())),
            ("nc=00000002, nextnonce=n2", None, Err(())),
            (&*whole, None, Ok(OnceHashed(algorithm))),
            (&*whole, Some(&*hash), Ok(Server)),
            (&*whole, Some(&*other), Err(())),
        ] {
            let found = proof.verify(info.as_bytes(), body);
            if let Err(error) = &found {
                assert_eq!(error.kind(), ErrorKind::BadServerResponse);
            }
            assert_eq!(found.map_err(drop), expected, "{name}: {info}");
        }
    }
    // RFC 2069 has the proof, and nothing is counted.
    let proof = anns("").sign(&GET).unwrap().1;
    let info = "rspauth=\"0325584fd05d9649806ccb6f7a6fa470\"";
    assert_eq!(proof.verify(info.as_bytes(), None).map_err(drop), Ok(Server));
    // The proof of a server is not the client's own response sent back.
    let (field, proof) = anns(", qop=auth").sign(&GET).unwrap();
    let field = String::from_utf8(field).unwrap();
    let info = format!("rspauth={}", part(&field, "response"));
    assert!(proof.verify(info.as_bytes(), None).is_err());
}

#[test]
fn a_next_nonce_starts_the_count_over_once() {
    for (info, expected) in [
        ("nextnonce=\"a=,b\"", Some("a=,b")),
        ("NextNonce=abc, qop=auth", Some("abc")),
        ("nextnonce=\"\"", None),
        ("qop=auth", None),
        ("nextnonce=\"a", None),
    ] {
        let found = Proof::next_nonce(info.as_bytes());
        assert_eq!(found.as_deref(), expected.map(str::as_bytes), "{info}");
    }
    let mut session = anns(", qop=auth");
    let proofs = [session.sign(&GET).unwrap().1, session.sign(&GET).unwrap().1];
    for (proof, nonce) in proofs.iter().zip(["n2", "late"]) {
        session.take_nonce(proof, nonce.as_bytes());
    }
    let field = signed(&mut session, &GET);
    assert_eq!((part(&field, "nonce"), part(&field, "nc")), ("n2", "00000001"));
    assert!(session.may_be_old());
}

#[test]
fn a_stale_nonce_is_replaced_without_the_password() {
    let mut old = anns(", qop=auth, algorithm=MD5");
    assert!(!old.may_be_old());
    signed(&mut old, &GET);
    assert!(!old.may_be_old(), "the first request was refused: it is the password");
    signed(&mut old, &GET);
    assert!(old.may_be_old());
    for (asked, renewed) in [
        ("Digest realm=r, nonce=n2, qop=auth, stale=TRUE", true),
        ("Digest realm=r, nonce=n2, qop=auth, algorithm=MD5-sess", true),
        ("Digest realm=other, nonce=n2, qop=auth", false),
        ("Digest realm=r, nonce=n2, qop=auth, algorithm=SHA-256", false),
    ] {
        let challenge = read(asked).unwrap();
        assert_eq!(challenge.stale, asked.contains("stale"), "{asked}");
        let next = old.renewed(&challenge).map(|mut next| {
            let field = signed(&mut next, &GET);
            let mut fresh = DigestSession::new(&challenge, "ann", "pw").unwrap();
            assert_eq!(field, signed(&mut fresh, &GET), "{asked}");
            assert_eq!((part(&field, "nonce"), part(&field, "nc")), ("n2", "00000001"));
        });
        assert_eq!(next.is_some(), renewed, "{asked}");
    }
}
