//! A computer that sleeps, and tasks that wait for a date.
//!
//! By the program alone: a clock that is turned by hand reaches no daemon. What goes by it is the
//! engine, which does not know its host.

use std::fs;
use std::time::Duration;

use urlsession::testing::{Event, Recorder};
use urlsession::{Clock, WaitsFor};

use super::{Scene, close, length, part_of, wait_for};
use crate::hosts::{Host, Row};
use crate::program::{self, HANG};
use crate::wishes::{FILM, LATER};

const COME: usize = 100_000;

#[test]
fn eight_hours_of_sleep_are_neither_the_end_nor_a_storm_of_retries() {
    let scene = Scene::of_program(&FILM);
    let bytes = FILM.bytes(&FILM.wishes[0]);
    scene.answer(|from, count| match count {
        1 => part_of(bytes, from, "\"1\"").stall_in_body_after(COME as u64),
        _ => part_of(bytes, from, "\"1\""),
    });
    let (recorder, clock) = (Recorder::new(), Clock::by_hand());
    let session = scene.open_with(&recorder, |all| all.clock(clock.clone())).unwrap();
    let _ = session.download_task(scene.server.url("/film")).resume();
    scene.server.wait_until(|stats| stats.stalled == 1);
    wait_for("what was sent is there", || length(&scene.part()) == COME);
    clock.advance(Duration::from_secs(8 * 3600));
    // Its connection has been silent for too long, if it has begun to wait before that.
    wait_for("it has broken", || {
        let is_retry = |event: &Event| matches!(event, Event::Retry { .. });
        let has_broken = recorder.events_of(1).iter().any(is_retry);
        if !has_broken {
            clock.advance(Duration::from_secs(60));
        }
        has_broken
    });
    // The next attempt waits for its delay.
    wait_for("it goes on", || {
        clock.advance(Duration::from_millis(5));
        recorder.events_of(1).iter().any(Event::is_completion)
    });
    assert!(session.wait_until_idle(HANG));
    assert_eq!(recorder.events_of(1).last(), Some(&Event::done(1)));
    assert_eq!(scene.asked().len(), 2);
    scene.server.release();
    close(&recorder, session);
    scene.has("1", bytes);
}

#[test]
fn a_date_survives_a_kill_and_is_waited_for_by_the_next_program() {
    program::run_if_asked(&LATER);
    let test = "catalogue::clock::a_date_survives_a_kill_and_is_waited_for_by_the_next_program";
    let scene = Scene::new(&Row { test, host: Host::Program }, &LATER);
    let bytes = LATER.bytes(&LATER.wishes[0]);
    scene.answer(|from, _| part_of(bytes, from, "\"1\""));
    let child = scene.start();
    wait_for("it runs", || {
        fs::read_to_string(scene.journal()).is_ok_and(|journal| journal.contains("\"runs\""))
    });
    scene.kill(child);
    let (recorder, clock) = (Recorder::new(), Clock::by_hand());
    let session = scene.open_with(&recorder, |all| all.clock(clock.clone())).unwrap();
    wait_for("it waits", || {
        let task = session.background_report().unwrap().tasks.remove(0);
        matches!(task.waits_for, Some(WaitsFor::BeginDate(_)))
    });
    assert_eq!(scene.asked(), [0; 0]);
    clock.advance(Duration::from_secs(3600));
    assert!(session.wait_until_idle(HANG));
    let length = bytes.len() as u64;
    assert_eq!(
        recorder.events_of(1),
        [Event::DelayedRequest(1), Event::File { id: 1, length }, Event::done(1)]
    );
    close(&recorder, session);
    assert_eq!(scene.asked(), [0]);
    scene.has("1", bytes);
}
