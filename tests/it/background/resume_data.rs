//! Downloads of background sessions that go on with resume data, and bring some.

use std::fs;
use std::path::Path;
use std::sync::mpsc;

use urlsession::testing::{Answer, Event, Server};
use urlsession::{Configuration, DownloadTask, ErrorKind, Request, ResumeData, Session, TaskState};

use super::{Home, close, finished_names, open, own_folder, told};
use crate::hosts::Row;
use crate::support::running::{HANG, wait_for};

rows! {
    what_has_come_of_a_download_goes_on_after_a_cancel,
    what_has_come_stays_as_text_for_any_session_and_goes_with_the_last_who_has_it,
    a_suspended_task_of_an_earlier_run_brings_what_has_come,
}

const FILM: &str = "the whole film";

fn half() -> Answer {
    Answer::ok(FILM).header("ETag", "\"1\"")
}

fn rest() -> Answer {
    let rest = Answer::status(206).header("ETag", "\"1\"").body(" film");
    rest.header("Content-Range", "bytes 9-13/14")
}

/// Has the first nine bytes come of a film, and cancels that.
fn interrupted(folder: &Home, server: &Server, session: &Session) -> ResumeData {
    server.enqueue(half().stall_in_body_after(9));
    let request = Request::get(server.url("/film")).header("Authorization", "Bearer hush");
    let task = session.download_task(request.task_key("film")).resume();
    let part = own_folder(folder).join(format!("finished/.{}.part", task.id()));
    wait_for("what was sent is there", || fs::metadata(&part).is_ok_and(|part| part.len() == 9));
    cancelled(&task)
}

fn cancelled(task: &DownloadTask) -> ResumeData {
    let (sender, data) = mpsc::channel();
    task.cancel_by_producing_resume_data(move |data| sender.send(data).unwrap());
    data.recv().unwrap().unwrap()
}

/// The data of a download of another session, on another volume where there is one.
fn of_another_session(server: &Server) -> ResumeData {
    server.enqueue(half().truncate_after(9));
    let memory = Path::new("/dev/shm");
    let configuration = match memory.is_dir() {
        true => Configuration::ephemeral().temporary_directory(memory),
        false => Configuration::ephemeral(),
    };
    let session = Session::new(configuration).unwrap();
    let error = session.download(server.url("/film")).unwrap_err();
    error.resume_data().unwrap().clone()
}

fn what_has_come_of_a_download_goes_on_after_a_cancel(row: &Row) {
    let (folder, server) = (Home::new(row), Server::start());
    let (recorder, session) = open(&folder);
    let data = interrupted(&folder, &server, &session);
    assert_eq!((data.received(), data.total()), (9, Some(14)));
    assert!(session.wait_until_idle(HANG));
    assert_eq!(told(&recorder), [Event::Created(1), Event::failed(1, ErrorKind::Cancelled)]);
    let names = finished_names(&folder);
    assert!(names.len() == 1 && names[0].starts_with("urlsession-"), "{names:?}");

    server.enqueue(rest());
    let _ = session.download_task_with_resume_data(data).resume();
    assert!(session.wait_until_idle(HANG));
    assert_eq!(
        told(&recorder),
        [
            Event::Created(2),
            Event::Resumed { id: 2, offset: 9, expected: Some(14) },
            Event::File { id: 2, length: 14 },
            Event::done(2)
        ]
    );
    assert_eq!(fs::read(folder.path().join("2")).unwrap(), FILM.as_bytes());
    assert_eq!(finished_names(&folder), [""; 0]);
    drop(server.take_request());
    let request = server.take_request();
    assert_eq!(request.header("range"), Some("bytes=9-"));
    assert_eq!(request.header("authorization"), Some("Bearer hush"));
    close(&recorder, session);
}

fn what_has_come_stays_as_text_for_any_session_and_goes_with_the_last_who_has_it(row: &Row) {
    let (folder, server) = (Home::new(row), Server::start());
    let (recorder, session) = open(&folder);
    let text = interrupted(&folder, &server, &session).to_text().unwrap();
    assert!(session.wait_until_idle(HANG));
    close(&recorder, session);
    // A start leaves it where it is.
    let (recorder, session) = open(&folder);
    assert_eq!(finished_names(&folder).len(), 1);
    server.enqueue(rest());
    let other = Session::new(Configuration::ephemeral()).unwrap();
    let data = ResumeData::from_text(&text).unwrap();
    let download = other.download_task_with_resume_data(data).run().unwrap();
    assert_eq!(fs::read(download.file.path()).unwrap(), FILM.as_bytes());
    drop(download);
    drop(interrupted(&folder, &server, &session));
    wait_for("it is gone with the task", || finished_names(&folder).is_empty());
    close(&recorder, session);
}

fn a_suspended_task_of_an_earlier_run_brings_what_has_come(row: &Row) {
    let (folder, server) = (Home::new(row), Server::start());
    let (recorder, session) = open(&folder);
    let data = of_another_session(&server);
    let first = session.download_task_with_resume_data(data.clone());
    assert_eq!(first.state(), TaskState::Suspended);
    // It is that task's by now.
    let second = session.download_task_with_resume_data(data);
    assert_eq!(second.error().unwrap().kind(), ErrorKind::CannotResume);
    assert!(session.wait_until_idle(HANG));
    let ends = [Event::Created(1), Event::Created(2), Event::failed(2, ErrorKind::CannotResume)];
    assert_eq!(told(&recorder), ends);
    drop((first, second));
    close(&recorder, session);

    let (recorder, session) = open(&folder);
    let task = session.tasks().downloads.remove(0);
    let data = cancelled(&task);
    assert_eq!((data.received(), data.total()), (9, Some(14)));
    assert!(session.wait_until_idle(HANG));
    server.enqueue(rest());
    let _ = session.download_task_with_resume_data(data).resume();
    assert!(session.wait_until_idle(HANG));
    assert_eq!(fs::read(folder.path().join("3")).unwrap(), FILM.as_bytes());
    assert_eq!(finished_names(&folder), [""; 0]);
    assert_eq!(server.request_count(), 2);
    drop(task);
    close(&recorder, session);
}
