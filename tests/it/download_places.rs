//! Downloads to a place that the program named, and what is left of those that fail: nothing.

use std::fs;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use urlsession::testing::{Answer, Counters, Server};
use urlsession::{
    Body, Clock, Configuration, Delegate, DeliveryQueue, DownloadTask, ErrorKind, Reply, Request,
    Response, ResponseDisposition, Session, Task, TaskState,
};

use crate::support::download_forms::Form;
use crate::support::folder::Folder;
use crate::support::running::{HANG, Running, nothing_is_left, session, wait_for};
use crate::support::transfer_log::{Log, Told, without_progress};

/// More than arrives at once, so that a file is being written.
const LENGTH: u64 = 1 << 20;

#[test]
fn an_existing_target_is_refused_before_any_request_is_sent() {
    for form in Form::ALL {
        let (folder, server) = (Folder::new(), Server::start());
        let (log, session) = Log::default().session(|_| {});
        let place = folder.file("taken", "mine");
        let outcome = form.download(&session, &log, Request::get(server.url("/")), Some(&place));
        let error = outcome.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::FileAlreadyExists, "{form:?}: {error}");
        assert!(error.to_string().contains("taken"), "{form:?}: {error}");
        assert_eq!(server.connection_count(), 0, "{form:?}");
        assert_eq!(fs::read(&place).unwrap(), b"mine", "{form:?}");
        assert_eq!(folder.names(), ["taken"], "{form:?}");
        nothing_is_left(session, &[&server]);
    }
}

#[test]
fn a_place_that_cannot_be_is_refused_before_any_request_is_sent() {
    let folder = Folder::new();
    folder.file("file", "");
    let server = Server::start();
    let session = session(|_| {});
    for (place, kind) in [
        (folder.path().to_owned(), ErrorKind::FileIsDirectory),
        (folder.path().join("missing").join("a"), ErrorKind::FolderDoesNotExist),
        (folder.path().join("file").join("a"), ErrorKind::FolderDoesNotExist),
    ] {
        for replaces in [false, true] {
            let task = session.download_task(server.url("/"));
            match replaces {
                true => task.save_over(&place).unwrap(),
                false => task.save_to(&place).unwrap(),
            }
            let error = task.run().unwrap_err();
            assert_eq!(error.kind(), kind, "{}: {error}", place.display());
        }
    }
    assert_eq!(server.connection_count(), 0);
    nothing_is_left(session, &[&server]);
}

/// Starts a download to the folder and waits until a part of it is written.
fn half_written(task: &DownloadTask, server: &Server) -> Running<ErrorOr> {
    server.enqueue(Answer::status(200).body_of_size(LENGTH).stall_in_body_after(LENGTH / 2));
    let running = task.clone();
    let running = Running::start(move || running.run().map(drop));
    server.wait_until(|stats| stats.stalled == 1);
    wait_for("a part of the file", || is_half_written(task));
    running
}

/// Whether all that has come of the body is written.
fn is_half_written(task: &Task) -> bool {
    task.progress().bytes_received == LENGTH / 2
}

type ErrorOr = Result<(), urlsession::Error>;

