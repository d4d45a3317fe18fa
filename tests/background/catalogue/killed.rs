//! Programs that are killed.

use std::fs;

use urlsession::ErrorKind;
use urlsession::testing::{Answer, Event, Recorder};

use super::{Scene, close, length, part_of, wait_for};
use crate::hosts::{Host, Row};
use crate::program;
use crate::wishes::{FILM, LARGE, MOVED};

rows! {
    killed_between_the_data_and_the_journal_it_goes_on_from_what_was_synced,
    killed_after_the_rename_it_finds_the_file,
    killed_before_a_redirect_was_told_it_is_told_of_first,
    a_file_that_is_cut_after_the_rename_comes_anew,
    a_last_record_that_is_torn_is_dropped_and_the_rest_kept,
    a_journal_of_a_newer_version_is_refused_and_stays,
    of_two_programs_the_second_is_refused_until_the_first_is_gone,
}

const TAG: &str = "\"1\"";

fn killed_between_the_data_and_the_journal_it_goes_on_from_what_was_synced(row: &Row) {
    const COME: usize = 12_000_000;
    program::run_if_asked(&LARGE);
    let scene = Scene::new(row, &LARGE);
    let bytes = LARGE.bytes(&LARGE.wishes[0]);
    scene.answer(move |from, count| match count {
        1 => part_of(bytes, from, TAG).stall_in_body_after(COME as u64),
        _ => part_of(bytes, from, TAG),
    });
    let child = scene.start();
    wait_for("all that was sent is there", || length(&scene.part()) == COME);
    scene.kill(child);
    // More than was written down lies there, which counts for nothing.
    let mut part = fs::read(scene.part()).unwrap();
    part.extend([b'?'; 1000]);
    fs::write(scene.part(), part).unwrap();
    scene.run();
    let asked = scene.asked();
    let synced = asked[1];
    assert!(asked.len() == 2 && synced > 0 && synced <= COME, "{asked:?}");
    scene.has("large", bytes);
}

fn killed_after_the_rename_it_finds_the_file(row: &Row) {
    program::run_if_asked(&FILM);
    let bytes = FILM.bytes(&FILM.wishes[0]);
    for at in 1.. {
        let scene = Scene::new(row, &FILM);
        scene.answer(|from, _| part_of(bytes, from, TAG));
        assert!(scene.run_until(at, "file.give_access"), "no point is behind the rename");
        if !scene.folder().join("finished/1").exists() {
            continue;
        }
        assert!(!fs::read_to_string(scene.journal()).unwrap().contains("\"file\""));
        scene.run();
        assert_eq!(scene.asked(), [0]);
        assert_eq!(scene.diary().check(&FILM, row.host), 0);
        scene.has("film", bytes);
        break;
    }
}

fn killed_before_a_redirect_was_told_it_is_told_of_first(row: &Row) {
    program::run_if_asked(&MOVED);
    let followed = "followed moved 302".to_owned();
    for at in 1.. {
        let scene = Scene::new(row, &MOVED);
        scene.server.handle(|request| match request.path() {
            "/0/moved/there" => part_of(MOVED.bytes(&MOVED.wishes[0]), 0, TAG),
            _ => Answer::redirect(302, "/0/moved/there"),
        });
        assert!(scene.run_until(at, "journal.written"), "no point is before its call");
        let journal = fs::read_to_string(scene.journal()).unwrap_or_default();
        let is_written = journal.contains("\"moved\":") && !journal.contains("\"told\":");
        if !is_written || scene.diary().0[0].told.contains(&followed) {
            continue;
        }
        scene.run();
        let told = &scene.diary().0[1].told;
        // The download, which goes on meanwhile, may be led there once more before the second.
        assert_eq!(told[0], followed);
        let replayed = told.iter().position(|told| told == "replayed");
        let ended = told.iter().position(|told| told.starts_with("end moved"));
        assert!(replayed.is_some() && ended.is_some(), "{told:?}");
        scene.has("moved", MOVED.bytes(&MOVED.wishes[0]));
        break;
    }
}

