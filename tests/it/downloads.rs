//! Bodies that go to files: each form, what is told, and what is there at the end.

use std::fs;
use std::path::Path;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use urlsession::testing::{Answer, Counters, Server};
use urlsession::{
    Configuration, Delegate, DeliveryQueue, Download, DownloadedFile, Error, ErrorKind, Request,
    ResponseDisposition, Session, Task, Update,
};

use crate::support::download_forms::Form;
use crate::support::folder::Folder;
use crate::support::running::{HANG, nothing_is_left, session, wait_for};
use crate::support::transfer_log::{Log, Told, adds_up, without_progress, wrote};

const PIECE: u64 = 64 * 1024;

/// What the test server sends as a body of so many bytes.
fn alphabet(length: usize) -> Vec<u8> {
    (0..length).map(|at| b'a' + (at % 26) as u8).collect()
}

/// Has temporary files go to `folder`.
fn to(folder: &Folder) -> impl FnOnce(&mut Configuration) + use<> {
    let path = folder.path().to_owned();
    move |configuration| configuration.temporary_directory = Some(path)
}

#[test]
fn a_body_is_downloaded_in_every_form() {
    for form in Form::ALL {
        for length in [0, 5, 65_536, 1_000_003] {
            let case = format!("{form:?}, {length} bytes");
            let (folder, server) = (Folder::new(), Server::start());
            server.enqueue(Answer::status(200).body_of_size(length));
            let (log, session) = Log::default().session(to(&folder));
            let outcome = form.download(&session, &log, Request::get(server.url("/")), None);
            let (status, content) = outcome.unwrap_or_else(|error| panic!("{case}: {error}"));
            assert_eq!(status, 200, "{case}");
            assert!(content == alphabet(length as usize), "{case}: {} bytes", content.len());
            assert_eq!(folder.names(), [""; 0], "{case}");
            nothing_is_left(session, &[&server]);
        }
    }
}

#[test]
fn a_body_is_downloaded_to_its_place_in_every_form() {
    for form in Form::ALL {
        let (folder, server) = (Folder::new(), Server::start());
        server.enqueue(Answer::ok("hello"));
        let (log, session) = Log::default().session(|_| {});
        let place = folder.path().join("greeting.txt");
        let outcome = form.download(&session, &log, Request::get(server.url("/")), Some(&place));
        assert_eq!(outcome.unwrap(), (200, b"hello".to_vec()), "{form:?}");
        // It stays, and is all that is there.
        assert_eq!(folder.names(), ["greeting.txt"], "{form:?}");
        assert_eq!(fs::read(&place).unwrap(), b"hello", "{form:?}");
        nothing_is_left(session, &[&server]);
    }
}

#[test]
fn what_is_downloaded_is_what_the_response_brings() {
    let cases: [(&str, Request, Answer, u16, &[u8]); 6] = [
        (
            "a status that is no success",
            get(),
            Answer::status(404).body("missing"),
            404,
            b"missing",
        ),
        ("an empty body", get(), Answer::ok(""), 200, b""),
        ("no body", get(), Answer::status(204), 204, b""),
        ("HEAD", Request::head(""), Answer::ok("hello"), 200, b""),
        ("in chunks", get(), Answer::ok("hello").chunked(2), 200, b"hello"),
        ("until the end", get(), Answer::ok("hello").until_close(), 200, b"hello"),
    ];
    for (case, request, answer, status, content) in cases {
        for form in Form::ALL {
            let (folder, server) = (Folder::new(), Server::start());
            server.enqueue(answer.clone());
            let (log, session) = Log::default().session(to(&folder));
            let request = Request::new(request.method().as_str(), server.url("/"));
            let outcome = form.download(&session, &log, request, None).unwrap();
            assert_eq!(outcome, (status, content.to_vec()), "{case}, {form:?}");
            assert_eq!(folder.names(), [""; 0], "{case}, {form:?}");
            nothing_is_left(session, &[&server]);
        }
    }
}

fn get() -> Request {
    Request::get("")
}

#[test]
fn the_file_is_there_while_it_is_handed_over_and_gone_afterwards() {
    for form in Form::ALL {
        let (folder, server) = (Folder::new(), Server::start());
        server.enqueue(Answer::ok("hello"));
        let (log, session) = Log::default().session(to(&folder));
        // The content is read where the file is handed over.
        let outcome = form.download(&session, &log, Request::get(server.url("/")), None);
        assert_eq!(outcome.unwrap().1, b"hello", "{form:?}");
        if form == Form::Delegate {
            let places = log.places();
            assert!(matches!(&places[..], [place] if place.starts_with(folder.path())));
        }
        assert_eq!(folder.names(), [""; 0], "{form:?}");
        nothing_is_left(session, &[&server]);
    }
}

/// Keeps the file beyond the call.
struct Keeping(Mutex<Option<DownloadedFile>>);