#[test]
fn a_target_that_appears_meanwhile_is_refused_at_the_end_and_stays() {
    let (folder, server) = (Folder::new(), Server::start());
    let session = session(|_| {});
    let task = session.download_task(server.url("/"));
    let place = folder.path().join("a");
    task.save_to(&place).unwrap();
    let running = half_written(&task, &server);
    fs::write(&place, "mine").unwrap();
    server.release();
    let error = running.outcome().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::FileAlreadyExists, "{error}");
    assert_eq!(fs::read(&place).unwrap(), b"mine");
    assert_eq!(folder.names(), ["a"]);
    drop(task);
    nothing_is_left(session, &[&server]);
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: what is open keeps its name when it is deleted")]
fn a_folder_that_vanishes_meanwhile_is_an_error_of_its_own() {
    let (folder, server) = (Folder::new(), Server::start());
    let session = session(|_| {});
    let task = session.download_task(server.url("/"));
    let inner = folder.path().join("inner");
    fs::create_dir(&inner).unwrap();
    task.save_to(inner.join("a")).unwrap();
    server.enqueue(Answer::status(200).body_of_size(LENGTH).stall_in_body_after(LENGTH / 2));
    let running = task.clone();
    let running = Running::start(move || running.run().map(drop));
    server.wait_until(|stats| stats.stalled == 1);
    wait_for("a part of the file", || is_half_written(&task));
    fs::remove_dir_all(&inner).unwrap();
    server.release();
    let error = running.outcome().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::FolderDoesNotExist, "{error}");
    assert_eq!(folder.names(), [""; 0]);
    drop(task);
    nothing_is_left(session, &[&server]);
}

#[test]
fn a_download_replaces_a_file_only_if_it_is_told_to() {
    let (folder, server) = (Folder::new(), Server::start());
    server.handle(|_| Answer::ok("new"));
    let session = session(|_| {});
    let place = folder.file("a", "old");
    let task = session.download_task(server.url("/"));
    task.save_over(&place).unwrap();
    let download = task.run().unwrap();
    assert_eq!((download.file.path(), download.file.len()), (&*place, 3));
    assert_eq!(fs::read(&place).unwrap(), b"new");
    // What is at its place stays, and what began cannot be given another.
    drop(download);
    assert_eq!(folder.names(), ["a"]);
    let error = task.save_to(folder.path().join("b")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error}");
    drop(task);
    nothing_is_left(session, &[&server]);
}

#[cfg(unix)]
#[test]
fn symbolic_links_are_never_followed() {
    use std::os::unix::fs::symlink;

    for (replaces, dangles) in [(false, false), (false, true), (true, false), (true, true)] {
        let case = format!("replaces: {replaces}, dangles: {dangles}");
        let (folder, server) = (Folder::new(), Server::start());
        server.handle(|_| Answer::ok("new"));
        let session = session(|_| {});
        let (aim, link) = (folder.path().join("aim"), folder.path().join("link"));
        if !dangles {
            fs::write(&aim, "old").unwrap();
        }
        symlink(&aim, &link).unwrap();
        let task = session.download_task(server.url("/"));
        match replaces {
            true => task.save_over(&link).unwrap(),
            false => task.save_to(&link).unwrap(),
        }
        match task.run() {
            Ok(download) => {
                assert!(replaces, "{case}");
                assert_eq!(download.file.path(), link, "{case}");
                assert!(!fs::symlink_metadata(&link).unwrap().is_symlink(), "{case}");
                assert_eq!(fs::read(&link).unwrap(), b"new", "{case}");
            }
            Err(error) => {
                assert!(!replaces, "{case}: {error}");
                assert_eq!(error.kind(), ErrorKind::FileAlreadyExists, "{case}: {error}");
                assert_eq!(server.connection_count(), 0, "{case}");
            }
        }
        // What it led to is as it was.
        assert_eq!(aim.exists(), !dangles, "{case}");
        assert!(dangles || fs::read(&aim).unwrap() == b"old", "{case}");
        drop(task);
        nothing_is_left(session, &[&server]);
    }
}

#[cfg(unix)]
#[test]
fn the_mode_of_a_file_at_its_place_is_that_of_every_new_file() {
    use std::os::unix::fs::PermissionsExt;

    let (folder, server) = (Folder::new(), Server::start());
    server.handle(|_| Answer::ok("hello"));
    let session = session(|all| all.temporary_directory = Some(folder.path().to_owned()));
    let mode = |name: &str| {
        let path = folder.path().join(name);
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    };
    folder.file("usual", "");
    session.download_to(server.url("/"), folder.path().join("saved")).unwrap();
    let mut download = session.download(server.url("/")).unwrap();
    download.file.persist(folder.path().join("persisted")).unwrap();
    assert_eq!((mode("saved"), mode("persisted")), (mode("usual"), mode("usual")));
    nothing_is_left(session, &[&server]);
}

