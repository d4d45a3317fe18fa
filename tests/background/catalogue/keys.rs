//! Tasks that are made once more.

use std::{fs, thread};

use urlsession::Request;
use urlsession::testing::{Event, Recorder};

use super::{Scene, close, part_of};
use crate::hosts::Row;
use crate::program::HANG;
use crate::wishes::FILM;

rows! {
    many_threads_that_make_a_task_with_a_key_make_one,
    a_task_whose_file_was_not_taken_can_be_made_anew_by_its_key,
}

fn many_threads_that_make_a_task_with_a_key_make_one(row: &Row) {
    let scene = Scene::new(row, &FILM);
    let recorder = Recorder::new();
    let session = scene.open(&recorder).unwrap();
    let request = || Request::get(scene.server.url("/film")).task_key("film");
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..50).for_each(|_| drop(session.download_task(request()))));
        }
    });
    assert_eq!(session.all_tasks().len(), 1);
    close(&recorder, session);
}

fn a_task_whose_file_was_not_taken_can_be_made_anew_by_its_key(row: &Row) {
    let scene = Scene::new(row, &FILM);
    let bytes = FILM.bytes(&FILM.wishes[0]);
    scene.answer(|from, _| part_of(bytes, from, "\"1\""));
    let request = || Request::get(scene.server.url("/film")).task_key("film");
    let recorder = Recorder::new();
    let session = scene.open(&recorder).unwrap();
    recorder.drops_files();
    for id in [1, 2] {
        let task = session.download_task(request()).resume();
        assert_eq!(task.id(), id);
        assert!(session.wait_until_idle(HANG));
        assert_eq!(recorder.events_of(id).last(), Some(&Event::done(id)));
    }
    close(&recorder, session);
    let recorder = Recorder::new();
    let session = scene.open(&recorder).unwrap();
    recorder.wait_for_completions(2);
    close(&recorder, session);
    for name in ["1", "2"] {
        assert!(fs::read(scene.place().join("taken").join(name)).unwrap() == bytes);
    }
}
