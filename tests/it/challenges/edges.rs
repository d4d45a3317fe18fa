//! Challenges at bad moments, and servers that mean no good.

use std::io;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};

use urlsession::testing::{Answer, Server};
use urlsession::{
    Body, Challenge, Configuration, CredentialStorage, Delegate, DeliveryQueue, Disposition,
    ErrorKind, Reply, Request, Session, Task,
};

use crate::support::asked::{Asked, authorizations, basic, guard, guarded, unauthorized};
use crate::support::running::{HANG, nothing_is_left};

type Held = (Session, Receiver<Reply<Disposition>>);

/// A session whose delegate sends its replies here.
fn holding() -> Held {
    struct Holding(Mutex<std::sync::mpsc::Sender<Reply<Disposition>>>);
    impl Delegate for Holding {
        fn did_receive_challenge(&self, _: &Task, _: &Challenge, reply: Reply<Disposition>) {
            self.0.lock().unwrap().send(reply).unwrap();
        }
    }
    let (sender, replies) = channel();
    let holding = Arc::new(Holding(Mutex::new(sender)));
    let configuration = Configuration::ephemeral();
    let session = Session::with_delegate(configuration, holding, DeliveryQueue::serial()).unwrap();
    (session, replies)
}

fn use_it() -> Disposition {
    Disposition::UseCredential(urlsession::Credential::new("ann", "pw"))
}

#[test]
fn a_session_may_end_or_be_reset_while_a_task_is_asked() {
    type End = fn(&Session);
    let ends: [(&str, End, bool); 3] = [
        ("finish", Session::finish_tasks_and_invalidate, true),
        ("cancel", Session::invalidate_and_cancel, false),
        ("reset", Session::reset, true),
    ];
    for (name, end, succeeds) in ends {
        let (session, replies) = holding();
        let server = guarded("r", "pw");
        let (sender, outcomes) = channel();
        session.data_task_to(server.url("/"), &sender).resume();
        let reply = replies.recv_timeout(HANG).unwrap();
        end(&session);
        if succeeds {
            reply.answer(use_it());
            let outcome = outcomes.recv_timeout(HANG).unwrap().outcome;
            assert_eq!(outcome.unwrap().text(), "in", "{name}");
        } else {
            let outcome = outcomes.recv_timeout(HANG).unwrap().outcome;
            assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Cancelled, "{name}");
            drop(reply);
        }
        nothing_is_left(session, &[&server]);
    }
}

#[test]
fn a_head_is_asked_and_answered_on_one_connection() {
    let server = guarded("r", "pw");
    let data = Asked::giving("ann", "pw").session().data(Request::head(server.url("/"))).unwrap();
    assert_eq!((data.response.status().as_u16(), data.body.len()), (200, 0));
    assert_eq!((server.request_count(), server.connection_count()), (2, 1));
}

#[test]
fn a_body_that_waits_for_leave_is_sent_when_it_is_let_in() {
    let server = guarded("r", "pw");
    server.handle_head(|request| {
        let refused = || unauthorized(&["Basic realm=r"]).respond_before_body();
        request.header("authorization").is_none().then(refused)
    });
    let request = Request::post(server.url("/")).header("Expect", "100-continue").body("body");
    assert_eq!(Asked::giving("ann", "pw").session().data(request).unwrap().text(), "in");
    // The one that was refused may be noted last: when its connection is closed.
    let mut requests = [server.take_request(), server.take_request()];
    requests.sort_by_key(|request| request.connection());
    assert_eq!(requests.map(|request| request.body_text().to_owned()), ["", "body"]);
}

