//! Who is told what, by whom a task reports to: the table in the docs of `Delegate`.

use std::collections::BTreeSet;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};

use urlsession::testing::{Answer, Server};
use urlsession::{
    Configuration, Delegate, DeliveryQueue, Error, Progress, Reply, Request, Response,
    ResponseDisposition, Session, Task, UploadTask,
};

use crate::support::running::{HANG, nothing_is_left};

type Told = BTreeSet<&'static str>;

/// Writes down of what it is told.
#[derive(Default)]
struct Hears(Mutex<Told>);

impl Hears {
    fn hear(&self, what: &'static str) {
        self.0.lock().unwrap().insert(what);
    }
}

impl Delegate for Hears {
    fn did_create_task(&self, _: &Task) {
        self.hear("created");
    }

    fn did_send_body_data(&self, _: &Task, _: u64, _: u64, _: Option<u64>) {
        self.hear("sent");
    }

    fn did_receive_response(&self, _: &Task, _: &Response, reply: Reply<ResponseDisposition>) {
        self.hear("response");
        reply.answer(ResponseDisposition::Allow);
    }

    fn did_receive_data(&self, _: &Task, _: Vec<u8>) {
        self.hear("data");
    }

    fn did_make_progress(&self, _: &Task, _: Progress) {
        self.hear("progress");
    }

    fn did_complete(&self, _: &Task, _: Option<&Error>) {
        self.hear("completion");
    }
}

/// A delegate that leaves everything to the next one.
struct Deaf;

impl Delegate for Deaf {}

/// The delegate of the task.
#[derive(Clone, Copy, Debug)]
enum Own {
    None,
    Deaf,
    Hears,
}

/// Makes a task that reports as named.
fn made(session: &Session, reports: &str, url: &str) -> UploadTask {
    let request = Request::put(url);
    match reports {
        "closure" => session.upload_task_with(request, "body", drop),
        "channel" => session.upload_task_to(request, "body", &channel().0),
        _ => session.upload_task(request, "body"),
    }
}

/// Sends a body in a task that reports as named; returns what the session's delegate and the
/// task's own are told.
fn heard(reports: &str, own: Own) -> (Told, Told) {
    let server = Server::start();
    server.enqueue(Answer::ok("taken"));
    let (of_session, of_task) = (Arc::new(Hears::default()), Arc::new(Hears::default()));
    let (configuration, queue) = (Configuration::ephemeral(), DeliveryQueue::serial());
    let session = Session::with_delegate(configuration, of_session.clone(), queue).unwrap();
    let task = made(&session, reports, &server.url("/"));
    match own {
        Own::None => {}
        Own::Deaf => task.set_delegate(Arc::new(Deaf)).unwrap(),
        Own::Hears => task.set_delegate(of_task.clone()).unwrap(),
    }
    match reports {
        "caller" => drop(task.run().unwrap()),
        "updates" => drop(task.updates().collect::<Vec<_>>()),
        _ => drop(task.resume()),
    }
    assert!(session.wait_until_idle(HANG));
    drop(task);
    nothing_is_left(session, &[&server]);
    let take = |hears: &Hears| std::mem::take(&mut *hears.0.lock().unwrap());
    (take(&of_session), take(&of_task))
}

#[test]
fn whom_a_task_reports_to_decides_what_its_delegates_are_told() {
    let all = &["completion", "created", "data", "progress", "response", "sent"][..];
    let (later, sent) =
        (&["completion", "data", "progress", "response", "sent"][..], &["sent"][..]);
    let (created, sent_too, none) = (&["created"][..], &["created", "sent"][..], &[][..]);
    for (reports, own, of_session, of_task) in [
        ("delegates", Own::None, all, none),
        ("delegates", Own::Deaf, all, none),
        ("delegates", Own::Hears, created, later),
        ("closure", Own::None, sent_too, none),
        ("closure", Own::Deaf, sent_too, none),
        ("closure", Own::Hears, created, sent),
        ("channel", Own::None, sent_too, none),
        ("channel", Own::Deaf, sent_too, none),
        ("channel", Own::Hears, created, sent),
        ("updates", Own::None, created, none),
        ("updates", Own::Hears, created, none),
        ("caller", Own::None, sent_too, none),
        ("caller", Own::Deaf, created, none),
        ("caller", Own::Hears, created, later),
    ] {
        let of = |told: &[&'static str]| told.iter().copied().collect::<Told>();
        assert_eq!(heard(reports, own), (of(of_session), of(of_task)), "{reports}, {own:?}");
    }
}
