//! Resume data of a session that a daemon hosts.

use std::fs;
use std::sync::mpsc;

use urlsession::BackgroundHost;
use urlsession::testing::{Answer, Event, Recorder, Server};

use super::hosted::{HANG, Scene, close, is, wait_for};

#[test]
fn what_has_come_at_a_daemon_goes_out_of_its_session_and_into_it() {
    let (scene, server) = (Scene::new("resume-data"), Server::start());
    let recorder = Recorder::new();
    let session = scene.open(&recorder).unwrap();
    assert_eq!(session.background_host(), Some(BackgroundHost::Daemon));
    let half = Answer::ok("the whole film").header("ETag", "\"1\"");
    server.enqueue(half.stall_in_body_after(9));
    let task = session.download_task(server.url("/film")).resume();
    let finished = scene.state().join("hosted/background/films/finished");
    let part = finished.join(".1.part");
    wait_for("what was sent is there", || fs::metadata(&part).is_ok_and(|part| part.len() == 9));
    let (sender, data) = mpsc::channel();
    task.cancel_by_producing_resume_data(move |data| sender.send(data).unwrap());
    let data = data.recv().unwrap().unwrap();
    assert_eq!((data.received(), data.total()), (9, Some(14)));
    assert!(session.wait_until_idle(HANG));

    let rest = Answer::status(206).header("ETag", "\"1\"").body(" film");
    server.enqueue(rest.header("Content-Range", "bytes 9-13/14"));
    let _ = session.download_task_with_resume_data(data).resume();
    assert!(session.wait_until_idle(HANG));
    let events = recorder.events_of(2);
    assert!(
        events.contains(&Event::Resumed { id: 2, offset: 9, expected: Some(14) }),
        "{events:?}"
    );
    assert_eq!(events.last(), Some(&Event::done(2)));
    assert!(is(&scene.taken("2"), b"the whole film"));
    assert_eq!(fs::read_dir(&finished).unwrap().count(), 0);
    drop(task);
    close(&recorder, session);
}
