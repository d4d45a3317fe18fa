//! A task's own delegate has a say about the server also where a connection is there already.

use std::sync::Arc;

use urlsession::testing::{Answer, Authority, Server};
use urlsession::{Data, Delegate, Disposition, Error, ErrorKind, Session, Stage};

use crate::support::deciding::{Asked, Deciding, HERE, about_server, asking, trusting};
use crate::support::running::nothing_is_left;

/// A server that everybody has reason to trust.
fn answering(authority: &Authority) -> Server {
    let server = Server::start_tls(&authority.identity(HERE));
    server.handle(|_| Answer::ok("secret"));
    server
}

fn load(
    session: &Session,
    server: &Server,
    delegate: Option<Arc<dyn Delegate>>,
) -> Result<Data, Error> {
    let task = session.data_task(server.url_with_host("localhost", "/"));
    if let Some(delegate) = delegate {
        task.set_delegate(delegate).unwrap();
    }
    task.run()
}

/// What a task's delegate is asked about the server.
fn of_task() -> Asked {
    Asked { of_session: false, ..about_server(None) }
}

#[test]
fn a_delegate_that_refuses_the_server_is_asked_before_a_connection_of_others_is_used() {
    let authority = Authority::new();
    let server = answering(&authority);
    let session = Session::new(trusting(&authority)).unwrap();
    load(&session, &server, None).unwrap();
    for (disposition, kind) in [
        (Disposition::RejectProtectionSpace, ErrorKind::ServerCertificateUntrusted),
        (Disposition::Cancel, ErrorKind::Cancelled),
    ] {
        let delegate = Deciding::always(disposition);
        let error = load(&session, &server, Some(delegate.clone())).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert_eq!(error.stage(), Some(Stage::Securing), "{error}");
        assert_eq!(delegate.take_asked(), [of_task()]);
    }
    assert_eq!(server.request_count(), 1);
    // The others have no reason to leave it.
    load(&session, &server, None).unwrap();
    assert_eq!(server.connection_count(), 1);
    nothing_is_left(session, &[&server]);
}

#[test]
fn one_that_does_not_refuse_is_asked_once_for_each_connection() {
    let authority = Authority::new();
    let server = answering(&authority);
    let session = Session::new(trusting(&authority)).unwrap();
    load(&session, &server, None).unwrap();
    for delegate in [Deciding::accepting(), Deciding::by(|_| None)] {
        for questions in [1, 0, 0] {
            load(&session, &server, Some(delegate.clone())).unwrap();
            assert_eq!(delegate.take_asked(), vec![of_task(); questions]);
        }
    }
    assert_eq!(server.connection_count(), 1);
    nothing_is_left(session, &[&server]);
}

#[test]
fn what_the_sessions_delegate_has_answered_is_not_asked_of_tasks() {
    let authority = Authority::new();
    for answers in [true, false] {
        let server = answering(&authority);
        let of_session =
            Deciding::by(move |_| answers.then_some(Disposition::PerformDefaultHandling));
        let session = asking(trusting(&authority), &of_session);
        load(&session, &server, None).unwrap();
        of_session.take_asked();
        let refusing = Deciding::always(Disposition::RejectProtectionSpace);
        let loaded = load(&session, &server, Some(refusing.clone()));
        assert_eq!(loaded.is_ok(), answers, "{loaded:?}");
        assert_eq!(refusing.take_asked().len(), usize::from(!answers));
        assert!(of_session.take_asked().is_empty());
        load(&session, &server, None).unwrap();
        assert_eq!(server.connection_count(), 1);
        nothing_is_left(session, &[&server]);
    }
}

/// Has nothing to say about challenges.
struct Silent;
impl Delegate for Silent {}

#[test]
fn delegates_without_the_method_share_the_connection_with_all() {
    let authority = Authority::new();
    let server = answering(&authority);
    let session = Session::new(trusting(&authority)).unwrap();
    for _ in 0..3 {
        load(&session, &server, None).unwrap();
        load(&session, &server, Some(Arc::new(Silent))).unwrap();
    }
    assert_eq!(server.connection_count(), 1);
    nothing_is_left(session, &[&server]);
}
