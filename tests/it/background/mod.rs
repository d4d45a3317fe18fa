//! Background sessions, in both hosts.

mod delayed;
mod requests;
mod resume_data;
mod taking;

use std::fs;
use std::ops::Deref;
use std::path::PathBuf;
use std::time::Duration;

#[cfg(all(unix, feature = "daemon"))]
use urlsession::BackgroundDaemon;
use urlsession::testing::{Answer, Event, Recorder, Server};
use urlsession::{
    Body, Clock, Configuration, DeliveryQueue, ErrorKind, Request, RetryPolicy, Session, Task,
    TaskState,
};

#[cfg(all(unix, feature = "daemon"))]
use crate::hosts;
use crate::hosts::{Host, Row};
use crate::support::folder::Folder;
use crate::support::running::HANG;

/// The folder of a test, with the daemon of its sessions, if they have one.
struct Home {
    folder: Folder,
    host: Host,
}

impl Home {
    fn new(row: &Row) -> Self {
        Self { folder: Folder::new(), host: row.host }
    }

    /// Makes one of the host whose clock can be turned.
    fn of_program() -> Self {
        Self { folder: Folder::new(), host: Host::Program }
    }
}

impl Deref for Home {
    type Target = Folder;

    fn deref(&self) -> &Folder {
        &self.folder
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        match self.host {
            Host::Program => {}
            #[cfg(all(unix, feature = "daemon"))]
            Host::Daemon => hosts::stop_daemon(&self.path().join("state")),
        }
    }
}

/// Makes the session "films", whose state and files lie in a folder.
fn open(folder: &Home) -> (Recorder, Session) {
    let recorder = Recorder::new();
    let session = open_with(folder, &recorder).unwrap();
    recorder.wait_for(|events| events.contains(&Event::EventsFinished));
    if recorder.events() == [Event::EventsFinished] {
        drop(recorder.take_events());
    }
    (recorder, session)
}

/// The folder of the session.
fn own_folder(folder: &Home) -> PathBuf {
    folder.path().join("state/tests/background/films")
}

fn journal(folder: &Home) -> String {
    fs::read_to_string(own_folder(folder).join("journal")).unwrap()
}

