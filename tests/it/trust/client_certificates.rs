//! What a session shows to servers that ask who connects.

use std::sync::{Arc, Mutex};

use urlsession::testing::{Answer, Authority, ServedVersion, Server};
use urlsession::{
    AuthenticationMethod, CancelToken, Configuration, Credential, CredentialStorage, Disposition,
    ErrorKind, Identity, Persistence, ProtectionSpace, Request, Session, Stage,
};

use crate::support::deciding::{
    Deciding, HERE, about_client, about_server, accept, accept_or, asking, client, trusting,
};
use crate::support::running::{HANG, nothing_is_left};

const VERSIONS: [ServedVersion; 2] = [ServedVersion::Tls12, ServedVersion::Tls13];

/// A server that requires a certificate of the client, or asks for one.
fn server(authority: &Authority, version: ServedVersion, requires: bool) -> Server {
    let identity = authority.identity(HERE);
    let builder = Server::builder().tls(&identity).tls_versions(&[version]);
    let server = if requires {
        builder.require_client_certificate(authority).start()
    } else {
        builder.ask_for_client_certificate(authority).start()
    };
    server.handle(|_| Answer::ok("secret"));
    server
}

fn space(server: &Server) -> ProtectionSpace {
    let method = AuthenticationMethod::ClientCertificate;
    ProtectionSpace::new("localhost", server.port(), "https", method)
}

fn storing(authority: &Authority, server: &Server, identity: &Identity) -> Configuration {
    let configuration = trusting(authority);
    let storage = configuration.credential_storage.as_ref().unwrap();
    storage.set(&Credential::from_identity(identity), &space(server));
    configuration
}

/// Returns whom the server has seen in its last request.
fn seen(server: &Server) -> Vec<Vec<u8>> {
    server.take_request().client_certificates().to_vec()
}

fn shown(identity: &Identity) -> Vec<Vec<u8>> {
    identity.certificates().iter().map(|one| one.as_der().to_vec()).collect()
}

#[test]
fn a_delegate_shows_an_identity_after_it_was_asked_about_the_server() {
    let authority = Authority::new();
    let identity = client(&authority, "ann");
    for version in VERSIONS {
        for requires in [true, false] {
            let row = format!("{version:?}, required: {requires}");
            let server = server(&authority, version, requires);
            let credential = Credential::from_identity(&identity);
            let credential = credential.with_persistence(Persistence::None).unwrap();
            let names = Arc::new(Mutex::new(Vec::new()));
            let delegate = Deciding::by({
                let names = names.clone();
                move |challenge| {
                    let space = challenge.protection_space();
                    names.lock().unwrap().extend_from_slice(space.distinguished_names());
                    Some(accept_or(challenge, &credential))
                }
            });
            let session = asking(trusting(&authority), &delegate);
            let url = server.url_with_host("localhost", "/");
            assert_eq!(session.data(&url).unwrap().text(), "secret", "{row}");
            assert_eq!(seen(&server), shown(&identity), "{row}");
            assert_eq!(delegate.take_asked(), [about_server(None), about_client()], "{row}");
            // The second carries the certificate.
            assert_eq!(server.connection_count(), 2, "{row}");
            let names = std::mem::take(&mut *names.lock().unwrap());
            assert_eq!(names.len(), 1, "{row}");
            assert!(
                holds(authority.certificate_der(), names[0].as_der()),
                "{row}: the authority's name"
            );

            session.data(&url).unwrap();
            assert_eq!(delegate.take_asked(), [], "{row}: the connection is kept");
            assert_eq!(server.connection_count(), 2, "{row}");
            nothing_is_left(session, &[&server]);
        }
    }
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    !part.is_empty() && bytes.windows(part.len()).any(|window| window == part)
}