fn a_file_that_is_cut_after_the_rename_comes_anew(row: &Row) {
    program::run_if_asked(&FILM);
    let bytes = FILM.bytes(&FILM.wishes[0]);
    for at in 1.. {
        let scene = Scene::new(row, &FILM);
        scene.answer(|from, _| part_of(bytes, from, TAG));
        assert!(scene.run_until(at, "file.give_access"), "no point is behind the rename");
        let finished = scene.folder().join("finished/1");
        if !finished.exists() {
            continue;
        }
        fs::write(&finished, &bytes[..1000]).unwrap();
        scene.run();
        assert_eq!(scene.asked(), [0, 0]);
        let told: Vec<String> = scene.diary().0.into_iter().flat_map(|run| run.told).collect();
        let anew: Vec<_> = told.iter().filter(|told| told.starts_with("anew")).collect();
        assert_eq!(anew, ["anew film Lost"]);
        scene.has("film", bytes);
        break;
    }
}

fn a_last_record_that_is_torn_is_dropped_and_the_rest_kept(row: &Row) {
    program::run_if_asked(&FILM);
    let scene = Scene::new(row, &FILM);
    let bytes = FILM.bytes(&FILM.wishes[0]);
    scene.answer(|from, _| part_of(bytes, from, TAG));
    assert!(scene.run_until(1, "file.give_access"));
    let journal = fs::read(scene.journal()).unwrap();
    fs::write(scene.journal(), &journal[..journal.len() - 5]).unwrap();
    scene.run();
    let told: Vec<String> = scene.diary().0.into_iter().flat_map(|run| run.told).collect();
    let damage: Vec<_> = told.iter().filter(|told| told.starts_with("damage")).collect();
    assert!(damage.len() == 1 && damage[0].contains("last line"), "{told:?}");
    assert!(told.contains(&"end film ok 200".to_owned()), "{told:?}");
    assert_eq!(fs::read(scene.folder().join("journal.damaged")).unwrap().len(), journal.len() - 5);
    scene.has("film", bytes);
}

fn a_journal_of_a_newer_version_is_refused_and_stays(row: &Row) {
    let scene = Scene::new(row, &FILM);
    let recorder = Recorder::new();
    let session = scene.open(&recorder).unwrap();
    let _ = session.download_task(scene.server.url("/film"));
    close(&recorder, session);
    let newer = "urlsession-journal 2 0000000000000001 3822232b\nwhatever";
    fs::write(scene.journal(), newer).unwrap();
    let left =
        ["spool/1.body", "finished/1", "finished/.1.part"].map(|name| scene.folder().join(name));
    left.iter().for_each(|path| fs::write(path, "whatever").unwrap());
    for _ in 0..2 {
        let error = scene.open(&Recorder::new()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotSupported, "{error}");
        assert!(error.to_string().contains("newer version"), "{error}");
        assert_eq!(fs::read_to_string(scene.journal()).unwrap(), newer);
        for path in &left {
            assert_eq!(fs::read_to_string(path).unwrap(), "whatever");
        }
    }
}

fn of_two_programs_the_second_is_refused_until_the_first_is_gone(row: &Row) {
    program::run_if_asked(&FILM);
    let scene = Scene::new(row, &FILM);
    let bytes = FILM.bytes(&FILM.wishes[0]);
    scene.answer(|from, count| match count {
        1 => part_of(bytes, from, TAG).stall_in_body_after(1000),
        _ => part_of(bytes, from, TAG),
    });
    let mut child = scene.start();
    scene.server.wait_until(|stats| stats.stalled == 1);
    let error = scene.open(&Recorder::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BackgroundSessionInUse, "{error}");
    if row.host == Host::Program {
        assert!(error.to_string().contains(&format!("process {}", child.id())), "{error}");
    }
    // A daemon goes on with it.
    scene.server.release();
    child.kill().unwrap();
    child.wait().unwrap();
    let recorder = Recorder::new();
    let mut session = None;
    wait_for("the first is gone", || {
        session = scene.open(&recorder).ok();
        session.is_some()
    });
    let session = session.unwrap();
    recorder.wait_for_completions(1);
    close(&recorder, session);
    assert_eq!(recorder.events_of(1).last(), Some(&Event::done(1)));
    scene.has("1", bytes);
}