/// What the session keeps for the program.
fn finished_names(folder: &Home) -> Vec<String> {
    let entries = fs::read_dir(own_folder(folder).join("finished")).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

fn open_with(folder: &Home, recorder: &Recorder) -> Result<Session, urlsession::Error> {
    open_by(folder, recorder, &Clock::system())
}

fn open_by(
    folder: &Home,
    recorder: &Recorder,
    clock: &Clock,
) -> Result<Session, urlsession::Error> {
    let configuration = configuration(folder, recorder).clock(clock.clone());
    Session::with_delegate(configuration, recorder.delegate(), DeliveryQueue::serial())
}

fn configuration(folder: &Home, recorder: &Recorder) -> Configuration {
    recorder.keeps_files(folder.path());
    let retries = RetryPolicy::attempts(100)
        .statuses([408, 425, 429, 500, 502, 503, 504])
        .first_delay(Duration::from_millis(10))
        .growth(1.0);
    let configuration = Configuration::background("films")
        .program("tests")
        .state_directory(folder.path().join("state"))
        .retry_policy(retries);
    #[cfg(all(unix, feature = "daemon"))]
    let configuration = configuration.daemon(match folder.host {
        Host::Program => BackgroundDaemon::Never,
        Host::Daemon => BackgroundDaemon::At(hosts::URLSESSIOND.into()),
    });
    configuration
}

/// Ends a session, as the end of its program would.
fn close(recorder: &Recorder, session: Session) {
    session.finish_tasks_and_invalidate();
    drop(session);
    recorder.wait_for(|events| events.contains(&Event::Invalid));
}

fn told(recorder: &Recorder) -> Vec<Event> {
    recorder.take_events()
}

rows! {
    a_download_comes_to_the_delegate_and_is_forgotten_once_that_has_it,
    an_upload_sends_what_the_file_was_and_tells_the_answer,
    tasks_that_were_never_resumed_or_were_suspended_are_there_again,
    a_suspended_task_keeps_its_session_busy_in_the_run_that_has_suspended_it,
    what_no_later_run_can_go_on_with_is_refused,
    a_closure_and_a_channel_are_told_at_once_that_they_are_not_taken,
    an_answer_that_is_no_file_ends_the_download_and_what_passes_is_waited_for,
}

fn a_download_comes_to_the_delegate_and_is_forgotten_once_that_has_it(row: &Row) {
    let (folder, server) = (Home::new(row), Server::start());
    let (recorder, session) = open(&folder);
    server.enqueue(Answer::ok("the whole film").header("ETag", "\"1\""));
    let task = session.download_task(server.url("/film")).resume();
    assert_eq!(task.id(), 1);
    assert!(session.wait_until_idle(HANG));
    assert_eq!(
        told(&recorder),
        [Event::Created(1), Event::File { id: 1, length: 14 }, Event::done(1)]
    );
    assert_eq!(fs::read(folder.path().join("1")).unwrap(), b"the whole film");
    assert_eq!(task.response().unwrap().header("etag"), Some("\"1\""));
    assert!(session.all_tasks().is_empty());
    close(&recorder, session);

    let (recorder, session) = open(&folder);
    assert!(session.all_tasks().is_empty());
    assert_eq!(session.download_task(server.url("/")).id(), 2);
    close(&recorder, session);
}

fn an_upload_sends_what_the_file_was_and_tells_the_answer(row: &Row) {
    let (folder, server) = (Home::new(row), Server::start());
    let (recorder, session) = open(&folder);
    server.enqueue(Answer::status(404).body("no such film"));
    let source = folder.file("source", "a film");
    let task = session.upload_task(Request::put(server.url("/film")), Body::file(&source));
    // It was taken into the spool.
    fs::write(&source, "another").unwrap();
    let _ = task.resume();
    assert!(session.wait_until_idle(HANG));
    let expected = [Event::Created(1), Event::data(1, "no such film"), Event::done(1)];
    assert_eq!(told(&recorder), expected);
    assert_eq!(server.take_request().body(), b"a film");
    assert_eq!(task.response().unwrap().status(), 404);
    close(&recorder, session);
}

fn tasks_that_were_never_resumed_or_were_suspended_are_there_again(row: &Row) {
    let (folder, server) = (Home::new(row), Server::start());
    let (recorder, session) = open(&folder);
    let first = session.download_task(Request::get(server.url("/1")).task_key("one"));
    first.set_description("the first");
    let again = session.download_task(Request::get(server.url("/1")).task_key("one"));
    assert_eq!(first, again);
    session.flush();
    drop((first, again));
    close(&recorder, session);

    let (recorder, session) = open(&folder);
    let tasks = session.all_tasks();
    assert_eq!(tasks.len(), 1);
    assert_eq!(tasks[0].description().as_deref(), Some("the first"));
    assert_eq!(tasks[0].original_request().url().unwrap().path(), "/1");
    server.enqueue(Answer::ok("film"));
    let _ = tasks[0].resume();
    assert!(session.wait_until_idle(HANG));
    let expected = [Event::File { id: 1, length: 4 }, Event::done(1)];
    assert_eq!(told(&recorder), expected);
    drop(tasks);
    close(&recorder, session);
}

fn a_suspended_task_keeps_its_session_busy_in_the_run_that_has_suspended_it(row: &Row) {
    let (folder, server) = (Home::new(row), Server::start());
    let (recorder, session) = open(&folder);
    server.enqueue(Answer::ok("film").stall_in_body_after(1));
    let task = session.download_task(server.url("/film")).resume();
    server.wait_until(|stats| stats.stalled == 1);
    task.suspend();
    // As in a session of another kind.
    assert!(!session.wait_until_idle(Duration::ZERO));
    drop(task);
    close(&recorder, session);

    let (recorder, session) = open(&folder);
    assert!(session.wait_until_idle(HANG));
    assert_eq!(session.all_tasks()[0].state(), TaskState::Suspended);
    close(&recorder, session);
}

fn what_no_later_run_can_go_on_with_is_refused(row: &Row) {
    let (folder, server) = (Home::new(row), Server::start());
    let (recorder, session) = open(&folder);
    let url = server.url("/");
    let none = folder.path().join("none");
    let tasks: [Task; 5] = [
        session.data_task(&url).into(),
        session.upload_task(Request::post(&url), "bytes").into(),
        session.streamed_upload_task(Request::post(&url)).into(),
        session.download_task("ftp://shop.test/film").into(),
        session.upload_task(Request::put(&url), Body::file(none)).into(),
    ];
    let reasons = ["data tasks", "files only", "no stream", "no http or https URL", "no such file"];
    for (task, reason) in tasks.iter().zip(reasons) {
        let error = task.error().unwrap();
        assert!(error.to_string().contains(reason), "{error}");
        assert_eq!(task.state(), TaskState::Completed);
        // It changes nothing any more.
        let _ = task.resume();
        task.cancel();
    }
    assert!(session.wait_until_idle(HANG));
    for task in &tasks {
        let kind = task.error().unwrap().kind();
        let expected = [Event::Created(task.id()), Event::failed(task.id(), kind)];
        assert_eq!(recorder.events_of(task.id()), expected);
        assert!(kind == ErrorKind::InvalidRequest || task.id() == 5, "{kind:?}");
    }
    assert!(session.all_tasks().is_empty());
    for error in [session.data(&url).unwrap_err(), session.download(&url).unwrap_err()] {
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error}");
    }
    close(&recorder, session);
    let without = Session::new(Configuration::background("films")).unwrap_err();
    assert!(without.to_string().contains("delegate"), "{without}");
}