#[test]
fn without_an_identity_only_a_server_that_does_not_insist_answers() {
    let authority = Authority::new();
    let required = Err(ErrorKind::ClientCertificateRequired);
    for version in VERSIONS {
        for (requires, expected) in [(false, Ok(())), (true, required)] {
            for (name, answer, expected) in [
                ("none", None, expected),
                ("default", Some(Disposition::PerformDefaultHandling), expected),
                ("rejects", Some(Disposition::RejectProtectionSpace), expected),
                ("cancels", Some(Disposition::Cancel), Err(ErrorKind::Cancelled)),
                (
                    "a password",
                    Some(Disposition::UseCredential(Credential::new("ann", "pw"))),
                    Err(ErrorKind::InvalidRequest),
                ),
            ] {
                let row = format!("{version:?}, required: {requires}, {name}");
                let server = server(&authority, version, requires);
                let delegate = Deciding::by(move |challenge| {
                    let is_about_server = challenge.protection_space().server_trust().is_some();
                    if is_about_server { Some(accept(challenge)) } else { answer.clone() }
                });
                let session = asking(trusting(&authority), &delegate);
                let loaded = session.data(server.url_with_host("localhost", "/"));
                let kind = loaded.map(drop).map_err(|error| error.kind());
                assert_eq!(kind, expected, "{row}");
                assert_eq!(delegate.take_asked()[..2], [about_server(None), about_client()]);
                assert_eq!(server.connection_count(), 1, "{row}");
                if expected.is_ok() {
                    assert!(seen(&server).is_empty(), "{row}");
                }
                nothing_is_left(session, &[&server]);
            }
        }
    }
}

#[test]
fn an_identity_of_the_storage_is_shown_at_once_if_nobody_is_asked() {
    let authority = Authority::new();
    let identity = client(&authority, "ann");
    for version in VERSIONS {
        for requires in [true, false] {
            let row = format!("{version:?}, required: {requires}");
            let server = server(&authority, version, requires);
            let url = server.url_with_host("localhost", "/");
            let session = Session::new(storing(&authority, &server, &identity)).unwrap();
            session.data(&url).unwrap();
            assert_eq!(seen(&server), shown(&identity), "{row}");
            session.data(&url).unwrap();
            assert_eq!(server.connection_count(), 1, "{row}");
            nothing_is_left(session, &[&server]);
        }
    }
}

#[test]
fn an_identity_of_the_storage_waits_for_the_decision_about_the_server() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let identity = client(&authority, "ann");
    let server = server(&authority, ServedVersion::Tls13, true);
    let url = server.url_with_host("localhost", "/");
    let delegate = Deciding::accepting();
    let session = asking(storing(&authority, &server, &identity), &delegate);
    session.data(&url).unwrap();
    assert_eq!(seen(&server), shown(&identity));
    assert_eq!(delegate.take_asked(), [about_server(None)]);
    assert_eq!(server.connection_count(), 2);

    // Nor does a server see it whose certificate is bad, or is refused.
    for (trusted, delegate) in [
        (&stranger, Deciding::by(|_| None)),
        (&authority, Deciding::always(Disposition::RejectProtectionSpace)),
    ] {
        let mut configuration = storing(&authority, &server, &identity);
        configuration.additional_roots = trusting(trusted).additional_roots;
        let before = server.stats().handshakes;
        asking(configuration, &delegate).data(&url).unwrap_err();
        // A refused server has finished a handshake in which no certificate was shown: it
        // requires one, so it never counts as complete.
        assert_eq!(server.stats().handshakes, before);
        assert_eq!(server.request_count(), 1);
    }
    let mut configuration = storing(&authority, &server, &identity);
    configuration.additional_roots = trusting(&stranger).additional_roots;
    let error = Session::new(configuration).unwrap().data(&url).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ServerCertificateHasUnknownRoot);
    assert_eq!(server.request_count(), 1);
}

#[test]
fn an_identity_that_a_server_has_taken_is_stored_as_its_persistence_says() {
    let authority = Authority::new();
    let identity = client(&authority, "ann");
    for (persistence, stored) in [(Persistence::ForSession, true), (Persistence::None, false)] {
        let server = server(&authority, ServedVersion::Tls13, true);
        let credential = Credential::from_identity(&identity);
        let credential = credential.with_persistence(persistence).unwrap();
        let delegate = Deciding::showing(credential.clone());
        let configuration = trusting(&authority);
        let storage = configuration.credential_storage.clone().unwrap();
        let session = asking(configuration, &delegate);
        let url = server.url_with_host("localhost", "/");
        session.data(&url).unwrap();
        let expected = stored.then_some(credential);
        assert_eq!(storage.default_credential(&space(&server)), expected);
        delegate.take_asked();
        // The next one takes another connection.
        session.flush();
        session.data(&url).unwrap();
        let mut asked = vec![about_server(None)];
        asked.extend((!stored).then_some(about_client()));
        assert_eq!(delegate.take_asked(), asked, "{persistence:?}");
    }
}

