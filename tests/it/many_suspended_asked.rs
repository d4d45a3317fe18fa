//! Past the tasks that may keep a thread while they are suspended: those that wait for what the
//! program decides keep the question without a thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use urlsession::testing::{Answer, Counters, Recorded, Server};
use urlsession::{
    Body, Challenge, Configuration, Delegate, Disposition, ErrorKind, Reply, Request, Session,
    Task, UploadTask,
};

use crate::support::asked_crowd::{
    AskedCrowd, BASIC, Held, Holding, TASKS, ann, length, with_text,
};
use crate::support::running::{HANG, all_have_left, wait_for};

/// Lets in whoever says who that is.
fn guarded(request: &Recorded) -> Answer {
    match request.header("authorization") {
        Some(_) => Answer::ok(format!("done {}", request.body_length())),
        None => Answer::status(401)
            .header("WWW-Authenticate", "Basic realm=\"r\"")
            .header("WWW-Authenticate", "Basic realm=\"s\"")
            .body("who?"),
    }
}

/// Where tasks are when they are suspended.
struct Scene {
    name: &'static str,
    held: Held,
    /// What the server answers, where the other one is there.
    answer: fn(&Recorded, &str) -> Answer,
    make: fn(&Session, &str) -> UploadTask,
    /// Whether each has a connection then.
    is_connected: bool,
    /// How many requests each task sends to the first server, and to the other one.
    requests: (usize, usize),
    told: &'static str,
}

fn with_reader(session: &Session, url: &str) -> UploadTask {
    session.upload_task(Request::post(url), Body::reader(&b"once"[..]))
}

/// Leads to another path.
fn here(request: &Recorded, _: &str) -> Answer {
    match request.path() {
        "/" => Answer::redirect(307, "/there").body("moved"),
        _ => length(request),
    }
}

/// Leads to the other server.
fn elsewhere(request: &Recorded, other: &str) -> Answer {
    match request.path() {
        "/" => Answer::redirect(307, other).body("moved"),
        _ => length(request),
    }
}

fn scenes() -> impl Iterator<Item = Scene> {
    asked_for_bodies().into_iter().chain(asked_for_decisions())
}

fn asked_for_bodies() -> Vec<Scene> {
    vec![
        Scene {
            name: "a body to begin with",
            held: Held::Body,
            answer: |request, _| length(request),
            make: |session, url| session.streamed_upload_task(Request::post(url)),
            is_connected: false,
            requests: (1, 0),
            told: "done 5",
        },
        Scene {
            name: "a body to send with a credential",
            held: Held::Body,
            answer: |request, _| guarded(request),
            make: with_reader,
            is_connected: true,
            requests: (2, 0),
            told: "done 5",
        },
        Scene {
            name: "a body to send without an expectation",
            held: Held::Body,
            answer: |request, _| match request.header("expect") {
                Some(_) => Answer::status(417).body("no"),
                None => length(request),
            },
            make: |session, url| {
                let request = Request::post(url).header("Expect", "100-continue");
                session.upload_task(request, Body::reader(&b"once"[..]))
            },
            is_connected: true,
            requests: (2, 0),
            told: "done 5",
        },
        Scene {
            name: "a body to send where a redirect leads",
            held: Held::Body,
            answer: elsewhere,
            make: with_reader,
            is_connected: true,
            requests: (1, 1),
            told: "done 5",
        },
    ]
}

fn asked_for_decisions() -> Vec<Scene> {
    vec![
        Scene {
            name: "a credential",
            held: BASIC,
            answer: |request, _| guarded(request),
            make: with_text,
            is_connected: true,
            requests: (2, 0),
            told: "done 4",
        },
        Scene {
            name: "a redirect",
            held: Held::Redirect,
            answer: here,
            make: with_text,
            is_connected: true,
            requests: (2, 0),
            told: "done 4",
        },
        Scene {
            name: "a redirect to another host",
            held: Held::Redirect,
            answer: elsewhere,
            make: with_text,
            is_connected: true,
            requests: (1, 1),
            told: "done 4",
        },
        Scene {
            name: "what becomes of the body",
            held: Held::Response,
            answer: |request, _| length(request),
            make: with_text,
            is_connected: true,
            requests: (1, 0),
            told: "done 4",
        },
    ]
}

