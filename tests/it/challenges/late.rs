//! Answers that come later, from elsewhere, or not at all.

use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;

use urlsession::testing::{Answer, Server};
use urlsession::{
    Challenge, Configuration, Credential, Delegate, DeliveryQueue, Disposition, ErrorKind, Reply,
    Session, Task,
};

use crate::support::asked::{authorizations, guarded, storing};
use crate::support::running::{HANG, Running, nothing_is_left};

/// Gives every reply away.
struct Holding(Mutex<Sender<Reply<Disposition>>>);

impl Delegate for Holding {
    fn did_receive_challenge(&self, _: &Task, _: &Challenge, reply: Reply<Disposition>) {
        self.0.lock().unwrap().send(reply).unwrap();
    }
}

fn use_it() -> Disposition {
    Disposition::UseCredential(Credential::new("ann", "pw"))
}

/// A session with one place for tasks whose delegate sends its replies here.
fn one_place() -> (Session, std::sync::mpsc::Receiver<Reply<Disposition>>) {
    let (sender, replies) = channel();
    let mut configuration = Configuration::ephemeral();
    configuration.maximum_concurrent_tasks = 1;
    let holding = Arc::new(Holding(Mutex::new(sender)));
    let session = Session::with_delegate(configuration, holding, DeliveryQueue::serial()).unwrap();
    (session, replies)
}

#[test]
fn a_task_that_waits_for_an_answer_gives_its_place_to_others() {
    let (session, replies) = one_place();
    let (server, open) = (guarded("r", "pw"), Server::start());
    open.handle(|_| Answer::ok("open"));
    let (sender, outcomes) = channel();
    session.data_task_to(server.url("/"), &sender).resume();
    let reply = replies.recv_timeout(HANG).unwrap();
    session.data_task_to(open.url("/"), &sender).resume();
    assert_eq!(outcomes.recv_timeout(HANG).unwrap().outcome.unwrap().text(), "open");
    thread::spawn(move || reply.answer(use_it())).join().unwrap();
    assert_eq!(outcomes.recv_timeout(HANG).unwrap().outcome.unwrap().text(), "in");
    nothing_is_left(session, &[&server, &open]);
}

#[test]
fn cancelling_wakes_a_task_that_waits_for_an_answer() {
    let (session, replies) = one_place();
    let server = guarded("r", "pw");
    let (sender, outcomes) = channel();
    let task = session.data_task_to(server.url("/"), &sender);
    task.resume();
    let reply = replies.recv_timeout(HANG).unwrap();
    task.cancel();
    let error = outcomes.recv_timeout(HANG).unwrap().outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    // An answer that comes after the end is dropped.
    reply.answer(use_it());
    assert_eq!(authorizations(&server), [None]);
    drop(task);
    nothing_is_left(session, &[&server]);
}

#[test]
fn a_blocking_call_waits_for_an_answer_from_another_thread() {
    let (session, replies) = one_place();
    let server = guarded("r", "pw");
    let (calling, url) = (session.clone(), server.url("/"));
    let running = Running::start(move || calling.data(url).unwrap().text().into_owned());
    let reply = replies.recv_timeout(HANG).unwrap();
    assert!(running.is_running());
    reply.answer(use_it());
    assert_eq!(running.outcome(), "in");
    nothing_is_left(session, &[&server]);
}

#[test]
fn an_answer_may_come_when_the_server_has_closed_the_connection() {
    let (session, replies) = one_place();
    let server = guarded("r", "pw");
    let (sender, outcomes) = channel();
    session.data_task_to(server.url("/"), &sender).resume();
    let reply = replies.recv_timeout(HANG).unwrap();
    server.close_idle_connections();
    server.wait_until(|stats| stats.open_connections == 0);
    reply.answer(use_it());
    assert_eq!(outcomes.recv_timeout(HANG).unwrap().outcome.unwrap().text(), "in");
    assert_eq!(server.connection_count(), 2);
}

/// Panics with the reply in hand.
struct Panicking;

impl Delegate for Panicking {
    fn did_receive_challenge(&self, _: &Task, _: &Challenge, reply: Reply<Disposition>) {
        let _held = reply;
        panic!("on purpose");
    }
}

#[test]
fn a_delegate_that_panics_with_its_reply_refuses() {
    let server = guarded("r", "pw");
    let mut configuration = Configuration::ephemeral();
    let (known, _) = storing(&server, "r", "ann", "pw");
    // What default handling would use is not used.
    configuration.credential_storage = known.credential_storage;
    let session =
        Session::with_delegate(configuration, Arc::new(Panicking), DeliveryQueue::serial())
            .unwrap();
    let (sender, outcomes) = channel();
    session.data_task_to(server.url("/"), &sender).resume();
    let error = outcomes.recv_timeout(HANG).unwrap().outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DelegatePanicked);
    let error = session.data(server.url("/")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DelegatePanicked);
    assert_eq!(authorizations(&server), [None, None]);
}

#[test]
fn a_question_that_a_queue_drops_fails_the_task() {
    let server = guarded("r", "pw");
    let (configuration, _) = storing(&server, "r", "ann", "pw");
    let session =
        Session::with_delegate(configuration, Arc::new(Panicking), DeliveryQueue::custom(drop))
            .unwrap();
    // A task that reports to a channel has nothing else to call.
    let (sender, outcomes) = channel();
    session.data_task_to(server.url("/"), &sender).resume();
    let error = outcomes.recv_timeout(HANG).unwrap().outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DelegatePanicked);
    assert!(error.to_string().contains("queue"), "{error}");
    assert_eq!(authorizations(&server), [None]);
}
