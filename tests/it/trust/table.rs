//! What a delegate is told about every kind of certificate is what would end the load.

use std::sync::{Arc, Mutex};

use urlsession::testing::{Answer, Authority, Identity, IdentityBuilder, Server};
use urlsession::{Disposition, ErrorKind, Stage};

use crate::support::deciding::{Deciding, HERE, about_server, asking, everywhere_is, trusting};
use crate::tls::certificates::cases;

#[test]
fn the_delegate_is_told_of_the_check_that_would_end_the_load() {
    let root = Authority::new();
    for (name, identity, host, expected) in cases(&root) {
        let identity = identity.build();
        let server = Server::start_tls(&identity);
        server.handle(|_| Answer::ok("secret"));
        let mut configuration = trusting(&root);
        configuration.resolver = Some(everywhere_is(&server));
        let seen = Arc::new(Mutex::new(None));
        let delegate = Deciding::by({
            let seen = seen.clone();
            move |challenge| {
                let space = challenge.protection_space();
                let trust = space.server_trust().unwrap().clone();
                assert_eq!(trust.host(), space.host());
                let error = challenge.error().cloned();
                let before = seen.lock().unwrap().replace((trust, error));
                assert!(before.is_none(), "asked twice");
                Some(Disposition::PerformDefaultHandling)
            }
        });
        let session = asking(configuration, &delegate);
        let loaded = session.data(server.url_with_host(host, "/"));
        let outcome = loaded.map(|data| data.text().into_owned()).map_err(|error| error.kind());
        assert_eq!(outcome, expected.map(|()| "secret".to_owned()), "{name}");
        assert_eq!(delegate.take_asked(), [about_server(expected.err())], "{name}");

        let (trust, error) = seen.lock().unwrap().take().unwrap();
        assert_eq!(trust.evaluate().map_err(|error| error.kind()), expected, "{name}");
        let shown: Vec<_> = trust.certificates().iter().map(|one| one.as_der().to_vec()).collect();
        assert_eq!(shown, identity.chain_der(), "{name}");
        if let Some(error) = error {
            assert_eq!(error.stage(), Some(Stage::Securing), "{name}");
            assert!(error.failing_url().is_some(), "{name}");
        }
        assert_eq!(server.connection_count(), 1, "{name}");
    }
}

/// What is shown, at which host, and what the error says of it.
type Said = (IdentityBuilder, &'static str, ErrorKind, &'static str);

#[test]
fn the_error_says_what_is_wrong_and_since_when() {
    let root = Authority::new();
    let builder = |names: &[&str]| root.identity_builder(names);
    let many: Vec<String> = (0..8).map(|number| format!("{number}.test")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let cases: [Said; 8] = [
        (
            builder(HERE).expired(),
            "localhost",
            ErrorKind::ServerCertificateHasBadDate,
            "has expired: it was valid until 2001-12-31 00:00:00 UTC",
        ),
        (
            builder(HERE).not_yet_valid(),
            "localhost",
            ErrorKind::ServerCertificateNotYetValid,
            "not valid yet, not before 3000-01-01 00:00:00 UTC",
        ),
        (
            builder(&["a.test", "*.b.test"]),
            "localhost",
            ErrorKind::ServerCertificateUntrusted,
            "not for this host, but for a.test, *.b.test",
        ),
        (builder(&["127.0.0.2"]), "127.0.0.1", ErrorKind::ServerCertificateUntrusted, "127.0.0.2"),
        (
            builder(&many),
            "localhost",
            ErrorKind::ServerCertificateUntrusted,
            "0.test, 1.test, 2.test, 3.test, 4.test and 3 others",
        ),
        (
            builder(HERE).for_clients_only(),
            "localhost",
            ErrorKind::ServerCertificateUntrusted,
            "not one for servers",
        ),
        (
            root.intermediate().identity_builder(HERE).with_own_certificate_last(),
            "localhost",
            ErrorKind::ServerCertificateUntrusted,
            "one for signing others",
        ),
        (
            Identity::self_signed_builder(HERE),
            "localhost",
            ErrorKind::ServerCertificateHasUnknownRoot,
            "leads to no root that is trusted",
        ),
    ];
    for (identity, host, kind, text) in cases {
        let server = Server::start_tls(&identity.build());
        let mut configuration = trusting(&root);
        configuration.resolver = Some(everywhere_is(&server));
        let session = urlsession::Session::new(configuration).unwrap();
        let error = session.data(server.url_with_host(host, "/")).unwrap_err();
        assert_eq!(error.kind(), kind, "{text}: {error:?}");
        assert!(error.to_string().contains(text), "{text}: {error}");
        assert!(std::error::Error::source(&error).is_some(), "{text}: {error:?}");
    }
}
