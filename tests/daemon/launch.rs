//! Programs that are started again, as one of their sessions needs them.

use std::mem::ManuallyDrop;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;
use std::sync::{Mutex, mpsc};
use std::{env, fs, process};

use urlsession::background::{launched_for, register_launch, unregister_launch};
use urlsession::testing::{Answer, Event, OnChallenge, Recorded, Recorder, Server};
use urlsession::{Configuration, ErrorKind, Session};

use crate::hosted::{HANG, Scene, close, is, wait_for};
use crate::process::{log, may_be_another_user};

/// What the session is asked for by name.
fn configuration(scene: &Scene) -> Configuration {
    Configuration::background("films").program("hosted").state_directory(scene.state())
}

/// Registers this program, to run this test once more with the folder of its scene.
fn register(scene: &Scene, test: &str) {
    let folder = scene.folder().as_os_str();
    let arguments = ["--exact".as_ref(), test.as_ref(), "--nocapture".as_ref(), folder];
    register_launch(&configuration(scene), env::current_exe().unwrap(), arguments).unwrap();
}

/// Returns the scene, if this process was started by a daemon, once it has noted that it was.
fn launched() -> Option<ManuallyDrop<Scene>> {
    let identifier = launched_for()?;
    // As a filter for names of tests it fits none.
    let scene = Scene::of_folder(env::args_os().last()?.into());
    let starts = scene.folder().join("starts");
    let before = fs::read_to_string(&starts).unwrap_or_default();
    fs::write(starts, format!("{before}{identifier}\n")).unwrap();
    Some(scene)
}

/// Opens the session as the program that was started, and is done when all is told.
fn serve(scene: &Scene, recorder: &Recorder) -> ! {
    let session = scene.open(recorder).unwrap();
    let completion = session.launch_completion().unwrap();
    assert!(session.launch_completion().is_none());
    assert!(session.wait_until_idle(HANG));
    completion.complete();
    drop(session);
    let ends = [1, 2].map(|task| recorder.events_of(task).last() == Some(&Event::done(task)));
    fs::write(scene.folder().join("ends.new"), format!("{ends:?}")).unwrap();
    fs::rename(scene.folder().join("ends.new"), scene.folder().join("ends")).unwrap();
    process::exit(0);
}

fn starts(scene: &Scene) -> String {
    fs::read_to_string(scene.folder().join("starts")).unwrap_or_default()
}

/// Waits until the program that was started has said what it has heard, and is gone.
fn wait_for_ends(scene: &Scene) -> String {
    let ends = scene.folder().join("ends");
    wait_for("the program was started and has heard all", || ends.exists());
    for words in ["hosted has ended: exit status: 0", "hosted has done what it was started for"] {
        wait_for(words, || log(&scene.state()).contains(words));
    }
    fs::read_to_string(ends).unwrap()
}

/// Begins a download in a session, and waits to be killed.
fn begin(scene: &Scene, test: &str, urls: &[String]) -> ! {
    register(scene, test);
    let session: Session = scene.open(&Recorder::new()).unwrap();
    for url in urls {
        let _ = session.download_task(url.as_str()).resume();
    }
    session.flush();
    scene.has_begun();
}

/// Has the server answer once the program was killed: what happens before is told to that.
struct Gate(Mutex<mpsc::Receiver<()>>);

impl Gate {
    fn new() -> (mpsc::Sender<()>, Self) {
        let (killed, is_killed) = mpsc::channel();
        (killed, Self(Mutex::new(is_killed)))
    }

    fn pass(&self) {
        // It is opened by the end of the sender.
        let _ = self.0.lock().unwrap().recv();
    }
}

#[test]
fn a_program_is_started_when_its_downloads_have_ended() {
    const TEST: &str = "launch::a_program_is_started_when_its_downloads_have_ended";
    if let Some(scene) = launched() {
        serve(&scene, &Recorder::new());
    }
    if let Some((scene, base)) = Scene::of_program() {
        begin(&scene, TEST, &[format!("{base}1"), format!("{base}2")]);
    }
    let (scene, server) = (Scene::new("launched"), Server::start());
    let (killed, gate) = Gate::new();
    server.handle(move |request: &Recorded| {
        gate.pass();
        match request.path() {
            "/1" => Answer::ok("one"),
            _ => Answer::ok("two").stall_in_body_after(1),
        }
    });
    scene.run_and_kill(TEST, &server);
    drop(killed);
    server.wait_until(|stats| stats.stalled == 1);
    let first = scene.state().join("hosted/background/films/finished/1");
    wait_for("the first one has ended", || first.exists());
    // One of them runs.
    assert_eq!(starts(&scene), "");
    server.release();
    assert_eq!(wait_for_ends(&scene), "[true, true]");
    assert!(is(&scene.taken("1"), b"one") && is(&scene.taken("2"), b"two"));
    assert_eq!(starts(&scene), "films\n");
    assert_eq!(children(scene.daemon().unwrap()), "");
    // Nobody is needed any more.
    let recorder = Recorder::new();
    let session = scene.open(&recorder).unwrap();
    assert!(session.all_tasks().is_empty() && session.launch_completion().is_none());
    close(&recorder, session);
}

/// Returns the numbers of the processes that this one has to wait for, where the system lists them.
fn children(process: i32) -> String {
    let threads = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    let children = threads.map(|thread| fs::read_to_string(thread.path().join("children")));
    children.map(Result::unwrap_or_default).collect()
}

