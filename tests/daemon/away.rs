//! What becomes of a session whose program or daemon is away.

use std::fs;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;

use urlsession::testing::{Answer, Event, OnChallenge, Recorded, Recorder, Server};
use urlsession::{BackgroundDaemon, BackgroundHost, Request};

use crate::guest::Guest;
use crate::hosted::{HANG, Scene, close, is, wait_for};
#[cfg(target_os = "linux")]
use crate::process::Daemon;
use crate::process::socket;

const TAG: &str = "\"1\"";

/// From which byte on something is asked for.
pub(crate) fn from(request: &Recorded) -> usize {
    request.header("range").map_or(0, |range| {
        range.trim_start_matches("bytes=").trim_end_matches('-').parse().unwrap()
    })
}

/// The whole of it, or what comes behind so many bytes.
pub(crate) fn rest(bytes: &[u8], request: &Recorded) -> Answer {
    let from = from(request);
    let range = format!("bytes {from}-{}/{}", bytes.len() - 1, bytes.len());
    let answer = match from {
        0 => Answer::ok(bytes),
        _ => Answer::status(206).header("Content-Range", range).body(&bytes[from..]),
    };
    answer.header("ETag", TAG)
}

#[test]
fn a_challenge_waits_for_the_program() {
    let bytes = vec![7; 10_000];
    if let Some((scene, base)) = Scene::of_program() {
        let session = scene.open(&Recorder::new()).unwrap();
        let _ = session.download_task(format!("{base}film")).resume();
        scene.has_begun();
    }
    let scene = Scene::new("challenge");
    let server = Server::start();
    let film = bytes.clone();
    server.handle(move |request: &Recorded| match request.header("authorization") {
        Some(_) => Answer::ok(&film),
        None => Answer::status(401)
            .header("WWW-Authenticate", "Basic realm=\"films\"")
            .delay_head(std::time::Duration::from_millis(300)),
    });
    scene.run_and_kill("away::a_challenge_waits_for_the_program", &server);
    server.wait_until(|stats| stats.requests >= 1);
    let recorder = Recorder::new();
    recorder.on_challenge(OnChallenge::password("ann", "s3cret"));
    let session = scene.open(&recorder).unwrap();
    scene.comes_to_its_end(&recorder, session, &bytes);
}

