//! Files that are sent: whole, once opened, and with an eye on the server, whether the
//! system moves them by itself or they are read.

use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::time::Duration;

use urlsession::testing::{Answer, Counters, Server, Stats};
use urlsession::{Body, CancelToken, Error, ErrorKind, Multipart, Part, Request, Session, Stage};

use crate::support::folder::Folder;
use crate::support::running::{
    HANG, Running, by_hand, nothing_is_left, plain_and_tls, session, turn_until_ended,
};
use crate::support::transfer_log::{Log, Told, adds_up, sent};
use crate::upload_tasks::pattern;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// More than both systems hold for a server that does not read.
const HUGE: u64 = 64 << 20;

/// What is moved at a time, at most.
const PORTION: u64 = 256 * 1024;

/// A file of so many zeros, which takes no room.
fn zeros(folder: &Folder, length: u64) -> PathBuf {
    let path = folder.path().join("zeros");
    File::create(&path).unwrap().set_len(length).unwrap();
    path
}

fn put(url: String, file: &Path) -> Request {
    Request::put(url).body(Body::file(file))
}

/// An upload of `file` whose server has read some of it and reads no more until it is released.
fn stalled(server: &Server, session: &Session, request: Request) -> Running<Result<String, Error>> {
    server.enqueue(Answer::ok("taken").stall_reading_after(100_000));
    let session = session.clone();
    let load = Running::start(move || session.data(request).map(|data| data.text().into_owned()));
    server.wait_until(|stats| stats.stalled == 1);
    load
}

#[test]
fn a_file_of_any_length_arrives_byte_for_byte() {
    let folder = Folder::new();
    let lengths =
        [0, 1, 16 * KIB - 1, 16 * KIB, 16 * KIB + 1, 64 * KIB - 1, 64 * KIB, 64 * KIB + 1];
    // A first piece that is read, and then as much as is worth moving otherwise, or not.
    let around = [576 * KIB - 1, 576 * KIB, 576 * KIB + 1, 640 * KIB, MIB + 3, 5 * MIB];
    plain_and_tls(|over, server, session| {
        for length in lengths.into_iter().chain(around) {
            let bytes = pattern(length);
            let file = folder.file("body", &bytes);
            server.enqueue(Answer::ok("taken"));
            let data = session.data(put(server.url("/"), &file)).unwrap();
            assert_eq!(data.text(), "taken", "{length}, {over}");
            let request = server.take_request();
            assert!(request.body() == bytes, "{length}, {over}: {}", request.body_length());
            let announced = request.header("Content-Length").unwrap();
            assert_eq!(announced, length.to_string(), "{over}");
            // All over one connection: not a byte too many was sent.
            assert_eq!(request.connection(), 0, "{length}, {over}");
        }
        nothing_is_left(session, &[&server]);
    });
}

#[test]
fn a_file_held_back_until_the_server_agrees_arrives_whole() {
    let folder = Folder::new();
    let bytes = pattern(3 * MIB + 1);
    let file = folder.file("body", &bytes);
    for answer in [
        Answer::ok("taken"),
        Answer::ok("taken").early_informational(103, &[("Link", "</a.css>")]),
        (0..8).fold(Answer::ok("taken"), |answer, _| answer.early_informational(102, &[])),
    ] {
        for expects in [true, false] {
            let (server, session) = (Server::start(), session(|_| {}));
            server.enqueue(answer.clone());
            let mut request = put(server.url("/"), &file);
            if expects {
                request = request.header("Expect", "100-continue");
            }
            assert_eq!(session.data(request).unwrap().text(), "taken", "{expects}");
            assert!(server.take_request().body() == bytes, "{expects}");
            assert_eq!(Counters::of(&session).sockets(), 1, "{expects}");
            nothing_is_left(session, &[&server]);
        }
    }
}

#[test]
fn a_file_whose_length_changes_while_it_is_sent_fails_the_load() {
    // The shorter one is still longer than what both systems hold.
    const LENGTH: u64 = 16 << 20;
    for (length, how) in [(LENGTH - 4 * MIB as u64, "shorter"), (LENGTH + 1, "longer")] {
        plain_and_tls(|over, server, session| {
            let folder = Folder::new();
            let file = zeros(&folder, LENGTH);
            let load = stalled(&server, &session, put(server.url("/"), &file));
            OpenOptions::new().write(true).open(&file).unwrap().set_len(length).unwrap();
            server.release();
            let error = load.outcome().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{how}, {over}: {error}");
            assert_eq!(error.stage(), Some(Stage::Sending), "{how}, {over}");
            assert!(error.to_string().contains(how), "{how}, {over}: {error}");
            // The server must not take what came for a whole request.
            assert_eq!(Counters::of(&session).sockets(), 0, "{how}, {over}");
            server.wait_until(|stats| stats.open_connections == 0);
            let stats = server.stats();
            assert_eq!(stats.requests, 0, "{how}, {over}");
            assert!(stats.body_bytes < LENGTH, "{how}, {over}: {stats:?}");
            nothing_is_left(session, &[&server]);
        });
    }
}

