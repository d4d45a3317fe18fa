//! Public keys that a configuration demands.

use urlsession::testing::{Answer, Authority, Identity, Server};
use urlsession::{Configuration, ErrorKind, PublicKeyPins, Session};

use crate::support::deciding::{Deciding, HERE, about_server, asking, everywhere_is, trusting};

/// A key that nobody has.
const NOBODYS: [u8; 32] = [7; 32];

/// A host and the keys that are pinned for it.
type Pinned<'a> = (&'a str, &'a [[u8; 32]]);

fn pinning(configuration: &mut Configuration, host: &str, hashes: &[[u8; 32]]) {
    let pins = PublicKeyPins::from_hashes(host, hashes.iter().copied()).unwrap();
    configuration.pinned_public_keys.push(pins);
}

fn server(identity: &Identity) -> Server {
    let server = Server::start_tls(identity);
    server.handle(|_| Answer::ok("secret"));
    server
}

#[test]
fn one_key_of_the_validated_path_has_to_be_pinned() {
    let root = Authority::new();
    let lower = root.intermediate();
    let beside = root.intermediate();
    let own = lower.identity(&["localhost", "a.test"]);
    let (key, root_key) = (own.public_key_hash(), root.public_key_hash());
    let server = server(&own);
    let cases: [(&str, &[Pinned<'_>], &str, bool); 10] = [
        ("own key", &[("localhost", &[key])], "localhost", true),
        ("intermediate's", &[("localhost", &[lower.public_key_hash()])], "localhost", true),
        ("root's, which is not shown", &[("localhost", &[root_key])], "localhost", true),
        ("backup first", &[("localhost", &[NOBODYS, key])], "localhost", true),
        ("backup last", &[("localhost", &[key, NOBODYS])], "localhost", true),
        ("in two entries", &[("localhost", &[NOBODYS]), ("localhost", &[key])], "localhost", true),
        ("another's key", &[("localhost", &[NOBODYS])], "localhost", false),
        (
            "of an authority beside the path",
            &[("localhost", &[beside.public_key_hash()])],
            "localhost",
            false,
        ),
        ("of another host", &[("b.test", &[NOBODYS])], "localhost", true),
        ("the dot at the end is no way round", &[("a.test", &[NOBODYS])], "a.test.", false),
    ];
    for (name, pins, host, good) in cases {
        let mut configuration = trusting(&root);
        configuration.resolver = Some(everywhere_is(&server));
        for (host, hashes) in pins {
            pinning(&mut configuration, host, hashes);
        }
        let session = Session::new(configuration).unwrap();
        let before = server.request_count();
        match session.data(server.url_with_host(host, "/")) {
            Ok(data) => assert!(good && data.text() == "secret", "{name}"),
            Err(error) => {
                assert!(!good, "{name}: {error:?}");
                assert_eq!(error.kind(), ErrorKind::ServerCertificateUntrusted, "{name}");
                let text = error.to_string();
                assert!(text.contains("pinned_public_keys for"), "{name}: {text}");
                assert!(text.contains(host), "{name}: {text}");
                assert_eq!(server.request_count(), before, "{name}");
            }
        }
    }
}

/// Like CVE-2016-2402: anybody can put the pinned certificate into what is shown.
#[test]
fn a_pinned_certificate_that_is_only_shown_is_not_enough() {
    let (mine, careless) = (Authority::new(), Authority::new());
    let pinned_authority = mine.intermediate();
    let pinned = pinned_authority.identity(HERE);
    let pins = [pinned.public_key_hash(), pinned_authority.public_key_hash()];
    // Another authority that is trusted has made a certificate for the host.
    let attacker = careless
        .identity_builder(HERE)
        .showing_also(pinned.certificate_der())
        .showing_also(pinned_authority.certificate_der())
        .build();
    assert_eq!(attacker.chain_der().len(), 3);
    for (identity, good) in [(&pinned, true), (&attacker, false)] {
        let server = server(identity);
        let mut configuration = trusting(&mine);
        configuration.additional_roots.extend(trusting(&careless).additional_roots);
        let unpinned = Session::new(configuration.clone()).unwrap();
        unpinned.data(server.url_with_host("localhost", "/")).unwrap();
        pinning(&mut configuration, "localhost", &pins);
        let session = Session::new(configuration).unwrap();
        let loaded = session.data(server.url_with_host("localhost", "/"));
        let kind = loaded.map(drop).map_err(|error| error.kind());
        let expected = if good { Ok(()) } else { Err(ErrorKind::ServerCertificateUntrusted) };
        assert_eq!(kind, expected);
        assert_eq!(server.request_count(), 1 + u64::from(good));
    }
}

#[test]
fn a_pin_does_not_make_a_bad_certificate_good() {
    let root = Authority::new();
    let own = root.identity_builder(HERE).expired().build();
    let server = server(&own);
    let mut configuration = trusting(&root);
    pinning(&mut configuration, "localhost", &[own.public_key_hash()]);
    let error = Session::new(configuration).unwrap().data(server.url_with_host("localhost", "/"));
    assert_eq!(error.unwrap_err().kind(), ErrorKind::ServerCertificateHasBadDate);
}

#[test]
fn a_delegate_cannot_accept_what_lacks_the_pins() {
    use ErrorKind::{
        ServerCertificateHasUnknownRoot as UnknownRoot, ServerCertificateUntrusted as Untrusted,
    };

    let (mine, stranger) = (Authority::new(), Authority::new());
    let (good, bad) = (mine.identity(HERE), stranger.identity(HERE));
    let (good_key, bad_key) = (good.public_key_hash(), bad.public_key_hash());
    for (name, identity, pin, told, outcome) in [
        ("good, pinned", &good, good_key, None, Ok(())),
        ("good, not pinned", &good, NOBODYS, Some(Untrusted), Err(Untrusted)),
        ("bad, own key pinned", &bad, bad_key, Some(UnknownRoot), Ok(())),
        ("bad, not pinned", &bad, NOBODYS, Some(UnknownRoot), Err(Untrusted)),
        // There is no path that was validated, so the authority's key is anybody's.
        (
            "bad, authority's key pinned",
            &bad,
            stranger.public_key_hash(),
            Some(UnknownRoot),
            Err(Untrusted),
        ),
    ] {
        let server = server(identity);
        let mut configuration = trusting(&mine);
        pinning(&mut configuration, "*.test", &[NOBODYS]);
        pinning(&mut configuration, "localhost", &[pin]);
        let delegate = Deciding::accepting();
        let session = asking(configuration, &delegate);
        let loaded = session.data(server.url_with_host("localhost", "/"));
        let kind = loaded.map(drop).map_err(|error| error.kind());
        assert_eq!(kind, outcome, "{name}");
        assert_eq!(delegate.take_asked(), [about_server(told)], "{name}");
        assert_eq!(server.request_count(), u64::from(outcome.is_ok()), "{name}");
    }
}