#[test]
fn what_happens_while_a_session_is_opened_is_told_after_what_was_before() {
    if let Some((scene, base)) = Scene::of_program() {
        let session = scene.open(&Recorder::new()).unwrap();
        let task = session.download_task(format!("{base}film"));
        task.save_to(scene.taken("film")).unwrap();
        let _ = task.resume();
        scene.has_begun();
    }
    let scene = Scene::new("opening");
    let server = Server::start();
    let (answer, answers) = channel();
    let answers = Mutex::new(answers);
    server.handle(move |_: &Recorded| {
        answers.lock().unwrap().recv().unwrap();
        Answer::ok(vec![7; 10_000])
    });
    let name = "away::what_happens_while_a_session_is_opened_is_told_after_what_was_before";
    scene.run_and_kill(name, &server);
    let folder = scene.state().join("hosted/background/films");
    let configuration = fs::read_to_string(folder.join("configuration")).unwrap();
    let mut guest = Guest::greeted(&socket(&scene.state())).unwrap();
    let open = format!(
        r#"{{"open":{{"program":"hosted","identifier":"films","coming":[],"held":[],"configuration":{configuration}}}}}"#
    );
    guest.say(&open).unwrap();
    assert_eq!(guest.hear_up_to("served"), ["job", "served"]);

    answer.send(()).unwrap();
    wait_for("the file is whole", || scene.taken("film").exists());
    // Notes would come before the answer to what is asked later.
    wait_for("the daemon knows that it has ended", || {
        fs::read_to_string(folder.join("journal")).unwrap().contains("\"taken\":true")
    });
    guest.say(r#"{"ask":{"call":1,"question":"flush"}}"#).unwrap();
    assert_eq!(guest.hear_up_to("answered"), ["done", "answered"]);
    guest.say(r#"{"go-on":{"untold":[]}}"#).unwrap();
    let mut told = guest.hear_up_to("ended");
    told.retain(|name| name != "progress");
    assert_eq!(told, ["responded", "ended"]);
}

#[test]
fn secrets_that_were_lost_with_the_daemon_are_given_again() {
    let scene = Scene::new("secrets");
    let server = Server::start();
    let bytes = vec![7; 100_000];
    let (film, asked) = (bytes.clone(), AtomicUsize::new(0));
    server.handle(move |request: &Recorded| {
        if request.header("authorization") != Some("Bearer s3cret") {
            return Answer::status(403);
        }
        let answer = rest(&film, request);
        let is_first = asked.fetch_add(1, Ordering::SeqCst) == 0;
        if is_first { answer.stall_in_body_after(1000) } else { answer }
    });
    let recorder = Recorder::new();
    let session = scene.open(&recorder).unwrap();
    let request = Request::get(server.url("/film")).header("Authorization", "Bearer s3cret");
    let _ = session.download_task(request).resume();
    server.wait_until(|stats| stats.stalled == 1);
    let journal = scene.state().join("hosted/background/films/journal");
    assert!(!fs::read_to_string(journal).unwrap().contains("s3cret"));
    scene.kill("-9");
    scene.comes_to_its_end(&recorder, session, &bytes);
    server.release();
}

#[test]
fn a_session_whose_program_died_as_its_host_is_gone_on_with() {
    let bytes = vec![7; 100_000];
    if let Some((scene, base)) = Scene::of_program() {
        let session = scene.open_as(&Recorder::new(), "films", BackgroundDaemon::Never).unwrap();
        assert_eq!(session.background_host(), Some(BackgroundHost::Program));
        let _ = session.download_task(format!("{base}film")).resume();
        session.flush();
        scene.has_begun();
    }
    let scene = Scene::new("adopted");
    let server = Server::start();
    let film = bytes.clone();
    server.handle(move |request: &Recorded| {
        rest(&film, request).delay_in_body_after(1000, std::time::Duration::from_millis(300))
    });
    scene.run_and_kill("away::a_session_whose_program_died_as_its_host_is_gone_on_with", &server);
    let urlsessiond = || BackgroundDaemon::At(env!("CARGO_BIN_EXE_urlsessiond").into());
    let other = Recorder::new();
    let session = scene.open_as(&other, "songs", urlsessiond()).unwrap();
    scene.is_whole("films", 1);
    close(&other, session);
    let recorder = Recorder::new();
    let session = scene.open(&recorder).unwrap();
    scene.comes_to_its_end(&recorder, session, &bytes);
}

#[test]
fn a_session_whose_program_and_daemon_were_killed_is_gone_on_with() {
    let bytes = vec![7; 100_000];
    if let Some((scene, base)) = Scene::of_program() {
        let session = scene.open(&Recorder::new()).unwrap();
        let _ = session.download_task(format!("{base}film")).resume();
        session.flush();
        scene.has_begun();
    }
    let scene = Scene::new("orphan");
    let server = Server::start();
    let (film, asked) = (bytes.clone(), AtomicUsize::new(0));
    server.handle(move |request: &Recorded| {
        let answer = rest(&film, request);
        let is_first = asked.fetch_add(1, Ordering::SeqCst) == 0;
        if is_first { answer.stall_in_body_after(1000) } else { answer }
    });
    let test = "away::a_session_whose_program_and_daemon_were_killed_is_gone_on_with";
    scene.run_and_kill(test, &server);
    server.wait_until(|stats| stats.stalled == 1);
    scene.kill("-9");
    // Its next daemon is started by another session, and its program is still away.
    let urlsessiond = BackgroundDaemon::At(env!("CARGO_BIN_EXE_urlsessiond").into());
    let other = Recorder::new();
    let session = scene.open_as(&other, "songs", urlsessiond).unwrap();
    scene.is_whole("films", 1);
    close(&other, session);
    let recorder = Recorder::new();
    let session = scene.open(&recorder).unwrap();
    scene.comes_to_its_end(&recorder, session, &bytes);
    server.release();
}

#[test]
fn a_daemon_that_is_told_to_leave_is_followed_by_another() {
    let scene = Scene::new("leaves");
    let server = Server::start();
    let bytes = vec![7; 100_000];
    let film = bytes.clone();
    server.handle(move |request: &Recorded| {
        let answer = rest(&film, request);
        let is_first = request.header("range").is_none();
        if is_first { answer.stall_in_body_after(1000) } else { answer }
    });
    let recorder = Recorder::new();
    let session = scene.open(&recorder).unwrap();
    let _ = session.download_task(server.url("/film")).resume();
    server.wait_until(|stats| stats.stalled == 1);
    let part = scene.state().join("hosted/background/films/finished/.1.part");
    wait_for("some of it is there", || part.metadata().is_ok_and(|found| found.len() > 0));
    scene.kill("-TERM");
    scene.comes_to_its_end(&recorder, session, &bytes);
    server.release();
}

#[test]
#[cfg(target_os = "linux")]
fn a_session_without_work_is_not_even_taken_for_a_look() {
    let scene = Scene::new("alone");
    let recorder = Recorder::new();
    let session = scene.open_as(&recorder, "films", BackgroundDaemon::Never).unwrap();
    drop(session.download_task("http://127.0.0.1:9/film"));
    session.flush();
    close(&recorder, session);
    // Whoever takes a session writes into this.
    let lock = scene.state().join("hosted/background/films/lock");
    let taken = || lock.metadata().unwrap().modified().unwrap();
    let before = taken();
    let daemon = Daemon::start(&scene.state());
    // It looks once those who were asked for its state have gone, and a while after its start.
    let threads = format!("/proc/{}/task", daemon.id());
    wait_for("all have looked", || fs::read_dir(&threads).unwrap().count() == 2);
    assert_eq!(taken(), before);
}

#[test]
fn a_program_hosts_its_session_itself_when_no_daemon_is_to_be_had_any_more() {
    let scene = Scene::new("none");
    let server = Server::start();
    let bytes = vec![7; 100_000];
    let (film, asked) = (bytes.clone(), AtomicUsize::new(0));
    server.handle(move |request: &Recorded| {
        let answer = rest(&film, request);
        let is_first = asked.fetch_add(1, Ordering::SeqCst) == 0;
        if is_first { answer.stall_in_body_after(1000) } else { answer }
    });
    let only = scene.state().with_file_name("urlsessiond");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_urlsessiond"), &only).unwrap();
    let recorder = Recorder::new();
    let session = scene.open_as(&recorder, "films", BackgroundDaemon::At(only.clone())).unwrap();
    assert_eq!(session.background_host(), Some(BackgroundHost::Daemon));
    let _ = session.download_task(server.url("/film")).resume();
    server.wait_until(|stats| stats.stalled == 1);
    fs::remove_file(only).unwrap();
    scene.kill("-9");
    // What is done meanwhile waits for who hosts it.
    let _ = session.download_task(server.url("/film")).resume();
    assert!(session.wait_until_idle(HANG), "{}", session.background_report().unwrap());
    assert_eq!(session.background_host(), Some(BackgroundHost::Program));
    for task in [1, 2] {
        let events = recorder.events_of(task);
        assert_eq!(events.iter().filter(|event| **event == Event::done(task)).count(), 1);
        assert!(is(&scene.taken(&task.to_string()), &bytes), "{task}: {events:?}");
    }
    close(&recorder, session);
    server.release();
    // The next one is had by a daemon again, and finds nothing left.
    let session = scene.open(&recorder).unwrap();
    assert_eq!(session.background_host(), Some(BackgroundHost::Daemon));
    assert_eq!(session.all_tasks().len(), 0);
    close(&recorder, session);
}