// Elsewhere a file that is open may keep its place.
#[cfg(unix)]
#[test]
fn the_file_that_was_opened_is_sent_although_another_takes_its_place() {
    let folder = Folder::new();
    let bytes = pattern(24 * MIB);
    let file = folder.file("body", &bytes);
    let server = Server::builder().body_limit(bytes.len()).start();
    let session = session(|_| {});
    let load = stalled(&server, &session, put(server.url("/"), &file));
    fs::rename(folder.file("other", "other"), &file).unwrap();
    server.release();
    assert_eq!(load.outcome().unwrap(), "taken");
    assert!(server.take_request().body() == bytes);
    nothing_is_left(session, &[&server]);
}

#[test]
fn an_early_answer_ends_the_sending_of_a_file() {
    let folder = Folder::new();
    let file = zeros(&folder, HUGE);
    for (name, answer) in [
        ("goes on reading", Answer::status(413).respond_before_body()),
        ("never reads", Answer::status(413).never_read_body()),
        ("closes", Answer::status(413).respond_before_body().close_after_answer()),
    ] {
        plain_and_tls(|over, server, session| {
            server.enqueue(answer.clone().body("enough"));
            let data = session.data(put(server.url("/"), &file));
            let data = data.unwrap_or_else(|error| panic!("{name}, {over}: {error}"));
            assert_eq!(data.response.status(), 413, "{name}, {over}");
            assert_eq!(data.text(), "enough", "{name}, {over}");
            assert_eq!(Counters::of(&session).sockets(), 0, "{name}, {over}");
            nothing_is_left(session, &[&server]);
            assert!(server.stats().body_bytes < HUGE, "{name}, {over}");
        });
    }
}

#[test]
fn a_server_that_leaves_while_a_file_is_sent_fails_the_load() {
    let folder = Folder::new();
    let file = zeros(&folder, HUGE);
    for (name, fault) in [
        ("closes", Answer::ok("").close_after_reading(1_000_000)),
        ("resets", Answer::ok("").reset_after_reading(1_000_000)),
    ] {
        plain_and_tls(|over, server, session| {
            server.enqueue(fault.clone());
            let error = session.data(put(server.url("/"), &file)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NetworkConnectionLost, "{name}, {over}: {error}");
            assert_eq!(error.stage(), Some(Stage::Sending), "{name}, {over}");
            assert_eq!(server.request_count(), 1, "{name}, {over}");
            nothing_is_left(session, &[&server]);
        });
    }
}

#[test]
fn a_cancel_and_the_idle_timer_end_the_sending_of_a_file() {
    let folder = Folder::new();
    let file = zeros(&folder, HUGE);
    for is_cancelled in [true, false] {
        plain_and_tls(|over, server, session| {
            let (token, (session, clock)) = (CancelToken::new(), by_hand(&session));
            let request = put(server.url("/"), &file).cancel_token(&token);
            let load = stalled(&server, &session, request);
            if is_cancelled {
                token.cancel();
            } else {
                turn_until_ended(&clock, &load);
            }
            let error = load.outcome().unwrap_err();
            let expected = if is_cancelled { ErrorKind::Cancelled } else { ErrorKind::TimedOut };
            assert_eq!(error.kind(), expected, "{over}: {error}");
            assert_eq!(error.stage(), Some(Stage::Sending), "{over}");
            assert_eq!(Counters::of(&session).sockets(), 0, "{over}");
            nothing_is_left(session, &[&server]);
        });
    }
}

#[test]
fn a_suspended_task_sends_no_more_of_its_file_until_it_is_resumed() {
    let folder = Folder::new();
    let bytes = pattern(32 * MIB);
    let file = folder.file("body", &bytes);
    let server = Server::builder().body_limit(bytes.len()).start();
    let session = session(|_| {});
    server.enqueue(Answer::ok("taken").stall_reading_after(100_000));
    let task = session.upload_task(Request::put(server.url("/")), Body::file(&file));
    let running = task.clone();
    let running = Running::start(move || running.run().map(drop));
    server.wait_until(|stats| stats.stalled == 1);
    task.suspend();
    let before = task.progress().bytes_sent;
    server.release();
    let is_whole = |stats: &Stats| stats.requests == 1;
    assert!(!server.wait_until_for(Duration::from_millis(200), is_whole));
    // One portion was on its way.
    let sent = task.progress().bytes_sent - before;
    assert!(sent <= PORTION, "{sent} more after {before}");
    assert!(running.is_running());
    task.resume();
    running.outcome().unwrap();
    assert_eq!(task.progress().bytes_sent, bytes.len() as u64);
    assert!(server.take_request().body() == bytes);
    drop(task);
    nothing_is_left(session, &[&server]);
}

