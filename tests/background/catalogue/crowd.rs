//! Many tasks.

use std::time::{Duration, Instant};

use urlsession::testing::Recorder;
use urlsession::{Request, TaskState};

use super::{Scene, close, length};
use crate::wishes::FILM;

const TASKS: usize = 10_000;

/// At least 20 times what it takes.
const HANG: Duration = Duration::from_secs(120);

#[test]
fn ten_thousand_tasks_are_there_again() {
    let scene = Scene::new("ten_thousand_tasks", &FILM);
    let (recorder, began) = (Recorder::new(), Instant::now());
    let session = scene.open(&recorder).unwrap();
    for number in 0..TASKS {
        let request = Request::get(scene.server.url(&format!("/{number}")));
        let _ = session.download_task(request.task_key(number.to_string()));
    }
    session.flush();
    let made = began.elapsed();
    let written = length(&scene.journal());
    session.flush();
    assert_eq!(length(&scene.journal()), written, "what is not changed is not written again");
    close(&recorder, session);
    let (recorder, began) = (Recorder::new(), Instant::now());
    let session = scene.open(&recorder).unwrap();
    let tasks = session.all_tasks();
    let opened = began.elapsed();
    println!("{TASKS} tasks made in {made:?}, opened in {opened:?}");
    assert_eq!(tasks.len(), TASKS);
    assert!(tasks.iter().all(|task| task.state() == TaskState::Suspended));
    assert_eq!(tasks[TASKS - 1].id(), TASKS as u64);
    assert!(made + opened < HANG);
    close(&recorder, session);
}