fn a_closure_and_a_channel_are_told_at_once_that_they_are_not_taken(row: &Row) {
    let (folder, server) = (Home::new(row), Server::start());
    let (recorder, session) = open(&folder);
    let (sender, told_of) = std::sync::mpsc::channel();
    let first = session.download_task_with(server.url("/"), move |outcome| {
        sender.send(outcome.unwrap_err().kind()).unwrap();
    });
    assert_eq!(told_of.recv().unwrap(), ErrorKind::InvalidRequest);
    let (sender, outcomes) = std::sync::mpsc::channel();
    let second = session.download_task_to(server.url("/"), &sender);
    let finished = outcomes.recv().unwrap();
    assert_eq!(finished.id, second.id());
    assert_eq!(finished.outcome.unwrap_err().kind(), ErrorKind::InvalidRequest);
    for task in [first, second] {
        assert_eq!(task.state(), TaskState::Completed);
        assert!(task.error().unwrap().to_string().contains("a closure"));
    }
    assert_eq!(server.request_count(), 0);
    close(&recorder, session);
}

fn an_answer_that_is_no_file_ends_the_download_and_what_passes_is_waited_for(row: &Row) {
    let (folder, server) = (Home::new(row), Server::start());
    let (recorder, session) = open(&folder);
    server.enqueue(Answer::status(404).body("no such film"));
    let _ = session.download_task(server.url("/film")).resume();
    assert!(session.wait_until_idle(HANG));
    let failed = Event::failed(1, ErrorKind::UnacceptableStatus);
    assert_eq!(told(&recorder), [Event::Created(1), failed]);
    for answer in [Answer::status(503), Answer::ok("film")] {
        server.enqueue(answer);
    }
    let _ = session.download_task(server.url("/film")).resume();
    assert!(session.wait_until_idle(HANG));
    let events = told(&recorder);
    assert!(matches!(events[1], Event::Retry { id: 2, status: Some(503), .. }), "{events:?}");
    assert_eq!(events[2..], [Event::File { id: 2, length: 4 }, Event::done(2)]);
    close(&recorder, session);
}
