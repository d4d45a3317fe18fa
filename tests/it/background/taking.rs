//! What a program takes of a background session, and what it is told again that it has not taken.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use urlsession::testing::{Answer, Event, OnChallenge, Server};
use urlsession::{
    Body, Credential, Delegate, Disposition, ErrorKind, NewRequestReason, Persistence, Request,
    TaskState,
};

use super::{Home, close, finished_names, open, open_with, told};
use crate::hosts::{Host, Row};
use crate::support::running::HANG;

const FILM: &str = "the whole film";

rows! {
    a_download_with_a_place_comes_there_and_replaces_only_what_it_may,
    a_file_that_is_dropped_is_told_of_again_until_it_is_taken,
    an_end_in_whose_call_the_program_panics_is_told_again,
    a_session_is_open_once_until_it_is_invalid,
    a_url_that_has_expired_is_replaced_and_the_bytes_stay,
    secrets_are_not_written_down_and_asked_for_in_the_next_run,
    people_see_what_a_session_does_and_waits_for,
    what_is_taken_after_the_session_is_invalid_is_not_told_of_again,
    a_redirect_is_followed_and_told_and_what_was_not_heard_is_told_again,
    what_a_tasks_own_delegate_leaves_open_is_asked_of_the_sessions,
    a_failure_has_no_resume_data_as_what_has_come_is_gone,
}

fn a_download_with_a_place_comes_there_and_replaces_only_what_it_may(row: &Row) {
    let (folder, server) = (Home::new(row), Server::start());
    let (recorder, session) = open(&folder);
    let place = folder.path().join("film.mp4");
    for id in [1, 2, 3] {
        server.enqueue(Answer::ok(FILM));
        let task = session.download_task(server.url("/film"));
        if id == 3 {
            fs::write(&place, "another").unwrap();
            task.save_over(&place).unwrap();
        } else {
            task.save_to(&place).unwrap();
        }
        let _ = task.resume();
        assert!(session.wait_until_idle(HANG));
        let expected = match id {
            2 => vec![Event::Created(2), Event::failed(2, ErrorKind::FileAlreadyExists)],
            // The recorder moves it on.
            _ => vec![Event::Created(id), Event::File { id, length: 14 }, Event::done(id)],
        };
        assert_eq!(told(&recorder), expected);
        if id == 1 {
            fs::rename(folder.path().join("1"), &place).unwrap();
        }
    }
    assert_eq!(fs::read(folder.path().join("3")).unwrap(), FILM.as_bytes());
    assert_eq!(server.request_count(), 2);
    assert_eq!(finished_names(&folder), [""; 0]);
    close(&recorder, session);
}

fn a_file_that_is_dropped_is_told_of_again_until_it_is_taken(row: &Row) {
    let (folder, server) = (Home::new(row), Server::start());
    let (recorder, session) = open(&folder);
    recorder.drops_files();
    server.enqueue(Answer::ok(FILM));
    let _ = session.download_task(server.url("/film")).resume();
    assert!(session.wait_until_idle(HANG));
    assert_eq!(told(&recorder), [Event::Created(1), Event::done(1)]);
    close(&recorder, session);
    assert_eq!(finished_names(&folder), ["1"]);

    let (recorder, session) = open(&folder);
    assert_eq!(
        told(&recorder),
        [Event::File { id: 1, length: 14 }, Event::done(1), Event::EventsFinished]
    );
    close(&recorder, session);
    assert_eq!(finished_names(&folder), [""; 0]);
    assert_eq!(fs::read(folder.path().join("1")).unwrap(), FILM.as_bytes());

    let (recorder, session) = open(&folder);
    assert!(session.all_tasks().is_empty());
    assert_eq!(told(&recorder), []);
    close(&recorder, session);
}

fn an_end_in_whose_call_the_program_panics_is_told_again(row: &Row) {
    let (folder, server) = (Home::new(row), Server::start());
    let (recorder, session) = open(&folder);
    let panics = AtomicBool::new(true);
    recorder.panic_in(move |event| event.is_completion() && panics.swap(false, Ordering::SeqCst));
    server.enqueue(Answer::ok("thanks"));
    let source = folder.file("source", FILM);
    let request = Request::put(server.url("/film"));
    let _ = session.upload_task(request, Body::file(&source)).resume();
    assert!(session.wait_until_idle(HANG));
    close(&recorder, session);

    let (recorder, session) = open(&folder);
    assert_eq!(told(&recorder), [Event::data(1, "thanks"), Event::done(1), Event::EventsFinished]);
    assert_eq!(server.request_count(), 1);
    close(&recorder, session);
}