/// What ends a download in the middle of its body.
type Ends = fn(&Task, &Session, &Server, &Clock);

const ENDS: &[(&str, Ends, ErrorKind)] = &[
    ("cancel", |task, _, _, _| task.cancel(), ErrorKind::Cancelled),
    (
        "session invalidated",
        |_, session, _, _| session.invalidate_and_cancel(),
        ErrorKind::Cancelled,
    ),
    ("timeout", |_, _, _, clock| clock.advance(Duration::from_secs(3600)), ErrorKind::TimedOut),
];

#[test]
fn nothing_is_left_of_a_download_that_ends_in_the_middle() {
    for &(how, ends, kind) in ENDS {
        for form in Form::ALL {
            for saves in [false, true] {
                let case = format!("{how}, {form:?}, saves: {saves}");
                let (folder, server, clock) = (Folder::new(), Server::start(), Clock::by_hand());
                let (log, session) = Log::default().session(|all| {
                    all.clock = clock.clone();
                    all.temporary_directory = Some(folder.path().to_owned());
                });
                server.enqueue(
                    Answer::status(200).body_of_size(LENGTH).stall_in_body_after(LENGTH / 2),
                );
                let place = folder.path().join("a");
                let place = saves.then_some(&*place);
                let request = Request::get(server.url("/"));
                let downloading = form.start(&session, &log, request, place);
                server.wait_until(|stats| stats.stalled == 1);
                let task = session.all_tasks().remove(0);
                wait_for("a part of the file", || is_half_written(&task));
                assert!(downloading.task.as_ref().is_none_or(|known| *known == task), "{case}");
                // A clock may be turned before somebody waits by it.
                while downloading.is_running() {
                    ends(&task, &session, &server, &clock);
                }
                let error = downloading.outcome().unwrap_err();
                assert_eq!(error.kind(), kind, "{case}: {error}");
                if form == Form::Delegate {
                    let told = without_progress(&log.take());
                    assert_eq!(told, [Told::Response(200), Told::Completed(Some(kind))], "{case}");
                }
                assert_eq!(folder.names(), [""; 0], "{case}");
                assert_eq!(Counters::of(&session).files(), 0, "{case}");
                drop(task);
                nothing_is_left(session, &[&server]);
            }
        }
    }
}

#[test]
fn nothing_is_left_of_a_download_whose_body_is_cut_short() {
    for form in Form::ALL {
        for saves in [false, true] {
            for resets in [false, true] {
                let case = format!("{form:?}, saves: {saves}, resets: {resets}");
                let (folder, server) = (Folder::new(), Server::start());
                let (log, session) = Log::default()
                    .session(|all| all.temporary_directory = Some(folder.path().to_owned()));
                let answer = Answer::status(200).body_of_size(LENGTH);
                server.enqueue(match resets {
                    true => answer.reset_after(LENGTH / 2),
                    false => answer.truncate_after(LENGTH / 2),
                });
                let place = folder.path().join("a");
                let request = Request::get(server.url("/"));
                let outcome = form.download(&session, &log, request, saves.then_some(&*place));
                let error = outcome.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::NetworkConnectionLost, "{case}: {error}");
                assert_eq!(folder.names(), [""; 0], "{case}");
                assert_eq!(Counters::of(&session).files(), 0, "{case}");
                nothing_is_left(session, &[&server]);
            }
        }
    }
}