#[test]
fn an_upload_that_is_asked_before_its_end_begins_anew() {
    let server = guarded("r", "pw");
    server.handle_head(|request| {
        let refused = || unauthorized(&["Basic realm=r"]).respond_before_body();
        request.header("authorization").is_none().then(refused)
    });
    let size = 5_000_000;
    for body in [
        Body::from(vec![b'x'; size]),
        Body::opened_by(move || Ok(io::Read::take(io::repeat(b'x'), size as u64))),
    ] {
        let asked = Asked::giving("ann", "pw");
        let request = Request::post(server.url("/")).body(body);
        assert_eq!(asked.session().data(request).unwrap().text(), "in");
        let _early = server.take_request();
        assert_eq!(server.take_request().body_length(), size as u64);
    }
}

#[test]
fn a_401_without_an_end_is_answered() {
    let server = Server::start();
    let guard = guard("r", "pw");
    server.handle(move |request| match request.header("authorization") {
        None => unauthorized(&["Basic realm=r"]).endless_body("x"),
        Some(_) => guard(request),
    });
    let session = Asked::giving("ann", "pw").session();
    assert_eq!(session.data(server.url("/")).unwrap().text(), "in");
    nothing_is_left(session, &[&server]);
}

#[test]
fn an_observer_of_the_storage_may_load_something() {
    let server = guarded("r", "pw");
    let open = Server::start();
    open.handle(|_| Answer::ok("open"));
    let mut configuration = Configuration::ephemeral();
    let storage = CredentialStorage::new();
    configuration.credential_storage = Some(storage.clone());
    configuration.maximum_concurrent_tasks = 1;
    let session = Asked::giving("ann", "pw").session_with(configuration);
    let (calling, url, texts) = (session.clone(), open.url("/"), Arc::new(Mutex::default()));
    let seen: Arc<Mutex<Vec<String>>> = texts.clone();
    let _observer = storage.on_change(move || {
        let text = calling.data(&url).unwrap().text().into_owned();
        seen.lock().unwrap().push(text);
    });
    let (sender, outcomes) = channel();
    session.data_task_to(server.url("/"), &sender).resume();
    assert_eq!(outcomes.recv_timeout(HANG).unwrap().outcome.unwrap().text(), "in");
    assert_eq!(*texts.lock().unwrap(), ["open"]);
}

#[test]
fn what_a_task_is_refused_for_is_not_what_it_is_known_for() {
    // A gateway that wants to know who passes has not looked at what is for the server.
    let server = Server::start();
    server.handle(|request| match request.header("authorization") {
        None => unauthorized(&["Basic realm=r"]),
        Some(_) => Answer::status(407).body("proxy"),
    });
    let mut configuration = Configuration::ephemeral();
    let storage = CredentialStorage::new();
    configuration.credential_storage = Some(storage.clone());
    let session = Asked::giving("ann", "pw").session_with(configuration);
    assert_eq!(session.data(server.url("/")).unwrap().text(), "proxy");
    assert!(storage.all_credentials().is_empty());
    assert_eq!(authorizations(&server), [None, Some(basic("ann", "pw"))]);
}

#[cfg(feature = "digest")]
mod digest {
    use urlsession::Clock;

    use super::*;
    use crate::support::digest_server::Digest;
    use crate::support::running::Running;

    #[test]
    fn a_body_without_an_end_that_is_to_be_signed_ends_by_a_cancel_and_by_its_timer() {
        let digest = Digest::new(Some("SHA-256"), Some("auth-int"));
        let server = digest.serve(|_, _| Answer::ok("in"));
        for (expected, is_cancelled) in [(ErrorKind::Cancelled, true), (ErrorKind::TimedOut, false)]
        {
            let (mut configuration, clock) = (Configuration::ephemeral(), Clock::by_hand());
            configuration.clock = clock.clone();
            configuration.timeout_for_resource = std::time::Duration::from_secs(100);
            let session = Asked::giving("ann", "pw").session_with(configuration);
            session.data(server.url("/")).unwrap();
            let (opened, is_opened) = channel();
            let body = Body::opened_by(move || {
                opened.send(()).unwrap();
                Ok(io::repeat(b'x'))
            });
            let task = session.data_task(Request::post(server.url("/")).body(body));
            let running = {
                let task = task.clone();
                Running::start(move || task.run().map(drop))
            };
            is_opened.recv_timeout(HANG).unwrap();
            if is_cancelled {
                task.cancel();
            } else {
                clock.advance(std::time::Duration::from_secs(101));
            }
            assert_eq!(running.outcome().unwrap_err().kind(), expected);
        }
    }