impl Delegate for Keeping {
    fn did_finish_downloading(&self, _task: &Task, file: DownloadedFile) {
        *self.0.lock().unwrap() = Some(file);
    }
}

#[test]
fn a_file_that_is_kept_or_persisted_stays() {
    let (folder, server) = (Folder::new(), Server::start());
    server.handle(|_| Answer::ok("hello"));
    let keeping = Arc::new(Keeping(Mutex::default()));
    let mut configuration = Configuration::ephemeral();
    to(&folder)(&mut configuration);
    let session =
        Session::with_delegate(configuration, keeping.clone(), DeliveryQueue::serial()).unwrap();
    let take = || {
        session.download_task(server.url("/")).resume();
        assert!(session.wait_until_idle(HANG));
        keeping.0.lock().unwrap().take().unwrap()
    };

    // It belongs to whoever has it.
    let file = take();
    assert_eq!(fs::read(file.path()).unwrap(), b"hello");
    drop(file);
    assert_eq!(folder.names(), [""; 0]);

    let mut file = take();
    file.persist(folder.path().join("persisted")).unwrap();
    drop(file);
    assert_eq!(folder.names(), ["persisted"]);
    assert_eq!(fs::read(folder.path().join("persisted")).unwrap(), b"hello");

    let kept = take().keep();
    assert_eq!(fs::read(kept).unwrap(), b"hello");
    assert_eq!(folder.names().len(), 2);
    nothing_is_left(session, &[&server]);
}

#[test]
fn no_temporary_file_is_left_of_any_form() {
    let (folder, server) = (Folder::new(), Server::start());
    server.handle(|_| Answer::status(200).body_of_size(200_000));
    let (log, session) = Log::default().session(to(&folder));
    for form in Form::ALL {
        form.download(&session, &log, Request::get(server.url("/")), None).unwrap();
        log.take();
    }
    let counters = Counters::of(&session);
    assert_eq!((folder.names(), counters.files()), (Vec::new(), 0));

    // Nobody takes these.
    let (sender, receiver) = channel();
    drop(receiver);
    session.download_task_to(server.url("/"), &sender).resume();
    session.download_task_with(server.url("/"), drop).resume();
    assert!(session.wait_until_idle(HANG));
    drop(session.download_task(server.url("/")).updates());
    assert!(session.wait_until_idle(HANG));
    wait_for("no file", || counters.files() == 0 && folder.names().is_empty());
    nothing_is_left(session, &[&server]);
}

