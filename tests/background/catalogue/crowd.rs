//! Many tasks.

use std::time::{Duration, Instant};

use urlsession::testing::Recorder;
use urlsession::{Request, TaskState};

use super::{Scene, close, length};
use crate::hosts::{Host, Row};
use crate::wishes::FILM;

rows! { many_tasks_are_there_again }

/// A daemon is asked whether it has the key of each.
fn count(host: Host) -> usize {
    if host == Host::Program { 10_000 } else { 1_000 }
}

/// At least 20 times what it takes.
const HANG: Duration = Duration::from_secs(120);

fn many_tasks_are_there_again(row: &Row) {
    let scene = Scene::new(row, &FILM);
    let tasks = count(row.host);
    let (recorder, began) = (Recorder::new(), Instant::now());
    let session = scene.open(&recorder).unwrap();
    for number in 0..tasks {
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
    let found = session.all_tasks();
    let opened = began.elapsed();
    println!("{tasks} tasks made in {made:?}, opened in {opened:?}");
    assert_eq!(found.len(), tasks);
    assert!(found.iter().all(|task| task.state() == TaskState::Suspended));
    assert_eq!(found[tasks - 1].id(), tasks as u64);
    assert!(made + opened < HANG);
    close(&recorder, session);
}