fn a_session_is_open_once_until_it_is_invalid(row: &Row) {
    let folder = Home::new(row);
    let (recorder, session) = open(&folder);
    let error = open_with(&folder, &recorder).unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::BackgroundSessionInUse, -996));
    close(&recorder, session);
    let (recorder, session) = open(&folder);
    close(&recorder, session);
}

fn a_url_that_has_expired_is_replaced_and_the_bytes_stay(row: &Row) {
    let (folder, server) = (Home::new(row), Server::start());
    let (recorder, session) = open(&folder);
    recorder.on_new_request(Request::get(server.url("/film?key=new")));
    let half = Answer::ok(FILM).header("ETag", "\"1\"").truncate_after(9);
    server.enqueue(half);
    server.enqueue(Answer::status(403));
    let rest = Answer::status(206).header("ETag", "\"1\"").body(" film");
    server.enqueue(rest.header("Content-Range", "bytes 9-13/14"));
    let _ = session.download_task(server.url("/film?key=old")).resume();
    assert!(session.wait_until_idle(HANG));
    let events: Vec<Event> =
        told(&recorder).into_iter().filter(|event| !matches!(event, Event::Retry { .. })).collect();
    assert_eq!(
        events,
        [
            Event::Created(1),
            Event::NewRequest { id: 1, reason: NewRequestReason::Refused },
            Event::Resumed { id: 1, offset: 9, expected: Some(14) },
            Event::File { id: 1, length: 14 },
            Event::done(1)
        ]
    );
    assert_eq!(fs::read(folder.path().join("1")).unwrap(), FILM.as_bytes());
    close(&recorder, session);
}

fn secrets_are_not_written_down_and_asked_for_in_the_next_run(row: &Row) {
    let (folder, server) = (Home::new(row), Server::start());
    let (recorder, session) = open(&folder);
    let request = Request::get(server.url("/film")).header("Authorization", "Bearer hush");
    let _ = session.download_task(request.clone());
    close(&recorder, session);
    let journal = super::journal(&folder);
    assert!(!journal.contains("hush"), "{journal}");

    let (recorder, session) = open(&folder);
    recorder.on_new_request(request);
    server.enqueue(Answer::ok(FILM));
    let task = session.all_tasks().remove(0);
    assert_eq!(task.state(), TaskState::Suspended);
    let _ = task.resume();
    assert!(session.wait_until_idle(HANG));
    assert_eq!(
        told(&recorder),
        [
            Event::NewRequest { id: 1, reason: NewRequestReason::SecretsLost },
            Event::File { id: 1, length: 14 },
            Event::done(1)
        ]
    );
    assert_eq!(server.take_request().header("authorization"), Some("Bearer hush"));
    drop(task);
    close(&recorder, session);
}

fn people_see_what_a_session_does_and_waits_for(row: &Row) {
    let (folder, server) = (Home::new(row), Server::start());
    let (recorder, session) = open(&folder);
    let host = session.background_host().unwrap().to_string();
    assert_eq!(host == "this program", row.host == Host::Program, "{host}");
    let held = Answer::ok(FILM).header("ETag", "\"1\"").stall_in_body_after(9);
    server.enqueue(held);
    let task = session.download_task(server.url("/film?key=secret"));
    task.set_description("a film");
    let _ = task.resume();
    server.wait_until(|stats| stats.stalled == 1);
    let waiting = session.download_task(server.url("/other"));
    let report = session.background_report().unwrap();
    assert_eq!(report.tasks.len(), 2);
    let (text, base) = (report.to_string(), server.url(""));
    let begins = format!("films: 2 tasks, in {host}\n  1  running ");
    assert!(text.starts_with(&begins), "{text}");
    assert!(text.contains(&format!("{base}/film  (a film)")), "{text}");
    assert!(text.contains("\n  2  suspended "), "{text}");
    assert!(!text.contains("secret"), "{text}");
    for task in [&*task, &*waiting] {
        task.cancel();
    }
    recorder.wait_for_completions(2);
    assert!(session.wait_until_idle(HANG));
    assert_eq!(finished_names(&folder), [""; 0]);
    close(&recorder, session);
}