#[test]
fn the_sending_of_a_file_is_told_in_small_portions_that_add_up() {
    let folder = Folder::new();
    for length in [MIB + 3, 5 * MIB] {
        let file = folder.file("body", pattern(length));
        let server = Server::start();
        server.enqueue(Answer::ok("taken"));
        let (log, session) = Log::default().session(|all| all.progress_interval = Duration::ZERO);
        session.upload_task(Request::put(server.url("/")), Body::file(&file)).resume();
        let told = log.whole();
        assert!(session.wait_until_idle(HANG), "{length}");
        assert_eq!(adds_up(sent(&told), "file"), length as u64);
        for told in &told {
            if let Told::Sent(bytes, _, expected) = told {
                assert!(*bytes <= PORTION, "{length}: {told:?}");
                assert_eq!(*expected, Some(length as u64));
            }
        }
        nothing_is_left(session, &[&server]);
    }
}

#[test]
fn a_redirect_that_keeps_the_body_has_the_file_sent_again() {
    let folder = Folder::new();
    let bytes = pattern(MIB + 3);
    let file = folder.file("body", &bytes);
    plain_and_tls(|over, server, session| {
        server.enqueue(Answer::redirect(307, "/there"));
        server.enqueue(Answer::ok("taken"));
        let data = session.data(put(server.url("/"), &file)).unwrap();
        assert_eq!(data.text(), "taken", "{over}");
        for path in ["/", "/there"] {
            let request = server.take_request();
            assert_eq!(request.path(), path, "{over}");
            assert!(request.body() == bytes, "{path}, {over}");
        }
        nothing_is_left(session, &[&server]);
    });
}

/// How many bytes this thread has written by calls that count, or `None` if the system does
/// not tell. `sendfile` counts, `send` does not.
#[cfg(target_os = "linux")]
fn written() -> Option<u64> {
    let counts = fs::read_to_string("/proc/thread-self/io").ok()?;
    counts.lines().find_map(|line| line.strip_prefix("wchar: "))?.parse().ok()
}

#[cfg(target_os = "linux")]
#[test]
fn only_large_files_on_plain_connections_are_sent_without_being_copied() {
    if written().is_none() {
        return;
    }
    let folder = Folder::new();
    plain_and_tls(|over, server, session| {
        server.handle(|_| Answer::ok("taken"));
        for (length, is_form) in
            [(8 * MIB, false), (300 * KIB, false), (10 * KIB, false), (8 * MIB, true)]
        {
            let file = Body::file(folder.file("body", pattern(length)));
            let request = match is_form {
                true => Request::put(server.url("/"))
                    .body(Multipart::new().part("file", Part::new(file))),
                false => Request::put(server.url("/")).body(file),
            };
            let before = written().unwrap();
            session.data(request).unwrap();
            let uncopied = written().unwrap() - before;
            let case = format!("{length} bytes, form: {is_form}, {over}");
            match over == "plain" && length == 8 * MIB && !is_form {
                // The first piece goes behind the head, the last is checked.
                true => assert_eq!(uncopied, (length - 128 * KIB) as u64, "{case}"),
                false => assert_eq!(uncopied, 0, "{case}"),
            }
        }
        nothing_is_left(session, &[&server]);
    });
}

#[cfg(target_os = "linux")]
#[test]
fn what_the_system_does_not_send_by_itself_is_read() {
    use std::thread;

    use rustix::fs::{CWD, FileType, Mode, mknodat};

    // A pipe is read like a file, but `sendfile` refuses it.
    let bytes = pattern(2 * MIB + 5);
    for (announced, expected) in
        [(bytes.len(), None), (bytes.len() + 1, Some("shorter")), (bytes.len() - 1, Some("longer"))]
    {
        let folder = Folder::new();
        let path = folder.path().join("pipe");
        mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let (server, session) = (Server::start(), session(|_| {}));
        server.enqueue(Answer::ok("taken"));
        let (content, pipe) = (bytes.clone(), path.clone());
        let writer = thread::spawn(move || fs::write(pipe, content));
        let body = Body::file(&path).with_length(announced as u64);
        let outcome = session.data(Request::put(server.url("/")).body(body));
        match expected {
            None => {
                assert_eq!(outcome.unwrap().text(), "taken");
                assert!(server.take_request().body() == bytes);
                writer.join().unwrap().unwrap();
            }
            Some(how) => {
                let error = outcome.unwrap_err();
                assert!(error.to_string().contains(how), "{how}: {error}");
                // It may have found its reader gone.
                let _ = writer.join().unwrap();
            }
        }
        nothing_is_left(session, &[&server]);
    }
}
