//! Resume data: where it comes from, what is in it, and what becomes of its file.

use std::sync::mpsc::channel;

use urlsession::Request;

use super::*;

/// Begins a download that stalls, with so much in its file.
fn stalled(session: &Session, server: &Server, request: Request) -> DownloadTask {
    let answer = with_fields(Answer::ok(film(1)), TAGGED).stall_in_body_after(FIRST as u64);
    server.enqueue(answer);
    let task = session.download_task(request);
    task.resume();
    server.wait_until(|stats| stats.stalled == 1);
    while task.progress().bytes_received < FIRST as u64 {
        std::thread::yield_now();
    }
    task
}

fn cancelled(task: &DownloadTask) -> Option<ResumeData> {
    let (sender, taken) = channel();
    task.cancel_by_producing_resume_data(move |data| sender.send(data).unwrap());
    taken.recv_timeout(HANG).unwrap()
}

#[test]
fn a_cancel_can_produce_resume_data_in_every_state() {
    let (folder, server) = (Folder::new(), Server::start());
    let (_, session) = session_in(&folder);
    let url = server.url("/film");

    let task = stalled(&session, &server, Request::get(&url));
    let resume_data = cancelled(&task).unwrap();
    assert_eq!((resume_data.received(), resume_data.total()), (FIRST as u64, Some(100_000)));
    let error = task.error().unwrap();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert_eq!(error.resume_data().unwrap().received(), FIRST as u64);
    // Once more, when it is over.
    assert!(cancelled(&task).is_none());
    server.enqueue(rest(&film(1), TAGGED));
    let resumed = session.download_task_with_resume_data(resume_data);
    assert!(run(&resumed).unwrap() == film(1));

    // A suspended one.
    let task = stalled(&session, &server, Request::get(&url));
    task.suspend();
    assert_eq!(cancelled(&task).unwrap().received(), FIRST as u64);

    // One that never began, and one that has brought its file.
    let task = session.download_task(&url);
    assert!(cancelled(&task).is_none());
    server.enqueue(Answer::ok("whole"));
    let task = session.download_task(&url);
    drop(task.run().unwrap());
    assert!(cancelled(&task).is_none());
}

#[test]
fn whoever_waits_for_all_to_be_told_waits_for_resume_data_too() {
    use std::sync::atomic::{AtomicBool, Ordering};
    let (folder, server) = (Folder::new(), Server::start());
    let (_, session) = session_in(&folder);
    let task = stalled(&session, &server, Request::get(server.url("/film")));
    let told = std::sync::Arc::new(AtomicBool::new(false));
    let tells = told.clone();
    let (lets_go, waits) = channel::<()>();
    task.cancel_by_producing_resume_data(move |data| {
        let _ = waits.recv_timeout(HANG);
        tells.store(data.is_some(), Ordering::SeqCst);
    });
    assert!(!session.wait_until_idle(std::time::Duration::from_millis(50)));
    drop(lets_go);
    assert!(session.wait_until_idle(HANG));
    assert!(told.load(Ordering::SeqCst));
}

#[test]
fn a_plain_cancel_leaves_nothing() {
    let (folder, server) = (Folder::new(), Server::start());
    let (_, session) = session_in(&folder);
    let task = stalled(&session, &server, Request::get(server.url("/film")));
    task.cancel();
    assert!(session.wait_until_idle(HANG));
    assert!(task.error().unwrap().resume_data().is_none());
    assert_eq!(folder.names(), [""; 0]);
}