#[test]
fn a_program_is_started_when_a_server_asks_for_a_password() {
    const TEST: &str = "launch::a_program_is_started_when_a_server_asks_for_a_password";
    if let Some(scene) = launched() {
        let recorder = Recorder::new();
        recorder.on_challenge(OnChallenge::password("ann", "s3cret"));
        serve(&scene, &recorder);
    }
    if let Some((scene, base)) = Scene::of_program() {
        begin(&scene, TEST, &[format!("{base}open"), format!("{base}closed")]);
    }
    let (scene, server) = (Scene::new("asked"), Server::start());
    let (killed, gate) = Gate::new();
    server.handle(move |request: &Recorded| match request.header("authorization") {
        _ if request.path() == "/open" => {
            gate.pass();
            Answer::ok("open")
        }
        Some(_) => Answer::ok("closed"),
        None => {
            gate.pass();
            Answer::status(401).header("WWW-Authenticate", "Basic realm=\"films\"")
        }
    });
    scene.run_and_kill(TEST, &server);
    drop(killed);
    assert_eq!(wait_for_ends(&scene), "[true, true]");
    assert!(is(&scene.taken("1"), b"open") && is(&scene.taken("2"), b"closed"));
    assert_eq!(starts(&scene), "films\n");
}

#[test]
fn a_program_that_fails_is_started_later_each_time() {
    const TEST: &str = "launch::a_program_that_fails_is_started_later_each_time";
    if launched().is_some() {
        process::exit(7);
    }
    if let Some((scene, base)) = Scene::of_program() {
        begin(&scene, TEST, &[format!("{base}1"), format!("{base}2")]);
    }
    let (scene, server) = (Scene::new("fails"), Server::start());
    let (killed, gate) = Gate::new();
    server.handle(move |_: &Recorded| {
        gate.pass();
        Answer::ok("film")
    });
    scene.run_and_kill(TEST, &server);
    drop(killed);
    let said = |words: &str| log(&scene.state()).contains(words);
    wait_for("it was started twice", || said("2 times in a row; the next time is in 4 s"));
    assert!(said("1 times in a row; the next time is in 2 s"));
    assert!(said("hosted has ended: exit status: 7"));
    assert!(starts(&scene).starts_with("films\nfilms\n"));
    // It comes by itself, with all that has waited for it.
    let recorder = Recorder::new();
    let session = scene.open(&recorder).unwrap();
    assert!(session.wait_until_idle(HANG));
    assert!(is(&scene.taken("1"), b"film") && is(&scene.taken("2"), b"film"));
    close(&recorder, session);
}

#[test]
fn what_others_have_registered_is_not_started() {
    const TEST: &str = "launch::what_others_have_registered_is_not_started";
    if launched().is_some() {
        process::exit(0);
    }
    if let Some((scene, base)) = Scene::of_program() {
        let plant = fs::read_to_string(scene.folder().join("plant")).unwrap();
        register(&scene, TEST);
        planted(&scene.state().join("hosted/launch"), &plant);
        let session = scene.open(&Recorder::new()).unwrap();
        let _ = session.download_task(format!("{base}1")).resume();
        scene.has_begun();
    }
    let mut plants = vec![("link", "is a symbolic link"), ("mode", "may be written by others")];
    if may_be_another_user() {
        plants.push(("owner", "belongs to another user"));
    } else {
        println!("skipped: this process may not be another user");
    }
    for (plant, words) in plants {
        let (scene, server) = (Scene::new(plant), Server::start());
        let (killed, gate) = Gate::new();
        server.handle(move |_: &Recorded| {
            gate.pass();
            Answer::ok("film")
        });
        fs::write(scene.folder().join("plant"), plant).unwrap();
        scene.run_and_kill(TEST, &server);
        drop(killed);
        let path = scene.state().join("hosted/launch");
        let words = format!("{} {words}", path.display());
        let is_refused = |line: &str| line.contains("is not started") && line.contains(&words);
        wait_for("it is refused", || log(&scene.state()).lines().any(is_refused));
        assert_eq!(starts(&scene), "");
    }
}

/// Makes of a registration what somebody else could have made.
fn planted(path: &Path, plant: &str) {
    match plant {
        "link" => {
            let elsewhere = path.with_extension("elsewhere");
            fs::rename(path, &elsewhere).unwrap();
            symlink(elsewhere, path).unwrap();
        }
        "mode" => fs::set_permissions(path, fs::Permissions::from_mode(0o602)).unwrap(),
        _ => chown(path, Some(65_534), None).unwrap(),
    }
}

#[test]
fn a_command_is_registered_for_one_program_until_it_is_not() {
    assert_eq!(launched_for(), None);
    let scene = Scene::new("registers");
    let configuration = configuration(&scene);
    unregister_launch(&configuration).unwrap();
    let error = register_launch(&configuration, "films", ["--fetched"]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    register_launch(&configuration, "/bin/sh", ["--fetched"]).unwrap();
    let path = scene.state().join("hosted/launch");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let other = configuration.clone().program("other");
    unregister_launch(&other).unwrap();
    assert!(path.exists());
    register_launch(&configuration, "/bin/sh", [""; 0]).unwrap();
    unregister_launch(&configuration).unwrap();
    assert!(!path.exists());
}