fn what_is_taken_after_the_session_is_invalid_is_not_told_of_again(row: &Row) {
    let (folder, server) = (Home::new(row), Server::start());
    let (recorder, session) = open(&folder);
    let (sender, files) = std::sync::mpsc::channel();
    recorder.gives_files_to(sender);
    for _ in 0..2 {
        server.enqueue(Answer::ok(FILM));
        let _ = session.download_task(server.url("/film")).resume();
    }
    assert!(session.wait_until_idle(HANG));
    close(&recorder, session);
    let (mut first, second) = (files.recv().unwrap(), files.recv().unwrap());
    let id = first.path().file_name().unwrap().to_str().unwrap().to_owned();
    first.persist(folder.path().join("taken")).unwrap();
    let kept = second.keep();
    assert!(kept.is_file());

    let (recorder, session) = open(&folder);
    let other = if id == "1" { 2 } else { 1 };
    assert_eq!(
        told(&recorder),
        [Event::File { id: other, length: 14 }, Event::done(other), Event::EventsFinished]
    );
    close(&recorder, session);
    assert_eq!(finished_names(&folder), [""; 0]);
}

fn a_redirect_is_followed_and_told_and_what_was_not_heard_is_told_again(row: &Row) {
    let (folder, server) = (Home::new(row), Server::start());
    let (recorder, session) = open(&folder);
    server.enqueue(Answer::redirect(302, "/there?at=1"));
    server.enqueue(Answer::ok(FILM));
    let task = session.download_task(server.url("/film")).resume();
    assert!(session.wait_until_idle(HANG));
    let followed = Event::FollowedRedirect { id: 1, status: 302, to: "/there?at=1".to_owned() };
    assert_eq!(
        told(&recorder),
        [Event::Created(1), followed, Event::File { id: 1, length: 14 }, Event::done(1)]
    );
    assert_eq!(task.current_request().url().unwrap().query(), Some("at=1"));
    assert!(super::journal(&folder).contains("\"moved\""));
    drop(task);
    close(&recorder, session);
    let (recorder, session) = open(&folder);
    assert_eq!(told(&recorder), []);
    close(&recorder, session);
}

/// A delegate that has no method of its own.
struct Silent;

impl Delegate for Silent {}

fn what_a_tasks_own_delegate_leaves_open_is_asked_of_the_sessions(row: &Row) {
    let (folder, server) = (Home::new(row), Server::start());
    let (recorder, session) = open(&folder);
    let credential = Credential::new("me", "hush").with_persistence(Persistence::None).unwrap();
    recorder.on_challenge(OnChallenge::Answer(Disposition::UseCredential(credential)));
    let asks = Answer::status(401).header("WWW-Authenticate", "Basic realm=\"films\"");
    server.enqueue(asks);
    server.enqueue(Answer::ok(FILM));
    let task = session.download_task(server.url("/film"));
    task.set_delegate(Arc::new(Silent)).unwrap();
    let _ = task.resume();
    assert!(session.wait_until_idle(HANG));
    let events = told(&recorder);
    assert!(matches!(events[1], Event::Challenge { id: 1, .. }), "{events:?}");
    assert_eq!(events[2..], [Event::File { id: 1, length: 14 }, Event::done(1)]);
    drop(task);
    close(&recorder, session);
}

fn a_failure_has_no_resume_data_as_what_has_come_is_gone(row: &Row) {
    let (folder, server) = (Home::new(row), Server::start());
    let (recorder, session) = open(&folder);
    server.enqueue(Answer::ok(FILM).header("ETag", "\"1\"").truncate_after(9));
    server.enqueue(Answer::status(403));
    let task = session.download_task(server.url("/film")).resume();
    assert!(session.wait_until_idle(HANG));
    let error = task.error().unwrap();
    assert_eq!(error.kind(), ErrorKind::UnacceptableStatus, "{error}");
    assert!(error.resume_data().is_none());
    assert_eq!(error.response().unwrap().status(), 403);
    assert_eq!(finished_names(&folder), [""; 0]);
    drop(task);
    close(&recorder, session);
}