#[test]
fn the_partial_file_goes_with_the_last_clone_unless_it_was_written_out() {
    let (folder, server) = (Folder::new(), Server::start());
    let (_, session) = session_in(&folder);
    let task = stalled(&session, &server, Request::get(server.url("/film")));
    let resume_data = cancelled(&task).unwrap();
    drop((task, session));
    assert_eq!(folder.names().len(), 1);
    let clone = resume_data.clone();
    drop(resume_data);
    assert_eq!(folder.names().len(), 1);
    let text = clone.to_text().unwrap();
    drop(clone);
    assert_eq!(folder.names().len(), 1);
    ResumeData::from_text(&text).unwrap().discard();
    assert_eq!(folder.names(), [""; 0]);

    let session = session_in(&folder).1;
    let task = stalled(&session, &server, Request::get(server.url("/film")));
    let resume_data = cancelled(&task).unwrap();
    drop((task, session));
    drop(resume_data);
    // The thread that ran the task lets go of it, and of its error, right after its end.
    wait_for("the file is gone", || folder.names().is_empty());
}

#[test]
fn a_text_goes_on_in_another_session_and_has_no_secrets() {
    let (folder, server) = (Folder::new(), Server::start());
    let (_, session) = session_in(&folder);
    let url = server.url("/film?key=7").replace("http://", "http://ann:pa55@");
    let request = Request::get(url)
        .header("Accept-Language", "de")
        .header("Cookie", "id=s3cret")
        .sensitive_header("X-Key", "s3cret");
    let task = stalled(&session, &server, request);
    let resume_data = cancelled(&task).unwrap();
    drop((task, session));
    let shown = format!("{resume_data:?}");
    assert!(shown.contains("received: 40000") && !shown.contains("key=7"), "{shown}");
    let text = resume_data.to_text().unwrap();
    drop(resume_data);
    assert!(text.starts_with("urlsession-resume: 1\nurl: http://127.0.0.1:"), "{text}");
    for secret in ["s3cret", "pa55", "ann"] {
        assert!(!text.contains(secret), "{text}");
    }
    drop(server.take_request());

    let mut resume_data = ResumeData::from_text(&text).unwrap();
    assert_eq!(resume_data.omitted_headers(), ["Cookie", "X-Key", "Authorization"]);
    let request = resume_data.request_mut();
    *request = request.clone().header("Cookie", "id=new");
    server.enqueue(rest(&film(1), TAGGED));
    let (_, session) = session_in(&folder);
    assert!(run(&session.download_task_with_resume_data(resume_data)).unwrap() == film(1));
    let request = server.take_request();
    assert_eq!(request.target(), "/film?key=7");
    let headers = ["accept-language", "cookie", "x-key", "range"];
    let found = headers.map(|name| request.header(name));
    assert_eq!(found, [Some("de"), Some("id=new"), None, Some("bytes=40000-")]);
    assert_eq!(folder.names(), [""; 0]);
}

/// Has a file be changed a second later than it was, however coarsely its system counts.
fn changed_later(path: &std::path::Path) {
    let file = fs::OpenOptions::new().write(true).open(path).unwrap();
    let modified = file.metadata().unwrap().modified().unwrap();
    file.set_modified(modified + std::time::Duration::from_secs(1)).unwrap();
}

#[test]
fn a_file_that_is_not_as_it_was_is_refused_before_anything_is_sent() {
    type Change = fn(&std::path::Path);
    let changes: [(&str, Change); 5] = [
        ("has vanished", |path| fs::remove_file(path).unwrap()),
        ("shorter", |path| fs::write(path, "x").unwrap()),
        ("was changed", |path| {
            let mut bytes = fs::read(path).unwrap();
            bytes[7] ^= 1;
            fs::write(path, bytes).unwrap();
            changed_later(path);
        }),
        ("was changed", |path| {
            let bytes = fs::read(path).unwrap();
            fs::remove_file(path).unwrap();
            fs::write(path, bytes).unwrap();
            changed_later(path);
        }),
        ("cannot be opened", |path| {
            fs::remove_file(path).unwrap();
            fs::create_dir(path).unwrap();
        }),
    ];
    for (words, change) in changes {
        let (folder, server) = (Folder::new(), Server::start());
        let (_, session) = session_in(&folder);
        let task = stalled(&session, &server, Request::get(server.url("/film")));
        let resume_data = cancelled(&task).unwrap();
        let name = folder.names().remove(0);
        change(&folder.path().join(name));
        let error = session.download_task_with_resume_data(resume_data).run().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::CannotResume, "{error}");
        assert!(error.to_string().contains(words), "{words}: {error}");
        assert_eq!(server.request_count(), 1);
    }
}

