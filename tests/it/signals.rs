//! Signals are the program's: nothing that a connection does ends the process, or leaves a
//! trace of SIGPIPE. Each scene is played in a process of its own.

use std::ffi::c_int;
use std::process::{self, Command};
use std::{env, fs, io, thread};

use urlsession::testing::{Answer, Counters, Server};
use urlsession::{Body, CancelToken, ErrorKind, Request, Session};

use crate::support::folder::Folder;
use crate::support::running::{HANG, plain_and_tls};

const SCENE: &str = "URLSESSION_TEST_SIGNALS";
const TEST: &str = "signals::no_upload_ends_the_process_or_leaves_a_signal";

const SIGPIPE: c_int = 13;

/// More than both systems hold for a server that does not read.
const HUGE: u64 = 64 << 20;

/// How much arrives before anything happens; the server leaves after four times as much.
const SOME: u64 = 1 << 20;

/// A handler of the program's.
extern "C" fn ends_otherwise(_: c_int) {
    process::exit(77);
}

/// What SIGPIPE does: by default it ends the process.
#[derive(Clone, Copy)]
enum Disposition {
    Default,
    Ignored,
    Handled,
}

#[allow(unsafe_code, reason = "there is no other way to change what a signal does")]
fn set(disposition: Disposition) {
    unsafe extern "C" {
        fn signal(signal: c_int, handler: usize) -> usize;
    }
    let handler = match disposition {
        Disposition::Default => 0,
        Disposition::Ignored => 1,
        Disposition::Handled => ends_otherwise as extern "C" fn(c_int) as usize,
    };
    // SAFETY: the handler is a function of this process; 0 and 1 are the system's.
    unsafe { signal(SIGPIPE, handler) };
}

/// The lines of this thread's status that tell which signals it blocks and has pending.
fn signals() -> Vec<String> {
    let status = fs::read_to_string("/proc/thread-self/status").unwrap();
    let told = status.lines().filter(|line| line.starts_with("SigBlk") || line.starts_with("SigP"));
    told.map(str::to_owned).collect()
}

/// Sends a body on this thread, and does `then` on another when some of it has arrived.
fn upload(server: &Server, session: &Session, request: Request, then: impl FnOnce() + Send) {
    let some = server.stats().body_bytes + SOME;
    let outcome = thread::scope(|scope| {
        scope.spawn(|| {
            let has_arrived = server.wait_until_for(HANG, |stats| stats.body_bytes > some);
            // In any case: there is no end to some bodies.
            then();
            assert!(has_arrived, "the upload hangs");
        });
        session.data(request)
    });
    if let Err(error) = outcome {
        assert!(
            matches!(error.kind(), ErrorKind::Cancelled | ErrorKind::NetworkConnectionLost),
            "{error}"
        );
    }
}

/// What the process that the test started does in place of the test.
fn play(scene: &str) {
    let folder = Folder::new();
    let file = folder.path().join("zeros");
    fs::File::create(&file).unwrap().set_len(HUGE).unwrap();
    let before = signals();
    plain_and_tls(|over, server, session| {
        for round in 0..10 {
            server.enqueue(match scene {
                "reset" => Answer::ok("").reset_after_reading(4 * SOME),
                "close" => Answer::ok("").close_after_reading(4 * SOME),
                _ => Answer::ok("taken"),
            });
            let token = CancelToken::new();
            let body = match round % 3 {
                0 => Body::reader(io::repeat(0)),
                _ => Body::file(&file),
            };
            let request = Request::put(server.url("/")).body(body).cancel_token(&token);
            // It is set back in the middle of the upload.
            set(Disposition::Ignored);
            upload(&server, &session, request, || {
                set(if scene == "handler" { Disposition::Handled } else { Disposition::Default });
                if matches!(scene, "cancel" | "handler") {
                    token.cancel();
                }
            });
            assert_eq!(signals(), before, "{scene}, {over}, round {round}");
            assert_eq!(Counters::of(&session).sockets(), 0, "{scene}, {over}, round {round}");
        }
        // An idle connection, whose server is gone when it is told goodbye.
        server.handle(|_| Answer::ok("here"));
        session.data(server.url("/")).unwrap();
        drop(server);
        drop(session);
        assert_eq!(signals(), before, "{scene}, {over}");
    });
}

#[test]
fn no_upload_ends_the_process_or_leaves_a_signal() {
    if let Ok(scene) = env::var(SCENE) {
        play(&scene);
        println!("it lives");
        return;
    }
    for scene in ["cancel", "reset", "close", "handler"] {
        let mut program = Command::new(env::current_exe().unwrap());
        program.args(["--exact", "--nocapture", TEST]).env(SCENE, scene);
        let output = program.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.contains("it lives"), "{scene}: {output:?}");
    }
}