#[test]
fn an_identity_that_is_answered_by_a_refusal_is_not_stored() {
    let authority = Authority::new();
    let identity = client(&authority, "ann");
    let server = server(&authority, ServedVersion::Tls13, true);
    let delegate = Deciding::showing(Credential::from_identity(&identity));
    let configuration = trusting(&authority);
    let storage = configuration.credential_storage.clone().unwrap();
    let session = asking(configuration, &delegate);
    for (status, stored) in [(400, false), (403, false), (500, false), (204, true)] {
        server.handle(move |_| Answer::status(status));
        session.data(server.url_with_host("localhost", "/")).unwrap();
        let found = storage.default_credential(&space(&server)).is_some();
        assert_eq!(found, stored, "{status}");
    }
}

#[test]
fn an_identity_that_a_server_refuses_is_an_error_and_is_not_stored() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let wrong = client(&stranger, "ann");
    for version in VERSIONS {
        let server = server(&authority, version, true);
        let delegate = Deciding::showing(Credential::from_identity(&wrong));
        let configuration = trusting(&authority);
        let storage = configuration.credential_storage.clone().unwrap();
        let session = asking(configuration, &delegate);
        let error = session.data(server.url_with_host("localhost", "/")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ClientCertificateRejected, "{version:?}: {error:?}");
        assert!(storage.all_credentials().is_empty(), "{version:?}");
        assert_eq!(server.connection_count(), 2, "{version:?}");
        assert_eq!(server.request_count(), 0, "{version:?}");
        nothing_is_left(session, &[&server]);
    }
}

#[test]
fn a_server_that_was_accepted_against_its_evaluation_gets_the_certificate_too() {
    let (mine, theirs) = (Authority::new(), Authority::new());
    let identity = client(&theirs, "ann");
    for version in VERSIONS {
        let server = server(&theirs, version, true);
        let delegate = Deciding::showing(Credential::from_identity(&identity));
        let session = asking(trusting(&mine), &delegate);
        session.data(server.url_with_host("localhost", "/")).unwrap();
        assert_eq!(seen(&server), shown(&identity), "{version:?}");
        let unknown = Some(ErrorKind::ServerCertificateHasUnknownRoot);
        assert_eq!(delegate.take_asked(), [about_server(unknown), about_client()], "{version:?}");
        assert_eq!(server.connection_count(), 3, "{version:?}");
    }
}

#[test]
fn cancelling_ends_the_question_about_the_certificate() {
    let authority = Authority::new();
    let server = server(&authority, ServedVersion::Tls13, true);
    let (asks, asked) = std::sync::mpsc::channel();
    let delegate = Deciding::with_reply(move |challenge, reply| match accept(challenge) {
        Disposition::PerformDefaultHandling => asks.send(reply).unwrap(),
        accepted => reply.answer(accepted),
    });
    let session = asking(trusting(&authority), &delegate);
    let token = CancelToken::new();
    let request = Request::get(server.url_with_host("localhost", "/")).cancel_token(&token);
    let loading = crate::support::running::Running::start({
        let session = session.clone();
        move || session.data(request)
    });
    let reply = asked.recv_timeout(HANG).unwrap();
    token.cancel();
    let error = loading.outcome().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert_eq!(error.stage(), Some(Stage::Securing));
    reply.answer(Disposition::PerformDefaultHandling);
    nothing_is_left(session, &[&server]);
}

#[test]
fn an_identity_is_stored_for_its_own_space_only() {
    let authority = Authority::new();
    let identity = client(&authority, "ann");
    let (one, other) = (
        server(&authority, ServedVersion::Tls13, false),
        server(&authority, ServedVersion::Tls13, false),
    );
    let session = Session::new(storing(&authority, &one, &identity)).unwrap();
    session.data(one.url_with_host("localhost", "/")).unwrap();
    session.data(other.url_with_host("localhost", "/")).unwrap();
    assert_eq!(seen(&one), shown(&identity));
    assert!(seen(&other).is_empty());
    assert!(CredentialStorage::shared().all_credentials().is_empty());
}
