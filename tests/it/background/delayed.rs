//! Tasks that do not begin before a date, and how much they are said to transfer.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use urlsession::testing::{Answer, Event, Recorder, Server};
use urlsession::{
    Body, Clock, Configuration, DelayedRequestDisposition, ErrorKind, Request, Session, TaskState,
    WaitsFor,
};

use super::{Home, close, journal, open, open_by, told};
use crate::hosts::Row;
use crate::support::running::HANG;

const HOUR: Duration = Duration::from_secs(3600);
const YEAR: Duration = Duration::from_secs(365 * 86_400);

/// Waits until the only task waits for its date; returns for how long still.
fn wait_for_date(session: &Session, date: SystemTime) -> Duration {
    let deadline = Instant::now() + HANG;
    loop {
        let task = session.background_report().unwrap().tasks.remove(0);
        if let Some(WaitsFor::BeginDate(begins)) = task.waits_for {
            let apart = begins.duration_since(date).unwrap();
            assert!(apart < Duration::from_millis(1), "it is written down by the millisecond");
            return task.waits_another.unwrap();
        }
        assert!(Instant::now() < deadline, "it does not wait");
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_task_waits_for_its_date_and_is_asked_about_before_it_begins() {
    let (folder, server, recorder) = (Home::of_program(), Server::start(), Recorder::new());
    let clock = Clock::by_hand();
    let date = SystemTime::now() + HOUR;
    let session = open_by(&folder, &recorder, &clock).unwrap();
    recorder.wait_for(|events| events.contains(&Event::EventsFinished));
    let (sender, reports) = mpsc::channel();
    recorder.on_call(move |event, task| {
        if let (Event::DelayedRequest(_), Some(task)) = (event, task) {
            sender.send(task.session().background_report().unwrap().to_string()).unwrap();
        }
    });
    server.enqueue(Answer::ok("film"));
    let task = session.download_task(server.url("/film"));
    assert_eq!(task.earliest_begin_date(), None);
    task.set_earliest_begin_date(date).unwrap();
    let _ = task.resume();
    assert_eq!(task.earliest_begin_date(), Some(date));
    let error = task.set_earliest_begin_date(None).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error}");
    let left = wait_for_date(&session, date);
    assert!(left <= HOUR + Duration::from_secs(60), "{left:?}");
    let report = session.background_report().unwrap().to_string();
    assert!(report.contains("\n     waits for its earliest begin date, for 1:00:0"), "{report}");

    // Neither timer of it runs.
    clock.advance(HOUR - Duration::from_secs(60));
    let report = session.background_report().unwrap().to_string();
    assert!(report.contains("waits for its earliest begin date, for 01:0"), "{report}");
    assert_eq!(server.request_count(), 0);
    assert_eq!(task.state(), TaskState::Running);
    clock.advance(Duration::from_secs(120));
    assert!(session.wait_until_idle(HANG));
    assert_eq!(
        told(&recorder)[1..],
        [
            Event::Created(1),
            Event::DelayedRequest(1),
            Event::File { id: 1, length: 4 },
            Event::done(1)
        ]
    );
    let report = reports.recv().unwrap();
    assert!(report.contains("waits for the program to say how it begins"), "{report}");
    drop(task);
    close(&recorder, session);
}

rows! {
    the_program_says_how_a_task_begins_whose_date_has_come,
    a_task_that_waits_for_its_date_can_be_suspended_and_cancelled,
}

fn the_program_says_how_a_task_begins_whose_date_has_come(row: &Row) {
    let (folder, server) = (Home::new(row), Server::start());
    let (recorder, session) = open(&folder);
    let other = Request::get(server.url("/other")).body("of no account");
    server.enqueue(Answer::ok("film"));
    for (answer, end) in [
        (DelayedRequestDisposition::UseNewRequest(other), Event::done(1)),
        (DelayedRequestDisposition::Cancel, Event::failed(2, ErrorKind::Cancelled)),
    ] {
        recorder.on_delayed_request(answer);
        let task = session.download_task(server.url("/film"));
        task.set_earliest_begin_date(SystemTime::UNIX_EPOCH).unwrap();
        let id = task.resume().id();
        assert!(session.wait_until_idle(HANG));
        let events = recorder.events_of(id);
        assert_eq!(events[..2], [Event::Created(id), Event::DelayedRequest(id)]);
        assert_eq!(events.last(), Some(&end));
    }
    recorder.panic_in(|event| matches!(event, Event::DelayedRequest(_)));
    let task = session.download_task(server.url("/film"));
    task.set_earliest_begin_date(SystemTime::UNIX_EPOCH).unwrap();
    let _ = task.resume();
    assert!(session.wait_until_idle(HANG));
    let panicked = Event::failed(3, ErrorKind::DelegatePanicked);
    assert_eq!(recorder.events_of(3).last(), Some(&panicked));
    assert_eq!(server.request_count(), 1);
    let request = server.take_request();
    assert_eq!((request.path(), request.body()), ("/other", &b""[..]));
    drop(task);
    close(&recorder, session);
}

#[test]
fn a_date_is_there_again_and_waited_for_although_the_clock_was_set_back() {
    let (folder, server, recorder) = (Home::of_program(), Server::start(), Recorder::new());
    let ahead = Clock::by_hand();
    ahead.advance(YEAR);
    let date = SystemTime::now() + YEAR + HOUR;
    let session = open_by(&folder, &recorder, &ahead).unwrap();
    let task = session.download_task(server.url("/film"));
    task.set_earliest_begin_date(date).unwrap();
    task.set_bytes_client_expects_to_send(100).unwrap();
    task.set_bytes_client_expects_to_receive(2_000_000).unwrap();
    let _ = task.resume();
    wait_for_date(&session, date);
    // What runs has no end before its date.
    task.suspend();
    drop(task);
    close(&recorder, session);
    assert!(journal(&folder).contains("\"begins\":"));

    let (recorder, clock) = (Recorder::new(), Clock::by_hand());
    let session = open_by(&folder, &recorder, &clock).unwrap();
    let task = session.all_tasks().remove(0);
    assert_eq!(task.bytes_client_expects_to_send(), Some(100));
    assert_eq!(task.bytes_client_expects_to_receive(), Some(2_000_000));
    let _ = task.resume();
    assert!(wait_for_date(&session, date) > YEAR);
    let report = session.background_report().unwrap().to_string();
    assert!(report.contains("running    0.0 of 2.0 MB"), "{report}");
    server.enqueue(Answer::ok("film"));
    clock.advance(YEAR + 2 * HOUR);
    assert!(session.wait_until_idle(HANG));
    assert_eq!(
        recorder.events_of(1),
        [Event::DelayedRequest(1), Event::File { id: 1, length: 4 }, Event::done(1)]
    );
    assert_eq!(server.request_count(), 1);
    drop(task);
    close(&recorder, session);
}

fn a_task_that_waits_for_its_date_can_be_suspended_and_cancelled(row: &Row) {
    let (folder, server) = (Home::new(row), Server::start());
    let (recorder, session) = open(&folder);
    let date = SystemTime::now() + HOUR;
    let task = session.upload_task(
        Request::post(server.url("/film")),
        Body::file(folder.file("source", "a film")),
    );
    task.set_earliest_begin_date(date).unwrap();
    for _ in 0..2 {
        let _ = task.resume();
        wait_for_date(&session, date);
        task.suspend();
        assert!(session.background_report().unwrap().tasks[0].waits_for.is_none());
    }
    let _ = task.resume();
    wait_for_date(&session, date);
    task.cancel();
    assert!(session.wait_until_idle(HANG));
    assert_eq!(told(&recorder), [Event::Created(1), Event::failed(1, ErrorKind::Cancelled)]);
    assert_eq!(server.request_count(), 0);
    drop(task);
    close(&recorder, session);
}

#[test]
fn what_the_program_expects_is_shown_until_something_better_is_known() {
    let server = Server::start();
    let session = Session::new(Configuration::ephemeral()).unwrap();
    for (expects, announces, shown) in
        [(Some(9), false, Some(9)), (Some(2), false, None), (Some(9), true, Some(8))]
    {
        let body = "in parts".to_owned();
        let answer = Answer::ok(body).stall_in_body_after(4);
        server.enqueue(if announces { answer } else { answer.chunked(8) });
        let task = session.data_task(server.url("/"));
        task.set_bytes_client_expects_to_receive(expects).unwrap();
        assert_eq!(task.progress().bytes_expected_to_receive, expects);
        // A date is for the background alone.
        task.set_earliest_begin_date(SystemTime::now() + HOUR).unwrap();
        let mut updates = task.updates();
        let come = updates.by_ref().find(|_| task.progress().bytes_received == 4);
        assert!(come.is_some());
        assert_eq!(task.progress().bytes_expected_to_receive, shown);
        task.cancel();
    }
    server.release();
    assert!(session.wait_until_idle(HANG));
}