/// Has all tasks of a scene wait without a thread, and go on.
fn leave_and_go_on(scene: &Scene) {
    let name = scene.name;
    let (server, other) = (Server::start(), Server::start());
    let (answer, there) = (scene.answer, other.url("/there"));
    server.handle(move |request| answer(request, &there));
    other.handle(length);
    let (delegate, url) = (Holding::new(scene.held, ann), server.url("/"));
    let crowd = AskedCrowd::gather(&delegate, |_| {}, |session| (scene.make)(session, &url));
    crowd.leave();
    assert_eq!(crowd.sockets(), if scene.is_connected { TASKS } else { 0 }, "{name}");
    // Half of the answers come before the tasks go on: nobody needs a thread for that.
    delegate.answer(TASKS / 2);
    crowd.wait_until_left();
    crowd.resume();
    delegate.answer(TASKS - TASKS / 2);
    crowd.end(Ok(scene.told), &[&server, &other]);
    let sent = (server.request_count() as usize, other.request_count() as usize);
    assert_eq!(sent, (scene.requests.0 * TASKS, scene.requests.1 * TASKS), "{name}: each once");
}

#[test]
fn past_the_limit_suspended_tasks_those_that_wait_for_a_reply_leave_their_threads_and_go_on() {
    for scene in scenes() {
        println!("{}", scene.name);
        leave_and_go_on(&scene);
    }
}

#[test]
fn tasks_that_left_while_they_waited_for_a_reply_can_be_cancelled() {
    for scene in scenes() {
        println!("{}", scene.name);
        let (server, other) = (Server::start(), Server::start());
        let (answer, there) = (scene.answer, other.url("/there"));
        server.handle(move |request| answer(request, &there));
        other.handle(length);
        let (delegate, url) = (Holding::new(scene.held, ann), server.url("/"));
        let crowd = AskedCrowd::gather(&delegate, |_| {}, |session| (scene.make)(session, &url));
        crowd.leave();
        crowd.tasks.iter().for_each(|task| task.cancel());
        wait_for("everybody ends", || delegate.ended().len() == TASKS);
        let counters = Counters::of(&crowd.session);
        crowd.session.reset();
        wait_for("the connections are closed", || counters.sockets() == 0);
        // Nobody waits for these any more.
        delegate.answer(TASKS);
        crowd.end(Err(ErrorKind::Cancelled), &[&server, &other]);
    }
}

#[test]
fn invalidation_ends_tasks_that_left_while_they_waited_for_a_reply() {
    let server = Server::start();
    server.handle(guarded);
    let (delegate, url) = (Holding::new(BASIC, ann), server.url("/"));
    let crowd = AskedCrowd::gather(&delegate, |_| {}, |session| with_text(session, &url));
    crowd.leave();
    crowd.session.invalidate_and_cancel();
    wait_for("everybody ends", || delegate.ended().len() == TASKS);
    assert!(crowd.session.wait_until_idle(HANG));
    delegate.answer(TASKS);
    crowd.end(Err(ErrorKind::Cancelled), &[&server]);
}

#[test]
fn no_timer_runs_while_a_question_waits_without_a_thread() {
    let whole = Duration::from_secs(500);
    let server = Server::start();
    server.handle(guarded);
    let (delegate, url) = (Holding::new(BASIC, ann), server.url("/"));
    let change = |configuration: &mut Configuration| configuration.timeout_for_resource = whole;
    let crowd = AskedCrowd::gather(&delegate, change, |session| with_text(session, &url));
    crowd.leave();
    crowd.clock.advance(10 * whole);
    crowd.resume();
    let counters = Counters::of(&crowd.session);
    wait_for("they have threads again", || counters.threads() >= TASKS);
    assert_eq!(delegate.ended(), []);
    crowd.clock.advance(whole);
    wait_for("everybody ends", || delegate.ended().len() == TASKS);
    delegate.answer(TASKS);
    crowd.end(Err(ErrorKind::TimedOut), &[&server]);
    all_have_left(&server);
}

/// A delegate that leaves challenges to others.
#[derive(Default)]
struct Declining(AtomicUsize);

impl Delegate for Declining {
    fn did_receive_challenge(&self, _: &Task, challenge: &Challenge, reply: Reply<Disposition>) {
        self.0.fetch_add(1, Ordering::SeqCst);
        drop((challenge, reply));
    }
}

#[test]
fn whoever_has_declined_is_not_asked_again_when_the_task_goes_on() {
    let server = Server::start();
    server.handle(guarded);
    let (delegate, own) = (Holding::new(BASIC, ann), Arc::new(Declining::default()));
    let url = server.url("/");
    let make = |session: &Session| {
        let task = with_text(session, &url);
        task.set_delegate(own.clone()).unwrap();
        task
    };
    let crowd = AskedCrowd::gather(&delegate, |_| {}, make);
    crowd.leave();
    crowd.resume();
    delegate.answer(TASKS);
    crowd.end(Ok("done 4"), &[&server]);
    assert_eq!(own.0.load(Ordering::SeqCst), TASKS);
    assert_eq!(server.request_count() as usize, 2 * TASKS);
}
