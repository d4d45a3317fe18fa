//! Servers that have another file now, or answer otherwise than they were asked.

use urlsession::StartOver;
use urlsession::testing::{Answer, Event, Recorder};

use super::{Scene, close, part_of};
use crate::hosts::Row;
use crate::program::HANG;
use crate::wishes::FILM;

rows! {
    a_file_that_is_another_one_now_comes_as_a_whole,
    a_whole_in_place_of_the_rest_is_taken_as_one,
    a_part_that_begins_elsewhere_is_not_joined,
    a_part_with_another_coding_is_not_joined,
}

const COME: usize = 100_000;

fn bytes() -> &'static [u8] {
    FILM.bytes(&FILM.wishes[0])
}

fn other() -> Vec<u8> {
    bytes().iter().map(|byte| byte ^ 1).take(250_000).collect()
}

/// Loads a film whose first answer breaks; returns how it started over, and where requests began.
fn load(
    row: &Row,
    expected: &[u8],
    answer: impl Fn(usize) -> Answer + Send + Sync + 'static,
) -> (Vec<StartOver>, Vec<usize>) {
    let scene = Scene::new(row, &FILM);
    scene.answer(move |from, count| match count {
        1 => part_of(bytes(), from, "\"1\"").reset_after(COME as u64),
        _ => answer(from),
    });
    let recorder = Recorder::new();
    let session = scene.open(&recorder).unwrap();
    let _ = session.download_task(scene.server.url("/film")).resume();
    assert!(session.wait_until_idle(HANG));
    let events = recorder.events_of(1);
    assert_eq!(events.last(), Some(&Event::done(1)), "{events:?}");
    close(&recorder, session);
    scene.has("1", expected);
    let reasons = events.iter().filter_map(|event| match event {
        Event::StartedOver { reason, .. } => Some(*reason),
        _ => None,
    });
    (reasons.collect(), scene.asked())
}

fn a_file_that_is_another_one_now_comes_as_a_whole(row: &Row) {
    // As by `If-Range`.
    let (reasons, asked) = load(row, &other(), |_| Answer::ok(other()).header("ETag", "\"2\""));
    assert_eq!((reasons, asked.len()), (vec![StartOver::Changed], 2));
    // A server that looks at no condition.
    let (reasons, asked) = load(row, &other(), |from| part_of(&other(), from, "\"2\""));
    assert_eq!((reasons, asked.len(), asked.last()), (vec![StartOver::Changed], 3, Some(&0)));
}

fn a_whole_in_place_of_the_rest_is_taken_as_one(row: &Row) {
    let (reasons, asked) = load(row, bytes(), |_| Answer::ok(bytes()).header("ETag", "\"1\""));
    assert_eq!((reasons, asked.len()), (vec![StartOver::NoRanges], 2));
}

fn a_part_that_begins_elsewhere_is_not_joined(row: &Row) {
    let (reasons, asked) = load(row, bytes(), |from| match from {
        0 => part_of(bytes(), 0, "\"1\""),
        _ => part_of(bytes(), from / 2, "\"1\""),
    });
    assert_eq!((reasons.len(), asked.last()), (1, Some(&0)), "{asked:?}");
}

fn a_part_with_another_coding_is_not_joined(row: &Row) {
    let (reasons, asked) = load(row, bytes(), |from| match from {
        0 => part_of(bytes(), 0, "\"1\""),
        _ => part_of(bytes(), from, "\"1\"").header("Content-Encoding", "gzip"),
    });
    assert_eq!((reasons.len(), asked.last()), (1, Some(&0)), "{asked:?}");
}
