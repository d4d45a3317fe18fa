//! Files of a session that somebody else changes.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::symlink;

use urlsession::testing::{Event, Recorder};
use urlsession::{ErrorKind, StartOver, TaskState, WaitsFor};

use super::{NEXT_TRY, Scene, close, length, part_of, wait_for};
use crate::hosts::Row;
use crate::program::{self, HANG};
use crate::wishes::FILM;

rows! {
    a_partial_file_that_is_changed_while_it_comes_is_never_mistaken_for_the_whole,
    a_partial_file_that_is_changed_between_two_runs_is_never_mistaken_for_the_whole,
    a_place_whose_folder_is_removed_is_waited_for,
}

const TAG: &str = "\"1\"";
const COME: usize = 100_000;

/// What somebody does with the partial file.
#[derive(Clone, Copy, Debug)]
enum Deed {
    Unlinks,
    Truncates,
    Lengthens,
    PutsALink,
}

const DEEDS: [Deed; 4] = [Deed::Unlinks, Deed::Truncates, Deed::Lengthens, Deed::PutsALink];

impl Deed {
    fn is_done(self, scene: &Scene) {
        let part = scene.part();
        match self {
            Self::Unlinks => fs::remove_file(part).unwrap(),
            Self::Truncates => {
                OpenOptions::new().write(true).open(part).unwrap().set_len(10).unwrap();
            }
            Self::Lengthens => {
                let file = OpenOptions::new().write(true).open(part).unwrap();
                file.set_len(4 * COME as u64).unwrap();
            }
            Self::PutsALink => {
                fs::write(scene.place().join("precious"), "precious").unwrap();
                fs::remove_file(&part).unwrap();
                symlink(scene.place().join("precious"), part).unwrap();
            }
        }
    }

    /// Whether it may be the end of the download; else that comes anew.
    fn may_fail(self) -> bool {
        matches!(self, Self::PutsALink)
    }

    fn has_harmed_nothing(self, scene: &Scene) {
        if matches!(self, Self::PutsALink) {
            assert_eq!(fs::read_to_string(scene.place().join("precious")).unwrap(), "precious");
        }
    }
}

fn a_partial_file_that_is_changed_while_it_comes_is_never_mistaken_for_the_whole(row: &Row) {
    let bytes = FILM.bytes(&FILM.wishes[0]);
    for deed in DEEDS {
        let scene = Scene::new(row, &FILM);
        scene.answer(|from, count| match count {
            1 => part_of(bytes, from, TAG).stall_in_body_after(COME as u64),
            _ => part_of(bytes, from, TAG),
        });
        let recorder = Recorder::new();
        let session = scene.open(&recorder).unwrap();
        let _ = session.download_task(scene.server.url("/film")).resume();
        scene.server.wait_until(|stats| stats.stalled == 1);
        wait_for("what was sent is there", || length(&scene.part()) == COME);
        deed.is_done(&scene);
        scene.server.release();
        assert!(session.wait_until_idle(HANG), "{deed:?}");
        deed.has_harmed_nothing(&scene);
        close(&recorder, session);
        match recorder.events_of(1).last() {
            Some(Event::Complete { error: None, .. }) => scene.has("1", bytes),
            Some(Event::Complete { error: Some(ErrorKind::CannotMoveFile), .. }) => {
                assert!(!matches!(deed, Deed::Truncates));
            }
            end => panic!("{deed:?}: {end:?}"),
        }
        let anew = Event::StartedOver { id: 1, reason: StartOver::Lost };
        assert_eq!(recorder.events_of(1).contains(&anew), matches!(deed, Deed::Truncates));
    }
}

fn a_partial_file_that_is_changed_between_two_runs_is_never_mistaken_for_the_whole(row: &Row) {
    program::run_if_asked(&FILM);
    let bytes = FILM.bytes(&FILM.wishes[0]);
    for deed in DEEDS {
        let scene = Scene::new(row, &FILM);
        scene.answer(|from, count| match count {
            1 => part_of(bytes, from, TAG).stall_in_body_after(COME as u64),
            _ => part_of(bytes, from, TAG),
        });
        let child = scene.start();
        wait_for("what was sent is there", || length(&scene.part()) == COME);
        scene.kill(child);
        deed.is_done(&scene);
        scene.run();
        deed.has_harmed_nothing(&scene);
        let told = &scene.diary().0[1].told;
        match told.contains(&"end film CannotOpenFile".to_owned()) {
            true => assert!(deed.may_fail(), "{deed:?}: {told:?}"),
            false => scene.has("film", bytes),
        }
    }
}

fn a_place_whose_folder_is_removed_is_waited_for(row: &Row) {
    let scene = Scene::new(row, &FILM);
    let bytes = FILM.bytes(&FILM.wishes[0]);
    scene.answer(|from, count| match count {
        1 => part_of(bytes, from, TAG).stall_in_body_after(COME as u64),
        _ => part_of(bytes, from, TAG),
    });
    let recorder = Recorder::new();
    let (session, pass) = scene.open_by_clock(&recorder);
    let films = scene.place().join("films");
    fs::create_dir(&films).unwrap();
    let task = session.download_task(scene.server.url("/film"));
    task.save_to(films.join("film")).unwrap();
    let _ = task.resume();
    scene.server.wait_until(|stats| stats.stalled == 1);
    fs::remove_dir(&films).unwrap();
    scene.server.release();
    let waits = || {
        let task = session.background_report().unwrap().tasks.remove(0);
        matches!(task.waits_for, Some(WaitsFor::Place(_)))
    };
    wait_for("it waits for its place", waits);
    assert_ne!(task.state(), TaskState::Completed);
    fs::create_dir(&films).unwrap();
    pass(NEXT_TRY);
    assert!(session.wait_until_idle(HANG));
    assert_eq!(recorder.events_of(1).last(), Some(&Event::done(1)));
    // The recorder moves it on.
    close(&recorder, session);
    scene.has("1", bytes);
}