    #[test]
    fn a_task_that_is_suspended_while_it_hashes_gives_its_place_to_others() {
        let digest = Digest::new(Some("SHA-256"), Some("auth-int"));
        let server = digest.serve(|_, _| Answer::ok("in"));
        let mut configuration = Configuration::ephemeral();
        configuration.maximum_connections_per_host = Some(1);
        let session = Asked::giving("ann", "pw").session_with(configuration);
        session.data(server.url("/")).unwrap();
        let (opened, is_opened) = channel();
        let body = Body::opened_by(move || {
            opened.send(()).unwrap();
            Ok(io::repeat(b'x'))
        });
        let task = session.data_task(Request::post(server.url("/")).body(body));
        task.resume();
        is_opened.recv_timeout(HANG).unwrap();
        let (sender, outcomes) = channel();
        session.data_task_to(server.url("/"), &sender).resume();
        task.suspend();
        assert_eq!(outcomes.recv_timeout(HANG).unwrap().outcome.unwrap().text(), "in");
        task.cancel();
        assert!(session.wait_until_idle(HANG));
    }

    #[test]
    fn a_body_that_can_be_read_once_is_not_signed_for_a_new_nonce_either() {
        let server = Server::start();
        server.handle(|request| {
            let sent = request.header("authorization").unwrap_or_default();
            if request.path() == "/first" && sent.contains("nonce=\"n1\"") {
                return Answer::ok("in");
            }
            let (nonce, qop) = if sent.is_empty() { ("n1", "auth") } else { ("n2", "auth-int") };
            let field = format!("Digest realm=r, nonce={nonce}, qop={qop}, stale=true");
            unauthorized(&[&field])
        });
        let asked = Asked::giving("ann", "pw");
        *asked.body.lock().unwrap() = Some(Body::reader(&b"again"[..]));
        let session = asked.session();
        assert_eq!(session.data(server.url("/first")).unwrap().text(), "in");
        let request = Request::post(server.url("/")).body(Body::reader(&b"once"[..]));
        assert_eq!(session.data(request).unwrap().text(), "who?");
        assert_eq!(server.request_count(), 3);
    }

    #[test]
    fn tasks_that_are_asked_at_once_for_one_nonce_share_its_count() {
        let digest = Digest::new(Some("SHA-256"), Some("auth"));
        let server = digest.serve(|_, _| Answer::ok("in"));
        let (asked, session) = {
            let asked = Asked::trying("ann", &["pw"]);
            let session = asked.session();
            (asked, session)
        };
        let (sender, outcomes) = channel();
        for _ in 0..40 {
            session.data_task_to(server.url("/"), &sender).resume();
        }
        drop(sender);
        let texts = outcomes.into_iter().map(|finished| finished.outcome.unwrap().text().into());
        assert_eq!(texts.collect::<Vec<String>>(), vec!["in"; 40]);
        assert!(asked.take_questions().iter().all(|question| question.failures == 0));
        assert_eq!(digest.take_counts().len(), 40);
    }

    #[test]
    fn a_name_goes_out_in_utf_8_where_the_server_says_nothing() {
        let mut digest = Digest::new(None, Some("auth"));
        digest.user = "J\u{e4}s\u{f8}n";
        let server = digest.serve(|_, _| Answer::ok("in"));
        let session = Asked::giving("J\u{e4}s\u{f8}n", "pw").session();
        assert_eq!(session.data(server.url("/")).unwrap().text(), "in");
    }
}
