//! What a delegate decides about a server.

use std::sync::Arc;

use urlsession::testing::{Answer, Authority, Counters, Server};
use urlsession::{Certificate, Credential, Delegate, Disposition, ErrorKind, Session, Stage};

use crate::support::deciding::{
    Asked, Deciding, HERE, about_server, accept, asking, everywhere_is, root, trusting,
};
use crate::support::running::nothing_is_left;

/// A server whose certificate `authority` has made.
fn server(authority: &Authority) -> Server {
    let server = Server::start_tls(&authority.identity(HERE));
    server.handle(|_| Answer::ok("secret"));
    server
}

#[test]
fn each_disposition_does_what_it_says_to_good_and_bad_certificates() {
    use ErrorKind::{
        Cancelled, ServerCertificateHasUnknownRoot as UnknownRoot,
        ServerCertificateUntrusted as Untrusted,
    };

    let (mine, stranger) = (Authority::new(), Authority::new());
    let password = Disposition::UseCredential(Credential::new("ann", "pw"));
    let decisions: [(&str, Arc<Deciding>, _, _); 6] = [
        ("accepts", Deciding::accepting(), Ok(()), Ok(())),
        (
            "default",
            Deciding::always(Disposition::PerformDefaultHandling),
            Ok(()),
            Err(UnknownRoot),
        ),
        ("a password", Deciding::always(password), Ok(()), Err(UnknownRoot)),
        (
            "rejects",
            Deciding::always(Disposition::RejectProtectionSpace),
            Err(Untrusted),
            Err(Untrusted),
        ),
        ("cancels", Deciding::always(Disposition::Cancel), Err(Cancelled), Err(Cancelled)),
        (
            "evaluates by other roots",
            {
                let other = root(&stranger);
                Deciding::by(move |challenge| {
                    let trust = challenge.protection_space().server_trust().unwrap();
                    let good = trust.evaluate_with_roots(std::slice::from_ref(&other)).is_ok();
                    Some(if good { accept(challenge) } else { Disposition::RejectProtectionSpace })
                })
            },
            Err(Untrusted),
            Ok(()),
        ),
    ];
    for (name, delegate, good, bad) in decisions {
        for (authority, expected, error) in
            [(&mine, good, None), (&stranger, bad, Some(UnknownRoot))]
        {
            let row = format!("{name}, {error:?}");
            let server = server(authority);
            let session = asking(trusting(&mine), &delegate);
            let loaded = session.data(server.url_with_host("localhost", "/"));
            match (loaded, expected) {
                (Ok(data), Ok(())) => assert_eq!(data.text(), "secret", "{row}"),
                (Err(failed), Err(kind)) => {
                    assert_eq!(failed.kind(), kind, "{row}: {failed:?}");
                    assert_eq!(failed.stage(), Some(Stage::Securing), "{row}");
                    assert_eq!(server.request_count(), 0, "{row}");
                }
                (loaded, _) => panic!("{row}: {loaded:?}"),
            }
            assert_eq!(delegate.take_asked(), [about_server(error)], "{row}");
            // One that was accepted against its evaluation takes a second handshake.
            let connections = 1 + u64::from(error.is_some() && expected.is_ok());
            assert_eq!(server.connection_count(), connections, "{row}");
            nothing_is_left(session, &[&server]);
        }
    }
}

#[test]
fn a_reply_that_is_dropped_leaves_the_decision_to_the_next_and_then_to_the_evaluation() {
    let authority = Authority::new();
    let server = server(&authority);
    let delegate = Deciding::by(|_| None);
    let session = asking(trusting(&authority), &delegate);
    session.data(server.url_with_host("localhost", "/")).unwrap();
    let of_task = Asked { of_session: false, ..about_server(None) };
    assert_eq!(delegate.take_asked(), [about_server(None), of_task]);
}

#[test]
fn a_delegate_that_panics_opens_nothing() {
    let authority = Authority::new();
    for trusted in [true, false] {
        let server = server(&if trusted { authority.clone() } else { Authority::new() });
        let delegate = Deciding::with_reply(|_, _reply| panic!("a delegate panics on purpose"));
        let session = asking(trusting(&authority), &delegate);
        let task = session.data_task(server.url_with_host("localhost", "/"));
        let error = task.run().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::DelegatePanicked, "{error:?}");
        assert_eq!(server.request_count(), 0);
        drop(task);
        nothing_is_left(session, &[&server]);
    }
}