#[test]
fn nothing_is_left_of_a_download_whose_delegate_panics() {
    for saves in [false, true] {
        let (folder, server) = (Folder::new(), Server::start());
        let (log, session) = Log::default()
            .with_hook(|_, told| assert!(!matches!(told, Told::Wrote(..)), "on purpose"))
            .session(|all| all.temporary_directory = Some(folder.path().to_owned()));
        server.enqueue(Answer::status(200).body_of_size(LENGTH).stall_in_body_after(LENGTH / 2));
        let task = session.download_task(server.url("/"));
        if saves {
            task.save_to(folder.path().join("a")).unwrap();
        }
        task.resume();
        let told = without_progress(&log.whole());
        let kind = Some(ErrorKind::DelegatePanicked);
        assert_eq!(told, [Told::Response(200), Told::Completed(kind)]);
        assert_eq!(folder.names(), [""; 0]);
        drop(task);
        nothing_is_left(session, &[&server]);
    }
}

#[test]
fn nothing_is_left_of_a_file_that_a_delegate_or_a_closure_panics_over() {
    struct Panicking;
    impl Delegate for Panicking {
        fn did_finish_downloading(&self, _: &Task, file: urlsession::DownloadedFile) {
            panic!("on purpose, with {file:?}");
        }
    }
    for form in [Form::Delegate, Form::Closure] {
        let (folder, server) = (Folder::new(), Server::start());
        server.enqueue(Answer::ok("hello"));
        let mut configuration = Configuration::ephemeral();
        configuration.temporary_directory = Some(folder.path().to_owned());
        let queue = DeliveryQueue::serial();
        let session = Session::with_delegate(configuration, Arc::new(Panicking), queue).unwrap();
        let task = match form {
            Form::Delegate => session.download_task(server.url("/")),
            _ => session.download_task_with(server.url("/"), |outcome| {
                let download = outcome.unwrap();
                panic!("on purpose, with {download:?}");
            }),
        };
        task.resume();
        assert!(session.wait_until_idle(HANG));
        if form == Form::Delegate {
            assert_eq!(task.error().unwrap().kind(), ErrorKind::DelegatePanicked);
        }
        assert_eq!(folder.names(), [""; 0], "{form:?}");
        drop(task);
        nothing_is_left(session, &[&server]);
    }
}

#[test]
fn nothing_is_left_of_a_download_whose_manual_queue_nobody_can_run() {
    for form in ["delegate", "closure"] {
        let (folder, server) = (Folder::new(), Server::start());
        server.enqueue(Answer::ok("hello"));
        let (waking, woken) = channel();
        let queue = DeliveryQueue::manual(move || waking.send(()).unwrap_or_default());
        let mut configuration = Configuration::ephemeral();
        configuration.temporary_directory = Some(folder.path().to_owned());
        let session = Session::with_queue(configuration, queue.clone()).unwrap();
        let task = match form {
            "delegate" => session.download_task(server.url("/")),
            _ => session.download_task_with(server.url("/"), drop),
        };
        task.resume();
        // The completion is on its way, and the queue goes.
        woken.recv_timeout(HANG).unwrap();
        assert_eq!(folder.names().len(), 1, "{form}");
        let counters = Counters::of(&session);
        drop((session, queue, task));
        wait_for("no file", || folder.names().is_empty() && counters.files() == 0);
    }
}

#[test]
fn nothing_is_left_of_a_download_that_nobody_is_told_of() {
    for form in [Form::Delegate, Form::Closure] {
        let (folder, server) = (Folder::new(), Server::start());
        server.enqueue(Answer::ok("hello"));
        let mut configuration = Configuration::ephemeral();
        configuration.temporary_directory = Some(folder.path().to_owned());
        // The program's executor has ended.
        let queue = DeliveryQueue::custom(drop);
        let session = Session::with_queue(configuration, queue).unwrap();
        let task = match form {
            Form::Delegate => session.download_task(server.url("/")),
            _ => session.download_task_with(server.url("/"), |_| panic!("nobody calls this")),
        };
        task.resume();
        assert!(session.wait_until_idle(HANG), "{form:?}");
        assert_eq!(task.state(), TaskState::Completed, "{form:?}");
        wait_for("no file", || folder.names().is_empty());
        assert_eq!(server.request_count(), 1, "{form:?}");
        assert_eq!(Counters::of(&session).files(), 0, "{form:?}");
        drop(task);
        nothing_is_left(session, &[&server]);
    }
}

