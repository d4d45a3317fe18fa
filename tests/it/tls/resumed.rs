//! Resuming earlier handshakes.

use urlsession::testing::{Answer, Authority, Identity, ServedVersion, Server};
use urlsession::{Session, TlsVersion};

use super::{everywhere_is, session, trusting};

const VERSIONS: [ServedVersion; 2] = [ServedVersion::Tls12, ServedVersion::Tls13];

fn server(identity: &Identity, version: ServedVersion, resumption: bool) -> Server {
    let builder = Server::builder().tls(identity).tls_versions(&[version]);
    let server = builder.tls_resumption(resumption).start();
    server.handle(|_| Answer::ok("").header("Connection", "close"));
    server
}

/// Loads once over a new connection and tells whether the handshake was resumed.
fn resumes(session: &Session, server: &Server, host: &str) -> bool {
    session.data(server.url_with_host(host, "/")).unwrap();
    let request = server.take_request();
    assert_eq!(request.sequence(), 0);
    request.tls_resumed()
}

#[test]
fn each_further_connection_of_a_session_resumes_and_other_sessions_do_not() {
    let authority = Authority::new();
    let identity = authority.identity(&["localhost"]);
    for version in VERSIONS {
        for resumption in [true, false] {
            let row = format!("{version:?}, server resumes: {resumption}");
            let server = server(&identity, version, resumption);
            let first = session(trusting(&authority));
            assert!(!resumes(&first, &server, "localhost"), "{row}");
            assert_eq!(resumes(&first, &server, "localhost"), resumption, "{row}");
            assert_eq!(resumes(&first.clone(), &server, "localhost"), resumption, "{row}");
            let second = session(trusting(&authority));
            assert!(!resumes(&second, &server, "localhost"), "{row}");
        }
    }
}

#[test]
fn a_handshake_is_resumed_with_the_same_name_only() {
    let authority = Authority::new();
    let identity = authority.identity(&["a.test", "b.test"]);
    for version in VERSIONS {
        let server = server(&identity, version, true);
        let mut configuration = trusting(&authority);
        configuration.resolver = Some(everywhere_is(&server));
        let session = session(configuration);
        assert!(!resumes(&session, &server, "a.test"), "{version:?}");
        assert!(!resumes(&session, &server, "b.test"), "{version:?}");
        assert!(resumes(&session, &server, "a.test"), "{version:?}");
    }
}

#[test]
fn a_server_that_forgot_everything_is_greeted_anew() {
    let authority = Authority::new();
    let identity = authority.identity(&["a.test"]);
    for version in VERSIONS {
        let (before, after) = (server(&identity, version, true), server(&identity, version, true));
        // The same name leads to another server, whose keys for tickets are others.
        let (old, new) = (before.address(), after.address());
        let mut configuration = trusting(&authority);
        let asked = std::sync::atomic::AtomicBool::new(false);
        configuration.resolver = Some(urlsession::Resolver::new(move |_, _| {
            let again = asked.swap(true, std::sync::atomic::Ordering::Relaxed);
            Ok(vec![if again { new } else { old }])
        }));
        let session = session(configuration);
        let url = "https://a.test/";
        session.data(url).unwrap();
        session.data(url).unwrap();
        assert!(!before.take_request().tls_resumed(), "{version:?}");
        assert!(!after.take_request().tls_resumed(), "{version:?}");
        session.data(url).unwrap();
        assert!(after.take_request().tls_resumed(), "{version:?}");
    }
}

#[test]
fn versions_of_one_session_do_not_resume_under_another() {
    let authority = Authority::new();
    let server = Server::start_tls(&authority.identity(&["localhost"]));
    server.handle(|_| Answer::ok("").header("Connection", "close"));
    for version in [TlsVersion::Tls12, TlsVersion::Tls13, TlsVersion::Tls12] {
        let mut configuration = trusting(&authority);
        configuration.tls_minimum_version = version;
        configuration.tls_maximum_version = version;
        let session = session(configuration);
        assert!(!resumes(&session, &server, "localhost"), "{version:?}");
        assert!(resumes(&session, &server, "localhost"), "{version:?}");
    }
}
