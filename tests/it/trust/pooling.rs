//! Who may use a connection about which somebody has decided.

use std::sync::Arc;

use urlsession::testing::{Answer, Authority, Server};
use urlsession::{
    AuthenticationMethod, Credential, Delegate, ErrorKind, Persistence, ProtectionSpace, Session,
};

use crate::support::deciding::{Deciding, HERE, client, trusting};
use crate::support::running::nothing_is_left;

/// Loads with the delegate, if any; returns how many connections the server has seen.
fn load(session: &Session, server: &Server, delegate: Option<&Arc<Deciding>>) -> u64 {
    let task = session.data_task(server.url_with_host("localhost", "/"));
    if let Some(delegate) = delegate {
        task.set_delegate(delegate.clone() as Arc<dyn Delegate>).unwrap();
    }
    task.run().unwrap();
    server.connection_count()
}

#[test]
fn what_one_delegate_has_accepted_no_other_task_uses() {
    let (mine, stranger) = (Authority::new(), Authority::new());
    let server = Server::start_tls(&stranger.identity(HERE));
    server.handle(|_| Answer::ok("secret"));
    let session = Session::new(trusting(&mine)).unwrap();
    let (ann, bob) = (Deciding::accepting(), Deciding::accepting());
    // Each takes a handshake that fails and one that does not.
    assert_eq!(load(&session, &server, Some(&ann)), 2);
    assert_eq!(load(&session, &server, Some(&ann)), 2);
    assert_eq!(load(&session, &server, Some(&bob)), 4);
    // The connections of both are idle, in this order; each finds its own.
    assert_eq!(load(&session, &server, Some(&ann)), 4);
    assert_eq!(load(&session, &server, Some(&bob)), 4);
    assert_eq!(load(&session, &server, Some(&ann)), 4);
    let before = server.request_count();
    let error = session.data(server.url_with_host("localhost", "/")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ServerCertificateHasUnknownRoot);
    assert_eq!(server.request_count(), before);
    assert_eq!((ann.take_asked().len(), bob.take_asked().len()), (1, 1));
    nothing_is_left(session, &[&server]);
}

#[test]
fn what_the_evaluation_has_accepted_everybody_uses() {
    let authority = Authority::new();
    let server = Server::start_tls(&authority.identity(HERE));
    server.handle(|_| Answer::ok("secret"));
    let session = Session::new(trusting(&authority)).unwrap();
    let (ann, bob) = (Deciding::accepting(), Deciding::by(|_| None));
    for delegate in [Some(&ann), Some(&bob), None, Some(&ann)] {
        assert_eq!(load(&session, &server, delegate), 1);
    }
}

#[test]
fn an_identity_that_a_delegate_shows_is_for_its_own_tasks() {
    let authority = Authority::new();
    let builder = Server::builder().tls(&authority.identity(HERE));
    let server = builder.ask_for_client_certificate(&authority).start();
    server.handle(|_| Answer::ok("secret"));
    let showing = |name: &str| {
        let identity = client(&authority, name);
        let credential = Credential::from_identity(&identity);
        let der = identity.certificates()[0].as_der().to_vec();
        (Deciding::showing(credential.with_persistence(Persistence::None).unwrap()), der)
    };
    let session = Session::new(trusting(&authority)).unwrap();
    let ((ann, anns), (bob, bobs)) = (showing("ann"), showing("bob"));
    let seen = || server.take_request().client_certificates().first().cloned();
    for (delegate, connections, expected) in [
        (Some(&ann), 2, Some(&anns)),
        (Some(&bob), 4, Some(&bobs)),
        (None, 5, None),
        (Some(&bob), 5, Some(&bobs)),
        (Some(&ann), 5, Some(&anns)),
        (None, 5, None),
    ] {
        assert_eq!(load(&session, &server, delegate), connections);
        assert_eq!(seen().as_ref(), expected);
    }
}

#[test]
fn an_identity_that_a_delegate_gave_to_the_storage_is_shown_by_others_on_their_own_connection() {
    let authority = Authority::new();
    let builder = Server::builder().tls(&authority.identity(HERE));
    let server = builder.ask_for_client_certificate(&authority).start();
    server.handle(|_| Answer::ok("secret"));
    let session = Session::new(trusting(&authority)).unwrap();
    let ann = Deciding::showing(Credential::from_identity(&client(&authority, "ann")));
    let seen = || server.take_request().client_certificates().len();
    for (delegate, connections) in [(Some(&ann), 2), (None, 3), (None, 3), (Some(&ann), 3)] {
        assert_eq!((load(&session, &server, delegate), seen()), (connections, 1));
    }
}

#[test]
fn an_identity_that_is_stored_or_removed_means_another_connection() {
    let authority = Authority::new();
    let builder = Server::builder().tls(&authority.identity(HERE));
    let server = builder.ask_for_client_certificate(&authority).start();
    server.handle(|_| Answer::ok("secret"));
    let configuration = trusting(&authority);
    let storage = configuration.credential_storage.clone().unwrap();
    let method = AuthenticationMethod::ClientCertificate;
    let space = ProtectionSpace::new("localhost", server.port(), "https", method);
    let (ann, bob) = (client(&authority, "ann"), client(&authority, "bob"));
    let session = Session::new(configuration).unwrap();
    let seen = || server.take_request().client_certificates().len();
    assert_eq!((load(&session, &server, None), seen()), (1, 0));
    storage.set(&Credential::from_identity(&ann), &space);
    assert_eq!((load(&session, &server, None), seen()), (2, 1));
    assert_eq!((load(&session, &server, None), seen()), (2, 1));
    storage.set_default(&Credential::from_identity(&bob), &space);
    assert_eq!((load(&session, &server, None), seen()), (3, 1));
    storage.remove_all();
    // The first one is still there.
    assert_eq!((load(&session, &server, None), seen()), (3, 0));
}

#[test]
fn to_a_server_that_asks_for_none_a_stored_identity_changes_nothing() {
    let authority = Authority::new();
    let server = Server::start_tls(&authority.identity(HERE));
    server.handle(|_| Answer::ok("secret"));
    let configuration = trusting(&authority);
    let storage = configuration.credential_storage.clone().unwrap();
    let method = AuthenticationMethod::ClientCertificate;
    let space = ProtectionSpace::new("localhost", server.port(), "https", method);
    let session = Session::new(configuration).unwrap();
    assert_eq!(load(&session, &server, None), 1);
    storage.set(&Credential::from_identity(&client(&authority, "ann")), &space);
    assert_eq!(load(&session, &server, None), 1);
}