#[test]
fn a_download_that_was_suspended_goes_on_and_starts_over_if_its_connection_broke() {
    for breaks in [false, true] {
        for saves in [false, true] {
            let case = format!("breaks: {breaks}, saves: {saves}");
            let (folder, server) = (Folder::new(), Server::start());
            let session = session(|all| all.temporary_directory = Some(folder.path().to_owned()));
            let task = session.download_task(server.url("/"));
            let place = folder.path().join("a");
            if saves {
                task.save_to(&place).unwrap();
            }
            let first = Answer::status(200).body_of_size(LENGTH).stall_in_body_after(LENGTH / 2);
            server.enqueue(if breaks { first.truncate_after(LENGTH / 2) } else { first });
            // What it is the second time.
            server.enqueue(Answer::ok("another one"));
            let (sender, receiver) = channel();
            let running = task.clone();
            std::thread::spawn(move || {
                let outcome = running.run();
                sender.send(outcome.map(|download| fs::read(download.file.path()).unwrap()))
            });
            server.wait_until(|stats| stats.stalled == 1);
            task.suspend();
            assert_eq!(task.state(), TaskState::Suspended, "{case}");
            server.release();
            task.resume();
            let content = receiver.recv_timeout(HANG).unwrap();
            let content = content.unwrap_or_else(|error| panic!("{case}: {error}"));
            match breaks {
                true => assert_eq!(content, b"another one", "{case}"),
                false => assert_eq!(content.len() as u64, LENGTH, "{case}"),
            }
            assert_eq!(task.progress().bytes_received, content.len() as u64, "{case}");
            let left: &[&str] = if saves { &["a"] } else { &[] };
            assert_eq!(folder.names(), left, "{case}");
            drop(task);
            nothing_is_left(session, &[&server]);
        }
    }
}

/// Has a body to send, and the answer to it go to a file.
struct Streams;

impl Delegate for Streams {
    fn need_new_body_stream(&self, _task: &Task, reply: Reply<Option<Body>>) {
        reply.answer(Some(Body::from("precious")));
    }

    fn did_receive_response(
        &self,
        _task: &Task,
        _response: &Response,
        reply: Reply<ResponseDisposition>,
    ) {
        reply.answer(ResponseDisposition::BecomeDownload);
    }
}

#[test]
fn a_streamed_upload_that_became_a_download_starts_over_with_its_body() {
    let (folder, server) = (Folder::new(), Server::start());
    let mut configuration = Configuration::ephemeral();
    configuration.temporary_directory = Some(folder.path().to_owned());
    let queue = DeliveryQueue::serial();
    let session = Session::with_delegate(configuration, Arc::new(Streams), queue).unwrap();
    let first = Answer::status(200).body_of_size(LENGTH).stall_in_body_after(LENGTH / 2);
    server.enqueue(first.truncate_after(LENGTH / 2));
    server.enqueue(Answer::ok("the answer"));
    let task = session.streamed_upload_task(Request::put(server.url("/")));
    task.resume();
    server.wait_until(|stats| stats.stalled == 1);
    wait_for("a part of the file", || is_half_written(&task));
    task.suspend();
    server.release();
    task.resume();
    assert!(session.wait_until_idle(HANG));
    assert!(task.error().is_none(), "{:?}", task.error());
    for attempt in 0..2 {
        assert_eq!(server.take_request().body(), b"precious", "attempt {attempt}");
    }
    drop(task);
    nothing_is_left(session, &[&server]);
}

#[test]
fn a_place_without_a_path_is_an_error() {
    let server = Server::start();
    let session = session(|_| {});
    let task = session.download_task(server.url("/"));
    let error = task.save_to("").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error}");
    drop(task);
    nothing_is_left(session, &[&server]);
}