#[test]
fn the_file_comes_before_the_completion_and_only_without_an_error() {
    type Plan = (&'static str, Answer, Option<ErrorKind>);
    let cases: [Plan; 4] = [
        ("whole", Answer::ok("hello"), None),
        ("status 500", Answer::status(500).body("hello"), None),
        (
            "cut short",
            Answer::ok("hello, hello").truncate_after(5),
            Some(ErrorKind::NetworkConnectionLost),
        ),
        (
            "closed before",
            Answer::ok("").close_before_answer(),
            Some(ErrorKind::NetworkConnectionLost),
        ),
    ];
    for (case, answer, kind) in cases {
        let (folder, server) = (Folder::new(), Server::start());
        server.enqueue(answer.clone());
        let (log, session) = Log::default().session(to(&folder));
        session.download_task(Request::post(server.url("/"))).resume();
        let told = log.whole();
        let file = told.iter().filter(|told| matches!(told, Told::Downloaded(_))).count();
        assert_eq!(file, usize::from(kind.is_none()), "{case}: {told:?}");
        let ends = [Told::Downloaded(b"hello".to_vec()), Told::Completed(kind)];
        let ends = if kind.is_none() { &ends[..] } else { &ends[1..] };
        assert!(without_progress(&told).ends_with(ends), "{case}: {told:?}");
        assert!(session.wait_until_idle(HANG));
        assert_eq!(log.take(), told, "{case}");
        assert_eq!(folder.names(), [""; 0], "{case}");
        nothing_is_left(session, &[&server]);
    }
}

#[test]
fn a_cancel_after_the_file_was_handed_over_comes_too_late() {
    for saves in [false, true] {
        let (folder, server) = (Folder::new(), Server::start());
        server.enqueue(Answer::ok("hello"));
        let (log, session) = Log::default()
            .with_hook(|task, told| {
                if let Told::Downloaded(_) = told {
                    task.cancel();
                }
            })
            .session(to(&folder));
        let task = session.download_task(server.url("/"));
        if saves {
            task.save_to(folder.path().join("greeting")).unwrap();
        }
        task.resume();
        assert_eq!(log.whole().last(), Some(&Told::Completed(None)));
        assert!(task.error().is_none());
        drop(task);
        nothing_is_left(session, &[&server]);
    }
}

/// Waits until a task that tells what it has written needs its file no more: all has come,
/// and nothing of the end is told yet.
fn wait_until_written(task: &Task) {
    let counters = Counters::of(&task.session());
    wait_for("the file", || counters.files() == 0);
}

#[test]
fn a_cancel_before_the_file_is_handed_over_ends_without_it_unless_it_is_in_place() {
    for (saves, kind) in [(false, Some(ErrorKind::Cancelled)), (true, None)] {
        let (folder, server) = (Folder::new(), Server::start());
        server.enqueue(Answer::ok("hello"));
        let (log, session) = Log::default()
            .with_hook(|task, told| {
                if let Told::Wrote(..) = told {
                    wait_until_written(task);
                    task.cancel();
                }
            })
            .session(to(&folder));
        let task = session.download_task(server.url("/"));
        if saves {
            task.save_to(folder.path().join("greeting")).unwrap();
        }
        task.resume();
        let told = without_progress(&log.whole());
        let expected: &[Told] = match kind {
            None => {
                &[Told::Response(200), Told::Downloaded(b"hello".to_vec()), Told::Completed(None)]
            }
            Some(_) => &[Told::Response(200), Told::Completed(kind)],
        };
        assert_eq!(told, expected, "saves: {saves}");
        assert_eq!(folder.names().len(), usize::from(saves), "saves: {saves}");
        drop(task);
        nothing_is_left(session, &[&server]);
    }
}

#[test]
fn a_delegate_that_panics_about_what_was_written_gets_no_file() {
    for saves in [false, true] {
        let (folder, server) = (Folder::new(), Server::start());
        server.enqueue(Answer::ok("hello"));
        let (log, session) = Log::default()
            .with_hook(|task, told| {
                if let Told::Wrote(..) = told {
                    wait_until_written(task);
                    panic!("on purpose");
                }
            })
            .session(to(&folder));
        let task = session.download_task(server.url("/"));
        if saves {
            task.save_to(folder.path().join("greeting")).unwrap();
        }
        task.resume();
        let told = without_progress(&log.whole());
        let expected = [Told::Response(200), Told::Completed(Some(ErrorKind::DelegatePanicked))];
        assert_eq!(told, expected, "saves: {saves}");
        assert_eq!(folder.names(), [""; 0], "saves: {saves}");
        drop(task);
        nothing_is_left(session, &[&server]);
    }
}

#[test]
fn a_file_that_has_replaced_another_stays_whatever_its_delegate_does() {
    let (folder, server) = (Folder::new(), Server::start());
    server.enqueue(Answer::ok("new"));
    let place = folder.path().join("greeting");
    fs::write(&place, "old").unwrap();
    let (log, session) = Log::default()
        .with_hook(|task, told| {
            if let Told::Wrote(..) = told {
                wait_until_written(task);
                panic!("on purpose");
            }
        })
        .session(to(&folder));
    let task = session.download_task(server.url("/"));
    task.save_over(&place).unwrap();
    task.resume();
    let told = without_progress(&log.whole());
    let expected = [Told::Response(200), Told::Completed(Some(ErrorKind::DelegatePanicked))];
    assert_eq!(told, expected);
    assert_eq!(fs::read(&place).unwrap(), b"new");
    drop(task);
    nothing_is_left(session, &[&server]);
}

#[test]
fn what_was_written_adds_up_to_the_file() {
    const LENGTH: u64 = 10 * PIECE - 7;
    for interval in [Duration::ZERO, Duration::from_millis(100)] {
        for (framing, expected) in [("length", Some(LENGTH)), ("chunks", None)] {
            let case = format!("{interval:?}, {framing}");
            let (folder, server) = (Folder::new(), Server::start());
            let answer = Answer::status(200).body_of_size(LENGTH);
            server.enqueue(if expected.is_some() { answer } else { answer.chunked(9_001) });
            let (log, session) = Log::default().session(|all| {
                to(&folder)(all);
                all.progress_interval = interval;
            });
            let task = session.download_task(server.url("/"));
            task.resume();
            let told = log.whole();
            assert_eq!(adds_up(wrote(&told), &case), LENGTH, "{case}");
            let is_expected = |told: &Told| match told {
                Told::Wrote(_, _, told) => *told == expected,
                _ => true,
            };
            assert!(told.iter().all(is_expected), "{case}: {told:?}");
            // The last of them before the file is handed over.
            let at = |is: fn(&Told) -> bool| told.iter().rposition(is);
            let last = at(|told| matches!(told, Told::Wrote(..)));
            assert!(last < at(|told| matches!(told, Told::Downloaded(_))), "{case}");
            let progress = task.progress();
            assert_eq!(progress.bytes_received, LENGTH, "{case}");
            assert_eq!(progress.bytes_expected_to_receive, expected, "{case}");
            drop(task);
            nothing_is_left(session, &[&server]);
        }
    }
}

#[test]
fn updates_tell_how_much_was_written() {
    const LENGTH: u64 = 10 * PIECE - 7;
    let (folder, server) = (Folder::new(), Server::start());
    server.enqueue(Answer::status(200).body_of_size(LENGTH));
    let session = session(|all| {
        to(&folder)(all);
        all.progress_interval = Duration::ZERO;
    });
    let (mut totals, mut file) = (Vec::new(), None);
    for update in session.download_task(server.url("/")).updates() {
        match update {
            Update::Progress(progress) => {
                assert!(file.is_none());
                totals.push(progress.bytes_received);
            }
            Update::Downloaded(downloaded) => file = Some(downloaded),
            Update::Finished(outcome) => outcome.unwrap(),
            Update::Data(_) => panic!("the body goes to the file"),
            _ => {}
        }
    }
    assert!(totals.is_sorted() && totals.last() == Some(&LENGTH), "{totals:?}");
    assert_eq!(file.map(|file| file.len()), Some(LENGTH));
    nothing_is_left(session, &[&server]);
}

#[test]
fn temporary_files_go_to_the_folder_of_the_configuration() {
    let (folder, server) = (Folder::new(), Server::start());
    server.handle(|_| Answer::ok("hello"));
    let session_in = |path: &Path| session(|all| all.temporary_directory = Some(path.to_owned()));
    let inside = session_in(folder.path());
    let Download { file, .. } = inside.download(server.url("/")).unwrap();
    assert_eq!(file.path().parent(), Some(folder.path()));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(file.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    drop(file);
    let nowhere = session_in(&folder.path().join("missing"));
    let error: Error = nowhere.download(server.url("/")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::FolderDoesNotExist, "{error}");
    for session in [inside, nowhere] {
        nothing_is_left(session, &[&server]);
    }
}

#[test]
fn a_data_task_becomes_a_download_if_its_delegate_says_so() {
    let (folder, server) = (Folder::new(), Server::start());
    server.enqueue(Answer::ok("hello"));
    let (log, session) = Log::default()
        .with_disposition(ResponseDisposition::BecomeDownload)
        .with_hook(|task, told| {
            if let Told::BecameDownload = told {
                let tasks = task.session().tasks();
                assert_eq!((tasks.data.len(), tasks.downloads.len()), (0, 1));
            }
        })
        .session(to(&folder));
    let task = session.data_task(server.url("/"));
    task.resume();
    let told = log.whole();
    let expected = [
        Told::Response(200),
        Told::BecameDownload,
        Told::Downloaded(b"hello".to_vec()),
        Told::Completed(None),
    ];
    assert_eq!(without_progress(&told), expected);
    assert_eq!(adds_up(wrote(&told), "became a download"), 5);
    assert_eq!(folder.names(), [""; 0]);
    drop(task);
    nothing_is_left(session, &[&server]);
}

#[test]
fn a_task_with_nobody_to_give_a_file_to_becomes_no_download() {
    let server = Server::start();
    server.handle(|_| Answer::ok("hello"));
    let asked = || Log::default().with_disposition(ResponseDisposition::BecomeDownload);
    // A task of a caller asks its own delegate.
    let (log, session) = asked().session(|_| {});
    for form in ["run", "bytes"] {
        let error = match form {
            "run" => {
                let task = session.data_task(server.url("/"));
                task.set_delegate(log.clone()).unwrap();
                task.run().unwrap_err()
            }
            _ => {
                // Its task has no delegate yet when it is made.
                let creating = Arc::new(Creating(Arc::new(asked())));
                let session = Session::with_delegate(
                    Configuration::ephemeral(),
                    creating,
                    DeliveryQueue::serial(),
                );
                session.unwrap().bytes(server.url("/")).unwrap_err()
            }
        };
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{form}: {error}");
        assert!(error.to_string().contains("become a download"), "{form}: {error}");
    }
    // Those with a closure, a channel or updates are not asked.
    let (sender, receiver) = channel();
    session.data_task_to(server.url("/"), &sender).resume();
    assert_eq!(receiver.recv_timeout(HANG).unwrap().outcome.unwrap().body, b"hello");
    let (sender, receiver) = channel();
    session.data_task_with(server.url("/"), move |end| sender.send(end).unwrap()).resume();
    assert_eq!(receiver.recv_timeout(HANG).unwrap().unwrap().body, b"hello");
    let last = session.data_task(server.url("/")).updates().last();
    assert!(matches!(last, Some(Update::Finished(Ok(())))), "{last:?}");
    nothing_is_left(session, &[&server]);
}

/// Gives every task a delegate of its own.
struct Creating(Arc<Log>);

impl Delegate for Creating {
    fn did_create_task(&self, task: &Task) {
        task.set_delegate(self.0.clone()).unwrap();
    }
}
