//! A disk that is full, and one that can only be read, each a volume of the test's own.

#![cfg(target_os = "linux")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use urlsession::testing::{Event, Recorder};
use urlsession::{TaskState, WaitsFor};

use super::{NEXT_TRY, Scene, close, part_of, wait_for};
use crate::hosts::Row;
use crate::program::HANG;
use crate::wishes::LARGE;

rows! { a_full_disk_pauses_and_goes_on_by_itself, a_place_that_can_only_be_read_is_waited_for }

const VOLUME: &str = "URLSESSION_TEST_VOLUME";
const MOUNT: &str = r#"mount -t tmpfs -o size=24m tmpfs "$1" || exit 77; shift; exec "$@""#;

/// Starts a test anew with a volume that no other process sees.
fn passes_on_volume(test: &str) {
    // Of this test alone: with the folder of a mount it goes, wherever it was mounted.
    let name = test.replace("::", "-");
    let volume = env::temp_dir().join(format!("urlsession-{name}-{}", std::process::id()));
    fs::create_dir_all(&volume).unwrap();
    let ways: [&[&str]; 2] =
        [&["unshare", "--mount"], &["unshare", "--user", "--map-root-user", "--mount"]];
    let ran = ways.iter().any(|way| {
        let mut command = Command::new(way[0]);
        command.args(&way[1..]).args(["sh", "-c", MOUNT, "sh"]).arg(&volume);
        command.arg(env::current_exe().unwrap()).args(["--exact", test]).env(VOLUME, &volume);
        let Ok(output) = command.output() else { return false };
        let text = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        let refused = errors.contains("unshare: ") || output.status.code() == Some(77);
        assert!(refused || text.contains("test result: ok. 1 passed"), "{text}\n{errors}");
        !refused
    });
    if !ran {
        println!("skipped: this process may not mount");
    }
    let _ = fs::remove_dir(volume);
}

fn volume() -> Option<PathBuf> {
    env::var_os(VOLUME).map(PathBuf::from)
}

fn a_full_disk_pauses_and_goes_on_by_itself(row: &Row) {
    let Some(volume) = volume() else { return passes_on_volume(row.test) };
    let mut scene = Scene::new(row, &LARGE);
    scene.state = volume.join("state");
    let bytes = LARGE.bytes(&LARGE.wishes[0]);
    scene.answer(|from, _| part_of(bytes, from, "\"1\""));
    let ballast = volume.join("ballast");
    fs::write(&ballast, vec![0; 10_000_000]).unwrap();
    let recorder = Recorder::new();
    let session = scene.open(&recorder).unwrap();
    let task = session.download_task(scene.server.url("/large")).resume();
    let waits = || {
        let task = session.background_report().unwrap().tasks.remove(0);
        matches!(task.waits_for, Some(WaitsFor::Room))
    };
    wait_for("it waits for room", waits);
    assert_ne!(task.state(), TaskState::Completed);
    fs::remove_file(ballast).unwrap();
    assert!(session.wait_until_idle(HANG));
    assert_eq!(recorder.events_of(1).last(), Some(&Event::done(1)));
    let asked = scene.asked();
    assert!(asked.len() == 2 && asked[1] > 8_000_000, "{asked:?}");
    close(&recorder, session);
    scene.has("1", bytes);
}

fn a_place_that_can_only_be_read_is_waited_for(row: &Row) {
    let Some(volume) = volume() else { return passes_on_volume(row.test) };
    let scene = Scene::new(row, &LARGE);
    let bytes = LARGE.bytes(&LARGE.wishes[0]);
    scene.answer(|from, _| part_of(bytes, from, "\"1\"").stall_in_body_after(1000));
    let recorder = Recorder::new();
    let (session, pass) = scene.open_by_clock(&recorder);
    let task = session.download_task(scene.server.url("/large"));
    task.save_to(volume.join("film")).unwrap();
    let _ = task.resume();
    scene.server.wait_until(|stats| stats.stalled == 1);
    remount(&volume, "ro");
    scene.server.release();
    let waits = || {
        let task = session.background_report().unwrap().tasks.remove(0);
        matches!(task.waits_for, Some(WaitsFor::Place(_)))
    };
    wait_for("it waits for its place", waits);
    remount(&volume, "rw");
    pass(NEXT_TRY);
    assert!(session.wait_until_idle(HANG));
    assert_eq!(recorder.events_of(1).last(), Some(&Event::done(1)));
    close(&recorder, session);
    scene.has("1", bytes);
}

fn remount(volume: &Path, how: &str) {
    let mut command = Command::new("mount");
    let status = command.args(["-o", &format!("remount,{how}")]).arg(volume).status().unwrap();
    assert!(status.success(), "{status}");
}
