//! Programs and daemons that are not of the same version.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::net::UnixListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use urlsession::testing::{Answer, Recorded, Recorder, Server};
use urlsession::{BackgroundDaemon, BackgroundHost};

use crate::guest::Guest;
use crate::hosted::{Scene, close, wait_for};
use crate::process::{Daemon, Scratch, answering, socket};

fn hello(oldest: u32, newest: u32) -> String {
    format!(r#"{{"hello":{{"oldest":{oldest},"newest":{newest},"release":"7.0.0"}}}}"#)
}

#[test]
fn the_newest_version_is_spoken_that_both_know_and_an_older_program_is_refused() {
    let scratch = Scratch::new();
    let daemon = Daemon::start(&scratch.state());
    for (oldest, newest, is_spoken) in [(0, 0, false), (0, 1, true), (1, 1, true), (1, 9, true)] {
        let mut guest = Guest::connect(&socket(daemon.state())).unwrap();
        guest.say(&hello(oldest, newest)).unwrap();
        let said = guest.hear().unwrap();
        if is_spoken {
            assert!(said.contains(r#""welcome":{"#) && said.contains(r#""protocol":1,"#), "{said}");
        } else {
            assert!(said.contains(r#""refused":{"#), "{said}");
            assert!(said.contains("update the older of both"), "{said}");
            assert!(guest.is_closed());
        }
    }
    assert_eq!(answering(daemon.state()), Some(daemon.id()));
}

#[test]
fn a_newer_program_has_the_daemon_leave_and_the_next_one_takes_over() {
    let bytes = vec![7; 100_000];
    if let Some((scene, base)) = Scene::of_program() {
        let session = scene.open(&Recorder::new()).unwrap();
        let _ = session.download_task(format!("{base}film")).resume();
        session.flush();
        scene.has_begun();
    }
    let scene = Scene::new("newer");
    let server = Server::start();
    let (film, asked) = (bytes.clone(), AtomicUsize::new(0));
    server.handle(move |_: &Recorded| {
        let answer = Answer::ok(&film);
        let is_first = asked.fetch_add(1, Ordering::SeqCst) == 0;
        if is_first { answer.stall_in_body_after(1000) } else { answer }
    });
    let test = "versions::a_newer_program_has_the_daemon_leave_and_the_next_one_takes_over";
    scene.run_and_kill(test, &server);
    server.wait_until(|stats| stats.stalled == 1);
    let mut newer = Guest::connect(&socket(&scene.state())).unwrap();
    newer.say(&hello(2, 3)).unwrap();
    let said = newer.hear().unwrap();
    assert!(said.contains(r#""refused":{"#), "{said}");
    assert!(newer.is_closed());
    wait_for("it has left", || scene.daemon().is_none());
    let log = fs::read_to_string(scene.state().join("daemon/log")).unwrap();
    assert!(log.contains("urlsessiond leaves"), "{log}");
    // The next one is this one again, started by another session.
    let other = Recorder::new();
    let urlsessiond = BackgroundDaemon::At(env!("CARGO_BIN_EXE_urlsessiond").into());
    let session = scene.open_as(&other, "songs", urlsessiond).unwrap();
    scene.is_whole("films", 1);
    close(&other, session);
    let recorder = Recorder::new();
    let session = scene.open(&recorder).unwrap();
    scene.comes_to_its_end(&recorder, session, &bytes);
    server.release();
}

#[test]
fn a_program_that_an_older_daemon_refuses_starts_the_next() {
    let scene = Scene::new("older");
    let folder = scene.state().join("daemon");
    DirBuilder::new().recursive(true).mode(0o700).create(&folder).unwrap();
    let path = folder.join("socket");
    let listener = UnixListener::bind(&path).unwrap();
    let old = thread::spawn(move || {
        let mut program = Guest(listener.accept().unwrap().0);
        let hello = program.hear().unwrap();
        let refused = r#"{"refused":{"error":{"kind":"NotSupported","detail":"it is newer"}}}"#;
        program.say(refused).unwrap();
        fs::remove_file(path).unwrap();
        hello
    });
    let recorder = Recorder::new();
    let session = scene.open(&recorder).unwrap();
    assert_eq!(session.background_host(), Some(BackgroundHost::Daemon));
    assert!(old.join().unwrap().contains(r#""hello":{"#));
    close(&recorder, session);
}