#[test]
fn a_server_is_asked_about_once_for_each_connection() {
    let authority = Authority::new();
    let server = server(&authority);
    let delegate = Deciding::accepting();
    let session = asking(trusting(&authority), &delegate);
    let url = server.url_with_host("localhost", "/");
    for _ in 0..3 {
        session.data(&url).unwrap();
    }
    assert_eq!(delegate.take_asked(), [about_server(None)]);
    session.reset();
    session.data(&url).unwrap();
    assert_eq!(delegate.take_asked(), [about_server(None)]);
    assert_eq!(server.connection_count(), 2);
}

#[test]
fn the_delegate_of_a_task_decides_where_the_sessions_does_not() {
    let (mine, stranger) = (Authority::new(), Authority::new());
    let server = server(&stranger);
    let of_session = Deciding::by(|_| None);
    let session = asking(trusting(&mine), &of_session);
    let of_task = Deciding::accepting();
    let task = session.data_task(server.url_with_host("localhost", "/"));
    task.set_delegate(of_task.clone() as Arc<dyn Delegate>).unwrap();
    task.run().unwrap();
    let error = Some(ErrorKind::ServerCertificateHasUnknownRoot);
    assert_eq!(of_session.take_asked(), [about_server(error)]);
    assert_eq!(of_task.take_asked(), [Asked { of_session: false, ..about_server(error) }]);

    // Without a session's delegate it is asked alone.
    let session = Session::new(trusting(&mine)).unwrap();
    let task = session.data_task(server.url_with_host("localhost", "/"));
    task.set_delegate(of_task.clone() as Arc<dyn Delegate>).unwrap();
    task.run().unwrap();
    assert_eq!(of_task.take_asked(), [Asked { of_session: false, ..about_server(error) }]);
}

#[test]
fn without_any_root_a_delegate_can_still_accept() {
    let stranger = Authority::new();
    let server = server(&stranger);
    let mut configuration = trusting(&stranger);
    configuration.additional_roots.clear();
    let delegate = Deciding::accepting();
    let session = asking(configuration, &delegate);
    session.data(server.url_with_host("localhost", "/")).unwrap();
    let unknown = Some(ErrorKind::ServerCertificateHasUnknownRoot);
    assert_eq!(delegate.take_asked(), [about_server(unknown)]);
}

#[test]
fn what_was_accepted_is_that_certificate_and_no_other() {
    let mine = Authority::new();
    // Every connection meets another server, each with another bad certificate.
    let servers: Vec<_> = (0..8).map(|_| server(&Authority::new())).collect();
    let mut configuration = trusting(&mine);
    let addresses: Vec<_> = servers.iter().map(Server::address).collect();
    let made = std::sync::atomic::AtomicUsize::new(0);
    configuration.resolver = Some(urlsession::Resolver::new(move |_, _| {
        let made = made.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Ok(vec![addresses[made % addresses.len()]])
    }));
    let delegate = Deciding::accepting();
    let session = asking(configuration, &delegate);
    let counters = Counters::of(&session);
    let error = session.data("https://localhost/").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SecureConnectionFailed, "{error:?}");
    assert!(error.to_string().contains("another certificate on every connection"), "{error}");
    assert!(servers.iter().all(|server| server.request_count() == 0));
    assert_eq!(delegate.take_asked().len(), 6);
    assert_eq!(counters.sockets(), 0);
}

#[test]
fn a_root_to_evaluate_with_has_to_be_a_certificate() {
    let authority = Authority::new();
    let server = server(&authority);
    let delegate = Deciding::by(|challenge| {
        let trust = challenge.protection_space().server_trust().unwrap();
        let error = trust.evaluate_with_roots(&[Certificate::from_der(*b"none")]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ServerCertificateUntrusted);
        let error = trust.evaluate_with_roots(&[]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ServerCertificateHasUnknownRoot);
        Some(Disposition::PerformDefaultHandling)
    });
    let mut configuration = trusting(&authority);
    configuration.resolver = Some(everywhere_is(&server));
    asking(configuration, &delegate).data(server.url_with_host("localhost", "/")).unwrap();
    assert_eq!(delegate.take_asked().len(), 1);
}
