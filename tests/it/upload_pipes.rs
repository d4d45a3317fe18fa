//! Pipes that are sent: nobody waits for their other end alone.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, mknodat};
use urlsession::testing::{Answer, Counters};
use urlsession::{Body, CancelToken, ErrorKind, Multipart, Part, Request, Stage};

use crate::support::folder::Folder;
use crate::support::running::{
    Running, Way, by_hand, nothing_is_left, plain_and_tls, turn_until_ended, wait_for,
};
use crate::upload_tasks::pattern;

fn pipe(folder: &Folder) -> PathBuf {
    let path = folder.path().join("pipe");
    mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    path
}

/// The bodies that a pipe can be sent in.
fn bodies(pipe: &Path) -> [Body; 3] {
    let form = Multipart::new().text("a", "b").part("pipe", Part::new(Body::file(pipe)));
    [Body::file(pipe), Body::file(pipe).with_length(10), Body::from(form)]
}

/// Waits until somebody has the pipe open to read, and opens the other end.
fn writer(pipe: &Path) -> File {
    OpenOptions::new().write(true).open(pipe).unwrap()
}

#[test]
fn a_cancel_and_the_idle_timer_end_the_wait_for_a_pipe_that_nobody_writes_into() {
    let folder = Folder::new();
    let pipe = pipe(&folder);
    for is_cancelled in [true, false] {
        for body in bodies(&pipe) {
            plain_and_tls(|over, server, session| {
                let (token, (session, clock)) = (CancelToken::new(), by_hand(&session));
                let request = Request::put(server.url("/")).body(body.clone());
                let load = Way::Data.start(&session, request.cancel_token(&token));
                let counters = Counters::of(&session);
                wait_for("the file", || counters.files() == 1);
                if is_cancelled {
                    token.cancel();
                } else {
                    turn_until_ended(&clock, &load);
                }
                let error = load.outcome().unwrap_err();
                let kind = if is_cancelled { ErrorKind::Cancelled } else { ErrorKind::TimedOut };
                assert_eq!(error.kind(), kind, "{over}: {error}");
                assert_eq!(error.stage(), Some(Stage::Sending), "{over}");
                assert_eq!((counters.files(), counters.sockets()), (0, 0), "{over}");
                nothing_is_left(session, &[&server]);
            });
        }
    }
}

#[test]
fn what_a_pipe_has_goes_out_and_a_cancel_ends_the_wait_for_more() {
    let folder = Folder::new();
    let pipe = pipe(&folder);
    for body in bodies(&pipe) {
        plain_and_tls(|over, server, session| {
            let token = CancelToken::new();
            let request = Request::put(server.url("/")).body(body.clone()).cancel_token(&token);
            let load = Way::Data.start(&session, request);
            let mut writer = writer(&pipe);
            writer.write_all(b"hello").unwrap();
            server.wait_until(|stats| stats.body_bytes >= 5);
            assert!(load.is_running(), "{over}");
            token.cancel();
            assert_eq!(load.outcome().unwrap_err().kind(), ErrorKind::Cancelled, "{over}");
            nothing_is_left(session, &[&server]);
        });
    }
}

#[test]
fn a_pipe_arrives_whole_whenever_its_writer_comes() {
    let folder = Folder::new();
    let pipe = pipe(&folder);
    let bytes = pattern(300_000);
    for length in [None, Some(bytes.len() as u64)] {
        plain_and_tls(|over, server, session| {
            server.enqueue(Answer::ok("taken"));
            let mut body = Body::file(&pipe);
            if let Some(length) = length {
                body = body.with_length(length);
            }
            let load = Way::Data.start(&session, Request::put(server.url("/")).body(body));
            let (path, content) = (pipe.clone(), bytes.clone());
            let counters = Counters::of(&session);
            wait_for("the file", || counters.files() == 1);
            let writing = Running::start(move || {
                let mut writer = writer(&path);
                for piece in content.chunks(70_000) {
                    writer.write_all(piece).unwrap();
                }
            });
            assert_eq!(load.outcome().unwrap(), b"taken", "{over}");
            writing.outcome();
            assert!(server.take_request().body() == bytes, "{over}");
            nothing_is_left(session, &[&server]);
        });
    }
}

#[test]
fn a_pipe_into_which_nothing_is_written_is_an_empty_body() {
    let folder = Folder::new();
    let pipe = pipe(&folder);
    plain_and_tls(|over, server, session| {
        server.enqueue(Answer::ok("taken"));
        let request = Request::put(server.url("/")).body(Body::file(&pipe));
        let load = Way::Data.start(&session, request);
        drop(writer(&pipe));
        assert_eq!(load.outcome().unwrap(), b"taken", "{over}");
        assert_eq!(server.take_request().body(), b"", "{over}");
        nothing_is_left(session, &[&server]);
    });
}

#[test]
fn a_refusal_is_heard_while_a_pipe_has_nothing_to_send() {
    let folder = Folder::new();
    let pipe = pipe(&folder);
    for body in bodies(&pipe) {
        plain_and_tls(|over, server, session| {
            server.enqueue(Answer::status(413).respond_before_body().body("enough"));
            let load = Way::Data.start(&session, Request::put(server.url("/")).body(body.clone()));
            let mut writer = writer(&pipe);
            // The refusal may be there already, and nobody reads any more.
            if let Err(error) = writer.write_all(b"hello") {
                assert_eq!(error.kind(), io::ErrorKind::BrokenPipe, "{over}");
            }
            assert_eq!(load.outcome().unwrap(), b"enough", "{over}");
            nothing_is_left(session, &[&server]);
        });
    }
}

#[test]
fn a_pipe_is_sent_once() {
    let folder = Folder::new();
    let (pipe, file) = (pipe(&folder), folder.file("file", "hello"));
    for (path, rewinds) in [
        (&*pipe, false),
        (&*file, true),
        (Path::new("/dev/zero"), false),
        (&*folder.path().join("not there yet"), true),
    ] {
        assert_eq!(Body::file(path).can_rewind(), rewinds, "{}", path.display());
    }
    plain_and_tls(|over, server, session| {
        server.enqueue(Answer::redirect(307, "/there"));
        let request = Request::put(server.url("/")).body(Body::file(&pipe));
        let loading = session.clone();
        let load = Running::start(move || loading.data(request).map(|data| data.response.status()));
        fs::write(&pipe, "hello").unwrap();
        // As for every body that is gone, the redirect is the answer.
        assert_eq!(load.outcome().unwrap(), 307, "{over}");
        assert_eq!(server.take_request().body(), b"hello", "{over}");
        assert_eq!(server.request_count(), 1, "{over}");
        nothing_is_left(session, &[&server]);
    });
}