#[test]
fn of_two_who_go_on_with_one_file_the_second_is_refused() {
    let (folder, server) = (Folder::new(), Server::start());
    let (_, session) = session_in(&folder);
    let task = stalled(&session, &server, Request::get(server.url("/film")));
    let resume_data = cancelled(&task).unwrap();
    server.wait_until(|stats| stats.stalled == 0);
    server.enqueue(rest(&film(1), TAGGED).stall_in_body_after(10));
    let first = session.download_task_with_resume_data(resume_data.clone());
    let running = Running::start(move || run(&first));
    server.wait_until(|stats| stats.stalled == 1);
    if cfg!(unix) {
        let error = session.download_task_with_resume_data(resume_data).run().unwrap_err();
        assert_eq!((error.kind(), error.code()), (ErrorKind::FileInUse, -3000), "{error}");
    }
    server.release();
    assert!(running.outcome().unwrap() == film(1));
}

#[test]
fn a_download_to_a_place_goes_on_to_it_or_to_another() {
    for elsewhere in [false, true] {
        let (folder, server) = (Folder::new(), Server::start());
        let other = Folder::new();
        let (_, session) = session_in(&folder);
        server.enqueue(first_part(&film(1), TAGGED));
        let task = session.download_task(server.url("/film"));
        task.save_to(folder.path().join("film.mp4")).unwrap();
        let error = task.run().unwrap_err();
        let resume_data = error.resume_data().unwrap().clone();
        server.enqueue(rest(&film(1), TAGGED));
        let task = session.download_task_with_resume_data(resume_data);
        let folder = if elsewhere { &other } else { &folder };
        if elsewhere {
            task.save_to(other.path().join("film.mp4")).unwrap();
        }
        assert_eq!(task.run().unwrap().file.path(), folder.path().join("film.mp4"));
        assert!(fs::read(folder.path().join("film.mp4")).unwrap() == film(1));
        assert_eq!(folder.names(), ["film.mp4"]);
    }
}

#[test]
fn a_place_that_was_taken_in_the_end_costs_no_byte() {
    let (folder, server) = (Folder::new(), Server::start());
    let (_, session) = session_in(&folder);
    server.enqueue(Answer::ok(film(1)).header("ETag", "\"a\"").stall_in_body_after(FIRST as u64));
    let task = session.download_task(server.url("/film"));
    task.save_to(folder.path().join("film.mp4")).unwrap();
    let running = Running::start(move || run(&task));
    server.wait_until(|stats| stats.stalled == 1);
    folder.file("film.mp4", "quicker");
    server.release();
    let error = running.outcome().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::FileAlreadyExists);
    let resume_data = error.resume_data().unwrap().clone();
    assert_eq!(resume_data.received(), 100_000);
    let last = Answer::status(206).body(&film(1)[99_999..]).header("ETag", "\"a\"");
    server.enqueue(last.header("Content-Range", "bytes 99999-99999/100000"));
    let task = session.download_task_with_resume_data(resume_data);
    task.save_to(folder.path().join("another.mp4")).unwrap();
    drop(task.run().unwrap());
    assert!(fs::read(folder.path().join("another.mp4")).unwrap() == film(1));
    assert_eq!(folder.names(), ["another.mp4", "film.mp4"]);
}

#[test]
fn a_value_that_was_changed_is_refused() {
    for text in ["", "urlsession-resume: 1\n", "urlsession-resume: 3\nfuture\n", "GIF89a"] {
        let error = ResumeData::from_text(text).unwrap_err();
        assert_eq!((error.kind(), error.code()), (ErrorKind::CannotResume, -1), "{error}");
    }
}
